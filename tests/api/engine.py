# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the engine have in common: a daemon with a loaded image, and short words for containers."""

import os
import sys
from pathlib import Path

for folder in ('fake', 'common'):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))

# pylint: disable=wrong-import-position
import images
from engine_daemon import EngineDaemon
from private_bus import wait_for


def make_daemon(folder, *options):
    d = EngineDaemon(folder, *options)
    try:
        d.start()
        images.docker_archive(d.folder / 'image.tar')
        answer = d.post('/images/load', (d.folder / 'image.tar').read_bytes(), headers={'Content-Type': 'application/x-tar'})
        assert answer.status == 200 and b'Loaded image' in answer.data, answer.data
    except BaseException:
        d.end()
        raise
    return d


def create(d, *command, name=None, status=201, host=None, **config):
    body = {'Image': 'busybox', 'Cmd': list(command), 'HostConfig': {'NetworkMode': 'none', **(host or {})}, **config}
    answer = d.post('/containers/create' + (f'?name={name}' if name else ''), body)
    assert answer.status == status, answer.data
    return answer.json['Id'] if status == 201 else answer.json['message']


def start(d, container, status=204):
    answer = d.post(f'/containers/{container}/start')
    assert answer.status == status, answer.data
    return answer.json['message'] if answer.data else None


def run(d, *command, **more):
    container = create(d, *command, **more)
    start(d, container)
    return container


def wait(d, container, condition=''):
    answer = d.post(f'/containers/{container}/wait' + (f'?condition={condition}' if condition else ''))
    assert answer.status == 200, answer.data
    return answer.json['StatusCode']


def state(d, container):
    answer = d.get(f'/containers/{container}/json')
    assert answer.status == 200, answer.data
    return answer.json['State']


def logs(d, container):
    """Bytes of both streams, without the frames."""
    data, text = d.get(f'/containers/{container}/logs?stdout=1&stderr=1').data, b''
    while data:
        size = int.from_bytes(data[4:8], 'big')
        text, data = text + data[8:8 + size], data[8 + size:]
    return text


def is_gone(d, container):
    return d.get(f'/containers/{container}/json').status == 404


def leftovers(d):
    """Files that no container needs any more."""
    known = {c['Id'] for c in d.get('/containers/json?all=1').json}
    layers = [p.name for p in (d.data / 'layers/vfs').iterdir() if not (p / 'layer.json').exists()]
    names = [p.name for p in (d.data / 'containers').iterdir()]
    runs = [p.name for p in (d.run / 'containers').iterdir()]
    tmp = [p.name for p in (d.data / 'tmp').iterdir() if p.name not in ('trash', 'lock', 'empty')]
    return [n for n in [*layers, *names, *runs] if n not in known] + tmp


def monitor_of(d, container):
    """Its pid, from /proc."""
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                words = Path(f'/proc/{entry}/cmdline').read_bytes().split(b'\0')
            except OSError:
                continue
            if words[0].endswith(b'stauer-monitor') and container.encode() in words:
                return int(entry)
    return None


def wait_gone(d, container):
    wait_for(lambda: is_gone(d, container), 'the container is gone')
