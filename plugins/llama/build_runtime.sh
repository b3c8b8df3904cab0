#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the llama.cpp library once into the user's cache and prints the prefix it was installed to.
# The source is the one that the llama-cpp-python source distribution vendors: the package index
# reaches machines that cannot reach a git host, and its hash pins every file of it.
# Usage: build_runtime.sh [--where]      --where prints the prefix without building anything.
set -eu

version=0.3.36
sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
cache=${XYLEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xylem}
prefix=$cache/llama.cpp-$version-$(printf %s "$sha256" | cut -c1-12)

if [ "${1:-}" = --where ] || [ -f "$prefix/.complete" ]; then
    echo "$prefix"
    exit 0
fi

fail() { echo "llama.cpp: $1" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download -q --no-deps --no-binary llama-cpp-python -d "$work" \
    "llama-cpp-python==$version" >&2 ||
    fail "cannot fetch llama-cpp-python $version from the package index (is there a network?)"
archive=$work/llama_cpp_python-$version.tar.gz
echo "$sha256  $archive" | sha256sum -c - >/dev/null || fail "the archive is not the pinned one"
tar -xzf "$archive" -C "$work"

# GGML_NATIVE stays off so that a cache shared between machines never holds code for another CPU.
generator=
command -v ninja >/dev/null && generator=-GNinja
echo "llama.cpp: building the library, once, two to four minutes on two cores ..." >&2
cmake -S "$work/llama_cpp_python-$version/vendor/llama.cpp" -B "$work/build" $generator \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix.new" -DCMAKE_INSTALL_LIBDIR=lib \
    -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DCMAKE_C_VISIBILITY_PRESET=hidden -DCMAKE_CXX_VISIBILITY_PRESET=hidden \
    -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF \
    -DLLAMA_BUILD_COMMON=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF \
    -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF \
    -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF >"$work/configure.log" 2>&1 ||
    { cat "$work/configure.log" >&2; fail "cmake could not configure it"; }
cmake --build "$work/build" >"$work/build.log" 2>&1 ||
    { tail -n 40 "$work/build.log" >&2; fail "it did not build"; }
cmake --install "$work/build" >"$work/install.log" 2>&1 ||
    { cat "$work/install.log" >&2; fail "it did not install"; }
cp "$work/llama_cpp_python-$version/vendor/llama.cpp/LICENSE" "$prefix.new/"
touch "$prefix.new/.complete"
rm -rf "$prefix"
mv "$prefix.new" "$prefix"
echo "$prefix"
