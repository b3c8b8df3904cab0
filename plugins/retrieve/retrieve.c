/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve - condition sources that give each record the passages of a corpus that answer a query:
 * what the survey (section 4.2) calls knowledge enhancement. */
#include "retrieve.h"

XY_PLUGIN_SINCE(1, "retrieve", "1.0.0", "Apache-2.0", &retrieve_bm25, &retrieve_embedding,
                &retrieve_http)
