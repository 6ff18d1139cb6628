# SPDX-License-Identifier: GPL-2.0-or-later
"""The holes that others had, tried on ours."""

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import bundle as bundles
import pytest
from conftest import program


@pytest.fixture
def canary(container):
    path = container.path / "canary"
    path.write_text("untouched\n", encoding="utf-8")
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_text(encoding="utf-8") == "untouched\n"
    assert (before.st_ino, before.st_mode, before.st_mtime_ns) == (after.st_ino, after.st_mode, after.st_mtime_ns)


def replace_by_link(rootfs, name, target):
    path = rootfs / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("target", ["outside", "/proc/1/root", "/etc", "dangling", "/proc/self/cwd"])
@pytest.mark.parametrize("name", ["dev", "proc", "sys"])
def test_links_in_the_image(container, canary, name, target):
    """T-dev: folders that the file systems are mounted on are links: refused, and nothing happens outside."""
    replace_by_link(container.rootfs, name, target)
    outside = container.path / "outside"
    outside.mkdir()
    if target == "outside":
        replace_by_link(container.rootfs, name, f"/../../../../../../..{outside}")
    done = container.run()
    assert done.returncode != 0
    assert "is a link in the root file system" in done.stderr or "mount target" in done.stderr, done.stderr
    assert os.listdir(outside) == []
    assert canary.exists()


def test_links_in_dev_are_covered(container, canary):
    """T-dev: what the image has in /dev does not matter, a tmpfs of ours lies over it."""
    for name in ("null", "console", "shm", "pts", "mqueue", "zero"):
        replace_by_link(container.rootfs, f"dev/{name}", f"/../../../../../../..{canary}")
    out = container.output("echo x > /dev/null; for n in null zero; do stat -c %F /dev/$n; done; stat -c %F /dev/shm")
    assert out.splitlines() == ["character special file"] * 2 + ["directory"]


def test_null_device_of_a_bound_dev_is_checked(container, canary):
    """A masked path gets what /dev/null is: it must be the null device."""
    dev = container.path / "dev"
    dev.mkdir()
    os.symlink(canary, dev / "null")
    container.config["mounts"] = [m for m in container.config["mounts"] if not m["destination"].startswith("/dev")]
    container.mount("/dev", "bind", dev, "bind")
    done = container.run()
    assert done.returncode != 0 and "null device" in done.stderr
    (dev / "null").unlink()
    (dev / "null").write_text("", encoding="utf-8")
    assert "null device" in container.run().stderr


@pytest.mark.parametrize("target", ["/../../../..{}", "{}"])
def test_links_as_mount_targets_stay_inside(container, canary, target):
    source = container.path / "source"
    source.write_text("mounted\n", encoding="utf-8")
    (container.rootfs / "etc/file").symlink_to(target.format(canary))
    container.mount("/etc/file", "bind", source, "bind")
    assert container.output("cat /etc/file") == "mounted\n"


def test_magic_links_are_not_followed(container, canary):
    source = container.path / "source"
    source.write_text("", encoding="utf-8")
    (container.rootfs / "etc/file").symlink_to("/proc/self/fd/3")
    container.mount("/etc/file", "bind", source, "bind")
    assert container.run().returncode != 0


@pytest.mark.parametrize("folder", ["/proc/self/fd/{}", "/proc/thread-self/fd/{}", "/proc/1/fd/{}", "/proc/self/cwd"])
def test_leaked_folders(container, folder):
    """T-fd: no descriptor of ours or of our caller can be the way out."""
    extra = [os.open("/", os.O_RDONLY | os.O_DIRECTORY) for _ in range(20)]
    try:
        for n in range(3, 40, 3):
            container.config["process"]["cwd"] = folder.format(n)
            done = container.sh("pwd; ls").write() or container.call("run", container.id, pass_fds=extra)
            assert done.returncode != 0, done.stdout
            assert "chdir to cwd" in done.stderr, done.stderr
    finally:
        for fd in extra:
            os.close(fd)


def test_no_descriptor_is_left(container):
    extra = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(20)]
    try:
        container.set("ls", "/proc/self/fd").write()
        done = container.call("run", container.id, pass_fds=extra)
        # 3 is the folder that ls reads.
        assert done.stdout.split() == ["0", "1", "2", "3"]
    finally:
        for fd in extra:
            os.close(fd)


def test_closed_streams(container):
    container.set("true").write()
    command = f"exec {program()} --root {container.runtime} run -b {container.path} {container.id} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
    container.sh("ls -l /proc/self/fd > /tmp/fds").write()
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
    assert (container.rootfs / "tmp/fds").read_text(encoding="utf-8").count("/dev/null") == 2


CAPABILITY_LINES = "grep -E '^Cap' /proc/self/status"


