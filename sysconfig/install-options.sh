#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts the template into /etc/sysconfig/docker unless a file is there already. $1: folder below the prefix or absolute, $2: template.
set -eu

case $1 in
/*) folder=${DESTDIR:-}$1 ;;
*) folder=$MESON_INSTALL_DESTDIR_PREFIX/$1 ;;
esac

if [ -e "$folder/docker" ] || [ -L "$folder/docker" ]; then
        echo "Keeping $folder/docker as it is"
else
        install -D -m 0644 "$2" "$folder/docker"
fi
