/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/runtime/cgroup.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/json/fields.h"
#include "lib/oci/runtime-spec.h"

#define JOB_WAIT_USEC    (30 * USEC_PER_SEC)
#define SCOPE_TRIES      1000U
#define SCOPE_RETRY_USEC 2000U

#define SYSTEMD \
        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

/* libsystemd and what it needs cost half a millisecond of every start when they are linked. Only this manager uses them, and while
 * the child is busy: so they are loaded when they are needed, and only here. */
static struct {
        typeof(sd_bus_open_system) *open_system;
        typeof(sd_bus_match_signal_async) *match_signal_async;
        typeof(sd_bus_call) *call;
        typeof(sd_bus_process) *process;
        typeof(sd_bus_wait) *wait;
        typeof(sd_bus_flush_close_unref) *flush_close_unref;
        typeof(sd_bus_error_free) *error_free;
        typeof(sd_bus_message_new_method_call) *new_method_call;
        typeof(sd_bus_message_append) *append;
        typeof(sd_bus_message_append_array) *append_array;
        typeof(sd_bus_message_open_container) *open_container;
        typeof(sd_bus_message_close_container) *close_container;
        typeof(sd_bus_message_read) *read;
        typeof(sd_bus_message_unref) *unref;
} sd;

#define SYMBOL(member, name) \
        { (void **) &sd.member, #name }

static int load_library(Error *reterr) {
        static const struct {
                void **to;
                const char *name;
        } symbols[] = {
                SYMBOL(open_system, sd_bus_open_system),
                SYMBOL(match_signal_async, sd_bus_match_signal_async),
                SYMBOL(call, sd_bus_call),
                SYMBOL(process, sd_bus_process),
                SYMBOL(wait, sd_bus_wait),
                SYMBOL(flush_close_unref, sd_bus_flush_close_unref),
                SYMBOL(error_free, sd_bus_error_free),
                SYMBOL(new_method_call, sd_bus_message_new_method_call),
                SYMBOL(append, sd_bus_message_append),
                SYMBOL(append_array, sd_bus_message_append_array),
                SYMBOL(open_container, sd_bus_message_open_container),
                SYMBOL(close_container, sd_bus_message_close_container),
                SYMBOL(read, sd_bus_message_read),
                SYMBOL(unref, sd_bus_message_unref),
        };
        void *library;

        library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return error_set(reterr, ERROR_UNAVAILABLE,
                        "the systemd cgroup manager needs libsystemd: %s", dlerror());

        for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
                *symbols[i].to = dlsym(library, symbols[i].name);
                if (!*symbols[i].to)
                        return error_set(
                                reterr, ERROR_UNAVAILABLE, "libsystemd has no %s", symbols[i].name);
        }

        return 0;
}

static int systemd_plan(Cgroup *c, const char *id, Error *reterr) {
        const char *wanted = c->spec->cgroups_path, *prefix, *name;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_empty(wanted) ? str_printf(&text, ":stauer:%s", id) : str_copy(&text, wanted);
        if (r < 0)
                return r;

        prefix = strchr(text, ':');
        name = prefix ? strchr(prefix + 1, ':') : NULL;
        if (!name || strchr(name + 1, ':') || !name[1] || strchr(text, '/'))
                return error_set(reterr, ERROR_INVALID,
                        "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
                        "cgroups, got \"%s\" instead",
                        wanted);

        r = prefix > text ? str_copy_n(&c->slice, text, (size_t) (prefix - text))
                          : str_copy(&c->slice, "system.slice");
        if (r < 0)
                return r;
        if (!str_ends(c->slice, ".slice"))
                return error_set(
                        reterr, ERROR_INVALID, "cgroupsPath: \"%s\" is not a slice", c->slice);

        if (name > prefix + 1)
                r = str_printf(&c->scope, "%.*s-%s.scope", (int) (name - prefix - 1), prefix + 1,
                        name + 1);
        else
                r = str_printf(
                        &c->scope, "%s%s", name + 1, str_ends(name + 1, ".scope") ? "" : ".scope");
        if (r >= 0)
                r = str_printf(&c->description, "Container %s", id);
        return r;
}

typedef struct Job {
        const char *path; /* NULL: not known yet */
        char *removed; /* the last removed job and its result, in case the signal beats the answer */
        char *result;
} Job;

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *path, *unit, *result;
        Job *job = userdata;
        uint32_t id;

        if (sd.read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        (void) id;
        (void) unit;
        if (job->path && !streq(job->path, path))
                return 0;

        (void) str_copy(&job->removed, path);
        (void) str_copy(&job->result, result);
        return 0;
}

