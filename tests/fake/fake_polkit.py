# SPDX-License-Identifier: GPL-2.0-or-later
"""polkit as far as our services ask it. Answers stand in a file of JSON, {action: yes|no|challenge|hang|fail}, "*" for all
others; each question is written to a second file, a line of JSON each. The bus comes from DBUS_SYSTEM_BUS_ADDRESS."""

import json
import os
import sys

import dbus
import dbus.bus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

INTERFACE = 'org.freedesktop.PolicyKit1.Authority'


class Failed(dbus.DBusException):
    _dbus_error_name = 'org.freedesktop.PolicyKit1.Error.Failed'


def text(value):
    if isinstance(value, dict):
        return {str(k): text(v) for k, v in value.items()}
    if isinstance(value, dbus.types.UnixFd):
        os.close(value.take())
        return 'fd'
    return int(value) if isinstance(value, int) else str(value)


class Authority(dbus.service.Object):
    def __init__(self, bus, answers, asked):
        super().__init__(bus, '/org/freedesktop/PolicyKit1/Authority')
        self.answers = answers
        self.asked = asked
        self.waiting = {}

    def note(self, **row):
        with open(self.asked, 'a', encoding='utf-8') as f:
            f.write(json.dumps(row) + '\n')

    @dbus.service.method(INTERFACE, in_signature='(sa{sv})sa{ss}us', out_signature='(bba{ss})', async_callbacks=('ok', 'fail'))
    def CheckAuthorization(self, subject, action, details, flags, cancellation, ok, fail):
        self.note(kind=str(subject[0]), subject=text(subject[1]), action=str(action), details=text(details), flags=int(flags))
        with open(self.answers, encoding='utf-8') as f:
            answers = json.load(f)
        answer = answers.get(str(action), answers.get('*', 'no'))
        if answer == 'hang':
            self.waiting[str(cancellation)] = fail
            return
        if answer == 'fail':
            fail(Failed('no idea'))
            return
        ok(dbus.Struct((answer == 'yes', answer == 'challenge', dbus.Dictionary({}, signature='ss')), signature='bba{ss}'))

    @dbus.service.method(INTERFACE, in_signature='s', out_signature='')
    def CancelCheckAuthorization(self, cancellation):
        self.note(cancelled=str(cancellation))
        fail = self.waiting.pop(str(cancellation), None)
        if fail:
            fail(Failed('cancelled'))


def main():
    bus = dbus.bus.BusConnection(os.environ['DBUS_SYSTEM_BUS_ADDRESS'], mainloop=DBusGMainLoop())
    authority = Authority(bus, *sys.argv[1:3])
    name = dbus.service.BusName('org.freedesktop.PolicyKit1', bus)
    GLib.MainLoop().run()
    del authority, name


main()
