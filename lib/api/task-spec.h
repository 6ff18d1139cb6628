/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What crosses between stauerd and one stauer-worker: one TaskSpec down, then TaskProgress rows
 * up and one TaskResult last, all as JSON records on descriptor 3 (SOCK_SEQPACKET). Descriptors
 * of the task (the archive to read, …) travel with the TaskSpec record. A worker writes only
 * below DATAROOT/tmp/<its own folder> and under names that nobody refers to yet (blobs by
 * digest, layers by chain id, made complete by one rename); images, tags and container state are
 * the daemon's. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"
#include "lib/json/fields.h"

typedef struct Json Json;
typedef struct TaskMount TaskMount;
typedef struct VolumeMount VolumeMount;

#define TASK_FD_CHANNEL 3

typedef enum TaskKind {
        TASK_LOAD,            /* fd: docker-archive, OCI archive; plain or compressed */
        TASK_PULL,            /* fd: socket of a stauer-fetcher (lib/api/fetch-spec.h); reference */
        TASK_IMPORT,          /* fd: tar of a root file system */
        TASK_LAYER_CREATE,    /* driver whose create is slow (vfs): layer_id, layer_parent */
        TASK_UNMOUNT_VOLUMES, /* those of volumes that are mounts and that nobody uses */
        TASK_LAYER_REMOVE,    /* empty DATAROOT/tmp/trash */
        TASK_MEASURE,         /* how large are layers and volumes */
        TASK_CHECK_SOURCES,   /* is the source of each of mounts there? */
        TASK_COPY_UP, /* into each empty folder of mounts (source) what the image layer_id has at its target */
        TASK_COPY_STAT, /* what is at path; result: text */
        TASK_COPY_OUT, /* fd: where the tar of path goes. A row with TASK_ROW_STAT comes before its first byte */
        TASK_COPY_IN,       /* fd: tar, plain or compressed, to be unpacked into the folder path */
        TASK_EXPORT,        /* fd: where the tar of the layer goes, without what is mounted on it */
        TASK_CHANGES,       /* fd: a file that gets [{"Path":…,"Kind":…}, …] */
        TASK_COMMIT,        /* the changes of layer_id on top of image become an image */
        TASK_BUILD_CONTEXT, /* fd: tar, plain or compressed, that becomes tmp/context/context; result: text, what is in its file path */
        TASK_BUILD_DIGEST, /* what a COPY or ADD would copy; result: text, "file:…", "dir:…" or "multi:…" */
        TASK_BUILD_COPY, /* the same, copied on top of image; then as a commit */
        TASK_NETNS, /* network namespaces below path: make, open, renew, remove; a row with descriptors for each */
        _TASK_KIND_MAX,
        _TASK_KIND_INVALID = -22,
} TaskKind;

