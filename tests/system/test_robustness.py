# SPDX-License-Identifier: GPL-2.0-or-later
"""Something dies, at any moment: no container notices that need not, nothing that was answered is lost, nothing is left."""

import os
import random
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest

import host
from audit import Audit, layers, proportional, resident, temporary_files, workers
from common.images import docker_archive, rootfs_tar
from common.rest import LOST, Rest, frames
from common.wait import wait_for
from host import main_pid, run, stauer

# pylint: disable=redefined-outer-name

KILLS = int(os.environ.get('STAUER_KILLS', '50'))
SEED = int(os.environ.get('STAUER_SEED', '20261124'))
MANY = int(os.environ.get('STAUER_MANY', '200'))

UNIT = 'stauer.service'

COUNTER = "trap 'echo end $i; exit 42' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"


@pytest.fixture
def rest(busybox):
    """Nothing there before, the same there afterwards."""
    assert busybox == 'busybox'
    run('systemctl', 'reset-failed', UNIT, check=False)
    host.remove_all()
    wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')
    run('systemctl', 'restart', UNIT)
    rest = Rest()
    one_run(rest)
    audit = Audit()
    yield rest
    run('systemctl', 'reset-failed', UNIT, check=False)
    host.remove_all()
    one_run(rest)
    wait_for(lambda: not audit.findings(), lambda: f'all is as it was: {audit.findings()}', timeout=10)


def body(*command, driver='json-file', **host_config):
    return {'Image': 'busybox', 'Cmd': list(command),
            'HostConfig': {'NetworkMode': 'none', 'LogConfig': {'Type': driver, 'Config': {}}, **host_config}}


def create(rest, name, *command, **more):
    answer = rest.post(f'/containers/create?name={name}', body(*command, **more))
    assert answer.status == 201, answer.data
    return answer.json['Id']


def begin(rest, name, *command, **more):
    ident = create(rest, name, *command, **more)
    answer = rest.post(f'/containers/{ident}/start')
    assert answer.status == 204, answer.data
    return ident


def state(rest, name):
    answer = rest.keep_asking('GET', f'/containers/{name}/json')
    assert answer.status == 200, answer.data
    return answer.json['State']


def log(rest, name):
    answer = rest.keep_asking('GET', f'/containers/{name}/logs?stdout=1&stderr=1')
    assert answer.status == 200, answer.data
    return b''.join(data for _, data in frames(answer.data)).decode()


def one_run(rest):
    """Connections are made when they are needed: after this they all are."""
    begin(rest, 'one-run', 'true')
    assert rest.post('/containers/one-run/wait').json['StatusCode'] == 0
    assert rest.delete('/containers/one-run').status == 204
    wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')


def kill_unit_process(unit=UNIT):
    pid = main_pid(unit)
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return pid


def wait_running_again(rest, old):
    rest.keep_asking('GET', '/_ping')
    return wait_for(lambda: main_pid() not in (0, old) and main_pid(), 'another stauerd')


# The load: each of its scenarios knows what has been answered and asserts that it stays true.

