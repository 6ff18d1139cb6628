# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of containers through both faces. No cgroup here: what is looked at is who gets which objects, when, and for how long; system tests
look at the figures themselves."""

import json
import re
import socket

import pytest
from faces import BusFace, FaceError, MANAGER, ROOT
from engine import create, run
from private_bus import wait_for

NEVER = '0001-01-01T00:00:00Z'
FIELDS = {'name', 'id', 'os_type', 'read', 'preread', 'pids_stats', 'blkio_stats', 'num_procs', 'storage_stats', 'cpu_stats',
          'precpu_stats', 'memory_stats'}


def rows(daemon, path, n):
    """The first n objects of a stream, then we leave."""
    connection = daemon.connection(timeout=30)
    connection.request('GET', path)
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers['Content-Type'] == 'application/json'
    assert answer.headers['Transfer-Encoding'] == 'chunked'
    found = [json.loads(answer.readline()) for _ in range(n)]
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    return found


def test_document(daemon, face):
    identity = run(daemon, 'sleep', '100', name='busy')
    v = json.loads(face.container('busy', 'GetStats')) if face.name == 'bus' else \
        daemon.get('/containers/busy/stats?stream=0&one-shot=1').json
    assert set(v) == FIELDS
    assert (v['name'], v['id'], v['os_type'], v['num_procs'], v['storage_stats']) == ('/busy', identity, 'linux', 0, {})
    assert v['read'] > '2020' and v['preread'] == NEVER
    assert v['cpu_stats']['system_cpu_usage'] > 0 and v['cpu_stats']['online_cpus'] > 0
    assert set(v['cpu_stats']['cpu_usage']) == {'total_usage', 'usage_in_kernelmode', 'usage_in_usermode'}
    assert v['precpu_stats'] == {'cpu_usage': {'total_usage': 0, 'usage_in_kernelmode': 0, 'usage_in_usermode': 0},
                                 'throttling_data': {'periods': 0, 'throttled_periods': 0, 'throttled_time': 0}}
    assert len(v['blkio_stats']) == 8 and v['blkio_stats']['sectors_recursive'] is None
    assert len(v['memory_stats']['stats']) == 31
    assert 'networks' not in v


def test_once_has_something_to_compare_with(daemon):
    run(daemon, 'sleep', '100', name='busy')
    answer = daemon.get('/containers/busy/stats?stream=0')
    v = answer.json
    assert NEVER < v['preread'] < v['read']
    assert 0 < v['precpu_stats']['system_cpu_usage'] <= v['cpu_stats']['system_cpu_usage']
    assert b'"anon":0' in answer.data and b'": ' not in answer.data


@pytest.mark.parametrize('query', ['?stream=0', '?stream=false&one-shot=1'])
def test_not_running(daemon, query):
    identity = create(daemon, 'true', name='idle')
    v = daemon.get('/containers/idle/stats' + query).json
    assert set(v) == FIELDS and v['id'] == identity and v['read'] == v['preread'] == NEVER
    assert v['memory_stats'] == v['pids_stats'] == {} and 'system_cpu_usage' not in v['cpu_stats']


def test_stream(daemon):
    run(daemon, 'sleep', '100', name='busy')
    first, second, third = rows(daemon, '/containers/busy/stats', 3)
    assert first['preread'] == NEVER and 'system_cpu_usage' not in first['precpu_stats']
    assert second['preread'] == first['read'] and second['precpu_stats'] == first['cpu_stats']
    assert third['preread'] == second['read']
    # A second watcher of the same container begins with nothing behind it.
    assert rows(daemon, '/v1.24/containers/busy/stats?stream=1', 1)[0]['preread'] == NEVER


def test_stream_comes_alive_and_ends(daemon):
    create(daemon, 'sleep', '100', name='later')
    connection = daemon.connection(timeout=30)
    connection.request('GET', '/containers/later/stats')
    answer = connection.getresponse()
    assert json.loads(answer.readline())['read'] == NEVER
    assert daemon.post('/containers/later/start').status == 204
    while json.loads(answer.readline())['read'] == NEVER:
        pass
    assert daemon.request('DELETE', '/containers/later?force=1').status == 204
    while answer.readline():
        pass


def test_errors(daemon):
    assert daemon.get('/containers/nobody/stats?stream=0').json == {'message': 'No such container: nobody'}
    run(daemon, 'sleep', '100', name='busy')
    answer = daemon.get('/containers/busy/stats?one-shot=1')
    assert (answer.status, answer.json) == (400, {'message': 'cannot have stream=true and one-shot=true'})
    assert daemon.get('/v1.40/containers/busy/stats?stream=0&one-shot=1').json['preread'] > NEVER      # not known then


def test_old_http(daemon):
    """Monitoring tools of old: HTTP/1.0, no Host, no version in the path."""
    run(daemon, 'sleep', '100', name='busy')
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(daemon.socket))
        s.sendall(b'GET /containers/busy/stats?stream=0 HTTP/1.0\r\n\r\n')
        data = b''
        while part := s.recv(65536):
            data += part
    head, _, body = data.partition(b'\r\n\r\n')
    assert re.match(rb'HTTP/1\.[01] 200 ', head) and b'chunked' not in head.lower()
    assert json.loads(body)['name'] == '/busy'


@pytest.fixture
def bus(daemon):
    face = BusFace(daemon)
    yield face
    face.close()


def changes(face):
    face.pump()
    return [args[0] for path, _, member, args in face.signals if (path, member) == (ROOT, 'StatsChanged')]


def test_subscription(daemon, bus):
    identity = run(daemon, 'sleep', '100', name='busy')
    other = run(daemon, 'sleep', '100', name='other')
    create(daemon, 'true', name='idle')
    listener = BusFace(daemon)

    bus.manager('SubscribeStats', 'as', ['busy', 'idle', 'busy'])
    seen = wait_for(lambda: len(changes(bus)) >= 2 and changes(bus), 'two signals')
    for row, in seen:
        name, time_usec, figures = row
        assert name == identity and time_usec > 1_600_000_000_000_000
        assert figures['HostCPUNSec'] > 0 and figures['CPUUsageNSec'] >= 0 and 'TasksCurrent' in figures
    assert changes(listener) == []                                # nobody else sees them

    bus.manager('SubscribeStats', 'as', [])                       # all that run, in place of the first wish
    wait_for(lambda: {row[0] for row in changes(bus)[-1]} == {identity, other}, 'both')
    bus.manager('UnsubscribeStats')
    bus.pump()
    bus.signals.clear()
    assert daemon.get('/containers/busy/stats?stream=0').status == 200       # two looks later
    assert changes(bus) == []
    listener.close()


def test_subscription_of_nobody(bus):
    with pytest.raises(FaceError) as info:
        bus.manager('SubscribeStats', 'as', ['nobody'])
    assert (info.value.kind, info.value.text) == ('NotFound', 'No such container: nobody')


def test_subscriber_leaves(daemon, bus):
    """64 may subscribe; who has left the bus does not count."""
    run(daemon, 'sleep', '100', name='busy')
    for _ in range(70):
        face = BusFace(daemon)
        face.manager('SubscribeStats', 'as', ['busy'])
        face.close()
    wait_for(lambda: _subscribed(bus), 'room for one more')


def _subscribed(face):
    try:
        face.call(ROOT, MANAGER, 'SubscribeStats', 'as', ['busy'])
        return True
    except FaceError as e:
        assert e.kind == 'TooLarge'
        return False
