/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The name of an image: [domain/]path[:tag][@digest], by the grammar of the distribution
 * project. A Reference is always normalised: domain and path are there ("docker.io",
 * "library/alpine"), tag and digest may be NULL. */

#include <stdbool.h>

#define REFERENCE_DOMAIN_DEFAULT "docker.io"
#define REFERENCE_NAME_MAX       255U /* domain/path */
#define REFERENCE_TAG_MAX        128U

typedef struct Reference {
        char *domain;
        char *path;
        char *tag;
        char *digest; /* sha256:… */
} Reference;

void reference_done(Reference *r);

/* Parses what a person or a client wrote. With neither tag nor digest the tag is "latest".
 * -EINVAL: not a reference; also 64 hex digits alone, which is an image id. */
int reference_parse(const char *s, Reference *ret);
int reference_parse_untagged(
        const char *s, Reference *ret); /* the same, but tag stays NULL when not given */
int reference_copy(const Reference *from, Reference *ret);

/* docker.io/library/alpine:latest, docker.io/library/alpine@sha256:…: the key under which things
 * are kept. */
int reference_format(const Reference *r, char **ret);
/* alpine:latest, user/app@sha256:…, quay.io/a/b:1: how Docker shows it. */
int reference_format_familiar(const Reference *r, char **ret);
/* alpine: the familiar form without tag and digest. */
int reference_format_familiar_name(const Reference *r, char **ret);

/* "sha256:…" in the familiar form would be read as an id: no image may be called so. */
bool reference_is_ambiguous(const Reference *r);
bool reference_same_repository(const Reference *a, const Reference *b);
bool reference_tag_is_valid(const char *tag);

/* Docker's pattern of the image filter "reference": shell pattern over the familiar name with or
 * without tag. */
bool reference_matches(const Reference *r, const char *pattern);
