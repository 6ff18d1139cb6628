/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-files.h"
#include "engine/container/container-hold.h"
#include "engine/container/container-merge.h"
#include "engine/container/set.h"
#include "engine/core/job.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/oci/image-spec.h"

/* A commit under way: freezes the container until its files are in the archive, and tells the event before the faces answer. The container may be
 * gone by then. */
typedef struct Commit {
        Containers *set;
        char *id;
        char *comment;
        Job *job;
        JobWatch *watch;
        ContainerHold *hold;
        bool thaws;
        bool ends; /* the job waits for us */
} Commit;

static void commit_free(Commit *t) {
        container_hold_free(t->hold);
        job_watch_free(t->watch);
        job_unref(t->job);
        free(t->id);
        free(t->comment);
        free(t);
}

/* The answer is the last: whoever has it finds the container running. */
static void commit_proceed(Commit *t) {
        if (t->ends && !t->thaws)
                job_release(t->job);
}

static void on_thawed(void *userdata) {
        Commit *t = userdata;

        t->hold = NULL;
        t->thaws = false;
        commit_proceed(t);
}

static void commit_thaw(Commit *t) {
        if (!t->hold || t->thaws)
                return;
        t->thaws = true;
        container_hold_end(t->hold, on_thawed, t);
}

static void on_held(void *userdata) {
        Commit *t = userdata;

        images_commit_let_go(t->set->images, t->job);
}

static void on_progress(Job *j, const TaskProgress *p, void *userdata) {
        if (str_equal(p->id, TASK_ROW_ARCHIVED))
                commit_thaw(userdata);
}

static void on_ending(Job *j, void *userdata) {
        Commit *t = userdata;

        commit_thaw(t);
        t->ends = true;
        commit_proceed(t);
}

static void on_committed(Job *j, int r, const Error *e, void *userdata) {
        Commit *t = userdata;
        Container *c = hashmap_get(t->set->by_id, t->id);
        _cleanup_(strv_freep) char **more = NULL;

        if (r >= 0 && c && j->lines && strv_addf(&more, "comment=%s", t->comment) >= 0 &&
                strv_addf(&more, "imageID=%s", j->lines[0]) >= 0)
                container_publish_pairs(c, "commit", more);
        commit_free(t);
}

/* What the image shall run as: the wish with the container's for what it leaves open, both as the same JSON object. */
static int commit_config(const Container *c, Json *wish, char **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *own = NULL, *merged = NULL;
        _cleanup_(image_run_config_done) ImageRunConfig below = {};
        ContainerSpec spec;
        int r;

        r = json_write(&c->spec.config, container_config_fields, &own);
        if (r < 0)
                return r;
        if (json_type_of(wish) != JSON_TYPE_OBJECT)
                return json_print(own, JSON_COMPACT, ret);

        image_run_config_init(&below);
        r = json_read(own, image_run_config_fields, &below, reterr);
        if (r < 0)
                return r;
        container_spec_init(&spec);
        r = container_spec_read(wish, &spec, reterr);
        if (r >= 0)
                r = container_merge(&spec.config, &below);
        if (r >= 0)
                r = json_write(&spec.config, container_config_fields, &merged);
        if (r >= 0)
                r = json_print(merged, JSON_COMPACT, ret);
        container_spec_done(&spec);
        return r;
}

int container_commit(Container *c, const ContainerCommit *commit, Job **ret, Error *reterr) {
        _cleanup_(freep) char *config = NULL, *command = NULL;
        TaskSpec task = {
                .kind = TASK_COMMIT,
                .layer_id = c->id,
                .image = c->image_id,
                .changes = (char **) commit->changes,
                .message = (char *) str_or_empty(commit->comment),
                .author = (char *) str_or_empty(commit->author),
                .quiet = true,
        };
        Commit *t;
        int r;

        assert(c);
        assert(commit);
        assert(ret);

        if (c->remove || c->state == CONTAINER_REMOVING)
                return error_set(reterr, ERROR_CONFLICT,
                        "You cannot commit container %s which is being removed", c->id);

        r = commit_config(c, commit->config, &config, reterr);
        if (r < 0)
                return r;
        command = strv_join(c->path_and_args, " ");
        if (!command)
                return -ENOMEM;
        task.config = config;
        task.name = command; /* what the history says it was made by */

        t = new0(Commit, 1);
        if (!t)
                return -ENOMEM;
        t->set = c->set;
        r = str_copy(&t->id, c->id);
        if (r >= 0)
                r = str_copy(&t->comment, str_or_empty(commit->comment));
        if (r >= 0)
                r = images_commit(c->set->images, &task, c->name, commit->repository, commit->tag,
                        ret, reterr);
        if (r < 0) {
                commit_free(t);
                return r;
        }

        t->job = job_ref(*ret);
        r = job_watch(t->job, on_progress, on_committed, t, &t->watch);
        if (r >= 0) {
                int held = commit->pause ? container_hold(c, on_held, t, &t->hold) : 0;

                job_hold(t->job, on_ending, t);
                if (held <= 0) /* nothing to wait for, or no memory: it goes on then as well */
                        on_held(t);
                return 0;
        }
        (void) job_cancel(t->job);
        *ret = job_unref(*ret);
        commit_free(t);
        return r;
}
