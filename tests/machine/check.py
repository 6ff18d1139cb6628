# SPDX-License-Identifier: GPL-2.0-or-later
"""The runners of tests/check. Each ends with one line: NAME: N passed, N failed, N skipped."""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from machine.build import build
from machine.host import SOURCE, Failure, say

SANDBOX = SOURCE / 'tests/sandbox/sandbox'
VM = SOURCE / 'tests/vm/vm'
LOGS = SOURCE / 'build/logs'

PYTEST = ['/usr/bin/python3', '-B', '-m', 'pytest', '-p', 'no:cacheprovider', '-ra', '--tb=short', '--color=no']


class Count:
    """Passed, failed, skipped. A runner that ran nothing has nothing to say."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def __bool__(self):
        return self.passed + self.failed + self.skipped > 0

    def __str__(self):
        return f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped'

    def add_summary(self, line):
        """Adds what pytest's last line says."""
        for number, what in re.findall(r'(\d+) (\w+)', line):
            if what in ('passed', 'xpassed'):
                self.passed += int(number)
            elif what in ('failed', 'error', 'errors'):
                self.failed += int(number)
            elif what in ('skipped', 'xfailed'):
                self.skipped += int(number)


def stream(command, **kwargs):
    """Runs a program, shows its output as it comes, and returns its exit status and its lines."""
    lines = []
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', cwd=SOURCE, **kwargs) as process:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line.rstrip('\n'))
    return process.returncode, lines


def has_tests(folder):
    return any((SOURCE / folder).glob('test_*.py'))


def pytest(count, folder, before=(), options=(), **kwargs):
    """Runs the tests of a folder, by way of the program `before` if there is one."""
    if not has_tests(folder):
        return
    code, lines = stream([*before, *PYTEST, *options, folder], **kwargs)
    summary = next((line for line in reversed(lines) if re.match(r'=+ .* in [0-9.:]+', line)), None)
    if summary:
        count.add_summary(summary)
    if code not in (0, 1, 5) or (code == 1 and not count.failed) or not summary:
        count.failed += 1
        print(f'{folder}: the runner ended with status {code}')


def only_root(name):
    if os.geteuid() == 0:
        return True
    print(f'{name}: left out, it has to be root')
    return False


# Steps without a count: the first that fails ends everything.

def check_format():
    files = subprocess.run(['git', '-c', f'safe.directory={SOURCE}', 'ls-files', '*.c', '*.h'], cwd=SOURCE, text=True,
                           stdout=subprocess.PIPE, check=True).stdout.split()
    files = [name for name in files if (SOURCE / name).exists()]
    if files and subprocess.run(['clang-format', '--dry-run', '-Werror', *files], cwd=SOURCE, check=False).returncode:
        raise Failure('Some files are not as clang-format wants them: clang-format -i FILE mends that.')
    print(f'{len(files)} C files are formatted.')


def check_floors():
    program = SOURCE / 'tests/check-floors.py'
    if program.exists() and subprocess.run(['/usr/bin/python3', '-B', program], cwd=SOURCE, check=False).returncode:
        raise Failure('An include or a header breaks the floors.')


def check_build():
    build(kind='gcc')
    build(kind='clang')
    print('gcc and clang build without a warning.')


# Runners

def meson_test(count, *selection):
    """Runs tests of meson; every test within a test that speaks TAP counts."""
    folder = build(kind='clang')
    report = folder / 'meson-logs/testlog.junit.xml'
    report.unlink(missing_ok=True)
    code, lines = stream(['/usr/bin/meson', 'test', '-C', folder, '--no-rebuild', '--print-errorlogs', *selection])
    if any('No tests defined' in line or 'No suitable tests' in line for line in lines):
        return
    if report.exists():
        for case in xml.parse(report).getroot().iter('testcase'):
            kinds = {child.tag for child in case}
            if kinds & {'failure', 'error'}:
                count.failed += 1
            elif 'skipped' in kinds:
                count.skipped += 1
            else:
                count.passed += 1
    if code and not count.failed:
        count.failed += 1


def check_unit(count):
    meson_test(count, '--no-suite', 'fuzz')


def check_fuzz(count):
    meson_test(count, '--suite', 'fuzz')


def check_api(count):
    # Each worker has daemons and a bus of its own; a file's tests stay together, as they share them. They wait more than they compute.
    workers = ['-n', str(len(os.sched_getaffinity(0)) + 1), '--dist', 'loadfile']
    pytest(count, 'tests/api', options=workers, env=dict(os.environ, STAUER_BUILD=str(build(kind='gcc'))))


def sandbox(journal):
    LOGS.mkdir(parents=True, exist_ok=True)
    return [SANDBOX, '--build', SOURCE / 'build/gcc', '--setenv', f'STAUER_BUILD={SOURCE}/build/gcc',
            '--save-journal', LOGS / journal, '--']


def check_runtime(count):
    if only_root('runtime'):
        pytest(count, 'tests/runtime', sandbox('runtime.journal'))


def check_sandbox(count):
    if only_root('sandbox'):
        pytest(count, 'tests/sandbox')
        pytest(count, 'tests/system', sandbox('system.journal'))


def check_vm(count):
    if only_root('vm') and VM.exists():
        pytest(count, 'tests/vm/host')
        pytest(count, 'tests/vm', [VM, '--copy', SOURCE / 'tests', '--'], ['--ignore=tests/vm/host'])


STEPS = {'format': check_format, 'floors': check_floors, 'build': check_build}
RUNNERS = {'unit': check_unit, 'fuzz': check_fuzz, 'api': check_api, 'runtime': check_runtime,
           'sandbox': check_sandbox, 'vm': check_vm}


def main(names):
    for name in names:
        if name not in STEPS and name not in RUNNERS:
            raise Failure(f'"{name}" is not one of {", ".join([*STEPS, *RUNNERS])}.')
    if not names:
        names = [*STEPS, *RUNNERS]

    ended = []
    failed = False
    for name in names:
        began = time.monotonic()
        print(f'== {name}', flush=True)
        if name in STEPS:
            STEPS[name]()
        else:
            count = Count()
            try:
                RUNNERS[name](count)
            except Failure as e:
                say(e)
                count.failed += 1
            failed = failed or count.failed > 0
            if count:
                ended.append(f'{name}: {count}')
        print(f'== {name} took {time.monotonic() - began:.0f} s', flush=True)
    print('\n'.join(ended))
    return 1 if failed else 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as e:
        say(f'tests/check: {e}')
        sys.exit(1)
