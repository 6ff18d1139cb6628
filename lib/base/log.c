/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/journal.h"
#include "lib/base/str.h"

#define LOG_EXTRA_MAX 32U
#define LOG_FIELD_MAX 4096U /* of our own members: ids and names are shorter */

typedef enum LogTarget {
        LOG_TARGET_UNKNOWN,
        LOG_TARGET_STDERR,
        LOG_TARGET_JOURNAL,
} LogTarget;

static const char *log_name;
static int log_max_level = LOG_INFO;
static LogTarget log_target = LOG_TARGET_UNKNOWN;

typedef struct LogRecord LogRecord;

struct LogRecord {
        struct iovec fields[16 + LOG_EXTRA_MAX];
        size_t n;
        char *owned[16];
        size_t n_owned;
};

void log_setup(const char *name) {
        log_name = name;
        log_target = journal_is_stream(STDERR_FILENO) ? LOG_TARGET_JOURNAL : LOG_TARGET_STDERR;
}

void log_set_max_level(int level) {
        assert(level >= LOG_EMERG && level <= LOG_DEBUG);

        log_max_level = level;
}

int log_get_max_level(void) {
        return log_max_level;
}

/* clang-format off */
static const struct {
        const char *name;
        int level;
} levels[] = {
        { "debug", LOG_DEBUG   },
        { "info",  LOG_INFO    },
        { "warn",  LOG_WARNING },
        { "error", LOG_ERR     },
        { "fatal", LOG_CRIT    },
};
/* clang-format on */

int log_level_from_string(const char *s) {
        for (size_t i = 0; s && i < ARRAY_SIZE(levels); i++)
                if (streq(levels[i].name, s))
                        return levels[i].level;
        return -EINVAL;
}

const char *log_level_to_string(int level) {
        for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
                if (levels[i].level >= LOG_CRIT && level >= levels[i].level)
                        return levels[i].name;
        return "fatal";
}

static _printf_(2, 3) void record_add(LogRecord *l, const char *format, ...) {
        va_list ap;
        char *s;
        int n;

        va_start(ap, format);
        n = vasprintf(&s, format, ap);
        va_end(ap);
        if (n < 0)
                return; /* a line with one field less is better than none */

        assert(l->n_owned < ARRAY_SIZE(l->owned));
        l->owned[l->n_owned++] = s;
        l->fields[l->n++] = (struct iovec) { s, (size_t) n };
}

static int log_to_journal(int level, int r, const LogFields *f, const char *file, int line,
        const char *function, const char *text) {
        LogRecord l = {};
        int k;

        record_add(&l, "PRIORITY=%i", level);
        record_add(&l, "MESSAGE=%s%s%s", f && f->object ? f->object : "",
                f && f->object ? ": " : "", text);
        record_add(&l, "CODE_FILE=%s", file);
        record_add(&l, "CODE_LINE=%i", line);
        record_add(&l, "CODE_FUNC=%s", function);
        if (log_name)
                record_add(&l, "SYSLOG_IDENTIFIER=%s", log_name);
        if (r != 0)
                record_add(&l, "ERRNO=%i", -r);
        if (f) {
                if (f->message_id)
                        record_add(&l, "MESSAGE_ID=%s", f->message_id);
                if (f->container_id)
                        record_add(&l, "CONTAINER_ID=%s", f->container_id);
                if (f->container_name)
                        record_add(&l, "CONTAINER_NAME=%s", f->container_name);
                if (f->image_name)
                        record_add(&l, "IMAGE_NAME=%s", f->image_name);
                if (f->job)
                        record_add(&l, "JOB=%s", f->job);
                for (size_t i = 0; f->extra && f->extra[i] && i < LOG_EXTRA_MAX; i++)
                        l.fields[l.n++] = (struct iovec) { f->extra[i], strlen(f->extra[i]) };
        }

        k = journal_sendv(l.fields, l.n);
        for (size_t i = 0; i < l.n_owned; i++)
                free(l.owned[i]);
        return k;
}

static void log_to_stderr(int level, const LogFields *f, const char *text) {
        const char *name = log_name ? log_name : "", *object = f && f->object ? f->object : "";
        _cleanup_(freep) char *line = NULL, *escaped = NULL;
        int r;

        r = str_printf(&line, "%s%s%s%s%s%s", name, name[0] ? ": " : "",
                level <= LOG_ERR ? "error: " : "", object, object[0] ? ": " : "", text);
        if (r >= 0)
                escaped = str_escape_terminal_lines(line);
        if (escaped)
                r = str_appendf(&escaped, "\n");
        if (!escaped || r < 0)
                return;

        /* One write: lines of several processes on one terminal or file stay whole. */
        (void) !write(STDERR_FILENO, escaped, strlen(escaped));
}

int log_full(int level, int r, const char *file, int line, const char *function,
        const LogFields *fields, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        int saved = errno, n;
        va_list ap;

        assert(format);

        if (level > log_max_level)
                return r;
        if (log_target == LOG_TARGET_UNKNOWN)
                log_setup(log_name);

        errno = r < 0 ? -r : r;
        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);

        if (n < 0)
                text = NULL;
        else if (log_target != LOG_TARGET_JOURNAL ||
                 log_to_journal(level, r, fields, file, line, function, text) < 0)
                log_to_stderr(level, fields, text);

        errno = saved;
        return r;
}
