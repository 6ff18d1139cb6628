# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs in Python that are slow to load, called many times: a server loads one of them once, each call is a child of it, with the caller's
files, folder and words. Run as a program it is the server (`forked.py SOCKET FILE FUNCTION`)."""


import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from types import SimpleNamespace


class Forked:
    """One call under way."""
    def __init__(self, connection, files):
        self.connection, (self.inputs, self.output, self.errors) = connection, files
        self.pidfd = os.pidfd_open(json.loads(connection.recv(100)))

    def said(self):
        return os.pread(self.output.fileno(), 1 << 24, 0).decode()

    def interrupt(self):
        signal.pidfd_send_signal(self.pidfd, signal.SIGINT)

    def end(self, timeout=60):
        """Waits; what it gives is as of subprocess.run()."""
        done = select.select([self.connection], [], [], timeout)[0]
        if not done:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        code = self.connection.recv(100)
        errors = os.pread(self.errors.fileno(), 1 << 24, 0).decode()
        result = SimpleNamespace(returncode=json.loads(code) if code else -1, stdout=self.said(), stderr=errors)
        os.close(self.pidfd)
        for file in (self.connection, self.inputs, self.output, self.errors):
            file.close()
        assert done, f'not done after {timeout} s\n{result.stdout}{result.stderr}'
        return result


class Server:
    """Calls function(words) of a file, which may take its time to be loaded."""
    def __init__(self, path, file, function):
        self.path = str(path)
        self.process = subprocess.Popen([sys.executable, '-B', __file__, self.path, str(file), function], stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b'ready\n'

    def begin(self, words, *, text='', folder='/', env=()):
        files = [tempfile.TemporaryFile() for _ in range(3)]                    # pylint: disable=consider-using-with
        files[0].write(text.encode())
        files[0].seek(0)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(self.path)
        socket.send_fds(connection, [json.dumps([list(words), str(folder), dict(env)]).encode()], [f.fileno() for f in files])
        return Forked(connection, files)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def _child(connection, function, request, files):
    code = 70
    words, folder, env = json.loads(request)
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(env)
        os.chdir(folder)
        for number, fd in enumerate(files):
            os.dup2(fd, number)
            os.close(fd)
        connection.send(json.dumps(os.getpid()).encode())
        function(words)
        code = 0
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
        if isinstance(e.code, str):
            print(e.code, file=sys.stderr)
    except BaseException:                                                       # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(json.dumps(code).encode())
        os._exit(code)                                                          # pylint: disable=protected-access


def _serve(path, file, function):
    spec = importlib.util.spec_from_file_location('served', file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)                               # no zombies
    print('ready', flush=True)
    while True:
        connection, _ = listener.accept()
        request, files, *_ = socket.recv_fds(connection, 1 << 20, 3)
        if os.fork() == 0:
            listener.close()
            _child(connection, getattr(module, function), request, files)
        connection.close()
        for fd in files:
            os.close(fd)


if __name__ == '__main__':
    _serve(*sys.argv[1:])
