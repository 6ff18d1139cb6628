/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/format.h"

#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "tests/unit/test.h"

static const char document[] = "{\"Name\":\"/"
                               "ship\",\"Pid\":0,\"Big\":9007199254740993,\"Ratio\":0.5,\"On\":"
                               "true,\"Cmd\":[\"sh\",\"-c\"],"
                               "\"Entrypoint\":null,\"Labels\":{\"b\":\"2\",\"a\":\"1\"},"
                               "\"Nested\":{\"Deep\":{\"X\":\"y\"}},\"Odd\":\"<&>\"}";

/* As docker 28 prints them, which sees structures there. */
static const char shaped[] =
        "{\"State\":{\"Running\":true,\"Pid\":7,\"Status\":\"running\",\"ExitCode\":0,\"Error\":"
        "\"\",\"Health\":{},"
        "\"StartedAt\":\"a\",\"FinishedAt\":\"b\",\"Accounting\":{}},"
        "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/tmp\",\"Destination\":\"/"
        "m\",\"Mode\":\"\",\"RW\":true,\"Propagation\":"
        "\"rprivate\"}],"
        "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3},"
        "\"LogConfig\":{\"Type\":"
        "\"json-file\",\"Config\":{}},\"PortBindings\":{\"80/"
        "tcp\":[{\"HostIp\":\"\",\"HostPort\":\"80\"}]}},"
        "\"Config\":{\"Hostname\":\"h\",\"ExposedPorts\":{\"80/"
        "tcp\":{}},\"Volumes\":{},\"Cmd\":[\"sleep\",\"1\"],"
        "\"Labels\":{\"x\":\"y\"},\"Env\":null,\"Image\":\"busybox\",\"AttachStdout\":true}}";

static int run_on(const char *document_, const char *text, bool is_row, char **ret, Error *reterr) {
        _cleanup_(format_freep) Format *f = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        FormatData data = {};
        int r;

        assert_ok(json_parse(document_, strlen(document_), JSON_SIZE_MAX, &v, NULL));
        data.root = v;
        if (is_row) {
                data.type = "*formatter.Row";
                data.labels = json_get(v, "Labels");
        }
        r = format_parse(text, 0, "", &f, reterr);
        if (r >= 0)
                r = format_execute(f, &data, &b, reterr);
        if (r >= 0)
                *ret = buffer_take_string(&b, NULL);
        return r;
}

static int run(const char *text, bool is_row, char **ret, Error *reterr) {
        return run_on(document, text, is_row, ret, reterr);
}

static void shapes(const char *text, const char *expected) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *s = NULL;

        assert_ok(run_on(shaped, text, /* is_row= */ false, &s, &e));
        assert_string_equal(s, expected);
}

static void gives(const char *text, const char *expected) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *s = NULL;
        int r = run(text, /* is_row= */ false, &s, &e);

        if (r < 0)
                fail_msg("%s: %s", text, error_text(&e, r));
        assert_string_equal(s, expected);
}

static void refuses(const char *text, const char *expected) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *s = NULL;

        assert_int_equal(run(text, /* is_row= */ false, &s, &e), -EINVAL);
        assert_string_equal(e.text, expected);
}

static void test_values(void **state) {
        gives("", "");
        gives("plain }} {", "plain }} {");
        gives("{{.Name}} {{.Pid}} {{.Big}} {{.Ratio}} {{.On}}",
                "/ship 0 9007199254740993 0.5 true");
        gives("{{.Cmd}} {{.Labels}} {{.Entrypoint}} {{.Nested}}",
                "[sh -c] map[a:1 b:2] [] map[Deep:map[X:y]]");
        gives("{{.Nested.Deep.X}} {{(.Nested).Deep.X}} {{$.Name}}", "y y /ship");
        gives("{{\"a\\t\\\"\\x41\"}} {{`r\\w`}} {{1}} {{-2}} {{1.5}} {{0x1f}} {{true}} {{nil}}",
                "a\t\"A r\\w 1 -2 1.5 31 true <nil>");
        gives("{{.Health}}|{{.StopSignal}}|", "<nil>||"); /* docker leaves these out when empty */
        gives("{{json .Cmd}} {{json .Name}} {{json .Odd}}", "[\"sh\",\"-c\"] \"/ship\" \"<&>\"");
}

static void test_text(void **state) {
        gives("a {{- 1 -}} b", "a1b");
        gives("a\n\t{{- /* c */ -}}\n b", "ab");
        gives("a {{/* x }} y */}} b", "a  b");
        gives("{{- .Name}}", "/ship");
}

