# SPDX-License-Identifier: GPL-2.0-or-later
"""Good archives through stauer-worker: what is in them is in the store, whatever form they have."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'hostile'))

# pylint: disable=wrong-import-position,redefined-outer-name
import archive
import worker
from archive import FIFO, Tar, config, gz, sha256, xz

WORKER = worker.find_worker()
pytestmark = pytest.mark.skipif(not WORKER or not os.access(WORKER, os.X_OK), reason='no stauer-worker: set STAUER_BUILD')
ROOT = os.geteuid() == 0


@pytest.fixture(params=['vfs', pytest.param('overlay2', marks=pytest.mark.skipif(not ROOT, reason='overlay2 needs root'))])
def driver(request):
    return request.param


class Store:
    def __init__(self, root, driver):
        self.root, self.driver = root, driver
        root.mkdir()

    def load(self, data, expect=None, **kwargs):
        path = self.root.parent / 'archive'
        path.write_bytes(data)
        r = worker.load(self.root, path, driver=self.driver, worker=WORKER, **kwargs)
        assert not r.error, r.error
        assert r.status == 0
        if expect is not None:
            assert [i.get('tags', []) for i in r.images] == expect
        return r

    def blob(self, digest):
        return (self.root / 'blobs/sha256' / digest[7:]).read_bytes()

    def layers(self, image):
        """Folders of an image's layers, lowest first."""
        chain, folders = None, []
        for diff in json.loads(self.blob(image['id']))['rootfs']['diff_ids']:
            chain = sha256(f'{chain} {diff}'.encode()) if chain else diff
            folders.append(self.root / 'layers' / self.driver / chain[7:])
        return folders

    def tree(self, image):
        """What a container would see."""
        folders = self.layers(image)
        if self.driver == 'vfs':
            return listing(folders[-1] / 'diff')
        merged = self.root.parent / 'merged'
        empty = self.root.parent / 'empty'
        for folder in merged, empty:
            folder.mkdir(exist_ok=True)
        lower = ':'.join(str(f / 'diff') for f in reversed(folders)) + f':{empty}'  # one alone is refused
        script = f'mount -t overlay overlay -o lowerdir={lower} {merged} && exec {sys.executable} {__file__} {merged}'
        text = subprocess.run(['unshare', '-m', 'sh', '-c', script], stdout=subprocess.PIPE, check=True).stdout
        return {name: tuple(value) for name, value in json.loads(text).items()}


def listing(folder):
    """name → kind, mode, owner, content or target."""
    seen = {}
    for path in sorted(Path(folder).rglob('*')):
        st = path.lstat()
        if stat.S_ISREG(st.st_mode):
            what = path.read_bytes().decode(errors='replace') if st.st_size < 1000 else st.st_size
        elif stat.S_ISLNK(st.st_mode):
            what = os.readlink(path)
        else:
            what = ''
        seen[str(path.relative_to(folder))] = (stat.filemode(st.st_mode), st.st_uid, st.st_gid, what)
    return seen


@pytest.fixture
def store(tmp_path, driver):
    return Store(tmp_path / 'root', driver)


def owner():
    return {} if ROOT else {'uid': os.geteuid(), 'gid': os.getegid()}


def base_layer():
    t = Tar()
    t.dir('./').dir('bin', **owner()).file('bin/sh', b'shell', mode=0o755).symlink('lib', 'usr/lib')
    t.dir('usr').dir('usr/lib').file('usr/lib/libc', b'libc').dir('etc').file('etc/a', b'a').file('etc/b', b'b')
    t.dir('tmp', mode=0o1777).file('bin/su', b'su', mode=0o4755).hardlink('bin/bash', 'bin/sh').dir('var').file('var/log', b'1')
    return t.end()


def top_layer():
    t = Tar()
    t.file('etc/.wh.a', b'').file('etc/c', b'c').file('.wh.var', b'').dir('usr/lib').file('usr/lib/.wh..wh..opq', b'').file('usr/lib/new', b'n')
    t.file('deep/er/file', b'd')
    return t.end()


