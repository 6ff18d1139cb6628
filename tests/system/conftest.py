# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything real: systemd, D-Bus, polkit, containers. Runs as root inside the sandbox or the VM."""

import pytest

import host
from common.images import docker_archive
from common.wait import wait_for


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
