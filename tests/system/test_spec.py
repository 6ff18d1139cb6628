# SPDX-License-Identifier: GPL-2.0-or-later
"""What a container is made of, seen from inside it, with the stock docker client."""

import json
import os
import re
import subprocess

import pytest

import host
from common.wait import wait_for

pytestmark = pytest.mark.usefixtures('clean', 'busybox')

CLIENT = '/usr/local/bin/docker'
ENV = {'PATH': os.environ['PATH'], 'DOCKER_CONFIG': '/nonexistent', 'DOCKER_CLI_HINTS': 'false'}


def docker(*words, code=0, **more):
    done = subprocess.run([CLIENT, *map(str, words)], env=ENV, cwd='/', capture_output=True, text=True, timeout=60,
                          check=False, **more)
    assert done.returncode == code, f'docker {words}: {done.returncode}\n{done.stdout}{done.stderr}'
    return done.stdout.rstrip('\n') if code == 0 else done.stderr.rstrip('\n')


def begin(name, *words, command=('sleep', '1000')):
    """A container that stays; its id."""
    if not any(w.startswith('--network') for w in words):
        words = ('--network', 'none', *words)
    return docker('run', '-d', '--name', name, *words, 'busybox', *command)


def output(*words, script, exit_code=0):
    """What a script says in a container made with these options."""
    name = 'once'
    ident = begin(name, *words, command=('sh', '-c', script))
    assert docker('wait', ident) == str(exit_code), docker('logs', ident)
    text = docker('logs', ident)
    docker('rm', ident)
    return text


