# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person at the machine would type, as functions; and the audit of what must not be left."""

import json
import os
import subprocess
from pathlib import Path

DATA_ROOT = Path('/var/lib/docker')
RUN_ROOT = Path('/run/stauer')
NETNS = f'{RUN_ROOT}/netns'             # namespaces that wait for a container are pinned there …
NETNS_READY = 4                         # … at most so many


def run(*words, check=True, timeout=60, **more):
    """Runs a command; its text comes back in .stdout and .stderr."""
    result = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=timeout, check=False, **more)
    if check:
        assert result.returncode == 0, f'{" ".join(map(str, words))}: {result.returncode}\n{result.stdout}{result.stderr}'
    return result


def stauer(*words, **more):
    return run('stauer', *words, **more)


def out(*words, **more):
    """Output of a `stauer` command, without the last line feed."""
    return stauer(*words, **more).stdout.rstrip('\n')


def inspect(name):
    return json.loads(stauer('inspect', name).stdout)[0]


def state(name):
    return inspect(name)['State']


def scope(name):
    return f'docker-{inspect(name)["Id"]}.scope'


def unit(name, *properties):
    """Properties of a unit as a dict."""
    text = run('systemctl', 'show', name, *[f'-p{p}' for p in properties]).stdout
    return dict(line.split('=', 1) for line in text.splitlines())


def control_group(name):
    return Path('/sys/fs/cgroup') / unit(scope(name), 'ControlGroup')['ControlGroup'].lstrip('/')


def main_pid(unit_name='stauer.service'):
    return int(unit(unit_name, 'MainPID')['MainPID'])


def monitors():
    """Pids of all stauer-monitor processes."""
    pids = []
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                if (entry / 'comm').read_text().startswith('stauer-monitor'):
                    pids.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return pids


def command_line(pid):
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode().strip()
    except OSError:                     # it is gone
        return str(pid)


def processes_of(ident):
    """Pids of all that is in the scope of a container."""
    found = []
    for path in Path('/sys/fs/cgroup').rglob(f'docker-{ident}.scope/**/cgroup.procs'):
        try:
            found += [int(word) for word in path.read_text().split()]
        except OSError:            # ENODEV: it went away while it was read
            continue
    return found


def scopes():
    """Names of all scopes of containers."""
    text = run('systemctl', 'list-units', '--all', '--plain', '--no-legend', 'docker-*.scope').stdout
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def leftovers():
    """Everything that containers leave when they are not all gone: must be empty when they are."""
    found = [f'scope {s}' for s in scopes()]
    found += [f'monitor {command_line(p)}' for p in monitors()]
    for folder in (RUN_ROOT / 'containers', DATA_ROOT / 'containers'):
        if folder.exists():
            found += [f'folder {p}' for p in folder.iterdir()]
    with open('/proc/self/mountinfo', encoding='utf-8') as f:
        points = [line.split()[4] for line in f]
    found += [f'mount {p}' for p in points if p.startswith((f'{RUN_ROOT}/', f'{DATA_ROOT}/')) and not p.startswith(NETNS)]
    pins = [p for p in points if p.startswith(f'{NETNS}/')]
    if len(pins) > NETNS_READY:
        found += [f'mount {p}' for p in pins]
    for path, folders, _ in os.walk('/sys/fs/cgroup'): # what goes away meanwhile is passed over
        found += [f'cgroup {path}/{name}' for name in folders if name.startswith('docker-') and name.endswith('.scope')]
    return found


def remove_all():
    ids = out('ps', '-aq', '--no-trunc').split()
    if ids:
        stauer('rm', '-f', *ids, timeout=120)


def have(program):
    return any(os.access(Path(p) / program, os.X_OK) for p in os.environ['PATH'].split(':'))


def may_raise_limits():
    """CAP_SYS_RESOURCE; some machines keep it from everybody."""
    with open('/proc/self/status', encoding='utf-8') as f:
        effective = int(next(line for line in f if line.startswith('CapEff:')).split()[1], 16)
    return bool(effective & 1 << 24)
