# SPDX-License-Identifier: GPL-2.0-or-later
"""context export and import: docker's files and ours are the same ones."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

OURS = Path(os.environ['STAUER_BUILD']) / 'cli/stauer'
DOCKER = '/usr/local/bin/docker'
CLIENTS = {'stauer': str(OURS), 'docker': DOCKER}

needs_docker = pytest.mark.skipif(not os.access(DOCKER, os.X_OK), reason='there is no docker client here')


@pytest.fixture
def client(tmp_path):
    env = {'PATH': os.environ['PATH'], 'DOCKER_CONFIG': str(tmp_path / 'config'), 'HOME': str(tmp_path)}

    def run(name, *words, code=0, data=None):
        done = subprocess.run([CLIENTS[name], 'context', *words], env=env, cwd=tmp_path, input=data, capture_output=True,
                              timeout=30, check=False)
        assert done.returncode == code, (words, done)
        return done
    return run


@pytest.fixture
def context(client, tmp_path):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', '-keyout', tmp_path / 'key',
                    '-out', tmp_path / 'cert'], check=True, capture_output=True)
    client('stauer', 'create', 'one', '--docker', f'host=tcp://192.0.2.1:2376,ca={tmp_path}/cert,cert={tmp_path}/cert,'
           f'key={tmp_path}/key,skip-tls-verify=true', '--description', 'far away')
    return 'one'


def shown(client, name, by='stauer'):
    document = json.loads(client(by, 'inspect', name).stdout)[0]
    return {k: v for k, v in document.items() if k not in ('Name', 'Storage')}


@needs_docker
@pytest.mark.parametrize('out', CLIENTS)
@pytest.mark.parametrize('back', CLIENTS)
def test_there_and_back(client, context, tmp_path, out, back):
    done = client(out, 'export', context)
    assert done.stderr == b'Written file "one.dockercontext"\n'
    assert client(out, 'export', context, code=1).stderr.startswith(b'open one.dockercontext: ')
    done = client(back, 'import', 'two', 'one.dockercontext')
    assert (done.stdout, done.stderr) == (b'two\n', b'Successfully imported context "two"\n')
    assert shown(client, 'two') == shown(client, context) == shown(client, 'two', 'docker')
    keys = list((tmp_path / 'config/contexts/tls').glob('*/docker/key.pem'))
    assert len({key.read_bytes() for key in keys}) == 1 and len(keys) == 2
    assert all(key.stat().st_mode & 0o077 == 0 for key in keys)
    done = client(back, 'import', 'two', 'one.dockercontext', code=1)
    assert done.stderr == b'context "two" already exists\n'


@needs_docker
def test_streams(client, context):
    data = client('stauer', 'export', context, '-').stdout
    client('stauer', 'import', 'three', '-', data=data)
    assert shown(client, 'three') == shown(client, context)
    for name in CLIENTS:
        with tarfile.open(fileobj=io.BytesIO(client(name, 'export', 'default', '-').stdout)) as tar:
            assert json.load(tar.extractfile('meta.json'))['Name'] == 'default'


@pytest.mark.parametrize('name, kind, link', [
    ('bad', tarfile.REGTYPE, ''), ('tls/../../../evil', tarfile.REGTYPE, ''), ('tls/docker/a/b', tarfile.REGTYPE, ''),
    ('tls/x', tarfile.REGTYPE, ''), ('tls/docker', tarfile.SYMTYPE, '/tmp'), ('meta.json', tarfile.SYMTYPE, '/etc/passwd'),
    ('tls/docker/ca.pem', tarfile.LNKTYPE, 'meta.json'), ('tls/docker/..', tarfile.REGTYPE, '')])
def test_hostile(client, tmp_path, name, kind, link):
    """Nothing is left of it, within or without."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for path, what in (('meta.json', tarfile.REGTYPE), (name, kind)):
            info = tarfile.TarInfo(path)
            info.type, info.linkname, data = what, link, b'{"Name":"x"}'
            info.size = len(data) if what == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(data))
    client('stauer', 'import', 'evil', '-', data=out.getvalue(), code=1)
    assert not [p for p in tmp_path.rglob('*') if p.is_file() or p.is_symlink()]
    assert client('stauer', 'import', 'evil', '-', data=b'', code=1).stderr == b'invalid context: no metadata found\n'


def packed(*files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


META, MANY = ('meta.json', b'{"Name":"x"}'), bytes(6 << 20)


@pytest.mark.parametrize('files, said', [
    ((META, ('tls/docker/a', MANY), ('tls/docker/b', MANY)), b'more than 10485760 bytes'),
    ((META, *((f'tls/docker/{i}', b'') for i in range(1000))), b'more than 1000 entries'),
    ((('meta.json', b'{"Name":"' + bytes([120]) * (1 << 20) + b'"}'),), b'"meta.json" is too large for a context')],
    ids=['bytes', 'files', 'metadata'])
def test_too_large(client, tmp_path, files, said):
    assert said in client('stauer', 'import', 'big', '-', data=packed(*files), code=1).stderr
    assert not [p for p in tmp_path.rglob('*') if p.is_file()]


def test_what_cannot_be_read_is_left_alone(client, tmp_path):
    client('stauer', 'import', 'one', '-', data=packed(META, ('tls/docker/key.pem', b'key')))
    meta = next(tmp_path.glob('config/contexts/meta/*/meta.json'))
    meta.write_text('{')
    for words in (('import', 'one', '-'), ('create', 'one', '--docker', 'host=unix:///x')):
        assert b'cannot read' in client('stauer', *words, data=packed(META, ('bad', b'')), code=1).stderr
    assert meta.read_text() == '{' and len(list(tmp_path.glob('config/contexts/tls/*/docker/key.pem'))) == 1
