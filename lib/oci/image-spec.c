/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/oci/image-spec.h"

#include "lib/base/digest.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */

const JsonField platform_fields[] = {
        JSON_STRING("architecture", Platform, architecture, 0),
        JSON_STRING("os",           Platform, os,           0),
        JSON_STRING("os.version",   Platform, os_version,   JSON_OMIT_EMPTY),
        JSON_STRV  ("os.features",  Platform, os_features,  OPTIONAL),
        JSON_STRING("variant",      Platform, variant,      JSON_OMIT_EMPTY),
        {}
};

const JsonField descriptor_fields[] = {
        JSON_STRING("mediaType",    Descriptor, media_type,    0),
        JSON_STRING("digest",       Descriptor, digest,        JSON_MANDATORY),
        JSON_INT64 ("size",         Descriptor, size,          JSON_MANDATORY),
        JSON_STRV  ("urls",         Descriptor, urls,          OPTIONAL),
        JSON_MAP   ("annotations",  Descriptor, annotations,   OPTIONAL),
        JSON_NESTED_PTR("platform", Descriptor, platform, platform_fields, JSON_OMIT_EMPTY),
        JSON_STRING("artifactType", Descriptor, artifact_type, JSON_OMIT_EMPTY),
        {}
};

const JsonField image_index_fields[] = {
        JSON_UINT32("schemaVersion", ImageIndex, schema_version, JSON_MANDATORY),
        JSON_STRING("mediaType",     ImageIndex, media_type,     JSON_OMIT_EMPTY),
        JSON_STRING("artifactType",  ImageIndex, artifact_type,  JSON_OMIT_EMPTY),
        JSON_ARRAY ("manifests", ImageIndex, manifests, n_manifests, Descriptor, descriptor_fields, 0),
        JSON_MAP   ("annotations",   ImageIndex, annotations,    OPTIONAL),
        {}
};

const JsonField image_manifest_fields[] = {
        JSON_UINT32("schemaVersion", ImageManifest, schema_version, JSON_MANDATORY),
        JSON_STRING("mediaType",     ImageManifest, media_type,     JSON_OMIT_EMPTY),
        JSON_STRING("artifactType",  ImageManifest, artifact_type,  JSON_OMIT_EMPTY),
        JSON_NESTED("config", ImageManifest, config, descriptor_fields, JSON_MANDATORY),
        JSON_ARRAY ("layers", ImageManifest, layers, n_layers, Descriptor, descriptor_fields, 0),
        JSON_MAP   ("annotations",   ImageManifest, annotations,    OPTIONAL),
        {}
};

const JsonField image_healthcheck_fields[] = {
        JSON_STRV ("Test",          ImageHealthcheck, test,           OPTIONAL),
        JSON_INT64("Interval",      ImageHealthcheck, interval,       JSON_OMIT_EMPTY),
        JSON_INT64("Timeout",       ImageHealthcheck, timeout,        JSON_OMIT_EMPTY),
        JSON_INT64("StartPeriod",   ImageHealthcheck, start_period,   JSON_OMIT_EMPTY),
        JSON_INT64("StartInterval", ImageHealthcheck, start_interval, JSON_OMIT_EMPTY),
        JSON_INT  ("Retries",       ImageHealthcheck, retries,        JSON_OMIT_EMPTY),
        {}
};

