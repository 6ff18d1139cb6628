# SPDX-License-Identifier: GPL-2.0-or-later
"""What the stock clients show of containers and the system: stats, sizes, events, filters; and the same over TCP with certificates."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import dbus
import pytest

import host
from common.rest import Rest
from common.wait import wait_for

pytestmark = pytest.mark.usefixtures('clean')

CLIENTS = {name: path for name, path in (('new', '/usr/local/bin/docker'), ('20.10', '/opt/docker-20.10/docker')) if os.access(path, os.X_OK)}
CONF = Path('/etc/systemd/system/stauer.service.d/tls.conf')


@pytest.fixture(params=CLIENTS or ['none'])
def docker(request, busybox):
    if request.param == 'none':
        pytest.skip('there is no docker client here')
    env = {'PATH': os.environ['PATH'], 'DOCKER_CONFIG': '/nonexistent', 'DOCKER_CLI_HINTS': 'false'}

    def docker(*words, code=0):
        done = subprocess.run([CLIENTS[request.param], *map(str, words)], env=env, cwd='/', capture_output=True, text=True, timeout=90,
                              check=False)
        assert done.returncode == code, f'docker {words}: {done.returncode}\n{done.stdout}{done.stderr}'
        return done.stdout.rstrip('\n') if code == 0 else done.stderr

    return docker


def test_what_is_seen(docker):
    began = f'{time.time():.6f}'
    busy = docker('run', '-d', '--name', 'busy', '--network', 'none', '--label', 'a=b', '--expose', '80', 'busybox', 'sh', '-c',
                  'head -c 50000 /dev/zero >/file; while :; do :; done')
    docker('create', '--name', 'idle', '--network', 'none', 'busybox', 'true')
    docker('run', '--name', 'ended', '-d', '--network', 'none', 'busybox', 'sh', '-c', 'exit 5')
    docker('wait', 'ended')

    rows = docker('stats', '--no-stream', '--format', '{{.Name}} {{.CPUPerc}} {{.PIDs}} {{.NetIO}}').splitlines()
    assert len(rows) == 1 and re.match(r'busy [\d.]+% \d+ ', rows[0])
    wait_for(lambda: float(docker('stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy').rstrip('%')) > 1, 'it is busy', timeout=60)
    assert 'idle' in docker('stats', '--no-stream', '-a')

    text = docker('system', 'df')
    assert re.search(r'Images +1 +1 ', text) and re.search(r'Containers +3 +1 +5[0-9]kB', text), text
    assert re.search(r'busy', docker('system', 'df', '-v'))
    wait_for(lambda: docker('ps', '-s', '--filter', 'name=busy', '--format', '{{.Size}}').startswith('50kB (virtual '), 'size')
    document = json.loads(docker('inspect', '-s', 'busy'))[0]
    assert document['SizeRw'] >= 50000 and document['SizeRootFs'] > 1000000

    def names(*filters):
        return docker('ps', '-a', '--format', '{{.Names}}', *[word for f in filters for word in ('--filter', f)]).split()

    assert names('label=a=b') == ['busy'] == names('status=running') == names('expose=80') == names('expose=70-90/tcp')
    assert names('exited=5') == ['ended'] and names('status=created') == ['idle'] and names('before=idle') == ['busy']
    assert names('ancestor=busybox', 'name=^/i') == ['idle'] and names('volume=/x') == [] == names('publish=80')
    assert 'invalid filter' in docker('ps', '--filter', 'nonsense=1', code=1)

    lines = docker('events', '--since', began, '--until', f'{time.time():.6f}', '--filter', 'type=container', '--format',
                   '{{.Actor.Attributes.name}} {{.Action}}').splitlines()
    assert [line for line in lines if line.startswith('ended')] == ['ended create', 'ended start', 'ended die']
    assert docker('events', '--since', began, '--until', f'{time.time():.6f}', '--filter', f'container={busy}', '--filter', 'event=start',
                  '--format', '{{.Action}}') == 'start'


def test_figures_over_the_bus(busybox):
    host.stauer('run', '-d', '--name', 'busy', '--network', 'none', 'busybox', 'sh', '-c', 'while :; do :; done')
    ident = host.inspect('busy')['Id']
    with subprocess.Popen(['busctl', 'monitor', '--json=short', '--match=type=signal,member=StatsChanged'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as monitor:
        assert 'Monitoring' in monitor.stderr.readline()
        bus = dbus.SystemBus(private=True)
        bus.call_blocking('org.stauer.Engine1', '/org/stauer/Engine1', 'org.stauer.Engine1.Manager', 'SubscribeStats', 'as', ([],))
        seen = []
        while len(seen) < 3:
            message = json.loads(monitor.stdout.readline())
            if message.get('member') == 'StatsChanged':
                seen.append({row[0]: row[2] for row in message['payload']['data'][0]}[ident])
        monitor.terminate()
        bus.close()
    assert seen[0]['CPUUsageNSec'] < seen[1]['CPUUsageNSec'] < seen[2]['CPUUsageNSec']
    v = Rest().get('/containers/busy/stats?stream=0&one-shot=1').json
    assert v['cpu_stats']['cpu_usage']['total_usage'] >= seen[2]['CPUUsageNSec']
    # The figures are the container's alone, as its own cgroup has them.
    text = (host.control_group('busy') / 'container/cpu.stat').read_text()
    assert int(text.split()[1]) * 1000 >= v['cpu_stats']['cpu_usage']['total_usage']


@pytest.fixture
def certificates(tmp_path):
    """The daemon serves TCP with them until the end of the test."""
    def openssl(*words):
        host.run('openssl', *words, cwd=tmp_path)

    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 2, '-subj', '/CN=ca', '-keyout', 'ca-key.pem', '-out', 'ca.pem')
    for name, extension in (('server', 'subjectAltName=IP:127.0.0.1'), ('client', 'extendedKeyUsage=clientAuth')):
        (tmp_path / 'ext').write_text(extension)
        openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', f'/CN={name}', '-keyout', f'{name}-key.pem', '-out', 'csr')
        openssl('x509', '-req', '-in', 'csr', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', 2, '-extfile', 'ext',
                '-out', f'{name}.pem')
    folder = Path('/etc/stauer-test')
    folder.mkdir(exist_ok=True)
    for path in tmp_path.glob('*.pem'):
        (folder / path.name).write_bytes(path.read_bytes())
    CONF.parent.mkdir(exist_ok=True)
    CONF.write_text('[Service]\nExecStart=\nExecStart=/usr/sbin/stauerd -H fd:// -H tcp://127.0.0.1:2376 --tlsverify '
                    f'--tlscacert={folder}/ca.pem --tlscert={folder}/server.pem --tlskey={folder}/server-key.pem\n')
    host.run('systemctl', 'daemon-reload')
    host.run('systemctl', 'restart', 'stauer.service')
    yield folder
    CONF.unlink()
    host.run('systemctl', 'daemon-reload')
    host.run('systemctl', 'restart', 'stauer.service')


def test_over_tls(docker, certificates):
    words = ['-H', 'tcp://127.0.0.1:2376', '--tlsverify', f'--tlscacert={certificates}/ca.pem']
    mine = [*words, f'--tlscert={certificates}/client.pem', f'--tlskey={certificates}/client-key.pem']
    assert 'Server: Stauer' in docker(*mine, 'version')
    docker(*mine, 'run', '-d', '--name', 'far', '--network', 'none', 'busybox', 'sh', '-c', 'echo hello; exit 4')
    assert docker(*mine, 'wait', 'far') == '4' and docker(*mine, 'logs', '-f', 'far') == 'hello'
    assert docker('ps', '-aq') == docker(*mine, 'ps', '-aq')
    assert docker(*mine, 'run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', 'echo attached; exit 0') == 'attached'
    text = docker(*words, f'--tlscert={certificates}/server.pem', f'--tlskey={certificates}/client-key.pem', 'ps', code=1)
    assert 'private key does not match' in text or 'tls' in text.lower()
    assert docker(*words, '--tlscert=/nowhere', '--tlskey=/nowhere', 'ps', code=1)
    assert 'ertificate' in docker(*words, 'ps', code=1)
