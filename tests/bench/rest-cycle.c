/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Docker client that does nothing but the requests: create, start, wait, remove, over one kept connection. Prints one line a cycle: milliseconds of
 * the whole cycle and of each of the four.
 *
 *         rest-cycle SOCKET IMAGE N COMMAND…
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (1024 * 1024)

static void fail(const char *what) {
        fprintf(stderr, "rest-cycle: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        if (strlen(path) >= sizeof address.sun_path) {
                errno = ENAMETOOLONG;
                fail(path);
        }
        strcpy(address.sun_path, path);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                fail(path);
        return fd;
}

/* Has the whole answer come? Knows Content-Length, chunked, and answers without a body. */
static int is_complete(char *answer, size_t size, int status) {
        char *body = strstr(answer, "\r\n\r\n"), *length;

        if (!body)
                return 0;
        body += 4;
        if (status == 204 || status == 304)
                return 1;
        if (strcasestr(answer, "\r\nTransfer-Encoding: chunked"))
                return size >= 5 && memcmp(answer + size - 5, "0\r\n\r\n", 5) == 0;
        length = strcasestr(answer, "\r\nContent-Length:");
        return length && (size_t) (answer + size - body) >= strtoul(length + 17, NULL, 10);
}

/* One exchange; answer is a string afterwards. Returns the status. */
static int request(int fd, const char *method, const char *path, const char *body, char *answer) {
        char head[1024];
        size_t size = 0;
        int n, status = 0;

        n = snprintf(head, sizeof head,
                "%s /v1.41%s HTTP/1.1\r\nHost: docker\r\nContent-Type: "
                "application/json\r\nContent-Length: "
                "%zu\r\n\r\n",
                method, path, strlen(body));
        if (write(fd, head, (size_t) n) != n ||
                write(fd, body, strlen(body)) != (ssize_t) strlen(body))
                fail(path);

        for (;;) {
                ssize_t k = read(fd, answer + size, ANSWER_MAX - 1 - size);

                if (k <= 0)
                        fail(path);
                size += (size_t) k;
                answer[size] = '\0';
                if (size > 12)
                        status = atoi(answer + 9);
                if (is_complete(answer, size, status))
                        break;
        }

        if (status >= 400) {
                fprintf(stderr, "rest-cycle: %s %s:\n%s\n", method, path, answer);
                exit(1);
        }
        return status;
}

static double now_ms(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

/* times gets the moments before the first request and after each. */
static void cycle(int fd, const char *body, char *answer, double times[static 5]) {
        char id[65] = "", path[128], *p;

        times[0] = now_ms();
        request(fd, "POST", "/containers/create", body, answer);
        times[1] = now_ms();
        p = strstr(answer, "\"Id\":\"");
        if (!p)
                fail("no Id in the answer");
        memcpy(id, p + 6, 64);

        snprintf(path, sizeof path, "/containers/%s/start", id);
        request(fd, "POST", path, "", answer);
        times[2] = now_ms();
        snprintf(path, sizeof path, "/containers/%s/wait", id);
        request(fd, "POST", path, "", answer);
        times[3] = now_ms();
        if (!strstr(answer, "\"StatusCode\":0"))
                fail(answer);
        snprintf(path, sizeof path, "/containers/%s", id);
        request(fd, "DELETE", path, "", answer);
        times[4] = now_ms();
}

int main(int argc, char **argv) {
        char *answer = malloc(ANSWER_MAX), body[1024];
        size_t n = 0;
        int fd, cycles;

        if (argc < 5 || !answer) {
                fprintf(stderr, "usage: rest-cycle SOCKET IMAGE N COMMAND…\n");
                return 2;
        }

        n += (size_t) snprintf(body, sizeof body,
                "{\"Image\":\"%s\",\"HostConfig\":{\"NetworkMode\":\"none\"},\"Cmd\":[", argv[2]);
        for (int i = 4; i < argc; i++)
                n += (size_t) snprintf(
                        body + n, sizeof body - n, "%s\"%s\"", i > 4 ? "," : "", argv[i]);
        snprintf(body + n, sizeof body - n, "]}");

        fd = connect_to(argv[1]);
        cycles = atoi(argv[3]);
        for (int i = 0; i < cycles; i++) {
                double t[5];

                cycle(fd, body, answer, t);
                printf("%.3f %.3f %.3f %.3f %.3f\n", t[4] - t[0], t[1] - t[0], t[2] - t[1],
                        t[3] - t[2], t[4] - t[3]);
        }

        free(answer);
        close(fd);
        return 0;
}
