/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/task-spec.h"

#include "lib/api/mount-source.h"

static const char *const task_kind_table[_TASK_KIND_MAX] = {
        [TASK_LOAD] = "load",
        [TASK_PULL] = "pull",
        [TASK_IMPORT] = "import",
        [TASK_LAYER_CREATE] = "layer-create",
        [TASK_UNMOUNT_VOLUMES] = "unmount-volumes",
        [TASK_LAYER_REMOVE] = "layer-remove",
        [TASK_MEASURE] = "measure",
        [TASK_CHECK_SOURCES] = "check-sources",
        [TASK_COPY_UP] = "copy-up",
        [TASK_COPY_STAT] = "copy-stat",
        [TASK_COPY_OUT] = "copy-out",
        [TASK_COPY_IN] = "copy-in",
        [TASK_EXPORT] = "export",
        [TASK_CHANGES] = "changes",
        [TASK_COMMIT] = "commit",
        [TASK_BUILD_CONTEXT] = "build-context",
        [TASK_BUILD_DIGEST] = "build-digest",
        [TASK_BUILD_COPY] = "build-copy",
        [TASK_NETNS] = "netns",
};

#define EMPTY    JSON_OMIT_EMPTY
#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

static const JsonField task_mount_fields[] = {
        JSON_STRING("source",    TaskMount, source,    EMPTY),
        JSON_STRING("layer",     TaskMount, layer,     EMPTY),
        JSON_STRING("subpath",   TaskMount, subpath,   EMPTY),
        JSON_STRING("target",    TaskMount, target,    JSON_MANDATORY),
        JSON_BOOL  ("read_only", TaskMount, read_only, EMPTY),
        JSON_BOOL  ("recursive", TaskMount, recursive, EMPTY),
        {}
};

const JsonField task_spec_fields[] = {
        JSON_ENUM  ("kind",         TaskSpec, kind, task_kind_table, JSON_MANDATORY),
        JSON_STRING("data_root",    TaskSpec, data_root,    JSON_MANDATORY),
        JSON_STRING("driver",       TaskSpec, driver,       EMPTY),
        JSON_STRV  ("driver_opts",  TaskSpec, driver_opts,  OPTIONAL),
        JSON_STRING("layer_id",     TaskSpec, layer_id,     EMPTY),
        JSON_STRING("layer_parent", TaskSpec, layer_parent, EMPTY),
        JSON_STRV  ("layers",       TaskSpec, layers,       OPTIONAL),
        JSON_STRV  ("volumes",      TaskSpec, volumes,      OPTIONAL),
        JSON_STRV  ("tags",         TaskSpec, tags,         OPTIONAL),
        JSON_STRV  ("changes",      TaskSpec, changes,      OPTIONAL),
        JSON_STRING("message",      TaskSpec, message,      EMPTY),
        JSON_STRING("platform",     TaskSpec, platform,     EMPTY),
        JSON_BOOL  ("quiet",        TaskSpec, quiet,        EMPTY),
        JSON_STRING("reference",    TaskSpec, reference,    EMPTY),
        JSON_BOOL  ("all_tags",     TaskSpec, all_tags,     EMPTY),
        JSON_UINT32("parallel",     TaskSpec, parallel,     EMPTY),
        JSON_STRING("name",         TaskSpec, name,         EMPTY),
        JSON_STRING("path",         TaskSpec, path,         EMPTY),
        JSON_ARRAY ("mounts", TaskSpec, mounts, n_mounts, TaskMount, task_mount_fields, OPTIONAL),
        JSON_ARRAY ("volume_mounts", TaskSpec, volume_mounts, n_volume_mounts, VolumeMount, volume_mount_fields, OPTIONAL),
        JSON_BOOL  ("read_only",    TaskSpec, read_only,    EMPTY),
        JSON_BOOL  ("gzip",         TaskSpec, gzip,         EMPTY),
        JSON_BOOL  ("keep_kind",    TaskSpec, keep_kind,    EMPTY),
        JSON_BOOL  ("give_owner",   TaskSpec, give_owner,   EMPTY),
        JSON_STRING("user",         TaskSpec, user,         EMPTY),
        JSON_STRING("image",        TaskSpec, image,        EMPTY),
        JSON_STRING("config",       TaskSpec, config,       EMPTY),
        JSON_STRING("author",       TaskSpec, author,       EMPTY),
        JSON_BOOL  ("no_empty_layer", TaskSpec, no_empty_layer, EMPTY),
        JSON_STRING("context",      TaskSpec, context,      EMPTY),
        JSON_STRING("source_layer", TaskSpec, source_layer, EMPTY),
        JSON_STRV  ("sources",      TaskSpec, sources,      OPTIONAL),
        JSON_STRV  ("exclude",      TaskSpec, exclude,      OPTIONAL),
        JSON_STRV  ("files",        TaskSpec, files,        OPTIONAL),
        JSON_STRING("chmod",        TaskSpec, chmod,        EMPTY),
        JSON_BOOL  ("unpack",       TaskSpec, unpack,       EMPTY),
        JSON_BOOL  ("parents",      TaskSpec, parents,      EMPTY),
        JSON_STRV  ("netns_make",   TaskSpec, netns_make,   OPTIONAL),
        JSON_STRV  ("netns_open",   TaskSpec, netns_open,   OPTIONAL),
        JSON_STRV  ("netns_renew",  TaskSpec, netns_renew,  OPTIONAL),
        JSON_STRV  ("netns_remove", TaskSpec, netns_remove, OPTIONAL),
        JSON_STRV  ("links_remove", TaskSpec, links_remove, OPTIONAL),
        {}
};

