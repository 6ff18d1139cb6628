# SPDX-License-Identifier: GPL-2.0-or-later
"""cp both ways: docker's client with dockerd is the judge; each pair of client and engine must leave the same trees."""

import hashlib
import io
import os
import shutil
import signal
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

import host
from common.wait import wait_for

DOCKER = '/usr/local/bin/docker'
PEER = 'unix:///run/peer-docker.sock'
OURS = 'unix:///run/docker.sock'
PAIRS = {'stauer': ('stauer', OURS), 'docker-to-us': (DOCKER, OURS), 'us-to-docker': ('stauer', PEER)}

# What engines put into a container that has not been started, each in its own way.
OURS_OF_ENGINE = [['new', name] for name in ('.dockerenv', 'dev', 'etc', 'proc', 'sys')]
NAME = 'copied'         # "c:" in the cases

# (name, kind, content, mode, owner)
THERE = (('data', tarfile.DIRTYPE, '', 0o755, 0), ('data/file', tarfile.REGTYPE, 'in file\n', 0o644, 0),
         ('data/dir', tarfile.DIRTYPE, '', 0o750, 0), ('data/dir/a', tarfile.REGTYPE, 'in a\n', 0o600, 1000),
         ('data/dir/sub', tarfile.DIRTYPE, '', 0o755, 33), ('data/dir/sub/b', tarfile.REGTYPE, '', 0o4755, 33),
         ('data/dir/inner', tarfile.SYMTYPE, 'a', 0o777, 0), ('data/dir/hard', tarfile.LNKTYPE, 'data/dir/a', 0o600, 1000),
         ('data/dir/pipe', tarfile.FIFOTYPE, '', 0o600, 0), ('data/link', tarfile.SYMTYPE, 'file', 0o777, 0),
         ('data/dirlink', tarfile.SYMTYPE, 'dir', 0o777, 0), ('data/absolute', tarfile.SYMTYPE, '/data/dir', 0o777, 0),
         ('data/dangling', tarfile.SYMTYPE, 'nowhere', 0o777, 0), ('data/empty', tarfile.DIRTYPE, '', 0o700, 0),
         ('data/newlink', tarfile.SYMTYPE, 'empty/new', 0o777, 0))

FROM = [
    'c:/data/file .', 'c:/data/file ./new', 'c:/data/file new/', 'c:/data/file missing/new', 'c:/data/file folder',
    'c:/data/file folder/', 'c:/data/file folder/.', 'c:/data/file old', 'c:/data/file old/', 'c:/data/file folder/old',
    'c:/data/file link', 'c:/data/file folderlink', 'c:/data/file folderlink/x', 'c:/data/file dangling', 'c:/data/file -q',
    'c:/data/file/ .', 'c:/data/file/. .', 'c:/data/missing .', 'c:/data/missing/ .', 'no:/data/file .', 'c:/data/file /dev/null',
    'c:/data/dir .', 'c:/data/dir/ .', 'c:/data/dir/. .', 'c:/data/dir folder', 'c:/data/dir/. folder', 'c:/data/dir/ folder/',
    'c:/data/dir new', 'c:/data/dir/. new', 'c:/data/dir/. new/', 'c:/data/dir/. new/.', 'c:/data/dir new/', 'c:/data/dir old',
    'c:/data/dir missing/new', 'c:/data/dir folderlink', 'c:/data/dir dangling', 'c:/data/dir clash', 'c:/data/dir/. clash2',
    'c:/data/link .', 'c:/data/link new', 'c:/data/link folder', 'c:/data/link link', 'c:/data/link/ .', 'c:/data/link/. .',
    'c:/data/dirlink .', 'c:/data/dirlink/ .', 'c:/data/dirlink/. .', 'c:/data/dirlink/. new', 'c:/data/dirlink/a .',
    'c:/data/absolute/sub new', 'c:/data/dangling .', '-L c:/data/link .', '-L c:/data/link new', '-L c:/data/dirlink .',
    '-L c:/data/dirlink/ .', '-L c:/data/dirlink/. new', '-L c:/data/dirlink new', '-L c:/data/absolute folder',
    '-L c:/data/dangling .', '-L c:/data/file new', '-L c:/data/dir new', 'c:data/file .', 'c:data/dir new', 'c:/ new',
    'c:/. new', 'c: new', 'c:/data/../data/./dir/sub/.. new', 'c:/data/dir/.. new', 'c:/data/dir .:new', 'c:/data/file /',
]
INTO = [
    'file c:/data', 'file c:/data/', 'file c:/data/.', 'file c:/data/new', 'file c:/data/new/', 'file c:/missing/new',
    'file c:/data/file', 'file c:/data/file/', 'file c:/data/dir', 'file c:/data/link', 'file c:/data/dirlink',
    'file c:/data/dirlink/', 'file c:/data/dirlink/new', 'file c:/data/absolute', 'file c:/data/dangling', 'file c:/data/newlink',
    'file c:/', 'file c:', 'file c:data/new', 'missing c:/data', 'missing/ c:/data', 'file/ c:/data', 'file no:/data',
    'file c:/data/dir/sub',
    'folder c:/data', 'folder/ c:/data', 'folder/. c:/data', 'folder c:/data/new', 'folder/. c:/data/new', 'folder/. c:/data/new/',
    'folder c:/data/new/', 'folder c:/data/new/.', 'folder c:/data/file', 'folder c:/data/link', 'folder c:/data/dirlink',
    'folder/. c:/data/dirlink', 'folder c:/missing/new', 'folder c:/data/dangling', 'clash c:/data/dir', 'clash/. c:/data/dir',
    'link c:/data', 'link c:/data/new', 'link/ c:/data', 'folderlink c:/data', 'folderlink/ c:/data', 'folderlink/. c:/data',
    'folderlink c:/data/new', 'folderlink/. c:/data/new', 'dangling c:/data', '-L link c:/data', '-L link c:/data/new',
    '-L folderlink c:/data', '-L folderlink/ c:/data', '-L folderlink/. c:/data/new', '-L folderlink c:/data/new',
    '-L dangling c:/data', '-a folder c:/data', '-a file c:/data/new', './with:colon c:/data', 'with:colon c:/data',
    '. c:/data', './. c:/data/new', '.. c:/missing', 'folder/sub/.. c:/data/new', 'pipe c:/data', 'file c:/data/file2 c:/x',
    'c:/data/file c:/data/new', 'file folder', '- folder',
]


