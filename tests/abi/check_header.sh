#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The plugin header, and a plugin that uses its entry macro, under every compiler and language that
# it promises: C11, C17 and C++17, warnings as errors. Usage: check_header.sh SOURCE_DIR
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/uses_header.c" <<'SOURCE'
#include <xylem/plugin.h>
#include <xylem/plugin.h> /* twice: the guard holds */

static int process(void *state, xy_job *job)
{
    uint64_t stream = 1;
    (void)state;
    if (xy_random_unit(&stream) > 2 || xy_random_below(&stream, 3) > 3)
        return xy_fail(job, XY_EINVAL, "%d", 1);
    xy_record *input = job->api->input(job, 0);
    xy_record_set_text(input, "a", xy_text("b"));
    xy_record_set_number(input, "b", 1);
    xy_record_set_int(input, "c", 1);
    xy_record_set_json(input, "d", xy_text("{}"));
    return xy_get(job, "text").len ? XY_OK : xy_drop(job, "%s", "empty");
}

static int opened(void *state, const xy_host *host)
{
    (void)state;
    xy_log_line(host, XY_LOG_INFO, "%s", "open");
    const xy_log *log = (const xy_log *)host->service(host, XY_LOG);
    return log && XY_HAS(log, xy_log, write) ? XY_OK : XY_EUNSUPPORTED;
}
SOURCE
cp "$work/uses_header.c" "$work/uses_header.cc"
cat >> "$work/uses_header.c" <<'SOURCE'
static const xy_stage stage = {XY_STAGE_INIT, .kind = XY_FILTER, .id = "header", .summary = "s",
                               .open = opened, .process = process};
XY_PLUGIN("header", "1.0", "MIT", &stage)
SOURCE
# C++ has no designated initialisers before C++20: a stage is filled by a function there.
cat >> "$work/uses_header.cc" <<'SOURCE'
static xy_stage make_stage()
{
    xy_stage stage = xy_stage();
    stage.size = sizeof(stage);
    stage.option_size = sizeof(xy_option);
    stage.kind = XY_FILTER;
    stage.id = "header";
    stage.summary = "s";
    stage.open = opened;
    stage.process = process;
    return stage;
}
static const xy_stage stage = make_stage();
XY_PLUGIN("header", "1.0", "MIT", &stage)
SOURCE
checked=0
check()
{
    command -v "$1" > /dev/null || { echo "skipped: no $1"; return 0; }
    "$1" "-std=$2" -Wall -Wextra -Wpedantic -Werror -fsyntax-only "-I$root/sdk/include" "$3"
    checked=$((checked + 1))
}
for language in c11 c17; do
    check gcc $language "$work/uses_header.c"
    check clang $language "$work/uses_header.c"
done
check g++ c++17 "$work/uses_header.cc"
check clang++ c++17 "$work/uses_header.cc"
[ "$checked" -gt 0 ] || exit 77
echo "the header compiles: $checked compilers and languages"
