/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which engine a command talks to: -H, --context, DOCKER_HOST, DOCKER_CONTEXT, the configuration, in this order. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client-config.h"
#include "cli/commands.h"
#include "cli/endpoint.h"
#include "cli/rest-client.h"
#include "lib/base/alloc.h"
#include "lib/base/parse.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"
#include "lib/json/json.h"

#define INIT_FAILED "Failed to initialize: "

static const char *environment(const char *name) {
        const char *value = getenv(name);

        return str_empty(value) ? NULL : value;
}

Json *cli_config(const Cli *cli) {
        return cli->config->document;
}

int cli_proxies(Cli *cli, char ***env) {
        const char *shown = cli->client ? rest_client_endpoint(cli->client)->shown : NULL;

        return client_config_proxies(cli->config, shown, env);
}

static int context_name(Cli *cli, const char **ret, Error *reterr) {
        const char *host = options_string(cli->globals, "host");
        const char *name = options_string(cli->globals, "context");

        if (host && name)
                return error_set(reterr, ERROR_INVALID,
                        INIT_FAILED
                        "conflicting options: cannot specify both --host and --context");
        if (!name && (host || environment("DOCKER_HOST")))
                name = "default";
        if (!name)
                name = environment("DOCKER_CONTEXT");
        if (!name)
                name = json_get_text(cli_config(cli), "currentContext");
        *ret = str_empty(name) ? "default" : name;
        return 0;
}

int cli_context(Cli *cli, const char **ret, Error *reterr) {
        const char *name = NULL;
        int r;

        if (!cli->context) {
                r = context_name(cli, &name, reterr);
                if (r >= 0)
                        r = str_copy(&cli->context, name);
                if (r < 0)
                        return r;
        }
        *ret = cli->context;
        return 0;
}

/* --tlscacert and its like: a file that was named must be there, the usual one may be missing. */
static int tls_file(const Cli *cli, const char *option, const char *usual, char **ret) {
        const char *given = options_string(cli->globals, option), *folder;
        int r;

        if (given)
                return str_copy(ret, str_empty(given) ? NULL : given);

        folder = environment("DOCKER_CERT_PATH");
        *ret = path_join(folder ? folder : cli->config->folder, usual);
        r = *ret ? 0 : -ENOMEM;
        if (*ret && access(*ret, F_OK) < 0)
                *ret = mfree(*ret);
        return r;
}

static int default_endpoint(const Cli *cli, Endpoint *ret, Error *reterr) {
        const char *host = options_string(cli->globals, "host");
        bool verify, tls;
        int r;

        verify = options_flag_or(cli->globals, "tlsverify", environment("DOCKER_TLS_VERIFY"));
        tls = verify ||
              options_flag_or(cli->globals, "tls",
                      environment("DOCKER_TLS") || options_given(cli->globals, "tlscacert") ||
                              options_given(cli->globals, "tlscert") ||
                              options_given(cli->globals, "tlskey"));

        r = endpoint_parse(host ? host : environment("DOCKER_HOST"), tls, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", "Failed to initialize");
        if (!ret->tls)
                return 0;

        ret->verify = verify;
        r = tls_file(cli, "tlscacert", "ca.pem", &ret->ca);
        if (r >= 0)
                r = tls_file(cli, "tlscert", "cert.pem", &ret->cert);
        if (r >= 0)
                r = tls_file(cli, "tlskey", "key.pem", &ret->key);
        return r;
}

static int find_endpoint(Cli *cli, Endpoint *ret, Error *reterr) {
        _cleanup_(context_freep) Context *x = NULL;
        const char *name;
        int r;

        r = cli_context(cli, &name, reterr);
        if (r < 0)
                return r;
        if (streq(name, "default"))
                return default_endpoint(cli, ret, reterr);

        r = context_load(cli->config, name, &x, reterr);
        if (r < 0)
                return error_prefix(
                        reterr, r, "Failed to initialize: unable to resolve docker endpoint");
        return context_endpoint(x, ret, reterr);
}

static bool is_api_version(const char *s) {
        const char *dot = strchr(s, '.');

        return dot && dot > s && strspn(s, "0123456789") == (size_t) (dot - s) && dot[1] &&
               dot[1 + strspn(dot + 1, "0123456789")] == '\0';
}

int cli_client(Cli *cli, RestClient **ret, Error *reterr) {
        const char *api = environment("DOCKER_API_VERSION");
        _cleanup_(endpoint_done) Endpoint e = {};
        _cleanup_(strv_freep) char **headers = NULL;
        int r;

        if (cli->client) {
                *ret = cli->client;
                return 0;
        }

        if (api) {
                api += api[0] == 'v';
                if (!is_api_version(api))
                        return error_set(reterr, ERROR_INVALID,
                                "invalid API version (%s) in DOCKER_API_VERSION: must be formatted "
                                "<major>.<minor>",
                                api);
        }

        r = find_endpoint(cli, &e, reterr);
        if (r >= 0)
                r = client_config_headers(cli->config, &headers);
        if (r >= 0)
                r = rest_client_new(&e, headers, api, &cli->client, reterr);
        if (r < 0)
                return r;

        *ret = cli->client;
        return 0;
}
