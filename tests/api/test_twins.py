# SPDX-License-Identifier: GPL-2.0-or-later
"""Each scenario of streams, figures and events that is asked of REST alone has its twin on the bus, or a reason to have none. A test that takes
the fixture face or bus is on both, or on the bus, by itself. A new one of REST alone fails here until it is in the table."""

import ast
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = ('test_attach.py', 'test_attach_logs.py', 'test_attach_ws.py', 'test_events.py', 'test_rest_streams.py', 'test_stats.py',
         'test_networks.py', 'test_networks_join.py')
HTTP = 'HTTP alone: '

# "file::test" of REST: names of twins in test_bus_streams.py (or "file::test"), or a text that begins with HTTP.
TWINS = {
    'test_attach.py::test_heads': HTTP + 'heads and their types',
    'test_attach.py::test_before_the_start_no_byte_is_lost': 'test_attach_bus.py::test_before_the_start_both_ways',
    'test_attach.py::test_input_that_came_with_a_request_without_upgrade': HTTP + 'what stands behind a request',
    'test_attach.py::test_half_close_ends_the_input': 'test_attach_bus.py::test_half_close_ends_the_input',
    'test_attach.py::test_half_close_without_once_keeps_the_input': 'test_two_clients_and_one_ends_its_input',
    'test_attach.py::test_streams_are_chosen': 'test_attached_streams_are_chosen',
    'test_attach.py::test_nothing_asked_for_returns_at_once': HTTP + 'the parameter stream=0, which the bus does not have',
    'test_attach.py::test_errors_are_raw_text': 'test_attach_errors',
    'test_attach.py::test_client_that_never_reads_is_dropped': HTTP + 'the same socket in the same monitor, whoever has asked for it',
    'test_attach.py::test_clients_that_vanish_leave_nothing': 'test_clients_that_vanish_leave_nothing',
    'test_attach.py::test_stream_survives_the_daemon': 'test_stream_survives_the_daemon',
    'test_attach.py::test_failed_start_ends_the_stream': 'test_failed_start_ends_the_stream',
    'test_attach.py::test_removal_ends_a_waiting_client': 'test_removal_ends_a_waiting_client',
    'test_attach.py::test_resize': 'test_attach_bus.py::test_resize',
    'test_attach.py::test_resize_when_it_does_not_run': 'test_attach_bus.py::test_resize',
    'test_attach_logs.py::test_log_and_then_live': 'test_attach_logs.py::test_bus',
    'test_attach_logs.py::test_begun_line_is_not_lost': HTTP + 'where log and stream meet is below both faces',
    'test_attach_logs.py::test_busy_container': HTTP + 'where log and stream meet is below both faces',
    'test_attach_logs.py::test_long_pieces': HTTP + 'where log and stream meet is below both faces',
    'test_attach_logs.py::test_without_stream_it_ends': 'test_slow_reader',
    'test_attach_logs.py::test_stopped_then_started': HTTP + 'where log and stream meet is below both faces',
    'test_attach_logs.py::test_driver_that_cannot_be_read': 'test_attach_logs.py::test_bus_driver_that_cannot_be_read',
    'test_attach_logs.py::test_slow_reader_holds_up_nobody': 'test_slow_reader',
    'test_attach_logs.py::test_websocket': HTTP + 'frames of the web',
    'test_attach_logs.py::test_vanish_and_kill': 'test_clients_that_vanish_leave_nothing',
    'test_events.py::test_content_types': HTTP + 'types of content',
    'test_events.py::test_until_comes': HTTP + 'on the bus who has heard enough unsubscribes',
    'test_events.py::test_bad_times': HTTP + 'times are numbers on the bus; test_replay has the wrong order',
    'test_rest_streams.py::test_client_leaves': 'test_caller_leaves test_follower_leaves test_subscribers_leave',
    'test_rest_streams.py::test_client_half_closes': HTTP + 'a connection with one question',
    'test_rest_streams.py::test_verb_goes_on_without_its_client': 'test_verb_goes_on_without_its_caller',
    'test_rest_streams.py::test_client_leaves_during_create': 'test_caller_leaves_during_create',
    'test_rest_streams.py::test_load_half_sent': 'test_load_half_sent',
    'test_rest_streams.py::test_loads_that_wait_are_given_up': 'test_load_slowly_and_many',
    'test_rest_streams.py::test_load_slowly': 'test_load_slowly_and_many',
    'test_rest_streams.py::test_load_chunked_with_progress': HTTP + 'chunks',
    'test_rest_streams.py::test_load_with_tail': HTTP + 'what stands behind the archive on one connection',
    'test_rest_streams.py::test_refused_load_reads_the_rest': HTTP + 'the next request on one connection',
    'test_rest_streams.py::test_many_loads': 'test_load_slowly_and_many',
    'test_rest_streams.py::test_slow_reader': 'test_slow_reader',
    'test_rest_streams.py::test_slow_reader_leaves': 'test_slow_reader_leaves',
    'test_rest_streams.py::test_events_to_one_who_does_not_read': 'test_events_to_one_who_does_not_read',
    'test_rest_streams.py::test_follow_ends_with_the_container': 'test_follow_ends_with_the_container',
    'test_rest_streams.py::test_follow_ends_with_removal': 'test_follow_ends_with_removal',
    'test_rest_streams.py::test_details': 'test_details',
    'test_rest_streams.py::test_replay_of_more_than_fits': 'test_replay_of_more_than_fits',
    'test_rest_streams.py::test_events_replay': 'test_events.py::test_replay',
    'test_rest_streams.py::test_event_filters': 'test_events.py::test_filters',
    'test_stats.py::test_once_has_something_to_compare_with': HTTP + 'on the bus one look is one look, and two are a subscription',
    'test_stats.py::test_not_running': 'test_figures_of_what_does_not_run',
    'test_stats.py::test_stream': 'test_stats.py::test_subscription',
    'test_stats.py::test_stream_comes_alive_and_ends': 'test_figures_come_alive_and_end',
    'test_stats.py::test_errors': 'test_figures_of_what_does_not_run',
    'test_stats.py::test_old_http': HTTP + 'its old versions',
    'test_networks.py::test_not_json': HTTP + 'bodies',
    'test_networks.py::test_questions_of_rest': HTTP + 'parameters',
    'test_networks_join.py::test_force_for_a_container_that_is_not_there': HTTP + 'the bus asks the container, which has to be there',
    'test_networks_join.py::test_options_of_the_firewall': HTTP + 'options of the daemon; both faces see the same ports',
}
# Whole files.
WHOLE = {'test_attach_ws.py': HTTP + 'WebSockets; the bus has a socket without frames of the web'}


def found_in(name):
    """{test: names of its fixtures and of what it calls itself a bus by}."""
    tree = ast.parse((HERE / name).read_text())
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith('test_'):
            words = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            found[node.name] = {a.arg for a in node.args.args} | ({'bus'} if 'BusFace' in words else set())
    return found


def is_of_rest_alone(fixtures):
    return not fixtures & {'face', 'bus', 'two'}


def test_each_has_its_twin():
    alone = {f'{name}::{test}' for name in FILES if name not in WHOLE for test, fixtures in found_in(name).items() if is_of_rest_alone(fixtures)}
    assert not sorted(alone - set(TWINS)), 'asked of REST alone: it needs a twin on the bus, or a reason in this table'
    gone = {key for key in TWINS if key.partition('::')[2] not in found_in(key.partition('::')[0])}
    assert not sorted(gone), 'in the table, and there is no such test'


def test_twins_are_on_the_bus():
    for key, text in TWINS.items():
        for twin in () if text.startswith(HTTP) else text.split():
            name, _, test = twin.rpartition('::')
            found = found_in(name or 'test_bus_streams.py')
            assert test in found, (key, twin)
            assert not is_of_rest_alone(found[test]), (key, twin, 'is not on the bus')
