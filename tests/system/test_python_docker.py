# SPDX-License-Identifier: GPL-2.0-or-later
"""python3-docker of Debian against the engine: what scripts, Ansible and Buildbot do with it."""

import io
import tarfile
import time

import docker
import pytest

import host


@pytest.fixture
def client(busybox, clean):
    connection = docker.from_env(timeout=30)
    yield connection
    connection.close()


def background(client, *command, **more):
    return client.containers.run('busybox', list(command) or ['sleep', '1000'], detach=True, network_mode='none', **more)


def test_version_is_negotiated(busybox):
    client = docker.DockerClient(base_url='unix:///run/docker.sock', version='auto')
    assert client.version()['Os'] == 'linux'
    assert client.info()['OSType'] == 'linux'
    assert client.ping()
    client.close()


def test_run_gives_the_output_and_removes(client):
    assert client.containers.run('busybox', 'echo hello', network_mode='none', remove=True) == b'hello\n'
    assert client.containers.list(all=True) == []


def test_run_that_fails_has_the_code_and_the_words(client):
    with pytest.raises(docker.errors.ContainerError) as caught:
        client.containers.run('busybox', ['sh', '-c', 'echo sorry >&2; exit 3'], network_mode='none', remove=True)
    assert caught.value.exit_status == 3
    assert b'sorry' in caught.value.stderr


def test_unknown_image_and_container_are_typed(client):
    with pytest.raises(docker.errors.NotFound):
        client.containers.get('nobody')
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get('nothing')


def test_life_of_a_container(client):
    container = background(client, name='life', labels={'a': 'b'}, environment={'K': 'V'})
    assert container.status in ('created', 'running')
    container.reload()
    assert container.status == 'running'
    container.pause()
    container.reload()
    assert container.status == 'paused'
    container.unpause()
    container.rename('other')
    container.reload()
    assert container.name == 'other'
    container.restart(timeout=0)
    container.reload()
    assert container.status == 'running'
    assert [c.id for c in client.containers.list(filters={'label': 'a=b'})] == [container.id]
    container.kill()
    assert container.wait()['StatusCode'] == 137
    container.remove(v=True)
    assert client.containers.list(all=True) == []


def test_exec_and_its_code(client):
    container = background(client)
    code, output = container.exec_run(['sh', '-c', 'echo out; echo err >&2; exit 4'], demux=True)
    assert (code, output) == (4, (b'out\n', b'err\n'))
    code, output = container.exec_run(['sh', '-c', 'id -u; pwd; echo $X'], user='33', workdir='/tmp', environment=['X=y'])
    assert (code, output) == (0, b'33\n/tmp\ny\n')
    code, output = container.exec_run(['nothing-like-that'])
    assert code == 127
    assert b'executable file not found' in output


def test_exec_code_is_there_when_the_stream_ends(client):
    container = background(client)
    for number in range(20):
        ident = client.api.exec_create(container.id, ['sh', '-c', f'exit {number}'])['Id']
        client.api.exec_start(ident)
        inspected = client.api.exec_inspect(ident)
        assert (inspected['Running'], inspected['ExitCode']) == (False, number)


def test_attach_with_a_socket_talks_both_ways(client):
    container = client.containers.create('busybox', ['sh', '-c', 'read line; echo got $line'], stdin_open=True,
                                         network_mode='none')
    socket = container.attach_socket(params={'stdin': 1, 'stdout': 1, 'stream': 1})
    container.start()
    socket._sock.sendall(b'this\n')
    data = b''
    while piece := socket._sock.recv(4096):
        data += piece
    assert data == b'\x01\0\0\0\0\0\0\x09got this\n'
    assert container.wait()['StatusCode'] == 0


def test_attached_stream_has_it_all(client):
    container = background(client, 'sh', '-c', 'seq 1 5000')
    assert b''.join(container.logs(stream=True, follow=True)) == ''.join(f'{n}\n' for n in range(1, 5001)).encode()
    container.wait()
    assert container.logs(tail=2) == b'4999\n5000\n'


def test_archive_both_ways(client):
    container = background(client)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode='w') as tar:
        info = tarfile.TarInfo('there')
        info.size = 5
        tar.addfile(info, io.BytesIO(b'words'))
    assert container.put_archive('/tmp', stream.getvalue())
    assert container.exec_run('cat /tmp/there').output == b'words'
    pieces, stat = container.get_archive('/tmp/there')
    assert (stat['name'], stat['size']) == ('there', 5)
    with tarfile.open(fileobj=io.BytesIO(b''.join(pieces))) as tar:
        assert tar.extractfile('there').read() == b'words'


