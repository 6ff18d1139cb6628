# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP itself: versions, headers, bodies, what clients do on the wire."""

import json
import socket
import subprocess
import threading
import time

import pytest
from private_bus import BUILD
from wire import Wire

FOUR = ('Server', 'Api-Version', 'Ostype', 'Docker-Experimental')


def message(answer):
    assert answer.headers['Content-Type'] == 'application/json' and answer.data.endswith(b'}\n')
    document = answer.json
    assert list(document) == ['message']
    return document['message']


def test_ping(daemon):
    answer = daemon.get('/_ping')
    assert (answer.status, answer.data) == (200, b'OK')
    assert answer.headers['Content-Type'] == 'text/plain; charset=utf-8'
    assert answer.headers['Api-Version'] == '1.51' and answer.headers['Ostype'] == 'linux'
    assert answer.headers['Server'].startswith('Stauer/') and answer.headers['Server'].endswith(' (linux)')
    assert answer.headers['Docker-Experimental'] == 'false'
    assert answer.headers['Swarm'] == 'inactive' and answer.headers['Builder-Version'] == '1'
    assert answer.headers['Cache-Control'] == 'no-cache, no-store, must-revalidate' and answer.headers['Pragma'] == 'no-cache'


def test_ping_head(daemon):
    with Wire(daemon) as wire:
        wire.send('HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\nGET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n')
        status, headers = wire.head()
        assert status == 200 and headers['content-length'] == '0' and headers['api-version'] == '1.51'
        assert wire.answer()[2] == b'OK'


@pytest.mark.parametrize('version', ['1.24', '1.25', '1.40', '1.41', '1.44', '1.51'])
def test_version_served(daemon, version):
    for path in ('_ping', 'version', 'info', 'containers/json', 'images/json'):
        assert daemon.get(f'/v{version}/{path}').status == 200


@pytest.mark.parametrize('version, text', [
    ('1.52', 'client version 1.52 is too new. Maximum supported API version is 1.51'),
    ('2.0', 'client version 2.0 is too new. Maximum supported API version is 1.51'),
    ('1.99', 'client version 1.99 is too new. Maximum supported API version is 1.51'),
])
def test_version_too_new(daemon, version, text):
    answer = daemon.get(f'/v{version}/info')
    assert answer.status == 400 and message(answer) == text


@pytest.mark.parametrize('version', ['1.23', '1.9', '0.1'])
def test_version_too_old(daemon, version):
    answer = daemon.get(f'/v{version}/info')
    assert answer.status == 400
    assert answer.headers['Content-Type'].startswith('text/plain')            # as it was below 1.24
    assert answer.data.decode() == (f'client version {version} is too old. Minimum supported API version is 1.24, please '
                                    'upgrade your client to a newer version\n')


def test_headers_of_errors(daemon):
    answer = daemon.get('/containers/nobody/json')
    assert answer.status == 404 and message(answer) == 'No such container: nobody'
    assert all(name in answer.headers for name in FOUR)


@pytest.mark.parametrize('method, path', [('GET', '/nothing'), ('GET', '/'), ('PUT', '/info'), ('GET', '/v1.41'), ('GET', '/v1.41/'),
                                          ('POST', '/containers/json'), ('GET', '/containers/'), ('BREW', '/coffee'),
                                          ('GET', '/v1.41x/info'), ('HEAD', '/info')])
def test_no_such_page(daemon, method, path):
    answer = daemon.request(method, path)
    assert answer.status == 404
    if method != 'HEAD':
        assert message(answer) == 'page not found'
    assert not any(name in answer.headers for name in FOUR[1:])


@pytest.mark.parametrize('method, path', [('GET', '/images/get'), ('GET', '/images/search'), ('POST', '/build?remote=x'),
                                          ('GET', '/distribution/x/json'), ('POST', '/images/x/push')])
def test_absent(daemon, method, path):
    answer = daemon.request(method, path)
    assert answer.status == 501 and 'not implemented' in message(answer)


def test_fields_by_version(daemon):
    new, old = (daemon.get(f'/v{v}/images/json').json[0] for v in ('1.51', '1.43'))
    assert 'VirtualSize' not in new and old['VirtualSize'] == old['Size']
    new, old = (daemon.get(f'/v{v}/images/busybox/json').json for v in ('1.51', '1.44'))
    assert 'ContainerConfig' not in new and 'ContainerConfig' in old
    compose = daemon.request('GET', '/v1.51/images/busybox/json', headers={'User-Agent': 'docker-compose/1.29.2 docker-py/5.0.3'}).json
    assert compose['ContainerConfig']['Cmd'] == new['Config']['Cmd']


