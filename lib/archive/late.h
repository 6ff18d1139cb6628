/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* For programs that are linked with late.c instead of libarchive. */

#include "lib/base/error.h"

/* Loads libarchive; must have succeeded before anything else of lib/archive is called. ERROR_UNAVAILABLE when it is not installed. */
int archive_late_load(Error *reterr);
