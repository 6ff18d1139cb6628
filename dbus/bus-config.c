/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dbus/bus-config.h"

#include <errno.h>
#include <sys/inotify.h>
#include <time.h>

#include "config/options.h"
#include "config/settings-table.h"
#include "config/sysconfig.h"
#include "dbus/bus-auth.h"
#include "dbus/bus-util.h"
#include "dbus/config-changes.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/base/path.h"
#include "lib/base/str.h"
#include "lib/base/strv.h"

#define CONFIG_PATH      "/org/stauer/Config1"
#define CONFIG_INTERFACE "org.stauer.Config1"
#define SAVE_TRIES_MAX   5U

static void used(BusConfig *c) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        c->last_used_usec = (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

static int load(BusConfig *c, Options **ret, Error *reterr) {
        return options_load(c->sysconfig_file, c->config_file, c->lens_dir, ret, reterr);
}

static void tell_changed(BusConfig *c, const char *etag) {
        if (streq(c->etag, etag))
                return;
        memcpy(c->etag, etag, strlen(etag) + 1);
        (void) sd_bus_emit_signal(
                c->bus, CONFIG_PATH, CONFIG_INTERFACE, "OptionsChanged", "s", etag);
        (void) sd_bus_emit_properties_changed(c->bus, CONFIG_PATH, CONFIG_INTERFACE, "Etag", NULL);
}

static int save_once(BusConfig *c, const char *etag, const OptionChange *changes, size_t n,
        char ret_etag[static 65], Error *reterr) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(freep) char *warning = NULL;
        int r;

        r = load(c, &o, reterr);
        if (r < 0)
                return r;
        if (!str_empty(etag) && !streq(etag, o->file->etag))
                return error_set(reterr, ERROR_CHANGED,
                        "%s was changed by someone else meanwhile; read it again",
                        c->sysconfig_file);

        r = options_change(o, changes, n, reterr);
        if (r < 0)
                return r;
        if (r > 0) {
                r = options_check(o, &warning, reterr);
                if (r < 0)
                        return r;
                if (r == 0)
                        log_warning(
                                "The daemon refuses the options, before and after this change: %s",
                                warning);
                r = sysconfig_save(o->file, reterr);
                if (r < 0)
                        return r;
        }

        memcpy(ret_etag, o->file->etag, 65);
        return r;
}

/* The one way in which anything is written. Who edits for one content of the file is told when it is
 * another; who just wants an option set gets it set in what the file has become. */
static int save(BusConfig *c, const char *etag, const OptionChange *changes, size_t n,
        char ret_etag[static 65], Error *reterr) {
        int r = -ESTALE;

        for (unsigned i = 0; i < SAVE_TRIES_MAX && r == -ESTALE; i++) {
                error_done(reterr);
                r = save_once(c, etag, changes, n, ret_etag, reterr);
                if (!str_empty(etag))
                        break;
        }
        return r;
}

