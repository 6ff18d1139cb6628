# SPDX-License-Identifier: GPL-2.0-or-later
"""Images through both faces."""

import gzip
import io
import json
import lzma
import subprocess
import tarfile

import pytest
from common.images import docker_archive, rootfs_tar
from faces import FaceError


def refused(kind, text, function, *args, **kwargs):
    with pytest.raises(FaceError) as info:
        function(*args, **kwargs)
    assert (info.value.kind, info.value.text) == (kind, text)


def test_version(face):
    version = face.version()
    assert version['ApiVersion'] == '1.51'
    assert version['MinAPIVersion'] == '1.24'
    assert version['Os'] == 'linux'
    assert version['Components'][0]['Name'] == 'Engine'
    assert version['Components'][0]['Details']['ApiVersion'] == '1.51'


def test_info(face, daemon):
    info = face.info()
    assert info['Driver'] == 'vfs'
    assert info['DockerRootDir'] == str(daemon.data)
    assert (info['CgroupDriver'], info['CgroupVersion']) == ('systemd', '2')
    assert info['DefaultRuntime'] == 'fake' and 'fake' in info['Runtimes']
    assert info['Images'] == 1
    assert info['Containers'] == info['ContainersRunning'] + info['ContainersPaused'] + info['ContainersStopped']
    assert info['Swarm']['LocalNodeState'] == 'inactive' and info['Swarm']['RemoteManagers'] is None
    assert info['Labels'] == []


def test_load_again(face, archive):
    assert face.load(archive[0]) == ['Loaded image: busybox:latest']
    assert face.images() == [(archive[1], ['busybox:latest'])]


@pytest.mark.parametrize('pack', [gzip.compress, lzma.compress,
                                  lambda data: subprocess.run(['zstd', '-q'], input=data, stdout=-1, check=True).stdout],
                         ids=['gzip', 'xz', 'zstd'])
def test_load_compressed(face, tmp_path, pack):
    image = docker_archive(tmp_path / 'plain', 'packed:1', config={'Labels': {'a': 'b'}})
    (tmp_path / 'packed').write_bytes(pack((tmp_path / 'plain').read_bytes()))
    assert face.load(tmp_path / 'packed') == ['Loaded image: packed:1']
    assert face.image('packed:1')['Id'] == image


def test_load_without_name(face, tmp_path):
    image = docker_archive(tmp_path / 'tar', None, config={'User': 'www'})
    assert face.load(tmp_path / 'tar') == [f'Loaded image ID: {image}']
    assert (image, []) in face.images()
    assert face.image(image[7:19])['RepoTags'] == []


def test_load_garbage(face, tmp_path):
    (tmp_path / 'tar').write_bytes(b'this is no archive at all' * 1000)
    with pytest.raises(FaceError) as info:
        face.load(tmp_path / 'tar')
    assert info.value.kind == 'Job' and info.value.text
    assert len(face.images()) == 1


def test_load_empty(face, tmp_path):
    (tmp_path / 'tar').write_bytes(b'')
    with pytest.raises(FaceError) as info:
        face.load(tmp_path / 'tar')
    assert info.value.kind == 'Job' and info.value.text


def test_load_cut(face, archive, tmp_path):
    (tmp_path / 'tar').write_bytes(archive[0].read_bytes()[:1500000])
    with pytest.raises(FaceError) as info:
        face.load(tmp_path / 'tar')
    assert info.value.kind == 'Job'
    assert len(face.images()) == 1


def test_load_wrong_digest(face, tmp_path):
    layer = rootfs_tar()
    docker_archive(tmp_path / 'good', 'lie:1', layers=[layer])
    data = (tmp_path / 'good').read_bytes()
    (tmp_path / 'bad').write_bytes(data.replace(b'tricky:/home/tricky', b'tricky:/home/trickx'))
    with pytest.raises(FaceError) as info:
        face.load(tmp_path / 'bad')
    assert 'sha256' in info.value.text or 'digest' in info.value.text
    assert all('lie:1' not in tags for _, tags in face.images())


def test_import(face, tmp_path):
    (tmp_path / 'root.tar').write_bytes(rootfs_tar([('etc/mark', b'x')]))
    image = face.import_(tmp_path / 'root.tar', 'imported', 'v1', 'from a test', ['CMD ["echo","hi"]', 'ENV A=b'])
    assert image.startswith('sha256:') and len(image) == 71
    document = face.image('imported:v1')
    assert document['Id'] == image
    assert document['Config']['Cmd'] == ['echo', 'hi']
    assert 'A=b' in document['Config']['Env']
    assert face.history(image)[0]['Comment'] == 'from a test'


def test_import_without_name(face, tmp_path):
    with tarfile.open(tmp_path / 'tar', 'w') as tar:
        info = tarfile.TarInfo('file')
        info.size = 3
        tar.addfile(info, io.BytesIO(b'abc'))
    image = face.import_(tmp_path / 'tar')
    assert face.image(image)['RepoTags'] == []


