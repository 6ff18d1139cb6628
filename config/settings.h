/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Settings are what an administrator asked of the daemon: /etc/sysconfig/docker
 * (DOCKER_NETWORK_OPTIONS, DOCKER_OPTS), then the command line, then daemon.json. Made once at
 * start by settings_load(), read-only afterwards, owned by the program's main(). Every option
 * dockerd knows is a row of settings_table; a row that acts has a member here, the others are
 * checked and give a warning. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/macro.h"

typedef struct Settings Settings;
typedef struct SettingRuntime SettingRuntime;
typedef struct SettingUlimit SettingUlimit;
typedef struct Sysconfig Sysconfig;

#define SETTINGS_DEFAULT_SYSCONFIG_FILE "/etc/sysconfig/docker"
#define SETTINGS_DEFAULT_CONFIG_FILE    "/etc/docker/daemon.json"
#define SETTINGS_DEFAULT_RUNTIME \
        "stauer" /* our own stauer-runtime; always known, needs no --add-runtime */

/* What the command line asks of the program. Anything but RUN prints something and ends. */
typedef enum SettingsVerb {
        SETTINGS_RUN,
        SETTINGS_HELP,
        SETTINGS_VERSION,
        SETTINGS_VALIDATE,
        _SETTINGS_VERB_MAX,
        _SETTINGS_VERB_INVALID = -22,
} SettingsVerb;

struct SettingRuntime {
        char *name;
        char *path; /* absolute, or a bare program name looked up in the standard folders */
};

struct SettingUlimit {
        char *name;   /* "nofile", "core", … as in `ulimit` of Docker */
        int64_t soft; /* -1: unlimited */
        int64_t hard;
};

struct Settings {
        SettingsVerb verb;

        /* service */
        char *sysconfig_file;
        char *config_file;
        char *lens_dir; /* folder with the Augeas lens; LENSDIR when installed */
        char *configd;  /* the program that reads sysconfig_file with it */
        char *data_root;
        char *exec_root;
        char **hosts; /* "unix:///path", "tcp://host:port", "fd://"; empty: nothing was asked */
        char *group;  /* owner group of the unix socket */
        bool tls;     /* on TCP sockets; settings_was_given() says whether "false" was meant */
        bool tls_verify;
        char *tls_authorities; /* files; NULL or "": the usual ones */
        char *tls_certificate;
        char *tls_key;
        bool debug;
        int log_level; /* LOG_DEBUG … LOG_CRIT; LOG_DEBUG when debug is set */
        char **labels; /* "key=value", no key twice */

        /* storage */
        char *storage_driver; /* NULL: the engine picks */
        char **storage_opts;  /* "driver.option=value" */

        /* registries */
        char **insecure_registries; /* host[:port] or CIDR */
        char **registry_mirrors;    /* URLs, of docker.io */
        unsigned max_downloads;     /* layers that one pull fetches at once */
        unsigned max_attempts;      /* for each of them */
        char *http_proxy;           /* NULL or "": as the environment says */
        char *https_proxy;
        char *no_proxy;

        /* networks; strings NULL: not given */
        char *bridge;
        char *bip;
        char *bip6;
        char *fixed_cidr;
        char *fixed_cidr6;
        char *gateway4;
        char *gateway6;
        char *publish_ip;
        bool icc;
        bool ip_masq;
        bool ipv6;
        bool ip_forward;
        bool iptables;
        bool ip6tables;
        bool ip_forward_no_drop;
        bool allow_direct_routing;
        unsigned mtu;
        char **address_pools; /* base=CIDR,size=N */
        char **network_opts;  /* driver=key=value */
        char **dns;
        char **dns_opts;
        char **dns_search;
        char **host_gateway_ips;

        /* defaults of containers */
        char *cgroup_parent; /* a slice; "machine.slice" unless asked */
        char *log_driver;
        char **log_opts; /* pairs (lib/json/pairs.h): key, value, … NULL */
        char *default_runtime;
        SettingRuntime *runtimes; /* --add-runtime, in order, no name twice */
        size_t n_runtimes;
        SettingUlimit *default_ulimits; /* no name twice */
        size_t n_default_ulimits;
        uint64_t default_shm_size;
        char *default_ipc_mode;      /* private, shareable */
        char *default_cgroupns_mode; /* private, host */
        bool init;       /* for containers that do not say otherwise, as the next but one */
        char *init_path; /* NULL or "": our own stauer-init */
        bool no_new_privileges;
        char *seccomp_profile; /* builtin, unconfined, or a file */
        char **cdi_dirs;       /* as given; see settings_cdi_dirs() */
        char **features;       /* pairs: name, "true" or "false" */

        char **warnings; /* sentences for the journal: known but not acting, twice given */
        uint64_t *given; /* bit per row of settings_table: was it set anywhere */
};

/* Defaults only. */
int settings_new(Settings **ret);
Settings *settings_free(Settings *s);
DEFINE_CLEANUP(Settings *, settings_free);

/* How a program gets at the options file: sysconfig_ask() for who should not have Augeas in its memory, settings_read_sysconfig() for the
 * others. A file that is not there gives an empty Sysconfig. */
typedef int (*settings_reader_t)(const Settings *s, Sysconfig **ret, Error *reterr);

/* Options file, command line, daemon.json, check of the whole. The text in reterr is one sentence
 * with file, line, word and what would be right. A missing options file or daemon.json is fine
 * unless the command line named it. */
int settings_load(
        int argc, char *const *argv, settings_reader_t reader, Settings **ret, Error *reterr);

/* The settings_reader_t that reads with Augeas here. Apart (settings-read.c), so that who asks is not linked with it. */
int settings_read_sysconfig(const Settings *s, Sysconfig **ret, Error *reterr);

/* A reload: takes from fresh what may change while the daemon runs, the rows that are LIVE and act.
 * fresh has the old values afterwards; pointers to s stay good, pointers into it do not. */
void settings_take_live(Settings *s, Settings *fresh);

/* Which program is runtime NAME (NULL or "": the default one)? An --add-runtime first, then our
 * own, then a well-known name (runc, crun, youki) found in the standard folders. -ENOENT with a
 * sentence otherwise. */
int settings_find_runtime(const Settings *s, const char *name, char **ret_path, Error *reterr);

/* The program of --init: --init-path, else our own stauer-init. -ENOENT with a sentence when it is not there. */
int settings_find_init(const Settings *s, char **ret_path, Error *reterr);

/* Folders with CDI files (engine/container/cdi.h), the strongest last. NULL: --cdi-spec-dir "" or the feature cdi=false turned that off. Borrowed. */
char *const *settings_cdi_dirs(const Settings *s);

bool settings_was_given(const Settings *s, const char *option);

/* The text of --help, made from the table, grouped by section. */
int settings_format_help(const char *program, char **ret);
