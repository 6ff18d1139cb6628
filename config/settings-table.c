/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/settings-table.h"

#include <string.h>

#include "config/settings-store.h"
#include "config/settings.h"
#include "lib/base/macro.h"
#include "stauer-config.h"

#define ACT(function, member) .store = (function), .offset = offsetof(Settings, member)

/* In the order of --help. A row without ACTS is known, checked, and named in a warning. */
/* clang-format off */
const Setting settings_table[] = {
        /* API listeners and TLS */
        { "host", "hosts", 'H', SETTING_HOST, NULL, "unix:///run/docker.sock", SECTION_LISTENERS,
          SETTING_ACTS | SETTING_MULTI, ACT(setting_store_host, hosts),
          .help = "Socket to serve: unix://PATH, tcp://HOST:PORT or fd:// (the one systemd "
                  "opened)" },
        { "group", "group", 'G', SETTING_STRING, NULL, "docker", SECTION_LISTENERS, SETTING_ACTS,
          ACT(setting_store_string, group), .help = "Group that owns the unix socket" },
        { "tls", "tls", 0, SETTING_BOOL, NULL, "false", SECTION_LISTENERS, SETTING_ACTS,
          ACT(setting_store_bool, tls), .help = "TLS on TCP sockets; implied by --tlsverify" },
        { "tlsverify", "tlsverify", 0, SETTING_BOOL, NULL, "false", SECTION_LISTENERS, SETTING_ACTS,
          ACT(setting_store_bool, tls_verify),
          .help = "TLS on TCP sockets, and only clients with a certificate" },
        { "tlscacert", "tlscacert", 0, SETTING_STRING, NULL, "", SECTION_LISTENERS, SETTING_ACTS,
          ACT(setting_store_string, tls_authorities),
          .help = "File with the certificates of authorities that sign clients" },
        { "tlscert", "tlscert", 0, SETTING_STRING, NULL, "", SECTION_LISTENERS, SETTING_ACTS,
          ACT(setting_store_string, tls_certificate), .help = "File with the server's certificate" },
        { "tlskey", "tlskey", 0, SETTING_STRING, NULL, "", SECTION_LISTENERS, SETTING_ACTS,
          ACT(setting_store_string, tls_key), .help = "File with the server's key" },
        { "authorization-plugin", "authorization-plugins", 0, SETTING_STRING, NULL, "",
          SECTION_LISTENERS, SETTING_MULTI | SETTING_LIVE,
          .help = "Authorization plugin to ask for each request" },
        { "metrics-addr", "metrics-addr", 0, SETTING_STRING, NULL, "", SECTION_LISTENERS, 0,
          .help = "Address that serves metrics for Prometheus" },
        { NULL, "min-api-version", 0, SETTING_STRING, NULL, "1.24", SECTION_LISTENERS, 0,
          .help = "Oldest version of the API to serve" },

        /* Daemon process */
        { "sysconfig-file", NULL, 0, SETTING_PATH, NULL, SETTINGS_DEFAULT_SYSCONFIG_FILE,
          SECTION_DAEMON, SETTING_ACTS | SETTING_COMMAND_LINE,
          ACT(setting_store_string, sysconfig_file), .help = "File with DOCKER_OPTS" },
        { "config-file", NULL, 0, SETTING_PATH, NULL, SETTINGS_DEFAULT_CONFIG_FILE, SECTION_DAEMON,
          SETTING_ACTS, ACT(setting_store_string, config_file),
          .help = "File with options in JSON" },
        { "lens-dir", NULL, 0, SETTING_PATH, NULL, LENSDIR, SECTION_DAEMON,
          SETTING_ACTS | SETTING_COMMAND_LINE | SETTING_HIDDEN, ACT(setting_store_string, lens_dir),
          .help = "Folder with the Augeas lens" },
        { "configd", NULL, 0, SETTING_PATH, NULL, PKGLIBEXECDIR "/stauer-configd", SECTION_DAEMON,
          SETTING_ACTS | SETTING_COMMAND_LINE | SETTING_HIDDEN, ACT(setting_store_string, configd),
          .help = "Program that reads the file with DOCKER_OPTS" },
        { "validate", NULL, 0, SETTING_BOOL, NULL, "false", SECTION_DAEMON,
          SETTING_ACTS | SETTING_COMMAND_LINE, .store = setting_store_verb,
          .offset = SETTINGS_VALIDATE, .help = "Check the options, say so and end" },
        { "version", NULL, 'v', SETTING_BOOL, NULL, "false", SECTION_DAEMON,
          SETTING_ACTS | SETTING_COMMAND_LINE, .store = setting_store_verb,
          .offset = SETTINGS_VERSION, .help = "Print the version and end" },
        { "help", NULL, 'h', SETTING_BOOL, NULL, "false", SECTION_DAEMON,
          SETTING_ACTS | SETTING_COMMAND_LINE, .store = setting_store_verb, .offset = SETTINGS_HELP,
          .help = "Print this text and end" },
        { "data-root", "data-root", 'g', SETTING_PATH, NULL, "/var/lib/docker", SECTION_DAEMON,
          SETTING_ACTS, ACT(setting_store_string, data_root),
          .help = "Folder of images, containers, volumes and networks" },
        { "graph", "graph", 0, SETTING_PATH, NULL, "/var/lib/docker", SECTION_DAEMON,
          SETTING_ACTS | SETTING_DEPRECATED, ACT(setting_store_string, data_root),
          .alias_of = "data-root", .help = "Old name of --data-root" },
        { "exec-root", "exec-root", 0, SETTING_PATH, NULL, "/run/stauer", SECTION_DAEMON,
          SETTING_ACTS, ACT(setting_store_string, exec_root),
          .help = "Folder of what lives only until the next boot" },
        { "pidfile", "pidfile", 'p', SETTING_PATH, NULL, "/var/run/docker.pid", SECTION_DAEMON, 0,
          .help = "File for the process id; systemd knows it anyway" },
        { "debug", "debug", 'D', SETTING_BOOL, NULL, "false", SECTION_DAEMON,
          SETTING_ACTS | SETTING_LIVE, ACT(setting_store_bool, debug),
          .help = "Debug messages in the journal" },
        { "log-level", "log-level", 'l', SETTING_ENUM, "trace,debug,info,warn,error,fatal,panic",
          "info", SECTION_DAEMON, SETTING_ACTS | SETTING_LIVE, ACT(setting_store_log_level, log_level),
          .help = "How much the daemon itself writes to the journal" },
        { "log-format", "log-format", 0, SETTING_ENUM, "text,json", "text", SECTION_DAEMON, 0,
          .help = "Format of the daemon's own messages; the journal has fields" },
        { "raw-logs", "raw-logs", 0, SETTING_BOOL, NULL, "false", SECTION_DAEMON, 0,
          .help = "Full time stamps and no colour in the daemon's own messages" },
        { "label", "labels", 0, SETTING_KEY_VALUE, NULL, "", SECTION_DAEMON,
          SETTING_ACTS | SETTING_LIVE | SETTING_MULTI, ACT(setting_store_label, labels),
          .help = "Label of this host, key=value, shown by info" },
        { "live-restore", "live-restore", 0, SETTING_BOOL, NULL, "false", SECTION_DAEMON,
          SETTING_LIVE, .help = "Containers outlive the daemon; here they always do" },
        { "shutdown-timeout", "shutdown-timeout", 0, SETTING_INT, ":", "15", SECTION_DAEMON,
          SETTING_LIVE, .help = "Seconds that containers may take to stop when the daemon ends" },
        { "default-stop-timeout", "default-stop-timeout", 0, SETTING_INT, "0:", "10",
          SECTION_DAEMON, SETTING_LIVE,
          .help = "Seconds between the stop signal and the kill, for containers without their "
                  "own" },
        { "experimental", "experimental", 0, SETTING_BOOL, NULL, "false", SECTION_DAEMON, 0,
          .help = "Experimental features" },
        { "feature", "features", 0, SETTING_KEY_VALUE, NULL, "", SECTION_DAEMON,
          SETTING_ACTS | SETTING_LIVE | SETTING_MULTI | SETTING_MAP,
          ACT(setting_store_feature, features),
          .help = "Turn a feature on or off, name=true or name=false" },
        { "rootless", "rootless", 0, SETTING_BOOL, NULL, "false", SECTION_DAEMON, 0,
          .help = "Run without root" },
        { "http-proxy", "http-proxy", 0, SETTING_STRING, NULL, "", SECTION_DAEMON,
          SETTING_ACTS | SETTING_SENSITIVE, ACT(setting_store_string, http_proxy),
          .help = "Proxy for http requests of the daemon" },
        { "https-proxy", "https-proxy", 0, SETTING_STRING, NULL, "", SECTION_DAEMON,
          SETTING_ACTS | SETTING_SENSITIVE, ACT(setting_store_string, https_proxy),
          .help = "Proxy for https requests of the daemon" },
        { "no-proxy", "no-proxy", 0, SETTING_STRING, NULL, "", SECTION_DAEMON, SETTING_ACTS,
          ACT(setting_store_string, no_proxy),
          .help = "Hosts that are reached without a proxy, separated by commas" },
        { "network-diagnostic-port", "network-diagnostic-port", 0, SETTING_INT, "0:65535", "0",
          SECTION_DAEMON, SETTING_LIVE | SETTING_HIDDEN | SETTING_NEVER,
          .help = "Port of the swarm network's diagnostic server" },
        { "restart", NULL, 'r', SETTING_BOOL, NULL, "true", SECTION_DAEMON,
          SETTING_DEPRECATED | SETTING_HIDDEN | SETTING_NEVER,
          .help = "Without effect since restart policies are per container" },

        /* Container defaults */
        { "exec-opt", "exec-opts", 0, SETTING_KEY_VALUE, NULL, "", SECTION_CONTAINERS,
          SETTING_MULTI,
          .help = "Option of the runtime; native.cgroupdriver is always systemd here" },
        { "cgroup-parent", "cgroup-parent", 0, SETTING_SLICE, NULL, "machine.slice",
          SECTION_CONTAINERS, SETTING_ACTS, ACT(setting_store_string, cgroup_parent),
          .help = "Slice for the scopes of containers" },
        { "default-cgroupns-mode", "default-cgroupns-mode", 0, SETTING_ENUM, "host,private",
          "private", SECTION_CONTAINERS, SETTING_ACTS | SETTING_LIVE,
          ACT(setting_store_string, default_cgroupns_mode), .help = "Cgroup namespace of containers" },
        { "default-ipc-mode", "default-ipc-mode", 0, SETTING_ENUM, "private,shareable", "private",
          SECTION_CONTAINERS, SETTING_ACTS | SETTING_LIVE,
          ACT(setting_store_string, default_ipc_mode), .help = "IPC namespace of containers" },
        { "default-shm-size", "default-shm-size", 0, SETTING_SIZE, NULL, "64M", SECTION_CONTAINERS,
          SETTING_ACTS | SETTING_LIVE, ACT(setting_store_size, default_shm_size),
          .help = "Size of /dev/shm in containers" },
        { "default-ulimit", "default-ulimits", 0, SETTING_ULIMIT, NULL, "", SECTION_CONTAINERS,
          SETTING_ACTS | SETTING_MULTI | SETTING_MAP, .store = setting_store_ulimit,
          .help = "Limit for containers that do not set it themselves, name=soft[:hard]" },
        { "default-runtime", "default-runtime", 0, SETTING_STRING, NULL, SETTINGS_DEFAULT_RUNTIME,
          SECTION_CONTAINERS, SETTING_ACTS | SETTING_LIVE,
          ACT(setting_store_string, default_runtime),
          .help = "OCI runtime for containers that do not ask for one" },
        { "add-runtime", "runtimes", 0, SETTING_RUNTIME, NULL, "", SECTION_CONTAINERS,
          SETTING_ACTS | SETTING_LIVE | SETTING_MULTI | SETTING_MAP | SETTING_BOTH,
          .store = setting_store_runtime, .help = "A further OCI runtime, name=path" },
        { "init", "init", 0, SETTING_BOOL, NULL, "false", SECTION_CONTAINERS, SETTING_ACTS,
          ACT(setting_store_bool, init), .help = "An init process in containers that do not say otherwise" },
        { "init-path", "init-path", 0, SETTING_STRING, NULL, "", SECTION_CONTAINERS, SETTING_ACTS,
          ACT(setting_store_string, init_path), .help = "Program for --init" },
        { "seccomp-profile", "seccomp-profile", 0, SETTING_STRING, NULL, "builtin",
          SECTION_CONTAINERS, SETTING_ACTS, ACT(setting_store_string, seccomp_profile),
          .help = "System call filter: builtin, unconfined or a JSON file" },
        { "no-new-privileges", "no-new-privileges", 0, SETTING_BOOL, NULL, "false",
          SECTION_CONTAINERS, SETTING_ACTS, ACT(setting_store_bool, no_new_privileges),
          .help = "Set no_new_privs for containers that do not say otherwise" },
        { "selinux-enabled", "selinux-enabled", 0, SETTING_BOOL, NULL, "false", SECTION_CONTAINERS,
          0, .help = "SELinux labels for containers" },
        { "userns-remap", "userns-remap", 0, SETTING_STRING, NULL, "", SECTION_CONTAINERS, 0,
          .help = "User whose subordinate ids containers get" },
        { "cpu-rt-period", "cpu-rt-period", 0, SETTING_INT, "0:", "0", SECTION_CONTAINERS,
          SETTING_NEVER, .help = "Of cgroup v1 only" },
        { "cpu-rt-runtime", "cpu-rt-runtime", 0, SETTING_INT, "0:", "0", SECTION_CONTAINERS,
          SETTING_NEVER, .help = "Of cgroup v1 only" },
        { "cdi-spec-dir", "cdi-spec-dirs", 0, SETTING_STRING, NULL, "", SECTION_CONTAINERS,
          SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, cdi_dirs),
          .help = "Folder with CDI device files, instead of /etc/cdi and /var/run/cdi; an empty one turns that off" },
        { "nri-opts", "nri-opts", 0, SETTING_STRING, NULL, "", SECTION_CONTAINERS,
          SETTING_LIVE | SETTING_NEVER, .help = "Of containerd's plugin interface" },

        /* Logging of containers */
        { "log-driver", "log-driver", 0, SETTING_ENUM, "json-file,journald,local,none,syslog",
          "json-file",
          SECTION_LOGGING, SETTING_ACTS, ACT(setting_store_string, log_driver),
          .help = "Where the output of containers goes" },
        { "log-opt", "log-opts", 0, SETTING_KEY_VALUE, NULL, "", SECTION_LOGGING,
          SETTING_ACTS | SETTING_MULTI | SETTING_MAP, ACT(setting_store_map, log_opts),
          .help = "Option of the log driver, key=value" },

        /* Images and storage */
        { "storage-driver", "storage-driver", 's', SETTING_STORAGE_DRIVER, "overlay2,vfs", "",
          SECTION_STORAGE, SETTING_ACTS, ACT(setting_store_string, storage_driver),
          .help = "How layers are kept: overlay2 or vfs; what fits the data root when not given" },
        { "storage-opt", "storage-opts", 0, SETTING_KEY_VALUE, NULL, "", SECTION_STORAGE,
          SETTING_MULTI, ACT(setting_store_strv, storage_opts),
          .help = "Option of the storage driver, key=value" },
        { "insecure-registry", "insecure-registries", 0, SETTING_STRING, NULL, "", SECTION_STORAGE,
          SETTING_ACTS | SETTING_LIVE | SETTING_MULTI, ACT(setting_store_strv, insecure_registries),
          .help = "Registry that may be reached without or with bad TLS" },
        { "registry-mirror", "registry-mirrors", 0, SETTING_URL, NULL, "", SECTION_STORAGE,
          SETTING_ACTS | SETTING_LIVE | SETTING_MULTI, ACT(setting_store_strv, registry_mirrors),
          .help = "Mirror of docker.io" },
        { "max-concurrent-downloads", "max-concurrent-downloads", 0, SETTING_INT, "0:1000", "3",
          SECTION_STORAGE, SETTING_ACTS | SETTING_LIVE, ACT(setting_store_unsigned, max_downloads),
          .help = "Layers that one pull fetches at once" },
        { "max-concurrent-uploads", "max-concurrent-uploads", 0, SETTING_INT, "0:1000", "5",
          SECTION_STORAGE, SETTING_LIVE, .help = "Layers that one push sends at once" },
        { "max-download-attempts", "max-download-attempts", 0, SETTING_INT, "0:1000", "5",
          SECTION_STORAGE, SETTING_ACTS | SETTING_LIVE, ACT(setting_store_unsigned, max_attempts),
          .help = "How often the download of a layer is tried" },
        { NULL, "builder", 0, SETTING_STRING, NULL, "", SECTION_STORAGE, 0,
          .help = "Limits of the build cache" },

        /* Default bridge network */
        { "bridge", "bridge", 'b', SETTING_STRING, NULL, "docker0", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, bridge),
          .help = "Existing bridge for containers; none turns the default bridge off" },
        { "bip", "bip", 0, SETTING_CIDR, NULL, "172.17.0.1/16", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, bip),
          .help = "IPv4 address of the default bridge" },
        { "bip6", "bip6", 0, SETTING_CIDR, NULL, "", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, bip6),
          .help = "IPv6 address of the default bridge" },
        { "fixed-cidr", "fixed-cidr", 0, SETTING_CIDR, NULL, "", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, fixed_cidr),
          .help = "IPv4 range for containers on the default bridge" },
        { "fixed-cidr-v6", "fixed-cidr-v6", 0, SETTING_CIDR, NULL, "", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, fixed_cidr6),
          .help = "IPv6 range for containers on the default bridge" },
        { "default-gateway", "default-gateway", 0, SETTING_IP, NULL, "", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, gateway4),
          .help = "IPv4 gateway of containers on the default bridge" },
        { "default-gateway-v6", "default-gateway-v6", 0, SETTING_IP, NULL, "", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, gateway6),
          .help = "IPv6 gateway of containers on the default bridge" },
        { "icc", "icc", 0, SETTING_BOOL, NULL, "true", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_bool, icc),
          .help = "Containers on the default bridge may talk to each other" },
        { "ip", "ip", 0, SETTING_IP, NULL, "0.0.0.0", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_string, publish_ip),
          .help = "Address for published ports that name none" },
        { "ip-masq", "ip-masq", 0, SETTING_BOOL, NULL, "true", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_bool, ip_masq),
          .help = "Masquerade what leaves the default bridge" },
        { "ipv6", "ipv6", 0, SETTING_BOOL, NULL, "false", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_bool, ipv6),
          .help = "IPv6 on the default bridge" },
        { "mtu", "mtu", 0, SETTING_INT, "0:65535", "1500", SECTION_BRIDGE, SETTING_ACTS, ACT(setting_store_unsigned, mtu),
          .help = "MTU of the default bridge" },

        /* Networking, all */
        { "ip-forward", "ip-forward", 0, SETTING_BOOL, NULL, "true", SECTION_NETWORK, SETTING_ACTS, ACT(setting_store_bool, ip_forward),
          .help = "Turn forwarding of the host on" },
        { "ip-forward-no-drop", "ip-forward-no-drop", 0, SETTING_BOOL, NULL, "false",
          SECTION_NETWORK, SETTING_ACTS, ACT(setting_store_bool, ip_forward_no_drop), .help = "Do not set the policy of forwarding to drop" },
        { "iptables", "iptables", 0, SETTING_BOOL, NULL, "true", SECTION_NETWORK, SETTING_ACTS, ACT(setting_store_bool, iptables),
          .help = "Write firewall rules" },
        { "ip6tables", "ip6tables", 0, SETTING_BOOL, NULL, "true", SECTION_NETWORK, SETTING_ACTS, ACT(setting_store_bool, ip6tables),
          .help = "Write firewall rules for IPv6" },
        { "firewall-backend", "firewall-backend", 0, SETTING_ENUM, ",iptables,nftables", "",
          SECTION_NETWORK, 0, .help = "Firewall to use; it is always nftables here" },
        { "allow-direct-routing", "allow-direct-routing", 0, SETTING_BOOL, NULL, "false",
          SECTION_NETWORK, SETTING_ACTS, ACT(setting_store_bool, allow_direct_routing), .help = "Published ports are reached by the addresses of containers too" },
        { "bridge-accept-fwmark", "bridge-accept-fwmark", 0, SETTING_STRING, NULL, "",
          SECTION_NETWORK, 0, .help = "Accept packets with this mark, mark[/mask]" },
        { "userland-proxy", "userland-proxy", 0, SETTING_BOOL, NULL, "true", SECTION_NETWORK, 0,
          .help = "A proxy process for published ports" },
        { "userland-proxy-path", "userland-proxy-path", 0, SETTING_STRING, NULL, "",
          SECTION_NETWORK, 0, .help = "Program for --userland-proxy" },
        { "default-address-pool", "default-address-pools", 0, SETTING_STRING, NULL, "",
          SECTION_NETWORK, SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, address_pools), .help = "Range for new networks, base=CIDR,size=N" },
        { "default-network-opt", "default-network-opts", 0, SETTING_KEY_VALUE, NULL, "",
          SECTION_NETWORK, SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, network_opts),
          .help = "Option for new networks of a driver, driver=key=value" },
        { "dns", "dns", 0, SETTING_IP, NULL, "", SECTION_NETWORK, SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, dns),
          .help = "Name server for containers" },
        { "dns-opt", "dns-opts", 0, SETTING_STRING, NULL, "", SECTION_NETWORK, SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, dns_opts),
          .help = "Option of resolv.conf for containers" },
        { "dns-search", "dns-search", 0, SETTING_STRING, NULL, "", SECTION_NETWORK, SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, dns_search),
          .help = "Search domain for containers" },
        { "host-gateway-ip", "host-gateway-ips", 0, SETTING_IP, NULL, "", SECTION_NETWORK,
          SETTING_ACTS | SETTING_MULTI, ACT(setting_store_strv, host_gateway_ips), .help = "Address behind the name host-gateway" },
        { "network-control-plane-mtu", "network-control-plane-mtu", 0, SETTING_INT, "0:65535",
          "1500", SECTION_NETWORK, SETTING_NEVER, .help = "Of swarm" },

        /* Swarm and containerd */
        { "swarm-default-advertise-addr", "swarm-default-advertise-addr", 0, SETTING_STRING, NULL,
          "", SECTION_SWARM, SETTING_NEVER, .help = "Of swarm" },
        { "node-generic-resource", "node-generic-resources", 0, SETTING_STRING, NULL, "",
          SECTION_SWARM, SETTING_NEVER | SETTING_MULTI, .help = "Of swarm" },
        { "containerd", "containerd", 0, SETTING_STRING, NULL, "", SECTION_SWARM, SETTING_NEVER,
          .help = "Of containerd" },
        { "containerd-namespace", "containerd-namespace", 0, SETTING_STRING, NULL, "moby",
          SECTION_SWARM, SETTING_NEVER, .help = "Of containerd" },
        { "containerd-plugins-namespace", "containerd-plugins-namespace", 0, SETTING_STRING, NULL,
          "plugins.moby", SECTION_SWARM, SETTING_NEVER, .help = "Of containerd" },
        { "cri-containerd", "cri-containerd", 0, SETTING_BOOL, NULL, "false", SECTION_SWARM,
          SETTING_NEVER, .help = "Of containerd" },
        { NULL, "deprecated-key-path", 0, SETTING_STRING, NULL, "", SECTION_SWARM,
          SETTING_NEVER | SETTING_DEPRECATED, .help = "Leftover that dockerd ignores too" },
        { NULL, "allow-nondistributable-artifacts", 0, SETTING_STRING, NULL, "", SECTION_SWARM,
          SETTING_NEVER | SETTING_DEPRECATED | SETTING_MULTI,
          .help = "Leftover that dockerd ignores too" },
};
/* clang-format on */

