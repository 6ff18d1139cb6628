/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rest/websocket.h"

#include <string.h>
#include <strings.h>

#include "lib/base/base64.h"
#include "lib/base/digest.h"
#include "lib/base/str.h"
#include "rest/hijack.h"

#define MAGIC      "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* the RFC's, for every server */
#define KEY_LENGTH 24U                                    /* base64 of 16 bytes */
#define VERSION    "13"

static bool is_key(const char *key) {
        return strlen(key) == KEY_LENGTH && strspn(key, BASE64_DIGITS) == KEY_LENGTH - 2 &&
               streq(key + KEY_LENGTH - 2, "==");
}

int websocket_accept(const char *key, char ret[static WEBSOCKET_ACCEPT_SIZE]) {
        uint8_t sha1[DIGEST_SHA1_SIZE];
        char text[KEY_LENGTH + sizeof(MAGIC)];
        int r;

        if (!is_key(key))
                return -EINVAL;
        memcpy(text, key, KEY_LENGTH);
        memcpy(text + KEY_LENGTH, MAGIC, sizeof(MAGIC));
        r = digest_sha1(text, strlen(text), sha1);
        if (r >= 0)
                base64_encode(sha1, sizeof(sha1), ret);
        return r;
}

bool websocket_list_has(const char *list, const char *word) {
        size_t n;

        for (; *list; list += n) {
                list += strspn(list, ", \t");
                n = strcspn(list, ", \t");
                if (n == strlen(word) && strncasecmp(list, word, n) == 0)
                        return true;
        }
        return false;
}

static bool header_has(Request *q, const char *name, const char *word) {
        const char *value = request_header(q, name);

        return value && websocket_list_has(value, word);
}

static int check(Request *q, char ret_accept[static WEBSOCKET_ACCEPT_SIZE]) {
        const char *version = request_header(q, "Sec-WebSocket-Version"),
                   *key = request_header(q, "Sec-WebSocket-Key");
        int r;

        if (!header_has(q, "Upgrade", "websocket") || !header_has(q, "Connection", "upgrade"))
                return error_set(&q->error, ERROR_INVALID, "not websocket protocol");
        if (!version || !streq(version, VERSION))
                return error_set(&q->error, ERROR_INVALID,
                        "missing or bad WebSocket Version: it must be " VERSION);
        r = key ? websocket_accept(key, ret_accept) : -EINVAL;
        return r < 0 ? error_set_errno(&q->error, r, "missing or bad Sec-WebSocket-Key") : 0;
}

int websocket_start(Request *q, HijackReady ready, void *userdata) {
        const char *protocol = request_header(q, "Sec-WebSocket-Protocol");
        char accept[WEBSOCKET_ACCEPT_SIZE];
        Response *a = &q->response;
        int r;

        r = check(q, accept);
        if (r >= 0)
                r = response_header(a, "Sec-WebSocket-Accept", accept);
        if (r >= 0 && !str_empty(protocol) && !strpbrk(protocol, ", \t"))
                r = response_header(a, "Sec-WebSocket-Protocol", protocol);
        if (r < 0)
                return r;
        a->status = 101;
        a->upgrade = "websocket";
        a->hijack = ready;
        a->hijack_userdata = userdata;
        return 0;
}
