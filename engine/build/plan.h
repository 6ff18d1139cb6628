/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The stages of a Dockerfile, and which of them a target needs. Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct BuildPlan BuildPlan;
typedef struct BuildStage BuildStage;
typedef struct Dockerfile Dockerfile;
typedef struct Instruction Instruction;

#define BUILD_NO_STAGE (-1)

struct BuildStage {
        const Instruction *from; /* in the Dockerfile */
        char *name;              /* lower case; NULL: it has none */
        char *base;              /* expanded; "scratch", an image, or the name of a stage */
        int base_stage;          /* BUILD_NO_STAGE: base is none */
        char *platform;          /* expanded; NULL: not asked for */
        const Instruction *list; /* what follows FROM */
        size_t n;
        bool needed;
};

struct BuildPlan {
        char **meta_args; /* KEY=value, of ARG before the first FROM, and the platform's */
        BuildStage *stages;
        size_t n_stages;
        size_t target; /* the last that is needed */
        char **asked;  /* names of --build-arg that an ARG before FROM has asked for */
};

/* args: KEY=value of --build-arg (KEY alone: not set). target: name or number; NULL or "": the last. d must outlive the plan. */
int build_plan_new(
        const Dockerfile *d, char *const *args, const char *target, BuildPlan **ret, Error *reterr);
BuildPlan *build_plan_free(BuildPlan *p);
DEFINE_CLEANUP(BuildPlan *, build_plan_free);

/* A stage before limit by name or number; BUILD_NO_STAGE. */
int build_plan_find_stage(const BuildPlan *p, const char *name, size_t limit);

/* TARGETPLATFORM and its kin as KEY=value. */
int build_platform_args(char ***ret);
