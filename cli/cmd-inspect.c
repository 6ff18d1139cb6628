/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inspect: of one kind of object, or of whatever has the name. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/rest-client.h"
#include "cli/rows.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

typedef struct Kind {
        const char *name, *prefix, *suffix;
        bool by_itself; /* tried when no type is given, in this order */
} Kind;

/* clang-format off */
static const Kind kinds[] = {
        { "container", "/containers/", "/json", true },
        { "image",     "/images/",     "/json", true },
        { "network",   "/networks/",   "",      true },
        { "volume",    "/volumes/",    "",      true },
        { "service",   "/services/",   "",      false },
        { "task",      "/tasks/",      "",      false },
        { "node",      "/nodes/",      "",      false },
        { "plugin",    "/plugins/",    "/json", false },
        { "secret",    "/secrets/",    "",      false },
        { "config",    "/configs/",    "",      false },
};
/* clang-format on */

static int inspect_kind(RestClient *c, const Kind *kind, const Options *o, const char *name,
        Json **ret, Error *reterr) {
        bool size = options_flag(o, "size") && streq(kind->name, "container");
        _cleanup_(freep) char *path = NULL;

        path = rest_path(REST_PATH(kind->prefix, name, kind->suffix),
                REST_QUERY("size", size ? "1" : NULL, "verbose",
                        options_flag(o, "verbose") ? "1" : NULL));
        if (!path)
                return -ENOMEM;
        return rest_call(c, "GET", path, NULL, ret, reterr);
}

static int inspect_one(RestClient *c, const Kind *kind, const Options *o, const char *name,
        Json **ret, Error *reterr) {
        if (kind)
                return inspect_kind(c, kind, o, name, ret, reterr);

        for (size_t i = 0; i < ARRAY_SIZE(kinds) && kinds[i].by_itself; i++) {
                _cleanup_(error_done) Error e = {};
                int r = inspect_kind(c, kinds + i, o, name, ret, &e);

                if (r >= 0)
                        return r;
                if (e.kind != ERROR_NOT_FOUND && e.kind != ERROR_NOT_IMPLEMENTED) {
                        error_move(reterr, &e);
                        return r;
                }
        }
        return error_set(reterr, ERROR_NOT_FOUND, "Error: No such object: %s", name);
}

/* Compact JSON → docker's layout, four blanks a level. */
static int indent(const char *s, Buffer *b) {
        bool quoted = false;
        int depth = 0, r = 0;

        for (; r >= 0 && *s; s++) {
                if (quoted) {
                        r = buffer_append_char(b, *s);
                        if (r >= 0 && *s == '\\' && s[1])
                                r = buffer_append_char(b, *++s);
                        else if (*s == '"')
                                quoted = false;
                        continue;
                }
                if (*s == ' ' || *s == '\n')
                        continue;
                quoted = *s == '"';
                if ((*s == '}' || *s == ']') && !strchr("{[", s[-1]))
                        r = buffer_printf(b, "\n%*s", --depth * 4, "");
                else if (*s == '}' || *s == ']')
                        depth--;
                if (r >= 0)
                        r = buffer_append_char(b, *s);
                if (r >= 0 && *s == ':')
                        r = buffer_append_char(b, ' ');
                depth += *s == '{' || *s == '[';
                if (r >= 0 && (*s == ',' || ((*s == '{' || *s == '[') && !strchr("}]", s[1]))))
                        r = buffer_printf(b, "\n%*s", depth * 4, "");
        }
        return r;
}

int inspect_print(const Json *list, const char *format, Error *reterr) {
        _cleanup_(freep) char *text = NULL, *harmless = NULL;
        _cleanup_(buffer_done) Buffer b = {};
        const char *key;
        Json *v;
        int r;

        if (!str_empty(format) && !streq(format, "json")) {
                JSON_FOREACH (key, v, list) {
                        r = rows_print_document(format, "", NULL, v, reterr);
                        if (r < 0)
                                return error_prefix(reterr, r, "template parsing error");
                        if (r > 0)
                                return r;
                }
                return 0;
        }

        r = json_print(list, JSON_COMPACT, &text);
        if (r < 0)
                return r;
        harmless = str_escape_json(text);
        if (!harmless)
                return -ENOMEM;
        r = str_empty(format) ? indent(harmless, &b) : buffer_append_string(&b, harmless);
        if (r < 0)
                return r;
        puts(str_or_empty(buffer_string(&b)));
        return 0;
}

