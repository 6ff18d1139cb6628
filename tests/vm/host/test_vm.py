# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine itself, seen from outside. A boot takes long, so each test looks at several things."""

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

VM = [str(Path(__file__).resolve().parents[1] / 'vm')]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason='needs root')


def run(*words, **kwargs):
    return subprocess.run([*VM, *words], text=True, check=False, timeout=900,
                          **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **kwargs})


def test_passes_everything_through(tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder/file').write_text('copied\n')
    words = ['$HOME', '${PATH}', '%n', 'a b', '', '*', '"', "'", '\\']
    script = f'cat {tmp_path}/folder/file; wc -c; echo err >&2; printf "%s\\n" "$@"; kill -9 $$'
    done = run('--copy', str(tmp_path / 'folder'), '--', 'sh', '-c', script, 'sh', *words, stdin=None, input='x' * 200000)
    assert done.stdout.split('\n') == ['copied', '200000', *words, '']
    assert done.stderr.endswith('err\n')
    assert done.returncode == 128 + 9


def test_terminal_is_passed_through():
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(VM[0], [*VM, '--', 'sh', '-c', 'tty; read line; echo "got $line"; exit 5'])
    seen = b''
    while b'/dev/hvc0' not in seen:
        seen += os.read(fd, 1000)
    os.write(fd, b'hello\r')
    try:
        while data := os.read(fd, 1000):
            seen += data
    except OSError:                     # the other side of the terminal is closed
        pass
    assert b'got hello' in seen
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


def test_kept_disk_outlives_shutdown_and_power_cut(tmp_path):
    disk = str(tmp_path / 'disk')
    boot = 'cat /proc/sys/kernel/random/boot_id >>/root/boots; sync; '
    done = run('--keep-disk', disk, '--', 'sh', '-c', f'{boot} echo kept >/root/file; exit 3')
    assert done.returncode == 3
    done = run('--keep-disk', disk, '--power-cut-after', '2', '--', 'sh', '-c',
               f'{boot} cat /root/file; echo lost >/root/late; sleep 1000')
    assert (done.returncode, done.stdout) == (0, 'kept\n')
    done = run('--keep-disk', disk, '--', 'sh', '-c', f'{boot} cat /root/file /root/boots; dmesg | grep -c recovery')
    file, *boots, recoveries = done.stdout.split()
    assert (file, recoveries, len(boots), len(set(boots))) == ('kept', '1', 3, 3), (done.stdout, done.stderr)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_everything(number):
    with subprocess.Popen([*VM, '--', 'sleep', '1000'], stdin=subprocess.DEVNULL) as process:
        time.sleep(4)
        children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
        process.send_signal(number)
        assert process.wait(20) == -number
    deadline = time.monotonic() + 5
    while any(Path(f'/proc/{child}').exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert children
    assert not any(Path(f'/proc/{child}').exists() for child in children)
