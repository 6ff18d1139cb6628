# SPDX-License-Identifier: GPL-2.0-or-later
"""Images with the tools of others: skopeo and umoci make and read what the engine reads and keeps. As root, in the sandbox or the VM."""

import io
import itertools
import json
import os
import shutil
import stat
import tarfile
import threading

import pytest

from common.images import docker_archive, rootfs_tar
from common.wait import wait_for
from host import DATA_ROOT, have, inspect, main_pid, out, run, stauer

pytestmark = pytest.mark.usefixtures('no_images', 'clean')

LAYOUT = f'oci:{DATA_ROOT}'


@pytest.fixture
def no_images():
    def remove():
        for ident in set(out('images', '-q', '--no-trunc').split()):
            stauer('rmi', '-f', ident)
    remove()
    yield
    remove()
    wait_for(lambda: not layers() and not blobs(), lambda: f'nothing is left: {layers()} {blobs()}', timeout=10)


def blobs():
    return os.listdir(DATA_ROOT / 'blobs/sha256')


def layers():
    return [p.name for d in (DATA_ROOT / 'layers').iterdir() for p in d.iterdir() if len(p.name) == 64]


def images():
    return sorted(':'.join(line.split()[:2]) for line in out('images').splitlines()[1:])


def output(*words):
    """What `stauer run` prints when it has ended."""
    name = 'output'
    out('run', '-d', '--name', name, '--network', 'none', *words)
    code, text = out('wait', name), stauer('logs', name)
    stauer('rm', name)
    assert code == '0', f'{code}: {text.stdout}{text.stderr}'
    return text.stdout.rstrip('\n')


def need(*programs):
    missing = [p for p in programs if not have(p)]
    if missing:
        pytest.skip(f'not installed: {", ".join(missing)}')


def small_tar(*entries):
    """(name, content or None for a folder) as a layer."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.mtime = 1700000000
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / 'app.tar'
    top = small_tar(('etc', None), ('etc/.wh.group', b''), ('etc/motd', b'top'), ('home', None), ('home/.wh..wh..opq', b''))
    docker_archive(path, name='app:1', layers=[rootfs_tar(), top], config={'Labels': {'team': 'port'}})
    return path


def container_sees(image):
    """The whole tree of a container, by busybox itself."""
    script = 'find . -xdev ! -path "./proc*" ! -path "./sys*" ! -path "./dev*" -exec ls -ldn {} \\; | sed "s/  */ /g"'
    text = output(image, 'sh', '-c', f'cd / && {script}')
    rows = [line.split(' ') for line in text.splitlines()]
    return {row[8]: (row[0], row[2], row[3]) for row in rows if row[8] not in ('.', './etc/hostname', './etc/hosts', './etc/resolv.conf')}


def test_skopeo_reads_the_store(archive):
    need('skopeo')
    stauer('load', '-i', archive)
    seen = json.loads(run('skopeo', 'inspect', f'{LAYOUT}:docker.io/library/app:1').stdout)
    assert len(seen['Layers']) == 2 and seen['Labels'] == {'team': 'port'} and seen['Os'] == 'linux'
    assert inspect('app:1')['Id'] in run('skopeo', 'inspect', '--raw', f'{LAYOUT}:docker.io/library/app:1').stdout


def test_skopeo_copies_out_and_back(archive, tmp_path):
    """Every blob is really there: a copy of the store's image is the same image."""
    need('skopeo')
    stauer('load', '-i', archive)
    ident = inspect('app:1')['Id']
    run('skopeo', 'copy', f'{LAYOUT}:docker.io/library/app:1', f'docker-archive:{tmp_path}/copy.tar:copy:2')
    run('skopeo', 'copy', f'{LAYOUT}:docker.io/library/app:1', f'oci-archive:{tmp_path}/copy.oci:docker.io/library/copy:3')
    assert 'Loaded image: copy:2' in stauer('load', '-i', tmp_path / 'copy.tar').stdout
    assert 'Loaded image: copy:3' in stauer('load', '-i', tmp_path / 'copy.oci').stdout
    assert {inspect(name)['Id'] for name in ('app:1', 'copy:2', 'copy:3')} == {ident}
    assert len(layers()) == 2


