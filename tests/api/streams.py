# SPDX-License-Identifier: GPL-2.0-or-later
"""A stream of a container or an exec, the same whichever face gave it."""

import json
import socket
import struct
from urllib.parse import urlencode

from wire import Wire


def frame(file):
    """(stream, data), None at the end."""
    head = file.read(8)
    if not head:
        return None
    stream, size = struct.unpack('>BxxxI', head)
    data = file.read(size)
    assert len(data) == size, 'a frame is cut'
    return stream, data


def frames(file):
    """All until the end: (stdout, stderr)."""
    out = {1: b'', 2: b''}
    while (got := frame(file)):
        out[got[0]] += got[1]
    return out[1], out[2]


class Stream:
    """A connected socket, or None for a pipe; what came with the head of an answer is in file."""

    def __init__(self, sock, file=None):
        self.socket = sock
        if sock:
            sock.settimeout(20)
        self.file = file or sock.makefile('rb')

    def send(self, data):
        self.socket.sendall(data)
        return self

    def end_input(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def read(self):
        """All of a raw stream."""
        return self.file.read()

    def frame(self):
        return frame(self.file)

    def frames(self):
        return frames(self.file)

    def until(self, text):
        """Bytes of a raw stream up to and with a text."""
        seen = b''
        while text not in seen:
            byte = self.file.read(1)
            assert byte, f'the stream ended: {seen}'
            seen += byte
        return seen

    def close(self):
        self.file.close()
        if self.socket:
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def upgrade(daemon, path, body=None, query=None):
    """A POST that becomes a stream: (stream, None), or (None, (status, text)) when it is refused."""
    wire = Wire(daemon)
    path += '?' + urlencode({k: v for k, v in (query or {}).items() if v is not None}) if query else ''
    data = json.dumps(body).encode() if body is not None else b''
    kind = 'Content-Type: application/json\r\n' if data else ''
    wire.send(f'POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n{kind}Content-Length: {len(data)}\r\n\r\n'
              .encode() + data)
    status, headers = wire.head()
    if status == 101:
        return Stream(wire.socket, wire.file), None
    text = wire.file.read(int(headers.get('content-length', 0))).decode()
    wire.close()
    return None, (status, text)
