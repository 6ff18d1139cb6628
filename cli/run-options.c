/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/run-options.h"

#include <stdio.h>
#include <string.h>

#include "cli/run-mount.h"
#include "cli/run-network.h"
#include "cli/run-values.h"
#include "lib/api/container-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static int to_mount(const char *value, void *spec, Error *reterr) {
        return run_mount_add(spec, value, reterr);
}

static int to_volume(const char *value, void *spec, Error *reterr) {
        return run_volume_add(spec, value, reterr);
}

static int to_tmpfs(const char *value, void *spec, Error *reterr) {
        return run_tmpfs_add(spec, value, reterr);
}

static int to_attach(const char *value, void *spec, Error *reterr) {
        ContainerConfig *c = &((ContainerSpec *) spec)->config;
        bool *stream = strcasecmp(value, "stdin") == 0  ? &c->attach_stdin
                     : strcasecmp(value, "stdout") == 0 ? &c->attach_stdout
                     : strcasecmp(value, "stderr") == 0 ? &c->attach_stderr
                                                        : NULL;

        if (!stream)
                return error_set(
                        reterr, ERROR_INVALID, "valid streams are STDIN, STDOUT and STDERR");
        *stream = true;
        return 0;
}

/* ---- where each goes ---- */

/* late: docker looks at it after all words are read, so its error is not about one flag. */
typedef struct RunField {
        const char *option;
        run_convert_t convert;
        size_t offset;
        bool late;
} RunField;

#define SPEC(member)     offsetof(ContainerSpec, member)
#define RESOURCE(member) offsetof(ContainerSpec, host.resources.member)

/* clang-format off */
static const RunField fields[] = {
        { "add-host",            run_to_host,        SPEC(host.extra_hosts) },
        { "annotation",          run_to_pair,        SPEC(host.annotations) },
        { "attach",              to_attach,          0 },
        { "blkio-weight",        run_to_uint16,      RESOURCE(blkio_weight) },
        { "blkio-weight-device", run_to_weight,      0 },
        { "cap-add",             run_to_list,        SPEC(host.cap_add) },
        { "cap-drop",            run_to_list,        SPEC(host.cap_drop) },
        { "cgroup-parent",       run_to_string,      RESOURCE(cgroup_parent) },
        { "cgroupns",            run_to_string,      SPEC(host.cgroupns_mode) },
        { "cidfile",             run_to_string,      SPEC(host.container_id_file) },
        { "cpu-period",          run_to_int64,       RESOURCE(cpu_period) },
        { "cpu-quota",           run_to_int64,       RESOURCE(cpu_quota) },
        { "cpu-rt-period",       run_to_int64,       RESOURCE(cpu_realtime_period) },
        { "cpu-rt-runtime",      run_to_int64,       RESOURCE(cpu_realtime_runtime) },
        { "cpu-shares",          run_to_int64,       RESOURCE(cpu_shares) },
        { "cpus",                run_to_cpus,        RESOURCE(nano_cpus) },
        { "cpuset-cpus",         run_to_string,      RESOURCE(cpuset_cpus) },
        { "cpuset-mems",         run_to_string,      RESOURCE(cpuset_mems) },
        { "device-cgroup-rule",  run_to_device_rule, 0 },
        { "device-read-bps",     run_to_read_bps,    0 },
        { "device-read-iops",    run_to_read_iops,   0 },
        { "device-write-bps",    run_to_write_bps,   0 },
        { "device-write-iops",   run_to_write_iops,  0 },
        { "dns",                 run_to_dns,         SPEC(host.dns) },
        { "dns-opt",             run_to_list,        SPEC(host.dns_options) },
        { "dns-option",          run_to_list,        SPEC(host.dns_options) },
        { "dns-search",          run_to_domain,      SPEC(host.dns_search) },
        { "domainname",          run_to_string,      SPEC(config.domainname) },
        { "entrypoint",          run_to_words,       SPEC(config.entrypoint) },
        { "gpus",                run_to_gpus,        0 },
        { "group-add",           run_to_list,        SPEC(host.group_add) },
        { "hostname",            run_to_string,      SPEC(config.hostname) },
        { "init",                run_to_tristate,    SPEC(host.init) },
        { "interactive",         run_to_flag,        SPEC(config.open_stdin) },
        { "ipc",                 run_to_string,      SPEC(host.ipc_mode) },
        { "isolation",           run_to_string,      SPEC(host.isolation) },
        { "link",                run_to_link,        SPEC(host.links) },
        { "log-driver",          run_to_string,      SPEC(host.log_config.type) },
        { "log-opt",             run_to_pair,        SPEC(host.log_config.config) },
        { "memory",              run_to_bytes,       RESOURCE(memory) },
        { "memory-reservation",  run_to_bytes,       RESOURCE(memory_reservation) },
        { "memory-swap",         run_to_swap,        RESOURCE(memory_swap) },
        { "memory-swappiness",   run_to_int64,       RESOURCE(memory_swappiness) },
        { "mount",               to_mount,           0 },
        { "oom-kill-disable",    run_to_tristate,    RESOURCE(oom_kill_disable) },
        { "oom-score-adj",       run_to_int,         SPEC(host.oom_score_adj) },
        { "pid",                 run_to_string,      SPEC(host.pid_mode) },
        { "pids-limit",          run_to_int64,       RESOURCE(pids_limit) },
        { "privileged",          run_to_flag,        SPEC(host.privileged) },
        { "publish-all",         run_to_flag,        SPEC(host.publish_all_ports) },
        { "read-only",           run_to_flag,        SPEC(host.readonly_rootfs) },
        { "rm",                  run_to_flag,        SPEC(host.auto_remove) },
        { "runtime",             run_to_string,      SPEC(host.runtime) },
        { "security-opt",        run_to_list,        SPEC(host.security_opt) },
        { "shm-size",            run_to_bytes,       SPEC(host.shm_size) },
        { "stop-signal",         run_to_string,      SPEC(config.stop_signal) },
        { "stop-timeout",        run_to_int,         SPEC(config.stop_timeout) },
        { "sysctl",              run_to_sysctl,      SPEC(host.sysctls) },
        { "tmpfs",               to_tmpfs,           0 },
        { "tty",                 run_to_flag,        SPEC(config.tty) },
        { "ulimit",              run_to_ulimit,      0 },
        { "user",                run_to_string,      SPEC(config.user) },
        { "userns",              run_to_string,      SPEC(host.userns_mode) },
        { "uts",                 run_to_string,      SPEC(host.uts_mode) },
        { "volume-driver",       run_to_string,      SPEC(host.volume_driver) },
        { "volumes-from",        run_to_list,        SPEC(host.volumes_from) },
        { "workdir",             run_to_string,      SPEC(config.working_dir) },

        { "volume",              to_volume,          0,                       true },
        { "publish",             run_to_published,   0,                       true },
        { "expose",              run_to_exposed,     0,                       true },
        { "device",              run_to_device,      0,                       true },
        { "env-file",            run_to_env_file,    SPEC(config.env),        true },
        { "env",                 run_to_env,         SPEC(config.env) },
        { "label-file",          run_to_label_file,  SPEC(config.labels),     true },
        { "label",               run_to_label,       SPEC(config.labels) },
        { "storage-opt",         run_to_storage,     SPEC(host.storage_opt),  true },
};
/* clang-format on */

