# SPDX-License-Identifier: GPL-2.0-or-later
"""testcontainers for Node.js: starts, waits for log and health, runs, copies, restarts, stops and removes."""

import os
from pathlib import Path

import host
from common.late import Late

FLOWS = Path(__file__).parent / 'testcontainers'


def flow(path, name='flow.mjs', steps=('started', 'executed', 'copied', 'logged', 'restarted', 'stopped')):
    # Its reaper is an image of a registry. On a machine that is a container itself it would look for a gateway.
    done = host.run('node', FLOWS / name, check=False, timeout=120,
                    env={**os.environ, 'DOCKER_HOST': f'unix://{path}', 'TESTCONTAINERS_RYUK_DISABLED': 'true',
                         'TESTCONTAINERS_HOST_OVERRIDE': 'localhost'})
    assert tuple(done.stdout.split()) == steps, done.stderr
    assert done.returncode == 0
    assert host.out('ps', '-aq') == ''


def test_flow(busybox, clean):
    flow('/run/docker.sock')


def test_network(busybox, clean):
    flow('/run/docker.sock', 'network.mjs', ('published', 'found', 'stopped'))
    assert host.out('network', 'ls', '-q', '--filter', 'type=custom') == ''


def test_flow_on_a_slow_machine(busybox, clean, tmp_path):
    with Late(tmp_path / 'late.sock') as late:
        flow(late.path)
