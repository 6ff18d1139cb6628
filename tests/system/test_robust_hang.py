# SPDX-License-Identifier: GPL-2.0-or-later
"""Something hangs: who has to do with it gets a typed error in bounded time, and nobody else notices."""

import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import host
from common.wait import wait_for
from host import main_pid, run
from load import begin, body, check, create, log, monitor_of, state

# pylint: disable=redefined-outer-name

OTHERS = float(os.environ.get('STAUER_OTHERS_SECONDS', '1'))    # what calls take that have nothing to do with it
VICTIM = 10.0                                                   # and those that have
SLACK = 5.0                                                     # a machine that does other things as well


def timed(call, seconds):
    """The answer of a call that must come in time."""
    began = time.monotonic()
    answer = call()
    took = time.monotonic() - began
    assert took < seconds, f'{took:.1f} s'
    return answer


@contextmanager
def stopped(*pids):
    """These processes do not run; those that still live go on afterwards."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


def command(pid):
    try:
        return Path(f'/proc/{pid}/comm').read_text().strip()
    except OSError:                                     # it is gone
        return None


def others_do_not_notice(rest, seconds=None):
    """A life beside it, and each of its calls in time."""
    seconds = seconds or OTHERS + SLACK
    timed(lambda: check(rest.get('/_ping'), 200), OTHERS)
    timed(lambda: check(rest.get('/containers/json?all=1'), 200), OTHERS)
    timed(lambda: check(rest.get('/info'), 200), OTHERS)
    begin(rest, 'beside', 'sh', '-c', 'echo here; exit 3')
    assert timed(lambda: rest.post('/containers/beside/wait'), seconds).json['StatusCode'] == 3
    assert timed(lambda: log(rest, 'beside'), seconds) == 'here\n'
    timed(lambda: check(rest.delete('/containers/beside'), 204), seconds)


@pytest.fixture
def victim(rest):
    """(id, pid of the monitor) of a container that ignores nothing."""
    ident = begin(rest, 'victim', 'sh', '-c', 'echo said; trap "exit 5" TERM; while :; do sleep 0.05; done')
    wait_for(lambda: log(rest, 'victim') == 'said\n', 'it runs')
    return ident, monitor_of(ident)


def test_a_stopped_monitor_holds_up_nobody(rest, victim):
    ident, monitor = victim
    with stopped(monitor):
        # What is known without it
        assert timed(lambda: state(rest, ident), OTHERS)['Running']
        assert timed(lambda: log(rest, ident), OTHERS + SLACK) == 'said\n'
        check(timed(lambda: rest.get(f'/containers/{ident}/stats?stream=0&one-shot=1'), OTHERS + SLACK), 200)
        others_do_not_notice(rest)

        # What needs it
        exec_id = check(rest.post(f'/containers/{ident}/exec', {'Cmd': ['true']}), 201).json['Id']
        answer = timed(lambda: rest.post(f'/exec/{exec_id}/start', {'Detach': True}), VICTIM + SLACK)
        assert answer.status >= 400 and 'does not answer' in answer.message, (answer.status, answer.data)
        others_do_not_notice(rest)
    # It goes on as if nothing had been.
    assert state(rest, ident)['Running']
    check(timed(lambda: rest.post(f'/containers/{ident}/stop?t=10'), VICTIM), 204)
    assert state(rest, ident)['ExitCode'] == 5


@pytest.mark.parametrize('verb', ['stop?t=1', 'kill', 'restart?t=1'])
def test_a_container_with_a_stopped_monitor_can_be_ended(rest, victim, verb):
    ident, monitor = victim
    with stopped(monitor):
        answer = timed(lambda: rest.post(f'/containers/{ident}/{verb}'), VICTIM + SLACK)
        assert answer.status == 204 or (answer.status >= 400 and 'does not answer' in answer.message), (answer.status, answer.data)
        others_do_not_notice(rest)
        check(timed(lambda: rest.delete(f'/containers/{ident}?force=1'), VICTIM + SLACK), 204)
        assert rest.get(f'/containers/{ident}/json').status == 404
        assert set(map(command, host.processes_of(ident))) <= {'stauer-monitor', 'stauer-runtime', None}, 'only its monitor may still clean up'
        wait_for(lambda: not host.processes_of(ident), 'all is dead')


def test_removed_by_force_with_a_stopped_monitor(rest, victim):
    ident, monitor = victim
    with stopped(monitor):
        check(timed(lambda: rest.delete(f'/containers/{ident}?force=1'), VICTIM + SLACK), 204)
        wait_for(lambda: not host.processes_of(ident), 'all is dead')
        others_do_not_notice(rest)


def test_the_daemon_comes_back_beside_a_stopped_monitor(rest, victim):
    ident, monitor = victim
    with stopped(monitor):
        run('systemctl', 'restart', 'stauer.service')
        timed(lambda: rest.keep_asking('GET', '/_ping'), VICTIM)
        others_do_not_notice(rest)
        check(timed(lambda: rest.delete(f'/containers/{ident}?force=1'), VICTIM + SLACK), 204)


def raw(data):
    """A client that has sent this and waits."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect('/run/docker.sock')
    client.sendall(data)
    return client


