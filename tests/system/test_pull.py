# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's registry with TLS and passwords, at an address that is not the loopback's: what skopeo pushed there is pulled by us, for the stock clients."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import host
from common.images import docker_archive
from common.wait import wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fake'))
from fake_registry import FakeRegistry, layer_tar            # pylint: disable=wrong-import-position

ADDRESS, NAME = '10.98.7.1', 'registry.test'
REGISTRY = f'{NAME}:5443'
CERTS = Path('/etc/docker/certs.d') / REGISTRY


def run(*words, check=True, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, timeout=60, **more)
    assert not check or done.returncode == 0, f'{words}: {done.stdout}{done.stderr}'
    return done


@pytest.fixture(scope='module')
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp('registry')
    run('ip', 'address', 'replace', f'{ADDRESS}/32', 'dev', 'lo')
    hosts = Path('/etc/hosts').read_text()
    Path('/etc/hosts').write_text(f'{hosts}\n{ADDRESS} {NAME}\n')
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', 3, '-subj', f'/CN={NAME}',
        '-addext', f'subjectAltName=DNS:{NAME}', '-keyout', folder / 'key', '-out', folder / 'cert')
    run('htpasswd', '-Bbc', '-C', 4, folder / 'users', 'me', 's3cret')
    (folder / 'config.yml').write_text(json.dumps({
        'version': 0.1, 'log': {'level': 'error'}, 'storage': {'filesystem': {'rootdirectory': str(folder / 'data')}},
        'http': {'addr': f'{ADDRESS}:5443', 'tls': {'certificate': str(folder / 'cert'), 'key': str(folder / 'key')}},
        'auth': {'htpasswd': {'realm': 'test', 'path': str(folder / 'users')}}}))
    with subprocess.Popen(['docker-registry', 'serve', folder / 'config.yml'], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        docker_archive(folder / 'box.tar', 'box:1', config={'Labels': {'from': 'registry'}})
        push = ('skopeo', 'copy', '-q', '--dest-creds', 'me:s3cret', '--dest-cert-dir', folder,
                f'docker-archive:{folder}/box.tar', f'docker://{REGISTRY}/team/box:1')
        (folder / 'ca.crt').write_bytes((folder / 'cert').read_bytes())
        wait_for(lambda: run(*push, check=False).returncode == 0, 'the registry takes an image')
        CERTS.mkdir(parents=True, exist_ok=True)
        (CERTS / 'ca.crt').write_bytes((folder / 'cert').read_bytes())
        yield folder
        process.terminate()
    for file in CERTS.iterdir():
        file.unlink()
    Path('/etc/hosts').write_text(hosts)


def client_config(folder):
    (folder / 'config.json').write_text(json.dumps({'auths': {REGISTRY: {'auth': 'bWU6czNjcmV0'}}}))
    return folder


def remove():
    host.stauer('rmi', '-f', f'{REGISTRY}/team/box:1', check=False)


@pytest.mark.parametrize('client', [('/usr/local/bin/docker',), ('/opt/docker-20.10/docker',), ('stauer',)],
                         ids=['docker', 'docker-20.10', 'stauer'])
def test_clients(registry, tmp_path, client):
    remove()
    config = client_config(tmp_path)
    digest = run('skopeo', 'inspect', '--creds', 'me:s3cret', '--cert-dir', registry, '--format', '{{.Digest}}',
                 f'docker://{REGISTRY}/team/box:1').stdout.strip()
    out = run(*client, '--config', config, 'pull', f'{REGISTRY}/team/box:1').stdout
    assert f'Digest: {digest}' in out and f'Status: Downloaded newer image for {REGISTRY}/team/box:1' in out
    image = json.loads(host.stauer('image', 'inspect', f'{REGISTRY}/team/box@{digest}').stdout)[0]
    assert image['Config']['Labels'] == {'from': 'registry'} and image['RepoDigests'] == [f'{REGISTRY}/team/box@{digest}']
    out = run(*client, '--config', config, 'pull', '-q', f'{REGISTRY}/team/box@{digest}').stdout
    assert out == f'{REGISTRY}/team/box@{digest}\n'


@pytest.mark.parametrize('client', [('/usr/local/bin/docker',), ('stauer',)], ids=['docker', 'stauer'])
def test_run_pulls(registry, tmp_path, client):
    remove()
    done = run(*client, '--config', client_config(tmp_path), 'run', '--rm', '--network', 'none', f'{REGISTRY}/team/box:1', 'echo', 'here')
    assert done.stdout == 'here\n'
    assert done.stderr.startswith(f"Unable to find image '{REGISTRY}/team/box:1' locally\n1: Pulling from team/box\n")


def test_credential_helper(registry, tmp_path):
    remove()
    helper = tmp_path / 'docker-credential-fake'
    helper.write_text('#!/bin/sh\nread -r server || :\n[ "$1 $server" = "get %s" ] || exit 1\n'
                      'echo \'{"ServerURL":"x","Username":"me","Secret":"s3cret"}\'\n' % REGISTRY)
    helper.chmod(0o755)
    (tmp_path / 'config.json').write_text(json.dumps({'credHelpers': {REGISTRY: 'fake'}}))
    env = dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}')
    assert 'Downloaded' in run('stauer', '--config', tmp_path, 'pull', f'{REGISTRY}/team/box:1', env=env).stdout


