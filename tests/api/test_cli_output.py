# SPDX-License-Identifier: GPL-2.0-or-later
"""stauer, called as docker, beside the real docker client on the same daemon: the same bytes, the same exit status."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest
from private_bus import BUILD

DOCKER = shutil.which('docker')
pytestmark = pytest.mark.skipif(not DOCKER, reason='there is no docker client on this machine')


def run(program, words, env, **more):
    done = subprocess.run([program, *words], env=env, capture_output=True, text=True, timeout=30, check=False,
                          stdin=more.pop('stdin', subprocess.DEVNULL), **more)
    return done.returncode, done.stdout, done.stderr


def without_age(answer):
    """A second may pass between the two: the age and the width of its column do not count."""
    return answer[0], re.sub(r'(Less than a second ago|\d+ seconds? ago|About a minute ago|CREATED) *', 'AGE', answer[1]), answer[2]


@pytest.fixture
def world(daemon, tmp_path):
    """Both clients and an environment; a container 'ship' is there."""
    (tmp_path / 'docker').symlink_to(BUILD / 'cli/stauer')
    env = {'PATH': os.environ['PATH'], 'HOME': str(tmp_path), 'DOCKER_HOST': f'unix://{daemon.socket}', 'DOCKER_CLI_HINTS': 'false',
           'DOCKER_API_VERSION': '1.50', 'LANG': 'C.UTF-8'}
    code, _, text = run(DOCKER, ['create', '--network', 'none', '--name', 'ship', '--label', 'a=b', '--label', 'c.d-e=f', '-e', 'X=1',
                                 'busybox', 'sh', '-c', 'echo a command that is long'], env)
    assert code == 0, text

    class World:
        ours, docker = str(tmp_path / 'docker'), DOCKER
        folder = tmp_path

        def same(self, *words):
            a, b = run(DOCKER, words, self.env), run(self.ours, words, self.env)
            assert without_age(b) == without_age(a), words

    World.env = env
    return World()


def test_lists(world):
    for words in (['ps'], ['ps', '-a', '--no-trunc'], ['ps', '-aq'], ['container', 'list', '-as'], ['ps', '-a', '--format', 'json'],
                  ['ps', '-a', '--format', r'table {{.Names}}\t{{.Label "c.d-e"}}\t{{upper .Image}}'],
                  ['ps', '-an', '1', '--format', '{{json .}} {{.Label "a"}}|{{.Label "z"}}|{{.Mounts}}|{{.Networks}}'],
                  ['images'], ['images', '-q', '--no-trunc'], ['images', '--digests'], ['image', 'ls', 'busybox'], ['images', 'nothing'],
                  ['images', '--format', r'table {{.Repository}}\t{{.ID}}\t{{.VirtualSize}}'], ['history', 'busybox'],
                  ['history', '--no-trunc', '--format', 'json', 'busybox'], ['history', '--human=false', 'busybox'], ['history', '-q', 'busybox'],
                  ['ps', '--filter', 'name=ship', '-a', '--format', '{{.Names}}'], ['ps', '-a', '-f', 'status=running', '-q']):
        world.same(*words)


def test_inspect(world):
    for words in (['inspect', 'ship'], ['inspect', 'ship', 'nothing'], ['inspect', 'nothing'], ['container', 'inspect', 'nothing'],
                  ['inspect', '-s', 'ship'], ['image', 'inspect', 'busybox'], ['inspect', '--type', 'image', 'ship'],
                  ['inspect', '--type', 'foo', 'ship'], ['inspect', '-f', 'json', 'ship'], ['inspect', 'busybox']):
        world.same(*words)


@pytest.mark.parametrize('template', [
    '{{.Config.Entrypoint}} {{.Config.Cmd}} {{.Config.Labels}} {{.HostConfig.Binds}} {{.State.Health}} {{.State.Pid}} {{.State.Running}}',
    '{{index .Config.Labels "nope"}}|{{index .Config.Labels "a"}}|{{index .NetworkSettings.Networks "x"}}',
    '{{range .Config.Env}}{{println .}}{{end}}', '{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}',
    '{{printf "%s %q %v %05d %x|%-8s|" .Name .Name .State.Pid .State.Pid .Name "a"}}', '{{json .State}} {{json "<a&b>"}}',
    '{{if .State.Running}}a{{else if eq .Name "/ship"}}b{{else}}c{{end}}', '{{with .State.Health}}x{{else}}y{{end}}',
    '{{range $i, $e := .Config.Env}}{{if eq $i 1}}{{break}}{{end}}{{$i}}:{{$e}};{{end}}', '{{join .Config.Cmd ","}} {{len .Name}}',
    '{{ $x := .Name }}{{ $x }}{{/* c */}} {{- "a b" -}} z {{`raw`}}', '{{print 1 2 "a" 3}} {{.HostConfig.ShmSize}} {{slice .Name 1 3}}',
    '{{.Foo}}', '{{.Id', '{{.Config.Foo}}', '{{.Name.Foo}}', '{{index .Config.Env 7}}', '{{eq .Name 1}}', '{{end}}', '{{range .Name}}x{{end}}',
    '{{if .Id}}', '{{$y}}', '{{"a}}', '{{foo .Id}}', '{{.Id}', '{{(1}}', '{{break}}', '{{.Id .Name}}', '{{index .Config.Cmd "a"}}', '{{len 3}}',
])
def test_templates(world, template):
    world.same('inspect', '-f', template, 'ship')


def test_errors(world):
    for words in (['foo'], ['container', 'foo'], ['ps', '--foo'], ['ps', '-Z'], ['--foo', 'ps'], ['ps', 'x'], ['ps', '--last'], ['ps', '--last', 'x'],
                  ['stop', '-t', 'x', 'a'], ['ps', '-f', 'x'], ['ps', '--all=x'], ['container', '-x'], ['help', 'foo'], ['rename', 'a'],
                  ['ps', '--no-trun'], ['ps', '-a', '--format', '{{.Foo}}'], ['ps', '-a', '--format', '{{.Foo'], ['images', '--format', '{{.Foo}}'],
                  ['stop', 'nothing'], ['kill', 'ship'], ['rm', 'nothing'], ['rm', '-f', 'nothing'], ['wait', 'nothing'], ['rmi', 'nothing'],
                  ['tag', 'nothing', 'x'], ['update', 'ship'], ['port', 'ship', '80'], ['port', 'ship'], ['network', 'create'],
                  ['network', 'create', '--gateway', '10.0.0.1', 'x'], ['network', 'create', '--subnet', '10.0.0.0/8', '--gateway', '11.0.0.1', 'x'],
                  ['volume', 'create', '--name', 'a', 'b'], ['image', 'prune'], ['-H', 'foo://x', 'ps'], ['--context', 'nope', 'ps'],
                  ['events', '--since', 'x'], ['version', '-f', '{{.Foo}}']):
        world.same(*words)


def test_goes_on_after_an_error(world):
    code, out, err = run(world.ours, ['rm', 'nothing', 'ship', 'nobody'], world.env)
    assert (code, out) == (1, 'ship\n') and err.count('No such container') == 2


def test_events_and_info(world):
    events = ['events', '--since', '1', '--until', str(int(time.time()) + 1), '-f', 'container=ship']
    for words in (events, [*events, '--format', 'json'], [*events, '--format', '{{.Status}} {{.ID}} {{.Actor.ID}}'],
                  ['info', '-f', '{{.Images}} {{.Driver}}'], ['version', '-f', '{{.Server.APIVersion}} {{.Client.Context}}']):
        world.same(*words)
    _, docker, _ = run(DOCKER, ['info'], world.env)
    _, ours, _ = run(world.ours, ['info'], world.env)
    changes = {'Version:', 'System', 'File', 'EventsListeners:', 'Goroutines:'}
    assert [line for line in ours.splitlines() if line.split()[:1] and line.split()[0] not in changes] == \
        [line for line in docker.splitlines() if line.split()[:1] and line.split()[0] not in changes]


def test_contexts_are_shared(world):
    """What one client writes the other reads; keys of config.json that we do not know stay."""
    config = world.folder / '.docker/config.json'
    config.parent.mkdir()
    config.write_text(json.dumps({'auths': {'x': {'auth': 'eDp5'}}, 'psFormat': 'table {{.Names}}', 'unknown': [1]}))
    assert run(world.ours, ['context', 'create', 'far', '--docker', 'host=tcp://127.0.0.1:1', '--description', 'd'], world.env)[0] == 0
    assert run(DOCKER, ['context', 'create', 'near', '--docker', f'host={world.env["DOCKER_HOST"]}'], world.env)[0] == 0
    for words in (['context', 'ls'], ['context', 'ls', '--format', 'json'], ['context', 'inspect', 'far', 'near'], ['context', 'inspect', 'no'],
                  ['context', 'create', 'far'], ['context', 'rm', 'no'], ['context', 'rm', 'default'], ['context', 'create', 'default'],
                  ['--context', 'near', 'ps', '-a'], ['context', 'create', 'b', '--docker', 'foo=x'], ['ps', '-a']):
        world.same(*words)

    env = dict(world.env)
    del env['DOCKER_HOST']
    assert run(world.ours, ['context', 'use', 'near'], env)[0] == 0
    written = json.loads(config.read_text())
    assert written['currentContext'] == 'near' and written['unknown'] == [1] and written['auths'] == {'x': {'auth': 'eDp5'}}
    assert run(DOCKER, ['ps', '-aq'], env) == run(world.ours, ['ps', '-aq'], env)
    assert run(DOCKER, ['context', 'show'], env) == run(world.ours, ['context', 'show'], env) == (0, 'near\n', '')
    assert run(world.ours, ['context', 'rm', 'near'], env)[0] == 1
    assert run(world.ours, ['context', 'rm', '-f', 'near'], env)[0] == 0
    assert 'currentContext' not in json.loads(config.read_text())


def test_dial_stdio_and_completion(world, daemon):
    done = subprocess.run([world.ours, 'system', 'dial-stdio'], env=world.env, input=b'GET /_ping HTTP/1.0\r\n\r\n', capture_output=True,
                          timeout=30, check=True)
    assert done.stdout.startswith(b'HTTP/1.1 200') and done.stdout.endswith(b'OK')
    ours = str(BUILD / 'cli/stauer')
    assert 'ship\n' in run(ours, ['__complete', '--', 'rm', ''], world.env)[1]
    assert run(ours, ['__complete', '--', '-H', 'x', 'container', 'unp'], world.env)[1] == 'unpause\n'
    assert run(ours, ['__complete', '--', 'ps', '--no'], world.env)[1] == '--no-trunc\n'
    script = run(ours, ['completion', 'bash'], world.env)[1]
    check = script + 'COMP_WORDS=(stauer inspect sh) COMP_CWORD=2; _stauer; echo "${COMPREPLY[@]}"'
    env = dict(world.env, PATH=f'{BUILD}/cli:{world.env["PATH"]}')
    assert run('bash', ['-c', check], env)[1] == 'ship\n'


def test_ssh(world):
    """ssh runs "docker system dial-stdio" on the other side; here the other side is us."""
    ssh = world.folder / 'ssh'
    ssh.write_text(f'#!/bin/sh\necho "$@" > {world.folder}/asked\nDOCKER_HOST={world.env["DOCKER_HOST"]} exec {world.ours} system dial-stdio\n')
    ssh.chmod(0o755)
    env = dict(world.env, PATH=f'{world.folder}:{world.env["PATH"]}', DOCKER_HOST='ssh://me@far:22')
    assert run(world.ours, ['ps', '-aq'], env) == run(world.ours, ['ps', '-aq'], world.env)
    assert (world.folder / 'asked').read_text() == '-o ConnectTimeout=30 -T -l me -p 22 -- far docker system dial-stdio\n'


def test_disk_use(world):
    for words in (['system', 'df'], ['system', 'df', '-v'], ['system', 'df', '--format', 'json']):
        world.same(*words)


def test_version_as_docker(world):
    code, out, _ = run(world.ours, ['-v'], world.env)
    assert code == 0 and out.startswith('Docker version ') and ', build ' in out
