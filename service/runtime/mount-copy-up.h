/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* "tmpcopyup": a tmpfs begins with what the root file system has at the place where it will be mounted. By fds only, no link is
 * followed; device nodes and sockets are left out. */

int mount_copy_up(int from_fd, int mount_fd);
