/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Log lines of our programs: native journal records when stderr is the journal (JOURNAL_STREAM
 * names it), else lines on stderr. Text is escaped (rule R12), fields keep any bytes. lib/ and
 * drivers return instead of logging, debug excepted. "%m" in a format is the text of the r that
 * is given. */

#include <syslog.h>

#include "lib/base/macro.h"

typedef struct LogFields LogFields;

/* Who a line is about; NULL members are left out. Borrowed for the call. */
struct LogFields {
        const char *message_id; /* MESSAGE_ID=, 32 hex digits, for lines that have a catalog text */
        const char *container_id;   /* CONTAINER_ID= */
        const char *container_name; /* CONTAINER_NAME= */
        const char *image_name;     /* IMAGE_NAME= */
        const char *job;            /* JOB= */
        const char *object;         /* "container web": put in front of the text, with ": " */
        char *const *extra;         /* more "KEY=value", NULL-terminated; keys are ours */
};

/* Opens nothing by itself that the first line would not open. name becomes SYSLOG_IDENTIFIER
 * and, on a plain stderr, the prefix; it must stay valid (a literal). */
void log_setup(const char *name);

void log_set_max_level(int level); /* LOG_ERR … LOG_DEBUG; LOG_INFO at start */
int log_get_max_level(void);
/* Docker's words: debug, info, warn, error, fatal; else -EINVAL. */
int log_level_from_string(const char *s);
const char *log_level_to_string(int level);

int log_full(int level, int r, const char *file, int line, const char *function,
        const LogFields *fields, const char *format, ...) _printf_(7, 8);

/* r: negative errno (or 0); gives r back, so that "return log_error_errno(r, …);" is one line.
 * The rest is fields and format; they stay together, because the commas of a struct in braces
 * would cut them. */
#define log_internal(level, r, ...)                                                               \
        ({                                                                                        \
                int _log_level = (level), _log_r = (r);                                           \
                _log_level <= log_get_max_level()                                                 \
                        ? log_full(_log_level, _log_r, __FILE__, __LINE__, __func__, __VA_ARGS__) \
                        : _log_r;                                                                 \
        })

#define log_error(...)            ((void) log_internal(LOG_ERR, 0, NULL, __VA_ARGS__))
#define log_warning(...)          ((void) log_internal(LOG_WARNING, 0, NULL, __VA_ARGS__))
#define log_notice(...)           ((void) log_internal(LOG_NOTICE, 0, NULL, __VA_ARGS__))
#define log_info(...)             ((void) log_internal(LOG_INFO, 0, NULL, __VA_ARGS__))
#define log_debug(...)            ((void) log_internal(LOG_DEBUG, 0, NULL, __VA_ARGS__))
#define log_error_errno(r, ...)   log_internal(LOG_ERR, r, NULL, __VA_ARGS__)
#define log_warning_errno(r, ...) log_internal(LOG_WARNING, r, NULL, __VA_ARGS__)
#define log_info_errno(r, ...)    log_internal(LOG_INFO, r, NULL, __VA_ARGS__)
#define log_debug_errno(r, ...)   log_internal(LOG_DEBUG, r, NULL, __VA_ARGS__)

/* With fields, of which any number may stand in the braces:
 *         log_struct(LOG_ERR, r, &(LogFields) { .container_id = c->id, .job = id }, "Failed: %m");
 * A folder wraps it for its objects, such as log_container_error(c, r, …). Gives r back. */
#define log_struct(level, r, ...) log_internal(level, r, __VA_ARGS__)

#define log_oom() log_error_errno(-ENOMEM, "Out of memory")
