/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pull: two processes, one that talks to the registry and one that unpacks what it brings, a socket between them, and one job for all who ask for the same
 * at the same time. */
#include <errno.h>
#include <string.h>

#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"
#include "lib/api/fetch-spec.h"
#include "lib/api/registry-auth.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/channel.h"
#include "lib/oci/reference.h"

typedef struct SharedPull {
        ListNode node;
        Job *job;  /* borrowed: it ends before us */
        char *key; /* what, for whom */
        bool all_tags;
        bool newer; /* at least one name leads to another image than before */
} SharedPull;

void images_set_registry(Images *s, const ImagesRegistry *registry) {
        assert(s);
        assert(registry);

        s->registry = *registry;
}

static SharedPull *pull_of(Images *s, const Job *j) {
        SharedPull *p;

        LIST_FOREACH (p, &s->pulls, node)
                if (p->job == j)
                        return p;
        return NULL;
}

static void shared_pull_free(SharedPull *p) {
        list_remove(&p->node);
        free(p->key);
        free(p);
}

/* Credentials are part of the key, so that nobody gets with none what another one has proven himself for; their digest only. */
static int pull_key(
        const char *reference, const char *platform, const RegistryAuth *a, char **ret) {
        _cleanup_(freep) char *text = NULL;
        char digest[DIGEST_TEXT_SIZE];
        int r;

        if (str_printf(&text, "%s\n%s\n%s\n%s", str_or_empty(a ? a->username : NULL),
                    str_or_empty(a ? a->password : NULL),
                    str_or_empty(a ? a->identity_token : NULL),
                    str_or_empty(a ? a->registry_token : NULL)) < 0)
                return -ENOMEM;
        r = digest_data(text, strlen(text), digest);
        explicit_bzero(text, strlen(text));
        return r < 0 ? r : str_printf(ret, "%s %s %s", reference, str_or_empty(platform), digest);
}

/* ---- names ---- */

