#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From nothing to a labelled data set: installs what is missing, builds, fetches an embedded model
# and human-rated movie reviews, and runs pipelines/quickstart.yaml. On Debian 12, as root.
# Further words go to `xylem run`, as in: sh examples/quickstart.sh --set accept.count=50
set -eu

cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$1" >&2; }

step "packages"
sh examples/setup.sh

step "llama.cpp (built once into the cache)"
sh plugins/llama/build_runtime.sh >/dev/null

step "xylem"
[ -f build/build.ninja ] || cmake -S . -B build -GNinja -DXYLEM_TESTS=OFF >build.log 2>&1 ||
    { cat build.log >&2; exit 1; }
cmake --build build >build.log 2>&1 || { tail -n 40 build.log >&2; exit 1; }

step "models and reviews (fetched once into the cache)"
sh plugins/llama/fetch_models.sh >/dev/null
data=$(sh examples/quickstart/prepare.sh | tail -n 1)
mkdir -p out/quickstart
cp "$data/gold.jsonl" "$data/seeds.jsonl" out/quickstart/

step "pipelines/quickstart.yaml"
exec build/bin/xylem run pipelines/quickstart.yaml "$@"
