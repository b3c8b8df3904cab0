/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.h - a named, ordered set of records on disk, written once and then only read.
 *
 * Written to PATH.new record by record; seal() renames it to PATH and makes it readable. Memory is
 * two bytes per record (one offset in 4) plus a few MiB of mapped pages for a reader that goes in
 * order. A sealed dataset can have many views at once, each used by one thread.
 */
#ifndef XYLEM_CORE_DATASET_H
#define XYLEM_CORE_DATASET_H

#include "record.h"

struct dataset;

/* An empty dataset to be written. NULL with the error. */
struct dataset *dataset_create(const char *path, struct error *error);
/* A sealed one that is already on disk: checks every entry's checksum; refuses a torn file. */
struct dataset *dataset_open(const char *path, struct error *error);
/* Several sealed ones read as one, in order. It holds them: each may be destroyed before it. */
struct dataset *dataset_join(struct dataset *const *parts, size_t count);
/* Some records of a sealed one, without a file: `chosen` has their numbers, ascending, and is freed
 * with it. It holds `source`. */
struct dataset *dataset_select(struct dataset *source, uint32_t *chosen, uint64_t count);
void dataset_destroy(struct dataset *dataset);
/* The same, and removes its file, also one that an earlier run left at PATH. Who still holds it
 * reads on. A join or a selection has no file. */
void dataset_discard(struct dataset *dataset);

int dataset_append(struct dataset *dataset, const struct record *record, struct error *error);
/* Appends record `index` of a sealed one with `event`, as record_event() writes it, behind its
 * trail. */
int dataset_append_from(struct dataset *dataset, const struct dataset *source, uint64_t index,
                        xy_str event, struct error *error);

/* Records that one thread encodes for another one to append. Zeroed: none. */
struct dataset_batch {
    struct buffer bytes;
    uint64_t count;
    bool too_large;        /* one was, and it and those behind it are not there */
};

/* `event`, as record_event() writes it, goes behind the record's trail. */
void dataset_batch_add(struct dataset_batch *batch, struct record *record, xy_str event);
/* Appends all of them; the batch is empty then, and keeps its memory. */
int dataset_append_batch(struct dataset *dataset, struct dataset_batch *batch,
                         struct error *error);
/* Joins and selections are sealed from the start. */
int dataset_seal(struct dataset *dataset, struct error *error);

uint64_t dataset_count(const struct dataset *dataset);
/* Decodes record `index`; the caller destroys it. Any thread, sealed datasets only. */
struct record *dataset_read(const struct dataset *dataset, uint64_t index);
/* The same without the trail, to look at until the slot is used again; its owner frees it. */
const struct record *dataset_look(const struct dataset *dataset, uint64_t index,
                                  struct record_slot *slot);

/* ---- views: what a plugin sees through xy_dataset -------------------------------------------- */

/* The verdict on, and the edit of, each record of one run(). */
struct dataset_view {
    xy_dataset base; /* first */
    const struct dataset *dataset;
    struct arena *arena;          /* reasons and columns; the job's */
    bool editable;
    struct record_slot slot;      /* of the last at() */
    const struct record *current; /* in the slot */
    uint64_t current_index;
    uint8_t *verdicts;            /* NULL until the first verdict */
    const char **reasons;
    struct record **edits;        /* NULL until the first edit; indexed by record */
};

void dataset_view_init(struct dataset_view *view, const struct dataset *dataset,
                       struct arena *arena, bool editable);
/* Record `index` as it stands after the stage ran: the edit when there is one. Caller destroys. */
struct record *dataset_view_take(struct dataset_view *view, uint64_t index, int *verdict,
                                 const char **why);
void dataset_view_finish(struct dataset_view *view);

#endif
