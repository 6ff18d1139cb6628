# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, as an administrator does it."""

import json
import os
import re
import time

import pytest

from common.wait import wait_for
from host import (control_group, have, inspect, main_pid, may_raise_limits, out, run, scope, scopes, state,
                  stauer, unit)

pytestmark = pytest.mark.usefixtures('clean')


def start(image, *words, name='job', options=()):
    return out('run', '-d', '--name', name, '--network', 'none', *options, image, *words)


def test_run_is_a_scope(busybox):
    ident = start(busybox, 'sleep', '1000')
    assert re.fullmatch('[0-9a-f]{64}', ident)

    show = unit(f'docker-{ident}.scope', 'ActiveState', 'Slice', 'Delegate', 'Description', 'DevicePolicy')
    assert show['ActiveState'] == 'active'
    assert show['Slice'] == 'machine.slice'
    assert show['Delegate'] == 'yes'
    assert 'job' in show['Description']
    assert show['DevicePolicy'] == 'strict'

    group = control_group('job')
    assert (group / 'container/cgroup.procs').read_text().split()[0] == str(state('job')['Pid'])
    assert len((group / 'supervisor/cgroup.procs').read_text().split()) == 1
    assert 'sleep 1000' in run('systemctl', 'status', '--no-pager', '-l', f'docker-{ident}.scope').stdout
    assert 'sleep 1000' in run('systemd-cgls', '--no-pager', '-l').stdout


def test_mounts_never_appear_on_the_host(busybox):
    start(busybox, 'sleep', '1000')
    with open('/proc/self/mountinfo', encoding='utf-8') as f:
        assert not [line for line in f if inspect('job')['Id'] in line]


def test_core_limit_is_the_hosts(busybox):
    """No unit of ours sets a ceiling for containers, which are its children."""
    with open('/proc/1/limits', encoding='utf-8') as f:
        host = next(line for line in f if line.startswith('Max core file size')).split()[5]
    start(busybox, 'sh', '-c', 'ulimit -Hc')
    out('wait', 'job')
    assert out('logs', 'job') == host


def test_ps_and_stop(busybox):
    start(busybox, 'sleep', '1000')
    row = out('ps').splitlines()[1]
    assert 'busybox' in row and '"sleep 1000"' in row and 'Up ' in row and row.endswith('job')
    stauer('stop', '-t', '1', 'job')
    assert out('ps', '-q') == ''
    assert 'Exited (137)' in out('ps', '-a')
    wait_for(lambda: scopes() == [], 'the scope is gone')


@pytest.mark.parametrize('command, code', [(['true'], 0), (['sh', '-c', 'exit 7'], 7), (['sh', '-c', 'exit 255'], 255)])
def test_exit_code(busybox, command, code):
    start(busybox, *command)
    assert out('wait', 'job') == str(code)
    assert state('job')['ExitCode'] == code
    assert state('job')['Status'] == 'exited'


@pytest.mark.parametrize('command, code, text', [(['/nowhere'], 127, 'no such file or directory'),
                                                 (['nowhere'], 127, 'executable file not found in $PATH'),
                                                 (['/etc/passwd'], 126, 'permission denied')])
def test_command_that_cannot_run(busybox, command, code, text):
    r = stauer('run', '-d', '--name', 'job', '--network', 'none', busybox, *command, check=False)
    assert r.returncode == code
    assert text in r.stderr
    assert state('job')['ExitCode'] == code
    assert state('job')['Status'] == 'created'
    wait_for(lambda: scopes() == [], 'the scope is gone')


@pytest.mark.parametrize('signal, code', [('KILL', 137), ('SIGUSR1', 138), ('15', 143)])
def test_kill(busybox, signal, code):
    start(busybox, 'sh', '-c', f'trap - {signal}; exec sleep 1000' if signal == 'KILL' else
          f'trap "trap - {signal}; exit {code}" {signal.removeprefix("SIG")}; echo ready; while :; do sleep 0.02; done')
    if signal != 'KILL':
        wait_for(lambda: 'ready' in stauer('logs', 'job').stdout, 'the trap is set')
    stauer('kill', '-s', signal, 'job')
    assert out('wait', 'job') == str(code)
    r = stauer('kill', 'job', check=False)
    assert r.returncode == 1 and 'is not running' in r.stderr


def test_start_right_after_stop(busybox):
    start(busybox, 'sleep', '1000')
    for _ in range(5):
        stauer('stop', '-t', '0', 'job')
        stauer('start', 'job')
        assert state('job')['Running']


def test_no_such_image():
    r = stauer('run', '-d', '--network', 'none', 'nowhere', check=False)
    assert r.returncode == 125
    assert "Unable to find image 'nowhere' locally" in r.stderr
    r = stauer('run', '-d', '--pull', 'never', '--network', 'none', 'nowhere', check=False)
    assert r.returncode == 125
    assert 'No such image: nowhere:latest' in r.stderr


