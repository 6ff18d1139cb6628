/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command and prints the most memory that it held, KiB. A program for it, because the kernel counts what a process held before its
 * exec: with a large parent that is the parent's.
 *
 *         peak COMMAND…
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
        struct rusage usage;
        int status;
        pid_t pid;

        pid = argc > 1 ? fork() : -1;
        if (pid == 0) {
                int fd = open("/dev/null", O_WRONLY);

                if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
                        (void) execvp(argv[1], argv + 1);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || status != 0)
                return 1;

        printf("%ld\n", usage.ru_maxrss);
        return 0;
}
