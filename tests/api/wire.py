# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP without a library, for what a well-behaved client never does."""

import socket


class Wire:
    """A connection without manners."""

    def __init__(self, daemon, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(daemon.socket))
        self.file = self.socket.makefile('rb')

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)
        return self

    def head(self):
        status = self.file.readline().decode().split(' ', 2)
        headers = {}
        while (line := self.file.readline().decode().strip()):
            name, _, value = line.partition(':')
            headers[name.lower()] = value.strip()
        return int(status[1]) if len(status) > 1 else None, headers

    def answer(self):
        status, headers = self.head()
        if headers.get('transfer-encoding') == 'chunked':
            data = b''.join(self.chunks())
        else:
            data = self.file.read(int(headers.get('content-length', 0)))
        return status, headers, data

    def chunks(self):
        while (size := int(self.file.readline(), 16)):
            yield self.file.read(size)
            self.file.readline()
        self.file.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()