static int flag_error(
        const char *option, const char *value, const char *program, bool late, int r, Error *e) {
        const Option *o = options_find(run_options, option);

        if (late)
                return error_prefix(e, r, "%s", program);
        if (o && o->letter)
                return error_prefix(e, r, "invalid argument \"%s\" for \"-%c, --%s\" flag", value,
                        o->letter, option);
        return error_prefix(e, r, "invalid argument \"%s\" for \"--%s\" flag", value, option);
}

static int convert_all(const Options *o, const char *program, ContainerSpec *spec, Error *reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                const RunField *f = fields + i;

                STRV_FOREACH (value, options_list(o, f->option)) {
                        _cleanup_(error_done) Error e = {};
                        int r = f->convert(*value, (char *) spec + f->offset, &e);

                        if (r < 0 && r != -ENOMEM)
                                r = flag_error(f->option, *value, program, f->late, r, &e);
                        if (r < 0) {
                                error_move(reterr, &e);
                                return r;
                        }
                }
        }
        return 0;
}

static int convert_networks(
        const Options *o, const char *program, ContainerSpec *spec, Error *reterr) {
        _cleanup_(run_networks_done) RunNetworks n = {};
        static const char *const names[] = { "network", "net" };
        _cleanup_(error_done) Error e = {};
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                STRV_FOREACH (value, options_list(o, names[i])) {
                        r = run_network_add(&n, *value, &e);
                        if (r < 0) {
                                r = flag_error(names[i], *value, program, false, r, &e);
                                error_move(reterr, &e);
                                return r;
                        }
                }
        r = run_networks_finish(&n, o, spec, &e);
        if (r < 0) {
                r = error_prefix(&e, r, "%s", program);
                error_move(reterr, &e);
        }
        return r;
}

