# SPDX-License-Identifier: GPL-2.0-or-later
"""One daemon for all tests that leave it alive, and faces to it; a test that ends or starves it makes its own."""

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fake'))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position,redefined-outer-name
from common.images import docker_archive
from common.processes import adopt_orphans, descendants, end_all, words

SANITIZER = re.compile(r'(ERROR: (Address|Leak)Sanitizer|runtime error:).*')


def pytest_configure(config):
    """A base folder of this session alone: pytest closes the one that its sessions share whenever another begins, and users other than ours
    must get through to the private bus."""
    if not config.option.basetemp:
        config.option.basetemp = config.own_basetemp = tempfile.mkdtemp(prefix='stauer-api-')


def pytest_sessionstart():
    adopt_orphans()


@pytest.hookimpl(hookwrapper=True)
def pytest_sessionfinish(session, exitstatus):
    """Each fixture has ended what it started. What failed is looked at; nothing else removes the folder."""
    yield                                                         # the last fixtures are torn down
    left, end = descendants(os.getpid()), time.monotonic() + 5
    while left and time.monotonic() < end:
        time.sleep(0.02)
        left = descendants(os.getpid())
    if left:
        print('\nsome processes have outlived the tests:', *[words(pid) for pid in left], sep='\n  ')
        end_all(left)
        session.exitstatus = exitstatus = pytest.ExitCode.TESTS_FAILED
    folder = getattr(session.config, 'own_basetemp', None)
    if folder and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        shutil.rmtree(folder, ignore_errors=True)


def make_daemon(folder, *options, **more):
    from engine_daemon import EngineDaemon                        # needs dbus-python
    folder.chmod(0o755)
    daemon = EngineDaemon(folder, *options, **more)
    try:
        return daemon.start()
    except AssertionError:
        daemon.end()
        raise


def end_daemon(daemon):
    """Its own end is part of the test: no crash, and nothing for a sanitizer to say."""
    status = daemon.kill(15) if daemon.process else 0
    daemon.end()
    text = daemon.text()
    found = SANITIZER.search(text.replace('LeakSanitizer has encountered a fatal error', ''))
    assert not found, text[max(0, found.start() - 1000):found.start() + 4000]
    assert status == 0, f'stauerd ended with {status}:\n{text[-3000:]}'


@pytest.fixture(scope='session')
def archive(tmp_path_factory):
    """A docker-archive with busybox:latest; the id of its image."""
    path = tmp_path_factory.mktemp('archive') / 'busybox.tar'
    return path, docker_archive(path)


def load(daemon, archive):
    answer = daemon.post('/images/load', archive[0].read_bytes(), headers={'Content-Type': 'application/x-tar'})
    assert b'Loaded image: busybox:latest' in answer.data, answer.data


@pytest.fixture(scope='session')
def shared(tmp_path_factory, archive):
    daemon = make_daemon(tmp_path_factory.mktemp('daemon'))
    load(daemon, archive)
    yield daemon
    end_daemon(daemon)


@pytest.fixture
def daemon(shared, archive):
    """The shared one; what the test made is removed behind it."""
    yield shared
    if shared.process.poll() is not None:
        text = shared.text()
        (shared.folder / 'log').rename(shared.folder / 'log.crash')
        shared.log = open(shared.folder / 'log', 'ab')            # pylint: disable=consider-using-with
        shared.start()
        pytest.fail(f'stauerd ended with {shared.process.returncode}:\n{text[-6000:]}')
    shared.bus.polkit({'*': 'yes'})
    for row in shared.get('/containers/json?all=1').json:
        shared.delete(f'/containers/{row["Id"]}?force=1')
    for row in shared.get('/images/json?all=1').json:
        if row['Id'] != archive[1]:
            assert shared.delete(f'/images/{row["Id"]}?force=1').status in (200, 404)
        else:
            for tag in row['RepoTags']:
                if tag != 'busybox:latest':
                    shared.delete(f'/images/{tag}')
    if not any(row['Id'] == archive[1] and 'busybox:latest' in row['RepoTags'] for row in shared.get('/images/json').json):
        load(shared, archive)


@pytest.fixture
def own(tmp_path, archive):
    """A daemon for this test alone, busybox loaded."""
    daemon = make_daemon(tmp_path)
    load(daemon, archive)
    yield daemon
    end_daemon(daemon)


@pytest.fixture(scope='session')
def netted(tmp_path_factory, archive):
    """One with networks; in a namespace of its own, where ip(8) sees what it makes."""
    if not is_root():
        pytest.skip('networks of containers need root')
    daemon = make_daemon(tmp_path_factory.mktemp('netted'), network=True)
    load(daemon, archive)
    yield daemon
    end_daemon(daemon)


@pytest.fixture
def bus(daemon):
    from faces import BusFace
    face = BusFace(daemon)
    yield face
    face.close()


@pytest.fixture
def rest(daemon):
    from faces import RestFace
    return RestFace(daemon)


@pytest.fixture(params=['rest', 'bus'])
def face(request):
    return request.getfixturevalue(request.param)


def is_root():
    return os.geteuid() == 0
