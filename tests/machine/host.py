# SPDX-License-Identifier: GPL-2.0-or-later
"""This machine: places, locks, programs."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
DEPS = SOURCE / 'tests/deps'


class Failure(Exception):
    """Something that a person has to know; its text is one sentence."""


def say(text):
    """A line about the progress, kept apart from the output of the command that runs inside."""
    print(text, file=sys.stderr, flush=True)


def booted():
    """Whether systemd is this machine's init."""
    return os.path.isdir('/run/systemd/system')


def require_root(program):
    if os.geteuid() != 0:
        raise Failure(f'{program} has to be root: it mounts and makes namespaces.')


def cache():
    """The folder of everything that is expensive to make. Lies outside of the work tree."""
    path = os.environ.get('STAUER_CACHE')
    if not path:
        path = os.path.join(os.environ.get('XDG_CACHE_HOME') or '/var/cache', 'stauer')
    path = Path(path).absolute()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def run(*command, **kwargs):
    """Runs a program whose output interests only when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', **kwargs)
    if done.returncode != 0:
        raise Failure(f'"{" ".join(words)}" failed ({done.returncode}):\n{done.stdout.rstrip()}')
    return done.stdout


def lock(path, shared=False, wait=True, quiet=False):
    """Takes the lock file at `path`. Returns its fd, or None when another has it and `wait` is false."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            os.close(fd)
            return None
        if not quiet:
            say(f'Waiting for another user of {path}')
        fcntl.flock(fd, how)
    return fd


class Lock:
    """with Lock(path): only one process of this machine is in here."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.fd = lock(self.path)

    def __exit__(self, *_):
        os.close(self.fd)


def install_dependencies():
    if subprocess.run([DEPS], stdout=sys.stderr).returncode != 0:
        raise Failure('The packages that the tests need are not installed.')


def packages(group):
    """The packages of a group of tests/deps."""
    return run(DEPS, '--list', group).split()


def os_release():
    fields = {}
    with open('/etc/os-release', encoding='utf-8') as f:
        for line in f:
            name, _, value = line.strip().partition('=')
            fields[name] = value.strip('"\'')
    return fields


def package_versions(*names):
    """Versions of the packages of this machine that a cached tree must agree with."""
    return run('dpkg-query', '-W', '-f', '${Package}=${Version}\n', *names)


def key(*parts):
    """A short name for a cached thing: changes when one of the parts does."""
    return hashlib.sha256('\0'.join(str(p) for p in parts).encode()).hexdigest()[:16]
