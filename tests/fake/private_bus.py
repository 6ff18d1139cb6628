# SPDX-License-Identifier: GPL-2.0-or-later
"""A bus of our own: dbus-daemon with the policies of the tree, a fake polkit on it, and calls as any user."""

import json
import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path

import dbus
import dbus.bus

from common.wait import wait_for

TREE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('STAUER_BUILD') or TREE / 'build/gcc')
NOBODY = 65534

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{folder}/services</servicedir>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.systemd1"/>
    <allow send_destination="org.fedoraproject.FirewallD1"/>
  </policy>
  <policy user="{user}">
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow own="org.freedesktop.systemd1"/>
    <allow own="org.fedoraproject.FirewallD1"/>
  </policy>
  <includedir>{folder}/policies</includedir>
</busconfig>
"""


class BusError(Exception):
    def __init__(self, name, text):
        super().__init__(f'{name}: {text}')
        self.name = name
        self.text = text


def plain(value):
    """Values of dbus-python as plain ones."""
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, dbus.Array)):
        return [plain(v) for v in value]
    if isinstance(value, (tuple, dbus.Struct)):
        return [plain(v) for v in value]
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str(value)


class PrivateBus:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.address = f'unix:path={self.folder}/bus'
        self.children = []
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        for name in ('services', 'policies'):
            (self.folder / name).mkdir()
        # Other users must get to the socket through pytest's folders.
        for parent in [self.folder, *self.folder.parents]:
            if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o111)
        (self.folder / 'bus.conf').write_text(CONFIG.format(folder=self.folder, user=self.user))

    def add_policy(self, name):
        """A policy of the tree; who is root there is here whoever runs the test."""
        text = (TREE / 'dbus' / f'{name}.conf').read_text()
        (self.folder / 'policies' / f'{name}.conf').write_text(text.replace('user="root"', f'user="{self.user}"'))

    def add_service(self, name, *command):
        (self.folder / 'services' / f'{name}.service').write_text(
            f'[D-BUS Service]\nName={name}\nExec=' + ' '.join(str(c) for c in command) + '\n')

    def start(self):
        # Started services find this bus as the system's one. Their errors are ours to see.
        env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address)
        self.daemon = subprocess.Popen(
            ['dbus-daemon', f'--config-file={self.folder}/bus.conf', '--nofork', '--nopidfile', '--nosyslog'],
            env=env, stdout=subprocess.DEVNULL, stderr=open(self.folder / 'log', 'ab'))
        wait_for(self._listens, 'the bus listens')
        os.chmod(self.folder / 'bus', 0o666)

    def _listens(self):
        try:
            self.connect().close()
            return True
        except dbus.DBusException:
            return False

    def spawn(self, *command):
        child = subprocess.Popen([str(c) for c in command], env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address),
                                 stderr=open(self.folder / 'log', 'ab'))
        self.children.append(child)
        return child

    def polkit(self, answers):
        """Starts the fake, or gives it other answers: {action: yes|no|challenge|hang|fail}, "*" for the rest."""
        (self.folder / 'polkit.new').write_text(json.dumps(answers))
        (self.folder / 'polkit.new').rename(self.folder / 'polkit.json')
        if not self.has_name('org.freedesktop.PolicyKit1'):
            self.spawn(sys.executable, TREE / 'tests/fake/fake_polkit.py', self.folder / 'polkit.json', self.folder / 'polkit.asked')
            wait_for(lambda: self.has_name('org.freedesktop.PolicyKit1'), 'the fake polkit is there')

    def asked(self):
        path = self.folder / 'polkit.asked'
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def connect(self):
        return dbus.bus.BusConnection(self.address)

    def has_name(self, name):
        bus = self.connect()
        try:
            return bus.name_has_owner(name)
        finally:
            bus.close()

    def owner_pid(self, name):
        bus = self.connect()
        try:
            return int(bus.call_blocking('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                         'GetConnectionUnixProcessID', 's', (name,)))
        finally:
            bus.close()

    def call(self, name, path, interface, method, signature='', *args, uid=None, timeout=20):
        """The answer as plain values, as this user or (root only) another one."""
        if uid is not None and uid != os.geteuid():
            return self._call_as(uid, name, path, interface, method, signature, args, timeout)
        bus = self.connect()
        try:
            return plain(bus.call_blocking(name, path, interface, method, signature, args, timeout=timeout))
        except dbus.DBusException as e:
            raise BusError(e.get_dbus_name(), e.get_dbus_message()) from None
        finally:
            bus.close()

    def _call_as(self, uid, *args):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(read)
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                *head, call_args, timeout = args
                try:
                    answer = ['ok', self.call(*head, *call_args, timeout=timeout)]
                except BusError as e:
                    answer = ['error', e.name, e.text]
                except Exception as e:  # pylint: disable=broad-exception-caught
                    answer = ['broken', type(e).__name__, str(e)]
                os.write(write, json.dumps(answer).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        kind, *rest = json.loads(text)
        if kind == 'error':
            raise BusError(*rest)
        assert kind == 'ok', rest                   # a call that never was one is no refusal
        return rest[0]

    def other_uid(self):
        """A caller that is not root: somebody else for root, else the user of the test."""
        return NOBODY if os.geteuid() == 0 else os.geteuid()

    def log(self):
        return re.sub(r'\x1b\[[0-9;]*m', '', (self.folder / 'log').read_text(errors='replace'))

    def end(self):
        for child in self.children:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
                    child.wait()
        self.daemon.terminate()
        self.daemon.wait()
