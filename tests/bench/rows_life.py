# SPDX-License-Identifier: GPL-2.0-or-later
"""A container's life: one cycle over REST, `run`, `exec`, `stop`, `rm`, and a start beside many others."""

import json
import statistics
import sys
from pathlib import Path

from measure import (DOCKER_PEER, DOCKER_STAUER, PEER_SOCKET, QUIET, SOCKET, STAUER, bare, hyperfine, interleave, podman, rest_cycle,
                     run, table, timed)

STEPS = ('create', 'start', 'wait', 'remove')

ENGINES = {'stauer': STAUER, 'docker → stauerd': DOCKER_STAUER, 'docker → dockerd': DOCKER_PEER}


def engines():
    return {**ENGINES, ' '.join(podman()): podman()}


def print_steps(steps):
    print(f'\nMedians of the steps, ms:\n\n| | {" | ".join(STEPS)} |\n|---|---:|---:|---:|---:|')
    for name, found in steps.items():
        print(f'| {name} | {" | ".join(f"{statistics.median(column):.1f}" for column in zip(*found))} |')
    sys.stdout.flush()


def bench_cycle(options, folder):
    steps = {'stauer': [], 'dockerd': []}
    root = folder / 'rootfs'
    competitors = {
        'stauer (REST)': rest_cycle(options.client, SOCKET, steps['stauer']),
        'dockerd (REST)': rest_cycle(options.client, PEER_SOCKET, steps['dockerd']),
        f'{" ".join(podman())} run --rm': lambda: timed(*podman(), 'run', '--rm', *QUIET, 'busybox', 'true'),
        'bare unshare + chroot': lambda: timed(*bare(root)),
    }
    table('One container, `true`, network none: create, start, wait, remove', interleave(competitors, options.runs),
          'bare unshare + chroot')
    print_steps(steps)


def bench_run(options, folder):
    competitors = {f'{name} run --rm': (*words, 'run', '--rm', *QUIET, 'busybox', 'true') for name, words in engines().items()}
    competitors['bare unshare + chroot'] = bare(folder / 'rootfs')
    table('`run --rm busybox true`, network none', hyperfine(competitors, options.runs, folder), 'bare unshare + chroot')


def bench_exec(options, folder):
    for words in (STAUER, DOCKER_PEER, podman()):
        run(*words, 'run', '-d', '--name', 'bench-exec', *QUIET, 'busybox', 'sleep', '100000')
    competitors = {f'{name} exec true': (*words, 'exec', 'bench-exec', 'true') for name, words in engines().items()}
    competitors['bare unshare + chroot'] = bare(folder / 'rootfs')
    table('`exec` of `true` in a running container', hyperfine(competitors, options.runs, folder), 'docker → dockerd exec true')
    for words in (STAUER, DOCKER_PEER, podman()):
        run(*words, 'rm', '-f', 'bench-exec')


def bench_stop(options, folder):
    """The container ends at once when asked; what is measured is the engine."""
    start = 'run -d --name bench-stop --network none --stop-signal KILL busybox sleep 100000'

    def prepare(condition):
        return {f'{name} {condition}': f'{" ".join(words)} rm -f bench-stop >/dev/null 2>&1; {" ".join(words)} {start} >/dev/null'
                + (f'; {" ".join(words)} stop bench-stop >/dev/null' if condition == 'rm' else '')
                for name, words in engines().items()}

    for condition in ('stop', 'rm', 'rm -f'):
        competitors = {f'{name} {condition}': (*words, *condition.split(), 'bench-stop') for name, words in engines().items()}
        table(f'`{condition}`', hyperfine(competitors, options.runs, folder, prepare=prepare(condition)),
              f'docker → dockerd {condition}')
    for words in (STAUER, DOCKER_PEER, podman()):
        run(*words, 'rm', '-f', 'bench-stop', check=False)


def bench_many(options, folder):
    """What a start costs while others run. The idle rounds before and after show what the machine did meanwhile."""
    del folder
    steps, times, names = {}, {}, []

    def rounds(name):
        steps[name] = []
        once = rest_cycle(options.client, SOCKET, steps[name])
        once()
        times[name] = [once() for _ in range(options.runs)]

    for n in (0, *options.others):
        while len(names) < n:
            names.append(f'bench-many-{len(names)}')
            run('stauer', 'run', '-d', '--name', names[-1], *QUIET, 'busybox', 'sleep', '100000')
        rounds(f'{n} others run')
    while names:
        run('stauer', 'rm', '-f', *names[:50])
        del names[:50]
    rounds('0 others run, again')
    table('One container over REST while others run', times, '0 others run')
    print_steps(steps)


# ---- OCI runtimes alone ----

def bench_runtimes(options, folder):
    bundle = folder / 'bundle'
    bundle.mkdir()
    config = default_config(folder / 'rootfs')
    (bundle / 'config.json').write_text(json.dumps(config))
    competitors = {}
    for name in ('stauer-runtime', 'crun', 'runc'):
        words = (name, '--root', folder / f'state-{name}', 'run', '--bundle', bundle, f'bench-{name}')
        first = run(*words, check=False)
        if first.returncode == 0:
            competitors[f'{name} run'] = words
        else:
            print(f'\n{name} cannot run here: {first.stderr.strip()}')
    competitors['bare unshare + chroot'] = bare(folder / 'rootfs')
    base = 'crun run' if 'crun run' in competitors else 'runc run'
    table('OCI runtime alone: `run` of a default Docker bundle', hyperfine(competitors, options.runs, folder), base)


def default_config(root):
    """The bundle that Stauer itself makes for a default container, without limits."""
    run('stauer', 'rm', '-f', 'benchcfg', check=False)
    run('stauer', 'run', '-d', '--name', 'benchcfg', *QUIET, 'busybox', 'sleep', '1000')
    ident = json.loads(run('stauer', 'inspect', 'benchcfg').stdout)[0]['Id']
    config = json.loads(Path(f'/run/stauer/containers/{ident}/bundle/config.json').read_text())
    run('stauer', 'rm', '-f', 'benchcfg')
    config['root'] = {'path': str(root)}
    config['process']['args'] = ['/bin/true']
    config['mounts'] = [m for m in config['mounts'] if m.get('type') != 'bind']
    config['linux'].pop('cgroupsPath', None)
    config['linux'].pop('resources', None)
    return config
