/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "text.h"

enum { FIRST_ROOM = 64 };

static bool grow_slots(struct names *names)
{
    uint32_t count = names->slot_count ? names->slot_count * 2 : FIRST_ROOM * 2;
    uint32_t *slots = count ? calloc(count, sizeof(*slots)) : NULL;
    if (!slots)
        return false;
    for (uint32_t i = 0; i < names->count; i++) {
        size_t at = names->hashes[i] & (count - 1);
        while (slots[at])
            at = (at + 1) & (count - 1);
        slots[at] = i + 1;
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = count;
    return true;
}

static bool grow_entries(struct names *names)
{
    uint32_t room = names->room ? names->room * 2 : FIRST_ROOM;
    size_t *starts = realloc(names->starts, ((size_t)room + 1) * sizeof(*starts));
    if (starts)
        names->starts = starts;
    uint64_t *hashes = realloc(names->hashes, room * sizeof(*hashes));
    if (hashes)
        names->hashes = hashes;
    if (!starts || !hashes)
        return false;
    names->room = room;
    return true;
}

static bool grow_bytes(struct names *names, size_t more)
{
    if (more < names->capacity - names->length)
        return true;
    size_t capacity = (names->capacity + more + 1) * 2;
    char *bytes = realloc(names->bytes, capacity);
    if (!bytes)
        return false;
    names->bytes = bytes;
    names->capacity = capacity;
    return true;
}

static uint64_t hash_of(xy_str text)
{
    return text.len ? XXH3_64bits(text.ptr, text.len) : 0;
}

/* The slot that holds the text, or the empty one where it would go. */
static size_t slot_of(const struct names *names, xy_str text, uint64_t hash)
{
    size_t mask = names->slot_count - 1, at = hash & mask;
    for (; names->slots[at]; at = (at + 1) & mask) {
        uint32_t number = names->slots[at] - 1;
        if (names->hashes[number] != hash)
            continue;
        xy_str found = names_at(names, number);
        if (found.len == text.len && (text.len == 0 || !memcmp(found.ptr, text.ptr, text.len)))
            break;
    }
    return at;
}

uint32_t names_add(struct names *names, xy_str text)
{
    /* At most half full, so that a probe is short and always ends. */
    if (names->count * UINT64_C(2) >= names->slot_count && !grow_slots(names))
        return NAMES_NONE;
    uint64_t hash = hash_of(text);
    size_t slot = slot_of(names, text, hash);
    if (names->slots[slot])
        return names->slots[slot] - 1;
    if ((names->count == names->room && !grow_entries(names)) || !grow_bytes(names, text.len))
        return NAMES_NONE;
    uint32_t number = names->count++;
    names->starts[number] = names->length;
    names->hashes[number] = hash;
    if (text.len)
        memcpy(names->bytes + names->length, text.ptr, text.len);
    names->bytes[names->length + text.len] = '\0';
    names->length += text.len + 1;
    names->starts[names->count] = names->length;
    names->slots[slot] = number + 1;
    return number;
}

uint32_t names_find(const struct names *names, xy_str text)
{
    if (names->slot_count == 0)
        return NAMES_NONE;
    uint32_t found = names->slots[slot_of(names, text, hash_of(text))];
    return found ? found - 1 : NAMES_NONE;
}

xy_str names_at(const struct names *names, uint32_t number)
{
    if (number >= names->count)
        return (xy_str){"", 0};
    size_t start = names->starts[number];
    return (xy_str){names->bytes + start, names->starts[number + 1] - start - 1};
}

void names_free(struct names *names)
{
    free(names->bytes);
    free(names->starts);
    free(names->hashes);
    free(names->slots);
    memset(names, 0, sizeof(*names));
}

static xy_str number_label(double number, char scratch[NAMES_SCRATCH])
{
    struct text text = {0};
    text_add_number(&text, number);
    size_t length = text.failed || text.length >= NAMES_SCRATCH ? 0 : text.length;
    if (length)
        memcpy(scratch, text.bytes, length);
    text_free(&text);
    return (xy_str){length ? scratch : NULL, length};
}

xy_str names_label(const xy_record *record, const char *field, char scratch[NAMES_SCRATCH])
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    xy_str none = {NULL, 0};
    switch (record->api->get(record, field, &value)) {
    case XY_TEXT: return value.text.len ? value.text : none;
    case XY_BOOL: return xy_text(value.integer ? "true" : "false");
    case XY_NUMBER: return number_label(value.number, scratch);
    case XY_INT:
        snprintf(scratch, NAMES_SCRATCH, "%lld", (long long)value.integer);
        return xy_text(scratch);
    default: return none;
    }
}

double names_number(const xy_record *record, const char *field, double otherwise)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    switch (record->api->get(record, field, &value)) {
    case XY_NUMBER: return value.number;
    case XY_INT:
    case XY_BOOL: return (double)value.integer;
    default: return otherwise;
    }
}
