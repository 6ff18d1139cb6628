# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks through both faces: made with every option, refused with Docker's words, listed, looked at, joined and left, removed, pruned."""

import json
import re
from urllib.parse import quote

import pytest
from faces import NETWORK, BusFace, FaceError, RestFace
from private_bus import wait_for

HEX = re.compile('[0-9a-f]{64}')
BRIDGE = 'com.docker.network.bridge.'
MTU = 'com.docker.network.driver.mtu'
KEEP = ['sleep', '1000']


def refused(kind, text, function, *args, **kwargs):
    with pytest.raises(FaceError) as info:
        function(*args, **kwargs)
    assert (info.value.kind, info.value.text) == (kind, text)


def pools(*rows):
    """IPAM of subnet, or (subnet, {more})."""
    return {'IPAM': {'Config': [{'Subnet': row} if isinstance(row, str) else row for row in rows]}}


def make(face, name, *rows, **body):
    return face.create_network({'Name': name, **(pools(*rows) if rows else {}), **body})


def create(face, name, network=None, endpoints=None, host=None, **config):
    body = {'Image': 'busybox', 'Cmd': KEEP, 'HostConfig': {**({'NetworkMode': network} if network else {}), **(host or {})}, **config}
    if endpoints is not None:
        body['NetworkingConfig'] = {'EndpointsConfig': endpoints}
    return face.create(name, body)[0]


def run(face, name, *args, **more):
    identity = create(face, name, *args, **more)
    face.start(name)
    return identity


def endpoint(face, container, network):
    return face.inspect(container)['NetworkSettings']['Networks'][network]


@pytest.fixture(params=['rest', 'bus'])
def face(netted, request):
    one = RestFace(netted) if request.param == 'rest' else BusFace(netted)
    yield one
    for identity, *_ in one.containers(all=True):
        one.remove(identity, force=True)
    for name in one.networks({'type': ['custom']}):
        one.remove_network(name)
    wait_for(lambda: not re.search(r'\d: (br-|veth)', netted.inside('ip', '-o', 'link')), lambda: netted.inside('ip', '-o', 'link'))
    if request.param == 'bus':
        one.close()


# ---- made ----

def test_predefined(face):
    assert sorted(face.networks()) == ['bridge', 'host', 'none']
    bridge = face.network('bridge')
    assert bridge['Driver'] == 'bridge' and bridge['Options'][BRIDGE + 'name'] == 'docker0'
    assert bridge['Options'][BRIDGE + 'default_bridge'] == 'true'
    assert [face.network(name)['Driver'] for name in ('host', 'none')] == ['host', 'null']
    for name in ('bridge', 'host', 'none'):
        refused('Forbidden', f'{name} is a pre-defined network and cannot be removed', face.remove_network, name)
        refused('Forbidden', f'operation is not permitted on predefined {name} network ', make, face, name)
    refused('Forbidden', 'operation is not permitted on predefined default network ', make, face, 'default')


def test_with_everything(netted, face):
    identity = make(
        face, 'all', {'Subnet': '10.61.0.0/16', 'IPRange': '10.61.4.0/24', 'Gateway': '10.61.0.9', 'AuxiliaryAddresses': {'printer': '10.61.4.0'}},
        {'Subnet': 'fd61::/64', 'Gateway': 'fd61::9'}, Driver='bridge', EnableIPv6=True, Internal=True, Attachable=True,
        Labels={'a': 'b', 'empty': ''}, CheckDuplicate=True,
        Options={MTU: '1400', BRIDGE + 'name': 'br-all', BRIDGE + 'enable_icc': 'false', 'unknown.to.us': 'kept'})
    assert HEX.fullmatch(identity)
    try:
        n = face.network('all')
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z', n.pop('Created'))
        assert n == {
            'Name': 'all', 'Id': identity, 'Scope': 'local', 'Driver': 'bridge', 'EnableIPv4': True, 'EnableIPv6': True, 'IPAM': {
                'Driver': 'default', 'Options': None, 'Config': [
                    {'Subnet': '10.61.0.0/16', 'IPRange': '10.61.4.0/24', 'Gateway': '10.61.0.9', 'AuxiliaryAddresses': {'printer': '10.61.4.0'}},
                    {'Subnet': 'fd61::/64', 'Gateway': 'fd61::9'}]},
            'Internal': True, 'Attachable': True, 'Ingress': False, 'ConfigFrom': {'Network': ''}, 'ConfigOnly': False, 'Containers': {},
            'Options': {MTU: '1400', BRIDGE + 'name': 'br-all', BRIDGE + 'enable_icc': 'false', 'unknown.to.us': 'kept'},
            'Labels': {'a': 'b', 'empty': ''}}
        assert face.network(identity[:10])['Name'] == 'all'
        link, = json.loads(netted.inside('ip', '-j', 'addr', 'show', 'br-all'))
        assert link['mtu'] == 1400
        assert {'10.61.0.9/16', 'fd61::9/64'} <= {f'{a["local"]}/{a["prefixlen"]}' for a in link['addr_info']}
        run(face, 'member', 'all')
        assert endpoint(face, 'member', 'all')['IPAddress'] == '10.61.4.1'           # of the range, after the printer
    finally:
        face.remove('member', force=True)
        face.remove_network('all')


