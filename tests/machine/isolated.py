# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a function of ours in a process with mounts and processes of its own, all of which end with it, and with us.

As a program this file is that process: isolated.py FOLDER MODULE FUNCTION ARGUMENT…"""

import importlib
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

if __name__ == '__main__':
    sys.path[0] = str(TESTS)

# pylint: disable=wrong-import-position
from machine.host import Failure
from machine.linux import die_with_parent


def isolated(what, function, *arguments, **kwargs):
    """Calls a function of a module (with text as arguments) there. `what` says what could not be made if it fails."""
    code = function.__code__
    done = subprocess.run(['unshare', '--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL', '--mount-proc',
                           '/usr/bin/python3', '-B', __file__, Path(code.co_filename).parent,
                           Path(code.co_filename).stem, function.__name__, *(str(a) for a in arguments)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False, preexec_fn=die_with_parent, **kwargs)
    if done.returncode != 0:
        raise Failure(f'{what} could not be made:\n{done.stdout.rstrip()}')


if __name__ == '__main__':
    sys.path.insert(1, sys.argv[1])
    try:
        getattr(importlib.import_module(sys.argv[2]), sys.argv[3])(*sys.argv[4:])
    except Failure as e:
        sys.exit(str(e))
