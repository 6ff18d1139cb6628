/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Credentials of registries as docker's client keeps them: "auths" of config.json, or a helper program (credHelpers for one registry, credsStore for
 * all). */

#include "lib/api/registry-auth.h"
#include "lib/base/error.h"

typedef struct ClientConfig ClientConfig;

/* What credentials are kept under: the domain, but https://index.docker.io/v1/ for Docker Hub. */
#define REGISTRY_HUB_KEY "https://index.docker.io/v1/"

/* Of the registry that an image's name (or a bare domain) leads to. Nothing is known: an empty one, 0. */
int credentials_find(const ClientConfig *c, const char *key, RegistryAuth *ret, Error *reterr);
int credentials_key_of_image(const char *image, char **ret);
/* The same as the header X-Registry-Auth. */
int credentials_header(const RegistryAuth *a, char **ret);
