#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that the build needs, where they are missing. With --tests also what
# the tests need. Does nothing, and needs no network, when everything is there.
set -eu

packages="cmake ninja-build gcc g++ ccache pkg-config python3 python3-pip ca-certificates
    libcurl4-openssl-dev libyaml-dev libcjson-dev libuv1-dev libsqlite3-dev
    libxxhash-dev libutf8proc-dev libpcre2-dev libcunit1-dev
    libserd-dev libxml2-dev libpoppler-glib-dev libstemmer-dev libhnswlib-dev libcld2-dev
    bubblewrap"
if [ "${1:-}" = --tests ]; then
    packages="$packages python3-venv clang clang-tidy libclang-rt-14-dev nginx-light openssl"
fi

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "These Debian packages are missing; install them as root, then try again:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=300 $missing; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The packages could not be installed. Is there a network? The log is $log." >&2
    exit 1
fi
rm -f "$log"
