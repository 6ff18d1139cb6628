/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker's rules of removing: a name, or an image with all its names; what stands in the way and what may be forced. */
#include <errno.h>
#include <string.h>

#include "engine/image/images-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/oci/reference.h"

/* One call: what it changes is a copy until all is decided. */
typedef struct Removal {
        Images *set;
        Image *image;
        Tags *next;
        char **actions;
        unsigned n_untagged;
} Removal;

static void removal_done(Removal *k) {
        k->next = tags_free(k->next);
        k->actions = strv_free(k->actions);
}

static const ImageUser *image_user(const Image *i, bool running) {
        for (size_t k = 0; k < i->n_users; k++)
                if (i->users[k].running == running)
                        return i->users + k;
        return NULL;
}

/* At most one tag, and everything in one repository. */
static bool image_has_single_name(const Image *i) {
        _cleanup_(reference_done) Reference first = {};
        size_t n_tags = strv_length(i->repo_tags);

        if (strv_length(i->names) <= 1)
                return true;
        if (n_tags > 1 || reference_parse(i->names[0], &first) < 0)
                return false;

        STRV_FOREACH (n, i->names) {
                _cleanup_(reference_done) Reference ref = {};

                if (reference_parse(*n, &ref) < 0 || !reference_same_repository(&first, &ref))
                        return false;
        }
        return true;
}

static int image_conflict(
        const Image *i, bool hard, const char *what, const char *container_id, Error *reterr) {
        char id[IDENT_SHORT_SIZE], container[IDENT_SHORT_SIZE] = "";

        return error_set(reterr, ERROR_CONFLICT,
                "conflict: unable to delete %s (%s) - image is %s%s%s", ident_short(i->id, id),
                hard ? "cannot be forced" : "must be forced", what, container_id ? " " : "",
                container_id ? ident_short(container_id, container) : "");
}

/* Running containers always stand in the way, the rest only without force. */
static int image_check_conflict(const Image *i, bool force, bool check_names, Error *reterr) {
        const ImageUser *u;

        u = image_user(i, /* running= */ true);
        if (u)
                return image_conflict(
                        i, true, "being used by running container", u->container_id, reterr);
        if (force)
                return 0;

        if (check_names && !strv_empty(i->names))
                return image_conflict(
                        i, false, "referenced in multiple repositories", NULL, reterr);

        u = image_user(i, /* running= */ false);
        if (u)
                return image_conflict(
                        i, false, "being used by stopped container", u->container_id, reterr);
        return 0;
}

static int removal_untag(Removal *k, const char *name) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *familiar = NULL;
        int r;

        r = reference_parse(name, &ref);
        if (r >= 0)
                r = reference_format_familiar(&ref, &familiar);
        if (r >= 0)
                r = tags_unset(k->next, name);
        if (r >= 0)
                r = strv_addf(&k->actions, "Untagged: %s", familiar);
        if (r < 0)
                return r;

        k->n_untagged++;
        return 0;
}

