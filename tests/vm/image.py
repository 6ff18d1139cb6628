# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of the virtual machine, its kernel and its initramfs: made once, kept in the cache."""

import os
import shutil
import subprocess
from pathlib import Path

from machine.host import (Failure, Lock, cache, install_dependencies, key, lock, os_release, packages, run, say)
from machine.isolated import isolated

# Counts up when the code below makes another image from the same packages and tables.
VERSION = 2

SIZE = '8G'                     # sparse

KERNEL = 'linux-image-cloud-amd64'

# What the kernel needs to find its disk and to talk to us; everything else it loads by itself, from the disk.
MODULES = ('virtio_pci', 'virtio_blk', 'virtio_console', 'ext4')

MASKED = (
        'apt-daily-upgrade.timer', 'apt-daily.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'e2scrub_reap.service',
        'fstrim.timer', 'getty.target', 'man-db.timer', 'systemd-timesyncd.service',
        'containerd.service', 'lvm2-monitor.service', 'systemd-binfmt.service', 'systemd-pstore.service', 'podman-auto-update.service', 'podman-auto-update.timer', 'podman-restart.service',
        'podman.service', 'podman.socket',
)

# Debian's Docker claims the names that are ours.
NO_UNITS = ('docker.service', 'docker.socket')

FILES = {
        '/etc/hosts': '127.0.0.1 localhost stauer-vm\n::1 localhost ip6-localhost\n',
        '/etc/hostname': 'stauer-vm\n',
        '/etc/fstab': '',
        '/etc/systemd/journald.conf.d/vm.conf':
                '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nForwardToSyslog=no\n',
}


def libraries():
    """The packages that a program linked against our build dependencies needs."""
    found = set()
    for package in packages('build'):
        if not package.startswith('lib') or not package.endswith('-dev'):
            continue
        for dependency in run('dpkg-query', '-W', '-f', '${Depends}', package).split(','):
            name, _, version = dependency.strip().partition(' ')
            if version.startswith('(= ') and not name.endswith(('-bin', '-dev')):
                found.add(name)
    return sorted(found)


def _sources():
    """Debian's archives, as this machine's apt knows them."""
    lines = set()
    for line in run('apt-get', 'indextargets', '--format',
                    '$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)').splitlines():
        kind, origin, uri, release, component = line.split('|')
        if kind == 'Packages' and origin == 'Debian':
            lines.add(f'deb {uri} {release} {component}')
    if not lines:
        raise Failure('apt knows no archive of Debian; run apt-get update.')
    return '\n'.join(sorted(lines)) + '\n'


def _kernel_package():
    for line in run('apt-cache', 'depends', KERNEL).splitlines():
        if line.strip().startswith('Depends: linux-image-'):
            return line.split()[-1]
    raise Failure(f'apt does not know what {KERNEL} is.')


def make_tree(folder, names, sources):
    """Called isolated."""
    tree = f'{folder}/tree'
    done = subprocess.run(['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', '--dpkgopt=force-unsafe-io',
                           f'--include={names}', os_release()['VERSION_CODENAME'], tree, '-'],
                          input=sources, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                          check=False)
    if done.returncode != 0:
        raise Failure(done.stdout[-8000:])

    for folder, _, names_here in os.walk(f'{tree}/etc/systemd/system'):
        for name in {*NO_UNITS, *MASKED} & set(names_here):
            os.unlink(f'{folder}/{name}')
    for name in NO_UNITS:
        Path(tree, 'lib/systemd/system', name).unlink()
    Path(tree, 'etc/init.d/docker').unlink()    # systemd would make a docker.service of it
    for name in MASKED:
        Path(tree, 'etc/systemd/system', name).symlink_to('/dev/null')
    for path, text in FILES.items():
        os.makedirs(os.path.dirname(tree + path), exist_ok=True)
        Path(tree + path).write_text(text, encoding='utf-8')
    Path(tree, 'etc/machine-id').write_text(os.urandom(16).hex() + '\n', encoding='utf-8')
    os.makedirs(f'{tree}/opt/docker-20.10')
    shutil.copy(f'{tree}/usr/bin/docker', f'{tree}/opt/docker-20.10/docker')
    if os.path.exists('/usr/local/bin/docker'):
        shutil.copy('/usr/local/bin/docker', f'{tree}/usr/local/bin/docker')


