# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures for the tests of stauer-runtime: root, cgroup v2, a root file system of busybox, a state root of their own.

The program is $STAUER_RUNTIME, or that of the build in $STAUER_BUILD, or the one that is installed."""

import ctypes
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bundle as bundles  # pylint: disable=wrong-import-position

CGROUP_ROOT = Path("/sys/fs/cgroup")
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
numbers = itertools.count(1)


def program():
    if "STAUER_RUNTIME" in os.environ:
        return os.environ["STAUER_RUNTIME"]
    built = Path(os.environ.get("STAUER_BUILD", "/nonexistent")) / "service/runtime/stauer-runtime"
    return str(built) if built.exists() else shutil.which("stauer-runtime")


def own_cgroup_mount():
    """A host with cgroup v1 keeps its mounts: we get a mount namespace with v2 in its place."""
    if (CGROUP_ROOT / "cgroup.controllers").exists():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) < 0 or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) < 0 \
            or libc.mount(b"cgroup2", bytes(CGROUP_ROOT), b"cgroup2", 0, None) < 0:
        pytest.skip("no cgroup v2 here", allow_module_level=True)


def pytest_collection_modifyitems(items):
    reason = None
    if os.geteuid() != 0:
        reason = "needs root"
    elif not program():
        reason = "stauer-runtime is neither built nor installed"
    elif not bundles.busybox():
        reason = "needs busybox-static"
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    own_cgroup_mount()
    os.umask(0o022)
    path = tmp_path_factory.mktemp("world")
    os.chmod(path, 0o755)
    bundles.make_rootfs(str(path / "rootfs"))
    return path


class Container:
    """One bundle, and the calls of the runtime for it."""

    def __init__(self, runtime, path, ident):
        self.runtime, self.path, self.id = runtime, path, ident
        self.rootfs = path / "rootfs"
        self.config = bundles.docker_config(["true"])
        self.global_args = []

    def set(self, *args, **changes):
        self.config["process"].update(args=list(args), **changes)
        return self

    def sh(self, script, **changes):
        return self.set("/bin/sh", "-c", script, **changes)

    def mount(self, destination, kind, source, *options):
        self.config["mounts"].append({"destination": destination, "type": kind, "source": str(source),
                                      "options": list(options)})
        return self

    def write(self):
        bundles.write(str(self.path), self.config)

    def call(self, *args, **kwargs):
        kwargs.setdefault("timeout", 60)
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        command = [program(), "--root", str(self.runtime), *self.global_args, *args]
        return subprocess.run(command, text=True, check=False, cwd=self.path, **kwargs)

    def run(self, *args, **kwargs):
        self.write()
        return self.call("run", *args, self.id, **kwargs)

    def output(self, script):
        """Standard output of a script in the container; it must succeed."""
        done = self.sh(script).run()
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def create(self, *args, **kwargs):
        # A pipe would stay open in the container.
        self.write()
        with open(self.path / "out", "w", encoding="utf-8") as out, \
                open(self.path / "err", "w", encoding="utf-8") as err:
            done = self.call("create", *args, self.id, stdout=out, stderr=err, **kwargs)
        done.stdout, done.stderr = self.text("out"), self.text("err")
        return done

    def text(self, name):
        return (self.path / name).read_text(encoding="utf-8")

    def state(self):
        done = self.call("state", self.id)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def status(self):
        state = self.state()
        return state and state["status"]

    def wait_status(self, status, seconds=10):
        end = time.monotonic() + seconds
        while self.status() != status:
            assert time.monotonic() < end, f"{self.status()} is not {status}"
            time.sleep(0.02)

    def start(self):
        return self.call("start", self.id)

    def pid(self):
        return self.state()["pid"]

    def cgroup(self):
        state = json.loads((self.runtime / self.id / "state.json").read_text(encoding="utf-8"))
        return CGROUP_ROOT / state["cgroupPath"].lstrip("/")

    def gone(self):
        """Nothing is left of it on the host."""
        assert not (self.runtime / self.id).exists()
        assert not (CGROUP_ROOT / self.id).exists()
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            assert str(self.path) not in f.read()


@pytest.fixture
def container(world, tmp_path):
    os.chmod(tmp_path, 0o755)
    ident = f"test{os.getpid()}-{next(numbers)}"
    c = Container(tmp_path / "state", tmp_path, ident)
    shutil.copytree(world / "rootfs", c.rootfs, symlinks=True)
    yield c
    c.call("delete", "--force", ident)
    c.gone()


def has_capability(number):
    with open("/proc/self/status", encoding="utf-8") as f:
        for line in f:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> number & 1)
    return False


def controllers():
    return (CGROUP_ROOT / "cgroup.controllers").read_text(encoding="utf-8").split()
