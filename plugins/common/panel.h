/* SPDX-License-Identifier: Apache-2.0 */
/* panel.h - what several annotators said about each item, read from records: one annotator for each
 * of several fields, or a record for each vote. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_COMMON_PANEL_H
#define XYLEM_PLUGINS_COMMON_PANEL_H

#include "names.h"

/* Where the votes stand. With `fields` a record holds one vote for each field, and the field's name
 * is the annotator; else it holds one vote in `field`, by who is named in `annotator`. */
struct panel_source {
    const char *const *fields;  /* NULL-terminated; NULL or empty: `field` */
    const char *field, *annotator;
    const char *by;             /* records with one value of it are one item; may be NULL */
    const char *const *abstain; /* NULL-terminated; values that are no votes */
};

struct panel_vote {
    uint32_t item, annotator, label;
    size_t record, field; /* where it stands; `field` counts in `fields` */
};

struct panel { /* zeroed: empty */
    struct names labels, annotators, items;
    struct panel_vote *votes; /* by item, in the order of the records within each */
    size_t *starts;           /* of each item in `votes`; items.count + 1 */
    uint32_t *record_items;   /* the item of each record */
    size_t count;             /* votes */
    uint64_t abstained;       /* places where a vote could stand and none does */
};

/* The options of `source` that make no sense together, explained; XY_OK or XY_EINVAL. */
int panel_check(const struct panel_source *source, xy_job *job);
/* Reads all records. Labels are numbered in `panel->labels` and annotators in `panel->annotators`,
 * which may know some already; every one of `fields` is an annotator, also one that never votes.
 * Without `by`, an item is a record (with `fields`), or what was made from one record. XY_OK,
 * XY_ENOMEM, XY_ECANCELED, or XY_EINVAL with the reason: a vote without an annotator's name, or
 * more than 4,096 labels or annotators. */
int panel_read(struct panel *panel, const struct panel_source *source, xy_job *job,
               xy_dataset *input);
void panel_free(struct panel *panel);

#endif
