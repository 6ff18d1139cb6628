/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A container that is frozen for as long as somebody needs its files to stay as they are (commit). Several may at once; the last one thaws it. Who freezes
 * or thaws it himself meanwhile has his way. A mark in its run folder lets a later daemon thaw what one that was killed has left frozen. */

#include "lib/base/macro.h"

typedef struct Container Container;
typedef struct ContainerHold ContainerHold;

typedef void (*container_held_t)(void *userdata);

/* 1: it is being frozen: on_held is called once, when it is, or cannot be, or has ended (then the work goes on all the same, as Docker's does).
 * 0: it does not run, or is frozen by somebody else (*ret NULL), or is held already: nothing to wait for. */
int container_hold(Container *c, container_held_t on_held, void *userdata, ContainerHold **ret);

/* Thaws it, unless others hold it too, and calls on_ended when that is done; perhaps at once. on_held is not called any more. h is gone afterwards. */
void container_hold_end(ContainerHold *h, container_held_t on_ended, void *userdata);

/* Only forgets who asked, also while on_ended is waited for: when the daemon ends. */
ContainerHold *container_hold_free(ContainerHold *h);
