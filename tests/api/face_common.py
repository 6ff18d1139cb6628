# SPDX-License-Identifier: GPL-2.0-or-later
"""What the adapters to REST and D-Bus have in common: names, errors, and what their answers are made of."""

import struct

NAME = 'org.stauer.Engine1'
ROOT = '/org/stauer/Engine1'
MANAGER, CONTAINER, IMAGE, JOB, EXEC, VOLUME, NETWORK = (
    f'{NAME}.{kind}' for kind in ('Manager', 'Container', 'Image', 'Job', 'Exec', 'Volume', 'Network'))
PROPERTIES = 'org.freedesktop.DBus.Properties'

STATUS = {304: 'NotModified', 400: 'Invalid', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 413: 'TooLarge', 500: 'Internal',
          501: 'NotImplemented', 503: 'Unavailable'}
# What REST has one code for, the bus has names for.
SAME = {'NotRunning': 'Conflict', 'Exists': 'Conflict', 'Changed': 'Conflict', 'Failed': 'Internal'}


class FaceError(Exception):
    def __init__(self, kind, text):
        super().__init__(f'{kind}: {text}')
        self.kind = SAME.get(kind, kind)
        self.text = text


def frames(data):
    """Docker's multiplexed stream as (stream, text)."""
    out = []
    while data:
        stream, size = struct.unpack('>BxxxI', data[:8])
        assert len(data) >= 8 + size, 'a frame is cut'
        out.append((stream, data[8:8 + size].decode()))
        data = data[8 + size:]
    return out


def subsequence(seen, actions):
    """The events with these actions, when they came in this order."""
    found, rest = [], iter(seen)
    for action in actions:
        event = next((e for e in rest if e[1] == action), None)
        if not event:
            return None
        found.append(event)
    return found
