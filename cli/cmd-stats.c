/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats: one connection for each container that is watched, and one for the events that bring and take containers. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/http.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "cli/stats-row.h"
#include "cli/table.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define LINE_MAX_SIZE  (1024U * 1024)
#define REFRESH_MSEC   500
#define CONTAINERS_MAX 4096U
#define DEFAULT_TABLE                                                                       \
        "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t" \
        "{{.BlockIO}}\t{{.PIDs}}"

/* One container; row is NULL before its first sample. */
typedef struct Watched {
        char *name; /* as asked for, or the id */
        Http *http; /* NULL: over */
        Buffer lines;
        Json *row;
        unsigned n_samples;
} Watched;

typedef struct Stats {
        RestClient *client;
        Watched *list;
        size_t n, allocated;
        Http *events; /* NULL: names were given */
        Buffer event_lines;
        bool all, no_stream, no_trunc;
        const char *format;
} Stats;

static void watched_done(Watched *w) {
        free(w->name);
        http_free(w->http);
        buffer_done(&w->lines);
        json_unref(w->row);
}

static void stats_done(Stats *s) {
        for (size_t i = 0; i < s->n; i++)
                watched_done(s->list + i);
        free(s->list);
        http_free(s->events);
        buffer_done(&s->event_lines);
}

/* ---- who is watched ---- */

static int watch(Stats *s, const char *name, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        Watched w = { .lines.max = LINE_MAX_SIZE };
        int r;

        for (size_t i = 0; i < s->n; i++)
                if (streq(s->list[i].name, name))
                        return 0;
        if (s->n == CONTAINERS_MAX)
                return error_set(
                        reterr, ERROR_TOO_LARGE, "more than %u containers", CONTAINERS_MAX);

        path = rest_path(REST_PATH("/containers/", name, "/stats"), REST_QUERY("stream", "1"));
        if (!path || array_grow(&s->list, &s->allocated, s->n + 1) < 0 ||
                str_copy(&w.name, name) < 0)
                return -ENOMEM;
        r = rest_open(s->client, "GET", path, NULL, /* upgrade= */ false, &w.http, reterr);
        if (r < 0) {
                free(w.name);
                return r;
        }
        s->list[s->n++] = w;
        return 0;
}

static void forget(Stats *s, size_t i) {
        watched_done(s->list + i);
        memmove(s->list + i, s->list + i + 1, (s->n - i - 1) * sizeof(Watched));
        s->n--;
}

static int watch_all(Stats *s, Error *reterr) {
        _cleanup_(json_unrefp) Json *list = NULL;
        _cleanup_(freep) char *path = NULL;
        const char *key;
        Json *one;
        int r;

        path = rest_path(REST_PATH("/containers/json"), REST_QUERY("all", s->all ? "1" : NULL));
        if (!path)
                return -ENOMEM;
        r = rest_call(s->client, "GET", path, NULL, &list, reterr);
        if (r < 0)
                return r;
        JSON_FOREACH (key, one, list) {
                _cleanup_(error_done) Error e = {};
                const char *id = json_get_text(one, "Id");

                r = id ? watch(s, id, &e) : 0;
                if (r < 0 && e.kind != ERROR_NOT_FOUND) { /* gone meanwhile is no error */
                        error_move(reterr, &e);
                        return r;
                }
        }
        return 0;
}

/* Before the list is taken, so that no container is missed in between. */
static int open_events(Stats *s, Error *reterr) {
        _cleanup_(freep) char *path = NULL;

        path = rest_path(
                REST_PATH("/events"), REST_QUERY("filters", "{\"type\":{\"container\":true}}"));
        if (!path)
                return -ENOMEM;
        return rest_open(s->client, "GET", path, NULL, /* upgrade= */ false, &s->events, reterr);
}

static int on_event(Stats *s, const char *line, size_t size) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *action, *id;

        if (json_parse(line, size, LINE_MAX_SIZE, &v, NULL) < 0)
                return 0;
        action = str_or_empty(json_get_text(v, "Action"));
        id = json_get_text(json_get(v, "Actor"), "ID");
        if (!id)
                return 0;
        if (streq(action, s->all ? "create" : "start")) {
                int r = watch(s, id, NULL);

                return r == -ENOMEM ? r : 0;
        }
        if (streq(action, s->all ? "destroy" : "die"))
                for (size_t i = 0; i < s->n; i++)
                        if (streq(s->list[i].name, id)) {
                                forget(s, i);
                                break;
                        }
        return 0;
}

/* ---- what comes ---- */

