# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer on the bus that never replies: an error with a name, in bounded time, for those who have to do with it, and nothing for the others."""

import signal
import socket
import threading
import time

import dbus
from engine import create, run, start, state
from faces import CONTAINER, MANAGER, NAME, ROOT
from private_bus import BusError, wait_for

OTHERS = 1.0
VICTIM = 10.0
SLACK = 5.0                     # a machine that does other things as well


class Background:
    """Calls that are made at once; each has what came of it and how long that took."""

    def __init__(self, **calls):
        self.answers = {}
        self.threads = [threading.Thread(target=self._work, args=item) for item in calls.items()]
        for thread in self.threads:
            thread.start()

    def _work(self, name, call):
        began = time.monotonic()
        try:
            answer = call()
        except Exception as e:                          # pylint: disable=broad-except
            answer = e
        self.answers[name] = answer, time.monotonic() - began

    def end(self):
        for thread in self.threads:
            thread.join()
        return self.answers


def timed(call, seconds=OTHERS):
    began = time.monotonic()
    answer = call()
    assert time.monotonic() - began < seconds, f'{time.monotonic() - began:.1f} s'
    return answer


def others_do_not_notice(d, alive):
    for path in ('/_ping', '/containers/json?all=1', '/info', f'/containers/{alive}/json', f'/containers/{alive}/logs?stdout=1'):
        assert timed(lambda: d.get(path)).status == 200, path     # pylint: disable=cell-var-from-loop
    exec_id = d.post(f'/containers/{alive}/exec', {'Cmd': ['true']}).json['Id']
    assert timed(lambda: d.post(f'/exec/{exec_id}/start', {'Detach': True}), OTHERS + SLACK).status == 200


def test_systemd_never_replies(own):
    alive, ends, frozen, changed = (run(own, 'sleep', '1000', name=name) for name in ('alive', 'ends', 'frozen', 'changed'))
    new, unwanted = create(own, 'sleep', '1000', name='new'), create(own, 'sleep', '1000', name='unwanted')
    bus = own.bus
    path = f'/org/stauer/Engine1/container/{create(own, "sleep", "1000", name="by-bus")}'
    own.systemd_process.send_signal(signal.SIGSTOP)
    try:
        calls = Background(
            start=lambda: own.post(f'/containers/{new}/start'),
            unwanted=lambda: own.post(f'/containers/{unwanted}/start'),
            pause=lambda: own.post(f'/containers/{frozen}/pause'),
            update=lambda: own.post(f'/containers/{changed}/update', {'RestartPolicy': {'Name': 'always'}}),
            bus=lambda: bus.call(NAME, path, CONTAINER, 'Start', timeout=60))
        others_do_not_notice(own, alive)
        # The container's own end needs no systemd, nor does that of a start that hangs.
        assert timed(lambda: own.post(f'/containers/{ends}/stop?t=1'), VICTIM).status == 204
        assert timed(lambda: own.delete(f'/containers/{unwanted}?force=1'), VICTIM).status == 204
        others_do_not_notice(own, alive)
        answers = calls.end()
    finally:
        own.systemd_process.send_signal(signal.SIGCONT)
    for name in ('start', 'pause', 'update'):
        answer, took = answers[name]
        assert answer.status == 500 and 'systemd' in answer.json['message'], (name, answer.status, answer.data)
        assert took < VICTIM + SLACK, (name, took)
    answer, took = answers['unwanted']
    assert answer.status == 500 and 'given up' in answer.json['message'] and took < VICTIM, (answer.data, took)
    error, took = answers['bus']
    assert isinstance(error, BusError) and error.name == f'{NAME}.Error.Timeout' and took < VICTIM + SLACK, (error, took)
    # All is well when it is back.
    wait_for(lambda: state(own, new)['Status'] in ('created', 'exited'), 'it has not started')
    start(own, new)
    assert state(own, new)['Running'] and state(own, frozen)['Running']


def test_polkit_never_replies(own):
    alive = run(own, 'sleep', '1000')
    own.bus.polkit({'*': 'hang'})
    calls = Background(list=lambda: own.bus.call(NAME, ROOT, MANAGER, 'ListContainers', 'ba{sas}', True, dbus.Dictionary({}, signature='sas'),
                                                 uid=own.bus.other_uid(), timeout=60))
    wait_for(lambda: own.bus.asked(), 'polkit is asked')
    others_do_not_notice(own, alive)
    error, took = calls.end()['list']
    assert isinstance(error, BusError) and error.name == 'org.freedesktop.DBus.Error.AccessDenied' and took < VICTIM + SLACK, (error, took)
    own.bus.polkit({'*': 'yes'})
