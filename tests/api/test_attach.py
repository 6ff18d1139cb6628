# SPDX-License-Identifier: GPL-2.0-or-later
"""Attached clients over raw sockets: heads, frames, both ways of asking, half close, several and slow ones, and those who vanish."""

import os
import signal
import socket
import struct
import threading

import pytest
from engine import create, logs, monitor_of, run, start, state, wait
from private_bus import wait_for
from streams import frame as read_frame, frames as read_frames
from wire import Wire

MULTIPLEXED = 'application/vnd.docker.multiplexed-stream'
RAW = 'application/vnd.docker.raw-stream'
ALL = 'stream=1&stdin=1&stdout=1&stderr=1'


def ask(wire, container, query=ALL, version='', upgrade=True, early=b''):
    more = 'Connection: Upgrade\r\nUpgrade: tcp\r\n' if upgrade else ''
    wire.send(f'POST {version}/containers/{container}/attach?{query} HTTP/1.1\r\nHost: x\r\n{more}Content-Length: 0\r\n\r\n'.encode()
              + early)
    return wire.head()


def attach(daemon, container, query=ALL, **more):
    wire = Wire(daemon)
    status, _ = ask(wire, container, query, **more)
    assert status == (101 if more.get('upgrade', True) else 200)
    return wire


def frame(wire):
    return read_frame(wire.file)


def streams(wire):
    return read_frames(wire.file)