def expected():
    uid, gid = os.geteuid(), os.getegid()

    def row(mode, what=''):
        return mode, uid, gid, what

    return {'bin': row('drwxr-xr-x'), 'bin/sh': row('-rwxr-xr-x', 'shell'), 'bin/bash': row('-rwxr-xr-x', 'shell'),
            'bin/su': row('-rwsr-xr-x', 'su'), 'lib': row('lrwxrwxrwx', 'usr/lib'), 'usr': row('drwxr-xr-x'),
            'usr/lib': row('drwxr-xr-x'), 'usr/lib/new': row('-rw-r--r--', 'n'), 'etc': row('drwxr-xr-x'),
            'etc/b': row('-rw-r--r--', 'b'), 'etc/c': row('-rw-r--r--', 'c'), 'tmp': row('drwxrwxrwt'),
            'deep': row('drwxr-xr-x'), 'deep/er': row('drwxr-xr-x'), 'deep/er/file': row('-rw-r--r--', 'd')}


@pytest.mark.parametrize('outer', ['plain', 'gzip', 'xz'])
@pytest.mark.parametrize('kind', ['docker', 'docker-old', 'oci'])
def test_forms(store, kind, outer):
    layers = [base_layer(), top_layer()]
    if kind == 'oci':
        data = archive.oci(layers, name='docker.io/library/hostile:1')
    else:
        data = archive.docker(layers, blobs=kind == 'docker')
    data = {'plain': lambda x: x, 'gzip': gz, 'xz': xz}[outer](data)

    r = store.load(data, [['docker.io/library/hostile:1']])
    assert store.tree(r.images[0]) == expected()
    manifest = json.loads(store.blob(r.images[0]['manifest']))
    assert [x['digest'] for x in manifest['layers']] == [sha256(x) for x in layers]
    assert manifest['config']['digest'] == r.images[0]['id']
    assert json.loads((store.root / 'oci-layout').read_text()) == {'imageLayoutVersion': '1.0.0'}


@pytest.mark.parametrize('squeeze, media', [(gz, 'gzip'), (xz, None)])
def test_compressed_layers(store, squeeze, media):
    plain = [base_layer(), top_layer()]
    layers = [squeeze(x) for x in plain]
    r = store.load(archive.docker(layers, diff_ids=[sha256(x) for x in plain], blobs=False))
    assert store.tree(r.images[0]) == expected()
    rows = json.loads(store.blob(r.images[0]['manifest']))['layers']
    if media:  # as it came
        assert [x['digest'] for x in rows] == [sha256(x) for x in layers]
        assert all(x['mediaType'].endswith('tar+' + media) for x in rows)
    else:  # OCI has no word for xz: kept as plain tar
        assert [x['digest'] for x in rows] == [sha256(x) for x in plain]
        assert all(x['mediaType'].endswith('.tar') for x in rows)


def test_oci_gzip_keeps_its_manifest(store):
    plain = [base_layer()]
    data = archive.oci([gz(x) for x in plain], layer_kind='layer.v1.tar+gzip', diff_ids=[sha256(x) for x in plain])
    r = store.load(data)
    assert r.images[0]['manifest'][7:] in os.listdir(store.root / 'blobs/sha256')
    assert json.loads(store.blob(r.images[0]['manifest']))['layers'][0]['digest'] == sha256(gz(plain[0]))


def two_images(order):
    shared, one, two = base_layer(), top_layer(), Tar().file('other').end()
    manifest, files = [], {}
    for name, layers in (('a:1', [shared, one]), ('b', [shared, two]), (None, [shared])):
        c = config([sha256(x) for x in layers], author=str(name))
        files[archive.blob_name(sha256(c))] = c
        for x in layers:
            files[archive.blob_name(sha256(x))] = x
        manifest.append({'Config': archive.blob_name(sha256(c)), 'RepoTags': [name] if name else None,
                         'Layers': [archive.blob_name(sha256(x)) for x in layers]})
    rows = [*files.items(), ('manifest.json', json.dumps(manifest).encode())]
    return archive.tar(*(rows if order == 'last' else reversed(rows)))


