/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/host only: what the three files of the client of systemd share. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "engine/host/units.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"

#define SYSTEMD_NAME    "org.freedesktop.systemd1"
#define SYSTEMD_PATH    "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT    "org.freedesktop.systemd1.Unit"
#define UNITS_SHUTDOWN  "shutdown.target"

typedef enum UnitCallKind {
        UNIT_CALL_START,
        UNIT_CALL_STOP,
        UNIT_CALL_KILL, /* and what follows: over with the answer, there is no job */
        UNIT_CALL_FREEZE,
        UNIT_CALL_THAW,
        UNIT_CALL_SET,
} UnitCallKind;

/* Waits for an answer, then (start and stop) for the end of the job that the answer names. */
struct UnitCall {
        ListNode node;
        Units *units;
        UnitCallKind kind;
        char *name;
        char *job; /* object path, key of Units.jobs */
        sd_bus_slot *slot;
        sd_event_source *deadline;
        unit_done_t done;
        void *userdata;
};

struct UnitWatch {
        Units *units;
        char *name; /* key of Units.watches */
        sd_bus_slot *slot;
        sd_bus_slot *job_slot; /* asks of what kind somebody's job is */
        unit_gone_t gone;
        unit_job_t told; /* NULL: nobody minds */
        bool removed;    /* gone, but the question is open */
        void *userdata;
};

struct UnitsBarrier {
        ListNode node;
        Units *units;
        sd_bus_slot *slot;
        sd_event_source *deadline;
        units_barrier_t done;
        void *userdata;
};

struct Units {
        sd_event *event;
        sd_bus *bus;
        sd_bus_slot *match_job_new;
        sd_bus_slot *match_job_removed;
        sd_bus_slot *match_unit_removed;
        sd_bus_slot *match_reloading;
        sd_bus_slot *match_owner;
        sd_bus_slot *state_slot; /* asks whether the host goes down */
        bool host_stops;
        units_host_t host_changed;
        void *host_userdata;
        List calls;
        List barriers;
        Hashmap *jobs;    /* job path: UnitCall */
        Hashmap *watches; /* unit name: UnitWatch */
};

bool units_is_no_such_unit(const sd_bus_error *e);
int units_error(Error *reterr, const sd_bus_error *e, const char *what, const char *name);

/* unit-call.c */
void unit_call_handle_removed(UnitCall *c, const char *result); /* its job is over */
void unit_call_look(UnitCall *c); /* the signal may have been lost: how is the unit? */

/* unit-watch.c */
void unit_watch_handle_removed(UnitWatch *w);
void unit_watch_handle_job(UnitWatch *w, const char *job); /* somebody's, not ours */

/* unit-stop.c */
int units_on_job_new(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
void units_look_at_host(Units *u);

/* Asks for a property that is a text; what comes goes into units_read_text() (-EIO: an error came), which borrows it from the message. */
int units_get_text(Units *u, const char *path, const char *interface, const char *property,
        sd_bus_message_handler_t handler, void *userdata, sd_bus_slot **slot);
int units_read_text(sd_bus_message *m, const char **ret);

/* Asks for ActiveState; what comes goes into units_read_active(): 1 active or on its way, 0 not. */
int units_look(Units *u, const char *name, sd_bus_message_handler_t handler, void *userdata,
        sd_bus_slot **slot);
int units_read_active(sd_bus_message *m);
