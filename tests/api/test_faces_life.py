# SPDX-License-Identifier: GPL-2.0-or-later
"""Restart, pause and rename through both faces: states, events in their order, refusals."""

import pytest
from private_bus import wait_for
from test_faces_containers import body, refused, run


def state(face, name):
    return face.inspect(name)['State']


def test_restart(face):
    identity = run(face, 'again', 'sleep', '1000')
    first = state(face, 'again')
    with face.watch({'type': ['container']}) as events:
        face.restart('again', 0)
        events.wait('kill', 'die', 'stop', 'start', 'restart')
        seen = [e[1] for e in events.seen if e[2] == identity]          # TERM, and at once KILL
        assert seen[-5:] == ['kill', 'die', 'stop', 'start', 'restart'] and set(seen[:-5]) <= {'kill'}
    now = state(face, 'again')
    assert now['Status'] == 'running' and now['StartedAt'] > first['StartedAt'] and now['Pid'] != first['Pid']
    assert face.inspect('again')['RestartCount'] == 0
    face.remove('again', force=True)


def test_restart_of_a_stopped_one_starts_it(face):
    face.create('rests', body('sleep', '1000'))
    face.restart('rests')
    assert state(face, 'rests')['Status'] == 'running'
    face.kill('rests')
    face.restart('rests')
    assert state(face, 'rests')['Running']
    face.remove('rests', force=True)


def test_restart_with_a_signal_of_its_own(face):
    run(face, 'usr1', 'sh', '-c', "trap 'echo usr1; exit 0' USR1; while :; do sleep 0.05; done")
    face.restart('usr1', 10, 'USR1')
    assert 'usr1' in face.logs('usr1') and state(face, 'usr1')['Running']
    face.remove('usr1', force=True)


def test_restart_does_not_remove_what_removes_itself(face):
    identity = run(face, 'brief', 'sleep', '1000', host={'AutoRemove': True})
    face.restart('brief', 0)
    assert face.inspect('brief')['Id'] == identity and state(face, 'brief')['Running']
    face.kill('brief')
    wait_for(lambda: identity not in [row[0] for row in face.containers(all=True)], 'it removes itself')


def test_restart_that_fails(face):
    identity, _ = face.create('broken', body('/nowhere'))
    with pytest.raises(Exception) as info:
        face.restart('broken')
    assert info.value.text.startswith('Cannot restart container broken: ') and 'no such file' in info.value.text
    assert state(face, identity)['ExitCode'] == 127
    face.remove('broken')


def test_pause(face):
    identity = run(face, 'still', 'sleep', '1000')
    with face.watch({'type': ['container']}) as events:
        face.pause('still')
        now = state(face, 'still')
        assert (now['Status'], now['Running'], now['Paused']) == ('paused', True, True) and now['Pid'] > 0
        assert (identity, 'still', 'paused') in face.containers()
        assert (identity, 'still', 'paused') in face.containers(filters={'status': ['paused']})
        assert identity not in [row[0] for row in face.containers(filters={'status': ['running']})]
        assert face.info()['ContainersPaused'] == 1
        refused('Conflict', f'container {identity} is already paused', face.pause, 'still')
        refused('Conflict', 'cannot start a paused container, try unpause instead', face.start, 'still')
        refused('Conflict', 'cannot remove container "/still": container is paused and must be unpaused first', face.remove,
                'still')
        face.unpause('still')
        events.wait('pause', 'unpause')
    now = state(face, 'still')
    assert (now['Status'], now['Paused']) == ('running', False)
    with pytest.raises(Exception, match=f'Container {identity} is not paused'):
        face.unpause('still')
    face.remove('still', force=True)


def test_pause_of_what_does_not_run(face):
    identity, _ = face.create('cold', body('true'))
    refused('Conflict', f'container {identity} is not running', face.pause, 'cold')
    face.remove('cold')


@pytest.mark.parametrize('verb', ['stop', 'kill', 'restart', 'remove'])
def test_what_ends_a_paused_one_thaws_it(face, verb):
    identity = run(face, 'frozen', 'sh', '-c', "trap 'exit 3' TERM; while :; do sleep 0.05; done")
    face.pause('frozen')
    if verb == 'stop':
        face.stop('frozen', 10)
        assert state(face, 'frozen')['ExitCode'] == 3
    elif verb == 'kill':
        face.kill('frozen')
        assert state(face, 'frozen')['ExitCode'] == 137
    elif verb == 'restart':
        face.restart('frozen', 10)
        assert state(face, 'frozen')['Status'] == 'running'
    face.remove(identity, force=True)


def test_a_signal_that_ends_nothing_waits_for_the_thaw(face):
    run(face, 'hup', 'sh', '-c', "trap 'echo hup' HUP; while :; do sleep 0.05; done", StopSignal='TERM')
    face.pause('hup')
    face.kill('hup', 'HUP')
    assert state(face, 'hup')['Paused']
    face.unpause('hup')
    wait_for(lambda: face.logs('hup') == 'hup\n', 'the signal arrives')
    face.remove('hup', force=True)


def test_systemd_refuses_to_freeze(face):
    run(face, 'warm', 'sleep', '1000')
    face.daemon.systemd({'freeze': 'refuse'})
    try:
        refused('Forbidden', f'systemd could not freeze docker-{face.inspect("warm")["Id"]}.scope: not today', face.pause,
                'warm')
    finally:
        face.daemon.systemd({})
    assert state(face, 'warm')['Status'] == 'running'
    face.remove('warm', force=True)


def test_rename(face):
    identity = run(face, 'old-name', 'sleep', '1000')
    other, _ = face.create('taken', body('true'))
    with face.watch({'type': ['container']}) as events:
        face.rename('old-name', 'new-name')
        event, = events.wait('rename')
    assert event[2] == identity and event[3]['oldName'] == '/old-name' and event[3]['name'] == 'new-name'
    assert face.inspect('new-name')['Name'] == '/new-name'
    refused('NotFound', 'No such container: old-name', face.inspect, 'old-name')
    face.create('old-name', body('true'))
    refused('Invalid', 'Renaming a container with the same name as its current name', face.rename, 'new-name', 'new-name')
    refused('Invalid', 'Neither old nor new names may be empty', face.rename, 'new-name', '')
    refused('Invalid', 'Error when allocating new name: Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed', face.rename, 'new-name',
            'a b')
    refused('Conflict', f'Error when allocating new name: Conflict. The container name "/taken" is already in use by container "{other}". You have to remove '
            '(or rename) that container to be able to reuse that name.', face.rename, 'new-name', 'taken')
    assert face.inspect(identity)['Name'] == '/new-name'
    for name in (identity, other, 'old-name'):
        face.remove(name, force=True)
