/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* container.json: the saved half of a Container, one table for both directions.
 *
 * What is synced before somebody is told (each the file and the folder it lies in):
 *
 *         create   container.json in its folder under tmp/, then containers/ after the rename that makes it visible
 *         start    container.json ("starting" and the boot id), while the runtime works: after a power cut it had been started
 *         exit     container.json with the exit
 *         remove   containers/ after the rename into the trash
 *
 * and nothing at all for a container that removes itself: a power cut would do the same. What dies with the boot (that it runs, its pid)
 * is in /run, unsynced: START_MARK, the monitor's exit.json. */

#include "lib/json/fields.h"

#define CONTAINER_FILE         "container.json"
#define CONTAINER_FILE_VERSION 1
#define CONTAINER_FILE_MAX     ((size_t) 8 * 1024 * 1024)

extern const JsonField container_fields[];
