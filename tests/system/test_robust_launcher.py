# SPDX-License-Identifier: GPL-2.0-or-later
"""The launcher or a worker dies: who waits for it gets an answer, it is true, and nothing is left."""

import os
import random
import signal
import threading
import time

import pytest

from audit import Audit, layers, temporary_files, workers
from common.images import docker_archive, rootfs_tar
from common.rest import LOST, frames
from common.wait import wait_for
from host import main_pid, run
from load import SEED, Counters, begin, body, create, kill_unit_process, state, wait_running_again

# pylint: disable=redefined-outer-name

def test_the_launcher_is_killed(rest):
    """Whoever starts a container meanwhile gets an answer, and it is true."""
    counters = Counters(rest)
    over = threading.Event()
    answers, failures = [], []

    def client(number):
        turn = 0
        while not over.is_set() and not failures:
            turn += 1
            name = f'launch-{number}-{turn}'
            try:
                create(rest, name, 'sh', '-c', 'exit 4')
                answer = rest.post(f'/containers/{name}/start')
                answers.append(answer.status)
                if answer.status == 204:
                    code = rest.post(f'/containers/{name}/wait').json['StatusCode']
                    assert code == 4, (name, code, state(rest, name))
                else:
                    assert answer.status == 500 and 'launcher' in answer.message, answer.data
                    assert state(rest, name)['Status'] == 'created'
                answer = rest.delete(f'/containers/{name}')
                assert answer.status == 204, answer.data
            except BaseException as e:              # pylint: disable=broad-except
                failures.append(f'{name}: {type(e).__name__} {e}')

    threads = [threading.Thread(target=client, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    rng = random.Random(SEED)
    daemon = main_pid()
    try:
        for _ in range(10):
            time.sleep(rng.uniform(0.05, 0.4))          # the random moment
            run('systemctl', 'reset-failed', 'stauer-launcher.service', check=False)
            old = kill_unit_process('stauer-launcher.service')
            wait_for(lambda: main_pid('stauer-launcher.service') not in (0, old), 'another launcher')   # pylint: disable=cell-var-from-loop
            counters.check()
    finally:
        over.set()
        for t in threads:
            t.join()
    assert not failures, failures
    assert main_pid() == daemon
    assert answers.count(204) > 10
    begin(rest, 'after', 'true')
    counters.end()
    print(f'{answers.count(204)} of {len(answers)} starts done while the launcher was killed 10 times')


@pytest.fixture(scope='module')
def large_archive(tmp_path_factory):
    """A load that takes a moment."""
    path = tmp_path_factory.mktemp('images') / 'large.tar'
    noise = random.Random(1)
    files = [(f'noise-{n}', noise.randbytes(4 << 20)) for n in range(20)]
    docker_archive(path, 'large:latest', layers=[rootfs_tar(), rootfs_tar(files)])
    return path


def loading(rest, data, result):
    try:
        result.append(rest.post('/images/load', data))
    except LOST as e:
        result.append(e)


def begin_load(rest, data):
    """A load under way and the worker that does it."""
    result = []
    thread = threading.Thread(target=loading, args=(rest, data, result))
    thread.start()
    worker = wait_for(lambda: workers('load'), 'a worker that loads', step=0.001)[0]
    return thread, result, worker


def test_a_worker_is_killed_while_it_loads(rest, large_archive):
    before = Audit()
    data = large_archive.read_bytes()
    rng = random.Random(SEED)
    killed = 0
    for _ in range(20):
        thread, result, worker = begin_load(rest, data)
        time.sleep(rng.uniform(0, 0.3))                 # the random moment
        try:
            os.kill(worker, signal.SIGKILL)
        except ProcessLookupError:                      # it was quicker than we
            thread.join()
            assert rest.delete('/images/large?force=1').status in (200, 404)
            continue
        thread.join()
        if b'Loaded image' in result[0].data:           # its last word was out already
            assert rest.delete('/images/large?force=1').status == 200
            continue
        assert b'error' in result[0].data, result[0].data[:500]
        assert rest.get('/images/large/json').status == 404
        wait_for(lambda: not before.findings(), lambda: before.findings())
        killed += 1
        if killed == 4:
            break
    assert killed >= 2

    # The same with the daemon: its worker does not go on alone.
    thread, result, worker = begin_load(rest, data)
    old = kill_unit_process()
    thread.join()
    wait_running_again(rest, old)
    wait_for(lambda: not workers(), 'the worker has ended')
    assert rest.get('/images/large/json').status == 404
    wait_for(lambda: not before.layers ^ layers() and not temporary_files(),
             lambda: f'{before.layers ^ layers()} {temporary_files()}')

    answer = rest.post('/images/load', data)
    assert b'Loaded image: large:latest' in answer.data
    assert rest.post('/containers/create?name=large', {**body('cat', '/noise-0'), 'Image': 'large'}).status == 201
    assert rest.post('/containers/large/start').status == 204
    assert rest.post('/containers/large/wait').json['StatusCode'] == 0
    assert sum(len(part) for _, part in frames(rest.get('/containers/large/logs?stdout=1').data)) > 1 << 20
    assert rest.delete('/containers/large').status == 204
    assert rest.delete('/images/large').status == 200
