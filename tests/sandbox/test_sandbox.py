# SPDX-License-Identifier: GPL-2.0-or-later
"""The sandbox itself: passes everything through, and leaves nothing behind on every way out."""

import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SANDBOX = [str(HERE / 'sandbox')]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root')


def run(*words, **kwargs):
    return subprocess.run([*SANDBOX, *words], text=True, check=False, timeout=300,
                          **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **kwargs})


def names():
    return run('--list').stdout.split()


def traces(name):
    """Everything on the machine that has the name of a sandbox in it."""
    found = [f'mount {line}' for line in Path('/proc/self/mountinfo').read_text().splitlines() if name in line]
    for process in Path('/proc').iterdir():
        if process.name.isdigit():
            try:
                words = (process / 'cmdline').read_bytes().replace(b'\0', b' ').decode(errors='replace')
                mounts = (process / 'mountinfo').read_text(errors='replace')
            except OSError:
                continue
            if name in words or f'/{name}/' in mounts:
                found.append(f'process {process.name} {words[:200]}')
    for root, folders, _ in os.walk('/sys/fs/cgroup'):
        found += [f'cgroup {root}/{folder}' for folder in folders if name in folder]
    loops = subprocess.run(['losetup', '-n', '-O', 'BACK-FILE'], stdout=subprocess.PIPE, text=True, check=False).stdout
    if not names():
        found += [f'loop {line}' for line in loops.splitlines() if '/sandbox/layer-' in line]
    cache = os.environ.get('STAUER_CACHE') or os.path.join(os.environ.get('XDG_CACHE_HOME') or '/var/cache', 'stauer')
    found += [f'file {path}' for path in Path(cache, 'sandbox/run').glob(f'{name}*')]
    found += [f'file {path}' for path in Path('/tmp').glob('nspawn-*')]
    return found


def assert_gone(name, seconds=10):
    deadline = time.monotonic() + seconds
    while traces(name) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not traces(name)


def start(name, *command, **kwargs):
    """Starts a sandbox that says when its command runs."""
    process = subprocess.Popen([*SANDBOX, '--name', name, '--', 'sh', '-c', f'echo ready; {" ".join(command)}'],
                               text=True, **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, **kwargs})
    assert process.stdout.readline() == 'ready\n'
    return process


def test_passes_output_and_status_through():
    done = run('--', 'sh', '-c', 'echo out; echo err >&2; exit 42')
    assert done.returncode == 42
    assert done.stdout == 'out\n'
    assert done.stderr.endswith('err\n')


def test_passes_input_through():
    data = 'x' * 300000
    assert run('--', 'cat', stdin=None, input=data).stdout == data


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGPIPE, signal.SIGKILL])
def test_death_by_signal_is_a_status(number):
    assert run('--', 'sh', '-c', f'kill -{int(number)} $$').returncode == 128 + number


@pytest.mark.parametrize('how', ['kill -TERM 0', 'systemctl stop "sandbox-command-*"', 'systemctl poweroff; sleep 100'])
def test_end_from_outside_is_no_success(how):
    done = run('--', 'sh', '-c', how)
    assert done.returncode != 0


def test_words_arrive_as_they_are():
    words = ['$HOME', '${PATH}', '%n', 'a b', '', '*', '"', "'", '\\', '$$', '-x']
    done = run('--', 'printf', '%s\\n', *words)
    assert done.stdout.split('\n')[:-1] == words


def test_runs_where_the_caller_is():
    assert run('--', 'pwd', cwd=HERE).stdout == f'{HERE}\n'


def test_systemd_runs_and_nothing_failed():
    done = run('--', 'sh', '-c', 'systemctl is-system-running; systemctl --failed --no-legend; cat /proc/1/comm')
    assert done.stdout == 'running\nsystemd\n'


