# SPDX-License-Identifier: GPL-2.0-or-later
"""stauer-launcher and stauer-monitor with a plain process as container, as any user."""

import json
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fake'))

# pylint: disable=wrong-import-position,redefined-outer-name
import fake_daemon
from fake_daemon import MONITOR, Launcher, Monitor, make_rootfs, oci_config


@pytest.fixture(scope='module')
def rootfs(tmp_path_factory):
    return make_rootfs(tmp_path_factory.mktemp('image') / 'rootfs')


@pytest.fixture
def launcher(tmp_path):
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.end()


@pytest.fixture
def make(launcher, tmp_path, rootfs):
    monitors = []

    def make(*args, env=(), **spec):
        monitors.append(Monitor(launcher, tmp_path, rootfs, oci_config(args, env), **spec))
        return monitors[-1]

    yield make
    for m in monitors:
        if m.is_alive():
            signal.pidfd_send_signal(m.pidfd, signal.SIGKILL)


def finish(m):
    record = m.record('exited')
    m.taken()
    assert m.record() is None
    m.wait_end()
    return record


def test_runs_and_logs(make):
    before = time.time_ns()
    m = make('sh', '-c', 'echo out; echo err >&2; printf rest; exit 3')
    started = m.go()
    assert started['pid'] > 0
    assert before <= started['started_at'] <= time.time_ns()
    record = finish(m)
    assert record['exit_code'] == 3
    assert record['started_at'] == started['started_at'] < record['exited_at'] <= time.time_ns()
    assert m.exit_file() == record
    assert m.text('stdout') == 'out\nrest'
    assert m.text('stderr') == 'err\n'
    assert m.log.stat().st_mode & 0o777 == 0o640
    assert not any((m.run.parent / 'runtime').glob('*/state.json'))


def test_writes_lines_as_docker_does(make):
    m = make('printf', r'a<b>&"\\\t\001\n')
    m.go()
    finish(m)
    line, = m.log.read_bytes().splitlines()
    assert line.startswith(rb'{"log":"a\u003cb\u003e\u0026\"\\\u0009\u0001\n","stream":"stdout","time":"2')
    assert line.endswith(b'Z"}')


def test_cuts_long_lines(make):
    m = make('sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo end')
    m.go()
    finish(m)
    lines = m.lines()
    assert [len(line['log']) for line in lines] == [16384, 16384, 40000 - 2 * 16384 + 1, 4]
    assert lines[0]['time'] == lines[1]['time'] == lines[2]['time']
    assert m.text() == 'x' * 40000 + '\nend\n'


def test_exit_code_of_signal(make):
    m = make('sh', '-c', 'kill -9 $$')
    m.go()
    assert finish(m)['exit_code'] == 137


def test_no_line_is_lost(make):
    m = make('sh', '-c', 'seq 1 100000; seq 1 1000 >&2')
    m.go()
    finish(m)
    assert m.text('stdout') == ''.join(f'{i}\n' for i in range(1, 100001))
    assert m.text('stderr') == ''.join(f'{i}\n' for i in range(1, 1001))


def test_rotates(make):
    m = make('sh', '-c', 'seq 100000 120000', log_opts=['max-size=100k', 'max-file=4'])
    m.go()
    finish(m)
    names = [m.log] + [m.log.with_name(f'{m.log.name}.{i}') for i in (1, 2, 3)]
    assert not m.log.with_name(f'{m.log.name}.4').exists()
    for name in names[1:]:
        assert 100 * 1024 <= name.stat().st_size < 100 * 1024 + 200
    numbers = [int(line['log']) for name in reversed(names) for line in m.lines(name)]
    assert numbers == list(range(numbers[0], 120001))
    assert len(numbers) > 3000


def test_attributes(make):
    m = make('echo', 'x', log_fields=['tag=t', 'team=a"b'])
    m.go()
    finish(m)
    assert m.lines()[0]['attrs'] == {'tag': 't', 'team': 'a"b'}


def test_driver_none(make):
    m = make('echo', 'x', log_driver='none')
    m.go()
    assert finish(m)['exit_code'] == 0
    assert not m.log.exists()


