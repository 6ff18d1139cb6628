# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a container in the engine: create, start, exit, stop, kill, wait, remove, and what can go wrong on the way."""

import json
import os
import signal
import threading
import time

import pytest

from common.processes import is_over
from engine import create, is_gone, leftovers, logs, make_daemon, monitor_of, run, start, state, wait, wait_for, wait_gone

# pylint: disable=redefined-outer-name


@pytest.fixture(scope='module')
def d(tmp_path_factory):
    daemon = make_daemon(tmp_path_factory.mktemp('engine'))
    yield daemon
    daemon.end()


@pytest.fixture(autouse=True)
def clean(d):
    yield
    d.systemd({})
    for c in d.get('/containers/json?all=1').json:
        d.delete(f'/containers/{c["Id"]}?force=1')
    wait_for(lambda: not leftovers(d), 'nothing is left')


def test_runs_to_its_end(d):
    c = run(d, 'sh', '-c', 'echo out; echo err >&2; exit 3', name='one')
    assert wait(d, c) == 3
    s = state(d, 'one')
    assert (s['Status'], s['Running'], s['ExitCode'], s['Pid'], s['Error']) == ('exited', False, 3, 0, '')
    assert s['StartedAt'] < s['FinishedAt']
    assert sorted(logs(d, c).splitlines()) == [b'err', b'out']
    assert d.delete('/containers/one').status == 204
    assert is_gone(d, c)


def test_starts_again(d):
    c = run(d, 'sh', '-c', 'echo again; test -f /x && exit 7; touch /x')
    assert wait(d, c) == 0
    start(d, c)
    assert wait(d, c) == 7
    assert logs(d, c) == b'again\nagain\n'


def test_start_at_once_after_exit_many_times(d):
    c = create(d, 'true')
    for _ in range(8):
        start(d, c)
        assert wait(d, c) == 0


def test_start_twice_is_not_modified(d):
    c = run(d, 'sleep', '100')
    start(d, c, status=304)
    assert state(d, c)['Status'] == 'running'


def test_two_starts_at_once_get_one_result(d):
    d.systemd({'start': 'slow'})
    c = create(d, 'sleep', '100')
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(d.post(f'/containers/{c}/start').status)) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [204, 204, 204]
    assert len([a for a in d.systemd_asked() if a['call'] == 'start' and c in a['name']]) == 1


def test_command_that_is_not_there(d):
    c = create(d, 'no-such-command')
    message = start(d, c, status=400)
    assert 'executable file not found' in message
    s = state(d, c)
    assert (s['Status'], s['ExitCode']) == ('created', 127)
    assert 'executable file not found' in s['Error']
    assert monitor_of(d, c) is None or wait_for(lambda: monitor_of(d, c) is None, 'the monitor leaves')


def test_command_that_cannot_be_executed(d):
    c = create(d, '/etc/passwd')
    assert 'permission denied' in start(d, c, status=400)
    assert state(d, c)['ExitCode'] == 126


def test_stop(d):
    c = run(d, 'sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.05; done')
    assert d.post(f'/containers/{c}/stop').status == 204
    assert state(d, c)['ExitCode'] == 5
    assert d.post(f'/containers/{c}/stop').status == 304


def test_stop_that_is_not_heard_kills(d):
    c = run(d, 'sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done')
    begin = time.monotonic()
    assert d.post(f'/containers/{c}/stop?t=1').status == 204
    assert 0.9 < time.monotonic() - begin < 5
    assert state(d, c)['ExitCode'] == 137


def test_stop_signal_of_the_container(d):
    c = run(d, 'sh', '-c', 'trap "exit 9" USR1; while :; do sleep 0.05; done', StopSignal='SIGUSR1')
    assert d.post(f'/containers/{c}/stop').status == 204
    assert state(d, c)['ExitCode'] == 9


def test_stop_with_kill_at_once(d):
    c = run(d, 'sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done')
    assert d.post(f'/containers/{c}/stop?t=0').status == 204
    assert state(d, c)['ExitCode'] == 137


def test_stop_during_start_wins(d):
    d.systemd({'start': 'slow'})
    c = create(d, 'sleep', '100')
    answers = {}
    t = threading.Thread(target=lambda: answers.update(start=d.post(f'/containers/{c}/start').status))
    t.start()
    wait_for(lambda: any(a['call'] == 'start' and c in a['name'] for a in d.systemd_asked()), 'the scope is asked for')
    assert d.post(f'/containers/{c}/stop?t=0').status == 204
    t.join()
    assert answers == {'start': 204}
    assert state(d, c)['Status'] == 'exited'


