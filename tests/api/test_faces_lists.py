# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists as documents: the bus gives what REST gives. And what callers hear of a daemon that is stopped."""

import json
import signal

import dbus
import pytest
from engine import create, run
from faces import CONTAINER, MANAGER, NAME, ROOT, BusFace, RestFace
from private_bus import BusError, wait_for


def rows(bus, all=True, filters=None, limit=-1, size=False):
    return json.loads(bus.manager('ListContainersAsJSON', 'ba{sas}xb', all, bus._filters(filters), limit, size))  # pylint: disable=protected-access


def test_containers(daemon, bus):
    create(daemon, 'true', name='first', Labels={'a': 'b'})
    run(daemon, 'sleep', '60', name='second')
    assert rows(bus) == daemon.get('/containers/json?all=1').json
    assert [row['Names'] for row in rows(bus, all=False)] == [['/second']]
    assert [row['Names'] for row in rows(bus, filters={'label': ['a=b']})] == [['/first']]
    assert [row['Names'] for row in rows(bus, all=False, limit=1)] == [['/second']]
    measured = rows(bus, size=True)
    assert measured == daemon.get('/containers/json?all=1&size=1').json
    assert all('SizeRootFs' in row for row in measured)


def test_images(daemon, bus):
    assert json.loads(bus.manager('ListImagesAsJSON', 'ba{sas}', False, bus._filters({}))) == daemon.get(  # pylint: disable=protected-access
        '/images/json').json
    assert json.loads(bus.manager('ListImagesAsJSON', 'ba{sas}', False, bus._filters({'label': ['x']}))) == []  # pylint: disable=protected-access


@pytest.mark.parametrize('method, signature, more', [('ListContainersAsJSON', 'ba{sas}xb', (-1, False)), ('ListImagesAsJSON', 'ba{sas}', ())])
def test_who_may_not_look_learns_no_name(daemon, method, signature, more):
    daemon.bus.polkit({'*': 'no'})
    with pytest.raises(BusError) as e:
        daemon.bus.call(NAME, ROOT, MANAGER, method, signature, True, dbus.Dictionary({'before': ['nobody']}, signature='sas'), *more,
                        uid=daemon.bus.other_uid())
    assert e.value.name == 'org.freedesktop.DBus.Error.AccessDenied'


def test_log_with_frames_and_details(daemon, bus):
    container = run(daemon, 'sh', '-c', 'echo out; echo err >&2', Labels={'a': 'b c'},
                    host={'LogConfig': {'Type': 'json-file', 'Config': {'labels': 'a'}}})
    bus.wait(container)
    fd = bus.container(container, 'GetLogs', 'a{sv}', dbus.Dictionary({'Frames': True, 'Details': True}, signature='sv'))
    with bus._stream_file(fd) as stream:                        # pylint: disable=protected-access
        assert stream.frames() == (b'a=b+c out\n', b'a=b+c err\n')
    assert RestFace(daemon).logs(container, details=1).count('a=b+c') == 2


def test_who_waits_is_told_that_it_stops(own):
    """Not left to a deadline, and with a name that a program can tell from a crash."""
    face = BusFace(own)
    container = run(own, 'sleep', '1000')
    path, seen = f'{ROOT}/container/{container}', {}
    calls = [(path, CONTAINER, 'Wait', 's', ('',)), (path, CONTAINER, 'GetSize', '', ()), (path, CONTAINER, 'Export', '', ()),
             (path, CONTAINER, 'CopyFrom', 's', ('/etc',)), (ROOT, MANAGER, 'GetDiskUsage', 'as', (dbus.Array(['container'], 's'),))]

    def ask(where, interface, method, signature, words):
        def note(*answer):
            seen[method] = answer
        face.bus.call_async(NAME, where, interface, method, signature, words, note, note, timeout=120)

    own.launcher.send_signal(signal.SIGSTOP)                    # no worker begins
    try:
        for call in calls:
            ask(*call)
        face.manager('GetVersion')                              # they have come before this one
        assert own.kill(signal.SIGTERM) == 0
    finally:
        own.launcher.send_signal(signal.SIGCONT)

    def told():
        face.pump()
        return len(seen) == len(calls)
    wait_for(told, lambda: f'all are told: {seen}')
    face.close()
    assert {method: answer[0].get_dbus_name() for method, answer in seen.items()} == {call[2]: f'{NAME}.Error.Unavailable' for call in calls}
    own.start()
    assert own.delete(f'/containers/{container}?force=1').status == 204
