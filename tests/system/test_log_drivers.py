# SPDX-License-Identifier: GPL-2.0-or-later
"""Log drivers with their options, through the stock docker client."""

import re
import socket
import threading

import pytest

from common.wait import wait_for
from test_spec import begin, docker, inspect, refused

pytestmark = pytest.mark.usefixtures('clean', 'busybox')


def run(name, *words, script):
    ident = begin(name, *words, command=('sh', '-c', script))
    assert docker('wait', name) == '0'
    return ident


def test_local():
    ident = run('job', '--log-driver', 'local', script='echo one; printf "a\\\\\\\\b\\n"; echo err >&2; printf rest')
    assert inspect('job')['HostConfig']['LogConfig'] == {'Type': 'local', 'Config': {}}
    assert docker('logs', 'job') == 'one\na\\b\nrest'
    assert docker('logs', '--tail', '2', 'job') == 'rest'       # and the line on stderr: two pipes have no order
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT[\d:.]+Z one', docker('logs', '-t', 'job').splitlines()[0])
    with open(f'/var/lib/docker/containers/{ident}/local.log', encoding='utf-8') as f:
        assert re.fullmatch('o[0-9a-f]{16} one', f.readline().rstrip('\n'))
    docker('start', 'job')
    assert docker('wait', 'job') == '0'
    assert docker('logs', '-f', 'job').count('one') == 2


def test_local_rotates():
    run('job', '--log-driver', 'local', '--log-opt', 'max-size=10k', '--log-opt', 'max-file=3',
        script='i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done')
    lines = docker('logs', 'job').splitlines()
    numbers = [int(line.split()[1]) for line in lines]
    assert numbers == list(range(numbers[0], 3000)) and 300 < len(numbers) < 2000


class Server:
    """Takes what comes on a socket."""

    def __init__(self, family, kind, address):
        self.data = b''
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.kind = kind
        if kind == socket.SOCK_STREAM:
            self.socket.listen(1)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        peer = self.socket.accept()[0] if self.kind == socket.SOCK_STREAM else self.socket
        while True:
            data = peer.recv(65536)
            if not data:
                return
            self.data += data if self.kind == socket.SOCK_STREAM else data + b'\n'

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def lines(self, n):
        wait_for(lambda: self.data.count(b'\n') >= n, lambda: f'{n} lines came: {self.data}')
        return self.data.decode().splitlines()


@pytest.mark.parametrize('kind, scheme', [(socket.SOCK_DGRAM, 'udp'), (socket.SOCK_STREAM, 'tcp')])
def test_syslog_server(kind, scheme):
    server = Server(socket.AF_INET, kind, ('127.0.0.1', 0))
    run('job', '--log-driver', 'syslog', '--log-opt', f'syslog-address={scheme}://127.0.0.1:{server.port}', '--log-opt',
        'syslog-facility=local0', '--log-opt', 'syslog-format=rfc5424micro', '--log-opt', 'tag={{.Name}}',
        script='echo out; echo err >&2')
    lines = sorted(server.lines(2))
    assert re.fullmatch(r'<131>1 \S+\.\d{6}\S+ \S+ job \d+ job - err', lines[0])
    assert re.fullmatch(r'<134>1 \S+\.\d{6}\S+ \S+ job \d+ job - out', lines[1])
    assert docker('logs', 'job') == 'out', 'from the cache'


def test_syslog_local_without_cache(tmp_path):
    server = Server(socket.AF_UNIX, socket.SOCK_DGRAM, str(tmp_path / 'log'))
    ident = run('job', '--log-driver', 'syslog', '--log-opt', f'syslog-address=unix://{tmp_path}/log', '--log-opt',
                'cache-disabled=true', script='echo hello')
    assert re.fullmatch(rf'<30>\w{{3}} [ \d]\d [\d:]{{8}} {ident[:12]}\[\d+\]: hello', server.lines(1)[0])
    assert 'configured logging driver does not support reading' in docker('logs', 'job', code=1)


def test_refused():
    assert refused('--log-driver', 'gelf') == 'error looking up logging plugin gelf: plugin "gelf" not found'
    assert refused('--log-driver', 'local', '--log-opt', 'labels=x') == "unknown log opt 'labels' for local log driver"
    assert 'failed to initialize logging driver' in refused('--log-driver', 'syslog', '--log-opt',
                                                            'syslog-address=tcp://127.0.0.1:1')