class Life:
    """One container and what its client knows about it."""

    def __init__(self, rest, name):
        self.rest, self.name, self.history = rest, name, []

    def note(self, *words):
        self.history.append(' '.join(str(w) for w in words))

    def why(self, what):
        return f'{self.name}: {what}; {self.history}'

    def state(self):
        """None: there is no such container."""
        answer = self.rest.keep_asking('GET', f'/containers/{self.name}/json')
        assert answer.status in (200, 404), self.why(answer.data)
        return answer.json['State'] if answer.status == 200 else None

    def create(self, *command, **more):
        while True:
            try:
                answer = self.rest.post(f'/containers/create?name={self.name}', body(*command, **more))
            except LOST:
                self.note('create: no answer')
                if self.state():
                    return
                continue
            assert answer.status == 201, self.why(answer.data)
            self.note('created')
            assert self.state()['Status'] == 'created', self.why('not there as created')
            return

    def start(self):
        """Until it is or was running."""
        while True:
            try:
                answer = self.rest.post(f'/containers/{self.name}/start')
            except LOST:
                self.note('start: no answer')
                now = self.state()
                if now is None:                         # it removes itself
                    return
                self.note(now['Status'], now['Error'])
                assert now['Status'] in ('created', 'running', 'exited'), self.why('half started')
                if now['Status'] == 'created':
                    continue
                return
            assert answer.status in (204, 304), self.why(answer.data)
            self.note('started', answer.status)
            return

    def wait(self):
        while True:
            try:
                answer = self.rest.post(f'/containers/{self.name}/wait')
                assert answer.status == 200, self.why(answer.data)
                return answer.json['StatusCode']
            except LOST:
                self.note('wait: no answer')

    def stop(self, how='stop?t=20'):
        while True:
            try:
                answer = self.rest.post(f'/containers/{self.name}/{how}')
                assert answer.status in (204, 304) or 'is not running' in answer.message, self.why(answer.data)
                self.note(how, answer.status)
                if how.startswith('stop'):
                    assert self.state()['Status'] == 'exited', self.why('an answered stop')
                return
            except LOST:
                self.note(how, 'no answer')

    def remove(self, force=False):
        while True:
            try:
                answer = self.rest.delete(f'/containers/{self.name}?force={int(force)}')
                assert answer.status in (204, 404) or 'already in progress' in answer.message, self.why(answer.data)
                self.note('removed', answer.status)
                if answer.status != 409:
                    assert self.state() is None, self.why('an answered removal')
                    return
            except LOST:
                self.note('remove: no answer')
                if self.state() is None:
                    return


def one_that_ends(life, rng):
    n = rng.randrange(1, 400)
    driver = rng.choice(['json-file', 'json-file', 'journald'])
    life.create('sh', '-c', f'i=0; while [ $i -lt {n} ]; do i=$((i+1)); echo $i; done; exit 7', driver=driver)
    life.start()
    assert life.wait() == 7, life.why(life.state())
    now = life.state()
    assert (now['Status'], now['ExitCode'], now['Error']) == ('exited', 7, ''), life.why(now)
    text = log(life.rest, life.name)
    assert text.split() == [str(i + 1) for i in range(n)], life.why(f'{driver}: {len(text.split())} lines of {n}')
    life.remove()


