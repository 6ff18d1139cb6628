# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machine holds on behalf of containers beyond host.leftovers(): to be compared before and after."""

import os
from collections import Counter
from pathlib import Path

import host
from common.wait import wait_for


def open_files(pid):
    """What a process has open, as a sorted list: sockets and the like by kind."""
    kinds = []
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            target = os.readlink(f'/proc/{pid}/fd/{fd}')
        except FileNotFoundError:
            continue
        kinds.append('netns' if target.startswith(f'{host.NETNS}/') else target.split(':[')[0])
    return sorted(kinds)


def differences(before, after):
    """What is there more often than before, or less often."""
    more, less = Counter(after), Counter(before)
    return [f'+{n}×{k}' for k, n in (more - less).items()] + [f'-{n}×{k}' for k, n in (less - more).items()]


def network_namespaces():
    found = set()
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                found.add(os.readlink(entry / 'ns/net'))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
    return len(found)


def layers():
    """Names of all layers, of any driver."""
    found = set()
    for driver in (host.DATA_ROOT / 'layers').iterdir():
        found |= {f'{driver.name}/{p.name}' for p in driver.iterdir() if p.name != 'l'}
        if (driver / 'l').is_dir():
            found |= {f'{driver.name}/l/{p.name}' for p in (driver / 'l').iterdir()}
    return found


def temporary_files():
    root = host.DATA_ROOT / 'tmp'
    found = []
    for folder, folders, files in os.walk(root):        # not disturbed by what is being removed
        found += [os.path.relpath(f'{folder}/{name}', root) for name in folders + files]
    return sorted({name for name in found if name not in ('trash', 'lock', 'empty', 'root')})    # these stay


def zombies():
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / 'stat').read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            name, state = text[text.index('(') + 1:text.rindex(')')], text[text.rindex(')') + 2]
            if state == 'Z' and name.startswith(('stauer', '3')):
                found.append(name)
    return found


def workers(task=None):
    """Pids of all workers, or of those that do one kind of task ("load")."""
    found = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / 'cmdline').read_bytes().split(b'\0')
                if words[0].endswith(b'stauer-worker') and task in (None, words[1].decode()):
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def resident(pid):
    """RSS in KiB."""
    with open(f'/proc/{pid}/status', encoding='utf-8') as f:
        return int(next(line for line in f if line.startswith('VmRSS:')).split()[1])


def proportional(pid):
    """PSS in KiB."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as f:
        return int(next(line for line in f if line.startswith('Pss:')).split()[1])


class Audit:
    """Taken when all is quiet; .check() afterwards waits until the same is there again."""

    def __init__(self):
        wait_for(lambda: not self.noise(), lambda: f'quiet but for {self.noise()}')     # the last removal is through
        self.layers = layers()
        self.spaces = network_namespaces()
        self.launcher = host.main_pid('stauer-launcher.service')
        self.launcher_files = open_files(self.launcher) if self.launcher else []
        self.daemon_files = open_files(host.main_pid())

    @staticmethod
    def noise():
        ready = len(list(Path(host.NETNS).glob('*')))       # each is a handful of open files of the daemon
        return ([f'temporary {n}' for n in temporary_files()] + [f'zombie {n}' for n in zombies()]
                + [f'worker {n}' for n in workers()] + [f'{ready} namespaces are ready'] * (ready < host.NETNS_READY))

    def findings(self):
        found = host.leftovers()
        found += [f'layer {n}' for n in layers() ^ self.layers]
        found += self.noise()
        if network_namespaces() != self.spaces:
            found.append(f'{network_namespaces()} network namespaces, there were {self.spaces}')
        launcher = host.main_pid('stauer-launcher.service')
        if self.launcher and launcher == self.launcher:
            found += [f'fd of the launcher {d}' for d in differences(self.launcher_files, open_files(launcher))]
        found += [f'fd of the daemon {d}' for d in differences(self.daemon_files, open_files(host.main_pid()))]
        return found
