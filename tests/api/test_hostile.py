# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile archives through stauer-worker: nothing outside the data root changes, the error is typed, nothing half-made stays."""

import hashlib
import json
import os
import stat
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'hostile'))

# pylint: disable=wrong-import-position,redefined-outer-name
import generate
import worker

WORKER = worker.find_worker()
pytestmark = pytest.mark.skipif(not WORKER or not os.access(WORKER, os.X_OK), reason='no stauer-worker: set STAUER_BUILD')

DRIVERS = ['vfs'] + (['overlay2'] if os.geteuid() == 0 else [])
ALL = {case.name: case for case in generate.cases('/OUTSIDE')}


def fingerprint(folder):
    """Everything that can be seen of a tree."""
    seen = {}
    for path in [folder, *sorted(folder.rglob('*'))]:
        st = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(st.st_mode) else ''
        xattrs = {n: os.getxattr(path, n, follow_symlinks=False) for n in os.listxattr(path, follow_symlinks=False)}
        seen[str(path)] = (st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_mtime_ns, st.st_ctime_ns, content, xattrs)
    return seen


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """The outside, and for each name the bytes that aim at it."""
    outside = tmp_path_factory.mktemp('outside')
    (outside / 'canary').write_text('sings')
    (outside / 'sub').mkdir()
    (outside / 'sub/file').write_text('untouched')
    return outside, {case.name: case for case in generate.cases(str(outside))}


def check_store(root, loaded):
    """Whatever happened, what is visible is whole."""
    left = {p.name for p in (root / 'tmp').iterdir()} - {'trash', 'empty', 'lock'}
    assert not left, f'left in tmp: {left}'
    for blob in (root / 'blobs/sha256').iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    layers = [p for driver in (root / 'layers').iterdir() for p in driver.iterdir() if len(p.name) == 64]
    for layer in layers:
        record = json.loads((layer / 'layer.json').read_text())
        assert record['chain-id'] == 'sha256:' + layer.name
        check_layer(layer / 'diff')
    if loaded:
        assert layers


def check_layer(diff):
    for path in [diff, *diff.rglob('*')]:
        for name in os.listxattr(path, follow_symlinks=False):
            assert name != 'trusted.overlay.redirect'
            assert not name.startswith(('user.overlay.', 'security.ima', 'security.selinux'))


@pytest.mark.parametrize('driver', DRIVERS)
@pytest.mark.parametrize('name', ALL)
def test_archive(place, tmp_path, name, driver):
    outside, all_cases = place
    case = all_cases[name]
    root = tmp_path / 'root'
    root.mkdir()
    archive = tmp_path / 'archive'
    archive.write_bytes(case.data)
    before = fingerprint(outside)

    run = worker.load if case.task == 'load' else worker.import_
    r = run(root, archive, driver=driver, worker=WORKER)

    assert fingerprint(outside) == before, 'the outside was touched'
    assert r.status == 0, r.stderr
    assert 'Sanitizer' not in r.stderr and 'runtime error' not in r.stderr, r.stderr
    got = r.kind or 'ok'
    assert got in case.expected, f'{got}: {r.error}'
    if r.kind:
        assert r.error and '\x1b' not in r.error
        assert not r.images
        if case.contains:
            assert case.contains in r.error
    else:
        assert len(r.images) == 1
    check_store(root, not r.kind)


def test_there_are_enough():
    assert len(ALL) >= 60
