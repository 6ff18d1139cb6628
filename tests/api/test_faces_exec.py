# SPDX-License-Identifier: GPL-2.0-or-later
"""One more process in a container, through both faces: streams, errors, what inspect says, and how it ends."""

import dbus
import pytest
from engine import run
from faces import CONTAINER, EXEC, NAME, FaceError
from private_bus import BusError, wait_for


@pytest.fixture
def box(daemon):
    return run(daemon, 'sleep', '1000', Env=['A=b'])


def look(face, x, *keys):
    found = face.exec_inspect(x)
    return tuple(found[key] for key in keys)


def test_life(face, box):
    x = face.exec_create(box, 'sh', '-c', 'read x; exit 3', env=['C=d'], folder='/tmp')
    assert look(face, x, 'Running', 'ExitCode', 'Pid', 'ContainerID') == (False, None, 0, box)
    assert face.exec_inspect(x)['ProcessConfig'] == {
        'tty': False, 'entrypoint': 'sh', 'arguments': ['-c', 'read x; exit 3'], 'privileged': False}
    assert face.inspect(box)['ExecIDs'] == [x]
    stream = face.exec_attach(x)
    wait_for(lambda: look(face, x, 'Running') == (True,), 'it runs')
    assert look(face, x, 'Pid')[0] > 0
    for again in (face.exec_start, face.exec_attach):
        with pytest.raises(FaceError) as e:
            again(x)
        assert (e.value.kind, e.value.text) == ('Conflict', f'exec command {x} is already running')
    stream.send(b'go\n')
    assert stream.frames() == (b'', b'')
    assert look(face, x, 'Running', 'ExitCode') == (False, 3)               # known before the stream ends
    stream.close()
    assert face.exec_wait(x) == 3
    with pytest.raises(FaceError) as e:
        face.exec_start(x)
    assert (e.value.kind, e.value.text) == ('Conflict', f'exec command {x} has already run')
    assert not face.inspect(box)['ExecIDs']


def test_streams_both_ways(face, box):
    x = face.exec_create(box, 'sh', '-c', 'echo "$A $C"; pwd >&2; cat', env=['C=d'], folder='/tmp')
    with face.exec_attach(x) as stream:
        stream.send(b'given\n').end_input()
        out, err = stream.frames()
    assert out == b'b d\ngiven\n' and err.endswith(b'/tmp\n')
    assert face.exec_wait(x) == 0


def test_detached_has_no_input(face, box):
    x = face.exec_create(box, 'sh', '-c', 'cat; exit 5')
    face.exec_start(x)
    assert face.exec_wait(x) == 5


def test_resize_when_it_has_ended(face, box):
    x = face.exec_create(box, 'true')
    for _ in range(2):
        with pytest.raises(FaceError) as e:
            face.exec_resize(x, 40, 120)
        assert (e.value.kind, e.value.text) == ('Conflict', f'exec {x} is not running')
        if face.exec_inspect(x)['ExitCode'] is None:
            face.exec_start(x)
            face.exec_wait(x)


def test_what_cannot_be_run(face, box):
    x = face.exec_create(box, 'nosuch')
    with pytest.raises(FaceError) as e:
        face.exec_start(x)
    assert e.value.kind == 'Invalid' and 'executable file not found in $PATH' in e.value.text
    assert look(face, x, 'ExitCode') == (127,)
    for command in ((), ('',)):
        with pytest.raises(FaceError) as e:
            face.exec_start(face.exec_create(box, *command))
        assert e.value.kind == 'Invalid'
    with pytest.raises(FaceError) as e:
        face.exec_create(box, 'true', env=['=x'])
    assert (e.value.kind, e.value.text) == ('Invalid', 'invalid environment variable: =x')
    with pytest.raises(FaceError) as e:
        face.exec_inspect('abc')
    assert (e.value.kind, e.value.text) == ('NotFound', 'No such exec instance: abc')


def test_only_in_what_runs(face, box):
    x = face.exec_create(box, 'sleep', '1000')
    face.exec_start(x)
    y = face.exec_create(box, 'true')
    face.kill(box)
    assert look(face, x, 'ExitCode') == (137,)
    for act in (lambda: face.exec_create(box, 'true'), lambda: face.exec_start(y), lambda: face.exec_attach(y)):
        with pytest.raises(FaceError) as e:
            act()
        assert (e.value.kind, e.value.text) == ('Conflict', f'container {box} is not running')


def test_events(face, box):
    with face.watch({'type': ['container']}) as events:
        x = face.exec_create(box, 'sh', '-c', 'exit 7')
        face.exec_start(x)
        created, started, died = events.wait('exec_create: sh -c exit 7', 'exec_start: sh -c exit 7', 'exec_die')
    assert [e[3]['execID'] for e in (created, started, died)] == [x] * 3
    assert died[2] == box and died[3]['exitCode'] == '7'


