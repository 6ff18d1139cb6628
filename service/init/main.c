/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The first process of a container that was made with --init: it runs the command as its one child, hands on to it whatever signal it gets, reaps what
 * is left to it, and ends as the command did. Mounted read-only at /sbin/docker-init, so it must run in any root file system: linked
 * statically where that is possible, with nothing but libc.
 *
 *     stauer-init [-g] [--] COMMAND [ARGUMENT…]
 *
 * -g (or TINI_KILL_PROCESS_GROUP in the environment, which images know): signals go to the whole process group of the command. */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
        EXIT_USAGE = 125,
        EXIT_CANNOT_EXECUTE = 126,
        EXIT_NOT_FOUND = 127,
        EXIT_SIGNALLED = 128,
};

/* What we got from whoever started us; the command gets it back. */
typedef struct Inherited {
        sigset_t mask;
        struct sigaction ttin;
        struct sigaction ttou;
} Inherited;

static int complain(const char *what, int error) {
        (void) fprintf(stderr, "docker-init: %s: %s\n", what, strerror(error));
        return -error;
}

/* Everything waits for sigwaitinfo(), but what our own faults raise. */
static int catch_signals(sigset_t *ret_waited, Inherited *ret_inherited) {
        static const int faults[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS,
                SIGTTIN, SIGTTOU };
        const struct sigaction ignore = { .sa_handler = SIG_IGN };

        (void) sigfillset(ret_waited);
        for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
                (void) sigdelset(ret_waited, faults[i]);

        /* The terminal is the command's; we must be able to write to it and to give it away nevertheless. */
        if (sigprocmask(SIG_SETMASK, ret_waited, &ret_inherited->mask) < 0 ||
                sigaction(SIGTTIN, &ignore, &ret_inherited->ttin) < 0 ||
                sigaction(SIGTTOU, &ignore, &ret_inherited->ttou) < 0)
                return complain("cannot catch signals", errno);
        return 0;
}

/* In a process group of its own, in the foreground of the terminal if there is one. */
static void become_foreground(void) {
        (void) setpgid(0, 0);
        if (isatty(STDIN_FILENO))
                (void) tcsetpgrp(STDIN_FILENO, getpgrp());
}

_Noreturn static void run_command(char **argv, const Inherited *inherited) {
        int error;

        become_foreground();
        (void) sigaction(SIGTTIN, &inherited->ttin, NULL);
        (void) sigaction(SIGTTOU, &inherited->ttou, NULL);
        (void) sigprocmask(SIG_SETMASK, &inherited->mask, NULL);

        (void) execvp(argv[0], argv);
        error = errno;
        (void) fprintf(stderr, "docker-init: exec %s failed: %s\n", argv[0], strerror(error));
        _exit(error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

/* Whoever has ended. 1: the command was among them, and how it ended is in ret_status. */
static int reap(pid_t command, int *ret_status) {
        int found = 0;

        for (;;) {
                int status;
                pid_t pid = waitpid(-1, &status, WNOHANG);

                if (pid < 0 && errno == EINTR)
                        continue;
                if (pid <= 0)
                        return found;
                if (pid == command) {
                        *ret_status = status;
                        found = 1;
                }
        }
}

static int exit_code(int status) {
        return WIFSIGNALED(status) ? EXIT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

static int supervise(pid_t command, bool group, const sigset_t *waited) {
        for (;;) {
                siginfo_t si;
                int status;

                if (sigwaitinfo(waited, &si) < 0) {
                        if (errno == EINTR)
                                continue;
                        (void) complain("cannot wait for signals", errno);
                        return EXIT_USAGE;
                }
                if (si.si_signo == SIGCHLD) {
                        if (reap(command, &status) > 0)
                                return exit_code(status);
                        continue;
                }
                /* ESRCH: it has just ended, and its SIGCHLD comes next. */
                (void) kill(group ? -command : command, si.si_signo);
        }
}

int main(int argc, char **argv) {
        bool group = getenv("TINI_KILL_PROCESS_GROUP") != NULL;
        Inherited inherited;
        sigset_t waited;
        pid_t command;
        int c;

        while ((c = getopt(argc, argv, "+g")) >= 0) {
                if (c != 'g')
                        return EXIT_USAGE;
                group = true;
        }
        if (optind >= argc) {
                (void) fputs("usage: docker-init [-g] [--] COMMAND [ARGUMENT...]\n", stderr);
                return EXIT_USAGE;
        }

        if (catch_signals(&waited, &inherited) < 0)
                return EXIT_USAGE;
        /* Not the first process here (the pid namespace is another one's): orphans of the command still come to us. */
        if (getpid() != 1)
                (void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

        command = fork();
        if (command < 0) {
                (void) complain("cannot fork", errno);
                return EXIT_USAGE;
        }
        if (command == 0)
                run_command(argv + optind, &inherited);

        return supervise(command, group, &waited);
}
