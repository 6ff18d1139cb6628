/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The Manager's two files: bus-manager.c has the table, containers and the engine as a whole, bus-manager-images.c images and jobs. */

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "lib/base/error.h"

typedef struct Filter Filter;
typedef struct Job Job;

/* a{sas}: keys and values as in Docker's API. */
int bus_read_filter(sd_bus_message *m, const char *const *keys, Filter **ret, Error *reterr);

/* Nanoseconds of the engine, microseconds of the bus; never: 0. */
uint64_t bus_usec(int64_t ns);

/* bus-signals.c */
int bus_manager_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_unsubscribe(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-events.c */
int bus_manager_get_events(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-manager-networks.c */
int bus_manager_list_networks(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_get_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_create_network(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_create_network_from_json(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_prune_networks(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-volume.c */
int bus_manager_list_volumes(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_get_volume(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_create_volume(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_prune_volumes(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-usage.c */
int bus_manager_get_disk_usage(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

/* bus-stats.c */
int bus_manager_subscribe_stats(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_unsubscribe_stats(sd_bus_message *m, void *userdata, sd_bus_error *reterr);

typedef struct Engine Engine;
typedef struct Image Image;

/* bus-manager-images.c */
/* What ListImages and ListImagesAsJSON are asked for, to be freed: 1. 0: polkit is being asked; negative: refused. */
int bus_manager_find_images(
        sd_bus_message *m, Engine *e, Image ***ret, size_t *ret_n, sd_bus_error *reterr);
int bus_manager_list_images(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_get_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_remove_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_load_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_import_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_pull_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_build_image(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_prune_build_cache(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
int bus_manager_reply_job(sd_bus_message *m, Job *j); /* takes the reference */
int bus_manager_list_jobs(sd_bus_message *m, void *userdata, sd_bus_error *reterr);
