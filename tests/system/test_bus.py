# SPDX-License-Identifier: GPL-2.0-or-later
"""The system bus with nothing but busctl, as an administrator would try it: the life of a container, its signals, and who is refused.
(The options over the bus: test_options.py. Every member of every interface: tests/api.)"""

import json
import os
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

import dbus
import pytest

import host
from common.wait import wait_for

# pylint: disable=redefined-outer-name

pytestmark = pytest.mark.usefixtures('clean')

NAME = 'org.stauer.Engine1'
ROOT = '/org/stauer/Engine1'
MANAGER = (NAME, ROOT, f'{NAME}.Manager')
CONFIG = ('org.stauer.Config1', '/org/stauer/Config1', 'org.stauer.Config1')

AS_NOBODY = ('setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--')


def busctl(*words, before=(), **more):
    return host.run(*before, 'busctl', '--json=short', '--', *words, **more)


def call(target, method, *arguments, **more):
    """What a method returns, as a list."""
    text = busctl('call', *target, method, *arguments, **more).stdout
    return json.loads(text)['data'] if text.strip() else []


def prop(path, name):
    return json.loads(busctl('get-property', NAME, path, f'{NAME}.Container', name).stdout)['data']


class Listener:
    """`busctl monitor` while something happens, beside somebody who has subscribed: without him there is nothing to see."""

    def __init__(self, folder):
        self.path = folder / 'messages'
        self.number = 0

    def __enter__(self):
        self.subscriber = dbus.SystemBus(private=True)
        self.subscriber.call_blocking(NAME, ROOT, f'{NAME}.Manager', 'Subscribe', '', ())
        self.file = open(self.path, 'wb')                 # pylint: disable=consider-using-with
        self.process = subprocess.Popen(['busctl', 'monitor', '--json=short', f'--match=type=signal,sender={NAME}'],
                                        stdout=self.file, stderr=subprocess.PIPE, text=True)
        assert 'Monitoring bus message stream' in self.process.stderr.readline()
        return self

    def __exit__(self, *_):
        self.subscriber.close()
        self.process.terminate()
        self.process.wait()
        self.file.close()

    def signals(self):
        """(path, member, arguments) of what has come so far."""
        found = []
        for line in self.path.read_text().splitlines():
            message = json.loads(line)
            if message.get('type') == 'signal':
                found.append((message['path'], message['member'], message['payload']['data']))
        return found

    def heard(self, path, member, test=lambda *_: True):
        return [s for s in self.signals() if s[0] == path and s[1] == member and test(*s[2])]


def create(name, command, *more):
    """CreateContainer with typed properties: (path, warnings)."""
    words = [name, 'busybox', str(2 + len(more)), 'Command', 'as', str(len(command)), *command, 'NetworkMode', 's', 'none']
    for extra in more:
        words += extra
    return call(MANAGER, 'CreateContainer', 'ssa{sv}', *words)


def test_contract_is_introspected(busybox):
    path, _ = create('seen', ['true'])
    for target, kind in ((ROOT, 'Manager'), (path, 'Container')):
        text = json.loads(busctl('call', NAME, target, 'org.freedesktop.DBus.Introspectable', 'Introspect').stdout)['data'][0]
        interfaces = {node.get('name') for node in xml.fromstring(text).iter('interface')}
        assert f'{NAME}.{kind}' in interfaces
    tree = host.run('busctl', 'tree', '--list', NAME).stdout.split()
    assert path in tree
    assert any(p.startswith(f'{ROOT}/image/') for p in tree)
    objects = call((NAME, ROOT, 'org.freedesktop.DBus.ObjectManager'), 'GetManagedObjects')[0]
    assert path in objects


