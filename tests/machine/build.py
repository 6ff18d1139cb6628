# SPDX-License-Identifier: GPL-2.0-or-later
"""The current build, and its installation into a tree, as a package would do it."""

import json
import os
import subprocess
from pathlib import Path

from machine.host import SOURCE, Failure, Lock, run, say

# As a distribution configures a package.
SETUP = ['--prefix=/usr', '--sysconfdir=/etc', '--localstatedir=/var', '--libexecdir=libexec']


def build(folder=None):
    """Brings the build up to date, sets it up if there is none, and returns its folder."""
    folder = Path(folder).absolute() if folder else SOURCE / 'build/gcc'
    folder.parent.mkdir(parents=True, exist_ok=True)

    with Lock(folder.parent / f'.{folder.name}.lock'):
        if not (folder / 'build.ninja').exists():
            say(f'Setting up {folder}')
            run('/usr/bin/meson', 'setup', *SETUP, '-Dwerror=true', folder, SOURCE,
                env=dict(os.environ, CC='gcc'))

        command = ['ninja', '-C', str(folder), '-j', str(os.cpu_count() or 1)]
        if 'no work to do' in run(*command, '-n'):
            return folder

        say(f'Building in {folder}')
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace')
        if done.returncode != 0:
            raise Failure(f'The build failed:\n{done.stdout.rstrip()}')
    return folder


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
