# SPDX-License-Identifier: GPL-2.0-or-later
"""A WebSocket by hand: what a well-behaved library would not send, too."""

import base64
import hashlib
import os
import struct

from wire import Wire

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAGIC = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'


def encode(opcode, data=b'', final=True, masked=True, size=None):
    data = data.encode() if isinstance(data, str) else data
    size = len(data) if size is None else size
    mark = 0x80 if masked else 0
    if size < 126:
        head = struct.pack('>BB', opcode | (0x80 if final else 0), mark | size)
    elif size < 65536:
        head = struct.pack('>BBH', opcode | (0x80 if final else 0), mark | 126, size)
    else:
        head = struct.pack('>BBQ', opcode | (0x80 if final else 0), mark | 127, size)
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


class WebSocket(Wire):
    def __init__(self, daemon, container, query='stream=1&stdin=1&stdout=1&stderr=1', version='', early=b'', **headers):
        super().__init__(daemon)
        self.key = base64.b64encode(os.urandom(16)).decode()
        lines = {'Host': 'x', 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Key': self.key, 'Sec-WebSocket-Version': '13'}
        lines.update({name.replace('_', '-'): value for name, value in headers.items()})
        text = ''.join(f'{name}: {value}\r\n' for name, value in lines.items() if value is not None)
        self.send(f'GET {version}/containers/{container}/attach/ws?{query} HTTP/1.1\r\n{text}\r\n'.encode() + early)
        self.status, self.headers = self.head()
        if self.status == 101:
            accept = base64.b64encode(hashlib.sha1(self.key.encode() + MAGIC).digest()).decode()
            assert self.headers['sec-websocket-accept'] == accept
            assert (self.headers['upgrade'].lower(), self.headers['connection'].lower()) == ('websocket', 'upgrade')

    def say(self, data, opcode=BINARY, **more):
        return self.send(encode(opcode, data, **more))

    def frame(self):
        """(opcode, data), None when the connection ends."""
        head = self.file.read(2)
        if not head:
            return None
        assert head[0] & 0xf0 == 0x80 and not head[1] & 0x80, 'one frame a message, without a mask'
        size = head[1]
        if size >= 126:
            size = struct.unpack('>H' if size == 126 else '>Q', self.file.read(2 if size == 126 else 8))[0]
        data = self.file.read(size)
        assert len(data) == size, 'a frame is cut'
        return head[0] & 15, data

    def output(self, until=None):
        """What the container says: up to these bytes, or to the close, whose status is checked."""
        data = b''
        while until is None or until not in data:
            opcode, more = self.frame()
            if opcode == CLOSE:
                assert until is None, data
                assert struct.unpack('>H', more)[0] == 1000 and self.frame() is None
                break
            assert opcode in (BINARY, TEXT)
            data += more
        return data