def test_life_with_typed_properties_and_signals(busybox, tmp_path):
    controllers = Path('/sys/fs/cgroup/cgroup.controllers').read_text().split()
    # What the kernel cannot do is refused, as Docker has it for a number of CPUs.
    cpu = [['CPUQuotaPerSecUSec', 't', '500000']] if 'cpu' in controllers else []
    with Listener(tmp_path) as listener:
        path, warnings = create('typed', ['sh', '-c', 'trap "echo bye; exit 7" TERM; echo $GREETING; while :; do sleep 0.02; done'],
                                ['Environment', 'as', '1', 'GREETING=hello'], ['Labels', 'a{ss}', '1', 'team', 'blue'],
                                ['MemoryMax', 't', str(256 << 20)], *cpu,
                                ['TasksMax', 't', '64'], ['StopTimeoutUSec', 't', '20000000'], ['ReadOnlyRootFS', 'b', 'true'])
        ident = path.rpartition('/')[2]
        wait_for(lambda: listener.heard(ROOT, 'InterfacesAdded', lambda p, _: p == path), 'InterfacesAdded')
        # A controller that the host lacks is a warning, never a silent loss.
        assert ('memory' in controllers) == (not any('emory' in w for w in warnings)), warnings

        assert prop(path, 'State') == 'created'
        call((NAME, path, f'{NAME}.Container'), 'Start')
        assert prop(path, 'State') == 'running'
        show = host.unit(f'docker-{ident}.scope', 'MemoryMax', 'CPUQuotaPerSecUSec', 'TasksMax', 'TimeoutStopUSec')
        assert show['MemoryMax'] == (str(256 << 20) if 'memory' in controllers else show['MemoryMax'])
        if 'cpu' in controllers:
            assert show['CPUQuotaPerSecUSec'] == '500ms'
        wait_for(lambda: listener.heard(path, 'PropertiesChanged',
                                        lambda i, changed, _: changed.get('State', {}).get('data') == 'running'), 'State changed')
        wait_for(lambda: 'hello' in host.stauer('logs', 'typed').stdout, 'it says hello')

        with subprocess.Popen(['busctl', '--json=short', '--timeout=60', '--', 'call', NAME, path, f'{NAME}.Container', 'Wait', 's', ''],
                              stdout=subprocess.PIPE, text=True) as waiting:
            call((NAME, path, f'{NAME}.Container'), 'Stop', 't', '10000000')
            assert json.loads(waiting.communicate()[0])['data'] == [7]
        assert prop(path, 'State') == 'exited' and prop(path, 'ExitCode') == 7
        assert prop(path, 'CPUUsageNSec') > 0
        assert prop(path, 'Labels') == {'team': 'blue'}

        wait_for(lambda: listener.heard(path, 'PropertiesChanged',
                                        lambda i, changed, _: changed.get('State', {}).get('data') == 'exited'), 'State changed')
        call((NAME, path, f'{NAME}.Container'), 'Remove', 'bb', 'false', 'false')
        wait_for(lambda: listener.heard(ROOT, 'InterfacesRemoved', lambda p, _: p == path), 'InterfacesRemoved')
        actions = [data[1] for _, _, data in listener.heard(ROOT, 'Event', lambda kind, *_: kind == 'container')]
        assert actions == ['create', 'start', 'kill', 'die', 'stop', 'destroy']
    error = busctl('call', NAME, path, f'{NAME}.Container', 'Start', check=False)
    assert error.returncode != 0


def test_errors_have_names(busybox):
    bus = dbus.SystemBus(private=True)
    manager = dbus.Interface(bus.get_object(NAME, ROOT), f'{NAME}.Manager')
    path, _ = create('errors', ['sleep', '1000'])
    container = dbus.Interface(bus.get_object(NAME, path), f'{NAME}.Container')
    for ask, kind, text in ((lambda: manager.GetContainer('nobody'), 'NotFound', 'No such container: nobody'),
                            (lambda: create_by(manager, 'errors'), 'Exists', 'is already in use'),
                            (lambda: create_by(manager, 'other', Nonsense=1), 'Invalid', 'Nonsense'),
                            (lambda: create_by(manager, 'other', MemoryMax='much'), 'Invalid', 'MemoryMax'),
                            (lambda: container.Kill('KILL'), ('NotRunning', 'Conflict'), 'is not running')):
        with pytest.raises(dbus.DBusException) as e:
            ask()
        kinds = kind if isinstance(kind, tuple) else (kind,)
        assert e.value.get_dbus_name() in [f'{NAME}.Error.{k}' for k in kinds], e.value
        assert text in e.value.get_dbus_message(), e.value
    bus.close()


def create_by(manager, name, **properties):
    return manager.CreateContainer(name, 'busybox', dbus.Dictionary(properties, signature='sv'))


