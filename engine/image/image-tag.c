/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving names. */
#include <errno.h>

#include "engine/image/images-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

int images_give_name(Images *s, Tags *next, Image *i, const char *name, int64_t now_ns) {
        return tags_set(next, name, i->manifest, i->media_type, i->manifest_size, now_ns);
}

/* "repo" and "tag" as a client sent them: both may say the tag, then the second one counts. */
static int image_target(const char *repository, const char *tag, Reference *ret, Error *reterr) {
        if (reference_parse(repository, ret) < 0)
                return error_set(reterr, ERROR_INVALID, "invalid reference format");
        if (ret->digest)
                return error_set(
                        reterr, ERROR_INVALID, "refusing to create a tag with a digest reference");
        if (reference_is_ambiguous(ret))
                return error_set(reterr, ERROR_INVALID,
                        "refusing to create an ambiguous tag using digest algorithm as name");

        if (!str_empty(tag)) {
                if (!reference_tag_is_valid(tag))
                        return error_set(reterr, ERROR_INVALID, "invalid tag format");
                return str_copy(&ret->tag, tag);
        }
        return 0;
}

int images_target_name(const char *repository, const char *tag, char **ret, Error *reterr) {
        _cleanup_(reference_done) Reference ref = {};
        int r;

        r = image_target(repository, tag, &ref, reterr);
        return r < 0 ? r : reference_format(&ref, ret);
}

int images_tag(Images *s, Image *i, const char *repository, const char *tag, Error *reterr) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *name = NULL, *familiar = NULL;
        _cleanup_(tags_freep) Tags *next = NULL;
        const Tag *old;
        Image *loser;
        int r;

        assert(s);
        assert(i);

        r = image_target(str_or_empty(repository), tag, &ref, reterr);
        if (r >= 0)
                r = reference_format(&ref, &name);
        if (r >= 0)
                r = reference_format_familiar(&ref, &familiar);
        if (r >= 0)
                r = tags_copy(s->tags, &next);
        if (r < 0)
                return r;

        old = tags_find(s->tags, name);
        loser = old ? images_by_manifest(s, old->manifest) : NULL;

        r = images_give_name(s, next, i, name, clock_realtime_ns());
        if (r >= 0)
                r = images_commit_tags(s, &next, reterr);
        if (r >= 0)
                r = images_refresh_names(s, i);
        if (r >= 0 && loser && loser != i)
                r = images_refresh_names(s, loser);
        if (r < 0)
                return r;

        images_publish(s, i, "tag", familiar);
        return 0;
}
