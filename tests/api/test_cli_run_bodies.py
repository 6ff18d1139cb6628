# SPDX-License-Identifier: GPL-2.0-or-later
"""What `stauer create` sends for docker's words is what docker's own client sends: member by member, and word for word what it refuses.

cli_run_bodies.json holds what docker 28 does, as changes against the body of `docker create image`. Where such a docker is installed,
the record is compared with it as well; `python3 test_cli_run_bodies.py` writes it anew from there."""

import http.server
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

RECORD = Path(__file__).with_name('cli_run_bodies.json')
FILES = {'labels': b'#c\nl1=v1\nl2\n l3=x y \n\n', 'env': b'\xef\xbb\xbfA=1\n# c\nX\nNONE\nB=x y \n  C=3\n\nD="q"\nE=\n',
         'blank': b'A b=c\n', 'nameless': b'=c\n', 'latin': b'A=\xff\n',
         'seccomp': b'{ "defaultAction" : "SCMP_ACT_ALLOW",\n "x":[1, " a  \\" b "] }\n'}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        if self.path.split('?')[0].endswith('/containers/create'):
            self.server.sent.append((self.path[self.path.index('/containers'):], json.loads(body)))
            status, data = 201, b'{"Id":"' + b'a' * 64 + b'","Warnings":[]}'
        else:
            status, data = 200, b''
        self.send_response(status)
        self.send_header('Api-Version', '1.50')
        self.send_header('Ostype', 'linux')
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = answer

    def address_string(self):
        return 'unix'

    def log_message(self, *_):
        pass


class Recorder(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Asker:
    """Runs a client in a folder of its own and tells what it sent or said."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name, data in FILES.items():
            (self.folder / name).write_bytes(data)
        self.server = Recorder(str(self.folder / 's'), Handler)
        self.server.sent = []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def create(self, client, words):
        self.server.sent.clear()
        (self.folder / 'cid').unlink(missing_ok=True)
        env = {'PATH': os.environ['PATH'], 'HOME': str(self.folder), 'DOCKER_HOST': f'unix://{self.folder}/s', 'X': 'y'}
        done = subprocess.run([client, 'create', *words, 'image'], env=env, cwd=self.folder, capture_output=True, text=True,
                              timeout=30, check=False)
        if not self.server.sent:
            line = done.stderr.splitlines()[0].replace(str(self.folder), '$CWD')
            return {'exit': done.returncode, 'error': re.sub('^(docker|stauer): ', 'PROGRAM: ', line)}
        path, body = self.server.sent[-1]
        if body['HostConfig']['Binds']:
            body['HostConfig']['Binds'].sort()                # docker's are in the order of a hash
        return {'path': path, 'body': json.loads(json.dumps(body).replace(str(self.folder), '$CWD'))}


def flat(value, path=''):
    if isinstance(value, dict) and value:
        for key in value:
            yield from flat(value[key], f'{path}/{key}')
    else:
        yield path, value


def changes(base, answer):
    """The answer with its body as what differs from base."""
    if 'body' not in answer:
        return answer
    before, after = dict(flat(base)), dict(flat(answer['body']))
    return {'path': answer['path'], 'changed': {k: v for k, v in sorted(after.items()) if k not in before or before[k] != v},
            'gone': sorted(set(before) - set(after))}


def in_order(answer):
    """docker gives the variables of the command line in another order each time."""
    env = answer.get('changed', {}).get('/Env')
    return answer if not env else {**answer, 'changed': {**answer['changed'], '/Env': sorted(env)}}


def record():
    return json.loads(RECORD.read_text())


@pytest.fixture(scope='module')
def asker(tmp_path_factory):
    with tempfile.TemporaryDirectory() as folder:             # short, for the socket's path
        yield Asker(folder)


def compare(asker, client):
    expected = record()
    base = asker.create(client, [])['body']
    assert base == expected['base']
    wrong = []
    for case in expected['cases']:
        got = changes(base, asker.create(client, case['words']))
        if in_order(got) != in_order(case['answer']):
            wrong.append(f'{case["words"]}\n  docker {case["answer"]}\n  here   {got}')
    assert not wrong, '\n'.join(wrong)


def test_stauer(asker):
    compare(asker, os.path.join(os.environ['STAUER_BUILD'], 'cli/stauer'))


def test_record(asker):
    docker = shutil.which('docker')
    if not docker or 'version 28.' not in subprocess.run([docker, '--version'], capture_output=True, text=True, check=True).stdout:
        pytest.skip('there is no docker 28 on this machine to compare the record with; the record itself was used')
    compare(asker, docker)


def write_record(words):
    with tempfile.TemporaryDirectory() as folder:
        asker = Asker(folder)
        base = asker.create('docker', [])['body']
        cases = [{'words': w, 'answer': changes(base, asker.create('docker', w))} for w in words]
    lines = ',\n'.join('  ' + json.dumps(case, ensure_ascii=False) for case in cases)
    RECORD.write_text(f'{{"base": {json.dumps(base)},\n "cases": [\n{lines}\n]}}\n')


if __name__ == '__main__':
    write_record([json.loads(line) for line in sys.stdin] or [case['words'] for case in record()['cases']])
