# SPDX-License-Identifier: GPL-2.0-or-later
"""What the virtual machine promises to the tests that run in it."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif('STAUER_VM' not in os.environ, reason='runs in tests/vm/vm')


def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False).stdout


def test_all_controllers_are_there():
    assert {'cpu', 'cpuset', 'io', 'memory', 'pids'} <= set(Path('/sys/fs/cgroup/cgroup.controllers').read_text().split())


def test_systemd_runs_and_nothing_failed():
    assert output('systemctl', '--failed', '--no-legend') == ''
    assert Path('/proc/1/comm').read_text() == 'systemd\n'


def test_limits_of_a_scope_act():
    done = subprocess.run(['systemd-run', '--quiet', '--scope', '-p', 'MemoryMax=20M', '-p', 'MemorySwapMax=0',
                           '/usr/bin/python3', '-c', 'bytearray(60 << 20)'], check=False)
    assert done.returncode in (-9, 137)


@pytest.mark.parametrize('module', ['overlay', 'btrfs', 'dm_thin_pool', 'veth', 'bridge', 'nf_tables'])
def test_kernel_has(module):
    assert subprocess.run(['modprobe', module], check=False).returncode == 0


def test_loop_devices_work(tmp_path):
    image = tmp_path / 'image'
    subprocess.run(['truncate', '-s', '200M', image], check=True)
    subprocess.run(['mkfs.btrfs', '-q', image], check=True)
    subprocess.run(['mount', '-o', 'loop', image, '/mnt'], check=True)
    assert output('stat', '-f', '-c', '%T', '/mnt') == 'btrfs\n'
    subprocess.run(['umount', '/mnt'], check=True)
