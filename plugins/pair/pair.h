/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h - what the files of the plugin share. */
#ifndef XYLEM_PLUGINS_PAIR_PAIR_H
#define XYLEM_PLUGINS_PAIR_PAIR_H

#include <xylem/plugin.h>

extern const xy_stage prefer_stage; /* prefer.c */

#endif
