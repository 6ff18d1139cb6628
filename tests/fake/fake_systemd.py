# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd1 as far as stauerd asks it: transient scopes without cgroups, their jobs, their end. A scope lives as long as the
processes that were put into it; what these started is known by looking at /proc now and then, so that KillUnit reaches it.

How it behaves stands in a file of JSON, {"start": ok|fail|hang|slow, "stop": …, "kill": …, "freeze": …, "thaw": …, "set": …, "state": running|stopping}; each call is written to a second
file, a line of JSON each, StartTransientUnit with its properties. The bus comes from DBUS_SYSTEM_BUS_ADDRESS. SIGHUP is a
daemon-reload, SIGUSR1 a daemon-reexec: the name goes away for a moment and nobody is subscribed any more."""

import fnmatch
import json
import os
import signal
import sys

import dbus
import dbus.bus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = 'org.freedesktop.systemd1'
PATH = '/org/freedesktop/systemd1'
MANAGER = NAME + '.Manager'
SLOW_MSEC = 700
LOOK_MSEC = 100


class NoSuchUnit(dbus.DBusException):
    _dbus_error_name = NAME + '.NoSuchUnit'


class UnitExists(dbus.DBusException):
    _dbus_error_name = NAME + '.UnitExists'


class Refused(dbus.DBusException):
    _dbus_error_name = 'org.freedesktop.DBus.Error.AccessDenied'


def plain(value):
    if isinstance(value, dbus.ByteArray) or (isinstance(value, dbus.Array) and value.signature == 'y'):
        return [int(v) for v in value]
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    return str(value)


def encode(name):
    return ''.join(c if c.isalnum() and c.isascii() else f'_{ord(c):02x}' for c in name)


def decode(text):
    out, i = '', 0
    while i < len(text):
        if text[i] == '_':
            out, i = out + chr(int(text[i + 1:i + 3], 16)), i + 3
        else:
            out, i = out + text[i], i + 1
    return out


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as f:
            return f.read().rpartition(')')[2].split()[0] not in ('Z', 'X')
    except OSError:
        return False


def children():
    """Parent to children, of all processes that we see."""
    table = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as f:
                    parent = int(f.read().rpartition(')')[2].split()[1])
                table.setdefault(parent, []).append(int(entry))
            except (OSError, IndexError):
                pass
    return table


class Scope:
    def __init__(self, name, properties):
        self.name = name
        self.properties = properties
        self.pids = {int(p) for p in properties.get('PIDs', [])}
        self.look()

    def look(self):
        table = children()
        todo = [p for p in self.pids if alive(p)]
        found = set(todo)
        while todo:
            for child in table.get(todo.pop(), []):
                if child not in found:
                    found.add(child)
                    todo.append(child)
        self.pids = {p for p in found | self.pids if alive(p)}

    def kill(self, number):
        self.look()
        for pid in self.pids:
            try:
                os.kill(pid, number)
            except OSError:
                pass


class Unit(dbus.service.FallbackObject):
    """Every path below …/unit: a unit that is not there is inactive, as systemd has it."""

    def __init__(self, bus, manager):
        super().__init__(bus, PATH + '/unit')
        self.manager = manager

    @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss', out_signature='v', path_keyword='path')
    def Get(self, interface, name, path=None):
        unit = decode(path.rpartition('/')[2])
        if name != 'ActiveState':
            raise dbus.DBusException('no such property', name='org.freedesktop.DBus.Error.UnknownProperty')
        return 'active' if unit in self.manager.scopes else 'inactive'


class Job(dbus.service.FallbackObject):
    """Every path below …/job: a job that is not there any more is none, as systemd has it."""

    def __init__(self, bus, manager):
        super().__init__(bus, PATH + '/job')
        self.manager = manager

    @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss', out_signature='v', path_keyword='path')
    def Get(self, interface, name, path=None):
        kind = self.manager.jobs.get(str(path))
        if name != 'JobType' or not kind:
            raise dbus.DBusException('no such job', name='org.freedesktop.DBus.Error.UnknownObject')
        return kind


class Manager(dbus.service.Object):
    def __init__(self, bus, answers, asked):
        super().__init__(bus, PATH)
        self.answers = answers
        self.asked = asked
        self.scopes = {}
        self.last_job = 0
        self.jobs = {}
        self.subscribed = False
        self.unit = Unit(bus, self)
        self.job_objects = Job(bus, self)
        GLib.timeout_add(LOOK_MSEC, self.look)

    def note(self, **row):
        with open(self.asked, 'a', encoding='utf-8') as f:
            f.write(json.dumps(row) + '\n')

    def answer(self, what):
        with open(self.answers, encoding='utf-8') as f:
            return json.load(f).get(what, 'ok')

    def look(self):
        for scope in list(self.scopes.values()):
            scope.look()
            if not scope.pids:
                del self.scopes[scope.name]
                if self.subscribed:
                    self.UnitRemoved(scope.name, PATH + '/unit/' + encode(scope.name))
        return True

    def job(self, name, answer, kind, result='done'):
        self.last_job += 1
        number, path = self.last_job, f'{PATH}/job/{self.last_job}'
        self.jobs[path] = kind
        if self.subscribed:
            self.JobNew(dbus.UInt32(number), path, name)
        if answer != 'hang':
            result = 'failed' if answer == 'fail' else result
            GLib.timeout_add(SLOW_MSEC if answer == 'slow' else 1, self.end_job, number, path, name, result)
        return dbus.ObjectPath(path)

    def end_job(self, number, path, name, result):
        del self.jobs[path]
        if self.subscribed:
            self.JobRemoved(dbus.UInt32(number), path, name, result)
        return False

    @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss', out_signature='v')
    def Get(self, interface, name):
        if name != 'SystemState':
            raise dbus.DBusException('no such property', name='org.freedesktop.DBus.Error.UnknownProperty')
        state = self.answer('state')
        return 'running' if state == 'ok' else state

    @dbus.service.method(MANAGER)
    def Subscribe(self):
        self.subscribed = True

    @dbus.service.method(MANAGER, in_signature='ssa(sv)a(sa(sv))', out_signature='o')
    def StartTransientUnit(self, name, mode, properties, auxiliary):
        table = {}
        for key, value in properties:
            value = plain(value)
            table[str(key)] = table[str(key)] + value if key in table and isinstance(value, list) else value
        self.note(call='start', name=str(name), mode=str(mode), properties=table)
        answer = self.answer('start')
        if answer == 'refuse':
            raise Refused('not today')
        if str(name) in self.scopes:
            raise UnitExists(f'Unit {name} was already loaded or has a fragment file.')
        if answer != 'fail':
            self.scopes[str(name)] = Scope(str(name), table)
        return self.job(name, answer, 'start')

    @dbus.service.method(MANAGER, in_signature='ss', out_signature='o')
    def StopUnit(self, name, mode):
        self.note(call='stop', name=str(name), mode=str(mode))
        if str(name) not in self.scopes:
            raise NoSuchUnit(f'Unit {name} not loaded.')
        path = self.job(name, self.answer('stop'), 'stop')          # told before it acts
        self.scopes[str(name)].kill(signal.SIGTERM)
        return path

    @dbus.service.method(MANAGER, in_signature='ssi')
    def KillUnit(self, name, whom, number):
        self.note(call='kill', name=str(name), whom=str(whom), signal=int(number))
        if str(name) not in self.scopes:
            raise NoSuchUnit(f'Unit {name} not loaded.')
        if self.answer('kill') == 'ok':
            self.scopes[str(name)].kill(int(number))

    def set_frozen(self, name, frozen):
        self.note(call='freeze' if frozen else 'thaw', name=str(name))
        answer = self.answer('freeze' if frozen else 'thaw')
        if str(name) not in self.scopes:
            raise NoSuchUnit(f'Unit {name} not loaded.')
        if answer == 'refuse':
            raise Refused('not today')
        self.scopes[str(name)].kill(signal.SIGSTOP if frozen else signal.SIGCONT)

    @dbus.service.method(MANAGER, in_signature='s')
    def FreezeUnit(self, name):
        self.set_frozen(name, True)

    @dbus.service.method(MANAGER, in_signature='s')
    def ThawUnit(self, name):
        self.set_frozen(name, False)

    @dbus.service.method(MANAGER, in_signature='sba(sv)')
    def SetUnitProperties(self, name, runtime, properties):
        self.note(call='set', name=str(name), runtime=bool(runtime), properties={str(k): plain(v) for k, v in properties})
        if str(name) not in self.scopes:
            raise NoSuchUnit(f'Unit {name} not loaded.')
        if self.answer('set') == 'refuse':
            raise Refused('not today')

    @dbus.service.method(MANAGER, in_signature='s')
    def ResetFailedUnit(self, name):
        self.note(call='reset-failed', name=str(name))

    @dbus.service.method(MANAGER, in_signature='asas', out_signature='a(ssssssouso)')
    def ListUnitsByPatterns(self, states, patterns):
        rows = [(n, n, 'loaded', 'active', 'running', '', dbus.ObjectPath(PATH + '/unit/' + encode(n)), dbus.UInt32(0), '',
                 dbus.ObjectPath('/')) for n in self.scopes if any(fnmatch.fnmatchcase(n, str(p)) for p in patterns)]
        return dbus.Array([dbus.Struct(r, signature='ssssssouso') for r in rows], signature='(ssssssouso)')

    @dbus.service.signal(MANAGER, signature='uos')
    def JobNew(self, number, path, name):
        pass

    @dbus.service.signal(MANAGER, signature='uoss')
    def JobRemoved(self, number, path, name, result):
        pass

    @dbus.service.signal(MANAGER, signature='so')
    def UnitRemoved(self, name, path):
        pass

    @dbus.service.signal(MANAGER, signature='b')
    def Reloading(self, active):
        pass


def main():
    bus = dbus.bus.BusConnection(os.environ['DBUS_SYSTEM_BUS_ADDRESS'], mainloop=DBusGMainLoop())
    manager = Manager(bus, *sys.argv[1:3])
    bus.request_name(NAME)

    def reload():
        manager.Reloading(True)
        manager.Reloading(False)
        return True

    def reexec():
        bus.release_name(NAME)
        manager.subscribed = False
        bus.request_name(NAME)
        return True

    def end():
        """As at the end of a machine: nothing in a scope goes on."""
        for scope in manager.scopes.values():
            scope.kill(signal.SIGKILL)
        loop.quit()

    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, end)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGHUP, reload)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, reexec)
    loop.run()


main()
