# SPDX-License-Identifier: GPL-2.0-or-later
"""Many containers: time and memory."""

import os
import statistics
import time

import host
from audit import layers, proportional, resident
from common.wait import wait_for
from host import main_pid, run
from load import UNIT, begin, check, create, in_turns

MANY = int(os.environ.get('STAUER_MANY', '300'))
SOME = 15                       # whose starts are timed, one after the other


def timed_start(rest, name):
    create(rest, name, 'sleep', '10000')
    began = time.monotonic()
    check(rest.post(f'/containers/{name}/start'), 204)
    return time.monotonic() - began


def in_turns_answers(n_threads, names, work):
    answers = []
    in_turns(n_threads, names, lambda name: answers.append(work(name)))
    return answers


def test_many_containers(rest):
    names = [f'many-{n}' for n in range(MANY)]
    idle, before = resident(main_pid()), layers()
    began = time.monotonic()
    first = [timed_start(rest, name) for name in names[:SOME]]
    in_turns(4, names[SOME:-SOME], lambda name: begin(rest, name, 'sleep', '10000'))
    last = [timed_start(rest, name) for name in names[-SOME:]]
    started = time.monotonic() - began
    assert len(host.monitors()) == MANY
    full = resident(main_pid())
    pss = [proportional(pid) for pid in host.monitors()]
    rows = in_turns_answers(8, names[::10], lambda name: check(rest.get(f'/containers/{name}/stats?stream=0&one-shot=1'), 200).json)
    assert all(row['pids_stats'].get('current', 1) >= 1 for row in rows), rows
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
    wait_for(lambda: layers() == before, 'their layers are gone, which is done when nothing else is', timeout=60)
    rest_removed = time.monotonic() - began
    after = resident(main_pid())
    print(f'{MANY} containers: started in {started:.1f} s, removed in {removed:.1f} s (their files in {rest_removed:.1f} s), list {listing * 1000:.0f} ms, '
          f'restart of the daemon {restarted:.2f} s')
    print(f'stauerd RSS: idle {idle} KiB, with all {full} KiB ({(full - idle) / MANY:.1f} each), restarted {again} KiB, '
          f'empty again {after} KiB; monitors PSS: {sum(pss) / len(pss):.0f} KiB mean, {max(pss)} KiB worst')
    print(f'a start costs {statistics.median(first) * 1000:.1f} ms at first and {statistics.median(last) * 1000:.1f} ms at last (medians of {SOME})')
    assert sorted(last)[SOME // 4] <= 1.3 * sorted(first)[SOME // 4], (first, last)
    assert max(pss) <= 400
    assert (full - idle) / MANY <= 40
