/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/storage/layer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/storage/storage-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/base/fd.h"
#include "lib/base/file.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

#define LAYER_RECORD_MAX ((size_t) 16 * 1024)

/* clang-format off */
static const JsonField layer_fields[] = {
        JSON_UINT32("version",  Layer, version,  JSON_MANDATORY),
        JSON_STRING("chain-id", Layer, chain_id, JSON_MANDATORY),
        JSON_STRING("parent",   Layer, parent,   JSON_OMIT_EMPTY),
        JSON_STRING("diff-id",  Layer, diff_id,  JSON_MANDATORY),
        JSON_STRING("blob",     Layer, blob,     JSON_MANDATORY),
        JSON_UINT64("size",     Layer, size,     JSON_MANDATORY),
        {}
};
/* clang-format on */

void layer_done(Layer *l) {
        assert(l);

        fields_done(layer_fields, l);
}

int layer_chain_id(const char *parent, const char *diff_id, char **ret) {
        char text[2 * DIGEST_TEXT_SIZE + 1], digest[DIGEST_TEXT_SIZE];
        int r;

        assert(diff_id);
        assert(ret);

        if (!parent)
                return (*ret = strdup(diff_id)) ? 0 : -ENOMEM;

        (void) snprintf(text, sizeof(text), "%s %s", parent, diff_id);
        r = digest_data(text, strlen(text), digest);
        if (r < 0)
                return r;

        return (*ret = strdup(digest)) ? 0 : -ENOMEM;
}

int layer_chain_ids(char *const *diff_ids, char ***ret) {
        _cleanup_(strv_freep) char **list = NULL;
        const char *parent = NULL;
        size_t n = 0;
        int r;

        assert(ret);

        list = new0(char *, strv_length(diff_ids) + 1);
        if (!list)
                return -ENOMEM;

        STRV_FOREACH (d, diff_ids) {
                r = layer_chain_id(parent, *d, list + n);
                if (r < 0)
                        return r;
                parent = list[n++];
        }

        *ret = TAKE_PTR(list);
        return 0;
}

int layer_load(Storage *s, const char *chain_id, Layer *ret) {
        char name[IDENT_SIZE + STRLEN("/" LAYER_RECORD)];
        _cleanup_(freep) char *text = NULL;
        const char *digits;
        Layer l = {};
        size_t size;
        int r;

        assert(s);
        assert(ret);

        digits = storage_layer_digits(chain_id);
        if (!digits)
                return -EINVAL;

        (void) snprintf(name, sizeof(name), "%s/" LAYER_RECORD, digits);
        r = file_read_at(s->layers_fd, name, LAYER_RECORD_MAX, &text, &size);
        if (r < 0)
                return r;

        r = json_read_text(text, size, layer_fields, &l, 0, NULL);
        if (r < 0 || l.version != LAYER_VERSION || !str_equal(l.chain_id, chain_id)) {
                layer_done(&l);
                return r == -ENOMEM ? r : -EBADMSG;
        }

        *ret = l;
        return 0;
}

int layer_is_whole(Storage *s, const char *chain_id) {
        _cleanup_(layer_done) Layer l = {};
        int r;

        r = layer_load(s, chain_id, &l);
        return r == -ENOENT || r == -EBADMSG || r == -EFBIG ? 0 : r < 0 ? r : 1;
}

int layer_save_at(int dir_fd, const Layer *l) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = json_write_text(l, layer_fields, &text);
        if (r < 0)
                return r;

        /* Synced with everything else, before the layer's name is told to anybody. */
        return file_write_atomic_string(dir_fd, LAYER_RECORD, text, 0600, 0);
}
