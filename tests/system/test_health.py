# SPDX-License-Identifier: GPL-2.0-or-later
"""Health checks of real containers: run by the monitor, also while the daemon is away."""

import os
import signal
import time

import pytest

import host
from common.rest import Rest
from common.wait import wait_for

pytestmark = pytest.mark.usefixtures('clean')

SECOND = 1_000_000_000


def api(method, path, body=None):
    answer = Rest().ask(method, path, body)
    return answer.status, answer.json if answer.data else None


def run(busybox, check, *command, labels=None, host_config=None, **more):
    health = {'Test': check, 'Interval': SECOND // 5, 'Timeout': SECOND, 'Retries': 2, **more}
    status, answer = api('POST', '/containers/create', {
        'Image': busybox, 'Cmd': list(command) or ['sleep', '1000'], 'Healthcheck': health, 'Labels': labels or {},
        'HostConfig': {'NetworkMode': 'none', **(host_config or {})}, 'Tty': False})
    assert status == 201, answer
    assert api('POST', f'/containers/{answer["Id"]}/start')[0] == 204
    return answer['Id']


def health(ident):
    return api('GET', f'/containers/{ident}/json')[1]['State'].get('Health')


def wait_status(ident, status, timeout=20):
    wait_for(lambda: health(ident)['Status'] == status, lambda: f'{health(ident)} is {status}', timeout=timeout)


def touch(ident, name):
    status, answer = api('POST', f'/containers/{ident}/exec', {'Cmd': ['touch', name]})
    assert status == 201, answer
    assert api('POST', f'/exec/{answer["Id"]}/start', {'Detach': True})[0] == 200


def test_becomes_healthy_and_unhealthy(busybox):
    ident = run(busybox, ['CMD-SHELL', 'echo looked; test ! -e /ill'])
    assert health(ident)['Status'] in ('starting', 'healthy')
    wait_status(ident, 'healthy')
    entry = health(ident)['Log'][-1]
    assert entry['ExitCode'] == 0 and entry['Output'] == 'looked\n' and entry['Start'] < entry['End']
    row = api('GET', '/containers/json?filters=' + '%7B%22health%22%3A%5B%22healthy%22%5D%7D')[1]
    assert [r['Id'] for r in row] == [ident] and row[0]['Status'].endswith('(healthy)')
    touch(ident, '/ill')
    wait_status(ident, 'unhealthy')
    found = health(ident)
    assert found['FailingStreak'] >= 2 and found['Log'][-1]['ExitCode'] == 1 and len(found['Log']) <= 5
    assert api('GET', f'/containers/{ident}/json')[1]['State']['Running']


def test_goes_on_without_the_daemon(busybox):
    ident = run(busybox, ['CMD-SHELL', 'date +%s%N >> /probes; test ! -e /ill'])
    wait_status(ident, 'healthy')
    touch(ident, '/ill')
    wait_status(ident, 'unhealthy')
    os.kill(host.main_pid(), signal.SIGKILL)
    wait_for(lambda: host.run('stauer', 'info', check=False).returncode == 0, 'the daemon is back')
    wait_for(lambda: health(ident)['Log'], 'the log is there again')
    assert health(ident)['Status'] == 'unhealthy'
    assert health(ident)['FailingStreak'] >= 2


def test_a_hung_probe_is_killed_with_its_children(busybox):
    ident = run(busybox, ['CMD-SHELL', 'setsid sleep 4321 & sleep 4321'], Timeout=SECOND // 2, Retries=1)
    wait_status(ident, 'unhealthy')
    entry = health(ident)['Log'][0]
    assert entry['ExitCode'] == -1 and entry['Output'] == 'Health check exceeded timeout (500ms)'
    wait_for(lambda: len(host.processes_of(ident)) == 2, lambda: f'{host.processes_of(ident)}')


def test_none_while_paused(busybox):
    ident = run(busybox, ['CMD', 'true'])
    wait_status(ident, 'healthy')
    assert api('POST', f'/containers/{ident}/pause')[0] == 204
    before = health(ident)['Log'][-1]
    time.sleep(1)
    assert health(ident)['Log'][-1]['Start'] <= before['Start'] or len(health(ident)['Log']) <= 5
    last = health(ident)['Log'][-1]
    time.sleep(0.7)
    assert health(ident)['Log'][-1] == last
    assert api('POST', f'/containers/{ident}/unpause')[0] == 204
    wait_for(lambda: health(ident)['Log'][-1] != last, 'it goes on')
    assert health(ident)['Status'] == 'healthy'


def test_start_period(busybox):
    ident = run(busybox, ['CMD', 'false'], StartPeriod=3 * SECOND, StartInterval=SECOND // 5, Interval=SECOND)
    wait_for(lambda: len(health(ident)['Log']) >= 3, 'probes at the pace of the start')
    assert health(ident)['Status'] == 'starting' and health(ident)['FailingStreak'] == 0
    wait_status(ident, 'unhealthy')


def test_output_is_cut(busybox):
    ident = run(busybox, ['CMD-SHELL', 'yes | head -c 100000'])
    wait_status(ident, 'healthy')
    assert len(health(ident)['Log'][0]['Output']) == 4096 + 3


@pytest.mark.parametrize('what, running', [('stop', False), ('kill', False), ('none', True)])
def test_on_unhealthy(busybox, what, running):
    ident = run(busybox, ['CMD', 'false'], 'sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.1; done',
                labels={'org.stauer.on-unhealthy': what}, host_config={'RestartPolicy': {'Name': 'always'}} if what == 'stop' else None)
    if running:
        wait_status(ident, 'unhealthy')
        assert api('GET', f'/containers/{ident}/json')[1]['State']['Running']
        return
    wait_for(lambda: api('GET', f'/containers/{ident}/json')[1]['State']['Status'] == 'exited', 'it has ended')
    found = api('GET', f'/containers/{ident}/json')[1]
    assert found['State']['ExitCode'] == (5 if what == 'stop' else 137)
    assert found['State']['Health']['Status'] == 'unhealthy' and found['RestartCount'] == 0


def test_restart_on_unhealthy(busybox):
    ident = run(busybox, ['CMD-SHELL', 'test ! -e /ill'], 'sh', '-c', 'rm -f /ill; exec sleep 1000',
                labels={'org.stauer.on-unhealthy': 'restart'}, host_config={})
    wait_status(ident, 'healthy')
    first = api('GET', f'/containers/{ident}/json')[1]['State']['StartedAt']
    touch(ident, '/ill')
    wait_for(lambda: api('GET', f'/containers/{ident}/json')[1]['State']['StartedAt'] != first, 'it was restarted', timeout=30)
    wait_status(ident, 'healthy')


def test_words_are_checked(busybox):
    for health_check, labels, text in [
            ({'Test': ['CMD', 'true'], 'Interval': 1}, {}, 'Interval in Healthcheck cannot be less than 1ms'),
            ({'Test': ['CMD', 'true'], 'Retries': -1}, {}, 'Retries in Healthcheck cannot be negative'),
            ({'Test': ['WHAT']}, {}, "Unknown healthcheck type 'WHAT' (expected 'CMD')"),
            ({}, {'org.stauer.on-unhealthy': 'dance'}, 'must be none, restart, stop or kill')]:
        status, answer = api('POST', '/containers/create', {'Image': busybox, 'Healthcheck': health_check, 'Labels': labels})
        assert status == 400 and text in answer['message']
