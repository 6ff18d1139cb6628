# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in user-defined networks: what containers can ask 127.0.0.11 for, and what of it leaves the host."""

import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

import ask
from common.wait import wait_for
from host import inspect, main_pid, out, remove_all, run, stauer
from test_life import docker

ASK = Path(__file__).parent / 'ask.py'
RESOLV = Path('/etc/resolv.conf')
UPSTREAM, SILENT = '127.0.0.77', '127.0.0.78'
PIDS = {}


class Upstream:
    """The host's name server: says 192.0.2.1 for everything, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((UPSTREAM, 53))
        self.tcp = socket.create_server((UPSTREAM, 53))
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind((SILENT, 53))
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def answer(self, message, way):
        name, end = ask.read_name(message, 12)
        kind = struct.unpack('>H', message[end:end + 2])[0]
        self.asked.append((name, way, struct.unpack('>H', message[10:12])[0]))
        n = int(kind == ask.TYPES['A'])
        head = message[:2] + struct.pack('>5H', 0x8180, 1, n, 0, 0)
        return head + message[12:end + 4] + (struct.pack('>3HIH', 0xc00c, 1, 1, 60, 4) + bytes([192, 0, 2, 1])) * n

    def serve_udp(self):
        while True:
            try:
                message, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            if message:
                self.udp.sendto(self.answer(message, 'udp'), peer)

    def serve_tcp(self):
        while True:
            try:
                client, _ = self.tcp.accept()
            except OSError:
                return
            with client:
                data = client.recv(65535)
                if len(data) < 14:
                    continue
                answer = self.answer(data[2:], 'tcp')
                client.sendall(struct.pack('>H', len(answer)) + answer)

    def close(self):
        for s in (self.udp, self.tcp, self.silent):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


@pytest.fixture(scope='module', name='upstream')
def _upstream():
    before = RESOLV.read_text() if RESOLV.exists() else None
    upstream = Upstream()
    servers(UPSTREAM)
    yield upstream
    upstream.close()
    if before is not None:
        RESOLV.write_text(before)


def servers(*addresses):
    """Replaces the host's file, as those who write it do."""
    new = RESOLV.with_suffix('.new')
    new.write_text(''.join(f'nameserver {a}\n' for a in addresses) + 'search lan.example\n')
    os.replace(new, RESOLV)


@pytest.fixture(name='net')
def _net(clean, upstream, busybox):
    assert upstream and busybox
    docker('network', 'create', 'front')
    yield 'front'
    remove_all()
    docker('network', 'rm', *[n for n in docker('network', 'ls', '--format', '{{.Name}}').stdout.split()
                              if n not in ('bridge', 'host', 'none')])


def begin(name, network, *words):
    docker('run', '-d', '--name', name, '--network', network, *words, 'busybox', 'sleep', '1000')
    container = inspect(name)
    PIDS[name] = container['State']['Pid']
    return container


def address(name, network='front'):
    return inspect(name)['NetworkSettings']['Networks'][network]['IPAddress']


def socket_inside(name, kind):
    """Made by a thread that has gone into the namespace of the container, and ends there."""
    made = []

    def make():
        with open(f'/proc/{PIDS[name]}/ns/net', 'rb') as f:
            if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0x40000000) == 0:
                made.append(socket.socket(socket.AF_INET, kind))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    assert made, f'{name} has no network namespace'
    return made[0]


def asks(name, *words):
    return ask.ask(lambda kind: socket_inside(name, kind), *words)


def test_names_and_addresses(net, upstream):
    web = begin('web', net, '--network-alias', 'Shop', '--hostname', 'host1')
    begin('app', net, '--link', 'web:linked')
    ip = address('web')
    for name in ('web', 'SHOP', 'host1', 'linked', web['Id'][:12], 'web.front'):
        assert asks('app', name)['answers'] == [ip], name
    for way in ('tcp', 'edns'):
        assert asks('app', 'web', 'A', way) == {'code': 0, 'cut': False, 'edns': way == 'edns', 'answers': [ip]}
    assert asks('web', 'linked')['answers'] == ['192.0.2.1']           # a link is seen by one side only
    assert asks('web', 'app')['answers'] == [address('app')]
    upstream.asked.clear()
    for kind in ('AAAA', 'MX', 'TXT'):                                 # the name is ours: nobody else is asked
        assert asks('app', 'web', kind) == {'code': 0, 'cut': False, 'edns': False, 'answers': []}
    reverse = '.'.join(reversed(ip.split('.'))) + '.in-addr.arpa'
    assert asks('app', reverse, 'PTR')['answers'] == ['web.front']
    assert not upstream.asked

    assert asks('app', 'example.org')['answers'] == ['192.0.2.1']
    assert asks('app', 'example.org', 'A', 'tcp')['answers'] == ['192.0.2.1']
    assert asks('app', 'edns.example.org', 'A', 'edns')['answers'] == ['192.0.2.1']
    assert upstream.asked == [('example.org', 'udp', 0), ('example.org', 'tcp', 0), ('edns.example.org', 'udp', 1)]
    assert ip in docker('exec', 'app', 'nslookup', 'web.').stdout

    docker('rename', 'web', 'store')
    assert asks('app', 'store')['answers'] == [ip]
    docker('rename', 'store', 'web')
    stauer('kill', 'web')
    wait_for(lambda: asks('app', 'web')['answers'] == ['192.0.2.1'], 'a name goes with its container')


def test_one_name_for_several(net):
    for i in range(3):
        begin(f'w{i}', net, '--network-alias', 'web')
    ips = {address(f'w{i}') for i in range(3)}
    answers = [asks('w0', 'web')['answers'] for _ in range(3)]
    assert all(set(a) == ips for a in answers)
    assert {a[0] for a in answers} == ips                               # each comes first once


