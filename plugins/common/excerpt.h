/* SPDX-License-Identifier: Apache-2.0 */
/* excerpt.h - a piece of a text for a message: bounded, and never cut inside a character. [any] */
#ifndef XYLEM_PLUGINS_COMMON_EXCERPT_H
#define XYLEM_PLUGINS_COMMON_EXCERPT_H

#include <xylem/plugin.h>

/* How many bytes of `text`, valid UTF-8, to show: at most `most`, ended between two characters. For
 * the `*` of "%.*s". */
int excerpt_length(xy_str text, size_t most);
/* The same as one line in `out` (`size` bytes with its NUL): control characters become spaces. */
void excerpt_line(char *out, size_t size, xy_str text);
/* The first byte at or before `at` where a character begins. */
size_t excerpt_floor(xy_str text, size_t at);

#endif
