# SPDX-License-Identifier: GPL-2.0-or-later
"""attach/ws and attach with logs by clients that we have not written: undici's WebSocket, and curl."""

import subprocess
from pathlib import Path

import host
import pytest

from common.wait import wait_for

CLIENT = Path(__file__).parent / 'attach_ws.mjs'
SOCKET = '/run/docker.sock'
SCRIPT = 'echo first; echo wrong >&2; read x; echo "got $x"'

pytestmark = pytest.mark.usefixtures('busybox', 'clean')


def create(*options, script=SCRIPT):
    return host.out('create', '--network', 'none', '-i', *options, 'busybox', 'sh', '-c', script).strip()


def client(container, query, *words):
    return subprocess.Popen(['node', CLIENT, SOCKET, container, query, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)   # pylint: disable=consider-using-with


def logged(container, text):
    wait_for(lambda: text in host.run('docker', 'logs', container).stdout, f'{text} is logged')


@pytest.mark.parametrize('driver', ['json-file', 'journald'])
def test_log_and_then_live(driver):
    """The log, then what its input makes the process say, then a clean close."""
    container = create('--log-driver', driver)
    host.out('start', container)
    logged(container, 'first')
    done = client(container, 'logs=1&stream=1&stdin=1&stdout=1&stderr=0', 'more\n')
    out, err = done.communicate(timeout=60)
    assert out == 'first\ngot more\nclosed 1000\n', (out, err)


def test_terminal():
    container = create('-t', script='read x; echo "<$x>"')
    host.out('start', container)
    out, err = client(container, 'stream=1&stdin=1&stdout=1', 'typed\n').communicate(timeout=60)
    assert '<typed>' in out and out.endswith('closed 1000\n'), (out, err)


@pytest.mark.parametrize('driver, n', [('json-file', 20000), ('local', 20000), ('journald', 3000)])
def test_every_line_once(driver, n, tmp_path):
    """Attached while it writes, which takes it longer than the clients need to come: who comes too late would wait for its next start."""
    script = f'i=0; while [ $i -lt {n} ]; do echo $i; i=$((i+1)); [ $((i % {n // 50})) -ne 0 ] || sleep 0.2; done'
    container = create('--log-driver', driver, script=script)
    host.out('start', container)
    clients = []
    for number in range(4):
        with open(tmp_path / str(number), 'wb') as file:          # a pipe that nobody reads would make it a slow client
            clients.append(subprocess.Popen(['node', CLIENT, SOCKET, container, 'logs=1&stream=1&stdout=1'], stdout=file))   # pylint: disable=consider-using-with
    for number, one in enumerate(clients):
        assert one.wait(60) == 0
        lines = (tmp_path / str(number)).read_text().splitlines()
        assert lines.pop() == 'closed 1000'
        assert [int(line) for line in lines] == list(range(n))


def test_curl_without_upgrade():
    container = create()
    host.out('start', container)
    logged(container, 'first')
    done = subprocess.run(['curl', '-sN', '--unix-socket', SOCKET, '-X', 'POST', f'http://x/containers/{container}/attach?logs=1&stdout=1', '-o', '-'],
                          capture_output=True, timeout=30, check=False)
    assert done.stdout == b'\1\0\0\0\0\0\0\6first\n'
