# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams: clients that leave early, read slowly, send slowly or half; nothing of theirs stays in the daemon."""

import json
import os
import socket
import struct
import time
from pathlib import Path

import pytest

from common.wait import names_below
from faces import frames
from private_bus import wait_for
from wire import Wire


def create(daemon, name, *command, **more):
    answer = daemon.post(f'/containers/create?name={name}',
                         {'Image': 'busybox', 'Cmd': list(command), 'HostConfig': {'NetworkMode': 'none'}, **more})
    assert answer.status == 201, answer.data
    return answer.json['Id']


def run(daemon, name, *command, **more):
    identity = create(daemon, name, *command, **more)
    answer = daemon.post(f'/containers/{identity}/start')
    assert answer.status == 204, answer.data
    return identity


def get(wire, path, method='GET'):
    status, headers = wire.send(f'{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n').head()
    assert status == 200
    return headers


def open_fds(daemon):
    return len(os.listdir(f'/proc/{daemon.process.pid}/fd'))


def memory(daemon):
    for line in Path(f'/proc/{daemon.process.pid}/status').read_text(encoding='ascii').splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) * 1024
    return 0


def settle(daemon, before):
    wait_for(lambda: open_fds(daemon) <= before, f'no more than {before} descriptors are open')


@pytest.mark.parametrize('path, method', [('/events', 'GET'), ('/containers/quay/logs?follow=1&stdout=1', 'GET'),
                                          ('/containers/quay/wait', 'POST'), ('/containers/quay/wait?condition=removed', 'POST')])
def test_client_leaves(daemon, path, method):
    run(daemon, 'quay', 'sleep', '60')
    before = open_fds(daemon)
    listeners = daemon.get('/info').json['NEventsListener']
    wires = [Wire(daemon) for _ in range(20)]
    for wire in wires:
        get(wire, path, method)
    assert open_fds(daemon) > before
    for number, wire in enumerate(wires):
        if number % 2:                                        # some with a reset, some politely
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        wire.close()
    settle(daemon, before)
    assert daemon.get('/info').json['NEventsListener'] == listeners
    daemon.post('/containers/quay/kill')


def test_client_half_closes(daemon):
    """curl and nc do: the answer still comes."""
    run(daemon, 'half', 'sh', '-c', 'sleep 0.2; echo x')
    with Wire(daemon) as wire:
        wire.send('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.answer()[0] == 200


def test_verb_goes_on_without_its_client(daemon):
    identity = run(daemon, 'orphan', 'sh', '-c', 'trap "sleep 0.3; exit 4" TERM; echo ready; while :; do sleep 0.05; done')
    wait_for(lambda: b'ready' in daemon.get(f'/containers/{identity}/logs?stdout=1').data, 'the trap is set')
    with Wire(daemon) as wire:
        wire.send(f'POST /containers/{identity}/stop?t=20 HTTP/1.1\r\nHost: x\r\n\r\n')
        time.sleep(0.1)
    wait_for(lambda: daemon.get(f'/containers/{identity}/json').json['State']['Status'] == 'exited', 'it was stopped')
    assert daemon.get(f'/containers/{identity}/json').json['State']['ExitCode'] == 4


def test_client_leaves_during_create(daemon):
    before = open_fds(daemon)
    body = json.dumps({'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none'}})
    for number in range(20):
        with Wire(daemon) as wire:
            wire.send(f'POST /containers/create?name=left{number} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
                      f'Content-Length: {len(body)}\r\n\r\n{body}')
    settle(daemon, before)
    assert daemon.get('/_ping').status == 200


