#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# http.sh [BUILD] - core/http beside a bare libcurl client, against the same server, in turns.
# The first lines compare; the last one is 4,096 calls in flight at 500 ms latency.
set -eu
build=${1:-build}
calls=${CALLS:-40000}
port_file=$(mktemp)
start() {
    "$build/bin/test_server" "$@" >"$port_file" &
    server=$!
    while [ ! -s "$port_file" ]; do sleep 0.1; done
    url=http://127.0.0.1:$(cat "$port_file")/v1/chat/completions
}
trap 'kill "$server"; rm -f "$port_file"' EXIT
start
for in_flight in 16 256 1024 4096; do
    for round in 1 2 3; do
        "$build/bin/bare_client" "$url" "$calls" "$in_flight"
        "$build/bin/http_bench" "$url" "$calls" "$in_flight"
    done
done
kill "$server"
: >"$port_file"
start --latency-ms 500
echo "4,096 in flight at 500 ms latency: the most that could be is 8,192 calls/s"
"$build/bin/bare_client" "$url" "$calls" 4096
"$build/bin/http_bench" "$url" "$calls" 4096
