/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-merge.h"

#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/pairs.h"
#include "lib/oci/image-spec.h"

/* The image's first, so that its order stays; "K" alone takes the image's K away. */
static int merge_env(ContainerConfig *c, char *const *image) {
        _cleanup_(strv_freep) char **env = NULL;
        int r;

        STRV_FOREACH (entry, image) {
                if (!strchr(*entry, '='))
                        continue;
                r = strv_add(&env, *entry);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (entry, c->env) {
                _cleanup_(freep) char *key = NULL;
                const char *equals = strchr(*entry, '=');

                r = str_copy_n(&key, *entry, equals ? (size_t) (equals - *entry) : strlen(*entry));
                if (r < 0)
                        return r;
                /* Without a name: container_check() says so. */
                r = str_empty(key) ? strv_add(&env, *entry)
                                   : strv_env_set(&env, key, equals ? equals + 1 : NULL);
                if (r < 0)
                        return r;
        }

        if (env || c->env) {
                strv_free(c->env);
                c->env = TAKE_PTR(env);
        }
        return 0;
}

static int merge_command(ContainerConfig *c, const ImageRunConfig *image) {
        int r;

        /* --entrypoint "" is [""]: the image's is cleared, and its command with it. */
        if (c->entrypoint && c->entrypoint[0] && !c->entrypoint[0][0] && !c->entrypoint[1]) {
                c->entrypoint = strv_free(c->entrypoint);
                return 0;
        }
        if (!strv_empty(c->entrypoint))
                return 0;

        if (strv_empty(c->cmd)) {
                r = strv_empty(image->cmd) ? 0 : strv_set(&c->cmd, image->cmd);
                if (r < 0)
                        return r;
        }
        /* [] is not null: the image's command, but not its entrypoint. */
        if (c->entrypoint || strv_empty(image->entrypoint))
                return 0;
        return strv_set(&c->entrypoint, image->entrypoint);
}

static int merge_set(char ***set, char *const *image) {
        STRV_FOREACH (entry, image) {
                int r;

                if (strv_contains(*set, *entry))
                        continue;
                r = strv_add(set, *entry);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int merge_string(char **s, const char *image) {
        return str_empty(*s) && !str_empty(image) ? str_copy(s, image) : 0;
}

static int merge_health(ContainerConfig *c, const ImageHealthcheck *image) {
        HealthSpec *h = c->healthcheck;
        int r;

        if (!image)
                return 0;
        if (!h) {
                h = c->healthcheck = new0(HealthSpec, 1);
                if (!h)
                        return -ENOMEM;
        }
        if (strv_empty(h->test)) {
                r = strv_set(&h->test, image->test);
                if (r < 0)
                        return r;
        }
        h->interval = h->interval ?: image->interval;
        h->timeout = h->timeout ?: image->timeout;
        h->start_period = h->start_period ?: image->start_period;
        h->start_interval = h->start_interval ?: image->start_interval;
        h->retries = h->retries ?: image->retries;
        return 0;
}

int container_merge(ContainerConfig *c, const ImageRunConfig *image) {
        int r;

        assert(c);
        assert(image);

        r = merge_env(c, image->env);
        if (r >= 0)
                r = merge_command(c, image);
        if (r >= 0)
                r = merge_set(&c->exposed_ports, image->exposed_ports);
        if (r >= 0)
                r = merge_set(&c->volumes, image->volumes);
        if (r >= 0)
                r = pairs_merge(&c->labels, image->labels, /* replace= */ false);
        if (r >= 0)
                r = merge_string(&c->user, image->user);
        if (r >= 0)
                r = merge_string(&c->working_dir, image->working_dir);
        if (r >= 0)
                r = merge_string(&c->stop_signal, image->stop_signal);
        if (r >= 0 && strv_empty(c->shell) && !strv_empty(image->shell))
                r = strv_set(&c->shell, image->shell);
        if (r >= 0)
                r = merge_health(c, image->healthcheck);
        if (r >= 0 && c->stop_timeout == JSON_NO_INT)
                c->stop_timeout = image->stop_timeout;
        return r;
}
