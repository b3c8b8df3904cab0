/* SPDX-License-Identifier: Apache-2.0 */
/* align_links.h - the tokens of two texts and which of them translate each other. [any] */
#ifndef XYLEM_PLUGINS_ALIGN_ALIGN_LINKS_H
#define XYLEM_PLUGINS_ALIGN_ALIGN_LINKS_H

#include "json_reader.h"

/* What stands between white space; places are half-open, in bytes and in code points. */
struct token {
    size_t start, end, start_point, end_point;
};

struct tokens {
    struct token *items; /* the job's */
    size_t count;
};

struct link {
    size_t source, target; /* token numbers, from 0 */
};

struct links {
    struct link *items; /* the job's */
    size_t count;
};

struct tokens tokens_of(xy_job *job, xy_str text);

/* Reads "0-0 1-2" (the Pharaoh format of word aligners; `p`, a possible link, may stand for `-`) or
 * a JSON list of pairs. XY_OK; XY_DROP, explained, for another form or a number past the tokens. */
int links_read(struct links *links, xy_job *job, xy_str said, const struct tokens *source,
               const struct tokens *target);

#endif
