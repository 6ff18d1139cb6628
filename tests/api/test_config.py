# SPDX-License-Identifier: GPL-2.0-or-later
"""stauer-configd on a private bus with the policy of the tree and a fake polkit, as any user."""

import ctypes.util
import fcntl
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'fake'))

# pylint: disable=wrong-import-position,redefined-outer-name
from common.processes import descendants
from common.wait import wait_for
from private_bus import BUILD, TREE, BusError, PrivateBus

NAME = 'org.stauer.Config1'
PATH = '/org/stauer/Config1'
ERROR = NAME + '.Error.'
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'

FILE = """
## Path           : System/Management
## Type           : string
#
# help   with  blanks\x20\x20
DOCKER_OPTS="--unknown  -s btrfs --label=a=1"\x20\x20
export OTHER=1

HTTP_PROXY='http://proxy'
# no newline at the end"""


def program():
    built = BUILD / 'service/configd/stauer-configd'
    return built if built.exists() else Path('/usr/libexec/stauer/stauer-configd')


class Config:
    def __init__(self, folder, idle=60):
        self.folder = folder / 'etc'
        self.folder.mkdir()
        self.file = self.folder / 'docker'
        self.json = self.folder / 'daemon.json'
        self.bus = PrivateBus(folder)
        self.bus.add_policy(NAME)
        self.bus.add_service(NAME, program(), f'--sysconfig-file={self.file}', f'--config-file={self.json}',
                             f'--lens-dir={TREE}/config/lenses', f'--idle={idle}')
        self.bus.start()
        self.uid = self.bus.other_uid()

    def call(self, method, signature='', *args, uid=None):
        return self.bus.call(NAME, PATH, NAME, method, signature, *args, uid=self.uid if uid is None else uid)

    def get(self, name):
        return self.bus.call(NAME, PATH, 'org.freedesktop.DBus.Properties', 'Get', 'ss', NAME, name, uid=self.uid)

    def options(self):
        return {row['Name']: row for row in self.call('ListOptions')}


@pytest.fixture
def config(tmp_path):
    config = Config(tmp_path)
    config.file.write_text(FILE)
    config.bus.polkit({'*': 'yes'})
    yield config
    config.bus.end()


def refused(call, name):
    with pytest.raises(BusError) as e:
        call()
    assert e.value.name == name, e.value
    return e.value.text


def test_is_what_the_contract_says(config):
    text = config.bus.call(NAME, PATH, 'org.freedesktop.DBus.Introspectable', 'Introspect')
    real = ET.fromstring(text[text.index('<node'):]).find(f"interface[@name='{NAME}']")
    contract = ET.parse(TREE / 'dbus' / f'{NAME}.xml').getroot().find(f"interface[@name='{NAME}']")

    def shape(interface):
        rows = set()
        for member in interface:
            args = tuple((a.get('name'), a.get('type'), a.get('direction')) for a in member.findall('arg'))
            if member.tag == 'signal':
                args = tuple((name, kind, None) for name, kind, _ in args)
            notes = {a.get('name'): a.get('value') for a in member.findall('annotation')}
            emits = notes.get('org.freedesktop.DBus.Property.EmitsChangedSignal', 'true')
            rows.add((member.tag, member.get('name'), member.get('type'), member.get('access'), args,
                      emits if member.tag == 'property' else None))
        return rows

    assert shape(real) == shape(contract)


def test_started_by_the_bus_and_ends_when_idle(tmp_path):
    config = Config(tmp_path, idle=1)
    try:
        config.file.write_text(FILE)
        config.bus.polkit({'*': 'yes'})
        assert not config.bus.has_name(NAME)
        assert config.call('Get', 's', 'group') == [['docker'], 'default']
        pid = config.bus.owner_pid(NAME)
        wait_for(lambda: not config.bus.has_name(NAME), 'it ends when idle')
        wait_for(lambda: pid not in descendants(os.getpid()), 'the process is gone')
        # And comes back.
        assert config.call('Get', 's', 'storage-driver') == [['btrfs'], 'sysconfig']
    finally:
        config.bus.end()


