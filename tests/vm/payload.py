# SPDX-License-Identifier: GPL-2.0-or-later
"""The second disk of the virtual machine: a tar archive of what goes onto the first one before systemd starts."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

from machine import build, linux
from machine.host import run
from machine.isolated import isolated

BOX = 'var/lib/vm-command'

UNIT = '''[Unit]
Description=Command of the virtual machine
After=multi-user.target

[Service]
ExecStart=/var/lib/vm-command/guest-command
StandardError=journal+console
IgnoreSIGPIPE=no
TasksMax=infinity
SendSIGHUP=no
'''


def _remove_whiteouts(upper):
    """What was removed is not packed: an archive has no word for it."""
    for folder, _, names in os.walk(upper):
        for name in names:
            status = os.lstat(f'{folder}/{name}')
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                os.unlink(f'{folder}/{name}')


def pack(archive, folder, built, box, *copies):
    """Called isolated: installs into the disk's files as if they were mounted, and packs what that has changed."""
    linux.mount('tmpfs', 'tmpfs', '/run', 'mode=755')
    linux.mount('ext4', f'{folder}/disk', '/run/disk', 'loop,ro,noload')
    linux.mount('tmpfs', 'tmpfs', '/run/changes', 'mode=755')
    root = Path('/run/root')
    linux.overlay(['/run/disk'], '/run/changes/upper', '/run/changes/work', root)

    (root / BOX).mkdir()
    if built:
        build.install(Path(built), str(root))
    for path in copies:
        # What is emptied by the boot is put there afterwards, by guest-command.
        emptied = path.startswith(('/tmp/', '/var/tmp/', '/run/', '/dev/'))
        target = (root / BOX / 'files' if emptied else root) / path.lstrip('/')
        target.parent.mkdir(parents=True, exist_ok=True)
        run('cp', '-aT', path, target)

    for name, text in json.loads(box).items():
        (root / BOX / name).write_text(text, encoding='utf-8', errors='surrogateescape')
    shutil.copy(Path(__file__).resolve().parent / 'guest-command', root / BOX / 'guest-command')
    os.chmod(root / BOX / 'guest-command', 0o755)
    unit = root / 'etc/systemd/system/vm-command.service'
    unit.write_text(UNIT, encoding='utf-8')
    (unit.parent / 'multi-user.target.wants').mkdir(exist_ok=True)
    (unit.parent / 'multi-user.target.wants' / unit.name).symlink_to(f'/etc/systemd/system/{unit.name}')

    run('umount', root)
    _remove_whiteouts('/run/changes/upper')
    with open(int(archive), 'wb') as out:
        subprocess.run(['tar', '-C', '/run/changes/upper', '--sparse', '-c', '.'], stdout=out, check=True)


def make(archive, folder, built, box, copies):
    """Writes the archive to the open file `archive`. `box` is what guest-command reads, by the names of its files."""
    isolated('The files of the virtual machine', pack, archive.fileno(), folder, built or '', json.dumps(box), *copies,
             pass_fds=[archive.fileno()])
    # Disks have whole sectors.
    archive.truncate((os.fstat(archive.fileno()).st_size + 4095) // 4096 * 4096)
