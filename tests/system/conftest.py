# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything real: systemd, D-Bus, polkit, containers. Runs as root inside the sandbox or the VM."""

import pytest

import host
from audit import Audit
from common.images import docker_archive
from common.rest import Rest
from common.wait import wait_for
from load import UNIT, one_run


@pytest.fixture(scope='session')
def busybox_archive(tmp_path_factory):
    path = tmp_path_factory.mktemp('images') / 'busybox.tar'
    docker_archive(path)
    return path


@pytest.fixture
def busybox(busybox_archive):
    """The name of an image that is there, whatever an earlier test has removed."""
    if host.stauer('image', 'inspect', 'busybox', check=False).returncode != 0:
        host.stauer('load', '-i', busybox_archive)
    return 'busybox'


@pytest.fixture
def clean():
    """No container before, and nothing of any after the test."""
    host.remove_all()
    yield
    host.remove_all()
    wait_for(lambda: not host.leftovers(), lambda: f'nothing is left over: {host.leftovers()}', timeout=5)


@pytest.fixture
def rest(busybox):
    """Nothing there before, the same there afterwards."""
    assert busybox == 'busybox'
    host.run('systemctl', 'reset-failed', UNIT, check=False)
    host.remove_all()
    wait_for(lambda: not host.leftovers(), lambda: f'nothing is left: {host.leftovers()}')
    host.run('systemctl', 'restart', UNIT)
    rest = Rest()
    one_run(rest)
    audit = Audit()
    yield rest
    host.run('systemctl', 'reset-failed', UNIT, check=False)
    host.remove_all()
    one_run(rest)
    wait_for(lambda: not audit.findings(), lambda: f'all is as it was: {audit.findings()}', timeout=10)
