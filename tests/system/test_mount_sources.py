# SPDX-License-Identifier: GPL-2.0-or-later
"""What is mounted when that is more than a folder of the host: volumes that are mounts, parts of volumes and images; with the stock docker client."""

import os
from pathlib import Path

import pytest

import host
from common.wait import wait_for
from test_spec import begin, docker, inspect, output, refused

pytestmark = pytest.mark.usefixtures('clean', 'busybox')


@pytest.fixture
def volume():
    made = []

    def make(name, **options):
        docker('volume', 'create', *[word for key, value in options.items() for word in ('-o', f'{key}={value}')], name)
        made.append(name)
        return Path(docker('volume', 'inspect', '-f', '{{.Mountpoint}}', name))

    yield make
    for ident in docker('ps', '-aq').split():
        docker('rm', '-fv', ident)
    for name in made:
        docker('volume', 'rm', '-f', name)


def unmounted(path):
    wait_for(lambda: not os.path.ismount(path), f'{path} is not mounted any more', 20)


def test_a_bind_volume_is_mounted_while_it_is_used(volume, tmp_path):
    (tmp_path / 'f').write_text('of the host')
    data = volume('bound', type='none', o='bind', device=str(tmp_path))
    assert output('-v', 'bound:/v', script='cat /v/f; echo more > /v/g') == 'of the host'
    assert (tmp_path / 'g').read_text() == 'more\n'
    unmounted(data)
    assert not (data / 'f').exists()

    # Two users, a daemon that is killed meanwhile, and a volume that is in use.
    begin('one', '-v', 'bound:/v')
    begin('two', '-v', 'bound:/v')
    assert os.path.ismount(data)
    docker('rm', '-f', 'one')
    host.run('systemctl', 'kill', '-s', 'KILL', 'stauer.service')
    wait_for(lambda: host.run('curl', '-sf', '--unix-socket', '/run/docker.sock', 'http://x/_ping', check=False).returncode == 0, 'the daemon is back', 30)
    assert docker('exec', 'two', 'cat', '/v/f') == 'of the host'
    assert os.path.ismount(data)
    assert 'volume is in use' in docker('volume', 'rm', 'bound', code=1)
    docker('rm', '-f', 'two')
    unmounted(data)
    docker('volume', 'rm', 'bound')
    wait_for(lambda: not data.exists(), 'the volume is gone', 20)
    assert (tmp_path / 'f').exists(), 'what is on the host stays'


def test_a_tmpfs_volume_and_one_that_cannot_be_mounted(volume):
    volume('memory', type='tmpfs', device='tmpfs', o='size=1m,uid=7')
    assert output('-v', 'memory:/v', script='stat -c %u /v; df -k /v | tail -1').split()[:3] == ['7', 'tmpfs', '1024']
    data = volume('broken', type='none', o='bind', device='/there/is/no/such')
    words = docker('run', '--rm', '--network', 'none', '-v', 'broken:/v', 'busybox', 'true', code=127)  # dockerd says it in these words, too, and the client takes them for a missing command
    assert f'failed to mount local volume: mount /there/is/no/such:{data}, flags: 0x1000: no such file or directory' in words.lower()


def test_a_part_of_a_volume(volume):
    volume('parts')
    output('-v', 'parts:/v', script='mkdir -p /v/a/b; echo deep > /v/a/b/f; echo top > /v/top; ln -s /etc /v/out; ln -s a/b /v/in')
    part = ('--mount', 'type=volume,src=parts,dst=/p,volume-subpath=')
    assert output(part[0], part[1] + 'a/b', script='cat /p/f; echo w > /p/new; ls /p').split() == ['deep', 'f', 'new']
    assert output(part[0], part[1] + 'in', script='cat /p/f') == 'deep'
    assert output(part[0], part[1] + 'top', script='cat /p') == 'top'
    assert 'cannot access path' in docker('run', '--rm', '--network', 'none', part[0], part[1] + 'out', 'busybox', 'true', code=125)
    assert 'cannot access path' in docker('run', '--rm', '--network', 'none', part[0], part[1] + 'none', 'busybox', 'true', code=125)
    assert 'subpath must be a relative path within the volume' in refused(part[0], part[1] + 'a/../../x')
    ident = docker('create', '--network', 'none', part[0], part[1] + 'a', 'busybox')
    assert docker('cp', f'{ident}:/p/b/f', '-')[:4] == 'f\0\0\0'


def test_an_image(tmp_path):
    docker('create', '--network', 'none', '--name', 'source', 'busybox')
    (tmp_path / 'f').write_text('of an image\n')
    docker('cp', str(tmp_path / 'f'), 'source:/f')
    docker('commit', 'source', 'mounted')
    docker('rm', 'source')
    mount = ('--mount', 'type=image,src=mounted,dst=/i')
    assert output(*mount, script='cat /i/f; ls -d /i/bin; (: > /i/new) 2>/dev/null || echo ro').split('\n') == ['of an image', '/i/bin', 'ro']
    assert output(mount[0], mount[1] + ',image-subpath=bin', script='test -x /i/sh && echo yes') == 'yes'
    ident = docker('create', '--network', 'none', *mount, 'busybox')
    assert 'mounted' in docker('rmi', 'mounted', code=1)
    shown, = inspect(ident)['Mounts']
    assert (shown['Type'], shown['Source'], shown['Destination'], shown['RW']) == ('image', 'mounted', '/i', False)
    docker('cp', f'{ident}:/i/f', str(tmp_path / 'out'))
    assert (tmp_path / 'out').read_text() == 'of an image\n'
    docker('rm', ident)
    docker('rmi', 'mounted')


def test_a_bind_source_has_to_be_there(tmp_path):
    assert f'bind source path does not exist: {tmp_path}/none' in refused('--mount', f'type=bind,src={tmp_path}/none,dst=/v')
    assert output('-v', f'{tmp_path}/made:/v', script='echo x > /v/f; cat /v/f') == 'x'
    assert (tmp_path / 'made').is_dir()


def test_rotated_logs_are_packed():
    lines = 'i=0; while [ $i -lt 6000 ]; do echo line $i; i=$((i+1)); done; sleep 1000'
    for driver in 'json-file', 'local':
        ident = begin(f'packed-{driver}', '--log-driver', driver, '--log-opt', 'max-size=100k', '--log-opt', 'max-file=9', '--log-opt', 'compress=true',
                      command=('sh', '-c', lines))
        folder = Path('/var/lib/docker/containers') / ident
        wait_for(lambda: docker('logs', '--tail', '1', ident) == 'line 5999', 'all is written', 30)
        wait_for(lambda: not [p for p in folder.iterdir() if p.name[-2:-1] == '.' and p.name[-1].isdigit()], 'all is packed', 30)
        assert len(list(folder.glob('*.gz'))) >= 1 and not list(folder.glob('*.packing'))
        assert docker('logs', ident).split('\n') == [f'line {i}' for i in range(6000)]
        assert docker('logs', '--tail', '5500', ident).split('\n') == [f'line {i}' for i in range(500, 6000)]
        docker('rm', '-f', ident)
