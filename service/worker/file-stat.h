/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What Docker tells of a file in a container: name, size, Go's mode bits, time, where a link leads in the end. */

#include <stdint.h>
#include <sys/stat.h>

/* Go's os.FileMode. Pure. */
uint32_t file_stat_go_mode(mode_t mode);

/* The text of X-Docker-Container-Path-Stat before base64. link: "" if it is none. */
int file_stat_format(const char *name, const struct stat *st, const char *link, char **ret);

/* The path that a path leads to when every link in it is followed with root_fd as "/": absolute and clean. What does not exist stays as it is
 * written. -ELOOP. Only text: nothing is opened by it. */
int file_stat_resolve(int root_fd, const char *path, char **ret);
