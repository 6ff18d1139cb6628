# SPDX-License-Identifier: GPL-2.0-or-later
"""Root file system, mounts, devices, masked and read-only paths."""

import os
import stat
import subprocess

import pytest


def test_default_mounts(container):
    mounts = {}
    for line in container.output("cat /proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        mounts[left.split()[4]] = (left.split()[5].split(","), right.split()[0], left.split()[6:])
    assert mounts["/proc"][1] == "proc" and "nosuid" in mounts["/proc"][0]
    assert mounts["/dev"][1] == "tmpfs"
    assert mounts["/dev/pts"][1] == "devpts"
    assert mounts["/dev/mqueue"][1] == "mqueue"
    assert mounts["/sys"][1] == "sysfs" and "ro" in mounts["/sys"][0]
    assert mounts["/sys/fs/cgroup"][1] == "cgroup2" and "ro" in mounts["/sys/fs/cgroup"][0]
    assert {"nosuid", "noexec", "nodev"} <= set(mounts["/dev/shm"][0])
    # Nothing is shared with the host.
    assert not [path for path, mount in mounts.items() if any(tag.startswith("shared") for tag in mount[2])]


def test_host_tree_is_gone(container):
    assert container.output("ls /").split() == sorted(
        ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "var"])
    # Not from below either.
    assert container.output("cd /; cd ..; pwd; ls ../../..").split()[1:] == sorted(
        ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "var"])


def test_default_devices(container):
    out = container.output("cd /dev; for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' $d; done;"
                           "for l in fd stdin stdout stderr core ptmx; do readlink $l; done")
    lines = out.splitlines()
    assert lines[:6] == [
        "null character special file 1:3 666", "zero character special file 1:5 666",
        "full character special file 1:7 666", "random character special file 1:8 666",
        "urandom character special file 1:9 666", "tty character special file 5:0 666"]
    assert lines[6:] == ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2", "/proc/kcore",
                         "pts/ptmx"]
    assert container.output("head -c 3 /dev/zero | od -An -tx1; echo x > /dev/null").split() == ["00"] * 3


def test_listed_devices(container):
    container.config["linux"]["devices"] = [
        {"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o660, "uid": 5, "gid": 6},
        {"path": "/dev/net/tun", "type": "c", "major": 10, "minor": 200},
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640},
        {"path": "/dev/pipe", "type": "p"},
    ]
    out = container.output("stat -c '%n %F %t:%T %a %u:%g' /dev/fuse /dev/net/tun /dev/null; stat -c %F /dev/pipe")
    assert out.splitlines() == [
        "/dev/fuse character special file a:e5 660 5:6", "/dev/net/tun character special file a:c8 666 0:0",
        "/dev/null character special file 1:3 640 0:0", "fifo"]


def test_device_filter(container):
    # fuse is denied by the rules, the kernel's message device is not in them, mknod is allowed for all.
    out = container.output("mknod /dev/k c 1 11 && echo made; cat /dev/k 2>&1 | head -1;"
                           "mknod /dev/f c 10 229; (: < /dev/f) 2>&1; head -c1 /dev/zero | wc -c")
    lines = out.splitlines()
    assert lines[0] == "made"
    assert "Operation not permitted" in lines[1]
    assert "Operation not permitted" in out.split("\n", 2)[2]
    assert lines[-1] == "1"


def test_device_filter_allows_what_is_listed(container):
    container.config["linux"]["resources"]["devices"].append(
        {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "w"})
    out = container.output("mknod /dev/k c 1 11; (: > /dev/k) && echo written; (: < /dev/k) 2>&1; true")
    assert out.startswith("written") and "Operation not permitted" in out


def test_masked_and_read_only_paths(container):
    out = container.output(
        "for p in /proc/interrupts /proc/keys /proc/timer_list; do test -e $p && wc -c < $p; done;"
        "for p in /proc/acpi /sys/firmware; do test -e $p && ls $p | wc -l; done;"
        "for p in /proc/acpi /sys/firmware; do test -e $p && mkdir $p/x 2>&1; done;"
        "echo x 2>&1 > /proc/sys/kernel/domainname; echo c 2>&1 > /proc/sysrq-trigger; true")
    for line in out.splitlines():
        assert line.strip() == "0" or "Read-only file system" in line or "nonexistent" in line or \
            "not permitted" in line, out


