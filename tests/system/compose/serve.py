# SPDX-License-Identifier: GPL-2.0-or-later
"""docker-compose as a function, for forked.py."""

import sys

from compose.cli.main import main


def call(words):
    sys.argv = ['docker-compose', *words]
    main()
