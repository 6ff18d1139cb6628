# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock docker client attached: pipes and a terminal, detach keys, exit codes, and the daemon killed meanwhile."""

import os
import pty
import select
import subprocess
import time

import pytest

from common.wait import wait_for

CLIENTS = [c for c in ('/usr/local/bin/docker', '/opt/docker-20.10/docker') if os.path.exists(c)]
pytestmark = [pytest.mark.usefixtures('clean', 'busybox'), pytest.mark.skipif(not CLIENTS, reason='no docker client is here')]


@pytest.fixture(params=CLIENTS or [None])
def docker(request):
    return request.param


def run(docker, *words, data=None):
    return subprocess.run([docker, *words], input=data, capture_output=True, timeout=60, check=False)


def inspect(docker, name, template):
    return run(docker, 'inspect', '-f', template, name).stdout.decode().strip()


class Terminal:
    """A client with a terminal of its own."""

    def __init__(self, *command):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)   # pylint: disable=consider-using-with
        os.close(slave)
        self.text = b''

    def type(self, text):
        os.write(self.master, text)

    def expect(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0], (text, self.text)
            self.text += os.read(self.master, 65536)
        self.text = self.text.partition(text)[2]

    def end(self):
        status = self.process.wait(30)
        os.close(self.master)
        return status


def test_through_a_pipe(docker):
    data = b''.join(b'%d\n' % number for number in range(100000))
    done = run(docker, 'run', '--network', 'none', '-i', '--rm', 'busybox', 'cat', data=data)
    assert (done.returncode, done.stderr) == (0, b'') and done.stdout == data


def test_streams_and_exit_code(docker):
    done = run(docker, 'run', '--network', 'none', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 9')
    assert (done.returncode, done.stdout, done.stderr) == (9, b'out\n', b'err\n')


def test_terminal(docker):
    t = Terminal(docker, 'run', '--network', 'none', '-it', '--rm', 'busybox', 'sh')
    t.expect(b'# ')
    t.type(b'tty; exit 5\r')
    t.expect(b'/dev/pts/')
    assert t.end() == 5


def test_detach_and_attach_again(docker):
    t = Terminal(docker, 'run', '--network', 'none', '-it', '--name', 'quay', 'busybox', 'sh')
    t.expect(b'# ')
    t.type(b'x=kept\r')
    t.expect(b'# ')
    t.type(b'\x10\x11')
    assert t.end() == 0
    assert inspect(docker, 'quay', '{{.State.Running}}') == 'true'
    t = Terminal(docker, 'attach', '--detach-keys', 'ctrl-a,z', 'quay')
    t.type(b'\recho "<$x>"\r')
    t.expect(b'<kept>')
    t.type(b'\x01z')
    t.expect(b'read escape sequence')
    t.end()
    assert inspect(docker, 'quay', '{{.State.Running}}') == 'true'


def test_daemon_is_killed_meanwhile(docker):
    assert run(docker, 'run', '--network', 'none', '-d', '-i', '--name', 'quay', 'busybox', 'cat').returncode == 0
    client = subprocess.Popen([docker, 'attach', 'quay'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)   # pylint: disable=consider-using-with
    client.stdin.write(b'before\n')
    client.stdin.flush()
    assert client.stdout.readline() == b'before\n'
    pid = subprocess.run(['systemctl', 'show', '-P', 'MainPID', 'stauer.service'], capture_output=True, check=True).stdout.decode().strip()
    os.kill(int(pid), 9)
    client.stdin.write(b'after\n')
    client.stdin.flush()
    assert client.stdout.readline() == b'after\n'
    wait_for(lambda: run(docker, 'ps', '-q').stdout != b'', 'the daemon is back and knows it')
    client.kill()
    client.wait()
    assert run(docker, 'logs', 'quay').stdout == b'before\nafter\n'
