# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that ask for a stream and are gone: the daemon and the monitor are as before when they have all left."""

import os
import socket

import pytest

import host
from common.rest import Rest
from common.wait import wait_for

CLIENTS = int(os.environ.get('STAUER_VANISHING', '10000'))
GROWTH = 4 * 1024 * 1024        # of the daemon: buffers of libraries, the journal's ring of events

# pylint: disable=redefined-outer-name


@pytest.fixture
def target(busybox, clean):
    """A container whose streams are asked for, and its monitor."""
    assert busybox == 'busybox'
    host.stauer('run', '-d', '-i', '--name', 'target', '--network', 'none', 'busybox', 'cat')
    (monitor,) = host.monitors()
    return monitor


def ask(request, reads):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect('/run/docker.sock')
        client.sendall(request)
        if reads:
            assert client.recv(4096).startswith(b'HTTP/1.1 '), 'the head of an answer'


def upgrade(path, body=b''):
    kind = b'Content-Type: application/json\r\n' if body else b''
    return (b'POST ' + path.encode() + b' HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n' + kind
            + b'Content-Length: ' + str(len(body)).encode() + b'\r\n\r\n' + body)


def get(path):
    return b'GET ' + path.encode() + b' HTTP/1.1\r\nHost: x\r\n\r\n'


def fds(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def resident(pid):
    with open(f'/proc/{pid}/statm', encoding='ascii') as f:
        return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def look_away(requests, n):
    """Each second one waits for the head of the answer before it goes."""
    for number in range(n):
        ask(requests[number % len(requests)], reads=number % 2)


def test_streams_are_given_back(target):
    daemon = host.main_pid()
    requests = [
        upgrade('/containers/target/attach?stream=1&stdin=1&stdout=1&stderr=1'),
        get('/containers/target/logs?follow=1&stdout=1'),
        get('/events'),
        get('/containers/target/stats'),
        upgrade('/containers/target/wait?condition=next-exit'),
    ]
    look_away(requests, 200)                    # everything that is made once is made
    wait_for(lambda: fds(target) < 40, lambda: f'the monitor has {fds(target)} descriptors')
    before, size = (fds(daemon), fds(target)), resident(daemon)
    look_away(requests, CLIENTS)
    wait_for(lambda: (fds(daemon), fds(target)) <= before, lambda: f'{before} before, {fds(daemon), fds(target)} now',
             timeout=20)
    assert host.main_pid() == daemon
    assert resident(daemon) - size < GROWTH
    assert host.state('target')['Status'] == 'running'


def test_execs_go_on_without_their_client(target):
    rest, daemon = Rest(), host.main_pid()
    before = None
    for number in range(CLIENTS // 50):
        answer = rest.post('/containers/target/exec', {'Cmd': ['true'], 'AttachStdout': True})
        assert answer.status == 201, answer.data
        ask(upgrade(f'/exec/{answer.json["Id"]}/start', b'{"Detach":false}'), reads=True)
        if number == 20:
            before = fds(daemon), fds(target)
    wait_for(lambda: not host.inspect('target')['ExecIDs'], 'no exec is left', timeout=20)
    wait_for(lambda: (fds(daemon), fds(target)) <= before, lambda: f'{before} before, {fds(daemon), fds(target)} now',
             timeout=20)
