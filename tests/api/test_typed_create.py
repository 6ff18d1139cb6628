# SPDX-License-Identifier: GPL-2.0-or-later
"""The properties of CreateContainer beyond test_contract's: what a user of systemd would look for, in Docker's document."""

import json

import dbus
import pytest
from faces import CONTAINER, FaceError
from private_bus import wait_for

U64, U32 = dbus.UInt64, dbus.UInt32


def strings(*words):
    return dbus.Array(words, signature='s')


def create(bus, **table):
    table = {'NetworkMode': 'none', **table}
    path, _ = bus.manager('CreateContainer', 'ssa{sv}', 'typed', 'busybox', dbus.Dictionary(table, signature='sv'))
    return path


def documents(bus, **table):
    document = json.loads(bus.call(create(bus, **table), CONTAINER, 'Inspect'))
    return document['Config'], document['HostConfig']


def test_health(bus):
    config, _ = documents(
        bus, HealthCommand=strings('test', '-e', '/ok'), HealthIntervalUSec=U64(1500000), HealthTimeoutUSec=U64(2000000),
        HealthStartPeriodUSec=U64(3000000), HealthStartIntervalUSec=U64(400000), HealthRetries=U32(4), OnUnhealthy='stop',
        Labels=dbus.Dictionary({'a': 'b'}, 'ss'))
    assert config['Healthcheck'] == {'Test': ['CMD', 'test', '-e', '/ok'], 'Interval': 1500000000, 'Timeout': 2000000000,
                                     'StartPeriod': 3000000000, 'StartInterval': 400000000, 'Retries': 4}
    assert config['Labels'] == {'a': 'b', 'org.stauer.on-unhealthy': 'stop'}


@pytest.mark.parametrize('table, test', [({'HealthShellCommand': 'test -e /ok'}, ['CMD-SHELL', 'test -e /ok']),
                                         ({'HealthCommand': strings()}, ['NONE'])])
def test_kinds_of_health(bus, table, test):
    config, _ = documents(bus, **table)
    assert config['Healthcheck']['Test'] == test


def test_what_follows_when_it_is_unhealthy(bus):
    path = create(bus, Command=strings('sleep', '1000'), HealthCommand=strings('false'), HealthIntervalUSec=U64(50000),
                  HealthRetries=U32(1), OnUnhealthy='kill', StopTimeoutUSec=U64(1))
    bus.call(path, CONTAINER, 'Start')
    assert bus.call(path, CONTAINER, 'Wait', 's', '') == 137


def test_restart_policy(bus):
    path = create(bus, Command=strings('sh', '-c', 'exit 3'), RestartPolicy='on-failure', RestartMaximumRetries=U32(2))
    assert json.loads(bus.call(path, CONTAINER, 'Inspect'))['HostConfig']['RestartPolicy'] == {
        'Name': 'on-failure', 'MaximumRetryCount': 2}
    bus.call(path, CONTAINER, 'Start')
    wait_for(lambda: bus.get(path, CONTAINER, 'RestartCount') == 2 and bus.get(path, CONTAINER, 'State') == 'exited', 'it gave up')


def test_terminal_and_files(bus):
    config, host = documents(
        bus, Tty=True, OpenStdin=True, StdinOnce=True, ConsoleSize=dbus.Struct((U32(30), U32(90))),
        Mounts=dbus.Array([('bind', '/tmp', '/mnt', True), ('tmpfs', '', '/t', False)], '(sssb)'),
        MaskedPaths=strings(), ReadOnlyPaths=strings('/proc/bus'))
    assert config['Tty'] and config['OpenStdin'] and config['StdinOnce'] and host['ConsoleSize'] == [30, 90]
    assert host['Mounts'] == [{'Type': 'bind', 'Source': '/tmp', 'Target': '/mnt', 'ReadOnly': True}, {'Type': 'tmpfs', 'Target': '/t'}]
    assert host['MaskedPaths'] == [] and host['ReadonlyPaths'] == ['/proc/bus']


def test_limits(bus):
    rates = {name: dbus.Array([('/dev/null', U64(n))], '(st)') for n, name in enumerate(
        ('IOReadBandwidthMax', 'IOWriteBandwidthMax', 'IOReadIOPSMax', 'IOWriteIOPSMax'), 1)}
    table = {'NetworkMode': 'none', 'BlockIOWeight': U64(300), **rates}
    path, warnings = bus.manager('CreateContainer', 'ssa{sv}', 'typed', 'busybox', dbus.Dictionary(table, signature='sv'))
    host = json.loads(bus.call(path, CONTAINER, 'Inspect'))['HostConfig']
    if len(warnings) == 5:                                     # a host without the io controller: it has read them all
        assert all('discarded' in w for w in warnings)
        return
    assert [host[f'BlkioDevice{name}'][0] for name in ('ReadBps', 'WriteBps', 'ReadIOps', 'WriteIOps')] == [
        {'Path': '/dev/null', 'Rate': n} for n in (1, 2, 3, 4)]
    assert host['BlkioWeight'] == 300


def test_network(bus):
    config, host = documents(
        bus, ExposedPorts=strings('80/tcp'), DNS=strings('1.1.1.1'), DNSSearch=strings('example'), DNSOptions=strings('ndots:1'),
        ExtraHosts=strings('a:10.0.0.1'), Platform='linux',
        PublishedPorts=dbus.Array([('80/tcp', '127.0.0.1', '8080'), ('53/udp', '', '53'), ('80/tcp', '', '')], '(sss)'))
    assert config['ExposedPorts'] == {'80/tcp': {}}
    assert host['Dns'] == ['1.1.1.1'] and host['DnsSearch'] == ['example'] and host['DnsOptions'] == ['ndots:1']
    assert host['ExtraHosts'] == ['a:10.0.0.1']
    assert host['PortBindings'] == {'80/tcp': [{'HostIp': '127.0.0.1', 'HostPort': '8080'}, {'HostIp': '', 'HostPort': ''}],
                                    '53/udp': [{'HostIp': '', 'HostPort': '53'}]}


@pytest.mark.parametrize('table, text', [
    ({'OnUnhealthy': 'pray'}, 'the value of property "OnUnhealthy" is none that it may have'),
    ({'HealthIntervalUSec': U64(2**63)}, 'the value of property "HealthIntervalUSec" is too large'),
    ({'BlockIOWeight': U64(70000)}, 'the value of property "BlockIOWeight" is too large'),
    ({'RestartPolicy': 'sometimes'}, "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or "
                                     "'unless-stopped'"),
    ({'Mounts': dbus.Array([('bind', '', '/x', False)], '(sssb)')}, 'invalid mount config for type "bind": field Source must not be empty')])
def test_refused(bus, table, text):
    with pytest.raises(FaceError) as info:
        create(bus, **table)
    assert (info.value.kind, info.value.text) == ('Invalid', text)
