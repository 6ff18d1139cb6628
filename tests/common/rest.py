# SPDX-License-Identifier: GPL-2.0-or-later
"""The REST face for tests that need no client program in between: one connection per request."""

import http.client
import json
import socket
import time


class Answer:
    def __init__(self, status, data):
        self.status, self.data = status, data

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def message(self):
        return self.json['message']


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__('localhost', timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Rest:
    def __init__(self, path='/run/docker.sock'):
        self.path = str(path)

    def ask(self, method, path, body=None, timeout=60):
        """OSError or HTTPException: there was no answer, and nobody knows whether it was done."""
        headers = {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers['Content-Type'] = 'application/json'
        connection = _Connection(self.path, timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask('GET', path, **more)

    def post(self, path, body=None, **more):
        return self.ask('POST', path, body, **more)

    def delete(self, path, **more):
        return self.ask('DELETE', path, **more)

    def keep_asking(self, method, path, body=None, timeout=30):
        """For what may be asked twice: until there is an answer."""
        end = time.monotonic() + timeout
        while True:
            try:
                return self.ask(method, path, body)
            except (OSError, http.client.HTTPException):
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)


LOST = (OSError, http.client.HTTPException)


def frames(data):
    """(stream, bytes) of each frame of a log without terminal."""
    while data:
        size = int.from_bytes(data[4:8], 'big')
        yield data[0], data[8:8 + size]
        data = data[8 + size:]