@pytest.mark.parametrize('order', ['first', 'last'])
def test_several_images(store, order):
    r = store.load(two_images(order), [['docker.io/library/a:1'], ['docker.io/library/b:latest'], []])
    assert store.tree(r.images[0]) == expected()
    assert 'other' in store.tree(r.images[1])
    assert store.layers(r.images[0])[0] == store.layers(r.images[2])[0]
    assert len([p for p in (store.root / 'layers' / store.driver).iterdir() if len(p.name) == 64]) == 3


def test_twice_and_the_same_layer_twice(store):
    layer = base_layer()
    data = archive.docker([layer, layer])
    first = store.load(data)
    inodes = {p: p.stat().st_ino for p in store.layers(first.images[0])}
    assert len(inodes) == 2
    second = store.load(data)
    assert second.images == first.images
    assert {p: p.stat().st_ino for p in store.layers(second.images[0])} == inodes


@pytest.mark.parametrize('form', ['docker', 'oci'])
@pytest.mark.parametrize('what', ['config', 'manifest', 'layer.json'])
@pytest.mark.parametrize('how', ['flip', 'cut', 'empty'])
def test_what_the_disk_has_damaged_is_mended(store, form, what, how):
    """The same archive once more: everything is as it was, so that nobody needs to repair the store by hand."""
    layer = base_layer()
    data = archive.docker([layer]) if form == 'docker' else archive.oci([layer])
    image = store.load(data).images[0]
    before = {p: p.read_bytes() for p in store.root.rglob('*') if p.is_file() and 'diff' not in p.parts}
    if what == 'layer.json':
        path = store.layers(image)[0] / 'layer.json'
    else:
        path = store.root / 'blobs/sha256' / image['id' if what == 'config' else 'manifest'][7:]
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes({'flip': content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:], 'cut': content[:middle],
                      'empty': b''}[how])
    if what == 'layer.json' and how == 'flip':
        path.write_bytes(b'{' + content)
    assert store.load(data).images[0] == image
    assert {p: p.read_bytes() for p in before} == before


def test_cut_layer_blob_is_mended(store):
    layer = base_layer()
    for data in archive.docker([layer]), archive.oci([layer]):
        store.load(data)
        path = store.root / 'blobs/sha256' / sha256(layer)[7:]
        path.write_bytes(layer[:1000])
        store.load(data)
        assert path.read_bytes() == layer


def test_labels_are_for_terminals(store):
    layer = base_layer()
    name = b'\x1b]0;owned\x07.tar'
    manifest = [{'Config': 'c.json', 'RepoTags': ['old:1'], 'Layers': [name.decode()]}]
    t = Tar().file(name, layer).file('c.json', config([sha256(layer)])).file('manifest.json', json.dumps(manifest).encode())
    r = store.load(t.end())
    assert r.progress and all(row['id'].isprintable() for row in r.progress)


def test_whiteout_and_what_is_below_it(store):
    """A whiteout is about the layers below, wherever it stands in the archive, and whether or not its name comes back as a folder."""
    base = Tar().dir('x').file('x/old').dir('y').file('y/old').dir('z').dir('z/deep').file('z/deep/old').end()
    top = Tar().file('.wh.x').file('x/new').file('y/new').file('.wh.y').file('z/.wh.deep').file('z/deep/er/new').end()
    tree = store.tree(store.load(archive.docker([base, top])).images[0])
    assert set(tree) == {'x', 'x/new', 'y', 'y/new', 'z', 'z/deep', 'z/deep/er', 'z/deep/er/new'}