def create(daemon, name, *command, version='1.51', **more):
    answer = daemon.post(f'/v{version}/containers/create?name={name}',
                         {'Image': 'busybox', 'Cmd': list(command), 'HostConfig': {'NetworkMode': 'none'}, **more})
    assert answer.status == 201, answer.data
    return answer.json['Id']


@pytest.mark.parametrize('version, kind', [('1.51', 'application/vnd.docker.multiplexed-stream'),
                                           ('1.41', 'application/vnd.docker.raw-stream')])
def test_log_type(daemon, version, kind):
    create(daemon, 'typed', 'true')
    answer = daemon.get(f'/v{version}/containers/typed/logs?stdout=1')
    assert answer.headers['Content-Type'] == kind
    assert answer.headers['Transfer-Encoding'] == 'chunked'


def test_logs_need_a_stream(daemon):
    create(daemon, 'quiet', 'true')
    answer = daemon.get('/containers/quiet/logs')
    assert answer.status == 400 and message(answer) == "must specify at least one of 'stdout' or 'stderr'"
    answer = daemon.get('/containers/quiet/logs?stdout=1&since=yesterday')
    assert answer.status == 400 and 'since' in message(answer)
    assert daemon.get('/containers/quiet/logs?stdout=1&tail=many').status == 200
    for no in ('0', 'False', 'no', 'none', ''):
        assert daemon.get(f'/containers/quiet/logs?stdout={no}').status == 400


# Bodies

@pytest.mark.parametrize('body, kind, text', [
    (b'{', 'application/json', 'invalid JSON: '),
    (b'', 'application/json', 'invalid JSON: got EOF while reading request body'),
    (b'{"Image":"busybox"} {}', 'application/json', 'unexpected content after JSON'),
    (b'{"Image":"busybox"}', 'text/plain', "unsupported Content-Type header (text/plain): must be 'application/json'"),
    (b'{"Image":"busybox"}', None, "unsupported Content-Type header (): must be 'application/json'"),
    (b'{"Image":"busybox"}', 'application/jsonx', "unsupported Content-Type header (application/jsonx): must be 'application/json'"),
    (b'null', 'application/json', ''),
    (b'[]', 'application/json', ''),
    (b'"x"', 'application/json', ''),
    (b'[' * 100000, 'application/json', 'invalid JSON: '),
    (b'{"a":' * 5000 + b'1' + b'}' * 5000, 'application/json', 'invalid JSON: '),
    (b'{"Image":"bu\xffsy"}', 'application/json', ''),
    (b'{"Image":"a\\u0000b"}', 'application/json', ''),
    (b'{"Image":"busybox","Cmd":["x"],"HostConfig":{"Memory":1e400}}', 'application/json', ''),
    (b'{"Image":"busybox","Cmd":["x"],"HostConfig":{"Memory":99999999999999999999}}', 'application/json', ''),
])
def test_bad_body(daemon, body, kind, text):
    answer = daemon.request('POST', '/containers/create', body, headers={'Content-Type': kind} if kind else {})
    assert answer.status == 400
    assert message(answer).startswith(text) and message(answer)
    assert daemon.get('/containers/json?all=1').json == []


@pytest.mark.parametrize('kind', ['application/json; charset=utf-8', 'Application/JSON', 'application/json;x=y'])
def test_content_type(daemon, kind):
    body = json.dumps({'image': 'busybox', 'CMD': ['true'], 'hostconfig': {'networkmode': 'none'}, 'Unknown': 1})
    answer = daemon.request('POST', '/containers/create', body.encode(), headers={'Content-Type': kind})
    assert answer.status == 201
    assert daemon.get(f'/containers/{answer.json["Id"]}/json').json['HostConfig']['NetworkMode'] == 'none'


def test_large_body(daemon):
    answer = daemon.request('POST', '/containers/create', b'{"Image":"' + b'x' * 5_000_000 + b'"}',
                            headers={'Content-Type': 'application/json'})
    assert answer.status == 413 and 'larger' in message(answer)
    assert create(daemon, 'large', 'true', Labels={'x': 'y' * 1_000_000})


