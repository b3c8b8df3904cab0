/* SPDX-License-Identifier: Apache-2.0 */
/* record_codec.c - the compact binary form of a record.
 *
 * All numbers little-endian, nothing aligned:
 *   head    u8 version (2), u8 0, u16 fields, u32 sample, u64 id, u64 parent, f64 weight, u32 trail
 *   field   u8 length of the name, u8 type, the name, and by type:
 *           text, JSON: u32 bytes, the bytes, u8 0;  vector: u32 floats, the floats;
 *           int: i64;  number: f64;  bool: u8 0 or 1
 *   trail   its bytes
 * The zero behind a text lets a record that is only looked at borrow it where it lies.
 * Files in this form stay on the machine that wrote them or travel with their run; a build for a
 * big-endian machine is refused rather than supported without a test.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "record_internal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the binary form is little-endian");

enum { FORM = 2, HEAD = 36 };

/* ---- writing --------------------------------------------------------------------------------- */

static char *put(char *to, const void *bytes, size_t length)
{
    if (length)
        memcpy(to, bytes, length);
    return to + length;
}

static char *put_u32(char *to, size_t number)
{
    uint32_t narrow = (uint32_t)number;
    return put(to, &narrow, sizeof(narrow));
}

static size_t value_size(const xy_value *value)
{
    switch (value->type) {
    case XY_TEXT:
    case XY_JSON: return 4 + value->text.len + 1;
    case XY_VECTOR: return 4 + value->length * sizeof(float);
    case XY_BOOL: return 1;
    default: return 8;
    }
}

static char *put_value(char *to, const xy_value *value)
{
    switch (value->type) {
    case XY_TEXT:
    case XY_JSON:
        to = put(put_u32(to, value->text.len), value->text.ptr, value->text.len);
        *to = '\0';
        return to + 1;
    case XY_VECTOR:
        return put(put_u32(to, value->length), value->vector, value->length * sizeof(float));
    case XY_BOOL: *to = (char)(value->integer != 0); return to + 1;
    case XY_INT: return put(to, &value->integer, 8);
    default: return put(to, &value->number, 8);
    }
}

void record_encode_with(const struct record *record, xy_str trail, struct buffer *out)
{
    size_t size = HEAD + trail.len;
    for (uint32_t i = 0; i < record->field_count; i++)
        size += 2 + record_name_length(record->fields[i].name) +
                value_size(&record->fields[i].value);
    char *to = buffer_reserve(out, size);
    if (!to)
        return; /* the buffer says that it overflowed */
    const uint8_t form[2] = {FORM, 0};
    uint16_t count = (uint16_t)record->field_count;
    to = put(to, form, sizeof(form));
    to = put(to, &count, sizeof(count));
    to = put_u32(to, record->sample);
    to = put(to, &record->id, 8);
    to = put(to, &record->parent, 8);
    to = put(to, &record->weight, 8);
    to = put_u32(to, trail.len);
    for (uint32_t i = 0; i < record->field_count; i++) {
        const struct record_field *field = &record->fields[i];
        size_t length = record_name_length(field->name);
        *to++ = (char)length;
        *to++ = (char)field->value.type;
        to = put(to, field->name, length);
        to = put_value(to, &field->value);
    }
    to = put(to, trail.ptr, trail.len);
    *to = '\0';
    out->length += size;
}

