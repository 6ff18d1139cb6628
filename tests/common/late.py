# SPDX-License-Identifier: GPL-2.0-or-later
"""A slow machine between client and daemon: heads of answers come by themselves, and what follows a moment later."""

import socket
import threading
import time


class Late:
    """Listens at a path of its own for as long as the with lasts."""

    def __init__(self, path, behind='/run/docker.sock', seconds=0.05):
        self.path, self.behind, self.seconds = str(path), behind, seconds
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def __enter__(self):
        self.listener.bind(self.path)
        self.listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            daemon = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            daemon.connect(self.behind)
            threading.Thread(target=self._pump, args=(client, daemon, 0), daemon=True).start()
            threading.Thread(target=self._pump, args=(daemon, client, self.seconds), daemon=True).start()

    @staticmethod
    def _pump(source, to, seconds):
        try:
            while data := source.recv(65536):
                head = data.find(b'\r\n\r\n') + 4 if seconds and data.startswith(b'HTTP/') else 0
                for piece in (data[:head], data[head:]):
                    to.sendall(piece)
                    time.sleep(seconds if piece else 0)
            to.shutdown(socket.SHUT_WR)
        except OSError:                                 # one of them is gone: so is the other
            for end in (source, to):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
