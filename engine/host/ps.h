/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The host's ps(1), as a child, without waiting for it: looking at all processes takes a moment, and hangs where one of them hangs. */

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct PsCall PsCall;
typedef struct sd_event sd_event;

/* r >= 0: text is what it has printed. r < 0: e has its own words. The PsCall is gone when this is called. */
typedef void (*ps_done_t)(int r, const char *text, const Error *e, void *userdata);

/* args: its options. Ends within ten seconds. At most PS_TOGETHER_MAX at a time: ERROR_UNAVAILABLE. */
#define PS_TOGETHER_MAX 16U
int ps_run(sd_event *event, char *const *args, ps_done_t done, void *userdata, PsCall **ret,
        Error *reterr);

/* Kills it; no callback any more. */
PsCall *ps_call_free(PsCall *c);
DEFINE_CLEANUP(PsCall *, ps_call_free);