const size_t settings_table_size = ARRAY_SIZE(settings_table);

static const char *const type_names[_SETTING_TYPE_MAX] = {
        [SETTING_BOOL] = "boolean",
        [SETTING_INT] = "integer",
        [SETTING_SIZE] = "size",
        [SETTING_ENUM] = "enum",
        [SETTING_STRING] = "string",
        [SETTING_PATH] = "path",
        [SETTING_SLICE] = "slice",
        [SETTING_HOST] = "host",
        [SETTING_URL] = "url",
        [SETTING_IP] = "ip",
        [SETTING_CIDR] = "cidr",
        [SETTING_KEY_VALUE] = "key=value",
        [SETTING_RUNTIME] = "runtime",
        [SETTING_ULIMIT] = "ulimit",
        [SETTING_STORAGE_DRIVER] = "storage-driver",
};

static const char *const section_names[_SECTION_MAX] = {
        [SECTION_LISTENERS] = "Listeners and TLS",
        [SECTION_DAEMON] = "Daemon",
        [SECTION_CONTAINERS] = "Container defaults",
        [SECTION_LOGGING] = "Logging of containers",
        [SECTION_STORAGE] = "Images and storage",
        [SECTION_BRIDGE] = "Default bridge network",
        [SECTION_NETWORK] = "Networking",
        [SECTION_SWARM] = "Swarm and containerd",
};

