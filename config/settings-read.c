/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings.h"
#include "config/sysconfig.h"

int settings_read_sysconfig(const Settings *s, Sysconfig **ret, Error *reterr) {
        return sysconfig_load(s->sysconfig_file, s->lens_dir, ret, reterr);
}
