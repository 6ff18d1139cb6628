# SPDX-License-Identifier: GPL-2.0-or-later
"""Both ends of a connection, as programs in a network namespace of anybody's: a server that says who it is and whom it sees, a client that says
what it got. Also run as a program of its own (`netpeer.py serve web 80`)."""

import socket
import subprocess
import sys
import threading

FAMILIES = (socket.AF_INET, socket.AF_INET6)


def _socket(family, kind):
    s = socket.socket(family, kind)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return s


def _serve_tcp(s, name):
    while True:
        connection, peer = s.accept()
        threading.Thread(target=_answer, args=(connection, f'{name} {peer[0]}\n'.encode()), daemon=True).start()


def _answer(connection, greeting):
    with connection:
        connection.sendall(greeting)
        while data := connection.recv(4096):
            connection.sendall(data)


def _serve_udp(s, name):
    while True:
        _, peer = s.recvfrom(100)
        s.sendto(f'{name} {peer[0]}\n'.encode(), peer)


def serve(name, *ports):
    for family in FAMILIES:
        for port in ports:
            for kind, work in ((socket.SOCK_STREAM, _serve_tcp), (socket.SOCK_DGRAM, _serve_udp)):
                s = _socket(family, kind)
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(('', int(port)))
                if kind == socket.SOCK_STREAM:
                    s.listen(64)
                threading.Thread(target=work, args=(s, name), daemon=True).start()
    print('ready', flush=True)
    threading.Event().wait()


def ask(kind, address, port, timeout):
    """What the server said, "refused" or "nothing"."""
    with _socket(socket.AF_INET6 if ':' in address else socket.AF_INET,
                 socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM) as s:
        s.settimeout(timeout)
        try:
            s.connect((address, port))
            if kind == 'udp':
                s.send(b'x')
            return s.recv(100).decode().strip()
        except (ConnectionRefusedError, PermissionError): # the latter: a reject of a packet of our own
            return 'refused'
        except OSError:
            return 'nothing'


class Place:
    """A network namespace: of a process, or the host's (pid None)."""
    def __init__(self, pid=None):
        self.pid = pid

    def command(self, *words):
        return [*(['nsenter', '-t', str(self.pid), '-n'] if self.pid else []), *map(str, words)]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, capture_output=True, text=True).stdout

    def serve(self, name, *ports):
        """Returns when it listens; to be killed by the caller."""
        process = subprocess.Popen(self.command(sys.executable, __file__, 'serve', name, *ports), stdout=subprocess.PIPE)
        assert process.stdout.readline() == b'ready\n'
        return process

    def ask(self, *questions, timeout=1.0):
        """Answers to "tcp ADDRESS PORT" questions, all at once."""
        text = self.run(sys.executable, __file__, 'ask', timeout, *questions)
        return text.splitlines()


def _main():
    if sys.argv[1] == 'serve':
        serve(*sys.argv[2:])
    questions = [q.split() for q in sys.argv[3:]]
    answers = [''] * len(questions)

    def one(i, kind, address, port):
        answers[i] = ask(kind, address, int(port), float(sys.argv[2]))
    threads = [threading.Thread(target=one, args=(i, *q)) for i, q in enumerate(questions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print('\n'.join(answers))


if __name__ == '__main__':
    _main()