def test_machine_is_not_written_to(tmp_path):
    marker = Path(f'/etc/stauer-test-{os.getpid()}')
    done = run('--', 'sh', '-c', f'touch {marker} && rm /etc/os-release /usr/bin/env && ls {marker}')
    assert done.returncode == 0
    assert not marker.exists()
    assert os.path.exists('/etc/os-release') and os.path.exists('/usr/bin/env')


def test_bind_shows_the_machine_itself(tmp_path):
    (tmp_path / 'in').write_text('from outside')
    done = run('--bind', str(tmp_path), '--', 'cp', f'{tmp_path}/in', f'{tmp_path}/out')
    assert done.returncode == 0
    assert (tmp_path / 'out').read_text() == 'from outside'


def test_leaves_nothing_behind():
    name = f'test-end-{os.getpid()}'
    assert run('--name', name, '--', 'true').returncode == 0
    assert not traces(name)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_everything(number):
    name = f'test-signal-{os.getpid()}'
    process = start(name, 'sleep 1000')
    process.send_signal(number)
    assert process.wait(20) == -number
    assert not traces(name)


def test_sigkill_ends_everything():
    name = f'test-kill-{os.getpid()}'
    process = start(name, 'setsid sleep 1000 & sleep 1000')
    process.kill()
    process.wait()
    assert_gone(name)


def test_sigkill_of_the_keeper_ends_everything():
    name = f'test-keeper-{os.getpid()}'
    process = start(name, 'sleep 1000')
    keeper = next(line for line in traces(name) if '--keeper' in line).split()[1]
    os.kill(int(keeper), signal.SIGKILL)
    process.wait(20)
    run('--', 'true')                   # the next one sweeps
    assert_gone(name)


def test_sigkill_while_it_boots():
    for delay in (0.2, 0.4, 0.6, 0.8):
        name = f'test-early-{os.getpid()}-{int(delay * 10)}'
        with subprocess.Popen([*SANDBOX, '--name', name, '--', 'true'], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(delay)
            process.kill()
        assert_gone(name)


def test_keep_enter_and_end():
    name = f'test-keep-{os.getpid()}'
    try:
        done = run('--keep', '--name', name, '--', 'sh', '-c', 'echo kept >/root/file; exit 3')
        assert done.returncode == 3
        assert f'--enter {name}' in done.stderr and f'--end {name}' in done.stderr
        assert name in names()
        assert run('--enter', name, '--', 'cat', '/root/file').stdout == 'kept\n'
        assert run('--name', name, '--', 'true').returncode == 125
    finally:
        assert run('--end', name).returncode == 0
    assert not traces(name)
    assert run('--enter', name, '--', 'true').returncode == 125


def test_several_at_once():
    sandboxes = [start(f'test-many-{os.getpid()}-{i}', 'cat /etc/machine-id; sleep 1') for i in range(3)]
    ids = {process.communicate(timeout=60)[0] for process in sandboxes}
    assert len(ids) == 3
    assert [process.returncode for process in sandboxes] == [0, 0, 0]


def test_journal_is_saved(tmp_path):
    journal = tmp_path / 'journal'
    done = run('--save-journal', str(journal), '--', 'sh', '-c', 'echo found-me | systemd-cat; exit 1')
    assert done.returncode == 1
    assert 'found-me' in journal.read_text()


def test_terminal_is_passed_through():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(SANDBOX[0], [*SANDBOX, '--', 'sh', '-c', 'tty; read line; echo "got $line"; exit 5'])
    seen = b''
    while b'/dev/pts/' not in seen:
        seen += os.read(fd, 1000)
    os.write(fd, b'hello\r')
    while b'got hello' not in seen:
        seen += os.read(fd, 1000)
    try:
        while os.read(fd, 1000):
            pass
    except OSError:                     # the other side of the terminal is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


def test_folders_of_engines_are_not_on_an_overlay():
    done = run('--', 'stat', '-f', '-c', '%T', '/var/lib/docker', '/var/lib/containers', '/var/lib/peer')
    assert not re.search('overlay', done.stdout)
    assert len(done.stdout.split()) >= 3
