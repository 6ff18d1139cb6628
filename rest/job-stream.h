/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A job's progress as Docker's JSON stream: one object a row, each followed by CR LF; the answer ends with the job. */

typedef struct Job Job;
typedef struct Request Request;

typedef enum JobStreamKind {
        JOB_STREAM_TEXT,   /* what the job made comes as {"stream":"text\n"}: load */
        JOB_STREAM_STATUS, /* … as {"status":"text"}: import */
} JobStreamKind;

/* The status is not sent before the job's first row: what fails before is an ordinary error (pull). Else as job_stream_new(). Returns as a handler
 * does. */
int job_stream_new_late(Request *q, Job *j, JobStreamKind kind, int quiet, int cancel_on_gone);

/* Takes over the caller's reference of j, also on failure. quiet: no progress rows. A client that leaves does not cancel the job unless
 * cancel_on_gone (and it was the last of those who wait). */
int job_stream_new(Request *q, Job *j, JobStreamKind kind, int quiet, int cancel_on_gone);