def test_unlisted_paths_do_not_hurt(container):
    container.config["linux"]["maskedPaths"].append("/no/such/path")
    container.config["linux"]["maskedPaths"].append("/etc/passwd/x")
    container.config["linux"]["readonlyPaths"].append("/nor/this")
    assert container.set("true").run().returncode == 0


def test_nothing_writable_in_proc_and_sys(container):
    """Every file in /proc and /sys that can be opened for writing is one that belongs to the process."""
    out = container.output(
        "find /proc /sys -xdev -type f -perm -200 ! -path '/proc/[0-9]*' 2>/dev/null | while read f; do"
        " (: >> $f) 2>/dev/null && echo $f; done; true")
    # Pressure triggers are harmless; dynamic_debug is not in Docker's list of masked paths.
    unexpected = [path for path in out.split() if not path.startswith(
        ("/proc/self/", "/proc/thread-self/", "/proc/pressure/", "/proc/dynamic_debug/"))]
    assert unexpected == []


def test_read_only_root(container):
    container.config["root"]["readonly"] = True
    out = container.output("touch /x 2>&1; touch /dev/shm/ok && echo shm")
    assert "Read-only file system" in out and out.endswith("shm\n")
    assert not (container.rootfs / "x").exists()


def test_tmpfs_modes(container):
    container.mount("/run", "tmpfs", "tmpfs", "nosuid", "mode=0751", "size=1m")
    container.mount("/scratch/deep", "tmpfs", "tmpfs", "ro")
    out = container.output("stat -c %a /dev/shm /run /dev /dev/mqueue; touch /scratch/deep/x 2>&1; true")
    assert out.splitlines()[:4] == ["1777", "751", "755", "1777"]
    assert "Read-only" in out


def test_read_only_dev(container):
    next(m for m in container.config["mounts"] if m["destination"] == "/dev")["options"].append("ro")
    out = container.output("touch /dev/x 2>&1; test -c /dev/null && echo null; touch /dev/shm/ok && echo shm")
    assert "Read-only" in out and out.endswith("null\nshm\n")


def test_binds(container):
    source = container.path / "data"
    (source / "sub").mkdir(parents=True)
    (source / "file").write_text("hello\n", encoding="utf-8")
    container.mount("/data", "bind", source, "rbind", "rprivate")
    container.mount("/ro", "bind", source, "rbind", "ro", "rprivate")
    container.mount("/etc/one", "bind", source / "file", "bind", "ro")
    container.mount("/relative", "bind", "data/sub", "bind")
    out = container.output("cat /data/file /etc/one; echo new > /data/new; touch /ro/x 2>&1; ls -d /relative;"
                           "echo x 2>&1 > /etc/one; true")
    assert out.startswith("hello\nhello\n") and out.count("Read-only") == 2
    assert (source / "new").read_text(encoding="utf-8") == "new\n"


def test_recursive_read_only(container):
    source = container.path / "data"
    (source / "below").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source / "below"], check=True)
    try:
        container.mount("/plain", "bind", source, "rbind", "ro")
        container.mount("/deep", "bind", source, "rbind", "rro")
        container.mount("/flat", "bind", source, "bind")
        out = container.output("touch /plain/below/x && echo plain; touch /deep/below/y 2>&1; ls /flat/below")
        assert out.startswith("plain\n") and "Read-only" in out
        assert not out.endswith("x\n")
    finally:
        subprocess.run(["umount", source / "below"], check=True)


def test_mount_attributes(container):
    source = container.path / "data"
    source.mkdir()
    container.mount("/a", "bind", source, "bind", "nosuid", "nodev", "noexec", "noatime")
    line = [line for line in container.output("cat /proc/self/mountinfo").splitlines() if " /a " in line][0]
    assert {"nosuid", "nodev", "noexec", "noatime"} <= set(line.split()[5].split(","))


def test_mount_over_a_file_and_a_folder_is_refused(container):
    source = container.path / "data"
    source.mkdir()
    container.mount("/etc/passwd", "bind", source, "bind")
    done = container.run()
    assert done.returncode != 0 and "not a directory" in done.stderr


def test_targets_are_made(container):
    source = container.path / "file"
    source.write_text("x", encoding="utf-8")
    container.mount("/var/deep/er/file", "bind", source, "bind")
    assert container.output("cat /var/deep/er/file") == "x"
    assert stat.S_ISREG(os.lstat(container.rootfs / "var/deep/er/file").st_mode)


