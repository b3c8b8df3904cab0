/* SPDX-License-Identifier: Apache-2.0 */
/* demos - condition sources that add demonstrations (in-context examples) to records. */
#include "demos.h"

XY_PLUGIN("demos", "1.1.0", "Apache-2.0", &demos_random, &demos_knn, &demos_cluster,
          &demos_influence, &demos_dissimilar)
