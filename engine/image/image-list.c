/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images in order, and those that a filter lets pass. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image/images-internal.h"
#include "lib/api/filter.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

const char *const image_filter_keys[] = { "before", "dangling", "label", "reference", "since",
        "until", NULL };

static int image_compare(const void *a, const void *b) {
        const Image *x = *(Image *const *) a, *y = *(Image *const *) b;

        if (x->created_ns != y->created_ns)
                return x->created_ns > y->created_ns ? -1 : 1;
        return strcmp(x->id, y->id);
}

static int images_sort(Images *s) {
        Image *i;

        if (s->sorted)
                return 0;

        s->sorted = new0(Image *, hashmap_size(s->by_id) + 1);
        if (!s->sorted)
                return -ENOMEM;
        s->n_sorted = 0;

        HASHMAP_FOREACH (i, s->by_id) {
                if (!i->hidden && !i->cached)
                        s->sorted[s->n_sorted++] = i;
        }
        qsort(s->sorted, s->n_sorted, sizeof(*s->sorted), image_compare);
        for (size_t k = 0; k < s->n_sorted; k++)
                s->sorted[k]->position = k;
        return 0;
}

Image *images_next(Images *s, Image *after) {
        size_t k;

        assert(s);

        if (images_sort(s) < 0)
                return NULL;
        k = after ? after->position + 1 : 0;
        return k < s->n_sorted ? s->sorted[k] : NULL;
}

unsigned images_count(Images *s) {
        assert(s);

        return images_sort(s) < 0 ? 0 : (unsigned) s->n_sorted;
}

/* What the values of a request mean, looked up once. */
typedef struct ImageQuery {
        const Filter *filter;
        const Image *before, *since;
        bool has_dangling, dangling;
        bool has_until;
        int64_t until_ns;
} ImageQuery;

static int query_image(
        Images *s, const Filter *f, const char *key, const Image **ret, Error *reterr) {
        char *const *values = filter_values(f, key);
        int r;

        STRV_FOREACH (v, values) {
                Image *i;

                r = images_find(s, *v, &i, reterr);
                if (r < 0)
                        return r;
                *ret = i;
        }
        return 0;
}

static int query_prepare(Images *s, const Filter *f, ImageQuery *q, Error *reterr) {
        char *const *values;
        int r;

        *q = (ImageQuery) { .filter = f };

        r = filter_check_keys(f, image_filter_keys, reterr);
        if (r >= 0)
                r = query_image(s, f, "before", &q->before, reterr);
        if (r >= 0)
                r = query_image(s, f, "since", &q->since, reterr);
        if (r < 0)
                return r;

        r = filter_get_bool(f, "dangling", &q->dangling, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        q->has_dangling = r >= 0;

        values = filter_values(f, "until");
        if (!strv_empty(values)) {
                if (values[1])
                        return error_set(
                                reterr, ERROR_INVALID, "more than one until filter specified");
                if (clock_parse_point(values[0], clock_realtime_ns(), &q->until_ns) < 0)
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter 'until=%s'", values[0]);
                q->has_until = true;
        }
        return 0;
}

static bool image_matches_reference(const Image *i, char *const *patterns) {
        STRV_FOREACH (n, i->names) {
                _cleanup_(reference_done) Reference ref = {};

                if (reference_parse(*n, &ref) < 0)
                        continue;
                STRV_FOREACH (p, patterns)
                        if (reference_matches(&ref, *p))
                                return true;
        }
        return false;
}

static bool query_matches(const ImageQuery *q, const Image *i) {
        if (q->before && i->created_ns >= q->before->created_ns)
                return false;
        if (q->since && i->created_ns <= q->since->created_ns)
                return false;
        if (q->has_until && i->created_ns > q->until_ns)
                return false;
        if (q->has_dangling && q->dangling != strv_empty(i->names))
                return false;
        if (filter_has(q->filter, "reference") &&
                !image_matches_reference(i, filter_values(q->filter, "reference")))
                return false;

        return filter_match_labels(q->filter, i->config.config.labels);
}

int images_list(Images *s, bool all, const Filter *f, Image ***ret, size_t *ret_n, Error *reterr) {
        _cleanup_(freep) Image **list = NULL;
        ImageQuery q;
        size_t n = 0;
        int r;

        assert(s);
        assert(ret);
        assert(ret_n);

        r = query_prepare(s, f, &q, reterr);
        if (r >= 0)
                r = images_sort(s);
        if (r < 0)
                return r;

        list = new0(Image *, s->n_sorted + 1);
        if (!list)
                return -ENOMEM;
        for (size_t k = 0; k < s->n_sorted; k++)
                if (query_matches(&q, s->sorted[k]))
                        list[n++] = s->sorted[k];

        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}
