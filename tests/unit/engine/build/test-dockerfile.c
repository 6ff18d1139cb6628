/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

#include <string.h>

#include "engine/build/dockerfile.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"

static Dockerfile *parse(const char *text) {
        _cleanup_(error_done) Error e = {};
        Dockerfile *d = NULL;

        if (dockerfile_parse(text, strlen(text), "Dockerfile", &d, &e) < 0)
                fail_msg("%s", error_text(&e, 0));
        return d;
}

static void test_lines(void **state) {
        _cleanup_(dockerfile_freep) Dockerfile *d = parse("\xef\xbb\xbf# a comment\n\n"
                                                          "from busybox\r\n"
                                                          "  RUN a \\\n"
                                                          "# inside\n"
                                                          "\n"
                                                          "    && b \\  \n"
                                                          "  # and here\n"
                                                          "  && c\n"
                                                          "CMD x\\\\\n"
                                                          "USER you");

        assert_int_equal(d->n, 4);
        assert_int_equal(d->list[0].kind, INSTRUCTION_FROM);
        assert_int_equal(d->list[0].line, 3);
        assert_string_equal(d->list[0].rest, "busybox");
        assert_string_equal(d->list[1].text, "RUN a     && b   && c");
        assert_int_equal(d->list[1].line, 4);
        assert_int_equal(d->list[1].column, 3);
        assert_string_equal(d->list[2].rest, "x\\\\");
        assert_string_equal(d->list[3].rest, "you");
        assert_int_equal(d->list[3].line, 11);
}

static void test_directives(void **state) {
        _cleanup_(dockerfile_freep) Dockerfile *d =
                parse("# syntax = docker/dockerfile:1\n#escape=`\nFROM a\nRUN x `\n y c:\\\n");
        _cleanup_(dockerfile_freep) Dockerfile *late =
                parse("# about\n# escape=`\nFROM a\nRUN x \\\n y\n");

        assert_string_equal(d->syntax, "docker/dockerfile:1");
        assert_int_equal(d->escape, '`');
        assert_string_equal(d->list[1].rest, "x  y c:\\");
        assert_int_equal(late->escape, '\\');
        assert_int_equal(late->n, 2);
}

static void test_forms(void **state) {
        _cleanup_(dockerfile_freep) Dockerfile *d =
                parse("FROM --platform=linux/amd64 a AS b\n"
                      "RUN --mount=type=cache,target=/x --mount=type=tmpfs,target=/y "
                      "--network=none [\"a\", \"b c\"]\n"
                      "CMD [\"a\", 1]\n"
                      "CMD [ 'a' ]\n"
                      "COPY --link --from=\"b\" --exclude=*.o a b /c/\n"
                      "ENTRYPOINT []\n"
                      "CMD\n"
                      "RUN -- --x\n");

        assert_string_equal(instruction_flag(d->list, "platform"), "linux/amd64");
        assert_string_equal(d->list[0].rest, "a AS b");
        assert_int_equal(strv_length(d->list[1].flags), 6);
        assert_string_equal(d->list[1].words[1], "b c");
        assert_null(d->list[2].words);
        assert_null(d->list[3].words);
        assert_string_equal(instruction_flag(d->list + 4, "link"), "true");
        assert_string_equal(instruction_flag(d->list + 4, "from"), "b");
        assert_string_equal(d->list[4].rest, "a b /c/");
        assert_non_null(d->list[5].words);
        assert_string_equal(d->list[7].rest, "--x");
}

