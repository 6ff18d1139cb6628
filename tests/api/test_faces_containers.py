# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers through both faces: the same requests, the same answers, the same sentences."""

import re
import threading
import time

import pytest
from faces import FaceError
from private_bus import wait_for

NONE = {'NetworkMode': 'none'}


def body(*command, image='busybox', host=None, **config):
    return {'Image': image, 'Cmd': list(command), 'HostConfig': {**NONE, **(host or {})}, **config}


def run(face, name, *command, **more):
    identity, _ = face.create(name, body(*command, **more))
    face.start(identity)
    return identity


def refused(kind, text, function, *args, **kwargs):
    with pytest.raises(FaceError) as info:
        function(*args, **kwargs)
    assert (info.value.kind, info.value.text) == (kind, text)


def test_life(face):
    identity, warnings = face.create('ship', body('sh', '-c', 'echo out; echo err >&2; sleep 0.3; exit 3'))
    assert re.fullmatch('[0-9a-f]{64}', identity) and isinstance(warnings, list)
    assert face.containers() == [] and face.containers(all=True) == [(identity, 'ship', 'created')]
    assert face.inspect('ship')['State']['Status'] == 'created'

    face.start('ship')
    state = face.inspect('ship')['State']
    assert state['Status'] == 'running' and state['Running'] and state['Pid'] > 0
    assert face.containers() == [(identity, 'ship', 'running')]
    assert face.wait('ship') == 3

    state = face.inspect('ship')['State']
    assert state['Status'] == 'exited' and not state['Running'] and state['Pid'] == 0 and state['ExitCode'] == 3
    assert state['StartedAt'] < state['FinishedAt']
    assert 'Accounting' in state
    assert face.wait('ship') == 3                                # at once
    assert sorted(face.logs('ship').splitlines()) == ['err', 'out']
    assert face.logs('ship', stderr=False) == 'out\n'
    assert face.logs('ship', stdout=False) == 'err\n'

    face.remove('ship')
    assert face.containers(all=True) == []
    refused('NotFound', 'No such container: ship', face.inspect, 'ship')


def test_again(face):
    identity = run(face, 'again', 'sh', '-c', 'echo x; exit 1')
    assert face.wait(identity) == 1
    first = face.inspect(identity)['State']['StartedAt']
    face.start(identity)
    face.wait(identity)
    assert face.inspect(identity)['State']['StartedAt'] > first
    assert face.logs(identity) == 'x\nx\n'


@pytest.mark.parametrize('verb', ['inspect', 'start', 'stop', 'kill', 'wait', 'remove', 'logs'])
def test_no_such_container(face, verb):
    refused('NotFound', 'No such container: nobody', getattr(face, verb), 'nobody')


def test_lookups(face):
    a, _ = face.create('aaaa', body('true'))
    b, _ = face.create(a[:6], body('true'))                      # a name that is another one's prefix
    assert face.inspect(a)['Id'] == a
    assert face.inspect('aaaa')['Id'] == a
    assert face.inspect(a[:12])['Id'] == a
    assert face.inspect(a[:6])['Id'] == b
    assert face.inspect(b[:20])['Id'] == b


def test_ambiguous_prefix(face):
    known = {}
    for number in range(40):
        identity, _ = face.create(f'n{number}-zz', body('true'))
        if identity[0] in known:
            refused('Invalid', f'multiple IDs found with provided prefix: {identity[0]}', face.inspect, identity[0])
            return
        known[identity[0]] = identity
    pytest.fail('no two ids with one first digit')


@pytest.mark.parametrize('name', ['a', '-a', '.a', 'a b', 'a/b', 'ä', 'a\n', '_x', '/'])
def test_bad_name(face, name):
    shown = name.replace('\n', '\\x0a')
    refused('Invalid', f'Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
            face.create, name, body('true'))


def test_name_in_use(face):
    identity, _ = face.create('twice', body('true'))
    refused('Conflict', f'Conflict. The container name "/twice" is already in use by container "{identity}". You have to '
            'remove (or rename) that container to be able to reuse that name.', face.create, 'twice', body('true'))
    face.remove('twice')
    face.create('twice', body('true'))


def test_random_name(face):
    identity, _ = face.create('', body('true'))
    assert re.fullmatch('/[a-z]+_[a-z]+[0-9]?', face.inspect(identity)['Name'])


@pytest.mark.parametrize('wish, text', [
    ({'Image': 'nothing'}, 'No such image: nothing:latest'),
    ({'Image': 'a/b:2'}, 'No such image: a/b:2'),
])
def test_create_without_image(face, wish, text):
    refused('NotFound', text, face.create, '', wish)