# The bus alone

def raw(bus, box, *command, **options):
    return bus.container(box, 'Exec', 'asa{sv}', dbus.Array(command, signature='s'), dbus.Dictionary(options, signature='sv'))


def test_exec_in_one(bus, box):
    path, fd = raw(bus, box, 'sh', '-c', 'echo out; echo err >&2; exit 4', Raw=True)
    with bus._stream(fd) as stream:                                         # pylint: disable=protected-access
        assert sorted(stream.read().splitlines()) == [b'err', b'out']
    assert bus.call(path, EXEC, 'Wait') == 4
    properties = bus.properties(path, EXEC)
    assert properties['State'] == 'exited' and properties['ExitCode'] == 4 and properties['Pid'] == 0
    assert properties['Container'].endswith(box) and 'Command' not in properties
    assert bus.get(path, EXEC, 'Command')[:2] == ['sh', '-c']
    with pytest.raises(FaceError) as e:
        raw(bus, box, 'nosuch')
    assert e.value.kind == 'Invalid' and 'executable file not found' in e.value.text


def test_signals(bus, box):
    path, fd = raw(bus, box, 'cat')
    fd.take()
    bus.signal(lambda s: s[2] == 'InterfacesAdded' and s[3][0] == path and EXEC in s[3][1], 'it came')
    bus.signal(lambda s: s[0] == path and s[2] == 'PropertiesChanged' and s[3][1]['State'] == 'running', 'it runs')
    assert path in bus.call('/org/stauer/Engine1', 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')
    bus.call(path, EXEC, 'Kill', 's', 'TERM')
    assert bus.call(path, EXEC, 'Wait') == 143
    bus.signal(lambda s: s[0] == path and s[2] == 'PropertiesChanged' and s[3][1]['ExitCode'] == 143, 'it ended')
    with pytest.raises(FaceError) as e:
        bus.call(path, EXEC, 'Kill', 's', 'TERM')
    assert e.value.kind == 'Conflict'
    bus.remove(box, force=True)
    bus.signal(lambda s: s[2] == 'InterfacesRemoved' and s[3][0] == path, 'it went with the container')


def test_waiting_for_what_never_runs(bus, daemon, box):
    """Its container goes: the waiter is told."""
    path = bus.exec_path(bus.exec_create(box, 'true'))
    bus.bus.call_async(NAME, path, EXEC, 'Wait', '', (), lambda *a: seen.append(a), lambda e: seen.append(e), timeout=60)
    seen = []
    assert daemon.delete(f'/containers/{box}?force=1').status == 204

    def told():
        bus.pump()
        return seen
    wait_for(told, 'the waiter is told')
    assert seen[0].get_dbus_name() == f'{NAME}.Error.NotFound'


@pytest.mark.parametrize('options', [{'Nonsense': True}, {'User': 3}, {'ConsoleSize': dbus.Struct((dbus.UInt32(70000), dbus.UInt32(80)))}])
def test_wrong_options(bus, box, options):
    with pytest.raises(FaceError) as e:
        raw(bus, box, 'true', **options)
    assert e.value.kind == 'Invalid'


def test_polkit_knows_what_will_run(bus, daemon, box):
    path, since = bus.manager('GetContainer', 's', box), len(daemon.bus.asked())
    words, options = dbus.Array(['touch', '/x y'], signature='s'), dbus.Dictionary({'User': '7', 'Privileged': True}, signature='sv')
    daemon.bus.polkit({'org.stauer.engine.exec': 'no', '*': 'yes'})
    for method in ('CreateExec', 'Exec'):
        with pytest.raises(BusError) as e:
            daemon.bus.call(NAME, path, CONTAINER, method, 'asa{sv}', words, options, uid=daemon.bus.other_uid())
        assert e.value.name == 'org.freedesktop.DBus.Error.AccessDenied'
    x = bus.exec_path(bus.exec_create(box, 'true'))
    for method, signature, values in (('Start', 'a{sv}', [dbus.Dictionary({}, signature='sv')]), ('Resize', 'uu', [1, 1]),
                                      ('Kill', 's', ['']), ('StartAttached', 'a{sv}', [dbus.Dictionary({}, signature='sv')])):
        with pytest.raises(BusError) as e:
            daemon.bus.call(NAME, x, EXEC, method, signature, *values, uid=daemon.bus.other_uid())
        assert e.value.name == 'org.freedesktop.DBus.Error.AccessDenied'
    rows = [row for row in daemon.bus.asked()[since:] if row.get('action') == 'org.stauer.engine.exec']
    assert len(rows) == 6
    assert {k: rows[0]['details'][k] for k in ('command', 'user', 'privileged', 'privilege', 'image')} == {
        'command': 'touch /x y', 'user': '7', 'privileged': 'true', 'privilege': 'none', 'image': 'busybox'}
    assert bus.get(x, EXEC, 'State') == 'created'
