# SPDX-License-Identifier: GPL-2.0-or-later
"""A full disk: one clear error, nothing lost, and all is well when there is room again."""

import json
import random
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pytest

import host
from common.images import docker_archive, rootfs_tar
from common.wait import wait_for
from host import run, stauer
from load import COUNTER, UNIT, begin, body, check, create, log, state
from load_verbs import tar

# pylint: disable=redefined-outer-name

SMALL = 64 << 20


@pytest.fixture
def small_disk(rest, busybox, tmp_path):
    """A data root of 64 MiB that has the images of the other one, which stays aside."""
    assert busybox == 'busybox'
    units = ('stauer.socket', UNIT)

    def swap(*command):
        run('systemctl', 'reset-failed', UNIT, check=False)
        run('systemctl', 'stop', *units)
        run(*command)
        run('systemctl', 'start', *units)

    new, image = tmp_path / 'new', tmp_path / 'disk'
    new.mkdir()
    with open(image, 'wb') as f:
        f.truncate(SMALL)
    run('mkfs.ext4', '-q', '-m', '0', image)
    if run('mount', '-o', 'loop', image, new, check=False).returncode != 0:
        run('mount', '-t', 'tmpfs', '-o', f'size={SMALL},mode=0710', 'tmpfs', new)      # a machine without loop devices
    run('sh', '-c', 'cp -a "$1/." "$2/"', 'sh', host.DATA_ROOT, new)
    swap('mount', '--bind', new, host.DATA_ROOT)
    try:
        yield host.DATA_ROOT / 'ballast'
    finally:
        (host.DATA_ROOT / 'ballast').unlink(missing_ok=True)
        host.remove_all()
        wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')
        swap('umount', host.DATA_ROOT)
        run('umount', new)


def fill(path):
    """To the last byte."""
    with open(path, 'ab', buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b'x' * size)
            except OSError:
                continue


def said_there_is_no_room(rest, answer):
    assert answer.status >= 500 and 'o space left on device' in answer.message, (answer.status, answer.data)
    assert rest.get('/_ping').status == 200


def test_full_disk(rest, small_disk):
    begin(rest, 'counter', 'sh', '-c', COUNTER)
    begin(rest, 'journal', 'sh', '-c', COUNTER, driver='journald')
    create(rest, 'waiting', 'sh', '-c', 'exit 6')
    create(rest, 'superfluous', 'true')
    create(rest, 'superfluous-2', 'true')
    create(rest, 'files', 'true')
    begin(rest, 'ended', 'sh', '-c', 'sleep 1000')
    pids = {name: state(rest, name)['Pid'] for name in ('counter', 'journal')}
    fill(small_disk)

    # What needs room says so.
    answer = rest.post('/containers/create?name=more', body('true'))
    assert answer.status >= 500 and 'o space left on device' in answer.message, answer.data
    assert rest.get('/containers/more/json').status == 404
    answer = rest.post('/images/load', docker_archive_bytes())
    assert b'No space left on device' in answer.data and b'Loaded image' not in answer.data, answer.data
    answer = rest.post('/images/busybox/tag?repo=other')
    assert answer.status >= 500 and 'o space left on device' in answer.message, answer.data
    assert rest.get('/images/other/json').status == 404

    said_there_is_no_room(rest, rest.post('/commit?container=files&repo=committed'))
    assert rest.get('/images/committed/json').status == 404
    said_there_is_no_room(rest, rest.ask('PUT', '/containers/files/archive?path=/tmp', tar('much', bytes(1 << 20))))
    said_there_is_no_room(rest, rest.post('/volumes/create', {'Name': 'roomy'}))
    assert rest.get('/volumes/roomy').status == 404
    said_there_is_no_room(rest, rest.post('/containers/create?name=copied-up', body('true', Binds=['fresh:/bin'])))
    assert rest.get('/containers/copied-up/json').status == 404 and rest.get('/volumes/fresh').status == 404
    # What cannot be saved is as it was.
    said_there_is_no_room(rest, rest.post('/containers/files/rename?name=other-files'))
    assert rest.get('/containers/other-files/json').status == 404
    said_there_is_no_room(rest, rest.post('/containers/counter/update', {'RestartPolicy': {'Name': 'always'}}))
    assert rest.get('/containers/counter/json').json['HostConfig']['RestartPolicy']['Name'] in ('', 'no')
    # What needs no room goes on.
    exec_id = check(rest.post('/containers/counter/exec', {'Cmd': ['sh', '-c', 'exit 9']}), 201).json['Id']
    check(rest.post(f'/exec/{exec_id}/start', {'Detach': True}), 200)
    wait_for(lambda: rest.get(f'/exec/{exec_id}/json').json['ExitCode'] == 9, 'an exec has run')
    began = time.time()
    check(rest.post('/containers/journal/pause'), 204)
    check(rest.post('/containers/journal/unpause'), 204)
    answer = check(rest.get(f'/events?since={began:.9f}&until={time.time():.9f}'), 200)
    assert b'"pause"' in answer.data and b'"unpause"' in answer.data

    # A start may work; if not it is said, and nothing hangs in between.
    answer = rest.post('/containers/waiting/start')
    if answer.status == 204:
        assert rest.post('/containers/waiting/wait').json['StatusCode'] == 6
    else:
        assert 'o space left on device' in answer.message, answer.data
        assert state(rest, 'waiting')['Status'] == 'created'

    # What runs goes on, can be stopped, and is stopped for the next daemon too.
    assert rest.post('/containers/ended/stop?t=0').status == 204
    assert state(rest, 'ended')['ExitCode'] == 137
    run('systemctl', 'restart', UNIT)
    assert state(rest, 'ended')['Status'] == 'exited' and state(rest, 'ended')['ExitCode'] == 137
    for name, pid in pids.items():
        assert state(rest, name)['Running'] and state(rest, name)['Pid'] == pid
    filters = quote(json.dumps({'label': ['none']}))
    assert check(rest.post(f'/containers/prune?filters={filters}'), 200).json['ContainersDeleted'] in (None, [])
    assert rest.delete('/containers/superfluous').status == 204
    check(rest.delete('/containers/superfluous-2'), 204)
    assert rest.get('/containers/superfluous/json').status == 404
    assert rest.delete('/containers/ended').status == 204

    # With room again all is well.
    small_disk.unlink()
    create(rest, 'more', 'true')
    check(rest.post('/containers/files/rename?name=other-files'), 204)
    check(rest.ask('PUT', '/containers/other-files/archive?path=/tmp', tar('much', bytes(1 << 20))), 200)
    check(rest.post('/commit?container=other-files&repo=committed'), 201)
    check(rest.delete('/images/committed'), 200)
    assert rest.post('/images/busybox/tag?repo=other').status == 201
    for name in pids:
        before = log(rest, name).splitlines()[-1]
        wait_for(lambda: log(rest, name).splitlines()[-1] != before, 'it still logs')   # pylint: disable=cell-var-from-loop
        assert rest.post(f'/containers/{name}/stop').status == 204
        assert state(rest, name)['ExitCode'] == 42
    numbers = [int(line) for line in log(rest, 'journal').splitlines()[:-1]]
    assert numbers == list(range(1, len(numbers) + 1))
    numbers = [int(line) for line in log(rest, 'counter').splitlines()[:-1]]
    assert numbers == sorted(set(numbers))              # there may be a hole where there was no room, nothing torn
    stauer('rmi', 'other')


def docker_archive_bytes():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'image.tar'
        docker_archive(path, 'second:latest', layers=[rootfs_tar([('more', random.Random(2).randbytes(1 << 20))])])
        return path.read_bytes()
