/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which objects of the API's documents are structures for docker's client: it prints their members in the order of the declaration, without names. */
#include <string.h>

#include "cli/format-internal.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/json/json.h"

typedef struct Shape {
        const char *field;  /* where it is found; "X[]": as an element of what is found there */
        const char *member; /* it must have: some fields are several things */
        const char *
                order; /* names, each with what stands for one that is missing: s "", b false, i 0, l [], m map[], p <nil> */
} Shape;

/* clang-format off */
static const Shape shapes[] = {
        { "State", "Running", "Status:s Running:b Paused:b Restarting:b OOMKilled:b Dead:b Pid:i ExitCode:i Error:s StartedAt:s FinishedAt:s Health:p" },
        { "Config", "Hostname", "Hostname:s Domainname:s User:s AttachStdin:b AttachStdout:b AttachStderr:b ExposedPorts:m Tty:b OpenStdin:b StdinOnce:b "
                "Env:l Cmd:l Healthcheck:p ArgsEscaped:b Image:s Volumes:m WorkingDir:s Entrypoint:l NetworkDisabled:b MacAddress:s OnBuild:l Labels:m "
                "StopSignal:s StopTimeout:p Shell:l" },
        { "GraphDriver",   "Name",              "Data:m Name:s" },
        { "LogConfig",     "Type",              "Type:s Config:m" },
        { "Mounts[]",      "Destination",       "Type:s Name:s Source:s Destination:s Driver:s Mode:s RW:b Propagation:s" },
        { "Ports[]",       "HostPort",          "HostIp:s HostPort:s" },
        { "RestartPolicy", "MaximumRetryCount", "Name:s MaximumRetryCount:i" },
        { "RootFS",        "Type",              "Type:s Layers:l" },
        { "Set[]",         NULL,                "" },
};
/* clang-format on */

const char *format_element_field(const char *field) {
        static const struct {
                const char *field, *element;
        } elements[] = {
                { "Mounts", "Mounts[]" },
                { "PortBindings", "Ports[]" },
                { "Ports", "Ports[]" },
                { "Ports[]", "Ports[]" }, /* lists in a map */
                { "ExposedPorts", "Set[]" },
                { "Volumes", "Set[]" },
        };

        for (size_t i = 0; field && i < ARRAY_SIZE(elements); i++)
                if (streq(elements[i].field, field))
                        return elements[i].element;
        return NULL;
}

static const Shape *find(const Json *v, const char *field) {
        for (size_t i = 0; field && i < ARRAY_SIZE(shapes); i++)
                if (streq(shapes[i].field, field) &&
                        (!shapes[i].member || json_get(v, shapes[i].member)))
                        return shapes + i;
        return NULL;
}

static int print_missing(Buffer *b, char kind) {
        static const struct {
                char kind;
                const char *text;
        } texts[] = { { 'b', "false" }, { 'i', "0" }, { 'l', "[]" }, { 'm', "map[]" },
                { 'p', "<nil>" } };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (texts[i].kind == kind)
                        return buffer_append_string(b, texts[i].text);
        return 0;
}

/* A pointer inside of a structure is printed as its address, which nobody can mean: any will do. */
static int print_member(Buffer *b, const Json *v, const char *name, char kind) {
        const Json *member = json_get(v, name);

        if (!member || json_type_of(member) == JSON_TYPE_NULL)
                return print_missing(b, kind);
        return kind == 'p' ? buffer_append_string(b, "0xc000000000")
                           : format_print_value(b, member, name);
}

int format_print_shape(Buffer *b, const Json *v, const char *field) {
        const Shape *shape = find(v, field);
        const char *p;
        int r;

        if (!shape)
                return 0;
        p = shape->order;
        r = buffer_append_char(b, '{');
        while (r >= 0 && *p) {
                _cleanup_(freep) char *name = strndup(p, strcspn(p, ":"));
                char kind = name ? p[strlen(name) + 1] : 's';

                if (!name)
                        return -ENOMEM;
                if (p != shape->order)
                        r = buffer_append_char(b, ' ');
                if (r >= 0)
                        r = print_member(b, v, name, kind);
                p += strlen(name) + 2;
                p += *p == ' ';
        }
        if (r >= 0)
                r = buffer_append_char(b, '}');
        return r < 0 ? r : 1;
}
