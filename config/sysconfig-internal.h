/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of a Sysconfig share among themselves. */

#include "config/sysconfig.h"

/* Empty, with its path; no file has been looked at. */
int sysconfig_new(const char *path, const char *lens_dir, Sysconfig **ret);
void sysconfig_free_entries(Sysconfig *s);

/* Is it text that Augeas can read and print again? */
bool sysconfig_is_text(const char *text, size_t size);
