/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Container → the documents that both faces show. api: Docker API version as MAJOR * 1000 + MINOR (1.51 is 1051); the D-Bus face passes
 * VIEW_API_LATEST. Documents are new references for the caller. */

#define VIEW_API_LATEST 1051

typedef struct Container Container;
typedef struct Json Json;

/* GET /containers/ID/json; size: SizeRw and SizeRootFs too, as they were last measured. .State.Accounting holds the final or present figures. */
int container_view_inspect(const Container *c, unsigned api, int size, Json **ret);

/* One row of GET /containers/json. */
int container_view_row(const Container *c, unsigned api, int size, Json **ret);
