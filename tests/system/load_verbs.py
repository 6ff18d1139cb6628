# SPDX-License-Identifier: GPL-2.0-or-later
"""The load with the verbs that do more than begin and end a container. After an answer its word holds, whoever is killed then; after none, the
verb has been done or not, never half and never twice."""

import http.client
import io
import json
import socket
import tarfile
import threading
import time
from urllib.parse import quote

from common.rest import LOST, frames
from common.wait import wait_for

# Ends well: who has failed is started by "on-failure" when the daemon comes back, stopped by hand or not, as with Docker.
TALKER = 'trap "exit 0" TERM; echo ready; while :; do sleep 0.02; done'


def again(life, method, path, ok, content=None, timeout=60):
    """Until there is an answer: (answer, whether one was lost before). ok: what it may be; with a tuple of two, the second after a lost one."""
    lost = False
    while True:
        try:
            answer = life.rest.ask(method, path, content, timeout=timeout)
        except LOST as e:
            life.note(method, path, type(e).__name__)
            lost = True
            continue
        first, later = ok if isinstance(ok, tuple) else (ok, [])
        assert answer.status in (first + later if lost else first), life.why(f'{method} {path}: {answer.status} {answer.data[:300]}')
        life.note(method, path, answer.status)
        return answer, lost


def inspect(life, name=None):
    answer = life.rest.keep_asking('GET', f'/containers/{name or life.name}/json')
    return answer.json if answer.status == 200 else None


# Each of these finds a running container and leaves one.

def pause(life, _):
    again(life, 'POST', f'/containers/{life.name}/pause', ([204], [409]))
    assert life.state()['Status'] == 'paused', life.why(life.state())
    again(life, 'POST', f'/containers/{life.name}/unpause', ([204], [409, 500]))
    assert life.state()['Status'] == 'running', life.why(life.state())


def rename(life, _):
    old, new = life.name, life.name + 'r'
    try:
        answer = life.rest.post(f'/containers/{old}/rename?name={new}')
        assert answer.status == 204, life.why(answer.data)
        done = True
    except LOST:
        life.note('rename: no answer')
        done = None
    found = [name for name in (old, new) if inspect(life, name)]
    assert found == [new] if done else len(found) == 1, life.why(f'it is called {found}')
    life.name = found[0]


def update(life, rng):
    n = rng.randrange(1, 1000)
    again(life, 'POST', f'/containers/{life.name}/update', [200], {'RestartPolicy': {'Name': 'on-failure', 'MaximumRetryCount': n}})
    assert inspect(life)['HostConfig']['RestartPolicy']['MaximumRetryCount'] == n, life.why(f'updated to {n}')


def restart(life, _):
    before = life.state()
    again(life, 'POST', f'/containers/{life.name}/restart?t=20', [204])
    now = life.state()
    assert now['Running'] and now['StartedAt'] > before['StartedAt'] and now['Pid'] != before['Pid'], life.why((before, now))


def look(life, _):
    rows = again(life, 'GET', f'/containers/{life.name}/top', [200])[0].json['Processes']
    assert rows, life.why('top sees nobody')
    row = again(life, 'GET', f'/containers/{life.name}/stats?stream=0&one-shot=1', [200])[0].json
    assert row['name'] == '/' + life.name and row['pids_stats'].get('current', 1) >= 1, life.why(row)
    listed = again(life, 'GET', '/containers/json', [200])[0].json
    assert ['/' + life.name] in [r['Names'] for r in listed], life.why('ps does not list it')


def one_that_is_changed(life, rng):
    life.create('sh', '-c', TALKER)
    life.start()
    for verb in rng.sample((pause, rename, update, restart, look), 3):
        verb(life, rng)
    life.stop()
    assert (life.state()['Status'], life.state()['ExitCode']) == ('exited', 0), life.why(life.state())
    life.remove()


def upgraded(path, content=None):
    """A stream, or None when the daemon went before it said so; (status, text) when it was refused."""
    data = json.dumps(content).encode() if content is not None else b''
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(30)
    try:
        client.connect('/run/docker.sock')
        client.sendall(f'POST {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\n'
                       f'Content-Length: {len(data)}\r\n\r\n'.encode() + data)
        head = b''
        while b'\r\n\r\n' not in head:
            byte = client.recv(1)
            if not byte:
                raise ConnectionResetError
            head += byte
    except OSError:
        client.close()
        return None
    if b' 101 ' in head:
        return client
    status = int(head.split()[1])
    client.close()
    return status


