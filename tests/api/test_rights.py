# SPDX-License-Identifier: GPL-2.0-or-later
"""What polkit is asked, by whom and about what: who may do less gets no more by another way."""

import http.client
import json
import os
import socket

import dbus
import pytest
from faces import CONTAINER, MANAGER, NAME, ROOT
from private_bus import BusError

PRIVILEGED = {'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none', 'Privileged': True}}
PLAIN = {'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {'NetworkMode': 'none'}}
BOUND = {**PLAIN, 'HostConfig': {'NetworkMode': 'none', 'Binds': ['/etc:/host']}}


class StrangeConnection(http.client.HTTPConnection):
    """To the REST socket as somebody else; the kernel notes who connects."""

    def __init__(self, daemon):
        super().__init__('localhost', timeout=20)
        self.daemon = daemon

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        os.chmod(self.daemon.socket, 0o666)
        here = os.open('.', os.O_PATH)
        os.chdir(os.path.dirname(self.daemon.socket))
        os.seteuid(self.daemon.bus.other_uid())
        try:
            self.sock.connect(os.path.basename(self.daemon.socket))
        finally:
            os.seteuid(0)
            os.fchdir(here)
            os.close(here)


def ask(daemon, method, path, body=None):
    connection = StrangeConnection(daemon)
    try:
        connection.request(method, path, body, {'Content-Type': 'application/json'} if body else {})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def three(daemon):
    ids = {name: daemon.post(f'/containers/create?name={name}', body).json['Id']
           for name, body in (('plain', PLAIN), ('privileged', PRIVILEGED), ('bound', BOUND))}
    daemon.bus.polkit({'org.stauer.engine.create-privileged': 'no', '*': 'yes'})
    return ids


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='needs root to be somebody else')


@needs_root
@pytest.mark.parametrize('name', ['privileged', 'bound'])
def test_files_of_containers_with_rights_on_the_host(daemon, three, name):
    """Who may not make such a container may not change what it runs, nor read the host through it."""
    for method, path in (('GET', 'archive?path=/etc'), ('HEAD', 'archive?path=/etc'), ('PUT', 'archive?path=/'), ('GET', 'export')):
        assert ask(daemon, method, f'/containers/{three[name]}/{path}') == 403, (method, path)
        assert ask(daemon, method, f'/containers/{three["plain"]}/{path}') != 403, (method, path)
    other = daemon.bus.other_uid()
    for method, signature, words in (('CopyFrom', 's', ['/etc']), ('Export', '', []), ('StatPath', 's', ['/etc'])):
        with pytest.raises(BusError) as info:
            daemon.bus.call(NAME, f'/org/stauer/Engine1/container/{three[name]}', CONTAINER, method, signature, *words, uid=other)
        assert info.value.name == 'org.freedesktop.DBus.Error.AccessDenied'


VIEW = [('GET', '/containers/json'), ('GET', '/containers/{}/json'), ('GET', '/containers/{}/changes'), ('GET', '/info'),
        ('GET', '/containers/{}/logs?stdout=1'), ('GET', '/events?until=1'), ('GET', '/images/json'), ('GET', '/system/df')]
MORE = [('POST', '/containers/{}/start'), ('POST', '/containers/{}/stop'), ('POST', '/containers/{}/kill'),
        ('POST', '/containers/{}/restart'), ('POST', '/containers/{}/pause'), ('POST', '/containers/{}/unpause'),
        ('POST', '/containers/{}/rename?name=x'), ('POST', '/containers/{}/update'), ('POST', '/containers/{}/resize?h=1&w=1'),
        ('POST', '/containers/{}/attach?stdin=1&stream=1'), ('POST', '/containers/{}/attach?logs=1&stdout=1'),
        ('POST', '/containers/{}/exec'), ('GET', '/containers/{}/export'), ('GET', '/containers/{}/archive?path=/'),
        ('HEAD', '/containers/{}/archive?path=/'), ('PUT', '/containers/{}/archive?path=/'), ('POST', '/containers/prune'),
        ('POST', '/commit?container={}'), ('POST', '/containers/create'), ('DELETE', '/containers/{}'),
        ('DELETE', '/images/busybox'), ('POST', '/images/busybox/tag?repo=x'), ('POST', '/images/load'),
        ('POST', '/images/create?fromSrc=-'), ('POST', '/build'), ('POST', '/build/prune')]


@needs_root
def test_who_may_only_look(daemon, three):
    """Looking is looking: it includes logs and the environment that inspect shows, as in Docker; nothing else."""
    bodies = {'/containers/create': '{"Image":"busybox"}', '/containers/{}/exec': '{"Cmd":["true"]}', '/containers/{}/update': '{}'}
    daemon.bus.polkit({'org.stauer.engine.view': 'yes', '*': 'no'})
    for method, path in VIEW:
        assert ask(daemon, method, path.format(three['plain'])) == 200, path
    for method, path in MORE:
        assert ask(daemon, method, path.format(three['plain']), bodies.get(path)) == 403, (method, path)
    daemon.bus.polkit({'*': 'no'})
    for method, path in VIEW + MORE:
        assert ask(daemon, method, path.format(three['plain']), bodies.get(path)) == 403, (method, path)


def build_on_the_bus(daemon, host, uid):
    fd = os.memfd_create('context')
    try:
        return daemon.bus.call(NAME, ROOT, MANAGER, 'BuildImage', 'hassssa{ss}a{ss}sb', dbus.types.UnixFd(fd), [], '', '', '', {}, {}, host,
                               False, uid=uid)
    finally:
        os.close(fd)


@needs_root
def test_who_may_build_gets_no_more_of_the_host(daemon, three):
    """Who may make images, but no container that is as good as root, makes none by way of RUN."""
    other = daemon.bus.other_uid()
    for network in ('host', f'container:{three["plain"]}'):
        assert ask(daemon, 'POST', f'/build?networkmode={network}') == 403, network
        with pytest.raises(BusError) as info:
            build_on_the_bus(daemon, json.dumps({'NetworkMode': network}), other)
        assert info.value.name == 'org.freedesktop.DBus.Error.AccessDenied', network
        assert daemon.bus.asked()[-1]['action'] == 'org.stauer.engine.create-privileged'
    for key, value in (('Privileged', True), ('Binds', ['/:/host']), ('CapAdd', ['ALL']), ('AutoRemove', True)):
        with pytest.raises(BusError) as info:
            build_on_the_bus(daemon, json.dumps({key: value}), other)
        assert f'{key} is no option of a build' in str(info.value)
    assert ask(daemon, 'POST', '/build?networkmode=none') not in (403, 500)


def test_what_is_told(daemon, three):
    """An administrator's rule can decide by what the container may do."""
    daemon.bus.polkit({'*': 'no'})
    with pytest.raises(BusError) as info:
        daemon.bus.call(NAME, f'/org/stauer/Engine1/container/{three["bound"]}', CONTAINER, 'Start', '', uid=daemon.bus.other_uid())
    assert info.value.name == 'org.freedesktop.DBus.Error.AccessDenied'
    details = daemon.bus.asked()[-1]['details']
    assert details['container'] == 'bound' and details['privilege'] == 'bind'
