# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds whose files are workers' work; what RUN does is told by tests/system/test_build.py."""

import io
import json
import tarfile

import pytest


def context(files):
    """A tar of names and texts; None is a folder, a tuple a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            if text is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(text, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, text[0]
            data = text.encode() if isinstance(text, str) else text if isinstance(text, bytes) else b''
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def build(daemon, files, query=''):
    """Status, and the rows; a refusal is one row."""
    answer = daemon.request('POST', '/build?' + query, body=context(files), headers={'Content-Type': 'application/x-tar'})
    return answer.status, [json.loads(row) for row in answer.data.decode().split('\r\n') if row.strip()]


def built(daemon, files, query=''):
    status, rows = build(daemon, files, query)
    assert status == 200 and 'error' not in rows[-1], rows
    text = ''.join(row.get('stream', '') for row in rows)
    return [row['aux']['ID'] for row in rows if 'aux' in row][-1], text


def failed(daemon, files, query=''):
    status, rows = build(daemon, files, query)
    return rows[-1].get('error') or rows[-1]['message']


def inspect(daemon, image):
    return json.loads(daemon.get(f'/images/{image}/json').data)


def files_of(daemon, image):
    """What is in the image, by a container that never runs."""
    body = {'Image': image, 'Cmd': ['x'], 'HostConfig': {'NetworkMode': 'none'}}
    made = daemon.post('/containers/create', body).json
    assert 'Id' in made, made
    data = daemon.get(f'/containers/{made["Id"]}/export').data
    daemon.request('DELETE', f'/containers/{made["Id"]}')
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        return {m.name: t.extractfile(m).read().decode() if m.isreg() else m.linkname if m.issym() else None for m in t}


# What becomes of a Dockerfile: files of the image.
COPIES = {
    'file': ('COPY a /x', {'x': 'A'}),
    'into a folder': ('COPY a b /d/', {'d/a': 'A', 'd/b': 'B'}),
    'folder': ('COPY dir /d', {'d/one': '1', 'd/sub/two': '2'}),
    'folder with slash': ('COPY dir/ /d/', {'d/one': '1', 'd/sub/two': '2'}),
    'all': ('COPY . /', {'a': 'A', 'dir/sub/two': '2'}),
    'pattern': ('COPY *.txt /t/', {'t/p.txt': 'P', 't/q.txt': 'Q'}),
    'pattern in a folder': ('COPY d?r/o* /t/', {'t/one': '1'}),
    'any depth': ('COPY dir/** /t/', {'t/one': '1'}),
    'json': ('COPY ["a", "b c", "/d/"]', {'d/a': 'A', 'd/b c': 'BC'}),
    'variable': ('ENV T=/t\nCOPY a $T/x', {'t/x': 'A'}),
    'relative': ('WORKDIR /w\nCOPY a sub/x', {'w/sub/x': 'A'}),
    'dot': ('WORKDIR /w\nCOPY a .', {'w/a': 'A'}),
    'link in the context': ('COPY link /x', {'x': 'A'}),
    'link in a folder': ('COPY links /l', {'l/l': '../a'}),
    'folder by a link': ('COPY dirlink /d', {'d/one': '1'}),
    'heredoc': ('ENV V=v\nCOPY <<one <<"two" /h/\n$V\none\n$V\ntwo', {'h/one': 'v\n', 'h/two': '$V\n'}),
    'heredoc as a file': ('COPY <<x /h/name\ntext\nx', {'h/name': 'text\n'}),
    'exclude': ('COPY --exclude=sub --exclude=*.txt . /', {'a': 'A', 'p.txt': KeyError}),
    'parents': ('COPY --parents dir/sub/two /p/', {'p/dir/sub/two': '2'}),
    'parents from a point': ('COPY --parents dir/./sub/two /p/', {'p/sub/two': '2'}),
    'add': ('ADD a /x', {'x': 'A'}),
    'add unpacks': ('ADD t.tar /u', {'u/inside': 'I'}),
    'copy does not unpack': ('COPY t.tar /u/', {'u/inside': KeyError}),
    'workdir': ('WORKDIR /one/two', {'one/two': None}),
    'over a file': ('COPY a /x\nCOPY ["b c", "/x"]', {'x': 'BC'}),
    'into a linked folder': ('COPY links2 /\nCOPY a /lib/x', {'usr/lib/x': 'A', 'lib': 'usr/lib'}),
}

CONTEXT = {'a': 'A', 'b': 'B', 'b c': 'BC', 'p.txt': 'P', 'q.txt': 'Q', 'dir': None, 'dir/one': '1', 'dir/sub/two': '2', 'link': ('a',),
           'dirlink': ('dir',), 'links/l': ('../a',), 't.tar': context({'inside': 'I'}), 'links2/lib': ('usr/lib',),
           'links2/usr/lib/keep': ''}


@pytest.mark.parametrize('name', COPIES)
def test_copies(daemon, name):
    text, expected = COPIES[name]
    image, _ = built(daemon, {**CONTEXT, 'Dockerfile': f'FROM scratch\n{text}\n'})
    found = files_of(daemon, image)
    for path, content in expected.items():
        if content is KeyError:
            assert path not in found
        else:
            assert found[path] == content


CONFIGS = {
    'ENV A=b C="d e"\nENV OLD x y': ('Env', ['A=b', 'C=d e', 'OLD=x y']),
    'ARG A=1\nENV B=${A:-2}${N:+x}': ('Env', ['B=1']),
    'CMD echo $x': ('Cmd', ['/bin/sh', '-c', 'echo $x']),
    'CMD ["a", "b"]': ('Cmd', ['a', 'b']),
    'SHELL ["/bin/ash", "-c"]\nENTRYPOINT x': ('Entrypoint', ['/bin/ash', '-c', 'x']),
    'LABEL a=b c="d e"': ('Labels', {'a': 'b', 'c': 'd e', 'given': 'too'}),
    'EXPOSE 80 90/udp': ('ExposedPorts', {'80/tcp': {}, '90/udp': {}}),
    'VOLUME /a /b': ('Volumes', {'/a': {}, '/b': {}}),
    'USER 5:6': ('User', '5:6'),
    'WORKDIR /a\nWORKDIR b/../c': ('WorkingDir', '/a/c'),
    'STOPSIGNAL SIGQUIT': ('StopSignal', 'SIGQUIT'),
    'ONBUILD RUN x': ('OnBuild', ['RUN x']),
    'HEALTHCHECK --interval=5s CMD x': ('Healthcheck', {'Test': ['CMD-SHELL', 'x'], 'Interval': 5000000000}),
}


@pytest.mark.parametrize('text', CONFIGS)
def test_config(daemon, text):
    key, expected = CONFIGS[text]
    image, _ = built(daemon, {'Dockerfile': f'FROM scratch\n{text}\n'}, 'labels=%7B%22given%22:%22too%22%7D')
    assert inspect(daemon, image)['Config'][key] == expected


def test_stream(daemon):
    image, text = built(daemon, {'Dockerfile': 'FROM scratch AS one\nCOPY a /\nFROM scratch AS not-needed\nCOPY nothing /\n'
                                               'FROM scratch\nCOPY --from=one a /b\nENV x=y\n', 'a': 'A'}, 't=streamed&t=streamed:2')
    short = image[7:19]
    lines = text.split('\n')
    assert lines[0] == 'Step 1/5 : FROM scratch AS one'
    assert 'Step 4/5 : COPY --from=one a /b' in lines
    assert lines[-6:] == ['Step 5/5 : ENV x=y', f' ---> {short}', f'Successfully built {short}', 'Successfully tagged streamed:latest',
                          'Successfully tagged streamed:2', '']
    assert files_of(daemon, 'streamed:2')['b'] == 'A'
    status, rows = build(daemon, {'Dockerfile': 'FROM streamed\n'}, 'q=1')
    assert status == 200 and rows[0]['stream'].startswith('sha256:') and len(rows) == 1


def test_cache(daemon):
    files = {'Dockerfile': 'FROM scratch\nCOPY a /\nENV x=y\n', 'a': 'first'}
    image, text = built(daemon, files)
    assert 'Using cache' not in text
    again, text = built(daemon, files)
    assert again == image and text.count('Using cache') == 2
    other, text = built(daemon, {**files, 'a': 'second'})
    assert other != image and 'Using cache' not in text
    fresh, text = built(daemon, files, 'nocache=1')
    assert 'Using cache' not in text
    usage = json.loads(daemon.get('/system/df').data)
    assert len(usage['BuildCache']) >= 4
    assert not [row for row in json.loads(daemon.get('/images/json?all=1').data) if row['Id'] not in (image, other, fresh)
                and row['RepoTags'] is None]
    pruned = json.loads(daemon.request('POST', '/build/prune?all=1').data)
    assert len(pruned['CachesDeleted']) == len(usage['BuildCache'])
    assert json.loads(daemon.get('/system/df').data)['BuildCache'] == []
    assert 'a' in files_of(daemon, image)
    assert 'Using cache' not in built(daemon, files)[1]


BAD = {
    '': 'the Dockerfile (Dockerfile) cannot be empty',
    'FROM scratch\nFOO x': 'Dockerfile:2:1: dockerfile parse error on line 2: unknown instruction: FOO',
    'FROM nobody-has-this': 'Dockerfile:1:1: FROM nobody-has-this: there is no such image here',
    'FROM scratch\nCOPY nothing /': 'stat nothing: file does not exist',
    'FROM scratch\nCOPY ../x /': 'forbidden path outside the build context: ../x ()',
    'FROM scratch\nCOPY no* /': 'no source files were specified',
    'FROM scratch\nCOPY ignored /': 'excluded by .dockerignore: stat ignored',
    'FROM scratch\nCOPY --from=nobody a /': 'invalid from flag value nobody',
    'FROM scratch\nADD https://x/y /': 'Dockerfile:2:1: dockerfile parse error on line 2: ADD of https://x/y: fetching is not implemented',
    'FROM scratch\nCOPY --chown=nobody a /': 'unable to find user nobody',
    'FROM scratch\nCOPY --chmod=x a /': "invalid chmod parameter: 'x'",
    'FROM scratch\nRUN x': 'Dockerfile:2:1: RUN there is nothing to be run',
    'FROM scratch\nCOPY a /\nRUN --mount=type=secret,id=x y': '--mount=type=secret is not implemented',
    'FROM scratch\nCOPY a /\nRUN --network=host y': '--network=host is only allowed',
    'FROM scratch\nCOPY a /\nRUN --security=insecure y': '--security=insecure is not allowed',
    'FROM scratch': 'No image was generated',
    'FROM scratch\nENV a': 'ENV must have two arguments',
}


@pytest.mark.parametrize('text', BAD)
def test_bad(daemon, text):
    assert BAD[text] in failed(daemon, {'Dockerfile': text, 'a': 'A', 'ignored': '', '.dockerignore': 'ignored\n'})


def test_refused(daemon):
    files = {'Dockerfile': 'FROM scratch\nENV a=b\n'}
    assert build(daemon, files, 't=UPPER')[0] == 400
    assert build(daemon, files, 'squash=1')[0] == 400
    assert build(daemon, files, 'version=2')[0] == 400
    assert build(daemon, files, 'buildargs=x')[0] == 400
    assert build(daemon, files, 'remote=https://x')[0] == 501
    assert 'Cannot locate specified Dockerfile: Other' in failed(daemon, files, 'dockerfile=Other')
    assert 'target stage "x" could not be found' in failed(daemon, files, 'target=x')
    assert 'forbidden path outside the build context' in failed(daemon, files, 'dockerfile=../Dockerfile')


def test_hostile_context(daemon):
    """Links that lead out, and an archive that wants to."""
    files = {'Dockerfile': 'FROM scratch\nCOPY out /x\n', 'out': ('/etc/passwd',)}
    assert 'file does not exist' in failed(daemon, files)
    files = {'Dockerfile': 'FROM scratch\nCOPY up /x\n', 'up': ('../../../../../etc',)}
    assert 'file does not exist' in failed(daemon, files)
    files = {'Dockerfile': ('/etc/passwd',)}
    assert 'Cannot locate specified Dockerfile' in failed(daemon, files)


def test_arguments(daemon):
    text = 'ARG BASE=scratch\nFROM $BASE\nARG A\nARG B=b\nENV V=$A$B\n'
    image, said = built(daemon, {'Dockerfile': text}, 'buildargs=%7B%22A%22:%22x%22,%22C%22:%22y%22%7D')
    assert inspect(daemon, image)['Config']['Env'] == ['V=xb']
    assert '[Warning] One or more build-args [C] were not consumed' in said


def test_onbuild(daemon):
    built(daemon, {'Dockerfile': 'FROM scratch\nONBUILD ENV a=b\nONBUILD COPY a /\n'}, 't=parent')
    image, said = built(daemon, {'Dockerfile': 'FROM parent\n', 'a': 'A'})
    assert '# Executing 2 build triggers' in said and 'OnBuild' not in inspect(daemon, image)['Config']
    assert files_of(daemon, image)['a'] == 'A'
