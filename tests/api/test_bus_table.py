# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/DBUS.md names every route, and only members that there are."""

import re
import xml.etree.ElementTree as xml

from private_bus import TREE

ROUTE = re.compile(r'\{ "([A-Z]+)", +"(/[^"]*)"')
ROW = re.compile(r'^\| `([A-Z]+) (/\S*)` \| (.*) \|$', re.M)
NOT_HERE = ('routes-swarm.c', 'routes-absent.c')


def routes(*names):
    found = set()
    for path in (TREE / 'rest').glob('*.c'):
        if (path.name in NOT_HERE) == (path.name in names):
            found |= set(ROUTE.findall(path.read_text()))
    return found


def table():
    return {(method, path): text for method, path, text in ROW.findall((TREE / 'docs/DBUS.md').read_text())}


def test_every_route_has_a_row():
    assert len(routes()) > 35
    assert not sorted(routes() - set(table()))


def test_every_row_is_a_route():
    assert not sorted(set(table()) - routes() - routes('routes-absent.c'))


def test_every_member_exists():
    known = {'org.freedesktop.DBus.Peer.Ping'}
    for path in (TREE / 'dbus').glob('org.stauer.Engine1.*.xml'):
        for interface in xml.parse(path).getroot().findall('interface'):
            kind = interface.get('name').rpartition('.')[2]
            known |= {f'{kind}.{node.get("name")}' for node in interface if node.tag in ('method', 'signal')}
    for route, text in table().items():
        members = re.findall(r'`([^`]+)`', text)
        assert members, route
        assert not [m for m in members if m not in known], route
