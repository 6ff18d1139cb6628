/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The words of a syslog message, and of the options that choose them. Pure. */

#include <stdint.h>

#include "engine/log/driver.h"
#include "lib/base/buffer.h"

typedef enum SyslogFormat {
        SYSLOG_UNIX, /* as syslog(3) writes to /dev/log: without host name */
        SYSLOG_RFC3164,
        SYSLOG_RFC5424, /* whole seconds */
        SYSLOG_RFC5424_MICRO,
        _SYSLOG_FORMAT_MAX,
        _SYSLOG_FORMAT_INVALID = -22,
} SyslogFormat;

/* What stays the same from message to message. */
typedef struct SyslogSender {
        SyslogFormat format;
        unsigned facility; /* 0 … 23 */
        const char *hostname;
        const char *tag;
        unsigned pid;
} SyslogSender;

typedef enum SyslogTransport {
        SYSLOG_UDP,
        SYSLOG_TCP,
        SYSLOG_LOCAL,          /* unix://: datagrams, else a stream */
        SYSLOG_LOCAL_DATAGRAM, /* unixgram:// */
        _SYSLOG_TRANSPORT_MAX,
        _SYSLOG_TRANSPORT_INVALID = -22,
} SyslogTransport;

/* "unix" is what NULL and "" mean. -EINVAL: no such word. */
SyslogFormat syslog_format_from_string(const char *s);
/* Name or number; NULL and "": daemon. */
int syslog_facility_parse(const char *s, unsigned *ret);

/* proto://host[:port] or unix[gram]:///path. host_or_path and port are the caller's; port "514" unless given, "" for a path.
 * -EPROTONOSUPPORT: tcp+tls. */
int syslog_address_parse(
        const char *s, SyslogTransport *ret, char **ret_host_or_path, char **ret_port);

/* Appends one message without any framing; a line feed at the end of its text is left out. */
int syslog_message_write(Buffer *b, const SyslogSender *s, const LogMessage *m);
