# SPDX-License-Identifier: GPL-2.0-or-later
"""Verbs and flags for networks and volumes, by docker 28, docker 20.10 and our own command: what they print of the same daemon is the same."""

import json
import re

import pytest

import host
from common.rest import Rest

pytestmark = [pytest.mark.skipif(not host.have('docker'), reason='needs the docker command'), pytest.mark.usefixtures('stage')]

NEW, OLD, OURS = 'docker', '/opt/docker-20.10/docker', 'stauer'
CLIENTS = (NEW, OLD, OURS)


def say(client, *words, check=True):
    return host.run(client, *words, check=check, env={'DOCKER_HOST': 'unix:///run/docker.sock', 'PATH': '/usr/local/bin:/usr/bin:/bin', 'HOME': '/root'})


def out(client, *words):
    return say(client, *words).stdout.rstrip('\n')


@pytest.fixture(scope='module')
def stage(busybox_archive):
    """One network and one volume with all options, and a container in two networks."""
    host.stauer('load', '-i', busybox_archive)
    host.remove_all()
    out(NEW, 'network', 'create', '--driver', 'bridge', '--subnet', '172.31.20.0/24', '--gateway', '172.31.20.1', '--ip-range', '172.31.20.128/25',
        '--aux-address', 'router=172.31.20.254', '--ipv6', '--subnet', 'fd31:20::/64', '--label', 'a=b', '--label', 'c', '--attachable',
        '--opt', 'com.docker.network.driver.mtu=1400', '--opt', 'com.docker.network.bridge.name=br-stage', 'stage')
    out(NEW, 'network', 'create', '--internal', 'inner')
    out(NEW, 'volume', 'create', '--label', 'a=b', 'props')
    out(NEW, 'run', '-d', '--name', 'actor', '--network', 'stage', '--ip', '172.31.20.200', '--ip6', 'fd31:20::20', '--network-alias', 'hero',
        '--mac-address', '02:42:ac:1f:14:c8', '--dns', '192.0.2.53', '--add-host', 'elsewhere:192.0.2.1', '--hostname', 'main',
        '-p', '127.0.0.1:18280:80', '-p', '18281-18283:81-83', '-p', '18284:84/udp', '--expose', '90-92', '--expose', '99/udp',
        '-v', 'props:/props', '--stop-signal', 'KILL', 'busybox', 'sleep', '1000')
    out(NEW, 'network', 'connect', '--alias', 'guest', '--gw-priority', '-1', 'inner', 'actor')
    yield
    host.remove_all()
    for words in (('network', 'prune', '-f'), ('volume', 'prune', '-af')):
        host.stauer(*words)


@pytest.mark.parametrize('words', [
    'network ls', 'network ls -q', 'network ls --no-trunc', 'network ls --filter driver=bridge', 'network ls --filter label=a=b',
    'network ls --filter name=sta', 'network ls --filter type=custom', 'network ls --filter scope=local --format {{.Name}}={{.Driver}}={{.IPv6}}={{.Internal}}',
    'network ls --format {{.ID}}:{{.CreatedAt}}', 'network inspect stage inner', 'network inspect -f {{json.IPAM}} stage', 'network inspect host none',
    'volume ls', 'volume ls -q --filter label=a', 'volume ls --filter dangling=false', 'volume inspect props', 'volume ls --format {{.Name}}/{{.Mountpoint}}',
    'port actor', 'port actor 80', 'port actor 84/udp', 'ps --format {{.Ports}}', 'ps --format {{.Names}}:{{.Mounts}}',
    'ps --filter network=stage --filter volume=props -q', 'ps --filter publish=18281 -q', 'ps --filter expose=99/udp -q', 'ps --no-trunc',
])
def test_all_clients_say_the_same(words):
    words = [word.replace('{{json.', '{{json .') for word in words.split()]
    said = {client: re.sub(r'(?:\d+|About an?|Less than a) (?:second|minute)s?', 'TIME', out(client, *words)) for client in CLIENTS}
    assert said[OURS] == said[NEW]
    if words[1] != 'inspect':                               # the older client knows fewer members of a network, and widths are of [::]
        assert sorted(said[OLD].replace(':::', '[::]:').split()) == sorted(said[NEW].split())


def test_what_there_is():
    network, = json.loads(out(NEW, 'network', 'inspect', 'stage'))
    four, six = network['IPAM']['Config']
    assert four == {'Subnet': '172.31.20.0/24', 'IPRange': '172.31.20.128/25', 'Gateway': '172.31.20.1', 'AuxiliaryAddresses': {'router': '172.31.20.254'}}
    assert six['Subnet'] == 'fd31:20::/64' and network['EnableIPv6'] and network['Attachable'] and network['Labels'] == {'a': 'b', 'c': ''}
    member, = network['Containers'].values()
    assert (member['Name'], member['IPv4Address'], member['IPv6Address'], member['MacAddress']) == (
        'actor', '172.31.20.200/24', 'fd31:20::20/64', '02:42:ac:1f:14:c8')
    assert 'mtu 1400' in out(NEW, 'exec', 'actor', 'ip', 'link', 'show', 'eth0')
    assert 'default via 172.31.20.1' in out(NEW, 'exec', 'actor', 'ip', 'route')
    hosts = out(NEW, 'exec', 'actor', 'cat', '/etc/hosts')
    assert re.search(r'172\.31\.20\.200\s+main', hosts) and re.search(r'192\.0\.2\.1\s+elsewhere', hosts)
    ports = out(NEW, 'ps', '--format', '{{.Ports}}')
    assert '127.0.0.1:18280->80/tcp' in ports and '0.0.0.0:18283->83/tcp' in ports and '90-92/tcp' in ports and '99/udp' in ports


