/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images are found, named and listed. */
#include "tests/unit/engine/image/images-place.h"

#include <systemd/sd-event.h>

#include "engine/core/job.h"
#include "engine/core/worker.h"
#include "lib/api/filter.h"

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

int main(void) {
        const struct CMUnitTest tests[] = {
                PLACE_CASE(test_find),
                PLACE_CASE(test_tag),
                PLACE_CASE(test_no_room_for_a_job),
                PLACE_CASE(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
