# SPDX-License-Identifier: GPL-2.0-or-later
"""The API over TCP: with certificates on both sides, with one side, with none, and what is refused at start."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from engine import create, make_daemon, monitor_of, run, start, state
from engine_daemon import EngineDaemon
from private_bus import wait_for

EXTENSIONS = {'server': 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth',
              'client': 'extendedKeyUsage=clientAuth', 'wrong-use': 'extendedKeyUsage=serverAuth'}


def openssl(*words):
    subprocess.run(['openssl', *map(str, words)], check=True, capture_output=True)


def make_ca(folder, name):
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', 3, '-subj', f'/CN={name}',
            '-keyout', folder / f'{name}-key.pem', '-out', folder / f'{name}.pem')


def make_certificate(folder, ca, name, kind):
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
            '-keyout', folder / f'{name}-key.pem', '-out', folder / f'{name}.csr')
    (folder / f'{name}.ext').write_text(EXTENSIONS[kind])
    openssl('x509', '-req', '-in', folder / f'{name}.csr', '-CA', folder / f'{ca}.pem', '-CAkey', folder / f'{ca}-key.pem',
            '-CAcreateserial', '-days', 3, '-extfile', folder / f'{name}.ext', '-out', folder / f'{name}.pem')


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@pytest.fixture(scope='module')
def pems():
    with tempfile.TemporaryDirectory(prefix='tls-') as name:
        folder = Path(name)
        for ca in ('ca', 'other-ca'):
            make_ca(folder, ca)
        make_certificate(folder, 'ca', 'server', 'server')
        make_certificate(folder, 'ca', 'client', 'client')
        make_certificate(folder, 'other-ca', 'stranger', 'client')
        make_certificate(folder, 'ca', 'wrong', 'wrong-use')
        yield folder


def options(pems, port, *more):
    return ['-H', f'tcp://127.0.0.1:{port}', f'--tlscacert={pems}/ca.pem', f'--tlscert={pems}/server.pem',
            f'--tlskey={pems}/server-key.pem', *more]


@pytest.fixture(scope='module')
def secure(pems):
    """A daemon that lets in only those with a certificate."""
    with tempfile.TemporaryDirectory(prefix='tls-', dir='/var/tmp') as name:
        port = free_port()
        d = make_daemon(name, *options(pems, port, '--tlsverify'))
        d.port = port
        yield d
        d.end()


def context(pems, client=None):
    c = ssl.create_default_context(cafile=str(pems / 'ca.pem'))
    if client:
        c.load_cert_chain(str(pems / f'{client}.pem'), str(pems / f'{client}-key.pem'))
    return c


def ask(port, path, tls=None):
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    connection = kind('127.0.0.1', port, timeout=20, **({'context': tls} if tls else {}))
    try:
        connection.request('GET', path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_with_certificate(secure, pems):
    identity = run(secure, 'sh', '-c', 'echo hello; sleep 100', name='ship')
    tls = context(pems, 'client')
    assert ask(secure.port, '/_ping', tls) == (200, b'OK')
    assert json.loads(ask(secure.port, '/containers/json', tls)[1])[0]['Id'] == identity
    assert json.loads(ask(secure.port, '/containers/ship/stats?stream=0', tls)[1])['name'] == '/ship'       # comes later
    assert b'hello' in ask(secure.port, '/containers/ship/logs?stdout=1', tls)[1]
    secure.delete(f'/containers/{identity}?force=1')


def stauer(secure, pems, client, *words, **more):
    """Our own command line over TLS."""
    words = [os.path.join(os.environ['STAUER_BUILD'], 'cli/stauer'), '-H', f'tcp://127.0.0.1:{secure.port}', '--tlsverify',
             f'--tlscacert={pems}/ca.pem', f'--tlscert={pems}/{client}.pem', f'--tlskey={pems}/{client}-key.pem', *words]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False, **more)


def test_command_line(secure, pems):
    """Calls, a stream, and a connection taken over, with input that ends."""
    identity = run(secure, 'sh', '-c', 'echo hello; sleep 100', name='ship')
    assert stauer(secure, pems, 'client', 'ps', '-q', '--no-trunc').stdout == identity + '\n'
    assert stauer(secure, pems, 'client', 'logs', 'ship').stdout == 'hello\n'
    done = stauer(secure, pems, 'client', 'run', '--rm', '-i', '--network', 'none', 'busybox', 'sh', '-c', 'head -c 70000; exit 3',
                  input='x' * 70000)
    assert (done.returncode, len(done.stdout), done.stderr) == (3, 70000, '')
    assert stauer(secure, pems, 'client', 'rm', '-f', 'ship').returncode == 0
    done = stauer(secure, pems, 'stranger', 'ps')
    assert done.returncode == 1 and done.stderr


def test_many_requests_on_one_connection(secure, pems):
    connection = http.client.HTTPSConnection('127.0.0.1', secure.port, timeout=20, context=context(pems, 'client'))
    for _ in range(50):
        connection.request('GET', '/version')
        assert connection.getresponse().read().startswith(b'{')
    connection.request('POST', '/containers/create', body=b'{' + b' ' * 300000 + b'"Image":"nothing"}',
                       headers={'Content-Type': 'application/json'})
    answer = connection.getresponse()
    assert answer.status == 404 and b'No such image' in answer.read()
    connection.close()


def test_stream(secure, pems):
    """Events arrive when they happen, and a client that leaves is seen."""
    connection = http.client.HTTPSConnection('127.0.0.1', secure.port, timeout=20, context=context(pems, 'client'))
    connection.request('GET', '/events')
    answer = connection.getresponse()
    before = secure.get('/info').json['NEventsListener']
    for tag in ('a', 'b'):
        assert secure.post(f'/images/busybox/tag?repo=tls&tag={tag}').status == 201
        assert json.loads(answer.readline())['Actor']['Attributes']['name'] == f'tls:{tag}'
    connection.sock.close()
    answer.close()
    connection.close()
    wait_for(lambda: secure.get('/info').json['NEventsListener'] < before, 'nobody listens')


@pytest.mark.parametrize('client', [None, 'stranger', 'wrong'])
def test_without_certificate(secure, pems, client):
    with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)) as info:
        status, data = ask(secure.port, '/_ping', context(pems, client))
        pytest.fail(f'let in: {status} {data}')
    assert 'alert' in str(info.value).lower(), 'it is told why'
    assert secure.get('/_ping').status == 200


def test_plain_http_to_tls(secure):
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(secure.port, '/_ping')
    assert secure.get('/_ping').status == 200


def test_hung_handshakes(secure, pems):
    """Whoever connects and says nothing keeps nobody from being served."""
    idle = [socket.create_connection(('127.0.0.1', secure.port)) for _ in range(50)]
    for s in idle[::2]:
        s.sendall(b'\x16\x03\x01\x02')
    begin = time.monotonic()
    assert ask(secure.port, '/_ping', context(pems, 'client'))[0] == 200
    assert time.monotonic() - begin < 10
    for s in idle:
        s.close()


@pytest.mark.skipif(not shutil.which('docker'), reason='there is no docker client on this machine')
def test_docker(secure, pems, tmp_path):
    words = ['docker', '-H', f'tcp://127.0.0.1:{secure.port}', '--tlsverify', f'--tlscacert={pems}/ca.pem', f'--tlscert={pems}/client.pem',
             f'--tlskey={pems}/client-key.pem']
    env = {'PATH': os.environ['PATH'], 'HOME': str(tmp_path)}
    done = subprocess.run([*words, 'version', '-f', '{{.Server.APIVersion}}'], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == '1.51\n', done.stderr
    words[words.index('-H') + 1] = f'tcp://localhost:{secure.port}'
    done = subprocess.run([*words, 'images', '-q'], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert len(done.stdout.splitlines()[0]) == 12, done.stderr


@pytest.fixture
def own(tmp_path):
    d = EngineDaemon(tmp_path)
    yield d
    d.end()


def test_tls_without_verify(own, pems):
    port = free_port()
    own.start(*options(pems, port, '--tls'))
    assert ask(port, '/_ping', context(pems)) == (200, b'OK')
    assert 'without --tlsverify is insecure' in own.text()


def test_plain(own):
    """Loopback is served with a warning; for all others it has to be meant."""
    port = free_port()
    own.start('-H', f'tcp://localhost:{port}', '-H', f'tcp://0.0.0.0:{port + 1}', '--tls=false')
    assert ask(port, '/_ping') == (200, b'OK') == ask(port + 1, '/_ping')
    assert own.text().count('without --tlsverify is insecure') >= 2


@pytest.mark.parametrize('words, text', [
    (['-H', 'tcp://0.0.0.0:PORT'], 'use --tlsverify, or say --tls=false if that is what you want'),
    (['-H', 'tcp://127.0.0.1:PORT', '--tlsverify', '--tlscert=/nowhere'], '--tlscert: cannot read /nowhere'),
    (['-H', 'tcp://127.0.0.1:PORT', '--tlsverify', '--tlscert=PEMS/server.pem', '--tlskey=PEMS/client-key.pem', '--tlscacert=PEMS/ca.pem'],
     '--tlscert and --tlskey: '),
    (['-H', 'tcp://127.0.0.1:PORT', '--tlsverify', '--tlscert=PEMS/server.pem', '--tlskey=PEMS/server-key.pem',
      '--tlscacert=PEMS/server-key.pem'], '--tlscacert: '),
    (['-H', 'tcp://no.such.host.invalid:PORT', '--tls=false'], 'tcp://no.such.host.invalid'),
])
def test_refused(own, pems, words, text):
    port = str(free_port())
    own.start(*[word.replace('PORT', port).replace('PEMS', str(pems)) for word in words], wait=False)
    assert own.process.wait(20) != 0
    assert text in own.text()


def attach(port, tls, name, upgrade=True):
    s = tls.wrap_socket(socket.create_connection(('127.0.0.1', port), timeout=20), server_hostname='127.0.0.1')
    more = 'Connection: Upgrade\r\nUpgrade: tcp\r\n' if upgrade else ''
    s.sendall(f'POST /containers/{name}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n{more}Content-Length: 0\r\n\r\n'.encode())
    head = b''
    while b'\r\n\r\n' not in head:
        head += s.recv(1)
    return s, head


def read(s, size):
    data = b''
    while len(data) < size:
        part = s.recv(size - len(data))
        assert part, f'it ended after {data}'
        data += part
    return data


def test_attach(secure, pems):
    """A stream in both directions, and much at once; it ends with the container."""
    create(secure, 'cat', name='echo1', OpenStdin=True, AttachStdin=True, StdinOnce=True)
    s, head = attach(secure.port, context(pems, 'client'), 'echo1')
    assert head.startswith(b'HTTP/1.1 101 ')
    start(secure, 'echo1')
    s.sendall(b'hello\n')
    assert read(s, 14) == b'\x01\0\0\0\0\0\0\x06hello\n'
    much = b''.join(b'%07d\n' % i for i in range(20000))
    s.sendall(much)
    seen = b''
    while len(seen) < len(much):
        size = int.from_bytes(read(s, 8)[4:], 'big')
        seen += read(s, size)
    assert seen == much
    assert secure.post('/containers/echo1/kill').status == 204
    assert s.recv(1) == b''
    s.close()
    secure.delete('/containers/echo1?force=1')


def test_attached_client_leaves(secure, pems):
    """While it is written to."""
    create(secure, 'sh', '-c', 'while :; do echo x; sleep 0.1; done', name='echo2', OpenStdin=True)
    start(secure, 'echo2')
    fds = Path(f'/proc/{secure.process.pid}/fd')
    before = len(list(fds.iterdir()))
    for _ in range(10):
        s, _ = attach(secure.port, context(pems, 'client'), 'echo2')
        s.sendall(b'x')
        s.close()
    wait_for(lambda: len(list(fds.iterdir())) <= before + 1, 'nothing is left of them')
    assert state(secure, 'echo2')['Running']
    secure.delete('/containers/echo2?force=1')


def test_attach_without_upgrade(secure, pems):
    create(secure, 'cat', name='echo3', OpenStdin=True)
    start(secure, 'echo3')
    s, head = attach(secure.port, context(pems, 'client'), 'echo3', upgrade=False)
    assert head.startswith(b'HTTP/1.1 400 ')
    s.close()
    secure.delete('/containers/echo3?force=1')


def test_attached_client_that_vanishes_is_noticed(secure, pems):
    """Before the start and while it runs, although nothing is written to it; and what it had said before it went arrives."""
    waiting = create(secure, 'cat', OpenStdin=True)
    running = run(secure, 'sh', '-c', 'read x; echo "got $x"; sleep 100', OpenStdin=True)
    monitor = monitor_of(secure, running)
    fds = [lambda: len(os.listdir(f'/proc/{secure.process.pid}/fd')), lambda: len(os.listdir(f'/proc/{monitor}/fd'))]
    before = [count() for count in fds]
    clients = [attach(secure.port, context(pems, 'client'), container)[0] for container in (waiting, running, running)]
    clients[2].sendall(b'last words\n')
    wait_for(lambda: fds[1]() > before[1], 'the monitor has them')
    for client in clients:
        client.close()
    wait_for(lambda: [count() for count in fds] <= before, 'daemon and monitor have let go of them')
    wait_for(lambda: b'got last words' in secure.get(f'/containers/{running}/logs?stdout=1').data, 'its last words have arrived')
    for container in (waiting, running):
        secure.delete(f'/containers/{container}?force=1')
