/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Words of run's options into members of the create body, one function per kind, with docker's sentences. Pure, but for the environment and the files
 * that some name. Each adds to or replaces *field; ERROR_INVALID with the sentence after "invalid argument … flag:". */

#include <stdint.h>

#include "lib/base/error.h"

typedef struct ContainerSpec ContainerSpec;
typedef struct HostConfig HostConfig;

typedef int (*run_convert_t)(const char *value, void *field, Error *reterr);

/* Go's numbers: 12, -3, 0x1f. ERROR_INVALID in strconv's words. */
int run_int_parse(const char *value, int64_t min, int64_t max, int64_t *ret, Error *reterr);
/* "1.5g" → bytes. reterr may be NULL. */
int run_bytes_parse(const char *value, int64_t *ret, Error *reterr);
/* "1.5" or "1/2" → 1e-9 CPUs, exactly. */
int run_cpus_parse(const char *value, int64_t *ret, Error *reterr);
/* "K=V"; "K" alone has an empty value. */
int run_pair_add(char ***pairs, const char *value);

int run_to_string(const char *value, void *field, Error *reterr);     /* char * */
int run_to_list(const char *value, void *field, Error *reterr);       /* char ** */
int run_to_flag(const char *value, void *field, Error *reterr);       /* bool */
int run_to_tristate(const char *value, void *field, Error *reterr);   /* int */
int run_to_int(const char *value, void *field, Error *reterr);        /* int */
int run_to_int64(const char *value, void *field, Error *reterr);      /* int64_t */
int run_to_uint16(const char *value, void *field, Error *reterr);     /* uint16_t */
int run_to_bytes(const char *value, void *field, Error *reterr);      /* int64_t */
int run_to_swap(const char *value, void *field, Error *reterr);       /* the same, or -1 */
int run_to_cpus(const char *value, void *field, Error *reterr);       /* int64_t */
int run_to_duration(const char *value, void *field, Error *reterr);   /* int64_t */
int run_to_pair(const char *value, void *field, Error *reterr);       /* pairs */
int run_to_label(const char *value, void *field, Error *reterr);      /* pairs */
int run_to_words(const char *value, void *field, Error *reterr);      /* char **: [value] */
int run_to_env(const char *value, void *field, Error *reterr);        /* char ** */
int run_to_env_file(const char *value, void *field, Error *reterr);   /* char ** */
int run_to_label_file(const char *value, void *field, Error *reterr); /* pairs */
int run_to_link(const char *value, void *field, Error *reterr);       /* char ** */
int run_to_host(const char *value, void *field, Error *reterr);       /* char **: --add-host */
int run_to_dns(const char *value, void *field, Error *reterr);        /* char ** */
int run_to_domain(const char *value, void *field, Error *reterr);     /* char ** */
int run_to_sysctl(const char *value, void *field, Error *reterr);     /* pairs */
int run_to_storage(const char *value, void *field, Error *reterr);    /* pairs */

/* Of the whole spec. run-devices.c */
int run_to_device(const char *value, void *spec, Error *reterr);
int run_to_device_rule(const char *value, void *spec, Error *reterr);
int run_to_gpus(const char *value, void *spec, Error *reterr);
int run_to_ulimit(const char *value, void *spec, Error *reterr);
int run_to_weight(const char *value, void *spec, Error *reterr);
int run_to_read_bps(const char *value, void *spec, Error *reterr);
int run_to_write_bps(const char *value, void *spec, Error *reterr);
int run_to_read_iops(const char *value, void *spec, Error *reterr);
int run_to_write_iops(const char *value, void *spec, Error *reterr);

/* Of the whole spec. run-ports.c */
int run_to_published(const char *value, void *spec, Error *reterr);
int run_to_exposed(const char *value, void *spec, Error *reterr);

/* What docker makes of what was given. run-security.c: files of profiles become their text, capabilities get their kernel names. */
int run_set_security(HostConfig *h, Error *reterr);
int run_set_capabilities(HostConfig *h);
