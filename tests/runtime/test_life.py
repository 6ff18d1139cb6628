# SPDX-License-Identifier: GPL-2.0-or-later
"""create, start, state, kill, delete and run: the life of a container, and that nothing is left of it."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import program


def test_create_start_stop_delete(container):
    container.set("sleep", "100")
    assert container.create("--pid-file", str(container.path / "pid")).returncode == 0
    state = container.state()
    assert state["status"] == "created"
    assert state["id"] == container.id
    assert state["bundle"] == str(container.path)
    assert int(container.text("pid")) == state["pid"]
    # It waits, and has not executed anything of the container.
    assert "sleep" not in open(f"/proc/{state['pid']}/cmdline", encoding="utf-8").read()

    assert container.start().returncode == 0
    assert container.status() == "running"
    assert open(f"/proc/{state['pid']}/cmdline", encoding="utf-8").read() == "sleep\x00100\x00"

    again = container.start()
    assert again.returncode != 0 and "cannot start a container that is already running" in again.stderr
    refused = container.call("delete", container.id)
    assert refused.returncode != 0 and "not stopped" in refused.stderr

    assert container.call("kill", container.id, "KILL").returncode == 0
    container.wait_status("stopped")
    assert container.state()["pid"] == 0
    dead = container.call("kill", container.id, "TERM")
    assert dead.returncode != 0 and "container not running" in dead.stderr
    assert container.call("delete", container.id).returncode == 0
    assert container.status() is None
    container.gone()


def test_run_gives_exit_status(container):
    assert container.sh("exit 0").run().returncode == 0
    assert container.sh("exit 42").run().returncode == 42
    assert container.sh("kill -9 $$").set("/bin/busybox", "sh", "-c", "exit 7").run().returncode == 7
    container.gone()


def test_run_killed_by_signal(container):
    # The first process of a pid namespace cannot kill itself: its child can be killed.
    assert container.sh("sh -c 'kill -TERM $$'; exit $?").run().returncode == 128 + 15


def test_run_forwards_signals(container):
    container.sh("trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.1; done")
    container.write()
    with subprocess.Popen([program(), "--root", str(container.runtime), "run", "-b", str(container.path),
                           container.id], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "got\n"
        assert process.wait(20) == 5
    container.gone()


def test_run_killed_takes_the_container_along(container):
    container.sh("echo up; sleep 100")
    container.write()
    with subprocess.Popen([program(), "--root", str(container.runtime), "run", "-b", str(container.path),
                           container.id], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        process.kill()
        process.wait(20)
    container.wait_status("stopped")


def test_run_detached(container):
    container.set("sleep", "100")
    container.write()
    with open(container.path / "out", "w", encoding="utf-8") as out:
        assert container.call("run", "--detach", container.id, stdout=out, stderr=out).returncode == 0
    assert container.status() == "running"
    assert container.call("delete", "--force", container.id).returncode == 0
    container.gone()


def test_id_is_taken(container):
    container.set("sleep", "100")
    assert container.create().returncode == 0
    second = container.create()
    assert second.returncode != 0 and "container with given ID already exists" in second.stderr
    assert container.status() == "created"


@pytest.mark.parametrize("ident", ["", ".", "..", "../x", "a/b", ".seccomp", "-x", "a b", "ä", "x" * 300])
def test_bad_ids(container, ident):
    container.write()
    done = container.call("create", "--", ident)
    assert done.returncode != 0 and "invalid container id" in done.stderr
    assert container.call("state", "--", ident).returncode != 0


def test_unknown_id(container):
    for command in (["state"], ["start"], ["kill"], ["delete"], ["pause"]):
        done = container.call(*command, "n1.lab.11.0.-1")
        assert done.returncode != 0 and "container does not exist" in done.stderr
    assert container.call("delete", "--force", "n1.lab.11.0.-1").returncode == 0


@pytest.mark.parametrize("name, words", [
    ("nothing-here", 'exec: "nothing-here": executable file not found in $PATH'),
    ("/nothing", 'exec: "/nothing": stat /nothing: no such file or directory'),
    ("/etc/passwd/x", "no such file or directory"),
    ("/etc/passwd", 'exec: "/etc/passwd": permission denied'),
    ("/etc", "is a directory"),
    ("./etc", "is a directory"),
])
def test_program_errors(container, name, words):
    for done in (container.set(name).run(), container.create()):
        assert done.returncode != 0 and words in done.stderr, done.stderr
        assert "unable to start container process" in done.stderr
    container.gone()


def test_errors_of_the_execution_itself(container):
    (container.rootfs / "bin/garbage").write_bytes(b"\x00\x01\x02")
    (container.rootfs / "bin/orphan").write_text("#!/nothing\n", encoding="utf-8")
    os.chmod(container.rootfs / "bin/garbage", 0o755)
    os.chmod(container.rootfs / "bin/orphan", 0o755)

    done = container.set("garbage").run()
    assert done.returncode != 0 and "format error" in done.stderr
    assert container.create().returncode == 0
    started = container.start()
    assert started.returncode != 0 and "format error" in started.stderr
    container.call("delete", "--force", container.id)
    done = container.set("/bin/orphan").run()
    assert done.returncode != 0 and "no such file or directory" in done.stderr


def test_path_is_searched_inside(container):
    (container.rootfs / "opt").mkdir()
    (container.rootfs / "opt/tool").write_text("#!/bin/sh\necho $0\n", encoding="utf-8")
    os.chmod(container.rootfs / "opt/tool", 0o755)
    done = container.set("tool", env=["PATH=/nowhere:/opt"]).run()
    assert (done.returncode, done.stdout) == (0, "/opt/tool\n"), done.stderr
    done = container.set("env", env=["A=b", "PATH=/bin"]).run()
    assert sorted(done.stdout.split()) == ["A=b", "HOME=/root", "PATH=/bin"]


def test_log_file(container):
    log = container.path / "log"
    container.global_args = ["--log", str(log), "--log-format", "json"]
    assert container.set("/nothing").run().returncode != 0
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert lines[-1]["level"] == "error"
    assert 'exec: "/nothing"' in lines[-1]["msg"] and lines[-1]["time"]


def test_options_after_the_id(container):
    container.write()
    done = subprocess.run([program(), "--root", container.runtime, "--rootless=false", "run", container.id, "-b",
                           str(container.path), "--no-new-keyring"], check=False, cwd="/")
    assert done.returncode == 0


def test_list_and_ps(container):
    container.set("sleep", "100")
    container.create()
    container.start()
    rows = json.loads(container.call("list", "--format", "json").stdout)
    assert [(row["id"], row["status"]) for row in rows] == [(container.id, "running")]
    assert container.call("list", "-q").stdout == container.id + "\n"
    assert json.loads(container.call("ps", "--format", "json", container.id).stdout) == [container.pid()]


def test_pause(container):
    container.sh("i=0; while :; do i=$((i+1)); echo $i > /tmp/n; done")
    counter = container.rootfs / "tmp/n"
    container.create()
    container.start()
    while not counter.exists():
        time.sleep(0.02)
    assert container.call("pause", container.id).returncode == 0
    assert container.status() == "paused"
    before = counter.read_text(encoding="utf-8")
    time.sleep(0.1)
    assert counter.read_text(encoding="utf-8") == before
    assert container.call("resume", container.id).returncode == 0
    assert container.status() == "running"
    # A frozen one can be removed too.
    container.call("pause", container.id)
    assert container.call("delete", "--force", container.id).returncode == 0


def test_kill_all(container):
    container.config["linux"]["namespaces"] = [n for n in container.config["linux"]["namespaces"]
                                               if n["type"] != "pid"]
    container.sh("sleep 100 & sleep 100 & echo $! > /tmp/child; wait")
    container.create()
    container.start()
    pid = container.pid()
    time.sleep(0.2)
    child = int((container.rootfs / "tmp/child").read_text(encoding="utf-8"))
    assert container.call("kill", "--all", container.id, "KILL").returncode == 0
    container.wait_status("stopped")
    time.sleep(0.1)
    for process in (pid, child):
        state = open(f"/proc/{process}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[0] \
            if os.path.exists(f"/proc/{process}") else "X"
        assert state in "ZX"


def test_delete_takes_all_processes(container):
    container.config["linux"]["namespaces"] = [n for n in container.config["linux"]["namespaces"]
                                               if n["type"] != "pid"]
    container.sh("sleep 100 & exit 0")
    container.create()
    container.start()
    container.wait_status("stopped")
    assert container.cgroup().joinpath("cgroup.procs").read_text(encoding="utf-8").split()
    assert container.call("delete", container.id).returncode == 0
    container.gone()


def test_killed_while_creating(container):
    """Whatever was left behind by a call that was killed goes with delete --force."""
    container.write()
    (container.runtime / container.id).mkdir(parents=True)
    assert container.status() == "creating"
    assert container.call("delete", "--force", container.id).returncode == 0
    container.gone()


def test_killed_anywhere(container):
    """Wherever a call was killed: delete --force finds what it has made, the cgroup too."""
    container.set("true").write()
    command = [program(), "--root", str(container.runtime), "run", "-b", str(container.path), container.id]
    for n in range(60):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(n * 0.0002)
            process.kill()
        assert container.call("delete", "--force", container.id).returncode == 0
        container.gone()


def test_state_that_could_not_be_read_again(container):
    """What is too much to be remembered is refused while there is still nothing to remove."""
    container.config["annotations"] = {"note": "x" * (1 << 20)}
    done = container.create()
    assert done.returncode != 0 and "too large" in done.stderr, done.stderr
    container.gone()


def test_deleted_and_made_again(container):
    """A foreground run that somebody else has deleted leaves the next container of this name alone."""
    container.set("sleep", "100").write()
    command = [program(), "--root", str(container.runtime), "run", "-b", str(container.path), container.id]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as first:
        container.wait_status("running")
        first.send_signal(signal.SIGSTOP)
        assert container.call("delete", "--force", container.id).returncode == 0
        assert container.create().returncode == 0
        first.send_signal(signal.SIGCONT)
        assert first.wait(20) == 128 + signal.SIGKILL
    assert container.status() == "created"
    assert container.start().returncode == 0
    assert container.status() == "running"


def test_many_at_once(container):
    """One state root for all: nobody is in the other's way."""
    container.config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["reboot"], "action": "SCMP_ACT_ERRNO"}]}
    container.sh("exit 3").write()
    command = [program(), "--root", str(container.runtime), "run", "-b", str(container.path)]
    processes = [subprocess.Popen([*command, f"{container.id}-{n}"]) for n in range(24)]
    assert [process.wait(60) for process in processes] == [3] * 24
    assert os.listdir(container.runtime) == [".seccomp"]
    assert len(os.listdir(container.runtime / ".seccomp")) == 1


