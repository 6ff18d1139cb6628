# SPDX-License-Identifier: GPL-2.0-or-later
"""A full disk: one clear error, nothing lost, and all is well when there is room again."""

import random
import tempfile
from pathlib import Path

import pytest

import host
from common.images import docker_archive, rootfs_tar
from common.wait import wait_for
from host import run, stauer
from load import COUNTER, UNIT, begin, body, create, log, state

# pylint: disable=redefined-outer-name

SMALL = 128 << 20            # a load wants to leave 64 MiB


@pytest.fixture
def small_disk(rest, busybox_archive):
    """A data root with little room. The daemon's own stays aside."""
    units = ('stauer.socket', UNIT)

    def swap(*command):
        run('systemctl', 'reset-failed', UNIT, check=False)
        run('systemctl', 'stop', *units)
        run(*command)
        run('systemctl', 'start', *units)

    swap('mount', '-t', 'tmpfs', '-o', f'size={SMALL},mode=0710', 'tmpfs', host.DATA_ROOT)
    try:
        stauer('load', '-i', busybox_archive)
        yield host.DATA_ROOT / 'ballast'
    finally:
        (host.DATA_ROOT / 'ballast').unlink(missing_ok=True)
        host.remove_all()
        wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')
        swap('umount', host.DATA_ROOT)


def fill(path):
    """To the last byte."""
    with open(path, 'ab', buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b'x' * size)
            except OSError:
                continue


def test_full_disk(rest, small_disk):
    begin(rest, 'counter', 'sh', '-c', COUNTER)
    begin(rest, 'journal', 'sh', '-c', COUNTER, driver='journald')
    create(rest, 'waiting', 'sh', '-c', 'exit 6')
    create(rest, 'superfluous', 'true')
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
    assert rest.delete('/containers/superfluous').status == 204
    assert rest.get('/containers/superfluous/json').status == 404
    assert rest.delete('/containers/ended').status == 204

    # With room again all is well.
    small_disk.unlink()
    create(rest, 'more', 'true')
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
