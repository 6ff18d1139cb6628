/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* ~/.docker/config.json and the contexts beside it, in docker's own file formats: both clients may use the same folder. Keys that we do not know
 * stay as they are when the file is written. */

#include <stdbool.h>

#include "cli/endpoint.h"
#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct ClientConfig ClientConfig;
typedef struct Json Json;

struct ClientConfig {
        char *folder;   /* --config, DOCKER_CONFIG, ~/.docker */
        Json *document; /* never NULL; {} when there is no file */
};

/* Reads the file; one that cannot be read is a warning on stderr, as docker does it, and counts as {}. folder NULL: by the environment. */
int client_config_load(const char *folder, ClientConfig **ret);
ClientConfig *client_config_free(ClientConfig *c);
DEFINE_CLEANUP(ClientConfig *, client_config_free);

/* Sets (value NULL: removes) a text and writes the file, mode 0600. */
int client_config_set(ClientConfig *c, const char *key, const char *value, Error *reterr);

/* Adds HTTP_PROXY, http_proxy, HTTPS_PROXY, … of .proxies (of shown, else "default") to env where env has no such name. */
int client_config_proxies(const ClientConfig *c, const char *shown, char ***env);

/* "Name: value" of .HttpHeaders. */
int client_config_headers(const ClientConfig *c, char ***ret);

/* ---- contexts ---- */

typedef struct Context Context;

/* One context's files. "default" has none: it is what -H and the environment say. */
struct Context {
        char *name;
        char *description;
        char *host;
        bool skip_verify;
        char *meta_folder;  /* absolute */
        char *tls_folder;   /* absolute; may not be there */
        bool ca, cert, key; /* these files are in tls_folder/docker */
        Json *document;     /* meta.json as it was read; NULL for a new one */
};

Context *context_free(Context *x);
DEFINE_CLEANUP(Context *, context_free);

/* 0, or ERROR_NOT_FOUND. Not for "default". */
int context_load(const ClientConfig *c, const char *name, Context **ret, Error *reterr);
/* Names of all contexts with a meta.json, sorted, without "default". */
int context_list(const ClientConfig *c, char ***ret);
/* Writes meta.json; files NULL keeps the TLS material, else its ca, cert and key are copied in. */
int context_save(const ClientConfig *c, const Context *x, const Endpoint *files, Error *reterr);
int context_remove(const ClientConfig *c, const char *name, Error *reterr);
/* [a-zA-Z0-9][a-zA-Z0-9_.+-]+ */
bool context_name_is_valid(const char *name) _pure_;
/* Both folders of a name. */
int context_folders(const ClientConfig *c, const char *name, char **ret_meta, char **ret_tls);
int context_endpoint(const Context *x, Endpoint *ret, Error *reterr);
