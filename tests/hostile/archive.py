# SPDX-License-Identifier: GPL-2.0-or-later
"""Tars and image archives made byte by byte, so that they can lie."""

import gzip
import hashlib
import json
import lzma

BLOCK = 512
FILE, HARDLINK, SYMLINK, CHAR, BLOCKDEV, DIR, FIFO = '0', '1', '2', '3', '4', '5', '6'


def sha256(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def pad(data):
    return data + bytes(-len(data) % BLOCK)


def number(value, width):
    """Octal while it fits, else base-256 as GNU tar does (negative too)."""
    if isinstance(value, bytes):
        return value.ljust(width, b'\0')[:width]
    if 0 <= value < 8 ** (width - 1):
        return b'%0*o\0' % (width - 1, value)
    return (value % (1 << 8 * (width - 1)) | ((0xff if value < 0 else 0x80) << 8 * (width - 1))).to_bytes(width, 'big')


def header(name, kind=FILE, size=0, mode=0o644, uid=0, gid=0, mtime=1700000000, link='', major=0, minor=0, checksum=None):
    def text(value, width):
        return (value if isinstance(value, bytes) else value.encode())[:width].ljust(width, b'\0')

    before = text(name, 100) + number(mode, 8) + number(uid, 8) + number(gid, 8) + number(size, 12) + number(mtime, 12)
    after = kind.encode() + text(link, 100) + b'ustar\x0000' + bytes(64) + number(major, 8) + number(minor, 8) + bytes(167)
    if checksum is None:
        checksum = sum(before) + 8 * 0x20 + sum(after)
    return before + b'%06o\0 ' % checksum + after


def pax(records):
    body = b''
    for key, value in records.items():
        value = value if isinstance(value, bytes) else str(value).encode()
        rest = b' ' + key.encode() + b'=' + value + b'\n'
        size = len(rest)
        while size != len(rest) + len(str(size)):
            size = len(rest) + len(str(size))
        body += str(size).encode() + rest
    return header('pax', 'x', len(body)) + pad(body)


class Tar:
    def __init__(self):
        self.data = b''

    def add(self, name, kind=FILE, content=b'', records=None, **fields):
        fields.setdefault('size', len(content))
        if records:
            self.data += pax(records)
        if not records and (len(name) > 100 or len(fields.get('link', '')) > 100):
            self.data += pax({'path': name, **({'linkpath': fields['link']} if fields.get('link') else {})})
        self.data += header(name, kind, **fields) + pad(content)
        return self

    def file(self, name, content=b'x', **fields):
        return self.add(name, FILE, content, **fields)

    def dir(self, name, mode=0o755, **fields):
        return self.add(name + '/', DIR, mode=mode, **fields)

    def symlink(self, name, target, **fields):
        return self.add(name, SYMLINK, link=target, mode=0o777, **fields)

    def hardlink(self, name, target, **fields):
        return self.add(name, HARDLINK, link=target, **fields)

    def raw(self, data):
        self.data += data
        return self

    def end(self):
        return self.data + bytes(2 * BLOCK)


def tar(*entries):
    """[(name, content)] as an archive."""
    t = Tar()
    for name, content in entries:
        t.file(name, content)
    return t.end()


def config(diff_ids, **fields):
    return json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/x']},
                       'rootfs': {'type': 'layers', 'diff_ids': diff_ids}, **fields}).encode()


def blob_name(digest):
    return 'blobs/sha256/' + digest.split(':')[-1]


def docker(layers, names=('hostile:1',), diff_ids=None, tweak=None, config_fields=None, blobs=True):
    """docker save's archive. tweak(files, manifest, config name, layer names) may change everything before it is written."""
    ids = diff_ids or [sha256(x) for x in layers]
    c = config(ids, **(config_fields or {}))
    layer_names = [blob_name(sha256(x)) if blobs else '%064x/layer.tar' % i for i, x in enumerate(layers)]
    config_name = blob_name(sha256(c)) if blobs else sha256(c)[7:] + '.json'
    files = dict(zip(layer_names, layers))
    files[config_name] = c
    manifest = [{'Config': config_name, 'RepoTags': list(names), 'Layers': layer_names}]
    if tweak:
        tweak(files, manifest, config_name, layer_names)
    if 'manifest.json' not in files:
        files['manifest.json'] = json.dumps(manifest).encode()
    return tar(*files.items())


def descriptor(kind, data, **fields):
    return {'mediaType': f'application/vnd.oci.image.{kind}', 'digest': sha256(data), 'size': len(data), **fields}


def oci(layers, name='docker.io/library/hostile:1', layer_kind='layer.v1.tar', tweak=None, diff_ids=None, wrap=None):
    """OCI layout in a tar. tweak(files, index, manifest) changes documents before they are hashed; wrap(files, descriptor) gives
    the descriptor that goes into index.json."""
    c = config(diff_ids or [sha256(x) for x in layers])
    manifest = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
                'config': descriptor('config.v1+json', c), 'layers': [descriptor(layer_kind, x) for x in layers]}
    files = {'oci-layout': b'{"imageLayoutVersion":"1.0.0"}', blob_name(sha256(c)): c}
    for x in layers:
        files[blob_name(sha256(x))] = x
    index = {'schemaVersion': 2, 'manifests': []}
    if tweak:
        tweak(files, index, manifest)
    m = json.dumps(manifest).encode()
    files[blob_name(sha256(m))] = m
    d = descriptor('manifest.v1+json', m)
    if wrap:
        d = wrap(files, d)
    if name:
        d['annotations'] = {'org.opencontainers.image.ref.name': name}
    index['manifests'].append(d)
    if 'index.json' not in files:
        files['index.json'] = json.dumps(index).encode()
    return tar(*files.items())


def gz(data):
    return gzip.compress(data, 1, mtime=0)


def xz(data):
    return lzma.compress(data, preset=0)