def test_same_id_at_once(container):
    container.sh("sleep 1; exit 3").write()
    command = [program(), "--root", str(container.runtime), "run", "-b", str(container.path), container.id]
    processes = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(8)]
    assert sorted(process.wait(60) for process in processes) == [1] * 7 + [3]
    container.gone()


def test_delete_while_it_is_made(container):
    """It waits for whoever makes the container, and then takes it away whole."""
    hook = container.path / "hook"
    hook.write_text("#!/bin/sh\nsleep 0.5\n", encoding="utf-8")
    os.chmod(hook, 0o755)
    container.config["hooks"] = {"createRuntime": [{"path": str(hook), "env": ["PATH=/bin:/usr/bin"]}]}
    container.set("sleep", "100").write()
    with open(container.path / "out", "w", encoding="utf-8") as out, subprocess.Popen(
            [program(), "--root", str(container.runtime), "create", "-b", str(container.path), container.id],
            stdout=out, stderr=out) as process:
        while not (container.runtime / container.id).exists():
            time.sleep(0.01)
        assert container.call("delete", "--force", container.id).returncode == 0
        assert process.wait(20) == 0
    container.gone()


def test_features(container):
    features = json.loads(container.call("features").stdout)
    assert features["ociVersionMin"] == "1.0.0"
    assert "rro" in features["mountOptions"]
    assert "network" in features["linux"]["namespaces"]
    assert features["linux"]["cgroup"]["v2"] is True
    assert features["linux"]["seccomp"]["enabled"] is True


