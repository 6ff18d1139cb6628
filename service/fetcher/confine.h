/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Puts the one process of ours that talks to strangers on the network behind walls: a root of its own with nothing in it but what looking up names and
 * checking certificates needs, nobody's user id, no capabilities, no new privileges. What the kernel refuses an engine that is not root is left
 * out. Single-threaded callers only. */

int fetcher_confine(void);