static int parse_name(const ImagePull *p, Reference *ret, Error *reterr) {
        _cleanup_(freep) char *name = NULL;
        size_t n = strlen(p->name);
        int r;

        /* "x:" is what some clients send for all tags of x */
        if (n > 0 && p->name[n - 1] == ':')
                n--;
        r = str_copy_n(&name, p->name, n);
        if (r >= 0)
                r = reference_parse_untagged(name, ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return error_set(reterr, ERROR_INVALID, "invalid reference format");
        if (str_empty(p->tag))
                return 0;

        ret->tag = mfree(ret->tag);
        ret->digest = mfree(ret->digest);
        if (image_digest_is_valid(p->tag))
                return str_copy(&ret->digest, p->tag);
        if (!reference_tag_is_valid(p->tag))
                return error_set(reterr, ERROR_INVALID, "invalid tag format");
        return str_copy(&ret->tag, p->tag);
}

static int check_name(Reference *ref, Error *reterr) {
        if (streq(ref->domain, REFERENCE_DOMAIN_DEFAULT) && streq(ref->path, "library/scratch"))
                return error_set(reterr, ERROR_INVALID, "'scratch' is a reserved name");
        if (ref->digest && !image_digest_is_valid(ref->digest))
                return error_set(reterr, ERROR_INVALID, "only sha256 digests are supported");
        if (ref->digest) /* with both the digest decides */
                ref->tag = mfree(ref->tag);
        return 0;
}

/* ---- what came of it ---- */

int pull_note(Images *s, Job *j, Image *i, const TaskImage *t) {
        SharedPull *p = pull_of(s, j);
        const Tag *old = strv_empty(t->tags) ? NULL : tags_find(s->tags, t->tags[0]);

        if (p && (!old || images_by_manifest(s, old->manifest) != i))
                p->newer = true;
        return 0;
}

int pull_tell(Images *s, Job *j, Image *i, const TaskImage *t) {
        _cleanup_(freep) char *name = NULL, *familiar = NULL;
        _cleanup_(reference_done) Reference ref = {}, pinned = {};
        SharedPull *p = pull_of(s, j);
        size_t n = strv_length(t->tags);
        int r;

        if (!p || n == 0)
                return 0;
        r = reference_parse(t->tags[0], &ref);
        if (r >= 0)
                r = reference_parse(t->tags[n - 1], &pinned);
        if (r >= 0)
                r = reference_format_familiar_name(&ref, &name);
        if (r >= 0)
                r = reference_format_familiar(&ref, &familiar);
        if (r < 0)
                return r;

        /* Unlike other events of images it is about the name. */
        images_publish_as(s, i, "pull", familiar, name);

        strv_free(TAKE_PTR(j->lines)); /* of all tags only the last word */
        if (!p->all_tags)
                r = strv_addf(&j->lines, "Digest: %s", pinned.digest);
        return r < 0 ? r
                     : strv_addf(&j->lines, "Status: %s for %s",
                               p->newer ? "Downloaded newer image" : "Image is up to date",
                               p->all_tags ? name : familiar);
}

static int on_pulled(
        Job *j, const TaskResult *result, int r, const Error *e, void *userdata, Error *reterr) {
        SharedPull *p;
        Images *s = userdata;

        assert(s->n_jobs > 0);

        if (r >= 0)
                r = images_take_transferred(s, j, result, reterr);
        p = pull_of(s, j);
        if (p)
                shared_pull_free(p);
        s->n_jobs--;
        if (r >= 0) /* what an unfinished one has brought and verified stays for the next attempt */
                images_sweep(s);
        return r;
}

/* ---- the beginning ---- */

static int start_fetcher(
        Images *s, const Reference *ref, const RegistryAuth *auth, int puller_fd, Error *reterr) {
        _cleanup_(fetch_spec_done) FetchSpec spec = {};
        int r;

        r = str_copy(&spec.domain, ref->domain);
        if (r >= 0)
                r = str_copy(&spec.path, ref->path);
        if (r >= 0 && auth)
                r = fields_copy(registry_auth_fields, auth, &spec.auth);
        if (r >= 0)
                r = s->registry.start(s->registry.userdata, &spec, puller_fd);
        return r < 0 ? error_set_errno(reterr, r, "Failed to start stauer-fetcher") : 0;
}

static int shared_pull_new(Images *s, Job *j, char *key, bool all_tags) {
        SharedPull *p = new0(SharedPull, 1);

        if (!p) {
                free(key);
                return -ENOMEM;
        }
        p->job = j;
        p->key = key;
        p->all_tags = all_tags;
        list_append(&s->pulls, &p->node);
        return 0;
}

static int pull_start(Images *s, const Reference *ref, const char *reference, char *key,
        const ImagePull *pull, Job **ret, Error *reterr) {
        bool all = !ref->tag && !ref->digest;
        TaskSpec task = {
                .kind = TASK_PULL,
                .data_root = (char *) storage_data_root(s->storage),
                .driver = (char *) storage_driver_name(s->storage),
                .driver_opts = (char **) storage_options(s->storage),
                .reference = (char *) reference,
                .all_tags = all,
                .platform = (char *) pull->platform,
                .parallel = s->registry.parallel(s->registry.userdata),
        };
        _cleanup_(freep) char *owned_key = key, *title = NULL;
        _cleanup_(job_unrefp) Job *j = NULL;
        int pair[2], r;

        if (str_printf(&title, "pull %s", reference) < 0)
                return -ENOMEM;
        r = channel_pair(pair);
        if (r < 0)
                return r;
        r = start_fetcher(s, ref, pull->auth, pair[1], reterr);
        fd_close(pair[1]);
        if (r >= 0)
                r = job_new(s->jobs, JOB_PULL, title, on_pulled, s, &j);
        if (r < 0) {
                fd_close(pair[0]);
                return r;
        }
        s->n_jobs++; /* on_pulled() counts it down */
        r = shared_pull_new(s, j, TAKE_PTR(owned_key), all);
        if (r < 0)
                fd_close(pair[0]);
        else
                r = worker_start(s->registry.workers, &task, pair, 1, j);
        if (r < 0) {
                job_finish(j, NULL, r, NULL);
                return error_set_errno(reterr, r, "Failed to pull");
        }
        *ret = TAKE_PTR(j);
        return 0;
}

int images_pull(Images *s, const ImagePull *pull, Job **ret, Error *reterr) {
        _cleanup_(freep) char *reference = NULL, *key = NULL;
        _cleanup_(reference_done) Reference ref = {};
        SharedPull *p;
        int r;

        assert(s);
        assert(pull && pull->name);
        assert(ret);

        r = parse_name(pull, &ref, reterr);
        if (r >= 0)
                r = check_name(&ref, reterr);
        if (r >= 0)
                r = reference_format(&ref, &reference);
        if (r >= 0)
                r = pull_key(reference, pull->platform, pull->auth, &key);
        if (r < 0)
                return r;
        if (s->ending)
                return error_set(reterr, ERROR_UNAVAILABLE, "the engine is about to end");

        LIST_FOREACH (p, &s->pulls, node)
                if (streq(p->key, key) && p->job->n_callers > 0) {
                        p->job->n_callers++;
                        *ret = job_ref(p->job);
                        return 0;
                }
        return pull_start(s, &ref, reference, TAKE_PTR(key), pull, ret, reterr);
}
