# SPDX-License-Identifier: GPL-2.0-or-later
"""What the sandbox (tests/sandbox) and the virtual machine (tests/vm) have in common."""
