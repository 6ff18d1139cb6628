# SPDX-License-Identifier: GPL-2.0-or-later
"""Attach and Resize over D-Bus: the same stream as REST gives, as a socket."""

import socket

import dbus
import pytest
from engine import create, run, start, wait
from faces import CONTAINER, NAME, FaceError, frames
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
