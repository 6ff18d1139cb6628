# SPDX-License-Identifier: GPL-2.0-or-later
"""firewalld is told of bridges while it runs: by a fake one on the private bus."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest
from faces import RestFace
from private_bus import wait_for

PROGRAM = Path(__file__).resolve().parents[1] / 'fake/fake_firewalld.py'
OPTIONS = {'com.docker.network.bridge.name': 'br-told'}


class Firewalld:
    def __init__(self, daemon, folder):
        self.daemon, self.state, self.asked = daemon, folder / 'zones', folder / 'asked'
        self.process = None

    def start(self, **zones):
        self.state.write_text(json.dumps(zones))
        self.process = self.daemon.bus.spawn(sys.executable, PROGRAM, self.state, self.asked)

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.process = None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def zones(self):
        return {zone: sorted(links) for zone, links in json.loads(self.state.read_text()).items()}

    def wait(self, **zones):
        wait_for(lambda: self.zones() == zones, lambda: f'{zones}, there are {self.zones()}')

    def calls(self):
        return [json.loads(line) for line in self.asked.read_text().splitlines()]


@pytest.fixture
def firewalld(netted, tmp_path):
    one = Firewalld(netted, tmp_path)
    yield one
    one.end()
    for name in RestFace(netted).networks({'type': ['custom']}):
        RestFace(netted).remove_network(name)


def test_bridges_are_in_its_zone(netted, firewalld):
    rest = RestFace(netted)
    firewalld.start(docker=[], trusted=[], public=['eth0'])
    firewalld.wait(docker=['docker0'], trusted=[], public=['eth0'])                    # those that there are when it comes
    rest.create_network({'Name': 'told', 'Options': OPTIONS})
    firewalld.wait(docker=['br-told', 'docker0'], trusted=[], public=['eth0'])
    firewalld.reload()                                                                  # its running configuration is forgotten
    firewalld.wait(docker=['br-told', 'docker0'], trusted=[], public=['eth0'])
    firewalld.end()
    firewalld.start(docker=[], trusted=[])
    firewalld.wait(docker=['br-told', 'docker0'], trusted=[])
    rest.remove_network('told')
    firewalld.wait(docker=['docker0'], trusted=[])


def test_without_the_zone_docker(firewalld):
    firewalld.start(trusted=[], public=[])
    firewalld.wait(trusted=['docker0'], public=[])


def test_administrator_has_decided(netted, firewalld):
    firewalld.start(docker=[], work=['docker0'])
    RestFace(netted).create_network({'Name': 'told', 'Options': OPTIONS})
    firewalld.wait(docker=['br-told'], work=['docker0'])
    assert ['addInterface', 'docker', 'docker0'] not in firewalld.calls()


def test_nobody_waits_for_it(netted, firewalld):
    """One that hangs."""
    firewalld.start(docker=[])
    firewalld.wait(docker=['docker0'])
    firewalld.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        RestFace(netted).create_network({'Name': 'told', 'Options': OPTIONS})
        assert time.monotonic() - began < 10
    finally:
        firewalld.process.send_signal(signal.SIGCONT)
    firewalld.wait(docker=['br-told', 'docker0'])
