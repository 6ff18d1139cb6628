# SPDX-License-Identifier: GPL-2.0-or-later
"""The layer between the machine's own files and a sandbox.

It holds the packages that tests need of peers and makes a quiet system of whatever machine it stands on: nothing that
the administrator enabled is started, no other engine owns our names, nothing reaches out for the machine's hardware.
It is a file system image, made once and mounted read-only from then on: a folder below the root cannot be stacked upon
the root itself. (The kernel finds layers that overlap and refuses.)"""

import os
import shutil
import subprocess
from pathlib import Path

from machine import linux
from machine.host import (Failure, Lock, cache, install_dependencies, key, lock, os_release, package_versions,
                          packages, run, say)
from machine.isolated import isolated

# Counts up when the code below makes another layer from the same packages and tables.
VERSION = 4

SIZE = '8G'                     # sparse

# What comes from the npm registry: a folder with package.json and package-lock.json, installed below /opt.
NPM = Path(__file__).resolve().parents[1] / 'system' / 'testcontainers'
NPM_FILES = ('package.json', 'package-lock.json')

# What is taken out of a package that is not installed: of Ansible's hundred collections the one for Docker.
PARTS = {'ansible': './usr/lib/python3/dist-packages/ansible_collections/community/docker'}

# Folders of the machine that a sandbox starts without.
EMPTY = (
        '/etc/docker',
        '/etc/rc0.d', '/etc/rc1.d', '/etc/rc2.d', '/etc/rc3.d', '/etc/rc4.d', '/etc/rc5.d', '/etc/rc6.d', '/etc/rcS.d',
        '/etc/sysconfig/docker.d',
        '/etc/systemd/journald.conf.d', '/etc/systemd/system', '/etc/systemd/system.conf.d',
        '/var/lib/containerd', '/var/lib/containers', '/var/lib/docker', '/var/lib/peer',
        '/var/lib/systemd', '/var/log/journal',
)

# Files of the machine that a sandbox starts without.
NO_FILES = ('/etc/crypttab', '/etc/fstab', '/etc/sysconfig/docker', '/etc/default/docker', '/etc/init.d/docker')

# Units of the peers that claim our names, and units that are started only by their names.
NO_UNITS = ('docker.service', 'docker.socket', 'containerd.service')

# What would act on the hardware or the kernel of the machine (a sandbox may write to /sys and /proc/sys, as containers
# need it), and what waits for a console that is not there.
MASKED = (
        'console-getty.service', 'console-setup.service', 'getty.target', 'keyboard-setup.service',
        'kmod-static-nodes.service', 'ldconfig.service', 'podman-auto-update.timer', 'podman-restart.service',
        'proc-sys-fs-binfmt_misc.automount', 'proc-sys-fs-binfmt_misc.mount', 'sys-kernel-debug.mount',
        'sys-kernel-tracing.mount', 'systemd-binfmt.service', 'systemd-hwdb-update.service',
        'systemd-modules-load.service', 'systemd-pstore.service', 'systemd-random-seed.service',
        'systemd-rfkill.socket', 'systemd-sysctl.service', 'systemd-timesyncd.service',
        'systemd-udev-settle.service', 'systemd-udev-trigger.service', 'systemd-udevd-control.socket',
        'systemd-udevd-kernel.socket', 'systemd-udevd.service',
)

FILES = {
        '/etc/hosts': '127.0.0.1 localhost stauer-sandbox\n::1 localhost ip6-localhost\n',
        '/etc/hostname': 'stauer-sandbox\n',
        '/etc/systemd/journald.conf.d/sandbox.conf':
                '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nForwardToSyslog=no\nForwardToConsole=no\n'
                'ForwardToWall=no\n',
        # There may be no pids controller (boot.py says why), and runc does not start with a limit then.
        '/etc/containers/containers.conf.d/sandbox.conf': '[containers]\npids_limit = 0\n',
        # dockerd for comparison, started by hand: it must not take the socket and the folders of Stauer.
        '/etc/systemd/system/peer-dockerd.service':
                '[Unit]\nDescription=Docker of Debian, for comparison\n\n'
                '[Service]\nType=notify\nDelegate=yes\nKillMode=process\nLimitNOFILE=infinity\nTasksMax=infinity\n'
                'ExecStart=/usr/sbin/dockerd --host unix:///run/peer-docker.sock --data-root /var/lib/peer/docker '
                '--exec-root /run/peer-docker --pidfile /run/peer-docker.pid --bridge none --iptables=false\n',
}


