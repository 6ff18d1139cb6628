/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A store with two images, and the set of images on top of it: what the tests of images have in common. */

#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>

#include "engine/content/blobs.h"
#include "engine/core/hub.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/image/tags.h"
#include "engine/storage/apply.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "tests/unit/lib/archive/tar-make.h"

#define BOX1 "1111111111111111111111111111111111111111111111111111111111111111"
#define BOX2 "2222222222222222222222222222222222222222222222222222222222222222"

/* A store as workers leave it, and the set on top of it. */
typedef struct Place {
        char *root;
        int root_fd;
        Storage *storage;
        Hub *hub;
        HubSubscription *subscription;
        Images *images;
        char **events;
        char *id[2]; /* of two images that share a layer */
} Place;

static inline void check_list(char *const *list, const char *expected) {
        _cleanup_(freep) char *all = strv_join(list, "|");

        assert_string_equal(all, expected);
}

static inline void on_event(const Event *e, void *userdata) {
        Place *p = userdata;

        assert_string_equal(e->type, "image");
        assert_ok(strv_add(&p->events, e->action));
}

static inline void make_layer(
        Place *p, Blobs *blobs, const char *file, char diff_id[static DIGEST_TEXT_SIZE]) {
        _cleanup_(layer_build_freep) LayerBuild *build = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(buffer_done) Buffer tar = {};
        Layer record = { .chain_id = diff_id, .diff_id = diff_id, .blob = diff_id };

        tar_make(&tar, file, '0', NULL, 0644, "content");
        tar_make_end(&tar);
        assert_ok(blobs_put(blobs, buffer_head(&tar), buffer_size(&tar), diff_id));
        fd = blobs_open_fd(blobs, diff_id, NULL);
        assert_ok(layer_build_new(p->storage, NULL, &build, NULL));
        assert_ok(layer_build_apply(build, &(const ApplyOptions) { .blob_fd = fd }, NULL));
        assert_ok(layer_build_commit(build, &record, NULL));
}

static inline void make_image(Place *p, Blobs *blobs, Tags *tags, unsigned n, const char *diff_id,
        size_t layer_size, const char *name) {
        _cleanup_(freep) char *config = NULL, *manifest = NULL;
        char config_digest[DIGEST_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];

        assert_ok(str_printf(&config,
                "{\"created\":\"2024-01-0%uT00:00:00Z\",\"architecture\":\"amd64\",\"os\":"
                "\"linux\",\"config\":{\"Labels\":{\"n\":\"%u\"}},"
                "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
                n + 1, n, diff_id));
        assert_ok(blobs_put(blobs, config, strlen(config), config_digest));
        assert_ok(str_printf(&manifest,
                "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
                "\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
                "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER
                "\",\"digest\":\"%s\",\"size\":%zu}]}",
                config_digest, strlen(config), diff_id, layer_size));
        assert_ok(blobs_put(blobs, manifest, strlen(manifest), digest));
        assert_ok(tags_set(
                tags, name, digest, MEDIA_OCI_MANIFEST, (int64_t) strlen(manifest), CLOCK_NEVER));
        assert_ok(str_copy(&p->id[n], config_digest));
}

static inline void open_set(Place *p) {
        assert_ok(images_new(p->root, NULL, p->storage, p->hub, NULL, NULL, &p->images));
        assert_ok(images_load(p->images));
}

static inline int setup(void **state) {
        char diff_id[DIGEST_TEXT_SIZE];
        Blobs *blobs;
        Tags *tags;
        Place *p;

        p = new0(Place, 1);
        assert_int_equal(test_folder_setup((void **) &p->root), 0);
        p->root_fd = file_open_dir(AT_FDCWD, p->root);
        assert_ok(storage_open(p->root, "vfs", NULL, &p->storage, NULL));
        assert_ok(blobs_open(p->root_fd, &blobs));
        assert_ok(tags_load(p->root_fd, &tags, NULL));
        make_layer(p, blobs, "file", diff_id);
        make_image(p, blobs, tags, 0, diff_id, 2048, "docker.io/library/x:1");
        make_image(p, blobs, tags, 1, diff_id, 2048, "docker.io/library/x:2");
        assert_ok(tags_save(tags, p->root_fd, NULL));
        tags_free(tags);
        blobs_free(blobs);

        assert_ok(hub_new(&p->hub));
        assert_ok(hub_subscribe(p->hub, on_event, p, &p->subscription));
        open_set(p);
        *state = p;
        return 0;
}

static inline int teardown(void **state) {
        Place *p = *state;

        images_free(p->images);
        hub_subscription_free(p->subscription);
        hub_free(p->hub);
        storage_free(p->storage);
        fd_close(p->root_fd);
        strv_free(p->events);
        free(p->id[0]);
        free(p->id[1]);
        (void) test_folder_teardown((void **) &p->root);
        free(p);
        return 0;
}

/* The set as a new daemon sees it. */
static inline void reload(Place *p) {
        images_free(p->images);
        open_set(p);
}

static Image *find(Place *p, const char *name) {
        Image *i;
        _cleanup_(error_done) Error e = {};

        if (images_find(p->images, name, &i, &e) < 0)
                fail_msg("%s", e.text);
        return i;
}

static inline void missing(Place *p, const char *name, const char *text) {
        _cleanup_(error_done) Error e = {};
        Image *i;

        assert_true(images_find(p->images, name, &i, &e) < 0);
        assert_string_equal(e.text, text);
}

static inline void missing_id(Place *p, const char *id) {
        _cleanup_(freep) char *text = str_concat("No such image: ", id);

        missing(p, id, text);
}

static inline char *removed(Place *p, const char *name, bool force) {
        _cleanup_(strv_freep) char **actions = NULL;
        _cleanup_(error_done) Error e = {};
        char *all;

        if (images_remove(p->images, name, force, false, &actions, &e) < 0)
                return str_concat("error: ", e.text);
        STRV_FOREACH (a, actions)
                if (str_starts(*a,
                            "Deleted: ")) /* the digests differ by platform: their kind is enough */
                        (*a)[7] = '\0';
        all = strv_join(actions, ", ");
        return all;
}

#define PLACE_CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
