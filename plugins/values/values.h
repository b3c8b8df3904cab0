/* SPDX-License-Identifier: Apache-2.0 */
/* values.h - the stages of the plugin values. */
#ifndef XYLEM_PLUGINS_VALUES_VALUES_H
#define XYLEM_PLUGINS_VALUES_VALUES_H

#include <xylem/plugin.h>

extern const xy_stage values_llm, values_draw;

#endif
