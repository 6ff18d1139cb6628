# SPDX-License-Identifier: GPL-2.0-or-later
"""What is held, and for how long: memory, the client's own cost, the daemon's start with much on disk, and what grows with use."""

import json
import statistics
import sys
import time

from measure import (DOCKER_PEER, DOCKER_STAUER, QUIET, SOCKET, STAUER, hyperfine, n_fds, peak, pids_of, podman, rows, rss, run, smaps,
                     table)

from common.images import docker_archive_many


def bench_client(options, folder):
    """The cheapest request there is: what remains is the client. Its user and system time, its peak of memory."""
    own = {}
    competitors = {'stauer version': (*STAUER, 'version'), 'docker → stauerd version': (*DOCKER_STAUER, 'version'),
                   'docker → dockerd version': (*DOCKER_PEER, 'version'), 'podman version': ('podman', 'version')}
    times = hyperfine(competitors, options.runs, folder, own=own)
    table('The client alone', times, 'stauer version')
    rows('The client alone: user and system time', 'ms', {name: statistics.median(values) for name, values in own.items()})
    rows('The client alone: peak of memory', 'KiB', {
        **{name: peak(options.client, *words) for name, words in competitors.items()},
        'stauer run --rm': peak(options.client, *STAUER, 'run', '--rm', *QUIET, 'busybox', 'true'),
        'docker → stauerd run --rm': peak(options.client, *DOCKER_STAUER, 'run', '--rm', *QUIET, 'busybox', 'true'),
    })


def bench_memory(options, folder):
    del folder
    n = options.containers
    daemon = pids_of('stauerd')[0]
    run('stauer', 'run', '--rm', *QUIET, 'busybox', 'true')
    idle = rss(daemon)
    for i in range(n):
        run('stauer', 'run', '-d', '--name', f'mem{i}', *QUIET, 'busybox', 'sleep', '1000')
    busy = rss(daemon)
    monitors = [smaps(p, 'Pss') for p in pids_of('stauer-monitor')]
    peer = {name: rss(pids_of(name)[0]) for name in ('dockerd', 'containerd') if pids_of(name)}
    run(*DOCKER_PEER, 'run', '-d', '--name', 'mem', *QUIET, 'busybox', 'sleep', '1000')
    shim = [smaps(p, 'Pss') for p in pids_of('containerd-shim-runc-v2')]
    run(*DOCKER_PEER, 'rm', '-f', 'mem')
    run(*podman(), 'run', '-d', '--name', 'mem', *QUIET, 'busybox', 'sleep', '1000')
    conmon = [smaps(p, 'Pss') for p in pids_of('conmon')]
    run('podman', 'rm', '-f', 'mem')
    run('stauer', 'rm', '-f', *[f'mem{i}' for i in range(n)])

    found = {'stauerd idle, RSS': idle,
             f'stauerd, each of {n} running containers, RSS': max(busy - idle, 0) / n,
             'stauer-monitor, PSS, median': round(statistics.median(monitors))}
    found.update({f'{name} idle, RSS': size for name, size in peer.items()})
    if shim:
        found['containerd-shim, PSS'] = shim[0]
    if conmon:
        found['conmon, PSS'] = conmon[0]
    rows('Memory', 'KiB', found)


def bench_leaks(options, folder):
    """What the daemon and the launcher hold before and after so many cycles and execs. The first hundred fill what is kept for good."""
    del folder
    n = 100 * options.runs
    watched = {'stauerd': pids_of('stauerd')[0], 'stauer-launcher': pids_of('stauer-launcher')[0]}
    found = {}

    def look(when):
        for name, pid in watched.items():
            found[f'{name}, {when}: RSS'] = rss(pid)
            found[f'{name}, {when}: open files'] = n_fds(pid)

    def execs(count):
        for _ in range(count):
            run('stauer', 'exec', 'leaks', 'true')

    run('stauer', 'run', '-d', '--name', 'leaks', *QUIET, 'busybox', 'sleep', '100000')
    watched['stauer-monitor'] = pids_of('stauer-monitor')[0]
    run(options.client, SOCKET, 'busybox', 100, 'true')
    execs(100)
    look('before')
    run(options.client, SOCKET, 'busybox', n, 'true')
    look(f'after {n} cycles')
    execs(n)
    look(f'after {n} execs more')
    run('stauer', 'rm', '-f', 'leaks')
    rows('What grows', '', found)


def bench_ready(options, folder):
    """`systemctl start` until READY=1, and until the first list of all containers has come."""
    n = options.known
    archive = folder / 'many.tar'
    docker_archive_many(archive, [f'many:{i}' for i in range(n)])
    run('stauer', 'load', '-i', archive)
    archive.unlink()
    for i in range(n):
        run('stauer', 'create', '--name', f'known{i}', *QUIET, f'many:{i}', 'true')

    def list_all():
        return len(json.loads(run('curl', '-s', '--unix-socket', SOCKET, 'http://d/v1.41/containers/json?all=1').stdout))

    times = {'ready': [], 'ready and first list': []}
    for _ in range(max(3, options.runs // 2)):
        run('systemctl', 'stop', 'stauer.service')
        begin = time.perf_counter()
        run('systemctl', 'start', 'stauer.service')
        times['ready'].append((time.perf_counter() - begin) * 1e3)
        count = list_all()
        times['ready and first list'].append((time.perf_counter() - begin) * 1e3)
        if count < n:
            sys.exit(f'{count} containers are known, not {n}')
    daemon = pids_of('stauerd')[0]
    table(f'Start of stauerd with {n} containers and {n} images known', times, 'ready')
    rows('Memory', 'KiB', {f'stauerd with {n} containers and {n} images known, RSS': rss(daemon)})
    for i in range(0, n, 100):
        run('stauer', 'rm', *[f'known{j}' for j in range(i, min(i + 100, n))])
        run('stauer', 'rmi', *[f'many:{j}' for j in range(i, min(i + 100, n))])
