# SPDX-License-Identifier: GPL-2.0-or-later
"""Many containers: time and memory."""

import os
import time

import host
from audit import proportional, resident
from host import main_pid, run
from load import UNIT, begin, check, in_turns

MANY = int(os.environ.get('STAUER_MANY', '200'))


def test_many_containers(rest):
    names = [f'many-{n}' for n in range(MANY)]
    idle = resident(main_pid())
    began = time.monotonic()
    in_turns(4, names, lambda name: begin(rest, name, 'sleep', '10000'))
    started = time.monotonic() - began
    assert len(host.monitors()) == MANY
    full = resident(main_pid())
    pss = [proportional(pid) for pid in host.monitors()]
    listing = time.monotonic()
    assert len(rest.get('/containers/json').json) == MANY
    listing = time.monotonic() - listing

    old = main_pid()
    began = time.monotonic()
    run('systemctl', 'restart', UNIT)
    rest.keep_asking('GET', '/_ping')
    restarted = time.monotonic() - began
    assert main_pid() != old
    assert len(rest.get('/containers/json').json) == MANY
    again = resident(main_pid())

    began = time.monotonic()
    in_turns(4, names, lambda name: check(rest.delete(f'/containers/{name}?force=1'), 204))
    removed = time.monotonic() - began
    after = resident(main_pid())
    print(f'{MANY} containers: started in {started:.1f} s, removed in {removed:.1f} s, list {listing * 1000:.0f} ms, '
          f'restart of the daemon {restarted:.2f} s')
    print(f'stauerd RSS: idle {idle} KiB, with all {full} KiB ({(full - idle) / MANY:.1f} each), restarted {again} KiB, '
          f'empty again {after} KiB; monitors PSS: {sum(pss) / len(pss):.0f} KiB mean, {max(pss)} KiB worst')
    assert max(pss) <= 400
    assert (full - idle) / MANY <= 40
