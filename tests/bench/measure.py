# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rows of the bench share: running, timing, tables, and what a process takes."""

import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEER_SOCKET = '/run/peer-docker.sock'
SOCKET = '/run/docker.sock'

# The same client for both engines, and ours.
STAUER = ('stauer',)
DOCKER_STAUER = ('docker', '-H', f'unix://{SOCKET}')
DOCKER_PEER = ('docker', '-H', f'unix://{PEER_SOCKET}')

QUIET = ('--network', 'none')


def podman():
    """With crun, unless nobody here may raise a limit (CAP_SYS_RESOURCE), which crun wants to."""
    with open('/proc/self/status', encoding='utf-8') as f:
        effective = int(next(line for line in f if line.startswith('CapEff:')).split()[1], 16)
    return ('podman',) if effective & 1 << 24 else ('podman', '--runtime', 'runc')


def bare(root):
    return ('unshare', '-m', '-p', '-u', '-i', '-n', '-C', '--fork', 'chroot', root, '/bin/true')


def run(*words, check=True, **more):
    result = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            check=False, **more)
    if check and result.returncode != 0:
        sys.exit(f'{" ".join(map(str, words))}: exit status {result.returncode}\n{result.stdout}{result.stderr}')
    return result


def timed(*words, **more):
    begin = time.perf_counter()
    run(*words, **more)
    return (time.perf_counter() - begin) * 1e3


def interleave(competitors, runs):
    """competitors: name → function that returns milliseconds. One warm-up, then rounds; name → list."""
    times = {name: [] for name in competitors}
    for function in competitors.values():
        function()
    for _ in range(runs):
        for name, function in competitors.items():
            times[name].append(function())
    return times


def hyperfine(competitors, runs, folder, *, prepare=None, rounds=5, own=None):
    """competitors: name → words of a command, no shell between; prepare: name → script that runs, unmeasured, before each. One warm-up of
    each. In rounds, so that what else the machine does falls on all alike; name → list of milliseconds. own: name → list, gets the user
    and system time of the command itself."""
    rounds = min(rounds, runs)
    exported = folder / 'hyperfine.json'
    times = {name: [] for name in competitors}
    for i in range(rounds):
        n = runs // rounds + (i < runs % rounds)
        words = ['hyperfine', '--shell', 'none', '--style', 'none', '--warmup', 0 if i else 1, '--runs', max(n, 2),
                 '--export-json', exported]
        for name, command in competitors.items():
            if prepare:
                words += ['--prepare', shlex.join(('sh', '-c', prepare[name]))]
            words += ['--command-name', name, shlex.join(map(str, command))]
        run(*words)
        for result in json.loads(exported.read_text())['results']:
            times[result['command']] += [seconds * 1e3 for seconds in result['times']]
            if own is not None:
                own.setdefault(result['command'], []).append((result['user'] + result['system']) * 1e3)
    return times


def table(title, times, base):
    """Medians and ratios to base."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f'\n### {title}\n\n| | median ms | min | max | × {base} |\n|---|---:|---:|---:|---:|')
    for name, values in times.items():
        print(f'| {name} | {medians[name]:.1f} | {min(values):.1f} | {max(values):.1f} '
              f'| {medians[name] / medians[base]:.2f} |')
    sys.stdout.flush()


def rows(title, unit, values):
    """values: name → number."""
    print(f'\n### {title}\n\n| {unit} | |\n|---|---:|')
    for name, value in values.items():
        print(f'| {name} | {value:.1f} |' if isinstance(value, float) else f'| {name} | {value} |')
    sys.stdout.flush()


# ---- processes ----

def smaps(pid, key):
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
        if line.startswith(key + ':'):
            return int(line.split()[1])
    return 0


def rss(pid):
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1])
    return 0


def n_fds(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def pids_of(name):
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                if Path(os.readlink(entry / 'exe')).name.split(' ')[0] == name:
                    found.append(int(entry.name))
            except OSError:
                continue
    return sorted(found)


def peak(client, *words):
    """The most memory that a command held, KiB; peak is built beside the client."""
    return int(run(Path(client).parent / 'peak', *words).stdout)


# ---- an engine's REST without a client's cost ----

def rest_cycle(client, socket, steps):
    """steps: what each of the four took is appended to it."""
    def once():
        total, *each = map(float, run(client, socket, 'busybox', 1, 'true').stdout.split())
        steps.append(each)
        return total
    return once