static int on_sample(Stats *s, Watched *w, const char *line, size_t size) {
        _cleanup_(json_unrefp) Json *v = NULL;
        Json *row = NULL;
        int r;

        r = json_parse(line, size, LINE_MAX_SIZE, &v, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = stats_row_make(v, w->name, s->no_trunc, &row);
        if (r < 0)
                return r;
        json_unref(w->row);
        w->row = row;
        w->n_samples++;
        return 0;
}

/* All that is there: whole lines into .lines. 0: the stream is over. */
static int read_lines(Http *h, Buffer *lines) {
        char data[16384];
        ssize_t n;

        while ((n = http_read(h, data, sizeof data, /* wait= */ false)) > 0) {
                int r = buffer_append(lines, data, (size_t) n);

                if (r < 0)
                        return r;
        }
        return n == -EAGAIN ? 1 : n == -ENOMEM ? -ENOMEM : 0;
}

static int read_watched(Stats *s, Watched *w) {
        size_t n;
        int r, more;

        more = read_lines(w->http, &w->lines);
        if (more < 0)
                return more;
        for (r = 0; r >= 0 && (n = buffer_line(&w->lines)) > 0;) {
                r = on_sample(s, w, buffer_head(&w->lines), n);
                buffer_consume(&w->lines, n);
        }
        if (more == 0)
                w->http = http_free(w->http);
        return r;
}

static int read_events(Stats *s) {
        size_t n;
        int r, more;

        more = read_lines(s->events, &s->event_lines);
        if (more < 0)
                return more;
        for (r = 0; r >= 0 && (n = buffer_line(&s->event_lines)) > 0;) {
                r = on_event(s, buffer_head(&s->event_lines), n);
                buffer_consume(&s->event_lines, n);
        }
        if (more == 0)
                s->events = http_free(s->events);
        return r;
}

/* Waits at most msec; events last, since they change the list. */
static int wait_for_news(Stats *s, int msec) {
        _cleanup_(freep) struct pollfd *p = NULL;
        size_t n = s->n;
        int r;

        p = new0(struct pollfd, n + 1);
        if (!p)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                p[i] = (struct pollfd) { .fd = s->list[i].http ? http_fd(s->list[i].http) : -1,
                        .events = POLLIN };
        p[n] = (struct pollfd) { .fd = s->events ? http_fd(s->events) : -1, .events = POLLIN };
        if (poll(p, n + 1, msec) < 0)
                return errno == EINTR ? 0 : -errno;

        for (size_t i = 0; i < n; i++)
                if (s->list[i].http && (p[i].revents || s->list[i].n_samples == 0)) {
                        r = read_watched(s, s->list + i);
                        if (r < 0)
                                return r;
                }
        return s->events && p[n].revents ? read_events(s) : 0;
}

/* ---- what is shown ---- */

static const RowField stats_fields[] = { { "BlockIO", "BLOCK I/O", stats_row_block },
        { "CPUPerc", "CPU %", stats_row_cpu }, { "Container", "CONTAINER", stats_row_container },
        { "ID", "CONTAINER ID", stats_row_id }, { "MemPerc", "MEM %", stats_row_memory_percent },
        { "MemUsage", "MEM USAGE / LIMIT", stats_row_memory }, { "Name", "NAME", stats_row_name },
        { "NetIO", "NET I/O", stats_row_network }, { "PIDs", "PIDS", stats_row_pids }, {} };

static const RowKind stats_kind = { "*container.statsContext", stats_fields, NULL };

static int show(Stats *s, Error *reterr) {
        _cleanup_(json_unrefp) Json *rows = NULL;
        _cleanup_(buffer_done) Buffer text = {};
        int r;

        r = json_new_list(&rows);
        for (size_t i = 0; r >= 0 && i < s->n; i++) {
                if (!s->list[i].row)
                        r = stats_row_make(NULL, s->list[i].name, s->no_trunc, &s->list[i].row);
                if (r >= 0)
                        r = json_append(rows, s->list[i].row);
        }
        if (r >= 0)
                r = rows_render(&stats_kind, s->format, DEFAULT_TABLE, rows, NULL, &text, reterr);
        if (r < 0)
                return r;
        if (!s->no_stream && isatty(STDOUT_FILENO))
                fputs("\033[H\033[J", stdout);
        rows_put(buffer_head(&text), buffer_size(&text));
        if (fflush(stdout) < 0)
                return error_set_errno(reterr, -errno, "cannot write output");
        return 0;
}

static bool all_have(const Stats *s, unsigned n_samples) {
        for (size_t i = 0; i < s->n; i++)
                if (s->list[i].http && s->list[i].n_samples < n_samples)
                        return false;
        return true;
}

static bool any_left(const Stats *s) {
        for (size_t i = 0; i < s->n; i++)
                if (s->list[i].http)
                        return true;
        return false;
}

/* The second sample is the first that knows how much CPU was used. */
static int show_once(Stats *s, Error *reterr) {
        while (!all_have(s, 2)) {
                int r = wait_for_news(s, -1);

                if (r < 0)
                        return r;
        }
        return show(s, reterr);
}

static int show_always(Stats *s, Error *reterr) {
        uint64_t next = 0;

        while (s->events || any_left(s)) {
                uint64_t now = clock_monotonic_us();
                int r;

                if (now >= next && all_have(s, next == 0)) {
                        r = show(s, reterr);
                        if (r < 0)
                                return r;
                        next = now + REFRESH_MSEC * USEC_PER_MSEC;
                }
                r = wait_for_news(s, next == 0 ? -1 : MAX(1, (int) ((next - now) / USEC_PER_MSEC)));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int cmd_stats(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(stats_done) Stats s = {
                .all = options_flag(o, "all"),
                .no_stream = options_flag(o, "no-stream"),
                .no_trunc = options_flag(o, "no-trunc"),
                .format = options_string(o, "format"),
        };
        int r;

        if (str_empty(s.format))
                s.format = json_get_text(cli_config(cli), "statsFormat");
        r = cli_client(cli, &s.client, reterr);
        if (r < 0)
                return r;

        if (options_count(o) == 0) {
                r = s.no_stream ? 0 : open_events(&s, reterr);
                if (r >= 0)
                        r = watch_all(&s, reterr);
        }
        STRV_FOREACH (name, options_arguments(o))
                if (r >= 0)
                        r = watch(&s, *name, reterr);
        if (r < 0)
                return r;
        return s.no_stream ? show_once(&s, reterr) : show_always(&s, reterr);
}

/* ---- top ---- */

static int print_top(const Json *answer) {
        _cleanup_(buffer_done) Buffer lines = {}, text = {};
        const char *key, *inner;
        Json *row, *cell;
        int r = 0;

        JSON_FOREACH (key, cell, json_get(answer, "Titles"))
                if (r >= 0)
                        r = buffer_printf(&lines, "%s\t", str_or_empty(json_to_text(cell)));
        if (r >= 0)
                r = buffer_append_char(&lines, '\n');
        JSON_FOREACH (key, row, json_get(answer, "Processes")) {
                JSON_FOREACH (inner, cell, row) {
                        _cleanup_(freep) char *clean = str_escape_terminal(json_to_text(cell));

                        if (!clean)
                                return -ENOMEM;
                        if (r >= 0)
                                r = buffer_printf(&lines, "%s\t", clean);
                }
                if (r >= 0)
                        r = buffer_append_char(&lines, '\n');
        }
        if (r >= 0)
                r = table_align(buffer_string(&lines), &text);
        if (r >= 0)
                rows_put(buffer_head(&text), buffer_size(&text));
        return r;
}

static int cmd_top(Cli *cli, const Options *o, Error *reterr) {
        char *const *arguments = options_arguments(o);
        _cleanup_(freep) char *path = NULL, *words = NULL;
        _cleanup_(json_unrefp) Json *answer = NULL;
        RestClient *c;
        int r;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        if (arguments[1]) {
                words = strv_join(arguments + 1, " ");
                if (!words)
                        return -ENOMEM;
        }
        path = rest_path(
                REST_PATH("/containers/", arguments[0], "/top"), REST_QUERY("ps_args", words));
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &answer, reterr);
        return r < 0 ? r : print_top(answer);
}

/* clang-format off */
static const Option stats_options[] = {
        { "all",       'a', OPTION_FLAG,   NULL,     "Show all containers (default shows just running)" },
        { "format",    0,   OPTION_STRING, "string", OPTION_FORMAT_HELP },
        { "no-stream", 0,   OPTION_FLAG,   NULL,     "Disable streaming stats and only pull the first result" },
        { "no-trunc",  0,   OPTION_FLAG,   NULL,     "Do not truncate output" },
        {}
};

const Command stats_commands[] = {
        { "container", "stats", "stats", "[OPTIONS] [CONTAINER...]", "Display a live stream of container(s) resource usage statistics",
          stats_options, 0, -1, false, 0, cmd_stats, "running", false },
        { "container", "top",   "top",   "CONTAINER [ps OPTIONS]",   "Display the running processes of a container",
          NULL,          1, -1, true,  0, cmd_top,   "running", false },
        {}
};
/* clang-format on */