/* ---- what docker completes ---- */

static int set_restart_policy(ContainerSpec *spec, const char *value, Error *reterr) {
        RestartPolicy *policy = &spec->host.restart_policy;
        const char *colon = value ? strchr(value, ':') : NULL;
        int64_t count = 0;

        if (!value)
                return str_copy(&policy->name, "no");
        if (colon == value)
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy format: no policy provided before colon");
        if (colon && colon[1] && run_int_parse(colon + 1, INT32_MIN, INT32_MAX, &count, NULL) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy format: maximum retry count must be an integer");
        policy->maximum_retry_count = (int) count;
        return str_copy_n(&policy->name, value, colon ? (size_t) (colon - value) : strlen(value));
}

static int health_time(const Options *o, const char *name, int64_t *ret, Error *reterr) {
        _cleanup_(error_done) Error e = {};
        const char *value = options_string(o, name);
        int r;

        r = value ? run_to_duration(value, ret, &e) : 0;
        if (r < 0) {
                r = flag_error(name, value, "", false, r, &e);
                error_move(reterr, &e);
                return r;
        }
        return 0;
}

/* A wrong time is an error of its flag, a negative one of the whole. */
static int set_health(const Options *o, const char *program, ContainerSpec *spec, Error *reterr) {
        HealthSpec h = {};
        const struct {
                const char *name;
                int64_t *value;
        } times[] = {
                { "health-interval", &h.interval },
                { "health-timeout", &h.timeout },
                { "health-start-period", &h.start_period },
                { "health-start-interval", &h.start_interval },
        };
        const char *command = options_string(o, "health-cmd");
        const char *retries = options_string(o, "health-retries");
        bool given = !str_empty(command);
        int r = 0;

        if (retries)
                r = run_to_int(retries, &h.retries, reterr);
        if (r < 0)
                return flag_error("health-retries", retries, program, false, r, reterr);
        given = given || h.retries != 0;
        for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
                r = health_time(o, times[i].name, times[i].value, reterr);
                if (r < 0)
                        return r;
                given = given || *times[i].value != 0;
        }

        if (!options_flag(o, "no-healthcheck") && !given)
                return 0;
        if (options_flag(o, "no-healthcheck") && given)
                return error_set(reterr, ERROR_INVALID,
                        "%s: --no-healthcheck conflicts with --health-* options", program);
        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                if (*times[i].value < 0)
                        return error_set(reterr, ERROR_INVALID, "%s: --%s cannot be negative",
                                program, times[i].name);
        if (h.retries < 0)
                return error_set(
                        reterr, ERROR_INVALID, "%s: --health-retries cannot be negative", program);

        spec->config.healthcheck = new0(HealthSpec, 1);
        if (!spec->config.healthcheck)
                return -ENOMEM;
        *spec->config.healthcheck = h;
        if (!given)
                return strv_add(&spec->config.healthcheck->test, "NONE");
        if (str_empty(command))
                return 0;
        r = strv_add(&spec->config.healthcheck->test, "CMD-SHELL");
        return r < 0 ? r : strv_add(&spec->config.healthcheck->test, command);
}

/* Attached is what was named, all output when nothing was, and stdin with -i. */
static void set_streams(const Options *o, ContainerConfig *c) {
        if (options_flag(o, "detach"))
                return;
        if (!options_given(o, "attach"))
                c->attach_stdout = c->attach_stderr = true;
        if (c->open_stdin)
                c->attach_stdin = true;
        c->stdin_once = c->open_stdin && c->attach_stdin;
}

static bool mode_is(const char *mode, const char *const *words, bool container) {
        if (str_empty(mode) || str_in(mode, words))
                return true;
        return container && str_starts(mode, "container:") && mode[STRLEN("container:")];
}
#define MODE_IS(mode, container, ...) \
        mode_is(mode, (const char *const[]) { __VA_ARGS__, NULL }, container)

