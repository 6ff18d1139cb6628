# SPDX-License-Identifier: GPL-2.0-or-later
"""The foreground of the command line, with pipes and with a terminal: against Stauer, and against a real dockerd, which is the best judge."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import host
from common.wait import wait_for

PEER = 'unix:///run/peer-docker.sock'
NONE = ('--network', 'none')


class Engine:
    def __init__(self, name, words):
        self.name, self.words = name, words

    def run(self, *words, **more):
        """The finished process; its output as text."""
        more.setdefault('timeout', 60)
        return subprocess.run([*self.words, *words], capture_output=True, text=True, check=False, **more)

    def ok(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, f'{words}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done.stdout.rstrip('\n')

    def clean(self):
        names = self.ok('ps', '-aq').split()
        if names:
            self.ok('rm', '-f', *names)

    def terminal(self, *words):
        return Terminal([*self.words, *words])


class Terminal:
    """A client on a terminal of its own, 33 rows of 99 columns."""

    def __init__(self, words):
        self.master, slave = pty.openpty()
        self.resize(33, 99)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.seen = b''

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def send(self, data):
        os.write(self.master, data if isinstance(data, bytes) else data.encode())

    def expect(self, text, timeout=30):
        end = time.monotonic() + timeout
        while text.encode() not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, end - time.monotonic()))
            assert ready, f'no {text!r} in {self.seen!r}'
            self.seen += os.read(self.master, 65536)
        self.seen = self.seen.split(text.encode(), 1)[1]

    def wait(self):
        """Exit status; the terminal must be as it was."""
        def over():
            if select.select([self.master], [], [], 0)[0]:
                self.seen += os.read(self.master, 65536)
            return self.process.poll() is not None
        wait_for(over, lambda: f'still runs: {self.seen!r}', timeout=30)
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        assert termios.tcgetattr(self.slave)[:4] == self.before[:4], 'the terminal was left in another mode'
        os.close(self.slave)
        os.close(self.master)
        return self.process.returncode


@pytest.fixture(params=['stauer', 'dockerd'])
def engine(request, busybox_archive):
    if request.param == 'stauer':
        engine = Engine('stauer', ['stauer'])
    else:
        host.run('systemctl', 'start', 'peer-dockerd')
        engine = Engine('dockerd', ['stauer', '-H', PEER])
    engine.ok('load', '-i', str(busybox_archive))
    engine.clean()
    yield engine
    engine.clean()


def test_output_and_status(engine):
    done = engine.run('run', '--rm', *NONE, 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert (done.returncode, done.stdout, done.stderr) == (7, 'out\n', 'err\n')
    assert engine.ok('ps', '-aq') == ''


@pytest.mark.parametrize('words, status', [('/no/such', 127), ('no-such', 127), ('/etc', 126)])
def test_command_that_cannot_run(engine, words, status):
    done = engine.run('run', '--rm', *NONE, 'busybox', words)
    assert done.returncode == status and done.stderr.startswith('stauer: Error response from daemon: ')
    assert engine.ok('ps', '-aq') == ''


def test_engine_refuses(engine):
    assert engine.run('run', *NONE, '--memory', '1k', 'busybox').returncode == 125
    done = engine.run('run', '--pull', 'never', *NONE, 'no-such-image')
    assert done.returncode == 125 and 'No such image: no-such-image' in done.stderr
    done = engine.run('run', '-p', 'x', 'busybox')
    assert done.returncode == 125 and done.stderr.startswith('stauer: invalid containerPort: x\n')
    assert engine.run('run', '-it', 'busybox', input='').stderr == 'the input device is not a TTY\n'


def test_pipe(engine):
    """More than any buffer in between holds, there and back, and the end of the input arrives."""
    text = 'x' * 79 + '\n'
    done = engine.run('run', '--rm', '-i', *NONE, 'busybox', 'cat', input=text * 40000)
    assert (done.returncode, len(done.stdout), done.stderr) == (0, 80 * 40000, '')
    assert engine.ok('run', '--rm', '-i', *NONE, 'busybox', 'wc', '-c', input='12345') == '5'


def test_start_attached(engine):
    engine.ok('create', '--name', 'talk', *NONE, 'busybox', 'sh', '-c', 'echo hello; exit 6')
    engine.ok('create', '--name', 'echo', '-i', *NONE, 'busybox', 'cat')
    done = engine.run('start', '-a', 'talk')
    assert (done.returncode, done.stdout) == (6, 'hello\n')
    assert engine.ok('start', '-ai', 'echo', input='piped\n') == 'piped'
    done = engine.run('start', '-a', 'talk', 'echo')
    assert done.returncode == 1 and 'multiple containers at once' in done.stderr
    assert 'cannot attach to a stopped container' in engine.run('attach', 'talk').stderr


def test_signals_are_handed_on(engine):
    script = 'trap "echo got; exit 4" INT; echo ready; while :; do sleep 0.1; done'
    with subprocess.Popen([*engine.words, 'run', '--rm', *NONE, 'busybox', 'sh', '-c', script], stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == b'ready\n'
        p.send_signal(signal.SIGINT)
        assert p.stdout.read() == b'got\n' and p.wait(30) == 4


def test_signals_without_proxy(engine):
    words = [*engine.words, 'run', '--name', 'stays', '--sig-proxy=false', *NONE, 'busybox', 'sh', '-c', 'echo ready; sleep 60']
    with subprocess.Popen(words, stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == b'ready\n'
        p.send_signal(signal.SIGTERM)
        assert p.wait(30) == -signal.SIGTERM
    assert engine.ok('inspect', '-f', '{{.State.Running}}', 'stays') == 'true'


def test_terminal(engine):
    t = engine.terminal('run', '--rm', '-it', '--name', 'shell', *NONE, 'busybox', 'sh')
    t.expect('#')
    t.send('stty size\n')
    t.expect('33 99')
    t.resize(44, 111)
    t.send('while [ "$(stty size)" != "44 111" ]; do :; done; echo re""sized; exit 5\n')
    t.expect('resized')
    assert t.wait() == 5


def test_interrupt_on_a_terminal(engine):
    script = 'trap "echo got; exit 4" INT; echo ready; while :; do sleep 0.1; done'
    t = engine.terminal('run', '--rm', '-it', *NONE, 'busybox', 'sh', '-c', script)
    t.expect('ready')
    t.send(b'\x03')
    t.expect('got')
    assert t.wait() == 4


def test_detach_and_attach(engine):
    t = engine.terminal('run', '-it', '--name', 'shell', *NONE, 'busybox', 'sh')
    t.expect('#')
    t.send(b'\x10\x11')
    t.expect('read escape sequence')
    assert t.wait() == 0
    assert engine.ok('inspect', '-f', '{{.State.Running}}', 'shell') == 'true'

    t = engine.terminal('attach', '--detach-keys', 'ctrl-a,x', 'shell')
    t.send('echo a$((1+1))b\n')
    t.expect('a2b')
    t.send(b'\x01x')
    t.expect('read escape sequence')
    assert t.wait() == 1
    t = engine.terminal('attach', 'shell')
    t.send('exit 9\n')
    assert t.wait() == 9


def test_terminal_after_a_deadly_signal(engine):
    t = engine.terminal('run', '-it', '--sig-proxy=false', '--name', 'shell', *NONE, 'busybox', 'sh')
    t.expect('#')
    t.process.send_signal(signal.SIGTERM)
    assert t.wait() == -signal.SIGTERM


def test_exec(engine):
    engine.ok('run', '-d', '--name', 'box', *NONE, 'busybox', 'sleep', '300')
    done = engine.run('exec', '-e', 'Q=1', '-w', '/tmp', '-u', '33', 'box', 'sh', '-c', 'echo $Q; pwd; id -u; echo e >&2; exit 3')
    assert (done.returncode, done.stdout, done.stderr) == (3, '1\n/tmp\n33\n', 'e\n')
    assert engine.ok('exec', '-i', 'box', 'cat', input='abc') == 'abc'
    assert engine.run('exec', 'box', '/no/such').returncode in (126, 127)
    assert engine.ok('exec', '-d', 'box', 'touch', '/tmp/detached') == ''
    wait_for(lambda: engine.run('exec', 'box', 'test', '-e', '/tmp/detached').returncode == 0, 'the command runs')
    t = engine.terminal('exec', '-it', 'box', 'sh')
    t.expect('#')
    t.send('stty size; exit 8\n')
    t.expect('33 99')
    assert t.wait() == 8


def test_files(engine, tmp_path):
    (tmp_path / 'env').write_text('A=1\n# no\nB=two words\n')
    out = engine.ok('run', '--rm', *NONE, '--cidfile', tmp_path / 'cid', '--env-file', tmp_path / 'env', '-e', 'A=3', 'busybox', 'env')
    assert 'A=3\n' in out + '\n' and 'B=two words' in out
    assert re.fullmatch('[0-9a-f]{64}', (tmp_path / 'cid').read_text())
    done = engine.run('run', '--cidfile', tmp_path / 'cid', *NONE, 'busybox')
    assert done.returncode == 125 and 'container ID file found' in done.stderr


def test_stats_and_top(engine):
    ident = engine.ok('run', '-d', '--name', 'busy', *NONE, 'busybox', 'sh', '-c', 'sleep 300 & while :; do :; done')
    line = engine.ok('stats', '--no-stream', '--format', '{{.Name}} {{.ID}} {{.CPUPerc}} {{.PIDs}} {{.MemUsage}}', 'busy')
    found = re.fullmatch(rf'busy {ident[:12]} ([\d.]+)% (\d+) \S+ / \S+', line)
    assert found
    if engine.name == 'stauer':       # the peer sees no controllers in the sandbox, and says 0
        assert float(found[1]) > 1
    assert engine.ok('stats', '--no-stream').splitlines()[0].split()[:3] == ['CONTAINER', 'ID', 'NAME']
    top = engine.ok('top', 'busy')
    assert top.splitlines()[0].split()[:2] == ['UID', 'PID'] and 'sleep 300' in top
