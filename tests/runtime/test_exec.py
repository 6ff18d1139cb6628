# SPDX-License-Identifier: GPL-2.0-or-later
"""`exec`: one more process in a container that runs. What it must be: the container's, in everything; and nothing of the host's."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import program
from test_process import receive_terminal
from test_security import profile, program_mark

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from common.wait import wait_for  # pylint: disable=wrong-import-position


@pytest.fixture
def running(container):
    """A container with a process that waits, started by run()."""
    def start(*args, **changes):
        container.set(*(args or ("sleep", "1000")), **changes)
        assert container.create().returncode == 0, container.text("err")
        assert container.start().returncode == 0, container.text("err")
        return container
    container.go = start
    return container


def execute(c, *args, **kwargs):
    return c.call("exec", *args[:args.index("--")] if "--" in args else (), c.id,
                  *(args[args.index("--") + 1:] if "--" in args else args), **kwargs)


def sh(c, script, *options, **kwargs):
    done = execute(c, *options, "--", "/bin/sh", "-c", script, **kwargs)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def process_file(c, name="process.json", **changes):
    process = {**c.config["process"], "args": ["true"], **changes}
    path = c.path / name
    path.write_text(json.dumps(process), encoding="utf-8")
    return str(path)


def test_namespaces_and_cgroup(running):
    c = running.go()
    names = "mnt net uts pid ipc cgroup"
    out = sh(c, f"for n in {names}; do readlink /proc/self/ns/$n; readlink /proc/1/ns/$n; done; hostname;"
                "grep ^0:: /proc/self/cgroup; echo $$").split()
    assert out[0:12:2] == out[1:12:2]
    assert os.readlink("/proc/self/ns/mnt") not in out
    assert out[12:14] == ["box", "0::/"] and int(out[14]) > 1


def test_exit_codes_and_streams(running):
    c = running.go()
    for code in (0, 3, 255):
        assert execute(c, "/bin/sh", "-c", f"exit {code}").returncode == code
    assert execute(c, "/bin/sh", "-c", "kill -9 $$").returncode == 137
    done = execute(c, "/bin/sh", "-c", "cat; echo err >&2", stdin=None, input="through\n")
    assert (done.stdout, done.stderr) == ("through\n", "err\n")


def test_options_after_the_id_are_the_commands(running):
    c = running.go()
    assert execute(c, "echo", "-n", "--tty", "-u").stdout == "--tty -u"
    assert c.call("exec", c.id, "--", "echo", "x").stdout == "x\n"


@pytest.mark.parametrize("args, text", [
    (["nosuch"], 'exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH'),
    (["/nosuch"], 'exec: "/nosuch": stat /nosuch: no such file or directory'),
    (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
    (["/tmp"], 'exec: "/tmp": is a directory: permission denied')])
def test_what_cannot_be_run(running, args, text):
    done = execute(running.go(), *args)
    assert done.returncode == 1 and text in done.stderr, done.stderr


def test_states(running):
    assert "container does not exist" in execute(running, "true").stderr
    running.set("sleep", "1000")
    running.create()
    assert execute(running, "true").returncode == 0  # as runc: a created container has its namespaces
    running.start()
    running.call("pause", running.id)
    assert "cannot exec in a paused container" in execute(running, "true").stderr
    running.call("resume", running.id)
    os.kill(running.pid(), signal.SIGKILL)
    running.wait_status("stopped")
    assert "cannot exec in a stopped container" in execute(running, "true").stderr


def test_process_of_the_container_is_the_base(running):
    c = running.go(rlimits=[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}], cwd="/tmp", noNewPrivileges=True,
                   oomScoreAdj=321)
    out = sh(c, "ulimit -Sn; ulimit -Hn; pwd; echo $HOSTNAME $HOME; cat /proc/self/oom_score_adj; umask;"
                "grep -E '^(CapEff|CapInh|CapAmb|NoNewPrivs|Groups)' /proc/self/status").split("\n")
    assert out[:6] == ["100", "200", "/tmp", "box /root", "321", "0022"]
    text = "\n".join(out)
    assert "CapInh:\t0000000000000000" in text and "CapAmb:\t0000000000000000" in text
    assert "CapEff:\t00000000a80425fb" in text and "NoNewPrivs:\t1" in text
    # "Groups:" lists them without an order of ours
    assert sorted(out[6 + [line[:6] for line in out[6:]].index("Groups")].split()[1:]) == ["0", "10"]


def test_options(running):
    c = running.go()
    out = sh(c, "id -u; id -g; pwd; echo $A $B; grep -E '^(CapEff|CapPrm|CapBnd|CapAmb)' /proc/self/status; id -G",
             "--user", "1000:1001", "--cwd", "/tmp", "--env", "A=1", "-e", "B=2 3", "--cap", "CAP_SYS_PTRACE",
             "--additional-gids", "7", "-g", "8").split("\n")
    assert out[:4] == ["1000", "1001", "/tmp", "1 2 3"]
    assert "CapBnd:\t00000000a80c25fb" in out and "CapEff:\t0000000000000000" in out
    assert "CapAmb:\t0000000000000000" in out
    assert out[-2].split() == ["1001", "7", "8"]
    assert "NoNewPrivs:\t1" in sh(c, "grep NoNewPrivs /proc/self/status", "--no-new-privs")


@pytest.mark.parametrize("user", ["-1", "4294967295", "4294967296", "0x0", "1e3", " 0", "+0", "1000:", ":0", "", "root"])
def test_bad_users(running, user):
    """T-user: numbers, and only those that are ids."""
    done = execute(running.go(), "--user", user, "--", "true")
    assert done.returncode == 1 and "--user" in done.stderr


def test_process_file(running):
    c = running.go()
    path = process_file(c, args=["/bin/sh", "-c", "id -u; pwd; echo $X; grep CapEff /proc/self/status"], cwd="/etc",
                        env=["X=y", "PATH=/bin"], user={"uid": 0, "gid": 0},
                        capabilities={k: ["CAP_KILL"] for k in ("bounding", "effective", "permitted")})
    done = c.call("exec", "--process", path, c.id)
    assert done.stdout.split() == ["0", "/etc", "y", "CapEff:", "0000000000000020"], done.stderr
    assert c.call("exec", "--process", process_file(c, args=[]), c.id).returncode == 1
    bad = process_file(c, user={"uid": 4294967295, "gid": 0})
    assert "is not an id" in c.call("exec", "--process", bad, c.id).stderr


def test_detach(running):
    c = running.go()
    with open(c.path / "out", "w", encoding="utf-8") as out:
        done = c.call("exec", "--detach", "--pid-file", str(c.path / "pid"), c.id, "sh", "-c",
                      "echo $$; exec sleep 1000", stdout=out, stderr=out)
    assert done.returncode == 0, c.text("out")
    pid = int(c.text("pid"))
    with open(f"/proc/{pid}/cgroup", encoding="utf-8") as f:
        assert [line for line in f if line.startswith("0::")][0].strip().endswith("/" + c.id)
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        inner = [line.split()[-1] for line in f if line.startswith("NSpid:")][0]
    wait_for(lambda: c.text("out").strip() == inner, "its number inside")
    assert os.getsid(pid) == pid
    # It ends with the container.
    os.kill(c.pid(), signal.SIGKILL)
    c.wait_status("stopped")
    assert not (c.cgroup() / "cgroup.procs").read_text(encoding="utf-8").split()


def test_sub_cgroup(running):
    """For callers that must be able to end one process with all that it has made."""
    c = running.go()
    (c.cgroup() / "probe").mkdir()
    with open(c.path / "out", "w", encoding="utf-8") as out:
        assert c.call("exec", "--detach", "--cgroup", "probe", c.id, "sh", "-c", "setsid sleep 1000 & sleep 1000",
                      stdout=out, stderr=out).returncode == 0, c.text("out")
    assert (c.cgroup() / "probe/cgroup.procs").read_text(encoding="utf-8").split()
    for path in ("..", "/..", "probe/../..", "nosuch"):
        assert execute(c, "--cgroup", path, "--", "true").returncode == 1
    (c.cgroup() / "probe/cgroup.kill").write_text("1", encoding="utf-8")


def test_container_that_manages_cgroups(running):
    """No process may be at the top of a cgroup that hands on controllers: then it goes to the first process."""
    c = running.go()
    cgroup = c.cgroup()
    available = (cgroup / "cgroup.controllers").read_text(encoding="utf-8").split()
    domain = [name for name in available if name not in ("cpu", "perf_event", "pids", "cpuset")]
    if not domain:
        pytest.skip("no domain controller here")
    (cgroup / "init").mkdir()
    (cgroup / "init/cgroup.procs").write_text(str(c.pid()), encoding="utf-8")
    (cgroup / "cgroup.subtree_control").write_text("+" + domain[0], encoding="utf-8")
    assert sh(c, "grep ^0:: /proc/self/cgroup").strip() == "0::/init"


def test_seccomp(running):
    running.config["linux"]["seccomp"] = profile()
    os.mkfifo(running.rootfs / "wait")
    c = running.go("sh", "-c", "read x < /wait")  # the profile knows no sleep
    out = sh(c, "mkdir /tmp/d; chmod 700 /tmp/d 2>&1; grep Seccomp: /proc/self/status; true")
    assert "chmod: /tmp/d: Permission denied" in out and "Seccomp:\t2" in out
    assert "Seccomp:\t2" in sh(c, "grep Seccomp: /proc/self/status", "--no-new-privs", "--user", "1000")


def test_user_namespace(running):
    running.config["linux"]["namespaces"].append({"type": "user"})
    for kind in ("uidMappings", "gidMappings"):
        running.config["linux"][kind] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    os.chmod(running.rootfs / "tmp", 0o777)
    c = running.go(oomScoreAdj=100)
    out = sh(c, "id -u; cat /proc/self/uid_map; cat /proc/self/oom_score_adj; touch /tmp/made")
    assert out.split() == ["0", "0", "100000", "65536", "100"]
    assert (c.rootfs / "tmp/made").stat().st_uid == 100000


def test_terminal(running):
    c = running.go()
    with socket.socket(socket.AF_UNIX) as listener:
        path = str(c.path / "console")
        listener.bind(path)
        listener.listen()
        result = []
        thread = threading.Thread(target=receive_terminal, args=(listener, result))
        thread.start()
        process = process_file(c, terminal=True, consoleSize={"height": 33, "width": 99}, user={"uid": 1000, "gid": 0}, args=[
            "/bin/sh", "-c", "tty; stty size; echo x > /dev/tty; stat -c %u /dev/pts/0; read line; echo got $line"])
        done = c.call("exec", "--detach", "--process", process, "--console-socket", path, "--pid-file",
                      str(c.path / "pid"), c.id)
        assert done.returncode == 0, done.stderr
        thread.join(10)
        master = result[0]
        os.write(master, b"word\n")
        text = b""
        while b"got word" not in text:
            text += os.read(master, 1000)
        os.close(master)
    lines = text.decode().replace("\r", "").split("\n")
    assert "/dev/pts/0" in lines and "33 99" in lines and "x" in lines and "1000" in lines
    assert "--console-socket" in execute(c, "--tty", "--detach", "--", "true").stderr


def test_terminal_in_the_foreground(running):
    c = running.go()
    done = subprocess.run(["script", "-qec", f"stty rows 20 cols 70; {program()} --root {c.runtime} exec -t {c.id}"
                           " sh -c 'tty; stty size; exit 5'; echo status $?", "/dev/null"],
                          stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL, timeout=30)
    assert done.stdout.replace("\r", "").replace("^@", "").split("\n")[:3] == ["/dev/pts/0", "20 70", "status 5"]


def test_signals_are_forwarded_and_death_is_shared(running):
    c = running.go()
    command = [program(), "--root", str(c.runtime), "exec", c.id, "sh", "-c",
               "trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.05; done"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as p:
        assert p.stdout.readline() == "ready\n"
        p.terminate()
        assert p.stdout.read() == "term\n"
        assert p.wait(10) == 7
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as p:
        assert p.stdout.readline() == "ready\n"
        p.kill()
        assert p.stdout.read() == ""  # the end of the file: it is gone too


@pytest.mark.parametrize("folder", ["/proc/self/fd/{}", "/proc/thread-self/fd/{}", "/proc/1/fd/{}", "/proc/self/cwd"])
def test_leaked_folders(running, folder):
    """T-fd: no descriptor of ours or of our caller can be the way out."""
    c = running.go()
    extra = [os.open("/", os.O_RDONLY | os.O_DIRECTORY) for _ in range(20)]
    try:
        for n in range(3, 40, 3):
            done = execute(c, "--cwd", folder.format(n), "--", "ls", pass_fds=extra)
            assert done.returncode == 1 and "chdir to cwd" in done.stderr, done.stderr + done.stdout
        assert execute(c, "ls", "/proc/self/fd", pass_fds=extra).stdout.split() == ["0", "1", "2", "3"]
    finally:
        for fd in extra:
            os.close(fd)


def test_missing_folder_is_not_made(running):
    c = running.go()
    done = execute(c, "--cwd", "/nosuch", "--", "true")
    assert 'chdir to cwd ("/nosuch") set in config.json failed: no such file or directory' in done.stderr
    assert not (c.rootfs / "nosuch").exists()


def test_program_cannot_be_overwritten(running):
    """T-exe and T-ptrace: somebody in the container with every right waits for each newcomer's program and descriptors."""
    before = program_mark()
    running.config["process"]["capabilities"] = {
        kind: ["CAP_" + name for name in ("SYS_PTRACE", "DAC_OVERRIDE", "DAC_READ_SEARCH", "CHOWN", "FOWNER", "SYS_ADMIN")]
        for kind in ("bounding", "effective", "permitted")}
    (running.rootfs / "bin/evil").write_text("#!/proc/self/exe\n", encoding="utf-8")
    os.chmod(running.rootfs / "bin/evil", 0o755)
    c = running.go("sh", "-c", "while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] && continue;"
                   "(: >> $p/exe) 2>/dev/null && readlink $p/exe >> /tmp/won;"
                   "for fd in $p/fd/*; do readlink $fd; done >> /tmp/fds 2>/dev/null; done; done")
    host = os.open("/etc/passwd", os.O_RDONLY)
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(60):
        assert execute(c, "/bin/true", pass_fds=[host, folder]).returncode == 0
    assert execute(c, "/bin/evil").returncode != 0
    assert execute(c, "/proc/self/exe", "state", "x").returncode != 0
    os.close(host)
    os.close(folder)
    assert program_mark() == before
    won = c.rootfs / "tmp/won"
    assert not won.exists() or program() not in won.read_text(encoding="utf-8")
    seen = set((c.rootfs / "tmp/fds").read_text(encoding="utf-8").split("\n"))
    bad = [name for name in seen if name and not name.startswith(("/dev/null", "pipe:", "socket:", "/tmp/", "/proc/", "/bin/", str(c.path)))]
    assert not bad, bad


def test_caller_dies_midway(running):
    """Killed at any moment, it leaves no process that waits for ever."""
    c = running.go()
    cgroup = c.cgroup()
    first = (cgroup / "cgroup.procs").read_text(encoding="utf-8").split()
    for n in range(40):
        with subprocess.Popen([program(), "--root", str(c.runtime), "exec", c.id, "sleep", "1000"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            try:
                p.wait(n / 2000)
            except subprocess.TimeoutExpired:
                p.kill()
    wait_for(lambda: (cgroup / "cgroup.procs").read_text(encoding="utf-8").split() == first, "all to be gone")


def test_streams_belong_to_the_user(running):
    c = running.go()
    read, write = os.pipe()
    done = execute(c, "--user", "1000", "--", "sh", "-c", "echo x > /dev/stdout", stdout=write)
    os.close(write)
    assert done.returncode == 0 and os.read(read, 10) == b"x\n"
    os.close(read)
