# SPDX-License-Identifier: GPL-2.0-or-later
"""stauer-monitor with real runtimes in real scopes, without the daemon."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fake'))

# pylint: disable=wrong-import-position,redefined-outer-name
from common.wait import wait_for
from fake_daemon import BUILD, Launcher, Monitor, make_rootfs, oci_config, program

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not Path('/run/systemd/private').exists(),
                                reason='needs root and a systemd')

RUNTIMES = [name for name in ('crun', 'runc', 'stauer-runtime')
            if shutil.which(name) or (program(name)).exists()]


@pytest.fixture(scope='module')
def rootfs(tmp_path_factory):
    return make_rootfs(tmp_path_factory.mktemp('image') / 'rootfs')


@pytest.fixture
def launcher(tmp_path):
    launcher = Launcher(tmp_path)
    yield launcher
    launcher.end()


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    return shutil.which(request.param) or str(program(request.param))


class ScopedMonitor(Monitor):
    """A monitor in a scope, as the daemon would have it."""

    @property
    def scope(self):
        return f'docker-{self.id}.scope'

    def enter_scope(self):
        subprocess.run(['busctl', '--quiet', 'call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1',
                        'org.freedesktop.systemd1.Manager', 'StartTransientUnit', 'ssa(sv)a(sa(sv))',
                        self.scope, 'fail', '5', 'PIDs', 'au', '1', str(self.pid), 'Delegate', 'b', 'true',
                        'CollectMode', 's', 'inactive-or-failed', 'Slice', 's', 'machine.slice',
                        'TimeoutStopUSec', 't', '15000000', '0'], check=True)
        deadline = time.monotonic() + 10
        while self.scope not in Path(f'/proc/{self.pid}/cgroup').read_text(encoding='utf-8'):
            assert time.monotonic() < deadline, 'the scope did not come'
            time.sleep(0.002)

    def go(self):
        self.connect()
        record = self.record()
        assert record and record['type'] == 'ready', record
        self.enter_scope()
        self.command('go')
        return self.record('started')

    def cgroup(self, name='container'):
        return Path(f'/sys/fs/cgroup/machine.slice/{self.scope}/{name}')


@pytest.fixture
def make(launcher, tmp_path, rootfs):
    monitors = []

    def make(*args, runtime='/usr/bin/crun', config=None, env=(), **spec):
        monitors.append(ScopedMonitor(launcher, tmp_path, rootfs, config or oci_config(args, env), runtime, **spec))
        return monitors[-1]

    yield make
    for m in monitors:
        subprocess.run(['systemctl', 'kill', '-s', 'KILL', m.scope], stderr=subprocess.DEVNULL, check=False)


def finish(m):
    record = m.record('exited')
    m.taken()
    assert m.record() is None
    m.wait_end()
    return record


def wait_gone(m):
    deadline = time.monotonic() + 10
    while m.cgroup('').exists():
        assert time.monotonic() < deadline, 'the scope does not go away'
        time.sleep(0.01)


def wait_text(m, text, timeout=10):
    deadline = time.monotonic() + timeout
    while not (m.log.exists() and m.text() == text):
        assert time.monotonic() < deadline, m.text()
        time.sleep(0.01)


def test_life(make, runtime):
    m = make('sh', '-c', 'id -u; echo $HOME; echo err >&2; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3',
             runtime=runtime, user='web')
    m.go()
    record = finish(m)
    assert record['exit_code'] == 3
    assert m.text('stdout') == '33\n/home/web\n'
    assert m.text('stderr') == 'err\n'
    figures = record['accounting']
    assert 1_000_000 < figures['cpu_usage_nsec'] < 20_000_000_000
    assert figures['cpu_usage_nsec'] == pytest.approx(figures['cpu_user_nsec'] + figures['cpu_system_nsec'], abs=10_000)
    assert m.exit_file() == record
    wait_gone(m)
    assert not list((m.run.parent / 'runtime').glob(f'{m.id}*'))
    assert m.id not in Path('/proc/self/mountinfo').read_text(encoding='utf-8')


def test_cgroups(make, runtime):
    m = make('sleep', '100', runtime=runtime)
    started = m.go()
    wait_for(lambda: (m.cgroup('supervisor') / 'cgroup.procs').read_text().split() == [str(m.pid)],
             'the monitor is alone, the runtime has ended')
    assert str(started['pid']) in (m.cgroup() / 'cgroup.procs').read_text().split()
    assert (m.cgroup('') / 'cgroup.procs').read_text() == ''
    deadline = time.monotonic() + 5
    while True:                                           # runc says it runs a moment before the program is executed
        status = subprocess.run(['systemctl', 'status', m.scope], stdout=subprocess.PIPE, text=True,
                                check=False).stdout
        if 'sleep 100' in status and 'stauer-monitor' in status:
            break
        assert time.monotonic() < deadline, status
    m.ask('kill', signal=9)
    assert finish(m)['exit_code'] == 137


@pytest.mark.parametrize('command, code', [('nothing-there', 127), ('/bin/nothing', 127), ('/etc/not-executable', 126)])
def test_failed_start(make, runtime, command, code):
    m = make(command, runtime=runtime)
    m.connect()
    m.record()
    m.enter_scope()
    m.command('go')
    record = m.record()
    assert record['type'] == 'failed', record
    assert record['exit_code'] == code, record
    m.taken()
    m.wait_end()
    assert m.log.read_bytes() == b''
    wait_gone(m)


def test_systemctl_stop_is_an_ordinary_exit(make):
    m = make('sh', '-c', 'trap "echo bye; exit 4" TERM; echo ready; while :; do sleep 0.05; done')
    m.go()
    wait_text(m, 'ready\n')
    m.disconnect()                                        # also while the daemon is away
    subprocess.run(['systemctl', 'stop', m.scope], check=True)
    m.wait_end()
    assert m.exit_file()['exit_code'] == 4
    assert m.text('stdout') == 'ready\nbye\n'            # the shell says "Terminated" of its sleep
    wait_gone(m)


def test_systemctl_stop_of_a_deaf_container(make):
    m = make('sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done', stop_timeout_usec=500_000)
    m.go()
    wait_text(m, 'ready\n')
    began = time.monotonic()
    subprocess.run(['systemctl', 'stop', m.scope], check=True)
    assert time.monotonic() - began < 8
    assert finish(m)['exit_code'] == 137


def test_systemctl_kill_with_any_signal(make):
    m = make('sh', '-c', 'trap "exit 6" USR1; echo ready; while :; do sleep 0.05; done')
    m.go()
    wait_text(m, 'ready\n')
    subprocess.run(['systemctl', 'kill', '-s', 'USR1', m.scope], check=True)
    assert finish(m)['exit_code'] == 6


def test_children_of_a_shared_pid_namespace_end_too(make):
    config = oci_config(['sh', '-c', 'setsid sleep 1000 & setsid sleep 1000 & sleep 0.2; exit 2'])
    config['linux']['namespaces'] = [n for n in config['linux']['namespaces'] if n['type'] != 'pid']
    m = make(config=config)
    m.go()
    assert finish(m)['exit_code'] == 2
    wait_gone(m)


def test_kill_all(make):
    m = make('sh', '-c', 'sh -c "trap \\"echo child\\" USR1; echo c; while :; do sleep 0.05; done" & '
             'trap "echo parent; sleep 0.3; exit 1" USR1; echo p; while :; do sleep 0.05; done')
    m.go()
    deadline = time.monotonic() + 10
    while sorted(m.text().split()) != ['c', 'p'] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 'error' not in m.ask('kill', signal=signal.SIGUSR1, all=True)
    finish(m)
    assert sorted(m.text('stdout').split()) == ['c', 'child', 'p', 'parent']
    m = make('sleep', '100')
    m.go()
    assert 'error' not in m.ask('kill', signal=signal.SIGKILL, all=True)
    assert finish(m)['exit_code'] == 137


def test_journald(make):
    m = make('sh', '-c', 'echo hello; echo oops >&2; head -c 20000 /dev/zero | tr "\\0" x; echo',
             log_driver='journald', log_fields=['com.example.team=blue', 'tag=my tag'])
    m.go()
    finish(m)
    subprocess.run(['journalctl', '--sync'], check=True)
    text = subprocess.run(['journalctl', '-o', 'json', '--all', f'CONTAINER_ID_FULL={m.id}', '_TRANSPORT=journal'],
                          stdout=subprocess.PIPE, check=True).stdout
    records = [json.loads(line) for line in text.splitlines()]
    records = [r for r in records if r['SYSLOG_IDENTIFIER'] == 'my tag']
    assert sorted(r['CONTAINER_LOG_ORDINAL'] for r in records) == ['1', '2', '3', '4']
    oops, = [r for r in records if r['PRIORITY'] == '3']  # two pipes: no order between them
    assert oops['MESSAGE'] == 'oops'
    records.remove(oops)
    assert [r['PRIORITY'] for r in records] == ['6', '6', '6']
    first = records[0]
    assert first['MESSAGE'] == 'hello'
    assert first['CONTAINER_ID'] == m.id[:12]
    assert first['CONTAINER_NAME'] == 'tester'
    assert first['CONTAINER_TAG'] == 'my tag'
    assert first['IMAGE_NAME'] == 'busybox:test'
    assert first['COM_EXAMPLE_TEAM'] == 'blue'
    assert first['_SYSTEMD_UNIT'] == m.scope
    assert 'CONTAINER_PARTIAL_ID' not in first
    assert [r.get('CONTAINER_PARTIAL_MESSAGE') for r in records[1:]] == ['true', None]
    assert [r['CONTAINER_PARTIAL_LAST'] for r in records[1:]] == ['false', 'true']
    assert [r['CONTAINER_PARTIAL_ORDINAL'] for r in records[1:]] == ['1', '2']
    assert records[1]['CONTAINER_PARTIAL_ID'] == records[2]['CONTAINER_PARTIAL_ID']
    assert len(records[1]['MESSAGE']) + len(records[2]['MESSAGE']) == 20000


def test_overlay(make, tmp_path, rootfs):
    base = Path('/var/lib/docker/test-monitor')           # a real file system in the sandbox
    shutil.rmtree(base, ignore_errors=True)
    for name in ('l', 'c/upper', 'c/work'):
        (base / name).mkdir(parents=True)
    (base / 'l/A').symlink_to(rootfs)
    m = make('sh', '-c', 'echo x > /written; cat /etc/passwd',
             rootfs_mount={'type': 'overlay', 'source': 'overlay', 'directory': str(base),
                           'options': 'lowerdir=l/A,upperdir=c/upper,workdir=c/work'})
    m.connect()
    record = m.record()
    if record['type'] == 'failed':
        shutil.rmtree(base)
        pytest.skip(f'no overlay here: {record["error"]}')
    m.enter_scope()
    m.command('go')
    finish(m)
    assert (base / 'c/upper/written').read_text() == 'x\n'
    assert m.text().startswith('root:x:0:0')
    assert not (rootfs / 'written').exists()
    shutil.rmtree(base)


def test_small(make):
    """The memory of one monitor among several."""
    config = oci_config(['sleep', '100'])
    config['linux']['seccomp'] = {'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [
            {'names': [f'sys{i}'], 'action': 'SCMP_ACT_ALLOW'} for i in range(0)]}
    config['annotations'] = {f'a{i}': 'x' * 100 for i in range(500)}        # 60 kB that must not stay
    monitors = [make(config=config) for _ in range(4)]
    for m in monitors:
        m.go()
    time.sleep(0.1)
    pss = []
    for m in monitors:
        rollup = Path(f'/proc/{m.pid}/smaps_rollup').read_text(encoding='utf-8')
        pss += [int(line.split()[1]) for line in rollup.splitlines() if line.startswith('Pss:')]
        print(rollup)
    assert max(pss) <= 400, pss
    for m in monitors:
        m.ask('kill', signal=9)
        finish(m)


def test_journal_reader():
    """The unit test of the reader, which needs a journal."""
    test = BUILD / 'tests/unit/engine/log/test-log-read-journald'
    if not test.exists():
        pytest.skip('the unit tests are not built')
    done = subprocess.run([test], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
                          env={**os.environ, 'CMOCKA_MESSAGE_OUTPUT': 'STDOUT'})
    assert done.returncode == 0 and 'PASSED' in done.stdout and 'SKIPPED' not in done.stdout, done.stdout