const JsonField image_run_config_fields[] = {
        JSON_STRING("Hostname",     ImageRunConfig, hostname,      JSON_OMIT_EMPTY),
        JSON_STRING("Domainname",   ImageRunConfig, domainname,    JSON_OMIT_EMPTY),
        JSON_STRING("User",         ImageRunConfig, user,          JSON_OMIT_EMPTY),
        JSON_BOOL  ("AttachStdin",  ImageRunConfig, attach_stdin,  JSON_OMIT_EMPTY),
        JSON_BOOL  ("AttachStdout", ImageRunConfig, attach_stdout, JSON_OMIT_EMPTY),
        JSON_BOOL  ("AttachStderr", ImageRunConfig, attach_stderr, JSON_OMIT_EMPTY),
        JSON_SET   ("ExposedPorts", ImageRunConfig, exposed_ports, OPTIONAL),
        JSON_BOOL  ("Tty",          ImageRunConfig, tty,           JSON_OMIT_EMPTY),
        JSON_BOOL  ("OpenStdin",    ImageRunConfig, open_stdin,    JSON_OMIT_EMPTY),
        JSON_BOOL  ("StdinOnce",    ImageRunConfig, stdin_once,    JSON_OMIT_EMPTY),
        JSON_STRV  ("Env",          ImageRunConfig, env,           OPTIONAL),
        JSON_STRV  ("Cmd",          ImageRunConfig, cmd,           OPTIONAL | JSON_WRAP_STRING),
        JSON_NESTED_PTR("Healthcheck", ImageRunConfig, healthcheck, image_healthcheck_fields, JSON_OMIT_EMPTY),
        JSON_BOOL  ("ArgsEscaped",  ImageRunConfig, args_escaped,  JSON_OMIT_EMPTY),
        JSON_STRING("Image",        ImageRunConfig, image,         JSON_OMIT_EMPTY),
        JSON_SET   ("Volumes",      ImageRunConfig, volumes,       OPTIONAL),
        JSON_STRING("WorkingDir",   ImageRunConfig, working_dir,   JSON_OMIT_EMPTY),
        JSON_STRV  ("Entrypoint",   ImageRunConfig, entrypoint,    OPTIONAL | JSON_WRAP_STRING),
        JSON_BOOL  ("NetworkDisabled", ImageRunConfig, network_disabled, JSON_OMIT_EMPTY),
        JSON_STRING("MacAddress",   ImageRunConfig, mac_address,   JSON_OMIT_EMPTY),
        JSON_STRV  ("OnBuild",      ImageRunConfig, on_build,      OPTIONAL),
        JSON_MAP   ("Labels",       ImageRunConfig, labels,        OPTIONAL),
        JSON_STRING("StopSignal",   ImageRunConfig, stop_signal,   JSON_OMIT_EMPTY),
        JSON_INT   ("StopTimeout",  ImageRunConfig, stop_timeout,  OPTIONAL),
        JSON_STRV  ("Shell",        ImageRunConfig, shell,         OPTIONAL | JSON_WRAP_STRING),
        {}
};

static const JsonField history_fields[] = {
        JSON_STRING("created",     ImageHistory, created,     JSON_OMIT_EMPTY),
        JSON_STRING("created_by",  ImageHistory, created_by,  JSON_OMIT_EMPTY),
        JSON_STRING("author",      ImageHistory, author,      JSON_OMIT_EMPTY),
        JSON_STRING("comment",     ImageHistory, comment,     JSON_OMIT_EMPTY),
        JSON_BOOL  ("empty_layer", ImageHistory, empty_layer, JSON_OMIT_EMPTY),
        {}
};

static const JsonField rootfs_fields[] = {
        JSON_STRING("type",     ImageRootfs, type,     0),
        JSON_STRV  ("diff_ids", ImageRootfs, diff_ids, 0),
        {}
};