def one_that_is_stopped(life, rng):
    life.create('sh', '-c', 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.02; done')
    life.start()
    wait_for(lambda: 'ready' in log(life.rest, life.name), lambda: life.why(f'ready {life.state()}'))
    if rng.random() < 0.5:
        life.stop()
        expected, text = 5, 'ready\nbye\n'
    else:
        life.stop('kill')
        expected, text = 137, 'ready\n'
    assert life.wait() == expected, life.why(life.state())
    assert life.state()['ExitCode'] == expected, life.why(life.state())
    assert log(life.rest, life.name) == text, life.why(log(life.rest, life.name))
    life.remove()


def one_that_is_removed(life, rng):
    life.create('sleep', '1000')
    if rng.random() < 0.8:
        life.start()
        assert life.state()['Status'] == 'running', life.why(life.state())
    life.remove(force=True)


def one_that_removes_itself(life, _):
    life.create('sh', '-c', 'exit 3', AutoRemove=True)
    life.start()
    wait_for(lambda: life.state() is None, lambda: life.why(f'is gone {life.state()}'))


def one_that_cannot_start(life, _):
    life.create('/nowhere')
    try:
        answer = life.rest.post(f'/containers/{life.name}/start')
        assert answer.status == 400 and 'no such file' in answer.message, life.why(answer.data)
        assert life.state()['ExitCode'] == 127, life.why(life.state())
    except LOST:
        life.note('start: no answer')
    wait_for(lambda: life.state()['Status'] == 'created', lambda: life.why(life.state()))
    life.remove()


SCENARIOS = (one_that_ends, one_that_is_stopped, one_that_is_removed, one_that_removes_itself, one_that_cannot_start)


class Load:
    """Clients that go on whatever happens; what one of them finds wrong is kept."""

    def __init__(self, rest, n=4):
        self.over = threading.Event()
        self.failures, self.done = [], 0
        self.threads = [threading.Thread(target=self._work, args=(rest, k)) for k in range(n)]
        for t in self.threads:
            t.start()

    def _work(self, rest, number):
        rng = random.Random(SEED + number)
        turn = 0
        while not self.over.is_set() and not self.failures:
            turn += 1
            life = Life(rest, f'load-{number}-{turn}')
            try:
                rng.choice(SCENARIOS)(life, rng)
                self.done += 1
            except BaseException as e:              # pylint: disable=broad-except
                self.failures.append(f'{type(e).__name__}: {e} {life.history}')

    def end(self):
        self.over.set()
        for t in self.threads:
            t.join()
        assert not self.failures, '\n'.join(self.failures)


class Counters:
    """Containers that write a line after the other and never stop by themselves."""

    def __init__(self, rest):
        self.rest = rest
        self.names = {'count-file': 'json-file', 'count-journal': 'journald', 'count-rotated': 'json-file'}
        for name, driver in self.names.items():
            config = {}
            if name == 'count-rotated':
                config = {'LogConfig': {'Type': driver, 'Config': {'max-size': '10k', 'max-file': '1000'}}}
            begin(rest, name, 'sh', '-c', COUNTER, driver=driver, **config)
        self.begun = {name: self._of(name) for name in self.names}

    def _of(self, name):
        now = state(self.rest, name)
        return now['Status'], now['Pid'], now['StartedAt']

    def check(self):
        for name in self.names:
            assert self._of(name) == self.begun[name], name
            assert os.path.exists(f'/proc/{self.begun[name][1]}')

    def end(self):
        """Every line that they wrote is there, once, in order."""
        lengths = {}
        for name in self.names:
            answer = self.rest.keep_asking('POST', f'/containers/{name}/stop?t=20')
            assert answer.status in (204, 304), answer.data
            now = state(self.rest, name)
            assert (now['Status'], now['ExitCode']) == ('exited', 42), now
            lines = log(self.rest, name).splitlines()
            assert lines[-1].startswith('end '), lines[-3:]
            last = int(lines.pop().split()[1])
            numbers = [int(line) for line in lines]
            # The signal may have come between the counting and the writing.
            assert numbers == list(range(1, len(numbers) + 1)), f'{name}: {holes(numbers)}'
            assert last - 1 <= len(numbers) <= last, (name, last, len(numbers))
            lengths[name] = len(numbers)
        return lengths


def holes(numbers):
    """The places where a list of numbers does not count up by one."""
    return [(a, b) for a, b in zip([0, *numbers], numbers) if b != a + 1][:10]


def test_the_daemon_is_killed_at_random_moments(rest):
    print(f'seed {SEED}, {KILLS} kills (STAUER_SEED, STAUER_KILLS)')
    rng = random.Random(SEED)
    counters = Counters(rest)
    load = Load(rest)
    back = []
    try:
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.02, 0.5))          # the random moment
            # Systemd gives up on what fails too often in too short a time.
            run('systemctl', 'reset-failed', UNIT, check=False)
            old = kill_unit_process()
            began = time.monotonic()
            wait_running_again(rest, old)
            back.append(time.monotonic() - began)
            counters.check()
            if load.failures:
                break
    finally:
        load.end()
    lengths = counters.end()
    back.sort()
    print(f'{load.done} lives beside it, lines {lengths}; answers again after {back[len(back) // 2]:.3f} s (median), '
          f'{back[-1]:.3f} s (worst)')


def test_the_daemon_is_restarted_under_load(rest):
    counters = Counters(rest)
    load = Load(rest)
    try:
        for _ in range(8):
            run('systemctl', 'reset-failed', UNIT, check=False)
            run('systemctl', 'restart', UNIT)
            counters.check()
    finally:
        load.end()
    print(f'{load.done} lives beside it, lines {counters.end()}')


# Death of the others

