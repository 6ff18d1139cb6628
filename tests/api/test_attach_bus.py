# SPDX-License-Identifier: GPL-2.0-or-later
"""Attach and Resize over D-Bus: the same stream as REST gives, as a socket."""

import signal
import socket

import dbus
import pytest
from engine import create, logs, run, start, state, wait
from faces import CONTAINER, NAME, BusFace, FaceError, frames
from private_bus import BusError


def attach(bus, container, **options):
    values = {name: dbus.String(value) if isinstance(value, str) else dbus.Boolean(value) for name, value in options.items()}
    fd = bus.container(container, 'Attach', 'a{sv}', dbus.Dictionary(values, signature='sv')).take()
    stream = socket.socket(fileno=fd)
    stream.settimeout(20)
    return stream


def read_all(stream):
    with stream.makefile('rb') as file:
        return file.read()


def test_before_the_start_both_ways(daemon, bus):
    container = create(daemon, 'sh', '-c', 'echo first; read x; echo "got $x" >&2; exit 3', OpenStdin=True, StdinOnce=True)
    with attach(bus, container) as stream:
        stream.sendall(b'early\n')
        start(daemon, container)
        assert frames(read_all(stream)) == [(1, 'first\n'), (2, 'got early\n')]
    assert wait(daemon, container) == 3


def test_half_close_ends_the_input(daemon, bus):
    container = create(daemon, 'cat', OpenStdin=True, StdinOnce=True)
    with attach(bus, container, Raw=True) as stream:
        start(daemon, container)
        stream.sendall(b'some\n')
        stream.shutdown(socket.SHUT_WR)
        assert read_all(stream) == b'some\n'
    assert wait(daemon, container) == 0


@pytest.mark.parametrize('options, kind', [({'Nonsense': True}, 'Invalid'), ({'Stdin': 'yes'}, 'Invalid'),
                                           ({'DetachKeys': 'ctrl-1'}, 'Invalid')])
def test_wrong_options(daemon, bus, options, kind):
    container = run(daemon, 'sleep', '60')
    with pytest.raises(FaceError) as e:
        attach(bus, container, **options)
    assert e.value.kind == kind


def test_attach_is_a_matter_of_exec(daemon, bus):
    """Not of managing: who may write to a shell in there runs commands."""
    container, since = run(daemon, 'cat', OpenStdin=True), len(daemon.bus.asked())
    path = bus.manager('GetContainer', 's', container)
    daemon.bus.polkit({'org.stauer.engine.exec': 'no', '*': 'yes'})
    with pytest.raises(BusError) as e:
        daemon.bus.call(NAME, path, CONTAINER, 'Attach', 'a{sv}', dbus.Dictionary({}, signature='sv'), uid=daemon.bus.other_uid())
    assert e.value.name == 'org.freedesktop.DBus.Error.AccessDenied'
    daemon.bus.call(NAME, path, CONTAINER, 'Resize', 'uu', 24, 80, uid=daemon.bus.other_uid())
    assert [row['action'].rpartition('.')[2] for row in daemon.bus.asked()[since:] if 'action' in row] == ['exec', 'manage-containers']


def test_resize(daemon, bus):
    container = run(daemon, 'sleep', '60')
    bus.container(container, 'Resize', 'uu', 24, 80)
    with pytest.raises(FaceError) as e:
        bus.container(container, 'Resize', 'uu', 70000, 80)
    assert e.value.kind == 'Invalid'
    stopped = create(daemon, 'true')
    with pytest.raises(FaceError) as e:
        bus.container(stopped, 'Resize', 'uu', 24, 80)
    assert e.value.kind == 'Conflict'


def test_streams_are_chosen(daemon, bus):
    container = create(daemon, 'sh', '-c', 'echo out; echo err >&2')
    with attach(bus, container, Stdin=False, Stdout=False) as stream:
        start(daemon, container)
        assert frames(read_all(stream)) == [(2, 'err\n')]


def test_half_close_without_once_keeps_the_input(daemon, bus):
    container = run(daemon, 'cat', OpenStdin=True)
    with attach(bus, container, Raw=True) as one, attach(bus, container, Raw=True) as two:
        one.sendall(b'one\n')
        one.shutdown(socket.SHUT_WR)
        assert one.recv(100) == two.recv(100) == b'one\n'
        two.sendall(b'two\n')
        assert one.recv(100) == two.recv(100) == b'two\n'
    assert state(daemon, container)['Running']


def test_stream_survives_the_daemon(own):
    face = BusFace(own)
    container = run(own, 'cat', OpenStdin=True)
    with attach(face, container, Raw=True) as stream:
        stream.sendall(b'before\n')
        assert stream.recv(100) == b'before\n'
        own.kill(signal.SIGKILL)
        face.close()
        stream.sendall(b'without\n')
        assert stream.recv(100) == b'without\n'
        own.start()
        assert own.post(f'/containers/{container}/kill').status == 204
        assert stream.recv(100) == b''
    assert logs(own, container) == b'before\nwithout\n'


@pytest.mark.parametrize('end', ['failed start', 'removal'])
def test_end_of_a_waiting_client(daemon, bus, end):
    container = create(daemon, '/does/not/exist')
    with attach(bus, container) as stream:
        if end == 'removal':
            bus.remove(container)
        else:
            start(daemon, container, status=400)
        assert read_all(stream) == b''


@pytest.mark.parametrize('what, kind', [('nobody', 'NotFound'), ('paused', 'Conflict')])
def test_whom_nobody_can_attach_to(daemon, bus, what, kind):
    container = 'nobody' if what == 'nobody' else run(daemon, 'sleep', '60')
    if what == 'paused':
        bus.pause(container)
    with pytest.raises(FaceError) as e:
        attach(bus, container)
    assert e.value.kind == kind
