/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export and changes: a container's layer, as one tree and as the list of what is different. */
#include <errno.h>
#include <stdio.h>

#include "engine/storage/diff.h"
#include "lib/archive/tar-write.h"
#include "lib/base/alloc.h"
#include "lib/base/buffer.h"
#include "lib/base/str.h"
#include "lib/json/json.h"
#include "service/worker/out.h"
#include "service/worker/task.h"

#define PIECE ((size_t) 64 * 1024)

int task_export_run(TaskContext *c, Error *reterr) {
        _cleanup_(tar_writer_freep) TarWriter *t = NULL;
        Out out = { c, c->fds[0] };
        int r;

        r = task_progress(c, /* urgent= */ true, TASK_ROW_STAT, "", 0, 0);
        if (r >= 0)
                r = tar_writer_new(
                        &(const TarWriterOptions) { .sink = out_sink(&out), .proc_fd = c->proc_fd },
                        &t);
        if (r >= 0)
                r = tar_writer_add_content(t, c->tree_fd, NULL, TAR_TREE_NO_MOUNTS, reterr);
        return r < 0 ? r : tar_writer_finish(t, reterr);
}

typedef struct List {
        ByteSink sink;
        Buffer buffer;
        bool some;
} List;

static int list_flush(List *l) {
        int r;

        r = l->sink.write(l->sink.userdata, buffer_head(&l->buffer), buffer_size(&l->buffer));
        buffer_consume(&l->buffer, buffer_size(&l->buffer));
        return r;
}

static int on_change(const StorageChange *change, void *userdata, Error *reterr) {
        _cleanup_(json_unrefp) Json *row = NULL;
        _cleanup_(freep) char *path = NULL, *text = NULL;
        List *l = userdata;
        int r;

        r = str_printf(&path, "/%s", change->path);
        if (r >= 0)
                r = json_new_object(&row);
        if (r >= 0)
                r = json_set_text(row, "Path", path);
        if (r >= 0)
                r = json_set_int64(row, "Kind", change->kind);
        if (r >= 0)
                r = json_print(row, JSON_COMPACT, &text);
        if (r >= 0)
                r = buffer_printf(&l->buffer, "%s%s", l->some ? "," : "[", text);
        l->some = true;
        return r >= 0 && buffer_size(&l->buffer) >= PIECE ? list_flush(l) : r;
}

int task_changes_run(TaskContext *c, Error *reterr) {
        Out out = { c, c->fds[0] };
        List l = { .sink = out_sink(&out) };
        int r;

        r = storage_diff(c->storage, c->spec.layer_id, on_change, &l, reterr);
        if (r >= 0)
                r = buffer_append_string(&l.buffer, l.some ? "]\n" : "null\n");
        if (r >= 0)
                r = list_flush(&l);
        buffer_done(&l.buffer);
        return r;
}
