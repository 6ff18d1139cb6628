# SPDX-License-Identifier: GPL-2.0-or-later
"""A registry on loopback that holds what a test puts in, remembers what it was asked, and lies on demand: registry.fault(pattern, what, times) lets
what(handler, data, start) answer instead of the truth for the paths that fit."""

import base64
import gzip
import hashlib
import io
import json
import re
import socket
import struct
import subprocess
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OCI = 'application/vnd.oci.image.'
DOCKER = 'application/vnd.docker.'
INDEX, MANIFEST, CONFIG = OCI + 'index.v1+json', OCI + 'manifest.v1+json', OCI + 'config.v1+json'
LAYER = OCI + 'layer.v1.tar'
DOCKER_LIST = DOCKER + 'distribution.manifest.list.v2+json'
DOCKER_MANIFEST, DOCKER_CONFIG = DOCKER + 'distribution.manifest.v2+json', DOCKER + 'container.image.v1+json'
DOCKER_LAYER = DOCKER + 'image.rootfs.diff.tar.gzip'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def layer_tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def pack(tar, how):
    if how == 'gzip':
        return gzip.compress(tar, 1, mtime=0)
    if how == 'zstd':
        return subprocess.run(['zstd', '-q', '-1'], input=tar, stdout=subprocess.PIPE, check=True).stdout
    return tar


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, ValueError, OSError):
            pass

    def answer(self, status, data=b'', kind='application/json', **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def error(self, status, code, message):
        self.answer(status, json.dumps({'errors': [{'code': code, 'message': message}]}).encode())

    def reset(self):
        """RST instead of an orderly end."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.connection.close()
        self.close_connection = True

    def cut(self):
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def do_POST(self):
        registry = self.server.registry
        body = self.rfile.read(int(self.headers.get('Content-Length', 0))).decode()
        registry.requests.append(('POST', self.path, dict(self.headers), body))
        form = parse_qs(body)
        if urlsplit(self.path).path == '/token' and form.get('refresh_token') == [registry.refresh]:
            self.answer(200, json.dumps({'access_token': registry.token}).encode())
        else:
            self.answer(401, b'{"details":"incorrect username or password"}')

    def do_GET(self):
        registry = self.server.registry
        registry.requests.append(('GET', self.path, dict(self.headers), ''))
        path = urlsplit(self.path).path
        if path == '/token':
            self.token(registry)
            return
        if registry.auth and self.headers.get('Authorization') not in registry.proofs():
            self.send_response(401)
            self.send_header('WWW-Authenticate', registry.challenge())
            self.send_header('Content-Length', '0')
            self.end_headers()
            return
        self.content(registry, path)

    def token(self, registry):
        if registry.auth == 'anonymous' or self.headers.get('Authorization') == registry.basic():
            self.answer(200, json.dumps({'token': registry.token}).encode())
        else:
            self.answer(401, b'{"details":"incorrect username or password"}')

    def content(self, registry, path):
        m = re.fullmatch(r'/v2/(.+)/(manifests|blobs|tags)/([^/]+)', path)
        if not m:
            self.answer(200, b'{}')
            return
        name, kind, what = m.groups()
        kind_of = 'application/octet-stream'
        if kind == 'tags':
            tags = sorted(t for (n, t) in registry.manifests if n == name and ':' not in t)
            last = parse_qs(urlsplit(self.path).query).get('last', [''])[0]
            tags = [t for t in tags if t > last]
            more = {'Link': f'<{path}?last={tags[1]}>; rel="next"'} if len(tags) > 2 else {}
            data = json.dumps({'name': name, 'tags': tags[:2]}).encode()
            self.answer(200, data, **more)
            return
        if kind == 'manifests':
            if (name, what) not in registry.manifests:
                self.error(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
                return
            data, kind_of = registry.manifests[name, what]
        elif what in registry.blobs:
            data = registry.blobs[what]
        else:
            self.error(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
            return

        m = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        start = int(m.group(1)) if m and kind == 'blobs' and registry.ranges else 0
        fault = registry.take_fault(path)
        if fault:
            fault(self, data, start)
            return
        more = {'Docker_Content_Digest': digest_of(data)} if kind == 'manifests' else {}
        if start:
            more['Content_Range'] = f'bytes {start}-{len(data) - 1}/{len(data)}'
        registry.sent += len(data) - start if kind == 'blobs' else 0
        self.answer(206 if start else 200, data[start:], kind_of, **more)


# ---- what a registry may do wrong ----

def head(handler, data, start, status=None):
    handler.send_response(status or (206 if start else 200))
    if start:
        handler.send_header('Content-Range', f'bytes {start}-{len(data) - 1}/{len(data)}')
    handler.send_header('Content-Length', str(len(data) - start))
    handler.end_headers()


def cut_at(k, reset=False):
    """So many bytes more, then the connection ends."""
    def what(handler, data, start):
        head(handler, data, start)
        handler.wfile.write(data[start:start + k])
        handler.server.registry.sent += min(k, len(data) - start)
        (handler.reset if reset else handler.cut)()
    return what


def status(code, **headers):
    return lambda handler, data, start: handler.answer(code, b'{}', **headers)


def redirect(url):
    return lambda handler, data, start: handler.answer(307, b'', Location=url)


def flipped(handler, data, start):
    wrong = bytearray(data)
    wrong[len(wrong) // 2] ^= 1
    head(handler, wrong, start)
    handler.wfile.write(wrong[start:])


def longer(handler, data, start):
    handler.answer(200, data + b'x' * 1000)


def shorter(handler, data, start):
    handler.answer(200, data[:-1])


def endless(handler, data, start):
    """Chunks for as long as somebody reads."""
    handler.send_response(200)
    handler.send_header('Transfer-Encoding', 'chunked')
    handler.end_headers()
    while True:
        handler.wfile.write(b'10000\r\n' + b'x' * 65536 + b'\r\n')


def bad_chunks(handler, data, start):
    handler.send_response(200)
    handler.send_header('Transfer-Encoding', 'chunked')
    handler.end_headers()
    handler.wfile.write(b'ffff\r\n' + data[:100] + b'\r\nzz\r\n')
    handler.cut()


def other_range(handler, data, start):
    """Bytes from elsewhere, under the right name."""
    handler.send_response(206)
    handler.send_header('Content-Range', f'bytes 0-{len(data) - 1}/{len(data)}')
    handler.send_header('Content-Length', str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def slowly(handler, data, start):
    head(handler, data, start)
    for i in range(start, len(data)):
        handler.wfile.write(data[i:i + 1])
        handler.wfile.flush()
        time.sleep(0.2)


class ServerV6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


class FakeRegistry:
    def __init__(self, auth=None, tls=None, host='127.0.0.1'):
        self.auth = auth                    # None, basic, bearer, anonymous (a token for nothing)
        self.user, self.password, self.token, self.refresh = 'me', 'pässword', 'T0KEN', 'R3FRESH'
        self.manifests, self.blobs, self.requests, self.faults = {}, {}, [], []
        self.sent, self.ranges, self.realm, self.header = 0, True, None, None
        self.server = (ServerV6 if ':' in host else ThreadingHTTPServer)((host, 0), Handler)
        self.server.daemon_threads = True
        self.server.registry = self
        self.tls = tls
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.name = f'[{host}]:{self.port}' if ':' in host else f'{host}:{self.port}'
        self.url = ('https' if tls else 'http') + f'://{self.name}'
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.end()

    def basic(self):
        return 'Basic ' + base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()

    def proofs(self):
        return [self.basic()] if self.auth == 'basic' else [f'Bearer {self.token}']

    def challenge(self):
        if self.header:
            return self.header
        if self.auth == 'basic':
            return 'Basic realm="fake"'
        return f'Bearer realm="{self.realm or self.url + "/token"}",service="fake",scope="repository:x:pull"'

    def auth_header(self, **more):
        auth = more or {'username': self.user, 'password': self.password}
        return {'X-Registry-Auth': base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()}

    def fault(self, pattern, what, times=1):
        self.faults.append([re.compile(pattern), what, times])

    def take_fault(self, path):
        for fault in self.faults:
            if fault[2] > 0 and fault[0].search(path):
                fault[2] -= 1
                return fault[1]
        return None

    def asked(self, pattern):
        return [r for r in self.requests if re.search(pattern, r[1])]

    # ---- content ----

    def blob(self, data):
        self.blobs[digest_of(data)] = data
        return {'digest': digest_of(data), 'size': len(data)}

    def manifest(self, name, tag, document, kind):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        for key in (tag, digest_of(data)):
            if key:
                self.manifests[name, key] = (data, kind)
        return {'mediaType': kind, 'digest': digest_of(data), 'size': len(data)}

    def image(self, name, tag, layers, how='gzip', docker=False, config=None, platform=None):
        """layers: tars. Returns descriptor of the manifest, id of the image, descriptors of the layers."""
        blobs = [self.blob(pack(t, how)) for t in layers]
        kind = DOCKER_LAYER if docker else LAYER + ('' if how == 'none' else '+' + how)
        document = self.blob(json.dumps({
            'architecture': 'amd64', 'os': 'linux', **(platform or {}), 'created': '2023-11-14T22:13:20Z',
            'config': {'Cmd': ['sh'], **(config or {})},
            'rootfs': {'type': 'layers', 'diff_ids': [digest_of(t) for t in layers]}}).encode())
        manifest = {
            'schemaVersion': 2, 'mediaType': DOCKER_MANIFEST if docker else MANIFEST,
            'config': {'mediaType': DOCKER_CONFIG if docker else CONFIG, **document},
            'layers': [{'mediaType': kind, **b} for b in blobs]}
        return self.manifest(name, tag, manifest, manifest['mediaType']), document['digest'], blobs

    def index(self, name, tag, members, docker=False):
        """members: (descriptor, platform)"""
        kind = DOCKER_LIST if docker else INDEX
        return self.manifest(name, tag, {'schemaVersion': 2, 'mediaType': kind,
                                         'manifests': [{**d, 'platform': p} for d, p in members]}, kind)
