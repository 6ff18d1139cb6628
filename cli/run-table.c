/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of run and create, with docker's help. */
#include "cli/options.h"
#include "cli/run-options.h"

/* clang-format off */
#define RUN_OPTIONS                                                                                                                              \
        { "add-host",            0,   OPTION_LIST,   "list",     "Add a custom host-to-IP mapping (host:ip)" },                                  \
        { "annotation",          0,   OPTION_KEYED,  "map",      "Add an annotation to the container (passed through to the OCI runtime)", "map[]" }, \
        { "attach",              'a', OPTION_LIST,   "list",     "Attach to STDIN, STDOUT or STDERR" },                                          \
        { "blkio-weight",        0,   OPTION_STRING, "uint16",   "Block IO (relative weight), between 10 and 1000, or 0 to disable", "0" },      \
        { "blkio-weight-device", 0,   OPTION_LIST,   "list",     "Block IO weight (relative device weight)", "[]" },                             \
        { "cap-add",             0,   OPTION_LIST,   "list",     "Add Linux capabilities" },                                                     \
        { "cap-drop",            0,   OPTION_LIST,   "list",     "Drop Linux capabilities" },                                                    \
        { "cgroup-parent",       0,   OPTION_STRING, "string",   "Slice of the container's scope" },                                             \
        { "cgroupns",            0,   OPTION_STRING, "string",   "Cgroup namespace to use (host|private); '': as the engine is configured" },    \
        { "cidfile",             0,   OPTION_STRING, "string",   "Write the container ID to the file" },                                         \
        { "cpu-count",           0,   OPTION_STRING, "int",      NULL },                                                                         \
        { "cpu-percent",         0,   OPTION_STRING, "int",      NULL },                                                                         \
        { "cpu-period",          0,   OPTION_STRING, "int",      "Limit CPU CFS (Completely Fair Scheduler) period" },                           \
        { "cpu-quota",           0,   OPTION_STRING, "int",      "Limit CPU CFS (Completely Fair Scheduler) quota" },                            \
        { "cpu-rt-period",       0,   OPTION_STRING, "int",      "Limit CPU real-time period in microseconds" },                                 \
        { "cpu-rt-runtime",      0,   OPTION_STRING, "int",      "Limit CPU real-time runtime in microseconds" },                                \
        { "cpu-shares",          'c', OPTION_STRING, "int",      "CPU shares (relative weight)" },                                               \
        { "cpus",                0,   OPTION_STRING, "decimal",  "Number of CPUs" },                                                             \
        { "cpuset-cpus",         0,   OPTION_STRING, "string",   "CPUs in which to allow execution (0-3, 0,1)" },                                \
        { "cpuset-mems",         0,   OPTION_STRING, "string",   "MEMs in which to allow execution (0-3, 0,1)" },                                \
        { "device",              0,   OPTION_LIST,   "list",     "Add a host device to the container" },                                         \
        { "device-cgroup-rule",  0,   OPTION_LIST,   "list",     "Add a rule to the cgroup allowed devices list" },                              \
        { "device-read-bps",     0,   OPTION_LIST,   "list",     "Limit read rate (bytes per second) from a device", "[]" },                     \
        { "device-read-iops",    0,   OPTION_LIST,   "list",     "Limit read rate (IO per second) from a device", "[]" },                        \
        { "device-write-bps",    0,   OPTION_LIST,   "list",     "Limit write rate (bytes per second) to a device", "[]" },                      \
        { "device-write-iops",   0,   OPTION_LIST,   "list",     "Limit write rate (IO per second) to a device", "[]" },                         \
        { "disable-content-trust", 0, OPTION_FLAG,   NULL,       NULL },                                                                         \
        { "dns",                 0,   OPTION_LIST,   "list",     "Set custom DNS servers" },                                                     \
        { "dns-opt",             0,   OPTION_LIST,   "list",     NULL },                                                                         \
        { "dns-option",          0,   OPTION_LIST,   "list",     "Set DNS options" },                                                            \
        { "dns-search",          0,   OPTION_LIST,   "list",     "Set custom DNS search domains" },                                              \
        { "domainname",          0,   OPTION_STRING, "string",   "Container NIS domain name" },                                                  \
        { "entrypoint",          0,   OPTION_STRING, "string",   "Overwrite the default ENTRYPOINT of the image" },                              \
        { "env",                 'e', OPTION_LIST,   "list",     "Set environment variables" },                                                  \
        { "env-file",            0,   OPTION_LIST,   "list",     "Read in a file of environment variables" },                                    \
        { "expose",              0,   OPTION_LIST,   "list",     "Expose a port or a range of ports" },                                          \
        { "gpus",                0,   OPTION_LIST,   "gpu-request", "GPU devices to add to the container ('all' to pass all GPUs)" },            \
        { "group-add",           0,   OPTION_LIST,   "list",     "Add additional groups to join" },                                              \
        { "health-cmd",          0,   OPTION_STRING, "string",   "Command to run to check health" },                                             \
        { "health-interval",     0,   OPTION_STRING, "duration", "Time between running the check (ms|s|m|h)", "0s" },                            \
        { "health-retries",      0,   OPTION_STRING, "int",      "Consecutive failures needed to report unhealthy" },                            \
        { "health-start-interval", 0, OPTION_STRING, "duration", "Time between running the check during the start period (ms|s|m|h)", "0s" },    \
        { "health-start-period", 0,   OPTION_STRING, "duration", "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)", "0s" }, \
        { "health-timeout",      0,   OPTION_STRING, "duration", "Maximum time to allow one check to run (ms|s|m|h)", "0s" },                    \
        { "hostname",            'h', OPTION_STRING, "string",   "Container host name" },                                                        \
        { "init",                0,   OPTION_FLAG,   NULL,       "Run an init inside the container that forwards signals and reaps processes" }, \
        { "interactive",         'i', OPTION_FLAG,   NULL,       "Keep STDIN open even if not attached" },                                       \
        { "io-maxbandwidth",     0,   OPTION_STRING, "bytes",    NULL },                                                                         \
        { "io-maxiops",          0,   OPTION_STRING, "uint",     NULL },                                                                         \
        { "ip",                  0,   OPTION_STRING, "string",   "IPv4 address (e.g., 172.30.100.104)" },                                        \
        { "ip6",                 0,   OPTION_STRING, "string",   "IPv6 address (e.g., 2001:db8::33)" },                                          \
        { "ipc",                 0,   OPTION_STRING, "string",   "IPC mode to use" },                                                            \
        { "isolation",           0,   OPTION_STRING, "string",   "Container isolation technology" },                                             \
        { "kernel-memory",       0,   OPTION_STRING, "bytes",    NULL },                                                                         \
        { "label",               'l', OPTION_KEYED,  "list",     "Set meta data on a container" },                                               \
        { "label-file",          0,   OPTION_LIST,   "list",     "Read in a line delimited file of labels" },                                    \
        { "link",                0,   OPTION_LIST,   "list",     "Add link to another container" },                                              \
        { "link-local-ip",       0,   OPTION_LIST,   "list",     "Container IPv4/IPv6 link-local addresses" },                                   \
        { "log-driver",          0,   OPTION_STRING, "string",   "Logging driver for the container" },                                           \
        { "log-opt",             0,   OPTION_KEYED,  "list",     "Log driver options" },                                                         \
        { "mac-address",         0,   OPTION_STRING, "string",   "Container MAC address (e.g., 92:d0:c6:0a:29:33)" },                            \
        { "memory",              'm', OPTION_STRING, "bytes",    "Memory limit" },                                                               \
        { "memory-reservation",  0,   OPTION_STRING, "bytes",    "Memory soft limit" },                                                          \
        { "memory-swap",         0,   OPTION_STRING, "bytes",    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap" },        \
        { "memory-swappiness",   0,   OPTION_STRING, "int",      "Tune container memory swappiness (0 to 100)", "-1" },                          \
        { "mount",               0,   OPTION_LIST,   "mount",    "Attach a filesystem mount to the container" },                                 \
        { "name",                0,   OPTION_STRING, "string",   "Assign a name to the container" },                                             \
        { "net",                 0,   OPTION_LIST,   "network",  NULL },                                                                         \
        { "net-alias",           0,   OPTION_LIST,   "list",     NULL },                                                                         \
        { "network",             0,   OPTION_LIST,   "network",  "Connect a container to a network" },                                           \
        { "network-alias",       0,   OPTION_LIST,   "list",     "Add network-scoped alias for the container" },                                 \
        { "no-healthcheck",      0,   OPTION_FLAG,   NULL,       "Disable any container-specified HEALTHCHECK" },                                \
        { "oom-kill-disable",    0,   OPTION_FLAG,   NULL,       "Disable OOM Killer" },                                                         \
        { "oom-score-adj",       0,   OPTION_STRING, "int",      "Tune host's OOM preferences (-1000 to 1000)" },                                \
        { "pid",                 0,   OPTION_STRING, "string",   "PID namespace to use" },                                                       \
        { "pids-limit",          0,   OPTION_STRING, "int",      "Tune container pids limit (set -1 for unlimited)" },                           \
        { "platform",            0,   OPTION_STRING, "string",   "Set platform if server is multi-platform capable" },                           \
        { "privileged",          0,   OPTION_FLAG,   NULL,       "Give extended privileges to this container" },                                 \
        { "publish",             'p', OPTION_LIST,   "list",     "Publish a container's port(s) to the host" },                                  \
        { "publish-all",         'P', OPTION_FLAG,   NULL,       "Publish all exposed ports to random ports" },                                  \
        { "pull",                0,   OPTION_STRING, "string",   "Pull image before running (\"always\", \"missing\", \"never\")", "\"missing\"" }, \
        { "quiet",               'q', OPTION_FLAG,   NULL,       "Suppress the pull output" },                                                   \
        { "read-only",           0,   OPTION_FLAG,   NULL,       "Mount the container's root filesystem as read only" },                         \
        { "restart",             0,   OPTION_STRING, "string",   "Restart policy to apply when a container exits", "\"no\"" },                   \
        { "rm",                  0,   OPTION_FLAG,   NULL,       "Automatically remove the container and its associated anonymous volumes when it exits" }, \
        { "runtime",             0,   OPTION_STRING, "string",   "Runtime to use for this container" },                                          \
        { "security-opt",        0,   OPTION_LIST,   "list",     "Security Options" },                                                           \
        { "shm-size",            0,   OPTION_STRING, "bytes",    "Size of /dev/shm" },                                                           \
        { "stop-signal",         0,   OPTION_STRING, "string",   "Signal to stop the container" },                                               \
        { "stop-timeout",        0,   OPTION_STRING, "int",      "Timeout (in seconds) to stop a container" },                                   \
        { "storage-opt",         0,   OPTION_LIST,   "list",     "Storage driver options for the container" },                                   \
        { "sysctl",              0,   OPTION_KEYED,  "map",      "Sysctl options", "map[]" },                                                    \
        { "tmpfs",               0,   OPTION_LIST,   "list",     "Mount a tmpfs directory" },                                                    \
        { "tty",                 't', OPTION_FLAG,   NULL,       "Allocate a pseudo-TTY" },                                                      \
        { "ulimit",              0,   OPTION_LIST,   "ulimit",   "Ulimit options", "[]" },                                                       \
        { "use-api-socket",      0,   OPTION_FLAG,   NULL,       "Bind mount the engine's API socket" },                                         \
        { "user",                'u', OPTION_STRING, "string",   "Username or UID (format: <name|uid>[:<group|gid>])" },                         \
        { "userns",              0,   OPTION_STRING, "string",   "User namespace to use" },                                                      \
        { "uts",                 0,   OPTION_STRING, "string",   "UTS namespace to use" },                                                       \
        { "volume",              'v', OPTION_LIST,   "list",     "Bind mount a volume" },                                                        \
        { "volume-driver",       0,   OPTION_STRING, "string",   "Optional volume driver for the container" },                                   \
        { "volumes-from",        0,   OPTION_LIST,   "list",     "Mount volumes from the specified container(s)" },                              \
        { "workdir",             'w', OPTION_STRING, "string",   "Working directory inside the container" }

const Option create_options[] = { RUN_OPTIONS, {} };
const Option run_options[] = {
        { "detach",      'd', OPTION_FLAG,   NULL,     "Run container in background and print container ID" },
        { "detach-keys", 0,   OPTION_STRING, "string", "Override the key sequence for detaching a container" },
        { "sig-proxy",   0,   OPTION_FLAG,   NULL,     "Proxy received signals to the process", "true" },
        RUN_OPTIONS, {}
};
/* clang-format on */
