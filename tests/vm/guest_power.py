#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs in the virtual machine for tests/vm/host/test_power.py: makes containers, works until the power goes, tells what is there.

Every line on standard output is a fact that was answered: the machine may be gone in the next moment."""

import json
import sys
import threading
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[0:0] = [str(TESTS), str(TESTS / 'system')]

# pylint: disable=wrong-import-position
import audit
import host
from common.images import docker_archive
from common.rest import Rest
from common.wait import wait_for

LOCK = threading.Lock()
REST = Rest()


def say(*words):
    with LOCK:
        print(*words, flush=True)


def done(answer, *statuses):
    assert answer.status in statuses, answer.data
    return answer


def create(name, *command, **host_config):
    wish = {'Image': 'busybox', 'Cmd': list(command), 'HostConfig': {'NetworkMode': 'none', **host_config}}
    done(REST.post(f'/containers/create?name={name}', wish), 201)


def start(name):
    done(REST.post(f'/containers/{name}/start'), 204)


def prepare():
    """Containers that run when the machine goes down: one that says how it ends, one that must be killed, one that removes itself, and
    such as start again after the boot unless a person has stopped them."""
    path = Path('/root/busybox.tar')
    docker_archive(path)
    host.stauer('load', '-i', path)
    create('polite', 'sh', '-c', 'trap "echo bye; exit 5" TERM; echo hello; while :; do sleep 0.2; done')
    create('deaf', 'sh', '-c', 'trap "" TERM; echo hello; while :; do sleep 0.2; done')
    create('going', 'sleep', '1000', AutoRemove=True)
    create('resting', 'true')
    for name, policy in (('always', 'always'), ('unless', 'unless-stopped'), ('stopped', 'unless-stopped')):
        create(name, 'sleep', '1000', RestartPolicy={'Name': policy})
        start(name)
    host.run('systemctl', 'stop', host.scope('stopped'))
    wait_for(lambda: host.state('stopped')['Status'] == 'exited', 'its policy rests')
    for name in ('polite', 'deaf', 'going'):
        start(name)
    for name in ('polite', 'deaf'):
        wait_for(lambda: 'hello' in host.stauer('logs', name).stdout, 'it is ready')      # pylint: disable=cell-var-from-loop


def client(number, turn):
    while True:
        turn += 1
        name = f'power-{number}-{turn}'
        create(name, 'sh', '-c', 'echo said; exit 6')
        say('created', name)
        start(name)
        say('started', name)
        code = done(REST.post(f'/containers/{name}/wait'), 200).json['StatusCode']
        assert code == 6, (name, code)
        say('exited', name)
        if turn % 2:
            say('removing', name)
            done(REST.delete(f'/containers/{name}'), 204)
            say('removed', name)


def work(cut):
    """Until the power goes."""
    create(f'counter-{cut}', 'sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done')
    start(f'counter-{cut}')
    say('running', f'counter-{cut}')
    host.run('sync')
    threads = [threading.Thread(target=client, args=(f'{cut}-{n}', 0)) for n in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def report():
    """All that is there, as one document."""
    rows = REST.get('/containers/json?all=1').json
    ids = {row['Id'] for row in rows}
    layers = {name.split('/')[-1] for name in audit.layers() if '/l/' not in name}
    journal = host.run('journalctl', '-b', '-u', 'stauer.service', '-o', 'cat').stdout
    print(json.dumps({
            'containers': {row['Names'][0][1:]: REST.get(f'/containers/{row["Id"]}/json').json['State'] for row in rows},
            'layers': sorted(name for name in layers if len(name) == 64 and (host.DATA_ROOT / 'containers' / name).exists()),
            'ids': sorted(ids),
            'images': [row['RepoTags'] for row in REST.get('/images/json').json],
            'leftovers': [f for f in host.leftovers() if not any(i in f for i in ids)],
            'temporary': audit.temporary_files(),
            'damaged': 'damaged' in journal,
            'quarantine': [p.name for p in (host.DATA_ROOT / 'quarantine').glob('*')],
            'journal': journal,
            'failed': host.run('systemctl', '--failed', '--no-legend', '--plain').stdout,
            'logs': {name: host.stauer('logs', name).stdout for name in ('polite', 'deaf')},
    }))
    # And everything can go on from here.
    for name in ('polite', 'resting'):
        start(name)
    done(REST.post('/containers/polite/stop?t=0'), 204)


if __name__ == '__main__':
    {'prepare': prepare, 'work': work, 'report': report}[sys.argv[1]](*sys.argv[2:])
