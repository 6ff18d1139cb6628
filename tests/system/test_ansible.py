# SPDX-License-Identifier: GPL-2.0-or-later
"""Ansible's community.docker: what was asked for is there, asked for again it is "ok", and one change is one change. The modules' own code runs, in
one process; a play at the end goes the whole way."""

import copy
import json
from pathlib import Path

import pytest

import host
from common.images import docker_archive
from forked import Server


@pytest.fixture(scope='module')
def server(tmp_path_factory, busybox_archive):
    host.stauer('load', '-i', busybox_archive)
    host.remove_all()
    it = Server(tmp_path_factory.mktemp('ansible') / 'socket', Path(__file__).parent / 'ansible_modules.py', 'call')
    yield it
    it.close()
    host.remove_all()
    host.stauer('network', 'prune', '-f')
    host.stauer('volume', 'prune', '-af')


@pytest.fixture(scope='module')
def ask(server):
    def call(module, *, check=False, fails=False, **arguments):
        done = server.begin([module, json.dumps({**arguments, '_ansible_check_mode': check, '_ansible_diff': True})]).end()
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            pytest.fail(f'{module}: {done.stdout}{done.stderr}')
        assert bool(answer.get('failed')) == fails, answer.get('msg')
        return answer
    return call


@pytest.fixture(scope='module')
def twice(ask):
    """Checked first: would change; done: has changed; done again: ok, and so would a check be."""
    def call(module, **arguments):
        assert ask(module, check=True, **arguments)['changed']
        first = ask(module, **arguments)
        assert first['changed']
        for check in (False, True):
            again = ask(module, check=check, **arguments)
            assert not again['changed'], again.get('diff')
        return first
    return call


NETWORK = {'name': 'plays', 'ipam_config': [{'subnet': '172.31.12.0/24', 'gateway': '172.31.12.1', 'iprange': '172.31.12.128/25',
                                             'aux_addresses': {'router': '172.31.12.254'}}],
           'labels': {'by': 'ansible'}, 'internal': False, 'attachable': True, 'driver_options': {'com.docker.network.driver.mtu': '1400'}}

CONTAINER = {
    'name': 'played', 'image': 'busybox', 'command': ['sleep', '1000'], 'hostname': 'stage', 'domainname': 'example.org', 'user': '0:0',
    'working_dir': '/tmp', 'env': {'COLOUR': 'blue', 'EMPTY': ''}, 'labels': {'role': 'lead'}, 'init': True, 'stop_signal': 'KILL',
    'stop_timeout': 5, 'published_ports': ['127.0.0.1:18180:80', '18181-18182:81-82/udp'], 'exposed_ports': ['9000', '9001-9002/udp'],
    'volumes': ['plays:/data:rw', '/etc/hostname:/host/name:ro', '/alone'], 'tmpfs': ['/scratch:size=1m,mode=1777'],
    'mounts': [{'type': 'bind', 'source': '/usr/share', 'target': '/share', 'read_only': True},
               {'type': 'volume', 'source': 'mounted', 'target': '/more', 'labels': {'a': 'b'}},
               {'type': 'tmpfs', 'target': '/mem', 'tmpfs_size': '1M', 'tmpfs_mode': '1770'}],
    'networks': [{'name': 'plays', 'ipv4_address': '172.31.12.200', 'aliases': ['actor', 'player']}, {'name': 'bridge'}],
    'networks_cli_compatible': True, 'network_mode': 'plays',
    'healthcheck': {'test': ['CMD', 'true'], 'interval': '1h', 'timeout': '3s', 'retries': 4, 'start_period': '1s'},
    'restart_policy': 'on-failure', 'restart_retries': 3, 'ulimits': ['nofile:256:512'], 'sysctls': {'net.ipv4.ip_unprivileged_port_start': '0'},
    'capabilities': ['NET_ADMIN'], 'cap_drop': ['MKNOD'], 'security_opts': ['no-new-privileges'], 'groups': ['50', '4'], 'shm_size': '16M',
    'devices': ['/dev/null:/dev/nothing:rwm'], 'dns_servers': ['192.0.2.53'], 'dns_search_domains': ['example.org'], 'dns_opts': ['ndots:2'],
    'etc_hosts': {'elsewhere': '192.0.2.1'}, 'log_driver': 'json-file', 'log_options': {'max-size': '1m', 'labels': 'role'},
    'oom_score_adj': 100, 'ipc_mode': 'private', 'read_only': False, 'tty': True, 'interactive': True,
}