def test_not_trusted(registry, tmp_path):
    remove()
    config = client_config(tmp_path)
    done = run('stauer', '--config', tmp_path / 'none', 'pull', f'{REGISTRY}/team/box:1', check=False)
    assert done.returncode == 1 and 'no basic auth credentials' in done.stderr
    (CERTS / 'ca.crt').rename(CERTS / 'ca.not')
    try:
        done = run('stauer', '--config', config, 'pull', f'{REGISTRY}/team/box:1', check=False)
    finally:
        (CERTS / 'ca.not').rename(CERTS / 'ca.crt')
    assert done.returncode == 1 and 'certificate' in done.stderr.lower(), done.stderr
    (CERTS / 'us.cert').write_text('x')
    try:
        done = run('stauer', '--config', config, 'pull', f'{REGISTRY}/team/box:1', check=False)
    finally:
        (CERTS / 'us.cert').unlink()
    assert 'missing key us.key for client certificate us.cert' in done.stderr
    journal = run('journalctl', '-o', 'cat', '--no-pager').stdout
    assert 's3cret' not in journal and 'bWU6czNjcmV0' not in journal


def test_plain_http_is_refused():
    """A registry that is not named insecure is not asked without TLS, whatever happens."""
    run('ip', 'address', 'replace', f'{ADDRESS}/32', 'dev', 'lo')
    with FakeRegistry(host=ADDRESS) as fake:
        fake.image('a', '1', [layer_tar({'x': b'y'})])
        done = run('stauer', 'pull', f'{fake.name}/a:1', check=False)
        assert done.returncode == 1 and fake.requests == []


def processes(name):
    return [p for p in Path('/proc').iterdir() if p.name.isdigit() and (p / 'cmdline').exists()
            and (p / 'cmdline').read_bytes().split(b'\0')[0] == name.encode()]


def test_walls():
    """Who talks to the registry is nobody and sees nothing; who unpacks has no network."""
    go = threading.Event()

    def wait(handler, data, start):
        handler.send_response(200)
        handler.send_header('Content-Length', str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:100])
        handler.wfile.flush()
        go.wait(20)
        handler.wfile.write(data[100:])

    with FakeRegistry() as fake:
        _, _, layers = fake.image('a', '1', [layer_tar({'x': os.urandom(100000)})])
        fake.fault(layers[0]['digest'], wait)
        with subprocess.Popen(['stauer', 'pull', '-q', f'{fake.name}/a:1']) as client:
            wait_for(lambda: fake.asked(layers[0]['digest']), 'the layer is asked for')
            fetcher, = processes('stauer-fetcher')
            status = dict(line.split(':\t', 1) for line in (fetcher / 'status').read_text().splitlines() if ':\t' in line)
            assert '0' not in status['Uid'].split() and '0' not in status['Gid'].split() and not status['Groups'].strip()
            assert [status[c] for c in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')] == ['0' * 16] * 4
            assert status['NoNewPrivs'] == '1'
            assert sorted(os.listdir(fetcher / 'root')) == sorted(set(os.listdir(fetcher / 'root')) & {
                'etc', 'lib', 'lib32', 'lib64', 'proc', 'run', 'usr', 'var'})
            assert not (fetcher / 'root/etc/shadow').exists() and not (fetcher / 'root/var/lib/docker').exists()
            workers = [w for w in processes('stauer-worker') if b'pull' in (w / 'cmdline').read_bytes()]
            assert len(workers) == 2
            for worker in workers:
                assert os.readlink(worker / 'ns/net') != os.readlink('/proc/self/ns/net')
            go.set()
            assert client.wait(20) == 0
    wait_for(lambda: not processes('stauer-fetcher'), 'the fetcher ends with its work')
    host.stauer('rmi', f'{fake.name}/a:1')
