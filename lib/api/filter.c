/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/filter.h"

#include <regex.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/pattern.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"
#include "lib/json/pairs.h"

typedef struct FilterPattern {
        enum { PATTERN_UNTRIED, PATTERN_READY, PATTERN_BAD } state;
        regex_t regex;
} FilterPattern;

typedef struct FilterKey {
        char *key;
        char **values;           /* unique */
        FilterPattern *patterns; /* beside values, made when one is first needed */
        size_t n_values;
        size_t cost; /* of the patterns that are compiled */
} FilterKey;

struct Filter {
        FilterKey *keys;
        size_t n_keys;
        size_t n_values; /* of all keys */
};

static FilterKey *find_key(const Filter *f, const char *key) {
        for (size_t i = 0; f && i < f->n_keys; i++)
                if (streq(f->keys[i].key, key))
                        return &f->keys[i];

        return NULL;
}

int filter_new(Filter **ret) {
        Filter *f = new0(Filter, 1);

        assert(ret);

        if (!f)
                return -ENOMEM;

        *ret = f;
        return 0;
}

Filter *filter_free(Filter *f) {
        if (!f)
                return NULL;

        for (size_t i = 0; i < f->n_keys; i++) {
                FilterKey *k = &f->keys[i];

                for (size_t j = 0; k->patterns && j < k->n_values; j++)
                        if (k->patterns[j].state == PATTERN_READY)
                                regfree(&k->patterns[j].regex);
                free(k->patterns);
                strv_free(k->values);
                free(k->key);
        }

        free(f->keys);
        free(f);
        return NULL;
}

static int ensure_key(Filter *f, const char *key, FilterKey **ret) {
        FilterKey *keys, *found = find_key(f, key);
        int r;

        if (!found) {
                if (f->n_keys >= FILTER_VALUES_MAX)
                        return -E2BIG;

                keys = reallocarray(f->keys, f->n_keys + 1, sizeof(FilterKey));
                if (!keys)
                        return -ENOMEM;
                f->keys = keys;

                found = &keys[f->n_keys];
                *found = (FilterKey) {};
                r = str_copy(&found->key, key);
                if (r < 0)
                        return r;
                f->n_keys++;
        }

        *ret = found;
        return 0;
}

int filter_add(Filter *f, const char *key, const char *value) {
        FilterKey *k;
        int r;

        assert(f);
        assert(key);
        assert(value);

        r = ensure_key(f, key, &k);
        if (r < 0)
                return r;

        assert(!k->patterns); /* all values come before the first match */

        if (strv_contains(k->values, value))
                return 0;
        if (f->n_values >= FILTER_VALUES_MAX)
                return -E2BIG;

        r = strv_add(&k->values, value);
        if (r < 0)
                return r;

        k->n_values++;
        f->n_values++;
        return 0;
}

/* One key with its values: {"x":true} or ["x"]. */
static int parse_key(Filter *f, const char *key, Json *values, Error *reterr) {
        const char *name;
        FilterKey *k;
        Json *value;
        int r;

        r = ensure_key(f, key, &k);
        if (r < 0)
                return r;

        if (json_is_null(values))
                return 0;
        if (json_type_of(values) != JSON_TYPE_OBJECT && json_type_of(values) != JSON_TYPE_LIST)
                return error_set(reterr, ERROR_INVALID, "invalid filter");

        JSON_FOREACH (name, value, values) {
                if (name && json_type_of(value) != JSON_TYPE_BOOLEAN && !json_is_null(value))
                        return error_set(reterr, ERROR_INVALID, "invalid filter");
                if (!name)
                        name = json_to_text(value);
                if (!name)
                        return error_set(reterr, ERROR_INVALID, "invalid filter");
                r = filter_add(f, key, name);
                if (r < 0)
                        return r;
        }

        return 0;
}

