# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that Python 3.11 does not offer, and mounts."""

import ctypes
import os
import signal
import subprocess

from machine.host import run

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)

# File systems of disks: what lies on one of these is a part of the machine's own files.
DISKS = ('bcachefs', 'btrfs', 'erofs', 'ext2', 'ext3', 'ext4', 'f2fs', 'jfs', 'overlay', 'squashfs', 'xfs', 'zfs')

# Mount points with which a booted system starts anew, or that are none of its business.
NOT_OWN = ('/boot', '/dev', '/efi', '/media', '/mnt', '/proc', '/run', '/snap', '/sys', '/tmp',
           '/var/lib/containerd', '/var/lib/containers', '/var/lib/docker')


def _check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unshare(flags):
    _check(_libc.unshare(ctypes.c_int(flags)))


def die_with_parent():
    """The kernel kills this process when its parent is gone, however that happened."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def private_mounts():
    """Whatever is mounted from here on is seen by this process and its children only, and goes with them."""
    unshare(CLONE_NEWNS)
    run('mount', '--make-rprivate', '/')


def mount(kind, source, target, options=None):
    os.makedirs(target, exist_ok=True)
    command = ['mount', '-n', '-t', kind]
    if options:
        command += ['-o', options]
    run(*command, source, target)


def bind(source, target, recursive=False):
    run('mount', '-n', '--rbind' if recursive else '--bind', source, target)


def aside(source, target):
    """Makes a file or folder visible at another place as well."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    bind(source, target, recursive=True)


def overlay(lowers, upper, work, target):
    """Stacks folders. Nothing of it has to survive a crash of the machine, so nothing waits for the disk."""
    for folder in (upper, work):
        os.makedirs(folder, exist_ok=True)
    mount('overlay', 'overlay', target,
          f'lowerdir={":".join(str(folder) for folder in lowers)},upperdir={upper},workdir={work},volatile')


def mounts():
    """(mount point, file system type) of every mount, in the order of mounting."""
    with open('/proc/self/mountinfo', encoding='utf-8', errors='surrogateescape') as f:
        for line in f:
            fields = line.split()
            point = fields[4].encode().decode('unicode_escape')
            yield point, fields[fields.index('-') + 1]


def kind_of(path):
    """Type of the file system that holds `path`."""
    return subprocess.run(['stat', '-f', '-c', '%T', str(path)], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def own_mounts():
    """Mount points of the machine's own files, the root first."""
    points = ['/']
    for point, kind in mounts():
        if kind not in DISKS or not os.path.isdir(point) or point in points:
            continue
        if any(point == p or point.startswith(p + '/') for p in NOT_OWN):
            continue
        points.append(point)
    return points
