/* SPDX-License-Identifier: Apache-2.0 */
/* spans_mentions.h - what a model says occurs in a text, and the relations that it sees. */
#ifndef XYLEM_PLUGINS_SPANS_SPANS_MENTIONS_H
#define XYLEM_PLUGINS_SPANS_SPANS_MENTIONS_H

#include "json_reader.h"
#include "spans_text.h"

enum occurrence { OCCURRENCE_EACH = 1, OCCURRENCE_FIRST = 2, OCCURRENCE_ALL = 3 };
enum overlap { OVERLAP_KEEP = 1, OVERLAP_LONGEST = 2, OVERLAP_FIRST = 3 };
enum missing { MISSING_DROP = 1, MISSING_FLAG = 2, MISSING_REJECT = 3 };

struct rules {
    const char *text_key, *type_key;
    const char *const *types; /* NULL: any */
    enum match match;
    enum occurrence occurrence;
    enum overlap overlap;
    enum missing missing;
};

struct mention {
    xy_str surface;       /* as the model said it */
    xy_str type;          /* {NULL, 0}: none */
    xy_str object;        /* its JSON object, with members that are passed on; {NULL, 0}: none */
    int64_t from, to;     /* code points, as the model said; -1: it did not */
    struct place place;   /* where it stands; start == end: nowhere, see why */
    const char *why;      /* NULL: it is good */
    bool crossed;         /* it stands in the text, and lost against one that it overlaps */
    size_t said;          /* its number in the model's list */
    size_t number;        /* its number in what is written */
};

struct mentions {
    struct mention *items;
    size_t count, room;
    xy_job *job;          /* owns all of it */
};

enum { MENTIONS_MAX = 4096 };

/* Reads a list of texts or objects, or an object from type to text or list of texts. XY_OK, or
 * XY_DROP with the reason when it is none of these or is longer than MENTIONS_MAX. */
int mentions_read(struct mentions *mentions, xy_job *job, xy_str json, xy_str text,
                  const struct rules *rules);
/* Finds each in the text, settles overlaps, brings those that stand somewhere into the order of the
 * text and numbers them; the others follow. */
void mentions_place(struct mentions *mentions, xy_str text, const struct rules *rules);
/* A JSON string, decoded; the job's. */
xy_str mentions_decode(xy_job *job, xy_str json);

#endif
