/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/container-check.h"

#include "engine/container/container.h"
#include "engine/container/restart-policy.h"
#include <stdarg.h>
#include <stdio.h>

#include "config/settings.h"
#include "engine/container/join.h"
#include "engine/host/sysinfo.h"
#include "engine/log/logs.h"
#include "engine/network/hosts-file.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/pairs.h"

#define HOSTNAME_MAX    64U
#define ENV_MAX         10000U
#define ANNOTATIONS_MAX 1000U

int check_warn(const CheckContext *x, const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *escaped = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        escaped = str_escape_terminal(text); /* an image's words may be in it */
        return escaped ? strv_take(x->warnings, TAKE_PTR(escaped)) : -ENOMEM;
}

static int check_health(const ContainerConfig *c, Error *reterr) {
        const HealthSpec *h = c->healthcheck;
        const char *what = pairs_get(c->labels, ON_UNHEALTHY_LABEL);
        const struct {
                const char *name;
                int64_t value;
        } times[] = {
                { "Interval", h ? h->interval : 0 },
                { "Timeout", h ? h->timeout : 0 },
                { "StartPeriod", h ? h->start_period : 0 },
                { "StartInterval", h ? h->start_interval : 0 },
        };

        if (!str_empty(what) && !STR_IN_SET(what, "none", "restart", "stop", "kill"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid label " ON_UNHEALTHY_LABEL
                        "=%s: it must be none, restart, stop or kill",
                        what);
        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                if (times[i].value != 0 && times[i].value < 1000000)
                        return error_set(reterr, ERROR_INVALID,
                                "%s in Healthcheck cannot be less than 1ms", times[i].name);
        if (h && h->retries < 0)
                return error_set(
                        reterr, ERROR_INVALID, "Retries in Healthcheck cannot be negative");
        if (h && !strv_empty(h->test) && !STR_IN_SET(h->test[0], "NONE", "CMD", "CMD-SHELL"))
                return error_set(reterr, ERROR_INVALID,
                        "Unknown healthcheck type '%s' (expected 'CMD')", h->test[0]);
        return 0;
}

static int check_process(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        ContainerConfig *c = &spec->config;
        _cleanup_(freep) char *normal = NULL;
        int signal, r;

        if (strv_empty(c->entrypoint) && strv_empty(c->cmd))
                return error_set(reterr, ERROR_INVALID, "no command specified");

        if (!str_empty(c->working_dir)) {
                if (!path_is_absolute(c->working_dir))
                        return error_set(reterr, ERROR_INVALID,
                                "the working directory '%s' is invalid, it needs to be an absolute "
                                "path",
                                c->working_dir);
                r = path_normalise(c->working_dir, &normal);
                if (r < 0)
                        return r;
                r = str_copy(&c->working_dir, normal);
                if (r < 0)
                        return r;
        }

        if (strv_length(c->env) > ENV_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "more than %u environment variables", ENV_MAX);
        STRV_FOREACH (entry, c->env)
                if (**entry == '=' || !**entry)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid environment variable: %s", *entry);

        if (!str_empty(c->stop_signal) && parse_signal(c->stop_signal, &signal) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid signal: %s", c->stop_signal);

        spec->host.init = MAX(spec->host.init, -1);

        return check_health(c, reterr);
}

static int check_names(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        const HostConfig *h = &spec->host;
        ContainerConfig *c = &spec->config;

        if (strlen(str_or_empty(c->hostname)) > HOSTNAME_MAX)
                return error_set(reterr, ERROR_INVALID,
                        "invalid hostname \"%s\": longer than %u characters", c->hostname,
                        HOSTNAME_MAX);
        if (c->hostname && str_has_control(c->hostname))
                return error_set(reterr, ERROR_INVALID, "invalid hostname \"%s\"", c->hostname);
        if (c->domainname && str_has_control(c->domainname))
                return error_set(reterr, ERROR_INVALID, "invalid domainname \"%s\"", c->domainname);
        if (str_equal(h->uts_mode, "host") && !str_empty(c->hostname))
                return error_set(
                        reterr, ERROR_INVALID, "conflicting options: hostname and the UTS mode");
        if (str_equal(h->uts_mode, "host") && !str_empty(c->domainname))
                return error_set(
                        reterr, ERROR_INVALID, "conflicting options: domainname and the UTS mode");
        return 0;
}

/* join: "container:X" is a mode as well. */
static int check_mode(
        const char *mode, const char *what, const char *const *known, bool join, Error *reterr) {
        if (str_empty(mode) || str_in(mode, known) || (join && !str_empty(join_target(mode))))
                return 0;
        return error_set(reterr, ERROR_INVALID, "invalid %s mode: %s", what, mode);
}

static int check_namespaces(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        const HostConfig *h = &spec->host;
        const struct {
                const char *mode;
                const char *what;
                const char *const *known;
                bool join;
        } table[] = {
                { h->ipc_mode, "IPC",
                        (const char *const[]) { "none", "private", "shareable", "host", NULL },
                        true },
                { h->pid_mode, "PID", (const char *const[]) { "host", NULL }, true },
                { h->uts_mode, "UTS", (const char *const[]) { "host", NULL } },
                { h->cgroupns_mode, "cgroup namespace",
                        (const char *const[]) { "host", "private", NULL } },
                { h->userns_mode, "USER", (const char *const[]) { "host", NULL } },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                int r = check_mode(
                        table[i].mode, table[i].what, table[i].known, table[i].join, reterr);
                if (r < 0)
                        return r;
        }
        return 0; /* Cgroup is stored and means nothing, as with Docker */
}

static int check_network(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        const HostConfig *h = &spec->host;
        int r;

        if (str_equal(h->network_mode, "host") &&
                (h->n_port_bindings > 0 || h->publish_all_ports)) {
                r = check_warn(x, "Published ports are discarded when using host network mode");
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (entry, h->extra_hosts) {
                r = hosts_file_check_extra(*entry, reterr);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (entry, h->dns) {
                r = hosts_file_check_dns(*entry, reterr);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (entry, h->dns_search)
                if (str_has_control(*entry))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid DNS search domain \"%s\"", *entry);
        STRV_FOREACH (entry, h->dns_options)
                if (str_has_control(*entry))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid DNS option \"%s\"", *entry);
        return 0;
}

int check_restart_policy(const RestartPolicy *p, Error *reterr) {
        const char *name = str_or_empty(p->name);

        if (!STR_IN_SET(name, "", "no", "always", "on-failure", "unless-stopped"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy: unknown policy '%s'; use one of 'no', 'always', "
                        "'on-failure', or 'unless-stopped'",
                        name);
        if (p->maximum_retry_count < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy: maximum retry count cannot be negative");
        if (p->maximum_retry_count > 0 && !streq(name, "on-failure"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy: maximum retry count can only be used with "
                        "'on-failure'");
        return 0;
}

static int check_restart(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        int r;

        r = check_restart_policy(&spec->host.restart_policy, reterr);
        if (r < 0)
                return r;
        if (spec->host.auto_remove && !restart_policy_is_none(&spec->host.restart_policy))
                return error_set(reterr, ERROR_INVALID,
                        "can't create 'AutoRemove' container with restart policy");
        return 0;
}

static int check_logging(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        _cleanup_(strv_freep) char **options = NULL;
        LogSpec *l = &spec->host.log_config;
        const char *key, *value;
        int r;

        if (str_empty(l->type)) {
                r = str_copy(&l->type, str_or(x->settings->log_driver, LOG_DRIVER_DEFAULT));
                if (r < 0)
                        return r;
        }

        /* The daemon's options are for the daemon's driver. */
        if (str_equal(l->type, str_or(x->settings->log_driver, LOG_DRIVER_DEFAULT)))
                STRV_FOREACH (option, x->settings->log_opts) {
                        _cleanup_(freep) char *left = NULL, *right = NULL;

                        r = str_split_pair(*option, '=', &left, &right);
                        if (r < 0)
                                return r;
                        if (pairs_get(l->config, left))
                                continue;
                        r = pairs_set(&l->config, left, right);
                        if (r < 0)
                                return r;
                }

        PAIRS_FOREACH(key, value, l->config) {
                r = strv_addf(&options, "%s=%s", key, value);
                if (r < 0)
                        return r;
        }
        return logs_check(l->type, options, reterr);
}

static int check_runtime(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *path = NULL;
        HostConfig *h = &spec->host;

        if (!STR_IN_SET(str_or_empty(h->isolation), "", "default"))
                return error_set(reterr, ERROR_INVALID,
                        "Invalid isolation: \"%s\" - linux only supports 'default'", h->isolation);
        if (str_empty(h->runtime)) {
                int r = str_copy(&h->runtime,
                        str_or(x->settings->default_runtime, SETTINGS_DEFAULT_RUNTIME));
                if (r < 0)
                        return r;
        }
        if (settings_find_runtime(x->settings, h->runtime, &path, &e) < 0)
                return error_set(
                        reterr, ERROR_INVALID, "unknown or invalid runtime name: %s", h->runtime);
        if (pairs_get(h->storage_opt, "size"))
                return error_set(reterr, ERROR_INVALID,
                        "--storage-opt is supported only for overlay over xfs with 'pquota' mount "
                        "option");
        if (!strv_empty(h->storage_opt))
                return error_set(reterr, ERROR_INVALID, "Unknown option %s", h->storage_opt[0]);
        if (pairs_count(h->annotations) > ANNOTATIONS_MAX)
                return error_set(
                        reterr, ERROR_INVALID, "more than %u annotations", ANNOTATIONS_MAX);
        return 0;
}

/* What docker run said without --shm-size, and its limits. */
static int check_numbers(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        HostConfig *h = &spec->host;

        if (h->shm_size < 0)
                return error_set(reterr, ERROR_INVALID, "SHM size can not be less than 0");
        if (h->shm_size == 0)
                h->shm_size = (int64_t) x->settings->default_shm_size;
        if (h->oom_score_adj < -1000 || h->oom_score_adj > 1000)
                return error_set(reterr, ERROR_INVALID,
                        "Invalid value %d, range for oom score adj is [-1000, 1000]",
                        h->oom_score_adj);
        if (spec->config.stop_timeout != JSON_NO_INT && spec->config.stop_timeout < -1)
                return error_set(reterr, ERROR_INVALID, "invalid stop timeout: %d",
                        spec->config.stop_timeout);
        return 0;
}

static int check_the_resources(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        return check_resources(&spec->host, x, reterr);
}

int container_check(ContainerSpec *spec, const CheckContext *x, Error *reterr) {
        static int (*const checks[])(ContainerSpec * spec, const CheckContext *x, Error *reterr) = {
                check_process,
                check_names,
                check_namespaces,
                check_network,
                check_restart,
                check_logging,
                check_runtime,
                check_numbers,
                check_the_resources,
                check_mounts,
                check_security,
        };
        int r;

        assert(spec);
        assert(x);

        /* What the daemon was told for those who say nothing. */
        if (str_empty(spec->host.ipc_mode)) {
                r = str_copy(&spec->host.ipc_mode, x->settings->default_ipc_mode);
                if (r < 0)
                        return r;
        }
        if (str_empty(spec->host.cgroupns_mode)) {
                r = str_copy(&spec->host.cgroupns_mode, x->settings->default_cgroupns_mode);
                if (r < 0)
                        return r;
        }
        r = container_spec_fill_defaults(spec);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
                r = checks[i](spec, x, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