def docker_words(pair):
    client, engine = pair
    return [client, '-H', engine]


def run(pair, *words, **more):
    return subprocess.run([*docker_words(pair), *words], capture_output=True, timeout=60, check=False,
                          env={**os.environ, 'DOCKER_CONFIG': '/nonexistent'}, **more)


def archive_of_there():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name, kind, content, mode, owner in THERE:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.uid, info.gid, info.mtime = kind, mode, owner, owner, 1700000000
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content
            tar.addfile(info, io.BytesIO(content.encode()) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


def make_here(folder):
    """The caller's files."""
    folder.mkdir()
    (folder / 'file').write_text('mine\n')
    os.chmod(folder / 'file', 0o640)
    os.chown(folder / 'file', 33, 50)
    (folder / 'with:colon').write_text('colon\n')
    (folder / 'old').write_text('old and longer than what comes\n')
    for name in ('folder', 'folder/sub', 'clash', 'clash/dir', 'clash/dir/a', 'clash2', 'clash2/sub', 'clash2/sub/b', 'deep'):
        (folder / name).mkdir()
    (folder / 'clash/sub').write_text('a file where a folder comes\n')
    os.chmod(folder / 'folder', 0o700)
    (folder / 'folder/old').write_text('old\n')
    os.chmod(folder / 'folder/old', 0o4750)
    (folder / 'folder/sub/x').write_text('x\n')
    os.chmod(folder / 'folder/sub/x', 0o711)       # docker forgets setuid of what has two names
    os.link(folder / 'folder/sub/x', folder / 'folder/hard')
    os.symlink('sub/x', folder / 'folder/inner')
    os.symlink('old', folder / 'link')
    os.symlink('folder', folder / 'folderlink')
    os.symlink('nowhere', folder / 'dangling')
    os.mkfifo(folder / 'pipe')
    for path in [folder, *folder.rglob('*')]:
        os.utime(path, (1600000000, 1600000000), follow_symlinks=False)


def tree_here(folder):
    found = {}
    for path in sorted(folder.rglob('*')):
        st = path.lstat()
        what = os.readlink(path) if stat.S_ISLNK(st.st_mode) else hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(st.st_mode) else ''
        touched = '' if stat.S_ISDIR(st.st_mode) or st.st_mtime > 1750000000 else int(st.st_mtime)
        name = str(path.relative_to(folder))
        if name.split('/')[:2] in OURS_OF_ENGINE:
            continue
        links = 0 if stat.S_ISDIR(st.st_mode) else st.st_nlink
        found[name] = (oct(st.st_mode), st.st_uid, st.st_gid, links, what, touched)
    return found


def tree_there(pair, name):
    done = run(pair, 'export', name)
    assert done.returncode == 0, done.stderr
    found = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        for info in tar:
            top = info.name.strip('/').split('/')[0]
            if top in ('bin', 'dev', 'etc', 'proc', 'sys', 'root', 'home', 'usr', 'var', 'tmp', '.dockerenv'):
                continue
            link = info.name if info.islnk() else info.linkname
            content = tar.extractfile(info).read() if info.isfile() and not info.islnk() else b''
            found[info.name.strip('/')] = (info.type if not info.islnk() else tarfile.REGTYPE, oct(info.mode & 0o7777), info.uid, info.gid,
                                           None if info.islnk() else link, content if not info.islnk() else None)
    # Which of the names of one file comes first is the archive's business.
    return {n: v[:4] if v[5] is None or 'hard' in n or n.endswith('/a') or n.endswith('/x') else v for n, v in found.items()}


def without_folder_modes(tree):
    return {n: None if v[0] == tarfile.DIRTYPE or str(v[0]).startswith('0o40') else v for n, v in tree.items()}


class Side:
    """One client with one engine. The container is made anew only after something went into it."""

    def __init__(self, pair, where):
        self.pair, self.here, self.there = pair, where / 'here', None

    def fresh(self):
        shutil.rmtree(self.here, ignore_errors=True)
        make_here(self.here)
        if self.there:
            return
        run(self.pair, 'rm', '-f', NAME)
        done = run(self.pair, 'create', '--name', NAME, '--network', 'none', 'busybox', 'sleep', '1000')
        assert done.returncode == 0, done.stderr
        done = subprocess.run([*docker_words((DOCKER, self.pair[1])), 'cp', '-', f'{NAME}:/'], input=archive_of_there(),
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr

    def cp(self, words, into):
        self.fresh()
        done = run(self.pair, 'cp', *words.replace('c:', f'{NAME}:').split(), cwd=self.here, stdin=subprocess.DEVNULL)
        if into or not self.there:
            self.there = tree_there(self.pair, NAME)
        found = (done.returncode != 0, tree_here(self.here), self.there, done)
        if into:
            self.there = None
        return found


@pytest.fixture(scope='module')
def peer(busybox_archive):
    host.run('systemctl', 'start', 'peer-dockerd')
    host.run(DOCKER, '-H', PEER, 'load', '-i', busybox_archive)
    yield
    host.run(DOCKER, '-H', PEER, 'rm', '-f', NAME, check=False)


@pytest.fixture(scope='module')
def judge(peer, tmp_path_factory):
    """What docker and dockerd make of each case."""
    side = Side((DOCKER, PEER), tmp_path_factory.mktemp('judge'))
    return {words: side.cp(words, cases is INTO) for cases in (FROM, INTO) for words in cases}


@pytest.mark.parametrize('pair, step', [('stauer', 1), ('docker-to-us', 4), ('us-to-docker', 5)], ids=list(PAIRS))
@pytest.mark.parametrize('cases', [FROM, INTO], ids=['from', 'into'])
def test_as_docker(pair, step, cases, judge, busybox, clean, tmp_path):
    wrong = []
    side = Side(PAIRS[pair], tmp_path)
    for words in cases[::step]:
        want, got = judge[words], side.cp(words, cases is INTO)
        if want[0] and got[0]:      # how a folder is left after an error in it is nobody's promise
            want, got = ([side[0], *map(without_folder_modes, side[1:3]), side[3]] for side in (want, got))
        for what, a, b in zip(('failed', 'here', 'there'), want, got):
            if a != b:
                if isinstance(a, dict):
                    a, b = ({k: v for k, v in x.items() if y.get(k) != v} for x, y in ((a, b), (b, a)))
                wrong.append(f'cp {words}: {what}\n   docker: {a} {want[3].stderr}\n   here:   {b} {got[3].stderr}')
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('pair', [(DOCKER, PEER), *PAIRS.values()], ids=['docker', *PAIRS])
def test_running(pair, peer, busybox, clean, tmp_path):
    """The container's own view, with what is mounted in it; and words about devices, streams and the terminal."""
    tmpfs = ('--tmpfs', '/mnt') if pair[1] == OURS else ()      # dockerd does not see what is mounted inside
    run(pair, 'rm', '-f', NAME)
    done = run(pair, 'run', '-d', '--name', NAME, '--network', 'none', *tmpfs, 'busybox', 'sh', '-c',
               'mkdir -p /mnt; touch /mnt/ready; sleep 1000')
    assert done.returncode == 0, done.stderr
    wait_for(lambda: run(pair, 'exec', NAME, 'ls', '/mnt/ready').returncode == 0, 'it is ready')
    try:
        look_at_running(pair, tmp_path)
    finally:
        run(pair, 'rm', '-f', NAME)


def look_at_running(pair, tmp_path):
    (tmp_path / 'file').write_text('content')
    assert run(pair, 'cp', 'file', f'{NAME}:/mnt/y', cwd=tmp_path).returncode == 0
    assert run(pair, 'exec', NAME, 'cat', '/mnt/y').stdout == b'content'
    assert run(pair, 'cp', f'{NAME}:/mnt/y', 'back', cwd=tmp_path).returncode == 0
    assert (tmp_path / 'back').read_text() == 'content'
    if pair[1] == OURS:
        done = run(pair, 'cp', 'file', f'{NAME}:/dev/null', cwd=tmp_path)
        assert done.returncode == 1 and b'must be a directory or a regular file: got a device' in done.stderr
    done = run(pair, 'cp', f'{NAME}:/mnt/y', '-')
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert tar.getnames() == ['y']
    assert run(pair, 'cp', '-', f'{NAME}:/tmp', input=done.stdout).returncode == 0
    assert run(pair, 'exec', NAME, 'cat', '/tmp/y').stdout == b'content'
    assert b'must be a directory' in run(pair, 'cp', '-', f'{NAME}:/tmp/y', input=done.stdout).stderr
    done = subprocess.run(['script', '-qec', f'{pair[0]} -H {pair[1]} cp file {NAME}:/tmp/z', '/dev/null'], cwd=tmp_path,
                          capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert b'Successfully copied ' in done.stdout and f'kB to {NAME}:/tmp/z'.encode() in done.stdout


def test_archive_of_owners(busybox, clean, tmp_path):
    """-a keeps owners and devices for root; without it nothing but the caller owns what comes."""
    host.stauer('run', '-d', '--name', NAME, '--network', 'none', 'busybox', 'sh', '-c',
                'mkdir /d; echo x > /d/f; chown 33:50 /d/f; mknod /d/null c 1 3; touch /d/done; sleep 1000')
    wait_for(lambda: host.stauer('exec', NAME, 'ls', '/d/done', check=False).returncode == 0, 'it is ready')
    done = host.stauer('cp', f'{NAME}:/d', tmp_path / 'plain')
    assert '1 device node left out' in done.stderr and not (tmp_path / 'plain/null').exists()
    assert (tmp_path / 'plain/f').stat().st_uid == 0
    host.stauer('cp', '-a', f'{NAME}:/d', tmp_path / 'kept')
    assert stat.S_ISCHR((tmp_path / 'kept/null').lstat().st_mode)
    assert ((tmp_path / 'kept/f').stat().st_uid, (tmp_path / 'kept/f').stat().st_gid) == (33, 50)


def test_light(busybox):
    """libarchive is loaded for cp and not before."""
    done = subprocess.run(['stauer', 'version'], env={**os.environ, 'LD_DEBUG': 'libs'}, capture_output=True, text=True,
                          timeout=60, check=False)
    assert 'libc.so' in done.stderr and 'libarchive' not in done.stderr


def test_commit_of_killed_daemon(busybox, clean):
    """What a daemon that is killed leaves frozen, the next one thaws."""
    host.stauer('run', '-d', '--name', NAME, '--network', 'none', 'busybox', 'sh', '-c',
                'dd if=/dev/zero of=/big bs=1M count=300; touch /done; sleep 1000')
    wait_for(lambda: host.stauer('exec', NAME, 'ls', '/done', check=False).returncode == 0, 'it is ready', timeout=60)
    with subprocess.Popen(['stauer', 'commit', NAME, 'never'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        wait_for(lambda: host.state(NAME)['Paused'], 'it is frozen')
        os.kill(host.main_pid(), signal.SIGKILL)
    wait_for(lambda: host.stauer('info', check=False).returncode == 0, 'the daemon is back', timeout=30)
    wait_for(lambda: host.state(NAME)['Status'] == 'running', 'it was thawed')
    assert host.stauer('exec', NAME, 'echo', 'alive').stdout == 'alive\n'
    host.stauer('commit', NAME, 'kept')
    assert host.state(NAME)['Status'] == 'running'
    host.stauer('rmi', 'kept')
