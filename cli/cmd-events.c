/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define EVENT_MAX (1024U * 1024)

typedef struct Events {
        Buffer rows;
        bool is_json;
        Format *format; /* NULL: a line for people */
        Error error;
} Events;

/* Local time, as docker prints it: nine digits and the zone. */
static int append_time(Buffer *b, int64_t ns) {
        time_t t = (time_t) (ns / NSEC_PER_SEC);
        char text[40] = "", zone[16] = "";
        struct tm tm;
        size_t n;

        if (!localtime_r(&t, &tm))
                return 0;
        (void) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
        n = strftime(zone, sizeof zone, "%z", &tm);
        if (n == 5) { /* +0100 → +01:00 */
                memmove(zone + 4, zone + 3, 3);
                zone[3] = ':';
        }
        return buffer_printf(b, "%s.%09" PRId64 "%s", text, ns % NSEC_PER_SEC,
                streq(zone, "+00:00") ? "Z" : zone);
}

static int append_attributes(Buffer *b, const Json *attributes) {
        _cleanup_(strv_freep) char **keys = NULL;
        const char *key;
        Json *value;
        int r = 0;

        JSON_FOREACH (key, value, attributes)
                if (r >= 0)
                        r = strv_add(&keys, key);
        if (r < 0 || !keys)
                return r;
        strv_sort(keys);
        STRV_FOREACH (k, keys)
                if (r >= 0)
                        r = buffer_printf(b, "%s%s=%s", k == keys ? " (" : ", ", *k,
                                str_or_empty(json_get_text(attributes, *k)));
        return r < 0 ? r : buffer_append_char(b, ')');
}

static int append_event(Buffer *b, const Json *v) {
        const Json *actor = json_get(v, "Actor");
        int64_t ns = json_get_int64(v, "timeNano", 0);
        int r = 0;

        if (ns == 0)
                ns = json_get_int64(v, "time", 0) * NSEC_PER_SEC;
        if (ns != 0)
                r = append_time(b, ns);
        if (r >= 0)
                r = buffer_printf(b, "%s%s %s %s", ns ? " " : "",
                        str_or_empty(json_get_text(v, "Type")),
                        str_or_empty(json_get_text(v, "Action")),
                        str_or_empty(json_get_text(actor, "ID")));
        return r < 0 ? r : append_attributes(b, json_get(actor, "Attributes"));
}

/* Templates may name the older fields as well. */
static int print_event(Events *x, const char *line, size_t size) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        if (size == strspn(line, "\r\n"))
                return 0;
        r = json_parse(line, size, EVENT_MAX, &v, NULL);
        if (r < 0)
                return -EBADMSG;

        if (x->format) {
                const char *const old[][2] = { { "Status", "status" }, { "ID", "id" },
                        { "From", "from" }, { "Time", "time" }, { "TimeNano", "timeNano" },
                        { "Scope", "scope" } };

                if (!x->is_json)
                        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(old); i++)
                                if (json_get(v, old[i][1]))
                                        r = json_set(v, old[i][0], json_get(v, old[i][1]));
                if (r >= 0)
                        r = format_execute(x->format, &(FormatData) { .root = v }, &b, &x->error);
                if (r < 0)
                        return r;
                r = buffer_append_char(&b, '\n');
                rows_put(buffer_head(&b), buffer_size(&b));
                fflush(stdout);
                return r;
        }

        r = append_event(&b, v);
        if (r < 0)
                return r;
        text = str_escape_terminal_n(buffer_head(&b), buffer_size(&b));
        if (!text)
                return -ENOMEM;
        puts(text);
        fflush(stdout);
        return 0;
}

static int on_events(const char *data, size_t size, void *userdata) {
        Events *x = userdata;
        size_t n;
        int r;

        r = buffer_append(&x->rows, data, size);
        while (r >= 0 && (n = buffer_line(&x->rows)) > 0) {
                r = print_event(x, buffer_head(&x->rows), n);
                buffer_consume(&x->rows, n);
        }
        return r;
}

static int cmd_events(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *filters = NULL, *since = NULL, *until = NULL, *path = NULL;
        Events x = { .rows.max = EVENT_MAX };
        const char *format = options_string(o, "format");
        RestClient *c;
        int r = 0;

        if (!str_empty(format)) {
                x.is_json = streq(format, "json") || strstr(format, "json .");
                r = format_parse(
                        streq(format, "json") ? "{{json .}}" : format, 0, "", &x.format, &x.error);
                if (r < 0) {
                        fprintf(stderr, "Error parsing format: %s\n", error_text(&x.error, r));
                        error_done(&x.error);
                        return ROWS_EXIT_TEMPLATE;
                }
        }
        if (r >= 0)
                r = cli_filters(options_list(o, "filter"), &filters, reterr);
        if (r >= 0)
                r = cli_point_in_time(options_string(o, "since"), NULL, &since, reterr);
        if (r >= 0)
                r = cli_point_in_time(options_string(o, "until"), NULL, &until, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r >= 0) {
                path = rest_path(REST_PATH("/events"),
                        REST_QUERY("since", since, "until", until, "filters", filters));
                r = path ? rest_stream(c, "GET", path, -EBADF, on_events, &x, reterr) : -ENOMEM;
        }
        if (r < 0 && error_is_set(&x.error)) {
                error_done(reterr);
                error_move(reterr, &x.error);
        }
        buffer_done(&x.rows);
        format_free(x.format);
        return r < 0 ? r : 0;
}

/* clang-format off */
static const Option events_options[] = {
        { "filter", 'f', OPTION_FILTER, "filter", "Show only what fits the condition" },
        { "format", 0,   OPTION_STRING, "string", OPTION_DOCUMENT_HELP },
        { "since",  0,   OPTION_STRING, "string", "Show all events since this time" },
        { "until",  0,   OPTION_STRING, "string", "Show events until this time, then end" },
        {}
};

const Command events_commands[] = {
        { "system", "events", "events", "[OPTIONS]", "Get real time events from the engine", events_options, 0, 0, false, 0, cmd_events },
        {}
};
/* clang-format on */