@pytest.mark.parametrize('wish, text', [
    ({'HostConfig': {'Memory': 1000}}, 'Minimum memory limit allowed is 6MB'),
    ({'HostConfig': {'AutoRemove': True, 'RestartPolicy': {'Name': 'always'}}},
     "can't create 'AutoRemove' container with restart policy"),
    ({'HostConfig': {'NetworkMode': '0352'}}, 'network mode "0352": call the network by its name, "host"'),
    ({'HostConfig': {'Runtime': 'no-such'}}, 'unknown or invalid runtime name: no-such'),
    ({'HostConfig': {'RestartPolicy': {'Name': 'x'}}},
     "invalid restart policy: unknown policy 'x'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"),
    ({'HostConfig': {'Binds': ['/tmp:/x'], 'Tmpfs': {'/x': ''}}}, 'Duplicate mount point: /x'),
])
def test_create_refused(face, wish, text):
    wish = {'Image': 'busybox', 'Cmd': ['true'], **wish}
    wish['HostConfig'] = {**NONE, **wish['HostConfig']}
    refused('Invalid', text, face.create, '', wish)


@pytest.mark.parametrize('wish', [
    {'Cmd': 7}, {'Env': 'A=b'}, {'Labels': ['x']}, {'HostConfig': []}, {'HostConfig': {'Memory': '1m'}}, {'Tty': 'yes'},
    {'HostConfig': {'CapAdd': ['NOT_THERE']}}, {'HostConfig': {'Ulimits': [{'Name': 'nothing', 'Soft': 1, 'Hard': 2}]}},
    {'StopSignal': 'SIGNOTHING'}, {'HostConfig': {'CpusetCpus': 'x'}}, {'HostConfig': {'NanoCpus': -1}}, {'WorkingDir': 'rel'},
    {'HostConfig': {'Binds': ['rel/ative:/x/../..:']}}, {'HostConfig': {'PortBindings': {'x/tcp': [{}]}}},
    {'HostConfig': {'LogConfig': {'Type': 'nothing'}}}, {'HostConfig': {'SecurityOpt': ['nonsense']}},
    {'HostConfig': {'ShmSize': -1}}, {'HostConfig': {'OomScoreAdj': 5000}}, {'Env': ['=x']}, {'Env': ['']}, {'Env': ['=']},
])
def test_create_wrong_value(face, wish):
    with pytest.raises(FaceError) as info:
        face.create('', {'Image': 'busybox', 'Cmd': ['true'], **wish})
    assert info.value.kind in ('Invalid', 'NotFound'), info.value
    assert info.value.text and '\n' not in info.value.text
    assert face.containers(all=True) == []


def test_create_all(face):
    identity, _ = face.create('full', {
        'Image': 'busybox', 'Cmd': ['-c', 'exec cat'], 'Entrypoint': ['/bin/sh'], 'Hostname': 'berth', 'Domainname': 'port.test',
        'User': 'www:staff', 'Env': ['A=1', 'B=two words', 'EMPTY='], 'WorkingDir': '/var/tmp', 'OpenStdin': True,
        'Labels': {'a': '1', 'b.c': ''}, 'StopSignal': 'SIGUSR1', 'StopTimeout': 3, 'ExposedPorts': {'80/tcp': {}},
        'HostConfig': {
            'NetworkMode': 'none', 'Binds': ['/tmp:/mnt/tmp:ro'], 'Tmpfs': {'/scratch': 'size=1m'}, 'CapAdd': ['SYS_TIME'],
            'CapDrop': ['MKNOD'], 'ReadonlyRootfs': True, 'Ulimits': [{'Name': 'nofile', 'Soft': 100, 'Hard': 200}],
            'LogConfig': {'Type': 'json-file', 'Config': {'max-size': '1m'}}, 'GroupAdd': ['adm'], 'OomScoreAdj': 100,
            'ShmSize': 1048576, 'ExtraHosts': ['pier:10.0.0.1'], 'SecurityOpt': ['no-new-privileges'], 'Dns': ['10.0.0.2'],
            'RestartPolicy': {'Name': 'no'}, 'Annotations': {'x': 'y'}}})
    document = face.inspect(identity)
    config, host = document['Config'], document['HostConfig']
    assert document['Path'] == '/bin/sh' and document['Args'] == ['-c', 'exec cat']
    assert (config['Hostname'], config['Domainname'], config['User']) == ('berth', 'port.test', 'www:staff')
    assert {'A=1', 'B=two words', 'EMPTY='} <= set(config['Env']) and any(e.startswith('PATH=') for e in config['Env'])
    assert config['Labels'] == {'a': '1', 'b.c': ''} and config['StopSignal'] == 'SIGUSR1' and config['StopTimeout'] == 3
    assert host['Binds'] == ['/tmp:/mnt/tmp:ro'] and host['Tmpfs'] == {'/scratch': 'size=1m'}
    assert host['CapAdd'] == ['SYS_TIME'] and host['ReadonlyRootfs'] is True
    assert host['Ulimits'] == [{'Name': 'nofile', 'Soft': 100, 'Hard': 200}]
    assert host['LogConfig'] == {'Type': 'json-file', 'Config': {'max-size': '1m'}}
    assert host['ShmSize'] == 1048576 and host['Runtime'] == 'fake'
    assert host['MaskedPaths'] and host['ReadonlyPaths']
    assert document['Name'] == '/full' and document['Driver'] == 'vfs' and document['Platform'] == 'linux'
    assert [m['Destination'] for m in document['Mounts']] == ['/mnt/tmp']


