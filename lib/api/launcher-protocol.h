/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What crosses between stauerd and stauer-launcher: plain structs, one per SOCK_SEQPACKET message, host byte order (one machine, one build).
 * Nothing but libc in here: the launcher links nothing else of ours.
 *
 * Request + up to LAUNCHER_FDS_MAX descriptors, which become 3, 4, … of the new process. Answer + the pidfd when error is 0. Exit when
 * the process has ended and was reaped, to the connection that asked for it, if it is still there. Requests may be sent without
 * waiting; answers come in their order. LAUNCHER_WAKE is a hint and has no answer. A message that is not a Request ends the
 * connection. */

#include <stdint.h>

#define LAUNCHER_VERSION   1u
#define LAUNCHER_FDS_MAX   16
#define LAUNCHER_FD_FIRST  3
#define LAUNCHER_LABEL_MAX 80

typedef enum LauncherProgram {
        LAUNCHER_MONITOR = 1, /* stauer-monitor LABEL */
        LAUNCHER_WORKER = 2,  /* stauer-worker LABEL */
        LAUNCHER_FETCHER = 3, /* stauer-fetcher LABEL */
        _LAUNCHER_PROGRAM_MAX,
        LAUNCHER_WAKE = 255, /* no program: a scope is about to be made (service/launcher/wake.h) */
} LauncherProgram;

typedef enum LauncherMessageType {
        LAUNCHER_ANSWER = 1,
        LAUNCHER_EXIT = 2,
} LauncherMessageType;

typedef struct LauncherRequest {
        uint32_t version;
        uint32_t program;  /* LauncherProgram */
        uint64_t tag;      /* comes back in Answer and Exit */
        int32_t log_level; /* LOG_EMERG … LOG_DEBUG; becomes STAUER_LOG_LEVEL of the process */
        char label[LAUNCHER_LABEL_MAX]; /* [A-Za-z0-9_.-]+, NUL-terminated: argv[1], seen in ps */
        uint32_t reserved;              /* 0 */
} LauncherRequest;

typedef struct LauncherMessage {
        uint32_t version;
        uint32_t type; /* LauncherMessageType */
        uint64_t tag;
        int32_t error; /* Answer: 0 or a negative errno */
        int32_t pid;
        int32_t code;   /* Exit: CLD_EXITED, CLD_KILLED or CLD_DUMPED … */
        int32_t status; /* … and the exit status or signal */
} LauncherMessage;
