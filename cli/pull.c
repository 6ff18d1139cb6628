/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/pull.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define LINE_MAX_SIZE (64U * 1024)

typedef struct Progress {
        Buffer lines;
        bool quiet;
        Error *reterr;
} Progress;

/* {"status":"…","id":"…"} or {"error":"…"} */
static int on_line(Progress *p, const char *line, size_t size) {
        _cleanup_(json_unrefp) Json *v = NULL;
        const char *text, *id;

        if (json_parse(line, size, LINE_MAX_SIZE, &v, NULL) < 0)
                return 0;
        text = json_get_text(v, "error");
        if (text)
                return error_set(p->reterr, ERROR_INTERNAL, "%s", text);

        text = json_get_text(v, "status");
        id = json_get_text(v, "id");
        if (text && !p->quiet && !json_get(json_get(v, "progressDetail"), "current")) {
                _cleanup_(freep) char *clean = str_escape_terminal(text);
                _cleanup_(freep) char *name = str_escape_terminal(id);

                fprintf(stderr, "%s%s%s\n", str_or_empty(name), id ? ": " : "",
                        str_or_empty(clean));
        }
        return 0;
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

int pull_image(RestClient *c, const char *image, const char *platform, bool quiet, Error *reterr) {
        Progress p = { .quiet = quiet, .reterr = reterr };
        _cleanup_(freep) char *repository = NULL, *path = NULL;
        const char *tag;
        int r;

        if (strchr(image, '@')) {
                tag = NULL;
                r = str_copy(&repository, image);
        } else {
                r = cli_split_tag(image, &repository, &tag);
                tag = str_or(tag, "latest");
        }
        if (r < 0)
                return r;
        path = rest_path(REST_PATH("/images/create"),
                REST_QUERY("fromImage", repository, "tag", tag, "platform", platform));
        if (!path)
                return -ENOMEM;
        r = rest_stream(c, "POST", path, -EBADF, on_data, &p, reterr);
        buffer_done(&p.lines);
        return r < 0 ? r : 0;
}
