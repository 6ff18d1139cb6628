# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots a sandbox and takes it away again.

Two processes stand between the program that a person started and the booted system:

    sandbox ── keeper ── supervisor ── systemd-nspawn ── systemd

The *supervisor* is process 1 of a process namespace and owns the mount namespace in which everything is mounted: when it
is gone, however that happened, the kernel ends every process and every mount of the sandbox. The *keeper* waits for the
end of either the supervisor or the `sandbox` program, and then removes what is left on disk and in the cgroup tree. If
somebody kills the keeper itself, the supervisor dies with it and the next sandbox removes the files.

Which controllers a sandbox gets: cgroup v2 offers those that the machine has not bound to v1. Where the machine mounts v1
controllers (cpu, cpuacct, cpuset, memory, devices, freezer, blkio, pids), only `hugetlb` and the like are left for v2, and
the machine's set-up is not ours to change. So MemoryMax=, CPUQuota=, TasksMax= and IO*= are accepted by systemd in a
sandbox but do nothing there; cgroup.freeze, cgroup.kill, cgroup.events, pressure, the device filter (BPF) and usage_usec
in cpu.stat need no controller and work. Tests of limits belong into tests/vm. On a machine that booted with v2 only, the
sandbox runs in a delegated scope and has all controllers.

A sandbox has at most the capabilities of the program that starts it: on a machine whose root lacks CAP_SYS_RESOURCE nobody
in there can raise a hard limit, so crun, which wants RLIMIT_MEMLOCK without end for its device filter, does not start."""

import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from machine import build, linux
from machine.host import SOURCE, Failure, key

import layer

# Folders that must not lie on an overlay: engines put overlays of their own there.
REAL = ('/var/lib/docker', '/var/lib/containers', '/var/lib/containerd', '/var/lib/peer', '/var/log/journal')

BOOT_TIMEOUT_SEC = 120

SUPERVISOR_CGROUP = '/sys/fs/cgroup/supervisor-of-nspawn'


def send_process(sock, pid):
    """Tells the other end who `pid` is; the kernel translates the number into the receiver's process namespace."""
    sock.sendmsg([b'booted'], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack('3i', pid, 0, 0))])


def receive_process(sock):
    """The pid of the booted system's process 1. What the other end has to say instead is a Failure."""
    data, control, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(struct.calcsize('3i')))
    if data != b'booted':
        raise Failure(data.decode(errors='replace') or 'The sandbox ended while it was starting.')
    for level, kind, value in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return struct.unpack('3i', value)[0]
    raise Failure('The sandbox did not say which process it is.')


# cgroups

def _cgroup_root():
    """Where this machine has mounted cgroup v2, or None."""
    for point, kind in linux.mounts():
        if kind == 'cgroup2':
            return point
    return None


def _own_cgroup():
    with open('/proc/self/cgroup', encoding='utf-8') as f:
        for line in f:
            if line.startswith('0::'):
                return line[3:].strip()
    return '/'


def make_cgroup(name, scope):
    """Makes the cgroup in which the sandbox boots, and returns its path: in the delegated scope that we run in where
    systemd manages the machine, else below the cgroup that we are in."""
    if not _cgroup_root():              # v1 only: v2 is there nevertheless, mounted for us alone
        linux.private_mounts()
        linux.mount('cgroup2', 'cgroup2', '/sys/fs/cgroup')
    root = _cgroup_root()
    parent = os.path.normpath(f'{root}/{_own_cgroup()}')
    if scope:
        # A cgroup that hands controllers down holds no process itself.
        os.makedirs(f'{parent}/keeper', exist_ok=True)
        Path(parent, 'keeper/cgroup.procs').write_text(str(os.getpid()), encoding='utf-8')
        for controller in Path(parent, 'cgroup.controllers').read_text(encoding='utf-8').split():
            Path(parent, 'cgroup.subtree_control').write_text(f'+{controller}', encoding='utf-8')
        path = f'{parent}/machine'
    else:
        path = f'{parent}/stauer-{name}'
    os.makedirs(path, exist_ok=True)
    return path


