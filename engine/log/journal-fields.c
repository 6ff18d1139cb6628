/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/journal-fields.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ident.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define FIELD_NAME_MAX 64u

/* What the journal means by itself or we set below: no label may take its place. */
static const char *const reserved[] = {
        "CODE_FILE",
        "CODE_FUNC",
        "CODE_LINE",
        "CONTAINER_ID",
        "CONTAINER_ID_FULL",
        "CONTAINER_LOG_EPOCH",
        "CONTAINER_LOG_ORDINAL",
        "CONTAINER_NAME",
        "CONTAINER_PARTIAL_ID",
        "CONTAINER_PARTIAL_LAST",
        "CONTAINER_PARTIAL_MESSAGE",
        "CONTAINER_PARTIAL_ORDINAL",
        "CONTAINER_TAG",
        "DOCUMENTATION",
        "ERRNO",
        "IMAGE_NAME",
        "INVOCATION_ID",
        "MESSAGE",
        "MESSAGE_ID",
        "OBJECT_PID",
        "PRIORITY",
        "SYSLOG_FACILITY",
        "SYSLOG_IDENTIFIER",
        "SYSLOG_PID",
        "SYSLOG_RAW",
        "SYSLOG_TIMESTAMP",
        "TID",
        "UNIT",
        "USER_UNIT",
        NULL,
};

int journal_field_name(const char *s, size_t n, char **ret) {
        char *name;
        size_t k = 0;

        name = new (char, FIELD_NAME_MAX + 1);
        if (!name)
                return -ENOMEM;
        for (size_t i = 0; i < n && k < FIELD_NAME_MAX; i++) {
                char c = s[i];

                if (c >= 'a' && c <= 'z')
                        c = (char) (c - 'a' + 'A');
                else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
                        c = '_';
                if (k == 0 && (c == '_' || (c >= '0' && c <= '9')))
                        continue; /* names beginning so belong to the journal, or are none */
                name[k++] = c;
        }
        name[k] = '\0';
        if (k == 0)
                name = mfree(name);
        *ret = name;
        return 0;
}

static int add_attribute(char ***fields, const char *field) {
        _cleanup_(freep) char *name = NULL;
        const char *value = strchr(field, '=');
        int r;

        if (!value || strv_length(*fields) >= JOURNAL_FIELDS_FIXED_MAX)
                return 0;
        r = journal_field_name(field, (size_t) (value - field), &name);
        if (r < 0 || !name || str_in(name, reserved))
                return r;
        return strv_addf(fields, "%s=%s", name, value + 1);
}

int journal_fields_make(const LogTarget *t, JournalFields *ret) {
        _cleanup_(strv_freep) char **l = NULL;
        char short_id[IDENT_SHORT_SIZE], epoch[IDENT_SIZE];
        const char *tag;
        int r;

        ident_short(t->id, short_id);
        ident_random(epoch);
        tag = strv_env_get(t->fields, "tag");
        if (!tag)
                tag = short_id;

        r = strv_addf(&l, "CONTAINER_ID=%s", short_id);
        if (r >= 0)
                r = strv_addf(&l, "CONTAINER_ID_FULL=%s", t->id);
        if (r >= 0)
                r = strv_addf(&l, "CONTAINER_NAME=%s", str_or_empty(t->name));
        if (r >= 0)
                r = strv_addf(&l, "CONTAINER_TAG=%s", tag);
        if (r >= 0)
                r = strv_addf(&l, "IMAGE_NAME=%s", str_or_empty(t->image));
        if (r >= 0)
                r = strv_addf(&l, "SYSLOG_IDENTIFIER=%s", tag);
        if (r >= 0)
                r = strv_addf(&l, "CONTAINER_LOG_EPOCH=%s", epoch);
        if (r < 0)
                return r;

        STRV_FOREACH (f, t->fields) {
                if (str_starts(*f, "tag="))
                        continue;
                r = add_attribute(&l, *f);
                if (r < 0)
                        return r;
        }

        ret->n_fixed = strv_length(l);
        ret->fixed = TAKE_PTR(l);
        return 0;
}

void journal_fields_done(JournalFields *f) {
        f->fixed = strv_free(f->fixed);
        f->n_fixed = 0;
}

static void line_add(JournalLine *l, const char *text) {
        l->iov[l->n_iov++] = (struct iovec) { .iov_base = (void *) text, .iov_len = strlen(text) };
}

void journal_partial_begin(JournalPartial *p, const LogMessage *m) {
        if (p->open || !m->partial)
                return;
        p->open = true;
        p->ordinal = 1;
        ident_random(p->id);
}

void journal_partial_step(JournalPartial *p, const LogMessage *m) {
        if (!p->open)
                return;
        p->ordinal++;
        if (!m->partial)
                *p = (JournalPartial) {};
}

void journal_line_make(const JournalFields *f, const LogMessage *m, const JournalPartial *partial,
        uint64_t ordinal, char *buffer, JournalLine *ret) {
        char time[CLOCK_TEXT_SIZE];
        size_t n = m->size;

        ret->n_iov = 0;
        for (size_t i = 0; i < f->n_fixed; i++)
                line_add(ret, f->fixed[i]);

        (void) snprintf(ret->priority, sizeof(ret->priority), "PRIORITY=%d",
                m->stream == LOG_STREAM_STDERR ? 3 : 6);
        line_add(ret, ret->priority);
        clock_format((int64_t) m->time_nsec, time);
        (void) snprintf(ret->timestamp, sizeof(ret->timestamp), "SYSLOG_TIMESTAMP=%s", time);
        line_add(ret, ret->timestamp);
        (void) snprintf(
                ret->ordinal, sizeof(ret->ordinal), "CONTAINER_LOG_ORDINAL=%" PRIu64, ordinal);
        line_add(ret, ret->ordinal);

        if (partial->open) {
                (void) snprintf(ret->partial_id, sizeof(ret->partial_id), "CONTAINER_PARTIAL_ID=%s",
                        partial->id);
                line_add(ret, ret->partial_id);
                (void) snprintf(ret->partial_ordinal, sizeof(ret->partial_ordinal),
                        "CONTAINER_PARTIAL_ORDINAL=%" PRIu64, partial->ordinal);
                line_add(ret, ret->partial_ordinal);
                line_add(ret, m->partial ? "CONTAINER_PARTIAL_LAST=false"
                                         : "CONTAINER_PARTIAL_LAST=true");
                if (m->partial)
                        line_add(ret, "CONTAINER_PARTIAL_MESSAGE=true");
        }

        /* the line feed is the record's end and not stored */
        if (n > 0 && m->data[n - 1] == '\n')
                n--;
        memcpy(buffer, "MESSAGE=", STRLEN("MESSAGE="));
        memcpy(buffer + STRLEN("MESSAGE="), m->data, n);
        ret->iov[ret->n_iov++] =
                (struct iovec) { .iov_base = buffer, .iov_len = STRLEN("MESSAGE=") + n };
}