def test_defaults(face):
    make(face, 'one')
    make(face, 'two', EnableIPv6=True)
    one, two = face.network('one'), face.network('two')
    assert (one['Driver'], one['Options'], one['Labels'], one['IPAM']['Driver']) == ('bridge', {}, {}, 'default')
    subnets = [config['Subnet'] for config in one['IPAM']['Config'] + two['IPAM']['Config']]
    assert all(re.fullmatch(pattern, subnet) for pattern, subnet in zip((r'172\.\d+\.0\.0/16',) * 2 + (r'fd[0-9a-f:]+::/64',), subnets)), subnets
    make(face, 'six', EnableIPv4=False, EnableIPv6=True)
    assert [':' in config['Subnet'] for config in face.network('six')['IPAM']['Config']] == [True]


def test_names(face):
    """All but bytes that are no text; a single letter too."""
    names = ['x', 'a b', 'a/b', 'ÄÖ', '-x', 'x' * 200, 'with"quote', 'a%b']
    made = {name: make(face, name, ConfigOnly=name.startswith('x')) for name in names}
    assert {name: face.network(name)['Id'] for name in names} == made
    identity = run(face, 'member', 'a/b')
    face.connect('with"quote', 'member')
    assert endpoint(face, 'member', 'a/b')['NetworkID'] == made['a/b'] and list(face.network('with"quote')['Containers']) == [identity]
    face.disconnect('a/b', 'member')
    face.remove_network('a/b')
    assert sorted(face.networks({'type': ['custom']})) == sorted(set(names) - {'a/b'})


def test_name_in_use(face):
    make(face, 'taken')
    refused('Conflict', 'network with name taken already exists', make, face, 'taken')


def test_configuration_of_another(face):
    make(face, 'wish', '10.62.0.0/16', ConfigOnly=True, Options={MTU: '1300'})
    make(face, 'real', ConfigFrom={'Network': 'wish'})
    real = face.network('real')
    assert real['ConfigFrom'] == {'Network': 'wish'} and real['IPAM']['Config'][0]['Subnet'] == '10.62.0.0/16' and real['Options'][MTU] == '1300'
    assert face.network('wish')['ConfigOnly'] is True
    refused('Forbidden', 'configuration network "wish" is in use', face.remove_network, 'wish')
    refused('Forbidden', 'user specified configurations are not supported if the network depends on a configuration network',
            make, face, 'more', ConfigFrom={'Network': 'wish'}, Internal=True)
    refused('NotFound', 'configuration network "nosuch" does not exist', make, face, 'more', ConfigFrom={'Network': 'nosuch'})
    refused('Forbidden', 'network configuration specified is not a configuration network: real', make, face, 'more',
            ConfigFrom={'Network': 'real'})
    refused('Forbidden', 'configuration network wish cannot be used by containers', create, face, 'member', 'wish')
    face.remove_network('real')


NO_SWARM = ('This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try '
            'again.')


