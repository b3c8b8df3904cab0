/* SPDX-License-Identifier: Apache-2.0 */
/* demos.h - the stages of the plugin demos. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_H

#include <xylem/plugin.h>

extern const xy_stage demos_random, demos_knn, demos_cluster, demos_influence, demos_dissimilar;

#endif