def test_lists_every_option(config):
    config.json.write_text('{"debug": true, "http-proxy": "http://me:secret@proxy:3128"}')
    options = config.options()
    assert len(options) > 90
    driver = options['storage-driver']
    assert driver['Value'] == ['btrfs']
    assert (driver['Source'], driver['Variable'], driver['Line'], driver['Word']) == ('sysconfig', 'DOCKER_OPTS', 6, 2)
    assert driver['Applies'] == 'restart' and driver['Acts'] and driver['Shorthand'] == 's'
    assert options['debug']['Source'] == 'daemon.json' and options['debug']['Value'] == ['true']
    assert options['debug']['Applies'] == 'reload'
    assert options['group']['Source'] == 'default' and options['group']['Default'] == 'docker'
    assert options['label']['Multi'] and options['label']['Value'] == ['a=1']
    assert options['log-level']['Type'] == 'enum' and 'warn' in options['log-level']['Range'].split(',')
    assert not options['raw-logs']['Acts']
    assert options['--unknown']['Type'] == 'unknown' and options['--unknown']['Section'] == 'Other'
    assert options['http-proxy']['Value'] == ['http://***@proxy:3128']
    assert 'validate' not in options


def test_sets_one_and_leaves_every_other_byte(config):
    config.file.chmod(0o640)
    # As it stands the daemon would refuse this file, for --unknown; that keeps nobody from mending the driver.
    etag = config.call('Set', 'ss', 'storage-driver', 'vfs')
    assert config.file.read_text() == FILE.replace('-s btrfs', '-s vfs')
    assert config.file.stat().st_mode & 0o7777 == 0o640
    assert config.get('Etag') == etag
    assert config.call('Get', 's', 'storage-driver') == [['vfs'], 'sysconfig']
    config.call('SetList', 'sas', 'label', ['a=1', "b=it's two"])
    assert config.call('Get', 's', 'label') == [['a=1', "b=it's two"], 'sysconfig']
    config.call('SetList', 'sas', 'label', ['a=1'])
    config.call('Unset', 's', 'storage-driver')
    assert config.file.read_text() == FILE.replace('  -s btrfs', ' ')
    assert sorted(p.name for p in config.folder.iterdir()) == ['docker']


def test_keeps_acl_and_xattr(config):
    if subprocess.run(['setfacl', '-m', 'u:12345:r', config.file], check=False).returncode != 0:
        pytest.skip('this file system keeps no ACLs')
    os.setxattr(config.file, 'user.note', b'mine')
    before = subprocess.run(['getfacl', '-n', config.file], check=True, capture_output=True).stdout
    owner = config.file.stat().st_uid, config.file.stat().st_gid
    config.call('Set', 'ss', 'storage-driver', 'vfs')
    assert subprocess.run(['getfacl', '-n', config.file], check=True, capture_output=True).stdout == before
    assert os.getxattr(config.file, 'user.note') == b'mine'
    assert (config.file.stat().st_uid, config.file.stat().st_gid) == owner


def test_refuses_what_is_wrong(config):
    for args, name, words in [
            (('storage-driver', 'aufs'), 'Invalid', 'AUFS is not in the Linux kernel'),
            (('debug', 'maybe'), 'Invalid', 'use true or false'),
            (('nope', 'x'), 'NotFound', 'no option "nope"'),
            (('validate', 'true'), 'Invalid', 'command line only'),
            (('label', 'a\nb=1'), 'Invalid', 'control character'),
            (('cgroup-parent', '/docker'), 'Invalid', 'docker.slice'),
    ]:
        assert words in refused(lambda args=args: config.call('Set', 'ss', *args), ERROR + name)
    config.json.write_text('{"group": "adm"}')
    assert 'must not be in both' in refused(lambda: config.call('Set', 'ss', 'group', 'x'), ERROR + 'Conflict')
    assert 'one value' in refused(lambda: config.call('SetList', 'sas', 'exec-root', ['/a', '/b']), ERROR + 'Invalid')
    assert config.file.read_text() == FILE


