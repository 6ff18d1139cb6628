# SPDX-License-Identifier: GPL-2.0-or-later
"""Restart policies: who starts again, after which pause, what a person's stop means, and what a kill -9 of the daemon changes."""

import json
import time

import pytest
from common.processes import is_over
from engine import create, make_daemon, run, start, state, wait
from faces import BusFace, RestFace
from private_bus import wait_for
from test_faces_containers import body


@pytest.fixture(scope='module')
def d(tmp_path_factory):
    folder = tmp_path_factory.mktemp('policy')
    folder.chmod(0o755)
    daemon = make_daemon(folder)
    yield daemon
    daemon.end()


def policy(name, count=0):
    return {'RestartPolicy': {'Name': name, 'MaximumRetryCount': count}}


def inspect(d, container):
    return d.get(f'/containers/{container}/json').json


def count(d, container):
    return inspect(d, container)['RestartCount']


def events(d, container, since):
    answer = d.get(f'/events?since={since}&until={time.time()}&filters={{"container":["{container}"]}}')
    return [json.loads(line) for line in answer.data.splitlines()]


def remove(d, *containers):
    for container in containers:
        assert d.delete(f'/containers/{container}?force=1').status == 204


def test_on_failure_gives_up(d):
    since = time.time()
    container = run(d, 'sh', '-c', 'exit 3', host=policy('on-failure', 2))
    wait_for(lambda: count(d, container) == 2 and state(d, container)['Status'] == 'exited', 'it gives up')
    assert state(d, container)['ExitCode'] == 3
    actions = [e['Action'] for e in events(d, container, since)]
    assert actions == ['create', 'start', 'die', 'start', 'die', 'start', 'die']
    start(d, container)
    assert count(d, container) <= 2
    remove(d, container)


def test_on_failure_of_success(d):
    container = run(d, 'true', host=policy('on-failure'))
    assert wait(d, container) == 0
    assert state(d, container)['Status'] == 'exited' and count(d, container) == 0
    remove(d, container)


def test_the_pause_doubles(d):
    since = time.time()
    container = run(d, 'sh', '-c', 'exit 1', host=policy('always'))
    wait_for(lambda: count(d, container) >= 4, 'some restarts')
    now = inspect(d, container)
    rows = [(e['Action'], e['timeNano'] / 1e9) for e in events(d, container, since) if e['Action'] in ('die', 'start')]
    gaps = [b[1] - a[1] for a, b in zip(rows, rows[1:]) if a[0] == 'die']
    for number, gap in enumerate(gaps[:3]):
        assert gap >= 0.095 * 2 ** number, gaps
    wait_for(lambda: state(d, container)['Status'] == 'restarting', 'it waits')
    now = inspect(d, container)
    assert now['State']['Running'] and now['State']['Restarting'] and now['State']['Pid'] == 0, now['State']
    assert now['State']['ExitCode'] in (0, 1)
    row = [r for r in d.get('/containers/json').json if r['Id'] == container][0]
    assert row['State'] in ('restarting', 'running')
    remove(d, container)


@pytest.fixture(params=['rest', 'bus'])
def face(request, d):
    if request.param == 'rest':
        yield RestFace(d)
        return
    bus = BusFace(d)
    yield bus
    bus.close()


def waiting(face, name):
    """One whose next start is far away."""
    face.create(name, body('sh', '-c', 'exit 1', host=policy('always')))
    face.start(name)
    wait_for(lambda: face.inspect(name)['RestartCount'] >= 4 and face.inspect(name)['State']['Status'] == 'restarting',
             'a long pause')


@pytest.mark.parametrize('verb', ['stop', 'kill'])
def test_stop_and_kill_end_the_pause(face, verb):
    waiting(face, 'loops')
    getattr(face, verb)('loops')
    assert face.inspect('loops')['State']['Status'] == 'exited'
    assert face.wait('loops') == 1
    face.start('loops')                                          # and counting begins anew
    assert face.inspect('loops')['RestartCount'] <= 2
    face.remove('loops', force=True)


