/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A file of the container device interface (CDI 0.3 to 1.0): what of the host a device of a vendor needs in a container. Plain data; who finds
 * and applies such files is engine/container/cdi.h.
 *
 * A device is called by its qualified name "vendor.com/class=name"; vendor.com/class is the file's kind. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/macro.h"
#include "lib/json/fields.h"

typedef struct Error Error;

#define CDI_SPEC_SIZE_MAX ((size_t) 1024 * 1024)
#define CDI_DEVICES_MAX   4096u

typedef struct CdiNode {
        char *path;      /* in the container */
        char *host_path; /* NULL: the same */
        char *type;      /* b c u; NULL: as on the host, with its numbers */
        int64_t major;
        int64_t minor;
        uint32_t file_mode; /* JSON_NO_UINT32: 0666 */
        char *permissions;  /* of r w m; NULL: all */
        uint32_t uid;       /* JSON_NO_UINT32: the container's user; so gid */
        uint32_t gid;
} CdiNode;

typedef struct CdiMount {
        char *host_path;
        char *container_path;
        char *type;
        char **options;
} CdiMount;

typedef struct CdiHook {
        char *name; /* prestart createRuntime createContainer startContainer poststart poststop */
        char *path;
        char **args;
        char **env;
        int timeout; /* seconds; JSON_NO_INT: none */
} CdiHook;

typedef struct CdiEdits {
        char **env; /* KEY=VALUE */
        CdiNode *nodes;
        size_t n_nodes;
        CdiMount *mounts;
        size_t n_mounts;
        CdiHook *hooks;
        size_t n_hooks;
        uint32_t *gids;
        size_t n_gids;
} CdiEdits;

typedef struct CdiDevice {
        char *name;
        CdiEdits edits;
} CdiDevice;

typedef struct CdiSpec {
        char *version;
        char *kind;
        CdiEdits edits; /* once for a container that gets any of the devices */
        CdiDevice *devices;
        size_t n_devices;
} CdiSpec;

/* Reads and checks a file, YAML or JSON. *ret may be uninitialized; -EINVAL with a sentence. */
int cdi_spec_parse(const char *text, size_t size, bool yaml, CdiSpec *ret, Error *reterr);
void cdi_spec_done(CdiSpec *s);

/* "vendor.com/class=name"? */
bool cdi_name_is_valid(const char *qualified);
