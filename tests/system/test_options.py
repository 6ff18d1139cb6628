# SPDX-License-Identifier: GPL-2.0-or-later
"""The options over org.stauer.Config1 with the real bus, the real polkit and the hardened unit."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

import host
from common.wait import wait_for

FILE = Path('/etc/sysconfig/docker')
CONFIG = ['org.stauer.Config1', '/org/stauer/Config1', 'org.stauer.Config1']


def call(*words, **more):
    return host.run('busctl', 'call', *CONFIG, *words, **more).stdout.strip()


def as_user(*words, user='nobody', group='nogroup'):
    uid = pwd.getpwnam(user).pw_uid
    return subprocess.run(['setpriv', f'--reuid={uid}', f'--regid={group}', '--clear-groups', *words],
                          capture_output=True, text=True, check=False)


@pytest.fixture
def options():
    """The file as it was, and the daemon as it was, afterwards."""
    text = FILE.read_text()
    yield FILE
    FILE.write_text(text)
    host.run('setfacl', '-b', FILE)
    host.run('systemctl', 'reset-failed', 'stauer.service', check=False)
    host.run('systemctl', 'restart', 'stauer.service')


def driver():
    return next(line.split(':')[1].strip() for line in host.out('info').splitlines() if 'Storage Driver' in line)


def test_driver_is_used_after_a_restart(options):
    before = driver()
    other = 'vfs' if before != 'vfs' else 'overlay2'
    assert call('SaveNeeds', 'a(sas)', '1', 'storage-driver', '1', other) == 's "restart"'
    call('Set', 'ss', 'storage-driver', other)
    assert driver() == before
    host.run('systemctl', 'restart', 'stauer.service')
    assert driver() == other
    call('Unset', 's', 'storage-driver')
    host.run('systemctl', 'restart', 'stauer.service')
    assert driver() == before


@pytest.mark.parametrize('option, place', [('data-root', '/srv/docker'), ('data-root', '/home/docker'), ('exec-root', '/run/other')])
def test_places_are_where_the_options_say(options, busybox_archive, option, place):
    """In the hardened unit, too; and a container runs there."""
    host.stauer('load', '-i', busybox_archive)
    call('Set', 'ss', option, place)
    try:
        host.run('systemctl', 'restart', 'stauer.service')
        if option == 'data-root':
            host.stauer('load', '-i', busybox_archive)
        ident = host.out('run', '-d', '--network=none', 'busybox', 'echo', 'here')
        assert host.out('wait', ident) == '0'
        assert host.out('logs', ident) == 'here'
        host.stauer('rm', ident)
    finally:
        call('Unset', 's', option)
        host.run('systemctl', 'restart', 'stauer.service')
        for pin in Path(place).glob('netns/*'):             # the pool outlives its daemon, which does not come back to this place
            host.run('umount', pin)
        host.run('rm', '-rf', place)


def test_a_wrong_option_stops_the_start_and_is_mended_over_the_bus(options):
    options.write_text('# mine\nDOCKER_OPTS="--label=a=1 -s aufs"\n')
    host.run('systemctl', 'restart', 'stauer.service', check=False)
    sentence = f'{FILE}, line 2, word 2 "-s": AUFS is not in the Linux kernel'
    wait_for(lambda: sentence in host.run('journalctl', '-u', 'stauer.service', '-n', '50', '-o', 'cat').stdout,
             'the reason is in the journal')
    # The options service works while the daemon is down, and knows why it is.
    state = host.run('busctl', 'get-property', *CONFIG, 'State', 'Message').stdout
    assert '"refused"' in state and 'AUFS' in state
    call('Set', 'ss', 'storage-driver', 'vfs')
    assert options.read_text() == '# mine\nDOCKER_OPTS="--label=a=1 -s vfs"\n'
    host.run('systemctl', 'reset-failed', 'stauer.service', check=False)
    host.run('systemctl', 'restart', 'stauer.service')
    assert driver() == 'vfs'


def test_live_options_need_a_reload_only(options):
    assert call('SaveNeeds', 'a(sas)', '1', 'debug', '1', 'true') == 's "reload"'
    pid = host.main_pid()
    call('Set', 'ss', 'debug', 'true')
    host.run('systemctl', 'reload', 'stauer.service')
    wait_for(lambda: 'Options read again' in host.run('journalctl', f'_PID={pid}', '-o', 'cat').stdout, 'the reload')
    assert host.main_pid() == pid


def test_the_hardened_unit_keeps_acl_owner_and_xattr(options):
    os.chown(options, 0, 0)
    options.chmod(0o640)
    host.run('setfacl', '-m', 'u:nobody:r', options)
    acl = host.run('getfacl', '-n', options).stdout
    call('Set', 'ss', 'log-level', 'warn')
    assert host.run('getfacl', '-n', options).stdout == acl
    assert '--log-level=warn' in options.read_text()


def test_polkit_says_no_to_others(options):
    text = options.read_text()
    for words in (['Set', 'ss', 'group', 'x'], ['Unset', 's', 'group'], ['ListOptions'], ['Get', 's', 'group']):
        result = as_user('busctl', 'call', *CONFIG, *words)
        assert result.returncode != 0 and ('authentication required' in result.stderr or 'denied' in result.stderr), result
    assert options.read_text() == text
    journal = host.run('journalctl', '-u', 'stauer-configd.service', '-o', 'cat', 'AUTH_RESULT=refused').stdout
    assert f'org.stauer.config.edit on "group" refused for uid {pwd.getpwnam("nobody").pw_uid}' in journal


def test_ends_when_idle(options):
    call('Get', 's', 'group')
    assert host.unit('stauer-configd.service', 'ActiveState')['ActiveState'] == 'active'
    wait_for(lambda: host.unit('stauer-configd.service', 'ActiveState')['ActiveState'] == 'inactive', 'it ends when idle', timeout=60)
    assert host.unit('stauer-configd.service', 'Result')['Result'] == 'success'