def test_other_networks_are_not_seen(net):
    docker('network', 'create', 'back')
    begin('web', net)
    begin('db', 'back')
    assert asks('web', 'db')['answers'] == ['192.0.2.1']
    assert asks('web', 'db.back')['answers'] == ['192.0.2.1']
    docker('network', 'connect', '--alias', 'data', 'back', 'web')
    assert asks('web', 'db')['answers'] == [address('db', 'back')]
    assert asks('db', 'data')['answers'] == [address('web', 'back')]
    assert f"{address('web', 'back')}\t" in docker('exec', 'web', 'cat', '/etc/hosts').stdout
    docker('network', 'disconnect', 'back', 'web')
    assert asks('web', 'db')['answers'] == ['192.0.2.1']
    assert len([line for line in docker('exec', 'web', 'cat', '/etc/hosts').stdout.splitlines()
                if inspect('web')['Config']['Hostname'] in line]) == 1


def test_internal_networks_leak_nothing(net, upstream):
    docker('network', 'create', '--internal', 'inner')
    begin('in1', 'inner')
    begin('in2', 'inner', '--dns', UPSTREAM)
    upstream.asked.clear()
    assert asks('in1', 'in2')['answers'] == [address('in2', 'inner')]
    for name in ('in1', 'in2'):
        for way in ('udp', 'tcp'):
            assert asks(name, 'secret.example.org', 'A', way) == {'code': 2, 'cut': False, 'edns': False, 'answers': []}
    assert not upstream.asked
    docker('network', 'connect', net, 'in1')                              # now there is a way out
    assert asks('in1', 'example.org')['answers'] == ['192.0.2.1']


def test_files(net):
    web = begin('web', net, '--add-host', 'up:host-gateway', '--dns-opt', 'timeout:3', '--hostname', 'w', '--domainname', 'lan')
    hosts = docker('exec', 'web', 'cat', '/etc/hosts').stdout
    gateway = json.loads(docker('network', 'inspect', 'bridge').stdout)[0]['IPAM']['Config'][0]['Gateway']
    assert hosts.startswith('127.0.0.1\tlocalhost\n')
    assert hosts.endswith(f'{gateway}\tup\n{address("web")}\tw.lan w\n')
    resolv = docker('exec', 'web', 'cat', '/etc/resolv.conf').stdout
    assert [line for line in resolv.splitlines() if line.startswith('nameserver')] == ['nameserver 127.0.0.11']
    assert 'search lan.example\n' in resolv and 'options timeout:3\n' in resolv and 'options ndots:0\n' in resolv
    assert web['State']['Running']

    servers('127.0.0.1', '9.9.9.9')
    begin('plain', 'bridge')
    begin('linking', 'bridge', '--link', 'plain:db')
    servers(UPSTREAM)
    resolv = docker('exec', 'plain', 'cat', '/etc/resolv.conf').stdout
    assert [line for line in resolv.splitlines() if line.startswith('nameserver')] == ['nameserver 9.9.9.9']
    line = f"{address('plain', 'bridge')}\tdb {inspect('plain')['Id'][:12]} plain\n"
    assert line in docker('exec', 'linking', 'cat', '/etc/hosts').stdout


def test_the_host_changes_its_servers(net, upstream):
    begin('app', net)
    servers(SILENT)
    try:
        wait_for(lambda: _fails(lambda: asks('app', 'one.example.org', 'A', 'udp', 0.3)), 'the silent one is asked')
        servers(SILENT, UPSTREAM)
        time.sleep(0.1)
        since = time.monotonic()
        assert asks('app', 'two.example.org')['answers'] == ['192.0.2.1']
        assert time.monotonic() - since < 3.5
        upstream.asked.clear()
        since = time.monotonic()
        assert asks('app', 'three.example.org')['answers'] == ['192.0.2.1']
        assert time.monotonic() - since < 1.5                           # who was silent is asked last
    finally:
        servers(UPSTREAM)


def _fails(call):
    try:
        call()
    except TimeoutError:
        return True
    return False


def test_own_server(net, upstream):
    servers(SILENT)
    begin('app', net, '--dns', UPSTREAM)
    upstream.asked.clear()
    assert asks('app', 'example.org')['answers'] == ['192.0.2.1']
    assert upstream.asked
    servers(UPSTREAM)


def test_killed_daemon_answers_again(net):
    """What is asked while there is no daemon is answered by the next one."""
    begin('web', net)
    begin('app', net)
    ip = address('web')
    for _ in range(3):
        os.kill(main_pid(), signal.SIGKILL)
        assert asks('app', 'web')['answers'] == [ip]
        assert asks('app', 'example.org')['answers'] == ['192.0.2.1']
        assert asks('app', 'web', 'A', 'tcp')['answers'] == [ip]
    stauer('rm', '-f', 'web')
    assert asks('app', 'web')['answers'] == ['192.0.2.1']
    run('systemctl', 'reset-failed', 'stauer.service')


def test_flood_harms_nobody_else(net):
    begin('web', net)
    begin('app', net)
    begin('bad', net)
    with subprocess.Popen(['nsenter', '-t', str(PIDS['bad']), '-n', 'python3', '-B', ASK, '2'], stdout=subprocess.PIPE) as p:
        n = 0
        while p.poll() is None:
            since = time.monotonic()
            assert asks('app', 'web')['answers'] == [address('web')]
            out('ps')
            assert time.monotonic() - since < 2
            n += 1
        assert n > 1
