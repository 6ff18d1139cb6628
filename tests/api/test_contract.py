# SPDX-License-Identifier: GPL-2.0-or-later
"""dbus/org.stauer.Engine1.*.xml is what the daemon has, and none of it is for those whom polkit refuses."""

import json
import os
import signal
import threading
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import dbus
import pytest
from faces import CONTAINER, EXEC, IMAGE, JOB, MANAGER, NAME, PROPERTIES, ROOT, VOLUME, BusFace, FaceError
from private_bus import NOBODY, TREE, BusError, wait_for
from wire import Wire

INTERFACES = [MANAGER, CONTAINER, IMAGE, JOB, EXEC, VOLUME]
ANSWERS = {'s': 'x', 'b': False, 't': 1, 'x': 1, 'u': 1, 'a{sas}': dbus.Dictionary({}, signature='sas'), 'as': dbus.Array([], signature='s'),
           'a{sv}': dbus.Dictionary({}, signature='sv'), 'a{ss}': dbus.Dictionary({}, signature='ss')}
VALUES = {'json': '{"Image":"busybox","HostConfig":{"NetworkMode":"none"}}', 'condition': 'not-running', 'image': 'busybox'}
PRIVILEGED = '{"Image":"busybox","HostConfig":{"NetworkMode":"none","Privileged":true}}'


def contract(interface):
    return xml.parse(TREE / 'dbus' / f'{interface}.xml').getroot().find('interface')


def members(interface):
    """{(kind, name): what matters of it}"""
    table = {}
    for node in interface:
        key = node.tag, node.get('name')
        notes = {a.get('name').rpartition('.')[2]: a.get('value') for a in node.findall('annotation')}
        notes.pop('Unprivileged', None)
        if node.tag == 'property':
            notes.setdefault('EmitsChangedSignal', 'true')
            table[key] = (node.get('type'), node.get('access'), notes)
        elif node.tag in ('method', 'signal'):
            table[key] = ([(a.get('name'), a.get('type'), 'out' if node.tag == 'signal' else a.get('direction'))
                           for a in node.findall('arg')], notes)
    return table


@pytest.fixture
def paths(bus, archive):
    """An object of each kind; a job that waits for more of its archive."""
    container, _ = bus.create('contract', json.loads(VALUES['json']))
    runs, _ = bus.create('runs', {**json.loads(VALUES['json']), 'Cmd': ['sleep', '1000']})
    bus.start(runs)
    execution = bus.exec_path(bus.exec_create(runs, 'true'))
    read, write = os.pipe()
    job = bus.manager('LoadImage', 'h', dbus.types.UnixFd(read))
    os.close(read)
    yield {MANAGER: ROOT, CONTAINER: f'{ROOT}/container/{container}', IMAGE: f'{ROOT}/image/{archive[1][7:]}', JOB: job,
           EXEC: execution, VOLUME: bus.volume_path(bus.create_volume('contract'))}
    os.close(write)
    bus.remove_volume('contract')


@pytest.mark.parametrize('name', INTERFACES)
def test_introspection(bus, paths, name):
    shown = xml.fromstring(bus.call(paths[name], 'org.freedesktop.DBus.Introspectable', 'Introspect'))
    interface, = (i for i in shown.findall('interface') if i.get('name') == name)
    assert members(interface) == members(contract(name))


def test_contracts_are_all(bus, paths):
    for name in INTERFACES:
        shown = xml.fromstring(bus.call(paths[name], 'org.freedesktop.DBus.Introspectable', 'Introspect'))
        ours = {i.get('name') for i in shown.findall('interface') if i.get('name').startswith('org.stauer.')}
        assert ours == {name}


@pytest.mark.parametrize('name', INTERFACES)
def test_everything_is_explained(name):
    tree = TREE / 'dbus' / f'{name}.xml'
    parser = xml.XMLParser(target=xml.TreeBuilder(insert_comments=True))
    interface = xml.parse(tree, parser).getroot().find('interface')
    before = None
    for node in interface:
        if not isinstance(node.tag, str):
            before = node
            continue
        if node.tag != 'property':
            assert before is not None, f'{node.get("name")} has no text'
        before = None


