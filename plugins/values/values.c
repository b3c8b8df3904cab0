/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

XY_PLUGIN_SINCE(1, "values", "1.0.0", "Apache-2.0", &values_llm, &values_draw)