def monitor_of(ident):
    for pid in host.monitors():
        try:
            if ident in Path(f'/proc/{pid}/cmdline').read_text():
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def test_a_monitor_is_killed(rest):
    others = [begin(rest, f'other-{n}', 'sleep', '1000') for n in range(3)]
    took = []
    for n in range(8):
        ident = begin(rest, 'victim', 'sh', '-c', 'sleep 1000 & echo said; exec sleep 1000')
        wait_for(lambda: 'said' in log(rest, 'victim'), 'it runs')
        began = time.monotonic()
        os.kill(monitor_of(ident), signal.SIGKILL)
        answer = rest.post('/containers/victim/wait')
        took.append(time.monotonic() - began)
        assert answer.json['StatusCode'] == 255
        now = state(rest, 'victim')
        assert now['Status'] == 'exited' and now['ExitCode'] == 255 and 'monitor' in now['Error'], now
        assert not host.processes_of(ident), 'its processes are gone when it is said to have exited'
        assert log(rest, 'victim') == 'said\n'
        if n % 2:                                       # and it can be started again at once
            assert rest.post('/containers/victim/start').status == 204
            assert state(rest, 'victim')['Running']
        assert rest.delete('/containers/victim?force=1').status == 204
    print(f'a killed monitor is reported after {max(took):.3f} s (worst of {len(took)})')
    assert max(took) < 2
    assert all(state(rest, other)['Running'] for other in others)


def test_monitors_are_killed_while_the_daemon_is_away(rest):
    victims = [begin(rest, f'victim-{n}', 'sleep', '1000') for n in range(3)]
    other = begin(rest, 'other', 'sleep', '1000')
    run('systemctl', 'stop', 'stauer.socket', UNIT)
    try:
        for victim in victims:
            os.kill(monitor_of(victim), signal.SIGKILL)
    finally:
        run('systemctl', 'start', 'stauer.socket', UNIT)
    for victim in victims:
        assert rest.post(f'/containers/{victim}/wait').json['StatusCode'] == 255
        assert not host.processes_of(victim)
        assert 'monitor' in state(rest, victim)['Error']
    assert state(rest, other)['Running']


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


# Two at once

def stauerd(*words):
    return run('/usr/sbin/stauerd', *words, check=False)


def test_a_second_daemon_is_refused(rest, tmp_path):
    begin(rest, 'one', 'sleep', '1000')
    before = state(rest, 'one')
    same = stauerd('-H', f'unix://{tmp_path}/sock', '--exec-root', tmp_path / 'run')
    assert same.returncode != 0
    assert 'Another stauerd' in same.stderr
    # With data of its own it would still take our run root, bus name and scopes.
    other = stauerd('-H', f'unix://{tmp_path}/sock', '--data-root', tmp_path / 'data')
    assert other.returncode != 0
    assert 'Another stauerd' in other.stderr
    other = stauerd('-H', f'unix://{tmp_path}/sock', '--data-root', tmp_path / 'data', '--exec-root', tmp_path / 'run')
    assert other.returncode != 0
    assert 'Another stauerd' in other.stderr
    assert state(rest, 'one') == before
    assert os.path.exists('/run/docker.sock')
    assert rest.get('/_ping').status == 200


