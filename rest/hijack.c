/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/hijack.h"

#include "lib/base/str.h"

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