def remove_cgroup(path):
    if not os.path.isdir(path):
        return
    kill = Path(path, 'cgroup.kill')
    if kill.exists():
        kill.write_text('1', encoding='utf-8')
    for attempt in range(100):
        try:
            for folder, _, _ in os.walk(path, topdown=False):
                os.rmdir(folder)
            return
        except FileNotFoundError:
            return
        except OSError:                 # the last processes are still on their way out
            time.sleep(0.02)


# What is left behind

def remove_files(run_dir):
    """Removes the folder of a sandbox that has ended. The lock goes last: it says that nobody is here."""
    for entry in os.scandir(run_dir):
        if entry.name == 'lock':
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            os.unlink(entry.path)
    shutil.rmtree(run_dir, ignore_errors=True)


# The keeper

def keeper(run_dir, scope, alive_fd, report_fd, arguments):
    """Runs until the sandbox has ended, and leaves nothing behind."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)

    cgroup = make_cgroup(arguments['name'], scope)
    Path(run_dir, 'cgroup').write_text(cgroup, encoding='utf-8')

    linux.unshare(linux.CLONE_NEWPID)
    pid = os.fork()
    if pid == 0:
        linux.die_with_parent()
        os.close(alive_fd)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        _supervise(run_dir, cgroup, report_fd, arguments)
    os.close(report_fd)

    def stop(*_):
        os.kill(pid, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    Path(run_dir, 'keeper').write_text(str(os.getpid()), encoding='utf-8')
    _wait_for_an_end(pid, alive_fd, stop)
    remove_cgroup(cgroup)
    remove_files(run_dir)


def _wait_for_an_end(pid, alive_fd, stop):
    """Until the supervisor has ended; ends it when the program at the other end of `alive_fd` is gone without having
    said that the sandbox shall stay."""
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(alive_fd, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd == pidfd:
                os.waitpid(pid, 0)
                return
            if os.read(alive_fd, 1) != b'k':
                stop()
            poll.unregister(alive_fd)


# The supervisor

def _supervise(run_dir, cgroup, report_fd, arguments):
    report = socket.socket(fileno=report_fd)
    try:
        code = _boot(run_dir, cgroup, report, arguments)
    except (Failure, OSError) as e:
        try:
            report.send(str(e).encode()[:60000])
        except OSError:
            pass
        code = 1
    os._exit(code)


def _place(run_dir):
    """A folder on which overlays can put their changes: that of the sandbox, or memory where the cache lies on
    something that cannot do it."""
    if linux.kind_of(run_dir) in ('overlayfs', 'nfs', 'cifs', 'smb2', 'v9fs', 'fuseblk', 'fuse', 'virtiofs'):
        linux.mount('tmpfs', 'tmpfs', f'{run_dir}/memory', 'mode=700')
        return f'{run_dir}/memory'
    return run_dir


def _boot(run_dir, cgroup, report, arguments):
    linux.private_mounts()
    linux.unshare(linux.CLONE_NEWIPC)
    place = _place(run_dir)
    linux.mount('proc', 'proc', '/proc')
    # An empty /run: nobody below here finds this machine's systemd, D-Bus or nspawn, if there are any.
    linux.mount('tmpfs', 'tmpfs', '/run', 'mode=755')
    root = '/run/root'

    linux.mount('ext4', arguments['layer'], '/run/layer', 'loop,ro,noload')

    def lowers(point):
        folder = f'{layer.upper("/run/layer", point)}/upper'
        return [folder] if os.path.isdir(folder) else []

    layer.mount_tree(lowers, lambda point: f'{place}/changes/{key(point)}', root)
    for folder in REAL:
        os.makedirs(f'{place}/real{folder}', exist_ok=True)
        os.makedirs(root + folder, exist_ok=True)
        linux.bind(f'{place}/real{folder}', root + folder)
    Path(root, 'etc/machine-id').write_text(os.urandom(16).hex() + '\n', encoding='utf-8')
    build.install(Path(arguments['build']), root)

    # A cgroup tree whose root is our own cgroup: the rest of the machine's is out of sight. nspawn hands the controllers
    # of the cgroup it starts in on to the system it boots, so nothing else may stay there.
    Path(cgroup, 'cgroup.procs').write_text('0', encoding='utf-8')
    linux.unshare(linux.CLONE_NEWCGROUP)
    linux.mount('tmpfs', 'tmpfs', '/sys/fs/cgroup')     # the kernel refuses to mount a cgroup2 upon itself
    linux.mount('cgroup2', 'cgroup2', '/sys/fs/cgroup')
    os.mkdir(SUPERVISOR_CGROUP)
    Path(SUPERVISOR_CGROUP, 'cgroup.procs').write_text('0', encoding='utf-8')
    return _nspawn(root, place, report, arguments)


def _nspawn(root, place, report, arguments):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind('/run/notify')

    command = [
            'systemd-nspawn', '--quiet', '--boot', '--directory', root, '--machine', arguments['name'],
            '--hostname', 'stauer-sandbox', '--register=no', '--keep-unit', '--settings=no', '--link-journal=no',
            '--resolv-conf=off', '--timezone=off', '--private-network', '--capability=all',
            '--system-call-filter=@known', '--console=read-only', '--notify-ready=yes',
    ]
    command += [f'--bind={device}' for device in ('/dev/fuse', '/dev/net/tun') if os.path.exists(device)]

    # nspawn puts fresh file systems onto some folders, and makes others in /tmp: what has to be seen there goes aside.
    if str(SOURCE).startswith(('/tmp/', '/run/', '/dev/')):
        linux.aside(SOURCE, '/run/source')
        os.makedirs(f'{place}/changes/source/upper')
        linux.aside(f'{place}/changes/source', '/run/source-changes')
        command.append(f'--overlay=/run/source:/run/source-changes/upper:{SOURCE}')
    for number, path in enumerate(arguments['bind']):
        linux.aside(path, f'/run/bind-{number}')
        command.append(f'--bind=/run/bind-{number}:{path}')

    environment = dict(os.environ, NOTIFY_SOCKET='/run/notify', SYSTEMD_NSPAWN_UNIFIED_HIERARCHY='1',
                       SYSTEMD_NSPAWN_API_VFS_WRITABLE='1', SYSTEMD_NSPAWN_LOCK='0')

    with open(f'{arguments["run"]}/console.log', 'w+b') as console:
        linux.mount('tmpfs', 'tmpfs', '/tmp', 'mode=1777')
        nspawn = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd='/', env=environment,
                preexec_fn=lambda: Path('/sys/fs/cgroup/cgroup.procs').write_text('0', encoding='utf-8'))
        leader = _wait_for_boot(notify, nspawn, console)
    # The booted system goes on sending its status. Nobody reads it any more, and a full socket would stop it.
    notify.close()
    os.unlink('/run/notify')
    send_process(report, leader)
    report.close()

    # Process 1 of a namespace inherits its orphans.
    while True:
        pid, _ = os.wait()
        if pid == nspawn.pid:
            return 0


def _wait_for_boot(notify, nspawn, console):
    leader = None
    deadline = time.monotonic() + BOOT_TIMEOUT_SEC
    notify.settimeout(0.2)
    while time.monotonic() < deadline:
        try:
            fields = notify.recv(65536).decode(errors='replace').splitlines()
        except TimeoutError:
            if nspawn.poll() is not None:
                break
            continue
        for field in fields:
            if field.startswith('X_NSPAWN_LEADER_PID='):
                leader = int(field.partition('=')[2])
        if 'READY=1' in fields and leader:
            return leader
    console.seek(0)
    text = console.read().decode(errors='replace')
    why = 'ended' if nspawn.poll() is not None else f'did not finish within {BOOT_TIMEOUT_SEC} s'
    raise Failure(f'The boot of the sandbox {why}. Its console said:\n{text[-8000:]}')


def main():
    """The keeper's process: sandbox starts it as a program, so that it can be put into a scope of its own."""
    arguments = json.loads(sys.argv[1])
    keeper(arguments['run'], arguments['scope'], arguments['alive'], arguments['report'], arguments)