def test_chunked_body(daemon):
    body = json.dumps({'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none'}}).encode()
    with Wire(daemon) as wire:
        wire.send('POST /containers/create?name=chunky HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
                  'Transfer-Encoding: chunked\r\n\r\n')
        for i in range(0, len(body), 7):
            part = body[i:i + 7]
            wire.send(f'{len(part):x}\r\n'.encode() + part + b'\r\n')
        wire.send('0\r\n\r\n')
        assert wire.answer()[0] == 201


def test_expect_continue(daemon):
    with Wire(daemon) as wire:
        wire.send('POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n'
                  'Expect: 100-continue\r\n\r\n')
        assert wire.head()[0] == 100
        wire.send('{"Image": "nothing"}')
        assert wire.answer()[0] == 404


def test_start_with_body(daemon):
    create(daemon, 'old', 'true')
    answer = daemon.request('POST', '/containers/old/start', b'{"Binds":[]}', headers={'Content-Type': 'application/json'})
    assert answer.status == 400
    assert message(answer) == 'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24'
    assert daemon.request('POST', '/containers/old/start', b'{}', headers={'Content-Type': 'application/json'}).status == 204


def test_not_modified_has_no_body(daemon):
    create(daemon, 'still', 'true')
    with Wire(daemon) as wire:
        for _ in range(2):
            wire.send('POST /containers/still/stop HTTP/1.1\r\nHost: x\r\n\r\n')
            status, headers = wire.head()
            assert status == 304 and headers.get('content-length', '0') == '0' and 'transfer-encoding' not in headers


# Queries

@pytest.mark.parametrize('filters', ['{"name":{"one":true}}', '{"name":["one"]}', '{"name":{"one":true},"label":[]}'])
def test_filter_encodings(daemon, filters):
    create(daemon, 'one', 'true')
    create(daemon, 'two', 'true')
    connection = daemon.get('/containers/json?all=1&filters=' + filters.replace('{', '%7B').replace('"', '%22').replace('}', '%7D'))
    assert [row['Names'] for row in connection.json] == [['/one']]


@pytest.mark.parametrize('filters', ['x', '[]', '7', '{"name":"one"}', '{"name":{"one":"x"}}', '{"name":[1]}', '{', '{"a":' * 500])
def test_filter_not_json(daemon, filters):
    from urllib.parse import quote
    answer = daemon.get('/containers/json?filters=' + quote(filters))
    assert answer.status == 400 and 'invalid filter' in message(answer)


def test_integers(daemon):
    create(daemon, 'numbers', 'true')
    assert daemon.get('/containers/json?limit=1').status == 200
    assert len(daemon.get('/containers/json?limit=1').json) == 1
    for path in ('/containers/numbers/stop?t=soon', '/containers/numbers/stop?t=1.5'):
        answer = daemon.post(path)
        assert answer.status == 400 and message(answer)


def test_events_backwards(daemon):
    answer = daemon.get('/events?since=200&until=100')
    assert answer.status == 400 and 'since' in message(answer)


def test_paths(daemon):
    create(daemon, 'path.er-1_x', 'true')
    assert daemon.get('/containers/path%2Eer-1_x/json').status == 200
    assert daemon.get('/containers/%2Fpath.er-1_x/json').json['Name'] == '/path.er-1_x'
    assert daemon.get('/containers/no%20such/json').json['message'] == 'No such container: no such'
    assert daemon.get('/images/docker.io%2Flibrary%2Fbusybox:latest/json').status == 200
    assert daemon.get('/containers/' + 'x' * 5000 + '/json').status == 404
    assert daemon.get('/containers/%00/json').status in (400, 404)
    assert daemon.get('/containers/..%2f..%2fetc/json').status == 404


# The wire

def test_pipelined(daemon):
    with Wire(daemon) as wire:
        wire.send('GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n' * 10 + 'GET /containers/nobody/json HTTP/1.1\r\nHost: x\r\n\r\n'
                  'GET /version HTTP/1.1\r\nHost: x\r\n\r\n')
        assert [wire.answer()[0] for _ in range(12)] == [200] * 10 + [404, 200]


