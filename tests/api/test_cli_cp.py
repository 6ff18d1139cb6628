# SPDX-License-Identifier: GPL-2.0-or-later
"""`stauer cp` with engines and readers that are in a hurry, or not at all."""

import base64
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest

from private_bus import BUILD, wait_for

STAT = base64.b64encode(json.dumps({'name': 'there', 'mode': 1 << 31 | 0o755, 'linkTarget': ''}).encode())
HEAD = b'HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\nX-Docker-Container-Path-Stat: ' + STAT + b'\r\nContent-Length: 0\r\n\r\n'
REFUSAL = b'{"message":"no room"}'


class Hasty:
    """Answers a PUT at the end of the archive, whatever comes behind it, or at once; and a GET."""

    def __init__(self, folder, answer, until):
        self.path, self.answer, self.until = folder / 's', answer, until
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):          # it goes when it has what it wants
            data = b''
            while more := client.recv(4096):
                data += more
                while b'\r\n\r\n' in data and data.startswith(b'HEAD '):
                    data = data.split(b'\r\n\r\n', 1)[1]
                    client.sendall(HEAD)
                if data.startswith((b'GET ', b'PUT ')) and self.until in data:
                    client.sendall(self.answer)
                    return


@pytest.mark.parametrize('line, body, until, status, said', [
    (b'200 OK', b'', bytes(1024), 0, ''),
    (b'403 Forbidden', REFUSAL, b'\r\n\r\n', 1, 'Error response from daemon: no room'),
], ids=['done', 'refused'])
def test_answer_comes_early(line, body, until, status, said):
    """What it says counts, though it has not read all that is sent."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        tar.addfile(tarfile.TarInfo('file'))
    answer = b'HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b' % (line, len(body), body)
    with tempfile.TemporaryDirectory() as folder:             # short, for the socket's path
        engine = Hasty(Path(folder), answer, until)
        done = subprocess.run([BUILD / 'cli/stauer', '-H', f'unix://{engine.path}', 'cp', '-', 'c:/there'], capture_output=True,
                              input=out.getvalue() + os.urandom(8 << 20), timeout=60, check=False)
    assert (done.returncode, done.stderr.decode().strip()) == (status, said)


def test_nobody_reads():
    """To stdout it can be ended while it waits for the reader."""
    body = bytes(8 << 20)
    with tempfile.TemporaryDirectory() as folder:
        engine = Hasty(Path(folder), HEAD.replace(b'Length: 0', b'Length: %d' % len(body)) + body, b'\r\n\r\n')
        with subprocess.Popen([BUILD / 'cli/stauer', '-H', f'unix://{engine.path}', 'cp', 'c:/there', '-'],
                              stdout=subprocess.PIPE) as running:
            assert running.stdout.read(1) == b'\0'
            wait_for(lambda: 'pipe_write' in Path(f'/proc/{running.pid}/wchan').read_text(), 'its pipe is full')
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == -signal.SIGTERM