static void test_heredocs(void **state) {
        _cleanup_(dockerfile_freep) Dockerfile *d =
                parse("FROM a\n"
                      "RUN <<EOF\n# not a comment\necho $x \\\n\nEOF\n"
                      "COPY <<-\"A\" <<B /x/\n\tone\n\tA\ntwo\nB\n"
                      "RUN cat 3<<X <<Y <<<z\nX\nY\n"
                      "CMD echo <<EOF\n"
                      "ONBUILD RUN <<E\nq\nE\n");

        assert_int_equal(d->n, 6);
        assert_string_equal(d->list[1].heredocs[0].text, "# not a comment\necho $x \\\n\n");
        assert_true(d->list[1].heredocs[0].expand);
        assert_int_equal(d->list[2].n_heredocs, 2);
        assert_string_equal(d->list[2].heredocs[0].name, "A");
        assert_string_equal(d->list[2].heredocs[0].text, "one\n");
        assert_false(d->list[2].heredocs[0].expand);
        assert_string_equal(d->list[2].heredocs[1].text, "two\n");
        assert_int_equal(d->list[3].n_heredocs, 2);
        assert_int_equal(d->list[4].n_heredocs, 0);
        assert_int_equal(d->list[5].n_heredocs, 1);
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *error;
        } table[] = {
                { "", "the Dockerfile (Dockerfile) cannot be empty" },
                { "# nothing\n", "file with no instructions" },
                { "FROM a\n  FOO bar\n", "Dockerfile:2:3: dockerfile parse error on line 2: "
                                         "unknown instruction: FOO" },
                { "FROM a\nRUNx y\n", "unknown instruction: RUNx" },
                { "FROM a\nRUN <<EOF\nx\n",
                        "Dockerfile:3:1: dockerfile parse error on line 3: unterminated heredoc" },
                { "FROM a\nCOPY x\n", "COPY requires at least two arguments, but only one was "
                                      "provided. Destination could not be determined" },
                { "FROM a\nCOPY\n", "COPY requires at least two arguments" },
                { "FROM a\nSHELL sh\n", "SHELL requires the arguments to be in JSON form" },
                { "FROM\n", "FROM requires either one or three arguments" },
                { "FROM a b c\n", "FROM requires either one or three arguments" },
                { "FROM a\nCOPY --fro=x a b\n", "unknown flag: --fro" },
                { "FROM a\nCOPY --from a b\n", "missing a value on flag: from" },
                { "FROM a\nCOPY --from=a --from=b x y\n", "duplicate flag specified: from" },
                { "FROM a\nCOPY --link=x a b\n", "expecting boolean value for flag link, not: x" },
                { "FROM a\nENV\n", "ENV requires at least one argument" },
                { "FROM a\nONBUILD ONBUILD RUN x\n", "Chaining ONBUILD" },
                { "FROM a\nONBUILD FROM x\n", "FROM isn't allowed as an ONBUILD trigger" },
                { "FROM a\nONBUILD FOO\n", "unknown instruction: FOO" },
                { "# escape=x\nFROM a\n", "invalid escape token 'x' does not match ` or \\" },
                { "# escape=\\\n# escape=\\\nFROM a\n",
                        "Dockerfile:2:1: dockerfile parse error on line 2: only one escape parser "
                        "directive can be used" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(error_done) Error e = {};
                Dockerfile *d = NULL;

                assert_true(dockerfile_parse(table[i].text, strlen(table[i].text), "Dockerfile", &d,
                                    &e) < 0);
                if (!strstr(error_text(&e, 0), table[i].error))
                        fail_msg("%s: %s", table[i].text, error_text(&e, 0));
        }
}

static void test_limits(void **state) {
        char *big = malloc(DOCKERFILE_SIZE_MAX + 1);
        Dockerfile *d = NULL;

        memset(big, 'x', DOCKERFILE_SIZE_MAX + 1);
        assert_int_equal(
                dockerfile_parse(big, DOCKERFILE_SIZE_MAX + 1, "Dockerfile", &d, NULL), -EFBIG);
        assert_true(dockerfile_parse(big, DOCKERFILE_SIZE_MAX, "Dockerfile", &d, NULL) < 0);
        assert_true(dockerfile_parse("FROM a\0b", 8, "Dockerfile", &d, NULL) < 0);
        free(big);
}

static void test_trigger(void **state) {
        _cleanup_(dockerfile_freep) Dockerfile *d = NULL;

        assert_ok(dockerfile_parse_trigger("RUN <<E\nx\nE", &d, NULL));
        assert_string_equal(d->list[0].heredocs[0].text, "x\n");
        assert_true(dockerfile_parse_trigger("FROM x", &d, NULL) < 0);
        assert_true(dockerfile_parse_trigger("RUN x\nRUN y", &d, NULL) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_directives),
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_heredocs),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_trigger),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
