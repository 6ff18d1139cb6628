# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody does to a scope by systemctl: a stop is a stop, a signal is a signal, and a shutdown of the host is neither."""

import signal

import dbus
import dbus.bus
import pytest
from engine import run, start, state
from private_bus import wait_for
from test_faces_containers import body
from test_restart_policy import policy


def systemctl(d, method, container, *words):
    bus = dbus.bus.BusConnection(d.bus.address)
    try:
        manager = bus.get_object('org.freedesktop.systemd1', '/org/freedesktop/systemd1')
        getattr(manager, method)(f'docker-{container}.scope', *words, dbus_interface='org.freedesktop.systemd1.Manager')
    finally:
        bus.close()


def begin(face, name, *command, **host):
    face.create(name, body(*command, host=host))
    face.start(name)
    return face.inspect(name)['Id']


def rests(face, name):
    wait_for(lambda: face.inspect(name)['State']['Status'] == 'exited', 'it rests')


@pytest.mark.parametrize('command', [('sleep', '1000'), ('sh', '-c', "trap 'sleep 0.5; exit 3' TERM; while :; do sleep 0.1; done")])
@pytest.mark.parametrize('name', ['always', 'unless-stopped', 'on-failure', 'no'])
def test_stop_is_a_stop(face, command, name):
    identity = begin(face, 'job', *command, **policy(name))
    with face.watch({'type': ['container'], 'container': [identity]}) as events:
        systemctl(face.daemon, 'StopUnit', identity, 'replace')
        events.wait('die', 'stop')
    rests(face, 'job')
    assert face.inspect('job')['State']['ExitCode'] in (3, 143) and face.inspect('job')['RestartCount'] == 0
    face.start('job')
    assert face.inspect('job')['State']['Status'] == 'running'
    face.remove('job', force=True)


def test_a_signal_is_none(face):
    identity = begin(face, 'job', 'sleep', '1000', **policy('always'))
    systemctl(face.daemon, 'KillUnit', identity, 'all', dbus.Int32(signal.SIGKILL))
    wait_for(lambda: face.inspect('job')['RestartCount'] == 1 and face.inspect('job')['State']['Status'] == 'running', 'it runs again')
    face.remove('job', force=True)


def test_the_engines_own_jobs_are_no_news(face):
    identity = begin(face, 'job', 'sleep', '1000')
    with face.watch({'type': ['container'], 'container': [identity]}) as events:
        face.stop('job')
        face.start('job')
        events.wait('kill', 'die', 'stop', 'start')
    face.remove('job', force=True)


def test_after_the_daemons_restart(own):
    """As after docker stop: always means always."""
    always = run(own, 'sleep', '1000', host=policy('always'))
    unless = run(own, 'sleep', '1000', host=policy('unless-stopped'))
    for container in (always, unless):
        systemctl(own, 'StopUnit', container, 'replace')
        wait_for(lambda c=container: state(own, c)['Status'] == 'exited', 'it rests')
    own.kill()
    own.start()
    wait_for(lambda: state(own, always)['Status'] == 'running', 'always means always')
    assert state(own, unless)['Status'] == 'exited'
    start(own, unless)


def test_shutdown_of_the_host(own):
    """systemd stops everything: nothing starts meanwhile, and after the boot all go on that no person has stopped."""
    pausing = run(own, 'sh', '-c', 'exit 1', host=policy('always'))
    some = [run(own, 'sleep', '1000', host=policy(name)) for name in ('always', 'unless-stopped', 'on-failure')]
    plain = run(own, 'sleep', '1000')
    wait_for(lambda: state(own, pausing)['Status'] == 'restarting', 'a pause')
    own.systemd({'state': 'stopping'})
    for container in (*some, plain):
        systemctl(own, 'StopUnit', container, 'replace')
    wait_for(lambda: all(state(own, c)['Pid'] == 0 for c in (*some, plain)), 'all have ended')
    began = len([row for row in own.systemd_asked() if row['call'] == 'start'])
    # As long as several pauses would be.
    wait_for(lambda: state(own, pausing)['Pid'] == 0, 'it has ended too')
    with pytest.raises(AssertionError):
        wait_for(lambda: len([row for row in own.systemd_asked() if row['call'] == 'start']) > began + 1, 'a storm', 2)
    assert state(own, plain)['Status'] == 'exited'
    own.kill()
    own.systemd({})
    own.start()
    for container in some:
        wait_for(lambda c=container: state(own, c)['Status'] == 'running', 'it goes on')
    assert state(own, plain)['Status'] == 'exited'