def upper(image_mount, point):
    """The folder in the mounted image that lies upon the machine's mount `point`."""
    return f'{image_mount}/up/{point.strip("/").replace("/", "-") or "root"}'


def mount_tree(lowers, uppers, root):
    """Mounts the machine's own files at `root`, changes going to `uppers`.
    Both are functions: from a mount point to the layers upon it, and to the folder for changes."""
    for point in linux.own_mounts():
        top = uppers(point)
        linux.overlay([*lowers(point), point], f'{top}/upper', f'{top}/work',
                      os.path.normpath(f'{root}/{point}'))


def _hide(image_mount):
    """Makes EMPTY folders in the image before anything is mounted: whatever lies below is not even looked at."""
    points = sorted(linux.own_mounts(), key=len, reverse=True)
    for folder in EMPTY:
        point = next(p for p in points if p == '/' or folder == p or folder.startswith(p + '/'))
        below, above = point, f'{upper(image_mount, point)}/upper'
        os.makedirs(above, exist_ok=True)
        for name in os.path.relpath(folder, point).split('/'):
            below, above = f'{below}/{name}', f'{above}/{name}'
            if not os.path.isdir(above):
                os.mkdir(above)
                if os.path.isdir(below):
                    shutil.copystat(below, above)
        os.setxattr(above, 'trusted.overlay.opaque', b'y')


def _kernel_file_systems(root):
    linux.mount('proc', 'proc', f'{root}/proc')
    linux.mount('sysfs', 'sysfs', f'{root}/sys', 'ro')
    linux.mount('tmpfs', 'tmpfs', f'{root}/run', 'mode=755')
    linux.mount('tmpfs', 'tmpfs', f'{root}/tmp', 'mode=1777')
    linux.bind('/dev', f'{root}/dev', recursive=True)

    # resolv.conf is often a link into /run.
    resolv = os.path.realpath('/etc/resolv.conf')
    if resolv.startswith('/run/') and os.path.exists(resolv):
        os.makedirs(os.path.dirname(root + resolv), exist_ok=True)
        shutil.copy(resolv, root + resolv)


def _install_packages(root):
    Path(root, 'usr/sbin/policy-rc.d').write_text('#!/bin/sh\nexit 101\n', encoding='utf-8')
    os.chmod(f'{root}/usr/sbin/policy-rc.d', 0o755)

    if os.path.exists('/usr/bin/docker'):
        os.makedirs(f'{root}/opt/docker-machine', exist_ok=True)
        shutil.copy('/usr/bin/docker', f'{root}/opt/docker-machine/docker')

    os.makedirs(f'{root}/run/archives/partial')
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive', LC_ALL='C.UTF-8', TMPDIR='/tmp')
    apt = ['chroot', root, 'apt-get', '-q', '-y', '-o', 'APT::Sandbox::User=root',
           '-o', 'Dir::Cache::archives=/run/archives']
    install = [*apt, 'install', '--no-install-recommends', *packages('sandbox')]
    try:
        run(*install, env=environment)
    except Failure:
        run(*apt, 'update', env=environment)
        run(*install, env=environment)

    for package, part in PARTS.items():
        run('chroot', root, 'sh', '-ec', 'cd /run/archives && apt-get download -q -o APT::Sandbox::User=root "$1" && '
            'dpkg-deb --fsys-tarfile "$1"_*.deb | tar -x -C / "$2"', 'sh', package, part, env=environment)

    os.makedirs(f'{root}/opt/docker-20.10', exist_ok=True)
    shutil.copy(f'{root}/usr/bin/docker', f'{root}/opt/docker-20.10/docker')

    # Debian's nodejs comes without npm, others come with it and refuse Debian's.
    if not shutil.which('npm', path=':'.join(root + folder for folder in ('/usr/local/bin', '/usr/bin'))):
        run(*install, 'npm', env=environment)
    target = f'{root}/opt/{NPM.name}'
    os.makedirs(target)
    for name in NPM_FILES:
        shutil.copy(NPM / name, target)
    run('chroot', root, 'npm', 'ci', '--prefix', f'/opt/{NPM.name}', '--ignore-scripts', '--omit=optional',
        '--no-audit', '--no-fund', '--no-update-notifier', '--cache', '/run/npm', env=environment)


