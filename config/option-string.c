/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/option-string.h"

#include <errno.h>
#include <string.h>

#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"

static bool is_space(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from *p on: 1, or 0 at the end. */
static int next_word(const char *value, size_t *p, OptionWord *ret) {
        _cleanup_(buffer_done) Buffer b = {};
        OptionWord w = { .plain = true };
        char quote = 0;
        size_t i = *p;
        int r;

        while (is_space(value[i]))
                i++;
        if (value[i] == 0)
                return 0;

        w.offset = i;
        for (; value[i] != 0 && (quote != 0 || !is_space(value[i])); i++) {
                char c = value[i];

                if (c == '\\') {
                        w.plain = false;
                        if (value[i + 1] == 0)
                                continue; /* a backslash at the very end is dropped */
                        c = value[++i];
                } else if (quote == 0 && (c == '"' || c == '\'')) {
                        w.plain = false;
                        quote = c;
                        continue;
                } else if (quote != 0 && c == quote) {
                        quote = 0;
                        continue;
                }

                r = buffer_append_char(&b, c);
                if (r < 0)
                        return r;
        }

        w.n = i - w.offset;
        w.text = buffer_take_string(&b, NULL);
        if (!w.text)
                return -ENOMEM;

        *p = i;
        *ret = w;
        return 1;
}

static void classify_long(OptionWord *w) {
        _cleanup_(freep) char *name = NULL;
        const char *equals;

        equals = strchr(w->text, '=');
        if (str_copy_n(&name, w->text + 2,
                    equals ? (size_t) (equals - w->text - 2) : strlen(w->text) - 2) < 0)
                return;

        w->row = setting_find(name);
        if (!w->row)
                return;

        w->kind = OPTION_FLAG;
        if (equals)
                w->value_at = (size_t) (equals - w->text) + 1;
}

/* -D, -s, -svalue, -s=value, -Ds value */
static void classify_short(OptionWord *w) {
        for (size_t i = 1; w->text[i]; i++) {
                const Setting *row;

                row = setting_find_shorthand(w->text[i]);
                if (!row)
                        return;

                w->row = row;
                w->group = i - 1;
                if (w->text[i + 1] == '=' && w->text[i + 2] != 0)
                        w->value_at = i + 2;
                else if (row->type != SETTING_BOOL && w->text[i + 1] != 0)
                        w->value_at = i + 1;
                if (w->value_at > 0)
                        break;
        }

        w->kind = OPTION_FLAG;
}

static void classify(OptionString *s) {
        bool end = false;

        for (size_t i = 0; i < s->n_words; i++) {
                OptionWord *w = s->words + i;

                if (end || w->text[0] != '-' || w->text[1] == 0) {
                        w->kind = OPTION_STRAY;
                        continue;
                }
                if (streq(w->text, "--")) {
                        w->kind = OPTION_END;
                        end = true;
                        continue;
                }

                w->kind = OPTION_UNKNOWN;
                if (w->text[1] == '-')
                        classify_long(w);
                else
                        classify_short(w);

                if (w->kind != OPTION_FLAG) {
                        w->row = NULL;
                        w->group = w->value_at = 0;
                        continue;
                }
                if (w->row->type != SETTING_BOOL && w->value_at == 0 && i + 1 < s->n_words) {
                        s->words[i + 1].kind = OPTION_VALUE; /* whatever it looks like */
                        s->words[i + 1].row = w->row;
                        i++;
                }
        }
}

int option_string_parse(const char *value, OptionString *ret) {
        _cleanup_(option_string_done) OptionString s = {};
        size_t allocated = 0, p = 0;
        int r;

        assert(value);
        assert(ret);

        r = str_copy(&s.value, value);
        if (r < 0)
                return r;

        for (;;) {
                r = array_grow(&s.words, &allocated, s.n_words + 1);
                if (r < 0)
                        return r;
                r = next_word(value, &p, s.words + s.n_words);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                if (++s.n_words > OPTION_WORDS_MAX)
                        return -EFBIG;
        }

        classify(&s);
        *ret = TAKE_STRUCT(s);
        return 0;
}

int option_string_from_words(char *const *words, size_t n, OptionString *ret) {
        _cleanup_(option_string_done) OptionString s = {};
        int r;

        assert(ret);

        if (n > OPTION_WORDS_MAX)
                return -EFBIG;

        s.words = new0(OptionWord, n + 1);
        if (!s.words)
                return -ENOMEM;

        for (; s.n_words < n; s.n_words++) {
                r = str_copy(&s.words[s.n_words].text, words[s.n_words]);
                if (r < 0)
                        return r;
        }

        classify(&s);
        *ret = TAKE_STRUCT(s);
        return 0;
}

void option_string_done(OptionString *s) {
        for (size_t i = 0; i < s->n_words; i++)
                free(s->words[i].text);
        free(s->words);
        free(s->value);
        *s = (OptionString) {};
}

int option_string_uses(const OptionString *s, OptionUse **ret, size_t *ret_n) {
        _cleanup_(freep) OptionUse *uses = NULL;
        size_t n = 0, allocated = 0;
        int r;

        assert(s);
        assert(ret);
        assert(ret_n);

        for (size_t i = 0; i < s->n_words; i++) {
                const OptionWord *w = s->words + i;
                OptionUse *use;

                if (w->kind != OPTION_FLAG)
                        continue;

                r = array_grow(&uses, &allocated, n + w->group + 1);
                if (r < 0)
                        return r;

                for (size_t letter = 1; letter <= w->group; letter++)
                        uses[n++] = (OptionUse) {
                                .row = setting_find_shorthand(w->text[letter]),
                                .word = i,
                                .value_word = i,
                                .letter = letter,
                        };

                use = uses + n++;
                *use = (OptionUse) {
                        .row = w->row,
                        .word = i,
                        .value_word = i,
                        .letter = w->text[1] == '-' ? 0 : w->group + 1,
                };
                if (w->value_at > 0)
                        use->value = w->text + w->value_at;
                else if (w->row->type != SETTING_BOOL) {
                        if (i + 1 < s->n_words) {
                                use->value = s->words[i + 1].text;
                                use->value_word = i + 1;
                        } else
                                use->missing = true;
                }
        }

        *ret = TAKE_PTR(uses);
        *ret_n = n;
        return 0;
}

int option_word_quote(const char *word, char **ret) {
        _cleanup_(buffer_done) Buffer b = {};
        char quote = 0;
        int r;

        assert(word);
        assert(ret);

        if (str_has_control(word))
                return -EINVAL;

        if (word[0] == 0 || strpbrk(word, " '\""))
                quote = strchr(word, '\'') ? '"' : '\'';

        if (quote != 0) {
                r = buffer_append_char(&b, quote);
                if (r < 0)
                        return r;
        }
        for (const char *p = word; *p; p++) {
                if (*p == '\\' || (quote == '"' && *p == '"')) {
                        r = buffer_append_char(&b, '\\');
                        if (r < 0)
                                return r;
                }
                r = buffer_append_char(&b, *p);
                if (r < 0)
                        return r;
        }
        if (quote != 0) {
                r = buffer_append_char(&b, quote);
                if (r < 0)
                        return r;
        }

        *ret = buffer_take_string(&b, NULL);
        return *ret ? 0 : -ENOMEM;
}
