#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Static analysis of core/ and plugins/: sh tests/style/analyze.sh BUILD_FOLDER
# clang-tidy with the checks of .clang-tidy, on every file that BUILD_FOLDER/compile_commands.json
# compiles. Exit 1 on any finding, and when there was nothing to look at.
set -eu
exec python3 "$(dirname "$0")/analyze.py" "$@"
