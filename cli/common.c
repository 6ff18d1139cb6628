/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several commands need. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

bool cli_confirm(const char *question) {
        char answer[16];
        size_t n = 0;
        int c;

        printf("%s [y/N] ", question);
        fflush(stdout);
        while ((c = getchar()) != EOF && c != '\n')
                if (n < sizeof answer - 1)
                        answer[n++] = (char) c;
        answer[n] = '\0';
        return strcasecmp(str_strip(answer), "y") == 0;
}

void cli_print_error(const Error *e, int r) {
        fflush(stdout);
        fprintf(stderr, "%s\n", error_text(e, r));
}

int cli_for_each(Cli *cli, const Options *o,
        int (*verb)(RestClient *c, const Options *o, const char *name, Error *reterr),
        Error *reterr) {
        RestClient *c;
        int r, status = 0;

        r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        STRV_FOREACH (name, options_arguments(o)) {
                _cleanup_(error_done) Error e = {};

                r = verb(c, o, *name, &e);
                if (r < 0) {
                        cli_print_error(&e, r);
                        status = 1;
                }
        }
        return status;
}

int cli_filters(char *const *words, char **ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *filters = NULL;
        int r;

        *ret = NULL;
        if (strv_empty(words))
                return 0;

        r = json_new_object(&filters);
        if (r < 0)
                return r;

        STRV_FOREACH (word, words) {
                _cleanup_(freep) char *key = NULL, *value = NULL;
                Json *values;

                r = str_split_pair(*word, '=', &key, &value);
                if (r == -EINVAL)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid argument \"%s\" for \"-f, --filter\" flag: invalid filter "
                                "(should be of the form \"name=value\")",
                                *word);
                if (r < 0)
                        return r;

                values = json_get(filters, key);
                if (!values)
                        r = json_set_new_object(filters, key, &values);
                if (r >= 0)
                        r = json_set_bool(values, value, true);
                if (r < 0)
                        return r;
        }

        return json_print(filters, JSON_COMPACT, ret);
}

/* ---- lists ---- */

typedef struct SortRow {
        const char *key;
        Json *v;
} SortRow;

static int compare_rows(const void *a, const void *b) {
        return strverscmp(((const SortRow *) a)->key, ((const SortRow *) b)->key);
}

static int sort_list(const Json *list, const char *sort_by, Json **ret) {
        _cleanup_(freep) SortRow *rows = new0(SortRow, json_count(list) + 1);
        _cleanup_(json_unrefp) Json *sorted = NULL;
        const char *key;
        size_t n = 0;
        Json *v;
        int r;

        if (!rows)
                return -ENOMEM;
        JSON_FOREACH (key, v, list)
                if (v)
                        rows[n++] = (SortRow) { str_or_empty(json_get_text(v, sort_by)), v };
        qsort(rows, n, sizeof *rows, compare_rows);

        r = json_new_list(&sorted);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = json_append(sorted, rows[i].v);
        if (r >= 0)
                *ret = TAKE_PTR(sorted);
        return r;
}

int cli_list(Cli *cli, const char *path, const char *sort_by, const char *member,
        char *const *filters, Json **ret, Error *reterr) {
        _cleanup_(freep) char *text = NULL, *full = NULL;
        _cleanup_(json_unrefp) Json *answer = NULL;
        RestClient *c;
        int r;

        r = cli_filters(filters, &text, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;
        full = rest_path(REST_PATH(path), REST_QUERY("filters", text));
        if (!full)
                return -ENOMEM;
        r = rest_call(c, "GET", full, NULL, &answer, reterr);
        if (r < 0)
                return r;
        return sort_list(member ? json_get(answer, member) : answer, sort_by, ret);
}

int cli_set_pairs(Json *object, char *const *words) {
        STRV_FOREACH (word, words) {
                const char *equals = strchr(*word, '=');
                _cleanup_(freep) char *key = NULL;
                int r;

                r = str_copy_n(&key, *word, equals ? (size_t) (equals - *word) : strlen(*word));
                if (r >= 0)
                        r = json_set_text(object, key, equals ? equals + 1 : "");
                if (r < 0)
                        return r;
        }
        return 0;
}

void cli_print_ids(const Json *rows, bool whole) {
        const char *key;
        Json *row;

        JSON_FOREACH (key, row, rows) {
                const char *id = str_or_empty(json_get_text(row, "Id"));
                char small[IDENT_SHORT_SIZE];

                puts(whole ? id : ident_short(id, small));
        }
}

/* The tag begins behind the last colon that is not a port's. */
int cli_split_tag(const char *name, char **ret_repository, const char **ret_tag) {
        const char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');

        if (colon && slash && colon < slash)
                colon = NULL;
        *ret_tag = colon ? colon + 1 : NULL;
        return str_copy_n(ret_repository, name, colon ? (size_t) (colon - name) : strlen(name));
}

int cli_point_in_time(const char *value, const char *option, char **ret, Error *reterr) {
        int64_t ns;

        *ret = NULL;
        if (!value)
                return 0;
        if (clock_parse_point(value, clock_realtime_ns(), &ns) < 0)
                return error_set(reterr, ERROR_INVALID,
                        "%s%s%sfailed to parse value as time or duration: \"%s\"",
                        option ? "invalid value for \"" : "", str_or_empty(option),
                        option ? "\": " : "", value);
        return str_printf(ret, "%" PRId64 ".%09" PRId64, ns / NSEC_PER_SEC, ns % NSEC_PER_SEC);
}

int cli_add_pair(char ***query, const char *name, const char *value) {
        int r;

        if (!value)
                return 0;
        r = strv_add(query, name);
        return r < 0 ? r : strv_add(query, value);
}

int cli_add_pairs(char ***query, const char *name, char *const *values) {
        int r = 0;

        STRV_FOREACH (value, values)
                if (r >= 0)
                        r = cli_add_pair(query, name, *value);
        return r;
}

int cli_add_target(char ***query, const char *name) {
        _cleanup_(freep) char *repository = NULL;
        const char *tag = NULL;
        int r;

        r = cli_split_tag(name, &repository, &tag);
        if (r >= 0)
                r = cli_add_pair(query, "repo", repository);
        return r < 0 ? r : cli_add_pair(query, "tag", tag);
}
