/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "config/env-value.h"
#include "config/option-string.h"
#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

/* What shall become of the value, byte by byte: gone or not, and text put before it. Marks cannot
 * overlap, so that an edit of two neighbouring words needs no special case. */
typedef struct Plan {
        const OptionString *s;
        size_t n;      /* bytes of the value */
        bool *gone;    /* n */
        char **before; /* n + 1 */
} Plan;

static void plan_done(Plan *p) {
        for (size_t i = 0; p->before && i <= p->n; i++)
                free(p->before[i]);
        free(p->before);
        free(p->gone);
        *p = (Plan) {};
}

static int plan_init(Plan *p, const OptionString *s) {
        *p = (Plan) { .s = s, .n = strlen(s->value) };

        p->gone = new0(bool, p->n + 1);
        p->before = new0(char *, p->n + 1);
        return p->gone && p->before ? 0 : -ENOMEM;
}

static void plan_remove(Plan *p, size_t offset, size_t n) {
        memset(p->gone + offset, true, n);
}

static int plan_insert(Plan *p, size_t offset, const char *text) {
        return str_appendf(p->before + offset, "%s", text);
}

static int plan_replace(Plan *p, size_t offset, size_t n, const char *text) {
        plan_remove(p, offset, n);
        return plan_insert(p, offset, text);
}

/* Bytes from..to and one neighbouring blank. */
static void plan_remove_words(Plan *p, size_t from, size_t to) {
        const char *value = p->s->value;

        if (from > 0 && strchr(" \t\n\r", value[from - 1]) && !p->gone[from - 1])
                from--;
        else if (value[to] != 0 && strchr(" \t\n\r", value[to]) && !p->gone[to])
                to++;
        plan_remove(p, from, to - from);
}

static size_t word_end(const OptionWord *w) {
        return w->offset + w->n;
}

static const char *use_value(const OptionUse *use) {
        return use->value ?: use->row->type == SETTING_BOOL ? "true" : NULL;
}

static int remove_use(Plan *p, const OptionUse *use) {
        const OptionWord *w = p->s->words + use->word, *v = p->s->words + use->value_word;

        if (w->group == 0) {
                plan_remove_words(p, w->offset, word_end(v));
                return 0;
        }

        if (!w->plain)
                return -EBADMSG;

        /* A letter of a group: "-Dl debug" without l is "-D". */
        if (use->letter <= w->group) {
                plan_remove(p, w->offset + use->letter, 1);
                return 0;
        }
        plan_remove(p, w->offset + use->letter, w->n - use->letter);
        if (v != w)
                plan_remove_words(p, v->offset, word_end(v));
        return 0;
}

/* 1: done in place, 0: there is no place for it. */
static int replace_use(Plan *p, const OptionUse *use, const char *value) {
        const OptionWord *w = p->s->words + use->word, *v = p->s->words + use->value_word;
        _cleanup_(freep) char *quoted = NULL, *whole = NULL, *again = NULL;
        int r;

        r = option_word_quote(value, &quoted);
        if (r < 0)
                return r;

        if (use->letter > 0 && use->letter <= w->group)
                return 0;

        if (v != w)
                r = plan_replace(p, v->offset, v->n, quoted);
        else if (w->value_at > 0 && w->plain)
                r = plan_replace(p, w->offset + w->value_at, w->n - w->value_at, quoted);
        else if (w->value_at > 0) {
                r = str_printf(&whole, "%.*s%s", (int) w->value_at, w->text, value);
                if (r < 0)
                        return r;
                r = option_word_quote(whole, &again);
                if (r < 0)
                        return r;
                r = plan_replace(p, w->offset, w->n, again);
        } else if (use->row->type == SETTING_BOOL && w->plain) {
                r = str_printf(&whole, "=%s", value);
                if (r < 0)
                        return r;
                r = plan_insert(p, word_end(w), whole);
        } else
                return 0;

        return r < 0 ? r : 1;
}

static int format_use(const Setting *row, const char *value, char **ret) {
        _cleanup_(freep) char *quoted = NULL;
        int r;

        if (row->type == SETTING_BOOL && streq(value, "true"))
                return str_printf(ret, "--%s", row->name);

        r = option_word_quote(value, &quoted);
        if (r < 0)
                return r;
        return str_printf(ret, "--%s=%s", row->name, quoted);
}

/* Before this word: "--name=value ". */
static int add_use_before(Plan *p, const Setting *row, const char *value, const OptionWord *w) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = format_use(row, value, &text);
        if (r < 0)
                return r;
        r = plan_insert(p, w->offset, text);
        if (r < 0)
                return r;
        return plan_insert(p, w->offset, " ");
}

