/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Rule R5: a container must not be able to change the program that makes it (CVE-2019-5736: /proc/self/exe of a process on its
 * way into the container is the host's file, and root inside may write to it once we are gone).
 *
 * self_protect() lets go of the file: what is mapped of it is copied to memory of our own, at the same addresses, and the
 * kernel is told that our program is another file, an empty and sealed one. Whoever follows /proc/PID/exe of a process
 * of ours, or executes it, gets that. A kernel that does not allow this (built without CONFIG_CHECKPOINT_RESTORE) starts the
 * program again from a read-only copy of the mount that its file is on; that copy is in no mount namespace, so nobody can
 * make it writable.
 *
 * Why not a sealed copy in memory, executed: that costs 0.7 ms per container, the read-only copy 0.6 ms, letting go 0.2 ms
 * (measured with the same program; a start is 5 ms). What is copied belongs to the caller's cgroup, so a container with
 * 512 KiB still starts.
 *
 * It also makes us non-dumpable, so that nobody in the container can look at our descriptors or memory before the program is
 * executed (CVE-2016-9962). */

#include "lib/base/macro.h"

typedef struct Error Error;

/* Returns 0 when protected; it may start this program again instead of returning. */
int self_protect(char **argv, Error *reterr);

/* The first way alone: 0, or -errno with the file still ours. exe_fd: the file, for reading. */
int self_let_go(int exe_fd);