def test_log_is_a_descriptor(busybox):
    bus = dbus.SystemBus(private=True)
    path, _ = create('writer', ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.05; done; echo oops >&2'])
    container = dbus.Interface(bus.get_object(NAME, path), f'{NAME}.Container')
    container.Start()
    fd = container.GetLogs(dbus.Dictionary({'Follow': True}, signature='sv'), timeout=20).take()
    with os.fdopen(fd, 'rb') as stream:                   # ends with the container
        text = stream.read()
    assert text.count(b'\n') == 4
    assert b'1\n' in text and b'3\n' in text and b'oops\n' in text
    bus.close()


def test_load_by_descriptor(busybox_archive):
    """The job says how it went."""
    bus = dbus.SystemBus(private=True)
    manager = dbus.Interface(bus.get_object(NAME, ROOT), f'{NAME}.Manager')
    with open(busybox_archive, 'rb') as f:
        job = manager.LoadImage(dbus.types.UnixFd(f.fileno()))
    assert job.startswith(f'{ROOT}/job/')
    wait_for(lambda: not manager.ListJobs(), 'the job is done')
    assert manager.GetImage('busybox:latest').startswith(f'{ROOT}/image/')
    bus.close()


@pytest.mark.parametrize('words', [
        [*MANAGER, 'ListContainers', 'ba{sas}', 'true', '0'], [*MANAGER, 'ListImages', 'ba{sas}', 'true', '0'], [*MANAGER, 'GetInfo'],
        [*MANAGER, 'CreateContainerFromJSON', 'ss', '', '{"Image": "busybox"}'],
        [*MANAGER, 'RemoveImage', 'sbb', 'busybox', 'true', 'false'],
        [NAME, ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'],
        [NAME, ROOT, 'org.freedesktop.DBus.Properties', 'GetAll', 's', f'{NAME}.Manager'],
        [*CONFIG, 'ListOptions'], [*CONFIG, 'Set', 'ss', 'debug', 'true'],
], ids=lambda words: words[3])
def test_nobody_is_refused(busybox, words):
    done = busctl('call', *words, before=AS_NOBODY, check=False)
    assert done.returncode != 0
    assert 'authentication required' in done.stderr or 'denied' in done.stderr.lower(), done.stderr


def test_nobody_is_refused_at_a_container(busybox):
    path, _ = create('mine', ['sleep', '1000'])
    for words in (['Start'], ['Stop', 't', '0'], ['Kill', 's', 'KILL'], ['Remove', 'bb', 'true', 'true'], ['Inspect'], ['GetLogs', 'a{sv}', '0']):
        done = busctl('call', NAME, path, f'{NAME}.Container', *words, before=AS_NOBODY, check=False)
        assert done.returncode != 0 and ('authentication required' in done.stderr or 'denied' in done.stderr.lower()), done.stderr
    done = busctl('get-property', NAME, path, f'{NAME}.Container', 'Labels', before=AS_NOBODY, check=False)
    assert done.returncode != 0
    assert prop(path, 'State') == 'created'
    journal = host.run('journalctl', '-u', 'stauer.service', '-o', 'cat', '-n', '200', 'AUTH_RESULT=refused').stdout
    assert 'org.stauer.engine.manage-containers' in journal


def test_options_while_the_daemon_is_down():
    host.run('systemctl', 'stop', 'stauer.socket', 'stauer.service')
    try:
        assert any(o['Name']['data'] == 'storage-driver' for o in call(CONFIG, 'ListOptions')[0])
        assert host.unit('stauer.service', 'ActiveState')['ActiveState'] == 'inactive'
    finally:
        host.run('systemctl', 'start', 'stauer.socket', 'stauer.service')


@pytest.mark.parametrize('unit', ['stauer.service', 'stauer-configd.service'])
def test_exposure(unit):
    """systemd-analyze security: what the unit may do beyond what it needs, 0 to 10."""
    host.run('systemd-analyze', 'security', '--no-pager', '--offline=true', '--threshold=35', f'/lib/systemd/system/{unit}')
    text = host.run('systemd-analyze', 'security', '--no-pager', unit, check=False).stdout
    level = float(text.rstrip().splitlines()[-1].split(f'for {unit}:')[1].split()[0])
    print(f'{unit}: {level}')
    assert level <= 3.5
