/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "dbus/bus-auth.h"
#include "dbus/bus-manager.h"
#include "dbus/bus-spec-read.h"
#include "dbus/bus-util.h"
#include "engine/build/builds.h"
#include "engine/engine.h"
#include "lib/api/filter.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

static int read_host(const char *text, HostConfig *h, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *key;
        Json *value;
        int r;

        if (str_empty(text))
                return 0;
        r = json_parse(text, strlen(text), JSON_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = json_read(v, host_config_fields, h, reterr);
        if (r < 0)
                return r;
        JSON_FOREACH (key, value, v)
                if (!str_in(key, build_host_keys))
                        return error_set(reterr, ERROR_INVALID, "%s is no option of a build", key);
        return 0;
}

static int read_options(sd_bus_message *m, BuildOptions *o, int *ret_fd, const char **ret_host) {
        const char *dockerfile, *target, *platform, *host, *key, *value;
        _cleanup_(strv_freep) char **args = NULL;
        int no_cache = 0, r;

        r = sd_bus_message_read(m, "h", ret_fd);
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &o->names);
        if (r >= 0)
                r = sd_bus_message_read(m, "sss", &dockerfile, &target, &platform);
        if (r >= 0)
                r = spec_read_pairs(m, &args);
        if (r >= 0)
                r = spec_read_pairs(m, &o->labels);
        if (r >= 0)
                r = sd_bus_message_read(m, "sb", &host, &no_cache);
        if (r < 0)
                return r;

        o->no_cache = no_cache;
        if ((!str_empty(dockerfile) && str_copy(&o->dockerfile, dockerfile) < 0) ||
                (!str_empty(target) && str_copy(&o->target, target) < 0) ||
                (!str_empty(platform) && str_copy(&o->platform, platform) < 0))
                return -ENOMEM;
        PAIRS_FOREACH(key, value, args)
        if (strv_addf(&o->args, "%s=%s", key, value) < 0)
                return -ENOMEM;
        *ret_host = host;
        return 0;
}

int bus_manager_build_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(build_options_done) BuildOptions o = {};
        _cleanup_(error_done) Error error = {};
        const char *host, *name, *privilege;
        Engine *e = userdata;
        int fd, copy, host_r, r;
        Job *job;

        build_options_init(&o);
        r = read_options(m, &o, &fd, &host);
        if (r < 0)
                return r;

        host_r = read_host(host, &o.host, &error); /* told to those who may build */
        name = o.names && o.names[0] ? o.names[0] : "";
        privilege = host_r < 0 ? NULL : build_check_privilege(&o);
        r = bus_auth(m, privilege ? AUTH_CREATE_PRIVILEGED : AUTH_MANAGE_IMAGES, name,
                (const char *const[]) {
                        "image", name, "privilege", str_or(privilege, "none"), NULL },
                reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (host_r < 0)
                return bus_error(reterr, host_r, &error);

        copy = fd_dup(fd); /* the message's own goes with it */
        if (copy < 0)
                return copy;
        r = builds_start(e->builds, &o, copy, &job, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        return bus_manager_reply_job(m, job);
}

int bus_manager_prune_build_cache(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(filter_freep) Filter *filter = NULL;
        _cleanup_(strv_freep) char **keys = NULL;
        _cleanup_(error_done) Error error = {};
        Engine *e = userdata;
        uint64_t bytes;
        int all, r;

        r = sd_bus_message_read(m, "b", &all);
        if (r >= 0)
                r = bus_read_filter(m, build_prune_filter_keys, &filter, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = bus_auth(m, AUTH_PRUNE, NULL, NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = builds_prune(e->builds, all, filter, &keys, &bytes, &error);
        if (r < 0)
                return bus_error(reterr, r, &error);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, keys);
        if (r >= 0)
                r = sd_bus_message_append(reply, "t", bytes);
        return r < 0 ? r : sd_bus_message_send(reply);
}
