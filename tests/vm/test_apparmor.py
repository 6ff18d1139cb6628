# SPDX-License-Identifier: GPL-2.0-or-later
"""The AppArmor profile of containers, on a kernel that has AppArmor."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ENABLED = Path('/sys/module/apparmor/parameters/enabled')
PARSER = shutil.which('apparmor_parser')

pytestmark = [
        pytest.mark.skipif(not ENABLED.exists() or ENABLED.read_text(encoding='utf-8').strip() != 'Y',
                           reason='this kernel has no AppArmor'),
        pytest.mark.skipif(not PARSER, reason='needs apparmor_parser'),
]
CURRENT = 'cat /proc/self/attr/apparmor/current 2>/dev/null || cat /proc/self/attr/current'


def stauer(*args, check=True):
    done = subprocess.run(['stauer', *args], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope='module', autouse=True)
def image(tmp_path_factory):
    root = tmp_path_factory.mktemp('root')
    (root / 'bin').mkdir()
    shutil.copy(shutil.which('busybox'), root / 'bin/busybox')
    for name in ('sh', 'cat', 'mount', 'sleep', 'mkdir', 'true'):
        (root / 'bin' / name).symlink_to('busybox')
    subprocess.run(f"tar -C {root} -c . | stauer import - aa", shell=True, check=True, stdout=subprocess.DEVNULL)


def label(*options):
    return stauer('run', '--rm', '--network', 'none', *options, 'aa', 'sh', '-c', CURRENT).stdout.strip()


def test_default_profile_is_loaded_and_applied():
    assert label() == 'docker-default (enforce)'
    # Whoever removed it gets it again.
    subprocess.run([PARSER, '--remove'], input='profile docker-default {}', text=True, check=True)
    assert label() == 'docker-default (enforce)'


def test_what_was_asked():
    assert label('--security-opt', 'apparmor=unconfined') == 'unconfined'
    assert label('--privileged') == 'unconfined'
    subprocess.run([PARSER, '--replace', '--skip-cache'], input='profile mine flags=(attach_disconnected) { file, }',
                   text=True, check=True)
    assert label('--security-opt', 'apparmor=mine') == 'mine (enforce)'
    done = stauer('run', '--rm', '--network', 'none', '--security-opt', 'apparmor=nobody-has-it', 'aa', 'true', check=False)
    assert done.returncode != 0 and 'nobody-has-it' in done.stderr


def test_exec_and_inspect():
    name = stauer('run', '-d', '--network', 'none', 'aa', 'sleep', '1000').stdout.strip()
    try:
        assert stauer('exec', name, 'sh', '-c', CURRENT).stdout.strip() == 'docker-default (enforce)'
        assert stauer('exec', '--privileged', name, 'sh', '-c', CURRENT).stdout.strip() == 'unconfined'
        assert json.loads(stauer('inspect', name).stdout)[0]['AppArmorProfile'] == 'docker-default'
    finally:
        stauer('rm', '-f', name)


def test_mount_is_denied_with_every_capability():
    command = ['--network', 'none', '--cap-add', 'ALL', '--security-opt', 'seccomp=unconfined', 'aa', 'sh', '-c',
               'mkdir /m; mount -t tmpfs none /m']
    done = stauer('run', '--rm', *command, check=False)
    assert done.returncode != 0 and 'ermission denied' in done.stderr
    assert stauer('run', '--rm', '--security-opt', 'apparmor=unconfined', *command).returncode == 0


def test_info_tells():
    assert 'name=apparmor' in json.loads(stauer('info', '--format', '{{json .SecurityOptions}}').stdout)
