/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What whoever calls us gets and gives: descriptors for the container, the pid file, signals, the exit status, and error texts
 * in the words that docker's client looks for. Common to create, run and exec. */

#include <signal.h>
#include <sys/types.h>

typedef struct Error Error;

#define PRESERVE_FDS_MAX 4096U

/* 3 … 3+n-1 are open and go to the container. A hole would be filled by one of ours, which must never reach it. */
int caller_check_descriptors(unsigned n, Error *reterr);

/* path NULL: nobody asked. Written beside its name and renamed, without a newline. */
int caller_write_pid(const char *path, pid_t pid, Error *reterr);

/* All signals but those about ourselves are meant for the container: blocks them and gives a signalfd. */
int caller_take_signals(sigset_t *ret_old, Error *reterr);
/* Forwards signals until the child is gone; reaps it and closes *pidfd. The exit status. */
int caller_wait(int *pidfd, int signal_fd, Error *reterr);

/* "unable to start container process: …", and the words for an errno begin as Go writes them: docker's client finds its exit codes
 * 126 and 127 by "permission denied" and "no such file or directory". Gives r or what reterr stands for. */
int caller_say_why(Error *reterr, int r);
