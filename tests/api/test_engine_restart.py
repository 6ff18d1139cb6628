# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon goes away, in any way, at any moment: no container notices, and afterwards the state is true."""

import os
import random
import shutil
import signal
import threading
import time

import pytest

from common.processes import is_over
from engine import create, is_gone, leftovers, logs, make_daemon, monitor_of, run, start, state, wait, wait_for, wait_gone

# pylint: disable=redefined-outer-name

KILLS = int(os.environ.get('STAUER_KILLS', '12'))


@pytest.fixture
def d(tmp_path):
    daemon = make_daemon(tmp_path)
    yield daemon
    if daemon.process is None or daemon.process.poll() is not None:
        daemon.start()
    for c in daemon.get('/containers/json?all=1').json:
        daemon.delete(f'/containers/{c["Id"]}?force=1')
    wait_for(lambda: not leftovers(daemon), 'nothing is left')
    daemon.end()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_containers_run_on(d, number):
    c = run(d, 'sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done', name='counter')
    before = state(d, c)
    d.kill(number)
    time.sleep(0.3)
    d.start()
    after = state(d, 'counter')
    assert after['Running'] and after['Pid'] == before['Pid'] and after['StartedAt'] == before['StartedAt']
    assert d.post(f'/containers/{c}/stop?t=0').status == 204
    numbers = [int(n) for n in logs(d, c).split()]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 20


def test_a_label_does_not_make_it_a_step_of_a_build(d):
    """Images are hostile, and their labels are the container's: what a killed build has left is known by other means."""
    c = create(d, 'true', name='mine', Labels={'org.stauer.build': 'x'})
    d.kill()
    d.start()
    assert wait(d, run(d, 'true')) == 0                          # a removal begun at the start would be through by now
    assert state(d, c)['Status'] == 'created'


def test_exit_while_away(d):
    c = run(d, 'sh', '-c', 'sleep 0.4; exit 6')
    d.kill()
    time.sleep(0.8)
    d.start()
    s = state(d, c)
    assert (s['Status'], s['ExitCode']) == ('exited', 6)
    assert wait(d, c) == 6


def test_auto_remove_while_away(d):
    c = run(d, 'sleep', '0.3', host={'AutoRemove': True})
    d.kill()
    time.sleep(0.6)
    d.start()
    wait_gone(d, c)


def test_monitor_lost_while_away(d):
    c = run(d, 'sleep', '1000')
    pid = state(d, c)['Pid']
    time.sleep(0.3)                   # the fake systemd looks at /proc now and then
    d.kill()
    os.kill(monitor_of(d, c), signal.SIGKILL)
    d.start()
    assert wait(d, c) == 255
    s = state(d, c)
    assert s['Status'] == 'exited' and 'monitor' in s['Error']
    wait_for(lambda: is_over(pid), 'its process is ended')


def test_another_boot(d):
    """As a reboot: nothing in /run, no process, another boot id on disk."""
    c = run(d, 'sleep', '1000')
    auto = run(d, 'sleep', '1000', host={'AutoRemove': True})
    d.kill()
    for name in (c, auto):
        os.kill(monitor_of(d, name), signal.SIGKILL)
        path = d.data / 'containers' / name / 'container.json'
        text = path.read_text()
        at = text.index('"StartBoot":"') + len('"StartBoot":"')
        path.write_text(text[:at] + 'x' + text[at + 1:])
    shutil.rmtree(d.run / 'containers')
    d.start()
    s = state(d, c)
    assert (s['Status'], s['ExitCode']) == ('exited', 255)
    assert 'host went down' in s['Error']
    assert is_gone(d, auto)


def test_damaged_container_is_put_aside(d):
    good, bad = create(d, 'true', name='good'), create(d, 'true', name='bad')
    d.kill()
    path = d.data / 'containers' / bad / 'container.json'
    path.write_text(path.read_text()[:100])
    d.start()
    assert state(d, good)['Status'] == 'created'
    assert is_gone(d, bad)
    assert (d.data / 'quarantine' / bad / 'container.json').exists()
    assert (d.data / 'layers/vfs' / bad).exists()
    assert f'Container {bad} is damaged' in d.text()
    d.kill(signal.SIGTERM)
    shutil.rmtree(d.data / 'quarantine')
    d.start()
    assert not (d.data / 'layers/vfs' / bad).exists()


