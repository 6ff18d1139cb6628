# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine goes down while containers run: properly, and without power. What was answered before is true afterwards."""

import json
import os
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
VM = [str(TESTS / 'vm/vm'), '--copy', str(TESTS)]
GUEST = str(TESTS / 'vm/guest_power.py')

FACTS = 18                                                  # answers before the power is cut

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root')


def run(disk, *words):
    done = subprocess.run([*VM, '--keep-disk', str(disk), '--', '/usr/bin/python3', '-B', GUEST, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300,
                          check=False)
    assert done.returncode == 0, f'{words}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}'
    return done.stdout


def work_until_the_power_goes(disk, cut):
    """Cuts it when enough has been answered."""
    facts = []
    with subprocess.Popen([*VM, '--keep-disk', str(disk), '--power-cut-after', '200', '--', '/usr/bin/python3', '-B', GUEST, 'work', cut],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as vm:
        for line in vm.stdout:
            facts.append(line)
            kinds = [fact.split()[0] for fact in facts]
            if len(facts) >= FACTS and 'exited' in kinds and 'removed' in kinds:
                break
        vm.terminate()                                      # it kills the machine as it is
        facts += [line for line in vm.stdout if line.endswith('\n')]
    return ''.join(facts)


def check(report, facts):
    """Compares a machine after the cut with what was answered before it."""
    there = report['containers']
    assert report['images'] == [['busybox:latest']]
    assert report['layers'] == report['ids'], 'a layer for each container'
    assert not report['leftovers'] and not report['temporary'] and not report['quarantine'], report
    assert not report['damaged'], report['journal']
    assert 'stauer' not in report['failed'], report['failed']
    last = {}
    for line in facts.splitlines():
        fact, name = line.split()
        last[name] = fact
    assert any(fact == 'removed' for fact in last.values()) and any(fact == 'exited' for fact in last.values()), last
    for name, fact in last.items():
        state = there.get(name)
        if fact == 'removed':
            assert state is None, (name, state)
            continue
        if fact == 'removing' and state is None:
            continue
        assert state, f'{name} was {fact} and is not there'
        if fact == 'created':
            assert state['Status'] in ('created', 'exited'), (name, state)
        elif fact in ('exited', 'removing'):
            assert (state['Status'], state['ExitCode']) == ('exited', 6), (name, state)
        elif fact == 'started':
            assert state['Status'] == 'exited' and state['ExitCode'] in (6, 255), (name, state)
        elif fact == 'running':
            assert (state['Status'], state['ExitCode']) == ('exited', 255), (name, state)
            assert 'host went down' in state['Error']
    return len(last)


def test_reboot_and_power_cuts(tmp_path):
    """Four boots of one disk."""
    disk = tmp_path / 'disk'
    run(disk, 'prepare')                                    # ends with a proper shutdown

    facts = work_until_the_power_goes(disk, '1')

    report = json.loads(run(disk, 'report').splitlines()[0])
    there = report['containers']
    # The shutdown was an ordinary end for each of them.
    assert (there['polite']['Status'], there['polite']['ExitCode'], there['polite']['Error']) == ('exited', 5, ''), there['polite']
    assert report['logs']['polite'] == 'hello\nbye\n'
    assert (there['deaf']['Status'], there['deaf']['ExitCode']) == ('exited', 137), there['deaf']
    assert report['logs']['deaf'] == 'hello\n'
    assert there['resting']['Status'] == 'created'
    assert 'going' not in there
    # Nobody has stopped the first two: they go on after each boot.
    assert [there[name]['Status'] for name in ('always', 'unless', 'stopped')] == ['running', 'running', 'exited']
    n = check(report, facts)

    more = work_until_the_power_goes(disk, '2')
    report = json.loads(run(disk, 'report').splitlines()[0])
    n += check(report, more)
    check(report, facts)
    print(f'{n} containers of which something was answered before a power cut')
