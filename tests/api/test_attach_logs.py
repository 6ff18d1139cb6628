# SPDX-License-Identifier: GPL-2.0-or-later
"""attach with logs: the log first, then what comes, without a gap and nothing twice, on both faces and by WebSocket."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine import create, logs, monitor_of, run, start, state, wait
from faces import FaceError
from private_bus import wait_for
from test_attach import attach, fds, frame, streams
from test_attach_bus import attach as attach_bus, read_all
from ws_client import BINARY, WebSocket

LOGS = 'logs=1&stream=1&stdin=1&stdout=1&stderr=1'
COUNT = 'i=0; while [ $i -lt {n} ]; do echo $i; i=$((i+1)); done'


def last_line(d, container):
    return d.get(f'/containers/{container}/logs?stdout=1&tail=1').data[8:]


def numbers(data):
    return [int(line) for line in data.split()]


def test_log_and_then_live(daemon):
    container = run(daemon, 'sh', '-c', 'echo out; echo err >&2; read x; echo "got $x"', OpenStdin=True)
    wait_for(lambda: len(logs(daemon, container)) >= 8, 'the first lines are in the log')
    with attach(daemon, container, LOGS) as wire:
        first = {frame(wire), frame(wire)}
        assert first == {(1, b'out\n'), (2, b'err\n')}
        wire.send('more\n')
        assert streams(wire) == (b'got more\n', b'')


def test_begun_line_is_not_lost(daemon):
    """What is not a line yet is in no log: it comes between the log and what is live."""
    container = run(daemon, 'sh', '-c', 'echo line; printf begun; read x; echo " ended $x"; read x', OpenStdin=True)
    wait_for(lambda: logs(daemon, container) == b'line\n', 'the first line is in the log')
    with attach(daemon, container, 'stream=1&stdout=1') as other, attach(daemon, container, LOGS) as wire:
        got = b''
        while got != b'line\nbegun':
            got += frame(wire)[1]
            assert b'line\nbegun'.startswith(got)
        wire.send('it\n')
        assert frame(wire) == (1, b' ended it\n') and other


def read_until_end(wire):
    with wire:
        return streams(wire)


@pytest.mark.parametrize('kind', ['json-file', 'local'])
def test_busy_container(daemon, kind):
    """Many clients come while it writes: each reads every line once. They read at the same time, since one that does not holds up all others, and
    the container ends when all of them are there, since who comes later waits for its next start."""
    host = {'LogConfig': {'Type': kind}, 'NetworkMode': 'none'}
    container = create(daemon, 'sh', '-c', COUNT.format(n=60000) + '; read x', OpenStdin=True, host=host)
    start(daemon, container)
    with ThreadPoolExecutor(8) as pool:
        clients = []
        for number in range(8):
            wait_for(lambda n=number: int(last_line(daemon, container) or -1) >= n * 6000, 'it has written on', timeout=60)
            wire = attach(daemon, container, LOGS)
            clients.append(pool.submit(read_until_end, wire))
        wire.send('\n')
        for client in clients:
            assert numbers(client.result()[0]) == list(range(60000))
    assert wait(daemon, container) == 0


def test_long_pieces(daemon):
    """A line beyond 16 KiB is logged in pieces, the rest of it is under way: its bytes come once."""
    container = run(daemon, 'sh', '-c', 'head -c 50000 /dev/zero | tr "\\0" x; read a; head -c 50000 /dev/zero | tr "\\0" y; echo', OpenStdin=True)
    wait_for(lambda: len(logs(daemon, container)) >= 49152, 'whole pieces are in the log')
    with attach(daemon, container, LOGS) as wire:
        wire.send('\n')
        assert streams(wire)[0] == b'x' * 50000 + b'y' * 50000 + b'\n'


@pytest.mark.parametrize('query, expected', [('logs=1&stdout=1&stderr=1', (b'out\n', b'err\n')), ('logs=1&stderr=1', (b'', b'err\n'))])
def test_without_stream_it_ends(daemon, query, expected):
    container = run(daemon, 'sh', '-c', 'echo out; echo err >&2; sleep 60')
    wait_for(lambda: len(logs(daemon, container)) == 8, 'both lines are in the log')
    with attach(daemon, container, query) as wire:
        assert streams(wire) == expected
    assert state(daemon, container)['Running']


def test_stopped_then_started(daemon):
    """The log of earlier runs, then the client waits for the next one."""
    container = run(daemon, 'echo', 'run')
    wait(daemon, container)
    with attach(daemon, container, LOGS) as wire:
        assert frame(wire) == (1, b'run\n')
        start(daemon, container)
        assert streams(wire) == (b'run\n', b'')


def test_driver_that_cannot_be_read(daemon):
    container = create(daemon, 'sleep', '60', host={'LogConfig': {'Type': 'none'}, 'NetworkMode': 'none'})
    start(daemon, container)
    with attach(daemon, container, LOGS) as wire:
        assert frame(wire) == (1, b'Error attaching: configured logging driver does not support reading\n')
        assert frame(wire) is None


def test_slow_reader_holds_up_nobody(own):
    """While it reads the log the container does not wait for it."""
    container = create(own, 'sh', '-c', COUNT.format(n=200000) + '; read x; ' + COUNT.format(n=100000), OpenStdin=True)
    start(own, container)
    wait_for(lambda: last_line(own, container) == b'199999\n', 'the first half is in the log')
    with attach(own, container, LOGS) as slow, attach(own, container, 'stream=1&stdin=1&stdout=1') as reader:
        began = time.monotonic()
        reader.send('\n')
        assert numbers(streams(reader)[0]) == list(range(100000))
        assert time.monotonic() - began < 8, 'nobody waited for the slow one'
        assert numbers(streams(slow)[0]) == list(range(200000)) + list(range(100000))
    assert wait(own, container) == 0


def test_websocket(daemon):
    container = run(daemon, 'sh', '-c', 'echo out; read x; echo "got $x"', OpenStdin=True)
    wait_for(lambda: logs(daemon, container) == b'out\n', 'the first line is in the log')
    with WebSocket(daemon, container, LOGS) as ws:
        assert ws.frame() == (BINARY, b'out\n')
        assert ws.say('more\n').output() == b'got more\n'


def test_bus(daemon, bus):
    container = run(daemon, 'sh', '-c', 'echo out; read x; echo "got $x"', OpenStdin=True)
    wait_for(lambda: logs(daemon, container) == b'out\n', 'the first line is in the log')
    with attach_bus(bus, container, Logs=True, Raw=True) as stream:
        assert stream.recv(100) == b'out\n'
        stream.send(b'more\n')
        assert read_all(stream) == b'got more\n'


def test_bus_driver_that_cannot_be_read(daemon, bus):
    container = create(daemon, 'sleep', '60', host={'LogConfig': {'Type': 'none'}, 'NetworkMode': 'none'})
    with pytest.raises(FaceError) as e:
        attach_bus(bus, container, Logs=True)
    assert 'configured logging driver does not support reading' in str(e.value)


def test_vanish_and_kill(own):
    """Those who leave while they read, and a daemon that is killed: nothing stays behind."""
    container = create(own, 'sh', '-c', COUNT.format(n=100000) + '; sleep 60')
    start(own, container)
    wait_for(lambda: last_line(own, container) == b'99999\n', 'all is in the log')
    monitor = monitor_of(own, container)
    before, before_monitor = fds(own.process.pid), fds(monitor)
    for number in range(60):
        with attach(own, container, LOGS) as wire:
            if number % 2:
                frame(wire)
    wait_for(lambda: fds(own.process.pid) <= before and fds(monitor) <= before_monitor, 'all descriptors are given back')
    with attach(own, container, LOGS) as wire:
        frame(wire)
        own.kill(signal.SIGKILL)
        while wire.file.read(65536):
            pass
    wait_for(lambda: fds(monitor) <= before_monitor, 'the monitor has given it back')
    own.start()
    assert state(own, container)['Running']
