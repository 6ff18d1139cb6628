/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What /etc/docker/certs.d/HOST[:PORT] says of one registry: authorities besides the host's own (*.crt), and a certificate with its key for us (x.cert,
 * x.key). Read while we may still read them, and kept as files in memory: their paths stay good when we have become nobody and the disk is out of sight. */

#include "lib/base/error.h"

typedef struct Trust Trust;

#define TRUST_PATH_SIZE sizeof("/proc/self/fd/-2147483648")

struct Trust {
        int ca_fd;   /* -EBADF: the host's own list */
        int cert_fd; /* -EBADF: none */
        int key_fd;
        char ca[TRUST_PATH_SIZE];
        char cert[TRUST_PATH_SIZE];
        char key[TRUST_PATH_SIZE];
};

/* A folder that is not there gives an empty Trust. */
int trust_load(const char *certs_dir, const char *host_port, Trust *ret, Error *reterr);
void trust_done(Trust *t);
