# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock docker clients against the real daemon: this machine's newest and Debian's 20.10, as root and as others."""

import json
import os
import pwd
import re
import subprocess
import time
from pathlib import Path

import pytest

import host
from common.images import rootfs_tar
from common.wait import wait_for

pytestmark = pytest.mark.usefixtures('clean')

CLIENTS = ('/usr/local/bin/docker', '/opt/docker-machine/docker', '/opt/docker-20.10/docker')

MEMBER, STRANGER = 'stauer-member', 'stauer-stranger'


def client_version(path):
    text = subprocess.run([path, '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.search(r'version ([\d.]+\d)', text)[1]


def clients():
    """One of each version."""
    found = {}
    for path in CLIENTS:
        if os.access(path, os.X_OK):
            found.setdefault(client_version(path), path)
    return found


@pytest.fixture(scope='module')
def users():
    """One in group docker, one that is not."""
    for name, more in ((MEMBER, ['-G', 'docker']), (STRANGER, [])):
        try:
            pwd.getpwnam(name)
        except KeyError:
            host.run('useradd', '-M', '-N', '-g', 'nogroup', '-d', '/nonexistent', *more, name)
    yield
    for name in (MEMBER, STRANGER):
        host.run('userdel', name, check=False)


class Docker:
    def __init__(self, path, user, home):
        self.path, self.user, self.home = path, user, home
        self.words = [path]
        if user != 'root':
            self.words = ['setpriv', f'--reuid={user}', '--regid=nogroup', '--init-groups', '--', path]
        self.env = {'PATH': os.environ['PATH'], 'DOCKER_CONFIG': '/nonexistent', 'DOCKER_CLI_HINTS': 'false'}

    def run(self, *words, **more):
        return subprocess.run([*self.words, *map(str, words)], env=self.env, cwd='/', capture_output=True, text=True,
                              timeout=60, check=False, **more)

    def __call__(self, *words, code=0, **more):
        done = self.run(*words, **more)
        assert done.returncode == code, f'docker {words}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done.stdout.rstrip('\n') if code == 0 else done.stderr

    def begin(self, *words):
        return subprocess.Popen([*self.words, *words], env=self.env, cwd='/', stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)


@pytest.fixture(params=[(v, u) for v in (clients() or ['none']) for u in ('root', MEMBER)], ids='-'.join)
def docker(request, users, busybox, tmp_path):
    version, user = request.param
    if version == 'none':
        pytest.skip('there is no docker client here')
    return Docker(clients()[version], user, tmp_path)


def test_a_day_with_docker(docker, busybox_archive):
    """One after the other what a person does; a client costs some 200 ms each time."""
    began = time.time()
    text = docker('version')
    assert 'Server: Stauer' in text and 'API version:      1.51 (minimum version 1.24)' in text
    text = docker('info')
    assert 'Storage Driver: overlay2' in text and 'Cgroup Driver: systemd' in text and 'Cgroup Version: 2' in text

    with open(busybox_archive, 'rb') as f:
        assert docker('load', stdin=f) == 'Loaded image: busybox:latest'
    image = json.loads(docker('inspect', 'busybox'))[0]['Id']
    assert image[7:19] in docker('images')
    docker('tag', 'busybox', 'harbour/busy:v1')
    docker('import', '-', 'imported:1', stdin=subprocess.Popen(['cat', plain_archive(docker.home)],
                                                               stdout=subprocess.PIPE).stdout)
    assert {'busybox:latest', 'harbour/busy:v1', 'imported:1'} <= set(
        docker('images', '--format', '{{.Repository}}:{{.Tag}}').split())
    assert docker('rmi', 'harbour/busy:v1') == 'Untagged: harbour/busy:v1'
    assert 'Deleted: sha256:' in docker('rmi', 'imported:1')

    script = 'trap "echo bye; exit 3" TERM; echo one; echo two >&2; while :; do sleep 0.02; done'
    ident = docker('run', '-d', '--name', 'job', '--network', 'none', '-e', 'A=b', '--label', 'x=y', 'busybox', 'sh', '-c', script)
    assert re.fullmatch('[0-9a-f]{64}', ident)
    assert host.unit(f'docker-{ident}.scope', 'ActiveState')['ActiveState'] == 'active'
    wait_for(lambda: 'one' in docker('logs', 'job'), 'it says one')
    row = docker('ps').splitlines()[1]
    assert row.startswith(ident[:12]) and 'busybox' in row and 'Up ' in row and row.endswith('job')
    with docker.begin('logs', '-f', 'job') as follow, docker.begin('wait', 'job') as wait:
        assert follow.stdout.readline() == 'one\n'
        assert docker('stop', 'job') == 'job'
        assert follow.stdout.read() == 'bye\n'          # and it ends by itself
        assert wait.stdout.read() == '3\n'
    assert follow.returncode == 0 and wait.returncode == 0
    assert 'Exited (3)' in docker('ps', '-a')
    assert docker('ps', '-q') == ''

    assert docker('start', 'job') == 'job'
    assert json.loads(docker('inspect', 'job'))[0]['State']['Status'] == 'running'
    assert docker('kill', 'job') == 'job'
    assert docker('wait', 'job') == '137'
    assert 'is not running' in docker('kill', 'job', code=1)
    assert docker('rm', 'job') == 'job'
    assert 'No such container: job' in docker('rm', 'job', code=1)

    events = [json.loads(line) for line in docker('events', '--since', f'{began:.9f}', '--until', f'{time.time():.9f}',
                                                  '--format', '{{json .}}').splitlines()]
    mine = [e['Action'] for e in events if e.get('Type') == 'container' and e['Actor']['ID'] == ident]
    expected = ['create', 'start', 'kill', 'die', 'stop', 'start', 'kill', 'die', 'destroy']
    assert [a for a in mine if a in expected] == expected, mine


def plain_archive(folder):
    path = Path(folder) / 'plain.tar'
    path.write_bytes(rootfs_tar())
    return path


def test_events_as_they_come(docker):
    words = ['events', '--since', f'{time.time():.9f}', '--filter', 'type=container',
             '--format', '{{.Action}} {{.Actor.Attributes.exitCode}}']
    with docker.begin(*words) as events:                # what comes before it listens is told first
        docker('run', '-d', '--rm', '--network', 'none', 'busybox', 'sh', '-c', 'exit 5')
        heard = []
        while 'destroy <no value>\n' not in heard:
            heard.append(events.stdout.readline())
        events.terminate()
    assert 'die 5\n' in heard


@pytest.mark.parametrize('version', clients() or ['none'])
def test_errors_and_exit_codes(version, busybox, tmp_path):
    if version == 'none':
        pytest.skip('there is no docker client here')
    docker = Docker(clients()[version], 'root', tmp_path)
    run = ('run', '-d', '--network', 'none')
    assert 'No such image: nowhere:latest' in docker(*run, '--pull', 'never', 'nowhere', code=125)
    assert 'executable file not found in $PATH' in docker(*run, '--name', 'c127', busybox, 'nothing', code=127)
    assert 'permission denied' in docker(*run, '--name', 'c126', busybox, '/etc/passwd', code=126)
    assert 'is already in use by container' in docker(*run, '--name', 'c126', busybox, code=125)
    assert docker('inspect', '-f', '{{.State.ExitCode}}', 'c126', 'c127') == '126\n127'
    assert 'No such container' in docker('logs', 'nobody', code=1)
    assert 'No such object' in docker('inspect', 'nobody', code=1)


@pytest.mark.parametrize('version', clients() or ['none'])
def test_who_is_not_in_the_group(version, users, tmp_path):
    """The socket refuses before anything is read."""
    if version == 'none':
        pytest.skip('there is no docker client here')
    docker = Docker(clients()[version], STRANGER, tmp_path)
    error = docker('ps', code=1)
    assert 'permission denied' in error and 'docker.sock' in error
    mode = os.stat('/run/docker.sock')
    assert mode.st_mode & 0o777 == 0o660 and mode.st_uid == 0


def test_polkit_decides_about_members(users, busybox, tmp_path):
    """An administrator takes the right away: then it is the same over the socket."""
    version = next(iter(clients()), None)
    if not version:
        pytest.skip('there is no docker client here')
    docker = Docker(clients()[version], MEMBER, tmp_path)
    rule = Path('/etc/polkit-1/rules.d/10-test.rules')
    rule.parent.mkdir(parents=True, exist_ok=True)
    rule.write_text('polkit.addRule(function(action, subject) {\n'
                    f'        if (action.id == "org.stauer.engine.create-privileged" && subject.user == "{MEMBER}")\n'
                    '                return polkit.Result.NO;\n'
                    '});\n')
    rule.chmod(0o644)
    try:
        def refused():
            done = docker.run('run', '-d', '--rm', '--privileged', '--network', 'none', busybox, 'true')
            return done.returncode == 125 and done.stderr

        error = wait_for(refused, 'polkit has read the rule', step=0.2)
        assert 'Access denied' in error, error
        docker('run', '-d', '--rm', '--network', 'none', busybox, 'true')
    finally:
        rule.unlink()
    wait_for(lambda: docker.run('run', '-d', '--rm', '--privileged', '--network', 'none', busybox, 'true').returncode == 0,
             'polkit has forgotten the rule', step=0.2)
