# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers in networks through both faces: what they ask for at create, joining and leaving while they run and while not, the events of it,
and published ports."""

import re
import socket

import pytest
from conftest import end_daemon, is_root, load, make_daemon
from faces import FaceError, RestFace
from test_networks import create, endpoint, face, make, refused, run                        # pylint: disable=unused-import

# pylint: disable=redefined-outer-name
ONLY_USER_DEFINED = 'invalid endpoint settings: user-specified IP address is supported on user-defined networks only'
NO_ALIASES = 'invalid endpoint settings: network-scoped aliases are only supported for user-defined networks'
NOT_CHOSEN = ('invalid endpoint settings: user specified IP address is supported only when connecting to networks with user configured '
              'subnets')
ONE_NONE = 'container cannot be connected to multiple networks with one of the networks in private (none) mode'
SHARED = 'container sharing network namespace with another container or host cannot be connected to any other network'


def outside(address):
    return f'invalid endpoint settings: no configured subnet or ip-range contain the IP address {address}'


@pytest.fixture
def two(face):
    make(face, 'four', '10.64.0.0/16')
    make(face, 'both', '10.65.0.0/16', 'fd65::/64', EnableIPv6=True)
    return face


def test_all_that_an_endpoint_may_ask(two):
    wish = {'IPAMConfig': {'IPv4Address': '10.65.0.77', 'IPv6Address': 'fd65::77'}, 'MacAddress': '02:11:22:33:44:55', 'Aliases': ['uno', 'eins'],
            'DriverOpts': {'com.docker.network.endpoint.ifname': 'lan7'}, 'GwPriority': 5}
    identity = run(two, 'member', 'both', {'both': wish, 'four': {}})
    for round_ in ('created', 'connected'):
        e = endpoint(two, 'member', 'both')
        assert (e['IPAddress'], e['IPPrefixLen'], e['Gateway']) == ('10.65.0.77', 16, '10.65.0.1'), round_
        assert (e['GlobalIPv6Address'], e['GlobalIPv6PrefixLen'], e['IPv6Gateway']) == ('fd65::77', 64, 'fd65::1')
        assert e['MacAddress'] == '02:11:22:33:44:55' and e['Aliases'] == ['uno', 'eins'] and e['GwPriority'] == 5
        assert e['DriverOpts'] == wish['DriverOpts'] and e['IPAMConfig'] == wish['IPAMConfig']
        assert set(e['DNSNames']) == {'member', 'uno', 'eins', identity[:12]}
        assert two.network('both')['Containers'] == {identity: {
            'Name': 'member', 'EndpointID': e['EndpointID'], 'MacAddress': '02:11:22:33:44:55', 'IPv4Address': '10.65.0.77/16',
            'IPv6Address': 'fd65::77/64'}}
        if round_ == 'created':
            two.disconnect('both', 'member')
            assert list(two.inspect('member')['NetworkSettings']['Networks']) == ['four'] and two.network('both')['Containers'] == {}
            two.connect('both', 'member', wish)
    refused('Forbidden', 'Address already in use', two.connect, 'both', create(two, 'other', 'none') and run(two, 'third', 'four'),
            {'IPAMConfig': {'IPv4Address': '10.65.0.77'}})
    assert list(two.inspect('third')['NetworkSettings']['Networks']) == ['four']        # and nothing is left of it


def test_wrong_endpoints(two):
    make(two, 'chosen')
    cases = [
        ('bridge', {'IPAMConfig': {'IPv4Address': '172.17.0.9'}}, ONLY_USER_DEFINED), ('bridge', {'Aliases': ['x']}, NO_ALIASES),
        ('four', {'IPAMConfig': {'IPv4Address': '10.41.0.9'}}, outside('10.41.0.9')),
        ('four', {'IPAMConfig': {'IPv4Address': 'x'}}, 'invalid endpoint settings: invalid IPv4 address: x'),
        ('four', {'IPAMConfig': {'IPv4Address': 'fd65::9'}}, 'invalid endpoint settings: invalid IPv4 address: fd65::9'),
        ('both', {'IPAMConfig': {'IPv6Address': 'fd66::9'}}, outside('fd66::9')),
        ('chosen', {'IPAMConfig': {'IPv4Address': '10.41.0.9'}}, NOT_CHOSEN), ('four', {'MacAddress': 'x'}, 'invalid MAC address: x')]
    create(two, 'stopped', 'none')
    two.disconnect('none', 'stopped')
    for network, wish, text in cases:
        refused('Invalid', text, create, two, 'wrong', network, {network: wish})
        refused('Invalid', text, two.connect, network, 'stopped', wish)
    assert two.inspect('stopped')['NetworkSettings']['Networks'] == {}


def test_modes_that_exclude_each_other(two):
    run(two, 'member', 'four')
    create(two, 'alone', 'none')
    create(two, 'hosted', 'host')
    create(two, 'guest', 'container:member')
    for network, name, text in (
            ('none', 'member', ONE_NONE), ('four', 'alone', ONE_NONE), ('four', 'guest', SHARED),
            ('host', 'member', 'cannot connect container to host network - container must be created in host network mode'),
            ('four', 'hosted', 'cannot connect container to host network - container must be created in host network mode')):
        refused('Invalid', text, two.connect, network, name)
    refused('Invalid', 'cannot disconnect container from host network - container must be created in host network mode',
            two.disconnect, 'host', 'hosted')
    refused('Invalid', 'conflicting options: cannot attach both user-defined and non-user-defined network-modes', create, two, 'wrong', 'host',
            {'four': {}})
    refused('Invalid', 'conflicting options: cannot attach both user-defined and non-user-defined network-modes', create, two, 'wrong', 'none',
            {'nosuch': {}})
    two.disconnect('none', 'alone')
    two.connect('four', 'alone')
    two.start('alone')
    assert endpoint(two, 'alone', 'four')['IPAddress'] == '10.64.0.3'


def test_joined_while_stopped(two):
    identity = create(two, 'member', 'four')
    with two.watch({'type': ['network']}) as events:
        two.connect('both', 'member', {'Aliases': ['al']})
        e = endpoint(two, 'member', 'both')
        assert (e['IPAddress'], e['EndpointID'], e['Aliases']) == ('', '', ['al']) and two.network('both')['Containers'] == {}
        refused('Forbidden', 'endpoint with name member already exists in network both', two.connect, 'both', 'member')
        two.start('member')
        joined = [event for event in events.seen if event[1] == 'connect'] or events.wait('connect', 'connect')
        events.wait('connect', 'connect')
        joined = [event[3] for event in events.seen if event[1] == 'connect']
        assert joined == [{'container': identity, 'name': name, 'type': 'bridge'} for name in ('four', 'both')]
        assert sorted(two.inspect('member')['NetworkSettings']['Networks']) == ['both', 'four']
        two.stop('member', 0)
        events.wait('disconnect', 'disconnect')
        two.disconnect('both', 'member')
        events.wait('disconnect', 'disconnect', 'disconnect')
    refused('Forbidden', f'container {identity} is not connected to network both', two.disconnect, 'both', 'member')
    two.start('member')
    assert list(two.inspect('member')['NetworkSettings']['Networks']) == ['four']


def test_joined_while_it_runs(two):
    identity = run(two, 'member', 'four')
    with two.watch({'type': ['network']}) as events:
        two.connect('both', 'member')
        two.connect('bridge', 'member')
        refused('Forbidden', 'endpoint with name member already exists in network both', two.connect, 'both', 'member')
        assert endpoint(two, 'member', 'both')['IPAddress'] == '10.65.0.2'
        two.disconnect('bridge', 'member', force=True)
        seen = events.wait('connect', 'connect', 'disconnect')
        assert [(kind, event['name'], event['container'], event['type']) for _, kind, _, event in seen] == [
            (kind, name, identity, 'bridge') for kind, name in (('connect', 'both'), ('connect', 'bridge'), ('disconnect', 'bridge'))]
    refused('Forbidden', f'container {identity} is not connected to network bridge', two.disconnect, 'bridge', 'member')
    refused('NotFound', 'network nosuch not found', two.connect, 'nosuch', 'member')
    refused('NotFound', 'network nosuch not found', two.disconnect, 'nosuch', 'member')
    refused('NotFound', 'No such container: nosuch', two.connect, 'four', 'nosuch')


def test_left_when_the_network_is_gone(two):
    """What --force is for, and what a container that does not run needs no force for."""
    identity = create(two, 'member', 'four', {'four': {}, 'both': {}})
    first = two.network('both')['Id']
    two.remove_network('both')
    refused('NotFound', 'failed to set up container networking: network both not found', two.start, 'member')
    refused('Forbidden', f'container {identity} is not connected to the network nosuch', two.disconnect, 'nosuch', 'member', True)
    two.disconnect(first if two.name == 'bus' else 'both', 'member', force=two.name == 'bus')
    two.start('member')
    assert list(two.inspect('member')['NetworkSettings']['Networks']) == ['four']


def test_force_for_a_container_that_is_not_there(netted):
    for network, text in (('bridge', 'endpoint nosuch not found'), ('nosuch', 'network nosuch not found')):
        answer = netted.post(f'/networks/{network}/disconnect', {'Container': 'nosuch', 'Force': True})
        assert (answer.status, answer.json['message']) == (404, text)
    answer = netted.post('/networks/bridge/disconnect', {'Container': 'nosuch'})
    assert (answer.status, answer.json['message']) == (404, 'No such container: nosuch')


def test_network_that_comes_after_the_container(face):
    """Docker asks for it when the container starts."""
    create(face, 'member', 'later', {'later': {'Aliases': ['al']}, 'second': {}})
    networks = face.inspect('member')['NetworkSettings']['Networks']
    assert list(networks) == ['later', 'second'] and networks['later']['NetworkID'] == '' and networks['later']['Aliases'] == ['al']
    refused('NotFound', 'failed to set up container networking: network later not found', face.start, 'member')
    assert face.inspect('member')['State']['Status'] == 'created'
    identity = make(face, 'later')
    make(face, 'second', ConfigOnly=True)
    refused('Forbidden', 'failed to set up container networking: configuration network second cannot be used by containers', face.start, 'member')
    face.disconnect('second', 'member')
    face.start('member')
    e = endpoint(face, 'member', 'later')
    assert e['NetworkID'] == identity and e['IPAddress'] and 'al' in e['DNSNames']


def test_links(two):
    run(two, 'db', 'four')
    create(two, 'web', 'four', host={'Links': ['db:store']})
    two.start('web')
    assert endpoint(two, 'web', 'four')['Links'] == ['db:store']
    two.connect('both', 'db')
    two.connect('both', 'web', {'Links': ['db:other']})
    assert endpoint(two, 'web', 'both')['Links'] == ['db:other']
    refused('Invalid', 'could not get container for nosuch: No such container: nosuch', create, two, 'wrong', 'four', host={'Links': ['nosuch:x']})


def test_gateway_goes_to_the_first_by_priority(netted, two):
    make(two, 'inner', Internal=True)
    run(two, 'member', 'inner', {'inner': {}, 'four': {}})
    key = two.inspect('member')['NetworkSettings']['SandboxKey']

    def way():
        return netted.inside('nsenter', f'--net={key}', 'ip', 'route', 'show', 'default').split()[2]
    assert way() == '10.64.0.1'
    two.connect('both', 'member')
    assert way() == '10.65.0.1'                                                        # both families before one
    two.disconnect('both', 'member')
    assert way() == '10.64.0.1'
    two.connect('both', 'member', {'GwPriority': -1})
    assert way() == '10.64.0.1'


# ---- published ports ----

def on(port, ip=''):
    return [{'HostIp': ip, 'HostPort': port}]


def ports(face, name):
    return face.inspect(name)['NetworkSettings']['Ports']


def test_published(face):
    make(face, 'six', '10.66.0.0/16', 'fd66::/64', EnableIPv6=True)
    run(face, 'member', 'six', host={'PortBindings': {
        '80/tcp': on('8080'), '81': on('8090-8092', '127.0.0.1'), '82/udp': on('8080', '::1'), '83/tcp': on('9000') + on('9001', '127.0.0.1'),
        '84/tcp': on('')}})
    p = ports(face, 'member')
    assert p['80/tcp'] == [{'HostIp': '0.0.0.0', 'HostPort': '8080'}, {'HostIp': '::', 'HostPort': '8080'}]
    assert p['81/tcp'] == [{'HostIp': '127.0.0.1', 'HostPort': '8090'}]
    assert p['82/udp'] == [{'HostIp': '::1', 'HostPort': '8080'}]
    assert sorted((b['HostIp'], b['HostPort']) for b in p['83/tcp']) == [('0.0.0.0', '9000'), ('127.0.0.1', '9001'), ('::', '9000')]
    chosen = {b['HostPort'] for b in p['84/tcp']}
    assert len(chosen) == 1 and int(chosen.pop()) >= 1024
    run(face, 'second', 'six', host={'PortBindings': {'81/tcp': on('8090-8092', '127.0.0.1')}})
    assert ports(face, 'second') == {'81/tcp': [{'HostIp': '127.0.0.1', 'HostPort': '8091'}]}   # the first that is free
    face.stop('member', 0)
    assert ports(face, 'member') == {}


def test_all_exposed_are_published(face):
    run(face, 'member', host={'PublishAllPorts': True}, ExposedPorts={'80/tcp': {}, '53/udp': {}})
    p = ports(face, 'member')
    assert set(p) == {'80/tcp', '53/udp'} and all(b['HostIp'] == '0.0.0.0' for row in p.values() for b in row)
    run(face, 'quiet', ExposedPorts={'80/tcp': {}})
    assert ports(face, 'quiet') == {'80/tcp': None}


def test_port_in_use(face):
    make(face, 'four', '10.64.0.0/16')
    run(face, 'first', 'four', host={'PortBindings': {'80/tcp': on('8080')}})
    create(face, 'second', 'four', host={'PortBindings': {'80/tcp': on('8080', '127.0.0.1')}})
    with pytest.raises(FaceError) as info:
        face.start('second')
    assert info.value.kind == 'Internal' and re.fullmatch(
        r'failed to set up container networking: driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): '
        r'Bind for 127\.0\.0\.1:8080 failed: port is already allocated', info.value.text)
    assert face.inspect('second')['State']['Status'] == 'created'
    face.remove('first', force=True)
    face.start('second')


def test_wrong_ports(face):
    for port, binding, what in (
            ('x/tcp', on('80'), 'x/tcp'), ('80/foo', on('80'), '80/foo'), ('70000/tcp', on('80'), '70000/tcp'), ('80-82/tcp', on('80'), '80-82/tcp'),
            ('80/tcp', on('x'), 'x'), ('80/tcp', on('70000'), '70000'), ('80/tcp', on('-1'), '-1'), ('80/tcp', on('90-80'), '90-80')):
        refused('Invalid', f'invalid port specification: "{what}"', create, face, 'wrong', host={'PortBindings': {port: binding}})
    refused('Invalid', 'invalid IP address in port binding: "x"', create, face, 'wrong', host={'PortBindings': {'80/tcp': on('80', 'x')}})


def test_sctp(face):
    """Without SCTP in the kernel nothing holds the port, and it is published all the same."""
    create(face, 'member', host={'PortBindings': {'80/sctp': on('8080')}})
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError:
        pass
    face.start('member')
    assert ports(face, 'member') == {'80/sctp': [{'HostIp': '0.0.0.0', 'HostPort': '8080'}]}


@pytest.fixture
def lenient(tmp_path, archive):
    if not is_root():
        pytest.skip('networks of containers need root')
    daemon = make_daemon(tmp_path, '--ip6tables=false', '--allow-direct-routing', '--ip-forward-no-drop', network=True)
    load(daemon, archive)
    yield RestFace(daemon)
    end_daemon(daemon)


def test_options_of_the_firewall(lenient):
    """The kernel takes the rules that they mean; what the rules are is looked at by unit tests."""
    make(lenient, 'both', '10.65.0.0/16', 'fd65::/64', EnableIPv6=True)
    run(lenient, 'member', 'both', host={'PortBindings': {'80/tcp': on('8080') + on('8081'), '81/tcp': on('8082', '::1')}})
    assert ports(lenient, 'member') == {'80/tcp': [{'HostIp': '0.0.0.0', 'HostPort': '8080'}, {'HostIp': '0.0.0.0', 'HostPort': '8081'}]}
    lenient.remove('member', force=True)
    text = lenient.daemon.text()
    assert 'firewall is not set up' not in text and 'is known but has no effect' not in text