def test_unnamed_folder_in_an_opaque_one(store):
    """It is a new one: what was below the opaque folder says nothing about it."""
    base = Tar().dir('b', mode=0o750).dir('b/c', mode=0o700).dir('d').dir('d/c', mode=0o700).end()
    top = Tar().file('b/.wh..wh..opq').file('b/c/new').file('d/c/new').end()
    tree = store.tree(store.load(archive.docker([base, top])).images[0])
    assert tree['b/c'][0] == 'drwxr-xr-x' and tree['d/c'][0] == 'drwx------'
    assert tree['b'][0] == 'drwxr-x---'  # only what is in it is hidden


def test_links_between_layers_of_old_archives(store):
    layer = base_layer()
    c = config([sha256(layer), sha256(layer)])
    manifest = [{'Config': 'c.json', 'RepoTags': ['old:1'], 'Layers': ['1/layer.tar', '2/layer.tar']}]
    t = Tar().dir('1').file('1/VERSION', b'1.0').file('1/json', b'{}').file('1/layer.tar', layer).dir('2')
    t.symlink('2/layer.tar', '../1/layer.tar').file('c.json', c).file('manifest.json', json.dumps(manifest).encode())
    t.file('repositories', b'{}')
    store.load(t.end(), [['docker.io/library/old:1']])


def test_missing_blobs_come_from_the_store(store):
    layer = base_layer()
    full = archive.oci([layer])
    store.load(full)
    thin = archive.oci([layer], name='docker.io/library/thin:2', tweak=lambda files, i, m: files.pop(archive.blob_name(sha256(layer))))
    store.load(thin, [['docker.io/library/thin:2']])


@pytest.mark.skipif(not ROOT, reason='overlay2 needs root')
def test_both_drivers_in_one_store(tmp_path):
    one = Store(tmp_path / 'root', 'overlay2')
    r = one.load(archive.docker([base_layer(), top_layer()]))
    one.driver = 'vfs'
    r = one.load(archive.docker([base_layer(), top_layer()]))
    assert one.tree(r.images[0]) == expected()


def test_platforms(store):
    layer = Tar().file('f').end()

    def many(files, d):
        rows = [{**d, 'digest': sha256(b'?'), 'platform': {'os': 'linux', 'architecture': 's390x'}},
                {**d, 'digest': sha256(b'?'), 'platform': {'os': 'windows', 'architecture': 'amd64'}},
                {**d, 'platform': {'os': 'linux', 'architecture': 'arm64', 'variant': 'v8'}}]
        index = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': rows}).encode()
        files[archive.blob_name(sha256(index))] = index
        return archive.descriptor('index.v1+json', index)

    store.load(archive.oci([layer], wrap=many), [['docker.io/library/hostile:1']], platform='linux/arm64')


@pytest.mark.parametrize('name, tags', [
    ('docker.io/library/a:1', ['docker.io/library/a:1']), ('quay.io/x/y', ['quay.io/x/y:latest']), ('b:2', ['docker.io/library/b:2']),
    ('latest', []), ('1.0', []), (None, []), ('sha256:' + '0' * 63, []), ('docker.io/library/sha256:1', [])])
def test_names_of_oci(store, name, tags):
    r = store.load(archive.oci([base_layer()], name=name))
    assert r.images[0].get('tags', []) == tags


def test_import(store, tmp_path):
    path = tmp_path / 'rootfs'
    path.write_bytes(gz(base_layer()))
    r = worker.import_(store.root, path, driver=store.driver, worker=WORKER, tags=['docker.io/library/fs:1'], message='from a test',
                       changes=['CMD ["/bin/sh"]', 'ENV A=b', 'EXPOSE 80'], platform='linux/arm/v7')
    assert not r.error, r.error
    c = json.loads(store.blob(r.images[0]['id']))
    assert c['config']['Cmd'] == ['/bin/sh'] and c['config']['Env'] == ['A=b'] and c['config']['ExposedPorts'] == {'80/tcp': {}}
    assert (c['os'], c['architecture'], c['variant']) == ('linux', 'arm', 'v7')
    assert c['history'][0]['comment'] == 'from a test'
    assert c['rootfs']['diff_ids'] == [sha256(base_layer())]
    assert store.tree(r.images[0])['bin/su'][0] == '-rwsr-xr-x'

    bad = worker.import_(store.root, path, driver=store.driver, worker=WORKER, changes=['FROM x'])
    assert bad.kind == 'invalid' and 'FROM' in bad.error