const JsonField image_config_fields[] = {
        JSON_STRING("architecture",   ImageConfig, architecture,   0),
        JSON_STRING("variant",        ImageConfig, variant,        JSON_OMIT_EMPTY),
        JSON_STRING("os",             ImageConfig, os,             0),
        JSON_STRING("os.version",     ImageConfig, os_version,     JSON_OMIT_EMPTY),
        JSON_STRV  ("os.features",    ImageConfig, os_features,    OPTIONAL),
        JSON_STRING("created",        ImageConfig, created,        JSON_OMIT_EMPTY),
        JSON_STRING("author",         ImageConfig, author,         JSON_OMIT_EMPTY),
        JSON_STRING("comment",        ImageConfig, comment,        JSON_OMIT_EMPTY),
        JSON_STRING("container",      ImageConfig, container,      JSON_OMIT_EMPTY),
        JSON_STRING("parent",         ImageConfig, parent,         JSON_OMIT_EMPTY),
        JSON_STRING("docker_version", ImageConfig, docker_version, JSON_OMIT_EMPTY),
        JSON_NESTED("config", ImageConfig, config, image_run_config_fields, 0),
        JSON_NESTED("rootfs", ImageConfig, rootfs, rootfs_fields, JSON_MANDATORY),
        JSON_ARRAY ("history", ImageConfig, history, n_history, ImageHistory, history_fields, OPTIONAL),
        {}
};

const JsonField image_layout_mark_fields[] = {
        JSON_STRING("imageLayoutVersion", ImageLayoutMark, image_layout_version, JSON_MANDATORY),
        {}
};

/* clang-format on */

void platform_done(Platform *p) {
        fields_done(platform_fields, p);
}

int platform_copy(const Platform *from, Platform *ret) {
        *ret = (Platform) {};
        return fields_copy(platform_fields, from, ret);
}

void descriptor_done(Descriptor *d) {
        fields_done(descriptor_fields, d);
}

void image_index_done(ImageIndex *i) {
        fields_done(image_index_fields, i);
}

void image_manifest_done(ImageManifest *m) {
        fields_done(image_manifest_fields, m);
}

void image_run_config_init(ImageRunConfig *c) {
        *c = (ImageRunConfig) {};
        fields_init(image_run_config_fields, c);
}

void image_run_config_done(ImageRunConfig *c) {
        fields_done(image_run_config_fields, c);
}

void image_config_init(ImageConfig *c) {
        *c = (ImageConfig) {};
        fields_init(image_config_fields, c);
}

void image_config_done(ImageConfig *c) {
        fields_done(image_config_fields, c);
}

int image_config_copy(const ImageConfig *from, ImageConfig *ret) {
        *ret = (ImageConfig) {};
        return fields_copy(image_config_fields, from, ret);
}

void image_layout_mark_done(ImageLayoutMark *m) {
        fields_done(image_layout_mark_fields, m);
}

int image_index_write(const ImageIndex *i, char **ret) {
        return json_write_text(i, image_index_fields, ret);
}

int image_manifest_write(const ImageManifest *m, char **ret) {
        return json_write_text(m, image_manifest_fields, ret);
}

int image_config_write(const ImageConfig *c, char **ret) {
        return json_write_text(c, image_config_fields, ret);
}

bool image_digest_is_valid(const char *s) {
        DigestKind kind;

        return s && digest_parse(s, &kind, NULL) >= 0 && kind == DIGEST_SHA256;
}

bool media_type_is_index(const char *media_type) {
        return media_type && STR_IN_SET(media_type, MEDIA_OCI_INDEX, MEDIA_DOCKER_LIST);
}

bool media_type_is_manifest(const char *media_type) {
        return media_type && STR_IN_SET(media_type, MEDIA_OCI_MANIFEST, MEDIA_DOCKER_MANIFEST);
}

bool media_type_is_layer(const char *media_type) {
        static const char *const families[] = {
                "application/vnd.oci.image.layer.v1.tar",
                "application/vnd.oci.image.layer.nondistributable.v1.tar",
                "application/vnd.docker.image.rootfs.diff.tar",
                "application/vnd.docker.image.rootfs.foreign.diff.tar",
        };

        for (size_t i = 0; media_type && i < ARRAY_SIZE(families); i++) {
                const char *rest = str_starts(media_type, families[i]);

                if (rest && STR_IN_SET(rest, "", "+gzip", "+zstd", ".gzip", ".zstd"))
                        return true;
        }

        return false;
}