def test_checks_without_writing(config):
    valid, problems, before, after = config.call('Check', 'a(sas)', [('storage-driver', ['vfs']), ('debug', ['maybe']), ('userland-proxy', ['false'])])
    assert not valid
    assert ['error', 'debug'] in [p[:2] for p in problems]
    assert ['warning', 'userland-proxy'] in [p[:2] for p in problems]
    assert before == '"--unknown  -s btrfs --label=a=1"'
    assert after == '"--unknown  -s vfs --label=a=1 --userland-proxy=false"'
    assert config.file.read_text() == FILE

    valid, problems, *_ = config.call('Check', 'a(sas)', [])
    assert not valid and 'line 6, word 1 "--unknown"' in problems[0][2]
    config.file.write_text('DOCKER_OPTS="-s vfs"\n')
    assert config.call('Check', 'a(sas)', [('group', ['adm'])]) == [True, [], '"-s vfs"', '"-s vfs --group=adm"']


def test_says_what_a_save_needs(config):
    needs = lambda *changes: config.call('SaveNeeds', 'a(sas)', list(changes))
    assert needs(('storage-driver', ['btrfs'])) == 'nothing'
    assert needs(('userland-proxy', ['false'])) == 'nothing'
    assert needs(('debug', ['true'])) == 'reload'
    assert needs(('debug', ['true']), ('storage-driver', ['vfs'])) == 'restart'


def test_saves_several_or_none(config):
    etag = config.get('Etag')
    new = config.call('Save', 'sa(sas)', etag, [('storage-driver', ['vfs']), ('label', []), ('debug', ['true'])])
    assert config.file.read_text() == FILE.replace('-s btrfs --label=a=1', '-s vfs --debug')
    refused(lambda: config.call('Save', 'sa(sas)', new, [('group', ['adm']), ('debug', ['maybe'])]), ERROR + 'Invalid')
    assert config.file.read_text() == FILE.replace('-s btrfs --label=a=1', '-s vfs --debug')
    assert 'changed by someone else' in refused(lambda: config.call('Save', 'sa(sas)', etag, [('group', ['x'])]), ERROR + 'Changed')


EDITOR = """
import fcntl, os, sys, time
path, log = sys.argv[1:3]
written = open(log, 'w', buffering=1)
read = lambda: open(path, encoding='utf-8').read()
n = 0
while True:
    line = f'# line {n}\\n'
    if n % 2:
        # A careful editor: writes beside, looks whether the file is still what it read, renames.
        text = read()
        with open(path + '.new', 'w', encoding='utf-8') as f:
            f.write(text + line)
        if read() == text:
            os.rename(path + '.new', path)
            if line in read():
                written.write(line)
    else:
        # `echo >>`: opens and appends. Counted when it is in the file that has the name.
        with open(path, 'a', encoding='utf-8') as f:
            f.write(line)
        if line in read():
            written.write(line)
    n += 1
    time.sleep(0.02)
"""


def test_an_editor_at_the_same_time_loses_nothing(config):
    """Appends by rename and in place, as fast as they go, while options are set: what the editor saw in the file stays."""
    config.file.write_text('DOCKER_OPTS="-s vfs"\n')
    log = config.bus.folder / 'editor.log'
    editor = subprocess.Popen([sys.executable, '-c', EDITOR, str(config.file), str(log)])
    saved = changed = 0
    try:
        wait_for(log.exists, 'the editor writes')
        for i in range(15):
            try:
                config.call('Set', 'ss', 'group', f'g{i}')
                saved += 1
            except BusError as e:
                assert e.name == ERROR + 'Changed', e
                changed += 1
    finally:
        editor.terminate()
        editor.wait()
    (config.folder / 'docker.new').unlink(missing_ok=True)
    lines = config.file.read_text().splitlines(keepends=True)
    written = log.read_text().splitlines(keepends=True)
    assert [line for line in written if line not in lines] == [], (saved, changed)
    assert written and saved > 0
    assert [p.name for p in config.folder.iterdir()] == ['docker']