int filter_parse(const char *text, const char *const *keys, Filter **ret, Error *reterr) {
        _cleanup_(filter_freep) Filter *f = NULL;
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(error_done) Error e = {};
        const char *key;
        Json *values;
        int r;

        assert(ret);

        r = filter_new(&f);
        if (r < 0)
                return r;

        if (!str_empty(text)) {
                r = json_parse(text, strlen(text), FILTER_SIZE_MAX, &v, &e);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || (json_type_of(v) != JSON_TYPE_OBJECT && !json_is_null(v)))
                        return error_set(reterr, ERROR_INVALID, "invalid filter");
        }

        JSON_FOREACH (key, values, v) {
                r = parse_key(f, key, values, reterr);
                if (r == -E2BIG)
                        return error_set(reterr, ERROR_INVALID,
                                "invalid filter: more than %u values", FILTER_VALUES_MAX);
                if (r < 0)
                        return r;
        }

        if (keys) {
                r = filter_check_keys(f, keys, reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(f);
        return 0;
}

int filter_check_keys(const Filter *f, const char *const *keys, Error *reterr) {
        for (size_t i = 0; f && i < f->n_keys; i++)
                if (!str_in(f->keys[i].key, keys))
                        return error_set(
                                reterr, ERROR_INVALID, "invalid filter '%.64s'", f->keys[i].key);

        return 0;
}

bool filter_has(const Filter *f, const char *key) {
        return find_key(f, key);
}

char *const *filter_values(const Filter *f, const char *key) {
        static char *nothing[] = { NULL };
        const FilterKey *k = find_key(f, key);

        if (!k)
                return NULL;

        return k->values ? k->values : nothing;
}

/* The key, when it has values to compare with; a key without any lets everything pass. */
static FilterKey *key_that_asks(const Filter *f, const char *key) {
        FilterKey *k = find_key(f, key);

        return k && k->n_values > 0 ? k : NULL;
}

bool filter_match_exact(const Filter *f, const char *key, const char *value) {
        const FilterKey *k = key_that_asks(f, key);

        return !k || (value && strv_contains(k->values, value));
}

bool filter_match_any(const Filter *f, const char *key, char *const *values) {
        const FilterKey *k = key_that_asks(f, key);

        if (!k)
                return true;

        STRV_FOREACH (v, values)
                if (strv_contains(k->values, *v))
                        return true;

        return false;
}

bool filter_match_prefix(const Filter *f, const char *key, const char *value) {
        const FilterKey *k = key_that_asks(f, key);

        if (!k)
                return true;

        STRV_FOREACH (v, k->values)
                if (value && str_starts(value, *v))
                        return true;

        return false;
}

static void pattern_compile(FilterKey *k, size_t i) {
        FilterPattern *p = &k->patterns[i];
        size_t cost = pattern_cost(k->values[i]);

        p->state = PATTERN_BAD;
        if (cost > PATTERN_COST_MAX - k->cost)
                return;

        if (regcomp(&p->regex, k->values[i], REG_EXTENDED | REG_NOSUB) == 0) {
                p->state = PATTERN_READY;
                k->cost += cost;
        }
}

static bool pattern_matches(FilterKey *k, size_t i, const char *value) {
        if (!strpbrk(k->values[i], ".[]{}()*+?|^$\\"))
                return strstr(value, k->values[i]);

        if (!k->patterns) {
                k->patterns = new0(FilterPattern, k->n_values);
                if (!k->patterns)
                        return false;
        }
        if (k->patterns[i].state == PATTERN_UNTRIED)
                pattern_compile(k, i);

        return k->patterns[i].state == PATTERN_READY &&
               regexec(&k->patterns[i].regex, value, 0, NULL, 0) == 0;
}

static bool key_matches(FilterKey *k, const char *value) {
        if (strv_contains(k->values, value))
                return true;

        for (size_t i = 0; i < k->n_values; i++)
                if (pattern_matches(k, i, value))
                        return true;

        return false;
}

bool filter_match_pattern(const Filter *f, const char *key, const char *value) {
        FilterKey *k = key_that_asks(f, key);

        return !k || (value && key_matches(k, value));
}

bool filter_match_name(const Filter *f, const char *key, const char *name) {
        FilterKey *k = key_that_asks(f, key);
        _cleanup_(freep) char *with = NULL;

        if (!k)
                return true;
        if (!name)
                return false;

        if (name[0] == '/')
                name++;
        if (key_matches(k, name))
                return true;

        return str_printf(&with, "/%s", name) >= 0 && key_matches(k, with);
}

/* Every value, "k" or "k=v", is one of the pairs. */
static bool has_labels(char *const *wanted, char *const *pairs) {
        STRV_FOREACH (w, wanted) {
                const char *equals = strchr(*w, '='), *have;
                _cleanup_(freep) char *key = NULL;

                if (str_copy_n(&key, *w, equals ? (size_t) (equals - *w) : strlen(*w)) < 0)
                        return false;
                have = pairs_get(pairs, key);
                if (!have || (equals && !streq(have, equals + 1)))
                        return false;
        }

        return true;
}

bool filter_match_labels(const Filter *f, char *const *pairs) {
        const FilterKey *with = key_that_asks(f, "label"), *without = find_key(f, "label!");

        if (with && !has_labels(with->values, pairs))
                return false;

        return !without || !has_labels(without->values, pairs);
}

int filter_get_bool(const Filter *f, const char *key, bool *ret, Error *reterr) {
        const FilterKey *k = find_key(f, key);
        _cleanup_(freep) char *all = NULL;
        bool yes, no;

        assert(ret);

        if (!k)
                return -ENOENT;

        yes = strv_contains(k->values, "1") || strv_contains(k->values, "true");
        no = strv_contains(k->values, "0") || strv_contains(k->values, "false");
        if (yes != no) {
                *ret = yes;
                return 0;
        }

        if (k->n_values == 0)
                return error_set(reterr, ERROR_INVALID, "invalid filter '%.64s'", key);

        all = strv_join(k->values, " ");
        return error_set(
                reterr, ERROR_INVALID, "invalid filter '%.64s=[%.64s]'", key, str_or_empty(all));
}