WISHES = [
    ({'Name': ''}, 'Invalid', 'invalid name: name is empty'),
    ({'Name': '  '}, 'Invalid', 'invalid name: name is empty'),
    ({'Name': ' a'}, 'Invalid', 'invalid name: " a": no blanks at its ends, no control characters, at most 255 bytes'),
    ({'Driver': 'nosuch'}, 'NotFound', 'error looking up network plugin nosuch: plugin "nosuch" not found'),
    ({'Driver': 'host'}, 'Forbidden', 'only one instance of "host" network is allowed'),
    ({'Driver': 'null'}, 'Forbidden', 'only one instance of "null" network is allowed'),
    ({'Driver': 'overlay'}, 'Unavailable', NO_SWARM),
    ({'Scope': 'swarm'}, 'Forbidden', 'cannot create a swarm scoped network when swarm is not active'),
    ({'Scope': 'nowhere'}, 'Invalid', 'invalid network scope: nowhere'),
    ({'Ingress': True}, 'Forbidden', 'ingress network can only be global scope network'),
    ({'IPAM': {'Driver': 'nosuch'}}, 'NotFound', 'error looking up IPAM plugin nosuch: plugin "nosuch" not found'),
    ({'EnableIPv4': False}, 'Invalid', 'IPv4 or IPv6 must be enabled'),
    ({'Driver': 'macvlan', 'Options': {'macvlan_mode': 'x'}}, 'Invalid',
     "requested macvlan mode 'x' is not valid, 'bridge' mode is the macvlan driver default"),
    ({'Driver': 'macvlan', 'Options': {'parent': 'nosuch'}}, 'Invalid', '-o parent interface was not found on the host: nosuch'),
    ({'Driver': 'ipvlan', 'Options': {'ipvlan_mode': 'x'}}, 'Invalid',
     "requested ipvlan mode 'x' is not valid, 'l2' mode is the ipvlan driver default"),
    ({'Options': {MTU: 'x'}}, 'Invalid', f'invalid value for {MTU}: "x"'),
    ({'Options': {MTU: '20'}}, 'Invalid', 'invalid MTU number: 20'),
    ({'Options': {BRIDGE + 'enable_icc': 'x'}}, 'Invalid', f'invalid value for {BRIDGE}enable_icc: "x" is no boolean'),
    ({'Options': {BRIDGE + 'host_binding_ipv4': 'x'}}, 'Invalid', f'invalid value for {BRIDGE}host_binding_ipv4: "x" is no address'),
    ({'Options': {BRIDGE + 'gateway_mode_ipv4': 'x'}}, 'Invalid', 'unknown gateway mode x'),
    ({'Options': {BRIDGE + 'name': 'a' * 16}}, 'Invalid', f'invalid name of a network interface: "{"a" * 16}"'),
]


def test_wrong_wishes(face):
    for body, kind, text in WISHES:
        refused(kind, text, face.create_network, {'Name': 'wrong', **body})
    assert 'wrong' not in face.networks()


OVERLAP = 'invalid pool request: Pool overlaps with other one on this address space'


POOLS = [
    (['x'], 'Invalid', 'invalid network config: invalid subnet x: invalid CIDR block notation'),
    (['10.20.0.0'], 'Invalid', 'invalid network config: invalid subnet 10.20.0.0: invalid CIDR block notation'),
    (['10.20.0.5/16'], 'Invalid', 'invalid network config: invalid subnet 10.20.0.5/16: it should be 10.20.0.0/16'),
    ([{'Gateway': '10.20.0.1'}], 'Invalid', 'invalid network config: invalid subnet : invalid CIDR block notation'),
    ([{'Subnet': '10.20.0.0/16', 'IPRange': 'x'}], 'Invalid', 'invalid network config: invalid ip-range x: invalid CIDR block notation'),
    ([{'Subnet': '10.20.0.0/16', 'IPRange': '10.21.0.0/24'}], 'Invalid',
     "invalid network config: invalid ip-range 10.21.0.0/24: parent subnet 10.20.0.0/16 doesn't contain ip-range"),
    ([{'Subnet': '10.20.0.0/16', 'IPRange': '10.0.0.0/8'}], 'Invalid',
     'invalid network config: invalid ip-range 10.0.0.0/8: CIDR block is bigger than its parent subnet 10.20.0.0/16'),
    ([{'Subnet': '10.20.0.0/16', 'Gateway': '10.21.0.1'}], 'Invalid',
     "invalid network config: invalid gateway 10.21.0.1: parent subnet 10.20.0.0/16 doesn't contain this address"),
    ([{'Subnet': '10.20.0.0/16', 'Gateway': 'fd00::1'}], 'Invalid',
     'invalid network config: invalid gateway fd00::1: parent subnet is an IPv4 block'),
    ([{'Subnet': '10.20.0.0/16', 'AuxiliaryAddresses': {'a': 'x'}}], 'Invalid',
     'invalid network config: invalid auxiliary address a: invalid address'),
    ([{'Subnet': '10.20.1.5/16', 'Gateway': '9.9.9.9'}], 'Invalid',                     # all that is wrong
     'invalid network config: invalid subnet 10.20.1.5/16: it should be 10.20.0.0/16; '
     "invalid gateway 9.9.9.9: parent subnet 10.20.0.0/16 doesn't contain this address"),
    ([{'Subnet': '10.20.0.0/16', 'Gateway': '10.20.0.1', 'AuxiliaryAddresses': {'a': '10.20.0.1'}}], 'Forbidden', 'Address already in use'),
    (['10.20.0.0/16', '10.21.0.0/16'], 'Forbidden', "bridge driver doesn't support multiple subnets"),
    (['172.17.4.0/24'], 'Forbidden', OVERLAP),                                           # docker0's
    (['0.0.0.0/0'], 'Forbidden', OVERLAP),
]