static int inspect_all(Cli *cli, const Options *o, const Kind *kind, Error *reterr) {
        _cleanup_(json_unrefp) Json *list = NULL;
        _cleanup_(buffer_done) Buffer errors = {};
        RestClient *c;
        int r;

        r = json_new_list(&list);
        if (r >= 0)
                r = cli_client(cli, &c, reterr);
        if (r < 0)
                return r;

        STRV_FOREACH (name, options_arguments(o)) {
                _cleanup_(json_unrefp) Json *v = NULL;
                _cleanup_(error_done) Error e = {};

                r = inspect_one(c, kind, o, *name, &v, &e);
                if (r >= 0)
                        r = json_append(list, v);
                else
                        r = buffer_printf(&errors, "%s\n", error_text(&e, r));
                if (r < 0)
                        return r;
        }

        r = inspect_print(list, options_string(o, "format"), reterr);
        if (r == 0 && !buffer_empty(&errors)) {
                fflush(stdout);
                fputs(buffer_string(&errors), stderr);
                return 1;
        }
        return r;
}

static int cmd_inspect(Cli *cli, const Options *o, Error *reterr) {
        const char *type = options_string(o, "type");

        if (type && !type[0])
                return error_set(reterr, ERROR_INVALID,
                        "type is empty: must be one of \"config\", \"container\", \"image\", "
                        "\"network\", \"node\", \"plugin\", \"secret\", \"service\", \"task\", "
                        "\"volume\"");
        for (size_t i = 0; type && i < ARRAY_SIZE(kinds); i++)
                if (streq(kinds[i].name, type))
                        return inspect_all(cli, o, kinds + i, reterr);
        if (type)
                return error_set(reterr, ERROR_INVALID,
                        "unknown type: \"%s\": must be one of \"config\", \"container\", "
                        "\"image\", \"network\", \"node\", \"plugin\", \"secret\", \"service\", "
                        "\"task\", \"volume\"",
                        type);
        return inspect_all(cli, o, NULL, reterr);
}

static int cmd_inspect_container(Cli *cli, const Options *o, Error *reterr) {
        return inspect_all(cli, o, kinds + 0, reterr);
}

static int cmd_inspect_image(Cli *cli, const Options *o, Error *reterr) {
        return inspect_all(cli, o, kinds + 1, reterr);
}

static int cmd_inspect_network(Cli *cli, const Options *o, Error *reterr) {
        return inspect_all(cli, o, kinds + 2, reterr);
}

static int cmd_inspect_volume(Cli *cli, const Options *o, Error *reterr) {
        return inspect_all(cli, o, kinds + 3, reterr);
}

/* clang-format off */
#define FORMAT { "format", 'f', OPTION_STRING, "string", OPTION_DOCUMENT_HELP }

static const Option inspect_options[] = {
        FORMAT,
        { "size", 's', OPTION_FLAG,   NULL,     "Display total file sizes if the type is container" },
        { "type", 0,   OPTION_STRING, "string", "Only inspect objects of this type" },
        {}
};

static const Option container_options[] = {
        FORMAT,
        { "size", 's', OPTION_FLAG,   NULL,     "Display total file sizes" },
        {}
};

static const Option network_options[] = {
        FORMAT,
        { "verbose", 'v', OPTION_FLAG, NULL,    "More, for diagnosis" },
        {}
};

static const Option plain_options[] = { FORMAT, {} };

const Command inspect_commands[] = {
        { NULL,        "inspect", NULL, "[OPTIONS] NAME|ID [NAME|ID...]",     "Return low-level information on objects",    inspect_options,   1, -1, false, 0, cmd_inspect, "container" },
        { "container", "inspect", NULL, "[OPTIONS] CONTAINER [CONTAINER...]", "Display detailed information on containers", container_options, 1, -1, false, 0, cmd_inspect_container, "container" },
        { "image",     "inspect", NULL, "[OPTIONS] IMAGE [IMAGE...]",         "Display detailed information on images",     plain_options,     1, -1, false, 0, cmd_inspect_image, "image" },
        { "network",   "inspect", NULL, "[OPTIONS] NETWORK [NETWORK...]",     "Display detailed information on networks",   network_options,   1, -1, false, 0, cmd_inspect_network, "network" },
        { "volume",    "inspect", NULL, "[OPTIONS] VOLUME [VOLUME...]",       "Display detailed information on volumes",    plain_options,     1, -1, false, 0, cmd_inspect_volume, "volume" },
        {}
};
/* clang-format on */
