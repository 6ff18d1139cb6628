/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/pairs.h"
#include "lib/oci/image-spec.h"

#define D(digit) "sha256:" digit digit digit digit digit digit digit digit
#define A        D("aaaaaaaa")
#define B        D("bbbbbbbb")

#define LAYER          "{\"mediaType\":\"" MEDIA_OCI_LAYER_GZIP "\",\"digest\":\"" B "\",\"size\":5}"
#define CONFIG         "{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"" A "\",\"size\":3}"
#define MANIFEST(more) "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER "]" more "}"

static void test_manifest(void **state) {
        static const char text[] = MANIFEST(",\"annotations\":{\"b\":\"2\",\"a\":\"1\"}");
        _cleanup_(image_manifest_done) ImageManifest m = {};
        _cleanup_(freep) char *written = NULL;

        assert_int_equal(image_manifest_read(text, strlen(text), NULL, &m, NULL), 0);
        assert_string_equal(m.config.digest, A);
        assert_int_equal(m.n_layers, 1);
        assert_int_equal(m.layers[0].size, 5);
        assert_string_equal(pairs_get(m.annotations, "b"), "2");

        assert_int_equal(image_manifest_write(&m, &written), 0);
        assert_string_equal(written, MANIFEST(",\"annotations\":{\"a\":\"1\",\"b\":\"2\"}"));
}

typedef int (*read_t)(const char *text, const char *media_type, Error *reterr);

static int read_manifest(const char *text, const char *media_type, Error *reterr) {
        _cleanup_(image_manifest_done) ImageManifest m = {};

        return image_manifest_read(text, strlen(text), media_type, &m, reterr);
}

static int read_index(const char *text, const char *media_type, Error *reterr) {
        _cleanup_(image_index_done) ImageIndex i = {};

        return image_index_read(text, strlen(text), media_type, &i, reterr);
}

static int read_config(const char *text, const char *media_type, Error *reterr) {
        _cleanup_(image_config_done) ImageConfig c = {};

        return image_config_read(text, strlen(text), &c, reterr);
}

static int read_mark(const char *text, const char *media_type, Error *reterr) {
        return image_layout_mark_read(text, strlen(text), reterr);
}

