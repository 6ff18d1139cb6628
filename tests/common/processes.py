# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests have started, whoever its parent is by now: nothing of it may outlive them."""

import ctypes
import os
import signal
from pathlib import Path

from common.wait import wait_for

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Whose parent has gone is our child from now on, so that it can be found."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def _stat(pid):
    """(state, parent); None: it is gone."""
    try:
        words = Path(f'/proc/{pid}/stat').read_text(errors='replace').rpartition(')')[2].split()
        return words[0], int(words[1])
    except (OSError, IndexError):
        return None


def descendants(*roots):
    """Pids of all that these have started, zombies left out."""
    table = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            now = _stat(entry)
            if now:
                table.setdefault(now[1], []).append((int(entry), now[0]))
    found, todo = [], list(roots)
    while todo:
        for pid, state in table.get(todo.pop(), []):
            todo.append(pid)
            if state not in 'ZX':
                found.append(pid)
    return found


def words(pid):
    try:
        return f'{pid} ' + Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')[:120]
    except OSError:
        return str(pid)


def is_over(pid):
    """It has ended; whether somebody has asked for its status yet does not matter."""
    try:
        os.waitpid(pid, os.WNOHANG)             # an orphan that we have adopted
    except ChildProcessError:
        pass
    now = _stat(pid)
    return not now or now[0] in 'ZX'


def end_all(pids):
    """Kills them, and returns when they are gone."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_for(lambda: all([is_over(pid) for pid in pids]), lambda: f'they end: {[words(pid) for pid in pids]}')
