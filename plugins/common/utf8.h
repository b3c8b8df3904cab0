/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - is this UTF-8? For plugins that bring in bytes from outside: a file, a server. Texts of
 * records are valid already. [any] */
#ifndef XYLEM_PLUGINS_COMMON_UTF8_H
#define XYLEM_PLUGINS_COMMON_UTF8_H

#include <xylem/plugin.h>

/* Length of the well-formed sequence (Unicode 15, table 3-7) that starts at `at` with a byte of
 * 0x80 or more: 2 to 4 bytes; 0 when there is none before `end`. */
size_t utf8_sequence(const unsigned char *at, const unsigned char *end);
/* How many leading bytes are well formed: text.len when all are. */
size_t utf8_check(xy_str text);

#endif
