#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sets up what the tests need and runs all of them. Builds go to build/ and build-asan/; what is
# slow to make (llama.cpp, models, a Python environment) is kept in the cache, keyed by version.
# The last line counts the tests.
set -u

cd "$(dirname "$0")/.."
cache=${XYLEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xylem}
jobs=$(nproc)
logs=build/test-logs
failed=0
passed=0
skipped=0

say() { printf '\n== %s\n' "$1"; }
give_up() { echo "$1"; echo "0 passed, 1 failed"; exit 1; }

# check NAME COMMAND...: one gate, counted as one test; prints its output only when it fails.
check() {
    name=$1
    shift
    if "$@" >"$logs/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "passed: $name"
    else
        failed=$((failed + 1))
        tail -n 60 "$logs/$name.log"
        echo "FAILED: $name"
    fi
}

# suite NAME FOLDER CTEST-OPTIONS...: runs tests of a build and adds up what CTest counts.
suite() {
    name=$1
    folder=$2
    shift 2
    say "$name"
    ctest --test-dir "$folder" --output-on-failure "$@" >"$logs/$name.log" 2>&1
    grep -E 'Passed|Failed|Skipped|Timeout|Not Run|Exception' "$logs/$name.log" | sed 's/^ *//'
    grep -q 'tests passed' "$logs/$name.log" || { tail -n 60 "$logs/$name.log"; }
    wrong='\*\*\*Failed|\*\*\*Timeout|\*\*\*Exception|Not Run'
    bad=$(grep -cE "^ *[0-9]+/[0-9]+ Test .*($wrong)" "$logs/$name.log")
    away=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped' "$logs/$name.log")
    good=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed' "$logs/$name.log")
    [ "$bad" -eq 0 ] || tail -n 200 "$logs/$name.log"
    [ $((good + away)) -gt 0 ] || bad=$((bad + 1))
    passed=$((passed + good))
    failed=$((failed + bad))
    skipped=$((skipped + away))
}

say "setting up"
sh examples/setup.sh --tests || give_up "the packages are missing"
mkdir -p "$logs" "$cache"
venv=$cache/python-$(sha256sum tests/requirements.txt | cut -c1-12)
if [ ! -f "$venv/.complete" ]; then
    rm -rf "$venv"
    if python3 -m venv "$venv" && "$venv/bin/pip" install -q -r tests/requirements.txt; then
        touch "$venv/.complete"
    else
        give_up "the Python packages of tests/requirements.txt could not be installed"
    fi
fi
PATH=$venv/bin:$PATH
export PATH
sh plugins/llama/build_runtime.sh >/dev/null || give_up "llama.cpp could not be built"
sh plugins/llama/fetch_models.sh >/dev/null || give_up "the embedded models could not be fetched"
sh examples/quickstart/prepare.sh >/dev/null || give_up "the quickstart's data could not be fetched"
[ -d ../shared/data ] || echo "skipped: tests on recorded data (../shared/data is not there)"

say "building"
cmake -S . -B build -GNinja -DXYLEM_TESTS=ON -DXYLEM_LLAMA=ON \
    -DPython3_EXECUTABLE="$venv/bin/python" \
    >"$logs/configure.log" 2>&1 || { cat "$logs/configure.log"; give_up "cmake failed"; }
cmake --build build -j "$jobs" >"$logs/build.log" 2>&1 ||
    { grep -E 'error|FAILED' "$logs/build.log" | head -n 40; give_up "the build failed"; }

suite tests build -j "$jobs"

say "style and analysis"
check style python3 tests/style/check_style.py
check static-analysis sh tests/style/analyze.sh build

say "AddressSanitizer and UndefinedBehaviorSanitizer"
cmake -S . -B build-asan -GNinja -DXYLEM_SANITIZE=ON -DXYLEM_LLAMA=OFF \
    -DPython3_EXECUTABLE="$venv/bin/python" \
    >"$logs/configure-asan.log" 2>&1 || { cat "$logs/configure-asan.log"; give_up "cmake failed"; }
cmake --build build-asan -j "$jobs" >"$logs/build-asan.log" 2>&1 ||
    { grep -E 'error|FAILED' "$logs/build-asan.log" | head -n 40
      give_up "the sanitized build failed"; }
suite sanitized build-asan -j "$jobs" -L 'unit|plugins'

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
