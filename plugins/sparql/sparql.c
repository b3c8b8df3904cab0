/* SPDX-License-Identifier: Apache-2.0 */
/* sparql - knowledge graphs behind SPARQL endpoints: a generator that asks one, and a condition
 * that makes records of what it answers. */
#include "sparql.h"

XY_PLUGIN_SINCE(1, "sparql", "1.0.0", "Apache-2.0", &sparql_generator, &sparql_condition)