static int append_limit(sd_bus_message *m, const char *name, int64_t value) {
        if (value == JSON_NO_INT64 || value == 0)
                return 0;
        return sd.append(m, "(sv)", name, "t", value < 0 ? UINT64_MAX : (uint64_t) value);
}

/* A list of CPUs as systemd takes it: a bit each, the lowest first. */
static int append_cpus(sd_bus_message *m, const char *name, const char *list) {
        uint8_t bits[1024] = {};
        size_t size = 0;
        int r;

        for (const char *p = list; *p;) {
                char *end;
                unsigned long from = strtoul(p, &end, 10), to = from;

                if (end == p)
                        return -EINVAL;
                if (*end == '-')
                        to = strtoul(end + 1, &end, 10);
                if (from > to || to >= sizeof(bits) * 8)
                        return -EINVAL;
                for (unsigned long i = from; i <= to; i++)
                        bits[i / 8] |= (uint8_t) (1U << (i % 8));
                size = MAX(size, (size_t) (to / 8 + 1));
                p = end + strspn(end, ", \n");
        }

        r = sd.open_container(m, 'r', "sv");
        if (r >= 0)
                r = sd.append(m, "s", name);
        if (r >= 0)
                r = sd.open_container(m, 'v', "ay");
        if (r >= 0)
                r = sd.append_array(m, 'y', bits, size);
        if (r >= 0)
                r = sd.close_container(m);
        if (r >= 0)
                r = sd.close_container(m);
        return r;
}

static int append_cpu(sd_bus_message *m, const RuntimeCpu *cpu) {
        int r = 0;

        if (cpu->shares != JSON_NO_UINT64 && cpu->shares != 0)
                r = sd.append(m, "(sv)", "CPUWeight", "t", cgroup_weight_from_shares(cpu->shares));
        if (r >= 0 && cpu->quota != JSON_NO_INT64 && cpu->quota > 0) {
                uint64_t period =
                        cpu->period != JSON_NO_UINT64 && cpu->period ? cpu->period : 100000;

                r = sd.append(m, "(sv)", "CPUQuotaPerSecUSec", "t",
                        (uint64_t) cpu->quota * USEC_PER_SEC / period);
                if (r >= 0)
                        r = sd.append(m, "(sv)", "CPUQuotaPeriodUSec", "t", period);
        }
        if (r >= 0 && !str_empty(cpu->cpus))
                r = append_cpus(m, "AllowedCPUs", cpu->cpus);
        if (r >= 0 && !str_empty(cpu->mems))
                r = append_cpus(m, "AllowedMemoryNodes", cpu->mems);
        return r;
}

/* What systemd manages must be known to it, or it puts its own values back. All of it is written to the files as well. */
static int append_limits(sd_bus_message *m, const RuntimeResources *res) {
        int r = 0;

        if (res && res->memory) {
                const RuntimeMemory *mem = res->memory;

                r = append_limit(m, "MemoryMax", mem->limit);
                if (r >= 0)
                        r = append_limit(m, "MemoryLow", mem->reservation);
                if (r >= 0 && mem->swap != JSON_NO_INT64 && mem->swap > 0 && mem->limit > 0)
                        r = sd.append(m, "(sv)", "MemorySwapMax", "t",
                                (uint64_t) (mem->swap - mem->limit));
        }
        if (r >= 0 && res && res->cpu)
                r = append_cpu(m, res->cpu);
        if (r >= 0 && res && res->pids)
                r = append_limit(m, "TasksMax", res->pids->limit);
        if (r >= 0 && res && res->block_io && res->block_io->weight != JSON_NO_UINT16 &&
                res->block_io->weight != 0)
                r = sd.append(m, "(sv)", "IOWeight", "t", cgroup_io_weight(res->block_io->weight));
        return r;
}

static int append_properties(sd_bus_message *m, const Cgroup *c, pid_t pid) {
        int r;

        r = sd.append(m, "ss", c->scope, "replace");
        if (r >= 0)
                r = sd.open_container(m, 'a', "(sv)");
        if (r >= 0)
                r = sd.append(m, "(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", c->description,
                        "Slice", "s", c->slice, "Delegate", "b", 1, "DefaultDependencies", "b", 0,
                        "CollectMode", "s", "inactive-or-failed", "PIDs", "au", 1, (uint32_t) pid);
        if (r >= 0)
                r = append_limits(m, c->spec->resources);
        if (r >= 0)
                r = sd.close_container(m);
        if (r >= 0)
                r = sd.append(m, "a(sa(sv))", 0);
        return r;
}

