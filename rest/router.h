/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The route table: method and pattern → handler and what the caller must be allowed. A pattern's {name} matches one path part,
 * {name...} one or more (image names hold slashes); literal parts behind it are matched from the end. */

#include "dbus/bus-auth.h"

typedef struct Request Request;
typedef struct Response Response;

enum {
        ROUTE_BODY_STREAM =
                1
                << 0, /* the body goes through a pipe (q->body_fd), the handler runs when it begins */
        ROUTE_HEAD = 1 << 1, /* HEAD too */
        ROUTE_FILES =
                1
                << 2, /* files of a container; when it has rights on the host that asks for create-privileged: what it
                               * runs can be changed, and what is mounted into it be read */
};

typedef struct Route {
        const char *method;
        const char *pattern;
        AuthAction action;
        int (*handler)(Request *q, Response *a);
        unsigned flags;
        const char *
                object; /* name of the variable that says which object is meant, for polkit and the journal */
} Route;

#define ROUTER_API_OLDEST 1024 /* 1.24 */

/* Ends with a row without method. */
extern const Route system_routes[];
extern const Route container_routes[];
extern const Route container_life_routes[];
extern const Route container_io_routes[];
extern const Route exec_routes[];
extern const Route container_files_routes[];
extern const Route image_routes[];
extern const Route build_routes[];
extern const Route image_transfer_routes[];
extern const Route network_routes[];
extern const Route volume_routes[];
extern const Route stats_routes[];
extern const Route attach_routes[];
extern const Route events_routes[];
extern const Route swarm_routes[];
extern const Route absent_routes[]; /* last: what Docker has and we do not */

/* Splits the version off path, makes one slash of several, finds the route, fills q->api, q->path, q->route and the variables. Negative with q->error filled:
 * unknown path, version too old or too new. */
int router_find(Request *q, const char *path);
