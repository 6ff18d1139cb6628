# SPDX-License-Identifier: GPL-2.0-or-later
"""`stauer cp` into a container when the engine answers before it has read all that is sent: what it says counts."""

import base64
import io
import json
import os
import socket
import subprocess
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest

from private_bus import BUILD

STAT = base64.b64encode(json.dumps({'name': 'there', 'mode': 1 << 31 | 0o755, 'linkTarget': ''}).encode())
HEAD = b'HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\nX-Docker-Container-Path-Stat: ' + STAT + b'\r\nContent-Length: 0\r\n\r\n'
REFUSAL = b'{"message":"no room"}'


class Hasty:
    """Answers a PUT at the end of the archive, whatever comes behind it, or at once."""

    def __init__(self, folder, answer, wait_for):
        self.path, self.answer, self.wait_for = folder / 's', answer, wait_for
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.path))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            data = b''
            while more := client.recv(4096):
                data += more
                while b'\r\n\r\n' in data and data.startswith(b'HEAD '):
                    data = data.split(b'\r\n\r\n', 1)[1]
                    client.sendall(HEAD)
                if data.startswith(b'PUT ') and self.wait_for in data:
                    client.sendall(self.answer)
                    return


@pytest.mark.parametrize('line, body, wait_for, status, said', [
    (b'200 OK', b'', bytes(1024), 0, ''),
    (b'403 Forbidden', REFUSAL, b'\r\n\r\n', 1, 'Error response from daemon: no room'),
], ids=['done', 'refused'])
def test_answer_comes_early(line, body, wait_for, status, said):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        tar.addfile(tarfile.TarInfo('file'))
    answer = b'HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b' % (line, len(body), body)
    with tempfile.TemporaryDirectory() as folder:             # short, for the socket's path
        engine = Hasty(Path(folder), answer, wait_for)
        done = subprocess.run([BUILD / 'cli/stauer', '-H', f'unix://{engine.path}', 'cp', '-', 'c:/there'], capture_output=True,
                              input=out.getvalue() + os.urandom(8 << 20), timeout=60, check=False)
    assert (done.returncode, done.stderr.decode().strip()) == (status, said)
