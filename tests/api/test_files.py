# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a container through both faces: out, in, compared, kept as an image. Hostile archives in, hostile trees out."""

import gzip
import io
import os
import socket
import sys
import tarfile
from pathlib import Path

import pytest
from faces import FaceError
from private_bus import wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hostile.archive import CHAR, Tar, xz  # pylint: disable=wrong-import-position

DIR, LINK = 1 << 31, 1 << 27


def body(*command, image='busybox', host=None, **config):
    return {'Image': image, 'Cmd': list(command), 'HostConfig': {'NetworkMode': 'none', **(host or {})}, **config}


def run(face, name, *command, **more):
    identity, _ = face.create(name, body(*command, **more))
    face.start(identity)
    return identity


def finish(face, name, *command, **more):
    identity = run(face, name, *command, **more)
    assert face.wait(identity) == 0
    return identity


def refused(kind, text, function, *args, **kwargs):
    with pytest.raises(FaceError) as info:
        function(*args, **kwargs)
    assert info.value.kind == kind
    assert text in info.value.text


def read(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {m.name: (m, tar.extractfile(m).read() if m.isreg() else None) for m in tar}


def pack(*members):
    """(name, content or type letter, more) as a well-behaved tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for name, content, *more in members:
            info = tarfile.TarInfo(name)
            info.mtime, info.mode = 1700000000, 0o640
            for key, value in (more[0] if more else {}).items():
                setattr(info, key, value)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o750
                tar.addfile(info)
            elif info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


SCRIPT = 'mkdir -p /d/e; echo hello > /d/f; ln -s f /d/rel; ln -s /d/e /abs; ln -s /../../../../etc/passwd /out; ' \
         'ln -s loop /loop; ln /d/f /d/g; chmod 4711 /d/g; mkfifo /d/pipe'


@pytest.fixture
def ended(face):
    return finish(face, 'ended', 'sh', '-c', SCRIPT)


@pytest.fixture(params=['running', 'ended'])
def box(face, request):
    """A container with the same files, in both states."""
    if request.param == 'ended':
        return finish(face, 'box', 'sh', '-c', SCRIPT)
    identity = run(face, 'box', 'sh', '-c', SCRIPT + '; echo ready; sleep 1000')
    wait_for(lambda: 'ready' in face.logs(identity), 'it to be ready')
    return identity


def test_stat(face, box):
    assert face.stat_path(box, '/d')['mode'] & DIR
    stat = face.stat_path(box, 'd/f')                            # a path without slash is from the root
    assert (stat['name'], stat['size'], stat['mode'] & ~0o777, stat['linkTarget']) == ('f', 6, 1 << 23, '')
    assert stat['mtime'].endswith('Z')
    link = face.stat_path(box, '/d/rel')
    assert link['mode'] & LINK and link['linkTarget'] == '/d/f' and link['name'] == 'rel'
    assert face.stat_path(box, '/abs')['linkTarget'] == '/d/e'
    assert face.stat_path(box, '/abs/')['mode'] & DIR            # with a slash the link is followed
    assert face.stat_path(box, '/out')['linkTarget'] == '/etc/passwd'
    assert face.stat_path(box, '/d/pipe')['mode'] & 1 << 25
    assert face.stat_path(box, '/')['name'] == '/'
    texts = ('', '', '') if face.name == 'rest' else (           # an answer to HEAD has no body
        'Could not find the file /d/none in container box', 'Not a directory', 'No such container: nobody')
    refused('NotFound', texts[0], face.stat_path, box, '/d/none')
    refused('Invalid', texts[1], face.stat_path, box, '/d/f/')
    refused('Invalid', '', face.stat_path, box, '/loop/x')
    refused('NotFound', texts[2], face.stat_path, 'nobody', '/')
    refused('Invalid', '', face.stat_path, box, '')


def test_copy_from(face, box):
    files = read(face.copy_from(box, '/d'))
    assert sorted(files) == ['d', 'd/e', 'd/f', 'd/g', 'd/pipe', 'd/rel']
    assert files['d/f'][1] == b'hello\n' and files['d/f'][0].mode == 0o4711
    assert files['d/g'][0].islnk() and files['d/g'][0].linkname == 'd/f'
    assert files['d/rel'][0].issym() and files['d/rel'][0].linkname == 'f'
    assert files['d/pipe'][0].isfifo()
    assert sorted(read(face.copy_from(box, '/d/.'))) == ['.', './e', './f', './g', './pipe', './rel']
    assert list(read(face.copy_from(box, '/d/f'))) == ['f']
    assert read(face.copy_from(box, '/abs'))['abs'][0].issym()
    assert read(face.copy_from(box, '/abs/.'))['.'][0].isdir()
    # Up is not out: the container's own file comes.
    assert b'tricky' in read(face.copy_from(box, '/../../../etc/passwd'))['passwd'][1]
    refused('NotFound', 'Could not find the file /none in container box', face.copy_from, box, '/none')


def test_copy_to(face, box):
    face.copy_to(box, '/abs', pack(('new', b'1', {'uid': 12, 'gid': 13}), ('a', None), ('a/b', b'2'),
                                   ('s', b'', {'type': tarfile.SYMTYPE, 'linkname': '/nowhere'})))
    files = read(face.copy_from(box, '/d/e'))
    assert sorted(files) == ['e', 'e/a', 'e/a/b', 'e/new', 'e/s']
    assert files['e/new'][1] == b'1' and files['e/new'][0].mtime == 1700000000
    if os.geteuid() == 0:
        assert (files['e/new'][0].uid, files['e/new'][0].gid) == (12, 13)
    for pressed in (gzip.compress, xz):
        face.copy_to(box, '/d', pressed(pack(('packed', b'3'))))
        assert read(face.copy_from(box, '/d/packed'))['packed'][1] == b'3'
    refused('NotFound', 'Could not find the file /none in container box', face.copy_to, box, '/none', pack())
    refused('Invalid', 'extraction point is not a directory', face.copy_to, box, '/d/f', pack())
    face.copy_to(box, '/', pack(('./', None), ('.wh.d', b'4')))  # the root stays as it is; a name as any other
    assert face.stat_path(box, '/.wh.d')['size'] == 1 and face.stat_path(box, '/d')['mode'] & DIR
    assert face.stat_path(box, '/')['mode'] & 0o777 == 0o755


def test_keep_kind(face, ended):
    refused('Invalid', 'cannot overwrite directory "/d/e" with non-directory', face.copy_to, ended, '/d',
            pack(('e', b'x')), keep_kind=True)
    refused('Invalid', 'cannot overwrite non-directory "/d/f" with directory', face.copy_to, ended, '/d',
            pack(('f', None)), keep_kind=True)
    face.copy_to(ended, '/d', pack(('e', b'x'), ('f', None)))
    assert face.stat_path(ended, '/d/f')['mode'] & DIR and not face.stat_path(ended, '/d/e')['mode'] & DIR


@pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')
@pytest.mark.parametrize('user, owner', [('www', (33, 33)), ('root', (0, 0)), ('', (7, 7))], ids=['www', 'root', 'none'])
def test_give_owner(face, user, owner):
    """A container without a user of its own leaves the archive's owners."""
    identity, _ = face.create(None, body('true', User=user))
    face.copy_to(identity, '/tmp', pack(('mine', b'x', {'uid': 7, 'gid': 7})), give_owner=True)
    info = read(face.copy_from(identity, '/tmp/mine'))['mine'][0]
    assert (info.uid, info.gid) == owner


def test_binds(face, tmp_path):
    (tmp_path / 'source').mkdir()
    (tmp_path / 'source/x').write_text('host')
    binds = [f'{tmp_path}/source:/data', f'{tmp_path}/source:/frozen:ro']
    identity, _ = face.create('bound', body('true', host={'Binds': binds}))
    assert read(face.copy_from(identity, '/data/x'))['x'][1] == b'host'
    face.copy_to(identity, '/data', pack(('y', b'in')))
    assert (tmp_path / 'source/y').read_bytes() == b'in'
    refused('Invalid', 'mounted volume is marked read-only', face.copy_to, identity, '/frozen', pack(('z', b'')))
    assert not any(path.startswith('/data/') for _, path in face.changes(identity))
    assert 'data/x' not in read(face.export(identity))


def test_read_only(face):
    identity, _ = face.create('closed', body('true', host={'ReadonlyRootfs': True}))
    refused('Invalid', 'container rootfs is marked read-only', face.copy_to, identity, '/tmp', pack(('x', b'')))
    assert read(face.copy_from(identity, '/etc/group'))


@pytest.mark.parametrize('name', ['../../canary', '/../canary', 'a/../../../canary'])
def test_hostile_names(face, ended, name, tmp_path):
    t = Tar()
    t.file(name, b'evil')
    with pytest.raises(FaceError) as info:
        face.copy_to(ended, '/d', t.end())
    assert info.value.kind == 'Invalid'
    assert 'd/e' in read(face.copy_from(ended, '/d'))


def test_hostile_links(face, ended, tmp_path):
    canary = tmp_path / 'canary'
    canary.write_text('host')
    for target in (str(tmp_path), '../' * 40 + str(tmp_path).lstrip('/')):
        t = Tar()
        t.symlink('way', target)
        t.file('way/canary', b'evil')
        try:
            face.copy_to(ended, '/d', t.end())
        except FaceError:
            pass
        assert canary.read_text() == 'host'
    t = Tar()
    t.hardlink('stolen', str(canary))
    refused('Invalid', 'hard link', face.copy_to, ended, '/d', t.end())
    t = Tar()
    t.add('node', CHAR, major=0, minor=0)
    with pytest.raises(FaceError):
        face.copy_to(ended, '/d', t.end())
    refused('Invalid', '', face.copy_to, ended, '/d', b'no tar at all' * 100)


def test_changes(face, ended):
    rows = face.changes(ended)
    assert rows == sorted(rows, key=lambda row: row[1].split('/'))
    assert {(1, '/d'), (1, '/d/e'), (1, '/d/f'), (1, '/abs'), (1, '/out')} <= set(rows)
    assert not {path for _, path in rows} & {'/etc/hosts', '/proc', '/sys', '/dev', '/.dockerenv'}
    other = finish(face, 'other', 'sh', '-c', 'rm -r /home/www; echo x >> /etc/group; mv /etc/passwd /etc/moved')
    assert {(0, '/home'), (2, '/home/www'), (0, '/etc'), (0, '/etc/group'), (2, '/etc/passwd'),
            (1, '/etc/moved')} == set(face.changes(other))
    still, _ = face.create('still', body('true'))
    assert face.changes(still) == []
    refused('NotFound', 'No such container: nobody', face.changes, 'nobody')


def test_export(face, ended):
    files = read(face.export(ended))
    assert files['d/f'][1] == b'hello\n' and files['bin/busybox'] and 'etc/passwd' in files
    assert not any(name.startswith(('proc/', 'sys/')) for name in files)
    refused('NotFound', 'No such container: nobody', face.export, 'nobody')


def test_commit(face, ended):
    with face.watch({'type': ['container']}) as events:
        image = face.commit(ended, 'kept', 'v1', comment='why', author='me', changes=['CMD ["cat", "/d/f"]', 'env A=b'])
        events.wait('commit')
    assert image.startswith('sha256:')
    document = face.image('kept:v1')
    assert document['Id'] == image and document['Comment'] == 'why' and document['Author'] == 'me'
    assert document['Config']['Cmd'] == ['cat', '/d/f'] and 'A=b' in document['Config']['Env']
    assert len(document['RootFS']['Layers']) == 2
    assert face.history('kept:v1')[0]['Comment'] == 'why'
    child = finish(face, 'child', image='kept:v1')
    assert face.logs(child) == 'hello\n'
    face.remove(child)
    refused('Invalid' if face.name == 'rest' else 'Job', 'is not a valid change command', face.commit, ended, changes=['RUN x'])
    refused('NotFound', 'No such container: nobody', face.commit, 'nobody')
    nameless = face.commit(ended)
    assert face.image(nameless)['RepoTags'] == []


def test_commit_of_whiteout_name(face):
    """In a layer it would take away what is below: no image is better than a wrong one."""
    identity = finish(face, 'marks', 'sh', '-c', 'mkdir /new; echo x > /new/.wh.passwd')
    refused('Conflict' if face.name == 'rest' else 'Job', '"/new/.wh.passwd" cannot be kept in an image', face.commit, identity)
    assert '/new/.wh.passwd' in [path for _, path in face.changes(identity)]
    face.remove(identity)


@pytest.mark.parametrize('pause', [None, True, False])
def test_commit_pauses(face, pause):
    """Frozen while it is copied, and running again when the answer comes."""
    identity = run(face, 'busy', 'sleep', '1000')
    with face.watch({'type': ['container']}) as events:
        face.commit(identity, 'paused', **({} if pause is None else {'pause': pause}))
        assert face.inspect(identity)['State']['Status'] == 'running'
        events.wait(*(('commit',) if pause is False else ('pause', 'unpause', 'commit')))
    face.pause(identity)
    face.commit(identity, 'paused')
    assert face.inspect(identity)['State']['Status'] == 'paused'       # a person's pause stays
    face.unpause(identity)
    face.remove(identity, force=True)


def test_commit_when_it_cannot_be_frozen(face):
    identity = run(face, 'stubborn', 'sleep', '1000')
    face.daemon.systemd({'freeze': 'refuse'})
    try:
        assert face.commit(identity).startswith('sha256:')
    finally:
        face.daemon.systemd({})
    assert face.inspect(identity)['State']['Status'] == 'running'
    face.remove(identity, force=True)


def test_what_cannot_be_thawed_stays_marked(face):
    """The mark is what the next daemon goes by when it thaws."""
    identity = run(face, 'cold', 'sleep', '1000')
    mark = Path(face.daemon.run, 'containers', identity, 'held')
    face.daemon.systemd({'thaw': 'refuse'})
    try:
        face.commit(identity, 'kept')
    finally:
        face.daemon.systemd({})
    assert face.inspect('cold')['State']['Paused'] and mark.exists()
    face.unpause('cold')
    face.commit(identity, 'kept')
    assert not face.inspect('cold')['State']['Paused'] and not mark.exists()
    face.remove('cold', force=True)


def test_commit_of_removed(face):
    identity = finish(face, 'gone', 'sh', '-c', 'rm -r /home/www /etc/group; echo new > /etc/passwd')
    face.commit(identity, 'less')
    child = finish(face, 'lesser', 'sh', '-c', 'ls /home /etc; cat /etc/passwd', image='less')
    lines = face.logs(child).split()
    assert 'www' not in lines and 'group' not in lines and lines[-1] == 'new'
    face.remove(child)


def test_remove_while_copying(face, daemon):
    """A reader that does not read keeps nobody waiting."""
    identity = run(face, 'slow', 'sh', '-c', 'dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null; echo ready; sleep 1000')
    wait_for(lambda: 'ready' in face.logs(identity), 'it to be ready')
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(daemon.socket))
        s.sendall(f'GET /containers/{identity}/archive?path=/big HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        assert b'200 OK' in s.recv(4096)
        face.remove(identity, force=True)
        assert face.containers(all=True) == []


def test_client_vanishes(rest, daemon):
    identity, _ = rest.create('half', body('true'))
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(daemon.socket))
        data = pack(('big', b'x' * 1000000))
        s.sendall((f'PUT /containers/{identity}/archive?path=/tmp HTTP/1.1\r\nHost: x\r\n'
                   f'Content-Length: {len(data)}\r\n\r\n').encode() + data[:500000])
    rest.copy_to(identity, '/tmp', pack(('after', b'1')))

    def starts():
        try:
            rest.start(identity)
        except FaceError as e:
            assert e.kind == 'Conflict'                          # the first worker has not noticed yet
            return False
        return True
    wait_for(starts, 'the first copy to end')


def test_gzip(rest, ended):
    answer = rest.ask('GET', f'/containers/{ended}/archive', query={'path': '/d'}, headers={'Accept-Encoding': 'gzip'})
    assert answer.headers['Content-Encoding'] == 'gzip'
    assert 'd/f' in read(gzip.decompress(answer.data))
