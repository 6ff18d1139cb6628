# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of a running container, where the kernel has every controller."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'system'))

# pylint: disable=wrong-import-position
import host
from common.images import docker_archive
from common.rest import Rest
from common.wait import wait_for

pytestmark = pytest.mark.skipif('STAUER_VM' not in os.environ, reason='runs in tests/vm/vm')

MIB = 1 << 20
UNLIMITED = (1 << 64) - 1


@pytest.fixture
def rest(tmp_path):
    docker_archive(tmp_path / 'busybox.tar')
    host.stauer('load', '-i', tmp_path / 'busybox.tar')
    yield Rest()
    host.remove_all()


def begin(rest, name, script, **limits):
    wish = {'Image': 'busybox', 'Cmd': ['sh', '-c', script], 'HostConfig': {'NetworkMode': 'none', **limits}}
    assert rest.post(f'/containers/create?name={name}', wish).status == 201
    assert rest.post(f'/containers/{name}/start').status == 204


def test_all_figures(rest):
    # dd holds 8 MiB of memory and writes, a loop burns CPU beyond its quota, two sleep.
    begin(rest, 'busy', 'dd if=/dev/zero of=/file bs=1M count=4 conv=fsync 2>/dev/null; sleep 1000 & sleep 1000 & while :; do :; done',
          Memory=64 * MIB, MemorySwap=64 * MIB, PidsLimit=20, CpuPeriod=100000, CpuQuota=20000)
    begin(rest, 'free', 'sleep 1000')

    def throttled():
        v = rest.get('/containers/busy/stats?stream=0').json
        return v if v['cpu_stats']['throttling_data']['throttled_periods'] > 0 else None

    v = wait_for(throttled, 'the quota is felt', timeout=60)
    cpu, before = v['cpu_stats'], v['precpu_stats']
    used, passed = (cpu['cpu_usage']['total_usage'] - before['cpu_usage']['total_usage'], cpu['system_cpu_usage'] - before['system_cpu_usage'])
    assert used > 0 and passed > 0 and cpu['online_cpus'] == os.cpu_count()
    assert used / passed * cpu['online_cpus'] < 0.5, 'docker would show about 20 %'
    assert cpu['throttling_data']['periods'] >= cpu['throttling_data']['throttled_periods']
    assert cpu['throttling_data']['throttled_time'] > 0
    memory = v['memory_stats']
    assert memory['limit'] == 64 * MIB and 0 < memory['usage'] <= 64 * MIB
    assert memory['stats']['anon'] > 0 and memory['stats']['file'] >= 4 * MIB and memory['stats']['pgfault'] > 0
    assert memory['usage'] >= memory['stats']['anon']
    assert v['pids_stats'] == {'current': 3, 'limit': 20}
    rows = v['blkio_stats']['io_service_bytes_recursive']
    assert sum(row['value'] for row in rows if row['op'] == 'write') >= 4 * MIB, rows
    assert {row['op'] for row in rows} == {'read', 'write'}

    v = rest.get('/containers/free/stats?stream=0&one-shot=1').json
    total = rest.get('/info').json['MemTotal']
    assert v['memory_stats']['limit'] == total                   # without a limit it is the machine's
    assert v['pids_stats']['current'] == 1

    # The bus says the same.
    path = json.loads(host.run('busctl', '--json=short', 'call', 'org.stauer.Engine1', '/org/stauer/Engine1', 'org.stauer.Engine1.Manager',
                               'GetContainer', 's', 'busy').stdout)['data'][0]
    for name, low, high in (('MemoryCurrent', 1, 64 * MIB), ('TasksCurrent', 3, 3), ('IOWriteBytes', 4 * MIB, UNLIMITED - 1)):
        value = json.loads(host.run('busctl', '--json=short', 'get-property', 'org.stauer.Engine1', path, 'org.stauer.Engine1.Container',
                                    name).stdout)['data']
        assert low <= value <= high, (name, value)