def _quieten(root):
    for pattern in NO_FILES:
        for path in Path(root).glob(pattern.lstrip('/')):
            path.unlink()
    for folder in EMPTY:
        # Packages have filled some of them again.
        for entry in os.scandir(root + folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
    for folder in ('etc/systemd/system', 'usr/lib/systemd/system', 'lib/systemd/system'):
        for unit in NO_UNITS:
            Path(root, folder, unit).unlink(missing_ok=True)
    for unit in MASKED:
        os.symlink('/dev/null', f'{root}/etc/systemd/system/{unit}')
    for path, text in FILES.items():
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        Path(root + path).write_text(text, encoding='utf-8')


def make(image):
    """Runs in a process and mount namespace of its own."""
    run('truncate', '-s', SIZE, image)
    run('mkfs.ext4', '-q', '-F', '-O', '^has_journal', '-m', '0', image)
    linux.mount('tmpfs', 'tmpfs', '/run', 'mode=755')
    image_mount, root = '/run/layer', '/run/root'
    os.mkdir(image_mount)
    run('mount', '-n', '-o', 'loop', image, image_mount)
    _hide(image_mount)
    mount_tree(lambda point: [], lambda point: upper(image_mount, point), root)
    _kernel_file_systems(root)
    _install_packages(root)
    _quieten(root)
    run('umount', '-R', root)
    run('umount', image_mount)


def _clean(image):
    """Whether the file system in the image was unmounted as it should be and can be read."""
    done = subprocess.run(['dumpe2fs', '-h', str(image)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors='replace', check=False)
    return done.returncode == 0 and any(line.split() == ['Filesystem', 'state:', 'clean']
                                        for line in done.stdout.splitlines())


def prepare():
    """Returns the image of the layer, made if needed, and an fd that keeps others from removing it."""
    if not shutil.which('apt-get'):
        raise Failure('The sandbox is made of Debian packages, and this machine has no apt-get.')
    install_dependencies()

    folder = cache() / 'sandbox'
    folder.mkdir(exist_ok=True)
    name = key(VERSION, EMPTY, NO_FILES, NO_UNITS, MASKED, FILES, packages('sandbox'), PARTS, os_release().get('VERSION_ID'),
               package_versions('libc6', 'systemd', 'dbus'), linux.own_mounts(),
               *((NPM / name).read_text(encoding='utf-8') for name in NPM_FILES))
    image = folder / f'layer-{name}.img'

    with Lock(folder / 'lock'):
        if not image.exists() or not _clean(image):
            say('Making the layer of the sandbox (once, about two minutes)')
            made = folder / f'{image.name}.new'
            made.unlink(missing_ok=True)
            isolated('The layer of the sandbox', make, made)
            with open(made, 'rb') as f:
                os.fsync(f.fileno())
            made.rename(image)
        used = lock(image, shared=True)
        for old in folder.glob('layer-*'):
            if old == image:
                continue
            fd = lock(old, wait=False)
            if fd is not None:
                old.unlink()
                os.close(fd)
    return image, used
