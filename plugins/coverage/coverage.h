/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h - what the files of the plugin share. */
#ifndef XYLEM_PLUGINS_COVERAGE_COVERAGE_H
#define XYLEM_PLUGINS_COVERAGE_COVERAGE_H

#include <xylem/plugin.h>

extern const xy_stage counts_stage; /* counts.c */

#endif