def test_attributes(store):
    """What must survive: times with nanoseconds, holes, attributes, large ids, fifos."""
    t = Tar()
    t.file('nano', b'x', records={'mtime': '1234567890.123456789'})
    t.dir('dir', mode=0o750).file('dir/f')
    t.add('xattr', content=b'x', records={'SCHILY.xattr.user.note': 'kept', 'SCHILY.xattr.trusted.overlay.opaque': 'y'})
    t.add('fifo', FIFO, mode=0o600)
    t.data += archive.pax({'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.name': 'holes', 'GNU.sparse.realsize': 64 << 20})
    body = archive.pad(b'1\n33554432\n4\n') + b'data'
    t.data += archive.header('holes', size=len(body)) + archive.pad(body)
    if ROOT:
        t.file('large', records={'uid': 4294967294, 'gid': 3000000000})
        t.add('cap', content=b'x', mode=0o755, records={'SCHILY.xattr.security.capability': bytes.fromhex('0100000200200000000000000000000000000000')})
        t.add('null', archive.CHAR, major=1, minor=3, mode=0o666)
    r = store.load(archive.docker([t.end()]))
    diff = store.layers(r.images[0])[0] / 'diff'

    assert (diff / 'nano').stat().st_mtime_ns == 1234567890123456789
    assert (diff / 'dir').stat().st_mtime == 1700000000 and stat.S_IMODE((diff / 'dir').stat().st_mode) == 0o750
    assert os.getxattr(diff / 'xattr', 'user.note') == b'kept'
    assert 'trusted.overlay.opaque' not in os.listxattr(diff / 'xattr')
    holes = (diff / 'holes').stat()
    assert holes.st_size == 64 << 20 and holes.st_blocks * 512 < 1 << 20
    with open(diff / 'holes', 'rb') as f:
        f.seek(33554432)
        assert f.read(4) == b'data'
    assert stat.S_ISFIFO((diff / 'fifo').stat().st_mode)
    if ROOT:
        assert ((diff / 'large').stat().st_uid, (diff / 'large').stat().st_gid) == (4294967294, 3000000000)
        assert len(os.getxattr(diff / 'cap', 'security.capability')) == 20
        assert (diff / 'null').stat().st_rdev == os.makedev(1, 3)
    record = json.loads((store.layers(r.images[0])[0] / 'layer.json').read_text())
    assert record['size'] >= 64 << 20


def test_from_a_pipe(store):
    """The archive comes as a REST client sends it: in pieces, and not all at once."""
    data = archive.docker([base_layer(), top_layer()])
    read, write = os.pipe()

    def feed():
        with os.fdopen(write, 'wb', 0) as f:
            for i in range(0, len(data), 1000):
                f.write(data[i:i + 1000])

    feeder = threading.Thread(target=feed)
    feeder.start()
    r = worker.run_task('load', store.root, read, driver=store.driver, worker=WORKER)
    os.close(read)
    feeder.join()
    assert not r.error, r.error
    assert any(row['status'] == 'Loading layer' for row in r.progress)


@pytest.mark.skipif(not ROOT, reason='mounts a small disk')
@pytest.mark.parametrize('what', ['layer', 'junk'])
def test_some_room_is_left_on_the_disk(tmp_path, what):
    """A load never takes the last bytes from containers that write their logs, whatever it is that the archive is full of."""
    content = bytes(100 << 20)
    data = archive.docker([Tar().file('f', content).end()] if what == 'layer' else [base_layer()])
    if what == 'junk':
        data = data[:-1024] + archive.header('junk', size=len(content)) + content + bytes(1024)
    (tmp_path / 'archive').write_bytes(data)
    (tmp_path / 'root').mkdir()
    script = f'mount -t tmpfs -o size=101m small {tmp_path}/root && exec {sys.executable} -B {__file__} {tmp_path}/root {tmp_path}/archive'
    r = json.loads(subprocess.run(['unshare', '-m', 'sh', '-c', script], stdout=subprocess.PIPE, check=True).stdout)
    assert r['kind'] == 'no-space', r


