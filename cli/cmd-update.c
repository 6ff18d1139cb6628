/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

/* clang-format off */
static const Option update_options[] = {
        { "blkio-weight",       0,   OPTION_INT,    "uint16",  "Block I/O weight (10 to 1000, 0 for none)" },
        { "cpu-period",         0,   OPTION_INT,    "int",     "Limit CPU CFS (Completely Fair Scheduler) period" },
        { "cpu-quota",          0,   OPTION_INT,    "int",     "Limit CPU CFS (Completely Fair Scheduler) quota" },
        { "cpu-rt-period",      0,   OPTION_INT,    "int",     "Limit the CPU real-time period in microseconds" },
        { "cpu-rt-runtime",     0,   OPTION_INT,    "int",     "Limit the CPU real-time runtime in microseconds" },
        { "cpu-shares",         'c', OPTION_INT,    "int",     "CPU shares (relative weight)" },
        { "cpus",               0,   OPTION_DECIMAL, "decimal", "Number of CPUs" },
        { "cpuset-cpus",        0,   OPTION_STRING, "string",  "CPUs in which to allow execution (0-3, 0,1)" },
        { "cpuset-mems",        0,   OPTION_STRING, "string",  "MEMs in which to allow execution (0-3, 0,1)" },
        { "memory",             'm', OPTION_BYTES,  "bytes",   "Memory limit" },
        { "memory-reservation", 0,   OPTION_BYTES,  "bytes",   "Memory soft limit" },
        { "memory-swap",        0,   OPTION_BYTES,  "bytes",   "Swap limit equal to memory plus swap: -1 for unlimited swap" },
        { "pids-limit",         0,   OPTION_INT,    "int",     "Limit of processes (-1 for unlimited)" },
        { "restart",            0,   OPTION_STRING, "string",  "Restart policy to apply when a container exits" },
        {}
};

static const struct { const char *option, *key; } keys[] = {
        { "blkio-weight",       "BlkioWeight" },
        { "cpu-period",         "CpuPeriod" },
        { "cpu-quota",          "CpuQuota" },
        { "cpu-rt-period",      "CpuRealtimePeriod" },
        { "cpu-rt-runtime",     "CpuRealtimeRuntime" },
        { "cpu-shares",         "CpuShares" },
        { "cpuset-cpus",        "CpusetCpus" },
        { "cpuset-mems",        "CpusetMems" },
        { "memory",             "Memory" },
        { "memory-reservation", "MemoryReservation" },
        { "memory-swap",        "MemorySwap" },
        { "pids-limit",         "PidsLimit" },
};
/* clang-format on */

static int set_key(Json *body, const Options *o, const char *option, const char *key) {
        const char *value = options_string(o, option);
        int64_t n = 0;

        if (!value)
                return 0;
        switch (options_find(update_options, option)->kind) {
        case OPTION_INT:
                return json_set_int64(body, key, options_int(o, option, 0));
        case OPTION_BYTES:
                (void) parse_size_signed(value, &n);
                return json_set_int64(body, key, n);
        default:
                return json_set_text(body, key, value);
        }
}

static int set_cpus(Json *body, const Options *o, Error *reterr) {
        const char *value = options_string(o, "cpus");
        double cpus;

        if (!value)
                return 0;
        if (parse_double(value, &cpus) < 0 || cpus < 0 || cpus > 1e6)
                return error_set(reterr, ERROR_INVALID, "invalid number of CPUs: %s", value);
        return json_set_int64(body, "NanoCpus", (int64_t) (cpus * 1e9 + 0.5));
}

/* "on-failure[:3]" */
static int set_restart(Json *body, const Options *o, Error *reterr) {
        const char *value = options_string(o, "restart"), *colon;
        _cleanup_(freep) char *name = NULL;
        int64_t count = 0;
        Json *policy;
        int r;

        if (!value)
                return 0;
        colon = strchr(value, ':');
        if (colon && parse_i64(colon + 1, &count) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "invalid restart policy format: maximum retry count must be an integer");
        r = str_copy_n(&name, value, colon ? (size_t) (colon - value) : strlen(value));
        if (r >= 0)
                r = json_set_new_object(body, "RestartPolicy", &policy);
        if (r >= 0)
                r = json_set_text(policy, "Name", name);
        return r < 0 ? r : json_set_int64(policy, "MaximumRetryCount", count);
}

static int update_one(RestClient *c, const Options *o, const char *name, Error *reterr) {
        _cleanup_(json_unrefp) Json *body = NULL, *answer = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *key;
        Json *warning;
        int r;

        r = json_new_object(&body);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(keys); i++)
                r = set_key(body, o, keys[i].option, keys[i].key);
        if (r >= 0)
                r = set_cpus(body, o, reterr);
        if (r >= 0)
                r = set_restart(body, o, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/containers/", name, "/update"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, body, &answer, reterr);
        if (r < 0)
                return r;

        puts(name);
        fflush(stdout);
        JSON_FOREACH (key, warning, json_get(answer, "Warnings")) {
                _cleanup_(freep) char *text = str_escape_terminal(json_to_text(warning));

                fprintf(stderr, "%s\n", str_or_empty(text));
        }
        return 0;
}

static int cmd_update(Cli *cli, const Options *o, Error *reterr) {
        bool any = false;

        for (const Option *option = update_options; option->name; option++)
                any = any || options_given(o, option->name);
        if (!any)
                return error_set(reterr, ERROR_INVALID,
                        "you must provide one or more flags when using this command");
        return cli_for_each(cli, o, update_one, reterr);
}

/* clang-format off */
const Command update_commands[] = {
        { "container", "update", "update", "[OPTIONS] CONTAINER [CONTAINER...]", "Change limits and restart policy of one or more containers",
          update_options, 1, -1, false, 0, cmd_update, "container" },
        {}
};
/* clang-format on */
