# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks: `run` with one, what goes through a published port from another machine, and a start beside many that publish. The peer's
daemon gets its own bridge and its own rules for these rows: without them it would do less than it does for everybody."""

import contextlib
import json
import statistics
import subprocess
import time
from pathlib import Path

from measure import DOCKER_PEER, STAUER, bare, hyperfine, podman, rows, run, table, timed
from rows_life import engines

DROP_IN = Path('/run/systemd/system/peer-dockerd.service.d/bench.conf')
DAEMON = ('/usr/sbin/dockerd --host unix:///run/peer-docker.sock --data-root /var/lib/peer/docker --exec-root /run/peer-docker '
          '--pidfile /run/peer-docker.pid --bip 10.199.0.1/16')
OUTSIDE, HOST = 'bench-outside', '198.18.7.1'   # a namespace that stands for another machine, and we as it sees us
PROGRAMS = ('-v', '/usr:/usr:ro', '-v', '/lib:/lib:ro', '-v', '/lib64:/lib64:ro')
TRANSFER_SECONDS = 3


@contextlib.contextmanager
def peer_with_network():
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(f'[Service]\nExecStart=\nExecStart={DAEMON}\n')
    try:
        run('systemctl', 'daemon-reload')
        run('systemctl', 'restart', 'peer-dockerd.service')
        # It drops what others forward when it was the first to turn forwarding on.
        run('iptables', '-P', 'FORWARD', 'ACCEPT')
        yield
    finally:
        DROP_IN.unlink()
        run('systemctl', 'daemon-reload')
        run('systemctl', 'restart', 'peer-dockerd.service')


def bench_bridge(options, folder):
    with peer_with_network():
        competitors = {f'{name} run --rm': (*words, 'run', '--rm', 'busybox', 'true') for name, words in engines().items()}
        competitors['bare unshare + chroot'] = bare(folder / 'rootfs')
        table('`run --rm busybox true`, bridge network', hyperfine(competitors, options.runs, folder), 'bare unshare + chroot')


@contextlib.contextmanager
def outside():
    run('ip', 'netns', 'add', OUTSIDE)
    try:
        run('ip', 'link', 'add', 'bench0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', OUTSIDE)
        run('ip', 'address', 'add', f'{HOST}/24', 'dev', 'bench0')
        run('ip', 'link', 'set', 'bench0', 'up')
        for words in (('address', 'add', '198.18.7.2/24', 'dev', 'eth0'), ('link', 'set', 'eth0', 'up'), ('link', 'set', 'lo', 'up')):
            run('ip', '-n', OUTSIDE, *words)
        yield lambda *words: run('ip', 'netns', 'exec', OUTSIDE, *words)
    finally:
        run('ip', 'netns', 'delete', OUTSIDE)


def eventually(function):
    for _ in range(100):
        result = function()
        if result is not None:
            return result
        time.sleep(0.1)
    raise TimeoutError('a server in a container does not answer')


def transfer(inside, port, backwards):
    """Gbit/s; None: it does not listen yet."""
    try:
        text = inside('iperf3', '-c', HOST, '-p', port, '-t', TRANSFER_SECONDS, '-J', *(['-R'] if backwards else [])).stdout
    except SystemExit:
        return None
    return json.loads(text)['end']['sum_received']['bits_per_second'] / 1e9


def connections(inside, port):
    """Per second, one request each."""
    try:
        text = inside('wrk', '-t', '1', '-c', '8', '-d', f'{TRANSFER_SECONDS}s', '-H', 'Connection: close',
                      f'http://{HOST}:{port}/').stdout
    except SystemExit:
        return None
    found = [line.split()[1] for line in text.splitlines() if line.startswith('Requests/sec')]
    return float(found[0]) if found and float(found[0]) > 0 else None


def bench_ports(options, folder):
    """The same servers behind each engine's published ports; without an engine: in the namespace of the host."""
    del folder
    rounds = max(3, options.runs // 4)
    with peer_with_network(), outside() as inside:
        ports, directly = {}, []
        try:
            for i, (name, words) in enumerate({'stauer': STAUER, 'docker → dockerd': DOCKER_PEER, ' '.join(podman()): podman()}.items()):
                ports[name] = 15200 + i
                run(*words, 'run', '-d', '--name', 'bench-iperf', '-p', f'{ports[name]}:5201', *PROGRAMS, 'busybox', '/usr/bin/iperf3', '-s')
                run(*words, 'run', '-d', '--name', 'bench-httpd', '-p', f'{ports[name] + 100}:80', 'busybox', 'sh', '-c',
                    'echo well >/tmp/index.html; exec httpd -f -p 80 -h /tmp')
            ports['no engine'] = 15209
            site = Path('/run/bench-site')
            site.mkdir(exist_ok=True)
            (site / 'index.html').write_text('well\n')
            for words in (('iperf3', '-s', '-p', '15209'), ('busybox', 'httpd', '-f', '-p', '15309', '-h', site)):
                directly.append(subprocess.Popen(words, stdout=subprocess.DEVNULL))  # pylint: disable=consider-using-with

            kinds = {'in': lambda port: transfer(inside, port, False), 'out': lambda port: transfer(inside, port, True),
                     'connections': lambda port: connections(inside, port + 100)}
            found = {kind: {name: [] for name in ports} for kind in kinds}
            for kind, function in kinds.items():
                for name, port in ports.items():
                    eventually(lambda f=function, p=port: f(p))
                for _ in range(rounds):
                    for name, port in ports.items():
                        found[kind][name].append(eventually(lambda f=function, p=port: f(p)))
        finally:
            for process in directly:
                process.kill()
                process.wait()
            for words in (STAUER, DOCKER_PEER, podman()):
                run(*words, 'rm', '-f', 'bench-iperf', 'bench-httpd', check=False)

    for kind, title, unit in (('in', 'From outside into a published port, iperf3', 'Gbit/s'),
                              ('out', 'Out of a published port, iperf3', 'Gbit/s'),
                              ('connections', 'Connections to a published port, wrk, one request each', 'per second')):
        rows(f'{title}, medians of {rounds}', unit, {name: statistics.median(values) for name, values in found[kind].items()})


def bench_published(options, folder):
    """What the start of a container with a network and four ports costs, while so many of its kind run."""
    del folder
    times, names = {}, []

    def words(name, first):
        return ('--name', name, *[f'-p{port}:80' for port in range(first, first + 4)], 'busybox', 'sleep', '100000')

    def rounds(title):
        times[title] = []
        for i in range(options.runs + 1):
            run('stauer', 'create', *words('bench-start', 19000))
            took = timed('stauer', 'start', 'bench-start')
            run('stauer', 'rm', '-f', 'bench-start')
            if i > 0:
                times[title].append(took)

    for n in (0, *options.others):
        while len(names) < n:
            names.append(f'bench-published-{len(names)}')
            run('stauer', 'run', '-d', *words(names[-1], 20000 + 4 * len(names)))
        rounds(f'{n} others run')
    while names:
        run('stauer', 'rm', '-f', *names[:50])
        del names[:50]
    rounds('0 others run, again')
    table('`start` with a bridge network and 4 published ports while others of the kind run', times, '0 others run')
