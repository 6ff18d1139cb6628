# SPDX-License-Identifier: GPL-2.0-or-later
"""attach by WebSocket: the handshake, messages both ways, what breaks the rules, and ends."""

import signal
import struct
import threading

import pytest
from engine import create, run, start, state, wait
from private_bus import wait_for
from test_attach import fds
from ws_client import BINARY, CLOSE, PING, PONG, TEXT, WebSocket, encode
from wire import Wire


@pytest.mark.parametrize('version, opcode', [('', BINARY), ('/v1.42', BINARY), ('/v1.28', BINARY), ('/v1.27', TEXT)])
def test_both_ways(daemon, version, opcode):
    container = run(daemon, 'cat', OpenStdin=True)
    with WebSocket(daemon, container, version=version) as ws:
        assert ws.status == 101 and 'content-type' not in ws.headers
        assert ws.say('hello\n').frame() == (opcode, b'hello\n')
        assert ws.say('text\n', TEXT).frame() == (opcode, b'text\n')


def test_before_the_start_with_early_input(daemon):
    """One stream: standard output and error mix. The input that came with the handshake is not lost."""
    container = create(daemon, 'sh', '-c', 'echo first; read x; echo "got $x" >&2; exit 7', OpenStdin=True)
    with WebSocket(daemon, container, early=encode(TEXT, 'early\n')) as ws:
        start(daemon, container)
        assert ws.output() == b'first\ngot early\n'
    assert wait(daemon, container) == 7


def test_fragments_and_large_messages(daemon):
    container = run(daemon, 'cat', OpenStdin=True)
    data = b''.join(b'%d\n' % number for number in range(60000))
    with WebSocket(daemon, container) as ws:
        ws.say(b'a', final=False).say(b'ping', PING).say(b'b', 0, final=False).say(b'', 0, final=False).say(b'c\n', 0)
        got = [ws.frame()]
        while got[-1] != (BINARY, b'abc\n') and b''.join(data for opcode, data in got if opcode == BINARY) != b'abc\n':
            got.append(ws.frame())
        assert (PONG, b'ping') in got
        threading.Thread(target=ws.say, args=(data,)).start()
        assert ws.output(until=data[-7:]) == data


def test_streams_are_chosen(daemon):
    """Since 1.42; before, all three are attached."""
    for version, expected in (('/v1.42', b'err\n'), ('/v1.41', b'err\nout\n')):
        container = create(daemon, 'sh', '-c', 'echo err >&2; sleep 0.2; echo out')
        with WebSocket(daemon, container, 'stream=1&stderr=1', version) as ws:
            start(daemon, container)
            assert sorted(ws.output().splitlines(True)) == sorted(expected.splitlines(True))      # two pipes have no order


def test_close_ends_the_attach_and_not_the_container(daemon):
    container = run(daemon, 'cat', OpenStdin=True)
    with WebSocket(daemon, container) as ws, WebSocket(daemon, container) as other:
        ws.say(struct.pack('>H', 1001) + b'going', CLOSE)
        assert ws.frame() == (CLOSE, struct.pack('>H', 1001)) and ws.frame() is None
        assert other.say('still\n').frame() == (BINARY, b'still\n')
    assert state(daemon, container)['Running']


def test_close_ends_the_input_of_once(daemon):
    container = create(daemon, 'cat', OpenStdin=True, StdinOnce=True)
    with WebSocket(daemon, container) as ws:
        start(daemon, container)
        assert ws.say('x\n').output(until=b'\n') == b'x\n'
        ws.say(b'', CLOSE)
        assert wait(daemon, container) == 0


BROKEN = {
    'no mask': encode(BINARY, b'no mask', masked=False),
    'unknown opcode': encode(3, b'x'),
    'nothing to continue': encode(0, b'nothing began'),
    'long ping': encode(PING, b'x' * 126),
    'ping in pieces': encode(PING, b'', final=False),
    'reserved bit': encode(BINARY | 0x40, b'x'),
    'message in a message': encode(BINARY, b'x', final=False) + encode(BINARY, b'y'),
    'half a status': encode(CLOSE, b'x'),
    'reserved status': encode(CLOSE, struct.pack('>H', 1005)),
    'endless': encode(BINARY, b'', size=1 << 63),
}


