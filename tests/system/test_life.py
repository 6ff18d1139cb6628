# SPDX-License-Identifier: GPL-2.0-or-later
"""What systemd does to a scope is what the engine shows, and the other way round; with stock docker clients."""

import json
import time

import pytest

from common.wait import wait_for
from host import control_group, out, run, scope, state, stauer, unit

pytestmark = pytest.mark.usefixtures('clean')
CLIENTS = ['docker', '/opt/docker-20.10/docker']


def start(image, *words, name='job', options=()):
    return out('run', '-d', '--name', name, '--network', 'none', *options, image, *words)


def docker(*words, client='docker', check=True):
    return run(client, '-H', 'unix:///run/docker.sock', *words, check=check)


def frozen(name='job'):
    return unit(scope(name), 'FreezerState')['FreezerState'] == 'frozen'


def actions(since, name='job'):
    text = docker('events', '--since', f'{since:.9f}', '--until', f'{time.time():.9f}', '--filter', f'container={name}', '--format',
                  '{{json .}}').stdout
    return [json.loads(line)['Action'] for line in text.splitlines()]


def test_systemctl_freeze_and_thaw_are_seen(busybox):
    start(busybox, 'sleep', '1000')
    since = time.time()
    run('systemctl', 'freeze', scope('job'))
    wait_for(lambda: state('job')['Paused'], 'it is shown as paused')
    assert state('job')['Status'] == 'paused' and state('job')['Running']
    run('systemctl', 'restart', 'stauer.service')                # also by a new daemon
    wait_for(lambda: state('job')['Status'] == 'paused', 'still paused')
    run('systemctl', 'thaw', scope('job'))
    wait_for(lambda: state('job')['Status'] == 'running', 'it goes on')
    assert actions(since) == ['unpause']
    run('systemctl', 'freeze', scope('job'))
    wait_for(lambda: state('job')['Paused'], 'it is shown as paused')
    stauer('rm', '-f', 'job')


@pytest.mark.parametrize('client', CLIENTS)
def test_pause_of_docker_is_systemds(busybox, client):
    start(busybox, 'sh', '-c', "trap 'exit 4' TERM; while :; do sleep 0.1; done")
    since = time.time()
    docker('pause', 'job', client=client)
    assert frozen()
    assert 'frozen 1' in (control_group('job') / 'container/cgroup.events').read_text()
    assert '(Paused)' in docker('ps', client=client).stdout
    docker('unpause', 'job', client=client)
    assert not frozen()
    docker('pause', 'job', client=client)
    docker('stop', 'job', client=client)
    assert state('job')['ExitCode'] == 4
    assert actions(since) == ['pause', 'unpause', 'pause', 'unpause', 'kill', 'die', 'stop']


def test_systemctl_stop_of_a_frozen_scope(busybox):
    start(busybox, 'sleep', '1000')
    docker('pause', 'job')
    run('systemctl', 'stop', scope('job'), timeout=60)
    wait_for(lambda: state('job')['Status'] == 'exited', 'it has ended')


@pytest.mark.parametrize('client', CLIENTS)
def test_restart_and_rename(busybox, client):
    start(busybox, 'sleep', '1000')
    pid = state('job')['Pid']
    docker('restart', '-t', '1', 'job', client=client)
    assert state('job')['Running'] and state('job')['Pid'] != pid
    docker('rename', 'job', 'other', client=client)
    assert 'other' in docker('ps', client=client).stdout
    wait_for(lambda: 'Container other ' in unit(scope('other'), 'Description')['Description'], 'the unit says so')
    stauer('rm', '-f', 'other')


@pytest.mark.parametrize('client', CLIENTS)
def test_restart_policy(busybox, client):
    docker('run', '-d', '--name', 'job', '--network', 'none', '--restart', 'on-failure:2', busybox, 'sh', '-c', 'exit 6', client=client)
    wait_for(lambda: state('job')['Status'] == 'exited' and docker('inspect', '-f', '{{.RestartCount}}', 'job').stdout.strip() == '2',
             'it gave up')
    assert state('job')['ExitCode'] == 6


def test_killed_scope_of_one_with_a_policy_starts_again(busybox):
    docker('run', '-d', '--name', 'job', '--network', 'none', '--restart', 'always', busybox, 'sleep', '1000')
    pid = state('job')['Pid']
    run('systemctl', 'kill', '-s', 'KILL', '--kill-who=all', scope('job'))
    wait_for(lambda: state('job')['Status'] == 'running' and state('job')['Pid'] not in (0, pid), 'it runs again')
    stauer('rm', '-f', 'job')


@pytest.mark.parametrize('client', CLIENTS)
def test_update_top_prune(busybox, client):
    start(busybox, 'sh', '-c', 'sleep 1000 & sleep 1001')
    docker('update', '--restart', 'on-failure:5', '--pids-limit', '99', '--cpu-shares', '2048', 'job', client=client)
    document = json.loads(docker('inspect', 'job', client=client).stdout)[0]['HostConfig']
    assert document['RestartPolicy'] == {'Name': 'on-failure', 'MaximumRetryCount': 5}
    if document['PidsLimit']:                                    # this machine has the controller
        assert unit(scope('job'), 'TasksMax')['TasksMax'] == str(99 + 64)
        assert (control_group('job') / 'container/pids.max').read_text() == '99\n'
    if document['CpuShares']:
        assert unit(scope('job'), 'CPUWeight')['CPUWeight'] == '174'
    lines = docker('top', 'job', client=client).stdout.splitlines()
    assert 'PID' in lines[0] and len(lines) == 3 and 'sleep 100' in lines[1] and 'sleep 100' in lines[2], lines
    docker('create', '--name', 'other', '--network', 'none', busybox, client=client)
    assert 'Total reclaimed space' in docker('container', 'prune', '-f', client=client).stdout
    assert docker('ps', '-aq', client=client).stdout.count('\n') == 1
    stauer('rm', '-f', 'job')
