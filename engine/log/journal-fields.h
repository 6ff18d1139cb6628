/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The journal fields of one container's lines: those that do not change, made once, and those of one line. Docker's names, so that what
 * people search for works. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "engine/log/driver.h"
#include "lib/base/clock.h"

#define JOURNAL_FIELDS_FIXED_MAX \
        200u /* beyond, attributes are left out: journald takes no more than 1024 */
#define JOURNAL_FIELDS_LINE_MAX 9u

typedef struct JournalFields {
        char **fixed;
        size_t n_fixed;
} JournalFields;

/* A cut line: Docker's CONTAINER_PARTIAL_* of its pieces. */
typedef struct JournalPartial {
        bool open;
        char id[65];
        uint64_t ordinal;
} JournalPartial;

/* Memory for the text of one line's fields. */
typedef struct JournalLine {
        char priority[16];
        char timestamp[sizeof("SYSLOG_TIMESTAMP=") + CLOCK_TEXT_SIZE];
        char ordinal[64];
        char partial_id[96];
        char partial_ordinal[64];
        struct iovec iov[JOURNAL_FIELDS_FIXED_MAX + JOURNAL_FIELDS_LINE_MAX];
        size_t n_iov;
} JournalLine;

/* CONTAINER_ID, CONTAINER_ID_FULL, CONTAINER_NAME, CONTAINER_TAG, IMAGE_NAME, SYSLOG_IDENTIFIER, CONTAINER_LOG_EPOCH, and the attributes
 * with names that the journal takes. */
int journal_fields_make(const LogTarget *t, JournalFields *ret);
void journal_fields_done(JournalFields *f);

/* Adds the fields of m: MESSAGE, PRIORITY, SYSLOG_TIMESTAMP, CONTAINER_LOG_ORDINAL and, when pieces are about, CONTAINER_PARTIAL_*. buffer has room for
 * m->size + 8 bytes. partial is that of m's stream and moves on with journal_partial_step() when the line was sent. */
void journal_line_make(const JournalFields *f, const LogMessage *m, const JournalPartial *partial,
        uint64_t ordinal, char *buffer, JournalLine *ret);
void journal_partial_begin(JournalPartial *p, const LogMessage *m);
void journal_partial_step(JournalPartial *p, const LogMessage *m);

/* "com.example/x" becomes "COM_EXAMPLE_X"; NULL when nothing is left that may begin a field name. */
int journal_field_name(const char *s, size_t n, char **ret);
