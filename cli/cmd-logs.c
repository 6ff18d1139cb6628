/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/fd.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

#define FRAME_HEADER 8
#define FRAME_STDERR 2
#define FRAME_ERROR  3

/* Takes docker's multiplexed frames apart as they come: payload goes out at once, whatever the size of its frame. */
typedef struct Demultiplexer {
        bool raw; /* a terminal's log has no frames */
        unsigned char header[FRAME_HEADER];
        size_t n_header;
        uint32_t left; /* of the present frame's payload */
} Demultiplexer;

static int target(const Demultiplexer *d) {
        return d->header[0] == FRAME_STDERR || d->header[0] == FRAME_ERROR ? STDERR_FILENO
                                                                           : STDOUT_FILENO;
}

static int on_data(const char *data, size_t size, void *userdata) {
        Demultiplexer *d = userdata;
        int r;

        if (d->raw)
                return fd_write_full(STDOUT_FILENO, data, size);

        while (size > 0) {
                size_t n;

                if (d->left == 0) {
                        uint32_t be;

                        n = MIN(size, FRAME_HEADER - d->n_header);
                        memcpy(d->header + d->n_header, data, n);
                        d->n_header += n;
                        data += n;
                        size -= n;
                        if (d->n_header < FRAME_HEADER)
                                return 0;
                        d->n_header = 0;
                        if (d->header[0] > FRAME_ERROR)
                                return -EBADMSG;
                        memcpy(&be, d->header + 4, sizeof be);
                        d->left = be32toh(be);
                        continue;
                }

                n = MIN(size, (size_t) d->left);
                r = fd_write_full(target(d), data, n);
                if (r < 0)
                        return r;
                d->left -= (uint32_t) n;
                data += n;
                size -= n;
        }

        return 0;
}

static int is_terminal_container(RestClient *c, const char *name, bool *ret, Error *reterr) {
        _cleanup_(json_unrefp) Json *v = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        path = rest_path(REST_PATH("/containers/", name, "/json"), NULL);
        if (!path)
                return -ENOMEM;
        r = rest_call(c, "GET", path, NULL, &v, reterr);
        if (r < 0)
                return r;
        *ret = json_get_bool(json_get(v, "Config"), "Tty", false);
        return 0;
}

static int cmd_logs(Cli *cli, const Options *o, Error *reterr) {
        _cleanup_(freep) char *since = NULL, *until = NULL, *path = NULL;
        const char *name = options_arguments(o)[0];
        Demultiplexer d = {};
        RestClient *c;
        int r;

        r = cli_point_in_time(options_string(o, "since"), "since", &since, reterr);
        if (r >= 0)
                r = cli_point_in_time(options_string(o, "until"), "until", &until, reterr);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r >= 0)
                r = is_terminal_container(c, name, &d.raw, reterr);
        if (r < 0)
                return r;

        path = rest_path(REST_PATH("/containers/", name, "/logs"),
                REST_QUERY("stdout", "1", "stderr", "1", "follow",
                        options_flag(o, "follow") ? "1" : NULL, "since", since, "until", until,
                        "timestamps", options_flag(o, "timestamps") ? "1" : NULL, "details",
                        options_flag(o, "details") ? "1" : NULL, "tail",
                        options_string(o, "tail")));
        if (!path)
                return -ENOMEM;

        fflush(stdout);
        r = rest_stream(c, "GET", path, -EBADF, on_data, &d, reterr);
        return r < 0 ? r : 0;
}

/* clang-format off */
static const Option logs_options[] = {
        { "details",    0,   OPTION_FLAG,   NULL,     "Show extra details provided to logs" },
        { "follow",     'f', OPTION_FLAG,   NULL,     "Follow log output" },
        { "since",      0,   OPTION_STRING, "string", "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)" },
        { "tail",       'n', OPTION_STRING, "string", "Number of lines to show from the end of the logs (default \"all\")" },
        { "timestamps", 't', OPTION_FLAG,   NULL,     "Show timestamps" },
        { "until",      0,   OPTION_STRING, "string", "Show logs before a timestamp or relative" },
        {}
};

const Command logs_commands[] = {
        { "container", "logs", "logs", "[OPTIONS] CONTAINER", "Fetch the logs of a container", logs_options, 1, 1, false, 0, cmd_logs },
        {}
};
/* clang-format on */
