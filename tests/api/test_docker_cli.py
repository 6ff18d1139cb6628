# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock docker client of this machine against the daemon, with the API it asks for itself and with older ones."""

import json
import os
import re
import shutil
import subprocess
import threading
import time

import pytest
from common.images import rootfs_tar

DOCKER = shutil.which('docker')
pytestmark = pytest.mark.skipif(not DOCKER, reason='there is no docker client on this machine')


@pytest.fixture(params=[None, '1.41', '1.24'], ids=['newest', '1.41', '1.24'])
def docker(request, daemon, tmp_path):
    env = {'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'DOCKER_HOST': f'unix://{daemon.socket}',
           'DOCKER_CLI_HINTS': 'false'}
    if request.param:
        env['DOCKER_API_VERSION'] = request.param

    def docker(*words, code=0, **more):
        done = subprocess.run([DOCKER, *words], env=env, capture_output=True, text=True, timeout=30, **more)
        assert done.returncode == code, f'docker {" ".join(words)}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done.stdout if code == 0 else done.stderr

    docker.env, docker.api = env, request.param
    return docker


def test_version(docker):
    assert re.search(r'Server: Stauer\n Engine:\n  Version: +\d', docker('version'))
    assert docker('version', '-f', '{{.Server.APIVersion}}') == '1.51\n'


def test_info(docker):
    text = docker('info')
    assert 'Storage Driver: vfs\n' in text and 'Cgroup Version: 2\n' in text and 'Server Version: ' in text
    assert docker('info', '-f', '{{.Images}} {{.Containers}}') == '1 0\n'


def test_images(docker, archive, tmp_path):
    identity = archive[1][7:19]
    assert docker('images', '-q') == identity + '\n'
    assert re.search(rf'busybox +latest +{identity} ', docker('images'))
    assert docker('images', '-q', 'busybox:latest') == identity + '\n'
    assert docker('images', '-q', '--filter', 'dangling=true') == ''
    assert archive[1] in docker('images', '--no-trunc', '--digests')
    assert docker('load', '-i', str(archive[0])) == 'Loaded image: busybox:latest\n'
    with open(archive[0], 'rb') as f:
        assert docker('load', stdin=f) == 'Loaded image: busybox:latest\n'
    docker('tag', 'busybox', 'port/busy:v1')
    assert 'port/busy:v1' in docker('image', 'inspect', '-f', '{{.RepoTags}}', archive[1])
    assert docker('rmi', 'port/busy:v1') == 'Untagged: port/busy:v1\n'
    assert 'busybox for tests' in docker('history', 'busybox')
    assert 'No such image: nothing:latest' in docker('rmi', 'nothing', code=1)

    (tmp_path / 'root.tar').write_bytes(rootfs_tar())
    image = docker('import', '-c', 'CMD ["sh"]', '-m', 'by hand', str(tmp_path / 'root.tar'), 'imported:1').strip()
    assert re.fullmatch('sha256:[0-9a-f]{64}', image)
    document, = json.loads(docker('image', 'inspect', 'imported:1'))
    assert document['Id'] == image and document['Config']['Cmd'] == ['sh']
    assert docker('rmi', 'imported:1').splitlines()[0] == 'Untagged: imported:1'


