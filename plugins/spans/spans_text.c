/* SPDX-License-Identifier: Apache-2.0 */
#include "spans_text.h"

#include <utf8proc.h>

/* ---- characters ------------------------------------------------------------------------------ */

/* The code point at `at`, and the byte behind it. */
static int32_t decode(xy_str text, size_t at, size_t *behind)
{
    utf8proc_int32_t point = 0;
    utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
                                               (utf8proc_ssize_t)(text.len - at), &point);
    *behind = at + (length > 0 ? (size_t)length : 1);
    return length > 0 ? point : 0xfffd;
}

static bool is_space(int32_t point)
{
    if (point < 0x80)
        return point == ' ' || (point >= '\t' && point <= '\r');
    utf8proc_category_t category = utf8proc_category(point);
    return point == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

static bool is_mark(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

static bool is_word(int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

/* Han and the Japanese syllabaries: written without spaces, so each character is a token. */
static bool is_ideograph(int32_t point)
{
    return (point >= 0x3040 && point <= 0x30ff) || (point >= 0x3400 && point <= 0x4dbf) ||
           (point >= 0x4e00 && point <= 0x9fff) || (point >= 0xf900 && point <= 0xfaff) ||
           (point >= 0x20000 && point <= 0x3ffff);
}

size_t text_points(xy_str text, size_t bytes)
{
    size_t points = 0;
    for (size_t i = 0; i < bytes && i < text.len; i++)
        points += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return points;
}

size_t text_byte(xy_str text, size_t points)
{
    size_t at = 0;
    for (; at < text.len; at++)
        if (((unsigned char)text.ptr[at] & 0xc0) != 0x80 && points-- == 0)
            break;
    return at;
}

/* ---- matching -------------------------------------------------------------------------------- */

/* A text as what is compared of it, one code point after another. */
struct letters {
    xy_str text;
    size_t at;            /* behind the last character that was read */
    int32_t waiting[16];  /* what one character was decomposed to; the longest have 4 */
    utf8proc_ssize_t count, next;
    utf8proc_option_t options;
};

static struct letters letters_of(xy_str text, size_t at, enum match match)
{
    int options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | UTF8PROC_IGNORE | UTF8PROC_LUMP;
    if (match == MATCH_CASE)
        options |= UTF8PROC_CASEFOLD;
    return (struct letters){.text = text, .at = at, .options = (utf8proc_option_t)options};
}

/* -1 at the end. A run of white space is one blank. */
static int32_t next_letter(struct letters *letters)
{
    while (letters->next >= letters->count) {
        if (letters->at >= letters->text.len)
            return -1;
        size_t behind;
        int32_t point = decode(letters->text, letters->at, &behind);
        letters->at = behind;
        if (is_space(point)) {
            while (letters->at < letters->text.len &&
                   is_space(decode(letters->text, letters->at, &behind)))
                letters->at = behind;
            return ' ';
        }
        if (point >= 0x201c && point <= 0x201f) /* double quotes, which the library leaves */
            return '"';
        int class = UTF8PROC_BOUNDCLASS_START;
        letters->next = 0;
        letters->count = utf8proc_decompose_char(point, letters->waiting, 16, letters->options,
                                                 &class);
    }
    return letters->waiting[letters->next++];
}

static xy_str trim(xy_str text)
{
    size_t behind, from = 0, end = 0;
    for (size_t at = 0; at < text.len; at = behind) {
        bool space = is_space(decode(text, at, &behind));
        if (space && end == 0)
            from = behind;
        else if (!space)
            end = behind;
    }
    return end > from ? (xy_str){text.ptr + from, end - from} : (xy_str){text.ptr, 0};
}

/* Does the mention stand at `at`? *end is then the byte behind it. */
static bool stands_at(xy_str text, size_t at, xy_str mention, enum match match, size_t *end)
{
    if (match == MATCH_EXACT) {
        *end = at + mention.len;
        return text.len - at >= mention.len && memcmp(text.ptr + at, mention.ptr, mention.len) == 0;
    }
    struct letters left = letters_of(text, at, match), right = letters_of(mention, 0, match);
    for (;;) {
        int32_t wanted = next_letter(&right);
        if (wanted < 0)
            break;
        if (next_letter(&left) != wanted)
            return false;
    }
    *end = left.at;
    size_t behind;
    /* Not in the midst of a character: neither of a ligature nor before its accents. */
    return left.next >= left.count &&
           (left.at >= text.len || !is_mark(decode(text, left.at, &behind)));
}

/* The code point before `at`; 0 at the beginning. */
static int32_t point_before(xy_str text, size_t at)
{
    size_t behind, start = at;
    while (start > 0 && ((unsigned char)text.ptr[--start] & 0xc0) == 0x80) {}
    return at > 0 ? decode(text, start, &behind) : 0;
}

static bool splits_word(xy_str text, size_t at)
{
    size_t behind;
    return at > 0 && at < text.len && is_word(point_before(text, at)) &&
           is_word(decode(text, at, &behind));
}

/* Those that split no word, where there are any; how many stay. */
static size_t prefer_whole(xy_str text, struct place *places, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!splits_word(text, places[i].start) && !splits_word(text, places[i].end))
            places[kept++] = places[i];
    }
    return kept > 0 ? kept : count;
}

static struct place *grow(xy_job *job, const struct place *places, size_t *room)
{
    size_t wanted = *room * 2 + 4;
    struct place *more = job->api->alloc(job, wanted * sizeof(*more));
    if (*room)
        memcpy(more, places, *room * sizeof(*more));
    *room = wanted;
    return more;
}

enum { POLL = 65536 };

struct place *text_places(xy_job *job, xy_str text, xy_str mention, enum match match,
                          size_t *count)
{
    size_t room = 0, behind, end;
    struct place *places = NULL;
    mention = trim(mention);
    *count = 0;
    for (size_t at = 0, polled = 0; at < text.len && mention.len > 0; at = behind) {
        if (at - polled > POLL) {
            polled = at;
            if (job->api->cancelled(job))
                break;
        }
        int32_t point = decode(text, at, &behind);
        if (is_space(point) || is_mark(point) || !stands_at(text, at, mention, match, &end) ||
            end <= at)
            continue;
        if (*count == room)
            places = grow(job, places, &room);
        places[(*count)++] = (struct place){at, end};
        behind = end;
    }
    *count = prefer_whole(text, places, *count);
    return places;
}

bool text_same(xy_str a, xy_str b, enum match match)
{
    size_t end;
    a = trim(a);
    b = trim(b);
    return a.len > 0 && b.len > 0 && stands_at(a, 0, b, match, &end) && end == a.len;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

bool text_token(xy_str text, size_t *at, struct place *token)
{
    size_t behind = *at;
    int32_t point = ' ';
    while (is_space(point)) {
        if (behind >= text.len)
            return false;
        *at = behind;
        point = decode(text, *at, &behind);
    }
    bool word = is_word(point) && !is_ideograph(point);
    token->start = *at;
    while (behind < text.len) {
        size_t next;
        point = decode(text, behind, &next);
        if (!is_mark(point) && !(word && is_word(point) && !is_ideograph(point)))
            break;
        behind = next;
    }
    token->end = *at = behind;
    return true;
}