def fds(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


@pytest.mark.parametrize('upgrade, version, tty, kind', [
    (True, '', False, MULTIPLEXED), (True, '/v1.42', False, MULTIPLEXED), (True, '/v1.41', False, RAW),
    (False, '', False, RAW)])
def test_heads(daemon, upgrade, version, tty, kind):
    container = run(daemon, 'cat', OpenStdin=True, Tty=tty)
    with Wire(daemon) as wire:
        status, headers = ask(wire, container, upgrade=upgrade, version=version)
        assert (status, headers['content-type']) == (101 if upgrade else 200, kind)
        assert 'content-length' not in headers and 'transfer-encoding' not in headers
        assert not upgrade or (headers['upgrade'].lower(), headers['connection'].lower()) == ('tcp', 'upgrade')
        wire.send('x\n')
        assert frame(wire) == (1, b'x\n')


def test_before_the_start_no_byte_is_lost(daemon):
    container = create(daemon, 'sh', '-c', 'echo first; echo wrong >&2; read x; echo "got $x"; exit 7', OpenStdin=True, StdinOnce=True)
    with attach(daemon, container, early=b'early\n') as wire:
        start(daemon, container)
        out, err = streams(wire)
    assert (out, err) == (b'first\ngot early\n', b'wrong\n')
    assert wait(daemon, container) == 7
    assert logs(daemon, container).count(b'first') == 1


def test_input_that_came_with_a_request_without_upgrade(daemon):
    """The head of 200 is no upgrade; what is behind the request is input all the same."""
    container = run(daemon, 'cat', OpenStdin=True)
    with attach(daemon, container, early=b'early\n', upgrade=False) as wire:
        assert frame(wire) == (1, b'early\n')
        assert frame(wire.send('late\n')) == (1, b'late\n')


def test_half_close_ends_the_input(daemon):
    container = create(daemon, 'cat', OpenStdin=True, StdinOnce=True)
    with attach(daemon, container) as wire:
        start(daemon, container)
        data = b''.join(b'%d\n' % number for number in range(50000))
        threading.Thread(target=lambda: (wire.send(data), wire.socket.shutdown(socket.SHUT_WR))).start()
        assert streams(wire)[0] == data
    assert wait(daemon, container) == 0


def test_half_close_without_once_keeps_the_input(daemon):
    container = run(daemon, 'cat', OpenStdin=True)
    monitor = monitor_of(daemon, container)
    before = fds(monitor)
    with attach(daemon, container) as one, attach(daemon, container) as two:
        wait_for(lambda: fds(monitor) >= before + 2, 'the monitor has both: it gets them behind the heads')
        one.send('one\n').socket.shutdown(socket.SHUT_WR)
        assert frame(one) == frame(two) == (1, b'one\n')
        two.send('two\n')
        assert frame(one) == frame(two) == (1, b'two\n')
    assert state(daemon, container)['Running']


def test_streams_are_chosen(daemon):
    container = create(daemon, 'sh', '-c', 'echo out; echo err >&2')
    with attach(daemon, container, 'stream=1&stderr=1') as wire:
        start(daemon, container)
        assert streams(wire) == (b'', b'err\n')


def test_nothing_asked_for_returns_at_once(daemon):
    container = run(daemon, 'sleep', '60')
    with attach(daemon, container, 'stdout=1') as wire:
        assert wire.file.read() == b''


@pytest.mark.parametrize('what, status', [('nobody', 404), ('paused', 409), ('keys', 400)])
def test_errors_are_raw_text(daemon, what, status):
    container = 'nobody' if what == 'nobody' else run(daemon, 'sleep', '60')
    if what == 'paused':
        assert daemon.post(f'/containers/{container}/pause').status == 204
    with Wire(daemon) as wire:
        got, headers = ask(wire, container, ALL + ('&detachKeys=ctrl-1' if what == 'keys' else ''))
        assert (got, headers['content-type']) == (status, RAW)
        size = headers.get('content-length')
        text = wire.file.read(int(size)) if size else wire.file.read()
        assert text.endswith(b'\r\n') and not text.startswith(b'{')
        assert {'nobody': b'No such container: nobody', 'paused': b'is paused, unpause the container before attach',
                'keys': b'Invalid detach keys'}[what] in text


def test_client_that_never_reads_is_dropped(own):
    """It holds the container back for its patience and no longer: all that was written comes to the log and the other client."""
    container = create(own, 'sh', '-c', 'i=0; while [ $i -lt 300 ]; do head -c 16384 /dev/zero | tr "\\0" x; i=$((i+1)); done; echo; echo end')
    with attach(own, container) as slow, attach(own, container) as reader:
        start(own, container)
        out, _ = streams(reader)
        assert out.endswith(b'\nend\n') and len(out) == 300 * 16384 + 5
        assert wait(own, container) == 0
        assert slow.socket.fileno() >= 0
    assert logs(own, container).endswith(b'\nend\n')


def test_clients_that_vanish_leave_nothing(own):
    container = run(own, 'cat', OpenStdin=True)
    created = create(own, 'cat', OpenStdin=True)
    monitor = monitor_of(own, container)
    before, before_monitor = fds(own.process.pid), fds(monitor)
    for number in range(300):
        with attach(own, container if number % 3 else created, upgrade=bool(number % 2)) as wire:
            if number % 5 == 0:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    for _ in range(100):                                          # not even the head is read
        with Wire(own) as wire:
            wire.send(f'POST /containers/{container}/attach?{ALL} HTTP/1.1\r\nUpgrade: tcp\r\nHost: x\r\n\r\n')
    wait_for(lambda: fds(own.process.pid) <= before, 'the daemon has given back all descriptors')
    wait_for(lambda: fds(monitor) <= before_monitor, 'the monitor has given back all descriptors')
    with attach(own, container) as wire:
        assert frame(wire.send('still\n')) == (1, b'still\n')


def test_stream_survives_the_daemon(own):
    container = run(own, 'cat', OpenStdin=True)
    with attach(own, container) as wire:
        assert frame(wire.send('before\n')) == (1, b'before\n')
        own.kill(signal.SIGKILL)
        assert frame(wire.send('without\n')) == (1, b'without\n')
        own.start()
        assert frame(wire.send('after\n')) == (1, b'after\n')
        own.post(f'/containers/{container}/kill')
        assert frame(wire) is None
    assert logs(own, container) == b'before\nwithout\nafter\n'


def test_failed_start_ends_the_stream(daemon):
    container = create(daemon, '/does/not/exist')
    with attach(daemon, container) as wire:
        start(daemon, container, status=400)
        assert frame(wire) is None


def test_removal_ends_a_waiting_client(daemon):
    container = create(daemon, 'cat')
    with attach(daemon, container) as wire:
        assert daemon.delete(f'/containers/{container}').status == 204
        assert frame(wire) is None


@pytest.mark.parametrize('query, status', [('h=10', 400), ('h=x&w=10', 400), ('h=10&w=99999999999', 400), ('h=0&w=0', 200)])
def test_resize(daemon, query, status):
    container = run(daemon, 'sleep', '60')
    answer = daemon.post(f'/containers/{container}/resize?{query}')
    assert answer.status == status, answer.data


def test_resize_when_it_does_not_run(daemon):
    container = create(daemon, 'true')
    assert daemon.post(f'/containers/{container}/resize?h=1&w=1').status == 409
