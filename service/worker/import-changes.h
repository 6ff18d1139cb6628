/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The instructions of "docker import --change": one line of a Dockerfile each, applied to an empty config. CMD ENTRYPOINT ENV EXPOSE
 * HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR. Pure. */

#include "lib/base/error.h"
#include "lib/oci/image-spec.h"

#define IMPORT_CHANGE_MAX  ((size_t) 64 * 1024)
#define IMPORT_CHANGES_MAX 1000U

int import_changes_apply(ImageRunConfig *config, char *const *changes, Error *reterr);
