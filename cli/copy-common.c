/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/copy.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"
#include "lib/base/clock.h"
#include "lib/base/human.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define STAT_MAX    (64U * 1024)
#define SHOW_EACH   UINT64_C(100000)    /* us */
#define GO_FOLDER   (UINT32_C(1) << 31) /* bits of Go's os.FileMode */
#define GO_LINK     (UINT32_C(1) << 27)
#define GO_DEVICE   (UINT32_C(1) << 26)
#define SIZE_DIGITS 3

void copy_stat_done(CopyStat *s) {
        free(s->link);
        *s = (CopyStat) {};
}

int copy_stat_parse(const char *header, CopyStat *ret) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *text = NULL;
        uint32_t mode;
        size_t size;
        int r;

        if (!header)
                return -EBADMSG;
        r = base64_decode(header, &text, &size);
        if (r >= 0)
                r = json_parse(text, size, STAT_MAX, &v, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;

        mode = (uint32_t) json_get_int64(v, "mode", 0);
        *ret = (CopyStat) {
                .is_folder = mode & GO_FOLDER,
                .is_link = mode & GO_LINK,
                .is_device = mode & GO_DEVICE,
        };
        return str_copy(&ret->link, str_or_empty(json_get_text(v, "linkTarget")));
}

char *copy_rest_path(const Copy *c, const char *path, const char *const more[4]) {
        return rest_path(REST_PATH("/containers/", c->container, "/archive"),
                more ? REST_QUERY("path", path, more[0], more[1], more[2], more[3])
                     : REST_QUERY("path", path));
}

int copy_stat(const Copy *c, const char *path, CopyStat *ret, Error *reterr) {
        _cleanup_(freep) char *url = copy_rest_path(c, path, NULL), *header = NULL;
        int r;

        r = url ? rest_head(c->client, url, COPY_STAT_HEADER, &header, reterr) : -ENOMEM;
        return r < 0 ? r : copy_stat_parse(header, ret);
}

void copy_progress_add(CopyProgress *p, size_t size) {
        char text[HUMAN_SIZE];
        uint64_t now;

        p->size += size;
        if (p->quiet)
                return;
        now = clock_monotonic_us();
        if (p->shown_at > 0 && now - p->shown_at < SHOW_EACH)
                return;
        p->shown_at = now;
        fprintf(stderr, "\r\033[K%s - %s", p->words, human_bytes(p->size, SIZE_DIGITS, text));
        fflush(stderr);
}

void copy_progress_end(CopyProgress *p, int r, const char *where) {
        _cleanup_(freep) char *harmless = str_escape_terminal(where);
        char text[HUMAN_SIZE];

        if (p->quiet)
                return;
        if (p->shown_at > 0)
                fputs("\r\033[K", stderr);
        if (r >= 0)
                fprintf(stderr, "Successfully copied %s to %s\n",
                        human_bytes(p->size, SIZE_DIGITS, text), str_or_empty(harmless));
}
