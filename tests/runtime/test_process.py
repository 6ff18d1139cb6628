# SPDX-License-Identifier: GPL-2.0-or-later
"""The process: user, groups, limits, environment, folder, descriptors, namespaces, terminal, hooks."""

import array
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import threading

import pytest
from conftest import controllers, has_capability, program

CAP_SYS_RESOURCE = 24


def namespace(config, kind, path=None):
    entries = [n for n in config["linux"]["namespaces"] if n["type"] != kind]
    config["linux"]["namespaces"] = entries + [{"type": kind, "path": path} if path else {"type": kind}]


def test_user_and_groups(container):
    container.config["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 4294967294], "umask": 0o77}
    out = container.output("grep -E '^(Uid|Gid|Groups):' /proc/self/status; umask")
    assert out.split() == ["Uid:"] + ["1000"] * 4 + ["Gid:"] + ["1001"] * 4 + \
        ["Groups:", "5", "4294967294", "0077"]


def test_groups_are_exact(container):
    container.config["process"]["user"] = {"uid": 0, "gid": 0}
    assert container.output("grep ^Groups: /proc/self/status").split() == ["Groups:"]


@pytest.mark.parametrize("user", [{"uid": 4294967295, "gid": 0}, {"uid": 0, "gid": 4294967295}, {"uid": -1, "gid": 0},
                                  {"uid": 4294967296, "gid": 0}, {"uid": "0", "gid": 0}, {"uid": 1.5, "gid": 0}])
def test_bad_users(container, user):
    container.config["process"]["user"] = user
    assert container.run().returncode != 0
    container.gone()


def test_non_root_can_open_its_streams(container):
    container.config["process"]["user"] = {"uid": 1000, "gid": 1000}
    done = container.sh("echo out > /dev/stdout; echo err > /dev/stderr").run()
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_program_is_looked_at_as_the_user(container):
    """What the user may not execute is said by create already."""
    shutil.copy(container.rootfs / "bin/busybox", container.rootfs / "bin/private")
    os.chmod(container.rootfs / "bin/private", 0o700)
    container.config["process"]["user"] = {"uid": 1000, "gid": 1000}
    container.config["process"]["capabilities"] = {}
    done = container.set("private").create()
    assert done.returncode != 0 and 'exec: "private": permission denied' in done.stderr
    container.gone()


def test_rlimits(container):
    container.config["process"]["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]
    assert container.output("ulimit -Sn; ulimit -Hn; ulimit -c").split() == ["100", "200", "0"]


@pytest.mark.parametrize("number", [3, 5, 10])
def test_few_descriptors(container, number):
    """The limit is the container's: what we need for the way there does not count."""
    container.set("true", rlimits=[{"type": "RLIMIT_NOFILE", "soft": number, "hard": number}])
    done = container.run()
    assert done.returncode == 0, done.stderr
    if number > 3:
        assert container.create().returncode == 0, container.text("err")
        assert container.start().returncode == 0


def test_environment_and_cwd(container):
    (container.rootfs / "work").mkdir()
    container.config["process"]["cwd"] = "/work"
    container.config["process"]["env"] = ["PATH=/bin", "X=a=b", "EMPTY="]
    assert sorted(container.output("env; pwd").split()) == ["/work", "EMPTY=", "HOME=/root", "PATH=/bin", "PWD=/work", "SHLVL=1",
                                                            "X=a=b"]


@pytest.mark.parametrize("uid, env, home", [(0, [], "/root"), (65534, [], "/"), (4711, [], "/"), (0, ["HOME=/x"], "/x")])
def test_home(container, uid, env, home):
    container.config["process"]["user"]["uid"] = uid
    container.config["process"]["env"] += env
    assert container.output("echo $HOME") == home + "\n"


@pytest.mark.parametrize("kind", ["fifo", "link", "huge", "missing"])
def test_home_with_a_hostile_passwd(container, kind):
    """T-passwd: nothing hangs and nothing is followed."""
    passwd = container.rootfs / "etc/passwd"
    passwd.unlink()
    if kind == "fifo":
        os.mkfifo(passwd)
    elif kind == "link":
        (container.rootfs / "etc/other").write_text("root:x:0:0::/elsewhere:\n", encoding="utf-8")
        passwd.symlink_to("other")
    elif kind == "huge":
        with open(passwd, "wb") as f:
            f.truncate(1 << 31)
    assert container.output("echo $HOME") == "/\n"


def test_missing_cwd_is_made(container):
    container.config["process"]["cwd"] = "/not/there"
    assert container.output("pwd") == "/not/there\n"


def test_names(container):
    container.config["domainname"] = "example"
    assert container.output("hostname; cat /proc/sys/kernel/domainname").split() == ["box", "example"]
    namespace(container.config, "uts")
    container.config["linux"]["namespaces"].pop()
    done = container.run()
    assert done.returncode != 0 and "uts namespace" in done.stderr


def test_oom_score(container):
    container.config["process"]["oomScoreAdj"] = 321
    assert container.output("cat /proc/self/oom_score_adj") == "321\n"


def test_no_new_privileges(container):
    assert container.output("grep NoNewPrivs /proc/self/status").split() == ["NoNewPrivs:", "0"]
    container.config["process"]["noNewPrivileges"] = True
    assert container.output("grep NoNewPrivs /proc/self/status").split() == ["NoNewPrivs:", "1"]


def test_sysctl(container):
    container.config["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096",
                                           "net.ipv4.ip_local_port_range": "2000\t3000"}
    before = open("/proc/sys/kernel/msgmax", encoding="utf-8").read()
    out = container.output("cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax net/ipv4/ip_local_port_range")
    assert out.split() == ["1", "4096", "2000", "3000"]
    assert open("/proc/sys/kernel/msgmax", encoding="utf-8").read() == before


def test_loopback_is_up(container):
    assert "UP" in container.output("ifconfig lo")


def test_new_namespaces(container):
    out = container.output("for n in cgroup ipc mnt net pid uts user; do readlink /proc/self/ns/$n; done")
    mine = [os.readlink(f"/proc/self/ns/{n}") for n in ("cgroup", "ipc", "mnt", "net", "pid", "uts", "user")]
    assert [a == b for a, b in zip(out.split(), mine)] == [False] * 6 + [True]
    assert container.output("echo $$; cat /proc/self/cgroup | grep ^0").split() == ["1", "0::/"]


@pytest.mark.parametrize("kind, link", [("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("pid", "pid"),
                                        ("cgroup", "cgroup")])
def test_join_by_path(container, kind, link):
    with subprocess.Popen(["unshare", "--fork", "-n", "-i", "-u", "-p", "-C", "--mount-proc", "sleep", "100"]) as process:
        try:
            child = None
            while not child:
                with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as f:
                    child = f.read().split()
            path = f"/proc/{child[0]}/ns/{link}"
            namespace(container.config, kind, path)
            if kind == "uts":
                del container.config["hostname"]
            assert container.output(f"readlink /proc/self/ns/{link}").strip() == os.readlink(path)
        finally:
            subprocess.run(["kill", "-9", child[0]], check=False)


def test_wrong_kind_of_namespace(container):
    namespace(container.config, "network", "/proc/self/ns/uts")
    done = container.run()
    assert done.returncode != 0 and "is not a network namespace" in done.stderr
    namespace(container.config, "network", str(container.path))
    assert container.run().returncode != 0


def test_time_namespace(container):
    if not os.path.exists("/proc/self/ns/time"):
        pytest.skip("the kernel has no time namespaces")
    container.config["linux"]["namespaces"].append({"type": "time"})
    container.config["linux"]["timeOffsets"] = {"boottime": {"secs": 1000000}}
    up = float(container.output("cat /proc/uptime").split()[0])
    assert up > 1000000
    assert float(open("/proc/uptime", encoding="utf-8").read().split()[0]) + 999000 < up


def test_user_namespace(container):
    container.config["linux"]["namespaces"].append({"type": "user"})
    for key in ("uidMappings", "gidMappings"):
        container.config["linux"][key] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    container.config["process"]["user"] = {"uid": 0, "gid": 0, "additionalGids": [10]}
    subprocess.run(["chown", "-R", "-h", "100000:100000", container.rootfs], check=True)
    for path in [container.path, *container.path.parents][:4]:
        os.chmod(path, 0o755)
    out = container.output("cat /proc/self/uid_map; id -u; touch /made; stat -c '%F %t:%T' /dev/null; echo x > /dev/null;"
                           "grep CapBnd /proc/self/status; cat /proc/self/oom_score_adj; ls /sys/fs/cgroup | wc -l")
    assert out.split()[:4] == ["0", "100000", "65536", "0"]
    assert "character special file 1:3" in out
    assert (container.rootfs / "made").stat().st_uid == 100000


def test_id_maps_without_a_user_namespace(container):
    container.config["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1}]
    done = container.run()
    assert done.returncode != 0 and "need a user namespace" in done.stderr


def call_with_fd_3(container, words, redirection, env=None):
    command = f"exec {program()} --root {container.runtime} run -b {container.path} {words} {container.id} {redirection}"
    return subprocess.run(["sh", "-c", command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=30)


def test_preserve_fds(container):
    container.sh("echo through >&3; ls /proc/self/fd").write()
    done = call_with_fd_3(container, "--preserve-fds 1", f"3> {container.path}/through")
    assert done.returncode == 0, done.stderr
    assert container.text("through") == "through\n"
    assert done.stdout.split() == ["0", "1", "2", "3", "4"]
    refused = call_with_fd_3(container, "--preserve-fds 5", f"3> {container.path}/through")
    assert refused.returncode != 0 and "is not open" in refused.stderr


def test_socket_activation(container):
    container.sh("echo $LISTEN_FDS $LISTEN_PID; readlink /proc/self/fd/3").write()
    done = call_with_fd_3(container, "", "3< /dev/zero", env={"LISTEN_FDS": "1"})
    assert done.stdout.split() == ["1", "1", "/dev/zero"], done.stderr


def receive_terminal(listener, result):
    connection, _ = listener.accept()
    with connection:
        _, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_SPACE(4))
        result.append(array.array("i", ancillary[0][2])[0])


def test_terminal(container):
    with socket.socket(socket.AF_UNIX) as listener:
        path = str(container.path / "console")
        listener.bind(path)
        listener.listen()
        result = []
        thread = threading.Thread(target=receive_terminal, args=(listener, result))
        thread.start()
        container.config["process"].update(terminal=True, consoleSize={"height": 33, "width": 99})
        container.sh("tty; stty size; test /dev/console -ef /dev/pts/0 && echo same; stat -c '%F' /dev/console;"
                     "echo x > /dev/tty; read line; echo got $line")
        assert container.create("--console-socket", path).returncode == 0, container.text("err")
        thread.join(10)
        master = result[0]
        assert container.start().returncode == 0
        os.write(master, b"word\n")
        text = b""
        while b"got word" not in text:
            text += os.read(master, 1000)
        os.close(master)
    lines = text.decode().replace("\r", "").split("\n")
    assert "/dev/pts/0" in lines and "33 99" in lines and "character special file" in lines and "x" in lines


def test_terminal_needs_a_socket(container):
    container.config["process"]["terminal"] = True
    done = container.create()
    assert done.returncode != 0 and "--console-socket" in done.stderr
    container.config["process"]["terminal"] = False
    done = container.create("--console-socket", "/x")
    assert done.returncode != 0 and "process.terminal" in done.stderr


def test_terminal_in_the_foreground(container):
    container.config["process"]["terminal"] = True
    container.sh("tty; stty size").write()
    done = subprocess.run(["script", "-qec", f"stty rows 20 cols 70; {program()} --root {container.runtime} run"
                           f" -b {container.path} {container.id}; echo status $?", "/dev/null"],
                          stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL, timeout=30)
    assert done.stdout.replace("\r", "").replace("^@", "").split("\n")[:3] == ["/dev/pts/0", "20 70", "status 0"]


def hook(container, name, script, **more):
    path = container.path / f"hook-{name}"
    path.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    os.chmod(path, 0o755)
    return {"path": str(path), "args": [name], "env": ["PATH=/bin:/usr/bin", "WHERE=" + str(container.path)], **more}


def test_hooks(container):
    note = 'read -r state; echo "$0 $(echo "$state" | sed "s/.*\\"status\\":\\"\\([a-z]*\\).*/\\1/")" >> $WHERE/log\n'
    hooks = {name: [hook(container, name, note.replace("$0", name))]
             for name in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}
    container.config["hooks"] = hooks
    container.set("sleep", "100")
    assert container.create().returncode == 0, container.text("err")
    assert container.start().returncode == 0
    container.call("delete", "--force", container.id)
    assert container.text("log").split("\n")[:-1] == [
        "prestart creating", "createRuntime creating", "createContainer creating", "poststart running",
        "poststop stopped"]


def test_start_container_hook_runs_inside(container):
    inside = container.rootfs / "bin/hook"
    inside.write_text("#!/bin/sh\necho ran > /tmp/hook\n", encoding="utf-8")
    os.chmod(inside, 0o755)
    container.config["hooks"] = {"startContainer": [{"path": "/bin/hook", "env": ["PATH=/bin"]}]}
    assert container.output("cat /tmp/hook") == "ran\n"


def test_hook_state_is_complete(container):
    container.config["annotations"] = {"org.example": "a b"}
    container.config["hooks"] = {"createRuntime": [hook(container, "createRuntime", "cat > $WHERE/document")]}
    assert container.set("true").run().returncode == 0
    state = json.loads(container.text("document"))
    assert state["id"] == container.id and state["pid"] > 1 and state["annotations"] == {"org.example": "a b"}
    assert state["bundle"] == str(container.path)


def test_hook_state_inside(container):
    """In the container's namespaces the process has another number."""
    inside = container.rootfs / "bin/hook"
    inside.write_text("#!/bin/sh\ncat > /tmp/document\n", encoding="utf-8")
    os.chmod(inside, 0o755)
    container.config["annotations"] = {"org.example": "a b"}
    container.config["hooks"] = {"startContainer": [{"path": "/bin/hook", "env": ["PATH=/bin"]}],
                                 "createContainer": [hook(container, "createContainer", "cat > $WHERE/document")]}
    assert container.set("true").run().returncode == 0
    wanted = {"ociVersion": "1.2.0", "id": container.id, "pid": 1, "bundle": str(container.path),
              "annotations": {"org.example": "a b"}}
    assert json.loads((container.rootfs / "tmp/document").read_text()) == {**wanted, "status": "created"}
    assert json.loads(container.text("document")) == {**wanted, "status": "creating"}
    del container.config["hooks"]["createContainer"]
    assert container.run().returncode == 0
    assert json.loads((container.rootfs / "tmp/document").read_text()) == {**wanted, "status": "created"}


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_failing_hook(container, kind):
    container.config["hooks"] = {kind: [hook(container, kind, "echo because >&2; exit 3")]}
    done = container.run()
    assert done.returncode != 0
    assert f"error running {kind} hook #0" in done.stderr and "exit status 3" in done.stderr
    assert "because" in done.stderr
    container.gone()


def test_hook_time_out(container):
    container.config["hooks"] = {"prestart": [hook(container, "prestart", "sleep 100", timeout=1)]}
    done = container.run()
    assert done.returncode != 0 and "did not end within 1 s" in done.stderr
    container.gone()


def test_limits_without_controller_are_errors(container):
    container.config["linux"]["resources"]["unified"] = {"nosuch.max": "1"}
    done = container.run()
    assert done.returncode != 0 and "nosuch" in done.stderr
    container.gone()


@pytest.mark.parametrize("controller, resources, file, value", [
    ("memory", {"memory": {"limit": 67108864}}, "memory.max", "67108864"),
    ("pids", {"pids": {"limit": 55}}, "pids.max", "55"),
    ("cpu", {"cpu": {"shares": 512}}, "cpu.weight", "59"),
    ("cpu", {"cpu": {"quota": 50000, "period": 100000}}, "cpu.max", "50000 100000"),
    ("hugetlb", {"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}, "hugetlb.2MB.max", "2097152"),
])
def test_limits(container, controller, resources, file, value):
    container.config["linux"]["resources"].update(resources)
    if controller not in controllers():
        done = container.run()
        assert done.returncode != 0 and f"no {controller} controller" in done.stderr
        pytest.skip(f"cgroup v2 has no {controller} controller here; that it is missed is an error")
    container.set("sleep", "100")
    assert container.create().returncode == 0, container.text("err")
    assert (container.cgroup() / file).read_text(encoding="utf-8").strip() == value


def test_cgroups_path(container):
    container.config["linux"]["cgroupsPath"] = f"/stauer-test/{container.id}/deep"
    container.set("sleep", "100")
    assert container.create().returncode == 0
    assert container.cgroup().name == "deep"
    assert str(container.pid()) in (container.cgroup() / "cgroup.procs").read_text(encoding="utf-8").split()
    cgroup = container.cgroup()
    container.call("delete", "--force", container.id)
    assert not cgroup.exists()
    cgroup.parent.rmdir()
    cgroup.parent.parent.rmdir()


@pytest.mark.parametrize("path", ["/", "/..", "a/../../b", "slice:a:b", "/x/" + "y" * 300])
def test_bad_cgroups_paths(container, path):
    container.config["linux"]["cgroupsPath"] = path
    done = container.run()
    assert done.returncode != 0 and "cgroupsPath" in done.stderr


def test_disabled_cgroups(container):
    container.global_args = ["--cgroup-manager=disabled"]
    assert container.output("echo fine") == "fine\n"
    container.config["linux"]["resources"]["pids"] = {"limit": 5}
    done = container.run()
    assert done.returncode != 0 and "disabled" in done.stderr


def test_scheduling(container):
    container.config["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 5}
    container.config["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}
    assert container.output("cut -d' ' -f19 /proc/1/stat; ionice -p 1").split() == ["5", "idle"]


def test_raising_limits_without_the_right_is_said(container):
    if has_capability(CAP_SYS_RESOURCE):
        pytest.skip("we may raise limits")
    container.config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 1 << 30, "hard": 1 << 30}]
    done = container.run()
    assert done.returncode != 0 and re.search("RLIMIT_NOFILE.*not permitted", done.stderr)


def test_stdin(container):
    container.set("cat").write()
    done = container.call("run", container.id, stdin=None, input="through\n")
    assert done.stdout == "through\n"


def test_streams_are_pipes_of_ours(container):
    mode = os.fstat(0).st_mode
    assert container.output("ls -l /proc/self/fd | wc -l").strip() == "5"
    assert stat.S_IFMT(os.fstat(0).st_mode) == stat.S_IFMT(mode)
