/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* "container:NAME" as mode of a namespace: the container that has it, looked up anew at each start. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

typedef struct Container Container;
typedef struct Containers Containers;
typedef struct ContainerSpec ContainerSpec;
typedef struct HostConfig HostConfig;

typedef enum JoinKind {
        JOIN_NETWORK,
        JOIN_IPC,
        JOIN_PID,
        _JOIN_KIND_MAX,
        _JOIN_KIND_INVALID = -22,
} JoinKind;

/* One namespace that is joined. All NULL: none. */
typedef struct NamespaceJoin {
        char *id; /* of the container that has it */
        char *path; /* /proc/PID/ns/KIND on the host, good as long as PID is that container's: the monitor makes sure */
        char *shm_path; /* JOIN_IPC: where the monitor puts the other's /dev/shm */
        int64_t pid;
} NamespaceJoin;

void joins_done(NamespaceJoin joins[static _JOIN_KIND_MAX]);

/* The word behind "container:", NULL for any other mode. */
const char *join_target(const char *mode);
/* The mode of a kind. */
const char *join_mode(const HostConfig *h, JoinKind kind);
bool join_wanted(const HostConfig *h);

/* What the user said himself, before the image's config is merged in: conflicts with the modes (ERROR_INVALID, Docker's sentences). Pure. */
int join_check(const ContainerSpec *spec, Error *reterr);

/* At create: names become ids, so that they mean the same container for ever. ERROR_INVALID "No such container: X". */
int joins_resolve(Containers *s, HostConfig *h, Error *reterr);

/* All kinds of c. Not there: ERROR_NOT_FOUND; does not run: ERROR_CONFLICT. */
int joins_find(Container *c, NamespaceJoin ret[static _JOIN_KIND_MAX], Error *reterr);

/* Whose network c shares; NULL: nobody's, or it is gone. */
Container *join_network_owner(const Container *c);