def test_wrong_pools(face):
    for rows, kind, text in POOLS:
        refused(kind, text, make, face, 'wrong', *rows)
    make(face, 'right', '10.20.0.0/16')                                                # nothing of these is held


def test_pools_of_others(face):
    make(face, 'first', '10.63.0.0/16')
    refused('Forbidden', OVERLAP, make, face, 'second', '10.63.4.0/24')
    refused('Forbidden', OVERLAP, make, face, 'second', '10.0.0.0/8')
    face.remove_network('first')
    make(face, 'second', '10.63.4.0/24')


def test_bridge_of_another(face):
    first = make(face, 'first', Options={BRIDGE + 'name': 'br-mine'})
    with pytest.raises(FaceError) as info:
        make(face, 'second', Options={BRIDGE + 'name': 'br-mine'})
    assert info.value.kind == 'Forbidden'
    assert re.fullmatch(rf'cannot create network [0-9a-f]+ \(br-mine\): conflicts with network {first} \(br-mine\): '
                        'networks have same bridge name', info.value.text)


def test_not_json(netted):
    for body, text in ((b'', 'invalid JSON: got EOF while reading request body'), (b'[1]', 'expected an object'),
                       (b'{"Name": 3}', 'Name: expected a string')):
        answer = netted.post('/networks/create', body, headers={'Content-Type': 'application/json'})
        assert (answer.status, answer.json['message']) == (400, text)


# ---- looked at ----

FILTERS = [
    ({'name': ['red']}, ['red', 'redder']),
    ({'name': ['^red$']}, ['red']),
    ({'name': ['^red$', 'host']}, ['host', 'red']),
    ({'id': ['ID']}, ['red']),
    ({'driver': ['bridge']}, ['bridge', 'red', 'redder']),
    ({'driver': ['brid']}, []),
    ({'type': ['custom']}, ['red', 'redder']),
    ({'type': ['builtin']}, ['bridge', 'host', 'none']),
    ({'type': ['builtin', 'custom']}, ['bridge', 'host', 'none', 'red', 'redder']),
    ({'label': ['warm']}, ['red']),
    ({'label': ['color=red']}, ['red', 'redder']),
    ({'label': ['color=red', 'warm']}, ['red']),
    ({'label': ['color=blue']}, []),
    ({'scope': ['local'], 'type': ['custom']}, ['red', 'redder']),
    ({'scope': ['swarm']}, []),
    ({'dangling': ['true']}, ['redder']),
    ({'dangling': ['false']}, ['bridge', 'host', 'none', 'red']),
]


def test_filters(face):
    red = make(face, 'red', Labels={'color': 'red', 'warm': ''})
    make(face, 'redder', Labels={'color': 'red'}, Internal=True)
    run(face, 'member', 'red')
    for filters, found in FILTERS:
        asked = {key: [value.replace('ID', red[:8]) for value in values] for key, values in filters.items()}
        assert sorted(face.networks(asked)) == found, filters
    for filters, text in (({'nonsense': ['x']}, "invalid filter 'nonsense'"), ({'type': ['x']}, "invalid filter: 'type'='x'"),
                          ({'scope': ['x']}, "invalid filter: 'scope'='x'"), ({'dangling': ['x']}, "invalid filter 'dangling=[x]'")):
        refused('Invalid', text, face.networks, filters)


