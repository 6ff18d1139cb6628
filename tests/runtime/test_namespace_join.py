# SPDX-License-Identifier: GPL-2.0-or-later
"""A pid namespace that is joined belongs to others, who may have CAP_SYS_PTRACE there: what they see of the newcomer before its
program runs must not be worth looking at (CVE-2016-9962)."""

import json
import os
import subprocess
import time

import bundle as bundles
import pytest

DOCKER = 0xa80425fb
PTRACE = 1 << 19
ADMIN = 1 << 21


def spec_beside(container, name, **process):
    """A second container in the first one's pid namespace, with a root of its own."""
    path = container.path / name
    path.mkdir()
    config = json.loads(json.dumps(container.config))
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "pid"] + [
        {"type": "pid", "path": f"/proc/{container.pid()}/ns/pid"}]
    config["root"]["path"] = str(container.rootfs)
    config["process"].update(process)
    return path, config


@pytest.fixture
def spy(container):
    """A container with CAP_SYS_PTRACE that looks at every process it can see; what it finds is in /tmp/seen."""
    for kind in ("bounding", "effective", "permitted"):
        container.config["process"]["capabilities"][kind] = sorted(
            set(container.config["process"]["capabilities"][kind]) | {"CAP_SYS_PTRACE"})
    container.sh("""
        while :; do for p in /proc/[0-9]*; do
            case $p in /proc/1|/proc/$$) continue;; esac
            while read -r k v; do case $k in CapPrm:) echo cap $v;; esac; done 2>/dev/null < $p/status
            for f in $p/fd/*; do l=$(readlink $f) && echo fd $l; done
            test -e $p/root/etc/host-only && echo root
        done >> /tmp/seen 2>/dev/null; done""")
    container.create()
    assert container.start().returncode == 0
    yield container
    container.call("kill", container.id, "KILL")


def waiting(container, path, config):
    """Created and not started: the process as it is in the moment before its program."""
    bundles.write(str(path), config)
    ident = container.id + "-second"
    extra = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(5)]
    try:
        done = container.call("create", "-b", str(path), ident, pass_fds=extra, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    finally:
        for fd in extra:
            os.close(fd)
    assert done.returncode == 0
    return ident, json.loads(container.call("state", ident).stdout)["pid"]


def permitted(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1], 16) for line in f if line.startswith("CapPrm"))


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_newcomer_has_no_more_than_its_program(spy, no_new_privileges):
    path, config = spec_beside(spy, "second", args=["sleep", "100"], noNewPrivileges=no_new_privileges)
    for kind in ("bounding", "effective", "permitted"):
        config["process"]["capabilities"][kind] = ["CAP_CHOWN"]
    ident, pid = waiting(spy, path, config)
    try:
        assert os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{spy.pid()}/ns/pid")
        assert permitted(pid) == 1
        assert os.stat(f"/proc/{pid}/root").st_ino == os.stat(spy.rootfs).st_ino
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not [link for link in links if link != "/dev/null" and not link.startswith("socket:")], links
        assert spy.call("start", ident).returncode == 0
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            assert f.read() == b"sleep\x00100\x00"
    finally:
        spy.call("delete", "--force", ident)


def test_filter_that_forbids_births(spy):
    """Without no_new_privs and with a profile that lets nobody make processes one capability is kept for the filter."""
    path, config = spec_beside(spy, "second", args=["sleep", "100"], noNewPrivileges=False)
    config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": [],
        "syscalls": [{"names": ["clone", "fork", "vfork", "sendmsg", "recvmsg"], "action": "SCMP_ACT_ERRNO"}]}
    ident, pid = waiting(spy, path, config)
    try:
        assert permitted(pid) & ADMIN and not permitted(pid) & ~(DOCKER | PTRACE | ADMIN)
        assert spy.call("start", ident).returncode == 0
        assert permitted(pid) == DOCKER | PTRACE
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            assert "Seccomp:\t2\n" in f.read()
    finally:
        spy.call("delete", "--force", ident)


def test_nobody_sees_the_making(container):
    """While the file systems are mounted, hooks run and so on, nobody new is in the namespace."""
    spy = container
    spy.sh("exec sleep 100")
    spy.create()
    spy.start()
    path, config = spec_beside(spy, "second", args=["true"])
    hook = path / "hook"
    hook.write_text(f"#!/bin/sh\ncat > /dev/null\nls -d /proc/{spy.pid()}/root/proc/[0-9]* > {path}/seen\n"
                    f"readlink /proc/*/ns/pid | grep -cF \"$(readlink /proc/{spy.pid()}/ns/pid)\" > {path}/count\n",
                    encoding="utf-8")
    hook.chmod(0o755)
    config["hooks"] = {"createRuntime": [{"path": str(hook)}], "createContainer": [{"path": str(hook)}]}
    bundles.write(str(path), config)
    done = spy.call("run", "-b", str(path), spy.id + "-second")
    assert done.returncode == 0, done.stderr
    assert len((path / "seen").read_text(encoding="utf-8").split()) == 1
    assert (path / "count").read_text(encoding="utf-8").strip() == "1"


def test_spy_finds_nothing(spy):
    path, config = spec_beside(spy, "second", args=["true"])
    bundles.write(str(path), config)
    for n in range(15):
        assert spy.call("run", "-b", str(path), f"{spy.id}-{n}").returncode == 0
        assert spy.call("exec", spy.id, "true").returncode == 0
    seen = (spy.rootfs / "tmp/seen").read_text(encoding="utf-8", errors="replace").split("\n")
    caps = {int(line.split()[1], 16) for line in seen if line.startswith("cap ") and len(line) == 20}
    assert not {c for c in caps if c & ~(DOCKER | PTRACE)}, caps
    assert "root" not in seen


def test_exec_keeps_limits_and_scheduling(container):
    container.sh("sleep 100")
    container.config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]
    container.config["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_IDLE", "priority": 7}
    container.create()
    container.start()
    done = container.call("exec", container.id, "sh", "-c", "ulimit -n; ulimit -Hn; ionice -p $$")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["77", "99"] and "idle" in done.stdout


def test_terminal_in_a_joined_namespace(container):
    container.sh("sleep 100")
    container.create()
    container.start()
    path, config = spec_beside(container, "second", terminal=True,
                               args=["sh", "-c", "tty; ps -o sid= -p $$ 2>/dev/null; echo > /dev/tty && echo has-one"])
    bundles.write(str(path), config)
    master, slave = os.openpty()
    try:
        with subprocess.Popen([*container_command(container), "run", "-b", str(path), container.id + "-second"],
                              stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert b"/dev/" in out and b"has-one" in out
    finally:
        os.close(master)
        os.close(slave)


def container_command(container):
    from conftest import program  # pylint: disable=import-outside-toplevel
    return [program(), "--root", str(container.runtime)]


def test_end_of_the_owner_is_the_end_of_the_guest(container):
    container.sh("sleep 100")
    container.create()
    container.start()
    path, config = spec_beside(container, "second", args=["sleep", "77"])
    bundles.write(str(path), config)
    with subprocess.Popen([*container_command(container), "run", "-b", str(path), container.id + "-second"]) as process:
        end = time.monotonic() + 10
        while "sleep 77" not in container.call("exec", container.id, "ps").stdout:
            assert time.monotonic() < end
        container.call("kill", container.id, "KILL")
        assert process.wait(timeout=20) == 137
