/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What docker has of volumes of a swarm. Our own daemon is in none and says so; the same command line may speak to another one. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd-volume.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

static const char *const words[] = { "availability", "group", "limit-bytes", "required-bytes",
        "scope", "secret", "sharing", "topology-preferred", "topology-required", "type" };

static int set_bytes(Json *range, const char *key, const Options *o, const char *option) {
        uint64_t bytes = 0;
        int r = options_given(o, option) ? parse_size(options_string(o, option), &bytes) : 0;

        return r < 0 ? r : json_set_uint64(range, key, bytes);
}

static int set_capacity(Json *spec, const Options *o) {
        Json *range;
        int r;

        r = json_set_new_object(spec, "CapacityRange", &range);
        if (r >= 0)
                r = set_bytes(range, "RequiredBytes", o, "required-bytes");
        return r < 0 ? r : set_bytes(range, "LimitBytes", o, "limit-bytes");
}

static int set_access(Json *spec, const Options *o, Error *reterr) {
        const char *type = str_or(options_string(o, "type"), "block");
        Json *mode, *volume;
        int r;

        if (!STR_IN_SET(type, "block", "mount"))
                return error_set(reterr, ERROR_INVALID, "invalid type of volume: %s", type);
        r = json_set_new_object(spec, "AccessMode", &mode);
        if (r >= 0)
                r = json_set_text(mode, "Scope", str_or(options_string(o, "scope"), "single"));
        if (r >= 0)
                r = json_set_text(mode, "Sharing", str_or(options_string(o, "sharing"), "none"));
        return r < 0 ? r
                     : json_set_new_object(
                               mode, streq(type, "block") ? "BlockVolume" : "MountVolume", &volume);
}

static int set_secrets(Json *spec, const Options *o) {
        Json *list, *secret;
        int r;

        r = json_set_new_list(spec, "Secrets", &list);
        STRV_FOREACH (word, options_list(o, "secret")) {
                const char *equals = strchr(*word, '=');
                _cleanup_(freep) char *key = NULL;

                if (r >= 0)
                        r = str_copy_n(&key, *word, strcspn(*word, "="));
                if (r >= 0)
                        r = json_append_new_object(list, &secret);
                if (r >= 0)
                        r = json_set_text(secret, "Key", key);
                if (r >= 0)
                        r = json_set_text(secret, "Secret", equals ? equals + 1 : "");
        }
        return r;
}

/* Each word is "key=value,key=value". */
static int set_places(Json *where, const char *name, char *const *places) {
        Json *list, *place, *segments;
        int r = strv_empty(places) ? 0 : json_set_new_list(where, name, &list);

        STRV_FOREACH (word, places) {
                _cleanup_(strv_freep) char **pairs = NULL;

                if (r >= 0)
                        r = json_append_new_object(list, &place);
                if (r >= 0)
                        r = json_set_new_object(place, "Segments", &segments);
                if (r >= 0)
                        r = strv_split(*word, ",", /* keep_empty= */ false, &pairs);
                if (r >= 0)
                        r = cli_set_pairs(segments, pairs);
        }
        return r;
}

int volume_set_cluster(Json *body, const Options *o, Error *reterr) {
        Json *spec, *where;
        bool given = false;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                given = given || options_given(o, words[i]);
        if (!given)
                return 0;

        r = json_set_new_object(body, "ClusterVolumeSpec", &spec);
        if (r >= 0)
                r = json_set_text(spec, "Group", str_or_empty(options_string(o, "group")));
        if (r >= 0)
                r = set_access(spec, o, reterr);
        if (r >= 0)
                r = set_capacity(spec, o);
        if (r >= 0)
                r = set_secrets(spec, o);
        if (r >= 0)
                r = json_set_text(
                        spec, "Availability", str_or(options_string(o, "availability"), "active"));
        if (r >= 0)
                r = json_set_new_object(spec, "AccessibilityRequirements", &where);
        if (r >= 0)
                r = set_places(where, "Requisite", options_list(o, "topology-required"));
        return r < 0 ? r : set_places(where, "Preferred", options_list(o, "topology-preferred"));
}

int volume_cmd_update(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(json_unrefp) Json *volume = NULL, *body = NULL;
        _cleanup_(freep) char *path = NULL, *update = NULL, *version = NULL;
        Json *cluster, *spec;
        RestClient *c;
        int r;

        path = rest_path(REST_PATH("/volumes/", options_arguments(o)[0]), NULL);
        if (!path)
                return -ENOMEM;
        r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = rest_call(c, "GET", path, NULL, &volume, reterr);
        if (r < 0)
                return r;
        cluster = json_get(volume, "ClusterVolume");
        spec = json_get(cluster, "Spec");
        if (json_type_of(spec) != JSON_TYPE_OBJECT)
                return error_set(reterr, ERROR_INVALID, "can only update cluster volumes");

        if (options_given(o, "availability"))
                r = json_set_text(spec, "Availability", options_string(o, "availability"));
        if (r >= 0)
                r = json_new_object(&body);
        if (r >= 0)
                r = json_set(body, "Spec", spec);
        if (r >= 0)
                r = str_printf(&version, "%lld",
                        (long long) json_get_int64(json_get(cluster, "Version"), "Index", 0));
        if (r < 0)
                return r;
        update = rest_path(REST_PATH("/volumes/", str_or_empty(json_get_text(cluster, "ID"))),
                REST_QUERY("version", version));
        return update ? rest_call(c, "PUT", update, body, NULL, reterr) : -ENOMEM;
}
