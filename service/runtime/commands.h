/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The commands of stauer-runtime. Each gets its own words (argv without program, global options and command) and gives the exit
 * status, or a negative errno with reterr filled. */

#include <stdbool.h>

#include "lib/base/macro.h"

typedef struct CgroupManager CgroupManager;
typedef struct Error Error;
typedef struct Globals Globals;

struct Globals {
        const char *root;
        const char *log;        /* file for errors, beside standard error */
        const char *log_format; /* text, json */
        bool debug;
        const CgroupManager *manager;
};

int command_create(const Globals *g, char **argv, Error *reterr);
int command_run(const Globals *g, char **argv, Error *reterr);
int command_exec(const Globals *g, char **argv, Error *reterr);
int command_start(const Globals *g, char **argv, Error *reterr);
int command_kill(const Globals *g, char **argv, Error *reterr);
int command_pause(const Globals *g, char **argv, Error *reterr);
int command_resume(const Globals *g, char **argv, Error *reterr);
int command_delete(const Globals *g, char **argv, Error *reterr);
int command_state(const Globals *g, char **argv, Error *reterr);
int command_list(const Globals *g, char **argv, Error *reterr);
int command_ps(const Globals *g, char **argv, Error *reterr);
int command_features(const Globals *g, char **argv, Error *reterr);
int command_spec(const Globals *g, char **argv, Error *reterr);
