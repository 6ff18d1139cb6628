# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits and accounting of containers, where the kernel has every controller. An exec costs 35 ms here: few, large tests."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'system'))

# pylint: disable=wrong-import-position
import host
from common.images import docker_archive
from common.rest import Rest, frames
from common.wait import wait_for

pytestmark = pytest.mark.skipif('STAUER_VM' not in os.environ, reason='runs in tests/vm/vm')

MIB = 1 << 20


@pytest.fixture(scope='module', autouse=True)
def busybox(tmp_path_factory):
    path = tmp_path_factory.mktemp('images') / 'busybox.tar'
    docker_archive(path)
    host.stauer('load', '-i', path)
    # A block device of our own to write to.
    host.run('truncate', '-s', '64M', '/root/disk')
    yield
    host.remove_all()
    wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')


@pytest.fixture(name='rest')
def rest_fixture():
    host.remove_all()
    yield Rest()
    host.remove_all()


def begin(rest, name, *command, **host_config):
    wish = {'Image': 'busybox', 'Cmd': list(command), 'HostConfig': {'NetworkMode': 'none', **host_config}}
    answer = rest.post(f'/containers/create?name={name}', wish)
    assert answer.status == 201, answer.data
    assert answer.json['Warnings'] == [], 'every controller is here'
    answer = rest.post(f'/containers/{name}/start')
    assert answer.status == 204, answer.data


def finish(rest, name):
    code = rest.post(f'/containers/{name}/wait').json['StatusCode']
    state = rest.get(f'/containers/{name}/json').json['State']
    assert state['ExitCode'] == code
    return state


def said(rest, name):
    return b''.join(data for _, data in frames(rest.get(f'/containers/{name}/logs?stdout=1&stderr=1').data)).decode()


