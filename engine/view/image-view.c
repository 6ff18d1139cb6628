/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view/image-view.h"

#include "engine/image/image.h"
#include "engine/image/images.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/fields.h"
#include "lib/json/json.h"

static int set_time(Json *v, const char *key, int64_t ns) {
        char text[CLOCK_TEXT_SIZE];

        return json_set_text(v, key, clock_format(ns, text));
}

/* What old clients expect in Config although an image has no such thing. */
static int pad_config(Json *config) {
        static const char *const texts[] = { "Hostname", "Domainname", "User", "Image",
                "WorkingDir" };
        static const char *const switches[] = { "AttachStdin", "AttachStdout", "AttachStderr",
                "Tty", "OpenStdin", "StdinOnce" };
        static const char *const nulls[] = { "Env", "Cmd", "Volumes", "Entrypoint", "OnBuild",
                "Labels" };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(texts) && r >= 0; i++)
                if (!json_get(config, texts[i]))
                        r = json_set_text(config, texts[i], "");
        for (size_t i = 0; i < ARRAY_SIZE(switches) && r >= 0; i++)
                if (!json_get(config, switches[i]))
                        r = json_set_bool(config, switches[i], false);
        for (size_t i = 0; i < ARRAY_SIZE(nulls) && r >= 0; i++)
                if (!json_get(config, nulls[i]))
                        r = json_set_null(config, nulls[i]);
        return r;
}

static int set_config(Json *v, const Image *i, unsigned api) {
        _cleanup_(json_unrefp) Json *config = NULL;
        int r;

        r = json_write(&i->config.config, image_run_config_fields, &config);
        if (r >= 0 && api < 1050)
                r = pad_config(config);
        return r < 0 ? r : json_set(v, "Config", config);
}

static int set_names(Json *v, const Image *i, unsigned api) {
        bool nameless = strv_empty(i->repo_tags) && strv_empty(i->repo_digests) && api < 1043;
        int r;

        r = json_set_strv(v, "RepoTags",
                nameless ? (char *[]) { (char *) "<none>:<none>", NULL } : i->repo_tags);
        if (r < 0)
                return r;
        return json_set_strv(v, "RepoDigests",
                nameless ? (char *[]) { (char *) "<none>@<none>", NULL } : i->repo_digests);
}

static int set_old_words(Json *v, const Image *i, unsigned api) {
        const ImageConfig *c = &i->config;
        int r = 0;

        if (api < 1052 || !str_empty(c->author))
                r = json_set_text(v, "Author", str_or_empty(c->author));
        if (r >= 0 && (api < 1052 || !str_empty(c->comment)))
                r = json_set_text(v, "Comment", str_or_empty(c->comment));
        if (r >= 0 && api < 1052)
                r = json_set_text(v, "Parent", "");
        if (r >= 0 && api < 1052)
                r = json_set_text(v, "DockerVersion", str_or_empty(c->docker_version));
        if (r >= 0 && api < 1044)
                r = json_set_uint64(v, "VirtualSize", i->size);
        if (r >= 0 && api < 1045) {
                _cleanup_(json_unrefp) Json *maker = NULL;

                r = json_set_text(v, "Container", str_or_empty(c->container));
                /* Of a container that is not there any more. docker-compose 1.x looks here for the image's volumes. */
                if (r >= 0)
                        r = json_write(&c->config, image_run_config_fields, &maker);
                if (r >= 0)
                        r = pad_config(maker);
                if (r >= 0)
                        r = json_set(v, "ContainerConfig", maker);
        }
        return r;
}