def test_logs(busybox):
    start(busybox, 'sh', '-c', 'echo one; echo two >&2; sleep 0.1; echo three')
    stauer('wait', 'job')
    r = stauer('logs', 'job')
    assert r.stdout == 'one\nthree\n'
    assert r.stderr == 'two\n'
    assert stauer('logs', '-n', '1', 'job').stdout == 'three\n'
    assert re.match(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one', stauer('logs', '-t', 'job').stdout)


def test_logs_follow_ends_with_the_container(busybox):
    start(busybox, 'sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done')
    assert stauer('logs', '-f', 'job').stdout == '1\n2\n3\n4\n5\n'


def test_journald(busybox):
    ident = start(busybox, 'sh', '-c', 'echo to the journal', options=['--log-driver', 'journald'])
    stauer('wait', 'job')

    def entry():
        text = run('journalctl', '-o', 'json', f'CONTAINER_ID_FULL={ident}', 'MESSAGE=to the journal').stdout
        return json.loads(text.splitlines()[0]) if text.strip() else None

    fields = wait_for(entry, 'the line is in the journal')
    assert fields['CONTAINER_NAME'] == 'job'
    assert fields['IMAGE_NAME'] == 'busybox'
    assert fields['CONTAINER_ID'] == ident[:12]
    assert fields['PRIORITY'] == '6'
    assert stauer('logs', 'job').stdout == 'to the journal\n'


def test_accounting_is_kept(busybox):
    start(busybox, 'sh', '-c', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done')
    stauer('wait', 'job')
    accounting = state('job')['Accounting']
    assert accounting['CPUUsageNSec'] > 10_000_000
    before = dict(accounting)
    run('systemctl', 'restart', 'stauer.service')
    assert state('job')['Accounting'] == before


def test_systemctl_stop_is_an_ordinary_exit(busybox):
    start(busybox, 'sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.05; done')
    run('systemctl', 'stop', scope('job'))
    wait_for(lambda: state('job')['Status'] == 'exited', 'the exit is seen')
    assert state('job')['ExitCode'] == 5
    assert state('job')['Accounting']['CPUUsageNSec'] > 0


@pytest.mark.parametrize('how', ['systemctl', 'cgroup.kill'])
def test_systemctl_kill_is_an_ordinary_exit(busybox, how):
    """All die at once, the monitor too: the daemon tells the exit in its place, with the figures it has read."""
    known = []
    for turn in range(5):
        start(busybox, 'sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; sleep 1000')
        wait_for(lambda: stauer('logs', 'job').stdout == 'done\n', 'it has worked a little')
        pid = state('job')['Pid']
        since = time.time()
        if how == 'systemctl':
            run('systemctl', 'kill', '-s', 'KILL', '--kill-who=all', scope('job'))
        else:
            (control_group('job') / 'cgroup.kill').write_text('1')
        assert out('wait', 'job') == '137'
        assert time.time() - since < 5, turn
        now = state('job')
        assert now['Status'] == 'exited' and now['ExitCode'] == 137 and now['Error'] == '', now
        assert not os.path.exists(f'/proc/{pid}')
        known.append(now['Accounting'].get('CPUUsageNSec', 0) > 5_000_000)
        die = stauer('events', '--since', str(since), '--until', str(time.time()), '--filter', 'event=die').stdout
        assert len(die.splitlines()) == 1 and 'exitCode=137' in die, die
        wait_for(lambda: scopes() == [], 'the scope is gone')
        stauer('rm', 'job')
    assert known.count(True) >= 2, known                         # systemd, which removes the cgroup, may be faster on a busy machine


def test_user_names_from_the_image(busybox):
    for user, expected in (('www', 'uid=33(www) gid=33(www) groups=4(adm),33(www),50(staff)'), ('33', 'uid=33(www) gid=33(www)'),
                           ('www:adm', 'uid=33(www) gid=4(adm)'), ('1000:1000', 'uid=1000 gid=1000'), ('123', 'uid=123 gid=0')):
        stauer('run', '-d', '--name', 'who', '--network', 'none', '--user', user, busybox, 'id')
        stauer('wait', 'who')
        assert expected.split(' groups')[0] in stauer('logs', 'who').stdout, user
        stauer('rm', 'who')


def test_unknown_user(busybox):
    r = stauer('run', '-d', '--name', 'job', '--network', 'none', '--user', 'nobody-here', busybox, 'id', check=False)
    assert r.returncode in (125, 126)
    assert 'nobody-here' in r.stderr


def test_environment_workdir_hostname(busybox):
    start(busybox, 'sh', '-c', 'echo $A $HOME $(pwd) $(hostname)', options=['-e', 'A=b', '-w', '/new/folder', '-h', 'harbour'])
    stauer('wait', 'job')
    assert stauer('logs', 'job').stdout == 'b /root /new/folder harbour\n'


def test_binds_tmpfs_read_only(busybox, tmp_path):
    (tmp_path / 'in').write_text('from the host')
    script = 'cat /data/in; echo back > /data/out; touch /x 2>/dev/null || echo read-only; touch /t/x && echo tmpfs'
    start(busybox, 'sh', '-c', script, options=['-v', f'{tmp_path}:/data', '--read-only', '--tmpfs', '/t:size=1m'])
    stauer('wait', 'job')
    assert stauer('logs', 'job').stdout == 'from the hostread-only\ntmpfs\n'
    assert (tmp_path / 'out').read_text() == 'back\n'


def test_capabilities_and_seccomp(busybox):
    def status(*options):
        stauer('run', '-d', '--name', 'caps', '--network', 'none', *options, busybox, 'cat', '/proc/self/status')
        stauer('wait', 'caps')
        text = stauer('logs', 'caps').stdout
        stauer('rm', 'caps')
        return dict(line.split(':\t', 1) for line in text.splitlines() if ':\t' in line)

    with open('/proc/1/status', encoding='utf-8') as f: # a sandbox has a filter of its own
        here = int(next(line for line in f if line.startswith('Seccomp_filters:')).split()[1])
    plain = status()
    assert plain['CapEff'] == plain['CapBnd'] == '00000000a80425fb'
    assert plain['CapInh'] == plain['CapAmb'] == '0000000000000000'
    assert plain['Seccomp_filters'] == str(here + 1)
    assert status('--cap-drop', 'ALL')['CapBnd'] == '0000000000000000'
    assert status('--cap-drop', 'ALL', '--cap-add', 'NET_RAW')['CapBnd'] == '0000000000002000'
    assert status('--privileged')['Seccomp_filters'] == str(here)
    assert status('--security-opt', 'seccomp=unconfined')['Seccomp_filters'] == str(here)


def test_network_modes(busybox):
    start(busybox, 'sh', '-c', 'ls /sys/class/net', name='none')
    stauer('wait', 'none')
    assert stauer('logs', 'none').stdout == 'lo\n'
    out('run', '-d', '--name', 'hostnet', '--network', 'host', busybox, 'readlink', '/proc/self/ns/net')
    stauer('wait', 'hostnet')
    assert stauer('logs', 'hostnet').stdout.strip() == os.readlink('/proc/1/ns/net')
    assert out('run', '--rm', busybox, 'sh', '-c', 'ls /sys/class/net; ip route').startswith('eth0\nlo\ndefault via 172.17.0.1 ')


def test_auto_remove(busybox):
    start(busybox, 'true', options=['--rm'])
    wait_for(lambda: out('ps', '-aq') == '', 'the container is gone')


def test_daemon_restart_touches_nothing(busybox):
    start(busybox, 'sh', '-c', 'trap "exit 3" TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done')
    pid = state('job')['Pid']
    before = main_pid()
    run('systemctl', 'restart', 'stauer.service')
    assert main_pid() != before
    assert state('job')['Pid'] == pid and state('job')['Status'] == 'running'
    stauer('stop', 'job')
    assert state('job')['ExitCode'] == 3
    lines = [int(x) for x in stauer('logs', 'job').stdout.split()]
    assert lines == list(range(1, len(lines) + 1))


def test_exit_while_the_daemon_is_away(busybox):
    start(busybox, 'sh', '-c', 'sleep 0.5; exit 9')
    run('systemctl', 'stop', 'stauer.socket', 'stauer.service')
    try:
        wait_for(lambda: not scopes(), 'the container has ended by itself')
    finally:
        run('systemctl', 'start', 'stauer.socket', 'stauer.service')
    assert state('job')['Status'] == 'exited'
    assert state('job')['ExitCode'] == 9
    assert state('job')['Accounting']['CPUUsageNSec'] > 0


def test_storage_driver_changed_over_the_bus(busybox):
    before = json.loads(run('curl', '-s', '--unix-socket', '/run/docker.sock', 'http://d/info').stdout)['Driver']
    other = 'vfs' if before == 'overlay2' else 'overlay2'
    config = ('org.stauer.Config1', '/org/stauer/Config1', 'org.stauer.Config1')
    try:
        run('busctl', 'call', *config, 'Set', 'ss', 'storage-driver', other)
        run('systemctl', 'restart', 'stauer.service')
        assert f'Storage Driver: {other}' in stauer('info').stdout
        assert other in open('/etc/sysconfig/docker', encoding='utf-8').read()
    finally:
        run('busctl', 'call', *config, 'Unset', 's', 'storage-driver')
        run('systemctl', 'restart', 'stauer.service')
    assert f'Storage Driver: {before}' in stauer('info').stdout
    start(busybox, 'true')


@pytest.mark.parametrize('runtime', ['crun', 'runc'])
def test_other_runtimes(busybox, runtime):
    assert have(runtime), f'{runtime} is in the layer of the sandbox'
    if runtime == 'crun' and not may_raise_limits():
        pytest.skip('crun raises RLIMIT_MEMLOCK for its device filter, and nobody on this machine may')
    start(busybox, 'sh', '-c', 'exit 4', options=['--runtime', runtime])
    assert out('wait', 'job') == '4'