def test_life(docker):
    identity = docker('create', '--network', 'none', '--name', 'ship', '--label', 'a=b', 'busybox', 'sh', '-c',
                      'echo out; echo err >&2; exit 3').strip()
    assert re.search(rf'{identity[:12]} +busybox +"sh -c .*Created +ship', docker('ps', '-a'))
    assert docker('start', 'ship') == 'ship\n'
    assert docker('wait', 'ship') == '3\n'
    done = subprocess.run([DOCKER, 'logs', 'ship'], env=docker.env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ('out\n', 'err\n')
    assert re.match(r'\d{4}-.*Z  ?out\n', docker('logs', '-t', '--details', '--tail', '10', 'ship'))
    assert docker('ps', '-a', '--format', '{{.Names}} {{.State}} {{.Label "a"}}') in ('ship exited b\n', 'ship  b\n')
    assert 'Exited (3)' in docker('ps', '-a')
    assert docker('ps', '-aq', '--filter', 'name=shi', '--filter', 'label=a', '--filter', 'exited=3') == identity[:12] + '\n'
    assert docker('inspect', '-f', '{{.State.ExitCode}} {{.Name}}', 'ship') == '3 /ship\n'
    assert docker('rm', 'ship') == 'ship\n'
    assert docker('ps', '-aq') == ''


def test_run_detached(docker):
    identity = docker('run', '-d', '--network', 'none', '--name', 'boat', '-e', 'A=b c', '-w', '/var', '-u', '33:33',
                      'busybox', 'sh', '-c', 'echo $A; pwd; exec sleep 60').strip()
    assert docker('ps', '-q', '--no-trunc') == identity + '\n'
    assert 'Up ' in docker('ps')
    assert docker('stop', '-t', '1', 'boat') == 'boat\n'
    assert docker('logs', 'boat') == 'b c\n/var\n'
    assert docker('start', 'boat') == 'boat\n'
    assert docker('kill', '-s', 'KILL', 'boat') == 'boat\n'
    assert docker('wait', 'boat') == '137\n'
    assert 'container is running' in docker('rm', docker('run', '-d', '--network', 'none', '--name', 'two', 'busybox', 'sleep',
                                                         '60').strip(), code=1)
    assert docker('rm', '-f', 'boat', 'two') == 'boat\ntwo\n'


def test_follow(docker):
    docker('run', '-d', '--network', 'none', '--name', 'talk', 'busybox', 'sh', '-c',
           'for i in 1 2 3; do echo $i; sleep 0.2; done')
    assert docker('logs', '-f', 'talk') == '1\n2\n3\n'


@pytest.mark.parametrize('words, code, text', [
    (['busybox', '/no/such'], 127, 'no such file or directory'), (['busybox', 'no-such'], 127, 'executable file not found'),
    (['busybox', '/etc/passwd'], 126, 'permission denied'), (['--memory', '1k', 'busybox', 'true'], 125, 'Minimum memory limit')])
def test_run_fails(docker, words, code, text):
    assert text in docker('run', '-d', '--network', 'none', *words, code=code)


def test_run_auto_remove(docker):
    docker('run', '-d', '--rm', '--network', 'none', 'busybox', 'true')
    if docker.api == '1.24':
        return                        # the client does not ask for it there, and does not remove a detached one itself
    end = time.monotonic() + 10
    while docker('ps', '-aq') and time.monotonic() < end:
        time.sleep(0.05)
    assert docker('ps', '-aq') == ''


def test_events(docker):
    with subprocess.Popen([DOCKER, 'events', '--filter', 'type=container', '--format', '{{.Action}} {{.Actor.Attributes.name}}'],
                          env=docker.env, stdout=subprocess.PIPE, text=True) as events:
        try:
            lines = []
            thread = threading.Thread(target=lambda: lines.extend(iter(events.stdout.readline, '')), daemon=True)
            thread.start()
            time.sleep(0.3)
            docker('run', '-d', '--network', 'none', '--name', 'news', 'busybox', 'true')
            docker('wait', 'news')
            docker('rm', 'news')
            time.sleep(0.2)
        finally:
            events.terminate()
        thread.join(5)
    lines = [line for line in lines if line.endswith(' news\n')]
    assert lines == ['create news\n', 'start news\n', 'die news\n', 'destroy news\n']
    assert 'destroy' in docker('events', '--since', '1m', '--until', str(int(time.time()) + 1), '--filter', 'container=news')


def test_newest_requests(daemon):
    """What the clients of today ask besides."""
    assert daemon.get('/v1.50/images/json?manifests=1&shared-size=1').status == 200
    assert daemon.get('/v1.50/containers/json?size=1').json == []
    assert daemon.get('/v1.50/images/busybox/json?manifests=1').status == 200
