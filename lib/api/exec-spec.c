/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/api/exec-spec.h"

#define EMPTY    JSON_OMIT_EMPTY
#define OPTIONAL (JSON_OMIT_EMPTY | JSON_NULLABLE)

/* clang-format off */
const JsonField exec_spec_fields[] = {
        JSON_STRING("User",         ExecSpec, user,          EMPTY),
        JSON_BOOL  ("Privileged",   ExecSpec, privileged,    EMPTY),
        JSON_BOOL  ("Tty",          ExecSpec, tty,           EMPTY),
        JSON_UINT32_LIST("ConsoleSize", ExecSpec, console_size, n_console_size, OPTIONAL),
        JSON_BOOL  ("AttachStdin",  ExecSpec, attach_stdin,  EMPTY),
        JSON_BOOL  ("AttachStdout", ExecSpec, attach_stdout, EMPTY),
        JSON_BOOL  ("AttachStderr", ExecSpec, attach_stderr, EMPTY),
        JSON_STRING("DetachKeys",   ExecSpec, detach_keys,   EMPTY),
        JSON_STRV  ("Env",          ExecSpec, env,           OPTIONAL),
        JSON_STRING("WorkingDir",   ExecSpec, working_dir,   EMPTY),
        JSON_STRV  ("Cmd",          ExecSpec, cmd,           OPTIONAL | JSON_WRAP_STRING),
        {}
};
/* clang-format on */

void exec_spec_done(ExecSpec *s) {
        fields_done(exec_spec_fields, s);
}