@pytest.mark.parametrize('compress', [[], ['--dest-compress'], ['--dest-compress', '--dest-compress-format', 'zstd']],
                         ids=['plain', 'gzip', 'zstd'])
@pytest.mark.parametrize('outer', ['plain', 'gzip', 'xz', 'zstd'])
def test_oci_of_skopeo(archive, tmp_path, compress, outer):
    need('skopeo', 'tar')
    layout = tmp_path / 'layout'
    run('skopeo', 'copy', *compress, f'docker-archive:{archive}', f'oci:{layout}:docker.io/library/app:oci')
    flag = {'plain': [], 'gzip': ['-z'], 'xz': ['-J'], 'zstd': ['--zstd']}[outer]
    run('tar', '-C', layout, *flag, '-cf', tmp_path / 'oci.tar', '.')
    assert 'Loaded image: app:oci' in stauer('load', '-i', tmp_path / 'oci.tar').stdout
    stauer('load', '-i', archive)
    assert container_sees('app:oci') == container_sees('app:1')
    seen = container_sees('app:oci')
    assert './etc/motd' in seen and './etc/group' not in seen and './home/www' not in seen


def test_umoci_makes_an_image(tmp_path):
    """umoci writes whiteouts, hard links and attributes in its own way."""
    need('umoci', 'skopeo', 'tar')
    layout, bundle = tmp_path / 'layout', tmp_path / 'bundle'
    docker_archive(tmp_path / 'base.tar')
    run('skopeo', 'copy', f'docker-archive:{tmp_path}/base.tar', f'oci:{layout}:base')
    run('umoci', 'unpack', '--image', f'{layout}:base', bundle)
    root = bundle / 'rootfs'
    (root / 'etc/group').unlink()
    shutil.rmtree(root / 'home/www')
    (root / 'srv').mkdir()
    os.chmod(root / 'srv', 0o2755)
    (root / 'srv/file').write_text('made by umoci')
    os.chown(root / 'srv/file', 70000, 80000)
    os.chmod(root / 'srv/file', 0o4711)
    os.utime(root / 'srv/file', (1234567890, 1234567890))
    os.link(root / 'srv/file', root / 'srv/twin')
    os.symlink('../etc/passwd', root / 'srv/link')
    os.mkfifo(root / 'srv/pipe', 0o600)
    os.mknod(root / 'srv/null', stat.S_IFCHR, os.makedev(1, 3))
    os.chmod(root / 'srv/null', 0o666)
    os.setxattr(root / 'srv/file', 'user.note', b'kept')
    run('umoci', 'repack', '--image', f'{layout}:made', bundle)
    run('umoci', 'config', '--image', f'{layout}:made', '--config.cmd', 'cat', '--config.cmd', '/srv/file', '--config.user', '70000:80000')
    run('skopeo', 'copy', f'oci:{layout}:made', f'oci-archive:{tmp_path}/made.tar:made:1')

    assert 'Loaded image: made:1' in stauer('load', '-i', tmp_path / 'made.tar').stdout
    assert output('made:1') == 'made by umoci'
    seen = container_sees_as_root('made:1')
    assert './etc/group' not in seen and './home/www' not in seen and './home' in seen
    assert seen['./srv/file'] == ('-rws--x--x', '70000', '80000') and seen['./srv'][0] == 'drwxr-sr-x'
    assert seen['./srv/pipe'][0] == 'prw-------' and seen['./srv/null'][0] == 'crw-rw-rw-'
    top = max((DATA_ROOT / 'layers/overlay2').glob('*/diff/srv/file'), key=lambda p: p.stat().st_mtime)
    assert top.stat().st_mtime == 1234567890 and top.stat().st_nlink == 2  # umoci keeps seconds
    assert os.getxattr(top, 'user.note') == b'kept'