static int wait_job(sd_bus *bus, Job *job, Error *reterr) {
        uint64_t end = usec_add(clock_monotonic_us(), JOB_WAIT_USEC);

        for (;;) {
                uint64_t now;
                int r;

                if (job->removed && streq(job->removed, job->path))
                        return streq(job->result, "done")
                                     ? 0
                                     : error_set(reterr, ERROR_INTERNAL,
                                               "systemd did not make the scope: %s", job->result);

                r = sd.process(bus, NULL);
                if (r > 0)
                        continue;
                now = clock_monotonic_us();
                if (r >= 0 && now >= end)
                        r = -ETIMEDOUT;
                if (r >= 0)
                        r = sd.wait(bus, end - now);
                if (r < 0)
                        return error_set_errno(reterr, r, "wait for systemd to make the scope");
        }
}

static int start_unit(
        sd_bus *bus, const Cgroup *c, pid_t pid, sd_bus_message **ret, sd_bus_error *reterr) {
        sd_bus_message *m = NULL;
        int r;

        r = sd.new_method_call(bus, &m, SYSTEMD, "StartTransientUnit");
        if (r >= 0)
                r = append_properties(m, c, pid);
        if (r >= 0)
                r = sd.call(bus, m, JOB_WAIT_USEC, reterr, ret);
        sd.unref(m);
        return r;
}

/* The scope of a container that has just ended goes a moment after its last process, by itself; nobody waits for that when a
 * container is deleted, so a new one with the same name may have to. */
static int call_systemd(sd_bus *bus, const Cgroup *c, pid_t pid, Job *job, Error *reterr) {
        sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd.match_signal_async(bus, NULL, SYSTEMD, "JobRemoved", on_job_removed, NULL, job);
        for (unsigned i = 0; r >= 0 && !reply; i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                bool leaving;

                r = start_unit(bus, c, pid, &reply, &e);
                leaving = r < 0 && e.name && streq(e.name, "org.freedesktop.systemd1.UnitExists") &&
                          i < SCOPE_TRIES;
                if (leaving) {
                        (void) usleep(SCOPE_RETRY_USEC);
                        r = 0;
                } else if (r < 0)
                        (void) error_set(reterr, error_kind_from_errno(r),
                                "systemd did not make the scope %s: %s", c->scope,
                                e.message ?: strerror(-r));
                sd.error_free(&e);
        }

        if (r >= 0)
                r = sd.read(reply, "o", &path);
        if (r >= 0) {
                job->path = path;
                r = wait_job(bus, job, reterr);
        }
        sd.unref(reply);
        return r;
}

/* Where systemd put the process. */
static int find_cgroup(Cgroup *c, pid_t pid, Error *reterr) {
        _cleanup_(freep) char *text = NULL, *file = NULL;
        const char *line;
        int r;

        r = str_printf(&file, "/proc/%d/cgroup", (int) pid);
        if (r >= 0)
                r = file_read(file, 65536, &text, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "read the cgroup of the container");

        line = str_starts(text, "0::");
        if (!line) {
                line = strstr(text, "\n0::");
                line = line ? line + STRLEN("\n0::") : NULL;
        }
        if (!line || !strstr(line, c->scope))
                return error_set(
                        reterr, ERROR_INTERNAL, "the container is not in the scope %s", c->scope);

        r = str_copy_n(&c->path, line, strcspn(line, "\n"));
        if (r < 0)
                return r;
        c->fd = cgroup_open(c->path, reterr);
        return c->fd < 0 ? error_set_errno(reterr, c->fd, "open the cgroup %s", c->path) : 0;
}

static int systemd_enter(Cgroup *c, pid_t pid, Error *reterr) {
        sd_bus *bus = NULL;
        Job job = {};
        int r;

        r = load_library(reterr);
        if (r < 0)
                return r;
        r = sd.open_system(&bus);
        if (r < 0)
                return error_set_errno(reterr, r, "connect to the system bus");

        r = call_systemd(bus, c, pid, &job, reterr);
        (void) sd.flush_close_unref(bus);
        free(job.removed);
        free(job.result);
        return r < 0 ? r : find_cgroup(c, pid, reterr);
}

/* An empty scope goes by itself; cgroups that the container made in it would keep it. Its own folder is systemd's: without it the
 * news that it is empty would not come. */
static int systemd_remove(const char *path, const char *scope, Error *reterr) {
        return cgroup_remove_below(path, reterr);
}

const CgroupManager cgroup_manager_systemd = {
        .name = "systemd",
        .plan = systemd_plan,
        .enter = systemd_enter,
        .remove = systemd_remove,
};
