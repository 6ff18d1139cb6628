# SPDX-License-Identifier: GPL-2.0-or-later
"""Images from a registry: what is asked, what comes of it, and who is told what."""

import hashlib
import json
import os
import socket
import threading
import time

import pytest
from conftest import end_daemon, make_daemon
from fake_registry import (DOCKER_MANIFEST, INDEX, LAYER, MANIFEST, FakeRegistry, digest_of, layer_tar, redirect)
from faces import BusFace, FaceError, RestFace
from private_bus import wait_for

SMALL = layer_tar({'etc/name': b'small', 'data': b'0123456789' * 2000})
NOISE = [layer_tar({f'noise{i}': os.urandom(300000)}) for i in range(4)]


@pytest.fixture(scope='module')
def mirror():
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture(scope='module')
def puller(tmp_path_factory, mirror):
    daemon = make_daemon(tmp_path_factory.mktemp('pull'), '--registry-mirror', mirror.url, '--max-download-attempts', '3')
    yield daemon
    end_daemon(daemon)


@pytest.fixture
def registry(puller):
    with FakeRegistry() as r:
        yield r
    for row in puller.get('/images/json?all=1').json:
        puller.delete(f'/images/{row["Id"]}?force=1')


@pytest.fixture(params=[RestFace, BusFace], ids=['rest', 'bus'])
def face(request, puller):
    face = request.param(puller)
    yield face
    if request.param is BusFace:
        face.close()


@pytest.fixture
def rest(puller):
    return RestFace(puller)


def refused(text, function, *args, **more):
    with pytest.raises(FaceError) as info:
        function(*args, **more)
    assert text in info.value.text, info.value.text
    return info.value.text


def store_is_right(daemon):
    """Every blob is what it is called, and nobody left anything behind."""
    for path in (daemon.data / 'blobs/sha256').iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    wait_for(lambda: not leftovers(daemon), f'nothing is left: {leftovers(daemon)}')


def leftovers(daemon):
    tmp = daemon.data / 'tmp'
    return [p.name for p in tmp.iterdir() if p.name not in ('trash', 'lock', 'empty')]


# ---- what is pulled ----

@pytest.mark.parametrize('how,docker', [('gzip', False), ('gzip', True), ('zstd', False), ('none', False)])
def test_by_tag(face, puller, registry, how, docker):
    manifest, image, layers = registry.image('a/b', '1', [SMALL, NOISE[0]], how, docker)
    name = f'{registry.name}/a/b'
    assert face.pull(name, '1') == [f'Digest: {manifest["digest"]}', f'Status: Downloaded newer image for {name}:1']
    shown = face.image(f'{name}:1')
    assert shown['Id'] == image
    assert shown['RepoTags'] == [f'{name}:1'] and shown['RepoDigests'] == [f'{name}@{manifest["digest"]}']
    for layer in layers:
        assert (puller.data / 'blobs/sha256' / layer['digest'][7:]).exists()
    assert face.pull(f'{name}:1') == [f'Digest: {manifest["digest"]}', f'Status: Image is up to date for {name}:1']
    assert len(registry.asked('/blobs/')) == 3      # config and two layers, once
    store_is_right(puller)


def test_by_digest(face, registry):
    manifest, image, _ = registry.image('a/b', None, [SMALL])
    name = f'{registry.name}/a/b@{manifest["digest"]}'
    assert face.pull(name) == [f'Digest: {manifest["digest"]}', f'Status: Downloaded newer image for {name}']
    assert face.image(name)['Id'] == image and face.image(name)['RepoTags'] == []
    assert face.pull(f'{registry.name}/a/b', manifest['digest'])[1] == f'Status: Image is up to date for {name}'
    refused('not found', face.pull, f'{registry.name}/a/b@sha256:{"0" * 64}')


def test_platform(face, registry):
    ours, image, _ = registry.image('a/b', None, [SMALL])
    other, foreign, _ = registry.image('a/b', None, [NOISE[0]], platform={'architecture': 'arm64'})
    index = registry.index('a/b', '1', [(other, {'os': 'linux', 'architecture': 'arm64', 'variant': 'v8'}),
                                        (ours, {'os': 'linux', 'architecture': 'amd64'}),
                                        (ours, {'os': 'unknown', 'architecture': 'unknown'})])
    name = f'{registry.name}/a/b:1'
    assert face.pull(name)[0] == f'Digest: {index["digest"]}'
    assert face.image(name)['Id'] == image and face.image(f'{registry.name}/a/b@{index["digest"]}')['Id'] == image
    assert face.pull(name, platform='linux/arm64')[1] == f'Status: Downloaded newer image for {name}'
    assert face.image(name)['Id'] == foreign
    refused('no matching manifest for linux/s390x in the manifest list entries', face.pull, name, platform='linux/s390x')