def refused(*words, command=('true',)):
    """The daemon's sentence when it makes or starts no such container."""
    if not any(w.startswith('--network') for w in words):
        words = ('--network', 'none', *words)
    done = subprocess.run([CLIENT, 'run', '-d', '--name', 'refused', *words, 'busybox', *command], env=ENV, cwd='/',
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 125, done
    subprocess.run([CLIENT, 'rm', 'refused'], env=ENV, capture_output=True, check=False)
    return re.search('Error response from daemon: (.*)', done.stderr)[1]


def inspect(name):
    return json.loads(docker('inspect', name))[0]


def pid_of(name):
    return inspect(name)['State']['Pid']


def namespace(pid, kind):
    return os.readlink(f'/proc/{pid}/ns/{kind}')


def test_init_hands_on_signals_and_reaps():
    script = ('trap "echo got usr1" USR1; trap "echo bye; exit 7" TERM; (sleep 0.01 & exec sleep 0.02) & '
              'echo ready; while :; do sleep 0.02; done')
    ident = begin('inited', '--init', command=('sh', '-c', script))
    wait_for(lambda: 'ready' in docker('logs', 'inited'), 'it is ready')
    pid = pid_of('inited')
    with open(f'/proc/{pid}/cmdline', 'rb') as f:
        assert f.read().split(b'\0')[:3] == [b'/sbin/docker-init', b'--', b'sh']
    docker('kill', '-s', 'USR1', 'inited')
    wait_for(lambda: 'got usr1' in docker('logs', 'inited'), 'the signal has come through')

    # Orphans are init's, and do not stay as zombies.
    wait_for(lambda: not zombies(pid), 'no zombie is left')
    assert docker('stop', 'inited') == 'inited'
    assert inspect(ident)['State']['ExitCode'] == 7
    assert docker('logs', 'inited').endswith('bye')


def zombies(pid):
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as f:
        children = f.read().split()
    found = []
    for child in children:
        try:
            with open(f'/proc/{child}/stat', encoding='ascii') as f:
                if f.read().rsplit(')', 1)[1].split()[0] == 'Z':
                    found.append(child)
        except OSError:
            pass
    return found


def test_init_ends_as_its_command():
    assert output('--init', script='exit 3', exit_code=3) == ''
    assert output('--init', script='kill -KILL $$', exit_code=137) == ''
    assert 'not found' in output('--init', script='exec 2>&1 /nothere', exit_code=127)
    # it cannot be changed from inside
    assert 'Read-only' in output('--init', script='exec 2>&1; echo x > /sbin/docker-init; true')
    assert json.loads(docker('info', '-f', '{{json .InitBinary}}')) == 'docker-init'


def test_pid_namespace_of_another():
    donor = begin('donor')
    ident = begin('guest', '--pid', 'container:donor')
    assert namespace(pid_of('guest'), 'pid') == namespace(pid_of('donor'), 'pid')
    assert namespace(pid_of('guest'), 'net') != namespace(pid_of('donor'), 'net')
    assert output('--pid', f'container:{donor[:12]}', script='tr "\\0" " " < /proc/1/cmdline') == 'sleep 1000 '
    assert output('--pid', 'container:donor', '--init', script='echo $PPID') == '0', 'no init in there'
    docker('kill', 'donor')
    assert docker('wait', ident) == '137', 'all processes of a pid namespace end with its first one'
    assert refused('--pid', 'container:donor') == f'cannot join PID of a non running container: {donor}'
    assert refused('--pid', 'container:nobody') == 'No such container: nobody'


def test_ipc_namespace_of_another():
    begin('donor', '--ipc', 'shareable', '--shm-size', '8m', command=('sh', '-c', 'echo hello > /dev/shm/x; sleep 1000'))
    wait_for(lambda: os.path.exists(f'/proc/{pid_of("donor")}/root/dev/shm/x'), 'it is there')
    assert output('--ipc', 'container:donor', script='cat /dev/shm/x; echo back > /dev/shm/y; '
                  'df -k /dev/shm | tail -1 | grep -o " 8192 "') == 'hello\n 8192 '
    assert os.path.exists(f'/proc/{pid_of("donor")}/root/dev/shm/y')
    begin('guest', '--ipc', 'container:donor')
    assert namespace(pid_of('guest'), 'ipc') == namespace(pid_of('donor'), 'ipc')
    private = begin('alone', '--ipc', 'private')
    assert 'non-shareable IPC' in refused('--ipc', 'container:alone')
    assert private in refused('--ipc', 'container:alone')


def test_ipc_none_and_host():
    assert output('--ipc', 'none', script='grep -c " /dev/shm " /proc/mounts; true') == '0'
    begin('hosts', '--ipc', 'host')
    assert namespace(pid_of('hosts'), 'ipc') == namespace(1, 'ipc')


def test_a_link_in_place_of_shm_is_not_followed():
    begin('donor', '--ipc', 'shareable', '--cap-add', 'SYS_ADMIN', '--security-opt', 'seccomp=unconfined',
          command=('sh', '-c', 'umount /dev/shm && rmdir /dev/shm && ln -s /etc /dev/shm && echo done; sleep 1000'))
    wait_for(lambda: 'done' in docker('logs', 'donor'), 'it has a link')
    assert '/dev/shm' in refused('--ipc', 'container:donor')


def test_network_of_another():
    donor = begin('donor', '--hostname', 'harbour', '--add-host', 'pier:10.1.2.3')
    begin('guest', '--network', 'container:donor')
    assert namespace(pid_of('guest'), 'net') == namespace(pid_of('donor'), 'net')
    assert namespace(pid_of('guest'), 'uts') != namespace(pid_of('donor'), 'uts')
    text = output('--network', 'container:donor', script='hostname; grep pier /etc/hosts')
    assert text.split() == ['harbour', '10.1.2.3', 'pier']
    document = inspect('guest')
    assert document['HostsPath'].endswith(f'{donor}/hosts') and document['NetworkSettings']['Networks'] == {}

    for words, what in ((('--hostname', 'x'), 'hostname and the network mode'), (('--dns', '1.1.1.1'), 'dns and the network mode'),
                        (('--add-host', 'a:1.2.3.4'), 'custom host-to-IP mapping and the network mode'),
                        (('-p', '80'), 'port publishing and the container type network mode'),
                        (('--expose', '80'), 'port exposing and the container type network mode')):
        done = subprocess.run([CLIENT, 'create', '--network', 'container:donor', *words, 'busybox'], env=ENV,
                              capture_output=True, text=True, check=False)
        assert f'conflicting options: {what}' in done.stderr

    docker('stop', '-t', '0', 'donor')
    assert refused('--network', 'container:donor') == f'cannot join network of a non running container: {donor}'
    assert inspect('guest')['State']['Running'], 'the namespace lives as long as somebody is in it'


def test_uts_and_cgroup_of_the_host():
    begin('hosts', '--uts', 'host', '--cgroupns', 'host')
    assert namespace(pid_of('hosts'), 'uts') == namespace(1, 'uts')
    assert namespace(pid_of('hosts'), 'cgroup') == namespace(1, 'cgroup')
    begin('own')
    assert namespace(pid_of('own'), 'cgroup') != namespace(1, 'cgroup')


def test_shared_namespace_outlives_the_daemon():
    begin('donor', '--ipc', 'shareable')
    begin('guest', '--pid', 'container:donor', '--ipc', 'container:donor', '--network', 'container:donor')
    host.run('systemctl', 'restart', 'stauer.service')
    wait_for(lambda: subprocess.run([CLIENT, 'ps'], env=ENV, capture_output=True, check=False).returncode == 0, 'it is back')
    assert inspect('guest')['State']['Running']
    docker('stop', '-t', '0', 'guest')
    docker('start', 'guest')
    assert namespace(pid_of('guest'), 'ipc') == namespace(pid_of('donor'), 'ipc')


def test_sysctls_ulimits_groups_and_scores():
    assert output('--sysctl', 'net.ipv4.ip_forward=1', '--sysctl', 'kernel.msgmax=4096', script='cat /proc/sys/net/ipv4/ip_forward '
                  '/proc/sys/kernel/msgmax').split() == ['1', '4096']
    assert 'not allowed' in refused('--sysctl', 'kernel.msgmax=1', '--ipc', 'host')
    assert output('--ulimit', 'nofile=100:200', script='ulimit -n; ulimit -Hn').split() == ['100', '200']
    assert output('--group-add', 'staff', '--group-add', '4242', script='id -G').split()[-2:] == ['50', '4242']
    assert output('--oom-score-adj', '123', script='cat /proc/self/oom_score_adj') == '123'


def test_shm_and_tmpfs():
    assert output('--shm-size', '5m', script='df -k /dev/shm | tail -1').split()[1] == '5120'
    options = output('--tmpfs', '/t:rw,exec,size=3m,mode=1770,uid=33,gid=33', script='grep " /t " /proc/mounts; stat -c "%a %u:%g" /t')
    assert 'size=3072k' in options and 'nosuid' in options and 'noexec' not in options and options.endswith('1770 33:33')
    options = output('--mount', 'type=tmpfs,target=/m,tmpfs-size=2m,tmpfs-mode=0711', script='grep " /m " /proc/mounts; stat -c %a /m')
    assert 'size=2048k' in options and 'noexec' in options and options.endswith('711')
    assert refused('--tmpfs', '/t:foo=1') == 'invalid tmpfs option ["foo" "1"]'


def test_propagation_and_recursive_read_only(tmp_path):
    top = tmp_path / 'top'
    (top / 'sub').mkdir(parents=True)
    host.run('mount', '-t', 'tmpfs', 'tmpfs', str(top))
    host.run('mount', '--make-shared', str(top))
    (top / 'sub').mkdir()
    (top / 'late').mkdir()
    host.run('mount', '-t', 'tmpfs', 'tmpfs', str(top / 'sub'))
    try:
        assert output('-v', f'{top}:/d:ro', script='touch /d/sub/x 2>/dev/null && echo yes || echo no') == 'no'
        assert output('--mount', f'type=bind,src={top},dst=/d,readonly,bind-recursive=writable',
                      script='touch /d/sub/x 2>/dev/null && echo yes || echo no') == 'yes'
        assert output('--mount', f'type=bind,src={top},dst=/d,bind-recursive=disabled', script='ls /d/sub') == ''
        begin('slave', '-v', f'{top}:/d:rslave')
        begin('alone', '-v', f'{top}:/d')
        host.run('mount', '-t', 'tmpfs', 'tmpfs', str(top / 'late'))
        (top / 'late' / 'seen').touch()
        assert os.path.exists(f'/proc/{pid_of("slave")}/root/d/late/seen')
        assert not os.path.exists(f'/proc/{pid_of("alone")}/root/d/late/seen')
    finally:
        host.run('umount', '-R', '-l', str(top), check=False)


@pytest.fixture
def nodes():
    """A folder with a device that every container may use, and one that none may."""
    host.run('mkdir', '/dev/stauer-test')
    host.run('mknod', '/dev/stauer-test/zero', 'c', '1', '5')
    host.run('mknod', '/dev/stauer-kmsg', 'c', '1', '11')
    yield
    host.run('rm', '-r', '/dev/stauer-test', '/dev/stauer-kmsg')


def test_devices_and_paths(nodes):
    assert output('--device', '/dev/stauer-kmsg:/dev/mine:r', script='test -c /dev/mine && echo there; '
                  '(echo x > /dev/mine) 2>/dev/null || echo refused').split() == ['there', 'refused']
    assert output('--device', '/dev/stauer-test:/dev/nodes', script='head -c 3 /dev/nodes/zero | wc -c') == '3'
    assert output('--device-cgroup-rule', 'c 1:11 rwm', script='mknod /k c 1 11 && test -c /k && echo fine') == 'fine'
    assert output(script='ls /proc/acpi | wc -l; echo 1 2>/dev/null > /proc/sys/kernel/hostname || echo ro').split() == ['0', 'ro']
    assert output('--security-opt', 'systempaths=unconfined', script='grep -c "proc/sys " /proc/mounts; true') == '0'
    assert output('--security-opt', 'no-new-privileges', script='grep NoNewPrivs /proc/self/status').split() == ['NoNewPrivs:', '1']