def test_verbs_during_the_pause(face):
    waiting(face, 'loops')
    identity = face.inspect('loops')['Id']
    for verb in (face.pause,):
        with pytest.raises(Exception, match=f'Container {identity} is restarting, wait until the container is running'):
            verb('loops')
    with pytest.raises(Exception) as info:
        face.start('loops')
    assert info.value.kind == 'NotModified'
    with pytest.raises(Exception, match='cannot remove container "/loops": container is restarting: stop the container before'):
        face.remove('loops')
    face.restart('loops')
    assert face.inspect('loops')['RestartCount'] <= 2
    face.remove('loops', force=True)


def test_not_running_is_told_at_each_exit(d):
    container = run(d, 'sh', '-c', 'sleep 0.3; exit 5', host=policy('always'))
    for _ in range(3):
        assert wait(d, container) == 5
    remove(d, container)


def test_any_signal_ends_the_policy_of_one_without_stop_signal(d):
    container = run(d, 'sleep', '1000', host=policy('always'))
    d.post(f'/containers/{container}/kill?signal=HUP')
    wait_for(lambda: state(d, container)['Status'] == 'exited', 'it is over')
    remove(d, container)


def test_another_signal_than_the_stop_signal_does_not(d):
    container = run(d, 'sleep', '1000', host=policy('always'), StopSignal='TERM')
    d.post(f'/containers/{container}/kill?signal=HUP')
    wait_for(lambda: count(d, container) == 1 and state(d, container)['Status'] == 'running', 'it goes on')
    assert d.post(f'/containers/{container}/stop').status == 204
    assert state(d, container)['Status'] == 'exited'
    remove(d, container)


def test_a_start_that_cannot_work_is_not_tried_again(d):
    container = create(d, '/nowhere', host=policy('always'))
    start(d, container, 400)
    assert state(d, container)['Status'] == 'created' and count(d, container) == 0
    remove(d, container)


def test_daemon_restart(own):
    """Docker's question at the daemon's start, asked after a kill -9."""
    waits = run(own, 'sh', '-c', 'exit 1', host=policy('always'))
    wait_for(lambda: count(own, waits) >= 4 and state(own, waits)['Status'] == 'restarting', 'a long pause')
    counted = count(own, waits)
    always = run(own, 'sleep', '1000', host=policy('always'))
    unless = run(own, 'sleep', '1000', host=policy('unless-stopped'))
    failed = run(own, 'sh', '-c', 'sleep 0.1; exit 1', host=policy('on-failure', 1))
    plain = run(own, 'sleep', '1000')
    for container in (always, unless, plain):
        assert own.post(f'/containers/{container}/stop?t=0').status == 204
    wait_for(lambda: count(own, failed) == 1 and state(own, failed)['Status'] == 'exited', 'it gave up')
    never = create(own, 'sleep', '1000', host=policy('always'))
    lives = run(own, 'sleep', '1000', host=policy('unless-stopped'))
    ends = run(own, 'sleep', '2', host=policy('unless-stopped'))

    pid = state(own, ends)['Pid']
    own.kill()
    wait_for(lambda: is_over(pid), 'it ends while nobody looks')
    own.start()
    wait_for(lambda: state(own, always)['Status'] == 'running', 'always means always')
    wait_for(lambda: state(own, ends)['Status'] == 'running', 'its exit was seen late')
    wait_for(lambda: count(own, waits) > counted, 'the pause goes on')
    assert state(own, unless)['Status'] == 'exited'
    assert state(own, failed)['Status'] == 'exited'
    assert state(own, plain)['Status'] == 'exited'
    assert state(own, never)['Status'] == 'created'
    assert state(own, lives)['Status'] == 'running' and count(own, lives) == 0


def test_many_at_the_daemons_start(own):
    """They stand in a queue: never more than a few at a time."""
    containers = [run(own, 'sleep', '1000', host=policy('always')) for _ in range(30)]
    for container in containers:
        own.post(f'/containers/{container}/kill')
    own.kill()
    own.start()
    wait_for(lambda: len(own.get('/containers/json?filters={"status":["running"]}').json) == 30, 'all run again', 60)
    assert all(count(own, container) == 0 for container in containers)