def test_clients_that_stay_in_the_middle(rest):
    """Half a head, half a body, half an archive, a pipeline that nobody reads."""
    ident = begin(rest, 'writer', 'sh', '-c', 'while :; do echo 0123456789012345678901234567890123456789; done')
    halves = [
        b'GET /containers/json HTTP/1.1\r\nHost: x\r\nX-Half: ',
        b'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"Image": ',
        b'POST /images/load HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n' + b'manifest.json' + bytes(200),
        f'PUT /containers/{ident}/archive?path=/tmp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200\r\nhalf'.encode()
        + bytes(100),
        f'GET /containers/{ident}/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: x\r\n\r\n'.encode(),
        f'GET /containers/{ident}/export HTTP/1.1\r\nHost: x\r\n\r\n'.encode(),
        f'GET /containers/{ident}/stats HTTP/1.1\r\nHost: x\r\n\r\n'.encode(),
        b'GET /events HTTP/1.1\r\nHost: x\r\n\r\n',
    ]
    clients = [raw(half) for half in halves for _ in range(4)]
    try:
        others_do_not_notice(rest)
        assert state(rest, ident)['Running']
        check(timed(lambda: rest.delete(f'/containers/{ident}?force=1'), VICTIM + SLACK), 204)
    finally:
        for client in clients:
            client.close()