def test_all_tags(face, registry):
    images = {tag: registry.image('a/b', tag, [SMALL], config={'Labels': {'tag': tag}})[1] for tag in ('1', '2', '3', '4', '5')}
    name = f'{registry.name}/a/b'
    assert face.pull(name)[-1] == f'Status: Downloaded newer image for {name}'
    for tag, image in images.items():
        assert face.image(f'{name}:{tag}')['Id'] == image
    assert face.pull(name)[-1] == f'Status: Image is up to date for {name}'


def test_same_layer_twice(face, registry, puller):
    registry.image('a/b', '1', [SMALL, NOISE[0], SMALL, SMALL])
    face.pull(f'{registry.name}/a/b:1')
    assert len(registry.asked('/blobs/')) == 3
    store_is_right(puller)


def test_ipv6(rest):
    with FakeRegistry(host='::1') as registry:
        registry.image('a/b', '1', [SMALL])
        rest.pull(f'{registry.name}/a/b:1')


def test_mirror(rest, mirror):
    mirror.image('library/small', 'latest', [SMALL])
    mirror.auth = 'anonymous'
    try:
        assert rest.pull('small', 'latest', auth={'username': 'me', 'password': 's3cret'})[1] == \
            'Status: Downloaded newer image for small:latest'
    finally:
        mirror.auth = None
    assert rest.rows[0] == {'status': 'Pulling from library/small', 'id': 'latest'}
    # what is meant for docker.io is not for who mirrors it
    assert not any('Basic' in str(r[2]) or 's3cret' in str(r) for r in mirror.requests)


# ---- what is told ----

def test_rows(rest, registry):
    _, _, layers = registry.image('a/b', '1', [layer_tar({'rows': os.urandom(20000)})])
    rest.pull(f'{registry.name}/a/b', '1')
    layer = layers[0]['digest'][7:19]
    seen = []
    for row in rest.rows[1:-2]:
        assert row['id'] == layer and isinstance(row['progressDetail'], dict)
        if row['status'] not in seen:
            seen.append(row['status'])
    assert seen == ['Pulling fs layer', 'Downloading', 'Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete']
    assert rest.rows[0] == {'status': 'Pulling from a/b', 'id': '1'}
    assert {'status': 'Downloading', 'progressDetail': {'current': layers[0]['size'], 'total': layers[0]['size']},
            'id': layer} in rest.rows
    assert list(rest.rows[-1]) == ['status']


def test_event(rest, puller, registry):
    since = time.time()
    registry.image('a/b', '1', [SMALL], config={'Labels': {'a': 'b'}})
    rest.pull(f'{registry.name}/a/b:1')
    rows = puller.get(f'/events?since={since:.6f}&until={time.time() + 1:.0f}').data.decode().splitlines()
    event = next(e for e in map(json.loads, rows) if e['Action'] == 'pull')
    assert event['Type'] == 'image'
    assert event['Actor'] == {'ID': f'{registry.name}/a/b:1', 'Attributes': {'a': 'b', 'name': f'{registry.name}/a/b'}}


def test_refusals_have_a_status(rest, registry, puller):
    registry.image('a/b', '1', [SMALL])
    for query, status, text in (
            (f'fromImage={registry.name}/a/b&tag=none', 404, f'manifest for {registry.name}/a/b:none not found: manifest unknown: '
                                                             'manifest unknown'),
            ('fromImage=UPPER', 400, 'invalid reference format'),
            ('fromImage=scratch&tag=latest', 400, "'scratch' is a reserved name"),
            (f'fromImage={registry.name}/a/b&tag=-x', 400, 'invalid tag format'),
            (f'fromImage={registry.name}/a/b&tag=1&platform=windows', 400, 'is no platform')):
        answer = puller.post(f'/images/create?{query}')
        assert (answer.status, text in answer.json['message']) == (status, True), answer.data
    registry.fault('/manifests/', lambda h, data, start: h.error(403, 'DENIED', 'requested access to the resource is denied'))
    refused(f"pull access denied for {registry.name}/a/b, repository does not exist or may require 'docker login': denied: "
            'requested access to the resource is denied', rest.pull, f'{registry.name}/a/b:1')