@pytest.mark.parametrize('command, code, kind, words', [
        (['nothing-there'], 127, 'invalid', 'executable file not found in $PATH'),
        (['/bin/nothing'], 127, 'invalid', 'no such file or directory'),
        (['/etc/not-executable'], 126, 'invalid', 'permission denied'),
        (['/etc'], 126, 'invalid', 'is a directory: permission denied'),
])
def test_failed_start(make, command, code, kind, words):
    m = make(*command)
    m.connect()
    assert m.record()['type'] == 'ready'
    m.command('go')
    record = m.record()
    assert record['type'] == 'failed'
    assert record['exit_code'] == code
    assert record['error_kind'] == kind
    assert words in record['error']
    assert 'started_at' not in record
    assert m.exit_file() == record
    m.taken()
    m.wait_end()
    assert m.log.read_bytes() == b''


def test_runtime_is_missing(make):
    m = make('true', runtime='/nowhere/runtime')
    m.connect()
    m.record()
    m.command('go')
    record = m.record()
    assert (record['type'], record['exit_code'], record['error_kind']) == ('failed', 128, 'not-found')
    assert '/nowhere/runtime' in record['error']


def test_failed_preparation_reaches_a_late_daemon(make):
    m = make('true', user='nobody-here')
    time.sleep(0.3)
    m.connect()
    record = m.record()
    assert record['type'] == 'failed'
    assert 'unable to find user nobody-here' in record['error']
    m.taken()
    m.wait_end()


def test_binds(make, tmp_path):
    m = make('true', binds=[{'source': str(tmp_path / 'a/b'), 'create': True}])
    m.go()
    finish(m)
    assert (tmp_path / 'a/b').is_dir()
    m = make('true', binds=[{'source': str(tmp_path / 'c')}])
    m.connect()
    record = m.record()
    assert record['error_kind'] == 'invalid'
    assert record['error'] == ('invalid mount config for type "bind": bind source path does not exist: '
                               f'{tmp_path}/c')


def bundle(m):
    return json.loads((m.run / 'bundle/config.json').read_text(encoding='utf-8'))


def test_user_and_home(make):
    m = make('true', user='web', group_add=['root'])
    m.go()
    finish(m)
    process = bundle(m)['process']
    process['user']['additionalGids'].sort()
    assert process['user'] == {'uid': 33, 'gid': 44, 'additionalGids': [0, 44, 55]}
    assert 'HOME=/home/web' in process['env']

    m = make('true', user='1234:5', env=['HOME=/mine'])
    m.go()
    finish(m)
    process = bundle(m)['process']
    assert process['user'] == {'uid': 1234, 'gid': 5, 'additionalGids': [5]}
    assert [e for e in process['env'] if e.startswith('HOME=')] == ['HOME=/mine']


def test_devices(make):
    m = make('true', devices=[{'path_on_host': '/dev/zero', 'path_in_container': '/dev/z', 'permissions': 'r'}])
    m.go()
    finish(m)
    linux = bundle(m)['linux']
    node, = linux['devices']
    assert (node['path'], node['type'], node['major'], node['minor']) == ('/dev/z', 'c', 1, 5)
    assert linux['resources']['devices'] == [{'allow': True, 'type': 'c', 'major': 1, 'minor': 5, 'access': 'r'}]
    assert len(linux['namespaces']) == 5

    m = make('true', devices=[{'path_on_host': '/dev/nothing-there'}])
    m.connect()
    assert m.record()['error'] == ('error gathering device information while adding custom device '
                                   '"/dev/nothing-there": no such file or directory')


def test_kill(make):
    m = make('sh', '-c', 'trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done')
    m.go()
    wait_text(m, 'ready\n')
    assert m.ask('kill', signal=0)['type'] == 'reply'
    reply = m.ask('kill', signal=1000)
    assert reply['error_kind'] == 'invalid'
    assert 'error' not in m.ask('kill', signal=signal.SIGUSR1)
    assert finish(m)['exit_code'] == 7


def test_kill_after_the_end(make):
    m = make('true')
    m.go()
    m.record('exited')
    assert m.ask('kill', signal=9)['error_kind'] == 'not-running'


def wait_text(m, text, timeout=10):
    deadline = time.monotonic() + timeout
    while not (m.log.exists() and m.text() == text):
        assert time.monotonic() < deadline, m.text()
        time.sleep(0.01)


def test_sigterm_is_the_stop_signal(make):
    m = make('sh', '-c', 'trap "echo bye; exit 4" INT; echo ready; while :; do sleep 0.05; done', stop_signal=2)
    m.go()
    wait_text(m, 'ready\n')
    signal.pidfd_send_signal(m.pidfd, signal.SIGUSR2)     # not meant for the monitor
    signal.pidfd_send_signal(m.pidfd, signal.SIGHUP)
    signal.pidfd_send_signal(m.pidfd, signal.SIGTERM)
    assert finish(m)['exit_code'] == 4
    assert m.text() == 'ready\nbye\n'


