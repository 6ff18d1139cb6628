/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a log line knows beside its text: labels and variables that the log driver was told to keep. */

typedef struct Buffer Buffer;

/* Appends "k=v,k=v ", sorted, each as in the query of an URL, which clients parse it with. attrs: "K=V". */
int log_details_append(Buffer *b, char *const *attrs);