void record_encode(const struct record *record, struct buffer *out)
{
    record_encode_with(record, buffer_str(&record->trail), out);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What is left to read. Each reader checks before it takes. */
struct cursor {
    const char *at;
    size_t left;
};

static const char *take(struct cursor *cursor, size_t length)
{
    if (cursor->left < length)
        return NULL;
    const char *bytes = cursor->at;
    cursor->at += length;
    cursor->left -= length;
    return bytes;
}

static bool take_copy(struct cursor *cursor, void *out, size_t length)
{
    const char *bytes = take(cursor, length);
    if (bytes)
        memcpy(out, bytes, length);
    return bytes != NULL;
}

struct head {
    uint32_t fields, sample, trail;
    uint64_t id, parent;
    double weight;
};

static bool take_head(struct cursor *cursor, struct head *head)
{
    uint8_t form[2];
    uint16_t fields;
    bool whole = take_copy(cursor, form, 2) && take_copy(cursor, &fields, 2) &&
                 take_copy(cursor, &head->sample, 4) && take_copy(cursor, &head->id, 8) &&
                 take_copy(cursor, &head->parent, 8) && take_copy(cursor, &head->weight, 8) &&
                 take_copy(cursor, &head->trail, 4);
    if (!whole)
        return false;
    head->fields = fields;
    return form[0] == FORM && form[1] == 0 && fields <= RECORD_FIELDS &&
           head->trail <= RECORD_TRAIL && isfinite(head->weight) && head->weight >= 0;
}

/* A text with its zero behind it. */
static bool closed(xy_str text)
{
    return text.ptr && text.ptr[text.len] == '\0';
}

/* One field's name and value, both pointing into the bytes; a vector as the text of its bytes. */
static bool take_field(struct cursor *cursor, xy_str *name, xy_value *value)
{
    uint8_t lead[2];
    uint32_t length;
    if (!take_copy(cursor, lead, 2) || lead[0] == 0 || lead[0] > RECORD_NAME)
        return false;
    *name = (xy_str){take(cursor, lead[0]), lead[0]};
    if (!name->ptr)
        return false;
    *value = (xy_value){.type = lead[1]};
    switch (lead[1]) {
    case XY_TEXT:
    case XY_JSON:
        if (!take_copy(cursor, &length, 4))
            return false;
        value->text = (xy_str){take(cursor, (size_t)length + 1), length};
        return closed(value->text);
    case XY_VECTOR:
        if (!take_copy(cursor, &length, 4))
            return false;
        value->length = length;
        value->text = (xy_str){take(cursor, length * sizeof(float)), length * sizeof(float)};
        return value->text.ptr != NULL;
    case XY_INT: return take_copy(cursor, &value->integer, 8);
    case XY_NUMBER: return take_copy(cursor, &value->number, 8);
    case XY_BOOL: {
        const char *byte = take(cursor, 1);
        value->integer = byte ? *byte : 2;
        return value->integer == 0 || value->integer == 1;
    }
    default: return false;
    }
}

bool record_copy_with(xy_str bytes, xy_str event, struct buffer *out)
{
    struct cursor cursor = {bytes.ptr, bytes.len};
    struct head head;
    if (!take_head(&cursor, &head) || head.trail > cursor.left)
        return false;
    size_t comma = head.trail > 0, trail = head.trail + comma + event.len;
    xy_str before = {bytes.ptr + bytes.len - head.trail, head.trail};
    char *to = record_event_fits(before, event)
                   ? buffer_reserve(out, bytes.len + comma + event.len)
                   : NULL;
    if (!to)
        return false;
    put_u32(to + HEAD - 4, trail);
    to = put(to, bytes.ptr, HEAD - 4);
    to = put(to + 4, bytes.ptr + HEAD, bytes.len - HEAD);
    to = put(to, ",", comma);
    to = put(to, event.ptr, event.len);
    *to = '\0';
    out->length += bytes.len + comma + event.len;
    return true;
}

int record_peek(xy_str bytes, const char *field, xy_value *out)
{
    struct cursor cursor = {bytes.ptr, bytes.len};
    struct head head;
    size_t length = strlen(field);
    *out = (xy_value){0};
    if (!take_head(&cursor, &head))
        return XY_EINVAL;
    for (uint32_t i = 0; i < head.fields; i++) {
        xy_str name;
        xy_value value;
        if (!take_field(&cursor, &name, &value))
            return XY_EINVAL;
        if (name.len == length && memcmp(name.ptr, field, length) == 0) {
            *out = value;
            return (int)value.type;
        }
    }
    return XY_NULL;
}

/* A name is compared as a pointer, so twice the same pointer is a field that nobody could reach. */
static bool has_name(const struct record *record, const char *name)
{
    for (uint32_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].name == name)
            return true;
    }
    return false;
}

/* How many names of the slot's last record are still where they were. */
static uint32_t names_before(const struct record_slot *slot)
{
    return slot && slot->record ? slot->record->field_count : 0;
}

/* The name of field `index`: nearly always the one that stands there from the record before, of
 * which `named` do. */
static const char *known_name(xy_str name, const struct record *record, uint32_t index,
                              uint32_t named)
{
    const char *before = index < named ? record->fields[index].name : NULL;
    if (before && record_name_length(before) == name.len &&
        memcmp(before, name.ptr, name.len) == 0)
        return before;
    const char *interned = record_interned(name.ptr, name.len);
    if (interned)
        return interned;
    if (memchr(name.ptr, '\0', name.len) || !utf8_valid(name))
        return NULL;
    return record_intern(name.ptr, name.len);
}