/* Behind this word: " --name=value". Without a word: where a new option goes, at the end, but
 * before "--". */
static int add_use_behind(Plan *p, const Setting *row, const char *value, const OptionWord *w) {
        _cleanup_(freep) char *text = NULL;
        size_t where = p->n;
        int r;

        for (size_t i = 0; !w && i < p->s->n_words; i++)
                if (p->s->words[i].kind == OPTION_END) {
                        if (i == 0)
                                return add_use_before(p, row, value, p->s->words);
                        w = p->s->words + i - 1;
                }
        if (!w && p->s->n_words > 0)
                w = p->s->words + p->s->n_words - 1;
        if (w)
                where = word_end(w);

        r = format_use(row, value, &text);
        if (r < 0)
                return r;
        if (w || p->before[where]) {
                r = plan_insert(p, where, " ");
                if (r < 0)
                        return r;
        }
        return plan_insert(p, where, text);
}

static int plan_list(Plan *p, const Setting *row, OptionUse **uses, size_t n, char *const *values) {
        size_t n_values = strv_length(values), head = 0, tail = 0, i;
        int r;

        /* What stays at both ends is left alone, what lies between is replaced one by one. */
        while (head < n && head < n_values && str_equal(use_value(uses[head]), values[head]))
                head++;
        while (tail < n - head && tail < n_values - head &&
                str_equal(use_value(uses[n - 1 - tail]), values[n_values - 1 - tail]))
                tail++;

        for (i = head; i < n - tail && i < n_values - tail; i++) {
                r = replace_use(p, uses[i], values[i]);
                if (r < 0)
                        return r;
                if (r == 0)
                        return -EBADMSG;
        }
        for (size_t k = i; k < n - tail; k++) {
                r = remove_use(p, uses[k]);
                if (r < 0)
                        return r;
        }
        for (; i < n_values - tail; i++) {
                /* Behind the sibling that it follows, before the one that follows it, the first of
                 * all at the end. */
                if (n > tail)
                        r = add_use_behind(
                                p, row, values[i], p->s->words + uses[n - tail - 1]->value_word);
                else if (n > 0)
                        r = add_use_before(p, row, values[i], p->s->words + uses[0]->word);
                else
                        r = add_use_behind(p, row, values[i], NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int plan_single(
        Plan *p, const Setting *row, OptionUse **uses, size_t n, char *const *values) {
        int r;

        if (strv_empty(values)) {
                for (size_t i = 0; i < n; i++) {
                        r = remove_use(p, uses[i]);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        if (values[1])
                return -EINVAL;

        if (n > 0) {
                /* The last one wins, so it is the one to change. */
                if (str_equal(use_value(uses[n - 1]), values[0]))
                        return 0;
                r = replace_use(p, uses[n - 1], values[0]);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return add_use_behind(p, row, values[0], NULL);
}

/* A group that lost its last letter goes as a whole. */
static void plan_remove_empty_groups(Plan *p) {
        for (size_t i = 0; i < p->s->n_words; i++) {
                const OptionWord *w = p->s->words + i;

                if (w->kind == OPTION_FLAG && w->group > 0 &&
                        !memchr(p->gone + w->offset + 1, false, w->n - 1) && !p->gone[w->offset])
                        plan_remove_words(p, w->offset, word_end(w));
        }
}

/* Where the first words went, the value begins with the next word and not with the blank before it.
 */
static void plan_trim(Plan *p) {
        size_t i = 0;

        while (i < p->n && p->gone[i] && !p->before[i])
                i++;
        if (i > 0 && i < p->n && !p->before[i] && strchr(" \t\n\r", p->s->value[i]))
                p->gone[i] = true;
}

static int plan_make(Plan *p, const Setting *row, char *const *values) {
        _cleanup_(freep) OptionUse *all = NULL;
        _cleanup_(freep) OptionUse **mine = NULL;
        size_t n_all, n = 0;
        int r;

        r = option_string_uses(p->s, &all, &n_all);
        if (r < 0)
                return r;

        mine = new0(OptionUse *, n_all + 1);
        if (!mine)
                return -ENOMEM;
        for (size_t i = 0; i < n_all; i++)
                if (setting_resolve(all[i].row) == row)
                        mine[n++] = all + i;

        r = row->flags & SETTING_MULTI ? plan_list(p, row, mine, n, values)
                                       : plan_single(p, row, mine, n, values);
        if (r < 0)
                return r;

        plan_remove_empty_groups(p);
        plan_trim(p);
        return 0;
}

/* From the end to the beginning, so that the offsets of what is still to do stay right. */
static int plan_apply(const Plan *p, const char *raw, char **ret) {
        _cleanup_(freep) char *now = NULL;
        size_t i = p->n + 1;
        int r, changed = 0;

        r = str_copy(&now, raw);
        if (r < 0)
                return r;

        while (i-- > 0) {
                _cleanup_(env_value_done) EnvValue v = {};
                size_t from = i, n;
                char *next;

                if (!p->before[i] && !(i < p->n && p->gone[i]))
                        continue;

                /* A run of bytes that go, down to the text that stands for them. */
                while (from > 0 && !p->before[from] && p->gone[from - 1])
                        from--;
                n = i < p->n && p->gone[i] ? i - from + 1 : i - from;

                r = env_value_decode(now, &v);
                if (r < 0)
                        return r;
                r = env_value_splice(now, &v, from, n, str_or_empty(p->before[from]), &next);
                if (r < 0)
                        return r;
                free(now);
                now = next;
                changed = 1;
                i = from;
        }

        *ret = TAKE_PTR(now);
        return changed;
}

/* Everything that is not of this row, one line per thing, to compare. */
static int signature(const OptionString *s, const Setting *row, char **ret_rest, char **ret_mine) {
        _cleanup_(buffer_done) Buffer rest = {}, mine = {};
        _cleanup_(freep) OptionUse *uses = NULL;
        size_t n;
        int r;

        r = option_string_uses(s, &uses, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                bool own = setting_resolve(uses[i].row) == row;

                r = buffer_printf(own ? &mine : &rest, "%s\x01%s\x02", own ? "" : uses[i].row->name,
                        str_or_empty(use_value(uses + i)));
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->n_words; i++)
                if (s->words[i].kind == OPTION_UNKNOWN || s->words[i].kind == OPTION_STRAY ||
                        s->words[i].kind == OPTION_END) {
                        r = buffer_printf(&rest, "%s\x02", s->words[i].text);
                        if (r < 0)
                                return r;
                }

        *ret_rest = buffer_take_string(&rest, NULL);
        *ret_mine = buffer_take_string(&mine, NULL);
        return *ret_rest && *ret_mine ? 0 : -ENOMEM;
}

static int verify(
        const OptionString *before, const char *raw, const Setting *row, char *const *values) {
        _cleanup_(freep) char *rest = NULL, *mine = NULL, *rest_before = NULL, *mine_before = NULL,
                              *wanted = NULL;
        _cleanup_(option_string_done) OptionString after = {};
        _cleanup_(buffer_done) Buffer want = {};
        _cleanup_(env_value_done) EnvValue v = {};
        int r;

        r = env_value_decode(raw, &v);
        if (r < 0)
                return r;
        r = option_string_parse(v.text, &after);
        if (r < 0)
                return r;
        r = signature(before, row, &rest_before, &mine_before);
        if (r < 0)
                return r;
        r = signature(&after, row, &rest, &mine);
        if (r < 0)
                return r;

        STRV_FOREACH (s, values) {
                r = buffer_printf(&want, "\x01%s\x02", *s);
                if (r < 0)
                        return r;
        }

        wanted = buffer_take_string(&want, NULL);
        if (!wanted)
                return -ENOMEM;

        /* Of a row that stands once, earlier ones that do not count may be there still. */
        if (row->flags & SETTING_MULTI || strv_empty(values))
                r = streq(mine, wanted);
        else
                r = str_ends(mine, wanted) != NULL;

        return r && streq(rest, rest_before) ? 0 : -EBADMSG;
}

int option_raw_edit(const char *raw, const Setting *row, char *const *values, char **ret) {
        _cleanup_(option_string_done) OptionString s = {};
        _cleanup_(env_value_done) EnvValue v = {};
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_(freep) char *edited = NULL;
        int r, changed;

        assert(raw);
        assert(row);
        assert(ret);

        row = setting_resolve(row);
        if (!row->name)
                return -EINVAL;

        r = env_value_decode(raw, &v);
        if (r < 0)
                return r;
        r = option_string_parse(v.text, &s);
        if (r < 0)
                return r;
        r = plan_init(&plan, &s);
        if (r < 0)
                return r;
        r = plan_make(&plan, row, values);
        if (r < 0)
                return r;
        changed = plan_apply(&plan, raw, &edited);
        if (changed < 0)
                return changed;
        r = verify(&s, edited, row, values);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(edited);
        return changed;
}
