/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/oci/runtime-spec.h"

#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

const JsonField runtime_root_fields[] = {
        JSON_STRING("path",     RuntimeRoot, path,     JSON_MANDATORY),
        JSON_BOOL  ("readonly", RuntimeRoot, readonly, JSON_OMIT_EMPTY),
        {}
};

const JsonField runtime_mount_fields[] = {
        JSON_STRING("destination", RuntimeMount, destination, JSON_MANDATORY),
        JSON_STRING("type",        RuntimeMount, type,        JSON_OMIT_EMPTY),
        JSON_STRING("source",      RuntimeMount, source,      JSON_OMIT_EMPTY),
        JSON_STRV  ("options",     RuntimeMount, options,     OPTIONAL),
        JSON_ARRAY("uidMappings", RuntimeMount, uid_mappings, n_uid_mappings, RuntimeIdMapping,
                   runtime_id_mapping_fields, OPTIONAL),
        JSON_ARRAY("gidMappings", RuntimeMount, gid_mappings, n_gid_mappings, RuntimeIdMapping,
                   runtime_id_mapping_fields, OPTIONAL),
        {}
};

static const JsonField hook_fields[] = {
        JSON_STRING("path",    RuntimeHook, path,    JSON_MANDATORY),
        JSON_STRV  ("args",    RuntimeHook, args,    OPTIONAL),
        JSON_STRV  ("env",     RuntimeHook, env,     OPTIONAL),
        JSON_INT   ("timeout", RuntimeHook, timeout, OPTIONAL),
        {}
};

#define HOOKS(name, member) \
        JSON_ARRAY(name, RuntimeHooks, member, n_##member, RuntimeHook, hook_fields, OPTIONAL)

const JsonField runtime_hooks_fields[] = {
        HOOKS("prestart",        prestart),
        HOOKS("createRuntime",   create_runtime),
        HOOKS("createContainer", create_container),
        HOOKS("startContainer",  start_container),
        HOOKS("poststart",       poststart),
        HOOKS("poststop",        poststop),
        {}
};

const JsonField runtime_spec_fields[] = {
        JSON_STRING("ociVersion", RuntimeSpec, oci_version, JSON_MANDATORY),
        JSON_NESTED_PTR("process", RuntimeSpec, process, runtime_process_fields, JSON_OMIT_EMPTY),
        JSON_NESTED_PTR("root",    RuntimeSpec, root,    runtime_root_fields,    JSON_OMIT_EMPTY),
        JSON_STRING("hostname",   RuntimeSpec, hostname,   JSON_OMIT_EMPTY),
        JSON_STRING("domainname", RuntimeSpec, domainname, JSON_OMIT_EMPTY),
        JSON_ARRAY("mounts", RuntimeSpec, mounts, n_mounts, RuntimeMount, runtime_mount_fields, OPTIONAL),
        JSON_NESTED_PTR("hooks", RuntimeSpec, hooks, runtime_hooks_fields, JSON_OMIT_EMPTY),
        JSON_MAP("annotations", RuntimeSpec, annotations, OPTIONAL),
        JSON_NESTED_PTR("linux", RuntimeSpec, linux_, runtime_linux_fields, JSON_OMIT_EMPTY),
        {}
};

const JsonField runtime_state_fields[] = {
        JSON_STRING("ociVersion",  RuntimeState, oci_version, JSON_MANDATORY),
        JSON_STRING("id",          RuntimeState, id,          JSON_MANDATORY),
        JSON_STRING("status",      RuntimeState, status,      JSON_MANDATORY),
        JSON_INT   ("pid",         RuntimeState, pid,         JSON_OMIT_EMPTY),
        JSON_STRING("bundle",      RuntimeState, bundle,      0),
        JSON_MAP   ("annotations", RuntimeState, annotations, OPTIONAL),
        {}
};

/* clang-format on */

void *runtime_part_new_internal(size_t size, const JsonField *fields) {
        void *part = alloc_array0(1, size);

        if (part)
                fields_init(fields, part);
        return part;
}

void runtime_spec_init(RuntimeSpec *s) {
        *s = (RuntimeSpec) {};
        fields_init(runtime_spec_fields, s);
}

void runtime_spec_done(RuntimeSpec *s) {
        fields_done(runtime_spec_fields, s);
}

void runtime_state_done(RuntimeState *s) {
        fields_done(runtime_state_fields, s);
}

/* "linux" may be absent by the letter of the specification, but then there is nothing for us to
 * do. */
static int check(const RuntimeSpec *s, Error *reterr) {
        if (!str_starts(s->oci_version, "1."))
                return error_set(reterr, ERROR_INVALID,
                        "ociVersion: \"%s\" is not supported, only 1.x", s->oci_version);
        if (!s->root)
                return error_set(reterr, ERROR_INVALID, "root: is missing");
        if (!s->linux_)
                return error_set(reterr, ERROR_INVALID, "linux: is missing");

        return 0;
}

int runtime_spec_read(Json *v, RuntimeSpec *ret, Error *reterr) {
        RuntimeSpec s;
        int r;

        assert(v);
        assert(ret);

        runtime_spec_init(&s);
        r = json_read_with(v, runtime_spec_fields, &s, JSON_READ_NULLS, reterr);
        if (r >= 0)
                r = check(&s, reterr);
        if (r < 0) {
                runtime_spec_done(&s);
                return r;
        }

        *ret = s;
        return 0;
}
