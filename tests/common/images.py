# SPDX-License-Identifier: GPL-2.0-or-later
"""Small images for tests, made here: a static busybox as docker-archive (what `docker save` writes)."""

import hashlib
import io
import json
import subprocess
import tarfile

BUSYBOX = '/bin/busybox'

PASSWD = 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/home/www:/bin/sh\n123:x:77:77:tricky:/home/tricky:/bin/sh\n'
GROUP = 'root:x:0:\nwww:x:33:\nstaff:x:50:www\nadm:x:4:www,root\n'


def _add(tar, name, data=b'', mode=0o644, kind=tarfile.REGTYPE, link=''):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = mode
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    info.linkname = link
    info.mtime = 1700000000
    tar.addfile(info, io.BytesIO(data) if kind == tarfile.REGTYPE else None)


def rootfs_tar(extra=()):
    """The tar of a root file system: busybox with all its applets, passwd, group. extra: (name, data) pairs."""
    out = io.BytesIO()
    with open(BUSYBOX, 'rb') as f:
        busybox = f.read()
    applets = subprocess.run([BUSYBOX, '--list'], check=True, capture_output=True, text=True).stdout.split()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as tar:
        for name, mode in (('bin', 0o755), ('etc', 0o755), ('root', 0o700), ('home', 0o755), ('home/www', 0o755),
                           ('tmp', 0o1777), ('var', 0o755), ('var/tmp', 0o1777), ('usr', 0o755)):
            _add(tar, name, mode=mode, kind=tarfile.DIRTYPE)
        _add(tar, 'bin/busybox', busybox, 0o755)
        for applet in applets:
            if applet != 'busybox':
                _add(tar, f'bin/{applet}', kind=tarfile.LNKTYPE, link='bin/busybox', mode=0o755)
        _add(tar, 'etc/passwd', PASSWD.encode())
        _add(tar, 'etc/group', GROUP.encode())
        for name, data in extra:
            _add(tar, name, data)
    return out.getvalue()


def docker_archive(path, name='busybox:latest', config=None, layers=None):
    """Writes a docker-archive with one image; returns its id (sha256:…)."""
    layers = layers or [rootfs_tar()]
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    document = json.dumps({
        'architecture': 'amd64', 'os': 'linux', 'created': '2023-11-14T22:13:20Z',
        'config': {'Cmd': ['sh'], 'Env': ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
                   **(config or {})},
        'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{d}' for d in digests]},
        'history': [{'created': '2023-11-14T22:13:20Z', 'created_by': 'busybox for tests'} for _ in layers],
    }).encode()
    image = hashlib.sha256(document).hexdigest()
    manifest = json.dumps([{'Config': f'{image}.json', 'RepoTags': [name] if name else None,
                            'Layers': [f'{d}/layer.tar' for d in digests]}]).encode()
    with tarfile.open(path, 'w') as tar:
        for digest, layer in zip(digests, layers):
            _add(tar, digest, mode=0o755, kind=tarfile.DIRTYPE)
            _add(tar, f'{digest}/layer.tar', layer)
        _add(tar, f'{image}.json', document)
        _add(tar, 'manifest.json', manifest)
    return f'sha256:{image}'


def docker_archive_many(path, names):
    """A docker-archive with one image a name: each has a config of its own, the layer is the same."""
    layer = rootfs_tar()
    digest = hashlib.sha256(layer).hexdigest()
    manifest = []
    with tarfile.open(path, 'w') as tar:
        _add(tar, f'{digest}/layer.tar', layer)
        for name in names:
            document = json.dumps({'architecture': 'amd64', 'os': 'linux', 'created': '2023-11-14T22:13:20Z',
                                   'config': {'Cmd': ['sh'], 'Labels': {'name': name}},
                                   'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{digest}']}}).encode()
            image = hashlib.sha256(document).hexdigest()
            _add(tar, f'{image}.json', document)
            manifest.append({'Config': f'{image}.json', 'RepoTags': [name], 'Layers': [f'{digest}/layer.tar']})
        _add(tar, 'manifest.json', json.dumps(manifest).encode())
