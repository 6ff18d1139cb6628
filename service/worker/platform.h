/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Platforms as images name them: "linux/arm64/v8". Pure but for uname(). */

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/oci/image-spec.h"

/* What was asked for; NULL or "": this machine. */
int platform_wanted(const char *text, Platform *ret, Error *reterr);

/* May an image for "offered" be taken when "wanted" was asked for? A missing variant fits any. */
bool platform_fits(const Platform *wanted, const Platform *offered);

/* How well does "offered" suit who asked for "wanted", as Docker chooses from an index: 0 not at all; the highest is best. An older variant of the
 * architecture does, and at last the 32 bits of amd64 and arm64. */
unsigned platform_rank(const Platform *wanted, const Platform *offered);
