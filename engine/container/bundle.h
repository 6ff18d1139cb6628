/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What was asked for becomes config.json. Pure: what has to be looked up on the host stands in BundleInput or is the monitor's part (user, HOME,
 * device nodes, cgroupsPath). */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

typedef struct CdiEdits CdiEdits;
typedef struct CdiNode CdiNode;
typedef struct ContainerSpec ContainerSpec;
typedef struct MonitorDevice MonitorDevice;
typedef struct MountPoints MountPoints;
typedef struct NamespaceJoin NamespaceJoin;
typedef struct NetworkLeg NetworkLeg;
typedef struct RuntimeSpec RuntimeSpec;
typedef struct SeccompProfile SeccompProfile;
typedef struct SecurityOptions SecurityOptions;
typedef struct TaskMount TaskMount;

#define BUNDLE_INIT "/sbin/docker-init" /* in a container that has one */

typedef struct BundleInput {
        const char *id;
        const ContainerSpec *spec; /* merged, checked, defaults filled */
        const MountPoints *mount_points;
        const char *
                bundle_dir; /* where the monitor shows parts of volumes, and images; NULL: not to be started */
        const char *folder;       /* DATAROOT/containers/ID: hosts, hostname, resolv.conf */
        const char *files_folder; /* where these three are; NULL: folder */
        const NetworkLeg *leg;
        const SeccompProfile *seccomp; /* the built-in one; NULL: this kernel has no seccomp */
        char *const *extra_masked;     /* added to the default list of masked paths */
        const char *architecture;      /* Go's name */
        const unsigned *kernel;        /* major, minor */
        unsigned last_capability;
        const CdiEdits *const *edits; /* of devices that were asked for by name, in order */
        size_t n_edits;
        const NamespaceJoin *joins; /* namespaces of other containers, by kind */
        const char *init_path;      /* program of --init; NULL: none */
        bool has_apparmor; /* this host has it; else profiles that were named are not applied */
        bool no_new_privileges;   /* unless SecurityOpt says otherwise */
        bool recursive_read_only; /* the runtime knows the mount option \"rro\" */
} BundleInput;

int bundle_make(const BundleInput *in, RuntimeSpec *ret, Error *reterr);

/* The bind mounts among a container's mounts, parents first, for a worker that looks into it; only spec, mount_points and folder of in are needed. The caller
 * frees them, also after a failure. */
int bundle_list_binds(const BundleInput *in, TaskMount **ret, size_t *ret_n);

/* Its parts. */
int bundle_add_mounts(const BundleInput *in, const SecurityOptions *o, RuntimeSpec *s);
int bundle_add_security(
        const BundleInput *in, const SecurityOptions *o, RuntimeSpec *s, Error *reterr);
int bundle_add_device_rules(const ContainerSpec *spec, RuntimeSpec *s);
int bundle_add_edits(const BundleInput *in, RuntimeSpec *s); /* variables and hooks */

/* What the monitor is to make of a node that CDI wants: only it sees the host's. ret is zeroed memory, the caller's also after a failure. */
int bundle_describe_node(const CdiNode *n, MonitorDevice *ret);