static void test_control(void **state) {
        gives("{{if .Pid}}a{{else if .On}}b{{else}}c{{end}}", "b");
        gives("{{if not .On}}a{{else}}c{{end}}", "c");
        gives("{{with .Nested}}{{.Deep.X}}{{end}}{{with .Entrypoint}}x{{else}}none{{end}}",
                "ynone");
        gives("{{with .Entrypoint}}x{{else with .Cmd}}{{len .}}{{end}}", "2");
        gives("{{range .Cmd}}<{{.}}>{{end}}{{range .Entrypoint}}x{{else}}empty{{end}}",
                "<sh><-c>empty");
        gives("{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "a=1;b=2;");
        gives("{{range $v := .Labels}}{{$v}}{{end}}", "12");
        gives("{{range $i, $v := .Cmd}}{{if $i}}{{break}}{{end}}{{$v}}{{end}}", "sh");
        gives("{{range .Cmd}}{{if eq . \"sh\"}}{{continue}}{{end}}{{.}}{{end}}", "-c");
        gives("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2");
        gives("{{range .Cmd}}{{$.Pid}}{{end}}", "00");
}

static void test_functions(void **state) {
        gives("{{upper .Name}} {{lower \"AB\"}} {{title \"one two-three\"}}",
                "/SHIP ab One Two-Three");
        gives("{{truncate .Name 3}} [{{pad \"x\" 2 1}}] {{join .Cmd \"+\"}} {{split \"a,b\" "
              "\",\"}}",
                "/sh [  x ] sh+-c [a b]");
        gives("{{len .Name}} {{len .Cmd}} {{index .Cmd 1}} {{index .Labels \"a\"}}|{{index .Labels "
              "\"z\"}}|",
                "5 2 -c 1||");
        gives("{{slice .Name 1 3}} {{slice .Cmd 1}}", "sh [-c]");
        gives("{{eq 1 1}} {{eq .Name \"x\" \"/ship\"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 "
              "1}} {{ge 1 2}}",
                "true true true true true true false");
        gives("{{and 1 0 2}} {{or 0 \"\" \"z\"}} {{not 0}}", "0 z true");
        gives("{{print 1 2 \"a\" 3}}{{println \"x\" 1}}", "1 2a3x 1\n");
        gives("{{.Name | upper | printf \"%q\"}}", "\"/SHIP\"");
        gives("{{printf \"%5d|%-5s|%05d|%+d|%x|%X|%t|%.2f|%%|%v\" 42 \"ab\" 42 42 255 \"hi\" true "
              "1.5 .Cmd}}",
                "   42|ab   |00042|+42|ff|6869|true|1.50|%|[sh -c]");
        gives("{{printf \"%s\" 5}} {{printf \"%d\"}} {{printf \"x\" 1}}",
                "%!s(int=5) %!d(MISSING) x%!(EXTRA int=1)");
}

static void test_shapes(void **state) {
        shapes("{{.State}}", "{running true false false false false 7 0  a b 0xc000000000}");
        shapes("{{.Mounts}}", "[{bind  /tmp /m   true rprivate}]");
        shapes("{{.HostConfig.RestartPolicy}} {{.HostConfig.LogConfig}} "
               "{{.HostConfig.PortBindings}}",
                "{on-failure 3} {json-file map[]} map[80/tcp:[{ 80}]]");
        shapes("{{.Config.ExposedPorts}} {{.Config.Volumes}}", "map[80/tcp:{}] map[]");
        shapes("{{.Config}}", "{h   false true false map[80/tcp:{}] false false false [] [sleep 1] "
                              "<nil> false busybox "
                              "map[]  [] false  [] map[x:y]  <nil> []}");
}

static void test_rows(void **state) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *s = NULL;

        assert_ok(run("{{.Label \"a\"}}|{{.Label \"z\"}}|{{json .Odd}}", true, &s, &e));
        assert_string_equal(s, "1||\"\\u003c\\u0026\\u003e\"");
        assert_int_equal(run("{{.No}}", true, &s, &e), -EINVAL);
        assert_string_equal(e.text,
                "template: :1:2: executing \"\" at <.No>: can't evaluate field No in type "
                "*formatter.Row");
}

static void test_refused(void **state) {
        refuses("{{.Name", "template: :1: unclosed action");
        refuses("{{if}}", "template: :1: missing value for if");
        refuses("{{if .On}}", "template: :1: unexpected EOF");
        refuses("x\n{{end}}", "template: :2: unexpected {{end}}");
        refuses("{{foo}}", "template: :1: function \"foo\" not defined");
        refuses("{{$x}}", "template: :1: undefined variable \"$x\"");
        refuses("{{\"a}}", "template: :1: unterminated quoted string");
        refuses("{{.Name}", "template: :1: bad character U+007D '}'");
        refuses("{{break}}", "template: :1: {{break}} outside {{range}}");
        refuses("{{(.Name}}", "template: :1: unclosed left paren");
        refuses("{{if 1}}{{$y := 2}}{{end}}{{$y}}", "template: :1: undefined variable \"$y\"");
        refuses("{{.Nested.Nope}}", "template: :1:9: executing \"\" at <.Nested.Nope>: map has no "
                                    "entry for key \"Nope\"");
        refuses("a\n {{.Nope}}",
                "template: :2:3: executing \"\" at <.Nope>: map has no entry for key \"Nope\"");
        refuses("{{index .Cmd 7}}", "template: :1:2: executing \"\" at <index .Cmd 7>: error "
                                    "calling index: index out of "
                                    "range: 7");
        refuses("{{range .Name}}{{end}}",
                "template: :1:8: executing \"\" at <.Name>: range can't iterate over /ship");
}

/* A template must not be able to use up the stack or the memory. */
static void test_limits(void **state) {
        _cleanup_(error_done) Error e = {};
        _cleanup_(freep) char *text = NULL, *s = NULL;

        for (size_t i = 0; i < 2000; i++)
                assert_ok(str_appendf(&text, "%s", i < 1000 ? "(" : ")"));
        assert_ok(str_appendf(&text, "}}"));
        s = str_concat("{{", text);
        text = mfree(text);
        assert_int_equal(run(s, false, &text, &e), -EINVAL);
        error_done(&e);
        assert_int_equal(run("{{pad \"x\" 999999999 1}}", false, &text, &e), -EINVAL);
        gives("{{printf \"%99999999d\" 1 | len}}", "1000");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_control),
                cmocka_unit_test(test_functions),
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
