/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The terminal of the user: raw mode that is undone whichever way we end, and its size. */

/* Raw mode for fd until terminal_restore(), which also happens at exit(). One terminal at a time. */
int terminal_raw(int fd);
void terminal_restore(void);
/* 1 with rows and columns; 0: fd is no terminal or has no size. */
int terminal_size(int fd, unsigned *ret_rows, unsigned *ret_columns);
