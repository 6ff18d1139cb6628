/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/image/image.h"
#include "engine/image/images-internal.h"
#include "engine/storage/storage.h"

const char *image_driver(const Image *i) {
        return storage_driver_name(i->images->storage);
}

int image_describe(const Image *i, char ***ret_pairs) {
        const char *top = image_top_layer(i);

        *ret_pairs = NULL;
        return top ? storage_layer_describe(
                             i->images->storage, top, /* read_only= */ true, ret_pairs)
                   : 0;
}