@pytest.mark.parametrize('broken', BROKEN.values(), ids=BROKEN)
def test_broken_rules(daemon, broken):
    """A close that says so, and the end; the container goes on."""
    container = run(daemon, 'cat', OpenStdin=True)
    with WebSocket(daemon, container) as ws:
        ws.send(broken)
        while (got := ws.frame())[0] == BINARY:
            pass
        assert got == (CLOSE, struct.pack('>H', 1002)) and ws.frame() is None
    assert state(daemon, container)['Running']


@pytest.mark.parametrize('headers', [
    {'Upgrade': 'tcp'}, {'Upgrade': None}, {'Connection': 'close'}, {'Sec_WebSocket_Version': '8'}, {'Sec_WebSocket_Version': None},
    {'Sec_WebSocket_Key': 'short'}, {'Sec_WebSocket_Key': None}])
def test_no_handshake(daemon, headers):
    container = run(daemon, 'cat', OpenStdin=True)
    with WebSocket(daemon, container, **headers) as ws:
        assert ws.status == 400


def test_errors_are_json(daemon):
    with WebSocket(daemon, 'nobody') as ws:
        assert (ws.status, ws.headers['content-type']) == (404, 'application/json')
    container = run(daemon, 'cat', OpenStdin=True)
    with WebSocket(daemon, container, 'stream=1&detachKeys=ctrl-1') as ws:
        assert ws.status == 400
    assert daemon.post(f'/containers/{container}/pause').status == 204
    with WebSocket(daemon, container) as ws:
        assert ws.status == 409


def test_nothing_asked_for_closes_at_once(daemon):
    container = run(daemon, 'sleep', '60')
    with WebSocket(daemon, container, 'stdout=1') as ws:
        assert ws.output() == b''


def test_one_subprotocol_is_agreed_to(daemon):
    container = run(daemon, 'cat', OpenStdin=True)
    with WebSocket(daemon, container, Sec_WebSocket_Protocol='chat') as ws:
        assert ws.headers['sec-websocket-protocol'] == 'chat'
    with WebSocket(daemon, container, Sec_WebSocket_Protocol='chat, talk') as ws:
        assert ws.status == 101 and 'sec-websocket-protocol' not in ws.headers


def test_pings_that_are_not_read_are_bounded(own):
    """A client that only pings holds itself back, not the daemon and not the container."""
    container = run(own, 'cat', OpenStdin=True)
    with WebSocket(own, container) as ws, WebSocket(own, container) as other:
        ws.socket.settimeout(2)
        try:
            while True:
                ws.send(encode(PING, b'x' * 125) * 100)
        except TimeoutError:
            pass
        assert other.say('through\n').frame() == (BINARY, b'through\n')


def test_survives_the_daemon(own):
    container = run(own, 'cat', OpenStdin=True)
    with WebSocket(own, container) as ws:
        assert ws.say('before\n').frame() == (BINARY, b'before\n')
        own.kill(signal.SIGKILL)
        assert ws.say('without\n').frame() == (BINARY, b'without\n')
        own.start()
        own.post(f'/containers/{container}/kill')
        assert ws.output() == b''


def test_clients_that_vanish_leave_nothing(own):
    container = run(own, 'cat', OpenStdin=True)
    before = fds(own.process.pid)
    for number in range(100):
        with WebSocket(own, container) as ws:
            if number % 2:
                ws.say(b'cut off', size=100000)
    for _ in range(50):
        with Wire(own) as wire:
            wire.send(f'GET /containers/{container}/attach/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n')
    wait_for(lambda: fds(own.process.pid) <= before, 'the daemon has given back all descriptors')
