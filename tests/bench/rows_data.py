# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes: what a container writes into its log, what goes through an attached client, and `load`."""

import os
import shlex

from measure import DOCKER_PEER, DOCKER_STAUER, QUIET, STAUER, hyperfine, podman, table

from common.images import docker_archive, rootfs_tar

MIB = 1024 * 1024


def bench_logs(options, folder):
    """Lines of 100 bytes. The journal writes several times the bytes it gets and is slow with everybody: a tenth for it."""
    line = 'x' * 99
    for driver, size in (('json-file', 200), ('local', 200), ('journald', 20)):
        script = f'yes {line} | head -c {size * MIB}'
        competitors = {}
        for name, words in (('stauer', STAUER), ('docker → dockerd', DOCKER_PEER)):
            client = ' '.join(words)
            competitors[f'{name} {driver}'] = ('sh', '-c', f'i=$({client} run -d --network none --log-driver {driver} busybox '
                                               f'sh -c {shlex.quote(script)}) && {client} wait "$i" && {client} rm "$i"')
        table(f'A container writes {size} MiB into its log, `{driver}`',
              hyperfine(competitors, max(2, options.runs // 4), folder, rounds=2), f'docker → dockerd {driver}')


def bench_attach(options, folder):
    data = folder / 'attach.data'
    data.write_bytes(os.urandom(MIB) * 200)
    both = (('stauer', STAUER), ('docker → stauerd', DOCKER_STAUER), ('docker → dockerd', DOCKER_PEER), ('podman', podman()))
    ways = {
        'out': ('run', '--rm', *QUIET, '--log-driver', 'none', 'busybox', 'head', '-c', 200 * MIB, '/dev/zero'),
        'in': ('run', '--rm', '-i', *QUIET, '--log-driver', 'none', 'busybox', 'wc', '-c'),
    }
    for way, words in ways.items():
        competitors = {}
        for name, client in both:
            command = shlex.join(map(str, (*client, *words))) + (f' <{data}' if way == 'in' else '') + ' >/dev/null'
            competitors[f'{name} {way}'] = ('sh', '-c', command)
        table(f'200 MiB {way} through an attached client', hyperfine(competitors, max(2, options.runs // 4), folder, rounds=2),
              f'docker → dockerd {way}')
    data.unlink()


def bench_load(options, folder):
    archive = folder / 'big.tar'
    blob = os.urandom(MIB)
    files = [(f'data/{i:04d}', bytes([i % 256]) * 512 * 1024 + blob[: 512 * 1024]) for i in range(200)]
    docker_archive(archive, name='big:latest', layers=[rootfs_tar(files)])
    size = archive.stat().st_size / 1e6

    engines = {'stauer': STAUER, 'docker': DOCKER_PEER, 'podman': ('podman',)}
    competitors = {f'{name} load': (*client, 'load', '-i', archive) for name, client in engines.items()}
    prepare = {f'{name} load': f'{" ".join(client)} rmi -f big; sync' for name, client in engines.items()}
    table(f'`load` of a docker-archive of {size:.0f} MB (half of it random bytes)',
          hyperfine(competitors, max(3, options.runs // 4), folder, prepare=prepare, rounds=2), 'docker load')
    archive.unlink()
