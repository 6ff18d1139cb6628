#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks every include of the tree against tests/floors.txt and looks for circles of headers.

usage: check-floors.py [ROOT]      prints "FILE:LINE: what is wrong" for each finding; exit status 1 if there are any
"""
import fnmatch
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
GENERATED = {'stauer-config.h'}
TOP = ['lib', 'config', 'engine', 'dbus', 'rest', 'service', 'cli', 'tui', 'units', 'tests']


class Floors:
    """The table: rules for folders (or groups of files), and who may see which library."""

    def __init__(self, path):
        self.folders = {}
        self.libraries = []
        with open(path, encoding='utf-8') as f:
            self._read(f.read().splitlines(), path)

    def _read(self, lines, path):
        joined = []
        for number, line in enumerate(lines, 1):
            line = line.split('#', 1)[0].rstrip()
            if not line:
                continue
            if line[0].isspace():                       # goes on from the line before
                joined[-1][1] += ' ' + line.strip()
            else:
                joined.append([number, line])
        for number, line in joined:
            name, colon, allowed = line.partition(':')
            if not colon:
                raise SystemExit(f'{path}:{number}: expected "NAME: ALLOWED …"')
            words = allowed.split()
            if name.startswith('<'):
                self.libraries.append((name.strip('<>'), words))
            else:
                self.folders[name] = words

    def rule_of(self, path):
        """The longest rule that fits a file, or None."""
        best = None
        for name in self.folders:
            fits = path.startswith(name) if name.endswith('/') else fnmatch.fnmatchcase(path, name)
            if fits and (best is None or len(name) > len(best)):
                best = name
        return best

    def allows(self, rule, path, header):
        if os.path.dirname(header) == os.path.dirname(path) and rule.endswith('/'):
            return True
        return any(header.startswith(a) if a.endswith('/') else fnmatch.fnmatchcase(header, a)
                   for a in self.folders[rule])

    def library_findings(self, path, header):
        for pattern, folders in self.libraries:
            if fnmatch.fnmatchcase(header, pattern) and not any(path.startswith(f) for f in folders):
                yield f'<{header}> is for {", ".join(folders)} only'


def sources(root):
    for top in TOP:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(files):
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def includes(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found.group(1), found.group(2)


def circles(graph):
    """Each circle of headers once, as a list of names."""
    state, stack, found = {}, [], []

    def visit(node):
        state[node] = 'open'
        stack.append(node)
        for other in graph.get(node, ()):
            if state.get(other) == 'open':
                found.append(stack[stack.index(other):] + [other])
            elif other not in state:
                visit(other)
        stack.pop()
        state[node] = 'done'

    for node in sorted(graph):
        if node not in state:
            visit(node)
    return found


def check(root):
    floors = Floors(os.path.join(root, 'tests/floors.txt'))
    findings, graph = [], {}
    for path in sources(root):
        rule = floors.rule_of(path)
        if rule is None:
            findings.append(f'{path}:1: this folder has no line in tests/floors.txt')
            continue
        for number, ours, library in includes(root, path):
            if library:
                findings += [f'{path}:{number}: {text}' for text in floors.library_findings(path, library)]
                continue
            if ours in GENERATED:
                continue
            if not os.path.exists(os.path.join(root, ours)):
                findings.append(f'{path}:{number}: "{ours}" is no header of the tree: includes are written from the root')
                continue
            if not floors.allows(rule, path, ours):
                findings.append(f'{path}:{number}: {rule} may not include "{ours}"')
            if path.endswith('.h'):
                graph.setdefault(path, []).append(ours)
    for circle in circles(graph):
        findings.append(f'{circle[0]}:1: circle of headers: ' + ' -> '.join(circle))
    return findings


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
    findings = check(root)
    for text in findings:
        print(text)
    if not findings:
        print('floors: every include points to its own folder or down')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
