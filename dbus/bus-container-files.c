/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-container-files.h"

#include <string.h>

#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/container/container-files.h"
#include "engine/container/container.h"
#include "engine/core/job.h"
#include "engine/core/pending.h"
#include "lib/api/task-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define CHANGES_MAX ((size_t) 64 * 1024 * 1024)

/* ---- answers that are a pipe ---- */

/* Until the worker has said that bytes will come: then the caller gets the read end, and the worker ends when he closes it. */
typedef struct BusPipe {
        Pending *pending; /* of the BusReply, which has the read end */
        JobWatch *watch;
} BusPipe;

static void bus_pipe_free(BusPipe *p) {
        job_watch_free(p->watch);
        pending_unref(p->pending);
        free(p);
}

static void on_pipe_progress(Job *j, const TaskProgress *row, void *userdata) {
        BusPipe *p = userdata;

        if (!str_equal(row->id, CONTAINER_FILES_STAT))
                return;
        pending_complete(p->pending, 0, NULL, NULL);
        bus_pipe_free(p);
}

static void on_pipe_done(Job *j, int r, const Error *e, void *userdata) {
        BusPipe *p = userdata;

        pending_complete(p->pending, r < 0 ? r : -EIO, NULL, e);
        bus_pipe_free(p);
}

static int wait_for_bytes(Job *j, BusReply *b) {
        BusPipe *p;
        int r;

        p = new0(BusPipe, 1);
        if (!p)
                return -ENOMEM;
        p->pending = pending_ref(b->pending);
        r = job_watch(j, on_pipe_progress, on_pipe_done, p, &p->watch);
        if (r < 0)
                bus_pipe_free(p);
        return r;
}

/* path NULL: the whole as export gives it. */
static int answer_pipe(sd_bus_message *m, Container *c, const char *path, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(job_unrefp) Job *j = NULL;
        int fds[2], r;
        BusReply *b;

        r = bus_container_files_auth(m, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, NULL, &b);
        if (r < 0)
                return r;
        r = fd_pipe(fds, 0);
        if (r < 0)
                return bus_reply_return(b, r, NULL, reterr);
        b->fd = fds[0];
        r = path ? container_copy_from(c, path, /* gzip= */ false, fds[1], &j, &e)
                 : container_export(c, fds[1], &j, &e);
        if (r >= 0)
                r = wait_for_bytes(j, b);
        return bus_reply_return(b, r, &e, reterr);
}

int bus_container_copy_from(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *path;
        int r;

        r = sd_bus_message_read(m, "s", &path);
        return r < 0 ? r : answer_pipe(m, userdata, path, reterr);
}

int bus_container_export(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        return answer_pipe(m, userdata, NULL, reterr);
}

/* ---- the others ---- */

static int reply_text(sd_bus_message *m, void *result) {
        return sd_bus_reply_method_return(m, "s", (const char *) result);
}

int bus_container_stat_path(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        const char *path;
        BusReply *b;
        int r;

        r = sd_bus_message_read(m, "s", &path);
        if (r < 0)
                return r;
        r = bus_container_files_auth(m, userdata, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, reply_text, &b);
        if (r < 0)
                return r;
        r = container_stat_path(userdata, path, b->pending, &e);
        if (r < 0) {
                bus_reply_free(b);
                return bus_error(reterr, r, &e);
        }
        return 1;
}

static int read_copy_option(sd_bus_message *m, const char *name, void *userdata) {
        ContainerCopyOptions *o = userdata;

        if (!STR_IN_SET(name, "NoOverwriteDirNonDir", "CopyUIDGID"))
                return 0;
        return bus_read_option_bool(m, streq(name, "CopyUIDGID") ? &o->give_owner : &o->keep_kind);
}

int bus_container_copy_to(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        ContainerCopyOptions options = {};
        const char *path;
        int fd, copy, r;
        BusReply *b;

        r = sd_bus_message_read(m, "sh", &path, &fd);
        if (r >= 0)
                r = bus_read_options(m, "CopyTo", read_copy_option, &options, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = bus_container_files_auth(m, userdata, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        copy = fd_dup(fd); /* the message's own goes with it */
        if (copy < 0)
                return copy;
        r = bus_reply_new(m, NULL, &b);
        if (r < 0) {
                fd_close(copy);
                return r;
        }
        r = container_copy_to(userdata, path, &options, copy, b->pending, &e);
        if (r < 0) {
                bus_reply_free(b);
                return bus_error(reterr, r, &e);
        }
        return 1;
}

static int append_changes(sd_bus_message *reply, const char *text) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_parse(text, strlen(text), CHANGES_MAX, &v, NULL);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ys)");
        for (size_t i = 0; r >= 0 && json_type_of(v) == JSON_TYPE_LIST && i < json_count(v); i++) {
                const Json *row = json_at(v, i);

                r = sd_bus_message_append(reply, "(ys)", (uint8_t) json_get_int64(row, "Kind", 0),
                        str_or_empty(json_get_text(row, "Path")));
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_changes(sd_bus_message *m, void *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_changes(reply, result);
        return r < 0 ? r : sd_bus_message_send(reply);
}

int bus_container_changes(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error e = {};
        BusReply *b;
        int r;

        r = bus_container_auth(m, AUTH_VIEW, userdata, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = bus_reply_new(m, reply_changes, &b);
        if (r < 0)
                return r;
        r = container_changes(userdata, b->pending, &e);
        if (r < 0) {
                bus_reply_free(b);
                return bus_error(reterr, r, &e);
        }
        return 1;
}

typedef struct CommitOptions {
        ContainerCommit commit;
        const char *config;
        char **changes;
} CommitOptions;

static int read_commit_option(sd_bus_message *m, const char *name, void *userdata) {
        CommitOptions *o = userdata;
        const struct {
                const char *name;
                const char **text;
        } texts[] = {
                { "Repository", &o->commit.repository },
                { "Tag", &o->commit.tag },
                { "Author", &o->commit.author },
                { "Comment", &o->commit.comment },
                { "Config", &o->config },
        };
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (streq(name, texts[i].name)) {
                        r = sd_bus_message_read(m, "v", "s", texts[i].text);
                        return r < 0 ? r : 1;
                }
        if (streq(name, "Pause"))
                return bus_read_option_bool(m, &o->commit.pause);
        return streq(name, "Changes") ? bus_read_option_strv(m, &o->changes) : 0;
}

static int reply_job(sd_bus_message *m, Job *j) {
        _cleanup_(freep) char *path = NULL;
        int r;

        bus_signals_job_of(j, m);
        r = bus_job_path(j, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

static int commit(sd_bus_message *m, Container *c, CommitOptions *o, sd_bus_error *reterr) {
        _cleanup_(json_unrefp) Json *config = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(job_unrefp) Job *j = NULL;
        int r;

        r = bus_read_options(m, "Commit", read_commit_option, o, &e);
        if (r >= 0 && !str_empty(o->config))
                r = json_parse(o->config, strlen(o->config), JSON_SIZE_MAX, &config, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = bus_container_auth(m, AUTH_MANAGE_CONTAINERS, c, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        o->commit.config = config;
        o->commit.changes = o->changes;
        r = container_commit(c, &o->commit, &j, &e);
        return r < 0 ? bus_error(reterr, r, &e) : reply_job(m, j);
}

int bus_container_commit(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        CommitOptions o = { .commit = { .pause = true } };
        int r;

        r = commit(m, userdata, &o, reterr);
        strv_free(o.changes);
        return r;
}