@pytest.mark.parametrize('name', INTERFACES)
def test_properties_have_their_types(bus, paths, name):
    everything = bus.bus.call_blocking(NAME, paths[name], PROPERTIES, 'GetAll', 's', (name,))
    for (kind, prop), rest in members(contract(name)).items():
        if kind == 'property':
            value = bus.bus.call_blocking(NAME, paths[name], PROPERTIES, 'Get', 'ss', (name, prop))
            assert (prop in everything) is ('Explicit' not in rest[2])
            assert isinstance(value, {'s': dbus.String, 't': dbus.UInt64, 'u': dbus.UInt32, 'i': dbus.Int32, 'b': dbus.Boolean,
                                      'd': dbus.Double, 'o': dbus.ObjectPath, 'as': dbus.Array, 'a{ss}': dbus.Dictionary}[rest[0]]), prop
            with pytest.raises(FaceError):
                bus.call(paths[name], PROPERTIES, 'Set', 'ssv', name, prop, value)


def test_managed_objects(bus, paths):
    objects = bus.call(ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
    for name in (CONTAINER, IMAGE, JOB, EXEC, VOLUME):
        assert paths[name] in objects and name in objects[paths[name]]
    assert objects[paths[CONTAINER]][CONTAINER]['Name'] == 'contract'
    assert 'Labels' not in objects[paths[CONTAINER]][CONTAINER]
    job = objects[paths[JOB]][JOB]
    assert job['Kind'] == 'load' and job['State'] in ('queued', 'running') and 0 <= job['Progress'] <= 1
    assert any(row[5] == paths[JOB] for row in bus.manager('ListJobs'))


def test_no_such_object(bus):
    for path in ('container/' + '0' * 64, 'container/nobody', 'container/contract', 'image/' + '0' * 64, 'job/99999', 'job/x', 'nothing',
                 'container/' + '0' * 64 + '/x'):
        with pytest.raises(FaceError) as info:
            bus.call(f'{ROOT}/{path}', PROPERTIES, 'GetAll', 's', CONTAINER)
        assert info.value.kind == 'UnknownObject'


# Who may

def other(daemon):
    return NOBODY if os.geteuid() == 0 else os.geteuid()


class Stranger:
    """Somebody whom polkit is asked about."""

    def __init__(self, daemon):
        self.daemon = daemon

    def call(self, path, interface, method, signature='', *args):
        return self.daemon.bus.call(NAME, path, interface, method, signature, *args, uid=self.daemon.bus.other_uid())


def calls(name):
    """Every method with arguments that would do; those with a descriptor have it opened by the caller."""
    for (kind, method), rest in members(contract(name)).items():
        if kind == 'method':
            ins = [(n, t) for n, t, d in rest[0] if d == 'in']
            yield method, ''.join(t for _, t in ins), [VALUES.get(n, n if t == 'h' else ANSWERS.get(t)) for n, t in ins]


@pytest.mark.parametrize('answer, error', [('no', 'AccessDenied'), ('challenge', 'InteractiveAuthorizationRequired'),
                                           ('fail', 'AccessDenied')])
@pytest.mark.parametrize('name', INTERFACES)
def test_refused(daemon, paths, name, answer, error):
    stranger = Stranger(daemon)
    daemon.bus.polkit({'*': answer})
    rows = [(name, *row) for row in calls(name)]
    rows += [(PROPERTIES, 'Get', 'ss', [name, prop]) for (kind, prop), _ in members(contract(name)).items() if kind == 'property']
    rows += [(PROPERTIES, 'GetAll', 's', [name])]
    if name == MANAGER:
        rows += [('org.freedesktop.DBus.ObjectManager', 'GetManagedObjects', '', []),
                 (MANAGER, 'CreateContainerFromJSON', 'ss', ['x', PRIVILEGED])]
    else:
        rows += [('org.freedesktop.DBus.Introspectable', 'Introspect', '', [])]
    with open('/dev/null', 'rb') as null:
        for interface, method, signature, arguments in rows:
            arguments = [null.fileno() if t == 'archive' else t for t in arguments]
            with pytest.raises(BusError) as info:
                stranger.call(paths[name], interface, method, signature, *arguments)
            assert info.value.name == f'org.freedesktop.DBus.Error.{error}', f'{method}: {info.value}'
    daemon.bus.polkit({'*': 'yes'})
    assert sorted(row['Names'][0] for row in daemon.get('/containers/json?all=1').json) == ['/contract', '/runs']
    assert len(daemon.get('/images/json').json) == 1


def asked(daemon, since):
    return [(row['action'], row['details']) for row in daemon.bus.asked()[since:] if 'action' in row]


def test_what_is_asked(daemon, paths):
    stranger, since = Stranger(daemon), len(daemon.bus.asked())
    path = paths[CONTAINER]
    stranger.call(ROOT, MANAGER, 'GetContainer', 's', 'contract')
    stranger.call(path, CONTAINER, 'Inspect')
    stranger.call(path, CONTAINER, 'Remove', 'bb', False, False)
    stranger.call(ROOT, MANAGER, 'CreateContainerFromJSON', 'ss', 'plain', VALUES['json'])
    stranger.call(ROOT, MANAGER, 'CreateContainerFromJSON', 'ss', 'mighty', PRIVILEGED)
    actions = asked(daemon, since)
    assert [a.rpartition('.')[2] for a, _ in actions] == ['view', 'view', 'manage-containers', 'manage-containers',
                                                          'create-privileged']
    assert actions[0][1] == actions[1][1] == actions[2][1]
    assert actions[2][1]['container'] == 'contract' and actions[2][1]['image'] == 'busybox'
    assert actions[4][1]['privilege'] == 'privileged' and actions[4][1]['container'] == 'mighty'


def test_create_privileged_alone(daemon):
    stranger = Stranger(daemon)
    daemon.bus.polkit({'org.stauer.engine.create-privileged': 'no', '*': 'yes'})
    with pytest.raises(BusError):
        stranger.call(ROOT, MANAGER, 'CreateContainerFromJSON', 'ss', 'mighty', PRIVILEGED)
    stranger.call(ROOT, MANAGER, 'CreateContainerFromJSON', 'ss', 'plain', VALUES['json'])
    assert [row['Names'] for row in daemon.get('/containers/json?all=1').json] == [['/plain']]


def test_one_who_hangs(daemon):
    """polkit says nothing for one caller; all others are served."""
    daemon.bus.polkit({'org.stauer.engine.manage-containers': 'hang', '*': 'yes'})
    stranger = Stranger(daemon)
    threads = [threading.Thread(target=lambda: pytest.raises(BusError, stranger.call, ROOT, MANAGER, 'CreateContainerFromJSON', 'ss',
                                                             'x1', VALUES['json']), daemon=True) for _ in range(3)]
    for t in threads:
        t.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert daemon.get('/_ping').status == 200
    stranger.call(ROOT, MANAGER, 'ListContainers', 'ba{sas}', True, dbus.Dictionary({}, signature='sas'))
    assert time.monotonic() - began < 3


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can call the socket as somebody else')
def test_rest_as_a_stranger(daemon):
    """Each route asks; the answer is 403 in Docker's shape, also in the middle of a body."""
    daemon.socket.chmod(0o666)
    daemon.bus.polkit({'*': 'no'})
    requests = [('GET', '/containers/json', b''), ('GET', '/info', b''), ('GET', '/events', b''), ('GET', '/_ping', b''),
                ('POST', '/containers/create', VALUES['json'].encode()), ('POST', '/images/load', b'x' * 3_000_000),
                ('DELETE', '/images/busybox', b''), ('POST', '/images/busybox/tag?repo=x', b'')]
    results = as_stranger(daemon, requests * 12)               # more than may wait at once
    daemon.socket.chmod(0o660)
    for (method, path, _), (status, text) in zip(requests * 12, results, strict=True):
        assert status == 403, f'{method} {path}: {status} {text}'
        assert json.loads(text)['message']
    daemon.bus.polkit({'*': 'yes'})
    assert daemon.get('/containers/json?all=1').json == []


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can call the socket as somebody else')
def test_rest_create_privileged(daemon):
    daemon.socket.chmod(0o666)
    daemon.bus.polkit({'org.stauer.engine.create-privileged': 'no', '*': 'yes'})
    since = len(daemon.bus.asked())
    results = as_stranger(daemon, [('POST', '/containers/create?name=mighty', PRIVILEGED.encode()),
                                   ('POST', '/containers/create?name=plain', VALUES['json'].encode())])
    assert [status for status, _ in results] == [403, 201]
    details = [d for a, d in asked(daemon, since) if a == 'org.stauer.engine.create-privileged']
    assert len(details) == 1 and details[0]['privilege'] == 'privileged' and details[0]['container'] == 'mighty'
    daemon.bus.polkit({'*': 'yes'})
    assert as_stranger(daemon, [('POST', '/containers/create?name=mighty', PRIVILEGED.encode())])[0][0] == 201
    daemon.socket.chmod(0o660)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can call the socket as somebody else')
def test_rest_tells_polkit_what_the_bus_tells(daemon, archive):
    """The object itself, not one of the words that mean it: a rule for a container cannot be walked round with another one."""
    identity = daemon.post('/containers/create?name=guarded', json.loads(VALUES['json'])).json['Id']
    daemon.socket.chmod(0o666)
    since = len(daemon.bus.asked())
    as_stranger(daemon, [('GET', f'/containers/{word}/json', b'') for word in ('guarded', identity[:9], '%2fguarded', identity)])
    as_stranger(daemon, [('GET', f'/images/{word}/json', b'') for word in ('busybox', 'docker.io/library/busybox:latest')])
    as_stranger(daemon, [('GET', '/containers/nobody/json', b'')])
    daemon.socket.chmod(0o660)
    rows = [details for _, details in asked(daemon, since)]
    assert rows == [{'object': identity, 'container': 'guarded', 'image': 'busybox', 'privilege': 'none'}] * 4 + \
        [{'object': archive[1], 'image': 'busybox:latest'}] * 2 + [{'object': 'nobody'}]


def as_stranger(daemon, requests):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            out = []
            for method, path, body in requests:
                with Wire(daemon) as wire:
                    wire.send(f'{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
                              f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
                    status, _, text = wire.answer()
                    out.append((status, text.decode()))
            os.write(write, json.dumps(out).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text)


# Signals

def test_signals_of_objects(bus, tmp_path):
    identity, _ = bus.create('noisy', {'Image': 'busybox', 'Cmd': ['sh', '-c', 'exit 6'], 'HostConfig': {'NetworkMode': 'none'}})
    path = f'{ROOT}/container/{identity}'
    added = bus.signal(lambda s: s[2] == 'InterfacesAdded' and s[3][0] == path, 'InterfacesAdded')
    assert added[3][1][CONTAINER]['Name'] == 'noisy' and added[3][1][CONTAINER]['State'] == 'created'
    assert 'Command' not in added[3][1][CONTAINER]
    bus.start(identity)
    bus.wait(identity)
    changed = bus.signal(lambda s: s[0] == path and s[2] == 'PropertiesChanged' and s[3][1].get('State') == 'exited', 'exited')
    assert changed[3][1]['ExitCode'] == 6 and changed[3][1]['Pid'] == 0
    assert any(s[0] == path and s[2] == 'PropertiesChanged' and s[3][1].get('State') == 'running' for s in bus.signals)
    bus.remove(identity)
    bus.signal(lambda s: s[2] == 'InterfacesRemoved' and s[3][0] == path and CONTAINER in s[3][1], 'InterfacesRemoved')


def test_nothing_is_broadcast(bus, daemon, archive):
    """What happens is for those who may look: they subscribe."""
    stranger, late = BusFace(daemon, subscribe=False), BusFace(daemon)
    late.manager('Unsubscribe')
    labels = {'token': 'secret-of-a-label', 'image': 'no', 'name': 'no'}
    identity, _ = bus.create('noisy', {'Image': 'busybox', 'Labels': labels, 'HostConfig': {'NetworkMode': 'none'}})
    event = bus.signal(lambda s: s[2] == 'Event' and s[3][2] == identity, 'Event')
    assert event[3][4] == {'image': 'busybox', 'name': 'noisy', 'token': 'secret-of-a-label'}
    bus.remove(identity)
    bus.load(archive[0])
    bus.signal(lambda s: s[2] == 'InterfacesRemoved' and s[3][0] == f'{ROOT}/container/{identity}', 'InterfacesRemoved')
    for face in (stranger, late):
        face.manager('GetVersion')                               # its answer comes behind all signals
        face.pump()
        assert [s for s in face.signals if 'stauer' in s[0] + s[1]] == []

    # Whoever began a job sees its end all the same, and no other one's.
    assert stranger.load(archive[0]) == ['Loaded image: busybox:latest']
    assert {s[2] for s in stranger.signals if 'stauer' in s[0] + s[1]} <= {'Removed', 'JobRemoved', 'ProgressUpdate', 'InterfacesRemoved'}
    stranger.close()
    late.close()


def test_signals_of_jobs(bus, archive):
    with open(archive[0], 'rb') as f:
        path = bus.manager('LoadImage', 'h', dbus.types.UnixFd(f))
    assert bus.job(path) == ['Loaded image: busybox:latest']
    new = bus.signal(lambda s: s[2] == 'JobNew' and s[3][1] == path, 'JobNew')
    assert bus.signal(lambda s: s[2] == 'InterfacesAdded' and s[3][0] == path, 'added')[3][1][JOB]['Kind'] == 'load'
    assert bus.signal(lambda s: s[2] == 'JobRemoved' and s[3][1] == path, 'JobRemoved')[3] == (new[3][0], path, 'done')
    bus.signal(lambda s: s[2] == 'InterfacesRemoved' and s[3][0] == path, 'removed')


def test_cancel(bus, daemon):
    read, write = os.pipe()
    job = bus.manager('LoadImage', 'h', dbus.types.UnixFd(read))
    os.close(read)
    bus.call(job, JOB, 'Cancel')
    removed = bus.signal(lambda s: s[0] == job and s[2] == 'Removed', 'Removed')
    assert removed[3][0] == 'cancelled' and removed[3][1]
    os.close(write)
    wait_for(lambda: bus.manager('ListJobs') == [], 'no job is left')


def test_cancel_of_a_container_is_no_matter_of_images(bus, daemon):
    daemon.bus.polkit({'org.stauer.engine.manage-containers': 'no', '*': 'yes'})
    daemon.launcher.send_signal(signal.SIGSTOP)
    try:
        thread = threading.Thread(target=bus.create, args=('slow', json.loads(VALUES['json'])))
        thread.start()
        job = wait_for(lambda: next((row for row in BusFace(daemon).manager('ListJobs') if row[1] == 'layer'), None), 'the job is there')
        with pytest.raises(BusError) as info:
            Stranger(daemon).call(job[-1], JOB, 'Cancel')
        assert info.value.name == 'org.freedesktop.DBus.Error.AccessDenied'
    finally:
        daemon.launcher.send_signal(signal.SIGCONT)
    thread.join()


def test_typed_create(bus):
    """CreateContainer's properties reach the document."""
    table = {'Command': dbus.Array(['true'], 's'), 'Environment': dbus.Array(['A=1'], 's'), 'User': 'www', 'Hostname': 'berth',
             'Labels': dbus.Dictionary({'a': 'b'}, 'ss'), 'StopTimeoutUSec': dbus.UInt64(3000000), 'NetworkMode': 'none',
             'ReadOnlyRootFS': True, 'ShmSize': dbus.UInt64(1048576), 'CapabilitiesDrop': dbus.Array(['MKNOD'], 's'),
             'Limits': dbus.Array([('nofile', dbus.UInt64(10), dbus.UInt64(20))], '(stt)'), 'AutoRemove': True,
             'Tmpfs': dbus.Dictionary({'/x': ''}, 'ss'), 'WorkingDirectory': '/tmp', 'StopSignal': 'INT',
             'Init': False, 'OOMScoreAdjust': dbus.Int32(-5), 'UTSMode': '', 'CgroupNamespaceMode': 'host',
             'UserNamespaceMode': 'host', 'Sysctls': dbus.Dictionary({'net.ipv4.ip_forward': '1'}, 'ss'),
             'Annotations': dbus.Dictionary({'k': 'v'}, 'ss'),
             'Devices': dbus.Array([('/dev/fuse', '', 'r')], '(sss)')}
    path, _ = bus.manager('CreateContainer', 'ssa{sv}', 'typed', 'busybox', dbus.Dictionary(table, signature='sv'))
    document = json.loads(bus.call(path, CONTAINER, 'Inspect'))
    config, host = document['Config'], document['HostConfig']
    assert config['Cmd'] == ['true'] and 'A=1' in config['Env'] and config['User'] == 'www' and config['Hostname'] == 'berth'
    assert config['Labels'] == {'a': 'b'} and config['StopTimeout'] == 3 and config['StopSignal'] == 'INT'
    assert host['NetworkMode'] == 'none' and host['ReadonlyRootfs'] and host['ShmSize'] == 1048576 and host['AutoRemove']
    assert host['Init'] is False and host['OomScoreAdj'] == -5 and host['CgroupnsMode'] == 'host'
    assert host['UsernsMode'] == 'host' and host['Sysctls'] == {'net.ipv4.ip_forward': '1'} and host['Annotations'] == {'k': 'v'}
    assert host['Devices'] == [{'PathOnHost': '/dev/fuse', 'PathInContainer': '/dev/fuse', 'CgroupPermissions': 'r'}]
    assert host['Ulimits'] == [{'Name': 'nofile', 'Soft': 10, 'Hard': 20}] and host['Tmpfs'] == {'/x': ''}
    assert bus.get(path, CONTAINER, 'Labels') == {'a': 'b'} and bus.get(path, CONTAINER, 'Command') == ['true']


@pytest.mark.parametrize('table, text', [
    ({'Nonsense': 'x'}, 'CreateContainer has no property "Nonsense"; CreateContainerFromJSON takes all that Docker knows'),
    ({'User': 7}, 'property "User" has another type: expected a variant of "s"'),
    ({'MemoryMax': '1m'}, 'property "MemoryMax" has another type: expected a variant of "t"'),
    ({'StopTimeoutUSec': dbus.UInt64(2**63)}, 'the value of property "StopTimeoutUSec" is too large')])
def test_typed_create_refused(bus, table, text):
    with pytest.raises(FaceError) as info:
        bus.manager('CreateContainer', 'ssa{sv}', 'typed', 'busybox', dbus.Dictionary(table, signature='sv'))
    assert (info.value.kind, info.value.text) == ('Invalid', text)


def test_stop_with_signal(bus):
    identity, _ = bus.create('usr', {'Image': 'busybox', 'HostConfig': {'NetworkMode': 'none'}, 'Cmd': [
        'sh', '-c', 'trap "exit 5" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done']})
    bus.start(identity)
    wait_for(lambda: bus.logs(identity) == 'ready\n', 'the trap is set')
    bus.container(identity, 'StopWithSignal', 'st', 'USR1', 20000000)
    assert bus.inspect(identity)['State']['ExitCode'] == 5


def test_reader_of_a_log_leaves(bus, daemon):
    identity, _ = bus.create('talk', {'Image': 'busybox', 'HostConfig': {'NetworkMode': 'none'}, 'Cmd': ['sleep', '60']})
    bus.start(identity)
    before = len(list(Path(f'/proc/{daemon.process.pid}/fd').iterdir()))
    for _ in range(10):
        options = dbus.Dictionary({'Follow': True}, signature='sv')
        os.close(bus.container(identity, 'GetLogs', 'a{sv}', options).take())
    wait_for(lambda: len(list(Path(f'/proc/{daemon.process.pid}/fd').iterdir())) <= before, 'the pipes are closed')


def test_logs_that_nobody_reads_are_limited(bus, daemon):
    """Each costs the daemon descriptors, and the kernel a pipe."""
    identity, _ = bus.create('talk', {'Image': 'busybox', 'HostConfig': {'NetworkMode': 'none'}, 'Cmd': ['sleep', '60']})
    bus.start(identity)
    options = dbus.Dictionary({'Follow': True}, signature='sv')
    held = []
    with pytest.raises(FaceError) as info:
        for _ in range(300):
            held.append(bus.container(identity, 'GetLogs', 'a{sv}', options).take())
    assert info.value.kind == 'Unavailable' and len(held) == 256
    for fd in held:
        os.close(fd)
    os.close(wait_for(lambda: try_logs(bus, identity, options), 'there is room again'))


def try_logs(bus, identity, options):
    try:
        return bus.container(identity, 'GetLogs', 'a{sv}', options).take()
    except FaceError:
        return None


def test_caller_leaves(daemon):
    """A Wait whose caller is gone costs nothing."""
    face = BusFace(daemon)
    identity, _ = face.create('left', {'Image': 'busybox', 'HostConfig': {'NetworkMode': 'none'}, 'Cmd': ['sleep', '60']})
    face.start(identity)
    face.bus.send_message_with_reply(dbus.lowlevel.MethodCallMessage(NAME, f'{ROOT}/container/{identity}', CONTAINER, 'Wait'),
                                     lambda *_: None, 1)
    face.close()
    assert daemon.delete(f'/containers/{identity}?force=1').status == 204
    assert daemon.get('/_ping').status == 200
