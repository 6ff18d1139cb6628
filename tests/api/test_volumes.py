# SPDX-License-Identifier: GPL-2.0-or-later
"""Volumes through both faces: made by themselves and with containers, filled from the image, shared, in use, removed, pruned."""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest
from faces import FaceError
from private_bus import wait_for

HEX = re.compile('[0-9a-f]{64}')


def refused(kind, text, function, *args, **kwargs):
    with pytest.raises(FaceError) as info:
        function(*args, **kwargs)
    assert info.value.kind == kind
    assert text in info.value.text, info.value.text


def create(face, name='', image='busybox', host=None, **config):
    return face.create(name, {'Image': image, 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none', **(host or {})}, **config})[0]


def mounts(face, name):
    return {m['Destination']: m for m in face.inspect(name)['Mounts']}


def write(face, name, path, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        info = tarfile.TarInfo(path.lstrip('/'))
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    face.copy_to(name, '/', out.getvalue())


def read(face, name, path):
    with tarfile.open(fileobj=io.BytesIO(face.copy_from(name, path))) as tar:
        member, = tar.getmembers()
        return tar.extractfile(member).read()


@pytest.fixture(autouse=True)
def none_left(daemon, face):
    yield
    for identity, *_ in face.containers(all=True):
        face.remove(identity, force=True, volumes=True)
    for name in face.volumes():
        face.remove_volume(name)
    wait_for(lambda: not list((Path(daemon.data) / 'tmp/trash').iterdir()), 'the trash is empty')
    assert not list((Path(daemon.data) / 'volumes').iterdir())


@pytest.fixture
def image(face):
    """One with a volume at /data, where it has a file of its own."""
    source = create(face, 'source')
    write(face, source, '/data/deep/f', b'of the image')
    face.commit(source, 'with-volume', changes=['VOLUME /data', 'VOLUME /empty'])
    face.remove(source)
    yield 'with-volume'
    for identity, *_ in face.containers(all=True):
        face.remove(identity, force=True, volumes=True)
    face.remove_image('with-volume')


def test_by_itself(daemon, face):
    with face.watch({'type': ['volume']}) as events:
        assert face.create_volume('data', labels={'a': 'b'}) == 'data'
        (_, _, identity, attributes), = events.wait('create')
        assert (identity, attributes) == ('data', {'driver': 'local'})
        v = face.volume('data')
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)', v.pop('CreatedAt'))
        folder = Path(v['Mountpoint'])
        assert v == {'Name': 'data', 'Driver': 'local', 'Labels': {'a': 'b'}, 'Options': None, 'Scope': 'local',
                     'Mountpoint': f'{daemon.data}/volumes/data/_data'}
        assert folder.stat().st_mode & 0o7777 == 0o755
        assert face.create_volume('data', labels={'other': ''}) == 'data'           # as it is
        assert face.volume('data')['Labels'] == {'a': 'b'}
        (folder / 'kept').write_text('x')
        face.remove_volume('data')
        assert not folder.exists()
        events.wait('create', 'destroy')
        assert len(events.seen) == 2
    refused('NotFound', 'get data: no such volume', face.volume, 'data')


def test_without_a_name(face):
    name = face.create_volume()
    assert HEX.fullmatch(name)
    assert face.volume(name)['Labels'] == {'com.docker.volume.anonymous': ''}


@pytest.mark.parametrize('name,more,kind,text', [
    ('a/b', {}, 'Invalid', 'create a/b: "a/b" includes invalid characters for a local volume name'),
    ('..', {}, 'Invalid', 'includes invalid characters'),
    ('x', {}, 'Invalid', 'create x: volume name is too short, names should be at least two alphanumeric characters'),
    ('n' * 300, {}, 'Invalid', 'includes invalid characters'),
    ('vv', {'driver': 'nfs'}, 'NotFound', 'create vv: error looking up volume plugin nfs: plugin "nfs" not found'),
    ('vv', {'options': {'colour': 'blue'}}, 'Invalid', 'create vv: invalid option: "colour"'),
    ('vv', {'options': {'type': 'tmpfs'}}, 'Invalid', 'create vv: missing required option: "device"'),
])
def test_what_is_wrong(face, name, more, kind, text):
    refused(kind, text, face.create_volume, name, **more)
    assert face.volumes() == []


def test_labels_have_a_limit(daemon, face):
    """What could not be read back is not made."""
    refused('TooLarge', 'create big: Failed to make the volume', face.create_volume, 'big', labels={'k': 'v' * (1024 * 1024)})
    assert face.volumes() == []
    assert not list((Path(daemon.data) / 'volumes').iterdir())


def test_list(face):
    for name, labels in (('cc', {'k': 'v'}), ('ab', {}), ('bc', {'k': 'w'})):
        face.create_volume(name, labels=labels)
    create(face, 'user', host={'Binds': ['bc:/x']})
    assert face.volumes() == ['ab', 'bc', 'cc']
    assert face.volumes({'name': ['b']}) == ['ab', 'bc']
    assert face.volumes({'label': ['k']}) == ['bc', 'cc']
    assert face.volumes({'label': ['k=v']}) == ['cc']
    assert face.volumes({'dangling': ['true']}) == ['ab', 'cc']
    assert face.volumes({'dangling': ['false']}) == ['bc']
    assert face.volumes({'driver': ['local']}) == ['ab', 'bc', 'cc']
    refused('Invalid', "invalid filter 'colour'", face.volumes, {'colour': ['x']})


def test_container_with_named_volumes(daemon, face):
    with face.watch({'type': ['volume']}) as events:
        c = create(face, 'one', host={'Binds': ['data:/a:ro'], 'Mounts': [
            {'Type': 'volume', 'Source': 'more', 'Target': '/b/', 'VolumeOptions': {'Labels': {'l': 'm'}}}]})
        assert [e[2] for e in events.wait('create', 'create')] == ['data', 'more']
    assert face.volume('more')['Labels'] == {'l': 'm'}
    common = {'Type': 'volume', 'Driver': 'local', 'Propagation': ''}
    assert mounts(face, c) == {
        '/a': {**common, 'Name': 'data', 'Source': f'{daemon.data}/volumes/data/_data', 'Destination': '/a', 'Mode': 'ro', 'RW': False},
        '/b': {**common, 'Name': 'more', 'Source': f'{daemon.data}/volumes/more/_data', 'Destination': '/b', 'Mode': '', 'RW': True}}
    other = create(face, 'two', host={'Binds': ['more:/x']})
    write(face, c, '/b/f', b'shared')
    assert read(face, other, '/x/f') == b'shared'
    refused('Conflict', f'remove more: volume is in use - [{c}, {other}]', face.remove_volume, 'more')
    refused('Invalid', 'mounted volume is marked read-only', face.copy_to, c, '/a', b'')
    assert [row[0] for row in face.containers(all=True, filters={'volume': ['data']})] == [c]
    assert [row[0] for row in face.containers(all=True, filters={'volume': ['/x']})] == [other]
    face.remove(c, volumes=True)
    face.remove(other, volumes=True)
    assert face.volumes() == ['data', 'more']                     # they have names
    assert Path(daemon.data, 'volumes/more/_data/f').read_bytes() == b'shared'


def test_mounted_and_unmounted_is_told(face):
    c = create(face, 'one', host={'Binds': ['data:/a:ro']})
    with face.watch({'type': ['volume']}) as events:
        face.start(c)
        face.wait(c)
        mounted, unmounted = events.wait('mount', 'unmount')
    assert mounted[2:] == ('data', {'container': c, 'destination': '/a', 'driver': 'local', 'propagation': '', 'read/write': 'false'})
    assert unmounted[2:] == ('data', {'container': c, 'driver': 'local'})


def test_image_fills_new_volumes(daemon, face, image):
    c = create(face, 'one', image)
    found = mounts(face, c)
    assert set(found) == {'/data', '/empty'}
    assert all(HEX.fullmatch(m['Name']) and m['RW'] for m in found.values())
    data = Path(found['/data']['Source'])
    assert (data / 'deep/f').read_bytes() == b'of the image'
    assert list(Path(found['/empty']['Source']).iterdir()) == []
    assert face.inspect(c)['Config']['Volumes'] == {'/data': {}, '/empty': {}}

    (data / 'deep/f').write_bytes(b'mine')
    named = create(face, 'two', image, host={'Binds': ['named:/data']})
    assert read(face, named, '/data/deep/f') == b'of the image'
    write(face, named, '/data/deep/f', b'changed')
    again = create(face, 'three', image, host={'Binds': ['named:/data']})
    assert read(face, again, '/data/deep/f') == b'changed'        # it was not empty
    face.create_volume('bare')
    for how in ({'Binds': ['bare:/data:nocopy']},
                {'Mounts': [{'Type': 'volume', 'Source': 'bare', 'Target': '/data', 'VolumeOptions': {'NoCopy': True}}]}):
        create(face, '', image, host=how)
        assert list(Path(face.volume('bare')['Mountpoint']).iterdir()) == []
    own = create(face, '', image, host={'Tmpfs': {'/data': ''}})
    assert set(mounts(face, own)) == {'/empty'}                   # the place is taken

    face.remove(c)
    assert found['/data']['Name'] in face.volumes()               # without -v it stays
    name = mounts(face, own)['/empty']['Name']
    face.remove(own, volumes=True)
    assert name not in face.volumes()
    assert not Path(daemon.data, 'volumes', name).exists()


def test_anonymous_volumes_go_with_rm(face, image):
    c = create(face, 'one', image, host={'AutoRemove': True, 'Binds': ['named:/more']})
    with face.watch({'type': ['container']}) as events:
        face.start(c)
        events.wait('die', 'destroy')
    assert face.volumes() == ['named']


def test_volumes_from(face, tmp_path):
    first = create(face, 'first', host={'Binds': ['data:/d', f'{tmp_path}:/bound']}, Volumes={'/anonymous': {}})
    write(face, first, '/d/f', b'1')
    (tmp_path / 'g').write_bytes(b'2')
    second = create(face, 'second', host={'VolumesFrom': ['first:ro'], 'Binds': ['other:/d']})
    found, before = mounts(face, second), mounts(face, first)
    assert found['/bound'] == {**before['/bound'], 'RW': False}
    assert found['/anonymous'] == {**before['/anonymous'], 'RW': False}
    assert found['/d']['Name'] == 'other' and found['/d']['RW']    # one's own wins
    assert read(face, second, '/bound/g') == b'2'
    face.remove(first, volumes=True)
    assert before['/anonymous']['Name'] in face.volumes()          # the other one has it still
    face.remove(second, volumes=True)
    assert face.volumes() == ['data', 'other']
    refused('Invalid', 'No such container: first', create, face, host={'VolumesFrom': ['first']})
    refused('Invalid', 'invalid mode: x', create, face, host={'VolumesFrom': ['second:x']})


def test_what_a_failed_creation_made_goes(face):
    refused('Invalid', 'invalid option', create, face, host={'Mounts': [
        {'Type': 'volume', 'Source': 'good', 'Target': '/a'},
        {'Type': 'volume', 'Source': 'bad', 'Target': '/b', 'VolumeOptions': {'DriverConfig': {'Options': {'x': 'y'}}}}]})
    assert face.volumes() == []
    refused('Invalid', 'Duplicate mount point: /a', create, face, host={'Binds': ['good:/a', 'other:/a']})
    assert face.volumes() == []


def test_prune(face, image):
    c = create(face, 'one', image)
    used = {m['Name'] for m in mounts(face, c).values()}
    face.create_volume('named', labels={'k': ''})
    Path(face.volume('named')['Mountpoint'], 'f').write_bytes(b'x' * 1000)
    assert face.prune_volumes() == ([], 0)
    assert face.prune_volumes({'all': ['true'], 'label!': ['k']}) == ([], 0)
    with face.watch({'type': ['volume']}) as events:
        assert face.prune_volumes({'all': ['1']}) == (['named'], 1000)
        events.wait('destroy', 'prune')
    face.remove(c)
    names, size = face.prune_volumes()
    assert set(names) == used and size == len('of the image')
    refused('Invalid', "invalid filter 'until'", face.prune_volumes, {'until': ['1h']})


def test_old_clients_prune_all(daemon, face):
    if face.name != 'rest':
        return
    face.create_volume('named')
    answer = daemon.request('POST', '/v1.41/volumes/prune')
    assert answer.json == {'VolumesDeleted': ['named'], 'SpaceReclaimed': 0}


def test_force(daemon, face):
    if face.name != 'rest':
        return
    assert daemon.request('DELETE', '/volumes/nosuch?force=1').status == 204
    assert daemon.request('DELETE', '/volumes/nosuch').status == 404


def test_disk_usage(face):
    face.create_volume('data')
    Path(face.volume('data')['Mountpoint'], 'f').write_bytes(b'x' * 777)
    create(face, 'one', host={'Binds': ['data:/a']})
    document = face.ask('GET', '/system/df').json if face.name == 'rest' else json.loads(
        face.manager('GetDiskUsage', 'as', []))
    v, = document['Volumes']
    assert (v['Name'], v['UsageData']) == ('data', {'RefCount': 1, 'Size': 777})
