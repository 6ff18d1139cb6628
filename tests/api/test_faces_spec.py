# SPDX-License-Identifier: GPL-2.0-or-later
"""What may be asked of a container and what not, through both faces, in dockerd's words."""

import pytest
from faces import FaceError

NONE = {'NetworkMode': 'none'}


def body(host=None, **config):
    return {'Image': 'busybox', 'Cmd': ['true'], 'HostConfig': {**NONE, **(host or {})}, **config}


def refused(kind, text, function, *args, **kwargs):
    with pytest.raises(FaceError) as info:
        function(*args, **kwargs)
    assert (info.value.kind, info.value.text) == (kind, text)


SHARED = 'conflicting options: {} and the network mode'
MOUNT = 'invalid mount config for type "{}": {}'


@pytest.mark.parametrize('host, config, text', [
    ({'PidMode': 'container:'}, {}, 'invalid PID mode: container:'),
    ({'PidMode': 'container:nobody'}, {}, 'No such container: nobody'),
    ({'IpcMode': 'container:nobody'}, {}, 'No such container: nobody'),
    ({'IpcMode': 'x'}, {}, 'invalid IPC mode: x'),
    ({'UTSMode': 'container:x'}, {}, 'invalid UTS mode: container:x'),
    ({'UsernsMode': 'x'}, {}, 'invalid USER mode: x'),
    ({'CgroupnsMode': 'x'}, {}, 'invalid cgroup namespace mode: x'),
    ({'NetworkMode': 'container:'}, {}, 'Invalid network mode: invalid container format container:<name|id>'),
    ({'NetworkMode': 'container:x'}, {'Hostname': 'h'}, SHARED.format('hostname')),
    ({'NetworkMode': 'container:x', 'Dns': ['1.1.1.1']}, {}, SHARED.format('dns')),
    ({'NetworkMode': 'container:x', 'ExtraHosts': ['a:1.1.1.1']}, {}, SHARED.format('custom host-to-IP mapping')),
    ({'NetworkMode': 'container:x'}, {'MacAddress': '02:42:ac:11:00:02'}, SHARED.format('mac-address')),
    ({'NetworkMode': 'host'}, {'MacAddress': '02:42:ac:11:00:02'}, SHARED.format('mac-address')),
    ({'NetworkMode': 'container:x', 'PublishAllPorts': True}, {},
     'conflicting options: port publishing and the container type network mode'),
    ({'NetworkMode': 'container:x'}, {'ExposedPorts': {'80/tcp': {}}},
     'conflicting options: port exposing and the container type network mode'),
    ({'UTSMode': 'host'}, {'Hostname': 'h'}, 'conflicting options: hostname and the UTS mode'),
    ({'StorageOpt': {'size': '1G'}}, {}, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"),
    ({'StorageOpt': {'foo': '1'}}, {}, 'Unknown option foo'),
    ({'Isolation': 'hyperv'}, {}, 'Invalid isolation: "hyperv" - linux only supports \'default\''),
    ({'IOMaximumIOps': 1}, {}, 'Invalid QoS settings: linux does not support configuration of maximum IOPs'),
    ({'CpuRealtimePeriod': 1000}, {}, 'Your kernel does not support CPU real-time scheduler'),
    ({'SecurityOpt': ['foo']}, {}, 'invalid --security-opt 1: "foo"'),
    ({'SecurityOpt': ['foo=bar']}, {}, 'invalid --security-opt 2: "foo=bar"'),
    ({'Tmpfs': {'/x': 'foo=1'}}, {}, 'invalid tmpfs option ["foo" "1"]'),
    ({'Mounts': [{'Type': 'npipe', 'Target': '/x'}]}, {}, MOUNT.format('npipe', 'mount type unknown')),
    ({'Mounts': [{'Type': 'bind', 'Source': '/tmp', 'Target': '/x', 'VolumeOptions': {'NoCopy': True}}]}, {},
     MOUNT.format('bind', 'field VolumeOptions must not be specified')),
    ({'Mounts': [{'Type': 'tmpfs', 'Target': '/x', 'BindOptions': {}}]}, {},
     MOUNT.format('tmpfs', 'field BindOptions must not be specified')),
    ({'LogConfig': {'Type': 'gelf'}}, {}, 'error looking up logging plugin gelf: plugin "gelf" not found'),
    ({'LogConfig': {'Type': 'local', 'Config': {'labels': 'x'}}}, {}, "unknown log opt 'labels' for local log driver"),
    ({'LogConfig': {'Type': 'syslog', 'Config': {'syslog-address': 'x'}}}, {},
     'syslog-address should be in form proto://address, got x'),
])
def test_refused(face, host, config, text):
    refused('Invalid', text, face.create, 'odd', body(host, **config))
    assert face.containers(all=True) == []


@pytest.mark.parametrize('host, warning', [
    ({'OomKillDisable': True}, 'Your kernel does not support OomKillDisable. OomKillDisable discarded.'),
    ({'MemorySwappiness': 200}, 'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. '
     'Memory swappiness discarded.'),
    ({'CpuPercent': 10}, 'linux does not support CPU percent. Percent discarded.'),
    ({'KernelMemory': 10000000}, 'Your kernel does not support kernel memory limit capabilities or the cgroup is not mounted. '
     'Limitation discarded.')])
def test_warned(face, host, warning):
    identity, warnings = face.create('odd', body(host))
    assert warning in warnings
    face.remove(identity)


@pytest.mark.parametrize('host', [
    {'SecurityOpt': ['label=type:x_t', 'label=disable', 'seccomp=builtin', 'no-new-privileges=false']},
    {'Cgroup': 'container:x'}, {'CpuCount': 3}, {'Init': True}, {'UsernsMode': 'host'}, {'NetworkMode': 'container:nobody'},
    {'Tmpfs': {'/x': 'huge=never,size=1m'}}, {'LogConfig': {'Type': 'local', 'Config': {'max-size': '1m', 'max-file': '2'}}}])
def test_taken(face, host):
    identity, warnings = face.create('odd', body(host))
    assert not [w for w in warnings if 'iscarded' in w]
    document = face.inspect(identity)['HostConfig']
    for key, value in host.items():
        assert document[key] == value
    face.remove(identity)


def test_names_become_ids(face):
    donor, _ = face.create('donor', body())
    modes = {key: 'container:donor' for key in ('PidMode', 'IpcMode', 'NetworkMode')}
    identity, _ = face.create('guest', body(modes))
    document = face.inspect(identity)
    assert {document['HostConfig'][key] for key in modes} == {f'container:{donor}'}
    assert document['HostsPath'].endswith(f'/{donor}/hosts')
    refused('Conflict', f'cannot join network of a non running container: {donor}', face.start, identity)
    other, _ = face.create('other', body({'IpcMode': 'container:donor'}))
    refused('Conflict', f"can't join IPC of container {donor}: container {donor} is not running", face.start, other)
    for name in ('guest', 'other', 'donor'):
        face.remove(name)
