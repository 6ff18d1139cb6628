# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile archives, each with what must come of it. `python3 generate.py FOLDER OUTSIDE` writes them all.

A case is a name, the kind of task, the bytes, and the kinds of error that are right; 'ok' is one too, where the archive may be taken as
long as it stays inside. OUTSIDE is an absolute folder that holds "canary" and must never be touched."""

import json
import os
import random
import sys

from archive import (BLOCK, BLOCKDEV, CHAR, FIFO, FILE, HARDLINK, SYMLINK, Tar, blob_name, config, descriptor, docker, gz, header,
                     oci, pad, pax, sha256, tar, xz)

INVALID, LARGE, NOT_FOUND, OK = 'invalid', 'too-large', 'not-found', 'ok'


class Case:
    def __init__(self, name, data, *expected, task='load', contains=None):
        self.name = name
        self.data = data
        self.expected = expected
        self.task = task
        self.contains = contains

    def __repr__(self):
        return self.name


def layer_cases(out):
    """Tars of layers: (name, bytes, what is right)."""
    up = '../' * 40 + out.lstrip('/')
    t = Tar
    yield 'dotdot-file', t().file(up + '/pwn').end(), INVALID
    yield 'dotdot-middle', t().dir('a').file('a/../../pwn').end(), INVALID
    yield 'dotdot-dir', t().dir('..').end(), INVALID
    yield 'dotdot-symlink-name', t().symlink('../' + 'x', 'y').end(), INVALID
    yield 'absolute-file', t().file(out + '/canary', b'owned').end(), OK
    yield 'absolute-dir', t().dir(out, mode=0o777).end(), OK
    yield 'symlink-absolute-write', t().symlink('a', out).file('a/pwn').end(), INVALID
    yield 'symlink-up-write', t().symlink('a', up).file('a/pwn').end(), INVALID
    yield 'symlink-up-overwrite', t().symlink('a', up).file('a/canary').end(), INVALID
    yield 'symlink-dot-dot', t().symlink('a', '..').symlink('b', 'a/..').file('b/../x'.replace('/../', '/')).end(), OK
    yield 'symlink-inside', t().dir('d').symlink('a', '/d').file('a/x').end(), OK
    yield 'symlink-loop', t().symlink('a', 'b').symlink('b', 'a').file('a/x').end(), INVALID
    yield 'symlink-self', t().symlink('a', 'a').file('a/x').end(), INVALID
    yield 'symlink-chain-41', _chain(t(), 41).file('l40/x').end(), INVALID, OK
    yield 'symlink-proc', t().symlink('a', '/proc/self/root').file('a/pwn').end(), INVALID
    yield 'symlink-proc-cwd', t().symlink('a', '/proc/self/cwd').file('a/pwn').end(), INVALID
    yield 'symlink-empty-target', t().symlink('a', '').end(), INVALID, OK
    yield 'symlink-long-target', t().add('a', SYMLINK, records={'linkpath': 'y' * 5000}).end(), INVALID, LARGE
    yield 'symlink-then-dir', t().symlink('s', out).dir('s', mode=0o777).file('s/x').end(), OK
    yield 'symlink-then-file', t().symlink('s', out + '/canary').file('s', b'owned').end(), OK
    yield 'symlink-then-fifo', t().symlink('s', out + '/canary').add('s', FIFO).end(), OK
    yield 'symlink-attributes', t().symlink('s', out + '/canary', uid=1234, mtime=1).end(), OK
    yield 'symlink-xattr', t().add('s', SYMLINK, link=out + '/canary', records={'SCHILY.xattr.user.pwn': '1'}).end(), OK
    yield 'dir-then-symlink-then-file', t().dir('d').file('d/x').symlink('d', out).file('d/canary').end(), INVALID
    yield 'dir-attributes-on-symlink', t().dir('d', mode=0o777, uid=77, mtime=1).symlink('d', out).end(), OK
    yield 'dir-attributes-through-parent', (t().dir('p').dir('p/d', mode=0o777, mtime=1)
                                            .symlink('p', os.path.dirname(out)).end()), OK
    yield 'dir-swapped-back', t().dir('d', mode=0o700).file('d', b'x').dir('d', mode=0o711).file('d/y').end(), OK
    yield 'hardlink-absolute', t().hardlink('h', out + '/canary').end(), INVALID
    yield 'hardlink-up', t().hardlink('h', up + '/canary').end(), INVALID
    yield 'hardlink-passwd', t().hardlink('h', '/etc/passwd').file('h', b'owned').end(), INVALID
    yield 'hardlink-through-symlink', t().symlink('a', out).hardlink('h', 'a/canary').end(), INVALID
    yield 'hardlink-through-symlink-up', t().symlink('a', up).hardlink('h', 'a/canary').file('h', b'owned').end(), INVALID
    yield 'hardlink-to-symlink', t().symlink('s', out + '/canary').hardlink('h', 's').file('h', b'owned').end(), OK
    yield 'hardlink-to-symlink-attributes', t().symlink('s', out + '/canary').hardlink('h', 's', mode=0o777, uid=9).end(), OK
    yield 'hardlink-self', t().hardlink('h', 'h').end(), INVALID
    yield 'hardlink-self-existing', t().file('h').hardlink('h', 'h').end(), OK
    yield 'hardlink-dir', t().dir('d').hardlink('h', 'd').end(), INVALID
    yield 'hardlink-early', t().hardlink('h', 'later').file('later').end(), INVALID
    yield 'hardlink-nothing', t().hardlink('h', '/').end(), INVALID
    yield 'hardlink-proc', t().hardlink('h', '/proc/self/exe').end(), INVALID
    yield 'hardlink-with-content', t().file('f', b'a').add('h', HARDLINK, b'bbb', link='f').end(), OK, INVALID
    yield 'device-0-0', t().add('f', CHAR).end(), INVALID
    yield 'device-0-0-over-file', t().file('f').add('f', CHAR).end(), INVALID
    yield 'device-mem', t().add('m', CHAR, major=1, minor=1).end(), OK, 'forbidden'
    yield 'device-disk', t().add('m', BLOCKDEV, major=8, minor=0).end(), OK, 'forbidden'
    yield 'device-huge-number', t().add('m', CHAR, major=b'\x80\xff\xff\xff\xff\xff\xff\xff').end(), INVALID, OK, 'forbidden'
    yield 'device-parent', t().add('m', FIFO).file('m/x').end(), INVALID
    yield 'fifo-then-file', t().add('f', FIFO).file('f', b'data').end(), OK
    yield 'file-parent', t().file('f').file('f/x').end(), INVALID
    yield 'unknown-kind', t().add('f', 'Z', b'abc').end(), OK
    yield 'whiteout-dotdot', t().file('a/.wh...', b'').end(), INVALID
    yield 'whiteout-dot', t().file('a/.wh..', b'').end(), INVALID
    yield 'whiteout-empty', t().file('.wh.', b'').end(), INVALID
    yield 'whiteout-as-parent', t().file('.wh.a/b').end(), INVALID
    yield 'whiteout-dir', t().dir('.wh.a').end(), OK
    yield 'whiteout-through-symlink', t().symlink('a', out).file('a/.wh.canary', b'').end(), INVALID, OK
    yield 'whiteout-through-symlink-up', t().symlink('a', up).file('a/.wh.canary', b'').end(), INVALID, OK
    yield 'whiteout-hardlinked', t().file('.wh.f', b'').hardlink('h', 'f').end(), INVALID
    yield 'whiteout-is-a-link', t().symlink('.wh.f', out + '/canary').end(), OK
    yield 'whiteout-own-file', t().file('f', b'1').file('.wh.f', b'').end(), OK
    yield 'whiteout-own-dir', t().dir('d').file('d/x').file('.wh.d', b'').end(), OK
    yield 'whiteout-then-dir', t().file('.wh.d', b'').dir('d').file('d/x').end(), OK
    yield 'opaque-root', t().file('.wh..wh..opq', b'').file('x').end(), OK
    yield 'opaque-twice', t().dir('d').file('d/.wh..wh..opq', b'').file('d/.wh..wh..opq', b'').end(), OK
    yield 'opaque-through-symlink', t().symlink('a', out).file('a/.wh..wh..opq', b'').end(), INVALID, OK
    yield 'opaque-as-dir', t().dir('.wh..wh..opq').file('.wh..wh..opq/x').end(), OK
    yield 'aufs-plnk', t().dir('.wh..wh.plnk').file('.wh..wh.plnk/1.2', b'').hardlink('h', '.wh..wh.plnk/1.2').end(), INVALID
    yield 'xattr-overlay-opaque', t().add('d/', '5', records={'SCHILY.xattr.trusted.overlay.opaque': 'y'}).end(), OK
    yield 'xattr-overlay-redirect', t().add('d/', '5', records={'SCHILY.xattr.trusted.overlay.redirect': '/../../etc'}).end(), OK
    yield 'xattr-user-overlay', t().file('f', records={'SCHILY.xattr.user.overlay.metacopy': ''}).end(), OK
    yield 'xattr-selinux', t().file('f', records={'SCHILY.xattr.security.selinux': 'system_u:object_r:x:s0\0'}).end(), OK
    yield 'xattr-evm-ima', t().file('f', records={'SCHILY.xattr.security.ima': b'\x01' * 20}).end(), OK
    yield 'xattr-capability-bad', t().file('f', records={'SCHILY.xattr.security.capability': b'\xff' * 7}).end(), OK
    yield 'xattr-acl-bad', t().file('f', records={'SCHILY.xattr.system.posix_acl_access': b'\x02\0\0\0junk'}).end(), OK
    yield 'xattr-large', t().file('f', records={'SCHILY.xattr.user.big': b'v' * 70000}).end(), OK, INVALID, LARGE, 'internal', 'no-space'
    yield 'xattr-huge', t().file('f', records={'SCHILY.xattr.user.big': b'v' * 3000000}).end(), OK, INVALID, LARGE
    yield 'xattr-long-name', t().file('f', records={'SCHILY.xattr.user.' + 'n' * 400: 'v'}).end(), OK, INVALID, 'internal'
    yield 'xattr-many', t().file('f', records={f'SCHILY.xattr.user.{i}': 'v' * 64 for i in range(3000)}).end(), OK, INVALID, 'no-space'
    yield 'name-5000', t().add('n' * 90, records={'path': 'n' * 5000}).end(), INVALID, LARGE
    yield 'name-component-300', t().add('n' * 90, records={'path': 'n' * 300}).end(), INVALID
    yield 'name-depth-2000', t().add('n', records={'path': 'a/' * 2000 + 'f'}).end(), LARGE
    yield 'name-empty', t().add('').end(), INVALID
    yield 'name-root-file', t().file('./').end(), INVALID, OK
    yield 'name-root-symlink', t().symlink('/', out).end(), INVALID
    yield 'name-control', t().file('a\x1b[31m\n\x07b').end(), OK
    yield 'name-not-utf8', t().add(b'\xff\xfe\x80').end(), OK
    yield 'name-pax-not-utf8', t().add('x', records={'path': b'\xff\xfe\x80'}).end(), OK
    yield 'name-nul-in-pax', t().add('x', records={'path': b'ab\0/../../pwn'}).end(), OK, INVALID
    yield 'pax-size-lies-big', t().raw(pax({'size': 10 ** 18})).raw(header('f', FILE, 4)).raw(pad(b'data')).end(), INVALID, LARGE
    yield 'pax-size-lies-negative', t().raw(pax({'size': -5})).raw(header('f', FILE, 4)).raw(pad(b'data')).end(), INVALID, OK, LARGE
    yield 'pax-size-words', t().raw(pax({'size': 'many'})).raw(header('f', FILE, 4)).raw(pad(b'data')).end(), INVALID, OK
    yield 'pax-length-lies', t().raw(header('pax', 'x', 20) + pad(b'999 path=x\n')).file('f').end(), INVALID, OK
    yield 'pax-only', t().raw(pax({'path': 'x'})).end(), INVALID, OK
    yield 'pax-global-path', t().raw(header('g', 'g', 12) + pad(b'12 path=pwn\n')).file('f').end(), OK
    yield 'pax-huge', t().raw(header('pax', 'x', 1 << 40)).end(), INVALID
    yield 'size-negative', t().raw(header('f', FILE, -1)).end(), INVALID, LARGE
    yield 'size-base256-huge', t().raw(header('f', FILE, (1 << 63) - 1)).end(), INVALID, LARGE
    yield 'size-garbage', t().raw(header('f', FILE, b'zzzzzzzz')).raw(pad(b'data')).end(), INVALID, OK
    yield 'size-on-dir', t().add('d/', '5', b'', size=4096).end(), INVALID, OK
    yield 'truncated-content', t().raw(header('f', FILE, 100000)).raw(b'abc').data, INVALID
    yield 'truncated-header', header('f')[:300], INVALID
    yield 'truncated-no-end', t().file('f').data, OK, INVALID
    yield 'checksum-wrong', t().file('first').raw(header('f', checksum=1)).end(), INVALID, OK
    yield 'longname-huge', t().raw(header('././@LongLink', 'L', 10 << 20)).raw(b'n' * (10 << 20)).file('f').end(), INVALID, LARGE
    yield 'longname-dotdot', t().raw(header('././@LongLink', 'L', len(up) + 4)).raw(pad((up + '/pwn').encode())).file('f').end(), INVALID
    yield 'longlink-up', (t().raw(header('././@LongLink', 'K', len(up) + 7)).raw(pad((up + '/canary').encode()))
                          .hardlink('h', 'x').end()), INVALID
    yield 'sparse-eib', _sparse(1 << 60, [(0, 1)], b'x'), INVALID, LARGE
    yield 'sparse-negative', _sparse(100, [(-5, 1)], b'x'), INVALID, LARGE, OK
    yield 'sparse-overlap', _sparse(100, [(0, 50), (10, 50)], b'x' * 100), INVALID, OK
    yield 'sparse-beyond', _sparse(10, [(1000, 5)], b'xxxxx'), INVALID, OK
    yield 'sparse-map-lies', _sparse(10, [(0, 1 << 50)], b'x'), INVALID, LARGE, OK
    yield 'uid-negative', t().file('f', uid=-1).end(), INVALID, OK
    yield 'uid-2-to-32', t().file('f', records={'uid': 1 << 32}).end(), INVALID
    yield 'uid-invalid-id', t().file('f', records={'uid': (1 << 32) - 1}).end(), INVALID
    yield 'uid-huge', t().file('f', records={'gid': 10 ** 30}).end(), INVALID, OK
    yield 'mtime-far', t().file('f', records={'mtime': '99999999999999.5'}).end(), OK, INVALID
    yield 'mtime-negative', t().file('f', records={'mtime': '-99999999999.999999999'}).end(), OK, INVALID
    yield 'mode-wide', t().file('f', mode=0o7777777).end(), OK
    yield 'setuid', t().file('f', mode=0o6777).end(), OK
    yield 'duplicate-file', t().file('f', b'1').file('f', b'2').end(), OK
    yield 'duplicate-kinds', t().file('f').dir('f').file('f/x').symlink('f', out).file('f', b'y').end(), OK
    yield 'many-replacements', _replacements(out), OK
    yield 'bomb-tail', None, INVALID, LARGE  # made by bomb()


def _chain(t, n):
    t.dir('end')
    for i in range(n):
        t.symlink(f'l{i}', f'l{i - 1}' if i else 'end')
    return t


def _replacements(out):
    t = Tar()
    for i in range(50):
        t.dir('d').file(f'd/{i}').symlink('d', out if i % 2 else '..')
    return t.end()


def _sparse(real, parts, content):
    """GNU sparse format 1.0: the map stands before the content."""
    text = f'{len(parts)}\n' + ''.join(f'{a}\n{b}\n' for a, b in parts)
    body = pad(text.encode()) + content
    return Tar().add('f', content=body, records={
        'GNU.sparse.major': 1, 'GNU.sparse.minor': 0, 'GNU.sparse.name': 'f', 'GNU.sparse.realsize': real}).end()


def bomb():
    """A small tar with gigabytes of zeros behind it, 64 MiB of them in one 10 KB stream, many streams in a row."""
    zeros = xz(bytes(64 << 20))
    return xz(Tar().file('f').end()) + zeros * 40


def _good_layer():
    return Tar().dir('d').file('d/f', b'hello').end()


def image_cases(out):
    good = _good_layer()
    garbage = random.Random(1).randbytes(5000)

    def bad(**changes):
        def tweak(files, manifest, config_name, layer_names):
            for key, value in changes.items():
                manifest[0][key] = value
        return docker([good], tweak=tweak)

    def files_of(change):
        return docker([good], tweak=lambda files, manifest, c, layers: change(files, manifest, c, layers))

    def replace_layer(files, manifest, c, layers):
        files[layers[0]] = good[:-512] + b'\1' * 512

    def replace_config(files, manifest, c, layers):
        files[c] = files[c] + b' '

    def drop(which):
        def change(files, manifest, c, layers):
            del files[c if which == 'config' else layers[0]]
        return change

    yield Case('image-layer-digest', files_of(replace_layer), INVALID, contains='digest')
    yield Case('image-config-digest', files_of(replace_config), INVALID, contains='digest')
    yield Case('image-diff-id', docker([good], diff_ids=[sha256(b'other')]), INVALID, contains='does not match')
    yield Case('image-diff-id-gzip', docker([gz(good)], diff_ids=[sha256(b'other')]), INVALID, contains='does not match')
    yield Case('image-diff-id-word', docker([good], diff_ids=['sha256:../../../etc/passwd']), INVALID)
    yield Case('image-diff-id-upper', docker([good], diff_ids=[sha256(good).upper()]), INVALID)
    yield Case('image-diff-id-missing', docker([good, good[:1024] + bytes(1024)], diff_ids=[sha256(good)]), INVALID)
    yield Case('image-diff-id-too-many', docker([good], diff_ids=[sha256(good), sha256(good)]), INVALID)
    yield Case('image-config-missing', files_of(drop('config')), INVALID, contains='lacks')
    yield Case('image-layer-missing', files_of(drop('layer')), INVALID, contains='lacks')
    yield Case('image-config-up', bad(Config='../../../../etc/passwd'), INVALID, contains='lacks')
    yield Case('image-config-absolute', bad(Config='/etc/passwd'), INVALID, contains='lacks')
    yield Case('image-config-number', bad(Config=7), INVALID)
    yield Case('image-layers-absolute', bad(Layers=['/etc/passwd']), INVALID)
    yield Case('image-layers-string', bad(Layers='x'), INVALID)
    yield Case('image-layers-null', bad(Layers=None), INVALID)
    yield Case('image-tag-path', bad(RepoTags=['../../etc/passwd:1']), INVALID, contains='name')
    yield Case('image-tag-digest', bad(RepoTags=['x@' + sha256(b'')]), INVALID)
    yield Case('image-tag-like-an-id', bad(RepoTags=['sha256:' + '0' * 63]), INVALID, contains='name')
    yield Case('image-tag-control', bad(RepoTags=['x\x1b[2J:1']), INVALID)
    yield Case('image-tag-long', bad(RepoTags=['a' * 5000]), INVALID)
    yield Case('image-config-not-json', docker([good], tweak=lambda f, m, c, layers: _swap_config(f, m, c, b'{not json')), INVALID)
    yield Case('image-config-deep', docker([good], tweak=lambda f, m, c, layers: _swap_config(f, m, c, b'[' * 100000)), INVALID)
    yield Case('image-config-list', docker([good], tweak=lambda f, m, c, layers: _swap_config(f, m, c, b'[]')), INVALID)
    yield Case('image-config-large', docker([good], config_fields={'author': 'a' * (5 << 20)}), LARGE)
    yield Case('image-config-env-number', docker([good], config_fields={'config': {'Env': [1, 2]}}), INVALID)
    yield Case('image-windows', docker([good], config_fields={'os': 'windows'}), INVALID, contains='windows')
    yield Case('image-layers-130', docker([Tar().file(f'f{i}').end() for i in range(130)]), LARGE)
    yield Case('image-history-lies', docker([good], config_fields={'history': [{'created_by': 'x'}] * 5}), INVALID, OK)
    yield Case('image-not-tar', docker([b'just text ' * 1000]), INVALID, contains='tar')
    yield Case('image-layer-empty-file', docker([b'']), INVALID)
    yield Case('image-gzip-damaged', docker([gz(good)[:-20]], diff_ids=[sha256(good)]), INVALID)
    yield Case('image-gzip-garbage', docker([b'\x1f\x8b' + garbage], diff_ids=[sha256(good)]), INVALID)
    yield Case('image-xz-garbage', docker([b'\xfd7zXZ\0' + garbage], diff_ids=[sha256(good)]), INVALID)
    yield Case('image-zstd-garbage', docker([b'\x28\xb5\x2f\xfd' + garbage], diff_ids=[sha256(good)]), INVALID)
    yield Case('manifest-not-json', tar(('manifest.json', b'[{')), INVALID)
    yield Case('manifest-object', tar(('manifest.json', b'{}')), INVALID)
    yield Case('manifest-empty-list', tar(('manifest.json', b'[]')), INVALID, contains='no image')
    yield Case('manifest-null', tar(('manifest.json', b'null')), INVALID)
    yield Case('manifest-deep', tar(('manifest.json', b'[' * 60000)), INVALID)
    yield Case('manifest-large', tar(('manifest.json', b' ' * (5 << 20))), LARGE)
    yield Case('manifest-2000-images', tar(('manifest.json', json.dumps([{'Config': 'x'}] * 2000).encode())), LARGE)
    yield Case('manifest-twice', docker([good])[:-1024] + tar(('manifest.json', b'[]')), INVALID, contains='twice')
    yield Case('manifest-symlink', Tar().symlink('manifest.json', '/etc/passwd').end(), INVALID)
    yield Case('manifest-nul', tar(('manifest.json', b'[]\0[]')), INVALID)
    yield Case('blob-twice', docker([good])[:-1024] + tar((blob_name(sha256(good)), good)), INVALID, contains='twice')
    yield from _outer_cases(out, good)
    yield from _oci_cases(good)
    yield Case('archive-empty', b'', INVALID)
    yield Case('archive-garbage', garbage, INVALID)
    yield Case('archive-gzip-garbage', b'\x1f\x8b\x08\0' + garbage, INVALID)
    yield Case('archive-gzip-truncated', gz(docker([good]))[:-30], INVALID, OK)
    yield Case('archive-truncated', docker([good])[:2000], INVALID)
    yield Case('archive-zip', b'PK\x03\x04' + bytes(2000), INVALID)
    yield Case('archive-bzip2-garbage', b'BZh9' + garbage, INVALID)
    yield Case('archive-zeros', bytes(100000), INVALID)
    yield Case('archive-repositories-only', tar(('repositories', b'{}')), INVALID, contains='1.10')
    yield Case('archive-rootfs', Tar().dir('etc').file('etc/passwd').end(), INVALID, contains='import')
    yield Case('archive-70000-entries', (header('d/', '5') * 70000) + bytes(1024), LARGE)
    yield Case('import-garbage', garbage, INVALID, task='import')
    yield Case('import-gzip-garbage', b'\x1f\x8b\x08\0' + garbage, INVALID, task='import')
    yield Case('import-truncated', good[:700], INVALID, task='import')


def _swap_config(files, manifest, name, data):
    del files[name]
    manifest[0]['Config'] = blob_name(sha256(data))
    files[manifest[0]['Config']] = data


def _outer_cases(out, good):
    """The archive around the layers."""
    c = config([sha256(good)])
    manifest = json.dumps([{'Config': 'c.json', 'RepoTags': None, 'Layers': ['layer.tar']}]).encode()

    def outer():
        return Tar().file('c.json', c).file('manifest.json', manifest)

    yield Case('outer-layer-symlink-absolute', outer().symlink('layer.tar', '/etc/passwd').end(), INVALID, contains='lacks')
    yield Case('outer-layer-symlink-up', outer().symlink('layer.tar', '../../../../etc/passwd').end(), INVALID)
    yield Case('outer-layer-symlink-loop', outer().symlink('layer.tar', 'b').symlink('b', 'layer.tar').end(), INVALID)
    yield Case('outer-layer-symlink-canary', outer().symlink('layer.tar', out + '/canary').end(), INVALID)
    yield Case('outer-layer-hardlink', outer().hardlink('layer.tar', '/etc/passwd').end(), INVALID)
    yield Case('outer-device', outer().add('layer.tar', CHAR, major=1, minor=5).end(), INVALID)
    yield Case('outer-fifo', outer().add('layer.tar', FIFO).end(), INVALID)
    yield Case('outer-dotdot', outer().file('../layer.tar', good).end(), INVALID)
    yield Case('outer-absolute-write', outer().file(out + '/pwn', good).end(), INVALID)
    yield Case('outer-directory-as-layer', outer().dir('layer.tar').end(), INVALID)
    sparse = _sparse(1 << 20, [(1 << 19, 512)], good[:512])[:-1024].replace(b'GNU.sparse.name=f', b'GNU.sparse.name=f')
    yield Case('outer-sparse', outer().raw(sparse).end(), INVALID, contains='holes')
    yield Case('outer-depth', outer().add('x', records={'path': 'a/' * 50 + 'f'}).end(), LARGE)
    yield Case('outer-blob-name-short', outer().file('blobs/sha256/abc', good).symlink('layer.tar', 'blobs/sha256/abd').end(), INVALID)
    yield Case('outer-good', outer().file('sub/layer.tar', good).symlink('layer.tar', 'sub/layer.tar').end(), OK)


def _oci_cases(good):
    def change_manifest(**changes):
        return oci([good], tweak=lambda files, index, manifest: manifest.update(changes))

    def index_with(**changes):
        return oci([good], tweak=lambda files, index, manifest: index.update(changes))

    def lie_size(files, index, manifest):
        manifest['layers'][0]['size'] += 1

    def lie_config_size(files, index, manifest):
        manifest['config']['size'] = 1

    def foreign(files, index, manifest):
        manifest['layers'][0].update(digest=sha256(b'elsewhere'), urls=['http://example.com/x'])

    def nest(depth):
        def wrap(files, d):
            for _ in range(depth):
                data = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json',
                                   'manifests': [d]}).encode()
                files[blob_name(sha256(data))] = data
                d = descriptor('index.v1+json', data)
            return d
        return wrap

    def only(platform):
        def wrap(files, d):
            return nest(1)(files, {**d, 'platform': platform})
        return wrap

    def digest(value):
        return oci([good], wrap=lambda files, d: {**d, 'digest': value})

    yield Case('oci-manifest-and-index', change_manifest(manifests=[]), INVALID)
    yield Case('oci-index-and-manifest', index_with(layers=[], config={}), INVALID)
    yield Case('oci-manifest-type-lies', change_manifest(mediaType='application/vnd.oci.image.index.v1+json'), INVALID)
    yield Case('oci-schema-1', change_manifest(schemaVersion=1), INVALID)
    yield Case('oci-layer-size', oci([good], tweak=lie_size), INVALID, contains='size')
    yield Case('oci-config-size', oci([good], tweak=lie_config_size), INVALID, contains='size')
    yield Case('oci-foreign-layer', oci([good], tweak=foreign), INVALID)
    yield Case('oci-layer-kind', oci([good], layer_kind='layer.v1.tar+encrypted'), INVALID)
    yield Case('oci-layer-kind-program', oci([good], layer_kind='layer.v1.tar+xz;sh'), INVALID)
    yield Case('oci-artifact', change_manifest(config=descriptor('x', b'{}', mediaType='application/vnd.oci.empty.v1+json')), INVALID)
    yield Case('oci-digest-path', digest('sha256:../../../../etc/passwd'), INVALID)
    yield Case('oci-digest-sha512', digest('sha512:' + '0' * 128), INVALID)
    yield Case('oci-digest-md5', digest('md5:' + '0' * 32), INVALID)
    yield Case('oci-digest-upper', digest('sha256:' + 'A' * 64), INVALID)
    yield Case('oci-digest-missing-blob', digest('sha256:' + '0' * 64), INVALID, contains='lacks')
    yield Case('oci-size-huge', oci([good], wrap=lambda files, d: {**d, 'size': 1 << 62}), INVALID, LARGE)
    yield Case('oci-size-negative', oci([good], wrap=lambda files, d: {**d, 'size': -1}), INVALID)
    yield Case('oci-nested-10', oci([good], wrap=nest(10)), INVALID, contains='indexes')
    yield Case('oci-nested-2', oci([good], wrap=nest(2)), OK)
    yield Case('oci-no-platform', oci([good], wrap=only({'os': 'linux', 'architecture': 's390x'})), NOT_FOUND)
    yield Case('oci-only-attestation', oci([good], wrap=only({'os': 'unknown', 'architecture': 'unknown'})), NOT_FOUND)
    yield Case('oci-no-layout', oci([good], tweak=lambda files, i, m: files.pop('oci-layout')), INVALID, contains='oci-layout')
    yield Case('oci-layout-9', oci([good], tweak=lambda files, i, m: files.update({'oci-layout': b'{"imageLayoutVersion":"9.0.0"}'})), INVALID)
    yield Case('oci-layout-broken', oci([good], tweak=lambda files, i, m: files.update({'oci-layout': b'x'})), INVALID)
    yield Case('oci-index-broken', oci([good], tweak=lambda files, i, m: files.update({'index.json': b'{"schemaVersion":2'})), INVALID)
    yield Case('oci-index-empty', oci([good], tweak=lambda files, i, m: files.update({'index.json': b'{"schemaVersion":2,"manifests":[]}'})), INVALID)
    yield Case('oci-index-words', oci([good], tweak=lambda files, i, m: files.update({'index.json': b'{"schemaVersion":2,"manifests":["x"]}'})), INVALID)
    yield Case('oci-name-control', oci([good], name='x\x1b/y:z'), OK)
    yield Case('oci-name-path', oci([good], name='../../etc/x:1'), OK)
    yield Case('oci-diff-id', oci([good], diff_ids=[sha256(b'')]), INVALID)


def cases(out):
    for name, data, *expected in layer_cases(out):
        if data is None:
            data = bomb()
            yield Case('layer-' + name, docker([data], diff_ids=[sha256(b'x')], blobs=False), *expected)
            continue
        yield Case('layer-' + name, docker([data]), *expected)
        if INVALID not in expected or len(expected) == 1:
            yield Case('import-' + name, data, *expected, task='import')
    yield from image_cases(out)


def main():
    folder, out = sys.argv[1:3]
    os.makedirs(folder, exist_ok=True)
    for case in cases(os.path.abspath(out)):
        with open(os.path.join(folder, case.name + '.tar'), 'wb') as f:
            f.write(case.data)
        print(case.name, case.task, '/'.join(case.expected))


if __name__ == '__main__':
    main()
