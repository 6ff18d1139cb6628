# SPDX-License-Identifier: GPL-2.0-or-later
"""stauerd is killed and comes back: containers notice nothing, and what happened meanwhile is known."""

import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from common.processes import is_over
from common.wait import names_below
from faces import BusFace, RestFace, frames
from private_bus import wait_for
from wire import Wire

NONE = {'NetworkMode': 'none'}


def create(daemon, name, *command, **more):
    answer = daemon.post(f'/containers/create?name={name}', {'Image': 'busybox', 'Cmd': list(command), 'HostConfig': NONE, **more})
    assert answer.status == 201, answer.data
    return answer.json['Id']


def run(daemon, name, *command, **more):
    identity = create(daemon, name, *command, **more)
    answer = daemon.post(f'/containers/{identity}/start')
    assert answer.status == 204, answer.data
    return identity


def state(daemon, identity):
    return daemon.get(f'/containers/{identity}/json').json['State']


def logs(daemon, identity):
    return ''.join(text for _, text in frames(daemon.get(f'/containers/{identity}/logs?stdout=1&stderr=1').data))


def nothing_left(daemon):
    """No run folder, no layer, no file of a container that is gone."""
    def clean():
        return (not any((daemon.run / 'containers').glob('*')) and not any((daemon.data / 'containers').glob('*')) and
                len(list((daemon.data / 'layers/vfs').glob('*/'))) <= 2)
    return wait_for(clean, 'nothing is left: ' + ', '.join(str(p) for p in daemon.run.rglob('*')))


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGTERM], ids=['kill', 'term'])
def test_restart(own, how):
    runs = run(own, 'runs', 'sh', '-c', 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done')
    ends = run(own, 'ends', 'sh', '-c', 'sleep 0.6; echo last words; exit 7')
    done = run(own, 'done', 'sh', '-c', 'exit 3')
    fresh = create(own, 'fresh', 'true')
    own.post(f'/containers/{done}/wait')
    before = {i: state(own, i) for i in (runs, done, fresh)}
    own.kill(how)
    time.sleep(0.9)
    assert os.path.exists(f'/proc/{before[runs]["Pid"]}')
    own.start()
    assert {i: state(own, i) for i in (runs, done, fresh)} == before
    wait_for(lambda: state(own, ends)['Status'] == 'exited', 'the exit is known')
    assert state(own, ends)['ExitCode'] == 7
    assert logs(own, ends) == 'last words\n'

    own.post(f'/containers/{runs}/kill')
    assert state(own, runs)['ExitCode'] == 137
    numbers = logs(own, runs).splitlines()
    assert numbers == [str(i) for i in range(len(numbers))] and len(numbers) > 20
    assert own.post(f'/containers/{fresh}/start').status == 204
    assert len(own.get('/images/json').json) == 1
    for identity in (runs, ends, done, fresh):
        assert own.delete(f'/containers/{identity}?force=1').status == 204
    nothing_left(own)


def test_clients_see_the_end(own):
    """A stream ends with the daemon; the same request is good again afterwards."""
    identity = run(own, 'ship', 'sh', '-c', 'echo one; sleep 1.2; echo two; exit 4')
    wires = [Wire(own), Wire(own), Wire(own)]
    for wire, request in zip(wires, (f'GET /containers/{identity}/logs?follow=1&stdout=1', f'POST /containers/{identity}/wait',
                                     'GET /events')):
        wire.send(f'{request} HTTP/1.1\r\nHost: x\r\n\r\n').head()
    own.kill()
    for wire in wires:
        wire.file.read()                                      # to the end
        wire.__exit__()
    own.start()
    with Wire(own) as follow:
        follow.send(f'GET /containers/{identity}/logs?follow=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n')
        assert follow.answer()[2].endswith(b'two\n')
    assert own.post(f'/containers/{identity}/wait').json == {'StatusCode': 4}


def test_clients_at_a_polite_end(own):
    """SIGTERM with open streams: it does not wait for them, and they end."""
    identity = run(own, 'ship', 'sleep', '60')
    wires = [Wire(own) for _ in range(3)]
    for wire, request in zip(wires, (f'GET /containers/{identity}/logs?follow=1&stdout=1', f'POST /containers/{identity}/wait',
                                     'GET /events')):
        wire.send(f'{request} HTTP/1.1\r\nHost: x\r\n\r\n').head()
    began = time.monotonic()
    assert own.kill(signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    for wire in wires:
        wire.file.read()
        wire.__exit__()
    own.start()
    assert own.delete(f'/containers/{identity}?force=1').status == 204


def test_killed_while_loading(own, archive):
    data = archive[0].read_bytes()
    assert own.delete('/images/busybox').status == 200
    for part in (0, 5000, len(data) // 2, len(data) - 100, len(data)):
        with Wire(own) as wire:
            wire.send(f'POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n')
            wire.send(data[:part])
            time.sleep(0.02)
            own.kill()
        own.start()
        rows = own.get('/images/json').json
        assert [row['RepoTags'] for row in rows] in ([], [['busybox:latest']])
        for row in rows:
            assert own.delete(f'/images/{row["Id"]}').status == 200
    wait_for(lambda: names_below(own.data / 'tmp') <= {'empty', 'lock', 'root', 'trash'},
             lambda: f'nothing is left of them: {names_below(own.data / "tmp")}')
    assert RestFace(own).load(archive[0]) == ['Loaded image: busybox:latest']
    identity = run(own, 'works', 'echo', 'yes')
    own.post(f'/containers/{identity}/wait')
    assert logs(own, identity) == 'yes\n'


def test_killed_at_random_moments(own):
    """Containers are made, started, stopped and removed all the time; the daemon is killed in the midst of it."""
    rng = random.Random(7)
    stop = threading.Event()

    def sail(number):
        while not stop.is_set():
            try:
                name = f'sail{number}'
                own.post(f'/containers/create?name={name}', {'Image': 'busybox', 'Cmd': ['sh', '-c', 'sleep 0.1; exit 5'],
                                                            'HostConfig': NONE}, timeout=5)
                own.post(f'/containers/{name}/start', timeout=5)
                answer = own.post(f'/containers/{name}/wait', timeout=5)
                if answer.status == 200 and answer.data:
                    # 0: it has not been started before the daemon was killed. 255: what was under way then.
                    assert answer.json['StatusCode'] in (0, 5, 137, 255), answer.data
                own.delete(f'/containers/{name}?force=1', timeout=5)
            except (OSError, ValueError, http_exception()):
                time.sleep(0.01)

    steady = run(own, 'steady', 'sh', '-c', 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done')
    threads = [threading.Thread(target=sail, args=(n,)) for n in range(3)]
    for t in threads:
        t.start()
    for _ in range(8):
        time.sleep(rng.uniform(0.02, 0.3))
        own.kill()
        own.start()
        assert state(own, steady)['Status'] == 'running'
    stop.set()
    for t in threads:
        t.join()
    for row in own.get('/containers/json?all=1').json:
        document = own.get(f'/containers/{row["Id"]}/json').json
        assert document['State']['Status'] in ('created', 'running', 'exited')
    own.post(f'/containers/{steady}/kill')
    numbers = logs(own, steady).splitlines()
    assert numbers == [str(i) for i in range(len(numbers))]
    for row in own.get('/containers/json?all=1').json:
        assert own.delete(f'/containers/{row["Id"]}?force=1').status == 204
    nothing_left(own)


def http_exception():
    from http.client import HTTPException
    return HTTPException


def test_killed_monitor(own):
    """Nobody knows its exit code then; the daemon says so."""
    identity = run(own, 'orphan', 'sleep', '60')
    pid = state(own, identity)['Pid']
    time.sleep(0.3)                                           # the fake systemd knows by then what is in the scope
    monitor = int(subprocess.run(['ps', '-o', 'ppid=', '-p', str(pid)], capture_output=True, check=True).stdout)
    os.kill(monitor, signal.SIGKILL)
    wait_for(lambda: state(own, identity)['Status'] == 'exited', 'it is seen to have ended')
    after = state(own, identity)
    assert after['ExitCode'] == 255 and after['Error']
    wait_for(lambda: is_over(pid), 'its process is ended')
    assert own.delete(f'/containers/{identity}').status == 204


def test_bus_goes_on(own):
    """The name comes back on the bus, and objects with it."""
    identity = run(own, 'ship', 'sleep', '60')
    own.kill()
    own.start()
    face = BusFace(own)
    assert face.containers() == [(identity, 'ship', 'running')]
    face.kill('ship')
    assert face.wait('ship') == 137
    face.close()


def test_second_daemon_is_refused(own):
    text = own.text()
    process = own.process
    own.start(wait=False)
    second, own.process = own.process, process
    assert second.wait(10) == 1
    assert 'Another stauerd ' in own.text()[len(text):]
    assert own.get('/_ping').status == 200


@pytest.mark.parametrize('names, engine', [
    (['engine-id', 'buildkit/', 'containers/', 'image/', 'network/', 'overlay2/', 'plugins/', 'runtimes/', 'swarm/', 'tmp/', 'volumes/'],
     'Docker'), (['engine-id'], 'Docker'), (['overlay/', 'overlay-images/', 'storage.lock'], 'Podman')])
def test_foreign_data_root(tmp_path, names, engine):
    """Another engine's data is left alone, and the administrator is told the way out."""
    from conftest import make_daemon
    for name in names:
        path = tmp_path / 'data' / name
        path.mkdir(parents=True) if name.endswith('/') else (path.parent.mkdir(exist_ok=True), path.write_text('x'))
    with pytest.raises(AssertionError) as info:
        make_daemon(tmp_path)
    assert f'holds the data of {engine}' in str(info.value) and '--data-root' in str(info.value)
    assert sorted(p.name for p in (tmp_path / 'data').iterdir()) == sorted(n.rstrip('/') for n in names)


def test_damaged_container(own):
    """One broken file takes one container away, not the daemon."""
    good = create(own, 'good', 'true')
    bad = create(own, 'bad', 'true')
    own.kill()
    (own.data / 'containers' / bad / 'container.json').write_text('{"version": 1, "Id": 7')
    own.start()
    assert [row['Id'] for row in own.get('/containers/json?all=1').json] == [good]
    assert bad[:12] in own.text() or bad in own.text()


def test_documents_on_disk(own):
    """Each file of ours has a version; the store is an OCI layout."""
    identity = create(own, 'ship', 'true')
    assert json.loads((own.data / 'containers' / identity / 'container.json').read_text())['version'] >= 1
    assert json.loads((own.data / 'oci-layout').read_text()) == {'imageLayoutVersion': '1.0.0'}
    index = json.loads((own.data / 'index.json').read_text())
    assert index['schemaVersion'] == 2 and index['manifests']
    for manifest in index['manifests']:
        algorithm, digits = manifest['digest'].split(':')
        assert (own.data / 'blobs' / algorithm / digits).stat().st_size == manifest['size']
