# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon dies, at any moment, or is asked the same twice: no container notices, nothing that was answered is lost, nothing is left."""

import os
import random
import threading
import time

import host
from common.wait import wait_for
from host import main_pid, run
from load import SCENARIOS, SEED, UNIT, Counters, Load, begin, body, kill_unit_process, state, wait_running_again
from load_verbs import VERBS, Listener

KILLS = int(os.environ.get('STAUER_KILLS', '20'))


def test_the_daemon_is_killed_at_random_moments(rest):
    print(f'seed {SEED}, {KILLS} kills (STAUER_SEED, STAUER_KILLS)')
    rng = random.Random(SEED)
    counters = Counters(rest)
    load = Load(rest, scenarios=SCENARIOS + VERBS)
    listener = Listener(rest)
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
        events = listener.end()
        load.end()
    lengths = counters.end()
    back.sort()
    print(f'{load.done} lives beside it {load.kinds}, {events} events, lines {lengths}; answers again after {back[len(back) // 2]:.3f} s (median), '
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