def test_documents_refused(rest, registry, puller):
    registry.manifest('a/b', 'old', {'schemaVersion': 1, 'name': 'a/b', 'fsLayers': []},
                      'application/vnd.docker.distribution.manifest.v1+prettyjws')
    refused('schema 1', rest.pull, f'{registry.name}/a/b:old')
    _, _, layers = registry.image('a/b', '1', [SMALL])
    good = json.loads(registry.manifests['a/b', '1'][0])
    cases = {
        'foreign layer': {**good, 'layers': [{**good['layers'][0], 'urls': ['http://elsewhere/x']}]},
        'cannot be used': {**good, 'layers': [{**good['layers'][0], 'mediaType': 'text/plain'}]},
        'not about an image': {**good, 'config': {**good['config'], 'mediaType': 'application/x-chart'}},
        'layers': {**good, 'layers': good['layers'] * 2},
        'calls itself': {**good, 'mediaType': DOCKER_MANIFEST},
        'manifest': {**good, 'manifests': []},
        'JSON': b'{"layers": [',
        'larger than 4 MiB': {**good, 'config': {**good['config'], 'size': 1 << 33}},
        'digest': {**good, 'layers': [{**good['layers'][0], 'digest': 'sha256:../../x'}]},
    }
    for text, document in cases.items():
        registry.manifest('a/b', 'bad', document, MANIFEST)
        with pytest.raises(FaceError):
            rest.pull(f'{registry.name}/a/b:bad')
    registry.manifest('a/b', 'foreign', cases['foreign layer'], MANIFEST)
    refused('foreign layer', rest.pull, f'{registry.name}/a/b:foreign')
    registry.manifest('a/b', 'deep', b'[' * 100000, MANIFEST)
    with pytest.raises(FaceError):
        rest.pull(f'{registry.name}/a/b:deep')
    loop = registry.manifest('a/b', None, {'schemaVersion': 2, 'manifests': []}, INDEX)
    for _ in range(6):
        loop = registry.index('a/b', 'loop', [(loop, {'os': 'linux', 'architecture': 'amd64'})])
    refused('inside each other', rest.pull, f'{registry.name}/a/b:loop')
    assert LAYER and not rest.images()
    store_is_right(puller)


# ---- who asks ----

@pytest.mark.parametrize('auth', ['basic', 'bearer', 'anonymous'])
def test_authentication(face, puller, registry, auth):
    registry.auth = auth
    registry.image('a/b', '1', [SMALL, NOISE[1]])
    proof = None if auth == 'anonymous' else {'username': registry.user, 'password': registry.password}
    face.pull(f'{registry.name}/a/b:1', auth=proof)
    if auth != 'basic':
        asked = registry.asked('^/token')
        assert len(asked) == 1 and 'service=fake' in asked[0][1] and 'scope=repository%3Aa%2Fb%3Apull' in asked[0][1]
    if auth == 'bearer':         # the password is for who gives tokens only
        assert all(r[2].get('Authorization', 'Bearer').startswith('Bearer') for r in registry.asked('^/v2'))
    text = puller.text()
    assert registry.password not in text and registry.token not in text


def test_tokens_given(face, registry):
    registry.auth = 'bearer'
    registry.image('a/b', '1', [SMALL])
    face.pull(f'{registry.name}/a/b:1', auth={'identitytoken': registry.refresh})
    assert [r[0] for r in registry.asked('^/token')] == ['POST']
    face.pull(f'{registry.name}/a/b:1', auth={'registrytoken': registry.token})
    assert len(registry.asked('^/token')) == 1


def test_not_authenticated(face, registry):
    registry.image('a/b', '1', [SMALL])
    registry.auth = 'basic'
    refused('no basic auth credentials', face.pull, f'{registry.name}/a/b:1')
    refused('unauthorized', face.pull, f'{registry.name}/a/b:1', auth={'username': 'me', 'password': 'wrong'})
    registry.auth = 'bearer'
    refused('unauthorized: incorrect username or password', face.pull, f'{registry.name}/a/b:1')
    registry.header = f'Bearer realm="{registry.url}/token",service="fake"'
    registry.proofs = lambda: []            # 401 for ever
    refused('unauthorized', face.pull, f'{registry.name}/a/b:1', auth={'username': registry.user, 'password': registry.password})
    assert len(registry.requests) < 30
    registry.header = 'Bearer realm="file:///etc/passwd"'
    refused('token server', face.pull, f'{registry.name}/a/b:1')
    registry.header = 'Negotiate, Bearer realm='
    refused('unauthorized', face.pull, f'{registry.name}/a/b:1')


