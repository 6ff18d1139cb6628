# SPDX-License-Identifier: GPL-2.0-or-later
"""docker-compose 1.29 of Debian: one project from up to down, and what a change of it does."""

import json
from pathlib import Path

import pytest

import host
from common.wait import wait_for
from forked import Server


FOLDER = Path(__file__).parent / 'compose'


class Compose:
    def __init__(self, server, *options):
        self.server, self.options = server, options

    def begin(self, *words, **more):
        return self.server.begin(['-p', 'shop', *self.options, *words], folder=FOLDER, **more)

    def run(self, *words, check=True, **more):
        done = self.begin(*words, **more).end()
        if check:
            assert done.returncode == 0, f'{words}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done

    def out(self, *words, **more):
        return self.run(*words, **more).stdout.strip()


def docker(*words):
    return host.run('docker', *words).stdout.strip()


def ids():
    """{name: id} of the project's containers."""
    return dict(line.split() for line in docker('ps', '-a', '--no-trunc', '--filter', 'label=com.docker.compose.project=shop',
                                                '--format', '{{.Names}} {{.ID}}').splitlines())


def fetch(container, url):
    return docker('exec', container, 'wget', '-qO-', url)


def addresses(container, name):
    found = host.run('docker', 'exec', container, 'nslookup', '-type=a', name).stdout.split('Name:')[1:]
    return {words.split()[-1] for words in found}


@pytest.fixture(scope='module')
def compose(busybox_archive, tmp_path_factory):
    host.stauer('load', '-i', busybox_archive)
    host.remove_all()
    server = Server(tmp_path_factory.mktemp('compose') / 'socket', FOLDER / 'serve.py', 'call')
    it = Compose(server)
    yield it
    it.run('down', '-v', '--remove-orphans', '-t', '0', check=False)
    host.remove_all()
    host.stauer('volume', 'prune', '-af')           # what went along when a service was made anew belongs to nobody, with Docker as well
    server.close()


@pytest.fixture(scope='module')
def shop(compose):
    compose.run('up', '-d', '--scale', 'ticker=2')
    return compose


def test_up_makes_what_the_file_says(shop):
    names = ids()
    assert sorted(names) == ['shop_store_1', 'shop_ticker_1', 'shop_ticker_2', 'shop_web_1']
    store, web = host.inspect('shop_store_1'), host.inspect('shop_web_1')
    assert store['State']['Health']['Status'] == 'healthy'
    back = store['NetworkSettings']['Networks']['shop_back']
    assert back['IPAddress'] == '172.31.9.10' and {'database', 'store'} <= set(back['Aliases'])
    assert store['Mounts'][0]['Name'] == 'shop_data' and store['Config']['Hostname'] == 'storehost'
    assert sorted(web['NetworkSettings']['Networks']) == ['shop_back', 'shop_front']
    assert web['HostConfig']['Ulimits'] == [{'Name': 'nofile', 'Hard': 400, 'Soft': 200}]
    assert web['HostConfig']['RestartPolicy']['Name'] == 'unless-stopped'
    network, = json.loads(docker('network', 'inspect', 'shop_back'))
    assert network['Internal'] and network['Labels']['made'] == 'by compose'
    assert network['IPAM']['Config'][0]['Subnet'] == '172.31.9.0/24'
    assert docker('volume', 'inspect', '-f', '{{.Labels.kept}}', 'shop_data') == 'yes'


def test_services_find_each_other(shop):
    assert fetch('shop_ticker_1', 'http://store:8000/starts') == 'x'
    assert fetch('shop_ticker_2', 'http://database:8000/starts') == 'x'
    assert fetch('shop_store_1', 'http://web/') == 'x'
    assert len(addresses('shop_store_1', 'ticker')) == 2
    assert len(addresses('shop_web_1', 'shop_ticker_2')) == 1


def test_ports_are_open_and_told(shop):
    wait_for(lambda: host.run('curl', '-s', 'http://127.0.0.1:18080/', check=False).stdout == 'x\n', 'the web service answers')
    assert shop.out('port', 'web', '80') == '127.0.0.1:18080'
    assert shop.out('port', '--protocol', 'udp', 'web', '82').endswith(':18082')
    shown = shop.out('ps', 'web')
    assert '127.0.0.1:18080->80/tcp' in shown and ':18081->81/udp' in shown and 'Up' in shown


def test_ps_top_exec_logs_run(shop):
    assert shop.out('ps', '-q', 'web') == ids()['shop_web_1']
    assert sorted(shop.out('ps', '--services', '--filter', 'status=running').split()) == ['store', 'ticker', 'web']
    assert 'Up (healthy)' in shop.out('ps', 'store')
    assert 'httpd -f -p 8000' in shop.out('top', 'store')
    assert shop.out('exec', '-T', '-e', 'X=5', 'store', 'sh', '-c', 'echo $COLOUR $X') == 'blue 5'
    assert shop.run('exec', '-T', 'web', 'sh', '-c', 'exit 7', check=False).returncode == 7
    assert shop.out('exec', '-T', '--index', '2', 'ticker', 'hostname') == ids()['shop_ticker_2'][:12]
    assert shop.out('run', '--rm', '-T', '--no-deps', 'ticker', 'wget', '-qO-', 'http://store:8000/starts') == 'x'
    assert shop.run('run', '--rm', '-T', '--no-deps', 'ticker', 'sh', '-c', 'exit 3', check=False).returncode == 3
    assert len(ids()) == 4
    images = shop.out('images')
    assert 'shop_web_1' in images and 'busybox' in images


