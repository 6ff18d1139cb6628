/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-manager.h"

#include "dbus/bus-auth.h"
#include "dbus/bus-objects.h"
#include "dbus/bus-util.h"
#include "engine/core/job.h"
#include "engine/engine.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/api/filter.h"
#include "lib/api/registry-auth.h"
#include "lib/base/alloc.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* ---- images ---- */

static int append_images(sd_bus_message *reply, Image **list, size_t n) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(sastto)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *path = NULL;
                const Image *image = list[i];

                r = bus_image_path(image, &path);
                if (r >= 0)
                        r = sd_bus_message_open_container(reply, 'r', "sastto");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "s", image->id);
                if (r >= 0)
                        r = sd_bus_message_append_strv(reply, image->repo_tags);
                if (r >= 0)
                        r = sd_bus_message_append(
                                reply, "tto", bus_usec(image->created_ns), image->size, path);
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        if (r < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

int bus_manager_find_images(
        sd_bus_message *m, Engine *e, Image ***ret, size_t *ret_n, sd_bus_error *reterr) {
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(error_done) Error error = {};
        int all, r;

        r = sd_bus_message_read(m, "b", &all);
        if (r >= 0)
                r = bus_read_filter(m, image_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r;

        r = images_list(e->images, all, filter, ret, ret_n, &error);
        return r < 0 ? bus_error(reterr, r, &error) : 1;
}

int bus_manager_list_images(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) Image **list = NULL;
        size_t n;
        int r;

        r = bus_manager_find_images(m, userdata, &list, &n, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = append_images(reply, list, n);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

int bus_manager_get_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        _cleanup_(freep) char *path = NULL;
        Engine *e = userdata;
        const char *name;
        Image *i;
        int found, r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;

        found = images_find(e->images, name, &i, &error);
        r = found < 0 ? bus_auth(m, AUTH_VIEW, name, NULL, reterr)
                      : bus_image_auth(m, AUTH_VIEW, i, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (found < 0)
                return bus_error(reterr, found, &error);

        r = bus_image_path(i, &path);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "o", path);
}

/* By a name only this name goes, and the image with its last one: as an object it has no name. */
int bus_manager_remove_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(strv_freep) char **actions = NULL;
        _cleanup_(error_done) Error error = {};
        int force, no_prune, r;
        Engine *e = userdata;
        const char *name;
        Image *i;

        r = sd_bus_message_read(m, "sbb", &name, &force, &no_prune);
        if (r < 0)
                return r;

        r = images_find(e->images, name, &i, NULL) < 0
                  ? bus_auth(m, AUTH_MANAGE_IMAGES, name, NULL, reterr)
                  : bus_image_auth(m, AUTH_MANAGE_IMAGES, i, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = images_remove(e->images, name, force, no_prune, &actions, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, actions);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

/* ---- jobs ---- */

int bus_manager_reply_job(sd_bus_message *m, Job *job) {
        _cleanup_(freep) char *path = NULL;
        int r;

        bus_signals_job_of(job, m);
        r = bus_job_path(job, &path);
        if (r >= 0)
                r = sd_bus_reply_method_return(m, "o", path);
        job_unref(job);
        return r;
}

int bus_manager_load_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        int fd, copy, r;
        Job *job;

        r = sd_bus_message_read(m, "h", &fd);
        if (r < 0)
                return r;

        r = bus_auth(m, AUTH_MANAGE_IMAGES, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        copy = fd_dup(fd); /* the message's own goes with it */
        if (copy < 0)
                return copy;

        r = images_load_archive(e->images, copy, /* quiet= */ false, &job, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        return bus_manager_reply_job(m, job);
}

int bus_manager_import_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *repository, *tag, *message, *platform;
        _cleanup_(strv_freep) char **changes = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        int fd, copy, r;
        Job *job;

        r = sd_bus_message_read(m, "hsss", &fd, &repository, &tag, &message);
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &changes);
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &platform);
        if (r < 0)
                return r;

        r = bus_auth(m, AUTH_MANAGE_IMAGES, repository, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        copy = fd_dup(fd);
        if (copy < 0)
                return copy;

        r = images_import(
                e->images, copy, "-", repository, tag, message, changes, platform, &job, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        return bus_manager_reply_job(m, job);
}

int bus_manager_pull_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(registry_auth_done) RegistryAuth auth = {};
        _cleanup_(error_done) Error error = {};
        ImagePull what = { .auth = &auth };
        const char *credentials;
        Engine *e = userdata;
        Job *job;
        int r;

        r = sd_bus_message_sensitive(m);
        if (r >= 0)
                r = sd_bus_message_read(
                        m, "ssss", &what.name, &what.tag, &what.platform, &credentials);
        if (r < 0)
                return r;

        r = bus_auth(m, AUTH_MANAGE_IMAGES, what.name, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = registry_auth_read_text(credentials, &auth);
        if (r == -EINVAL)
                (void) error_set(&error, ERROR_INVALID, "credentials: not an object of JSON");
        if (r >= 0)
                r = images_pull(e->images, &what, &job, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        return bus_manager_reply_job(m, job);
}

int bus_manager_list_jobs(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Engine *e = userdata;
        int r;

        r = bus_auth(m, AUTH_VIEW, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(usssdo)");
        for (Job *j = NULL; r >= 0 && (j = jobs_next(e->jobs, j));) {
                _cleanup_(freep) char *path = NULL;

                r = bus_job_path(j, &path);
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(usssdo)", j->id,
                                job_kind_to_string(j->kind), str_or_empty(j->title),
                                job_state_to_string(j->state), j->progress, path);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}