def _add_kernel(folder, package):
    """Unpacks the kernel beside this machine's, and makes an initramfs that mounts the disk and starts systemd."""
    run('apt-get', 'download', '-q', package, cwd=folder)
    archive = next(Path(folder).glob(f'{package}_*.deb'))
    run('dpkg-deb', '-x', archive, f'{folder}/kernel')
    archive.unlink()
    modules = next(Path(folder, 'kernel').glob('**/lib/modules/*'))
    version = modules.name
    target = Path(folder, 'tree/usr/lib/modules', version)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(modules, target)
    run('depmod', '-b', f'{folder}/tree', version)
    shutil.move(next(Path(folder, 'kernel/boot').glob('vmlinuz-*')), f'{folder}/vmlinuz')

    initramfs = Path(folder, 'initramfs')
    for name in ('bin', 'dev', 'modules', 'proc', 'root', 'sys'):
        os.makedirs(initramfs / name)
    shutil.copy('/bin/busybox', initramfs / 'bin/busybox')
    shutil.copy(Path(__file__).resolve().parent / 'initramfs-init', initramfs / 'init')
    os.chmod(initramfs / 'init', 0o755)
    order = []
    for module in MODULES:
        for line in run('modprobe', '-d', f'{folder}/tree', '-S', version, '--show-depends', module).splitlines():
            words = line.split()
            if words[:1] == ['insmod'] and words[1] not in order:
                order.append(words[1])
    for number, path in enumerate(order):
        shutil.copy(path, initramfs / f'modules/{number:02}-{os.path.basename(path)}')
    run('sh', '-c', 'cd "$0" && find . | cpio -o -H newc --quiet -F "$1"', initramfs, f'{folder}/initrd')


def make(folder, names, sources):
    isolated('The files of the virtual machine', make_tree, folder, names, sources)
    _add_kernel(folder, _kernel_package())
    # Not in one go with the file system of this machine: the tree becomes an image without being mounted.
    run('truncate', '-s', SIZE, f'{folder}/disk')
    run('mke2fs', '-q', '-F', '-t', 'ext4', '-d', f'{folder}/tree', f'{folder}/disk')
    for name in ('tree', 'kernel', 'initramfs'):
        shutil.rmtree(f'{folder}/{name}')


def prepare():
    """Returns the folder with disk, vmlinuz and initrd, made if needed, and an fd that keeps others from removing it."""
    if not shutil.which('apt-get'):
        raise Failure('The virtual machine is made of Debian packages, and this machine has no apt-get.')
    install_dependencies()

    base = cache() / 'vm'
    base.mkdir(exist_ok=True)
    names = ','.join(sorted(set(packages('vm')) | set(libraries())))
    init = (Path(__file__).resolve().parent / 'initramfs-init').read_text(encoding='utf-8')
    folder = base / f'image-{key(VERSION, names, MASKED, NO_UNITS, FILES, MODULES, init, os_release().get("VERSION_ID"))}'

    with Lock(base / 'lock'):
        if not (folder / 'complete').exists():
            say('Making the disk of the virtual machine (once, about three minutes)')
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                make(str(folder), names, _sources())
                os.sync()
                (folder / 'complete').touch()
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        used = lock(folder / 'lock', shared=True)
        for old in base.glob('image-*'):
            if old == folder:
                continue
            fd = lock(old / 'lock', wait=False)
            if fd is not None:
                shutil.rmtree(old)
                os.close(fd)
    return folder, used
