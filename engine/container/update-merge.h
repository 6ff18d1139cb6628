/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What an update changes of a container's wish. Pure. */

#include "lib/base/error.h"

typedef struct HostConfig HostConfig;

/* Of wish only Resources and RestartPolicy count; zero and empty mean unchanged. What is taken is swapped with what was there. The
 * outcome is to be checked as at create. ERROR_CONFLICT: Docker's sentence. */
int update_merge(HostConfig *wish, HostConfig *h, Error *reterr);
