/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/oci/cdi-spec.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/yaml-parse.h"

#define NAME_MAX_ 255u
#define OPTIONAL  (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

static const JsonField node_fields[] = {
        JSON_STRING("path",        CdiNode, path,        JSON_MANDATORY),
        JSON_STRING("hostPath",    CdiNode, host_path,   OPTIONAL),
        JSON_STRING("type",        CdiNode, type,        OPTIONAL),
        JSON_INT64 ("major",       CdiNode, major,       0),
        JSON_INT64 ("minor",       CdiNode, minor,       0),
        JSON_UINT32("fileMode",    CdiNode, file_mode,   OPTIONAL),
        JSON_STRING("permissions", CdiNode, permissions, OPTIONAL),
        JSON_UINT32("uid",         CdiNode, uid,         OPTIONAL),
        JSON_UINT32("gid",         CdiNode, gid,         OPTIONAL),
        {}
};

static const JsonField mount_fields[] = {
        JSON_STRING("hostPath",      CdiMount, host_path,      JSON_MANDATORY),
        JSON_STRING("containerPath", CdiMount, container_path, JSON_MANDATORY),
        JSON_STRING("type",          CdiMount, type,           OPTIONAL),
        JSON_STRV  ("options",       CdiMount, options,        OPTIONAL),
        {}
};

static const JsonField hook_fields[] = {
        JSON_STRING("hookName", CdiHook, name,    JSON_MANDATORY),
        JSON_STRING("path",     CdiHook, path,    JSON_MANDATORY),
        JSON_STRV  ("args",     CdiHook, args,    OPTIONAL),
        JSON_STRV  ("env",      CdiHook, env,     OPTIONAL),
        JSON_INT   ("timeout",  CdiHook, timeout, OPTIONAL),
        {}
};

static const JsonField edits_fields[] = {
        JSON_STRV ("env",         CdiEdits, env,    OPTIONAL),
        JSON_ARRAY("deviceNodes", CdiEdits, nodes,  n_nodes,  CdiNode,  node_fields,  OPTIONAL),
        JSON_ARRAY("mounts",      CdiEdits, mounts, n_mounts, CdiMount, mount_fields, OPTIONAL),
        JSON_ARRAY("hooks",       CdiEdits, hooks,  n_hooks,  CdiHook,  hook_fields,  OPTIONAL),
        JSON_UINT32_LIST("additionalGids", CdiEdits, gids, n_gids, OPTIONAL),
        {}
};

static const JsonField device_fields[] = {
        JSON_STRING("name",           CdiDevice, name,  JSON_MANDATORY),
        JSON_NESTED("containerEdits", CdiDevice, edits, edits_fields, JSON_NULLABLE),
        {}
};

static const JsonField spec_fields[] = {
        JSON_STRING("cdiVersion",     CdiSpec, version, JSON_MANDATORY),
        JSON_STRING("kind",           CdiSpec, kind,    JSON_MANDATORY),
        JSON_NESTED("containerEdits", CdiSpec, edits,   edits_fields, JSON_NULLABLE),
        JSON_ARRAY ("devices",        CdiSpec, devices, n_devices, CdiDevice, device_fields, OPTIONAL),
        {}
};

/* clang-format on */

void cdi_spec_done(CdiSpec *s) {
        fields_done(spec_fields, s);
}

/* ---- names ---- */

static bool is_alnum(char c) {
        return isalnum((unsigned char) c);
}

/* Letters, digits and some of others, but not at the ends. */
static bool is_word(const char *s, size_t n, const char *others, bool letter_first) {
        if (n == 0 || n > NAME_MAX_ || !is_alnum(s[n - 1]) || !is_alnum(s[0]) ||
                (letter_first && !isalpha((unsigned char) s[0])))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!is_alnum(s[i]) && !strchr(others, s[i]))
                        return false;
        return true;
}

static bool kind_is_valid(const char *s, size_t n) {
        const char *slash = memchr(s, '/', n);
        size_t vendor = slash ? (size_t) (slash - s) : 0;

        return slash && is_word(s, vendor, "_-.", true) &&
               is_word(slash + 1, n - vendor - 1, "_-.", true);
}

static bool device_is_valid(const char *s) {
        return is_word(s, strlen(s), "_-.:", false);
}

bool cdi_name_is_valid(const char *qualified) {
        const char *equals = strchr(qualified, '=');

        return equals && kind_is_valid(qualified, (size_t) (equals - qualified)) &&
               device_is_valid(equals + 1);
}

/* ---- checks ---- */

static int check_nodes(const CdiEdits *e, Error *reterr) {
        for (size_t i = 0; i < e->n_nodes; i++) {
                const CdiNode *n = e->nodes + i;
                const char *permissions = str_or(n->permissions, "rwm");

                if (!path_is_absolute(n->path) ||
                        (!str_empty(n->host_path) && !path_is_absolute(n->host_path)))
                        return error_set(reterr, ERROR_INVALID,
                                "device node \"%s\": its paths must be absolute", n->path);
                if (!STR_IN_SET(str_or_empty(n->type), "", "b", "c", "u"))
                        return error_set(reterr, ERROR_INVALID,
                                "device node \"%s\": type \"%s\" is not supported", n->path,
                                n->type);
                if (strspn(permissions, "rwm") != strlen(permissions))
                        return error_set(reterr, ERROR_INVALID,
                                "device node \"%s\": permissions \"%s\" are not of r, w and m",
                                n->path, n->permissions);
        }
        return 0;
}