def test_network(ask, twice):
    made = twice('docker_network', **NETWORK)['network']
    assert made['IPAM']['Config'][0]['Gateway'] == '172.31.12.1' and made['Labels'] == {'by': 'ansible'}
    assert ask('docker_network_info', name='plays')['network']['Id'] == made['Id']
    other = {**NETWORK, 'labels': {'by': 'somebody'}}
    assert twice('docker_network', **other)['network']['Id'] != made['Id']
    assert not ask('docker_network_info', name='nosuch')['exists']


def test_volume(ask, twice):
    made = twice('docker_volume', name='plays', driver='local', labels={'by': 'ansible'})['volume']
    assert made['Labels'] == {'by': 'ansible'}
    changed = ask('docker_volume', name='plays', labels={'by': 'other'}, recreate='options-changed')
    assert changed['changed'] and changed['volume']['Labels'] == {'by': 'other'}
    assert ask('docker_volume_info', name='plays')['volume']['Name'] == 'plays'


def test_container_with_everything(ask, twice):
    made = twice('docker_container', **CONTAINER)['container']
    assert made['State']['Running'] and made['Config']['Hostname'] == 'stage'
    assert made['NetworkSettings']['Networks']['plays']['IPAddress'] == '172.31.12.200'
    assert {'actor', 'player'} <= set(made['NetworkSettings']['Networks']['plays']['Aliases'])
    assert sorted(made['NetworkSettings']['Networks']) == ['bridge', 'plays']
    assert made['HostConfig']['PortBindings']['80/tcp'] == [{'HostIp': '127.0.0.1', 'HostPort': '18180'}]
    assert {m['Destination'] for m in made['Mounts']} >= {'/data', '/host/name', '/alone', '/share', '/more', '/mem'}
    assert ask('docker_container_info', name='played')['container']['Id'] == made['Id']
    assert ask('docker_container_exec', container='played', argv=['sh', '-c', 'echo $COLOUR; hostname'])['stdout'] == 'blue\nstage'


CHANGES = {
    'env': {'COLOUR': 'red'}, 'labels': {'role': 'second'}, 'published_ports': ['127.0.0.1:18183:80'], 'command': ['sleep', '2000'],
    'ulimits': ['nofile:128:512'], 'sysctls': {'net.ipv4.ip_unprivileged_port_start': '1'}, 'log_options': {'max-size': '2m'},
    'healthcheck': {'test': ['CMD', 'false'], 'interval': '1h'}, 'devices': ['/dev/zero:/dev/nothing:r'], 'capabilities': ['SYS_TIME'],
}


def test_each_change_is_seen_and_nothing_else(ask):
    for name, value in CHANGES.items():
        answer = ask('docker_container', check=True, **{**CONTAINER, name: value})
        differences = [key for difference in answer['diff']['differences'] for key in difference]
        assert answer['changed'] and len(differences) == 1, (name, answer['diff'])


def test_a_change_makes_it_anew_and_limits_do_not(ask):
    before = host.inspect('played')['Id']
    limited = ask('docker_container', **{**CONTAINER, 'restart_retries': 5})
    assert limited['changed'] and limited['container']['Id'] == before
    assert limited['container']['HostConfig']['RestartPolicy'] == {'Name': 'on-failure', 'MaximumRetryCount': 5}
    wanted = copy.deepcopy(CONTAINER)
    wanted['env']['COLOUR'] = 'red'
    anew = ask('docker_container', **wanted)
    assert anew['changed'] and anew['container']['Id'] != before
    assert not ask('docker_container', **wanted)['changed']