def rest_of(client):
    """All that comes; the stream is the monitor's, so nothing cuts it."""
    data = b''
    while part := client.recv(65536):
        data += part
    client.close()
    return data


def run_exec(life, n):
    """(1 it ran, None nobody knows) an exec that appends a line to a file."""
    answer, _ = again(life, 'POST', f'/containers/{life.name}/exec', [201],
                      {'AttachStdout': True, 'AttachStderr': True, 'Cmd': ['sh', '-c', f'echo {n} >>/tmp/execs; echo said {n}; exit 3']})
    ident = answer.json['Id']
    client = upgraded(f'/exec/{ident}/start', {'Detach': False})
    if client is None:
        life.note('exec start: no answer')
        return None
    if client == 404:                               # who was only created ends with the daemon
        life.note('exec start: 404')
        return 0
    assert not isinstance(client, int), life.why(f'exec start: {client}')
    said = b''.join(data for _, data in frames(rest_of(client)))
    assert said == f'said {n}\n'.encode(), life.why(f'exec {n}: {said}')

    def ended():
        answer = life.rest.keep_asking('GET', f'/exec/{ident}/json')
        assert answer.status == 200, life.why(f'exec {n} is not known: {answer.data}')
        return not answer.json['Running'] and answer.json['ExitCode'] == 3
    wait_for(ended, lambda: life.why(f'exec {n} has ended'))
    return 1


def one_with_execs(life, rng):
    life.create('sh', '-c', TALKER)
    life.start()
    ran = [(n, run_exec(life, n)) for n in range(rng.randrange(1, 6))]
    seen = files_of(life, '/tmp/execs').split() if any(how for _, how in ran) else []
    for n, how in ran:
        times = seen.count(str(n).encode())
        assert times == how or (how is None and times <= 1) or not seen, life.why(f'exec {n} ran {times} times: {ran}')
    life.remove(force=True)


def one_attached(life, rng):
    lines = [b'%d' % rng.randrange(10 ** 9) for _ in range(20)]
    while True:
        try:
            wish = {'Image': 'busybox', 'Cmd': ['cat'], 'OpenStdin': True, 'StdinOnce': True, 'AttachStdin': True, 'HostConfig': {'NetworkMode': 'none'}}
            answer = life.rest.post(f'/containers/create?name={life.name}', wish)
            assert answer.status == 201, life.why(answer.data)
            break
        except LOST:
            if life.state():
                break
    life.start()
    client = None
    while client is None:
        client = upgraded(f'/containers/{life.name}/attach?stream=1&stdin=1&stdout=1')
        if client is None and not life.state()['Running']:
            life.note('the monitor had him, and he was gone: its input has ended')
            life.remove()
            return
    assert not isinstance(client, int), life.why(f'attach: {client}')
    for line in lines:
        client.sendall(line + b'\n')
        time.sleep(0.005)
    client.shutdown(socket.SHUT_WR)
    said = b''.join(data for _, data in frames(rest_of(client)))
    assert said.split() == lines, life.why(f'attached: {said}')
    assert life.wait() == 0, life.why(life.state())
    life.remove()


def tar(name, data):
    with io.BytesIO() as f:
        with tarfile.open(fileobj=f, mode='w') as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        return f.getvalue()


def files_of(life, path):
    """A file of a container."""
    answer, _ = again(life, 'GET', f'/containers/{life.name}/archive?path={path}', [200])
    with tarfile.open(fileobj=io.BytesIO(answer.data)) as archive:
        return archive.extractfile(archive.getmembers()[0]).read()


def one_with_files(life, rng):
    data = rng.randbytes(rng.randrange(1, 300000))
    life.create('sh', '-c', TALKER)
    if rng.random() < 0.6:
        life.start()
    again(life, 'PUT', f'/containers/{life.name}/archive?path=/tmp', [200], tar('data', data))
    assert files_of(life, '/tmp/data') == data, life.why('cp back')
    if rng.random() < 0.5:
        answer, _ = again(life, 'GET', f'/containers/{life.name}/export', [200])
        with tarfile.open(fileobj=io.BytesIO(answer.data)) as archive:
            assert archive.extractfile('tmp/data').read() == data, life.why('export')
    else:
        commit(life)
    life.remove(force=True)


