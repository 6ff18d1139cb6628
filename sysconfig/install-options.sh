#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts the template $2 into the folder $1 (below DESTDIR) unless a file is there already.
set -eu

folder=${DESTDIR:-}$1

if [ -e "$folder/docker" ] || [ -L "$folder/docker" ]; then
        echo "Keeping $folder/docker as it is"
else
        install -D -m 0644 "$2" "$folder/docker"
fi
