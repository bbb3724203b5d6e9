#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# build.sh FOLDER: builds libhone-dev in FOLDER, which is made anew, from a copy of the committed tree, and has lintian read it.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '3s/^# //p' "$0"; exit 2; }
folder=$(realpath -m "$1")
cd "$(dirname "$0")/../.."
version=$(sed -n 's/.*version = "\([0-9.]*\)".*/\1/p' include/hone/version.hpp)
rm -rf "$folder"
mkdir -p "$folder"
source=$folder/hone-$version
git archive --prefix="hone-$version/" HEAD | tar -x -C "$folder"
cp -r "$source/packaging/debian" "$source/debian"
rm "$source/debian/build.sh"
(cd "$source" && dpkg-buildpackage -us -uc -b)
lintian --fail-on error,warning "$folder"/*.changes
