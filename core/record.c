/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "json.h"
#include "record_internal.h"

/* The last event of a trail that reached its ceiling. */
static const char trail_cut[] =
    "{\"step\":\"\",\"event\":\"trail_cut\",\"why\":\"the trail reached 256 KiB\"}";

/* ---- identity -------------------------------------------------------------------------------- */

uint64_t record_hash(uint64_t seed, const char *step, uint64_t a, uint64_t b, uint64_t c)
{
    return record_hash_from(record_hash_start(seed, step), a, b, c);
}

uint64_t record_hash_start(uint64_t seed, const char *step)
{
    return XXH3_64bits_withSeed(step, strlen(step), seed);
}

uint64_t record_hash_from(uint64_t start, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t parts[4] = {start, a, b, c};
    uint64_t hash = XXH3_64bits(parts, sizeof(parts));
    return hash ? hash : 1; /* 0 says "no parent" */
}

void record_id_text(uint64_t id, char out[17])
{
    for (int i = 15; i >= 0; i--, id >>= 4)
        out[i] = "0123456789abcdef"[id & 15];
    out[16] = '\0';
}

bool record_id_parse(const char *text, uint64_t *id)
{
    uint64_t value = 0;
    size_t length = 0;
    for (; text[length]; length++) {
        char c = text[length];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        if (length == 16)
            return false;
        value = value << 4 | digit;
    }
    if (length != 16)
        return false;
    *id = value;
    return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct record *record_allocate(uint64_t id, uint32_t capacity, size_t payload)
{
    size_t fields = capacity * sizeof(struct record_field);
    struct record *record = memory_resize(NULL, sizeof(*record) + fields + payload, 1);
    record_begin(record, id, capacity);
    return record;
}

void record_begin(struct record *record, uint64_t id, uint32_t capacity)
{
    *record = (struct record){
        .base.api = &record_api,
        .id = id,
        .weight = 1,
        .field_capacity = capacity,
    };
    record->fields = record->embedded;
    buffer_init(&record->trail, RECORD_TRAIL);
}

char *record_payload(struct record *record, uint32_t capacity)
{
    return (char *)(record->embedded + capacity);
}

struct record *record_create(uint64_t id)
{
    return record_allocate(id, RECORD_EMBEDDED, 0);
}

struct record *record_create_roomy(uint64_t id, size_t room)
{
    struct record *record = record_allocate(id, RECORD_EMBEDDED, room);
    record->room = record_payload(record, RECORD_EMBEDDED);
    record->room_left = record->room_size = room;
    return record;
}

/* What it holds outside its own allocation. */
static void release(struct record *record)
{
    for (uint32_t i = 0; record->spilled && i < record->field_count; i++)
        free(record->fields[i].storage);
    if (record->fields != record->embedded)
        free(record->fields);
    if (record->trail.bytes)
        buffer_free(&record->trail);
}

void record_renew(struct record *record, uint64_t id)
{
    size_t room = record->room_size;
    release(record);
    record_begin(record, id, RECORD_EMBEDDED);
    record->room = record_payload(record, RECORD_EMBEDDED);
    record->room_left = record->room_size = room;
}

/* Bytes that a value keeps outside the xy_value. */
static size_t value_bytes(const xy_value *value)
{
    switch (value->type) {
    case XY_TEXT:
    case XY_JSON: return value->text.len + 1;
    case XY_VECTOR: return value->length * sizeof(float);
    default: return 0;
    }
}

/* Copies what `value` points to into `room` and makes `out` point there. Members that the type does
 * not use are zeroed, so that a reader of the wrong member sees nothing odd. */
static void copy_value(xy_value *out, const xy_value *value, void *room)
{
    xy_value copy = {.type = value->type};
    switch (value->type) {
    case XY_TEXT:
    case XY_JSON: {
        char *text = room;
        if (value->text.len)
            memcpy(text, value->text.ptr, value->text.len);
        text[value->text.len] = '\0';
        copy.text = (xy_str){text, value->text.len};
        break;
    }
    case XY_INT: copy.integer = value->integer; break;
    case XY_BOOL: copy.integer = value->integer != 0; break;
    case XY_NUMBER: copy.number = value->number; break;
    case XY_VECTOR:
        if (value->length)
            /* A value with a payload was given room for it.
             * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
            memcpy(room, value->vector, value->length * sizeof(float));
        copy.length = value->length;
        copy.vector = room;
        break;
    default: break;
    }
    *out = copy;
}

struct record *record_derive(const struct record *source, uint64_t id)
{
    size_t payload = 0;
    for (uint32_t i = 0; i < source->field_count; i++)
        payload += (value_bytes(&source->fields[i].value) + 7) / 8 * 8;
    /* A derived record nearly always gets a field or two more than its source. */
    uint32_t capacity = source->field_count + 4;
    struct record *record = record_allocate(id, capacity, payload);
    char *room = record_payload(record, capacity);
    record->parent = source->id;
    record->weight = source->weight;
    for (uint32_t i = 0; i < source->field_count; i++) {
        record->fields[i].name = source->fields[i].name;
        record->fields[i].storage = NULL;
        copy_value(&record->fields[i].value, &source->fields[i].value, room);
        room += (value_bytes(&source->fields[i].value) + 7) / 8 * 8;
    }
    record->field_count = source->field_count;
    if (source->trail.length)
        buffer_append_str(&record->trail, buffer_str(&source->trail));
    return record;
}

void record_destroy(struct record *record)
{
    if (!record)
        return;
    release(record);
    free(record);
}

/* ---- fields ---------------------------------------------------------------------------------- */

int record_get(const struct record *record, const char *field, xy_value *out)
{
    for (uint32_t i = 0; i < record->field_count; i++) {
        const struct record_field *at = &record->fields[i];
        if (at->name == field || (at->name[0] == field[0] && strcmp(at->name, field) == 0)) {
            if (out)
                *out = at->value;
            return (int)at->value.type;
        }
    }
    if (out)
        *out = (xy_value){0};
    return XY_NULL;
}

/* The index of an interned name, or field_count. */
static uint32_t position(const struct record *record, const char *interned)
{
    uint32_t at = 0;
    while (at < record->field_count && record->fields[at].name != interned)
        at++;
    return at;
}

/* The marks of the fields behind `at` move with them. */
static uint64_t without_mark(uint64_t marks, uint32_t at)
{
    uint64_t below = at < 64 ? ((uint64_t)1 << at) - 1 : UINT64_MAX;
    return (marks & below) | ((marks >> 1) & ~below);
}

static void remove_field(struct record *record, uint32_t at)
{
    free(record->fields[at].storage);
    record->added = without_mark(record->added, at);
    record->changed = without_mark(record->changed, at);
    record->field_count--;
    memmove(record->fields + at, record->fields + at + 1,
            (record->field_count - at) * sizeof(*record->fields));
}

static void grow(struct record *record)
{
    uint32_t capacity = record->field_capacity ? record->field_capacity * 2 : RECORD_EMBEDDED;
    bool embedded = record->fields == record->embedded;
    struct record_field *fields =
        memory_resize(embedded ? NULL : record->fields, capacity, sizeof(*fields));
    if (embedded)
        memcpy(fields, record->embedded, record->field_count * sizeof(*fields));
    record->fields = fields;
    record->field_capacity = capacity;
}

static bool same_value(const xy_value *a, const xy_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case XY_TEXT:
    case XY_JSON: return str_equal(a->text, b->text);
    case XY_INT: return a->integer == b->integer;
    case XY_BOOL: return (a->integer != 0) == (b->integer != 0);
    case XY_NUMBER:
        /* The same bytes are asked for: NaN is NaN.
         * NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
        return memcmp(&a->number, &b->number, sizeof(double)) == 0;
    case XY_VECTOR:
        return a->length == b->length &&
               (a->length == 0 ||
                memcmp(a->vector, b->vector, a->length * sizeof(float)) == 0);
    default: return true;
    }
}

/* A field that a step both sets and corrects is one that it set. */
static void mark(struct record *record, uint32_t at, bool fresh, const xy_value *value)
{
    uint64_t bit = at < 64 ? (uint64_t)1 << at : 0;
    if (fresh)
        record->added |= bit;
    else if (!(record->added & bit) && !same_value(&record->fields[at].value, value))
        record->changed |= bit;
}

static bool acceptable(const xy_value *value)
{
    switch (value->type) {
    case XY_NULL:
    case XY_INT:
    case XY_NUMBER:
    case XY_BOOL: return true;
    case XY_TEXT:
        return (value->text.ptr || value->text.len == 0) && value->text.len <= RECORD_VALUE &&
               utf8_valid(value->text);
    case XY_JSON:
        return value->text.ptr && value->text.len <= RECORD_VALUE && json_valid(value->text);
    case XY_VECTOR:
        return (value->vector || value->length == 0) &&
               value->length <= RECORD_VALUE / sizeof(float);
    default: return false;
    }
}

/* Room for a value's bytes: in the record's own allocation, or in `*storage`. */
static void *place_for(struct record *record, size_t bytes, void **storage)
{
    size_t rounded = (bytes + 7) / 8 * 8;
    record->held += rounded;
    *storage = NULL;
    if (bytes == 0)
        return NULL;
    if (rounded > record->room_left) {
        record->spilled = true;
        return *storage = memory_resize(NULL, bytes, 1);
    }
    void *place = record->room;
    record->room += rounded;
    record->room_left -= rounded;
    return place;
}

int record_set(struct record *record, const char *field, const xy_value *value)
{
    if (!field || !value || !acceptable(value))
        return XY_EINVAL;
    size_t length = strnlen(field, RECORD_NAME + 1);
    if (length == 0 || length > RECORD_NAME)
        return XY_EINVAL;
    const char *name = record_interned(field, length);
    if (!name) {
        /* Checked here and not on each call: every name in the table has passed once. */
        if (!utf8_valid((xy_str){field, length}))
            return XY_EINVAL;
        if (value->type == XY_NULL)
            return XY_OK;
        name = record_intern(field, length);
    }
    uint32_t at = position(record, name);
    if (value->type == XY_NULL) {
        if (at < record->field_count)
            remove_field(record, at);
        return XY_OK;
    }
    if (at == RECORD_FIELDS)
        return XY_EINVAL;
    void *storage;
    void *place = place_for(record, value_bytes(value), &storage);
    mark(record, at, at == record->field_count, value);
    if (at == record->field_count) {
        if (at == record->field_capacity)
            grow(record);
        record->fields[at] = (struct record_field){.name = name};
        record->field_count++;
    }
    /* The old storage goes last: the new value may have been borrowed from it. */
    struct record_field *target = &record->fields[at];
    void *old = target->storage;
    copy_value(&target->value, value, place);
    target->storage = storage;
    if (old)
        free(old);
    return XY_OK;
}

/* ---- trail ----------------------------------------------------------------------------------- */

static bool is_cut(xy_str trail)
{
    size_t length = sizeof(trail_cut) - 1;
    return trail.len >= length &&
           memcmp(trail.ptr + trail.len - length, trail_cut, length) == 0;
}

static bool append_event(struct buffer *trail, const char *step, const char *event, xy_str members)
{
    return (trail->length == 0 || buffer_append_char(trail, ',')) &&
           buffer_append_text(trail, "{\"step\":") && json_write_text(trail, str_of(step)) &&
           buffer_append_text(trail, ",\"event\":") && json_write_text(trail, str_of(event)) &&
           (members.len == 0 ||
            (buffer_append_char(trail, ',') && buffer_append_str(trail, members))) &&
           buffer_append_char(trail, '}');
}

void record_event(struct record *record, const char *step, const char *event, xy_str members)
{
    struct buffer *trail = &record->trail;
    if (is_cut(buffer_str(trail)))
        return;
    size_t before = trail->length;
    /* The ceiling is lowered for the event, so that there is always room to say that one was
     * cut. */
    trail->ceiling = RECORD_TRAIL - sizeof(trail_cut);
    bool fits = append_event(trail, step, event, members);
    trail->ceiling = RECORD_TRAIL;
    if (fits)
        return;
    trail->length = before;
    trail->overflowed = false;
    if (before)
        buffer_append_char(trail, ',');
    buffer_append_text(trail, trail_cut);
}

void record_event_again(struct record *record, xy_str event)
{
    struct buffer *trail = &record->trail;
    if (is_cut(buffer_str(trail)))
        return;
    bool fits = record_event_fits(buffer_str(trail), event);
    if (trail->length)
        buffer_append_char(trail, ',');
    buffer_append_str(trail, fits ? event : STR(trail_cut));
}

bool record_event_fits(xy_str trail, xy_str event)
{
    return trail.len + 1 + event.len + sizeof(trail_cut) <= RECORD_TRAIL && !is_cut(trail);
}

/* ---- what a plugin sees ---------------------------------------------------------------------- */

static int api_get(const xy_record *record, const char *field, xy_value *out)
{
    return record_get((const struct record *)record, field, out);
}

static int api_set(xy_record *record, const char *field, const xy_value *value)
{
    return record_set((struct record *)record, field, value);
}

static const char *api_field(const xy_record *base, size_t index)
{
    const struct record *record = (const struct record *)base;
    return index < record->field_count ? record->fields[index].name : NULL;
}

static uint64_t api_id(const xy_record *record)
{
    return ((const struct record *)record)->id;
}

static uint64_t api_parent(const xy_record *record)
{
    return ((const struct record *)record)->parent;
}

static double api_weight(const xy_record *record)
{
    return ((const struct record *)record)->weight;
}

static int api_set_weight(xy_record *record, double weight)
{
    if (!isfinite(weight) || weight < 0)
        return XY_EINVAL;
    struct record *own = (struct record *)record;
    own->reweighted = own->reweighted || own->weight != weight;
    own->weight = weight;
    return XY_OK;
}

const xy_record_api record_api = {
    .size = sizeof(xy_record_api),
    .get = api_get,
    .set = api_set,
    .field = api_field,
    .id = api_id,
    .parent = api_parent,
    .weight = api_weight,
    .set_weight = api_set_weight,
};
