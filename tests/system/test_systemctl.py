# SPDX-License-Identifier: GPL-2.0-or-later
"""systemctl on a container's scope, with the real one: what it does is what state, events and policies say. Limits: tests/vm/test_limits.py."""

import time

import pytest

from common.wait import wait_for
from host import out, run, scope, state, stauer
from test_life import actions, docker

pytestmark = pytest.mark.usefixtures('clean')


def begin(image, policy, *words):
    return out('run', '-d', '--name', 'job', '--network', 'none', '--restart', policy, image, *words)


@pytest.mark.parametrize('words', [('sleep', '1000'), ('sh', '-c', "trap 'sleep 1; exit 4' TERM; while :; do sleep 0.1; done")])
@pytest.mark.parametrize('policy', ['always', 'unless-stopped', 'on-failure', 'no'])
def test_stop_rests_the_policy(busybox, policy, words):
    begin(busybox, policy, *words)
    since = time.time()
    run('systemctl', 'stop', scope('job'))
    wait_for(lambda: state('job')['Status'] == 'exited' and 'stop' in actions(since), lambda: f'it rests: {state("job")}')
    assert actions(since) == ['die', 'stop']
    run('systemctl', 'restart', 'stauer.service')
    if policy in ('always', 'on-failure'):                       # as after docker stop
        wait_for(lambda: state('job')['Status'] == 'running', 'the daemon asks again')
    else:
        assert state('job')['Status'] == 'exited'
        stauer('start', 'job')
    stauer('rm', '-f', 'job')


def test_many_stops_at_once(busybox):
    """However late the answers come."""
    names = [f'job{i}' for i in range(12)]
    for name in names:
        out('run', '-d', '--name', name, '--network', 'none', '--restart', 'always', busybox, 'sleep', '1000')
    run('systemctl', 'stop', 'docker-*.scope')
    wait_for(lambda: all(state(n)['Status'] == 'exited' for n in names), lambda: [state(n)['Status'] for n in names])
    assert all(docker('inspect', '-f', '{{.RestartCount}}', n).stdout == '0\n' for n in names)
    stauer('rm', '-f', *names)


@pytest.mark.parametrize('word', ['KILL', 'TERM'])
def test_kill_is_a_signal(busybox, word):
    begin(busybox, 'always', 'sh', '-c', "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    pid = state('job')['Pid']
    run('systemctl', 'kill', '-s', word, '--kill-who=all', scope('job'))
    wait_for(lambda: state('job')['Status'] == 'running' and state('job')['Pid'] not in (0, pid), 'it runs again')
    stauer('rm', '-f', 'job')