/* Checks what the grammar above does not, and moves the bytes to `*room`, but for texts that are
 * `borrowed`. */
static bool settle(xy_value *value, char **room, bool own, bool borrowed)
{
    if (value->type == XY_TEXT || value->type == XY_JSON) {
        bool valid = own || (value->type == XY_TEXT ? utf8_valid(value->text)
                                                    : json_valid(value->text));
        if (borrowed)
            return valid;
        char *text = *room;
        *room = put(*room, value->text.ptr, value->text.len + 1);
        value->text.ptr = text;
        return valid;
    }
    if (value->type == XY_VECTOR) {
        *room += -(uintptr_t)*room % sizeof(float);
        value->vector = (const float *)(const void *)*room;
        *room = put(*room, value->text.ptr, value->text.len);
        value->text = (xy_str){0};
    }
    return true;
}

/* A record in the slot's memory, or in memory of its own. */
static struct record *room_for(struct record_slot *slot, uint64_t id, uint32_t capacity,
                               size_t payload)
{
    if (!slot)
        return record_allocate(id, capacity, payload);
    size_t needed = capacity * sizeof(struct record_field) + payload;
    if (needed > slot->room || !slot->record) {
        /* The names of its last fields stay: see known_name(). */
        slot->room = needed * 2;
        slot->record = memory_resize(slot->record, sizeof(*slot->record) + slot->room, 1);
    }
    record_begin(slot->record, id, capacity);
    return slot->record;
}

/* With a slot, the record is the slot's, has no trail, and borrows its texts from `bytes`. */
static int decode(xy_str bytes, bool own, struct record_slot *slot, struct record **out,
                  struct error *error)
{
    struct cursor cursor = {bytes.ptr, bytes.len};
    struct head head;
    *out = NULL;
    if (!take_head(&cursor, &head))
        return error_set(error, XY_EINVAL, "not an encoded record: %zu bytes with a wrong head",
                         bytes.len);
    /* A field takes at least two bytes and a name, so what follows the head bounds the allocation.
     * Behind each value at most a NUL or three bytes of alignment are added. */
    if (head.fields > cursor.left / 3)
        return error_set(error, XY_EINVAL, "encoded record: %u fields cannot fit in %zu bytes",
                         head.fields, bytes.len);
    uint32_t capacity = head.fields + 4;
    uint32_t named = names_before(slot);
    struct record *record =
        room_for(slot, head.id, capacity, cursor.left + (size_t)4 * head.fields);
    char *room = record_payload(record, capacity);
    record->parent = head.parent;
    record->sample = head.sample;
    record->weight = head.weight;
    for (uint32_t i = 0; i < head.fields; i++) {
        xy_str name;
        xy_value value;
        const char *known = NULL;
        if (take_field(&cursor, &name, &value) && settle(&value, &room, own, slot != NULL))
            known = known_name(name, record, i, named);
        if (!known || has_name(record, known)) {
            if (!slot)
                record_destroy(record);
            return error_set(error, XY_EINVAL, "encoded record: field %u of %u is damaged", i + 1,
                             head.fields);
        }
        record->fields[record->field_count++] =
            (struct record_field){.name = known, .value = value};
    }
    xy_str trail = {cursor.at, cursor.left};
    if (trail.len != head.trail || !(own || utf8_valid(trail))) {
        if (!slot)
            record_destroy(record);
        return error_set(error, XY_EINVAL, "encoded record: its trail is damaged");
    }
    if (trail.len && !slot)
        buffer_append_str(&record->trail, trail);
    *out = record;
    return 0;
}

int record_decode(xy_str bytes, struct record **out, struct error *error)
{
    return decode(bytes, false, NULL, out, error);
}

int record_decode_own(xy_str bytes, struct record **out, struct error *error)
{
    return decode(bytes, true, NULL, out, error);
}

const struct record *record_decode_slot(xy_str bytes, bool own, struct record_slot *slot)
{
    struct record *record;
    struct error error;
    return decode(bytes, own, slot, &record, &error) == 0 ? record : NULL;
}

void record_slot_free(struct record_slot *slot)
{
    free(slot->record);
    *slot = (struct record_slot){0};
}