def test_pipelined_behind_a_wait(daemon):
    create(daemon, 'piped', 'sh', '-c', 'sleep 0.2; exit 7')
    with Wire(daemon) as wire:
        wire.send('POST /containers/piped/start HTTP/1.1\r\nHost: x\r\n\r\nPOST /containers/piped/wait HTTP/1.1\r\nHost: x\r\n\r\n'
                  'DELETE /containers/piped HTTP/1.1\r\nHost: x\r\n\r\n')
        assert wire.answer()[0] == 204
        assert json.loads(wire.answer()[2]) == {'StatusCode': 7}
        assert wire.answer()[0] == 204


@pytest.mark.parametrize('host', ['Host: api.moby.localhost\r\n', 'Host: \r\n', 'Host: %2Fvar%2Frun%2Fdocker.sock\r\n'])
def test_any_host(daemon, host):
    with Wire(daemon) as wire:
        assert wire.send(f'GET /_ping HTTP/1.1\r\n{host}\r\n').answer()[0] == 200


def test_http_1_0(daemon):
    with Wire(daemon) as wire:
        assert wire.send('GET /_ping HTTP/1.0\r\n\r\n').answer()[0] == 200


@pytest.mark.parametrize('text', ['\r\n\r\n', 'GET\r\n\r\n', 'GET /_ping HTTP/9.9\r\n\r\n', 'x' * 200000, '\0' * 1000,
                                  'GET /_ping HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
                                  'GET /_ping HTTP/1.1\r\nHost: x\r\n' + 'A: b\r\n' * 20000 + '\r\n',
                                  'POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
                         ids=['blank', 'no-path', 'version', 'no-end', 'zeros', 'negative', 'many-headers', 'bad-chunk'])
def test_garbage(daemon, text):
    with Wire(daemon, timeout=1) as wire:
        try:
            wire.send(text)
            wire.socket.shutdown(socket.SHUT_WR)
            wire.file.read(100000)
        except OSError:
            pass
    assert daemon.get('/_ping').status == 200


def test_wait_flushes_its_head(daemon):
    identity = create(daemon, 'flush', 'sh', '-c', 'exit 3')
    with Wire(daemon) as wire:
        wire.send(f'POST /v1.41/containers/{identity}/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n')
        status, headers = wire.head()                         # before it has been started
        assert status == 200 and headers['transfer-encoding'] == 'chunked' and headers['content-type'] == 'application/json'
        assert daemon.post(f'/containers/{identity}/start').status == 204
        assert json.loads(b''.join(wire.chunks())) == {'StatusCode': 3}


def test_follow_flushes_its_head(daemon):
    identity = create(daemon, 'silent', 'sleep', '60')
    daemon.post(f'/containers/{identity}/start')
    for path in (f'/containers/{identity}/logs?follow=1&stdout=1', '/events'):
        with Wire(daemon, timeout=5) as wire:
            assert wire.send(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n').head()[0] == 200


def test_200_connections(daemon):
    identity = create(daemon, 'crowd', 'sh', '-c', 'read x; exit 9', OpenStdin=True)
    daemon.post(f'/containers/{identity}/start')
    waiters = [Wire(daemon) for _ in range(200)]
    for wire in waiters:
        wire.send(f'POST /containers/{identity}/wait HTTP/1.1\r\nHost: x\r\n\r\n')
    assert all(wire.head()[0] == 200 for wire in waiters)
    began = time.monotonic()
    assert daemon.get('/_ping').status == 200                 # not held up by them
    assert time.monotonic() - began < 2
    daemon.post(f'/containers/{identity}/kill')
    for wire in waiters:
        assert json.loads(b''.join(wire.chunks())) == {'StatusCode': 137}
        wire.__exit__()


def test_200_at_once(daemon):
    create(daemon, 'target', 'true')
    results, barrier = [], threading.Barrier(200)

    def ask():
        barrier.wait()
        results.append(daemon.get('/containers/target/json', timeout=60).status)

    threads = [threading.Thread(target=ask) for _ in range(200)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [200] * 200


def test_no_name_leads_elsewhere(daemon):
    """Whoever gives our command line a name that he got from somebody means that name."""
    command = BUILD / 'cli/stauer'
    done = subprocess.run([command if command.exists() else 'stauer', '-H', f'unix://{daemon.socket}', 'rm', 'x/../../images/busybox'],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1, done
    assert len(daemon.get('/images/json').json) == 1
