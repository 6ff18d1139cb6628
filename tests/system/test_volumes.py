# SPDX-License-Identifier: GPL-2.0-or-later
"""Volumes with real containers and stock clients: filled, shared, kept over a dead daemon, gone with what they belong to."""

import json
from pathlib import Path

import pytest

from common.wait import wait_for
from host import DATA_ROOT, main_pid, run, stauer

pytestmark = pytest.mark.usefixtures('clean')
CLIENTS = ['docker', '/opt/docker-20.10/docker']
NONE = ('--network', 'none')


def out(*words, **more):
    return run(*words, **more).stdout.rstrip('\n')


@pytest.fixture(autouse=True)
def none_left():
    yield
    for name in out('docker', 'ps', '-aq').split():
        run('docker', 'rm', '-fv', name)
    run('docker', 'volume', 'prune', '-af')
    assert out('docker', 'volume', 'ls', '-q') == ''
    wait_for(lambda: not list((DATA_ROOT / 'volumes').iterdir()), 'no volume is left')


@pytest.fixture(params=CLIENTS)
def docker(request):
    def call(*words, **more):
        return out(request.param, '-H', 'unix:///run/docker.sock', *words, **more)
    return call


@pytest.fixture
def image(busybox):
    """A database, as it were: it brings a volume with content of another owner."""
    run('docker', 'run', '--name', 'maker', *NONE, busybox, 'sh', '-c',
        'mkdir -p /db/sub; echo seed >/db/sub/f; chmod 640 /db/sub/f; chown -R 70:71 /db; chmod 1770 /db; ln -s sub/f /db/link')
    run('docker', 'commit', '--change', 'VOLUME /db', 'maker', 'database')
    run('docker', 'rm', 'maker')
    yield 'database'
    run('docker', 'rm', '-fv', *out('docker', 'ps', '-aq', '--filter', 'ancestor=database').split(), check=False)
    run('docker', 'rmi', 'database')


def test_named_volume_is_filled_shared_and_kept(docker, image):
    assert docker('run', '--rm', *NONE, '-v', 'store:/db', image, 'sh', '-c',
                  'stat -c %u:%g:%a /db /db/sub/f; cat /db/link; echo more >/db/new') == '70:71:1770\n70:71:640\nseed'
    assert docker('run', '--rm', *NONE, '-v', 'store:/x:ro', image, 'sh', '-c', 'cat /x/new; echo no >/x/new || echo refused') \
        == 'more\nrefused'
    v, = json.loads(docker('volume', 'inspect', 'store'))
    assert Path(v['Mountpoint'], 'new').read_text() == 'more\n'
    assert docker('volume', 'ls', '--format', '{{.Name}} {{.Driver}}') == 'store local'
    assert docker('volume', 'rm', 'store') == 'store'


def test_anonymous_volumes_live_as_long_as_their_container(docker, image):
    docker('run', '-d', '--name', 'db', *NONE, image, 'sleep', '1000')
    name = docker('volume', 'ls', '-q')
    assert len(name) == 64
    assert docker('inspect', '-f', '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}}{{end}}', 'db') == f'volume {name} /db'
    docker('run', '--rm', *NONE, '--volumes-from', 'db', image, 'sh', '-c', 'echo guest >/db/guest')
    assert docker('exec', 'db', 'cat', '/db/guest') == 'guest'
    docker('restart', '-t', '0', 'db')
    assert docker('exec', 'db', 'cat', '/db/guest') == 'guest'
    assert docker('volume', 'ls', '-q') == name                    # the guest's --rm took nothing of it
    docker('rm', '-fv', 'db')
    assert docker('volume', 'ls', '-q') == ''


def test_daemon_dies_and_still_knows_who_uses_what(image):
    run('docker', 'run', '-d', '--name', 'db', *NONE, '-v', 'store:/more', image, 'sh', '-c',
        'while :; do echo x >>/db/log; sleep 0.05; done')
    run('docker', 'volume', 'create', 'alone')
    before = main_pid()
    run('kill', '-9', str(before))
    wait_for(lambda: main_pid() not in (0, before), 'it is back')
    refused = run('docker', 'volume', 'rm', 'store', check=False)
    assert refused.returncode == 1 and 'volume is in use' in refused.stderr
    assert out('docker', 'volume', 'ls', '-q', '--filter', 'dangling=true') == 'alone'
    run('docker', 'rm', '-fv', 'db')
    assert out('docker', 'volume', 'ls', '-q').split() == ['alone', 'store']


def test_stauer(image):
    assert stauer('volume', 'create', '--label', 'a=b', 'own').stdout == 'own\n'
    assert stauer('run', '--rm', *NONE, '-v', 'own:/db', '--mount', 'type=volume,src=two,dst=/two,volume-nocopy', image, 'cat',
                  '/db/link').stdout == 'seed\n'
    assert stauer('volume', 'ls', '-q').stdout == 'own\ntwo\n'
    run('stauer', 'create', '--name', 'user', *NONE, '-v', 'own:/db', image)
    assert stauer('ps', '-a', '--filter', 'volume=own', '--format', '{{.Names}}').stdout == 'user\n'
    assert 'Local Volumes   2         1' in stauer('system', 'df').stdout
    assert 'two' in stauer('volume', 'prune', '-af').stdout
    assert stauer('volume', 'ls', '-q').stdout == 'own\n'


def test_bus(image):
    bus = ('busctl', '--json=short', 'call', 'org.stauer.Engine1', '/org/stauer/Engine1', 'org.stauer.Engine1.Manager')
    path, = json.loads(out(*bus, 'CreateVolume', 'ssa{ss}a{ss}', 'my-data', '', '0', '0'))['data']
    assert path == '/org/stauer/Engine1/volume/my_2ddata'
    run('docker', 'create', '--name', 'user', *NONE, '-v', 'my-data:/db', image)
    assert out('busctl', 'get-property', 'org.stauer.Engine1', path, 'org.stauer.Engine1.Volume', 'NContainers') == 'u 1'
    assert (DATA_ROOT / 'volumes/my-data/_data/sub/f').read_text() == 'seed\n'
