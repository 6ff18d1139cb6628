# SPDX-License-Identifier: GPL-2.0-or-later
"""Common to all tests that pytest runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
