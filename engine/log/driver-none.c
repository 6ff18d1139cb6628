/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The log that nobody wants. Reading it is refused, as Docker does. */

#include "engine/log/driver.h"

static int none_open(const LogTarget *t, void **ret_state) {
        *ret_state = NULL;
        return 0;
}

static int none_write(void *state, const LogMessage *m) {
        return 0;
}

static void none_close(void *state) {
}

const LogDriver log_driver_none = {
        .name = "none",
        .open = none_open,
        .write = none_write,
        .close = none_close,
};
