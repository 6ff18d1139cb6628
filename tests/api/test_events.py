# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of the past through both faces, and the ways in which REST writes them."""

import json
import time

import pytest
from engine import create, run, wait
from faces import FaceError


@pytest.fixture
def past(daemon):
    """Some history, and when it began."""
    began = time.time()
    identity = run(daemon, 'sh', '-c', 'exit 3', name='told', Labels={'crew': 'blue'})
    wait(daemon, identity)
    create(daemon, 'true', name='other')
    assert daemon.post('/images/busybox/tag?repo=ship&tag=1').status == 201
    return began, identity


def actions(face, began, **filters):
    return [action for _, action, _, _ in face.events(since=began, filters=filters)]


def test_replay(face, past):
    began, identity = past
    events = face.events(since=began)
    assert [(kind, action) for kind, action, _, _ in events] == [
        ('container', 'create'), ('network', 'connect'), ('container', 'start'), ('container', 'die'), ('network', 'disconnect'),
        ('container', 'create'), ('image', 'tag')]
    assert events[0][2] == identity and events[0][3] == {'image': 'busybox', 'name': 'told', 'crew': 'blue'}
    assert events[1][3] == {'container': identity, 'name': 'none', 'type': 'null'}
    assert events[3][3]['exitCode'] == '3'
    assert identity not in [row[2] for row in face.events(since=began - 1000, until=began)]
    with pytest.raises(FaceError) as info:
        face.events(since=began, until=began - 10)
    assert info.value.kind == 'Invalid' and 'cannot be after `until` time' in info.value.text


@pytest.mark.parametrize('filters, found', [
    ({'event': ['create']}, ['create', 'create']),
    ({'event': ['create', 'die']}, ['create', 'die', 'create']),
    ({'event': ['cre']}, []),                                     # only some actions have a tail
    ({'container': ['told']}, ['create', 'start', 'die']),
    ({'container': ['to']}, []),
    ({'container': ['ID']}, ['create', 'start', 'die']),
    ({'type': ['image']}, ['tag']),
    ({'image': ['busybox']}, ['create', 'start', 'die', 'create']),
    ({'image': ['ship:1']}, ['tag']),
    ({'label': ['crew']}, ['create', 'start', 'die']),
    ({'label': ['crew=red']}, []),
    ({'label': ['crew=blue'], 'event': ['die']}, ['die']),
    ({'scope': ['swarm']}, []),
    ({'volume': ['told']}, []),
])
def test_filters(face, past, filters, found):
    began, identity = past
    filters = {key: [value.replace('ID', identity[:9]) for value in values] for key, values in filters.items()}
    seen = actions(face, began, **filters)
    assert seen == found or (filters == {'image': ['busybox']} and seen == [*found, 'tag'])


def test_unknown_filter(face):
    with pytest.raises(FaceError) as info:
        face.events(filters={'nonsense': ['x']})
    assert (info.value.kind, info.value.text) == ('Invalid', "invalid filter 'nonsense'")


def test_only_so_many(face, daemon):
    began = time.time()
    for i in range(300):
        assert daemon.post(f'/images/busybox/tag?repo=many&tag={i % 3}').status == 201
        if i >= 3:
            break
    assert len(face.events(since=began)) >= 3
    assert len(face.events()) <= 256


@pytest.mark.parametrize('accept, kind, before', [
    (None, 'application/json', b''),
    ('application/json-seq', 'application/json-seq', b'\x1e'),
    ('text/html, application/x-ndjson;q=0.9', 'application/x-ndjson', b''),
    ('application/jsonl', 'application/jsonl', b''),
    ('*/*', 'application/json', b''),
])
def test_content_types(daemon, past, accept, kind, before):
    answer = daemon.get(f'/events?since={past[0]:.6f}&until={time.time():.6f}', headers={'Accept': accept} if accept else {})
    assert answer.headers['Content-Type'] == kind
    lines = answer.data.splitlines()
    assert len(lines) == 7 and all(line.startswith(before + b'{') for line in lines)
    assert json.loads(lines[0][len(before):])['Action'] == 'create'


def test_until_comes(daemon):
    began = time.time()
    answer = daemon.get(f'/events?until={began + 1:.6f}')
    assert answer.status == 200 and 0.9 < time.time() - began < 10


@pytest.mark.parametrize('query', ['since=yesterday', 'until=1.x', 'since=20&until=10'])
def test_bad_times(daemon, query):
    assert daemon.get(f'/events?{query}').status == 400