def together(*calls):
    """Answers of calls that are made in the same moment."""
    barrier = threading.Barrier(len(calls))
    answers = [None] * len(calls)

    def one(n, call):
        barrier.wait()
        answers[n] = call()

    threads = [threading.Thread(target=one, args=(n, call)) for n, call in enumerate(calls)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def statuses(*calls):
    return sorted(answer.status for answer in together(*calls))


def test_two_clients_do_the_same_at_once(rest):
    for turn in range(12):
        # create + create: one of them has the name
        wish = body('sleep', '1000')
        got = statuses(*[lambda: rest.post('/containers/create?name=both', wish)] * 2)
        assert got == [201, 409], got
        # start + start: it runs once
        got = statuses(*[lambda: rest.post('/containers/both/start')] * 2)
        assert got in ([204, 204], [204, 304]), got
        now = state(rest, 'both')
        assert now['Running'] and len(host.monitors()) == 1
        if turn % 3 == 0:
            # stop + remove: whichever comes first, no half of a container
            stop, remove = together(lambda: rest.post('/containers/both/stop?t=0'), lambda: rest.delete('/containers/both'))
            assert stop.status in (204, 404), stop.data
            assert remove.status in (204, 409), remove.data
            if remove.status == 409:
                assert state(rest, 'both')['Status'] == 'exited'
        elif turn % 3 == 1:
            # stop + stop + start
            got = together(lambda: rest.post('/containers/both/stop?t=0'), lambda: rest.post('/containers/both/stop?t=0'),
                           lambda: rest.post('/containers/both/start'))
            assert all(answer.status in (204, 304) for answer in got), [(a.status, a.data) for a in got]
            assert state(rest, 'both')['Status'] in ('running', 'exited')
        else:
            # kill + forced removal
            kill, remove = together(lambda: rest.post('/containers/both/kill'), lambda: rest.delete('/containers/both?force=1'))
            assert kill.status in (204, 404, 409), kill.data
            assert remove.status == 204, remove.data
        # remove + remove: one of them did it, the other is told why not
        if rest.get('/containers/both/json').status == 200:
            got = together(*[lambda: rest.delete('/containers/both?force=1')] * 2)
            assert sorted(a.status for a in got) in ([204, 404], [204, 409]), [(a.status, a.data) for a in got]
            wait_for(lambda: rest.get('/containers/both/json').status == 404, 'it is gone')
        assert rest.get('/containers/both/json').status == 404


# A full disk

SMALL = 128 << 20            # a load wants to leave 64 MiB


@pytest.fixture
def small_disk(rest, busybox_archive):
    """A data root with little room. The daemon's own stays aside."""
    units = ('stauer.socket', UNIT)

    def swap(*command):
        run('systemctl', 'reset-failed', UNIT, check=False)
        run('systemctl', 'stop', *units)
        run(*command)
        run('systemctl', 'start', *units)

    swap('mount', '-t', 'tmpfs', '-o', f'size={SMALL},mode=0710', 'tmpfs', host.DATA_ROOT)
    try:
        stauer('load', '-i', busybox_archive)
        yield host.DATA_ROOT / 'ballast'
    finally:
        (host.DATA_ROOT / 'ballast').unlink(missing_ok=True)
        host.remove_all()
        wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')
        swap('umount', host.DATA_ROOT)


def fill(path):
    """To the last byte."""
    with open(path, 'ab', buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b'x' * size)
            except OSError:
                continue


def test_full_disk(rest, small_disk):
    begin(rest, 'counter', 'sh', '-c', COUNTER)
    begin(rest, 'journal', 'sh', '-c', COUNTER, driver='journald')
    create(rest, 'waiting', 'sh', '-c', 'exit 6')
    create(rest, 'superfluous', 'true')
    begin(rest, 'ended', 'sh', '-c', 'sleep 1000')
    pids = {name: state(rest, name)['Pid'] for name in ('counter', 'journal')}
    fill(small_disk)

    # What needs room says so.
    answer = rest.post('/containers/create?name=more', body('true'))
    assert answer.status >= 500 and 'o space left on device' in answer.message, answer.data
    assert rest.get('/containers/more/json').status == 404
    answer = rest.post('/images/load', docker_archive_bytes())
    assert b'No space left on device' in answer.data and b'Loaded image' not in answer.data, answer.data
    answer = rest.post('/images/busybox/tag?repo=other')
    assert answer.status >= 500 and 'o space left on device' in answer.message, answer.data
    assert rest.get('/images/other/json').status == 404

    # A start may work; if not it is said, and nothing hangs in between.
    answer = rest.post('/containers/waiting/start')
    if answer.status == 204:
        assert rest.post('/containers/waiting/wait').json['StatusCode'] == 6
    else:
        assert 'o space left on device' in answer.message, answer.data
        assert state(rest, 'waiting')['Status'] == 'created'

    # What runs goes on, can be stopped, and is stopped for the next daemon too.
    assert rest.post('/containers/ended/stop?t=0').status == 204
    assert state(rest, 'ended')['ExitCode'] == 137
    run('systemctl', 'restart', UNIT)
    assert state(rest, 'ended')['Status'] == 'exited' and state(rest, 'ended')['ExitCode'] == 137
    for name, pid in pids.items():
        assert state(rest, name)['Running'] and state(rest, name)['Pid'] == pid
    assert rest.delete('/containers/superfluous').status == 204
    assert rest.get('/containers/superfluous/json').status == 404
    assert rest.delete('/containers/ended').status == 204

    # With room again all is well.
    small_disk.unlink()
    create(rest, 'more', 'true')
    assert rest.post('/images/busybox/tag?repo=other').status == 201
    for name in pids:
        before = log(rest, name).splitlines()[-1]
        wait_for(lambda: log(rest, name).splitlines()[-1] != before, 'it still logs')   # pylint: disable=cell-var-from-loop
        assert rest.post(f'/containers/{name}/stop').status == 204
        assert state(rest, name)['ExitCode'] == 42
    numbers = [int(line) for line in log(rest, 'journal').splitlines()[:-1]]
    assert numbers == list(range(1, len(numbers) + 1))
    numbers = [int(line) for line in log(rest, 'counter').splitlines()[:-1]]
    assert numbers == sorted(set(numbers))              # there may be a hole where there was no room, nothing torn
    stauer('rmi', 'other')


def docker_archive_bytes():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'image.tar'
        docker_archive(path, 'second:latest', layers=[rootfs_tar([('more', random.Random(2).randbytes(1 << 20))])])
        return path.read_bytes()


# Systemd, and many

def test_daemon_reload_and_reexec(rest):
    """Devices stay, scopes stay, the daemon stays."""
    command = 'trap "exit 42" TERM; while :; do head -c 1 /dev/zero >/dev/null || exit 9; : </dev/fuse || exit 8; sleep 0.01; done'
    begin(rest, 'devices', 'sh', '-c', command,
          Devices=[{'PathOnHost': '/dev/fuse', 'PathInContainer': '/dev/fuse', 'CgroupPermissions': 'rwm'}])
    counters = Counters(rest)
    daemon = main_pid()
    for n in range(20):
        run('systemctl', 'daemon-reload')
        if n % 10 == 9:
            run('systemctl', 'daemon-reexec')
        assert state(rest, 'devices')['Running'], state(rest, 'devices')
    counters.check()
    begin(rest, 'after', 'true')
    assert rest.post('/containers/after/wait').json['StatusCode'] == 0
    assert main_pid() == daemon
    counters.end()
    assert rest.post('/containers/devices/stop').status == 204
    assert state(rest, 'devices')['ExitCode'] == 42


def in_turns(n_threads, names, work):
    """Does work(name) for all names, some at a time."""
    left, failures = list(names), []

    def client():
        while left and not failures:
            try:
                work(left.pop())
            except IndexError:
                return
            except BaseException as e:              # pylint: disable=broad-except
                failures.append(e)

    threads = [threading.Thread(target=client) for _ in range(n_threads)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


def test_many_containers(rest):
    names = [f'many-{n}' for n in range(MANY)]
    idle = resident(main_pid())
    began = time.monotonic()
    in_turns(4, names, lambda name: begin(rest, name, 'sleep', '10000'))
    started = time.monotonic() - began
    assert len(host.monitors()) == MANY
    full = resident(main_pid())
    pss = [proportional(pid) for pid in host.monitors()]
    listing = time.monotonic()
    assert len(rest.get('/containers/json').json) == MANY
    listing = time.monotonic() - listing

    old = main_pid()
    began = time.monotonic()
    run('systemctl', 'restart', UNIT)
    rest.keep_asking('GET', '/_ping')
    restarted = time.monotonic() - began
    assert main_pid() != old
    assert len(rest.get('/containers/json').json) == MANY
    again = resident(main_pid())

    began = time.monotonic()
    in_turns(4, names, lambda name: check(rest.delete(f'/containers/{name}?force=1'), 204))
    removed = time.monotonic() - began
    after = resident(main_pid())
    print(f'{MANY} containers: started in {started:.1f} s, removed in {removed:.1f} s, list {listing * 1000:.0f} ms, '
          f'restart of the daemon {restarted:.2f} s')
    print(f'stauerd RSS: idle {idle} KiB, with all {full} KiB ({(full - idle) / MANY:.1f} each), restarted {again} KiB, '
          f'empty again {after} KiB; monitors PSS: {sum(pss) / len(pss):.0f} KiB mean, {max(pss)} KiB worst')
    assert max(pss) <= 400
    assert (full - idle) / MANY <= 40


def check(answer, status):
    assert answer.status == status, answer.data
    return answer
