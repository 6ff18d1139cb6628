# SPDX-License-Identifier: GPL-2.0-or-later
"""What test_rest_streams, test_attach and test_stats ask of REST, asked of D-Bus: callers that leave early, read slowly, send half; streams that
end; figures of what does not run. test_twins.py says which is whose twin."""

import json
import os
import signal
import socket
import time

import dbus
import pytest
from engine import create, logs, run, start, state, wait
from faces import CONTAINER, JOB, NAME, BusFace, FaceError, frames
from private_bus import wait_for
from streams import frame as read_frame, frames as read_frames
from test_rest_streams import memory, open_fds, settle
from test_stats import FIELDS, NEVER, changes

from common.wait import names_below


def pipe(bus, container, **options):
    values = {name: dbus.Int64(value) if isinstance(value, int) and not isinstance(value, bool) else value for name, value in options.items()}
    return os.fdopen(bus.container(container, 'GetLogs', 'a{sv}', dbus.Dictionary(values, signature='sv')).take(), 'rb')


def attach(bus, container, **options):
    stream = socket.socket(fileno=bus.container(container, 'Attach', 'a{sv}', dbus.Dictionary(options, signature='sv')).take())
    stream.settimeout(20)
    return stream


def send(face, container, method, signature='', *args):
    """A call whose answer nobody waits for."""
    path = face.manager('GetContainer', 's', container)
    face.bus.call_async(NAME, path, CONTAINER, method, signature, args, lambda *_: None, lambda *_: None)
    face.bus.flush()


def torrent(daemon, lines, **more):
    identity = run(daemon, 'sh', '-c', f'yes {"x" * 99} | head -n {lines}', **more)
    wait(daemon, identity)
    return identity


# ---- who leaves ----

@pytest.mark.parametrize('method, signature, args', [('Wait', 's', ('',)), ('Wait', 's', ('removed',)), ('Stop', 't', (60000000,))])
def test_caller_leaves(daemon, method, signature, args):
    identity = run(daemon, 'sleep', '60')
    before = open_fds(daemon)
    for _ in range(5):
        face = BusFace(daemon)
        send(face, identity, method, signature, *args)
        face.close()
    settle(daemon, before)
    assert daemon.get('/_ping').status == 200
    daemon.post(f'/containers/{identity}/kill')


def test_follower_leaves(daemon, bus):
    identity = run(daemon, 'sleep', '60')
    before = open_fds(daemon)
    pipes = [pipe(bus, identity, Follow=True) for _ in range(10)]
    assert open_fds(daemon) > before
    for one in pipes:
        one.close()
    settle(daemon, before)


def test_subscribers_leave(daemon):
    listeners = daemon.get('/info').json['NEventsListener']
    for _ in range(10):
        BusFace(daemon).close()
    wait_for(lambda: daemon.get('/info').json['NEventsListener'] == listeners, 'nobody listens any more')


def test_verb_goes_on_without_its_caller(daemon):
    identity = run(daemon, 'sh', '-c', 'trap "echo ending; sleep 0.3; exit 4" TERM; echo ready; while :; do sleep 0.05; done')
    wait_for(lambda: b'ready' in logs(daemon, identity), 'the trap is set')
    face = BusFace(daemon)
    send(face, identity, 'Stop', 't', 20000000)
    wait_for(lambda: b'ending' in logs(daemon, identity), 'it is being stopped')
    face.close()
    wait_for(lambda: state(daemon, identity)['Status'] == 'exited', 'it was stopped')
    assert state(daemon, identity)['ExitCode'] == 4


def test_caller_leaves_during_create(daemon):
    before = open_fds(daemon)
    body = json.dumps({'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none'}})
    for number in range(10):
        face = BusFace(daemon)
        face.bus.call_async(NAME, '/org/stauer/Engine1', f'{NAME}.Manager', 'CreateContainerFromJSON', 'ss', (f'left{number}', body),
                            lambda *_: None, lambda *_: None)
        face.bus.flush()
        face.close()
    settle(daemon, before)
    assert daemon.get('/_ping').status == 200


# ---- archives that come through a pipe ----

