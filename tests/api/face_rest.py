# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test asks of the daemon through REST. An error is a FaceError with the kind that both faces make of it and the text for a person."""

import base64
import json
import threading
import time
from urllib.parse import quote, urlencode

from face_common import STATUS, FaceError, frames, subsequence
from private_bus import wait_for
from streams import upgrade

class RestFace:
    name = 'rest'

    def __init__(self, daemon):
        self.daemon = daemon

    def ask(self, method, path, body=None, query=None, **more):
        query = {k: v for k, v in (query or {}).items() if v is not None}
        answer = self.daemon.request(method, path + ('?' + urlencode(query, doseq=True) if query else ''), body, **more)
        if answer.status >= 300:
            if answer.status == 304:
                assert answer.data == b''
                raise FaceError('NotModified', '')
            if method == 'HEAD':
                raise FaceError(STATUS.get(answer.status, str(answer.status)), '')
            assert answer.headers['Content-Type'] == 'application/json'
            document = answer.json
            assert list(document) == ['message']
            raise FaceError(STATUS.get(answer.status, str(answer.status)), document['message'])
        return answer

    def version(self):
        return self.ask('GET', '/version').json

    def info(self):
        return self.ask('GET', '/info').json

    def _progress(self, answer):
        rows = [json.loads(row) for row in answer.data.decode().split('\r\n') if row]
        for row in rows:
            if 'error' in row:
                assert row['errorDetail'] == {'message': row['error']}
                raise FaceError('Job', row['error'])
        return rows

    def load(self, path):
        with open(path, 'rb') as f:
            answer = self.ask('POST', '/images/load', f.read(), headers={'Content-Type': 'application/x-tar'})
        return [row['stream'].rstrip('\n') for row in self._progress(answer)]

    def import_(self, path, repository='', tag='', message='', changes=()):
        with open(path, 'rb') as f:
            answer = self.ask('POST', '/images/create', f.read(), headers={'Content-Type': 'application/x-tar'}, query={
                'fromSrc': '-', 'repo': repository, 'tag': tag, 'message': message, 'changes': list(changes)})
        return self._progress(answer)[-1]['status']

    def pull(self, name, tag='', platform='', auth=None):
        """The sentences at its end; the rows are in .rows."""
        headers = {'X-Registry-Auth': base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()} if auth else {}
        answer = self.ask('POST', '/images/create', headers=headers, query={
            'fromImage': name, 'tag': tag or None, 'platform': platform or None})
        self.rows = self._progress(answer)
        return [row['status'] for row in self.rows if row['status'].startswith(('Digest: ', 'Status: '))]

    def images(self, all=False, filters=None):
        rows = self.ask('GET', '/images/json', query={'all': int(all), 'filters': filters and json.dumps(filters)}).json
        return [(row['Id'], sorted(row['RepoTags'])) for row in rows]

    def image(self, name):
        return self.ask('GET', f'/images/{quote(name)}/json').json

    def history(self, name):
        return self.ask('GET', f'/images/{quote(name)}/history').json

    def tag(self, name, repository, tag=''):
        self.ask('POST', f'/images/{quote(name)}/tag', query={'repo': repository, 'tag': tag})

    def remove_image(self, name, force=False, no_prune=False):
        answer = self.ask('DELETE', f'/images/{quote(name)}', query={'force': int(force), 'noprune': int(no_prune)})
        return [f'{key}: {value}' for row in answer.json for key, value in row.items()]

    def create(self, name, body):
        answer = self.ask('POST', '/containers/create', body, query={'name': name or None})
        assert answer.status == 201
        return answer.json['Id'], answer.json['Warnings']

    def containers(self, all=False, filters=None):
        rows = self.ask('GET', '/containers/json',
                        query={'all': int(all), 'filters': filters and json.dumps(filters)}).json
        return [(row['Id'], row['Names'][0].lstrip('/'), row['State']) for row in rows]

    def inspect(self, name):
        return self.ask('GET', f'/containers/{name}/json').json

    def start(self, name):
        assert self.ask('POST', f'/containers/{name}/start').status == 204

    def stop(self, name, seconds=None):
        assert self.ask('POST', f'/containers/{name}/stop', query={'t': seconds}).status == 204

    def restart(self, name, seconds=None, signal=''):
        query = {'t': seconds, 'signal': signal or None}
        assert self.ask('POST', f'/containers/{name}/restart', query=query).status == 204

    def pause(self, name):
        assert self.ask('POST', f'/containers/{name}/pause').status == 204

    def unpause(self, name):
        assert self.ask('POST', f'/containers/{name}/unpause').status == 204

    def update(self, name, body):
        return self.ask('POST', f'/containers/{name}/update', body).json['Warnings']

    def top(self, name, args=''):
        answer = self.ask('GET', f'/containers/{name}/top', query={'ps_args': args or None}).json
        return answer['Titles'], answer['Processes']

    def prune(self, filters=None):
        answer = self.ask('POST', '/containers/prune', query={'filters': filters and json.dumps(filters)}).json
        return answer['ContainersDeleted'] or [], answer['SpaceReclaimed']

    def volumes(self, filters=None):
        answer = self.ask('GET', '/volumes', query={'filters': filters and json.dumps(filters)}).json
        assert set(answer) == {'Volumes', 'Warnings'}
        return [row['Name'] for row in answer['Volumes']]

    def volume(self, name):
        return self.ask('GET', f'/volumes/{name}').json

    def create_volume(self, name='', driver='', options=None, labels=None):
        answer = self.ask('POST', '/volumes/create', {'Name': name, 'Driver': driver, 'DriverOpts': options, 'Labels': labels})
        assert answer.status == 201
        return answer.json['Name']

    def remove_volume(self, name):
        assert self.ask('DELETE', f'/volumes/{name}').status == 204

    def prune_volumes(self, filters=None):
        answer = self.ask('POST', '/volumes/prune', query={'filters': filters and json.dumps(filters)}).json
        return answer['VolumesDeleted'], answer['SpaceReclaimed']

    def networks(self, filters=None):
        rows = self.ask('GET', '/networks', query={'filters': filters and json.dumps(filters)}).json
        return [row['Name'] for row in rows]

    def network(self, name):
        return self.ask('GET', f'/networks/{quote(name)}').json

    def create_network(self, body):
        answer = self.ask('POST', '/networks/create', body)
        assert answer.status == 201 and set(answer.json) == {'Id', 'Warning'}
        return answer.json['Id']

    def remove_network(self, name):
        assert self.ask('DELETE', f'/networks/{quote(name)}').status == 204

    def connect(self, network, container, endpoint=None):
        answer = self.ask('POST', f'/networks/{quote(network)}/connect', {'Container': container, 'EndpointConfig': endpoint})
        assert answer.status == 200 and answer.data == b''

    def disconnect(self, network, container, force=False):
        answer = self.ask('POST', f'/networks/{quote(network)}/disconnect', {'Container': container, 'Force': force})
        assert answer.status == 200 and answer.data == b''

    def prune_networks(self, filters=None):
        answer = self.ask('POST', '/networks/prune', query={'filters': filters and json.dumps(filters)}).json
        assert set(answer) == {'NetworksDeleted'}
        return answer['NetworksDeleted'] or []

    def rename(self, name, new):
        assert self.ask('POST', f'/containers/{name}/rename', query={'name': new}).status == 204

    def kill(self, name, signal=''):
        assert self.ask('POST', f'/containers/{name}/kill', query={'signal': signal or None}).status == 204

    def wait(self, name, condition=''):
        answer = self.ask('POST', f'/containers/{name}/wait', query={'condition': condition or None}).json
        if 'Error' in answer:
            raise FaceError('Wait', answer['Error']['Message'])
        return answer['StatusCode']

    def remove(self, name, force=False, volumes=False):
        assert self.ask('DELETE', f'/containers/{name}', query={'force': int(force), 'v': int(volumes)}).status == 204

    def logs(self, name, stdout=True, stderr=True, **options):
        query = {'stdout': int(stdout), 'stderr': int(stderr), **options}
        return ''.join(text for _, text in frames(self.ask('GET', f'/containers/{name}/logs', query=query).data))

    def stat_path(self, name, path):
        answer = self.ask('HEAD', f'/containers/{name}/archive', query={'path': path})
        return json.loads(base64.b64decode(answer.headers['X-Docker-Container-Path-Stat'], validate=True))

    def copy_from(self, name, path):
        return self.ask('GET', f'/containers/{name}/archive', query={'path': path}).data

    def copy_to(self, name, path, tar, keep_kind=False, give_owner=False):
        self.ask('PUT', f'/containers/{name}/archive', tar, headers={'Content-Type': 'application/x-tar'}, query={
            'path': path, 'noOverwriteDirNonDir': int(keep_kind), 'copyUIDGID': int(give_owner)})

    def export(self, name):
        return self.ask('GET', f'/containers/{name}/export').data

    def changes(self, name):
        return [(row['Kind'], row['Path']) for row in self.ask('GET', f'/containers/{name}/changes').json or []]

    def commit(self, name, repository='', tag='', comment='', author='', changes=(), config=None, pause=None):
        return self.ask('POST', '/commit', config, query={
            **({} if pause is None else {'pause': str(int(pause))}),
            'container': name, 'repo': repository, 'tag': tag, 'comment': comment, 'author': author,
            'changes': list(changes)}).json['Id']

    def _stream(self, path, body=None, query=None):
        stream, refused = upgrade(self.daemon, path, body, query)
        if refused:
            status, text = refused
            raise FaceError(STATUS.get(status, str(status)), json.loads(text)['message'] if text.startswith('{') else text.strip())
        return stream

    def attach(self, name, stdin=True, stdout=True, stderr=True, detach_keys=None):
        return self._stream(f'/containers/{name}/attach', query={
            'stream': 1, 'stdin': int(stdin), 'stdout': int(stdout), 'stderr': int(stderr), 'detachKeys': detach_keys})

    def resize(self, name, height, width):
        self.ask('POST', f'/containers/{name}/resize', query={'h': height, 'w': width})

    def exec_create(self, name, *command, user='', env=(), folder='', privileged=False, tty=False, detach_keys='', streams=True):
        return self.ask('POST', f'/containers/{name}/exec', {
            'Cmd': list(command), 'User': user, 'Env': list(env), 'WorkingDir': folder, 'Privileged': privileged, 'Tty': tty,
            'DetachKeys': detach_keys, 'AttachStdin': streams, 'AttachStdout': streams, 'AttachStderr': streams}).json['Id']

    def exec_start(self, identity):
        self.ask('POST', f'/exec/{identity}/start', {'Detach': True})

    def exec_attach(self, identity, size=None):
        """size: (height, width) of its terminal."""
        return self._stream(f'/exec/{identity}/start', {'Detach': False, 'Tty': size is not None, 'ConsoleSize': size})

    def exec_resize(self, identity, height, width):
        self.ask('POST', f'/exec/{identity}/resize', query={'h': height, 'w': width})

    def exec_inspect(self, identity):
        return self.ask('GET', f'/exec/{identity}/json').json

    def exec_wait(self, identity):
        wait_for(lambda: self.exec_inspect(identity)['ExitCode'] is not None, 'the exec has ended')
        return self.exec_inspect(identity)['ExitCode']

    def watch(self, filters=None):
        return RestEvents(self.daemon, filters)

    def events(self, since=0, until=None, filters=None):
        """Of the past: (type, action, id, attributes)."""
        query = {'since': f'{since:.6f}', 'until': f'{until or time.time():.6f}', 'filters': filters and json.dumps(filters)}
        rows = [json.loads(row) for row in self.ask('GET', '/events', query=query).data.splitlines()]
        return [(row['Type'], row['Action'], row['Actor']['ID'], row['Actor']['Attributes']) for row in rows]


class RestEvents:
    """Events from now on; a context that ends the connection."""

    def __init__(self, daemon, filters):
        query = '?' + urlencode({'filters': json.dumps(filters)}) if filters else ''
        self.seen = []
        self.connection = daemon.connection(timeout=30)
        self.connection.request('GET', f'/events{query}')
        self.answer = self.connection.getresponse()          # its head comes before the first event
        assert self.answer.status == 200
        self.socket = self.connection.sock
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for line in self.answer:
                event = json.loads(line)
                self.seen.append((event['Type'], event['Action'], event['Actor']['ID'], event['Actor']['Attributes']))
        except (OSError, ValueError, AttributeError):
            pass

    def wait(self, *actions):
        return wait_for(lambda: subsequence(self.seen, actions), lambda: f'events {actions}, seen {self.seen}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(2)
        self.thread.join(5)
        self.connection.close()