def test_client_goes_away(store):
    data = archive.docker([base_layer()])
    read, write = os.pipe()
    os.write(write, data[:3000])
    os.close(write)
    r = worker.run_task('load', store.root, read, driver=store.driver, worker=WORKER)
    os.close(read)
    assert r.kind == 'invalid'
    assert {p.name for p in (store.root / 'tmp').iterdir()} <= {'trash', 'lock', 'empty'}


def test_many_layers(store):
    layers = [Tar().file(f'f{i}', str(i).encode()).end() for i in range(128)]
    r = store.load(archive.docker(layers))
    folders = store.layers(r.images[0])
    assert len(folders) == 128 and all(f.is_dir() for f in folders)
    if store.driver == 'vfs':
        assert len(store.tree(r.images[0])) == 128


def test_layers_for_containers(store):
    r = store.load(archive.docker([base_layer()]))
    box = hashlib.sha256(b'box').hexdigest()
    top = store.layers(r.images[0])[-1].name
    made = worker.run_task('layer-create', store.root, driver=store.driver, worker=WORKER, layer_id=box, layer_parent='sha256:' + top)
    assert not made.error, made.error
    diff = store.root / 'layers' / store.driver / box / 'diff'
    assert diff.is_dir()
    again = worker.run_task('layer-create', store.root, driver=store.driver, worker=WORKER, layer_id=box, layer_parent=top)
    assert again.kind == 'exists'
    none = worker.run_task('layer-create', store.root, driver=store.driver, worker=WORKER, layer_id='f' * 64, layer_parent='e' * 64)
    assert none.kind == 'not-found'
    if store.driver == 'vfs':
        assert (diff / 'bin/sh').stat().st_ino == (diff / 'bin/bash').stat().st_ino

    (store.root / 'tmp/trash/x').mkdir()
    assert not worker.run_task('layer-remove', store.root, driver=store.driver, worker=WORKER).error
    assert not list((store.root / 'tmp/trash').iterdir())


def test_several_empty_the_trash(store):
    """Images and containers have it emptied at the same time, and more comes meanwhile: nobody fails, nothing stays."""
    store.load(archive.docker([base_layer()]))
    trash = store.root / 'tmp/trash'

    def fill(prefix, n):
        for i in range(n):
            made = store.root / f'tmp/{prefix}{i}'
            (made / 'a/b').mkdir(parents=True)
            for k in range(5):
                (made / f'a/b/{k}').touch()
            made.rename(trash / made.name)

    fill('x', 300)
    results = []
    threads = [threading.Thread(target=lambda: results.append(worker.run_task('layer-remove', store.root, driver=store.driver, worker=WORKER)))
               for _ in range(3)]
    for t in threads:
        t.start()
    fill('y', 100)
    for t in threads:
        t.join()
    assert [r.error for r in results] == [''] * 3
    assert not worker.run_task('layer-remove', store.root, driver=store.driver, worker=WORKER).error
    assert not list(trash.iterdir())


def test_tasks_that_make_no_sense(store):
    assert worker.run_task('load', store.root, driver=store.driver, worker=WORKER).kind == 'invalid'  # no descriptor
    assert worker.run_task('nonsense', store.root, driver=store.driver, worker=WORKER).kind == 'invalid'
    assert worker.run_task('layer-remove', store.root, driver='aufs', worker=WORKER).kind == 'invalid'


if __name__ == '__main__':
    if len(sys.argv) == 2:
        print(json.dumps(listing(sys.argv[1])))
    else:
        result = worker.load(*sys.argv[1:], driver='overlay2', worker=WORKER)
        print(json.dumps({'kind': result.kind, 'error': result.error}))