def load(bus, data, end=True):
    """LoadImage from a pipe: the job, and the end that we write to."""
    reader, writer = os.pipe()
    try:
        job = bus.manager('LoadImage', 'h', dbus.types.UnixFd(reader))
    finally:
        os.close(reader)
    file = os.fdopen(writer, 'wb')
    file.write(data)
    file.flush()
    if end:
        file.close()
    return job, file


@pytest.mark.parametrize('part', [0, 1000])
def test_load_half_sent(daemon, archive, bus, part):
    before = open_fds(daemon)
    for _ in range(2):
        job, _ = load(bus, archive[0].read_bytes()[:part])
        with pytest.raises(FaceError):
            bus.job(job)
    settle(daemon, before)
    assert len(daemon.get('/images/json').json) == 1
    wait_for(lambda: names_below(daemon.data / 'tmp') <= {'empty', 'lock', 'root', 'trash'},
             lambda: f'nothing is left of them: {names_below(daemon.data / "tmp")}')


def test_load_slowly_and_many(daemon, archive, bus):
    """More than there are workers: those that wait are done in the end, and one that is given up goes."""
    data = archive[0].read_bytes()
    jobs = [load(bus, data[:1000], end=False) for _ in range(6)]
    _, given_up = jobs[-1]
    bus.call(jobs[-1][0], JOB, 'Cancel')
    given_up.close()
    for _, file in jobs[:-1]:
        file.write(data[1000:])
        file.close()
    for job, _ in jobs[:-1]:
        assert bus.job(job) == ['Loaded image: busybox:latest']


# ---- logs ----

def test_slow_reader(daemon, bus):
    lines = 100_000
    identity = torrent(daemon, lines, host={'LogConfig': {'Type': 'json-file', 'Config': {'max-size': '100m'}}})
    before = memory(daemon)
    with pipe(bus, identity) as log:
        time.sleep(0.3)
        assert daemon.get('/_ping').status == 200
        assert memory(daemon) - before < 8 * 1024 * 1024
        assert log.read() == (b'x' * 99 + b'\n') * lines


def test_slow_reader_leaves(daemon, bus):
    identity = torrent(daemon, 50000)
    before = open_fds(daemon)
    for one in [pipe(bus, identity) for _ in range(10)]:
        one.close()
    settle(daemon, before)


def test_follow_ends_with_the_container(daemon, bus):
    identity = run(daemon, 'sh', '-c', 'echo one; sleep 0.2; echo two; sleep 0.2; echo err >&2')
    with pipe(bus, identity, Follow=True, Frames=True) as log:
        assert frames(log.read()) == [(1, 'one\n'), (1, 'two\n'), (2, 'err\n')]


def test_follow_ends_with_removal(daemon, bus):
    identity = run(daemon, 'sh', '-c', 'echo one; exec sleep 60')
    wait_for(lambda: logs(daemon, identity) == b'one\n', 'it has written')
    with pipe(bus, identity, Follow=True) as log:
        bus.container(identity, 'Remove', 'bb', True, False)
        assert log.read() == b'one\n'


def test_details(daemon, bus):
    identity = run(daemon, 'echo', 'x', Labels={'team': 'a b,c=d'},
                   host={'LogConfig': {'Type': 'json-file', 'Config': {'labels': 'team'}}})
    wait(daemon, identity)
    with pipe(bus, identity, Details=True) as log:
        assert log.read() == b'team=a+b%2Cc%3Dd x\n'


# ---- events ----

def test_events_to_one_who_does_not_read(daemon):
    deaf = BusFace(daemon)
    for number in range(30):
        create(daemon, 'true', name=f'news{number}', Labels={'text': 'x' * 30000})
    assert daemon.get('/_ping').status == 200
    wait_for(lambda: (deaf.pump(), sum(1 for s in deaf.signals if s[2] == 'Event' and s[3][1] == 'create') == 30)[1], 'he reads, and has all')
    deaf.close()


def test_replay_of_more_than_fits(daemon, bus):
    """One answer has a limit, and is one all the same."""
    began = time.time()
    for number in range(5):
        daemon.delete(f'/containers/{create(daemon, "true", name=f"large{number}", Labels={"x": "x" * 1_000_000})}')
    seen = bus.events(since=began)
    assert seen and {kind for kind, *_ in seen} == {'container'}
    assert daemon.get('/_ping').status == 200


