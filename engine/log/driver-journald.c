/* SPDX-License-Identifier: GPL-2.0-or-later */

/* journald: one record a line, sent from the monitor, which sits in the container's scope. So the journal knows the scope as the sender
 * (_SYSTEMD_UNIT, journalctl -u docker-ID.scope) and its rate limit counts per container, not for all of them together. */

#include <errno.h>
#include <stdlib.h>

#include "engine/log/driver.h"
#include "engine/log/journal-fields.h"
#include "lib/base/alloc.h"
#include "lib/base/journal.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

typedef struct Journald {
        JournalFields fields;
        JournalPartial partial[2]; /* of stdout and of stderr */
        uint64_t ordinal;
        uint64_t n_lost;
        int lost_errno;
        JournalLine line;
        char message[LOG_MESSAGE_MAX + sizeof("MESSAGE=")];
} Journald;

static void journald_close(void *state) {
        Journald *j = state;

        if (!j)
                return;
        journal_fields_done(&j->fields);
        free(j);
}

static int journald_open(const LogTarget *t, void **ret_state) {
        Journald *j;
        int r;

        j = new0(Journald, 1);
        if (!j)
                return -ENOMEM;
        r = journal_fields_make(t, &j->fields);
        if (r < 0) {
                journald_close(j);
                return r;
        }
        *ret_state = j;
        return 0;
}

static int journald_write(void *state, const LogMessage *m) {
        Journald *j = state;
        JournalPartial *partial = &j->partial[m->stream == LOG_STREAM_STDERR];
        int r;

        if (m->size > LOG_MESSAGE_MAX) {
                j->n_lost++;
                j->lost_errno = EMSGSIZE;
                return 0;
        }

        journal_partial_begin(partial, m);
        journal_line_make(&j->fields, m, partial, j->ordinal + 1, j->message, &j->line);
        r = journal_sendv(j->line.iov, j->line.n_iov);
        if (r == -EAGAIN)
                return r; /* the same line is made again, with the same ordinals */
        if (r < 0) {
                j->n_lost++;
                j->lost_errno = -r;
        }
        j->ordinal++;
        journal_partial_step(partial, m);
        return 0;
}

static void journald_place(void *state, LogPlace *ret) {
        static const char name[] = "CONTAINER_LOG_EPOCH=";
        const Journald *j = state;

        STRV_FOREACH (field, j->fields.fixed) {
                const char *epoch = str_starts(*field, name);

                if (epoch)
                        *ret = (LogPlace) { .epoch = epoch, .ordinal = j->ordinal };
        }
}

static uint64_t journald_n_lost(void *state, int *ret_errno) {
        Journald *j = state;

        *ret_errno = j->lost_errno;
        return j->n_lost;
}

static const char *const journald_opts[] = { "env", "env-regex", "labels", "labels-regex", "tag",
        NULL };

const LogDriver log_driver_journald = {
        .name = "journald",
        .opts = journald_opts,
        .open = journald_open,
        .write = journald_write,
        .place = journald_place,
        .n_lost = journald_n_lost,
        .close = journald_close,
};
