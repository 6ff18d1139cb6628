# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays the daemon for stauer-launcher and stauer-monitor: asks the launcher for processes, hands a monitor its
specification and its socket, says go, reads the records."""

import array
import fcntl
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from common.processes import descendants, end_all

BUILD = Path(os.environ.get('STAUER_BUILD') or Path(__file__).resolve().parents[2] / 'build/gcc')
FAKE_RUNTIME = Path(__file__).resolve().with_name('fake-runtime')

# lib/api/launcher-protocol.h
REQUEST = struct.Struct('=IIQi80sI')
MESSAGE = struct.Struct('=IIQiiii')
MONITOR, WORKER = 1, 2
ANSWER, EXIT = 1, 2

SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def program(name):
    """Of the build, else the installed one."""
    for folder in ('service/monitor', 'service/launcher', 'service/worker', 'service/runtime'):
        if (BUILD / folder / name).exists():
            return BUILD / folder / name
    return Path('/usr/libexec/stauer') / name


def send_fds(sock, data, fds):
    sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])


def receive_fds(sock, size, timeout=10):
    ready, _, _ = select.select([sock], [], [], timeout)
    assert ready, 'no message came'
    data, control, _, _ = sock.recvmsg(size, socket.CMSG_SPACE(16 * 4))
    fds = array.array('i')
    for level, kind, content in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
    return data, list(fds)


class Launcher:
    """A stauer-launcher of our own, and one connection to it."""

    def __init__(self, folder, libexec=None):
        self.path = str(folder / 'launcher.sock')
        if libexec is None:
            libexec = folder / 'libexec'
            libexec.mkdir()
            for name in ('stauer-monitor', 'stauer-worker'):
                if program(name).exists():
                    (libexec / name).symlink_to(program(name))
        self.process = subprocess.Popen(           # pylint: disable=consider-using-with
                [program('stauer-launcher'), '--socket', self.path, '--libexec', str(libexec)])
        self.tag = 0
        self.socket = self.connect()

    def connect(self):
        deadline = time.monotonic() + 10
        while True:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                s.connect(self.path)
                return s
            except OSError:
                s.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    def request(self, kind, label, fds=(), version=1, level=7):
        self.tag += 1
        send_fds(self.socket, REQUEST.pack(version, kind, self.tag, level, label.encode(), 0), fds)
        return self.tag

    def message(self, timeout=10):
        data, fds = receive_fds(self.socket, 4096, timeout)
        if not data:
            return None
        version, kind, tag, error, pid, code, status = MESSAGE.unpack(data)
        assert version == 1
        return {'type': kind, 'tag': tag, 'error': error, 'pid': pid, 'code': code, 'status': status, 'fds': fds}

    def start(self, kind, label, fds=()):
        tag = self.request(kind, label, fds)
        while True:
            m = self.message()
            assert m, 'the launcher hung up'
            if m['type'] == ANSWER:
                assert m['tag'] == tag
                if m['error']:
                    raise OSError(-m['error'], os.strerror(-m['error']))
                return m['pid'], m['fds'][0]

    def end(self):
        left = descendants(self.process.pid)
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        end_all(left)


def sealed(text):
    fd = os.memfd_create('spec', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    return fd


def make_rootfs(path):
    """Static busybox and the files that an image has."""
    (path / 'bin').mkdir(parents=True)
    for name in ('etc', 'tmp', 'dev', 'proc', 'sys', 'home/web'):
        (path / name).mkdir(parents=True)
    shutil.copy('/bin/busybox', path / 'bin/busybox')
    for name in subprocess.run(['/bin/busybox', '--list'], stdout=subprocess.PIPE, text=True, check=True).stdout.split():
        if name != 'busybox':
            (path / 'bin' / name).symlink_to('busybox')
    (path / 'etc/passwd').write_text('root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/home/web:/bin/sh\n')
    (path / 'etc/group').write_text('root:x:0:\nwebbers:x:44:\nextra:x:55:web\n')
    (path / 'etc/not-executable').write_text('x')
    return path


def oci_config(args, env=(), **more):
    """A small config.json; more: replaces members."""
    return {
            'ociVersion': '1.0.2',                # what Debian 12's crun takes
            'process': {'args': list(args), 'cwd': '/',
                        'env': ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', *env],
                        'capabilities': {kind: ['CAP_KILL', 'CAP_SETUID', 'CAP_SETGID', 'CAP_CHOWN']
                                         for kind in ('bounding', 'effective', 'permitted')}},
            'root': {'readonly': False},
            'hostname': 'test',
            'mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                       {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs',
                        'options': ['nosuid', 'strictatime', 'mode=755', 'size=65536k']}],
            'linux': {'namespaces': [{'type': kind} for kind in ('pid', 'ipc', 'uts', 'mount', 'network')]},
            **more,
    }


class Monitor:
    """One stauer-monitor. Not connected until connect()."""

    def __init__(self, launcher, folder, rootfs, config, runtime=FAKE_RUNTIME, identity=None, rootfs_mount=None,
                 **spec):
        self.id = identity or os.urandom(32).hex()
        self.run = folder / self.id
        self.run.mkdir()
        self.log = folder / f'{self.id}-json.log'
        self.path = str(self.run / 'm.sock')
        self.socket = None
        self.spec = {
                'version': 1, 'id': self.id, 'name': 'tester', 'image': 'busybox:test', 'run_dir': str(self.run),
                'bundle_dir': str(self.run / 'bundle'), 'log_path': str(self.log),
                'rootfs': rootfs_mount or {'type': 'bind', 'source': str(rootfs)}, 'config': config, 'user': '',
                'runtime': str(runtime), 'runtime_root': str(folder / 'runtime'), 'log_driver': 'json-file',
                'stop_timeout_usec': 10_000_000, 'stop_signal': 15, **spec,
        }
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # a path may be longer than a socket's name
        dir_fd = os.open(self.run, os.O_PATH)
        listener.bind(f'/proc/self/fd/{dir_fd}/m.sock')
        self.address = (dir_fd, 'm.sock')
        listener.listen()
        fd = sealed(json.dumps(self.spec))
        self.pid, self.pidfd = launcher.start(MONITOR, self.id, [fd, listener.fileno()])
        os.close(fd)
        listener.close()
        self.serial = 0

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(f'/proc/self/fd/{self.address[0]}/{self.address[1]}')
        self.socket = s
        return s

    def disconnect(self):
        self.socket.close()
        self.socket = None

    def record(self, kind=None, timeout=15):
        """The next record; with a kind, what comes before it is passed over. None: the monitor hung up."""
        while True:
            data, _ = receive_fds(self.socket, 256 * 1024, timeout)
            if not data:
                return None
            assert data[:1] == b'J'
            record = json.loads(data[1:])
            if kind is None or record['type'] == kind:
                return record
            assert not (record['type'] == 'failed'), record['error']

    def command(self, kind, **members):
        self.serial += 1
        self.socket.send(b'J' + json.dumps({'type': kind, 'serial': self.serial, **members}).encode())
        return self.serial

    def ask(self, kind, **members):
        serial = self.command(kind, **members)
        while True:
            record = self.record('reply')
            if record['serial'] == serial:
                return record

    def go(self):
        self.connect()
        record = self.record()
        assert record and record['type'] == 'ready', record
        self.command('go')
        return self.record('started')

    def taken(self):
        """The daemon has saved the exit."""
        self.socket.shutdown(socket.SHUT_WR)

    def wait_end(self, timeout=15):
        ready, _, _ = select.select([self.pidfd], [], [], timeout)
        assert ready, 'the monitor does not end'

    def is_alive(self):
        return not select.select([self.pidfd], [], [], 0)[0]

    def exit_file(self):
        return json.loads((self.run / 'exit.json').read_text(encoding='utf-8'))

    def lines(self, log=None):
        return [json.loads(line) for line in (log or self.log).read_text(encoding='utf-8').splitlines()]

    def text(self, stream=None):
        return ''.join(line['log'] for line in self.lines() if stream in (None, line['stream']))
