/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/image/image.h"

#include <errno.h>
#include <string.h>

#include "engine/image/images-internal.h"
#include "engine/storage/layer.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

int image_new(const char *id, Image **ret) {
        _cleanup_(image_freep) Image *i = NULL;
        int r;

        assert(id);
        assert(ret);

        i = new0(Image, 1);
        if (!i)
                return -ENOMEM;

        image_config_init(&i->config);
        i->created_ns = i->tagged_ns = CLOCK_NEVER;
        r = str_copy(&i->id, id);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(i);
        return 0;
}

Image *image_free(Image *i) {
        if (!i)
                return NULL;

        for (size_t k = 0; k < i->n_users; k++)
                free(i->users[k].container_id);
        free(i->users);
        strv_free(i->names);
        strv_free(i->repo_tags);
        strv_free(i->repo_digests);
        strv_free(i->chain_ids);
        strv_free(i->manifests);
        strv_free(i->blobs);
        image_config_done(&i->config);
        free(i->layer_sizes);
        free(i->id);
        free(i->manifest);
        free(i->media_type);
        return mfree(i);
}

const char *image_top_layer(const Image *i) {
        assert(i);

        return i->n_layers > 0 ? i->chain_ids[i->n_layers - 1] : NULL;
}

int image_read_config(Image *i, const char *text, size_t size, Error *reterr) {
        int r;

        assert(i);

        r = image_config_read(text, size, &i->config, reterr);
        if (r < 0)
                return r;

        r = layer_chain_ids(i->config.rootfs.diff_ids, &i->chain_ids);
        if (r < 0)
                return r;
        i->n_layers = strv_length(i->chain_ids);
        i->layer_sizes = new0(uint64_t, i->n_layers + 1);
        if (!i->layer_sizes)
                return -ENOMEM;

        if (i->config.created)
                (void) clock_parse(i->config.created, &i->created_ns);
        return 0;
}

int image_set_names(Image *i, char *const *names) {
        _cleanup_(strv_freep) char **all = NULL, **tags = NULL, **digests = NULL;
        int r;

        assert(i);

        all = strv_copy(names);
        tags = strv_new(NULL);
        digests = strv_new(NULL);
        if (!all || !tags || !digests)
                return -ENOMEM;
        strv_sort(all);

        STRV_FOREACH (n, all) {
                _cleanup_(reference_done) Reference ref = {};
                _cleanup_(freep) char *familiar = NULL;

                r = reference_parse(*n, &ref);
                if (r >= 0)
                        r = reference_format_familiar(&ref, &familiar);
                if (r >= 0)
                        r = strv_add(ref.digest ? &digests : &tags, familiar);
                if (r < 0)
                        return r;
        }

        strv_free(i->names);
        strv_free(i->repo_tags);
        strv_free(i->repo_digests);
        i->names = TAKE_PTR(all);
        i->repo_tags = TAKE_PTR(tags);
        i->repo_digests = TAKE_PTR(digests);
        return 0;
}

static ImageUser *image_find_user(Image *i, const char *container_id) {
        for (size_t k = 0; k < i->n_users; k++)
                if (streq(i->users[k].container_id, container_id))
                        return i->users + k;
        return NULL;
}

int image_add_user(Image *i, const char *container_id) {
        ImageUser *u;
        int r;

        assert(i);
        assert(container_id);

        if (image_find_user(i, container_id))
                return 0;

        r = array_grow(&i->users, &i->n_users_allocated, i->n_users + 1);
        if (r < 0)
                return r;

        u = i->users + i->n_users;
        *u = (ImageUser) {};
        r = str_copy(&u->container_id, container_id);
        if (r < 0)
                return r;

        i->n_users++;
        return 0;
}

void image_set_user_running(Image *i, const char *container_id, bool running) {
        ImageUser *u;

        assert(i);

        u = image_find_user(i, container_id);
        if (u)
                u->running = running;
}
