# SPDX-License-Identifier: GPL-2.0-or-later
"""Sizes of containers and what the engine takes of the disk, through both faces."""

import json
import os
import threading

import pytest
from engine import create
from faces import FaceError

KEYS = {'LayersSize', 'Images', 'Containers', 'Volumes', 'BuildCache'}


def usage(face, *types):
    if face.name == 'bus':
        return json.loads(face.manager('GetDiskUsage', 'as', list(types)))
    return face.ask('GET', '/system/df', query={'type': list(types)}).json


def size(face, name):
    if face.name == 'bus':
        return tuple(face.container(name, 'GetSize'))
    v = face.ask('GET', f'/containers/{name}/json', query={'size': 1}).json
    return v['SizeRw'], v['SizeRootFs']


def write(daemon, identity, count):
    """As if the container had: the api tests have no real one."""
    with open(daemon.data / 'layers/vfs' / identity / 'diff/written', 'wb') as f:
        f.write(os.urandom(count))


def test_size(daemon, face):
    identity = create(daemon, 'true', name='heavy')
    image = face.image('busybox')['Size']
    assert image > 0 and size(face, 'heavy') == (0, image)
    write(daemon, identity, 12345)
    assert size(face, 'heavy') == (12345, image + 12345)
    write(daemon, identity, 10)
    assert size(face, 'heavy') == (10, image + 10)
    with pytest.raises(FaceError) as info:
        size(face, 'nobody')
    assert info.value.text == 'No such container: nobody'


def test_list(daemon):
    identity = create(daemon, 'true', name='heavy')
    create(daemon, 'true', name='light')
    write(daemon, identity, 777)
    light, heavy = daemon.get('/containers/json?all=1&size=1').json
    assert heavy['SizeRw'] == 777 and heavy['SizeRootFs'] == light['SizeRootFs'] + 777
    assert 'SizeRw' not in light                                  # as Go leaves out a zero
    assert 'SizeRootFs' not in daemon.get('/containers/json?all=1').json[0]
    assert 'SizeRw' not in daemon.get('/containers/heavy/json').json
    assert daemon.get('/containers/json?size=1').json == []


def test_usage(daemon, face):
    identity = create(daemon, 'true', name='heavy')
    write(daemon, identity, 99)
    v = usage(face)
    assert set(v) == KEYS and v['Volumes'] == v['BuildCache'] == []
    image, = v['Images']
    assert v['LayersSize'] == image['Size'] > 0
    assert (image['SharedSize'], image['Containers']) == (0, 1)
    container, = v['Containers']
    assert container['SizeRw'] == 99 and container['SizeRootFs'] == image['Size'] + 99
    assert set(usage(face, 'image')) == {'LayersSize', 'Images'}
    assert set(usage(face, 'container', 'build-cache')) == {'Containers', 'BuildCache'}
    with pytest.raises(FaceError) as info:
        usage(face, 'nonsense')
    assert (info.value.kind, info.value.text) == ('Invalid', 'unknown object type: nonsense')


def test_usage_of_old(daemon):
    v = daemon.get('/v1.41/system/df?type=image').json
    assert set(v) == KEYS | {'BuilderSize'} and 'VirtualSize' in v['Images'][0]


def test_many_at_once(daemon):
    """More than there may be workers: they share the walk, and everybody is answered."""
    for i in range(5):
        create(daemon, 'true', name=f'many{i}')
    answers = []

    def ask():
        answers.append(daemon.get('/system/df').json)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20 and all(len(a['Containers']) == 5 and 'SizeRootFs' in a['Containers'][0] for a in answers)


def test_left_early(daemon):
    """Who does not wait for the answer leaves nothing behind."""
    create(daemon, 'true', name='heavy')
    for _ in range(20):
        connection = daemon.connection()
        connection.request('GET', '/system/df')
        connection.sock.close()
    assert size_of(daemon) == 0


def size_of(daemon):
    return daemon.get('/containers/heavy/json?size=1').json['SizeRw']