def test_sigterm_then_kill(make):
    m = make('sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done', stop_timeout_usec=300_000)
    m.go()
    wait_text(m, 'ready\n')
    began = time.monotonic()
    signal.pidfd_send_signal(m.pidfd, signal.SIGTERM)
    assert finish(m)['exit_code'] == 137
    assert 0.25 < time.monotonic() - began < 5


def test_daemon_goes_and_comes(make):
    m = make('sh', '-c', 'i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); sleep 0.005; done; exit 5')
    started = m.go()
    for _ in range(5):
        m.disconnect()
        time.sleep(0.02)
        m.connect()
        assert m.record() == started
    m.disconnect()
    m.wait_end()
    assert m.exit_file()['exit_code'] == 5
    assert m.text() == ''.join(f'{i}\n' for i in range(200))


def test_newer_daemon_replaces_the_older(make):
    m = make('sleep', '100')
    started = m.go()
    old = m.socket
    m.connect()
    assert m.record() == started
    assert old.recv(10) == b''
    assert 'error' not in m.ask('kill', signal=9)
    assert finish(m)['exit_code'] == 137


def test_daemon_that_talks_nonsense(make):
    m = make('sleep', '100')
    m.go()
    for nonsense in (b'{', b'J', b'J{"type":"fly"}', b'J[]', b'J' + b'{' * 1000):
        m.socket.send(nonsense)
        assert m.record() is None
        m.connect()
        assert m.record()['type'] == 'started'
    m.ask('kill', signal=9)
    finish(m)


def test_exit_is_told_to_the_next_daemon(make):
    m = make('sh', '-c', 'sleep 0.3')
    m.go()
    m.record('exited')
    m.disconnect()
    m.wait_end()
    assert m.exit_file()['type'] == 'exited'


def test_waits_five_seconds_for_a_daemon_that_does_not_take(make):
    m = make('true')
    m.go()
    m.record('exited')
    time.sleep(1)
    assert m.is_alive()
    m.wait_end(timeout=8)


@pytest.mark.parametrize('room', [False, True])
def test_exit_file_cannot_be_written(make, room):
    """Then the monitor is all that knows of the exit: it waits for room, or for a daemon."""
    m = make('sh', '-c', 'sleep 0.3; exit 7')
    m.go()
    (m.run / 'exit.json/full').mkdir(parents=True)
    m.disconnect()
    time.sleep(1)
    assert m.is_alive()
    if room:
        (m.run / 'exit.json/full').rmdir()
        (m.run / 'exit.json').rmdir()
        m.wait_end()
        assert m.exit_file()['exit_code'] == 7
    else:
        m.connect()
        assert m.record('exited')['exit_code'] == 7
        m.taken()
        m.wait_end(timeout=3)


def test_run_folder_is_gone(make):
    """The daemon has given this run up, so nobody asks: the monitor does not wait for ever to write there."""
    m = make('sh', '-c', 'sleep 0.3; exit 7')
    m.go()
    m.disconnect()
    shutil.rmtree(m.run)
    m.wait_end(timeout=10)


def test_daemon_goes_before_go(make):
    m = make('true')
    m.connect()
    assert m.record()['type'] == 'ready'
    m.disconnect()
    m.wait_end(timeout=3)
    assert not (m.run / 'exit.json').exists()
    assert not (m.run.parent / 'runtime').exists()


def test_sigterm_before_go(make):
    m = make('true')
    m.connect()
    assert m.record()['type'] == 'ready'
    signal.pidfd_send_signal(m.pidfd, signal.SIGTERM)
    record = m.record()
    assert (record['type'], record['error_kind']) == ('failed', 'cancelled')
    m.taken()
    m.wait_end()


def test_log_reopen(make):
    m = make('sh', '-c', 'trap "exit 0" TERM; echo one; read -t 1 x <> /tmp/nothing; while :; do sleep 0.05; done')
    m.go()
    wait_text(m, 'one\n')
    m.log.rename(m.log.with_suffix('.old'))
    assert 'error' not in m.ask('reopen-logs')
    assert m.log.read_bytes() == b''
    m.ask('kill', signal=9)
    finish(m)


