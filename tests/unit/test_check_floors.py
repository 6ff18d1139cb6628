# SPDX-License-Identifier: GPL-2.0-or-later
"""The checker of floors finds what it is there for."""
import importlib.util
import os
import tempfile
import unittest

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
SPEC = importlib.util.spec_from_file_location('check_floors', os.path.join(TESTS, 'check-floors.py'))
check_floors = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_floors)

TABLE = '''
lib/base/:
lib/json/:      lib/base/       # a comment
engine/:        lib/
                engine/core/
engine/core/:   lib/
dbus/:          lib/ engine/engine.h
dbus/auth*:     lib/
<json-c/*>:     lib/json/
'''


class Floors(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as root:
            files = {'tests/floors.txt': TABLE, **files}
            for path, text in files.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='utf-8') as f:
                    f.write(text)
            return check_floors.check(root)

    def test_down_is_fine(self):
        self.assertEqual(self.findings({
            'lib/base/a.h': '#include <stdio.h>\n',
            'lib/base/b.c': '#include "lib/base/a.h"\n#include "stauer-config.h"\n',
            'engine/core/c.h': '#include "lib/base/a.h"\n',
            'engine/engine.h': '#include "engine/core/c.h"\n#include "lib/base/a.h"\n',
            'dbus/x.c': '#include "engine/engine.h"\n',
        }), [])

    def test_up_and_sideways(self):
        found = self.findings({
            'lib/json/j.h': '',
            'lib/base/a.h': '\n#include "lib/json/j.h"\n',
            'engine/engine.h': '',
            'engine/core/c.h': '#include "engine/engine.h"\n',
            'dbus/x.c': '#include "engine/core/c.h"\n',
            'dbus/auth.c': '#include "engine/engine.h"\n',
        })
        self.assertEqual([text.split(': ')[0] for text in found],
                         ['lib/base/a.h:2', 'engine/core/c.h:1', 'dbus/auth.c:1', 'dbus/x.c:1'])

    def test_circle(self):
        found = self.findings({
            'lib/base/a.h': '#include "lib/base/b.h"\n',
            'lib/base/b.h': '#include "lib/base/c.h"\n',
            'lib/base/c.h': '#include "lib/base/a.h"\n',
        })
        self.assertEqual(len(found), 1)
        self.assertIn('circle', found[0])

    def test_library(self):
        found = self.findings({
            'lib/json/j.c': '#include <json-c/json.h>\n',
            'lib/base/a.c': '#include <json-c/json.h>\n',
        })
        self.assertEqual(len(found), 1)
        self.assertIn('lib/base/a.c:1', found[0])

    def test_unknown(self):
        found = self.findings({
            'lib/base/a.c': '#include "a.h"\n',
            'lib/base/a.h': '',
            'lib/new/n.c': '',
        })
        self.assertEqual(len(found), 2)


if __name__ == '__main__':
    unittest.main()
