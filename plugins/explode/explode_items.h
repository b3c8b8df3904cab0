/* SPDX-License-Identifier: Apache-2.0 */
/* explode_items.h - the items of a list: of a JSON list as it stands, or of a text between the
 * matches of a pattern. One thread at a time; all memory is the job's. */
#ifndef XYLEM_PLUGINS_EXPLODE_EXPLODE_ITEMS_H
#define XYLEM_PLUGINS_EXPLODE_EXPLODE_ITEMS_H

#include "json_reader.h"
#include "pattern.h"

/* Items as slices of the list's text: JSON values of a list, plain text between matches. */
struct items { /* zeroed: empty */
    xy_str *slices;
    size_t count, room;
    bool json;
    bool skip_empty;
};

/* The items of the checked JSON list. XY_OK or XY_ENOMEM. */
int explode_items_list(struct items *items, xy_job *job, xy_str list);
/* What lies between the matches, without white space at its ends. XY_OK, XY_ENOMEM, or XY_EINVAL
 * with the reason, when the search takes too long. */
int explode_items_split(struct items *items, xy_job *job, xy_str text,
                        const struct pattern *pattern);

#endif