const JsonField task_progress_fields[] = {
        JSON_STRING("id",      TaskProgress, id,      EMPTY),
        JSON_STRING("status",  TaskProgress, status,  EMPTY),
        JSON_STRING("stream",  TaskProgress, stream,  EMPTY),
        JSON_BOOL  ("message", TaskProgress, message, EMPTY),
        JSON_UINT64("current", TaskProgress, current, EMPTY),
        JSON_UINT64("total",   TaskProgress, total,   EMPTY),
        {}
};

static const JsonField task_image_fields[] = {
        JSON_STRING("id",       TaskImage, id,       JSON_MANDATORY),
        JSON_STRING("manifest", TaskImage, manifest, JSON_MANDATORY),
        JSON_STRV  ("tags",     TaskImage, tags,     OPTIONAL),
        {}
};

static const JsonField task_layer_fields[] = {
        JSON_STRING("id",   TaskLayer, id,   JSON_MANDATORY),
        JSON_UINT64("size", TaskLayer, size, 0),
        {}
};

const JsonField task_result_fields[] = {
        JSON_STRING("error_kind", TaskResult, error_kind, EMPTY),
        JSON_STRING("error",      TaskResult, error,      EMPTY),
        JSON_ARRAY ("images", TaskResult, images, n_images, TaskImage, task_image_fields, OPTIONAL),
        JSON_UINT64("layer_size", TaskResult, layer_size, EMPTY),
        JSON_ARRAY ("layers", TaskResult, layers, n_layers, TaskLayer, task_layer_fields, OPTIONAL),
        JSON_STRING("text",       TaskResult, text,       EMPTY),
        {}
};

/* clang-format on */

const char *task_kind_to_string(TaskKind k) {
        return (int) k >= 0 && k < _TASK_KIND_MAX ? task_kind_table[k] : NULL;
}

void task_spec_done(TaskSpec *t) {
        fields_done(task_spec_fields, t);
}

void task_progress_done(TaskProgress *p) {
        fields_done(task_progress_fields, p);
}

void task_result_done(TaskResult *r) {
        fields_done(task_result_fields, r);
}
