# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole daemon for the api tests: stauerd, stauer-launcher, monitors and workers of the build on a private bus with a fake
systemd and a fake polkit, the fake runtime, the vfs driver; any user. A mount namespace shows it a cgroup v2 tree, whatever
the host has."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from common.processes import descendants, end_all
from private_bus import BUILD, TREE, PrivateBus, wait_for

HERE = Path(__file__).resolve().parent
BUS_NAME = 'org.stauer.Engine1'
CGROUP2 = 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"'


def program(name):
    for folder in ('daemon', 'fetcher', 'launcher', 'monitor', 'worker', 'runtime', 'configd'):
        path = BUILD / 'service' / folder / name
        if path.exists():
            return path
    return Path('/usr/libexec/stauer') / name


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def json(self):
        return json.loads(self.data)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('localhost', timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class EngineDaemon:
    """start() and kill() as often as one likes: data and run root stay."""

    def __init__(self, folder, *options, polkit=None, network=False):
        """network: it and its workers have a network namespace of their own, and make networks and firewall rules there."""
        self.folder = Path(folder)
        self.network = network
        self.options = options
        self.data, self.run = self.folder / 'data', self.folder / 'run'
        self.socket = self.folder / 'docker.sock'
        for name in ('bus', 'run', 'libexec'):
            (self.folder / name).mkdir()
        for name in ('stauer-monitor', 'stauer-worker', 'stauer-fetcher'):
            (self.folder / 'libexec' / name).symlink_to(program(name))
        (self.folder / 'sysconfig').write_text('DOCKER_OPTS=""\n')

        self.bus = PrivateBus(self.folder / 'bus')
        self.bus.add_policy(BUS_NAME)
        self.bus.start()
        self.bus.polkit(polkit or {'*': 'yes'})
        self.systemd({})
        self.systemd_process = self.bus.spawn(sys.executable, HERE / 'fake_systemd.py', self.folder / 'systemd.json',
                                              self.folder / 'systemd.asked')
        wait_for(lambda: self.bus.has_name('org.freedesktop.systemd1'), 'the fake systemd is there')
        self.log = open(self.folder / 'log', 'ab')                # pylint: disable=consider-using-with
        own = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'] if network else []
        self.launcher = self._spawn(*own, program('stauer-launcher'), '--socket', self.run / 'launcher.sock', '--libexec',
                                    self.folder / 'libexec')
        wait_for((self.run / 'launcher.sock').exists, 'the launcher listens')
        self.process = None

    def _spawn(self, *command):
        env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)
        return subprocess.Popen([str(c) for c in command], env=env, stderr=self.log, stdout=self.log)

    def systemd(self, answers):
        """{"start": ok|fail|hang|slow|refuse, …}"""
        (self.folder / 'systemd.new').write_text(json.dumps(answers))
        (self.folder / 'systemd.new').rename(self.folder / 'systemd.json')

    def systemd_asked(self):
        path = self.folder / 'systemd.asked'
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def start(self, *more, wait=True):
        space = ['-m'] if os.geteuid() == 0 else ['-U', '-r', '-m', '-C']
        network = [] if self.network else ['--bridge', 'none', '--iptables=false']
        join = ['nsenter', '-n', '-t', self.launcher.pid] if self.network else []
        self.process = self._spawn(
            *join, 'unshare', *space, '--propagation', 'private', 'sh', '-c', CGROUP2, 'sh', program('stauerd'),
            '--sysconfig-file', self.folder / 'sysconfig', '--lens-dir', TREE / 'config/lenses',
            '--configd', program('stauer-configd'), '--seccomp-profile', TREE / 'engine/container/seccomp.json',
            '--data-root', self.data, '--exec-root', self.run,
            '-H', f'unix://{self.socket}', '-s', 'vfs', *network, '--add-runtime', f'fake={HERE / "fake-runtime"}', '--default-runtime',
            'fake', '-D', *self.options, *more)
        if wait:
            wait_for(lambda: self.process.poll() is not None or self.answers(), 'stauerd answers')
            assert self.process.poll() is None, self.text()
        return self

    def answers(self):
        try:
            return self.get('/_ping', timeout=2).status == 200
        except OSError:
            return False

    def connection(self, timeout=30):
        return UnixConnection(self.socket, timeout)

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = UnixConnection(self.socket, timeout)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request('GET', path, **more)

    def post(self, path, body=None, **more):
        return self.request('POST', path, body, **more)

    def delete(self, path, **more):
        return self.request('DELETE', path, **more)

    def text(self):
        return (self.folder / 'log').read_text(errors='replace')

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        status = self.process.wait(20)
        self.process = None
        return status

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill(signal.SIGTERM)
        # Monitors outlive daemon and launcher, and what they run outlives them.
        left = descendants(self.launcher.pid)
        self.launcher.terminate()
        self.launcher.wait()
        end_all(left)
        self.bus.end()
        self.log.close()
        for pin in (self.run / 'netns').glob('*') if self.network else ():    # what waits for containers
            subprocess.run(['umount', '-l', pin], check=False, stderr=subprocess.DEVNULL)

    def inside(self, *command):
        """Output of a command in the daemon's network namespace."""
        return subprocess.run(['nsenter', '-n', '-t', str(self.launcher.pid), *command], check=True, capture_output=True, text=True).stdout


def wait_until(condition, what, seconds=10):
    return wait_for(condition, what, seconds)


def pause(seconds):
    time.sleep(seconds)