const Setting *setting_find(const char *name) {
        for (size_t i = 0; name && i < settings_table_size; i++)
                if (settings_table[i].name && strcmp(settings_table[i].name, name) == 0)
                        return settings_table + i;
        return NULL;
}

const Setting *setting_find_shorthand(char c) {
        for (size_t i = 0; c != 0 && i < settings_table_size; i++)
                if (settings_table[i].shorthand == c)
                        return settings_table + i;
        return NULL;
}

const Setting *setting_find_json(const char *key) {
        for (size_t i = 0; key && i < settings_table_size; i++)
                if (settings_table[i].json_key && strcmp(settings_table[i].json_key, key) == 0)
                        return settings_table + i;
        return NULL;
}

const Setting *setting_resolve(const Setting *row) {
        return row && row->alias_of ? setting_find(row->alias_of) : row;
}

size_t setting_index(const Setting *row) {
        return (size_t) (row - settings_table);
}

const char *setting_id(const Setting *row) {
        return row->name ?: row->json_key;
}

const char *setting_type_to_string(SettingType t) {
        return t >= 0 && t < _SETTING_TYPE_MAX ? type_names[t] : NULL;
}

const char *setting_section_to_string(SettingSection s) {
        return s >= 0 && s < _SECTION_MAX ? section_names[s] : NULL;
}