def capabilities(text):
    return {line.split()[0].rstrip(":"): int(line.split()[1], 16) for line in text.splitlines()}


def test_capabilities_by_default(container):
    """T-caps: inheritable and ambient sets stay empty unless somebody asks."""
    caps = capabilities(container.output(CAPABILITY_LINES))
    assert caps["CapInh"] == 0 and caps["CapAmb"] == 0
    assert caps["CapBnd"] == caps["CapPrm"] == caps["CapEff"] == 0xa80425fb


def test_capabilities_of_a_user(container):
    container.config["process"]["user"] = {"uid": 1000, "gid": 1000}
    container.config["process"]["capabilities"] = {
        "bounding": ["CAP_NET_RAW", "CAP_CHOWN"], "permitted": ["CAP_NET_RAW"], "effective": ["CAP_NET_RAW"],
        "inheritable": ["CAP_NET_RAW"], "ambient": ["CAP_NET_RAW"]}
    caps = capabilities(container.output(CAPABILITY_LINES))
    assert caps == {"CapInh": 1 << 13, "CapPrm": 1 << 13, "CapEff": 1 << 13, "CapBnd": 1 << 13 | 1, "CapAmb": 1 << 13}


def test_no_capabilities(container):
    container.config["process"]["capabilities"] = {}
    assert set(capabilities(container.output(CAPABILITY_LINES)).values()) == {0}
    # Nothing said is nothing given, too: ours are not the container's.
    del container.config["process"]["capabilities"]
    assert set(capabilities(container.output(CAPABILITY_LINES)).values()) == {0}


def test_file_capabilities_are_not_raised(container):
    """A file with capabilities gives a user only what is in the bounding set, and nothing by inheritance."""
    tool = container.rootfs / "root/busybox"
    shutil.copy(container.rootfs / "bin/busybox", tool)
    if subprocess.run(["setcap", "cap_net_raw+ei", tool], check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("setcap is not possible here")
    container.config["process"]["user"] = {"uid": 1000, "gid": 1000}
    os.chmod(tool, 0o755)
    done = container.set("/root/busybox", "grep", "-E", "^Cap", "/proc/self/status").run()
    assert done.returncode == 0, done.stderr
    assert capabilities(done.stdout)["CapEff"] == 0


@pytest.mark.parametrize("name", [
    "kernel.shm_rmid_forced=1+kernel.core_pattern", "net.ipv4..=1", "net/../kernel/core_pattern", "kernel.core_pattern",
    "kernel/core_pattern", "net.ipv4/../../kernel/core_pattern", "", "vm.drop_caches"])
def test_sysctl_names(container, name):
    """T-sysctl: nothing but what belongs to a namespace of the container."""
    before = Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8")
    container.config["linux"]["sysctl"] = {name: "x"}
    assert container.run().returncode != 0
    assert Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8") == before
    container.gone()


def test_sysctl_values(container):
    container.config["linux"]["sysctl"] = {"kernel.msgmax": "1\nkernel.core_pattern=x"}
    assert container.run().returncode != 0


def profile():
    """A small profile with the shape of Docker's."""
    return {
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        if os.uname().machine == "x86_64" else [],
        "syscalls": [
            {"names": ["read", "write", "open", "openat", "close", "fstat", "newfstatat", "stat", "lstat", "mmap", "munmap",
                       "brk", "execve", "exit", "exit_group", "arch_prctl", "set_tid_address", "set_robust_list", "rseq",
                       "mprotect", "prlimit64", "getrandom", "rt_sigaction", "rt_sigprocmask", "getuid", "geteuid",
                       "getgid", "getegid", "getpid", "getppid", "dup2", "dup3", "fcntl", "ioctl", "getcwd", "readlink",
                       "wait4", "clone", "vfork", "fork", "prctl", "access", "faccessat2", "poll", "uname", "sendmsg",
                       "rt_sigreturn", "setpgid", "capset", "getdents64", "lseek", "sendto", "mkdir", "statx"],
             "action": "SCMP_ACT_ALLOW"},
            {"names": ["personality"], "action": "SCMP_ACT_ALLOW",
             "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
        ]}


def test_seccomp(container):
    """T-seccomp: by errno; that it is there from the first instruction on; the same from the cache."""
    container.config["linux"]["seccomp"] = profile()
    for _ in range(2):
        out = container.sh("mkdir /tmp/d 2>&1 && echo made; chmod 700 /tmp/d 2>&1; mount -t tmpfs x /tmp 2>&1;"
                           "rmdir /tmp/d 2>&1; grep Seccomp: /proc/self/status").run().stdout
        assert "chmod: /tmp/d: Permission denied" in out
        assert "rmdir: '/tmp/d': Operation not permitted" in out
        assert "Seccomp:\t2" in out
    cache = list((container.runtime / ".seccomp").iterdir())
    assert len(cache) == 1 and cache[0].stat().st_mode & 0o777 == 0o600


def test_seccomp_with_no_new_privileges(container):
    container.config["linux"]["seccomp"] = profile()
    container.config["process"]["noNewPrivileges"] = True
    container.config["process"]["user"] = {"uid": 1000, "gid": 1000}
    out = container.sh("grep -E 'Seccomp:|NoNewPrivs' /proc/self/status; rmdir /tmp 2>&1").run().stdout
    assert "Seccomp:\t2" in out and "NoNewPrivs:\t1" in out and "Operation not permitted" in out


@pytest.mark.parametrize("spoil", [
    lambda s: s.update(defaultAction="SCMP_ACT_PERHAPS"),
    lambda s: s["syscalls"][0].update(action="allow"),
    lambda s: s["syscalls"][1]["args"][0].update(index=9),
    lambda s: s.update(architectures=["SCMP_ARCH_Z80"]),
    lambda s: s.update(flags=["SECCOMP_FILTER_FLAG_MAYBE"]),
])
def test_bad_profiles(container, spoil):
    container.config["linux"]["seccomp"] = profile()
    spoil(container.config["linux"]["seccomp"])
    done = container.run()
    assert done.returncode != 0 and "seccomp: " in done.stderr
    container.gone()


def test_cache_of_seccomp_is_not_believed(container):
    """Another profile under the right name, a shorter file, a file of somebody else: compiled anew."""
    container.config["linux"]["seccomp"] = profile()
    container.set("true").run()
    cache = next((container.runtime / ".seccomp").iterdir())
    good = cache.read_bytes()
    for bad in (good[:-8], good[:100] + b"x" + good[101:], b"", good + b"\0" * 8):
        cache.write_bytes(bad)
        assert container.output("grep Seccomp: /proc/self/status").split()[1] == "2"
        assert cache.read_bytes() == good


def test_cache_of_seccomp_has_a_limit(container):
    for n in range(70):
        container.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["reboot"], "action": "SCMP_ACT_ERRNO", "errnoRet": n + 1}]}
        assert container.set("true").run().returncode == 0
    assert len(list((container.runtime / ".seccomp").iterdir())) <= 64