int image_view_inspect(const Image *i, unsigned api, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const ImageConfig *c = &i->config;
        Json *part;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Id", i->id);
        if (r >= 0)
                r = set_names(v, i, api);
        if (r >= 0)
                r = set_time(v, "Created", i->created_ns);
        if (r >= 0)
                r = set_old_words(v, i, api);
        if (r >= 0)
                r = set_config(v, i, api);
        if (r >= 0)
                r = json_set_text(v, "Architecture", str_or_empty(c->architecture));
        if (r >= 0 && !str_empty(c->variant))
                r = json_set_text(v, "Variant", c->variant);
        if (r >= 0)
                r = json_set_text(v, "Os", str_empty(c->os) ? "linux" : c->os);
        if (r >= 0 && !str_empty(c->os_version))
                r = json_set_text(v, "OsVersion", c->os_version);
        if (r >= 0)
                r = json_set_uint64(v, "Size", i->size);
        if (r >= 0)
                r = json_set_new_object(v, "GraphDriver", &part);
        if (r >= 0)
                r = json_set_text(part, "Name", image_driver(i));
        if (r >= 0) {
                _cleanup_(strv_freep) char **pairs = NULL;

                r = image_describe(i, &pairs);
                if (r >= 0)
                        r = json_set_pairs(part, "Data", pairs);
        }
        if (r >= 0)
                r = json_set_new_object(v, "RootFS", &part);
        if (r >= 0)
                r = json_set_text(part, "Type", "layers");
        if (r >= 0 && !strv_empty(c->rootfs.diff_ids))
                r = json_set_strv(part, "Layers", c->rootfs.diff_ids);
        if (r >= 0)
                r = json_set_new_object(v, "Metadata", &part);
        if (r >= 0)
                r = set_time(part, "LastTagTime", i->tagged_ns);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}

static int64_t seconds(int64_t ns) {
        return ns == CLOCK_NEVER ? 0 : ns / NSEC_PER_SEC;
}

int image_view_row(const Image *i, unsigned api, Json **ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        int r;

        r = json_new_object(&v);
        if (r >= 0)
                r = json_set_text(v, "Id", i->id);
        if (r >= 0)
                r = json_set_text(v, "ParentId", "");
        if (r >= 0)
                r = set_names(v, i, api);
        if (r >= 0)
                r = json_set_int64(v, "Created", seconds(i->created_ns));
        if (r >= 0)
                r = json_set_uint64(v, "Size", i->size);
        if (r >= 0)
                r = json_set_int64(v, "SharedSize", -1);
        if (r >= 0 && api < 1044)
                r = json_set_uint64(v, "VirtualSize", i->size);
        if (r >= 0)
                r = i->config.config.labels ? json_set_pairs(v, "Labels", i->config.config.labels)
                                            : json_set_null(v, "Labels");
        if (r >= 0)
                r = json_set_int64(v, "Containers", api < 1051 ? -1 : (int64_t) i->n_users);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}

/* Sizes belong to the layers, in order; an entry without one has none. */
static int history_row(
        const Image *i, const ImageHistory *h, bool newest, uint64_t size, Json *list) {
        int64_t created = CLOCK_NEVER;
        Json *row;
        int r;

        if (h->created)
                (void) clock_parse(h->created, &created);
        r = json_append_new_object(list, &row);
        if (r >= 0)
                r = json_set_text(row, "Id", newest ? i->id : "<missing>");
        if (r >= 0)
                r = json_set_int64(row, "Created", seconds(created));
        if (r >= 0)
                r = json_set_text(row, "CreatedBy", str_or_empty(h->created_by));
        if (r >= 0)
                r = newest && !strv_empty(i->repo_tags) ? json_set_strv(row, "Tags", i->repo_tags)
                                                        : json_set_null(row, "Tags");
        if (r >= 0)
                r = json_set_uint64(row, "Size", size);
        if (r >= 0)
                r = json_set_text(row, "Comment", str_or_empty(h->comment));
        return r;
}

int image_view_history(const Image *i, unsigned api, Json **ret) {
        _cleanup_(json_unrefp) Json *list = NULL;
        const ImageConfig *c = &i->config;
        size_t layer = i->n_layers;
        int r;

        r = json_new_list(&list);
        if (r < 0)
                return r;

        for (size_t n = c->n_history; n > 0; n--) {
                const ImageHistory *h = c->history + n - 1;
                uint64_t size = 0;

                if (!h->empty_layer && layer > 0) {
                        layer--;
                        size = i->layer_sizes ? i->layer_sizes[layer] : 0;
                }
                r = history_row(i, h, n == c->n_history, size, list);
                if (r < 0)
                        return r;
        }
        /* Nobody wrote down how the image was made: its layers at least. */
        for (; c->n_history == 0 && layer > 0; layer--) {
                r = history_row(i, &(const ImageHistory) {}, layer == i->n_layers,
                        i->layer_sizes ? i->layer_sizes[layer - 1] : 0, list);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(list);
        return 0;
}
