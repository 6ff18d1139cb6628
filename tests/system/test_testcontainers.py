# SPDX-License-Identifier: GPL-2.0-or-later
"""testcontainers for Node.js: starts, waits for log and health, runs, copies, restarts, stops and removes."""

import os
from pathlib import Path

import host
from common.late import Late

FLOW = Path(__file__).parent / 'testcontainers' / 'flow.mjs'


def flow(path):
    # Its reaper is an image of a registry. On a machine that is a container itself it would look for a gateway.
    done = host.run('node', FLOW, check=False, timeout=120,
                    env={**os.environ, 'DOCKER_HOST': f'unix://{path}', 'TESTCONTAINERS_RYUK_DISABLED': 'true',
                         'TESTCONTAINERS_HOST_OVERRIDE': 'localhost'})
    assert done.stdout.split() == ['started', 'executed', 'copied', 'logged', 'restarted', 'stopped'], done.stderr
    assert done.returncode == 0
    assert host.out('ps', '-aq') == ''


def test_flow(busybox, clean):
    flow('/run/docker.sock')


def test_flow_on_a_slow_machine(busybox, clean, tmp_path):
    with Late(tmp_path / 'late.sock') as late:
        flow(late.path)
