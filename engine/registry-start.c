/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/registry-start.h"

#include <stdlib.h>

#include "config/settings.h"
#include "engine/engine.h"
#include "engine/host/launcher.h"
#include "engine/image/images.h"
#include "lib/api/fetch-spec.h"
#include "lib/base/fd.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/event/channel.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "stauer-config.h"

#define CERTS_FOLDER     "/etc/docker/certs.d"
#define CERTS_VARIABLE   "STAUER_CERTS_DIR" /* another place, for tests */
#define ATTEMPTS_DEFAULT 5U

static void on_started(int r, int pid, int pidfd, void *userdata) {
        /* Who was to ask it sees its socket close when it did not start or ends. */
        fd_close(pidfd);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to start stauer-fetcher: %m");
}

static int take_proxy(char **ret, const char *option, const char *upper, const char *lower) {
        const char *value = !str_empty(option) ? option : getenv(upper);

        return str_copy(ret, !str_empty(value) ? value : getenv(lower));
}

static int take_settings(const Settings *s, FetchSpec *spec) {
        int r;

        spec->attempts = s->max_attempts ?: ATTEMPTS_DEFAULT;
        r = strv_set(&spec->mirrors, s->registry_mirrors);
        if (r >= 0)
                r = strv_set(&spec->insecure, s->insecure_registries);
        if (r >= 0)
                r = str_copy(&spec->certs_dir, getenv(CERTS_VARIABLE) ?: CERTS_FOLDER);
        if (r >= 0)
                r = take_proxy(&spec->http_proxy, s->http_proxy, "HTTP_PROXY", "http_proxy");
        if (r >= 0)
                r = take_proxy(&spec->https_proxy, s->https_proxy, "HTTPS_PROXY", "https_proxy");
        if (r >= 0)
                r = take_proxy(&spec->no_proxy, s->no_proxy, "NO_PROXY", "no_proxy");
        return r < 0 ? r : str_copy(&spec->user_agent, "stauer/" STAUER_VERSION);
}

/* The record waits in the socket until the process is there to read it. */
static int start_fetcher(void *userdata, FetchSpec *spec, int puller_fd) {
        _cleanup_(json_unrefp) Json *record = NULL;
        Engine *e = userdata;
        int pair[2], r;

        r = take_settings(e->settings, spec);
        if (r >= 0)
                r = json_write(spec, fetch_spec_fields, &record);
        if (r < 0)
                return r;
        r = channel_pair(pair);
        if (r < 0)
                return r;
        r = channel_send(pair[0], record, &puller_fd, 1);
        if (r >= 0)
                r = launcher_start(
                        e->launcher, LAUNCHER_FETCHER, "pull", pair + 1, 1, on_started, e, NULL);
        fd_close(pair[0]);
        fd_close(pair[1]);
        return r;
}

static unsigned parallel(void *userdata) {
        Engine *e = userdata;

        return e->settings->max_downloads;
}

void engine_wire_registry(Engine *e) {
        images_set_registry(e->images, &(const ImagesRegistry) {
                                               .start = start_fetcher,
                                               .parallel = parallel,
                                               .workers = e->pullers,
                                               .userdata = e,
                                       });
}
