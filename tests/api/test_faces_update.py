# SPDX-License-Identifier: GPL-2.0-or-later
"""Update, top and prune through both faces."""

import pytest
from faces import CONTAINER, ROOT
from private_bus import wait_for
from test_faces_containers import body, refused, run


def host(face, name):
    return face.inspect(name)['HostConfig']


def asked(face):
    return [row for row in face.daemon.systemd_asked() if row['call'] == 'set']


def test_update_of_one_that_rests(face):
    identity, _ = face.create('rests', body('true'))
    with face.watch({'type': ['container']}) as events:
        face.update('rests', {'CpuShares': 512, 'RestartPolicy': {'Name': 'on-failure', 'MaximumRetryCount': 3}})
        assert events.wait('update')[0][2] == identity
    assert host(face, 'rests')['RestartPolicy'] == {'Name': 'on-failure', 'MaximumRetryCount': 3}
    face.update('rests', {'RestartPolicy': {'Name': ''}, 'Memory': 0})   # nothing
    assert host(face, 'rests')['RestartPolicy']['Name'] == 'on-failure'
    face.remove('rests')


def test_update_of_one_that_runs_goes_to_systemd(face):
    identity = run(face, 'works', 'sleep', '1000')
    before = len(asked(face))
    warnings = face.update('works', {'PidsLimit': 77, 'RestartPolicy': {'Name': 'always'}})
    row = asked(face)[before]
    assert row['name'] == f'docker-{identity}.scope' and row['runtime'] is True
    limited = not any('PIDs' in w for w in warnings)
    assert row['properties']['TasksMax'] == (77 + 64 if limited else 2**64 - 1)
    assert host(face, 'works')['PidsLimit'] == (77 if limited else None)
    assert host(face, 'works')['RestartPolicy']['Name'] == 'always'
    face.kill('works', 'TERM')
    face.remove('works', force=True)


def test_a_policy_that_is_taken_back_ends_the_restarts(face):
    run(face, 'loops', 'sh', '-c', 'exit 1', host={'RestartPolicy': {'Name': 'always'}})
    wait_for(lambda: face.inspect('loops')['RestartCount'] >= 3, 'some restarts')
    face.update('loops', {'RestartPolicy': {'Name': 'no'}})
    wait_for(lambda: face.inspect('loops')['State']['Status'] == 'exited', 'it rests')
    face.remove('loops')


def test_systemd_refuses_an_update(face):
    identity = run(face, 'works', 'sleep', '1000')
    face.daemon.systemd({'set': 'refuse'})
    try:
        refused('Forbidden', f'Cannot update container {identity}: systemd could not change docker-{identity}.scope: not today',
                face.update, 'works', {'RestartPolicy': {'Name': 'always'}})
    finally:
        face.daemon.systemd({})
    assert host(face, 'works')['RestartPolicy']['Name'] == 'no'
    face.remove('works', force=True)


@pytest.mark.parametrize('given, wish, kind, text', [
    ({'AutoRemove': True}, {'RestartPolicy': {'Name': 'always'}}, 'Conflict',
     'Restart policy cannot be updated because AutoRemove is enabled for the container'),
    ({}, {'RestartPolicy': {'Name': 'x'}}, 'Invalid',
     "invalid restart policy: unknown policy 'x'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"),
    ({}, {'Memory': 1}, 'Conflict', 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the '
     'same time'),
])
def test_what_is_refused(face, given, wish, kind, text):
    identity, _ = face.create('strict', body('true', host=given))
    refused(kind, f'Cannot update container {identity}: {text}', face.update, 'strict', wish)
    face.remove('strict')


def test_top(face):
    identity = run(face, 'busy', 'sleep', '1000')
    with face.watch({'type': ['container']}) as events:
        titles, rows = face.top('busy')
        assert events.wait('top')[0][2] == identity
    assert 'PID' in titles and len(rows) == 1 and len(rows[0]) == len(titles)
    assert rows[0][titles.index('PID')] == str(face.inspect('busy')['State']['Pid'])
    titles, rows = face.top('busy', '-o pid,comm')
    assert titles == ['PID', 'COMMAND'] and rows[0][1] == 'sleep'
    with pytest.raises(Exception, match="Couldn't find PID field in ps output"):
        face.top('busy', '-o comm')
    with pytest.raises(Exception, match='ps: error: '):
        face.top('busy', '--nonsense')
    with pytest.raises(Exception, match='specifying "ppid=PID" is not allowed'):
        face.top('busy', '-o ppid=PID')
    face.kill('busy')
    refused('Conflict', f'container {identity} is not running', face.top, 'busy')
    face.remove('busy')


def test_prune(face):
    run(face, 'stays', 'sleep', '1000')
    for name, label in (('one', 'a'), ('two', 'b'), ('three', 'b')):
        face.create(name, body('true', Labels={label: '1'}))
    one, two, three = (face.inspect(name)['Id'] for name in ('one', 'two', 'three'))
    with face.watch({'type': ['container']}) as events:
        ids, bytes_ = face.prune({'label': ['a']})
        assert ids == [one] and bytes_ >= 0
        assert events.wait('destroy', 'prune')[1][3]['reclaimed'] == str(bytes_)
    assert face.prune({'until': ['10m']})[0] == []
    assert sorted(face.prune({'label!': ['c']})[0]) == sorted([two, three])
    assert face.prune()[0] == []
    assert [row[1] for row in face.containers(all=True)] == ['stays']
    refused('Invalid', "invalid filter 'name'", face.prune, {'name': ['x']})
    face.remove('stays', force=True)


def test_limits_are_properties(bus):
    """Named as at create, and news of them comes however they were changed."""
    identity, _ = bus.create('limited', {**body('true'), 'HostConfig': {'NetworkMode': 'none', 'RestartPolicy': {'Name': 'on-failure', 'MaximumRetryCount': 2}}})
    path = f'{ROOT}/container/{identity}'
    before = bus.properties(path, CONTAINER)
    assert before['MemoryMax'] == before['MemorySwapMax'] == before['CPUQuotaPerSecUSec'] == before['TasksMax'] == 2**64 - 1
    assert (before['CPUShares'], before['AllowedCPUs'], before['RestartPolicy'], before['RestartMaximumRetries']) == (0, '', 'on-failure', 2)
    wish = {'RestartPolicy': {'Name': 'always'}, 'Memory': 64 << 20, 'MemorySwap': -1, 'CpuShares': 77, 'CpusetCpus': '0', 'PidsLimit': 99}
    assert bus.daemon.post(f'/containers/{identity}/update', wish).status == 200
    limits = host(bus, 'limited')
    expected = {'RestartPolicy': 'always', 'RestartMaximumRetries': 0, 'MemoryMax': limits['Memory'] or 2**64 - 1, 'CPUShares': limits['CpuShares'],
                'AllowedCPUs': limits['CpusetCpus'], 'TasksMax': limits['PidsLimit'] or 2**64 - 1}
    _, _, _, (interface, changed, _) = bus.signal(lambda s: s[0] == path and s[2] == 'PropertiesChanged' and s[3][1].get('RestartPolicy') == 'always',
                                                  'news of the limits')
    assert interface == CONTAINER and {k: changed[k] for k in expected} == expected
    now = bus.properties(path, CONTAINER)
    assert {k: now[k] for k in expected} == expected
    bus.remove('limited')
