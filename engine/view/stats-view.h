/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Samples → the document of GET /containers/ID/stats. now NULL: it does not run, all is zero; before NULL: precpu_stats are zero. The
 * document is a new reference for the caller. */

typedef struct Container Container;
typedef struct Json Json;
typedef struct StatsSample StatsSample;

int stats_view(const Container *c, const StatsSample *now, const StatsSample *before, Json **ret);