def program_mark():
    path = Path(program())
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_ino


def test_program_cannot_be_overwritten(container):
    """T-exe: the container executes the program that makes it, holds its file, and writes when nobody runs it."""
    before = program_mark()
    (container.rootfs / "bin/evil").write_text("#!/proc/self/exe\n", encoding="utf-8")
    os.chmod(container.rootfs / "bin/evil", 0o755)
    assert container.set("/bin/evil").run().returncode != 0
    assert container.set("/proc/self/exe").run().returncode != 0

    # A process in the same pid namespace, as root with all capabilities, waits for the file of every newcomer.
    container.config["process"]["capabilities"] = {
        kind: ["CAP_" + name for name in ("SYS_PTRACE", "DAC_OVERRIDE", "DAC_READ_SEARCH", "CHOWN", "FOWNER")]
        for kind in ("bounding", "effective", "permitted")}
    container.sh("while :; do for p in /proc/[0-9]*; do (: >> $p/exe) 2>/dev/null && readlink $p/exe >> /tmp/won; done;"
                 "done")
    container.create()
    container.start()
    second = json.loads(json.dumps(container.config))
    second["linux"]["namespaces"] = [n for n in second["linux"]["namespaces"] if n["type"] != "pid"] + [
        {"type": "pid", "path": f"/proc/{container.pid()}/ns/pid"}]
    path = container.path / "second"
    path.mkdir()
    second["root"]["path"] = str(container.rootfs)
    second["process"]["args"] = ["true"]
    second["process"]["capabilities"] = {}
    bundles.write(str(path), second)
    for n in range(30):
        container.call("run", "-b", str(path), f"{container.id}-{n}")
    assert program_mark() == before
    won = container.rootfs / "tmp/won"
    assert not won.exists() or program() not in won.read_text(encoding="utf-8")


