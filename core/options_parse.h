/* SPDX-License-Identifier: Apache-2.0 */
/* options_parse.h - one strict number. Its companions for counts and seconds stand in options.h. */
#ifndef XYLEM_CORE_OPTIONS_PARSE_H
#define XYLEM_CORE_OPTIONS_PARSE_H

#include "options.h"

/* A finite decimal number and nothing else: no hexadecimal, no "nan", no unit, no space, whatever
 * the locale. 0 or XY_EINVAL. [any] */
int parse_number(xy_str text, double *out);

#endif