def test_log_path_cannot_be_opened(make):
    m = make('true', log_path='/nowhere/x.log')
    m.connect()
    record = m.record()
    assert record['type'] == 'failed'
    assert 'failed to initialize logging driver json-file' in record['error']
    assert not select.select([m.socket], [], [], 0.5)[0], 'it waits until the daemon has taken it'
    m.taken()
    m.wait_end()


def test_image_stays_out_of_the_host(make, rootfs):
    m = make('sleep', '100')
    m.go()
    assert os.listdir(m.run / 'bundle/rootfs') == []
    assert Path(f'/proc/{m.pid}/root{m.run}/bundle/rootfs/bin/busybox').exists() or os.geteuid() != 0
    assert str(rootfs) not in Path('/proc/self/mountinfo').read_text(encoding='utf-8')
    m.ask('kill', signal=9)
    finish(m)


# --- the launcher -------------------------------------------------------------------------------


@pytest.fixture
def show(tmp_path):
    """A launcher whose programs write down what they see."""
    libexec = tmp_path / 'show'
    libexec.mkdir()
    script = libexec / 'stauer-worker'
    script.write_text('#!/bin/sh\n(echo "$0 $*"; env; umask; pwd; ls -l /proc/$$/fd; cat /proc/$$/status) > '
                      f'{tmp_path}/seen.$$\nmv {tmp_path}/seen.$$ {tmp_path}/seen\nexit 9\n')
    script.chmod(0o755)
    launcher = Launcher(tmp_path, libexec)
    yield launcher
    launcher.end()


def test_launcher_gives_a_clean_process(show, tmp_path):
    a, b = os.pipe()
    pid, pidfd = show.start(fake_daemon.WORKER, 'label-1', [b, a])
    m = show.message()
    assert (m['type'], m['pid'], m['code'], m['status']) == (fake_daemon.EXIT, pid, os.CLD_EXITED, 9)
    seen = (tmp_path / 'seen').read_text(encoding='utf-8')
    lines = seen.splitlines()
    assert lines[0].endswith('/stauer-worker label-1')
    assert 'STAUER_LOG_LEVEL=7' in lines and 'LANG=C.UTF-8' in lines
    assert 'HOME' not in seen.partition('total')[0]
    assert '0022' in lines and '/' in lines
    fds = {left.split()[-1]: right for left, _, right in (line.partition(' -> ') for line in lines if ' -> ' in line)}
    assert fds['0'] == '/dev/null'
    assert fds['3'].startswith('pipe:') and fds['3'] == fds['4']
    assert set(fds) <= {'0', '1', '2', '3', '4', '10'}       # 10 is the script itself
    status = dict(line.split(':\t') for line in lines if ':\t' in line)
    assert int(status['SigBlk'], 16) == 0
    assert int(status['SigIgn'], 16) == 0
    os.close(pidfd)


@pytest.mark.parametrize('label', ['', 'a b', 'a/b', '-x', 'ä', 'x' * 80])
def test_launcher_refuses_labels(show, label):
    show.request(fake_daemon.WORKER, label)
    assert show.message()['error'] == -22


def test_launcher_refuses_programs_and_versions(show):
    show.request(99, 'x')
    assert show.message()['error'] == -22
    show.request(MONITOR, 'x', version=7)
    assert show.message()['error'] < 0
    show.request(MONITOR, 'x')
    assert show.message()['error'] == -2          # not in this folder
    show.start(fake_daemon.WORKER, 'still-here')


def test_launcher_hangs_up_on_nonsense(show):
    show.socket.send(b'nonsense')
    assert show.message() is None
    show.socket = show.connect()
    show.start(fake_daemon.WORKER, 'still-here')


def test_launcher_socket_is_private(show):
    assert os.stat(show.path).st_mode & 0o777 == 0o600


def test_launcher_answers_in_order(show):
    tags = [show.request(fake_daemon.WORKER, f'n{i}') for i in range(50)]
    answers = []
    while len(answers) < 50:
        m = show.message()
        if m['type'] == fake_daemon.ANSWER:
            assert m['error'] == 0
            answers.append(m['tag'])
            os.close(m['fds'][0])
    assert answers == tags


def test_children_outlive_the_launcher(launcher, tmp_path, rootfs):
    m = Monitor(launcher, tmp_path, rootfs, oci_config(['sh', '-c', 'sleep 0.5; echo late']))
    m.go()
    launcher.process.kill()
    launcher.process.wait()
    record = finish(m)
    assert record['exit_code'] == 0
    assert m.text() == 'late\n'
