# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices by name: files of the container device interface, with the stock docker client."""

import json
from pathlib import Path

import pytest

import host
from test_spec import docker, output, refused

pytestmark = pytest.mark.usefixtures('clean', 'busybox')

SPEC = """
cdiVersion: "0.6.0"
kind: example.com/thing
containerEdits:
  env: ["THING=all"]
devices:
  - name: 0
    containerEdits:
      env: ["NUMBER=zero"]
      deviceNodes:
        - {path: /dev/thing, hostPath: /dev/stauer-thing, fileMode: 0640}
        - {path: /dev/described, type: b, major: 7, minor: 201, permissions: r}
      mounts:
        - {hostPath: /run/thing.txt, containerPath: /opt/thing/file, options: [ro, nosuid, bind]}
      hooks:
        - {hookName: createRuntime, path: /bin/sh, args: [sh, -c, "cat > /run/thing.hook"]}
      additionalGids: [4711]
  - name: other
    containerEdits: {}
"""


@pytest.fixture
def thing():
    folder = Path('/etc/cdi')
    folder.mkdir(exist_ok=True)
    (folder / 'thing.yaml').write_text(SPEC)
    Path('/run/thing.txt').write_text('of the host\n')
    host.run('mknod', '/dev/stauer-thing', 'c', '1', '11')
    yield
    for path in ('/dev/stauer-thing', '/etc/cdi/thing.yaml', '/run/thing.txt', '/run/thing.hook'):
        Path(path).unlink(missing_ok=True)


def test_a_device_by_name(thing):
    script = ('echo $THING $NUMBER; cat /opt/thing/file; exec 3> /dev/thing && echo open; stat -c "%a %u %g" /dev/thing; id -G; '
              'stat -c "%t:%T" /dev/described; echo x > /opt/thing/file || echo refused')
    said = output('--device', 'example.com/thing=0', script=script).splitlines()
    assert said[:3] == ['all zero', 'of the host', 'open'], said
    assert said[3] == '640 0 0' and '4711' in said[4].split() and said[5:] == ['7:c9', 'refused'], said
    assert json.loads(Path('/run/thing.hook').read_text())['ociVersion']
    said = output('--device', 'example.com/thing=0', '--user', '5:6', script='stat -c "%a %u %g" /dev/thing')
    assert said == '640 5 6'


def test_what_there_is(rest, thing):
    info = rest.get('/v1.50/info').json
    assert info['CDISpecDirs'] == ['/etc/cdi', '/var/run/cdi']
    assert [d['ID'] for d in info['DiscoveredDevices'] if d['Source'] == 'cdi'] == ['example.com/thing=0', 'example.com/thing=other']
    assert 'DiscoveredDevices' not in rest.get('/v1.49/info').json


def test_devices_that_are_not_there(thing):
    said = refused('--device', 'example.com/thing=1', '--device', 'example.com/thing=0')
    assert 'CDI device injection failed: unresolvable CDI devices example.com/thing=1' in said
    assert 'could not select device driver "" with capabilities: [[gpu]]' in refused('--gpus', 'all')
    ident = docker('create', '--gpus', 'all', 'busybox')
    assert 'could not select device driver' in docker('start', ident, code=1)
    assert host.stauer('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', ident).stdout.strip() == 'created 128'
