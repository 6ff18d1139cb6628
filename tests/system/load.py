# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared by the tests of robustness: containers, a load of clients that go on whatever happens, and what is known to be true."""

import os
import random
import signal
import threading
from pathlib import Path

import host
from common.rest import LOST, frames
from common.wait import wait_for
from host import main_pid

SEED = int(os.environ.get('STAUER_SEED', '20261124'))

UNIT = 'stauer.service'

COUNTER = "trap 'echo end $i; exit 42' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done"


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

    def __init__(self, rest, n=4, scenarios=SCENARIOS):
        self.scenarios = scenarios
        self.kinds = {}
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
                kind = rng.choice(self.scenarios)
                kind(life, rng)
                self.done += 1
                self.kinds[kind.__name__] = self.kinds.get(kind.__name__, 0) + 1
            except BaseException as e:              # pylint: disable=broad-except
                self.failures.append(f'{kind.__name__}: {type(e).__name__}: {e} {life.history}')

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


def monitor_of(ident):
    for pid in host.monitors():
        try:
            if ident in Path(f'/proc/{pid}/cmdline').read_text():
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


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


def check(answer, status):
    assert answer.status == status, answer.data
    return answer