def test_nobody_keeps_the_folder_locked(config):
    """Anybody who can read a folder can lock it: that must keep nobody waiting."""
    fd = os.open(config.folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        began = time.monotonic()
        config.call('Set', 'ss', 'group', 'g')
        assert time.monotonic() - began < 5
    finally:
        os.close(fd)


def test_tells_changes_by_others(config):
    config.call('Get', 's', 'group')
    monitor = subprocess.Popen(['busctl', f'--address={config.bus.address}', '--match',
                                f"type='signal',interface='{NAME}'", 'monitor'], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)
        config.file.write_text('DOCKER_OPTS=""\n')
        etag = wait_for(lambda: config.get('Etag'), 'an etag')
        seen = ''
        end = time.monotonic() + 10
        while 'OptionsChanged' not in seen or etag not in seen:
            assert time.monotonic() < end
            seen += monitor.stdout.readline()
    finally:
        monitor.terminate()
        monitor.wait()


def test_missing_file(config):
    config.file.unlink()
    assert config.get('State') == 'missing' and config.get('Etag') == 'missing'
    config.call('Set', 'ss', 'storage-driver', 'vfs')
    assert config.file.read_text() == 'DOCKER_OPTS="--storage-driver=vfs"\n'
    assert config.get('State') == 'ok' and config.get('Message') == ''


def test_broken_file(config):
    text = '# one\nDOCKER_OPTS="-D\n'
    config.file.write_text(text)
    assert config.get('State') == 'broken'
    assert 'line 2' in config.get('Message')
    assert 'line 2' in refused(lambda: config.call('Set', 'ss', 'group', 'x'), ERROR + 'Invalid')
    assert 'line 2' in refused(lambda: config.call('ListOptions'), ERROR + 'Invalid')
    assert config.file.read_text() == text
    config.file.write_text('DOCKER_OPTS="-s aufs"\n')
    assert config.get('State') == 'refused'
    assert 'word 1 "-s": AUFS' in config.get('Message')


# Who may.

def test_polkit_is_asked_with_details(config):
    config.call('Set', 'ss', 'storage-driver', 'vfs')
    config.call('ListOptions')
    edit, view = config.bus.asked()[-2:]
    assert (edit['action'], view['action']) == ('org.stauer.config.edit', 'org.stauer.config.view')
    assert edit['kind'] == 'system-bus-name' and edit['subject']['name'].startswith(':')
    assert edit['details'] == {'object': 'storage-driver', 'option': 'storage-driver'}
    log = wait_for(lambda: [line for line in config.bus.log().splitlines() if 'org.stauer.config.edit' in line], 'a decision in the log')
    assert f'on "storage-driver" allowed for uid {config.uid}' in log[-1]


@pytest.mark.parametrize('answer,name', [
    ('no', DENIED), ('fail', DENIED), ('challenge', 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired')])
def test_no_means_no(config, answer, name):
    config.bus.polkit({'org.stauer.config.view': 'yes', 'org.stauer.config.edit': answer})
    refused(lambda: config.call('Set', 'ss', 'storage-driver', 'vfs'), name)
    refused(lambda: config.call('SetList', 'sas', 'label', []), name)
    refused(lambda: config.call('Unset', 's', 'storage-driver'), name)
    refused(lambda: config.call('Save', 'sa(sas)', '', [('group', ['x'])]), name)
    assert config.call('Get', 's', 'storage-driver')[0] == ['btrfs']
    config.bus.polkit({'org.stauer.config.view': answer, 'org.stauer.config.edit': 'yes'})
    for call in (lambda: config.call('ListOptions'), lambda: config.call('Get', 's', 'group'),
                 lambda: config.call('Check', 'a(sas)', []), lambda: config.call('SaveNeeds', 'a(sas)', [])):
        refused(call, name)
    assert config.file.read_text() == FILE
    assert 'refused for uid' in config.bus.log()


def test_no_polkit_means_no(tmp_path):
    config = Config(tmp_path)
    try:
        config.file.write_text(FILE)
        assert 'polkit is not there' in refused(lambda: config.call('Set', 'ss', 'group', 'x'), DENIED)
        refused(lambda: config.call('ListOptions'), DENIED)
        assert config.file.read_text() == FILE
    finally:
        config.bus.end()


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root as a caller')
def test_root_passes_without_polkit(tmp_path):
    config = Config(tmp_path)
    try:
        config.file.write_text(FILE)
        config.call('Set', 'ss', 'storage-driver', 'vfs', uid=0)
        assert config.file.read_text() == FILE.replace('btrfs', 'vfs')
        assert 'allowed for uid 0' in config.bus.log()
    finally:
        config.bus.end()


def test_waiting_for_an_answer_keeps_nobody_waiting(config):
    config.bus.polkit({'org.stauer.config.edit': 'hang', '*': 'yes'})
    bus = config.bus.connect()
    answers = []
    message = __import__('dbus').lowlevel.MethodCallMessage(NAME, PATH, NAME, 'Set')
    message.append('group', 'x', signature='ss')
    bus.send_message_with_reply(message, answers.append)
    bus.flush()
    if os.geteuid() != 0:
        wait_for(lambda: any(row.get('action') == 'org.stauer.config.edit' for row in config.bus.asked()), 'polkit is asked')
    before = time.monotonic()
    assert config.call('Get', 's', 'storage-driver')[0] == ['btrfs']
    assert time.monotonic() - before < 2
    bus.close()


def test_gone_before_the_answer(config):
    """A caller that sends and leaves: its uid cannot be asked for any more, and that is a no."""
    config.call('Get', 's', 'group')
    config.bus.polkit({'*': 'yes'})
    code = ('import dbus.bus, dbus.lowlevel, os, sys\n'
            'if len(sys.argv) > 3: os.setgroups([]); os.setresgid(*[int(sys.argv[3])] * 3); os.setresuid(*[int(sys.argv[3])] * 3)\n'
            'for i in range(50):\n'
            '    bus = dbus.bus.BusConnection(sys.argv[1])\n'
            f'    m = dbus.lowlevel.MethodCallMessage("{NAME}", "{PATH}", "{NAME}", "Set")\n'
            '    m.append("group", "gone", signature="ss")\n'
            '    m.set_no_reply(True)\n'
            '    bus.send_message(m); bus.flush(); bus.close()\n')
    args = [str(config.uid)] if os.geteuid() == 0 else []
    config.bus.polkit({'org.stauer.config.edit': 'no', '*': 'yes'})
    subprocess.run([sys.executable, '-c', code, config.bus.address, 'x', *args], check=True)
    assert config.call('Get', 's', 'group') == [['docker'], 'default']
    assert config.file.read_text() == FILE
    assert Path(f'/proc/{config.bus.owner_pid(NAME)}').exists()


def test_others_cannot_take_the_name(config):
    if os.geteuid() != 0:
        pytest.skip('needs a second user')
    with pytest.raises(BusError) as e:
        config.bus.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName', 'su', NAME, 0,
                        uid=config.uid)
    assert e.value.name == DENIED


def test_properties_are_asked_for(config):
    config.bus.polkit({'*': 'no'})
    for name in ('Etag', 'State', 'Message'):
        assert refused(lambda name=name: config.get(name), DENIED)
    config.bus.polkit({'org.stauer.config.view': 'yes', '*': 'no'})
    assert config.get('State') == 'refused'


def test_properties_cannot_be_set(config):
    with pytest.raises(BusError):
        config.bus.call(NAME, PATH, 'org.freedesktop.DBus.Properties', 'Set', 'ssv', NAME, 'File', '/etc/shadow', uid=config.uid)


def test_memory_is_not_leaked(config):
    config.call('ListOptions')
    pid = config.bus.owner_pid(NAME)

    def rss():
        return int(next(line for line in open(f'/proc/{pid}/status', encoding='utf-8') if line.startswith('VmRSS')).split()[1])

    if ctypes.util.find_library('asan') and 'asan' in open(f'/proc/{pid}/maps', encoding='utf-8').read():
        pytest.skip('a sanitizer keeps freed memory')
    for _ in range(5):
        config.call('ListOptions')
    before = rss()
    for _ in range(15):
        config.call('ListOptions')
    assert rss() - before < 1024