def test_spec_is_a_bundle(container):
    assert container.call("spec").returncode == 0
    assert "exists" in container.call("spec").stderr
    config = json.loads(container.text("config.json"))
    config["process"]["terminal"] = False
    config["process"]["args"] = ["echo", "made"]
    container.config = config
    assert container.run().stdout == "made\n"


@pytest.mark.parametrize("spoil, words", [
    (lambda c: c["process"].pop("args"), "process.args"),
    (lambda c: c["process"].update(cwd="relative"), "process.cwd"),
    (lambda c: c["root"].update(path="missing"), "root file system"),
    (lambda c: c["linux"]["namespaces"].append({"type": "pid"}), "named twice"),
    (lambda c: c["linux"]["namespaces"].append({"type": "moon"}), "moon"),
    (lambda c: c["linux"]["namespaces"].pop(0), "mount namespace"),
    (lambda c: c["linux"].update(sysctl={"vm.overcommit_memory": "1"}), "not in a separate kernel namespace"),
    (lambda c: c["process"].update(rlimits=[{"type": "RLIMIT_X", "soft": 1, "hard": 1}]), "RLIMIT_X"),
    (lambda c: c["process"]["capabilities"]["bounding"].append("CAP_FLY"), "CAP_FLY"),
    (lambda c: c["process"]["env"].append("novalue"), "novalue"),
    (lambda c: c["mounts"].append({"destination": "/x", "type": "bind", "source": "/no/such"}),
     "no such file or directory"),
    (lambda c: c.update(ociVersion="2.0.0"), "2.0.0"),
])
def test_mistakes_in_the_config(container, spoil, words):
    spoil(container.config)
    done = container.run()
    assert done.returncode != 0 and words.lower() in done.stderr.lower(), done.stderr
    assert done.stderr.count("\n") == 1
    container.gone()