def test_damaged_container_that_cannot_be_put_aside(d):
    """Neither it nor its layer, which holds its data, is touched."""
    bad = create(d, 'true', name='bad')
    d.kill()
    path = d.data / 'containers' / bad / 'container.json'
    path.write_text('{')
    (d.data / 'quarantine').write_text('in the way')
    d.start()
    assert path.read_text() == '{'
    assert (d.data / 'layers/vfs' / bad).exists()
    d.kill(signal.SIGTERM)
    (d.data / 'quarantine').unlink()
    shutil.rmtree(path.parent)


@pytest.mark.parametrize('make', [lambda path: path.write_text('x'), lambda path: path.symlink_to('/etc'),
                                  lambda path: path.mkdir(mode=0)])
def test_what_has_the_name_of_a_container_and_is_none(d, make):
    good = create(d, 'true', name='good')
    d.kill()
    path = d.data / 'containers' / ('ef' * 32)
    make(path)
    d.start()
    assert state(d, good)['Status'] == 'created'
    assert not os.path.lexists(path)
    d.kill(signal.SIGTERM)
    shutil.rmtree(d.data / 'quarantine')


def test_half_made_container_leaves_nothing(d):
    d.kill(signal.SIGTERM)
    orphan = 'ab' * 32
    (d.data / 'layers/vfs' / orphan / 'diff').mkdir(parents=True)
    (d.data / 'tmp' / f'container-{orphan}').mkdir()
    d.start()
    assert leftovers(d) == []


def test_unsynced_folder_of_a_container_that_removes_itself(d):
    d.kill(signal.SIGTERM)
    folder = d.data / 'containers' / ('cd' * 32)
    folder.mkdir()
    (folder / 'auto-remove').write_text('')
    (folder / 'container.json').write_text('')
    d.start()
    assert not folder.exists()
    assert not (d.data / 'quarantine').exists()


def test_scope_is_not_there_yet(d):
    """Killed between the launch of the monitor and its scope."""
    d.systemd({'start': 'hang'})
    c = create(d, 'sleep', '1000')
    t = threading.Thread(target=lambda: pytest.raises(Exception, d.post, f'/containers/{c}/start'))
    t.start()
    wait_for(lambda: any(a['call'] == 'start' for a in d.systemd_asked()), 'the scope is asked for')
    d.kill()
    t.join()
    d.systemd({})
    d.start()
    wait_for(lambda: monitor_of(d, c) is None, 'the monitor gives up')
    assert not state(d, c)['Running']
    start(d, c)                       # also when the old scope is not quite gone
    assert state(d, c)['Running']


def worker(d, stop, n):
    """Does all kinds of things, whatever comes of it."""
    rng = random.Random(n)
    mine = []
    while not stop.is_set():
        try:
            what = rng.random()
            if what < 0.4 or not mine:
                name = f'load-{n}-{rng.randrange(10**9)}'
                d.post(f'/containers/create?name={name}', {
                    'Image': 'busybox', 'Cmd': ['sh', '-c', f'echo start; sleep {rng.choice([0, 0.05, 100])}; exit 9'],
                    'HostConfig': {'NetworkMode': 'none', 'AutoRemove': rng.random() < 0.3}}, timeout=5)
                mine.append(name)
                d.post(f'/containers/{name}/start', timeout=5)
            elif what < 0.6:
                d.post(f'/containers/{rng.choice(mine)}/stop?t=0', timeout=5)
            else:
                d.delete(f'/containers/{mine.pop(rng.randrange(len(mine)))}?force=1', timeout=5)
        except OSError:
            time.sleep(0.05)


def test_killed_at_random_moments(d):
    """The counter has a line for each step, whatever happens to the daemon; and everything can be removed afterwards."""
    counter = run(d, 'sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done', name='counter')
    stop = threading.Event()
    threads = [threading.Thread(target=worker, args=(d, stop, n)) for n in range(3)]
    for t in threads:
        t.start()
    rng = random.Random(7)
    try:
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.05, 0.8))
            d.kill()
            d.start()
            assert state(d, counter)['Running']
    finally:
        stop.set()
        for t in threads:
            t.join()
    for c in d.get('/containers/json?all=1').json:
        s = state(d, c['Id'])
        assert s['Status'] in ('created', 'running', 'exited', 'removing')
        if s['Status'] == 'exited':
            assert s['ExitCode'] in (9, 137, 143), s
    assert d.post(f'/containers/{counter}/stop?t=0').status == 204
    numbers = [int(n) for n in logs(d, counter).split()]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 20
