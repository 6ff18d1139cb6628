/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How the engine has a stauer-fetcher started: with what the options say of registries. */

typedef struct Engine Engine;

/* Tells the images of it. After images_new(). */
void engine_wire_registry(Engine *e);