@pytest.mark.parametrize('client', CLIENTS)
def test_each_verb(client):
    assert re.fullmatch('[0-9a-f]{64}', out(client, 'network', 'create', '--label', 'x', '--subnet', '172.31.21.0/24', 'verbs'))
    assert out(client, 'volume', 'create', 'verbs') == 'verbs' and re.fullmatch('[0-9a-f]{64}', out(client, 'volume', 'create'))
    assert out(client, 'network', 'connect', '--ip', '172.31.21.9', '--alias', 'nine', '--link', 'actor:me', 'verbs', 'actor') == ''
    verbs = host.inspect('actor')['NetworkSettings']['Networks']['verbs']
    assert verbs['IPAddress'] == '172.31.21.9' and 'nine' in verbs['Aliases'] and verbs['Links'] == ['actor:me']
    again = say(client, 'network', 'connect', 'verbs', 'actor', check=False)
    assert again.returncode == 1 and 'endpoint with name actor already exists in network verbs' in again.stderr
    used = say(client, 'network', 'rm', 'verbs', check=False)
    assert used.returncode == 1 and 'has active endpoints' in used.stderr
    assert out(client, 'network', 'disconnect', '-f', 'verbs', 'actor') == ''
    apart = say(client, 'network', 'disconnect', 'verbs', 'actor', check=False)
    assert apart.returncode == 1 and 'is not connected to' in apart.stderr
    assert out(client, 'network', 'rm', 'verbs') == 'verbs'
    for words, text in ((('network', 'rm', 'verbs'), 'network'), (('network', 'inspect', 'verbs'), 'network'),
                        (('volume', 'inspect', 'nosuch'), 'no such volume'), (('volume', 'rm', 'props'), 'volume is in use'),
                        (('network', 'create', 'stage'), 'network with name stage already exists'),
                        (('network', 'create', '--subnet', '172.31.20.0/25', 'xx'), 'Pool overlaps with other one on this address space'),
                        (('network', 'rm', 'bridge'), 'bridge is a pre-defined network and cannot be removed')):
        wrong = say(client, *words, check=False)
        assert wrong.returncode == 1 and text.lower() in wrong.stderr.lower(), wrong.stderr
    assert 'verbs' in out(client, 'volume', 'rm', 'verbs')
    out(client, 'network', 'create', 'unused')
    assert out(client, 'network', 'prune', '-f').strip() == 'Deleted Networks:\nunused'
    assert re.search('Deleted Volumes:\n[0-9a-f]{64}\n', out(client, 'volume', 'prune', '-f'))
    assert sorted(out(client, 'network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}').split()) == ['inner', 'stage']


@pytest.mark.parametrize('client', CLIENTS)
def test_disk_usage(client):
    text = out(client, 'system', 'df', '-v')
    assert re.search(r'^props +1 +0B$', text, re.M) and re.search(r'^[0-9a-f]{12} +busybox +"sleep 1000" +1 ', text, re.M)
    assert re.search(r'^Local Volumes +1 +1 +0B +0B', out(client, 'system', 'df'), re.M)


def test_run_in_the_host_s_and_another_s_network():
    for client in CLIENTS:
        assert out(client, 'run', '--rm', '--network', 'container:actor', 'busybox', 'hostname') == 'main'
        assert 'eth0' not in out(client, 'run', '--rm', '--network', 'none', 'busybox', 'ls', '/sys/class/net').split()
        assert 'br-stage' in out(client, 'run', '--rm', '--network', 'host', 'busybox', 'ls', '/sys/class/net').split()
        assert '172.31.20.200' in out(client, 'run', '--rm', '--network', 'stage', 'busybox', 'nslookup', '-type=a', 'hero')
    for client in (NEW, OURS):                              # the older one keeps the address to itself
        wrong = say(client, 'run', '--rm', '--ip', '172.17.0.99', 'busybox', 'true', check=False)
        assert wrong.returncode == 125 and 'user-specified IP address is supported on user-defined networks only' in wrong.stderr


def test_old_http_without_host():
    ident = host.inspect('actor')['Id']
    for path, text in (('/networks', '"Name":"stage"'), ('/networks/stage', ident), ('/volumes', '"Name":"props"'), ('/v1.24/volumes/props', 'props')):
        said = host.run('curl', '-s', '--http1.0', '-H', 'Host:', '--unix-socket', '/run/docker.sock', f'http://x{path}').stdout
        assert text in said
    assert Rest().get('/networks/nosuch').status == 404
