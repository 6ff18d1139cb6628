/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Image → the documents that both faces show; api as in container-view.h. */

typedef struct Image Image;
typedef struct Json Json;

int image_view_inspect(const Image *i, unsigned api, Json **ret);
int image_view_row(const Image *i, unsigned api, Json **ret);
int image_view_history(const Image *i, unsigned api, Json **ret);
