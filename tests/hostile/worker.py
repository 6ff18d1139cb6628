# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs one task of stauer-worker without the daemon: a SOCK_SEQPACKET pair is its descriptor 3."""
import array
import json
import os
import socket
import subprocess

RECORD_MAX = 1 << 20

# A process that nobody may trace cannot look for its own leaks.
ENVIRONMENT = {'PATH': '/usr/bin:/bin', 'LANG': 'C.UTF-8', 'ASAN_OPTIONS': 'detect_leaks=0',
               'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}


def find_worker():
    """The worker of the build under test: $STAUER_WORKER, or below $STAUER_BUILD."""
    path = os.environ.get("STAUER_WORKER")
    if not path and os.environ.get("STAUER_BUILD"):
        path = os.path.join(os.environ["STAUER_BUILD"], "service/worker/stauer-worker")
    return path


class Result:
    def __init__(self, record, progress, status):
        self.record = record or {}
        self.progress = progress
        self.status = status

    @property
    def error(self):
        return self.record.get("error", "")

    @property
    def kind(self):
        return self.record.get("error_kind", "")

    @property
    def images(self):
        return self.record.get("images", [])


def receive(sock):
    """One record: "J" and the text, or "M" and a sealed memfd that holds a long one (lib/event/message.c)."""
    data, fds, _, _ = socket.recv_fds(sock, RECORD_MAX, 1)
    if not data:
        return None
    if data[:1] == b"J":
        return json.loads(data[1:])
    with os.fdopen(fds[0], "rb") as f:
        f.seek(0)
        return json.loads(f.read())


def run_task(kind, data_root, fd=None, driver="vfs", timeout=120, worker=None, limits=None, **fields):
    """Gives the task to a new worker and collects what it says."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    record = dict(type="task", kind=kind, data_root=str(data_root), driver=driver, **fields)

    def setup():
        os.dup2(theirs.fileno(), 3)
        os.set_inheritable(3, True)
        if limits:
            limits()

    process = subprocess.Popen([worker or find_worker()], pass_fds=[3] if theirs.fileno() == 3 else [],
                               close_fds=False, preexec_fn=setup, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                               stderr=subprocess.PIPE)
    theirs.close()
    fds = [] if fd is None else [fd]
    ours.sendmsg([b"J" + json.dumps(record).encode()],
                 [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
    ours.settimeout(timeout)
    progress, result = [], None
    try:
        while True:
            row = receive(ours)
            if row is None:
                break
            if row.pop("type") == "result":
                result = row
            else:
                progress.append(row)
        stderr = process.communicate(timeout=timeout)[1]
    except BaseException:
        process.kill()
        process.communicate()
        raise
    finally:
        ours.close()
    r = Result(result, progress, process.returncode)
    r.stderr = stderr.decode(errors="replace")
    return r


def load(data_root, archive, **kwargs):
    fd = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return run_task("load", data_root, fd, **kwargs)
    finally:
        os.close(fd)


def import_(data_root, archive, **kwargs):
    fd = os.open(archive, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return run_task("import", data_root, fd, **kwargs)
    finally:
        os.close(fd)
