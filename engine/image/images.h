/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The set of images: every image the store knows, by id, found by reference, id or unique id prefix. Loaded once at start from the
 * OCI layout below the data root; changed by job results and by tag and remove. Owned by Engine. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Filter Filter;
typedef struct Hub Hub;
typedef struct Image Image;
typedef struct Images Images;
typedef struct FetchSpec FetchSpec;
typedef struct ImagePull ImagePull;
typedef struct ImagesRegistry ImagesRegistry;
typedef struct RegistryAuth RegistryAuth;
typedef struct TaskSpec TaskSpec;
typedef struct Job Job;
typedef struct Jobs Jobs;
typedef struct Pending Pending;
typedef struct Settings Settings;
typedef struct Storage Storage;
typedef struct Workers Workers;

int images_new(const char *data_root, const Settings *settings, Storage *storage, Hub *hub,
        Jobs *jobs, Workers *workers, Images **ret);
Images *images_free(Images *s);
DEFINE_CLEANUP(Images *, images_free);
/* The jobs and workers are about to go: starts nothing any more. Takes NULL. Before workers_free(). */
void images_end(Images *s);

/* Reads index.json and the configs; a damaged image is logged, left on disk and not listed. */
int images_load(Images *s);

/* name: "repo[:tag][@digest]", "sha256:…", an id or a unique prefix of one (at least one digit). ERROR_NOT_FOUND "No such image: X:tag";
 * ERROR_INVALID when the prefix is ambiguous. */
int images_find(Images *s, const char *name, Image **ret, Error *reterr);
/* By the whole id, for a container that stands on it: also one that was removed since and leaves with its last container. NULL: not there. */
Image *images_get(Images *s, const char *id);
Image *images_next(Images *s, Image *after); /* newest first; NULL: start */
unsigned images_count(Images *s);

/* Those that the filter lets pass, newest first; the array is the caller's. all: intermediate images too (there are none without a builder). */
extern const char *const image_filter_keys[];
int images_list(Images *s, bool all, const Filter *f, Image ***ret, size_t *ret_n, Error *reterr);

/* Saved before they return; events "tag", "untag", "delete". */
int images_tag(Images *s, Image *i, const char *repository, const char *tag, Error *reterr);

/* What Docker's DELETE /images/NAME does: untag, and delete what nobody names and no container uses. Removed by id and force, an image
 * that stopped containers stand on is out of sight at once and leaves with the last of them. actions: pairs "untagged"/"deleted"
 * and what, in order; strv of "Untagged: x" / "Deleted: sha256:…" lines. */
int images_remove(
        Images *s, const char *name, bool force, bool no_prune, char ***ret_actions, Error *reterr);

/* After a start, when the containers have said whose users they are: ends what waited for that. */
void images_settle(Images *s);

/* Long work. fd is moved. The job's lines say what was loaded ("Loaded image: x:1"); import's last line is the new id. */
int images_load_archive(Images *s, int fd, bool quiet, Job **ret, Error *reterr);
int images_import(Images *s, int fd, const char *source, const char *repository, const char *tag,
        const char *message, char *const *changes, const char *platform, Job **ret, Error *reterr);

/* What pulling needs of above: how a fetcher is started, with what the administrator has said of registries. */
struct ImagesRegistry {
        /* spec: domain, path and auth; it fills in the rest. puller_fd: what the fetcher is asked on; stays the caller's. */
        int (*start)(void *userdata, FetchSpec *spec, int puller_fd);
        unsigned (*parallel)(void *userdata);
        Workers *workers; /* for who unpacks: slow registries keep nobody else waiting */
        void *userdata;
};
void images_set_registry(Images *s, const ImagesRegistry *registry);

struct ImagePull {
        const char *name; /* as the client wrote it; with neither tag nor digest: all tags */
        const char *tag;  /* or a digest; NULL or "": what the name says */
        const char *platform;
        const RegistryAuth *auth;
};

/* Who asks for what is being pulled already, with the same credentials, shares that job: it ends early only when all have gone (job_leave()). The
 * reference is the caller's. Lines: "Digest: …", "Status: …". Event "pull". */
int images_pull(Images *s, const ImagePull *pull, Job **ret, Error *reterr);

/* The changes of a container's layer as an image. task: everything but the storage's part and the name. The job's only line is the image's id.
 * It waits until it is let go. */
int images_commit(Images *s, TaskSpec *task, const char *container, const char *repository,
        const char *tag, Job **ret, Error *reterr);
void images_commit_let_go(Images *s, Job *j);

/* Containers borrow an image: while n_users > 0 it cannot be deleted. user: container id, running or not, for the conflict's text. */
int image_add_user(Image *i, const char *container_id);
void image_remove_user(Image *i, const char *container_id);
void image_set_user_running(Image *i, const char *container_id, bool running);
