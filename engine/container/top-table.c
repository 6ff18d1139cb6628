/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/container/top-table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define BLANKS " \t\v\f\r"

void top_table_done(TopTable *t) {
        strv_free(t->titles);
        for (size_t i = 0; i < t->n_rows; i++)
                strv_free(t->rows[i]);
        free(t->rows);
        *t = (TopTable) {};
}

int top_check_args(const char *args, Error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = strv_split(args, BLANKS "\n,", /* keep_empty= */ false, &words);
        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                const char *key = *word, *equals = strchr(*word, '=');

                if (!equals || strncmp(equals + 1, "PID", 3) != 0)
                        continue;
                while (*key == '-' || *key == 'o')
                        key++;
                if ((size_t) (equals - key) != 3 || strncmp(key, "pid", 3) != 0)
                        return error_set(reterr, ERROR_INVALID,
                                "specifying \"%.*s=%s\" is not allowed", (int) (equals - *word),
                                *word, equals + 1);
        }
        return 0;
}

/* The last word holds all the rest of the line. */
static int split_line(const char *line, size_t n, size_t max, char ***ret) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *end = line + n;
        size_t count = 0;

        for (const char *p = line; p < end;) {
                _cleanup_(freep) char *word = NULL;
                size_t length;
                int r;

                p += strspn(p, BLANKS);
                if (p >= end)
                        break;
                length = strcspn(p, BLANKS "\n");
                if (++count == max) {
                        length = (size_t) (end - p);
                        while (length > 0 && strchr(BLANKS, p[length - 1]))
                                length--;
                }
                r = str_copy_n(&word, p, length);
                if (r >= 0)
                        r = strv_add(&words, word);
                if (r < 0)
                        return r;
                p += length;
        }
        *ret = TAKE_PTR(words);
        return 0;
}

static int compare(const void *a, const void *b) {
        pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;

        return (x > y) - (x < y);
}

static int find_pid_column(char *const *titles, size_t *ret, Error *reterr) {
        size_t i = 0;

        STRV_FOREACH (title, titles) {
                if (streq(*title, "PID")) {
                        *ret = i;
                        return 0;
                }
                i++;
        }
        return error_set(reterr, ERROR_INTERNAL, "Couldn't find PID field in ps output");
}

/* 1: the line is ours. */
static int is_ours(const char *word, const pid_t *pids, size_t n_pids, bool *last, Error *reterr) {
        unsigned n;
        pid_t pid;

        if (streq(word, "-"))
                return *last; /* a thread of the process above */
        if (parse_unsigned(word, &n) < 0)
                return error_set(reterr, ERROR_INTERNAL, "Unexpected pid '%s' in ps output", word);
        pid = (pid_t) n;
        *last = bsearch(&pid, pids, n_pids, sizeof(pid), compare) != NULL;
        return *last;
}

int top_parse(const char *text, const pid_t *pids, size_t n_pids, TopTable *ret, Error *reterr) {
        _cleanup_(top_table_done) TopTable t = {};
        size_t column = 0, n_titles;
        bool last = false;
        int r;

        r = split_line(text, strcspn(text, "\n"), SIZE_MAX, &t.titles);
        if (r >= 0)
                r = find_pid_column(t.titles, &column, reterr);
        if (r < 0)
                return r;
        n_titles = strv_length(t.titles);

        for (const char *line = strchr(text, '\n'); line && line[1];
                line = strchr(line + 1, '\n')) {
                _cleanup_(strv_freep) char **words = NULL;

                r = split_line(line + 1, strcspn(line + 1, "\n"), n_titles, &words);
                if (r < 0)
                        return r;
                if (strv_length(words) <= column)
                        continue;
                r = is_ours(words[column], pids, n_pids, &last, reterr);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                r = array_grow(&t.rows, &t.n_allocated, t.n_rows + 1);
                if (r < 0)
                        return r;
                t.rows[t.n_rows++] = TAKE_PTR(words);
        }

        *ret = TAKE_STRUCT(t);
        return 0;
}
