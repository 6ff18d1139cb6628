/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The bytes that a job's worker writes into a pipe, as the answer to a request. The status is not sent before the worker has said what comes (or that
 * nothing does): until then a failure is an ordinary error. A failure later cuts the answer, so that the client cannot take it for whole. A client
 * that leaves cancels the job. */

typedef struct Job Job;
typedef struct Request Request;

/* The row with CONTAINER_FILES_STAT came: sets headers. text: its status. */
typedef int (*job_pipe_ready_t)(Request *q, const char *text);

/* Takes over the reference of j and fd (read end, not blocking), also on failure. on_ready: NULL or see above. Returns as a handler does. */
int job_pipe_new(Request *q, Job *j, int fd, const char *content_type, job_pipe_ready_t on_ready);
