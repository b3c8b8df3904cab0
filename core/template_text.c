/* SPDX-License-Identifier: Apache-2.0 */
/* Text under construction and code points: finding, stripping, splitting, replacing. */
#include "template_internal.h"

#include <string.h>
#include <utf8proc.h>

static bool text_room(struct text *text, size_t length)
{
    if (length <= text->capacity - text->length)
        return true;
    if (length > TEMPLATE_OUTPUT || text->length > TEMPLATE_OUTPUT - length)
        return template_fail(text->render, "a text became longer than %d bytes, expected less",
                             TEMPLATE_OUTPUT);
    size_t capacity = text->capacity * 2;
    if (capacity < text->length + length)
        capacity = text->length + length;
    if (capacity < 48)
        capacity = 48;
    char *grown = template_alloc(text->render, capacity, 1);
    if (!grown)
        return false;
    if (text->length)
        memcpy(grown, text->bytes, text->length);
    text->bytes = grown;
    text->capacity = capacity;
    return true;
}

bool text_append(struct text *text, const void *bytes, size_t length)
{
    if (length == 0)
        return true;
    if (!text_room(text, length))
        return false;
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    return true;
}

bool text_append_char(struct text *text, char c)
{
    return text_append(text, &c, 1);
}

bool text_append_point(struct text *text, uint32_t point)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t length = utf8proc_encode_char((utf8proc_int32_t)point, bytes);
    return text_append(text, bytes, length > 0 ? (size_t)length : 0);
}

bool text_pad(struct text *text, uint32_t fill, size_t count)
{
    if (count > TEMPLATE_OUTPUT)
        return template_fail(text->render, "a text became longer than %d bytes, expected less",
                             TEMPLATE_OUTPUT);
    for (size_t i = 0; i < count; i++)
        if (!text_append_point(text, fill))
            return false;
    return true;
}

xy_str text_str(const struct text *text)
{
    return (xy_str){text->bytes ? text->bytes : "", text->length};
}

uint32_t point_next(xy_str text, size_t *at)
{
    unsigned char first = (unsigned char)text.ptr[*at];
    utf8proc_int32_t point;
    if (first < 0x80) {
        ++*at;
        return first;
    }
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + *at,
                                               (utf8proc_ssize_t)(text.len - *at), &point);
    if (length <= 0) {
        ++*at;
        return 0xfffd;
    }
    *at += (size_t)length;
    return (uint32_t)point;
}

size_t point_count(xy_str text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; count++)
        point_next(text, &at);
    return count;
}

size_t point_offset(xy_str text, size_t index)
{
    size_t at = 0;
    while (index-- > 0 && at < text.len)
        point_next(text, &at);
    return at;
}

