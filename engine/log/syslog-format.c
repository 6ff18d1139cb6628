/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "engine/log/syslog-format.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"
#include "lib/base/parse.h"
#include "lib/base/str.h"

#define FACILITY_MAX 23u
#define PORT_DEFAULT "514"
#define NSEC         UINT64_C(1000000000)

static const char *const formats[_SYSLOG_FORMAT_MAX] = {
        [SYSLOG_UNIX] = "",
        [SYSLOG_RFC3164] = "rfc3164",
        [SYSLOG_RFC5424] = "rfc5424",
        [SYSLOG_RFC5424_MICRO] = "rfc5424micro",
};

/* By number. */
static const char *const facilities[] = { "kern", "user", "mail", "daemon", "auth", "syslog", "lpr",
        "news", "uucp", "cron", "authpriv", "ftp", NULL, NULL, NULL, NULL, "local0", "local1",
        "local2", "local3", "local4", "local5", "local6", "local7" };

SyslogFormat syslog_format_from_string(const char *s) {
        return (SyslogFormat) str_table_find(formats, ARRAY_SIZE(formats), str_or_empty(s));
}

int syslog_facility_parse(const char *s, unsigned *ret) {
        unsigned n;

        if (str_empty(s))
                s = "daemon";
        for (size_t i = 0; i < ARRAY_SIZE(facilities); i++)
                if (facilities[i] && streq(facilities[i], s)) {
                        *ret = (unsigned) i;
                        return 0;
                }
        if (parse_unsigned(s, &n) < 0 || n > FACILITY_MAX)
                return -EINVAL;
        *ret = n;
        return 0;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static int split_port(const char *s, char **ret_host, char **ret_port) {
        _cleanup_(freep) char *host = NULL, *port = NULL;
        const char *end, *begin = s;
        unsigned n;
        int r;

        if (*s == '[') {
                begin = s + 1;
                end = strchr(s, ']');
                if (!end || (end[1] && end[1] != ':'))
                        return -EINVAL;
                r = str_copy(&port, end[1] ? end + 2 : PORT_DEFAULT);
        } else {
                end = strchr(s, ':');
                if (end && strchr(end + 1, ':'))
                        return -EINVAL;
                r = str_copy(&port, end ? end + 1 : PORT_DEFAULT);
                if (!end)
                        end = s + strlen(s);
        }
        if (r < 0)
                return r;
        if (end == begin || parse_unsigned(port, &n) < 0 || n == 0 || n > UINT16_MAX)
                return -EINVAL;
        r = str_copy_n(&host, begin, (size_t) (end - begin));
        if (r < 0)
                return r;
        *ret_host = TAKE_PTR(host);
        *ret_port = TAKE_PTR(port);
        return 0;
}

int syslog_address_parse(
        const char *s, SyslogTransport *ret, char **ret_host_or_path, char **ret_port) {
        static const struct {
                const char *scheme;
                SyslogTransport transport;
        } schemes[] = {
                { "udp://", SYSLOG_UDP },
                { "tcp://", SYSLOG_TCP },
                { "unix://", SYSLOG_LOCAL },
                { "unixgram://", SYSLOG_LOCAL_DATAGRAM },
        };

        if (str_starts(s, "tcp+tls://"))
                return -EPROTONOSUPPORT;
        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
                const char *rest = str_starts(s, schemes[i].scheme);
                _cleanup_(freep) char *path = NULL;
                int r;

                if (!rest)
                        continue;
                *ret = schemes[i].transport;
                if (schemes[i].transport < SYSLOG_LOCAL)
                        return split_port(rest, ret_host_or_path, ret_port);
                if (*rest != '/')
                        return -EINVAL;
                r = str_copy(&path, rest);
                if (r >= 0)
                        r = str_copy(ret_port, "");
                if (r < 0)
                        return r;
                *ret_host_or_path = TAKE_PTR(path);
                return 0;
        }
        return -EINVAL;
}

/* "Nov 24 11:09:00", local time; English whatever the locale. */
static int write_stamp(Buffer *b, const struct tm *tm) {
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                "Aug", "Sep", "Oct", "Nov", "Dec" };

        return buffer_printf(b, "%s %2d %02d:%02d:%02d ", months[tm->tm_mon % 12], tm->tm_mday,
                tm->tm_hour, tm->tm_min, tm->tm_sec);
}

/* "2026-11-24T11:09:00[.123456]+01:00 " */
static int write_rfc3339(Buffer *b, const struct tm *tm, uint64_t nsec, bool micro) {
        long offset = tm->tm_gmtoff / 60;
        int r;

        r = buffer_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900, tm->tm_mon + 1,
                tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
        if (r >= 0 && micro)
                r = buffer_printf(b, ".%06u", (unsigned) (nsec % NSEC / 1000));
        if (r < 0)
                return r;
        if (offset == 0)
                return buffer_append_string(b, "Z ");
        return buffer_printf(
                b, "%c%02ld:%02ld ", offset < 0 ? '-' : '+', labs(offset) / 60, labs(offset) % 60);
}

int syslog_message_write(Buffer *b, const SyslogSender *s, const LogMessage *m) {
        unsigned priority =
                s->facility << 3 | (m->stream == LOG_STREAM_STDERR ? LOG_ERR : LOG_INFO);
        time_t seconds = (time_t) (m->time_nsec / NSEC);
        size_t size = m->size;
        struct tm tm = {};
        int r;

        (void) localtime_r(&seconds, &tm);
        if (size > 0 && m->data[size - 1] == '\n')
                size--;

        switch (s->format) {
        case SYSLOG_RFC5424:
        case SYSLOG_RFC5424_MICRO:
                r = buffer_printf(b, "<%u>1 ", priority);
                if (r >= 0)
                        r = write_rfc3339(b, &tm, m->time_nsec, s->format == SYSLOG_RFC5424_MICRO);
                if (r >= 0)
                        r = buffer_printf(b, "%s %s %u %s - ", s->hostname, s->tag, s->pid, s->tag);
                break;
        default:
                r = buffer_printf(b, "<%u>", priority);
                if (r >= 0)
                        r = write_stamp(b, &tm);
                if (r >= 0)
                        r = s->format == SYSLOG_UNIX
                                  ? buffer_printf(b, "%s[%u]: ", s->tag, s->pid)
                                  : buffer_printf(b, "%s %s[%u]: ", s->hostname, s->tag, s->pid);
        }
        return r < 0 ? r : buffer_append(b, m->data, size);
}