def test_import_bad_change(face, tmp_path):
    (tmp_path / 'tar').write_bytes(rootfs_tar())
    with pytest.raises(FaceError) as info:
        face.import_(tmp_path / 'tar', 'x', changes=['RUN rm -rf /'])
    assert info.value.kind in ('Invalid', 'Job') and 'run' in info.value.text.lower()


def test_inspect(face, archive):
    document = face.image('busybox')
    assert document['Id'] == archive[1]
    assert document['RepoTags'] == ['busybox:latest']
    assert document['Os'] == 'linux' and document['Architecture'] == 'amd64'
    assert document['Created'] == '2023-11-14T22:13:20Z'
    assert document['Config']['Cmd'] == ['sh']
    assert document['RootFS']['Type'] == 'layers' and len(document['RootFS']['Layers']) == 1
    assert document['GraphDriver']['Name'] == 'vfs'
    assert document['Size'] > 1000000


@pytest.mark.parametrize('name', ['busybox', 'busybox:latest', 'docker.io/library/busybox', 'docker.io/busybox:latest'])
def test_names_of_one_image(face, archive, name):
    assert face.image(name)['Id'] == archive[1]


def test_ids_of_one_image(face, archive):
    digits = archive[1][7:]
    for name in (archive[1], digits, digits[:12], digits[:4], 'sha256:' + digits[:12]):
        assert face.image(name)['Id'] == archive[1]


@pytest.mark.parametrize('name, text', [('nothing', 'nothing:latest'), ('nothing:1', 'nothing:1'), ('q.io/a/b', 'q.io/a/b:latest')])
def test_no_such_image(face, name, text):
    refused('NotFound', f'No such image: {text}', face.image, name)
    refused('NotFound', f'No such image: {text}', face.remove_image, name)


def test_tag(face, archive):
    face.tag('busybox', 'other/name', 'v2')
    face.tag(archive[1], 'plain')
    assert face.images() == [(archive[1], ['busybox:latest', 'other/name:v2', 'plain:latest'])]
    assert face.image('other/name:v2')['Id'] == archive[1]
    assert face.remove_image('other/name:v2') == ['Untagged: other/name:v2']
    assert face.remove_image('plain') == ['Untagged: plain:latest']


@pytest.mark.parametrize('repository, tag', [('UPPER', ''), ('a b', ''), ('fine', 'not/fine'), ('', ''), ('x' * 300, '')])
def test_tag_invalid(face, repository, tag):
    with pytest.raises(FaceError) as info:
        face.tag('busybox', repository, tag)
    assert info.value.kind == 'Invalid' and info.value.text


def test_tag_moves(face, archive, tmp_path):
    other = docker_archive(tmp_path / 'tar', 'moving:1', config={'Env': ['OTHER=1']})
    face.load(tmp_path / 'tar')
    assert face.image('moving:1')['Id'] == other
    face.tag('busybox', 'moving', '1')
    assert face.image('moving:1')['Id'] == archive[1]
    assert (other, []) in face.images()
    assert face.images(filters={'dangling': ['true']}) == [(other, [])]


def test_remove(face, tmp_path):
    image = docker_archive(tmp_path / 'tar', 'gone:1', config={'Labels': {'x': 'y'}})
    face.load(tmp_path / 'tar')
    actions = face.remove_image('gone:1')
    assert actions[0] == 'Untagged: gone:1' and f'Deleted: {image}' in actions
    refused('NotFound', 'No such image: gone:1', face.image, 'gone:1')


def test_remove_in_use(face, tmp_path):
    docker_archive(tmp_path / 'tar', 'used:1', config={'Labels': {'u': 'v'}})
    face.load(tmp_path / 'tar')
    container, _ = face.create('user', {'Image': 'used:1', 'HostConfig': {'NetworkMode': 'none'}})
    with pytest.raises(FaceError) as info:
        face.remove_image('used:1')
    assert info.value.kind == 'Conflict'
    assert info.value.text.startswith('conflict: unable to ') and container[:12] in info.value.text
    face.remove('user')
    face.remove_image('used:1')


@pytest.mark.parametrize('filters, found', [
    ({'reference': ['busy*']}, True), ({'reference': ['busybox:latest']}, True), ({'reference': ['other']}, False),
    ({'label': ['no=such']}, False), ({'dangling': ['false']}, True), ({'dangling': ['true']}, False),
])
def test_filter(face, filters, found):
    assert bool(face.images(filters=filters)) is found


@pytest.mark.parametrize('filters, text', [({'nonsense': ['1']}, "invalid filter 'nonsense'"),
                                           ({'dangling': ['zz']}, "invalid filter 'dangling=[zz]'")])
def test_bad_filter(face, filters, text):
    refused('Invalid', text, face.images, filters=filters)


def test_history(face):
    rows = face.history('busybox')
    assert rows[0]['CreatedBy'] == 'busybox for tests'
    assert rows[0]['Tags'] == ['busybox:latest']
    assert json.dumps(rows[0]['Created']).isdigit()