static int save_one(BusConfig *c, sd_bus_message *m, const char *name, char *const *values,
        sd_bus_error *reterr) {
        const char *details[] = { "option", name, NULL };
        _cleanup_(error_done) Error e = {};
        char etag[65];
        int r;

        used(c);
        r = bus_auth(m, AUTH_CONFIG_EDIT, name, details, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = save(c, NULL, &(OptionChange) { .name = name, .values = values }, 1, etag, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        r = sd_bus_reply_method_return(m, "s", etag);
        tell_changed(c, etag);
        return r;
}

static int auth_view(BusConfig *c, sd_bus_message *m, sd_bus_error *reterr) {
        used(c);
        return bus_auth(m, AUTH_CONFIG_VIEW, NULL, NULL, reterr);
}

static int method_list_options(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        BusConfig *c = userdata;
        int r;

        r = auth_view(c, m, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = load(c, &o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = bus_config_append_options(reply, o);
        if (r < 0)
                return r;
        return sd_bus_send(c->bus, reply, NULL);
}

static int method_get(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(strv_freep) char **shown = NULL;
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        const OptionState *state;
        BusConfig *c = userdata;
        const Setting *row;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = auth_view(c, m, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        row = setting_resolve(setting_find(name)) ?: setting_find_json(name);
        if (!row || row->flags & SETTING_COMMAND_LINE) {
                r = error_set(&e, ERROR_NOT_FOUND, "There is no option \"%s\"", name);
                return bus_error(reterr, r, &e);
        }
        r = load(c, &o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        state = options_state(o, row);
        r = option_mask_all(row, state->values, &shown);
        if (r < 0)
                return r;
        if (state->origin == OPTION_DEFAULT && row->default_text[0]) {
                r = strv_add(&shown, row->default_text);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(reply, shown);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "s", option_origin_to_string(state->origin));
        if (r < 0)
                return r;
        return sd_bus_send(c->bus, reply, NULL);
}

static int method_set(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *name, *value;
        int r;

        r = sd_bus_message_read(m, "ss", &name, &value);
        if (r < 0)
                return r;
        return save_one(userdata, m, name, (char *[]) { (char *) value, NULL }, reterr);
}

static int method_set_list(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(strv_freep) char **values = NULL;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        r = sd_bus_message_read_strv(m, &values);
        if (r < 0)
                return r;
        return save_one(userdata, m, name, values, reterr);
}

static int method_unset(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        return save_one(userdata, m, name, NULL, reterr);
}

static const char *raw_options(const Options *o) {
        const SysconfigEntry *e = sysconfig_find(o->file, "DOCKER_OPTS");

        return e ? e->raw : "";
}

static int append_problem(sd_bus_message *m, const OptionProblem *p) {
        int r;

        r = sd_bus_message_open_container(m, 'r', "sss");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ss", p->fatal ? "error" : "warning", str_or_empty(p->name));
        if (r < 0)
                return r;
        r = bus_append_text(m, p->text);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int reply_check(sd_bus_message *m, bool valid, const OptionProblem *problems, size_t n,
        const char *before, const char *after) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "b", valid);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(reply, 'a', "(sss)");
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = append_problem(reply, problems + i);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;
        r = sd_bus_message_append(reply, "ss", before, after);
        if (r < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int method_check(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(config_changes_done) ConfigChanges changes = {};
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(freep) char *before = NULL;
        _cleanup_(error_done) Error e = {};
        OptionProblem *problems = NULL;
        BusConfig *c = userdata;
        size_t n = 0;
        int r, valid;

        r = config_changes_read(m, &changes, reterr);
        if (r < 0)
                return r;
        r = auth_view(c, m, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = load(c, &o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = str_copy(&before, raw_options(o));
        if (r < 0)
                return r;

        valid = options_check_all(o, changes.items, changes.n, &problems, &n);
        if (valid < 0)
                return bus_error(reterr, valid, &e);
        r = reply_check(m, valid, problems, n, before, raw_options(o));
        option_problems_free(problems, n);
        return r;
}

static int method_save(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(config_changes_done) ConfigChanges changes = {};
        _cleanup_(freep) char *names = NULL;
        _cleanup_(error_done) Error e = {};
        BusConfig *c = userdata;
        char new_etag[65];
        const char *etag;
        int r;

        r = sd_bus_message_read(m, "s", &etag);
        if (r < 0)
                return r;
        r = config_changes_read(m, &changes, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < changes.n; i++) {
                r = str_appendf(&names, "%s%s", i > 0 ? "," : "", changes.items[i].name);
                if (r < 0)
                        return r;
        }

        used(c);
        r = bus_auth(m, AUTH_CONFIG_EDIT, str_or_empty(names), NULL, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = save(c, etag, changes.items, changes.n, new_etag, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);

        r = sd_bus_reply_method_return(m, "s", new_etag);
        tell_changed(c, new_etag);
        return r;
}

static int method_save_needs(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        _cleanup_(config_changes_done) ConfigChanges changes = {};
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        BusConfig *c = userdata;
        OptionNeeds needs;
        int r;

        r = config_changes_read(m, &changes, reterr);
        if (r < 0)
                return r;
        r = auth_view(c, m, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = load(c, &o, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        r = options_needs(o, changes.items, changes.n, &needs, &e);
        if (r < 0)
                return bus_error(reterr, r, &e);
        return sd_bus_reply_method_return(m, "s", option_needs_to_string(needs));
}

static int get_etag(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        BusConfig *c = userdata;
        char etag[65] = "";

        used(c);
        (void) sysconfig_read(c->sysconfig_file, NULL, etag, NULL, NULL);
        return sd_bus_message_append(reply, "s", etag);
}

/* State and Message are two sides of one look. */
static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
        sd_bus_message *reply, void *userdata, sd_bus_error *reterr) {
        _cleanup_(options_freep) Options *o = NULL;
        _cleanup_(error_done) Error e = {};
        const char *state, *message;
        BusConfig *c = userdata;
        int r;

        used(c);
        r = load(c, &o, &e);
        if (r < 0) {
                state = "broken";
                message = error_text(&e, r);
        } else {
                state = o->refusal ? "refused" : o->file->exists ? "ok" : "missing";
                message = str_or_empty(o->refusal);
        }
        return streq(property, "State") ? sd_bus_message_append(reply, "s", state)
                                        : bus_append_text(reply, message);
}

static const sd_bus_vtable config_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("ListOptions", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", options),
                method_list_options, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Get", SD_BUS_ARGS("s", name),
                SD_BUS_RESULT("as", values, "s", source), method_get, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Set", SD_BUS_ARGS("s", name, "s", value), SD_BUS_RESULT("s", etag),
                method_set, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetList", SD_BUS_ARGS("s", name, "as", values),
                SD_BUS_RESULT("s", etag), method_set_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unset", SD_BUS_ARGS("s", name), SD_BUS_RESULT("s", etag),
                method_unset, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_ARGS("a(sas)", changes),
                SD_BUS_RESULT("b", valid, "a(sss)", problems, "s", before, "s", after),
                method_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Save", SD_BUS_ARGS("s", etag, "a(sas)", changes),
                SD_BUS_RESULT("s", new_etag), method_save, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SaveNeeds", SD_BUS_ARGS("a(sas)", changes),
                SD_BUS_RESULT("s", needs), method_save_needs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("OptionsChanged", SD_BUS_ARGS("s", etag), 0),
        SD_BUS_PROPERTY("File", "s", NULL, offsetof(BusConfig, sysconfig_file),
                SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Etag", "s", get_etag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("State", "s", get_state, 0, 0),
        SD_BUS_PROPERTY("Message", "s", get_state, 0, 0),
        SD_BUS_VTABLE_END,
};

/* sd-bus answers for properties by itself, without asking anybody; they tell of the file, so they are asked for before it sees them. A
 * call without an interface may reach them. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *reterr) {
        const char *path = sd_bus_message_get_path(m);
        uint8_t type;
        int r;

        r = sd_bus_message_get_type(m, &type);
        if (r < 0 || type != SD_BUS_MESSAGE_METHOD_CALL || !str_equal(path, CONFIG_PATH))
                return 0;
        if (sd_bus_message_get_interface(m) &&
                !sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", NULL))
                return 0;

        r = auth_view(userdata, m, reterr);
        return r < 0 ? r : r == 0; /* asked: dealt with, it comes again */
}

/* An editor or a package renamed or wrote the file while we run. */
static int on_folder(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        BusConfig *c = userdata;
        char etag[65] = "";

        if (event->len == 0 || !streq(event->name, path_last(c->sysconfig_file)))
                return 0;
        if (sysconfig_read(c->sysconfig_file, NULL, etag, NULL, NULL) >= 0)
                tell_changed(c, etag);
        return 0;
}

int bus_config_new(sd_bus *bus, const char *sysconfig_file, const char *config_file,
        const char *lens_dir, BusConfig **ret) {
        _cleanup_(bus_config_freep) BusConfig *c = NULL;
        _cleanup_(freep) char *folder = NULL;
        int r;

        assert(bus);
        assert(sysconfig_file);
        assert(config_file);
        assert(lens_dir);
        assert(ret);

        c = new0(BusConfig, 1);
        if (!c)
                return -ENOMEM;
        c->bus = sd_bus_ref(bus);
        used(c);
        if (str_copy(&c->sysconfig_file, sysconfig_file) < 0 ||
                str_copy(&c->config_file, config_file) < 0 || str_copy(&c->lens_dir, lens_dir) < 0)
                return -ENOMEM;
        (void) sysconfig_read(sysconfig_file, NULL, c->etag, NULL, NULL);

        r = sd_bus_add_filter(bus, &c->filter, on_message, c);
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(
                bus, &c->slot, CONFIG_PATH, CONFIG_INTERFACE, config_vtable, c);
        if (r < 0)
                return r;

        r = path_parent(sysconfig_file, &folder);
        if (r < 0)
                return r;
        r = sd_event_add_inotify(sd_bus_get_event(bus), &c->watch, folder,
                IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE, on_folder, c);
        if (r < 0)
                log_debug_errno(r, "Cannot watch %s, changes by others are not told: %m", folder);
        else
                (void) sd_event_source_set_description(c->watch, "config-folder");

        *ret = TAKE_PTR(c);
        return 0;
}

BusConfig *bus_config_free(BusConfig *c) {
        if (!c)
                return NULL;

        sd_event_source_disable_unref(c->watch);
        sd_bus_slot_unref(c->slot);
        sd_bus_slot_unref(c->filter);
        sd_bus_unref(c->bus);
        free(c->sysconfig_file);
        free(c->config_file);
        free(c->lens_dir);
        return mfree(c);
}
