/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Documents of an image: descriptor, index (manifest list), manifest, config, oci-layout; OCI
 * and Docker kinds. All of them are hostile input. What *_read() returns is consistent in
 * itself: digests are sha256 and well-formed, sizes are not negative, counts have limits, a
 * manifest is not also an index (CVE-2021-41190), the number of diff ids fits the history.
 * Nothing in them is a path or a control input. The bytes as they came stay the blob; these
 * structs are for looking, and for the documents that we write ourselves. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json/fields.h"

typedef struct Error Error;
typedef struct Json Json;

#define MEDIA_OCI_INDEX         "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST      "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG        "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_EMPTY         "application/vnd.oci.empty.v1+json"
#define MEDIA_OCI_LAYER         "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP    "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_OCI_LAYER_ZSTD    "application/vnd.oci.image.layer.v1.tar+zstd"
#define MEDIA_DOCKER_LIST       "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST   "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG     "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER      "application/vnd.docker.image.rootfs.diff.tar"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

#define IMAGE_DOCUMENT_SIZE_MAX ((size_t) 4 * 1024 * 1024)
#define IMAGE_LAYERS_MAX        500U /* overlayfs itself takes 500 lower directories */
#define IMAGE_MANIFESTS_MAX     4096U
#define IMAGE_INDEX_DEPTH_MAX   4U /* indexes inside each other */
#define IMAGE_HISTORY_MAX       10000U

#define ANNOTATION_REF_NAME        "org.opencontainers.image.ref.name"
#define ANNOTATION_CONTAINERD_NAME "io.containerd.image.name"

typedef struct Platform {
        char *architecture; /* Go's names: amd64, arm64 */
        char *os;
        char *os_version;
        char **os_features;
        char *variant;
} Platform;

typedef struct Descriptor {
        char *media_type;
        char *digest; /* sha256:… */
        int64_t size;
        char **urls;
        char **annotations; /* pairs */
        Platform *platform;
        char *artifact_type;
} Descriptor;

typedef struct ImageIndex {
        uint32_t schema_version;
        char *media_type; /* may be NULL in OCI's */
        char *artifact_type;
        Descriptor *manifests;
        size_t n_manifests;
        char **annotations; /* pairs */
} ImageIndex;

typedef struct ImageManifest {
        uint32_t schema_version;
        char *media_type;
        char *artifact_type;
        Descriptor config;
        Descriptor *layers; /* lowest first */
        size_t n_layers;
        char **annotations; /* pairs */
} ImageManifest;

/* Durations in nanoseconds; 0: not given, inherit. test: NULL inherit, ["NONE"], ["CMD", …],
 * ["CMD-SHELL", "…"]. */
typedef struct ImageHealthcheck {
        char **test;
        int64_t interval;
        int64_t timeout;
        int64_t start_period;
        int64_t start_interval;
        int retries;
} ImageHealthcheck;

/* The "config" object: what a container of this image runs as. OCI's plus Docker's own. */
typedef struct ImageRunConfig {
        char *hostname;
        char *domainname;
        char *user;
        bool attach_stdin;
        bool attach_stdout;
        bool attach_stderr;
        char **exposed_ports; /* set: "80/tcp" */
        bool tty;
        bool open_stdin;
        bool stdin_once;
        char **env;
        char **cmd;
        ImageHealthcheck *healthcheck;
        bool args_escaped;
        char *image;
        char **volumes; /* set: paths */
        char *working_dir;
        char **entrypoint;
        bool network_disabled;
        char *mac_address;
        char **on_build;
        char **labels; /* pairs */
        char *stop_signal;
        int stop_timeout; /* JSON_NO_INT: not given */
        char **shell;
} ImageRunConfig;

typedef struct ImageHistory {
        char *created; /* RFC 3339 as it was written, or NULL */
        char *created_by;
        char *author;
        char *comment;
        bool empty_layer;
} ImageHistory;

typedef struct ImageRootfs {
        char *type; /* layers */
        char **diff_ids;
} ImageRootfs;

typedef struct ImageConfig {
        char *created; /* RFC 3339 as it was written, or NULL */
        char *author;
        char *architecture;
        char *variant;
        char *os;
        char *os_version;
        char **os_features;
        ImageRunConfig config;
        ImageRootfs rootfs;
        ImageHistory *history; /* oldest first */
        size_t n_history;
        char *docker_version;
        char *comment;
        char *container; /* Docker's build leftovers, shown by old API versions */
        char *parent;
} ImageConfig;

typedef struct ImageLayoutMark { /* the file oci-layout */
        char *image_layout_version;
} ImageLayoutMark;

extern const JsonField platform_fields[];
extern const JsonField descriptor_fields[];
extern const JsonField image_index_fields[];
extern const JsonField image_manifest_fields[];
extern const JsonField image_config_fields[];
extern const JsonField
        image_run_config_fields[]; /* omits what is empty, as Docker's inspect from API 1.50 */
extern const JsonField image_healthcheck_fields[];
extern const JsonField image_layout_mark_fields[];

void descriptor_done(Descriptor *d);
void image_index_done(ImageIndex *i);
void image_manifest_done(ImageManifest *m);
void image_config_init(ImageConfig *c);
void image_config_done(ImageConfig *c);
void image_run_config_init(ImageRunConfig *c);
void image_run_config_done(ImageRunConfig *c);
int image_config_copy(const ImageConfig *from, ImageConfig *ret);
void image_layout_mark_done(ImageLayoutMark *m);

/* Read the bytes of a blob, whose size and digest have been verified by the caller. media_type
 * is what the descriptor that led here said; it must fit what the document says about itself
 * (NULL: unknown, then the document alone decides). */
int image_index_read(
        const char *text, size_t size, const char *media_type, ImageIndex *ret, Error *reterr);
int image_manifest_read(
        const char *text, size_t size, const char *media_type, ImageManifest *ret, Error *reterr);
int image_config_read(const char *text, size_t size, ImageConfig *ret, Error *reterr);
int image_layout_mark_read(const char *text, size_t size, Error *reterr);

/* Write. Free the text. */
int image_index_write(const ImageIndex *i, char **ret);
int image_manifest_write(const ImageManifest *m, char **ret);
int image_config_write(const ImageConfig *c, char **ret);

bool media_type_is_index(const char *media_type);
bool media_type_is_manifest(const char *media_type);
bool media_type_is_layer(
        const char *media_type);           /* plain, gzip or zstd tar, distributable or not */
bool image_digest_is_valid(const char *s); /* sha256 only: sha256:[0-9a-f]{64} */
int platform_copy(const Platform *from, Platform *ret);
void platform_done(Platform *p);