static int removal_untag_all(Removal *k) {
        STRV_FOREACH (n, k->image->names) {
                int r = removal_untag(k, *n);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The image itself goes, and its layers that no other image has. */
static int removal_delete(Removal *k) {
        Image *i = k->image;
        int r = 0;

        STRV_FOREACH (m, i->manifests) {
                r = i->n_users > 0 ? tags_hide(k->next, *m) : tags_drop(k->next, *m);
                if (r < 0)
                        return r;
        }

        r = strv_addf(&k->actions, "Deleted: %s", i->id);
        for (size_t n = i->n_layers; r >= 0 && n > 0; n--)
                if (!images_layer_is_used(k->set, i->chain_ids[n - 1], i))
                        r = strv_addf(&k->actions, "Deleted: %s", i->chain_ids[n - 1]);
        return r;
}

static int removal_commit(Removal *k, bool deleted, char ***ret_actions, Error *reterr) {
        Images *s = k->set;
        Image *i = k->image;
        int r;

        r = images_commit_tags(s, &k->next, reterr);
        if (r < 0)
                return r;

        for (unsigned n = 0; n < k->n_untagged; n++)
                images_publish(s, i, "untag", NULL);
        if (deleted)
                images_publish(s, i, "delete", NULL);

        if (deleted && i->n_users == 0) {
                images_drop(s, i);
                images_sweep(s);
        } else {
                r = images_refresh_names(s, i);
                if (r < 0)
                        return r;
        }

        *ret_actions = TAKE_PTR(k->actions);
        return 0;
}

/* By one of its names: others stay, and with them the image. */
static int removal_by_name(Removal *k, const char *name, const char *key, bool force,
        bool *ret_deleted, Error *reterr) {
        const Image *i = k->image;
        int r;

        if (!force && image_has_single_name(i) && i->n_users > 0) {
                char id[IDENT_SHORT_SIZE], container[IDENT_SHORT_SIZE];

                return error_set(reterr, ERROR_CONFLICT,
                        "conflict: unable to remove repository reference \"%s\" (must force) - "
                        "container %s is using its "
                        "referenced image %s",
                        name, ident_short(i->users[0].container_id, container),
                        ident_short(i->id, id));
        }

        r = removal_untag(k, key);
        if (r < 0)
                return r;

        /* With the last tag of a repository go the digests that are known of it. */
        STRV_FOREACH (n, i->names) {
                _cleanup_(reference_done) Reference ref = {}, gone = {};

                if (streq(*n, key) || strv_length(i->repo_tags) > 1 ||
                        reference_parse(key, &gone) < 0 || gone.digest ||
                        reference_parse(*n, &ref) < 0 || !ref.digest ||
                        !reference_same_repository(&ref, &gone))
                        continue;
                r = removal_untag(k, *n);
                if (r < 0)
                        return r;
        }

        *ret_deleted = k->n_untagged == strv_length(i->names) && i->n_users == 0;
        return *ret_deleted ? removal_delete(k) : 0;
}

static int removal_by_id(Removal *k, bool force, Error *reterr) {
        int r;

        r = image_check_conflict(
                k->image, force, /* check_names= */ !image_has_single_name(k->image), reterr);
        if (r >= 0)
                r = removal_untag_all(k);
        if (r >= 0)
                r = removal_delete(k);
        return r;
}

/* The row that name means, if it means one: the image was asked for by name then. */
static int images_find_key(Images *s, const char *name, const Image *i, char **ret) {
        _cleanup_(reference_done) Reference ref = {};
        _cleanup_(freep) char *key = NULL;
        const Tag *t;
        int r;

        if (streq(name, i->id) || reference_parse(name, &ref) < 0)
                return 0;
        if (ref.digest)
                ref.tag = mfree(ref.tag);
        r = reference_format(&ref, &key);
        if (r < 0)
                return r;

        t = tags_find(s->tags, key);
        if (!t || images_by_manifest(s, t->manifest) != i)
                return 0;
        *ret = TAKE_PTR(key);
        return 1;
}

int images_remove(Images *s, const char *name, bool force, bool no_prune, char ***ret_actions,
        Error *reterr) {
        _cleanup_(removal_done) Removal k = { .set = s };
        _cleanup_(freep) char *key = NULL;
        bool deleted = true;
        int r;

        assert(s);
        assert(ret_actions);

        r = images_remove_damaged(s, name, ret_actions, reterr);
        if (r != 0)
                return r < 0 ? r : 0;

        r = images_find(s, name, &k.image, reterr);
        if (r < 0)
                return r;
        if (k.image->hidden)
                return error_set(reterr, ERROR_NOT_FOUND, "No such image: %s", name);

        k.actions = strv_new(NULL);
        r = k.actions ? tags_copy(s->tags, &k.next) : -ENOMEM;
        if (r >= 0)
                r = images_find_key(s, name, k.image, &key);
        if (r < 0)
                return r;

        r = r > 0 ? removal_by_name(&k, name, key, force, &deleted, reterr)
                  : removal_by_id(&k, force, reterr);
        if (r < 0)
                return r;

        return removal_commit(&k, deleted, ret_actions, reterr);
}

/* A hidden image leaves with its last container. */
static void images_end_hidden(Images *s, Image *i) {
        _cleanup_(tags_freep) Tags *next = NULL;
        int r;

        r = tags_copy(s->tags, &next);
        STRV_FOREACH (m, i->manifests)
                if (r >= 0)
                        r = tags_drop(next, *m);
        if (r >= 0)
                r = images_commit_tags(s, &next, NULL);
        if (r < 0) {
                (void) log_warning_errno(r,
                        "Failed to end image %s, which no container uses any more: %m, ignoring",
                        i->id);
                return;
        }

        images_drop(s, i);
        images_sweep(s);
}

void image_remove_user(Image *i, const char *container_id) {
        assert(i);

        for (size_t k = 0; k < i->n_users; k++)
                if (streq(i->users[k].container_id, container_id)) {
                        free(i->users[k].container_id);
                        i->users[k] = i->users[--i->n_users];
                        break;
                }

        if (i->hidden && i->n_users == 0 && i->images)
                images_end_hidden(i->images, i);
}

void images_settle(Images *s) {
        Image *i;

        assert(s);

        HASHMAP_FOREACH (i, s->by_id) {
                if (i->hidden && i->n_users == 0)
                        images_end_hidden(s, i);
        }
}
