/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/hijack.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "rest/frames.h"

#define API_MULTIPLEXED 1042 /* 1.42 */

int hijack_start(Request *q, bool framed, HijackReady ready, void *userdata) {
        Response *a = &q->response;
        bool upgrade = request_header(q, "Upgrade") != NULL;

        a->status = upgrade ? 101 : 200;
        a->content_type =
                upgrade && framed && q->api >= API_MULTIPLEXED ? HIJACK_MULTIPLEXED : HIJACK_RAW;
        a->hijack = ready;
        a->hijack_userdata = userdata;
        return 0;
}

int hijack_tell(int fd, bool framed, const char *text) {
        _cleanup_(freep) char *line = NULL;
        unsigned char head[FRAME_HEADER_SIZE];
        int r;

        r = str_printf(&line, "%s\r\n", text);
        if (r < 0)
                return r;
        frame_header(head, FRAME_STDOUT, (uint32_t) strlen(line));
        if (framed && send(fd, head, sizeof(head), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                return -errno;
        return send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
