/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the D-Bus face share: paths, vtables, and how a Pending becomes a reply. Included by dbus/bus*.c only. */

#include <systemd/sd-bus.h>

#include "dbus/bus-auth.h"
#include "engine/core/pending.h"
#include "lib/base/list.h"

typedef struct Container Container;
typedef struct Engine Engine;
typedef struct Exec Exec;
typedef struct Hub Hub;
typedef struct Image Image;
typedef struct Job Job;
typedef struct BusSignals BusSignals;
typedef struct Network Network;
typedef struct Volume Volume;

#define BUS_ROOT           "/org/stauer/Engine1"
#define BUS_CONTAINER_ROOT BUS_ROOT "/container"
#define BUS_IMAGE_ROOT     BUS_ROOT "/image"
#define BUS_JOB_ROOT       BUS_ROOT "/job"
#define BUS_EXEC_ROOT      BUS_ROOT "/exec"
#define BUS_NETWORK_ROOT   BUS_ROOT "/network"
#define BUS_VOLUME_ROOT    BUS_ROOT "/volume"

#define BUS_INTERFACE_MANAGER   "org.stauer.Engine1.Manager"
#define BUS_INTERFACE_CONTAINER "org.stauer.Engine1.Container"
#define BUS_INTERFACE_IMAGE     "org.stauer.Engine1.Image"
#define BUS_INTERFACE_JOB       "org.stauer.Engine1.Job"
#define BUS_INTERFACE_EXEC      "org.stauer.Engine1.Exec"
#define BUS_INTERFACE_NETWORK   "org.stauer.Engine1.Network"
#define BUS_INTERFACE_VOLUME    "org.stauer.Engine1.Volume"

extern const sd_bus_vtable bus_manager_vtable[];   /* userdata: Engine */
extern const sd_bus_vtable bus_container_vtable[]; /* userdata: Container */
extern const sd_bus_vtable bus_image_vtable[];     /* userdata: Image */
extern const sd_bus_vtable bus_job_vtable[];       /* userdata: Job */
extern const sd_bus_vtable bus_exec_vtable[];      /* userdata: Exec */
extern const sd_bus_vtable bus_network_vtable[];   /* userdata: Network */
extern const sd_bus_vtable bus_volume_vtable[];    /* userdata: Volume */

int bus_container_path(const Container *c, char **ret);
int bus_image_path(const Image *i, char **ret); /* the 64 digits of its id */
int bus_job_path(const Job *j, char **ret);
int bus_exec_path(const Exec *x, char **ret);
int bus_volume_path(const Volume *v, char **ret); /* its name, escaped */

/* bus_auth() about an object, with the details that belong to it. */
int bus_container_auth(
        sd_bus_message *m, AuthAction action, const Container *c, sd_bus_error *reterr);
/* For its files, both ways: when it has rights on the host, as for making such a container. */
int bus_container_files_auth(sd_bus_message *m, const Container *c, sd_bus_error *reterr);
int bus_image_auth(sd_bus_message *m, AuthAction action, const Image *i, sd_bus_error *reterr);

/* A call that waits for the engine: give b->pending to a verb. Its completion answers the call with nothing, with what result_reply makes, or
 * with the error, and frees the BusReply. When the verb refuses at once, bus_reply_free() does. With an fd, which is the BusReply's, the answer is
 * that, or what fd_reply makes of it; with late_reply what that one makes, with userdata. One that cannot make its answer returns why, and the
 * caller is told that. */
typedef int (*bus_reply_t)(sd_bus_message *m, void *result);

typedef struct BusReply {
        ListNode node; /* of all that are waited for */
        sd_bus_message *m;
        Pending *pending;
        bus_reply_t result_reply;
        int (*fd_reply)(sd_bus_message *m, void *result, int fd);
        int fd;
        int (*late_reply)(sd_bus_message *m, void *result, void *userdata);
        void *userdata;
        void (*free_userdata)(void *userdata); /* NULL: it is not ours */
} BusReply;

int bus_reply_new(sd_bus_message *m, bus_reply_t result_reply, BusReply **ret);
/* With one end of a stream socket as its fd; the verb gets the other one, *ret_fd. */
int bus_reply_new_stream(sd_bus_message *m, BusReply **ret, int *ret_fd);
BusReply *bus_reply_free(BusReply *b);
/* The engine stops: all who wait are told Unavailable now, whatever becomes of what they asked for. */
void bus_replies_end(void);
/* What a verb that was given b->pending has returned is what the handler returns. */
int bus_reply_return(BusReply *b, int r, const Error *e, sd_bus_error *reterr);

/* bus-usage.c */
int bus_container_get_size(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-lists.c */
int bus_manager_list_containers_as_json(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_list_images_as_json(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-network.c */
int bus_container_connect_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_disconnect_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-exec.c */
int bus_container_create_exec(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_container_exec(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_get_exec(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-stats.c */
int bus_container_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
void bus_stats_end(void); /* no subscriber is left */

/* (ssst)a{ss} of an Event: type, action, id, time and attributes */
typedef struct Event Event;
int bus_append_event(sd_bus_message *m, const Event *e);

int bus_signals_new(sd_bus *bus, Engine *e, BusSignals **ret);
BusSignals *bus_signals_free(BusSignals *s);
/* The sender of m began this job: its signals are for him, too. */
void bus_signals_job_of(Job *job, sd_bus_message *m);
