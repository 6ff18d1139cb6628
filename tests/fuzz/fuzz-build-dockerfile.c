/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/build/dockerfile.h"
#include "engine/build/effects.h"
#include "engine/build/plan.h"
#include "lib/base/alloc.h"
#include "lib/base/strv.h"

/* The input is a Dockerfile: read, planned, and all of it applied that needs no files. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(build_plan_freep) BuildPlan *p = NULL;
        _cleanup_(dockerfile_freep) Dockerfile *d = NULL;
        _cleanup_(strv_freep) char **asked = NULL;
        _cleanup_(error_done) Error e = {};
        BuildArguments args = { .asked = &asked };
        BuildState s;

        if (dockerfile_parse((const char *) data, size, "Dockerfile", &d, &e) < 0 ||
                build_plan_new(d, NULL, NULL, &p, &e) < 0) {
                assert(error_is_set(&e));
                return 0;
        }

        args.meta = p->meta_args;
        build_state_init(&s);
        for (size_t k = 0; k < p->n_stages; k++)
                for (size_t i = 0; i < p->stages[k].n; i++) {
                        _cleanup_(strv_freep) char **command = NULL;
                        _cleanup_(error_done) Error x = {};
                        _cleanup_(freep) char *comment = NULL;
                        int r = build_apply(&s, d, p->stages[k].list + i, &args, &comment, &x);

                        if (r == 0)
                                (void) build_run_command(&s, p->stages[k].list + i, &command);
                        else
                                assert(r > 0 || error_is_set(&x));
                }
        build_state_done(&s);
        return 0;
}
