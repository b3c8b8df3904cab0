/* SPDX-License-Identifier: Apache-2.0 */
/* toxicity_list.h - a user's list of words and phrases by category. */
#ifndef XYLEM_PLUGINS_TOXICITY_TOXICITY_LIST_H
#define XYLEM_PLUGINS_TOXICITY_TOXICITY_LIST_H

#include "names.h"
#include "phrases.h"

enum { TOXICITY_CATEGORIES = 64 };

struct toxicity_list { /* zeroed: empty; freed with toxicity_list_free() */
    struct phrases set; /* each phrase under its category's number */
    struct names categories;
    size_t count;
};

/* Reads a file: one word or phrase a line, "[category]" before those of a category ("listed"
 * when there is none), "#" before a remark. XY_OK, or an error with its text in `why`. [any] */
int toxicity_list_read(struct toxicity_list *list, const char *path,
                       const struct phrases_stem *stem, char *why, size_t size);
/* The same from a JSON object: category -> list of words. */
int toxicity_list_add(struct toxicity_list *list, xy_str json, const struct phrases_stem *stem,
                      char *why, size_t size);
void toxicity_list_free(struct toxicity_list *list);

#endif
