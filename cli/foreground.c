/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/foreground.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/hijack.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

int foreground_keys(Cli *cli, const Options *o, Stream *s, const char **ret, Error *reterr) {
        const char *keys = options_string(o, "detach-keys");

        if (str_empty(keys))
                keys = json_get_text(cli_config(cli), "detachKeys");
        *ret = str_empty(keys) ? NULL : keys;
        return detach_keys_parse(*ret, &s->keys, reterr);
}

int foreground_check_terminal(bool input, bool tty, Error *reterr) {
        if (input && tty && !isatty(STDIN_FILENO))
                return error_set(reterr, ERROR_INVALID, "the input device is not a TTY");
        return 0;
}

int foreground_attach(
        Stream *s, bool input, bool output, bool errors, const char *keys, Error *reterr) {
        _cleanup_(freep) char *path = NULL;

        path = rest_path(REST_PATH(s->object, "/attach"),
                REST_QUERY("detachKeys", keys, "stdin", input ? "1" : NULL, "stdout",
                        output ? "1" : NULL, "stderr", errors ? "1" : NULL, "stream", "1"));
        if (!path)
                return -ENOMEM;
        s->input = input;
        s->output = output || errors;
        return hijack_open(s->client, "POST", path, NULL, &s->hijack, reterr);
}

int foreground_wait(Stream *s, const char *condition, Error *reterr) {
        _cleanup_(freep) char *path = NULL;

        path = rest_path(REST_PATH(s->object, "/wait"), REST_QUERY("condition", condition));
        if (!path)
                return -ENOMEM;
        return rest_open(s->client, "POST", path, NULL, /* upgrade= */ false, &s->wait, reterr);
}

int foreground_start(RestClient *c, const char *name, Error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int r;

        path = rest_path(REST_PATH("/containers/", name, "/start"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "POST", path, NULL, NULL, reterr);
        return r < 0 ? r : 0;
}

int foreground_end(const Stream *s, int r, Error *reterr) {
        if (r == 1) {
                fprintf(stderr, "read escape sequence\n");
                return 0;
        }
        return r < 0 || !s->wait ? r : stream_exit_status(s, reterr);
}
