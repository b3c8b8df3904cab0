/* SPDX-License-Identifier: Apache-2.0 */
/* record_internal.h - what record*.c and dataset*.c share and nobody else needs. */
#ifndef XYLEM_CORE_RECORD_INTERNAL_H
#define XYLEM_CORE_RECORD_INTERNAL_H

#include "record.h"

enum {
    RECORD_NAME = 127,          /* bytes in a field's name, as plugin.h promises */
    RECORD_FIELDS = 4096,       /* fields in one record: lookup is linear */
    RECORD_TRAIL = 256 << 10,   /* bytes of trail that one record may carry */
    RECORD_VALUE = 1 << 30,     /* bytes in one value */
    RECORD_EMBEDDED = 8         /* fields that need no allocation beside the record's own */
};

/* A record with room for `capacity` fields and `payload` bytes behind them, all in one
 * allocation. */
struct record *record_allocate(uint64_t id, uint32_t capacity, size_t payload);
/* Makes the record new and empty, in the memory it has. What it held must have been freed. */
void record_begin(struct record *record, uint64_t id, uint32_t capacity);
/* The bytes behind the embedded fields. */
char *record_payload(struct record *record, uint32_t capacity);

/* The interned name, or NULL when nobody has interned it yet. [any] */
const char *record_interned(const char *name, size_t length);
size_t record_name_length(const char *interned);

/* Finds one field in an encoded record without decoding it: its type (XY_NULL when absent) or
 * XY_EINVAL. `*out` points into `bytes`; a vector is not aligned there, so it is given as the text
 * of its bytes instead. [any] */
int record_peek(xy_str bytes, const char *field, xy_value *out);

/* Whether the trail is not cut yet, and has room for the event and then for a word that it is. */
bool record_event_fits(xy_str trail, xy_str event);

/* Appends an encoded record's bytes with one event more behind its trail. False, and nothing, where
 * the trail has no room for it or the bytes are no record. [any] */
bool record_copy_with(xy_str bytes, xy_str event, struct buffer *out);

/* record_decode() for bytes that record_encode() made in this process: texts are not checked again,
 * as every value was when it was set. [any] */
int record_decode_own(xy_str bytes, struct record **out, struct error *error);
/* Decodes into the slot's memory, without the trail; the slot's last record is gone. Texts stay in
 * `bytes`, which must live as long. NULL when the bytes are no record. */
const struct record *record_decode_slot(xy_str bytes, bool own, struct record_slot *slot);

#endif