def test_environment(face):
    run(face, 'env', 'sh', '-c', 'echo $A $HOSTNAME $PWD; echo $PATH', Env=['A=x'], Hostname='berth', WorkingDir='/var')
    face.wait('env')
    assert face.logs('env').splitlines() == ['x berth /var', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']


def test_start_running(face):
    run(face, 'busy', 'sleep', '60')
    refused('NotModified', '', face.start, 'busy') if face.name == 'rest' else _not_modified(face, face.start, 'busy')
    face.remove('busy', force=True)


def _not_modified(face, function, *args):
    with pytest.raises(FaceError) as info:
        function(*args)
    assert info.value.kind == 'NotModified'


def test_stop(face):
    identity = run(face, 'sleeper', 'sleep', '60')
    began = time.monotonic()
    face.stop('sleeper', 20)
    assert time.monotonic() - began < 5
    state = face.inspect(identity)['State']
    assert state['Status'] == 'exited' and state['ExitCode'] in (143, 137)
    _not_modified(face, face.stop, 'sleeper')


def test_stop_timeout(face):
    run(face, 'deaf', 'sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done')
    wait_for(lambda: face.logs('deaf') == 'ready\n', 'the trap is set')
    began = time.monotonic()
    face.stop('deaf', 1)
    assert 0.9 < time.monotonic() - began < 6
    assert face.inspect('deaf')['State']['ExitCode'] == 137


def test_stop_signal(face):
    run(face, 'usr1', 'sh', '-c', 'trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done', StopSignal='SIGUSR1')
    wait_for(lambda: face.logs('usr1') == 'ready\n', 'the trap is set')
    face.stop('usr1', 20)
    assert face.inspect('usr1')['State']['ExitCode'] == 9


def test_kill(face):
    identity = run(face, 'prey', 'sh', '-c', 'trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done')
    wait_for(lambda: face.logs('prey') == 'ready\n', 'the trap is set')
    face.kill('prey', 'HUP')
    wait_for(lambda: face.logs('prey') == 'ready\nhup\n', 'the signal came')
    face.kill('prey', 'SIGHUP')
    face.kill('prey', '1')
    refused('Invalid', 'invalid signal: NOTHING', face.kill, 'prey', 'NOTHING')
    face.kill('prey')
    assert face.inspect(identity)['State']['ExitCode'] == 137
    refused('Conflict', f'cannot kill container: prey: container {identity} is not running', face.kill, 'prey')


def test_remove_running(face):
    run(face, 'alive', 'sleep', '60')
    refused('Conflict', 'cannot remove container "/alive": container is running: stop the container before removing or force '
            'remove', face.remove, 'alive')
    face.remove('alive', force=True)
    assert face.containers(all=True) == []


def test_wait_conditions(face):
    identity, _ = face.create('waiter', body('sh', '-c', 'sleep 0.2; exit 5'))
    assert face.wait('waiter', 'not-running') == 0               # at once
    results = {}

    def wait(condition):
        from faces import RestFace
        results[condition] = RestFace(face.daemon).wait(identity, condition)

    threads = [threading.Thread(target=wait, args=(c,)) for c in ('next-exit', 'removed')]
    for t in threads:
        t.start()
    time.sleep(0.2)
    face.start('waiter')
    assert face.wait('waiter', 'not-running') == 5
    threads[0].join(10)
    assert results == {'next-exit': 5}
    face.remove('waiter')
    threads[1].join(10)
    assert results['removed'] == 5
    refused('NotFound', 'No such container: waiter', face.wait, 'waiter', 'removed')


def test_wait_bad_condition(face):
    face.create('waiter', body('true'))
    refused('Invalid', 'invalid condition: "sometimes"', face.wait, 'waiter', 'sometimes')


@pytest.mark.parametrize('command, code, word', [(['/no/such'], 127, 'no such file or directory'),
                                                 (['no-such'], 127, 'executable file not found'),
                                                 (['/etc/passwd'], 126, 'permission denied'),
                                                 (['/etc'], 126, 'permission denied')])
def test_start_fails(face, command, code, word):
    identity, _ = face.create('broken', body(*command))
    with pytest.raises(FaceError) as info:
        face.start('broken')
    assert info.value.kind == 'Invalid' and word in info.value.text, info.value
    state = face.inspect(identity)['State']
    assert (state['Status'], state['ExitCode']) == ('created', code)
    assert word in state['Error']
    face.remove('broken')


def test_no_command(face, tmp_path):
    from common.images import docker_archive
    docker_archive(tmp_path / 'tar', 'empty:1', config={'Cmd': None})
    face.load(tmp_path / 'tar')
    refused('Invalid', 'no command specified', face.create, '', {'Image': 'empty:1', 'HostConfig': NONE})


def test_auto_remove(face):
    with face.watch() as events:
        run(face, 'flash', 'true', host={'AutoRemove': True})
        events.wait('create', 'start', 'die', 'destroy')
    wait_for(lambda: face.containers(all=True) == [], 'the container is gone')


def test_filters(face):
    a = run(face, 'first', 'sleep', '60', Labels={'kind': 'ship', 'n': '1'})
    b, _ = face.create('second', body('true', Labels={'kind': 'ship'}))
    c = run(face, 'third', 'sh', '-c', 'exit 4')
    face.wait('third')

    def names(**filters):
        return [row[1] for row in face.containers(filters={k: [v] if isinstance(v, str) else v for k, v in filters.items()})]

    def all_names(**filters):
        return [row[1] for row in face.containers(all=True, filters={k: [v] for k, v in filters.items()})]

    assert [row[0] for row in face.containers(all=True)] == [c, b, a]
    assert names() == ['first']
    assert names(label='kind=ship') == ['first'] and all_names(label='kind=ship') == ['second', 'first']
    assert all_names(label='n') == ['first']
    assert names(status='created') == ['second'] and names(status='exited') == ['third']
    assert names(exited='4') == ['third'] and names(exited='0') == []
    assert all_names(name='ir') == ['third', 'first'] and all_names(name='^/first$') == ['first']
    assert all_names(id=b[:10]) == ['second']
    assert all_names(ancestor='busybox') == ['third', 'second', 'first'] and all_names(ancestor='other') == []
    assert names(before='third') == ['second', 'first'] and names(since='first') == ['third', 'second']
    assert all_names(network='none') == ['third', 'second', 'first']
    refused('Invalid', "invalid filter 'nonsense'", face.containers, filters={'nonsense': ['1']})
    with pytest.raises(FaceError) as info:
        face.containers(filters={'status': ['asleep']})
    assert info.value.kind == 'Invalid'


def test_events(face):
    with face.watch({'type': ['container']}) as events:
        identity = run(face, 'newsworthy', 'sh', '-c', 'exit 2', Labels={'a': 'b'})
        face.wait(identity)
        face.remove(identity)
        seen = events.wait('create', 'start', 'die', 'destroy')
    for kind, _, actor, attributes in seen:
        assert kind == 'container' and actor == identity
        assert attributes['name'] == 'newsworthy' and attributes['image'] == 'busybox'
        assert attributes['a'] == 'b'
    assert seen[2][3]['exitCode'] == '2' and seen[2][3]['execDuration'].isdigit()


def test_events_of_stop(face):
    run(face, 'stopped', 'sleep', '60')
    with face.watch({'type': ['container']}) as events:
        face.stop('stopped', 20)
        seen = events.wait('kill', 'die', 'stop')
    assert seen[0][3]['signal'] == '15'


def test_log_options(face):
    run(face, 'talker', 'sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; done')
    face.wait('talker')
    assert face.logs('talker', tail=2) == 'line 4\nline 5\n'
    assert face.logs('talker', tail=0) == ''
    assert face.logs('talker', tail='all').count('\n') == 5
    for line in face.logs('talker', timestamps=True).splitlines():
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line \d', line)
    assert face.logs('talker', since=time.time() + 100) == ''
    assert face.logs('talker', until=time.time() - 100) == ''
    assert face.logs('talker', since=time.time() - 100).count('\n') == 5
    assert face.logs('talker', follow=True).count('\n') == 5     # ends at once: it does not run


def test_log_follow(face):
    run(face, 'slow', 'sh', '-c', 'echo a; sleep 0.3; echo b; sleep 0.3; echo c')
    assert face.logs('slow', follow=True) == 'a\nb\nc\n'
    assert face.inspect('slow')['State']['Status'] == 'exited'


def test_log_driver_none(face):
    run(face, 'mute', 'echo', 'x', host={'LogConfig': {'Type': 'none', 'Config': {}}})
    face.wait('mute')
    refused('NotImplemented', 'configured logging driver does not support reading', face.logs, 'mute')


def test_log_of_created(face):
    face.create('fresh', body('true'))
    assert face.logs('fresh') == ''
