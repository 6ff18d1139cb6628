# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices wherever they are, and logs that nobody waits for, with the stock docker client."""

import socket

import pytest

import host
from common.wait import wait_for
from test_spec import begin, docker, inspect, output, refused

pytestmark = pytest.mark.usefixtures('clean', 'busybox')


@pytest.fixture
def nodes(tmp_path):
    """A folder outside of /dev with a node that no container may use by itself: kmsg."""
    folder = tmp_path / 'nodes'
    folder.mkdir()
    host.run('mount', '-t', 'tmpfs', '-o', 'dev', 'tmpfs', str(folder))
    (folder / 'sub').mkdir()
    host.run('mknod', str(folder / 'log'), 'c', '1', '11')
    host.run('mknod', str(folder / 'sub' / 'loop'), 'b', '7', '200')
    (folder / 'link').symlink_to('log')
    yield folder
    host.run('umount', '-l', str(folder))


def test_devices_outside_of_dev(nodes):
    opens = 'exec 3> /dev/mine && echo open'
    assert output('--device', f'{nodes}/log:/dev/mine', script=opens) == 'open'
    assert output('--device', f'{nodes}/link:/dev/mine:w', script=opens) == 'open'
    ident = begin('with', '--device', f'{nodes}:/dev/all:rw')
    listed = host.run('systemctl', 'show', '-pDeviceAllow', f'docker-{ident}.scope').stdout
    assert '/dev/char/1:11 rw' in listed and '/dev/block/7:200 rw' in listed, listed
    assert docker('exec', 'with', 'sh', '-c', 'exec 3> /dev/all/log && echo open') == 'open'
    host.run('systemctl', 'daemon-reload')
    assert docker('exec', 'with', 'sh', '-c', 'exec 3> /dev/all/log && echo open') == 'open'
    docker('restart', '-t', '0', 'with')
    assert docker('exec', 'with', 'sh', '-c', 'exec 3> /dev/all/log && echo open') == 'open'
    assert output(script='mknod /x c 1 11; (exec 3> /x) 2>/dev/null || echo refused') == 'refused'
    ident = docker('create', '--network', 'none', '--device', f'{nodes}/nothing:/dev/x', 'busybox')
    assert 'no such file or directory' in docker('start', ident, code=1)
    (nodes / 'file').touch()
    assert 'not a device node' in refused('--device', f'{nodes}/file:/dev/x')


def test_a_device_folder_in_dev():
    host.run('mkdir', '-p', '/dev/stauer-folder')
    host.run('mknod', '/dev/stauer-folder/log', 'c', '1', '11')
    try:
        assert output('--device', '/dev/stauer-folder', script='exec 3> /dev/stauer-folder/log && echo open') == 'open'
    finally:
        host.run('rm', '-r', '/dev/stauer-folder')


@pytest.fixture
def deaf_server():
    """Accepts and never reads."""
    server = socket.create_server(('127.0.0.1', 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    yield server
    server.close()


def test_nobody_waits_for_a_log_that_does_not_block(deaf_server):
    options = ('--log-driver', 'syslog', '--log-opt', f'syslog-address=tcp://127.0.0.1:{deaf_server.getsockname()[1]}',
               '--log-opt', 'cache-disabled=true')
    script = 'i=0; while [ $i -lt 400 ]; do head -c 30000 /dev/zero | tr "\\0" x; echo; i=$((i+1)); done; exit 7'
    begin('waits', *options, command=('sh', '-c', script))
    begin('goes', *options, '--log-opt', 'mode=non-blocking', '--log-opt', 'max-buffer-size=256k', command=('sh', '-c', script))
    wait_for(lambda: not inspect('goes')['State']['Running'], 'the one that does not wait has come to its end', 60)
    assert inspect('goes')['State']['ExitCode'] == 7
    assert inspect('waits')['State']['Running'], 'the other one waits'
    journal = host.run('journalctl', '-b', '-g', 'log lines of container goes could not be written').stdout
    assert 'No buffer space' in journal
    begin('fine', '--log-opt', 'mode=non-blocking', '--log-opt', 'max-buffer-size=4k',
          command=('sh', '-c', 'i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done'))
    docker('wait', 'fine')
    assert docker('logs', 'fine').split() == [str(i) for i in range(5000)], 'a log that takes all loses nothing'
    assert 'max-buffer-size' in refused('--log-opt', 'max-buffer-size=1m')