# ---- attach ----

def test_attached_streams_are_chosen(daemon, bus):
    container = create(daemon, 'sh', '-c', 'echo out; echo err >&2')
    with attach(bus, container, Stdin=False, Stdout=False, Stderr=True) as stream:
        start(daemon, container)
        assert read_frames(stream.makefile('rb')) == (b'', b'err\n')


def test_failed_start_ends_the_stream(daemon, bus):
    container = create(daemon, '/does/not/exist')
    with attach(bus, container) as stream:
        start(daemon, container, status=400)
        assert read_frame(stream.makefile('rb')) is None


def test_removal_ends_a_waiting_client(daemon, bus):
    container = create(daemon, 'cat')
    with attach(bus, container) as stream:
        bus.container(container, 'Remove', 'bb', False, False)
        assert read_frame(stream.makefile('rb')) is None


@pytest.mark.parametrize('what, kind', [('nobody', 'NotFound'), ('paused', 'Conflict')])
def test_attach_errors(daemon, bus, what, kind):
    container = 'nobody' if what == 'nobody' else run(daemon, 'sleep', '60')
    if what == 'paused':
        bus.container(container, 'Pause')
    with pytest.raises(FaceError) as info:
        attach(bus, container)
    assert info.value.kind == kind
    assert {'nobody': 'No such container: nobody', 'paused': 'is paused, unpause the container before attach'}[what] in info.value.text


def test_two_clients_and_one_ends_its_input(daemon, bus):
    container = run(daemon, 'cat', OpenStdin=True)
    with attach(bus, container) as one, attach(bus, container) as two:
        first, second = one.makefile('rb'), two.makefile('rb')
        one.sendall(b'one\n')
        one.shutdown(socket.SHUT_WR)
        assert read_frame(first) == read_frame(second) == (1, b'one\n')
        two.sendall(b'two\n')
        assert read_frame(first) == read_frame(second) == (1, b'two\n')
    assert state(daemon, container)['Running']


def test_stream_survives_the_daemon(own):
    container, face = run(own, 'cat', OpenStdin=True), BusFace(own)
    with attach(face, container) as stream:
        file = stream.makefile('rb')
        stream.sendall(b'before\n')
        assert read_frame(file) == (1, b'before\n')
        own.kill(signal.SIGKILL)
        stream.sendall(b'without\n')
        assert read_frame(file) == (1, b'without\n')
        own.start()
        own.post(f'/containers/{container}/kill')
        assert read_frame(file) is None
    face.close()


def test_clients_that_vanish_leave_nothing(own):
    container, face = run(own, 'cat', OpenStdin=True), BusFace(own)
    with attach(face, container):
        before = open_fds(own)
    for _ in range(60):
        attach(face, container).close()
    wait_for(lambda: open_fds(own) <= before, 'the daemon has given back all descriptors')
    face.close()


# ---- figures ----

def test_figures_of_what_does_not_run(daemon, bus):
    identity = create(daemon, 'true', name='idle')
    v = json.loads(bus.container('idle', 'GetStats'))
    assert set(v) == FIELDS and v['id'] == identity and v['read'] == v['preread'] == NEVER
    assert v['memory_stats'] == v['pids_stats'] == {} and 'system_cpu_usage' not in v['cpu_stats']
    with pytest.raises(FaceError) as info:
        bus.container('nobody', 'GetStats')
    assert (info.value.kind, info.value.text) == ('NotFound', 'No such container: nobody')


def test_figures_come_alive_and_end(daemon, bus):
    identity = create(daemon, 'sleep', '100', name='later')
    bus.manager('SubscribeStats', 'as', ['later'])
    start(daemon, identity)
    wait_for(lambda: any(row[0] == identity for rows in changes(bus) for row in rows), 'figures')
    assert daemon.delete(f'/containers/{identity}?force=1').status == 204
    bus.pump()
    bus.signals.clear()
    run(daemon, 'sleep', '100', name='busy')
    assert daemon.get('/containers/busy/stats?stream=0').status == 200       # two looks later
    assert not [row for rows in changes(bus) for row in rows if row[0] == identity]
    bus.manager('UnsubscribeStats')
