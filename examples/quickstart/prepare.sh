#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the human-rated movie-review sentences that the quickstart is measured on and writes
# gold.jsonl and seeds.jsonl. They come with the source distribution of the PyPI package
# vaderSentiment 3.3.2 (MIT; Hutto and Gilbert 2014, ICWSM), the wheel does not have them.
# Usage: prepare.sh [OUT]   OUT: default quickstart-KEY/ in the cache, made once. Prints the folder.
# XYLEM_WHEELS names a folder with vaderSentiment-3.3.2.tar.gz, for a machine without a network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
key=$(cat "$here/prepare.sh" "$here/prepare.py" | sha256sum | cut -c1-12)
out=${1:-${XYLEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xylem}/quickstart-$key}
archive=vaderSentiment-3.3.2.tar.gz
sha256=5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9
inner=vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz

if [ -z "${1:-}" ] && [ -f "$out/gold.jsonl" ] && [ -f "$out/seeds.jsonl" ]; then
    echo "$out"
    exit 0
fi
fail() { echo "quickstart data: $1" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${XYLEM_WHEELS:-}" ]; then
    cp "$XYLEM_WHEELS/$archive" "$work/" || fail "no $archive in $XYLEM_WHEELS"
else
    python3 -m pip --version >/dev/null 2>&1 ||
        fail "python3 has no pip; install it: apt-get install python3-pip"
    python3 -m pip download -q --disable-pip-version-check --no-deps --no-binary vaderSentiment \
        -d "$work" vaderSentiment==3.3.2 >&2 ||
        fail "cannot fetch vaderSentiment 3.3.2 from the package index. Is there a network? With \
the archive at hand, name its folder: XYLEM_WHEELS=FOLDER"
fi
echo "$sha256  $work/$archive" | sha256sum -c - >/dev/null 2>&1 ||
    fail "$archive is not the pinned file"
tar -xzf "$work/$archive" -C "$work" "$inner"
tar -xzf "$work/$inner" -C "$work"
mkdir -p "$out"
python3 "$here/prepare.py" "$work/hutto_ICWSM_2014" "$out" >&2
echo "$out"