def test_credentials_stay(rest, registry):
    registry.auth = 'bearer'
    registry.image('a/b', '1', [SMALL])
    with FakeRegistry() as other:
        other.blobs = registry.blobs
        other.answer_anything = True
        registry.fault('/blobs/', lambda h, data, start: redirect(f'{other.url}/v2/a/b/blobs/{digest_of(data)}')(h, data, start), 9)
        rest.pull(f'{registry.name}/a/b:1', auth={'username': registry.user, 'password': registry.password})
        assert len(other.requests) == 2
        assert not any('Authorization' in r[2] for r in other.requests)

        # who was sent elsewhere proves himself to nobody there
        other.auth = 'basic'
        registry.image('a/b', '2', [NOISE[2]])
        refused('unauthorized', rest.pull, f'{registry.name}/a/b:2', auth={'username': registry.user, 'password': registry.password})
        assert not any('Authorization' in r[2] for r in other.requests)
    registry.fault('/blobs/', lambda h, data, start: h.answer(302, b'', Location='/v2/loop/blobs/sha256:' + '0' * 64), 99)
    registry.image('a/b', '3', [NOISE[3]])
    with pytest.raises(FaceError):
        rest.pull(f'{registry.name}/a/b:3', auth={'username': registry.user, 'password': registry.password})


# ---- several at once, and none ----

def held(event):
    """The first bytes, the rest after the event."""
    def what(handler, data, start):
        handler.send_response(200)
        handler.send_header('Content-Length', str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:1000])
        handler.wfile.flush()
        event.wait(20)
        handler.wfile.write(data[1000:])
    return what


def test_two_share(rest, puller, registry):
    go = threading.Event()
    registry.image('a/b', '1', [NOISE[0]])
    registry.fault('/blobs/', held(go))
    lines = []
    threads = [threading.Thread(target=lambda: lines.append(RestFace(puller).pull(f'{registry.name}/a/b:1'))) for _ in range(2)]
    for t in threads:
        t.start()
        wait_for(lambda: registry.asked('/blobs/'), 'it is being pulled')
    wait_for(lambda: puller.text().count('manage-images allowed') >= 2, 'both have asked')
    assert puller.get('/_ping').status == 200                     # the loop has come back from what follows that line
    go.set()
    for t in threads:
        t.join(20)
    assert len(lines) == 2 and lines[0] == lines[1] and 'newer' in lines[0][1]
    assert len(registry.asked('/manifests/')) == 1 and len(registry.asked('/blobs/')) == 2


def test_client_leaves(rest, puller, registry):
    go = threading.Event()
    _, _, layers = registry.image('a/b', '1', [SMALL, NOISE[1]])
    registry.fault('/blobs/' + layers[1]['digest'], held(go))
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(puller.socket))
        s.sendall(f'POST /images/create?fromImage={registry.name}/a/b&tag=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'.encode())
        wait_for(lambda: (puller.data / 'blobs/sha256' / layers[0]['digest'][7:]).exists(), 'the first layer is there')
        wait_for(lambda: leftovers(puller), 'the second one is on its way')
    wait_for(lambda: not leftovers(puller), 'the half is gone')
    go.set()
    store_is_right(puller)
    before = len(registry.asked(layers[0]['digest']))
    rest.pull(f'{registry.name}/a/b:1')
    assert len(registry.asked(layers[0]['digest'])) == before == 1


def test_cancel(puller, registry):
    face = BusFace(puller)
    go = threading.Event()
    registry.image('a/b', '1', [NOISE[1]])
    registry.fault('/blobs/', held(go))
    job = face.manager('PullImage', 'ssss', f'{registry.name}/a/b', '1', '', '')
    wait_for(lambda: registry.asked('/blobs/'), 'it is being pulled')
    face.call(job, 'org.stauer.Engine1.Job', 'Cancel')
    with pytest.raises(FaceError) as info:
        face.job(job)
    assert 'cancelled' in info.value.text
    go.set()
    face.close()
    store_is_right(puller)
