/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Copies what is in the folder from into the folder to, which is empty, and from's own attributes: owners (as root), modes, times, extended
 * attributes, hard links, holes, devices; blocks are shared where the file system can. Nobody may change from meanwhile. Slow. -EEXIST: a name is
 * there already; what has been copied stays. */

int copy_tree(int from, int to);
