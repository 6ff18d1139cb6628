/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The data root as a folder: made, checked, locked. */

#include "lib/base/error.h"

/* Makes it 0710 when missing; refuses one that another engine has written, and one that another stauerd has open. ret_lock: keep it open as
 * long as the engine lives. ret_id: the engine's id, kept there. */
int data_root_open(const char *path, int *ret_lock, char **ret_id, Error *reterr);