def container_sees_as_root(image):
    script = 'find . -xdev ! -path "./proc*" ! -path "./sys*" ! -path "./dev*" -exec ls -ldn {} \\; | sed "s/  */ /g"'
    text = output('-u', '0', image, 'sh', '-c', f'cd / && {script}')
    rows = [line.replace(', ', ',').split(' ') for line in text.splitlines()]
    return {row[8]: (row[0], row[2], row[3]) for row in rows}


def test_several_and_moving_names(archive, tmp_path):
    stauer('load', '-i', archive)
    first = inspect('app:1')['Id']
    docker_archive(tmp_path / 'other.tar', name='app:1')
    text = stauer('load', '-i', tmp_path / 'other.tar').stdout
    assert 'Loaded image: app:1' in text
    assert inspect('app:1')['Id'] != first
    assert inspect(first)['RepoTags'] == []
    assert images() == ['<none>:<none>', 'app:1']
    stauer('tag', first, 'quay.io/team/old:9')
    assert images() == ['app:1', 'quay.io/team/old:9']
    assert 'Untagged: quay.io/team/old:9' in out('rmi', 'quay.io/team/old:9')


def test_import_and_run(tmp_path):
    (tmp_path / 'root.tar').write_bytes(rootfs_tar())
    ident = out('import', '-c', 'CMD ["echo", "imported"]', '-m', 'by a test', tmp_path / 'root.tar', 'fs:1').splitlines()[-1]
    assert inspect('fs:1')['Id'] == ident
    assert output('fs:1') == 'imported'


def test_image_in_use(archive):
    stauer('load', '-i', archive)
    box = out('run', '-d', '--name', 'user', '--network', 'none', 'app:1', 'sleep', '1000')
    ident = inspect('app:1')['Id']
    refused = stauer('rmi', '-f', ident, check=False)
    assert refused.returncode != 0 and f'is being used by running container {box[:12]}' in refused.stderr
    stauer('kill', 'user')
    wait_for(lambda: inspect('user')['State']['Status'] == 'exited', 'it has stopped')
    refused = stauer('rmi', 'app:1', check=False)
    assert refused.returncode != 0 and 'must force' in refused.stderr
    assert 'Deleted: ' + ident in out('rmi', '-f', ident)
    assert images() == []
    stauer('start', 'user')  # its layers are still there
    run('systemctl', 'restart', 'stauer')
    assert inspect('user')['State']['Running']
    stauer('rm', '-f', 'user')
    wait_for(lambda: not layers(), lambda: f'the layers went with it: {layers()}')


def restart():
    run('systemctl', 'restart', 'stauer')
    wait_for(lambda: stauer('version', check=False).returncode == 0, 'it is back')


def test_damaged_documents(archive, tmp_path):
    """The disk spoils an image: the rest of the house goes on, and the same archive mends it."""
    docker_archive(tmp_path / 'other.tar', name='other:1')
    stauer('load', '-i', archive)
    stauer('load', '-i', tmp_path / 'other.tar')
    out('create', '--name', 'box', '--network', 'none', 'app:1', 'cat', '/etc/motd')
    ident = inspect('app:1')['Id']
    digest = next(row['digest'] for row in json.loads((DATA_ROOT / 'index.json').read_text())['manifests']
                  if row['annotations']['org.opencontainers.image.ref.name'] == 'docker.io/library/app:1')
    for spoilt in (ident, digest):
        path = DATA_ROOT / 'blobs/sha256' / spoilt[7:]
        content = path.read_bytes()
        for text in (b'', content[:-3], b'{' + content[1:-1] + b' '):
            path.write_bytes(text)
            restart()
            assert images() == ['other:1']
            assert output('other:1', 'echo', 'fine') == 'fine'
            stauer('start', 'box')  # a container needs its layers only
            assert out('wait', 'box') == '0'
            stauer('load', '-i', archive)
            assert images() == ['app:1', 'other:1'] and path.read_bytes() == content and inspect('app:1')['Id'] == ident
    path.write_bytes(b'')
    restart()
    assert 'Untagged: app:1' in out('rmi', 'app:1')
    stauer('start', 'box')
    assert out('wait', 'box') == '0' and stauer('logs', 'box').stdout.endswith('top')
    stauer('rm', 'box')