@pytest.mark.parametrize('part', [0, 1000, 600000])
def test_load_half_sent(daemon, archive, part):
    before = open_fds(daemon)
    data = archive[0].read_bytes()
    for _ in range(3):
        with Wire(daemon) as wire:
            wire.send(f'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
            wire.send(data[:part])
            time.sleep(0.05)
    settle(daemon, before)
    assert len(daemon.get('/images/json').json) == 1
    wait_for(lambda: names_below(daemon.data / 'tmp') <= {'empty', 'lock', 'root', 'trash'},
             lambda: f'nothing is left of them: {names_below(daemon.data / "tmp")}')


def test_loads_that_wait_are_given_up(daemon, archive):
    """More than workers: the client of a job that has not begun leaves."""
    before = open_fds(daemon)
    data = archive[0].read_bytes()
    wires = [Wire(daemon) for _ in range(12)]
    for wire in wires:
        wire.send(f'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
        wire.send(data[:1000])
    wait_for(lambda: open_fds(daemon) >= before + 12, 'all are there')
    for wire in reversed(wires):
        wire.__exit__()
    settle(daemon, before)
    assert daemon.get('/_ping').status == 200


def test_load_slowly(daemon, archive):
    data = archive[0].read_bytes()
    with Wire(daemon) as wire:
        wire.send(f'POST /images/load?quiet=1 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
        for i in range(0, len(data), 100000):
            wire.send(data[i:i + 100000])
            time.sleep(0.002)
        status, _, body = wire.answer()
    assert status == 200 and body == b'{"stream":"Loaded image: busybox:latest\\n"}\r\n'


def test_load_chunked_with_progress(daemon, archive):
    data = archive[0].read_bytes()
    with Wire(daemon) as wire:
        wire.send('POST /images/load?quiet=0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
        for i in range(0, len(data), 65536):
            part = data[i:i + 65536]
            wire.send(f'{len(part):x}\r\n'.encode() + part + b'\r\n')
        wire.send('0\r\n\r\n')
        status, headers, body = wire.answer()
    assert status == 200 and headers['content-type'] == 'application/json'
    rows = [json.loads(row) for row in body.decode().split('\r\n') if row]
    assert rows[-1] == {'stream': 'Loaded image: busybox:latest\n'}


def test_load_with_tail(daemon, archive, tmp_path):
    """What stands behind the end of the archive is read and dropped; the connection goes on."""
    data = archive[0].read_bytes() + b'\0' * 3_000_000
    with Wire(daemon) as wire:
        wire.send(f'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
        wire.send(data)
        assert b'Loaded image' in wire.answer()[2]
        assert wire.send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n').answer()[2] == b'OK'


def test_refused_load_reads_the_rest(daemon):
    data = b'garbage' * 500_000
    with Wire(daemon) as wire:
        wire.send(f'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
        wire.send(data)
        status, _, body = wire.answer()
        assert status == 200 and 'error' in json.loads(body)
        assert wire.send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n').answer()[2] == b'OK'


def test_many_loads(daemon, archive):
    """More at once than there are workers."""
    data = archive[0].read_bytes()
    wires = [Wire(daemon) for _ in range(12)]
    for wire in wires:
        wire.send(f'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
        wire.send(data[:1000])
    for wire in wires:
        wire.send(data[1000:])
        status, _, body = wire.answer()
        assert status == 200 and body == b'{"stream":"Loaded image: busybox:latest\\n"}\r\n'
        wire.__exit__()


def test_slow_reader(daemon):
    """A log of 24 MB for one who reads nothing for a while: the daemon waits, others are served, not a byte is lost."""
    lines = 240_000
    identity = run(daemon, 'torrent', 'sh', '-c', f'yes {"x" * 99} | head -n {lines}',
                   HostConfig={'NetworkMode': 'none', 'LogConfig': {'Type': 'json-file', 'Config': {'max-size': '100m'}}})
    daemon.post(f'/containers/{identity}/wait')
    before = memory(daemon)
    with Wire(daemon, timeout=60) as wire:
        get(wire, f'/containers/{identity}/logs?stdout=1')
        time.sleep(0.5)
        assert daemon.get('/_ping').status == 200
        assert memory(daemon) - before < 8 * 1024 * 1024
        data = b''.join(wire.chunks())
    assert data.count(b'x' * 99 + b'\n') == lines and len(data) == lines * 108


def test_slow_reader_leaves(daemon):
    identity = run(daemon, 'torrent', 'sh', '-c', f'yes {"x" * 99} | head -n 50000')
    daemon.post(f'/containers/{identity}/wait')
    before = open_fds(daemon)
    wires = [Wire(daemon) for _ in range(10)]
    for wire in wires:
        get(wire, f'/containers/{identity}/logs?stdout=1')
    time.sleep(0.3)
    for wire in wires:
        wire.__exit__()
    settle(daemon, before)


def test_events_to_one_who_does_not_read(daemon):
    """He is told what fits and then dropped; the engine does not wait for him."""
    with Wire(daemon) as wire:
        get(wire, '/events')
        for number in range(30):
            create(daemon, f'news{number}', 'true', Labels={'text': 'x' * 30000})
        assert daemon.get('/_ping').status == 200
        seen = 0
        for chunk in wire.chunks():
            seen += chunk.count(b'"Action":"create"')
            if seen == 30:
                break


def test_follow_ends_with_the_container(daemon):
    identity = run(daemon, 'follow', 'sh', '-c', 'echo one; sleep 0.2; echo two; sleep 0.2; echo err >&2')
    with Wire(daemon) as wire:
        get(wire, f'/containers/{identity}/logs?follow=1&stdout=1&stderr=1')
        assert frames(b''.join(wire.chunks())) == [(1, 'one\n'), (1, 'two\n'), (2, 'err\n')]


def test_follow_ends_with_removal(daemon):
    identity = run(daemon, 'follow', 'sh', '-c', 'echo one; exec sleep 60')
    with Wire(daemon) as wire:
        get(wire, f'/containers/{identity}/logs?follow=1&stdout=1')
        assert daemon.delete(f'/containers/{identity}?force=1').status == 204
        assert frames(b''.join(wire.chunks())) == [(1, 'one\n')]


def test_details(daemon):
    identity = run(daemon, 'detail', 'echo', 'x', Labels={'team': 'a b,c=d'}, HostConfig={
        'NetworkMode': 'none', 'LogConfig': {'Type': 'json-file', 'Config': {'labels': 'team'}}})
    daemon.post(f'/containers/{identity}/wait')
    answer = daemon.get(f'/containers/{identity}/logs?stdout=1&details=1')
    assert frames(answer.data) == [(1, 'team=a+b%2Cc%3Dd x\n')]


def test_replay_of_more_than_fits(daemon):
    """It ends there, and leaves no listener behind."""
    listeners = daemon.get('/info').json['NEventsListener']
    began = time.time()
    for i in range(10):
        daemon.delete(f'/containers/{create(daemon, f"large{i}", "true", Labels={"x": "x" * 1_000_000})}')
    with Wire(daemon) as wire:
        get(wire, f'/events?since={began - 0.001:.9f}')
    wait_for(lambda: daemon.get('/info').json['NEventsListener'] == listeners, 'nobody listens any more')


def test_events_replay(daemon):
    began = time.time()
    identity = run(daemon, 'past', 'true')
    daemon.post(f'/containers/{identity}/wait')
    answer = daemon.get(f'/events?since={began - 0.001:.9f}&until={time.time() + 0.2:.9f}&filters=%7B%22type%22%3A%5B%22container%22%5D%7D')
    events = [json.loads(line) for line in answer.data.splitlines()]
    assert [e['Action'] for e in events] == ['create', 'start', 'die']
    for event in events:
        assert event['Actor']['ID'] == event['id'] == identity and event['status'] == event['Action']
        assert event['from'] == 'busybox' and event['scope'] == 'local' and event['time'] == event['timeNano'] // 10**9
    assert daemon.get(f'/events?until={began - 1000000}').data == b''


def test_event_filters(daemon):
    def actions(filters, since):
        from urllib.parse import quote
        answer = daemon.get(f'/events?since={since}&until={time.time() + 0.05:.9f}&filters={quote(json.dumps(filters))}')
        return [json.loads(line)['Action'] for line in answer.data.splitlines()]

    since = f'{time.time() - 0.001:.9f}'
    identity = create(daemon, 'filtered', 'true', Labels={'a': 'b'})
    daemon.post('/images/busybox/tag?repo=filtered')
    assert actions({'container': ['filtered']}, since) == ['create']
    assert actions({'container': [identity[:12]]}, since) == ['create']
    assert actions({'event': ['tag']}, since) == ['tag']
    assert actions({'label': ['a=b']}, since) == ['create'] and actions({'label': ['a=c']}, since) == []
    assert actions({'image': ['busybox']}, since)[0] == 'create'
    answer = daemon.get('/events?filters=%7B%22nonsense%22%3A%5B%22x%22%5D%7D')
    assert answer.status == 400 and answer.json['message'] == "invalid filter 'nonsense'"
