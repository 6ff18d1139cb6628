# SPDX-License-Identifier: GPL-2.0-or-later
"""The current build, and its installation into a tree, as a package would do it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from machine.host import SOURCE, Failure, Lock, run, say

# As a distribution configures a package.
SETUP = ['--prefix=/usr', '--sysconfdir=/etc', '--localstatedir=/var', '--libexecdir=libexec', '-Dwerror=true']

# The builds of the checks, by the names of their folders below build/.
KINDS = {
        'gcc': ['gcc'],
        'clang': ['clang', '-Db_sanitize=address,undefined', '-Db_lundef=false'],
}


def _meson_setup(folder, kind):
    compiler, *options = KINDS[kind]
    if shutil.which('ccache'):
        compiler = f'ccache {compiler}'
    run('/usr/bin/meson', 'setup', *SETUP, *options, folder, SOURCE, env=dict(os.environ, CC=compiler))


def build(folder=None, kind='gcc'):
    """Brings a build up to date, sets it up if there is none, and returns its folder."""
    folder = Path(folder).absolute() if folder else SOURCE / 'build' / kind
    folder.parent.mkdir(parents=True, exist_ok=True)

    with Lock(folder.parent / f'.{folder.name}.lock'):
        if not (folder / 'build.ninja').exists():
            say(f'Setting up {folder}')
            _meson_setup(folder, kind)

        command = ['ninja', '-C', str(folder), '-j', str(os.cpu_count() or 1), '-k', '0']
        if 'no work to do' in run(*command, '-n'):
            return folder

        say(f'Building in {folder}')
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace', check=False)
        if done.returncode != 0:
            raise Failure(f'The build failed:\n{_without_successes(done.stdout)}')
    return folder


def _without_successes(text):
    """What ninja says about the steps that failed."""
    lines, failed = [], False
    for line in text.splitlines():
        if line.startswith('['):
            failed = False
        if line.startswith(('FAILED:', 'ninja: error')):
            failed = True
        if failed:
            lines.append(line)
    return '\n'.join(lines or text.splitlines()[-50:])


def _units(folder, root):
    """The installed units that can be enabled."""
    installed = json.loads(run('/usr/bin/meson', 'introspect', '--installed', folder))
    for path in sorted(set(installed.values())):
        if '/systemd/system/' not in path or '@.' in path:
            continue
        if os.path.dirname(path).endswith('/systemd/system'):
            text = Path(f'{root}{path}').read_text(encoding='utf-8')
            if '\n[Install]' in text:
                yield os.path.basename(path)


def install(folder, root):
    """Installs the build into the tree at `root`, which is not booted yet."""
    with Lock(folder.parent / f'.{folder.name}.lock'):
        run('/usr/bin/meson', 'install', '-C', folder, '--no-rebuild', '--quiet', '--destdir', root)

    # What maintainer scripts do; folders of tmpfiles.d are made while the system boots.
    run('systemd-sysusers', f'--root={root}')
    run('journalctl', f'--root={root}', '--update-catalog')
    units = list(_units(folder, root))
    if units:
        run('systemctl', f'--root={root}', 'preset', *units)
