# SPDX-License-Identifier: GPL-2.0-or-later
"""A monitor dies: its container is ended and told as such, and no other notices."""

import os
import signal
import time

import host
from common.wait import wait_for
from host import run
from load import UNIT, begin, log, monitor_of, state

def test_a_monitor_is_killed(rest):
    others = [begin(rest, f'other-{n}', 'sleep', '1000') for n in range(3)]
    took = []
    for n in range(8):
        ident = begin(rest, 'victim', 'sh', '-c', 'sleep 1000 & echo said; exec sleep 1000')
        wait_for(lambda: 'said' in log(rest, 'victim'), 'it runs')
        began = time.monotonic()
        os.kill(monitor_of(ident), signal.SIGKILL)
        answer = rest.post('/containers/victim/wait')
        took.append(time.monotonic() - began)
        assert answer.json['StatusCode'] == 255
        now = state(rest, 'victim')
        assert now['Status'] == 'exited' and now['ExitCode'] == 255 and 'monitor' in now['Error'], now
        assert not host.processes_of(ident), 'its processes are gone when it is said to have exited'
        assert log(rest, 'victim') == 'said\n'
        if n % 2:                                       # and it can be started again at once
            assert rest.post('/containers/victim/start').status == 204
            assert state(rest, 'victim')['Running']
        assert rest.delete('/containers/victim?force=1').status == 204
    print(f'a killed monitor is reported after {max(took):.3f} s (worst of {len(took)})')
    assert max(took) < 2
    assert all(state(rest, other)['Running'] for other in others)


def test_monitors_are_killed_while_the_daemon_is_away(rest):
    victims = [begin(rest, f'victim-{n}', 'sleep', '1000') for n in range(3)]
    other = begin(rest, 'other', 'sleep', '1000')
    run('systemctl', 'stop', 'stauer.socket', UNIT)
    try:
        for victim in victims:
            os.kill(monitor_of(victim), signal.SIGKILL)
    finally:
        run('systemctl', 'start', 'stauer.socket', UNIT)
    for victim in victims:
        assert rest.post(f'/containers/{victim}/wait').json['StatusCode'] == 255
        assert not host.processes_of(victim)
        assert 'monitor' in state(rest, victim)['Error']
    assert state(rest, other)['Running']