def commit(life):
    image = f'{life.name}-image'
    while True:
        try:
            answer = life.rest.post(f'/commit?container={life.name}&repo={image}')
            assert answer.status == 201, life.why(answer.data)
            assert life.rest.keep_asking('GET', f'/images/{image}/json').status == 200, life.why('a commit that was answered')
            break
        except LOST:
            life.note('commit: no answer')
            if life.rest.keep_asking('GET', f'/images/{image}/json').status == 200:
                break
    assert life.state()['Status'] != 'paused', life.why('thawed after the commit')
    again(life, 'DELETE', f'/images/{image}', ([200], [404]))


def one_with_a_volume(life, rng):
    volume = life.name + '-v'
    word = str(rng.randrange(10 ** 9))
    again(life, 'POST', '/volumes/create', [201], {'Name': volume})
    assert life.rest.keep_asking('GET', f'/volumes/{volume}').status == 200, life.why('a volume that was answered')
    for step in (f'echo {word} >/v/word', 'cat /v/word'):
        life.create('sh', '-c', step, Binds=[f'{volume}:/v'])
        life.start()
        assert life.wait() == 0, life.why(life.state())
        answer, _ = again(life, 'GET', f'/containers/{life.name}/logs?stdout=1', [200])
        text = b''.join(data for _, data in frames(answer.data)).decode()
        assert text == (word + '\n' if 'cat' in step else ''), life.why(text)
        life.remove()
    again(life, 'DELETE', f'/volumes/{volume}', ([204], [404]))
    assert life.rest.keep_asking('GET', f'/volumes/{volume}').status == 404, life.why('a removed volume')


def one_that_is_pruned(life, _):
    wish = {'Image': 'busybox', 'Cmd': ['true'], 'Labels': {'mine': life.name}, 'HostConfig': {'NetworkMode': 'none'}}
    names = [f'{life.name}-{n}' for n in range(3)]
    for name in names:
        again(life, 'POST', f'/containers/create?name={name}', ([201], [409]), wish)
    filters = quote(json.dumps({'label': [f'mine={life.name}']}))
    answer, lost = again(life, 'POST', f'/containers/prune?filters={filters}', [200, 409])      # 409: another client prunes
    while answer.status == 409:
        time.sleep(0.02)
        answer, lost = again(life, 'POST', f'/containers/prune?filters={filters}', [200, 409])
    if not lost:
        assert len(answer.json['ContainersDeleted'] or []) <= 3
    for name in names:
        assert not inspect(life, name), life.why(f'{name} after a prune that was answered')


def one_that_is_followed(life, rng):
    n = rng.randrange(1, 300)
    life.create('sh', '-c', f'i=0; while [ $i -lt {n} ]; do i=$((i+1)); echo $i; done')
    life.start()
    answer, _ = again(life, 'GET', f'/containers/{life.name}/logs?stdout=1&follow=1', [200])
    text = b''.join(data for _, data in frames(answer.data))
    assert text.split() == [b'%d' % (k + 1) for k in range(n)], life.why(f'{len(text.split())} lines of {n}')
    life.remove(force=True)


VERBS = (one_that_is_changed, one_with_execs, one_attached, one_with_files, one_with_a_volume, one_that_is_pruned, one_that_is_followed)


class Listener:
    """A client of events that comes again whenever it is cut off: each connection tells each event once, in order."""

    def __init__(self, rest):
        self.rest, self.over, self.failures, self.n = rest, threading.Event(), [], 0
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self):
        while not self.over.is_set() and not self.failures:
            try:
                until = time.time() + 0.7
                answer = self.rest.get(f'/events?until={until:.9f}')
                rows = [json.loads(line) for line in answer.data.splitlines()]
                times = [row['timeNano'] for row in rows]
                if times != sorted(times):
                    self.failures.append('events out of order')
                if len({json.dumps(row, sort_keys=True) for row in rows}) != len(rows):
                    self.failures.append('an event came twice')
                self.n += len(rows)
            except (OSError, http.client.HTTPException):
                continue
            except ValueError as e:
                self.failures.append(f'{e}: {answer.data[-300:]}')

    def end(self):
        self.over.set()
        self.thread.join()
        assert not self.failures, self.failures
        return self.n