def maps_of(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        return f.read()


def test_waiting_container_has_let_go_of_the_program(container):
    container.set("sleep", "100")
    container.create()
    pid = container.pid()
    path = Path(f"/proc/{pid}/exe")
    mine = os.stat(program())
    if os.stat(path).st_ino == mine.st_ino:
        # The second way: started again from a read-only copy.
        with pytest.raises(OSError):
            os.open(path, os.O_WRONLY)
    else:
        assert path.stat().st_size == 0
        assert program() not in maps_of(pid)
        with open(path, "rb") as f, pytest.raises(OSError):
            os.pwrite(os.open(f"/proc/self/fd/{f.fileno()}", os.O_WRONLY), b"x", 0)


def test_program_started_from_a_read_only_copy(container):
    """The way for kernels that do not let go, and for callers that keep such a copy."""
    container.set("true").write()
    script = ("import ctypes, os, sys; libc = ctypes.CDLL(None, use_errno=True);"
              "fd = libc.syscall(428, -100, sys.argv[1].encode(), 1);"          # open_tree(OPEN_TREE_CLONE)
              "attr = (ctypes.c_uint64 * 4)(1, 0, 0, 0);"                       # MOUNT_ATTR_RDONLY
              "assert libc.syscall(442, fd, b'', 0x1000, attr, 32) == 0;"
              "sys.stdout.flush(); os.execve(fd, sys.argv[1:], os.environ)")
    command = ["/usr/bin/python3", "-c", script, program(), "--root", str(container.runtime), "run", "-b",
               str(container.path), container.id]
    assert subprocess.run(command, check=False).returncode == 0
    writable = command[:]
    writable[2] = script.replace("(1, 0, 0, 0)", "(0, 0, 0, 0)")
    done = subprocess.run(writable, check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0 and "writable mount" in done.stderr


RENAME_EXCHANGE = 2


def exchange(stop, first, second):
    libc = ctypes.CDLL(None)
    while not stop.is_set():
        for _ in range(100):
            libc.renameat2(-100, os.fsencode(first), -100, os.fsencode(second), RENAME_EXCHANGE)


@pytest.mark.parametrize("what", ["target", "above"])
def test_exchanged_mount_targets(container, canary, what):
    """T-race-mount, short: a folder of a shared volume changes place with a link out while it is mounted on."""
    volume = container.path / "volume"
    outside = container.path / "outside"
    outside.mkdir()
    (volume / "a/in").mkdir(parents=True)
    (volume / "b").symlink_to(f"/../../../..{outside}" if what == "target" else "/../../..")
    source = container.path / "source"
    source.mkdir()
    (source / "mark").write_text("", encoding="utf-8")
    container.mount("/volume", "bind", volume, "rbind")
    container.mount("/volume/a" if what == "target" else "/volume/a/in", "bind", source, "bind")
    container.set("true").write()
    stop = threading.Event()
    thread = threading.Thread(target=exchange, args=(stop, volume / "a", volume / "b"))
    thread.start()
    try:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            container.call("run", container.id)
    finally:
        stop.set()
        thread.join()
    assert os.listdir(outside) == []
    assert not Path("/mark").exists() and not Path("/in").exists()


def test_waiting_container_cannot_be_looked_at(container):
    container.set("sleep", "100")
    container.create()
    with open(f"/proc/{container.pid()}/status", encoding="utf-8") as f:
        assert "CoreDumping:\t0" in f.read()
    # Not dumpable: its files in /proc belong to root, whatever its user is.
    container.call("delete", "--force", container.id)
    container.config["process"]["user"] = {"uid": 1000, "gid": 1000}
    container.create()
    assert os.stat(f"/proc/{container.pid()}/fd").st_uid == 0


def test_environment_does_not_leak(container):
    container.set("env", env=["PATH=/bin"]).write()
    done = container.call("run", container.id, env={"SECRET": "x"})
    assert "SECRET" not in done.stdout
    container.set("sleep", "100")
    container.create(env={"SECRET": "x"})
    container.start()
    with open(f"/proc/{container.pid()}/environ", "rb") as f:
        assert b"SECRET" not in f.read()


def test_state_is_for_root_only(container):
    container.set("sleep", "100")
    container.create()
    assert container.runtime.stat().st_mode & 0o777 == 0o700
    assert (container.runtime / container.id).stat().st_mode & 0o777 == 0o700
    assert (container.runtime / container.id / "state.json").stat().st_mode & 0o777 == 0o600
    assert (container.runtime / container.id / "start").stat().st_mode & 0o777 == 0o600


def test_cgroup_is_read_only(container):
    """T-cg: also with a cgroup namespace nobody writes there."""
    out = container.output("find /sys/fs/cgroup -type f | while read f; do (: >> $f) 2>/dev/null && echo $f; done;"
                           "mkdir /sys/fs/cgroup/x 2>&1; true")
    assert out.count("\n") == 1 and "Read-only file system" in out


def test_huge_and_odd_configs(container):
    container.path.joinpath("config.json").write_text('{"a":' * 100000, encoding="utf-8")
    done = container.call("run", container.id)
    assert done.returncode != 0 and "config.json" in done.stderr
    with open(container.path / "config.json", "wb") as f:
        f.truncate(1 << 31)
    done = container.call("run", container.id)
    assert done.returncode != 0 and done.stderr.count("\n") == 1
    os.unlink(container.path / "config.json")
    os.mkfifo(container.path / "config.json")
    assert container.call("run", container.id, timeout=10).returncode != 0
