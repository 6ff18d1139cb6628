/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "service/monitor/exec-process.h"

#include "lib/api/exec-spec.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "service/monitor/bundle.h"

static int read_env(const Json *process, bool home_is_ours, char ***ret) {
        const Json *env = json_get(process, "env");
        int r = 0;

        for (size_t i = 0; r >= 0 && i < json_count(env); i++) {
                const char *entry = json_to_text(json_at(env, i));

                if (!entry || (home_is_ours && str_starts(entry, "HOME=")))
                        continue;
                r = strv_add(ret, entry);
        }
        return r;
}

/* "KEY" alone removes it. */
static int set_env(Json *process, const ExecSpec *spec, bool home_is_ours) {
        _cleanup_(strv_freep) char **env = NULL;
        int r;

        r = read_env(process, home_is_ours, &env);
        if (r >= 0 && spec->tty && !strv_env_get(env, "TERM"))
                r = strv_env_set(&env, "TERM", "xterm");
        STRV_FOREACH (entry, spec->env) {
                const char *equals = strchr(*entry, '=');
                _cleanup_(freep) char *key = NULL;

                if (r < 0)
                        return r;
                r = str_copy_n(&key, *entry, equals ? (size_t) (equals - *entry) : strlen(*entry));
                if (r >= 0 && key[0])
                        r = strv_env_set(&env, key, equals ? equals + 1 : NULL);
        }
        return r < 0 ? r : json_set_strv(process, "env", env);
}

static int set_capabilities(Json *process, char *const *capabilities) {
        static const char *const sets[] = { "bounding", "effective", "permitted" };
        Json *object;
        int r;

        if (!capabilities)
                return 0;
        r = json_set_new_object(process, "capabilities", &object);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sets); i++)
                r = json_set_strv(object, sets[i], capabilities);
        return r;
}

static int set_terminal(Json *process, const ExecSpec *spec) {
        Json *size;
        int r;

        json_unset(process, "consoleSize");
        r = json_set_bool(process, "terminal", spec->tty);
        if (r < 0 || !spec->tty || spec->n_console_size != 2 || spec->console_size[0] == 0 ||
                spec->console_size[1] == 0)
                return r;
        r = json_set_new_object(process, "consoleSize", &size);
        if (r >= 0)
                r = json_set_int64(size, "height", spec->console_size[0]);
        if (r >= 0)
                r = json_set_int64(size, "width", spec->console_size[1]);
        return r;
}

int exec_process_make(Json *config, const ExecSpec *spec, const UserIdentity *user,
        char *const *capabilities, bool home_is_ours, char **ret) {
        Json *process = json_get(config, "process");
        int r;

        if (json_type_of(process) != JSON_TYPE_OBJECT)
                return -EBADMSG;

        r = json_set_strv(process, "args", spec->cmd);
        if (r >= 0 && !str_empty(spec->working_dir))
                r = json_set_text(process, "cwd", spec->working_dir);
        if (spec->privileged)
                json_unset(process, "apparmorProfile"); /* as we are: unconfined */
        if (r >= 0)
                r = set_terminal(process, spec);
        if (r >= 0)
                r = set_capabilities(process, capabilities);
        if (r >= 0)
                r = set_env(process, spec, home_is_ours);
        if (r >= 0)
                r = bundle_set_user(process, user);
        return r < 0 ? r : json_print(process, JSON_COMPACT, ret);
}
