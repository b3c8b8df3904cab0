/* SPDX-License-Identifier: Apache-2.0 */
/* items.h - the items of a list as a model writes one: a JSON list, numbered lines, bullets, plain
 * lines, or one line with commas; with or without a sentence before and after it. One thread at a
 * time. */
#ifndef XYLEM_PLUGINS_COMMON_ITEMS_H
#define XYLEM_PLUGINS_COMMON_ITEMS_H

#include "text.h"

struct items { /* zeroed: empty */
    struct text bytes;  /* all items, one after another, each with a NUL */
    size_t *starts;     /* of each in `bytes`; count + 1 of them */
    size_t count, room;
    bool refused;       /* the answer is an apology in place of a list */
    bool whole;         /* it was JSON, of which only whole items are taken */
    bool failed;        /* memory was short: the items are not all there */
};

/* Adds the items of one answer, in its order, without marks, quotes, asterisks and the spaces
 * around them; empty ones are left out. With `cut`, an item ends before the colon or the dash that
 * leads to its description. Of a JSON list that was cut off, the items that are whole. */
void items_read(struct items *items, xy_str answer, bool cut);
/* Adds one as it is. */
void items_add(struct items *items, xy_str item);
xy_str items_at(const struct items *items, size_t index);
void items_free(struct items *items);

#endif
