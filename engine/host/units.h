/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Units is the asynchronous client of org.freedesktop.systemd1 on the shared bus: scopes are started,
 * stopped, killed and watched. Every call ends within its deadline, whatever systemd does (hang, reload,
 * re-execute, leave the bus). Owned by Engine. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct UnitCall UnitCall;
typedef struct UnitProperties UnitProperties;
typedef struct UnitWatch UnitWatch;
typedef struct Units Units;
typedef struct UnitsBarrier UnitsBarrier;
typedef struct sd_bus sd_bus;
typedef struct sd_event sd_event;

#define UNITS_DEADLINE_USEC UINT64_C(9000000) /* of a job, when systemd says nothing at all */

/* r < 0: e says what systemd said. The UnitCall is gone when this is called. */
typedef void (*unit_done_t)(int r, const Error *e, void *userdata);

/* The unit is not there any more (stopped, failed, collected), or is not known to be. */
typedef void (*unit_gone_t)(void *userdata);

/* Subscribes at systemd; blocking, for start-up only. */
int units_new(sd_event *e, sd_bus *bus, Units **ret, Error *reterr);
Units *units_free(Units *u); /* calls that wait end without a word */
DEFINE_CLEANUP(Units *, units_free);

/* Both complete when the job is done (JobRemoved), not when it is accepted. ret (or NULL) is the handle
 * to forget it with. */
int units_start_transient(Units *u, const char *name, const UnitProperties *properties,
        unit_done_t done, void *userdata, UnitCall **ret);
int units_stop(Units *u, const char *name, unit_done_t done, void *userdata, UnitCall **ret);

/* Signal to every process of the unit. Completes when systemd has answered; done may be NULL. */
int units_kill(
        Units *u, const char *name, int signal, unit_done_t done, void *userdata, UnitCall **ret);

/* Completes when every process of the unit is frozen, or thawed. Thawing what is not frozen is done at once. */
int units_freeze(
        Units *u, const char *name, bool freeze, unit_done_t done, void *userdata, UnitCall **ret);

/* SetUnitProperties, until the unit ends. */
int units_set_properties(Units *u, const char *name, const UnitProperties *properties,
        unit_done_t done, void *userdata, UnitCall **ret);

/* No callback any more; what was asked of systemd stays asked. */
UnitCall *unit_call_free(UnitCall *c);
DEFINE_CLEANUP(UnitCall *, unit_call_free);

/* Tells once when the unit is gone. To be made before the unit is started, or for one that runs. After a
 * re-execution or a return of systemd the unit is looked at again. */
int units_watch(Units *u, const char *name, unit_gone_t gone, void *userdata, UnitWatch **ret);
/* Asks how it is now: one that was never started, or is inactive but kept by somebody, sends no signal. */
void unit_watch_look(UnitWatch *w);
UnitWatch *unit_watch_free(UnitWatch *w);
DEFINE_CLEANUP(UnitWatch *, unit_watch_free);

/* Somebody else (not a call of ours) has a job for the unit of w: is_stop if he wants to stop it, and it is not the host's shutdown that
 * does. Told before or shortly after its processes end, and before it is told to be gone; w must not be freed meanwhile. A signal
 * by "systemctl kill" is no job. */
typedef void (*unit_job_t)(bool is_stop, void *userdata);
void unit_watch_on_job(UnitWatch *w, unit_job_t told);
/* There is a job, and of which kind it is will be told. w may be NULL. */
bool unit_watch_asks(const UnitWatch *w);

/* Whether the host goes down, as far as systemd has said; changed is told when that changes. */
bool units_host_stops(const Units *u);
typedef void (*units_host_t)(bool stops, void *userdata);
void units_on_host(Units *u, units_host_t changed, void *userdata);

/* Done when all that systemd has said before is handled, and whether the host goes down is known; within a few seconds, also when it says
 * nothing. */
typedef void (*units_barrier_t)(void *userdata);
int units_barrier(Units *u, units_barrier_t done, void *userdata, UnitsBarrier **ret);
UnitsBarrier *units_barrier_free(UnitsBarrier *b); /* no callback any more */
