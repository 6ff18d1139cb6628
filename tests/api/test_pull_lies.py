# SPDX-License-Identifier: GPL-2.0-or-later
"""Registries and networks that break off, stall and lie: never a wrong byte, always an end, and not much more traffic than the image is large."""

import os

import pytest
from conftest import end_daemon, make_daemon
from fake_registry import (FakeRegistry, bad_chunks, cut_at, digest_of, endless, flipped, layer_tar, longer, other_range, redirect,
                           shorter, status)
from faces import FaceError, RestFace
from test_pull import store_is_right

SIZE = 400000


@pytest.fixture(scope='module')
def puller(tmp_path_factory):
    daemon = make_daemon(tmp_path_factory.mktemp('pull'), '--max-download-attempts', '2', '--max-concurrent-downloads', '16')
    yield daemon
    end_daemon(daemon)


@pytest.fixture
def registry(puller):
    with FakeRegistry() as r:
        yield r
    for row in puller.get('/images/json?all=1').json:
        puller.delete(f'/images/{row["Id"]}?force=1')


def layers(n):
    return [layer_tar({f'x{i}': os.urandom(SIZE)}) for i in range(n)]


def test_broken_off(puller, registry):
    """A dozen layers at once, each cut at another place: what is there is not sent again."""
    places = [0, 1, 2, 10, 511, 512, 16384, 65536, 100000, SIZE - 1, SIZE, SIZE + 100]
    _, _, blobs = registry.image('a/b', '1', layers(len(places)), 'none')
    for i, (place, blob) in enumerate(zip(places, blobs)):
        registry.fault('/blobs/' + blob['digest'], cut_at(place, reset=i % 2))
    lines = RestFace(puller).pull(f'{registry.name}/a/b:1')
    assert 'newer' in lines[1]
    assert registry.sent <= 1.05 * sum(b['size'] for b in blobs) + 1024 * 1024        # what a reset took off the wire
    assert any('Range' in r[2] for r in registry.requests)
    store_is_right(puller)


def test_many_cuts_with_progress(puller, registry):
    """More cuts than attempts are allowed: each has brought something."""
    _, _, blobs = registry.image('a/b', '1', [layer_tar({'x': os.urandom(2000000)})], 'none')
    registry.fault('/blobs/' + blobs[0]['digest'], cut_at(300000), 6)
    RestFace(puller).pull(f'{registry.name}/a/b:1')
    assert registry.sent <= 1.05 * blobs[0]['size'] + 10000
    store_is_right(puller)


def test_without_ranges(puller, registry):
    registry.ranges = False
    _, _, blobs = registry.image('a/b', '1', layers(1), 'none')
    registry.fault('/blobs/' + blobs[0]['digest'], cut_at(200000))
    RestFace(puller).pull(f'{registry.name}/a/b:1')
    store_is_right(puller)


def test_come_back_later(puller, registry):
    """Rows tell that it takes longer."""
    face = RestFace(puller)
    _, _, blobs = registry.image('a/b', '1', layers(3), 'none')
    registry.fault('/manifests/', status(503))
    registry.fault('/blobs/' + blobs[0]['digest'], status(429, Retry_After='1'))
    registry.fault('/blobs/' + blobs[1]['digest'], status(500))
    registry.fault('/blobs/' + blobs[2]['digest'], status(502))
    face.pull(f'{registry.name}/a/b:1')
    assert 'Retrying in 1 second' in [row['status'] for row in face.rows]
    store_is_right(puller)


def test_much_later(puller, registry):
    registry.image('a/b', '1', layers(1))
    registry.fault('/manifests/', status(429, Retry_After='100000'))
    with pytest.raises(FaceError) as info:
        RestFace(puller).pull(f'{registry.name}/a/b:1')
    assert 'toomanyrequests' in info.value.text


LIES = [flipped, longer, shorter, endless, bad_chunks, status(404), status(418), redirect('http://[::1'), redirect('ftp://127.0.0.1/x'),
        redirect('http://me:you@127.0.0.1:1/'), cut_at(100),
        lambda h, data, start: h.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc'),
        lambda h, data, start: h.wfile.write(b'\0\xff' * 100)]


# Not of a manifest: a document that is cut and one that is not are both what the tag leads to.
@pytest.mark.parametrize('about, lie', [(about, lie) for about in ('manifests', 'config', 'layer') for lie in LIES
                                        if about != 'manifests' or lie not in (shorter, longer)],
                         ids=lambda x: x if isinstance(x, str) else getattr(x, '__name__', 'lie'))
def test_lie(puller, registry, lie, about):
    _, config, blobs = registry.image('a/b', '1', layers(2), 'none')
    registry.fault({'manifests': '/manifests/', 'config': config, 'layer': blobs[1]['digest']}[about], lie, 99)
    with pytest.raises(FaceError):
        RestFace(puller).pull(f'{registry.name}/a/b:1')
    assert RestFace(puller).images() == []
    assert not (puller.data / 'blobs/sha256' / blobs[1]['digest'][7:]).exists() or about == 'config'
    store_is_right(puller)


def test_range_lies(puller, registry):
    _, _, blobs = registry.image('a/b', '1', layers(1), 'none')
    registry.fault('/blobs/' + blobs[0]['digest'], cut_at(1000))
    registry.fault('/blobs/' + blobs[0]['digest'], other_range, 9)
    with pytest.raises(FaceError) as info:
        RestFace(puller).pull(f'{registry.name}/a/b:1')
    assert 'other bytes' in info.value.text
    store_is_right(puller)


def test_diff_id_lies(puller, registry):
    """The blob is what the manifest says, but not the layer that the config names."""
    import json
    _, config, _ = registry.image('a/b', '1', layers(1))
    wrong = json.loads(registry.blobs[config])
    wrong['rootfs']['diff_ids'] = ['sha256:' + '1' * 64]
    document = json.dumps(wrong).encode()
    manifest = json.loads(registry.manifests['a/b', '1'][0])
    manifest['config'] = {'mediaType': manifest['config']['mediaType'], **registry.blob(document)}
    registry.manifest('a/b', '1', manifest, manifest['mediaType'])
    with pytest.raises(FaceError) as info:
        RestFace(puller).pull(f'{registry.name}/a/b:1')
    assert 'does not match the config' in info.value.text
    assert digest_of(document)
    store_is_right(puller)
