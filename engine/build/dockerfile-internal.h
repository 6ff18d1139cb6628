/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Between dockerfile.c, which reads lines, and instruction.c, which knows what an instruction may look like. */

#include "engine/build/dockerfile.h"

/* i->text is set: finds kind, flags, rest and words. */
int instruction_parse(const Dockerfile *d, Instruction *i, Error *reterr);
/* With its heredocs: has it as many arguments as it needs? */
int instruction_check(const Dockerfile *d, const Instruction *i, Error *reterr);
/* May it be a trigger? */
int instruction_check_trigger(const Instruction *i, Error *reterr);