def test_dangling_link_as_target(container):
    source = container.path / "resolv"
    source.write_text("nameserver 10.0.0.1\n", encoding="utf-8")
    (container.rootfs / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    container.mount("/etc/resolv.conf", "bind", source, "rbind")
    assert container.output("cat /etc/resolv.conf") == "nameserver 10.0.0.1\n"


def test_copy_up(container):
    (container.rootfs / "var/cache/app").mkdir(parents=True)
    (container.rootfs / "var/cache/app/file").write_text("kept\n", encoding="utf-8")
    os.chown(container.rootfs / "var/cache/app/file", 7, 8)
    os.chmod(container.rootfs / "var/cache/app/file", 0o4711)
    (container.rootfs / "var/cache/link").symlink_to("app/file")
    container.mount("/var/cache", "tmpfs", "tmpfs", "tmpcopyup", "nodev")
    out = container.output("cat /var/cache/link; stat -c '%a %u:%g' /var/cache/app/file; echo > /var/cache/new;"
                           "stat -f -c %T /var/cache")
    assert out == "kept\n4711 7:8\ntmpfs\n"
    assert not (container.rootfs / "var/cache/new").exists()


def test_shared_propagation(container):
    """A mount made in a shared bind is seen outside, one made outside in a slave bind is seen inside."""
    source = container.path / "data"
    (source / "in").mkdir(parents=True)
    (source / "out").mkdir()
    subprocess.run(["mount", "--bind", source, source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        container.config["process"]["capabilities"]["bounding"].append("CAP_SYS_ADMIN")
        container.config["process"]["capabilities"]["effective"].append("CAP_SYS_ADMIN")
        container.config["process"]["capabilities"]["permitted"].append("CAP_SYS_ADMIN")
        container.mount("/shared", "bind", source, "rbind", "rshared")
        container.mount("/slave", "bind", source, "rbind", "rslave")
        container.mount("/private", "bind", source, "rbind")
        container.sh("mount -t tmpfs tmpfs /shared/in && touch /shared/in/seen; until test -e /slave/out/late; do"
                     " sleep 0.05; done; ls /slave/in /private/out; echo end")
        container.create()
        container.start()
        end = 100
        while not (source / "in/seen").exists() and end:
            end -= 1
            subprocess.run(["sleep", "0.05"], check=True)
        assert (source / "in/seen").exists()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", source / "out"], check=True)
        (source / "out/late").write_text("", encoding="utf-8")
        container.wait_status("stopped")
        assert container.text("out") == "/private/out:\n\n/slave/in:\nseen\nend\n"
    finally:
        for path in ("in", "out", "."):
            subprocess.run(["umount", "-l", source / path], check=False, stderr=subprocess.DEVNULL)


def test_root_propagation(container):
    container.config["linux"]["rootfsPropagation"] = "shared"
    line = [line for line in container.output("cat /proc/self/mountinfo").splitlines() if line.split()[4] == "/"][0]
    assert "shared:" in line


def test_no_pivot(container):
    container.sh("echo inside; ls /").write()
    done = container.run("--no-pivot")
    assert done.returncode == 0 and done.stdout.startswith("inside\nbin\n")


@pytest.mark.parametrize("name", ["cpuinfo", "meminfo", "uptime"])
def test_lxcfs_files_may_be_covered(container, name):
    source = container.path / "file"
    source.write_text("mine\n", encoding="utf-8")
    container.mount(f"/proc/{name}", "bind", source, "bind", "ro")
    assert container.output(f"cat /proc/{name}") == "mine\n"


@pytest.mark.parametrize("destination", ["/proc/self/attr", "/proc/sys/kernel/domainname", "/proc/version",
                                         "/proc/1", "/innocent"])
def test_nothing_else_in_proc_may(container, destination):
    source = container.path / "source"
    if destination.endswith(("attr", "1")):
        source.mkdir()
    else:
        source.write_text("", encoding="utf-8")
    (container.rootfs / "innocent").symlink_to("/proc/version")
    container.mount(destination, "bind", source, "bind")
    done = container.run()
    assert done.returncode != 0 and "/proc" in done.stderr, done.stderr