static void test_accepted(void **state) {
        static const struct {
                read_t read;
                const char *text, *media_type;
        } rows[] = {
                { read_manifest, MANIFEST(""), MEDIA_OCI_MANIFEST },
                { read_manifest, MANIFEST(""), MEDIA_DOCKER_MANIFEST },
                { read_manifest, MANIFEST(",\"mediaType\":\"" MEDIA_DOCKER_MANIFEST "\""), NULL },
                { read_manifest, MANIFEST(",\"unknown\":{\"manifests\":[]}"), NULL },
                { read_manifest, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":null}",
                        NULL },
                { read_index, "{\"schemaVersion\":2,\"manifests\":[" CONFIG "]}", MEDIA_OCI_INDEX },
                { read_index, "{\"schemaVersion\":2,\"manifests\":null}", NULL },
                { read_index,
                        "{\"schemaVersion\":2,\"manifests\":[],\"mediaType\":\"" MEDIA_DOCKER_LIST
                        "\"}",
                        NULL },
                { read_config, "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\"]}}",
                        NULL },
                { read_config, "{\"rootfs\":{\"diff_ids\":null},\"config\":null,\"history\":null}",
                        NULL },
                { read_config,
                        "{\"rootfs\":{},\"config\":{\"Cmd\":null,\"Env\":null,\"Volumes\":null,"
                        "\"Labels\":null,\"OnBuild\":null,\"Healthcheck\":null,\"User\":null}}",
                        NULL },
                { read_config, "{\"rootfs\":{},\"created\":\"when it rained\"}", NULL },
                { read_mark, "{\"imageLayoutVersion\":\"1.0.0\"}", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(error_done) Error e = {};

                if (rows[i].read(rows[i].text, rows[i].media_type, &e) < 0)
                        fail_msg("%s: %s", rows[i].text, error_text(&e, 0));
        }
}

static void test_refused(void **state) {
        static const struct {
                read_t read;
                const char *text, *media_type, *error;
        } rows[] = {
                { read_manifest, MANIFEST(",\"manifests\":[]"), NULL,
                        "Manifest has a member \"manifests\"" },
                { read_manifest, MANIFEST(",\"Manifests\":[]"), NULL,
                        "Manifest has a member \"manifests\"" },
                { read_manifest, MANIFEST(",\"fsLayers\":[]"), NULL,
                        "Manifest has a member \"fsLayers\"" },
                { read_manifest, MANIFEST(""), MEDIA_OCI_INDEX,
                        "Manifest is called \"" MEDIA_OCI_INDEX "\"" },
                { read_manifest, MANIFEST(",\"mediaType\":\"" MEDIA_OCI_INDEX "\""), NULL,
                        "Manifest has media type \"" MEDIA_OCI_INDEX "\"" },
                { read_manifest, MANIFEST(",\"mediaType\":\"" MEDIA_OCI_MANIFEST "\""),
                        MEDIA_DOCKER_MANIFEST,
                        "Manifest says media type \"" MEDIA_OCI_MANIFEST
                        "\", but \"" MEDIA_DOCKER_MANIFEST "\" was expected" },
                { read_manifest, "{\"schemaVersion\":1,\"config\":" CONFIG "}", NULL,
                        "schemaVersion: 1 is not supported, only 2" },
                { read_manifest, "{\"config\":" CONFIG "}", NULL, "schemaVersion: is missing" },
                { read_manifest, "{\"schemaVersion\":2,\"layers\":[]}", NULL,
                        "config: is missing" },
                { read_manifest,
                        "{\"schemaVersion\":2,\"config\":{\"digest\":\"../../etc\",\"size\":1}}",
                        NULL, "config[0].digest: \"../../etc\" is no sha256 digest" },
                { read_manifest,
                        "{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\",\"size\":-1}}", NULL,
                        "config[0].size: must not be negative" },
                { read_manifest, "{\"schemaVersion\":2,\"config\":{\"digest\":\"" A "\"}}", NULL,
                        "config.size: is missing" },
                { read_manifest, "[]", NULL, "Manifest: expected an object" },
                { read_index, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", NULL,
                        "Index has a member \"layers\"" },
                { read_index, "{\"schemaVersion\":2,\"manifests\":[],\"config\":{}}", NULL,
                        "Index has a member \"config\"" },
                { read_index, "{\"schemaVersion\":2}", NULL, "manifests: is missing" },
                { read_index,
                        "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha512:ab\",\"size\":1}]"
                        "}",
                        NULL, "manifests[0].digest: \"sha512:ab\" is no sha256 digest" },
                { read_index, MANIFEST(""), NULL, "Index has a member \"layers\"" },
                { read_config, "{}", NULL, "rootfs: is missing" },
                { read_config, "{\"rootfs\":{\"type\":\"squash\"}}", NULL,
                        "rootfs.type: \"squash\" is not supported" },
                { read_config, "{\"rootfs\":{\"diff_ids\":[\"sha256:x\"]}}", NULL,
                        "rootfs.diff_ids: \"sha256:x\" is no sha256 digest" },
                { read_config, "{\"rootfs\":{},\"history\":[{\"created_by\":\"x\"}]}", NULL,
                        "history: too many non-empty layers (1, there are 0)" },
                { read_config, "{\"rootfs\":{},\"config\":{\"Env\":\"x\"}}", NULL,
                        "config.Env: expected a list of strings" },
                { read_mark, "{\"imageLayoutVersion\":\"2.0.0\"}", NULL,
                        "imageLayoutVersion: \"2.0.0\" is not supported, only 1.x" },
                { read_mark, "{}", NULL, "imageLayoutVersion: is missing" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(error_done) Error e = {};

                if (rows[i].read(rows[i].text, rows[i].media_type, &e) != -EINVAL)
                        fail_msg("%s", rows[i].text);
                assert_string_equal(e.text, rows[i].error);
        }
}

static void test_too_many_layers(void **state) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(error_done) Error e = {};

        assert_int_equal(
                str_copy(&text, "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER),
                0);
        for (unsigned i = 0; i < IMAGE_LAYERS_MAX; i++)
                assert_int_equal(str_appendf(&text, "," LAYER), 0);
        assert_int_equal(str_appendf(&text, "]}"), 0);
        assert_int_equal(read_manifest(text, NULL, &e), -EFBIG);
        assert_string_equal(e.text, "layers: 501 entries, at most 500");
}

/* A config as docker build writes it. */
static void test_config(void **state) {
        static const char text[] =
                "{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2026-03-01T12:00:00."
                "123456789Z\","
                "\"config\":{\"User\":\"nobody\",\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},"
                "\"Env\":[\"PATH=/"
                "bin\"],\"Cmd\":[\"sh\"],\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],"
                "\"Interval\":30000000000,\"Retries\":3},\"ArgsEscaped\":true,\"Volumes\":{\"/"
                "data\":{}},"
                "\"WorkingDir\":\"/\",\"OnBuild\":[\"RUN x\"],\"Labels\":{\"a\":\"b\"},"
                "\"StopSignal\":\"SIGQUIT\",\"StopTimeout\":0,\"Shell\":[\"/bin/sh\",\"-c\"]},"
                "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\"]},"
                "\"history\":[{\"created\":\"2026-03-01T12:00:00Z\",\"created_by\":\"ADD x\"},"
                "{\"comment\":\"c\",\"empty_layer\":true}]}";
        _cleanup_(image_config_done) ImageConfig c = {}, copy = {};
        _cleanup_(freep) char *written = NULL, *again = NULL;

        assert_int_equal(image_config_read(text, strlen(text), &c, NULL), 0);
        assert_int_equal(strv_length(c.config.exposed_ports), 2);
        assert_string_equal(c.config.healthcheck->test[1], "true");
        assert_int_equal(c.config.stop_timeout, 0);
        assert_int_equal(c.n_history, 2);
        assert_true(c.history[1].empty_layer);

        assert_int_equal(image_config_copy(&c, &copy), 0);
        assert_int_equal(image_config_write(&c, &written), 0);
        assert_int_equal(image_config_write(&copy, &again), 0);
        assert_string_equal(written, again);
        assert_non_null(strstr(written, "\"StopTimeout\":0"));
        assert_non_null(strstr(written, "\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}}"));
}

static void test_bad_times_are_dropped(void **state) {
        static const char text[] = "{\"rootfs\":{},\"created\":\"\\u001b[31m\"}";
        _cleanup_(image_config_done) ImageConfig c = {};

        assert_int_equal(image_config_read(text, strlen(text), &c, NULL), 0);
        assert_null(c.created);
}

static void test_media_types(void **state) {
        assert_true(media_type_is_layer(MEDIA_OCI_LAYER));
        assert_true(media_type_is_layer(MEDIA_OCI_LAYER_ZSTD));
        assert_true(media_type_is_layer(MEDIA_DOCKER_LAYER_GZIP));
        assert_true(
                media_type_is_layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
        assert_false(media_type_is_layer("application/vnd.oci.image.layer.v1.tar+br"));
        assert_false(media_type_is_layer("application/vnd.in-toto+json"));
        assert_false(media_type_is_layer(NULL));
        assert_true(media_type_is_index(MEDIA_DOCKER_LIST));
        assert_false(media_type_is_index(NULL));
        assert_true(image_digest_is_valid(A));
        assert_false(image_digest_is_valid("sha256:AAAA"));
        assert_false(image_digest_is_valid(A "a"));
        assert_false(image_digest_is_valid(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_manifest),
                cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_too_many_layers),
                cmocka_unit_test(test_config),
                cmocka_unit_test(test_bad_times_are_dropped),
                cmocka_unit_test(test_media_types),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
