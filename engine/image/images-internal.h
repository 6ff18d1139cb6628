/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of engine/image share. Nobody else includes it. */

#include <stdbool.h>
#include <stddef.h>

#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/image/tags.h"
#include "lib/base/hashmap.h"
#include "lib/base/list.h"

typedef struct Blobs Blobs;
typedef struct TaskImage TaskImage;
typedef struct TaskResult TaskResult;

struct Images {
        const Settings *settings;
        Storage *storage;
        Hub *hub;
        Jobs *jobs;
        Workers *workers;
        int root_fd;
        Blobs *blobs;
        Tags *tags;

        Hashmap *by_id;       /* sha256:… → Image; hidden ones too */
        Hashmap *by_manifest; /* sha256:… (borrowed from the image's list of manifests) → Image */
        Image **unlisted;     /* complete in the store, but without layers of this driver */
        size_t n_unlisted;
        size_t n_unlisted_allocated;
        char **orphans; /* containers' layers whose image was not there at the start: what they stand on is kept */
        char **damaged; /* manifests with rows whose documents cannot be read: then nothing is swept */

        Image **sorted; /* by_id without hidden ones, newest first; NULL: to be made */
        size_t n_sorted;

        ImagesRegistry registry;
        List pulls; /* SharedPull: those under way */

        unsigned n_jobs; /* loads and imports under way: what they bring is not referred to yet */
        Job *trash_job;
        bool trash_again;
        bool sweep_wanted; /* it could not be done when it was due: a worker was busy */
        bool ending;
};

/* image-read.c: an image from its manifest in the store. Its layers may be missing. */
int images_read(
        Images *s, const char *manifest, const char *media_type, Image **ret, Error *reterr);
/* Does this driver have all its layers? Fills their sizes. */
int images_read_layers(Images *s, Image *i);

/* Puts an image into the set (which owns it then), or adds the manifest to the one of this id that is there. */
int images_add(Images *s, Image *i, Image **ret);
void images_drop(Images *s, Image *i); /* takes it out and frees it */
int images_refresh_names(Images *s, Image *i);
/* Saves next and lets it take the place of the present table. */
int images_commit_tags(Images *s, Tags **next, Error *reterr);
Image *images_by_manifest(Images *s, const char *manifest);

/* name: normalised. Two images may be affected: the names of both are made anew. */
int images_give_name(Images *s, Tags *next, Image *i, const char *name, int64_t now_ns);

/* The name that a client's "repo" and "tag" mean, normalised. */
int images_target_name(const char *repository, const char *tag, char **ret, Error *reterr);

/* image-damaged.c */
int images_load_tags(Images *s, Error *reterr);
int images_note_damaged(Images *s, const Tag *t, const char *why);
/* 1: name is one of a damaged image, and has been removed; 0: it is not. */
int images_remove_damaged(Images *s, const char *name, char ***ret_actions, Error *reterr);

/* image-transfer.c: all of a task's images, or none. */
int images_take_transferred(Images *s, Job *j, const TaskResult *result, Error *reterr);

/* image-pull.c: what images_take_transferred() asks of a pull, before and after the names are given. */
int pull_note(Images *s, Job *j, Image *i, const TaskImage *t);
int pull_tell(Images *s, Job *j, Image *i, const TaskImage *t);

void images_publish(Images *s, const Image *i, const char *action, const char *name);
/* actor: what the event is about instead of the id. */
void images_publish_as(
        Images *s, const Image *i, const char *action, const char *actor, const char *name);

/* image-sweep.c: what no row refers to goes to the trash, and the trash is emptied by a worker. */
void images_sweep(Images *s);
void images_trash_is_full(Images *s); /* a worker empties it */
int images_find_orphans(Images *s);
void images_on_jobs_changed(Job *j, bool added, void *userdata);
bool images_layer_is_used(Images *s, const char *chain_id, const Image *but);