def test_diff_export_commit(client):
    container = background(client, 'sh', '-c', 'echo new >/tmp/new; sleep 1000')
    deadline = time.monotonic() + 5
    while {'Path': '/tmp/new', 'Kind': 1} not in (container.diff() or []):
        assert time.monotonic() < deadline
    with tarfile.open(fileobj=io.BytesIO(b''.join(container.export()))) as tar:
        assert tar.extractfile('tmp/new').read() == b'new\n'
    image = container.commit('made', 'here', changes='ENV ADDED=1')
    try:
        assert client.containers.run(image.id, ['sh', '-c', 'cat /tmp/new; echo $ADDED'], network_mode='none',
                                     remove=True) == b'new\n1\n'
    finally:
        client.images.remove('made:here', force=True)


def test_stats_top_update(client):
    container = background(client)
    once = container.stats(stream=False)
    assert once['id'] == container.id
    assert once['cpu_stats']['cpu_usage']['total_usage'] > 0
    stream = container.stats(decode=True)
    first, second = next(stream), next(stream)
    assert second['preread'] == first['read']
    stream.close()
    top = container.top()
    assert 'PID' in top['Titles']
    assert any('sleep 1000' in ' '.join(row) for row in top['Processes'])
    assert container.update(restart_policy={'Name': 'on-failure', 'MaximumRetryCount': 2})['Warnings'] in (None, [])
    container.reload()
    assert container.attrs['HostConfig']['RestartPolicy'] == {'Name': 'on-failure', 'MaximumRetryCount': 2}


def test_events_in_order(client):
    since = int(time.time())
    container = background(client, 'true', name='seen')
    container.wait()
    container.remove()
    until = int(time.time()) + 1
    actions = [e['Action'] for e in client.events(since=since, until=until, decode=True,
                                                  filters={'type': 'container', 'container': container.id})]
    wanted = ['create', 'start', 'die', 'destroy']
    assert [a for a in actions if a in wanted] == wanted


def test_prune(client):
    kept = background(client)
    gone = client.containers.create('busybox', 'true', network_mode='none')
    answer = client.containers.prune()
    assert answer['ContainersDeleted'] == [gone.id]
    assert [c.id for c in client.containers.list(all=True)] == [kept.id]


def test_health(client):
    container = background(client, healthcheck={'test': ['CMD-SHELL', 'test ! -e /sick'], 'interval': 200_000_000,
                                                'retries': 1})

    def health(wanted):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            container.reload()
            if container.attrs['State']['Health']['Status'] == wanted:
                return True
        return False

    assert health('healthy')
    container.exec_run('touch /sick')
    assert health('unhealthy')


def test_disk_usage(client):
    container = background(client)
    usage = client.df()
    assert container.id in [c['Id'] for c in usage['Containers']]
    assert usage['LayersSize'] > 0
    assert host.inspect(container.id)['Id'] == container.id


def test_networks_volumes_and_ports(client):
    since = int(time.time())
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet='172.31.30.0/24', gateway='172.31.30.1')])
    network = client.networks.create('snakes', driver='bridge', ipam=pool, labels={'made': 'here'}, check_duplicate=True)
    volume = client.volumes.create('nest', labels={'made': 'here'})
    container = client.containers.create('busybox', ['sh', '-c', 'echo egg >/nest/index.html; exec httpd -f -h /nest'], stop_signal='KILL',
                                         volumes={'nest': {'bind': '/nest', 'mode': 'rw'}}, ports={'80/tcp': ('127.0.0.1', 18380), '81/udp': None})
    client.networks.get('bridge').disconnect(container)
    network.connect(container, ipv4_address='172.31.30.9', aliases=['adder'])
    container.start()
    container.reload()
    assert container.attrs['NetworkSettings']['Networks']['snakes']['IPAddress'] == '172.31.30.9'
    assert container.ports['80/tcp'] == [{'HostIp': '127.0.0.1', 'HostPort': '18380'}] and int(container.ports['81/udp'][0]['HostPort']) > 1024
    assert client.containers.run('busybox', 'wget -qO- http://adder/', network='snakes', remove=True) == b'egg\n'
    network.reload()
    assert network.containers == [container] and client.networks.list(names=['snakes'], greedy=True)[0].containers == [container]
    with pytest.raises(docker.errors.APIError) as caught:
        volume.remove()
    assert caught.value.status_code == 409
    with pytest.raises(docker.errors.APIError) as caught:
        network.remove()
    assert caught.value.status_code == 403
    network.disconnect(container)
    container.remove(force=True)
    assert client.volumes.list(filters={'dangling': True, 'label': 'made=here'}) == [volume]
    assert client.networks.prune(filters={'label': 'made=here'})['NetworksDeleted'] == ['snakes']
    assert client.volumes.prune(filters={'all': 'true', 'label': 'made=here'})['VolumesDeleted'] == ['nest']
    seen = [(e['Type'], e['Action']) for e in client.events(since=since, until=int(time.time()) + 1, decode=True)
            if e['Actor']['ID'] in (network.id, 'nest')]
    for kind, actions in (('network', ('create', 'connect', 'disconnect', 'destroy')), ('volume', ('create', 'mount', 'unmount', 'destroy'))):
        assert [seen.index((kind, action)) for action in actions] == sorted(seen.index((kind, action)) for action in actions)