@pytest.mark.parametrize('text', [None, '', '{', '[]', '{"schemaVersion":2,"manifests":[7]}'])
def test_damaged_table(archive, text):
    stauer('load', '-i', archive)
    ident = inspect('app:1')['Id']
    if text is None:
        (DATA_ROOT / 'index.json').unlink()
    else:
        (DATA_ROOT / 'index.json').write_text(text)
    restart()
    assert images() == ['<none>:<none>']
    stauer('tag', ident, 'app:2')
    assert output('app:2', 'cat', '/etc/motd') == 'top'


def test_loads_and_removals_at_once(archive):
    loaders = [threading.Thread(target=lambda: [stauer('load', '-q', '-i', archive) for _ in range(5)]) for _ in range(3)]
    for loader in loaders:
        loader.start()
    while any(loader.is_alive() for loader in loaders):
        stauer('rmi', '-f', 'app:1', check=False)
    stauer('load', '-q', '-i', archive)
    assert output('app:1', 'cat', '/etc/motd') == 'top'
    wait_for(lambda: len(layers()) == 2, lambda: f'only those of the image: {layers()}')


def test_images_that_share_layers(tmp_path):
    """In whatever order they go, each layer leaves with the last image that has it."""
    stacks = {'a': ['root'], 'b': ['root', '1'], 'c': ['root', '1', '2'], 'd': ['root', '1', '3']}
    content = {'root': rootfs_tar(), **{n: small_tar((n, n.encode())) for n in '123'}}
    for name, stack in stacks.items():
        docker_archive(tmp_path / name, name=f'{name}:1', layers=[content[layer] for layer in stack])
    for order in itertools.permutations(stacks):
        for name in stacks:
            stauer('load', '-q', '-i', tmp_path / name)
        for n, name in enumerate(order, 1):
            stauer('rmi', f'{name}:1')
            left = {tuple(stacks[other][:k]) for other in order[n:] for k in range(1, len(stacks[other]) + 1)}
            assert len(layers()) == len(left), f'{order}: after {name}'


def test_kill_while_loading(archive, tmp_path):
    """The daemon dies while a worker unpacks: afterwards there is the whole image or nothing of it."""
    for delay in (0.01, 0.05, 0.1, 0.2):
        loader = threading.Thread(target=lambda: stauer('load', '-i', archive, check=False))
        loader.start()
        wait_for(lambda d=delay: True, '', timeout=delay)
        run('kill', '-9', main_pid())
        loader.join()
        wait_for(lambda: run('systemctl', 'is-active', 'stauer', check=False).stdout.strip() == 'active', 'it is back')
        for name in images():
            assert output(name, 'cat', '/etc/motd') == 'top'
        for ident in set(out('images', '-q', '--no-trunc').split()):
            stauer('rmi', '-f', ident)
    stauer('load', '-i', archive)
    assert output('app:1', 'cat', '/etc/motd') == 'top'


def test_hostile_archive_through_the_daemon(tmp_path):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode='w') as tar:
        link = tarfile.TarInfo('a')
        link.type, link.linkname = tarfile.SYMTYPE, '/etc'
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo('a/pwned'))
    docker_archive(tmp_path / 'bad.tar', name='bad:1', layers=[data.getvalue()])
    before = main_pid()
    refused = stauer('load', '-i', tmp_path / 'bad.tar', check=False)
    assert refused.returncode != 0 and 'a/pwned' in refused.stderr
    assert main_pid() == before and not os.path.exists('/etc/pwned') and images() == []
