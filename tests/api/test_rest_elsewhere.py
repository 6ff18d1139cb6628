# SPDX-License-Identifier: GPL-2.0-or-later
"""What a dockerd says that is in no swarm, has no plugins and is not experimental. Clients probe these and go on after the right code only."""

import json

import pytest

MANAGER = ('This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try '
           'again.')


@pytest.mark.parametrize('method, path, status, message', [
    *[('GET', path, 503, MANAGER) for path in ('/swarm', '/swarm/unlockkey', '/nodes', '/nodes/x', '/services', '/services/x', '/tasks',
                                               '/tasks/x', '/secrets', '/secrets/x', '/configs', '/configs/x', '/v1.24/services')],
    *[('POST', path, 503, MANAGER) for path in ('/swarm/update', '/swarm/unlock', '/nodes/x/update?version=3', '/services/create',
                                                '/services/x/update', '/secrets/create', '/configs/x/update')],
    *[('DELETE', path, 503, MANAGER) for path in ('/nodes/x', '/services/x', '/secrets/x', '/configs/x')],
    ('POST', '/swarm/leave?force=1', 503, 'This node is not part of a swarm'),
    ('POST', '/swarm/init', 501, 'this engine is for one host: swarm mode is not implemented'),
    ('GET', '/nodes?filters=x', 400, 'invalid filter'),
    ('POST', '/nodes/x/update?version=x', 400, "invalid swarm object version 'x': invalid syntax"),
    ('GET', '/services/x/logs', 400, 'Bad parameters: you must choose at least one stream'),
    ('GET', '/services/x/logs?stdout=1', 503, MANAGER),
    ('PUT', '/volumes/x', 503, 'volume update only valid for cluster volumes, but swarm is unavailable'),
    ('PUT', '/v1.41/volumes/x', 400, 'PUT /volumes/{name} requires minimum API version 1.42'),
    ('GET', '/plugins/a/b:c/json', 404, 'plugin "a/b:c" not found'),
    ('POST', '/plugins/x/enable', 404, 'plugin "x" not found'),
    ('DELETE', '/plugins/x', 404, 'plugin "x" not found'),
    ('GET', '/plugins?filters=%7B%22x%22:%5B%22y%22%5D%7D', 400, "invalid filter 'x'"),
    ('GET', '/containers/x/checkpoints', 501, 'This experimental feature is disabled by default. Start the Docker daemon in experimental '
     'mode in order to enable it.'),
    ('HEAD', '/info', 404, None),
    ('POST', '/auth', 501, 'POST /auth is not implemented'),
])
def test_answer(daemon, method, path, status, message):
    answer = daemon.request(method, path)
    assert answer.status == status
    if message:
        assert json.loads(answer.data) == {'message': message}


def test_plugins(daemon):
    assert daemon.get('/plugins').json == []
    assert daemon.get('/plugins?filters=%7B%22enabled%22:%5B%22true%22%5D%7D').json == []


@pytest.mark.parametrize('path', ['/info', '/v1.40/containers/json', '/what/ever'])
def test_options(daemon, path):
    answer = daemon.request('OPTIONS', path)
    assert (answer.status, answer.data) == (200, b'') and answer.headers['Ostype'] == 'linux'
