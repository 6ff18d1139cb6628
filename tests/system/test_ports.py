# SPDX-License-Identifier: GPL-2.0-or-later
"""Published ports and the firewall: who reaches what, as whom; what is refused; what survives."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack

import pytest

import host
from common.rest import Rest
from common.wait import wait_for
from netpeer import Place

HOST4, OUT4, HOST6, OUT6 = '10.99.0.1', '10.99.0.2', 'fd99::1', 'fd99::2'


def table():
    """The entries of our table: {set: [entry, …]}."""
    listed = json.loads(host.run('nft', '-j', 'list', 'table', 'inet', 'stauer').stdout)['nftables']
    return {o['name']: o.get('elem', []) for kind in ('set', 'map') for o in (e.get(kind) for e in listed) if o}


def entries(*names):
    found = table()
    return [entry for name in names for entry in found[name]]


PUBLISHED = ('ports4', 'ports6', 'bound4', 'bound6', 'routed4', 'routed6', 'localhost6')


class World:
    """A host with two networks, and somebody outside of it."""
    def __init__(self, stack):
        self.stack = stack
        self.host = Place()
        holder = subprocess.Popen(['unshare', '-n', 'sleep', 'infinity'])
        stack.callback(holder.wait)
        stack.callback(holder.kill)
        own = os.readlink('/proc/self/ns/net')
        wait_for(lambda: os.readlink(f'/proc/{holder.pid}/ns/net') != own, 'a namespace')
        self.outside = Place(holder.pid)
        host.run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', holder.pid)
        stack.callback(host.run, 'ip', 'link', 'del', 'uplink', check=False)
        for place, link, four, six in ((self.host, 'uplink', HOST4, HOST6), (self.outside, 'eth0', OUT4, OUT6)):
            place.run('ip', 'addr', 'add', f'{four}/24', 'dev', link)
            place.run('sh', '-c', f'echo 0 >/proc/sys/net/ipv6/conf/{link}/accept_dad')
            place.run('ip', 'addr', 'add', f'{six}/64', 'dev', link, 'nodad')
            place.run('ip', 'link', 'set', link, 'up')
        for subnet, via in (('172.16.0.0/12', HOST4), ('fd5a::/16', HOST6)):
            self.outside.run('ip', 'route', 'add', subnet, 'via', via)
        self.networks = {}

    def network(self, name, *options):
        host.stauer('network', 'create', *options, name)
        self.stack.callback(host.stauer, 'network', 'rm', name, check=False)

    def container(self, name, *options, serve=(80,)):
        """Returns its place and its addresses by network."""
        host.stauer('run', '-d', '--name', name, *options, 'busybox', 'sleep', 'infinity')
        self.stack.callback(host.stauer, 'rm', '-f', name, check=False)
        found = host.inspect(name)
        place = Place(found['State']['Pid'])
        server = place.serve(name, *serve)
        self.stack.callback(server.wait)
        self.stack.callback(server.kill)
        return place, found['NetworkSettings']['Networks']


@pytest.fixture(scope='module')
def image(busybox_archive):
    host.stauer('load', '-i', busybox_archive)


@pytest.fixture(scope='module')
def world(image):
    host.remove_all()
    with ExitStack() as stack:
        w = World(stack)
        w.network('shop', '--ipv6', '--subnet', '172.29.0.0/24', '--subnet', 'fd5a:1::/64')
        w.network('back', '--ipv6', '--subnet', '172.29.1.0/24', '--subnet', 'fd5a:2::/64')
        w.web, w.web_networks = w.container(
            'web', '--network', 'shop', '-p', '8080:80', '-p', '8080:80/udp', '-p', '127.0.0.1:8081:80', '-p', f'{HOST4}:8082:80')
        w.neighbour, _ = w.container('neighbour', '--network', 'shop')
        w.other, _ = w.container('other', '--network', 'back')
        for place, name in ((w.outside, 'out'),):
            server = place.serve(name, 80)
            stack.callback(server.wait)
            stack.callback(server.kill)
        first = f'tcp {HOST6} 8080'                         # neighbours find each other: a SYN that comes too early is sent again after a second
        wait_for(lambda: w.outside.ask(first) != ['nothing'], 'the way there')
        yield w


def check(place, expected):
    """expected: {"tcp ADDRESS PORT": answer}."""
    assert dict(zip(expected, place.ask(*expected))) == expected


GATE4, GATE6 = '172.29.0.1', 'fd5a:1::1'


@pytest.mark.parametrize('kind', ('tcp', 'udp'))
def test_who_reaches_a_published_port_and_as_whom(world, kind):
    other = host.inspect('other')['NetworkSettings']['Networks']['back']
    check(world.outside, {
        f'{kind} {HOST4} 8080': f'web {OUT4}', f'{kind} {HOST6} 8080': f'web {OUT6}', f'{kind} {GATE4} 8080': f'web {OUT4}'})
    check(world.host, {
        f'{kind} {HOST4} 8080': f'web {HOST4}', f'{kind} {HOST6} 8080': f'web {HOST6}', f'{kind} {GATE4} 8080': f'web {GATE4}',
        f'{kind} 127.0.0.1 8080': f'web {GATE4}', f'{kind} 127.9.9.9 8080': f'web {GATE4}', f'{kind} ::1 8080': 'refused'})
    for place in (world.neighbour, world.web):      # a neighbour, and the container itself
        check(place, {f'{kind} {HOST4} 8080': f'web {GATE4}', f'{kind} {GATE4} 8080': f'web {GATE4}',
                      f'{kind} {HOST6} 8080': f'web {GATE6}'})
    check(world.other, {f'{kind} {HOST4} 8080': f'web {other["IPAddress"]}',
                        f'{kind} {HOST6} 8080': f'web {other["GlobalIPv6Address"]}'})


def test_what_nobody_published_is_not_reached(world):
    web = world.web_networks['shop']
    direct = (f'tcp {web["IPAddress"]} 80', f'udp {web["IPAddress"]} 80', f'tcp {web["GlobalIPv6Address"]} 80')
    for place in (world.outside, world.other):
        check(place, dict.fromkeys(direct, 'nothing'))
    # the host and a neighbour may
    assert all(a.startswith('web ') for a in world.host.ask(*direct))
    assert all(a.startswith('web ') for a in world.neighbour.ask(*direct))


def test_a_port_is_bound_to_the_address_that_was_asked_for(world):
    check(world.host, {'tcp 127.0.0.1 8081': f'web {GATE4}', f'tcp {HOST4} 8081': 'refused', f'tcp {HOST4} 8082': f'web {HOST4}',
                       'tcp 127.0.0.1 8082': 'refused'})
    check(world.outside, {f'tcp {HOST4} 8081': 'refused', f'tcp {HOST4} 8082': f'web {OUT4}'})
    # a neighbour on the wire that sends to 127.0.0.1, and a container that does
    for place, via in ((world.outside, HOST4), (world.neighbour, GATE4)):
        place.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet')
        place.run('ip', 'route', 'add', 'local', '127.1.0.0/16', 'dev', 'lo')
        place.run('ip', 'route', 'add', '127.77.0.0/16', 'via', via)
        check(place, {'tcp 127.77.0.1 8080': 'nothing'})


def test_out_of_a_network_as_the_host(world):
    check(world.web, {f'tcp {OUT4} 80': f'out {HOST4}', f'tcp {OUT6} 80': f'out {HOST6}'})


def test_an_internal_network_is_shut_both_ways(world):
    world.network('inner', '--internal')
    inner, networks = world.container('inner', '--network', 'inner')
    mate, _ = world.container('mate', '--network', 'inner')
    address = networks['inner']['IPAddress']
    check(world.outside, {f'tcp {address} 80': 'nothing'})
    check(world.web, {f'tcp {address} 80': 'nothing'})
    inner.run('sh', '-c', f'ip route replace default via {own_gateway("inner")} || true')
    check(inner, {f'tcp {OUT4} 80': 'nothing', f'tcp {HOST4} 8080': 'nothing'})
    assert mate.ask(f'tcp {address} 80')[0].startswith('inner ')
    assert world.host.ask(f'tcp {address} 80')[0].startswith('inner ')


def own_gateway(network):
    return json.loads(host.stauer('network', 'inspect', network).stdout)[0]['IPAM']['Config'][0]['Gateway']


def test_members_are_kept_apart_without_icc(world):
    world.network('apart', '--subnet', '172.29.7.0/24', '-o', 'com.docker.network.bridge.enable_icc=false')
    _, networks = world.container('one', '--network', 'apart', '-p', '8085:80')
    two, _ = world.container('two', '--network', 'apart')
    address = networks['apart']['IPAddress']
    check(two, {f'tcp {address} 80': 'nothing'})
    # also by the way of the gateway, which would route it back
    two.run('ip', 'route', 'add', f'{address}/32', 'via', '172.29.7.1')
    check(two, {f'tcp {address} 80': 'nothing'})
    check(world.outside, {f'tcp {HOST4} 8085': f'one {OUT4}'})


def test_gateway_modes(world):
    mode = 'com.docker.network.bridge.gateway_mode_ipv4'
    world.network('open', '-o', f'{mode}=nat-unprotected')
    world.network('routed', '-o', f'{mode}=routed')
    _, networks = world.container('bare', '--network', 'open')
    check(world.outside, {f'tcp {networks["open"]["IPAddress"]} 80': f'bare {OUT4}'})
    routed, networks = world.container('routed', '--network', 'routed', '-p', '8086:80', serve=(80, 81))
    address = networks['routed']['IPAddress']
    check(world.outside, {f'tcp {address} 80': f'routed {OUT4}', f'tcp {address} 81': 'nothing', f'tcp {HOST4} 8086': 'refused'})
    check(routed, {f'tcp {OUT4} 80': f'out {address}'})


def test_an_administrators_deny_wins_and_stays(world):
    chain = ('inet', 'stauer-user', 'docker-user')
    host.run('nft', 'add', 'rule', *chain, 'meta', 'l4proto', 'tcp', 'ct', 'original', 'proto-dst', '8080', 'ip', 'saddr', OUT4, 'drop')
    try:
        check(world.outside, {f'tcp {HOST4} 8080': 'nothing', f'tcp {HOST4} 8082': f'web {OUT4}', f'tcp {HOST6} 8080': f'web {OUT6}'})
        host.run('systemctl', 'restart', 'stauer.service')
        check(world.outside, {f'tcp {HOST4} 8080': 'nothing'})
    finally:
        host.run('nft', 'flush', 'chain', *chain)
    check(world.outside, {f'tcp {HOST4} 8080': f'web {OUT4}'})


@pytest.mark.parametrize('damage', ('flush ruleset', 'delete table inet stauer', 'flush map inet stauer ports4',
                                    'flush chain inet stauer forward'))
def test_what_others_do_to_our_table_is_undone_within_a_second(world, damage):
    before = table()
    time.sleep(0.3)                 # repairs follow each other no faster
    host.run('nft', damage)
    start = time.monotonic()

    def is_whole():
        listed = host.run('nft', 'list', 'table', 'inet', 'stauer', check=False).stdout
        return 'not published' in listed and table() == before
    wait_for(is_whole, 'the table is as before', timeout=5)
    assert time.monotonic() - start < 1
    check(world.outside, {f'tcp {HOST4} 8080': f'web {OUT4}'})


def error_of(*options):
    result = host.stauer('run', '-d', '--name', 'wants', *options, 'busybox', 'sleep', 'infinity', check=False)
    host.stauer('rm', '-f', 'wants', check=False)
    return result.stderr if result.returncode else None


def test_a_port_in_use_is_dockers_error(world):
    assert 'Bind for 0.0.0.0:8080 failed: port is already allocated' in error_of('-p', '8080:80')
    assert 'Bind for 127.0.0.1:8080 failed: port is already allocated' in error_of('-p', '127.0.0.1:8080:80')
    with socket.create_server(('127.0.0.1', 8099)):
        message = error_of('-p', '8099:80')
        assert 'failed to bind host port 0.0.0.0:8099/tcp: address already in use' in message
        assert 'driver failed programming external connectivity on endpoint wants (' in message
    assert 'failed to bind host port 10.1.2.3:8099/tcp: cannot assign requested address' in error_of('-p', '10.1.2.3:8099:80')
    # nothing stays taken after a failure, and another program is kept off what is
    assert error_of('-p', '8099:80') is None
    with pytest.raises(OSError):
        socket.create_server(('', 8080)).close()
    with pytest.raises(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 8080))


def test_ranges_and_ports_that_the_daemon_chooses(world):
    world.container('first', '-p', '8090-8092:80')
    world.container('second', '-p', '8090-8092:80')
    world.container('third', '-p', '80', '-P', '--expose', '81', '--expose', '80/udp')
    assert host.out('port', 'first', '80') == '0.0.0.0:8090'
    assert host.out('port', 'second', '80') == '0.0.0.0:8091'
    ports = host.inspect('third')['NetworkSettings']['Ports']
    chosen = [int(ports[p][0]['HostPort']) for p in ('80/tcp', '81/tcp', '80/udp')]
    with open('/proc/sys/net/ipv4/ip_local_port_range', encoding='utf-8') as f:
        first, last = map(int, f.read().split())
    assert all(first <= p <= last for p in chosen) and chosen[0] != chosen[1]
    assert world.outside.ask(f'tcp {HOST4} {chosen[0]}', f'udp {HOST4} {chosen[2]}') == [f'third {OUT4}'] * 2


def test_a_udp_client_that_goes_on_reaches_the_next_container(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.2)
        s.bind((HOST4, 0))
        s.connect((HOST4, 8095))

        def answer():
            try:
                s.send(b'x')
                return s.recv(100).decode().split()[0]
            except OSError:
                return None
        assert answer() is None
        for name in ('udp-one', 'udp-two'):
            world.container(name, '-p', '8095:80/udp')
            wait_for(lambda n=name: answer() == n, f'{name} answers')
            host.stauer('rm', '-f', name)


class Stream:
    """A client that sends numbers through a port all the time and looks that each comes back."""
    def __init__(self, world, port):
        self.process = subprocess.Popen(world.outside.command('python3', '-c', '''
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
f = s.makefile('rwb')
print(f.readline().decode(), flush=True)
for i in range(10 ** 9):
    f.write(b'%d\\n' % i)
    f.flush()
    assert f.readline() == b'%d\\n' % i
    print(i, flush=True)
    time.sleep(0.002)
''', HOST4, port), stdout=subprocess.PIPE, text=True)
        self.last = -1
        assert self.process.stdout.readline().startswith('web ')
        self.process.stdout.readline()
        self.thread = threading.Thread(target=self._follow)
        self.thread.start()

    def _follow(self):
        for line in self.process.stdout:
            self.last = int(line)

    def goes_on(self):
        before = self.last
        wait_for(lambda: self.last > before + 2, 'the stream goes on')

    def end(self):
        assert self.process.poll() is None, 'the stream has ended'
        self.process.kill()
        self.thread.join()
        self.process.wait()


def test_a_stream_survives_kills_and_a_flush(world):
    rest = Rest()
    stream = Stream(world, 8080)
    before = table()
    try:
        for _ in range(20):
            pid = host.main_pid()
            os.kill(pid, signal.SIGKILL)
            host.run('systemctl', 'reset-failed', 'stauer.service', check=False)
            wait_for(lambda p=pid: host.main_pid() not in (0, p), 'another daemon')
            stream.goes_on()
        wait_for(lambda: rest.get('/_ping').status == 200, 'it answers')
        assert table() == before
        host.run('nft', 'flush', 'ruleset')
        stream.goes_on()
    finally:
        stream.end()
    # the port is held again
    with pytest.raises(OSError):
        socket.create_server(('', 8080)).close()


def test_nothing_is_left_of_ports_and_networks(world):
    held = entries(*PUBLISHED)
    world.network('short', '--subnet', '172.29.9.0/24')
    world.container('short', '--network', 'short', '-p', '8097:80', '-p', '127.0.0.1:8098:80/udp')
    assert len(entries(*PUBLISHED)) == len(held) + 2
    host.stauer('rm', '-f', 'short')
    wait_for(lambda: entries(*PUBLISHED) == held, 'the ports are gone')
    bridges = len(entries('bridges', 'same', 'members4'))
    host.stauer('network', 'rm', 'short')
    assert len(entries('bridges', 'same', 'members4')) == bridges - 3
    socket.create_server(('', 8097)).close()


def test_a_foreign_policy_that_drops_is_said(world):
    chain = ('ip', 'theirs', 'FORWARD')
    assert 'drop forwarded packets' not in host.out('info')
    host.run('nft', 'add table ip theirs; add chain ip theirs FORWARD { type filter hook forward priority 0; policy drop; }')
    try:
        assert '"ip theirs FORWARD"' in host.stauer('info').stdout + host.stauer('info').stderr
        check(world.outside, {f'tcp {HOST4} 8080': 'nothing'})
    finally:
        host.run('nft', 'delete', 'table', *chain[:2])
    check(world.outside, {f'tcp {HOST4} 8080': f'web {OUT4}'})
