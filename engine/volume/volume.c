/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/volume/volume.h"

#include <string.h>

#include "engine/volume/volumes-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hashmap.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

#define VOLUME_FILE         "volume.json"
#define VOLUME_FILE_MAX     ((size_t) 1024 * 1024)
#define VOLUME_FILE_VERSION 1

/* clang-format off */
static const JsonField volume_fields[] = {
        JSON_STRING("Name",      Volume, name,       JSON_MANDATORY),
        JSON_MAP   ("Labels",    Volume, labels,     JSON_OMIT_EMPTY),
        JSON_MAP   ("Options",   Volume, options,    JSON_OMIT_EMPTY),
        JSON_TIME  ("CreatedAt", Volume, created_ns, JSON_MANDATORY),
        {}
};
/* clang-format on */

int volume_new(Volumes *s, Volume **ret) {
        Volume *v;

        v = new0(Volume, 1);
        if (!v)
                return -ENOMEM;
        v->set = s;
        v->created_ns = CLOCK_NEVER;
        *ret = v;
        return 0;
}

Volume *volume_free(Volume *v) {
        if (!v)
                return NULL;

        hashmap_free(v->users);
        fields_done(volume_fields, v);
        free(v);
        return NULL;
}

int volume_save(const Volume *v, int folder_fd) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        r = json_write(v, volume_fields, &document);
        if (r >= 0)
                r = json_set_uint64(document, "version", VOLUME_FILE_VERSION);
        if (r >= 0)
                r = json_print(document, JSON_PRETTY, &text);
        if (r < 0)
                return r;
        if (strlen(text) > VOLUME_FILE_MAX)
                return -EFBIG; /* nobody could read it back */
        return file_write_atomic_string(folder_fd, VOLUME_FILE, text, 0600, FILE_WRITE_DURABLE);
}

int volume_parse(Volumes *s, const char *name, const char *text, size_t size, Volume **ret) {
        _cleanup_(json_unrefp) Json *document = NULL;
        _cleanup_(volume_freep) Volume *v = NULL;
        _cleanup_(error_done) Error e = {};
        int r;

        r = json_parse(text, size, VOLUME_FILE_MAX, &document, &e);
        if (r >= 0)
                r = volume_new(s, &v);
        if (r < 0)
                return r;
        if (json_get_int64(document, "version", -1) != VOLUME_FILE_VERSION)
                return -EPROTONOSUPPORT;
        r = json_read(document, volume_fields, v, &e);
        if (r < 0)
                return r;
        if (!str_equal(v->name, name))
                return -EBADMSG;

        *ret = TAKE_PTR(v);
        return 0;
}

int volume_load(Volumes *s, const char *name, int folder_fd, Volume **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read_at(folder_fd, VOLUME_FILE, VOLUME_FILE_MAX, &text, &size);
        return r < 0 ? r : volume_parse(s, name, text, size, ret);
}

bool volume_is_anonymous(const Volume *v) {
        return pairs_get(v->labels, VOLUME_ANONYMOUS_LABEL);
}

unsigned volume_count_users(const Volume *v) {
        return (unsigned) hashmap_size(v->users);
}

int volume_add_user(Volume *v, const char *container_id) {
        int r;

        r = hashmap_ensure_put(&v->users, HASHMAP_STRING_COPY, container_id, v);
        return r == -EEXIST ? 0 : r;
}

void volume_remove_user(Volume *v, const char *container_id) {
        (void) hashmap_remove(v->users, container_id);
}