def test_logs_follow(shop):
    follower = shop.begin('logs', '-f', '--no-color', 'ticker')
    docker('exec', 'shop_ticker_2', 'sh', '-c', 'echo also >/proc/1/fd/1')
    wait_for(lambda: follower.said().count('| started') == 2 and 'ticker_2  | also' in follower.said(), follower.said)
    follower.interrupt()
    assert follower.end().returncode in (0, 1)
    assert sorted(shop.out('logs', '--no-color', '--tail', '1', 'ticker').splitlines()[1:]) == ['ticker_1  | started', 'ticker_2  | also']


def test_events(shop):
    watcher = shop.begin('events', '--json', 'ticker')

    def seen():
        docker('exec', 'shop_ticker_1', 'true')
        return '"action": "exec_create: true"' in watcher.said()
    wait_for(seen, watcher.said)
    watcher.interrupt()
    watcher.end()


def test_stop_start_restart_pause_kill(shop):
    before = ids()
    shop.run('pause', 'ticker')
    assert host.state('shop_ticker_2')['Status'] == 'paused'
    assert 'Paused' in shop.out('ps', 'ticker')
    shop.run('unpause', 'ticker')
    shop.run('stop', 'ticker', 'web')
    assert host.state('shop_ticker_1')['ExitCode'] == 0
    assert 'Exit 0' in shop.out('ps', 'ticker')
    shop.run('start', 'ticker', 'web')
    shop.run('restart', '-t', '0', 'store')
    starts = ('exec', 'shop_ticker_1', 'wget', '-qO-', 'http://database:8000/starts')
    wait_for(lambda: host.run('docker', *starts, check=False).stdout.strip() == 'x\nx', 'the restarted service answers under its name')
    shop.run('kill', '-s', 'TERM', 'ticker')
    wait_for(lambda: not host.state('shop_ticker_2')['Running'], 'the signal ended it')
    shop.run('start', 'ticker')
    assert ids() == before
    assert host.inspect('shop_store_1')['NetworkSettings']['Networks']['shop_back']['IPAddress'] == '172.31.9.10'


def test_up_again_changes_nothing_and_a_change_only_what_changed(shop):
    before = ids()
    done = shop.run('up', '-d', '--scale', 'ticker=2')
    assert ids() == before and done.stderr.count('up-to-date') == 4, done.stderr
    mount = host.inspect('shop_web_1')['Mounts']
    shop.run('up', '-d', '-t', '0', '--scale', 'ticker=3', '--no-deps', 'ticker')
    assert {k: v for k, v in ids().items() if k != 'shop_ticker_3'} == before
    shop.run('up', '-d', '-t', '0', '--scale', 'ticker=1', env={'COLOUR': 'red'})
    after = ids()
    assert after.pop('shop_store_1') != before.pop('shop_store_1')
    assert after['shop_ticker_1'] == before['shop_ticker_1'] and 'shop_ticker_2' not in after
    assert shop.out('exec', '-T', 'store', 'sh', '-c', 'echo $COLOUR; cat /data/starts') == 'red\nx\nx\nx'
    shop.run('up', '-d', '-t', '0', '--force-recreate', '--no-deps', 'web', env={'COLOUR': 'red'})
    kept = {m['Destination']: m['Source'] for m in host.inspect('shop_web_1')['Mounts']}
    assert kept == {m['Destination']: m['Source'] for m in mount}          # the anonymous volume went along


def test_orphans_and_down(shop, compose, tmp_path):
    small = tmp_path / 'small.yml'
    small.write_text('version: "3.9"\nservices:\n  other: {image: busybox, command: sleep 1000, network_mode: bridge, stop_signal: KILL}\n')
    less = Compose(compose.server, '-f', str(small))
    assert 'orphan' in less.run('up', '-d').stderr
    assert 'shop_other_1' in ids()
    shop.run('rm', '-f', '-s', '-v', 'web')
    assert 'shop_web_1' not in ids()
    shop.run('down', '-v', '--remove-orphans', '-t', '0')
    assert ids() == {}
    assert not [n for n in docker('network', 'ls', '--format', '{{.Name}}').split() if n.startswith('shop')]
    assert 'shop_data' not in docker('volume', 'ls', '-q').split()
    wait_for(lambda: not host.leftovers(), lambda: f'nothing is left over: {host.leftovers()}')


def test_up_in_the_foreground(compose, tmp_path):
    file = tmp_path / 'one.yml'
    file.write_text('version: "3.9"\nservices:\n  a: {image: busybox, command: sh -c "echo words; exit 4", network_mode: none}\n'
                    '  b: {image: busybox, command: sleep 1000, network_mode: none, stop_signal: KILL}\n')
    one = Compose(compose.server, '-f', str(file))
    done = one.run('up', '--no-color', '--exit-code-from', 'a', check=False)
    assert done.returncode == 4 and '| words' in done.stdout and 'exited with code 4' in done.stdout
    one.run('down', '-t', '0')
    assert compose.out('ps', '-q') == ''
