# SPDX-License-Identifier: GPL-2.0-or-later
"""Ansible's modules for Docker as a function, for forked.py: what ansible-playbook would send to the host, without a second of packing for each task."""

import importlib
import json

from ansible.module_utils import basic

MODULES = ('container', 'container_exec', 'container_info', 'host_info', 'image', 'image_info', 'image_load', 'network', 'network_info', 'prune',
           'volume', 'volume_info')
LOADED = {}
for name in MODULES:
    LOADED[f'docker_{name}'] = importlib.import_module(f'ansible_collections.community.docker.plugins.modules.docker_{name}')


def call(words):
    """MODULE JSON; prints JSON."""
    module, arguments = words
    basic._ANSIBLE_ARGS = json.dumps({'ANSIBLE_MODULE_ARGS': json.loads(arguments)}).encode()    # pylint: disable=protected-access
    LOADED[module].main()