def test_memory(rest):
    begin(rest, 'hungry', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M', 'count=1', Memory=32 * MIB, MemorySwap=32 * MIB)
    state = finish(rest, 'hungry')
    assert state['ExitCode'] == 137 and state['OOMKilled'] is True
    figures = state['Accounting']
    # The kernel counts a charge before it refuses it, of a huge page at most.
    assert 28 * MIB < figures['MemoryPeak'] <= 34 * MIB, figures
    assert figures['OOMKills'] >= 1

    # A child of the first process: that one goes on, and it is told nevertheless.
    begin(rest, 'parent', 'sh', '-c', 'dd if=/dev/zero of=/dev/null bs=100M count=1; echo $?; exit 3', Memory=32 * MIB, MemorySwap=32 * MIB)
    state = finish(rest, 'parent')
    assert state['ExitCode'] == 3 and state['OOMKilled'] is True
    assert '137' in said(rest, 'parent')

    begin(rest, 'modest', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=16M', 'count=1', Memory=64 * MIB)
    state = finish(rest, 'modest')
    assert state['ExitCode'] == 0 and state['OOMKilled'] is False
    assert 16 * MIB < state['Accounting']['MemoryPeak'] < 24 * MIB
    assert state['Accounting']['OOMKills'] == 0


def test_cpu(rest):
    begin(rest, 'busy', 'sh', '-c', 'timeout 3 sh -c "while :; do :; done"; exit 0', NanoCpus=250_000_000)
    group = host.control_group('busy')
    assert (group / 'cpu.max').read_text() == '25000 100000\n'
    usage = finish(rest, 'busy')['Accounting']
    assert 0.3e9 < usage['CPUUsageNSec'] < 1.3e9, usage       # a quarter of three seconds, and what a start costs
    assert usage['CPUUserNSec'] + usage['CPUSystemNSec'] == pytest.approx(usage['CPUUsageNSec'], rel=0.01)

    begin(rest, 'pinned', 'sh', '-c', 'grep Cpus_allowed_list /proc/self/status; sleep 1000', CpusetCpus='1')
    assert (host.control_group('pinned') / 'cpuset.cpus').read_text() == '1\n'
    wait_for(lambda: 'Cpus_allowed_list:\t1\n' in said(rest, 'pinned'), lambda: said(rest, 'pinned'))


def test_pids(rest):
    """Exactly that many may run inside."""
    fork = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 2 & done; wait'
    begin(rest, 'forks', 'sh', '-c', fork, PidsLimit=6)
    state = finish(rest, 'forks')
    assert "can't fork" in said(rest, 'forks')
    assert state['Accounting']['TasksPeak'] == 6, state['Accounting']

    begin(rest, 'free', 'sh', '-c', fork)
    state = finish(rest, 'free')
    assert state['ExitCode'] == 0 and said(rest, 'free') == ''
    assert state['Accounting']['TasksPeak'] == 10, state['Accounting']

    begin(rest, 'alone', 'true', PidsLimit=1)
    assert finish(rest, 'alone')['ExitCode'] == 0


def test_io_accounting(rest, tmp_path):
    with subprocess.Popen(['losetup', '-f', '--show', '/root/disk'], stdout=subprocess.PIPE, text=True) as losetup:
        device = losetup.communicate()[0].strip()
    try:
        begin(rest, 'writer', 'sh', '-c', f'dd if=/dev/zero of={device} bs=1M count=8 conv=fsync && '
              f'dd if={device} of=/dev/null bs=1M count=4 iflag=direct',
              Devices=[{'PathOnHost': device, 'PathInContainer': device, 'CgroupPermissions': 'rwm'}])
        state = finish(rest, 'writer')
        assert state['ExitCode'] == 0, said(rest, 'writer')
        figures = state['Accounting']
        assert 8 * MIB <= figures['IOWriteBytes'] < 24 * MIB, figures
        assert 4 * MIB <= figures['IOReadBytes'] < 24 * MIB, figures
        assert figures['IOWriteOperations'] > 0 and figures['IOReadOperations'] > 0
    finally:
        host.run('losetup', '-d', device)
    before = host.inspect('writer')['State']['Accounting']
    host.run('systemctl', 'restart', 'stauer.service')
    assert host.inspect('writer')['State']['Accounting'] == before


LIMITS = {
        'Memory': 512 * MIB, 'MemorySwap': 640 * MIB, 'MemoryReservation': 128 * MIB,
        'CpuShares': 512, 'CpuPeriod': 50000, 'CpuQuota': 20000, 'CpusetCpus': '0-1', 'CpusetMems': '0',
        'PidsLimit': 77, 'BlkioWeight': 300,
        'BlkioWeightDevice': [{'Path': '/dev/vda', 'Weight': 400}],
        'BlkioDeviceReadBps': [{'Path': '/dev/vda', 'Rate': 50 * MIB}],
        'BlkioDeviceWriteBps': [{'Path': '/dev/vda', 'Rate': 60 * MIB}],
        'BlkioDeviceReadIOps': [{'Path': '/dev/vda', 'Rate': 700}],
        'BlkioDeviceWriteIOps': [{'Path': '/dev/vda', 'Rate': 800}],
        'Devices': [{'PathOnHost': '/dev/fuse', 'PathInContainer': '/dev/fuse', 'CgroupPermissions': 'rw'}],
        'DeviceCgroupRules': ['c 42:7 r'],
}

# What systemctl says of it: the table of the design, read back.
SHOWN = {
        'MemoryMax': str(512 * MIB), 'MemorySwapMax': str(128 * MIB), 'MemoryLow': str(128 * MIB),
        'CPUQuotaPerSecUSec': '400ms', 'CPUQuotaPeriodUSec': '50ms', 'AllowedCPUs': '0-1', 'AllowedMemoryNodes': '0',
        'IOReadBandwidthMax': f'/dev/vda {50 * MIB}', 'IOWriteBandwidthMax': f'/dev/vda {60 * MIB}',
        'IOReadIOPSMax': '/dev/vda 700', 'IOWriteIOPSMax': '/dev/vda 800',
        'DevicePolicy': 'strict', 'Delegate': 'yes', 'CollectMode': 'inactive-or-failed', 'Slice': 'machine.slice',
}

FILES = ('memory.max', 'memory.swap.max', 'memory.low', 'cpu.max', 'cpu.weight', 'cpuset.cpus', 'cpuset.mems', 'pids.max', 'io.max',
         'io.weight')


def test_every_limit_is_a_property_of_the_scope(rest):
    begin(rest, 'all', 'sh', '-c', 'while :; do : </dev/fuse || echo lost; sleep 0.2; done', **LIMITS)
    scope = host.scope('all')
    show = host.unit(scope, *SHOWN, 'CPUWeight', 'IOWeight', 'IODeviceWeight', 'TasksMax', 'DeviceAllow', 'Description')
    assert {k: show.get(k) for k in SHOWN} == SHOWN
    assert 1 < int(show['CPUWeight']) < 100
    assert 1 < int(show['IOWeight']) < 10000
    assert show['IODeviceWeight'].startswith('/dev/vda ')
    assert int(show['TasksMax']) == 77 + 64                   # the monitor and the runtime are in the scope, too
    allowed = host.run('systemctl', 'show', scope, '-pDeviceAllow').stdout
    assert re.search(r'(char/10:229|fuse) rw\n', allowed) and re.search(r'char/42:7 r\n', allowed), allowed

    group = host.control_group('all')
    assert (group / 'container/pids.max').read_text() == '77\n'
    before = {name: (group / name).read_text() for name in FILES if (group / name).exists()}
    assert before['memory.max'] == f'{512 * MIB}\n' and before['cpu.max'] == '20000 50000\n'
    assert before['memory.swap.max'] == f'{128 * MIB}\n' and before['memory.low'] == f'{128 * MIB}\n'
    assert f'rbps={50 * MIB} wbps={60 * MIB} riops=700 wiops=800' in before['io.max']
    for _ in range(3):
        host.run('systemctl', 'daemon-reload')
    assert {name: (group / name).read_text() for name in before} == before
    # An administrator's change is one of the kernel at once.
    host.run('systemctl', 'set-property', '--runtime', scope, 'MemoryMax=256M')
    assert (group / 'memory.max').read_text() == f'{256 * MIB}\n'
    assert host.state('all')['Running'] and 'lost' not in said(rest, 'all')


def updates(rest, since):
    answer = rest.get(f'/events?since={since:.9f}&until={time.time():.9f}&filters={{"event":["update"]}}')
    return len(answer.data.splitlines())


def test_set_property_is_an_update(rest):
    begin(rest, 'job', 'sleep', '1000')
    scope, group = host.scope('job'), host.control_group('job')
    since = time.time()

    def shown():
        return host.inspect('job')['HostConfig']

    host.run('systemctl', 'set-property', '--runtime', scope, 'MemoryMax=256M', 'CPUWeight=33', 'TasksMax=40', 'CPUQuota=20%',
             'AllowedCPUs=1', 'MemoryLow=16M')
    wait_for(lambda: shown()['Memory'] == 256 * MIB and shown()['PidsLimit'] == 40, lambda: shown())
    now = rest.get('/containers/job/json').json['HostConfig']
    assert now['NanoCpus'] == 200_000_000 and now['CpusetCpus'] == '1' and now['MemoryReservation'] == 16 * MIB
    assert 100 < now['CpuShares'] < 1024
    wait_for(lambda: updates(rest, since) == 1, lambda: f'one update, seen {updates(rest, since)}')
    wait_for(lambda: (group / 'container/pids.max').read_text() == '40\n', 'what runs inside has it too')

    # An update of ours goes on from there, and leaves alone what it does not change.
    assert rest.post('/containers/job/update', {'Memory': 128 * MIB, 'MemorySwap': -1}).status == 200
    assert host.unit(scope, 'MemoryMax', 'CPUWeight', 'TasksMax') == {'MemoryMax': str(128 * MIB), 'CPUWeight': '33', 'TasksMax': '40'}
    assert shown()['Memory'] == 128 * MIB and shown()['NanoCpus'] == 200_000_000
    wait_for(lambda: updates(rest, since) == 2, 'the second')

    # Set while nobody looked, without --runtime, and taken back.
    host.run('systemctl', 'stop', 'stauer.socket', 'stauer.service')
    host.run('systemctl', 'set-property', scope, 'MemoryMax=infinity', 'CPUQuota=')
    host.run('systemctl', 'start', 'stauer.socket', 'stauer.service')
    wait_for(lambda: shown()['Memory'] == 0 and shown()['NanoCpus'] == 0, lambda: shown())
    assert shown()['PidsLimit'] == 40
    host.run('systemctl', 'daemon-reload')

    # The scope's file goes with the scope; the container keeps what was set.
    host.stauer('restart', '-t', '0', 'job')
    assert shown()['PidsLimit'] == 40 and shown()['CpusetCpus'] == '1'
    assert (host.control_group('job') / 'container/pids.max').read_text() == '40\n'
    assert (host.control_group('job') / 'cpuset.cpus').read_text() == '1\n'


@pytest.mark.parametrize('runtime', ['crun', 'runc'])
def test_other_runtime_by_default(rest, runtime):
    """Chosen over the bus; a reload is enough, and limits act the same."""
    assert host.have(runtime)
    config = ('busctl', 'call', 'org.stauer.Config1', '/org/stauer/Config1', 'org.stauer.Config1')
    host.run(*config, 'Set', 'ss', 'default-runtime', runtime)
    try:
        host.run('systemctl', 'restart', 'stauer.service')
        begin(rest, 'other', 'sh', '-c', 'echo $$; exit 4')
        assert host.inspect('other')['HostConfig']['Runtime'] == runtime
        assert finish(rest, 'other')['ExitCode'] == 4
        assert said(rest, 'other') == '1\n'
        begin(rest, 'hungry', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M', 'count=1', Memory=48 * MIB, MemorySwap=48 * MIB, PidsLimit=20)
        state = finish(rest, 'hungry')
        assert state['ExitCode'] == 137 and state['OOMKilled'] is True
        begin(rest, 'stopped', 'sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done')
        wait_for(lambda: 'ready' in said(rest, 'stopped'), 'it is ready')
        assert rest.post('/containers/stopped/stop').status == 204
        assert host.state('stopped')['ExitCode'] == 9
    finally:
        host.run(*config, 'Unset', 's', 'default-runtime')
        host.run('systemctl', 'restart', 'stauer.service')
