# SPDX-License-Identifier: GPL-2.0-or-later
"""firewalld as far as stauerd asks it: zones and the interfaces that are in them. The arguments are the file where it stands what it has, a
JSON object {zone: [interface, …]} that is also where it begins, and the file of its calls. SIGHUP is a reload: what was added to the running
configuration is forgotten, and "Reloaded" is told. The bus comes from DBUS_SYSTEM_BUS_ADDRESS."""

import json
import os
import signal
import sys

import dbus
import dbus.bus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = 'org.fedoraproject.FirewallD1'
PATH = '/org/fedoraproject/FirewallD1'
ZONE = NAME + '.zone'


class Refused(dbus.DBusException):
    _dbus_error_name = NAME + '.Exception'


class Firewall(dbus.service.Object):
    def __init__(self, bus, state, asked):
        super().__init__(bus, PATH)
        self.state, self.asked = state, asked
        with open(state, encoding='utf-8') as f:
            self.permanent = json.load(f)
        self.reload()

    def reload(self):
        self.zones = {zone: list(links) for zone, links in self.permanent.items()}
        self.save()

    def save(self):
        with open(self.state + '.new', 'w', encoding='utf-8') as f:
            json.dump(self.zones, f)
        os.rename(self.state + '.new', self.state)

    def note(self, *row):
        with open(self.asked, 'a', encoding='utf-8') as f:
            f.write(json.dumps(row) + '\n')

    def zone_of(self, link):
        return next((zone for zone, links in self.zones.items() if link in links), '')

    @dbus.service.method(ZONE, in_signature='s', out_signature='s')
    def getZoneOfInterface(self, link):
        self.note('getZoneOfInterface', link)
        return self.zone_of(link)

    @dbus.service.method(ZONE, in_signature='ss', out_signature='s')
    def addInterface(self, zone, link):
        self.note('addInterface', zone, link)
        if zone not in self.zones:
            raise Refused(f'INVALID_ZONE: {zone}')
        if self.zone_of(link):
            raise Refused(f"ZONE_CONFLICT: '{link}' already bound to a zone")
        self.zones[zone].append(str(link))
        self.save()
        return zone

    @dbus.service.method(ZONE, in_signature='ss', out_signature='s')
    def removeInterface(self, zone, link):
        self.note('removeInterface', zone, link)
        found = zone or self.zone_of(link)
        if not found:
            raise Refused(f'UNKNOWN_INTERFACE: {link}')
        self.zones[found].remove(str(link))
        self.save()
        return found

    @dbus.service.signal(NAME, signature='')
    def Reloaded(self):
        pass


def main():
    loop = GLib.MainLoop()
    bus = dbus.bus.BusConnection(os.environ['DBUS_SYSTEM_BUS_ADDRESS'], mainloop=DBusGMainLoop())
    firewall = Firewall(bus, *sys.argv[1:])

    def hup():
        firewall.reload()
        firewall.Reloaded()
        return True
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGHUP, hup)
    assert bus.request_name(NAME) == dbus.bus.REQUEST_NAME_REPLY_PRIMARY_OWNER
    loop.run()


if __name__ == '__main__':
    main()
