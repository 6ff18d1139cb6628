/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings.h"

#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "config/daemon-json.h"
#include "config/env-value.h"
#include "config/option-string.h"
#include "config/settings-apply.h"
#include "config/settings-table.h"
#include "config/sysconfig.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "stauer-config.h"

int settings_new(Settings **ret) {
        _cleanup_(settings_freep) Settings *s = NULL;
        int r;

        assert(ret);

        s = new0(Settings, 1);
        if (!s)
                return -ENOMEM;

        s->given = new0(uint64_t, settings_table_size / 64 + 1);
        if (!s->given)
                return -ENOMEM;

        /* The table says what the defaults are; a list that nobody filled is empty. */
        for (size_t i = 0; i < settings_table_size; i++) {
                const Setting *row = settings_table + i;

                if (!row->store || row->alias_of || row->default_text[0] == 0 ||
                        row->flags & SETTING_MULTI)
                        continue;
                r = row->store(s, row, row->default_text, NULL);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

Settings *settings_free(Settings *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_runtimes; i++) {
                free(s->runtimes[i].name);
                free(s->runtimes[i].path);
        }
        for (size_t i = 0; i < s->n_default_ulimits; i++)
                free(s->default_ulimits[i].name);

        free(s->sysconfig_file);
        free(s->config_file);
        free(s->lens_dir);
        free(s->configd);
        free(s->data_root);
        free(s->exec_root);
        strv_free(s->hosts);
        free(s->group);
        free(s->tls_authorities);
        free(s->tls_certificate);
        free(s->tls_key);
        strv_free(s->labels);
        free(s->seccomp_profile);
        free(s->storage_driver);
        strv_free(s->storage_opts);
        strv_free(s->insecure_registries);
        strv_free(s->registry_mirrors);
        free(s->http_proxy);
        free(s->https_proxy);
        free(s->no_proxy);
        free(s->bridge);
        free(s->bip);
        free(s->bip6);
        free(s->fixed_cidr);
        free(s->fixed_cidr6);
        free(s->gateway4);
        free(s->gateway6);
        free(s->publish_ip);
        strv_free(s->address_pools);
        strv_free(s->network_opts);
        strv_free(s->dns);
        strv_free(s->dns_opts);
        strv_free(s->dns_search);
        strv_free(s->host_gateway_ips);
        free(s->cgroup_parent);
        free(s->log_driver);
        strv_free(s->log_opts);
        free(s->default_ipc_mode);
        free(s->default_cgroupns_mode);
        free(s->init_path);
        free(s->default_runtime);
        free(s->runtimes);
        free(s->default_ulimits);
        strv_free(s->cdi_dirs);
        strv_free(s->features);
        strv_free(s->warnings);
        free(s->given);
        return mfree(s);
}

bool settings_was_given(const Settings *s, const char *option) {
        const Setting *row = setting_find(option) ?: setting_find_json(option);
        size_t i;

        if (!row)
                return false;
        i = setting_index(row);
        return s->given[i / 64] & (UINT64_C(1) << (i % 64));
}

static int apply_variable(Settings *s, const Sysconfig *file, const char *name, Error *reterr) {
        _cleanup_(option_string_done) OptionString words = {};
        _cleanup_(env_value_done) EnvValue value = {};
        const SysconfigEntry *e;
        int r;

        e = sysconfig_find(file, name);
        if (!e)
                return 0;

        r = env_value_decode(e->raw, &value);
        if (r == -EBADMSG)
                return error_set(reterr, ERROR_INVALID,
                        "%s, line %u: the value of %s is not UTF-8 text", file->path, e->line,
                        name);
        if (r < 0)
                return r;
        if (value.trailing_comment)
                return error_set(reterr, ERROR_INVALID,
                        "%s, line %u: the comment behind %s would be part of its value; put it on "
                        "a line of its own",
                        file->path, e->line, name);

        r = option_string_parse(value.text, &words);
        if (r < 0)
                return error_set_errno(reterr, r, "%s, line %u: %s cannot be split into words",
                        file->path, e->line, name);

        return settings_apply(s, &words, &(SettingsSource) { file->path, e, &value },
                SETTINGS_APPLY_FILE, reterr);
}

/* `export NAME=` is fine for a shell, and a line that systemd skips. */
static int warn_skipped(Settings *s, const Sysconfig *file) {
        int r;

        for (size_t i = 0; i < file->n_entries; i++) {
                const SysconfigEntry *e = file->entries + i;

                if (!streq(e->name, "#other") || !strstr(e->raw, "DOCKER_OPTS"))
                        continue;
                r = strv_addf(&s->warnings,
                        "%s, line %u: \"%s\" is not of the form NAME=\"value\", ignoring",
                        file->path, e->line, e->raw);
                if (r < 0)
                        return r;
        }
        return 0;
}

int settings_apply_sysconfig(Settings *s, const Sysconfig *file, Error *reterr) {
        int r;

        r = warn_skipped(s, file);
        if (r < 0)
                return r;
        /* In the order of SUSE's unit file. */
        r = apply_variable(s, file, "DOCKER_NETWORK_OPTIONS", reterr);
        if (r < 0)
                return r;
        return apply_variable(s, file, "DOCKER_OPTS", reterr);
}

static int normalise(char **path) {
        _cleanup_(freep) char *clean = NULL;
        int r;

        r = path_normalise(*path, &clean);
        if (r < 0)
                return r;
        free(*path);
        *path = TAKE_PTR(clean);
        return 0;
}

int settings_finish(Settings *s, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (s->debug)
                s->log_level = LOG_DEBUG;
        if (str_empty(s->storage_driver))
                s->storage_driver = mfree(s->storage_driver);
        if (str_empty(s->cgroup_parent)) {
                r = str_copy(&s->cgroup_parent, "machine.slice");
                if (r < 0)
                        return r;
        }

        r = normalise(&s->data_root);
        if (r < 0)
                return r;
        r = normalise(&s->exec_root);
        if (r < 0)
                return r;
        if (streq(s->data_root, "/") || streq(s->exec_root, "/"))
                return error_set(reterr, ERROR_INVALID,
                        "--data-root and --exec-root must not be the root folder");
        if (path_is_below(s->data_root, s->exec_root) || path_is_below(s->exec_root, s->data_root))
                return error_set(reterr, ERROR_INVALID,
                        "--data-root %s and --exec-root %s must not be inside each other",
                        s->data_root, s->exec_root);

        if (streq(s->default_runtime, SETTINGS_DEFAULT_RUNTIME))
                return 0;
        r = settings_find_runtime(s, NULL, &path, reterr);
        return r < 0 ? error_prefix(reterr, r, "--default-runtime") : 0;
}

int settings_load(
        int argc, char *const *argv, settings_reader_t reader, Settings **ret, Error *reterr) {
        _cleanup_(option_string_done) OptionString words = {};
        _cleanup_(sysconfig_freep) Sysconfig *file = NULL;
        _cleanup_(settings_freep) Settings *s = NULL;
        const SettingsSource line = {};
        int r;

        assert(reader);
        assert(ret);

        r = settings_new(&s);
        if (r < 0)
                return r;
        r = option_string_from_words(argv + 1, argc > 1 ? (size_t) argc - 1 : 0, &words);
        if (r < 0)
                return r;

        /* First what says which file to read, or that none is needed. */
        r = settings_apply(s, &words, &line, SETTINGS_APPLY_COMMAND_LINE_FIRST, reterr);
        if (r < 0)
                return r;
        if (s->verb != SETTINGS_HELP && s->verb != SETTINGS_VERSION) {
                r = reader(s, &file, reterr);
                if (r < 0)
                        return r;
                if (!file->exists && settings_was_given(s, "sysconfig-file"))
                        return error_set(reterr, ERROR_NOT_FOUND,
                                "--sysconfig-file: there is no file %s", s->sysconfig_file);
                r = settings_apply_sysconfig(s, file, reterr);
                if (r < 0)
                        return r;
                r = settings_apply(s, &words, &line, SETTINGS_APPLY_COMMAND_LINE, reterr);
                if (r < 0)
                        return r;
                r = daemon_json_apply(s, reterr);
                if (r < 0)
                        return r;
                r = settings_finish(s, reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(s);
        return 0;
}

#define SWAP(a, b)                            \
        do {                                  \
                typeof(a) _swap_value_ = (a); \
                (a) = (b);                    \
                (b) = _swap_value_;           \
        } while (0)

void settings_take_live(Settings *s, Settings *fresh) {
        assert(s);
        assert(fresh);

        SWAP(s->debug, fresh->debug);
        SWAP(s->log_level, fresh->log_level);
        SWAP(s->labels, fresh->labels);
        SWAP(s->default_shm_size, fresh->default_shm_size);
        SWAP(s->default_ipc_mode, fresh->default_ipc_mode);
        SWAP(s->default_cgroupns_mode, fresh->default_cgroupns_mode);
        SWAP(s->default_runtime, fresh->default_runtime);
        SWAP(s->runtimes, fresh->runtimes);
        SWAP(s->n_runtimes, fresh->n_runtimes);
        SWAP(s->insecure_registries, fresh->insecure_registries);
        SWAP(s->features, fresh->features);
        SWAP(s->registry_mirrors, fresh->registry_mirrors);
        SWAP(s->max_downloads, fresh->max_downloads);
        SWAP(s->max_attempts, fresh->max_attempts);
}

static int find_program(const char *name, char **ret) {
        static const char *const folders[] = { PKGLIBEXECDIR, "/usr/local/sbin", "/usr/local/bin",
                "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                _cleanup_(freep) char *path = NULL;

                path = path_join(folders[i], name);
                if (!path)
                        return -ENOMEM;
                if (access(path, X_OK) >= 0) {
                        *ret = TAKE_PTR(path);
                        return 0;
                }
        }
        return -ENOENT;
}

static int check_program(const char *name, const char *path, char **ret, Error *reterr) {
        int r;

        if (path[0] != '/')
                r = find_program(path, ret);
        else if (access(path, X_OK) < 0)
                r = -errno;
        else
                return str_printf(ret, "%s", path);

        if (r == -ENOMEM || r >= 0)
                return r;
        return error_set(reterr, ERROR_NOT_FOUND, "the program %s of runtime \"%s\" is not there",
                path, name);
}

int settings_find_runtime(const Settings *s, const char *name, char **ret_path, Error *reterr) {
        assert(s);
        assert(ret_path);

        if (str_empty(name))
                name = s->default_runtime;

        for (size_t i = 0; i < s->n_runtimes; i++)
                if (streq(s->runtimes[i].name, name))
                        return check_program(name, s->runtimes[i].path, ret_path, reterr);

        if (streq(name, SETTINGS_DEFAULT_RUNTIME))
                return check_program(name, "stauer-runtime", ret_path, reterr);
        if (STR_IN_SET(name, "runc", "crun", "youki"))
                return check_program(name, name, ret_path, reterr);

        return error_set(reterr, ERROR_NOT_FOUND,
                "unknown runtime \"%s\"; use %s, runc, crun or one that --add-runtime %s=PATH adds",
                name, SETTINGS_DEFAULT_RUNTIME, name);
}

char *const *settings_cdi_dirs(const Settings *s) {
        static char *const usual[] = { (char *) "/etc/cdi", (char *) "/var/run/cdi", NULL };
        const char *feature = pairs_get(s->features, "cdi");
        bool on = true;

        if (feature && parse_bool(feature, &on) >= 0 && !on)
                return NULL;
        if (strv_empty(s->cdi_dirs))
                return usual;
        return s->cdi_dirs[0][0] == '\0' && !s->cdi_dirs[1] ? NULL : s->cdi_dirs;
}

int settings_find_init(const Settings *s, char **ret_path, Error *reterr) {
        const char *path;
        int r;

        assert(s);
        assert(ret_path);

        path = str_empty(s->init_path) ? "stauer-init" : s->init_path;
        r = path[0] == '/' ? str_copy(ret_path, path) : find_program(path, ret_path);
        if (r >= 0 && access(*ret_path, X_OK) < 0) {
                r = -errno;
                *ret_path = mfree(*ret_path);
        }
        if (r >= 0 || r == -ENOMEM)
                return r;
        return error_set(reterr, ERROR_NOT_FOUND, "failed to locate init binary %s", path);
}
