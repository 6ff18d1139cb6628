/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside of engine/container only: restart policies at work. "restarting" is a container that waits for its next start. */

#include <stdbool.h>
#include <stdint.h>

typedef struct Container Container;
typedef struct Containers Containers;

/* It has exited (exit_code is set): true if it shall go on; counts the restart and lengthens the pause then. */
bool container_wants_again(Container *c, int64_t ran_nsec);
/* In state "restarting": starts it after its pause, when it is its turn. */
void container_again_arm(Container *c);
/* In state "restarting": it rests, exited, until somebody starts it. Who waits for it is told. */
void container_again_cancel(Container *c);
/* Without a word: it goes away. */
void container_again_forget(Container *c);

/* It is known by now whether somebody stopped its scope. */
void container_again_sure(Container *c);
/* The host goes down, or not any more: nothing starts by policy meanwhile. */
void containers_handle_host(bool stops, void *userdata);

/* Somebody sent it a signal: bookkeeping of protocol.md 8.3, saved when there is a policy that will ask for it. */
void container_note_signal(Container *c, int signal);

/* At the daemon's start, after all else: what is to run again is put in the queue; containers_again_proceed() begins. */
void container_restore_again(Container *c);
void containers_again_proceed(Containers *s);