def test_kill(d):
    c = run(d, 'sleep', '100')
    assert d.post(f'/containers/{c}/kill').status == 204
    assert state(d, c)['ExitCode'] == 137
    answer = d.post(f'/containers/{c}/kill')
    assert answer.status == 409
    assert 'is not running' in answer.json['message']


def test_kill_with_another_signal(d):
    c = run(d, 'sh', '-c', 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.05; done')
    wait_for(lambda: b'ready' in logs(d, c), 'it is ready')
    assert d.post(f'/containers/{c}/kill?signal=USR1').status == 204
    wait_for(lambda: b'usr1' in logs(d, c), 'the signal has come')
    assert state(d, c)['Running']
    assert d.post(f'/containers/{c}/kill?signal=no').status == 400


def test_waits(d):
    c = create(d, 'sleep', '0.3')
    assert wait(d, c) == 0            # created: not running
    start(d, c)
    assert wait(d, c, 'next-exit') == 0
    answer = d.post(f'/containers/{c}/wait?condition=x')
    assert (answer.status, answer.json['message']) == (400, 'invalid condition: "x"')


def test_wait_for_removal(d):
    c = run(d, 'sh', '-c', 'sleep 0.3; exit 4', host={'AutoRemove': True})
    assert wait(d, c, 'removed') == 4
    assert is_gone(d, c)


def test_auto_remove(d):
    c = run(d, 'true', host={'AutoRemove': True})
    wait_gone(d, c)
    c = create(d, 'no-such-command', host={'AutoRemove': True})
    start(d, c, status=400)
    wait_gone(d, c)


def test_remove_running(d):
    c = run(d, 'sleep', '100', name='busy')
    answer = d.delete(f'/containers/{c}')
    assert answer.status == 409
    assert answer.json['message'] == ('cannot remove container "/busy": container is running: stop the container before '
                                      'removing or force remove')
    assert d.delete(f'/containers/{c}?force=1').status == 204
    assert is_gone(d, c)
    wait_for(lambda: monitor_of(d, c) is None, 'its monitor has left')


def test_names(d):
    c = create(d, 'true', name='taken')
    assert create(d, 'true', name='taken', status=409) == (
        f'Conflict. The container name "/taken" is already in use by container "{c}". You have to remove (or rename) that '
        'container to be able to reuse that name.')
    assert create(d, 'true', name='x', status=400).startswith('Invalid container name (x)')
    made_up = d.get(f'/containers/{create(d, "true")}/json').json['Name']
    assert made_up.count('_') == 1 and made_up[0] == '/'
    assert d.get(f'/containers/{c[:5]}/json').json['Id'] == c


def test_what_is_not_there_says_so(d):
    # Only a start asks for its network.
    c = create(d, 'true', host={'NetworkMode': 'nosuch'})
    assert start(d, c, status=404) == 'failed to set up container networking: network nosuch not found'
    assert create(d, 'true', Image='nosuch:1', status=404) == 'No such image: nosuch:1'


def test_missing_controllers_are_warnings(d):
    body = {'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none', 'Memory': 64 << 20, 'PidsLimit': 10}}
    if d.get('/info').json['MemoryLimit']:
        pytest.skip('this host has the memory controller')
    answer = d.post('/containers/create', body)
    assert answer.status == 201
    assert ('Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.'
            in answer.json['Warnings'])


def test_scope_has_the_properties(d):
    c = run(d, 'true', name='props', host={'StorageOpt': None, 'CgroupParent': 'batch.slice'}, StopTimeout=3)
    wait(d, c)
    p, = [a['properties'] for a in d.systemd_asked() if a['call'] == 'start' and c in a['name']]
    assert p['Slice'] == 'batch.slice'
    assert p['Delegate'] is True
    assert p['CollectMode'] == 'inactive-or-failed'
    assert p['DevicePolicy'] == 'strict'
    assert ['/dev/char/1:3', 'rwm'] in p['DeviceAllow']
    assert p['TimeoutStopUSec'] == 8000000
    assert p['Description'].startswith('Container props (busybox): true')


@pytest.mark.parametrize('answer', ['fail', 'refuse'])
def test_systemd_does_not_make_the_scope(d, answer):
    c = create(d, 'sleep', '100')
    d.systemd({'start': answer})
    message = start(d, c, status=500 if answer == 'fail' else 403)
    assert 'systemd could not start' in message
    s = state(d, c)
    assert s['Status'] == 'created' and 'systemd could not start' in s['Error']
    wait_for(lambda: monitor_of(d, c) is None, 'the monitor is ended')
    d.systemd({})
    start(d, c)
    assert state(d, c)['Running']


