# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting for a thing to be so, instead of sleeping and hoping."""

import os
import time


def wait_for(condition, what, timeout=20.0, step=0.02):
    """Returns what condition() gives as soon as it is true; fails after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f'waited {timeout} s in vain: {what() if callable(what) else what}'
        time.sleep(step)


def names_below(folder):
    """Of everything below a folder; what goes away meanwhile is passed over, which Path.rglob() would not do."""
    return {name for _, folders, files in os.walk(folder) for name in (*folders, *files)}
