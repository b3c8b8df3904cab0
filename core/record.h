/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - the host's side of xy_record: typed fields, identity, weight and a trail.
 *
 * A record is owned by one holder at a time and is not shared between threads. Its id is a hash of
 * where it came from (run seed, step, round, source index or parent id, emit index), never of
 * time or of arrival. Its trail is what happened to it: one JSON object per event, in order. */
#ifndef XYLEM_CORE_RECORD_H
#define XYLEM_CORE_RECORD_H

#include "error.h"
#include "template.h"

struct record_field {
    const char *name;      /* interned for the life of the process: compare pointers */
    xy_value value;
    void *storage;         /* what the value's text or vector points into, freed with the
                              field; NULL when that lies in the record's own allocation */
};

struct record {
    xy_record base; /* first: an xy_record * is a struct record * */
    uint64_t id, parent;
    double weight;
    struct record_field *fields;
    uint32_t field_count, field_capacity;
    uint32_t sample;       /* which of several answers for one parent, from 0 */
    bool spilled;          /* some field owns its storage */
    bool reweighted;       /* the weight was changed since the marks were last taken */
    /* Marks of the first 64 fields: set where there was none, given another value. For the report
     * of what a step did (report.h); not encoded. */
    uint64_t added, changed;
    char *room;            /* what is left of the record's own allocation, for values */
    size_t room_left, room_size;
    size_t held;           /* bytes that all values set so far needed: for the next record's room */
    struct buffer trail;   /* JSON objects separated by commas, without brackets; at most 256 KiB,
                              the last event then says that it was cut */
    struct record_field embedded[]; /* where `fields` points until it outgrows it */
};

struct record *record_create(uint64_t id);
/* With room for values of that many bytes in the record's own allocation. */
struct record *record_create_roomy(uint64_t id, size_t room);
/* Makes such a record new and empty, in the memory it has. */
void record_renew(struct record *record, uint64_t id);
/* Copies fields, weight and trail; `parent` becomes the source's id. */
struct record *record_derive(const struct record *source, uint64_t id);
void record_destroy(struct record *record); /* NULL is fine */

/* The same string always gives the same pointer, until the process ends. [any] */
const char *record_intern(const char *name, size_t length);

int record_get(const struct record *record, const char *field, xy_value *out);
int record_set(struct record *record, const char *field, const xy_value *value);
int record_set_tree(struct record *record, const char *field, const struct value *value);
/* A field as a template sees it; JSON is parsed into `arena`. false when absent. */
bool record_value(const struct record *record, struct arena *arena, xy_str field,
                  struct value *out);
/* The fields as one JSON object; vectors as arrays when `vectors` is set, else left out. */
void record_write_json(const struct record *record, const char *const *fields, bool vectors,
                       struct buffer *out);

/* Adds one event to the trail: "step", "event" and what else the caller printed as JSON members
 * (`members` may be empty). */
void record_event(struct record *record, const char *step, const char *event, xy_str members);
/* Adds an event as record_event() wrote it into another record's trail: for many with the same
 * one. */
void record_event_again(struct record *record, xy_str event);

/* A stable id: a hash of the parts. */
uint64_t record_hash(uint64_t seed, const char *step, uint64_t a, uint64_t b, uint64_t c);
/* The same in two halves: for many records of one step. */
uint64_t record_hash_start(uint64_t seed, const char *step);
uint64_t record_hash_from(uint64_t start, uint64_t a, uint64_t b, uint64_t c);
/* 16 lower-case hex digits, and back; false for anything else. */
void record_id_text(uint64_t id, char out[17]);
bool record_id_parse(const char *text, uint64_t *id);

/* A compact binary form for datasets and the run's records: appended to / read from bytes. The
 * reader trusts nothing: XY_EINVAL for anything that is not such a form. */
void record_encode(const struct record *record, struct buffer *out);
/* The same with another trail: events as record_event() writes them, with commas between. */
void record_encode_with(const struct record *record, xy_str trail, struct buffer *out);
int record_decode(xy_str bytes, struct record **out, struct error *error);

/* Memory for one record after another that is only looked at. Zeroed: empty. */
struct record_slot {
    struct record *record;
    size_t room;           /* bytes behind it */
    /* For dataset_look(): behind the record that it found last. */
    const void *file;
    uint64_t next_index;
    const char *next;
};

void record_slot_free(struct record_slot *slot);

extern const xy_record_api record_api;

#endif
