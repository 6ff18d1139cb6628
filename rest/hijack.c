/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/hijack.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/api/stream-frame.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"

#define API_MULTIPLEXED 1042 /* 1.42 */

int hijack_start(Request *q, bool framed, HijackReady ready, void *userdata) {
        Response *a = &q->response;
        bool upgrade = request_header(q, "Upgrade") != NULL;

        a->status = upgrade ? 101 : 200;
        a->upgrade = "tcp";
        a->content_type =
                upgrade && framed && q->api >= API_MULTIPLEXED ? HIJACK_MULTIPLEXED : HIJACK_RAW;
        a->hijack = ready;
        a->hijack_userdata = userdata;
        return 0;
}

int hijack_tell(int fd, bool framed, const char *text) {
        _cleanup_(buffer_done) Buffer b = {};
        _cleanup_(freep) char *line = NULL;
        int r;

        r = str_printf(&line, "%s\r\n", text);
        if (r >= 0)
                r = stream_frame_append(
                        &b, framed ? STREAM_FRAMES : STREAM_BARE, FRAME_STDOUT, line, strlen(line));
        if (r < 0)
                return r;
        return send(fd, buffer_head(&b), buffer_size(&b), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno
                                                                                           : 0;
}