static int check_together(const Options *o, const ContainerSpec *spec, Error *reterr) {
        static const char *const windows[] = { "cpu-count", "cpu-percent", "io-maxbandwidth",
                "io-maxiops" };
        const HostConfig *h = &spec->host;
        int64_t swappiness = h->resources.memory_swappiness;
        const char *pull = options_string(o, "pull");

        for (size_t i = 0; i < ARRAY_SIZE(windows); i++)
                if (options_given(o, windows[i]))
                        return error_set(reterr, ERROR_INVALID,
                                "\"--%s\" is only supported on a Docker daemon running on windows, "
                                "but the Docker daemon is running on linux",
                                windows[i]);
        if (pull && !STR_IN_SET(pull, "always", "missing", "never"))
                return error_set(reterr, ERROR_INVALID,
                        "invalid pull option: '%s': must be one of \"always\", \"missing\" or "
                        "\"never\"",
                        pull);
        if (swappiness < -1 || swappiness > 100)
                return error_set(reterr, ERROR_INVALID,
                        "invalid value: %lld. Valid memory swappiness range is 0-100",
                        (long long) swappiness);
        if (!MODE_IS(h->pid_mode, true, "host"))
                return error_set(reterr, ERROR_INVALID, "--pid: invalid PID mode");
        if (!MODE_IS(h->uts_mode, false, "host"))
                return error_set(reterr, ERROR_INVALID, "--uts: invalid UTS mode");
        if (!MODE_IS(h->userns_mode, false, "host"))
                return error_set(reterr, ERROR_INVALID, "--userns: invalid USER mode");
        if (!MODE_IS(h->cgroupns_mode, false, "host", "private"))
                return error_set(reterr, ERROR_INVALID, "--cgroupns: invalid CGROUP mode");
        if (str_equal(h->log_config.type, "none") && !strv_empty(h->log_config.config))
                return error_set(reterr, ERROR_INVALID, "invalid logging opts for driver none");
        if (h->auto_remove && !MODE_IS(h->restart_policy.name, false, "no"))
                return error_set(reterr, ERROR_INVALID,
                        "conflicting options: cannot specify both --restart and --rm");
        return 0;
}

static void warn_local_dns(const HostConfig *h) {
        STRV_FOREACH (address, h->dns)
                if (str_starts(*address, "127.") || streq(*address, "::1"))
                        fprintf(stderr, "WARNING: Localhost DNS (%s) may fail in containers.\n",
                                *address);
}

static int finish(const Options *o, ContainerSpec *spec, Error *reterr) {
        int r;

        r = set_restart_policy(spec, options_string(o, "restart"), reterr);
        if (r >= 0)
                r = run_set_security(&spec->host, reterr);
        if (r >= 0)
                r = run_set_capabilities(&spec->host);
        return r < 0 ? r : check_together(o, spec, reterr);
}

int run_options_spec(const Options *o, const char *program, ContainerSpec *spec, Error *reterr) {
        char *const *arguments = options_arguments(o);
        _cleanup_(error_done) Error e = {};
        int r;

        spec->host.resources.memory_swappiness = -1;
        spec->host.resources.oom_kill_disable = 0;
        spec->host.resources.pids_limit = 0;

        r = str_copy(&spec->config.image, arguments[0]);
        if (r >= 0 && arguments[1])
                r = strv_set(&spec->config.cmd, arguments + 1);
        if (r >= 0)
                r = convert_all(o, program, spec, reterr);
        if (r >= 0)
                r = set_health(o, program, spec, reterr);
        if (r >= 0)
                r = convert_networks(o, program, spec, reterr);
        if (r < 0)
                return r;

        set_streams(o, &spec->config);
        r = finish(o, spec, &e);
        if (r < 0 && r != -ENOMEM)
                r = error_prefix(&e, r, "%s", program);
        if (r < 0) {
                error_move(reterr, &e);
                return r;
        }
        warn_local_dns(&spec->host);
        return 0;
}

/* Where docker's client has [] and {} and our table would say null. */
static int put_empty(Json *object, const char *const *lists) {
        int r = 0;

        for (; r >= 0 && *lists; lists++) {
                Json *v;

                if (json_is_null(json_get(object, *lists)))
                        r = json_set_new_list(object, *lists, &v);
        }
        return r;
}

int run_options_body(const ContainerSpec *spec, Json **ret, Error *reterr) {
        static const char *const lists[] = { "Dns", "DnsOptions", "DnsSearch", "BlkioWeightDevice",
                "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
                "BlkioDeviceWriteIOps", "Devices", "Ulimits", NULL };
        _cleanup_(json_unrefp) Json *body = NULL;
        Json *networks, *v;
        int r;

        (void) reterr;
        r = container_spec_write(spec, &body);
        if (r >= 0)
                r = put_empty(json_get(body, "HostConfig"), lists);
        if (r >= 0 && json_is_null(json_get(body, "Volumes")))
                r = json_set_new_object(body, "Volumes", &v);
        networks = json_get(body, "NetworkingConfig");
        if (r >= 0 && !networks)
                r = json_set_new_object(body, "NetworkingConfig", &networks);
        if (r >= 0 && json_is_null(json_get(networks, "EndpointsConfig")))
                r = json_set_new_object(networks, "EndpointsConfig", &v);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(body);
        return 0;
}