def test_networks_of_a_container_that_runs(ask):
    before = host.inspect('played')['Id']
    wanted = {**copy.deepcopy(CONTAINER), 'env': {'COLOUR': 'red'}}
    wanted['networks'][0]['aliases'] = ['actor', 'understudy']
    moved = ask('docker_container', **wanted)
    assert moved['changed'] and moved['container']['Id'] == before
    assert 'understudy' in moved['container']['NetworkSettings']['Networks']['plays']['Aliases']
    assert not ask('docker_container', **wanted)['changed']
    fewer = {**wanted, 'networks': wanted['networks'][:1], 'purge_networks': True}
    assert ask('docker_container', **fewer)['changed']
    assert list(host.inspect('played')['NetworkSettings']['Networks']) == ['plays']
    assert not ask('docker_container', **fewer)['changed']


def test_states(ask):
    for state, running in (('stopped', False), ('started', True)):
        answer = ask('docker_container', name='played', state=state)
        assert answer['container']['State']['Running'] == running
        assert not ask('docker_container', name='played', state=state)['changed']
    assert ask('docker_container', name='played', state='started', restart=True)['changed']
    assert ask('docker_container', name='played', paused=True)['container']['State']['Paused']
    assert not ask('docker_container', name='played', paused=False)['container']['State']['Paused']
    once = ask('docker_container', name='once', image='busybox', command='sh -c "echo words; exit 3"', detach=False, cleanup=True, fails=True)
    assert once['status'] == 3 and once['container']['Output'] == 'words\n'
    assert ask('docker_container', name='played', state='absent', keep_volumes=False)['changed']
    assert not ask('docker_container', name='played', state='absent')['changed']


def test_images(ask, tmp_path):
    docker_archive(tmp_path / 'i.tar', 'loaded:1')
    assert ask('docker_image_load', path=str(tmp_path / 'i.tar'))['image_names'] == ['loaded:1']
    tagged = {'name': 'loaded:1', 'repository': 'tagged:2', 'source': 'local'}
    assert ask('docker_image', **tagged)['changed']
    assert not ask('docker_image', **tagged)['changed']
    assert len(ask('docker_image_info', name=['loaded:1', 'tagged:2'])['images']) == 2
    for name in ('loaded:1', 'tagged:2'):
        assert ask('docker_image', name=name, state='absent')['changed']
        assert not ask('docker_image', name=name, state='absent')['changed']


def test_host_info_and_prune(ask):
    ask('docker_volume', name='unused')
    ask('docker_network', name='unused')
    ask('docker_container', name='unused', image='busybox', state='present', labels={'prune': 'me'})
    facts = ask('docker_host_info', containers=True, networks=True, volumes=True, images=True, disk_usage=True, containers_all=True)
    assert 'unused' in [v['Name'] for v in facts['volumes']] and 'unused' in [n['Name'] for n in facts['networks']]
    assert facts['containers'] and facts['images'] and facts['disk_usage']['LayersSize'] > 0 and facts['host_info']['OSType'] == 'linux'
    pruned = ask('docker_prune', containers=True, networks=True, volumes=True, containers_filters={'label': 'prune=me'})
    assert len(pruned['containers']) == 1 and 'unused' in pruned['networks'] and pruned['changed']
    for module in ('docker_network', 'docker_volume'):
        for name in ('plays', 'unused', 'mounted', 'other'):
            ask(module, name=name, state='absent')
            assert not ask(module, name=name, state='absent')['changed']


PLAY = '''
- hosts: localhost
  gather_facts: false
  tasks:
    - community.docker.docker_network: {name: whole, ipam_config: [{subnet: 172.31.13.0/24}]}
    - community.docker.docker_volume: {name: whole}
    - community.docker.docker_container:
        name: whole
        image: busybox
        command: sleep 1000
        stop_signal: KILL
        volumes: ["whole:/data"]
        published_ports: ["18190:80"]
        networks: [{name: whole, ipv4_address: 172.31.13.7, aliases: [all]}]
        networks_cli_compatible: true
'''


def test_a_play(server, tmp_path):
    assert server
    play = tmp_path / 'play.yml'
    play.write_text(PLAY + PLAY)
    said = host.run('ansible-playbook', '-i', 'localhost,', '-c', 'local', '-e', 'ansible_python_interpreter=/usr/bin/python3', play, timeout=240)
    assert 'ok=6    changed=3 ' in said.stdout, said.stdout
    host.stauer('rm', '-f', 'whole')
    host.stauer('network', 'rm', 'whole')
    host.stauer('volume', 'rm', 'whole')
