#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the SDK, moves it, and builds against it, outside the tree: the example of a third party,
# the files of docs/guide/first-plugin.md, and what `xylem new` writes for each kind.
# Usage: out_of_tree.sh SOURCE_DIR BUILD_DIR
set -eu
source=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run()
{
    "$@" > "$work/log" 2>&1 || { echo "failed: $*"; cat "$work/log"; exit 1; }
}

run cmake --install "$build" --component sdk --prefix "$work/first"
mv "$work/first" "$work/moved"
installed=$(cd "$work/moved" && find . -type f | sort | tr '\n' ' ')
expected="./include/xylem/plugin.h ./lib/cmake/xylem/XylemPlugin.cmake"
expected="$expected ./lib/cmake/xylem/xylemConfig.cmake ./lib/cmake/xylem/xylemConfigVersion.cmake "
[ "$installed" = "$expected" ] || { echo "the SDK installs: $installed"; exit 1; }

# build_and_check KIND NAME FOLDER: builds, runs its tests, loads the object, looks at its symbols.
build_and_check()
{
    kind=$1 name=$2 folder=$3
    run cmake -S "$folder" -B "$folder/build" -GNinja "-DCMAKE_PREFIX_PATH=$work/moved" \
        -DCMAKE_C_FLAGS=-Werror
    run cmake --build "$folder/build"
    run ctest --test-dir "$folder/build" --no-tests=error --output-on-failure
    run "$build/bin/plugin_tool" load "$kind" "$name" "$folder/build/$name.so"
    run "$build/bin/plugin_tool" conform "$folder/build/$name.so"
    exported=$(nm -D --defined-only "$folder/build/$name.so" | awk '{print $NF}')
    [ "$exported" = xy_plugin_v1 ] || { echo "$name exports: $exported"; exit 1; }
    echo "ok: $kind $name"
}

cp -R "$source/examples/third_party_filter" "$work/third_party"
build_and_check filter stutter "$work/third_party"

# A fenced block whose first line is a comment that names a file becomes that file.
mkdir "$work/guide"
awk -v folder="$work/guide" '
    /^```[a-z]/ { fenced = 1; first = 1; next }
    /^```$/ { fenced = 0; file = ""; next }
    fenced && first {
        first = 0
        if (match($0, /[A-Za-z_]+\.[a-z]+/))
            file = folder "/" substr($0, RSTART, RLENGTH)
    }
    fenced && file { print > file }' "$source/docs/guide/first-plugin.md"
for file in shout.c shout_test.c CMakeLists.txt pipeline.yaml make_seeds.sh; do
    [ -s "$work/guide/$file" ] || { echo "the guide has no block named $file"; exit 1; }
done
build_and_check filter shout "$work/guide"
(cd "$work/guide" && sh make_seeds.sh && [ "$(wc -l < seeds.jsonl)" -eq 2 ])

lines=$(wc -l < "$source/sdk/template/filter/my_plugin.c")
[ "$lines" -lt 40 ] || { echo "the smallest filter has $lines lines: 40 are too many"; exit 1; }
for kind in generator condition filter enhancer evaluator learner format; do
    run "$build/bin/plugin_tool" new $kind "tried_$kind" "$work"
    ! grep -rq my_plugin "$work/tried_$kind" || { echo "$kind: a placeholder was left"; exit 1; }
    build_and_check $kind "tried_$kind" "$work/tried_$kind"
done

# The finished program, where it was built, runs the guide to its end.
if [ -x "$build/bin/xylem" ]; then
    (cd "$work/guide" && run "$build/bin/xylem" check pipeline.yaml &&
        run "$build/bin/xylem" run pipeline.yaml)
    grep -q 'calm film' "$work/guide/out/calm.jsonl"
    ! grep -q WORST "$work/guide/out/calm.jsonl"
    echo "ok: the guide's pipeline ran"
fi
