/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/pull.h"

#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "cli/commands.h"
#include "cli/registry-credentials.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define LINE_MAX_SIZE (64U * 1024)
#define BAR_WIDTH     50U

typedef struct Progress {
        Buffer lines;
        const PullWish *wish;
        bool terminal;
        char **ids; /* each has a line on the terminal, in this order */
        Error *reterr;
} Progress;

/* 1024 B is 1.024kB, as docker counts here. */
static void print_size(FILE *out, double n) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
        size_t i = 0;

        while (n >= 1000 && i + 1 < ARRAY_SIZE(units)) {
                n /= 1000;
                i++;
        }
        fprintf(out, "%.4g%s", n, units[i]);
}

static void print_bar(FILE *out, const Json *detail) {
        int64_t current = json_get_int64(detail, "current", 0),
                total = json_get_int64(detail, "total", 0);
        unsigned n;

        if (current <= 0)
                return;
        fputc(' ', out);
        if (total > 0) {
                n = (unsigned) (MIN(current, total) * BAR_WIDTH / total);
                fputc('[', out);
                for (unsigned i = 0; i < BAR_WIDTH; i++)
                        fputc(i < n ? '=' : i == n ? '>' : ' ', out);
                fputs("]  ", out);
        }
        print_size(out, (double) current);
        if (total > 0) {
                fputc('/', out);
                print_size(out, (double) total);
        }
}

/* The line of this id, rewritten where it stands. */
static int show_on_terminal(Progress *p, const char *id, const char *status, const Json *detail) {
        FILE *out = p->wish->out;
        ssize_t i = strv_index(p->ids, id);
        size_t n, up = 0;
        int r;

        if (i < 0) {
                r = strv_add(&p->ids, id);
                if (r < 0)
                        return r;
        } else {
                n = strv_length(p->ids);
                up = n - (size_t) i;
                fprintf(out, "\033[%zuA", up);
        }
        fprintf(out, "\033[2K\r%s: %s", id, status);
        print_bar(out, detail);
        fputs("\r\n", out);
        if (up > 1)
                fprintf(out, "\033[%zuB", up - 1);
        fflush(out);
        return 0;
}

static int show(Progress *p, const Json *row, const char *status) {
        _cleanup_(freep) char *clean = str_escape_terminal(status), *id = NULL;
        const Json *detail = json_get(row, "progressDetail");
        const char *said = json_get_text(row, "id");

        if (said)
                id = str_escape_terminal(said);
        if (!clean || (said && !id))
                return -ENOMEM;
        if (p->terminal && id && detail)
                return show_on_terminal(p, id, clean, detail);
        if (json_get(detail, "current"))
                return 0;
        fprintf(p->wish->out, "%s%s%s\n", str_or_empty(id), id ? ": " : "", clean);
        fflush(p->wish->out);
        p->ids = strv_free(p->ids); /* lines above a sentence stay as they are */
        return 0;
}

/* {"status":"…","id":"…"} or {"error":"…"} */
static int on_line(Progress *p, const char *line, size_t size) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *text;

        if (json_parse(line, size, LINE_MAX_SIZE, &v, NULL) < 0)
                return 0;
        text = json_get_text(v, "error");
        if (text)
                return error_set(p->reterr, ERROR_INTERNAL, "%s", text);
        text = json_get_text(v, "status");
        return text && !p->wish->quiet ? show(p, v, text) : 0;
}

static int on_data(const char *data, size_t size, void *userdata) {
        Progress *p = userdata;
        size_t n;
        int r;

        r = buffer_append(&p->lines, data, size);
        while (r >= 0 && (n = buffer_line(&p->lines)) > 0) {
                r = on_line(p, buffer_head(&p->lines), n);
                buffer_consume(&p->lines, n);
        }
        return r;
}

static int pull_path(const PullWish *w, char **ret) {
        _cleanup_(freep) char *repository = NULL;
        const char *tag = NULL;
        int r;

        if (strchr(w->image, '@') || w->all_tags)
                r = str_copy(&repository, w->image);
        else {
                r = cli_split_tag(w->image, &repository, &tag);
                tag = str_or(tag, "latest");
        }
        if (r < 0)
                return r;
        *ret = rest_path(REST_PATH("/images/create"),
                REST_QUERY("fromImage", repository, "tag", tag, "platform",
                        str_empty(w->platform) ? NULL : w->platform));
        return *ret ? 0 : -ENOMEM;
}

static int add_credentials(
        RestClient *c, const ClientConfig *config, const char *image, Error *reterr) {
        _cleanup_(registry_auth_done) RegistryAuth auth = {};
        _cleanup_(freep) char *key = NULL;
        char *value = NULL, *line = NULL;
        int r;

        r = credentials_key_of_image(image, &key);
        if (r < 0)
                return r == -ENOMEM ? r
                                    : error_set(reterr, ERROR_INVALID, "invalid reference format");
        r = credentials_find(config, key, &auth, reterr);
        if (r >= 0)
                r = credentials_header(&auth, &value);
        if (r < 0)
                return r;
        r = str_printf(&line, "X-Registry-Auth: %s", value);
        alloc_erase_free(value, strlen(value));
        if (r >= 0) {
                r = rest_client_set_header(c, line);
                alloc_erase_free(line, strlen(line));
        }
        return r;
}

int pull_image(RestClient *c, const ClientConfig *config, const PullWish *wish, Error *reterr) {
        Progress p = { .wish = wish, .reterr = reterr };
        _cleanup_(freep) char *path = NULL;
        int r;

        p.terminal = isatty(fileno(wish->out)) > 0;
        r = add_credentials(c, config, wish->image, reterr);
        if (r >= 0)
                r = pull_path(wish, &path);
        if (r >= 0)
                r = rest_stream(c, "POST", path, -EBADF, on_data, &p, reterr);
        (void) rest_client_set_header(c, NULL);
        buffer_done(&p.lines);
        strv_free(p.ids);
        return r < 0 ? r : 0;
}