def test_systemd_slow(d):
    d.systemd({'start': 'slow'})
    c = run(d, 'true')
    assert wait(d, c) == 0


def test_reload_during_a_start(d):
    """The job's signal is lost; the state is asked for after the reload."""
    d.systemd({'start': 'hang'})
    c = create(d, 'sleep', '100')
    answers = {}
    t = threading.Thread(target=lambda: answers.update(start=d.post(f'/containers/{c}/start').status))
    t.start()
    wait_for(lambda: any(a['call'] == 'start' and c in a['name'] for a in d.systemd_asked()), 'the scope is asked for')
    d.systemd_process.send_signal(signal.SIGHUP)
    t.join(10)
    assert answers == {'start': 204}


def test_reexec(d):
    c = run(d, 'sleep', '100')
    d.systemd_process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    assert state(d, c)['Running']
    other = run(d, 'true')
    assert wait(d, other) == 0
    assert d.post(f'/containers/{c}/stop?t=0').status == 204


def test_monitor_killed(d):
    c = run(d, 'sleep', '1000')
    pid = state(d, c)['Pid']
    time.sleep(0.3)                   # the fake systemd looks at /proc now and then
    os.kill(monitor_of(d, c), signal.SIGKILL)
    assert wait(d, c) == 255
    s = state(d, c)
    assert s['Status'] == 'exited' and 'monitor' in s['Error']
    wait_for(lambda: is_over(pid), 'its process is ended')
    start(d, c)
    assert state(d, c)['Running']


def test_monitor_hangs(d):
    c = run(d, 'sleep', '1000')
    monitor = monitor_of(d, c)
    os.kill(monitor, signal.SIGSTOP)
    other = run(d, 'true')
    assert wait(d, other) == 0
    begin = time.monotonic()
    answer = d.post(f'/containers/{c}/kill?signal=WINCH')
    assert answer.status == 500 and 'does not answer' in answer.json['message']
    assert time.monotonic() - begin < 10
    os.kill(monitor, signal.SIGCONT)
    assert d.post(f'/containers/{c}/kill').status == 204


def test_events_in_order(d):
    since = time.time()
    c = run(d, 'sh', '-c', 'exit 2', name='eventful', Labels={'colour': 'red'})
    wait(d, c)
    d.delete(f'/containers/{c}')
    until = time.time() + 0.05
    time.sleep(0.1)
    text = d.get(f'/events?since={since:.6f}&until={until:.6f}').data.decode()
    rows = [json.loads(line) for line in text.splitlines()]
    mine = [r for r in rows if r['Type'] == 'container' and r['Actor']['ID'] == c]
    assert [r['Action'] for r in mine] == ['create', 'start', 'die', 'destroy']
    assert mine[2]['Actor']['Attributes'] == {'colour': 'red', 'execDuration': '0', 'exitCode': '2', 'image': 'busybox',
                                              'name': 'eventful'}


def test_environment_and_files(d):
    c = run(d, 'sh', '-c', 'env; cat /etc/hosts; cat /etc/hostname; pwd', Env=['A=1', 'B='], WorkingDir='/tmp', Hostname='there',
            host={'ExtraHosts': ['db:10.1.2.3']})
    wait(d, c)
    folder = d.data / 'containers' / c
    assert (folder / 'hostname').read_text() == 'there\n'
    assert '10.1.2.3\tdb\n' in (folder / 'hosts').read_text()
    text = logs(d, c).decode()
    assert 'A=1\n' in text and 'B=\n' in text and 'HOSTNAME=there\n' in text
    assert text.endswith('/tmp\n')


def test_list_and_filters(d):
    a = run(d, 'sleep', '100', name='alpha', Labels={'k': 'v'})
    b = run(d, 'sh', '-c', 'exit 3', name='beta')
    wait(d, b)

    def listed(query):
        return [c['Id'] for c in d.get('/containers/json' + query).json]

    def filtered(**filters):
        return listed('?filters=' + json.dumps({k: [v] for k, v in filters.items()}).replace(' ', '').replace('"', '%22'))

    assert listed('') == [a]
    assert listed('?all=1') == [b, a]
    assert listed('?limit=1') == [b]
    assert filtered(exited='3') == [b]
    assert filtered(status='exited') == [b]
    assert filtered(status='running', label='k=v') == [a]
    assert filtered(name='alp') == [a]
    assert filtered(before=b) == [a]
    assert filtered(ancestor='busybox') == [a]
    assert d.get('/containers/json?filters=%7B%22nosuch%22:%5B%22x%22%5D%7D').status == 400