bool point_is_space(uint32_t point)
{
    if (point < 0x80)
        return (point >= 9 && point <= 13) || (point >= 28 && point <= 32);
    return point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

bool point_is_word(uint32_t point)
{
    if (point < 0x80)
        return (point >= '0' && point <= '9') || ((point | 32) >= 'a' && (point | 32) <= 'z') ||
               point == '_';
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO &&
           category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
           category != UTF8PROC_CATEGORY_ME;
}

bool point_is_printable(uint32_t point)
{
    if (point < 0x7f)
        return point >= 32;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZS;
}

bool text_find(xy_str text, xy_str part, size_t from, size_t *at)
{
    if (from > text.len || part.len > text.len - from)
        return false;
    *at = from;
    if (part.len == 0)
        return true;
    const char *found = memmem(text.ptr + from, text.len - from, part.ptr, part.len);
    if (found)
        *at = (size_t)(found - text.ptr);
    return found != NULL;
}

static bool strips(uint32_t point, const xy_str *chars)
{
    if (!chars)
        return point_is_space(point);
    for (size_t at = 0; at < chars->len;)
        if (point_next(*chars, &at) == point)
            return true;
    return false;
}

xy_str text_strip(xy_str text, const xy_str *chars, int sides)
{
    while ((sides & 1) && text.len > 0) {
        size_t at = 0;
        if (!strips(point_next(text, &at), chars))
            break;
        text = (xy_str){text.ptr + at, text.len - at};
    }
    while ((sides & 2) && text.len > 0) {
        size_t begin = text.len - 1, at;
        while (begin > 0 && text.len - begin < 4 && ((unsigned char)text.ptr[begin] & 0xc0) == 0x80)
            begin--;
        at = begin;
        uint32_t point = point_next(text, &at);
        if (at != text.len)
            begin = text.len - 1, point = 0xfffd;
        if (!strips(point, chars))
            break;
        text.len = begin;
    }
    return text;
}

bool text_replace(struct text *text, xy_str source, xy_str old, xy_str new, int64_t count)
{
    size_t at = 0, found;
    if (!template_charge(text->render, source.len / 16))
        return false;
    for (; count != 0 && text_find(source, old, at, &found); count -= count > 0) {
        if (old.len == 0) {
            /* Between all code points, as Python does. */
            size_t next = at;
            if (at < source.len)
                point_next(source, &next);
            if (!text_append(text, new.ptr, new.len) ||
                !text_append(text, source.ptr + at, next - at))
                return false;
            if (at == source.len)
                return true;
            at = next;
            continue;
        }
        if (!text_append(text, source.ptr + at, found - at) || !text_append(text, new.ptr, new.len))
            return false;
        at = found + old.len;
    }
    return text_append(text, source.ptr + at, source.len - at);
}

static bool is_line_end(uint32_t point)
{
    return (point >= 10 && point <= 13) || (point >= 28 && point <= 30) || point == 0x85 ||
           point == 0x2028 || point == 0x2029;
}

bool text_line(xy_str text, size_t *at, xy_str *line)
{
    size_t begin = *at;
    if (begin >= text.len)
        return false;
    while (*at < text.len) {
        size_t end = *at;
        uint32_t point = point_next(text, at);
        if (!is_line_end(point))
            continue;
        if (point == '\r' && *at < text.len && text.ptr[*at] == '\n')
            ++*at;
        *line = (xy_str){text.ptr + begin, end - begin};
        return true;
    }
    *line = (xy_str){text.ptr + begin, text.len - begin};
    return true;
}

/* Pieces gathered while splitting. */
struct pieces {
    struct render *render;
    struct item *items;
    size_t count, capacity;
};

static bool add_piece(struct pieces *pieces, const char *from, size_t length)
{
    if (pieces->count == pieces->capacity) {
        size_t capacity = pieces->capacity ? pieces->capacity * 2 : 8;
        struct item *grown = template_alloc(pieces->render, capacity, sizeof(*grown));
        if (!grown)
            return false;
        if (pieces->count)
            memcpy(grown, pieces->items, pieces->count * sizeof(*grown));
        pieces->items = grown;
        pieces->capacity = capacity;
    }
    pieces->items[pieces->count++] = item_text((xy_str){from, length});
    return true;
}

static bool split_space(struct pieces *pieces, xy_str source, int64_t limit)
{
    source = text_strip(source, NULL, 1);
    while (source.len > 0) {
        size_t end = 0;
        while (end < source.len) {
            size_t next = end;
            if (point_is_space(point_next(source, &next)))
                break;
            end = next;
        }
        if (limit-- == 0)
            return add_piece(pieces, source.ptr, source.len);
        if (!add_piece(pieces, source.ptr, end))
            return false;
        source = text_strip((xy_str){source.ptr + end, source.len - end}, NULL, 1);
    }
    return true;
}

/* From the right: pieces come out last first. */
static bool split_space_right(struct pieces *pieces, xy_str source, int64_t limit)
{
    source = text_strip(source, NULL, 2);
    while (source.len > 0) {
        size_t begin = 0;
        for (size_t at = 0; at < source.len;)
            if (point_is_space(point_next(source, &at)))
                begin = at;
        if (!template_charge(pieces->render, source.len / 16))
            return false;
        if (limit-- == 0)
            return add_piece(pieces, source.ptr, source.len);
        if (!add_piece(pieces, source.ptr + begin, source.len - begin))
            return false;
        source = text_strip((xy_str){source.ptr, begin}, NULL, 2);
    }
    return true;
}

static bool split_text(struct pieces *pieces, xy_str source, xy_str separator, int64_t limit)
{
    size_t at = 0, found;
    while (limit-- != 0 && text_find(source, separator, at, &found)) {
        if (!add_piece(pieces, source.ptr + at, found - at))
            return false;
        at = found + separator.len;
    }
    return add_piece(pieces, source.ptr + at, source.len - at);
}

static bool split_text_right(struct pieces *pieces, xy_str source, xy_str separator, int64_t limit)
{
    size_t at = source.len;
    while (limit != 0 && at >= separator.len) {
        if (memcmp(source.ptr + at - separator.len, separator.ptr, separator.len) != 0) {
            at--;
            continue;
        }
        if (!add_piece(pieces, source.ptr + at, source.len - at))
            return false;
        source.len = at = at - separator.len;
        limit--;
    }
    return add_piece(pieces, source.ptr, source.len);
}

bool text_split(struct render *render, xy_str source, const xy_str *separator, int64_t limit,
                bool from_right, struct item *out)
{
    struct pieces pieces = {.render = render};
    bool good;
    if (separator && separator->len == 0)
        return template_fail(render, "found an empty separator, expected text to split at");
    if (!template_charge(render, source.len / 16))
        return false;
    if (separator)
        good = from_right ? split_text_right(&pieces, source, *separator, limit)
                          : split_text(&pieces, source, *separator, limit);
    else
        good = from_right ? split_space_right(&pieces, source, limit)
                          : split_space(&pieces, source, limit);
    for (size_t i = 0; from_right && i < pieces.count / 2; i++) {
        struct item swap = pieces.items[i];
        pieces.items[i] = pieces.items[pieces.count - 1 - i];
        pieces.items[pieces.count - 1 - i] = swap;
    }
    *out = item_list(pieces.items, pieces.count, false);
    return good;
}
