# SPDX-License-Identifier: GPL-2.0-or-later
"""exec in real containers."""

import os
import signal

import pytest

import host
from common.wait import wait_for
from test_health import api

pytestmark = pytest.mark.usefixtures('clean')


@pytest.fixture
def box(busybox):
    status, answer = api('POST', '/containers/create', {'Image': busybox, 'Cmd': ['sleep', '1000'], 'Env': ['A=b'],
                                                        'HostConfig': {'NetworkMode': 'none'}})
    assert status == 201, answer
    assert api('POST', f'/containers/{answer["Id"]}/start')[0] == 204
    return answer['Id']


def create(ident, *command, **more):
    status, answer = api('POST', f'/containers/{ident}/exec', {'Cmd': list(command), **more})
    assert status == 201, answer
    return answer['Id']


def detach(execution):
    return api('POST', f'/exec/{execution}/start', {'Detach': True})


def look(execution):
    return api('GET', f'/exec/{execution}/json')[1]


def ended(execution):
    wait_for(lambda: look(execution)['ExitCode'] is not None, lambda: f'{look(execution)} has ended')
    return look(execution)['ExitCode']


def test_life(box):
    x = create(box, 'sh', '-c', 'sleep 1; exit 3', User='1000:1000', Env=['C=d'], WorkingDir='/tmp')
    found = look(x)
    assert not found['Running'] and found['ExitCode'] is None and found['Pid'] == 0 and found['ContainerID'] == box
    assert found['ProcessConfig'] == {'tty': False, 'entrypoint': 'sh', 'arguments': ['-c', 'sleep 1; exit 3'],
                                      'privileged': False, 'user': '1000:1000'}
    assert api('GET', f'/containers/{box}/json')[1]['ExecIDs'] == [x]
    assert detach(x) == (200, None)
    found = look(x)
    assert found['Running'] and os.stat(f'/proc/{found["Pid"]}').st_uid == 1000
    assert os.readlink(f'/proc/{found["Pid"]}/cwd') == '/tmp'
    environment = open(f'/proc/{found["Pid"]}/environ', encoding='utf-8').read().split('\0')
    assert {'A=b', 'C=d', 'HOME=/'} <= set(environment)
    assert detach(x) == (409, {'message': f'exec command {x} is already running'})
    assert ended(x) == 3
    assert detach(x) == (409, {'message': f'exec command {x} has already run'})
    assert api('GET', f'/containers/{box}/json')[1]['ExecIDs'] is None


def test_what_cannot_be_run(box):
    x = create(box, 'nosuch')
    assert detach(x) == (400, {'message': 'OCI runtime exec failed: exec failed: unable to start container process: '
                                          'exec: "nosuch": executable file not found in $PATH'})
    assert look(x)['ExitCode'] == 127
    x = create(box, '/etc/passwd')
    status, answer = detach(x)
    assert status == 400 and 'permission denied' in answer['message'] and look(x)['ExitCode'] == 126
    x = create(box, 'true', User='nosuch')
    status, answer = detach(x)
    assert status == 400 and 'unable to find user nosuch' in answer['message']
    assert api('POST', f'/containers/{box}/exec', {'Cmd': []}) == (400, {'message': 'No exec command specified'})
    assert api('GET', '/exec/abc/json') == (404, {'message': 'No such exec instance: abc'})


def test_states(box):
    x = create(box, 'true')
    assert api('POST', f'/containers/{box}/pause')[0] == 204
    text = f'Container {box} is paused, unpause the container before exec'
    assert api('POST', f'/containers/{box}/exec', {'Cmd': ['true']}) == (409, {'message': text})
    assert detach(x) == (409, {'message': text})
    assert api('POST', f'/containers/{box}/unpause')[0] == 204
    y = create(box, 'sleep', '1000')
    assert detach(y)[0] == 200
    assert api('POST', f'/containers/{box}/kill')[0] == 204
    wait_for(lambda: not api('GET', f'/containers/{box}/json')[1]['State']['Running'], 'it has ended')
    assert look(y)['ExitCode'] == 137
    assert detach(x) == (409, {'message': f'container {box} is not running'})


def test_privileged(box):
    x = create(box, 'sleep', '1000', Privileged=True)
    assert detach(x)[0] == 200
    with open(f'/proc/{look(x)["Pid"]}/status', encoding='utf-8') as f:
        text = f.read()
    with open('/proc/self/status', encoding='utf-8') as f:
        mine = next(line for line in f if line.startswith('CapBnd'))
    assert mine.replace('CapBnd', 'CapEff') in text


def test_daemon_killed(box):
    x = create(box, 'sh', '-c', 'while ! test -e /go; do sleep 0.1; done; exit 9')
    assert detach(x)[0] == 200
    y = create(box, 'sh', '-c', 'exit 4')
    assert detach(y)[0] == 200
    assert ended(y) == 4
    os.kill(host.main_pid(), signal.SIGKILL)
    wait_for(lambda: host.run('stauer', 'info', check=False).returncode == 0, 'the daemon is back')
    wait_for(lambda: look(x).get('Running'), 'it is known')
    assert look(x)['ProcessConfig']['entrypoint'] == 'sh' and look(y)['ExitCode'] == 4
    z = create(box, 'touch', '/go')
    assert detach(z)[0] == 200
    assert ended(x) == 9 and ended(z) == 0


def test_many_at_once(box):
    all_of_them = [create(box, 'sh', '-c', f'exit {n}') for n in range(60)]
    for x in all_of_them:
        assert detach(x)[0] == 200
    assert [ended(x) for x in all_of_them] == list(range(60))
    assert not list((host.RUN_ROOT / 'containers' / box).glob('exec-*'))


def test_nothing_stays_of_a_terminal_that_never_came(box):
    run = host.RUN_ROOT / 'containers' / box
    before = {p.name for p in run.iterdir()}
    x = create(box, 'no-such-program', Tty=True)
    assert detach(x)[0] == 400
    assert {p.name for p in run.iterdir()} == before
