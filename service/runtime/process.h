/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The process of a container: everything about it that can be wrong is checked by process_plan() in the parent; the rest are steps of
 * the child, called in the order of child.c's table. */

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/base/macro.h"
#include "service/runtime/capabilities.h"

typedef struct Error Error;
typedef struct Mounts Mounts;
typedef struct Process Process;
typedef struct ProcessLimit ProcessLimit;
typedef struct RuntimePersonality RuntimePersonality;
typedef struct RuntimeProcess RuntimeProcess;
typedef struct SeccompFilter SeccompFilter;

#define PROCESS_ARGS_MAX 65536U

struct ProcessLimit {
        int resource;
        struct rlimit limit;
};

struct Process {
        const RuntimeProcess *spec; /* borrowed */
        CapabilitySets capabilities;
        ProcessLimit *limits;
        size_t n_limits;
        char **env; /* with LISTEN_FDS, when fds are handed on */
        char *cwd;
        char *program; /* child: what will be executed, found by process_find_program() */
};

int process_plan(const RuntimeProcess *spec, unsigned n_listen_fds, Process *ret, Error *reterr);
void process_done(Process *p);

/* HOME, when config.json does not give it: what the container's /etc/passwd says of the user, else "/". */
int process_add_home(Process *p, int root_fd, Error *reterr);
/* Of another process, or ours (0); the same for the scheduling. */
int process_apply_limits(const Process *p, pid_t pid, Error *reterr);
/* oom_score_adj, AppArmor and SELinux labels: files of a trusted procfs (rule R2). */
int process_apply_proc(const Process *p, Mounts *m, Error *reterr);
/* The session keyring of the container with this id; made when there is none. */
int process_join_keyring(const char *id, Error *reterr);
int process_apply_personality(const RuntimePersonality *p, Error *reterr); /* NULL: nothing to do */
int process_apply_no_new_privileges(const Process *p, Error *reterr);
int process_apply_scheduling(const Process *p, pid_t pid, Error *reterr);
/* The folder is made if it is missing, as everybody does; before the root becomes read-only. */
int process_make_cwd(const Process *p, int root_fd, Error *reterr);
int process_enter_cwd(const Process *p, int root_fd, Error *reterr);
/* Standard streams become the user's, so that /dev/stdout can be opened. */
int process_own_streams(const Process *p, Error *reterr);
int process_change_user(const Process *p, Error *reterr);
int process_apply_capabilities(const Process *p, Error *reterr);
/* The last before the program: seccomp filter and capabilities. */
int process_restrict(const Process *p, const SeccompFilter *filter, Error *reterr);
/* A process is born into a pid namespace where others live, who may have CAP_SYS_PTRACE there and look into every newcomer (it is
 * not dumpable, but that capability does not ask). So all is done by a parent whom they do not see; the newcomer has the
 * container's root, nothing open but its streams and sockets to us, and no capability that the program will not have.
 *
 * process_restrict_before_birth(): in the parent, the last before process_birth(). *ret_filtered: process_restrict() is done too, else
 * the newcomer does it. */
int process_restrict_before_birth(
        const Process *p, const SeccompFilter *filter, bool *ret_filtered, Error *reterr);
/* As fork(), but a sibling and not a child: whoever called us is to wait for it. */
pid_t process_birth(void);
/* Closes every descriptor from first on but a and b (-EBADF: none). */
int process_close_others(int first, int a, int b);
/* As the user, in the folder: what a shell would run. The error texts are the ones that docker's exit codes hang on. */
int process_find_program(Process *p, Error *reterr);
/* Does not return when it works. */
int process_execute(const Process *p, Error *reterr);
