/* SPDX-License-Identifier: Apache-2.0 */
/* leakage_find.h - what of a template or a prompt is left in a text. [any] */
#ifndef XYLEM_PLUGINS_LEAKAGE_LEAKAGE_FIND_H
#define XYLEM_PLUGINS_LEAKAGE_LEAKAGE_FIND_H

#include <stdbool.h>

#include <xylem/plugin.h>

/* The first slot that nobody filled, at or after the byte `from`: "{{ name }}", "{name}",
 * "[NAME]", "[Your Name]", "<PLACEHOLDER>", "[insert ... here]", "Lorem ipsum". Its length in
 * bytes, 0 when there is none. */
size_t leakage_slot(xy_str text, size_t from, size_t *at);

/* The longest run of words that `text` has from `prompt`, when it has at least `least` of them:
 * how many words, and the bytes of the folded run in `shown` (room bytes, NUL-terminated). 0:
 * none is that long. Negative: XY_ENOMEM. */
int64_t leakage_copy(xy_str text, xy_str prompt, size_t least, char *shown, size_t room);

#endif