static int check_mounts(const CdiEdits *e, Error *reterr) {
        for (size_t i = 0; i < e->n_mounts; i++) {
                const CdiMount *m = e->mounts + i;

                if (str_empty(m->host_path) || !path_is_absolute(m->container_path))
                        return error_set(reterr, ERROR_INVALID,
                                "mount at \"%s\": hostPath or containerPath is no path",
                                m->container_path);
        }
        return 0;
}

static int check_hooks(const CdiEdits *e, Error *reterr) {
        for (size_t i = 0; i < e->n_hooks; i++) {
                const CdiHook *h = e->hooks + i;

                if (!STR_IN_SET(h->name, "prestart", "createRuntime", "createContainer",
                            "startContainer", "poststart", "poststop"))
                        return error_set(reterr, ERROR_INVALID, "unknown hook \"%s\"", h->name);
                if (!path_is_absolute(h->path))
                        return error_set(reterr, ERROR_INVALID,
                                "hook \"%s\": \"%s\" is no absolute path", h->name, h->path);
                STRV_FOREACH (env, h->env)
                        if (!strchr(*env, '='))
                                return error_set(reterr, ERROR_INVALID,
                                        "hook \"%s\": \"%s\" is no variable", h->name, *env);
        }
        return 0;
}

static int check_edits(const CdiEdits *e, Error *reterr) {
        int r;

        STRV_FOREACH (env, e->env)
                if (!strchr(*env, '=') || **env == '=')
                        return error_set(reterr, ERROR_INVALID, "\"%s\" is no variable", *env);
        r = check_nodes(e, reterr);
        if (r >= 0)
                r = check_mounts(e, reterr);
        return r < 0 ? r : check_hooks(e, reterr);
}

static int check_spec(const CdiSpec *s, Error *reterr) {
        int r;

        if (!str_starts(s->version, "0.") && !str_starts(s->version, "1."))
                return error_set(
                        reterr, ERROR_INVALID, "cdiVersion \"%s\" is not known", s->version);
        if (!kind_is_valid(s->kind, strlen(s->kind)))
                return error_set(reterr, ERROR_INVALID,
                        "kind \"%s\" is not of the form vendor/class", s->kind);
        if (s->n_devices == 0 || s->n_devices > CDI_DEVICES_MAX)
                return error_set(reterr, ERROR_INVALID, "no device, or more than %u of them",
                        CDI_DEVICES_MAX);
        r = check_edits(&s->edits, reterr);
        for (size_t i = 0; r >= 0 && i < s->n_devices; i++) {
                const CdiDevice *d = s->devices + i;

                if (!device_is_valid(d->name))
                        return error_set(
                                reterr, ERROR_INVALID, "\"%s\" is no name of a device", d->name);
                for (size_t k = 0; k < i; k++)
                        if (streq(s->devices[k].name, d->name))
                                return error_set(reterr, ERROR_INVALID,
                                        "device \"%s\" is there twice", d->name);
                r = check_edits(&d->edits, reterr);
        }
        return r;
}

/* ---- reading ---- */

/* What we do not know changes nothing in a container; this would, and we cannot. */
static int check_unknown(const Json *edits, Error *reterr) {
        static const char *const unknown[] = { "intelRdt", "netDevices" };

        for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
                if (!json_is_null(json_get(edits, unknown[i])))
                        return error_set(reterr, ERROR_INVALID, "%s is not supported", unknown[i]);
        return 0;
}

/* In YAML people write  name: 0  and mean the text. */
static int mend_names(Json *devices, Error *reterr) {
        const char *key;
        Json *device;
        int r = 0;

        JSON_FOREACH (key, device, devices) {
                int64_t number;

                (void) key;
                if (r >= 0)
                        r = check_unknown(json_get(device, "containerEdits"), reterr);
                if (r >= 0 && json_to_int64(json_get(device, "name"), &number) >= 0)
                        r = json_set_textf(device, "name", "%lld", (long long) number);
        }
        return r;
}

int cdi_spec_parse(const char *text, size_t size, bool yaml, CdiSpec *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        CdiSpec s = {};
        int r;

        assert(text);
        assert(ret);

        r = yaml ? yaml_parse(text, size, CDI_SPEC_SIZE_MAX, &v, reterr)
                 : json_parse(text, size, CDI_SPEC_SIZE_MAX, &v, reterr);
        if (r >= 0)
                r = check_unknown(json_get(v, "containerEdits"), reterr);
        if (r >= 0)
                r = mend_names(json_get(v, "devices"), reterr);
        if (r < 0)
                return r;
        fields_init(spec_fields, &s);
        r = json_read(v, spec_fields, &s, reterr);
        if (r >= 0)
                r = check_spec(&s, reterr);
        if (r < 0) {
                cdi_spec_done(&s);
                return r;
        }
        *ret = s;
        return 0;
}
