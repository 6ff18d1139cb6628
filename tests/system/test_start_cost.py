# SPDX-License-Identifier: GPL-2.0-or-later
"""A start costs the daemon the same, however many containers run beside it: counted in system calls, since time proves nothing."""

import re
import signal
import subprocess

import host
from common.wait import wait_for

OTHERS = 25


def published(name, first):
    return ('--name', name, *[f'-p{port}:80' for port in range(first, first + 4)], 'busybox', 'sleep', '1000')


def calls_of_a_start(folder):
    """The least of three: what else the daemon does meanwhile (a namespace for the next start, events) only adds."""
    counts = []
    for _ in range(3):
        host.stauer('create', *published('measured', 21000))
        summary = folder / 'strace'
        with subprocess.Popen(['strace', '-c', '-o', summary, '-p', str(host.main_pid())], stderr=subprocess.PIPE, text=True) as strace:
            assert 'attached' in strace.stderr.readline()
            host.stauer('start', 'measured')
            strace.send_signal(signal.SIGINT)
        counts.append(int(re.search(r'^100.00 +\S+ +\S+ +(\d+)', summary.read_text(), re.M).group(1)))
        host.stauer('rm', '-f', 'measured')
    return min(counts)


def test_a_start_does_not_grow_with_others(busybox, clean, tmp_path):
    assert busybox == 'busybox'
    alone = calls_of_a_start(tmp_path)
    for i in range(OTHERS):
        host.stauer('run', '-d', *published(f'other{i}', 22000 + 4 * i))
    wait_for(lambda: len(host.stauer('ps', '-q').stdout.split()) == OTHERS, 'all run')
    beside = calls_of_a_start(tmp_path)
    print('calls', alone, beside)
    assert beside < alone + OTHERS, f'a start made {alone} calls alone and {beside} beside {OTHERS} others'