def test_an_attached_client_that_never_reads(rest):
    """It holds the output of this container for a while, as a pipe would, and nothing else."""
    command = 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i 01234567890123456789012345678901234567890123456789; done; exit 6'
    create(rest, 'talker', 'sh', '-c', command)
    client = raw(b'POST /containers/talker/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    try:
        assert client.recv(12).startswith(b'HTTP/1.1 101')
        check(rest.post('/containers/talker/start'), 204)
        others_do_not_notice(rest)
        assert timed(lambda: rest.post('/containers/talker/wait'), 40).json['StatusCode'] == 6
    finally:
        client.close()
    assert [int(line.split()[0]) for line in log(rest, 'talker').splitlines()] == list(range(1, 20001))


def test_polkit_does_not_answer(rest):
    """Who must be asked for waits, and is refused by us; root is not asked for."""
    pid = main_pid('polkit.service')
    if not pid:
        run('systemctl', 'start', 'polkit.service')
        pid = main_pid('polkit.service')
    with stopped(pid):
        asking = subprocess.Popen(['setpriv', '--reuid=65534', '--clear-groups',
                                   'busctl', '--timeout=60', '--allow-interactive-authorization=no', 'call', 'org.stauer.Engine1',
                                   '/org/stauer/Engine1', 'org.stauer.Engine1.Manager', 'ListContainers', 'ba{sas}', 'true', '0'],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            others_do_not_notice(rest)
            assert asking.poll() is None, 'it did not wait for polkit'
            _, words = asking.communicate(timeout=40)
            assert asking.returncode != 0 and 'denied' in words.lower(), words
        finally:
            if asking.poll() is None:
                asking.kill()
                asking.wait()
    others_do_not_notice(rest)


@pytest.fixture
def hung(tmp_path):
    """(folder, what mounts FUSE there without a server that serves): what touches it from then on hangs until the server is gone."""
    where = tmp_path / 'hung'
    where.mkdir()
    fd = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
    yield where, lambda: run('mount', '-i', '-t', 'fuse', '-o', f'fd={fd},rootmode=40000,user_id=0,group_id=0', 'hung', where, pass_fds=(fd,))
    os.close(fd)                                        # the kernel answers for it now: not connected
    run('umount', '-l', where, check=False)


def create_hung(rest, where, name='hung'):
    return timed(lambda: rest.post(f'/containers/create?name={name}', {**body('sleep', '1000'), 'HostConfig': {
        'NetworkMode': 'none', 'Mounts': [{'Type': 'bind', 'Source': str(where), 'Target': '/hung'}]}}), VICTIM + SLACK)


def in_background(call):
    """(thread, list that gets the answer and how long it took)"""
    answers = []

    def work():
        began = time.monotonic()
        answers.append(call())
        answers.append(time.monotonic() - began)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, answers


def test_a_file_system_that_never_answers(rest, hung):
    """What touches it gets an error, and nobody else notices. Who wants the container away need not wait for that."""
    where, hang = hung
    check(create_hung(rest, where), 201)
    hang()
    answer = create_hung(rest, where, name='late')
    assert answer.status == 500 and 'does not answer' in answer.message, answer.data
    for verb in ('', 'kill', 'delete'):
        thread, answers = in_background(lambda: rest.post('/containers/hung/start', timeout=90))
        try:
            wait_for(lambda: monitor_of(rest.get('/containers/hung/json').json['Id']), 'its monitor mounts')
            others_do_not_notice(rest)
            if verb == 'kill':
                check(timed(lambda: rest.post('/containers/hung/kill'), VICTIM), 204)
            elif verb == 'delete':
                check(timed(lambda: rest.delete('/containers/hung?force=1'), VICTIM), 204)
        finally:
            thread.join()
        answer, took = answers
        assert answer.status == 500 and ('does not answer' if not verb else 'given up') in answer.message, answer.data
        assert took < (VICTIM if not verb else VICTIM / 2) + SLACK, took
    assert rest.get('/containers/hung/json').status == 404


def test_input_that_nobody_reads(rest):
    """All pipes on the way are full: it stays the client's own trouble."""
    wish = {**body('sleep', '1000'), 'OpenStdin': True}
    ident = check(rest.post('/containers/create?name=deaf', wish), 201).json['Id']
    check(rest.post('/containers/deaf/start'), 204)
    client = raw(b'POST /containers/deaf/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    try:
        assert client.recv(12).startswith(b'HTTP/1.1 101')
        client.setblocking(False)
        sent, stuck = 0, 0
        while stuck < 20:
            try:
                sent += client.send(bytes(65536))
                stuck = 0
            except BlockingIOError:
                stuck += 1
                time.sleep(0.01)                        # until nobody takes anything for a while
        assert sent < 64 << 20
        others_do_not_notice(rest)
        exec_id = check(rest.post(f'/containers/{ident}/exec', {'Cmd': ['true']}), 201).json['Id']
        check(timed(lambda: rest.post(f'/exec/{exec_id}/start', {'Detach': True}), OTHERS + SLACK), 200)
        check(timed(lambda: rest.post('/containers/deaf/stop?t=1'), VICTIM), 204)
    finally:
        client.close()
