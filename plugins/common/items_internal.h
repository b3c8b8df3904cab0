/* SPDX-License-Identifier: Apache-2.0 */
/* items_internal.h - between the files of items. */
#ifndef XYLEM_PLUGINS_COMMON_ITEMS_INTERNAL_H
#define XYLEM_PLUGINS_COMMON_ITEMS_INTERNAL_H

#include "items.h"

xy_str items_trim(xy_str text);
/* Where `part` stands in the text, or NULL. */
const char *items_find(xy_str text, const char *part);
/* Adds one without its marks and, with `cut`, without its description; nothing when that leaves
 * nothing. */
void items_add_clean(struct items *items, xy_str item, bool cut);
/* Reads the JSON in the trimmed answer, if there is any. */
bool items_try_json(struct items *items, xy_str answer, bool cut);

#endif
