# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks as users of Docker know them, by the stock client and by ours."""

import json
import signal

import pytest

import host
from common.rest import Rest
from common.wait import wait_for

pytestmark = pytest.mark.skipif(not host.have('docker'), reason='needs the docker command')

KEEP = ('sleep', '1000')


def docker(*words, check=True):
    return host.run('docker', *words, check=check)


def addresses(name):
    """{interface: address} inside a container."""
    lines = docker('exec', name, 'ip', '-o', '-4', 'addr').stdout.splitlines()
    return {line.split()[1]: line.split()[3] for line in lines if line.split()[1] != 'lo'}


@pytest.fixture
def app(clean, busybox):                                                    # pylint: disable=unused-argument
    docker('network', 'create', '--label', 'made=here', '--subnet', '172.30.7.0/24', 'app')
    yield 'app'
    host.remove_all()
    docker('network', 'rm', 'app', check=False)
    assert 'app' not in docker('network', 'ls', '--format', '{{.Name}}').stdout.split()


def test_one_container_meets_another(app):
    docker('run', '-d', '--name', 'web', '--network', app, 'busybox', 'sh', '-c', 'echo hello >/index.html; exec httpd -f')
    wait_for(lambda: docker('run', '--rm', '--network', app, 'busybox', 'wget', '-qO-', 'http://web/', check=False).stdout == 'hello\n',
             'the neighbour answers')
    docker('run', '-d', '--name', 'side', '--network', 'container:web', 'busybox', *KEEP)
    assert docker('exec', 'side', 'wget', '-qO-', 'http://127.0.0.1/').stdout == 'hello\n'


def test_networks_come_and_go_while_it_runs(app):
    docker('run', '-d', '--name', 'one', '--network', app, 'busybox', *KEEP)
    before = addresses('one')
    assert list(before) == ['eth0']
    for _ in range(3):
        docker('network', 'connect', 'bridge', 'one')
        assert list(addresses('one')) == ['eth0', 'eth1']
        docker('network', 'disconnect', 'bridge', 'one')
        assert addresses('one') == before
    docker('network', 'disconnect', app, 'one')
    assert addresses('one') == {}
    docker('network', 'connect', '--ip', '172.30.7.77', app, 'one')
    assert addresses('one') == {'eth0': '172.30.7.77/24'}


def test_what_inspect_says_is_what_there_is(app):
    docker('run', '-d', '--name', 'one', '--network', app, '--network-alias', 'uno', 'busybox', *KEEP)
    address = addresses('one')['eth0']
    settings = host.inspect('one')['NetworkSettings']
    mine = settings['Networks'][app]
    assert f'{mine["IPAddress"]}/{mine["IPPrefixLen"]}' == address
    assert 'uno' in mine['Aliases'] and mine['Gateway']
    network = json.loads(docker('network', 'inspect', app).stdout)[0]
    assert [c['IPv4Address'] for c in network['Containers'].values()] == [address]
    assert network['Labels'] == {'made': 'here'}
    refused = docker('network', 'rm', app, check=False)
    assert refused.returncode != 0 and 'has active endpoints' in refused.stderr


def test_a_network_that_is_not_there(clean, busybox):                       # pylint: disable=unused-argument
    done = docker('run', '--rm', '--network', 'nosuch', 'busybox', 'true', check=False)
    assert done.returncode == 125 and 'network nosuch not found' in done.stderr
    assert 'Unable to find image' not in done.stderr


def test_networks_survive_the_daemon(app):
    docker('run', '-d', '--name', 'one', '--network', app, 'busybox', *KEEP)
    before = addresses('one')
    host.run('kill', f'-{signal.SIGKILL.value}', host.main_pid())
    wait_for(lambda: Rest().get('/_ping').status == 200, 'it is back')
    assert addresses('one') == before
    docker('network', 'connect', 'bridge', 'one')
    assert list(addresses('one')) == ['eth0', 'eth1']
    docker('restart', '-t', '0', 'one')
    assert sorted(addresses('one')) == ['eth0', 'eth1']


def test_links_with_and_without_ipv6_are_made_together(app):
    """Each has what its network has, whichever order they are made in."""
    docker('network', 'create', '--ipv6', 'six')
    try:
        for turn in range(3):
            docker('create', '--name', 'both', '--network', 'six', 'busybox', *KEEP)
            docker('network', 'connect', app, 'both')
            docker('start', 'both')
            lines = docker('exec', 'both', 'ip', '-o', 'addr', 'show', 'scope', 'global').stdout.splitlines()
            assert sorted(line.split()[2] for line in lines) == ['inet', 'inet', 'inet6'], (turn, lines)
            docker('rm', '-f', 'both')
    finally:
        docker('rm', '-f', 'both', check=False)
        docker('network', 'rm', 'six')


def test_who_connects_first_after_a_kill(app):
    """The daemon has not opened the container's namespace yet: it waits for that."""
    rest = Rest()
    docker('run', '-d', '--name', 'first', '--network', 'bridge', 'busybox', *KEEP)
    for _ in range(3):
        pid = host.main_pid()
        host.run('systemctl', 'reset-failed', 'stauer.service', check=False)
        host.run('kill', '-9', pid)
        for verb in ('connect', 'disconnect'):
            answer = rest.keep_asking('POST', f'/networks/{app}/{verb}', {'Container': 'first'})
            assert answer.status == 200, answer.data
            assert host.main_pid() not in (0, pid)
        assert set(addresses('first')) == {'eth0'}


def test_a_container_that_comes_back_with_its_address_is_reached_at_once(app):
    """Neighbours and the host remember the way to an address for half a minute."""
    docker('run', '-d', '--name', 'back', '--network', app, '--ip', '172.30.7.9', 'busybox', 'sh', '-c', 'exec httpd -f -h /etc')
    docker('run', '-d', '--name', 'neighbour', '--network', app, 'busybox', *KEEP)
    ask = ('exec', 'neighbour', 'timeout', '2', 'wget', '-qO-', 'http://172.30.7.9/group')
    for _ in range(2):
        wait_for(lambda: 'root' in docker(*ask, check=False).stdout, 'it answers the neighbour', timeout=5)
        docker('restart', '-t', '0', 'back')
