#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything in the documentation that is made from the program and the recipes, made again.
set -eu
cd "$(dirname "$0")/../.."
xylem=${XYLEM_BUILD:-build}/bin/xylem
XYLEM_PLUGIN_PATH="" "$xylem" help --all docs/reference
XYLEM_PLUGIN_PATH="" "$xylem" plugins --json | python3 tests/docs/stages_table.py README.md
python3 tests/docs/recipes_table.py