def test_not_there(face):
    refused('NotFound', 'network nosuch not found', face.network, 'nosuch')
    refused('NotFound', 'network nosuch not found', face.remove_network, 'nosuch')


def test_shape_by_version(netted, face):
    make(face, 'shape')
    run(face, 'member', 'shape')
    for version in ('1.24', '1.27', '1.28', '1.40', '1.44', '1.47', '1.48', '1.51') if face.name == 'rest' else ():
        row, = netted.get(f'/v{version}/networks?filters=' + quote('{"name":{"shape":true}}')).json
        document = netted.get(f'/v{version}/networks/shape').json
        assert set(row) == set(document) == {
            'Name', 'Id', 'Created', 'Scope', 'Driver', 'EnableIPv4', 'EnableIPv6', 'IPAM', 'Internal', 'Attachable', 'Ingress', 'ConfigFrom',
            'ConfigOnly', 'Containers', 'Options', 'Labels'}
        assert row['Containers'] == {} and len(document['Containers']) == 1
        settings = netted.get(f'/v{version}/containers/member/json').json['NetworkSettings']
        assert {'SandboxID', 'SandboxKey', 'Ports', 'Networks', 'IPAddress', 'Gateway'} <= set(settings)
    of_face = face.network('shape')
    latest = netted.get('/networks/shape').json
    assert of_face == latest and list(of_face) == list(latest)


def test_questions_of_rest(netted):
    for query, status in (('verbose=1', 200), ('verbose=no', 400), ('scope=local', 200), ('scope=swarm', 404)):
        assert netted.get(f'/networks/bridge?{query}').status == status, query


def test_object_on_the_bus(netted):
    bus = BusFace(netted)
    path = bus.manager('CreateNetwork', 'ssa{sv}', 'typed', '', bus._options(                 # pylint: disable=protected-access
        Internal=True))
    try:
        p = bus.properties(path, NETWORK)
        assert (p['Name'], p['Driver'], p['Internal'], p['Predefined'], p['IPv4'], p['IPv6']) == ('typed', 'bridge', True, False, True, False)
        assert p['Bridge'] == f'br-{p["Id"][:12]}' and p['NContainers'] == 0 and p['Subnets'][0][0].endswith('.0.0/16')
        refused('Invalid', 'there is no property "Nonsense"', bus.manager, 'CreateNetwork', 'ssa{sv}', 'other', '',
                bus._options(Nonsense=True))                                                    # pylint: disable=protected-access
    finally:
        bus.remove_network('typed')
        bus.close()


# ---- gone ----

def test_in_use(face):
    make(face, 'used')
    identity = run(face, 'member', 'used')
    refused('Forbidden', f'error while removing network: network used has active endpoints (name:"member" id:"{identity[:12]}")',
            face.remove_network, 'used')
    face.stop('member', 0)
    face.remove_network('used')                                                        # as with Docker
    refused('NotFound', 'failed to set up container networking: network used not found', face.start, 'member')
    assert face.inspect('member')['State']['Error'] == 'failed to set up container networking: network used not found'
    again = make(face, 'used')
    face.start('member')
    assert endpoint(face, 'member', 'used')['NetworkID'] == again


def test_prune(face):
    make(face, 'used')
    run(face, 'member', 'used')
    make(face, 'kept', Labels={'keep': 'yes'})
    make(face, 'gone', Labels={'a': 'b'})
    make(face, 'wish', ConfigOnly=True)
    assert face.prune_networks({'until': ['1']}) == []
    assert face.prune_networks({'label': ['a=c']}) == []
    with face.watch({'type': ['network']}) as events:
        assert face.prune_networks({'label!': ['keep']}) == ['gone']
        events.wait('destroy', 'prune')
    assert face.prune_networks() == ['kept']
    assert sorted(face.networks({'type': ['custom']})) == ['used', 'wish']
    refused('Invalid', "invalid filter 'nonsense'", face.prune_networks, {'nonsense': ['x']})
    refused('Invalid', 'more than one until filter specified', face.prune_networks, {'until': ['1', '2']})
