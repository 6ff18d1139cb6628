/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Puts this process behind walls before it looks at a stranger's bytes (rules R1, R3): no new privileges, namespaces of its own for mounts,
 * network, IPC and host name, "/" an empty folder, and only the capabilities that unpacking needs. Descriptors opened before stay. What
 * the kernel refuses an engine that is not root is left out. */

int confine(int empty_dir_fd);

/* Only the capabilities that making network namespaces needs: it parses nothing, and its mounts are meant for everybody. */
int confine_netns(void);
