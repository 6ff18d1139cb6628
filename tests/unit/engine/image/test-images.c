/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "engine/content/blobs.h"
#include "engine/core/hub.h"
#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "engine/image/image.h"
#include "engine/image/images.h"
#include "engine/image/tags.h"
#include "engine/storage/apply.h"
#include "engine/storage/layer.h"
#include "engine/storage/storage.h"
#include "lib/api/filter.h"
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

static void check_list(char *const *list, const char *expected) {
        _cleanup_(freep) char *all = strv_join(list, "|");

        assert_string_equal(all, expected);
}

static void on_event(const Event *e, void *userdata) {
        Place *p = userdata;

        assert_string_equal(e->type, "image");
        assert_ok(strv_add(&p->events, e->action));
}

static void make_layer(
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

static void make_image(Place *p, Blobs *blobs, Tags *tags, unsigned n, const char *diff_id,
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

static void open_set(Place *p) {
        assert_ok(images_new(p->root, NULL, p->storage, p->hub, NULL, NULL, &p->images));
        assert_ok(images_load(p->images));
}

static int setup(void **state) {
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

static int teardown(void **state) {
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
static void reload(Place *p) {
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

static void missing(Place *p, const char *name, const char *text) {
        _cleanup_(error_done) Error e = {};
        Image *i;

        assert_true(images_find(p->images, name, &i, &e) < 0);
        assert_string_equal(e.text, text);
}

static void missing_id(Place *p, const char *id) {
        _cleanup_(freep) char *text = str_concat("No such image: ", id);

        missing(p, id, text);
}

static char *removed(Place *p, const char *name, bool force) {
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

static void test_find(void **state) {
        Place *p = *state;
        Image *i = find(p, "x:1");
        char prefix[16] = "";

        assert_string_equal(i->id, p->id[0]);
        assert_ptr_equal(find(p, p->id[0]), i);
        assert_ptr_equal(find(p, p->id[0] + 7), i);
        (void) snprintf(prefix, sizeof(prefix), "%.12s", p->id[0] + 7);
        assert_ptr_equal(find(p, prefix), i);
        assert_ptr_equal(find(p, "docker.io/library/x:1"), i);
        assert_int_equal(i->size, 7);
        assert_int_equal(i->n_layers, 1);
        assert_string_equal(i->repo_tags[0], "x:1");
        assert_int_equal(images_count(p->images), 2);
        assert_string_equal(images_next(p->images, NULL)->id, p->id[1]); /* newest first */
        assert_ptr_equal(images_next(p->images, find(p, "x:2")), i);
        assert_null(images_next(p->images, i));

        missing(p, "x", "No such image: x:latest");
        missing(p, "abc", "No such image: abc:latest");
        missing(p, "quay.io/a:1", "No such image: quay.io/a:1");
        missing(p, BOX1, "No such image: " BOX1);
        missing(p, "sha256:" BOX1, "No such image: sha256:" BOX1);
        missing(p, "", "invalid reference format");
        missing(p, "UP PER", "invalid reference format");
}

static void test_tag(void **state) {
        Place *p = *state;
        Image *i = find(p, "x:1");
        _cleanup_(error_done) Error e = {};

        assert_ok(images_tag(p->images, i, "quay.io/team/app", "9", NULL));
        assert_ok(images_tag(p->images, i, "y:3", NULL, NULL));
        assert_ok(images_tag(p->images, i, "x", "2", NULL)); /* taken from the other one */
        check_list(i->repo_tags, "x:1|x:2|y:3|quay.io/team/app:9");
        assert_int_equal(strv_length(find(p, p->id[1])->repo_tags), 0);
        assert_int_equal(images_tag(p->images, i, "UPPER:x", "", &e), -EINVAL);
        error_done(&e);
        assert_int_equal(images_tag(p->images, i, "x", "no/tag", &e), -EINVAL);
        error_done(&e);
        assert_int_equal(images_tag(p->images, i,
                                 "x@"
                                 "sha256:" BOX1,
                                 NULL, &e),
                -EINVAL);
        error_done(&e);
        assert_int_equal(images_tag(p->images, i, "sha256", "0123abc", &e), -EINVAL);
        assert_non_null(strstr(e.text, "ambiguous"));
        assert_ok(images_tag(p->images, i, "quay.io/sha256", "1", NULL));
        free(removed(p, "quay.io/sha256:1", false));
        check_list(p->events, "tag|tag|tag|tag|untag");

        reload(p);
        assert_int_equal(images_count(p->images), 2);
        assert_int_equal(strv_length(find(p, p->id[0])->repo_tags), 4);
        assert_string_equal(find(p, "x:2")->id, p->id[0]);
}

static void test_remove_by_name(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *one = NULL, *two = NULL, *three = NULL;

        assert_ok(images_tag(p->images, find(p, "x:1"), "y", NULL, NULL));
        one = removed(p, "x:1", false);
        assert_string_equal(one, "Untagged: x:1");
        two = removed(p, "y", false);
        assert_string_equal(
                two, "Untagged: y:latest, Deleted"); /* the layer is still the other image's */
        missing_id(p, p->id[0]);
        three = removed(p, "x:2", false);
        assert_string_equal(three, "Untagged: x:2, Deleted, Deleted");
        assert_int_equal(images_count(p->images), 0);
        check_list(p->events, "tag|untag|untag|delete|untag|delete");

        reload(p);
        assert_int_equal(images_count(p->images), 0);
}

static void test_remove_by_id(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *one = NULL, *two = NULL, *expected = NULL;
        char short_id[16];

        (void) snprintf(short_id, sizeof(short_id), "%.12s", p->id[0] + 7);
        assert_ok(images_tag(p->images, find(p, "x:1"), "y", NULL, NULL));
        assert_ok(str_printf(&expected,
                "error: conflict: unable to delete %s (must be forced) - image is referenced in "
                "multiple repositories",
                short_id));
        one = removed(p, p->id[0], false);
        assert_string_equal(one, expected);
        two = removed(p, p->id[0], true);
        assert_string_equal(two, "Untagged: x:1, Untagged: y:latest, Deleted");
}

static void test_remove_used(void **state) {
        Place *p = *state;
        Image *i = find(p, "x:1");
        _cleanup_(freep) char *used = NULL, *stopped = NULL, *forced = NULL, *running = NULL;
        char id[16];

        (void) snprintf(id, sizeof(id), "%.12s", p->id[0] + 7);
        assert_ok(image_add_user(i, BOX1));
        assert_ok(image_add_user(i, BOX1));
        assert_int_equal(i->n_users, 1);

        used = removed(p, "x:1", false);
        assert_non_null(strstr(
                used, "(must force) - container 111111111111 is using its referenced image "));
        stopped = removed(p, id, false);
        assert_non_null(strstr(stopped,
                "(must be forced) - image is being used by stopped container 111111111111"));
        image_set_user_running(i, BOX1, true);
        running = removed(p, id, true);
        assert_non_null(strstr(running,
                "(cannot be forced) - image is being used by running container 111111111111"));

        /* By name and force it only loses the name. */
        forced = removed(p, "x:1", true);
        assert_string_equal(forced, "Untagged: x:1");
        assert_ptr_equal(find(p, p->id[0]), i);
}

static void test_remove_hidden(void **state) {
        Place *p = *state;
        Image *i = find(p, "x:1");
        _cleanup_(freep) char *gone = NULL;
        Storage *s = p->storage;
        _cleanup_(freep) char *layer = NULL;

        layer = strdup(image_top_layer(find(p, "x:2")));
        free(removed(p, "x:2", false));
        assert_ok(image_add_user(i, BOX1));
        assert_ok(image_add_user(i, BOX2));
        assert_ok(storage_layer_create(
                s, BOX2, layer, NULL)); /* it goes a little later than its container */
        gone = removed(p, p->id[0], true);
        assert_string_equal(gone, "Untagged: x:1, Deleted, Deleted");
        assert_int_equal(images_count(p->images), 0);
        assert_null(images_next(p->images, NULL));
        missing(p, "x:1", "No such image: x:1");
        missing_id(p, p->id[0]);
        assert_int_equal(storage_layer_exists(s, layer), 1); /* containers stand on it */

        reload(p); /* a new daemon: the containers come back, one is removed */
        missing_id(p, p->id[0]);
        i = images_get(p->images, p->id[0]);
        assert_true(i->hidden);
        assert_ok(image_add_user(i, BOX1));
        assert_ok(image_add_user(i, BOX2));
        images_settle(p->images);
        assert_int_equal(storage_layer_exists(s, layer), 1);
        image_remove_user(i, BOX1);
        assert_int_equal(storage_layer_exists(s, layer), 1);
        image_remove_user(i, BOX2);
        assert_int_equal(storage_layer_exists(s, layer), 0);
}

static void test_settle(void **state) {
        Place *p = *state;

        assert_ok(image_add_user(find(p, "x:1"), BOX1));
        free(removed(p, p->id[0], true));
        reload(p); /* the container went with the old daemon */
        assert_int_equal(images_count(p->images), 1);
        assert_ptr_not_equal(images_get(p->images, p->id[0]), NULL);
        images_settle(p->images);
        assert_null(images_get(p->images, p->id[0]));
        missing_id(p, p->id[0]);
}

static void test_damaged(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *name = NULL;

        assert_ok(str_printf(&name, "blobs/sha256/%s", p->id[0] + 7));
        assert_ok(file_write_atomic_string(p->root_fd, name, "{}", 0600, 0));
        reload(p);
        assert_int_equal(images_count(p->images), 1); /* the other one is fine */
        free(removed(p, "x:2", false));
        assert_int_equal(file_exists_at(p->root_fd, name),
                1); /* nothing is swept while something cannot be read */
}

static void damage(Place *p, const char *digest) {
        _cleanup_(freep) char *name = NULL;

        assert_ok(str_printf(&name, "blobs/sha256/%s", digest_hex(digest)));
        assert_ok(file_write_atomic_string(p->root_fd, name, "{}", 0600, 0));
}

static size_t count_blobs(Place *p) {
        _cleanup_(strv_freep) char **names = NULL;

        assert_ok(file_list(p->root_fd, "blobs/sha256", false, &names));
        return strv_length(names);
}

/* A damaged image stands in nobody's way: its name can be taken from it, then the store is swept again. */
static void test_remove_damaged(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *other = NULL, *one = NULL, *two = NULL;
        const Image *i = find(p, "x:1");
        char manifest[DIGEST_TEXT_SIZE];

        (void) snprintf(manifest, sizeof(manifest), "%s", i->manifest);
        assert_ok(images_tag(p->images, find(p, "x:1"), "quay.io/y", "1", NULL));
        damage(p, p->id[0]);
        reload(p);
        missing(p, "x:1", "No such image: x:1");
        other = removed(p, "nothing:1", false);
        assert_string_equal(other, "error: No such image: nothing:1");
        one = removed(p, "x:1", false);
        assert_string_equal(one, "Untagged: x:1");
        assert_int_equal(count_blobs(p), 5);
        two = removed(p, "quay.io/y:1", false);
        assert_string_equal(two, "Untagged: quay.io/y:1, Deleted");
        assert_int_equal(count_blobs(p), 3);
        reload(p);
        assert_int_equal(images_count(p->images), 1);
        assert_int_equal(count_blobs(p), 3);

        (void) snprintf(manifest, sizeof(manifest), "%s", find(p, "x:2")->manifest);
        damage(p, manifest);
        reload(p);
        assert_int_equal(images_count(p->images), 0);
        free(removed(p, manifest, false));
        assert_int_equal(count_blobs(p), 0);
}

/* Containers keep the layers that they stand on, even if nobody knows the image any more. */
static void test_lost_image_of_container(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *layer = strdup(image_top_layer(find(p, "x:1")));

        assert_ok(storage_layer_create(p->storage, BOX1, layer, NULL));
        damage(p, p->id[0]);
        damage(p, p->id[1]);
        reload(p);
        free(removed(p, "x:1", false));
        free(removed(p, "x:2", false));
        assert_int_equal(count_blobs(p), 0);
        assert_int_equal(storage_layer_exists(p->storage, layer), 1);
        reload(p);
        assert_int_equal(storage_layer_exists(p->storage, layer), 1);
        assert_ok(storage_layer_remove(p->storage, BOX1));
        reload(p);
        assert_int_equal(storage_layer_exists(p->storage, layer), 0);
}

/* The daemon starts whatever index.json looks like; the images are there, only their names are lost. */
static void test_damaged_table(void **state) {
        static const char *const texts[] = { "", "{", "[]", "\xff\xfe",
                "{\"schemaVersion\":2,\"manifests\":{}}", "{\"schemaVersion\":2,\"manifests\":[7]}",
                NULL };
        Place *p = *state;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                if (texts[i])
                        assert_ok(
                                file_write_atomic_string(p->root_fd, TAGS_FILE, texts[i], 0600, 0));
                else
                        assert_ok(unlinkat(p->root_fd, TAGS_FILE, 0));
                reload(p);
                assert_int_equal(images_count(p->images), 2);
                assert_int_equal(count_blobs(p), 5);
                assert_int_equal(strv_length(find(p, p->id[0])->names), 0);
                assert_ok(images_tag(p->images, find(p, p->id[0]), "again", "1", NULL));
                reload(p);
                assert_string_equal(find(p, "again:1")->id, p->id[0]);
        }
}

/* What another program wrote into the layout stays, with everything that it refers to. */
static void test_foreign_rows(void **state) {
        static const char index_text[] =
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
                "\",\"digest\":\"%s\",\"size\":1}]}";
        Place *p = *state;
        _cleanup_(freep) char *nested = NULL, *table = NULL, *after = NULL;
        _cleanup_(blobs_freep) Blobs *blobs = NULL;
        char digest[DIGEST_TEXT_SIZE];

        assert_ok(blobs_open(p->root_fd, &blobs));
        assert_ok(str_printf(&nested, index_text, find(p, "x:1")->manifest));
        assert_ok(blobs_put(blobs, nested, strlen(nested), digest));
        assert_ok(str_printf(&table,
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_INDEX
                "\",\"digest\":\"%s\",\"size\":1},{\"mediaType\":\"" MEDIA_OCI_MANIFEST
                "\",\"digest\":\"%s\",\"size\":1,\"annotations\":{\"org.opencontainers.image.ref."
                "name\":"
                "\"latest\"}},{\"digest\":\"../../etc\",\"size\":-1}]}",
                digest, find(p, "x:2")->manifest));
        assert_ok(file_write_atomic_string(p->root_fd, TAGS_FILE, table, 0600, 0));
        reload(p);
        assert_int_equal(images_count(p->images), 0);
        assert_int_equal(count_blobs(p), 6);
        reload(p);
        assert_int_equal(count_blobs(p), 6);
        assert_ok(file_read_at(p->root_fd, TAGS_FILE, TAGS_FILE_MAX, &after, NULL));
        assert_non_null(strstr(after, digest));
}

static int never_spawn(
        void *userdata, const char *label, int fd, worker_started_t on_started, void *other) {
        return 0;
}

/* Nobody hears of a job for which there was no room. */
static void test_no_room_for_a_job(void **state) {
        Place *p = *state;
        sd_event *event = NULL;
        unsigned n_started = 0, n_jobs = 0;
        Workers *workers;
        Images *images;
        Jobs *jobs;
        int r;

        assert_ok(sd_event_new(&event));
        assert_ok(jobs_new(event, &jobs));
        assert_ok(workers_new(event, never_spawn, NULL, &workers));
        assert_ok(images_new(p->root, NULL, p->storage, p->hub, jobs, workers, &images));
        assert_ok(images_load(images));
        do {
                _cleanup_(error_done) Error e = {};
                _cleanup_(job_unrefp) Job *j = NULL;

                r = images_load_archive(
                        images, open("/dev/null", O_RDONLY | O_CLOEXEC), false, &j, &e);
                n_started += r >= 0;
                assert_true(r >= 0 || e.text);
        } while (r >= 0 && n_started < 10000);
        assert_true(n_started < 10000);

        for (Job *j = jobs_next(jobs, NULL); j; j = jobs_next(jobs, j))
                n_jobs++;
        assert_int_equal(n_jobs, n_started);

        images_end(images);
        workers_free(workers);
        jobs_free(jobs);
        images_free(images);
        sd_event_unref(event);
}

static void test_other_driver(void **state) {
        Place *p = *state;
        _cleanup_(freep) char *layer = strdup(image_top_layer(find(p, "x:1")));
        _cleanup_(freep) char *from = NULL, *to = NULL;

        /* Under a driver that has no such layers the images are not listed, and nothing of them is lost. */
        assert_ok(str_printf(&from, "layers/vfs/%s", layer + 7));
        assert_ok(str_printf(&to, "layers/%s", layer + 7));
        assert_int_equal(renameat(p->root_fd, from, p->root_fd, to), 0);
        reload(p);
        assert_int_equal(images_count(p->images), 0);
        assert_int_equal(renameat(p->root_fd, to, p->root_fd, from), 0);
        reload(p);
        assert_int_equal(images_count(p->images), 2);
}

static void expect_list(Place *p, const char *filters, const char *expected) {
        _cleanup_(filter_freep) Filter *f = NULL;
        _cleanup_(freep) Image **list = NULL;
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *got = NULL;
        size_t n = 0;
        int r;

        r = filter_parse(filters, NULL, &f, &e);
        if (r >= 0)
                r = images_list(p->images, false, f, &list, &n, &e);
        if (r < 0)
                assert_ok(str_appendf(&got, "%s", e.text));
        for (size_t k = 0; k < n; k++)
                assert_ok(str_appendf(&got, "%s%s", k ? " " : "",
                        strv_empty(list[k]->repo_tags) ? "-" : list[k]->repo_tags[0]));
        assert_string_equal(str_or_empty(got), expected);
}

static void test_list(void **state) {
        Place *p = *state;

        assert_ok(images_tag(p->images, find(p, "x:1"), "team/app", "1", NULL));
        expect_list(p, "", "x:2 x:1");
        expect_list(p, "{\"reference\":[\"x\"]}", "x:2 x:1");
        expect_list(p, "{\"reference\":[\"team/*\"]}", "x:1");
        expect_list(p, "{\"label\":[\"n=1\"]}", "x:2");
        expect_list(p, "{\"before\":[\"x:2\"]}", "x:1");
        expect_list(p, "{\"since\":[\"x:1\"]}", "x:2");
        expect_list(p, "{\"until\":[\"2024-01-01T12:00:00Z\"]}", "x:1");
        expect_list(p, "{\"dangling\":[\"true\"]}", "");
        expect_list(p, "{\"dangling\":[\"no\"]}", "invalid filter 'dangling=[no]'");
        expect_list(p, "{\"nonsense\":[\"x\"]}", "invalid filter 'nonsense'");
        expect_list(p, "{\"before\":[\"z\"]}", "No such image: z:latest");
        assert_ok(images_tag(p->images, find(p, "x:1"), "x", "2", NULL));
        expect_list(p, "{\"dangling\":[\"true\"]}", "-");
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(test_find),
                CASE(test_tag),
                CASE(test_remove_by_name),
                CASE(test_remove_by_id),
                CASE(test_remove_used),
                CASE(test_remove_hidden),
                CASE(test_settle),
                CASE(test_damaged),
                CASE(test_remove_damaged),
                CASE(test_lost_image_of_container),
                CASE(test_damaged_table),
                CASE(test_foreign_rows),
                CASE(test_no_room_for_a_job),
                CASE(test_other_driver),
                CASE(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
