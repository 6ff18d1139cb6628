# SPDX-License-Identifier: GPL-2.0-or-later
"""The same through D-Bus, with the vocabulary of face_rest."""

import json
import os
import socket
import tempfile

import dbus
import dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from face_common import CONTAINER, EXEC, IMAGE, MANAGER, NAME, NETWORK, PROPERTIES, ROOT, VOLUME, FaceError, subsequence
from gi.repository import GLib
from private_bus import wait_for
from streams import Stream

# dbus-python may still be called for one that is closed, and fails when its object is gone.
CONNECTIONS = []


def plain(value):
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, dbus.Array)):
        return [plain(v) for v in value]
    if isinstance(value, (tuple, dbus.Struct)):
        return tuple(plain(v) for v in value)
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dbus.types.UnixFd):
        return value
    return str(value)


class BusFace:
    name = 'bus'

    def __init__(self, daemon, subscribe=True):
        self.daemon = daemon
        self.bus = dbus.bus.BusConnection(daemon.bus.address, mainloop=DBusGMainLoop())
        CONNECTIONS.append(self.bus)
        self.signals = []
        self.bus.add_signal_receiver(self._signal, path_keyword='path', member_keyword='member',
                                     interface_keyword='interface', bus_name=None)
        if subscribe:
            self.manager('Subscribe')

    def _signal(self, *args, path=None, member=None, interface=None):
        self.signals.append((str(path), str(interface), str(member), plain(args)))

    def close(self):
        self.bus.close()

    def pump(self):
        context = GLib.MainContext.default()
        while context.pending():
            context.iteration(False)

    def signal(self, match, what, seconds=15):
        def found():
            self.pump()
            return next((s for s in self.signals if match(s)), None)
        return wait_for(found, what, seconds)

    def call(self, path, interface, method, signature='', *args, timeout=30):
        try:
            return plain(self.bus.call_blocking(NAME, path, interface, method, signature, args, timeout=timeout))
        except dbus.DBusException as e:
            kind = e.get_dbus_name()
            assert kind.startswith(f'{NAME}.Error.') or kind.startswith('org.freedesktop.DBus.Error.'), kind
            raise FaceError(kind.rpartition('.')[2], e.get_dbus_message()) from None

    def manager(self, method, signature='', *args):
        return self.call(ROOT, MANAGER, method, signature, *args)

    def container(self, name, method, signature='', *args):
        return self.call(self.manager('GetContainer', 's', name), CONTAINER, method, signature, *args)

    def get(self, path, interface, name):
        return self.call(path, PROPERTIES, 'Get', 'ss', interface, name)

    def properties(self, path, interface):
        return self.call(path, PROPERTIES, 'GetAll', 's', interface)

    def version(self):
        return json.loads(self.manager('GetVersion'))

    def info(self):
        return json.loads(self.manager('GetInfo'))

    def job(self, path):
        """What the job made; its end is in a signal."""
        _, _, _, (result, error, lines) = self.signal(lambda s: s[0] == path and s[2] == 'Removed', f'end of {path}')
        if result != 'done':
            raise FaceError('Job', error)
        assert error == ''
        return lines

    def load(self, path):
        with open(path, 'rb') as f:
            return self.job(self.manager('LoadImage', 'h', dbus.types.UnixFd(f)))

    def import_(self, path, repository='', tag='', message='', changes=()):
        with open(path, 'rb') as f:
            job = self.manager('ImportImage', 'hsssass', dbus.types.UnixFd(f), repository, tag, message,
                               dbus.Array(changes, signature='s'), '')
        return self.job(job)[-1]

    def pull(self, name, tag='', platform='', auth=None):
        return self.job(self.manager('PullImage', 'ssss', name, tag, platform, json.dumps(auth) if auth else ''))

    @staticmethod
    def _filters(filters):
        table = {k: [w for w in v] for k, v in (filters or {}).items()}
        return dbus.Dictionary(table, signature='sas')

    def images(self, all=False, filters=None):
        rows = self.manager('ListImages', 'ba{sas}', all, self._filters(filters))
        return [(row[0], sorted(row[1])) for row in rows]

    def image_path(self, name):
        return self.manager('GetImage', 's', name)

    def image(self, name):
        return json.loads(self.call(self.image_path(name), IMAGE, 'Inspect'))

    def history(self, name):
        return json.loads(self.call(self.image_path(name), IMAGE, 'History'))

    def tag(self, name, repository, tag=''):
        self.call(self.image_path(name), IMAGE, 'Tag', 'ss', repository, tag)

    def remove_image(self, name, force=False, no_prune=False):
        return self.manager('RemoveImage', 'sbb', name, force, no_prune)

    def create(self, name, body):
        path, warnings = self.manager('CreateContainerFromJSON', 'ss', name or '', json.dumps(body))
        return path.rpartition('/')[2], warnings

    def containers(self, all=False, filters=None):
        return [(row[0], row[1], row[3]) for row in self.manager('ListContainers', 'ba{sas}', all, self._filters(filters))]

    def inspect(self, name):
        return json.loads(self.container(name, 'Inspect'))

    def start(self, name):
        self.container(name, 'Start')

    def stop(self, name, seconds=None):
        self.container(name, 'Stop', 't', 0 if seconds is None else max(seconds * 1000000, 1))

    def restart(self, name, seconds=None, signal=''):
        self.container(name, 'Restart', 'st', signal, 0 if seconds is None else max(seconds * 1000000, 1))

    def pause(self, name):
        self.container(name, 'Pause')

    def unpause(self, name):
        self.container(name, 'Unpause')

    def update(self, name, body):
        return self.container(name, 'UpdateFromJSON', 's', json.dumps(body))

    def top(self, name, args=''):
        return self.container(name, 'Top', 's', args)

    def prune(self, filters=None):
        return self.manager('PruneContainers', 'a{sas}', self._filters(filters))

    def volumes(self, filters=None):
        return [row[0] for row in self.manager('ListVolumes', 'a{sas}', self._filters(filters))]

    def volume_path(self, name):
        return self.manager('GetVolume', 's', name)

    def volume(self, name):
        return json.loads(self.call(self.volume_path(name), VOLUME, 'Inspect'))

    def create_volume(self, name='', driver='', options=None, labels=None):
        path = self.manager('CreateVolume', 'ssa{ss}a{ss}', name, driver, dbus.Dictionary(options or {}, signature='ss'),
                            dbus.Dictionary(labels or {}, signature='ss'))
        return self.get(path, VOLUME, 'Name')

    def remove_volume(self, name):
        self.call(self.volume_path(name), VOLUME, 'Remove')

    def prune_volumes(self, filters=None):
        return self.manager('PruneVolumes', 'a{sas}', self._filters(filters))

    def networks(self, filters=None):
        return [row[1] for row in self.manager('ListNetworks', 'a{sas}', self._filters(filters))]

    def network_path(self, name):
        return self.manager('GetNetwork', 's', name)

    def network(self, name):
        return json.loads(self.call(self.network_path(name), NETWORK, 'Inspect'))

    def create_network(self, body):
        path = self.manager('CreateNetworkFromJSON', 's', json.dumps(body))
        return self.get(path, NETWORK, 'Id')

    def remove_network(self, name):
        self.call(self.network_path(name), NETWORK, 'Remove')

    def connect(self, network, container, endpoint=None):
        e = endpoint or {}
        lists = {'Aliases': 'Aliases', 'Links': 'Links'}
        self.container(container, 'ConnectNetwork', 'sa{sv}', network, self._options(
            **{name: e.get('IPAMConfig', {}).get(name) for name in ('IPv4Address', 'IPv6Address')}, MacAddress=e.get('MacAddress'),
            **{name: dbus.Array(e[key], signature='s') for name, key in lists.items() if key in e},
            GatewayPriority=dbus.Int64(e['GwPriority']) if 'GwPriority' in e else None,
            Options=dbus.Dictionary(e['DriverOpts'], signature='ss') if 'DriverOpts' in e else None))

    def disconnect(self, network, container, force=False):
        self.container(container, 'DisconnectNetwork', 'sb', network, force)

    def prune_networks(self, filters=None):
        return self.manager('PruneNetworks', 'a{sas}', self._filters(filters))

    def rename(self, name, new):
        self.container(name, 'Rename', 's', new)

    def kill(self, name, signal=''):
        self.container(name, 'Kill', 's', signal)

    def wait(self, name, condition=''):
        return self.container(name, 'Wait', 's', condition)

    def remove(self, name, force=False, volumes=False):
        self.container(name, 'Remove', 'bb', force, volumes)

    def logs(self, name, stdout=True, stderr=True, tail=None, timestamps=False, follow=False, since=None, until=None):
        options = {'Stdout': dbus.Boolean(stdout), 'Stderr': dbus.Boolean(stderr), 'Follow': dbus.Boolean(follow),
                   'Timestamps': dbus.Boolean(timestamps)}
        if tail is not None:
            options['Tail'] = dbus.Int64(-1 if tail == 'all' else tail)
        if since is not None:
            options['SinceTimestamp'] = dbus.UInt64(int(float(since) * 1000000))
        if until is not None:
            options['UntilTimestamp'] = dbus.UInt64(int(float(until) * 1000000))
        fd = self.container(name, 'GetLogs', 'a{sv}', dbus.Dictionary(options, signature='sv')).take()
        with os.fdopen(fd, 'rb') as pipe:
            return pipe.read().decode()

    def stat_path(self, name, path):
        return json.loads(self.container(name, 'StatPath', 's', path))

    def copy_from(self, name, path):
        with os.fdopen(self.container(name, 'CopyFrom', 's', path).take(), 'rb') as pipe:
            return pipe.read()

    def copy_to(self, name, path, tar, keep_kind=False, give_owner=False):
        with tempfile.TemporaryFile() as f:
            f.write(tar)
            f.seek(0)
            self.container(name, 'CopyTo', 'sha{sv}', path, dbus.types.UnixFd(f), dbus.Dictionary({
                'NoOverwriteDirNonDir': dbus.Boolean(keep_kind), 'CopyUIDGID': dbus.Boolean(give_owner)}, signature='sv'))

    def export(self, name):
        with os.fdopen(self.container(name, 'Export').take(), 'rb') as pipe:
            return pipe.read()

    def changes(self, name):
        return [(int(kind), str(path)) for kind, path in self.container(name, 'GetChanges')]

    def commit(self, name, repository='', tag='', comment='', author='', changes=(), config=None, pause=None):
        return self.job(self.container(name, 'Commit', 'a{sv}', dbus.Dictionary({
            'Repository': repository, 'Tag': tag, 'Comment': comment, 'Author': author,
            'Changes': dbus.Array(changes, signature='s'), 'Config': json.dumps(config) if config else '',
            **({} if pause is None else {'Pause': pause})}, signature='sv')))[-1]

    @staticmethod
    def _options(**options):
        return dbus.Dictionary({k: v for k, v in options.items() if v is not None}, signature='sv')

    @staticmethod
    def _stream(fd):
        return Stream(socket.socket(fileno=fd.take()))

    @staticmethod
    def _stream_file(fd):
        """A pipe that is read like one."""
        return Stream(None, os.fdopen(fd.take(), 'rb'))

    def attach(self, name, stdin=True, stdout=True, stderr=True, detach_keys=None):
        return self._stream(self.container(name, 'Attach', 'a{sv}', self._options(
            Stdin=dbus.Boolean(stdin), Stdout=dbus.Boolean(stdout), Stderr=dbus.Boolean(stderr), DetachKeys=detach_keys)))

    def resize(self, name, height, width):
        self.container(name, 'Resize', 'uu', height, width)

    def exec_path(self, identity):
        return self.manager('GetExec', 's', identity)

    def exec_options(self, user='', env=(), folder='', privileged=False, tty=False, detach_keys='', streams=True, size=None):
        flag = dbus.Boolean(streams)
        return self._options(
            User=user, Environment=dbus.Array(env, signature='s'), WorkingDirectory=folder, Privileged=dbus.Boolean(privileged),
            Tty=dbus.Boolean(tty), DetachKeys=detach_keys, Stdin=flag, Stdout=flag, Stderr=flag,
            ConsoleSize=size and dbus.Struct(map(dbus.UInt32, size)))

    def exec_create(self, name, *command, **options):
        return self.container(name, 'CreateExec', 'asa{sv}', dbus.Array(command, signature='s'),
                              self.exec_options(**options)).rpartition('/')[2]

    def exec_start(self, identity):
        self.call(self.exec_path(identity), EXEC, 'Start', 'a{sv}', self._options())

    def exec_attach(self, identity, size=None):
        return self._stream(self.call(self.exec_path(identity), EXEC, 'StartAttached', 'a{sv}', self._options(
            ConsoleSize=size and dbus.Struct(map(dbus.UInt32, size)))))

    def exec_resize(self, identity, height, width):
        self.call(self.exec_path(identity), EXEC, 'Resize', 'uu', height, width)

    def exec_inspect(self, identity):
        return json.loads(self.call(self.exec_path(identity), EXEC, 'Inspect'))

    def exec_wait(self, identity):
        return self.call(self.exec_path(identity), EXEC, 'Wait')

    def watch(self, filters=None):
        return BusEvents(self, filters)

    def events(self, since=0, until=None, filters=None):
        rows = self.manager('GetEvents', 'tta{sas}', int(since * 1000000), int((until or 0) * 1000000), self._filters(filters))
        return [(kind, action, identity, attributes) for kind, action, identity, _, attributes in rows]


class BusEvents:
    """The Event signals of the manager; filtering is up to the caller there."""

    def __init__(self, face, filters):
        self.face = face
        self.type = (filters or {}).get('type', [None])[0]
        face.pump()
        self.first = len(face.signals)

    @property
    def seen(self):
        self.face.pump()
        return [(kind, action, identity, attributes) for _, _, member, args in self.face.signals[self.first:]
                if member == 'Event' for kind, action, identity, _, attributes in [args] if self.type in (None, kind)]

    def wait(self, *actions):
        return wait_for(lambda: subsequence(self.seen, actions), f'events {actions}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
