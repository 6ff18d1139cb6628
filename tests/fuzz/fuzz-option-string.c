/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/env-value.h"
#include "config/option-string.h"
#include "config/settings-table.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words quoted again split into the same words. */
static void check_words(const char *value) {
        _cleanup_(option_string_done) OptionString s = {};
        _cleanup_(freep) OptionUse *uses = NULL;
        size_t n;

        if (option_string_parse(value, &s) < 0 || option_string_uses(&s, &uses, &n) < 0)
                return;
        assert(n <= strlen(value));

        for (size_t i = 0; i < s.n_words; i++) {
                _cleanup_(option_string_done) OptionString again = {};
                _cleanup_(freep) char *quoted = NULL;

                assert(s.words[i].offset + s.words[i].n <= strlen(value));
                if (option_word_quote(s.words[i].text, &quoted) < 0)
                        continue;
                assert(option_string_parse(quoted, &again) >= 0);
                assert(again.n_words == 1 && streq(again.words[0].text, s.words[i].text));
        }
}

/* An edit gives text that is stable: the same edit again changes nothing, and what it wrote can be
 * read and taken out. option_raw_edit() itself compares all other options. */
static void check_edit(const char *raw, const char *name, const char *value) {
        _cleanup_(freep) char *edited = NULL, *again = NULL, *without = NULL;
        char *values[] = { (char *) value, NULL };
        const Setting *row = setting_find(name);

        if (option_raw_edit(raw, row, values, &edited) < 0)
                return;
        assert(option_raw_edit(edited, row, values, &again) == 0);
        assert(streq(edited, again));
        (void) option_raw_edit(edited, row, NULL, &without);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *raw = alloc_copy0(data, size), *encoded = NULL;
        _cleanup_(env_value_done) EnvValue v = {}, w = {};

        if (!raw || size > 4096 || strlen(raw) != size || env_value_decode(raw, &v) < 0)
                return 0;
        assert(strlen(v.text) == v.n && v.n <= size);
        for (size_t i = 0; i < v.n; i++)
                assert(v.bytes[i].raw + v.bytes[i].n_raw <= size);

        if (env_value_encode(v.text, &encoded) >= 0) {
                assert(env_value_decode(encoded, &w) >= 0);
                assert(streq(w.text, v.text));
        }

        check_words(v.text);
        check_edit(raw, "storage-driver", "vfs");
        check_edit(raw, "debug", "false");
        check_edit(raw, "label", "a=it's \"x\" \\");
        return 0;
}