typedef struct TaskSpec {
        int kind; /* TaskKind; on the wire "load", "import", … */
        char *data_root;
        char *driver; /* storage driver */
        char **driver_opts;
        char *layer_id;
        char *layer_parent;
        char **layers;  /* measure: digits */
        char **volumes; /* measure, unmount: names */
        char **tags;    /* import: normalised reference to give, may be empty */
        char **changes; /* import: Dockerfile-like changes (CMD, ENV, …) as Docker's import --change */
        char *message; /* import: history comment */
        char *platform;
        bool quiet;

        char *reference; /* pull: normalised, with tag or digest; the name alone with all_tags */
        bool all_tags;
        unsigned parallel; /* layers at once */

        /* Copies: a pidfd as last descriptor is the first process of a container that runs, and what it sees is meant. Else layer_id is mounted,
         * with mounts on it. */
        char *name; /* of the container, for sentences */
        char *path; /* in the container */
        TaskMount *mounts;
        size_t n_mounts;
        VolumeMount *volume_mounts; /* used while the task runs */
        size_t n_volume_mounts;
        bool read_only; /* the root file system may not be written to */
        bool gzip;
        bool keep_kind;  /* no folder takes a file's place, nor the other way */
        bool give_owner; /* user becomes the owner of what is unpacked */
        char *user;      /* as the container has it: "", "name", "uid:gid" */

        /* Builds. A step that changes no file makes no layer. */
        bool no_empty_layer; /* commit: the same */
        char *context;       /* folder in tmp; "": none */
        char *source_layer;  /* instead of the context: chain id of an image's top layer */
        char **sources;      /* as the instruction has them */
        char **exclude;      /* patterns as in a .dockerignore */
        char **files;        /* pairs: name and content of heredocs */
        char *chmod;
        bool unpack;  /* ADD: archives that are no folder are unpacked */
        bool parents; /* with their folders, from "/./" on */
        /* path: where to, absolute; with "/" at its end a folder. user: who owns it, "": root. No sources, no files: only the folder is made */

        char *image;  /* commit: sha256:… of the config below; empty: none */
        char *config; /* commit: the image's "config", JSON */
        char *author;

        /* Network namespaces by their ids, pinned at path/<first 12 digits>. */
        char **netns_make;
        char **netns_open;   /* those of containers that run; their resolver's sockets are there */
        char **netns_renew;  /* the same, and the resolver's sockets are made anew */
        char **netns_remove; /* names in path */
        char **links_remove; /* of the host; a row without descriptors for each, with its name as id */
} TaskSpec;

/* A bind mount, parents first. The source of a copy-up is relative to the data root. */
typedef struct TaskMount {
        char *source; /* empty: the image whose top layer is layer */
        char *layer;
        char *subpath; /* beneath the source */
        char *target;
        bool read_only;
        bool recursive;
} TaskMount;

/* id of the row whose status is a JSON text: name, size, mode (Go's bits), mtime, linkTarget. */
#define TASK_ROW_STAT "stat"
#define TASK_ROW_ARCHIVED \
        "archived" /* of a commit: the container's files are not looked at any more */

/* What comes with the row of a network namespace, in this order. The row's id is the namespace's; current is an errno, then status says what failed and
 * no descriptor comes. */
typedef enum TaskNetnsFd {
        TASK_NETNS_FD_NAMESPACE,
        TASK_NETNS_FD_ROUTE, /* NETLINK_ROUTE socket inside */
        TASK_NETNS_FD_IPV6, /* net.ipv6.conf.default.disable_ipv6 of it; /dev/null on a host without IPv6 */
        TASK_NETNS_FD_DNS_UDP, /* these two not of netns_open */
        TASK_NETNS_FD_DNS_TCP,
        _TASK_NETNS_FD_MAX,
} TaskNetnsFd;

/* One row of progress: id names what it is about (a short layer id, or empty), total 0 when
 * unknown. stream is text as it stands. */
typedef struct TaskProgress {
        char *id;
        char *status;
        char *stream;
        bool message; /* status is a sentence, not the state of something that goes on */
        uint64_t current;
        uint64_t total;
} TaskProgress;

typedef struct TaskImage {
        char *id;       /* sha256:… of the image config */
        char *manifest; /* sha256:… of the OCI manifest blob */
        char **tags;    /* normalised references found in the archive */
} TaskImage;

typedef struct TaskLayer {
        char *id; /* digits, or the name of a volume */
        uint64_t size;
} TaskLayer;

typedef struct TaskResult {
        char *error_kind; /* empty: done */
        char *error;
        TaskImage *images;
        size_t n_images;
        uint64_t layer_size;
        TaskLayer *layers; /* measure: those that are there */
        size_t n_layers;
        char *text;
} TaskResult;

extern const JsonField task_spec_fields[];
extern const JsonField task_progress_fields[];
extern const JsonField task_result_fields[];

const char *task_kind_to_string(TaskKind k);

void task_spec_done(TaskSpec *t);
void task_progress_done(TaskProgress *p);
void task_result_done(TaskResult *r);
