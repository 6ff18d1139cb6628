# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds by the stock clients, with commands that really run. As root, in the sandbox or the VM."""

import os
import shutil
import subprocess
import time

import pytest

from common.wait import wait_for
from host import DATA_ROOT, out, run, stauer

pytestmark = pytest.mark.usefixtures('busybox', 'clean')

FILE = '''FROM busybox AS one
ARG WHO=nobody
WORKDIR /work
COPY a sub ./
RUN echo "hello $WHO" > said && cat a said && id -u
RUN <<EOF
echo two lines >> said
cat said
EOF
FROM busybox
COPY --from=one /work/said /said
USER 5
CMD ["cat", "/said"]
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'a').write_text('A\n')
    (tmp_path / 'sub' / 'b').write_text('B\n')
    (tmp_path / 'Dockerfile').write_text(FILE)
    yield tmp_path
    stauer('builder', 'prune', '-af')


def clients():
    found = ['stauer']
    found += [c for c in ('/usr/local/bin/docker', '/opt/docker-20.10/docker') if shutil.which(c)]
    return found


@pytest.mark.parametrize('client', clients())
def test_clients(folder, client):
    env = {**os.environ, 'DOCKER_BUILDKIT': '0'}
    name = 'built-' + str(clients().index(client))
    text = run(client, 'build', '-t', name, '--build-arg', 'WHO=you', folder, env=env).stdout
    assert 'hello you\n0\n' in text and 'hello you\ntwo lines\n' in text and f'Successfully tagged {name}:latest' in text
    assert out('run', '--rm', name) == 'hello you\ntwo lines'
    again = run(client, 'build', '-t', name, '--build-arg', 'WHO=you', folder, env=env).stdout
    assert again.count('Using cache') == 8
    failed = run(client, 'build', '-', env=env, check=False, input='FROM busybox\nRUN exit 7\n')
    assert failed.returncode != 0 and "The command '/bin/sh -c exit 7' returned a non-zero code: 7" in failed.stdout + failed.stderr
    stauer('container', 'prune', '-f')
    stauer('rmi', name)


def leftovers():
    return [e.name for e in (DATA_ROOT / 'tmp').iterdir() if e.name.startswith('build-')] + out('ps', '-aq').split()


def test_client_gone(folder):
    """It ends with its client, and so does what it ran."""
    (folder / 'Dockerfile').write_text('FROM busybox\nRUN echo begun && sleep 1000\n')
    with subprocess.Popen(['stauer', 'build', folder], stdout=subprocess.PIPE, text=True) as p:
        wait_for(lambda: p.stdout.readline() == 'begun\n', 30)
        begun = time.monotonic()
        p.kill()
    wait_for(lambda: not leftovers(), 10)
    assert time.monotonic() - begun < 5


def test_dockerfile_elsewhere(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp('other') / 'File'
    other.write_text('FROM busybox\nCOPY . /c/\nRUN ls /c\n')
    (folder / '.dockerignore').write_text('sub\n')
    said = stauer('build', '--no-cache', '--iidfile', folder / 'id', '-f', other, folder).stdout
    assert '\na\n' in said and '\nsub\n' not in said
    assert (folder / 'id').read_text().startswith('sha256:')
    assert 'hi' in stauer('build', '-f', '-', folder, input='FROM busybox\nRUN echo hi\n').stdout
    tar = subprocess.run(['tar', '-C', folder, '-cz', 'a', 'Dockerfile', 'sub'], stdout=subprocess.PIPE, check=True).stdout
    done = subprocess.run(['stauer', 'build', '--target', 'one', '-'], input=tar, capture_output=True, check=True)
    assert b'hello nobody' in done.stdout


def test_daemon_killed(folder):
    """What an earlier daemon was building is not there any more."""
    (folder / 'Dockerfile').write_text('FROM busybox\nRUN echo begun && sleep 1000\n')
    with subprocess.Popen(['stauer', 'build', folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as p:
        wait_for(lambda: p.stdout.readline() == 'begun\n', 30)
        run('systemctl', 'kill', '-s', 'KILL', '--kill-whom=main', 'stauer.service')
        p.wait(30)
    wait_for(lambda: stauer('version', check=False).returncode == 0 and not leftovers(), 30)
