/* SPDX-License-Identifier: Apache-2.0 */
#include "encoding_faults.h"

#include <utf8proc.h>

enum script { NO_SCRIPT = 0, LATIN = 1, CYRILLIC = 2, GREEK = 4 };

static void note(struct encoding_find *find, size_t at, size_t length)
{
    if (find->count++ == 0) {
        find->at = at;
        find->length = length;
    }
}

/* C0 and C1 controls but for tab, line feed, carriage return and next line. */
size_t encoding_control(xy_str text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at];
    if (c < 0x20 || c == 0x7f)
        return c != '\t' && c != '\n' && c != '\r';
    if (c == 0xc2 && at + 1 < text.len) {
        unsigned char next = (unsigned char)text.ptr[at + 1];
        return next < 0xa0 && next != 0x85 ? 2 : 0;
    }
    return 0;
}

static int32_t decode(xy_str text, size_t at, size_t *length)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
                                             (utf8proc_ssize_t)(text.len - at), &point);
    *length = used > 0 ? (size_t)used : 1;
    return used > 0 ? point : -1;
}

/* Joiners have a use inside words of scripts that join, and between emoji; there they stay. */
static bool joins(xy_str text, size_t at, size_t length)
{
    size_t before = at, ignored;
    if (at == 0 || at + length >= text.len)
        return false;
    while (before > 0 && ((unsigned char)text.ptr[--before] & 0xc0) == 0x80)
        continue;
    int32_t left = decode(text, before, &ignored), right = decode(text, at + length, &ignored);
    return left >= 0x600 && right >= 0x600 && !(left >= 0x2000 && left < 0x2190);
}

/* Zero width space, joiners out of place, word joiner, byte order mark, soft hyphen aside. */
size_t encoding_invisible(xy_str text, size_t at)
{
    const unsigned char *c = (const unsigned char *)text.ptr + at;
    if (at + 3 > text.len)
        return 0;
    if (c[0] == 0xef)
        return c[1] == 0xbb && c[2] == 0xbf ? 3 : 0;
    if (c[0] != 0xe2 || (c[1] != 0x80 && c[1] != 0x81))
        return 0;
    if (c[1] == 0x81)
        return c[2] == 0xa0 ? 3 : 0;
    if (c[2] == 0x8c || c[2] == 0x8d)
        return joins(text, at, 3) ? 0 : 3;
    return c[2] == 0x8b ? 3 : 0;
}

static enum script script_of(int32_t point)
{
    if ((point >= 0x41 && point <= 0x5a) || (point >= 0x61 && point <= 0x7a) ||
        (point >= 0xc0 && point <= 0x24f && point != 0xd7 && point != 0xf7))
        return LATIN;
    if (point >= 0x400 && point <= 0x52f)
        return CYRILLIC;
    return (point >= 0x391 && point <= 0x3ff) || (point >= 0x3ac && point <= 0x3ce) ? GREEK
                                                                                    : NO_SCRIPT;
}

/* The word that has the letter at `at`, which is Cyrillic or Greek; `*mixed`: and Latin ones. A
 * word of one Greek letter beside Latin ones is a formula ("µm", "Δx"), so that two of them are
 * asked for. */
static size_t word_around(xy_str text, size_t at, size_t *start, bool *mixed)
{
    size_t first = at, end = at, length, foreign = 0, latin = 0;
    unsigned scripts = 0;
    while (first > 0) {
        size_t before = first - 1;
        while (before > 0 && ((unsigned char)text.ptr[before] & 0xc0) == 0x80)
            before--;
        if (script_of(decode(text, before, &length)) == NO_SCRIPT)
            break;
        first = before;
    }
    for (end = first; end < text.len; end += length) {
        enum script script = script_of(decode(text, end, &length));
        if (script == NO_SCRIPT)
            break;
        scripts |= script;
        foreign += script != LATIN;
        latin += script == LATIN;
    }
    *start = first;
    *mixed = (scripts & LATIN) && latin + foreign >= 3 &&
             ((scripts & CYRILLIC) || (foreign >= 2 && latin >= 2));
    return end;
}

/* What begins at `at`, beyond ASCII; the bytes to go on by. */
static size_t look_beyond_ascii(xy_str text, size_t at, size_t *words,
                                struct encoding_find found[ENCODING_FAULTS])
{
    char out[8];
    size_t length, used, start;
    int32_t point = decode(text, at, &length);
    if (point == 0xfffd)
        note(&found[REPLACEMENT], at, length);
    if ((used = encoding_mojibake(text, at, out, &start)) > 0) {
        note(&found[MOJIBAKE], at, used);
        return used;
    }
    if ((used = encoding_control(text, at)) > 0)
        note(&found[CONTROL], at, used);
    if ((used = encoding_invisible(text, at)) > 0)
        note(&found[INVISIBLE], at, used);
    if (at >= *words && (script_of(point) & (CYRILLIC | GREEK))) {
        bool mixed;
        *words = word_around(text, at, &start, &mixed);
        if (mixed)
            note(&found[MIXED_SCRIPT], start, *words - start);
    }
    return length;
}

void encoding_look(xy_str text, struct encoding_find found[ENCODING_FAULTS])
{
    /* 1: may begin a fault; all bytes beyond ASCII may. */
    static const char plain[128] = {
        [0] = 1, [1] = 1, [2] = 1, [3] = 1, [4] = 1, [5] = 1, [6] = 1, [7] = 1, [8] = 1, [11] = 1,
        [12] = 1, [14] = 1, [15] = 1, [16] = 1, [17] = 1, [18] = 1, [19] = 1, [20] = 1, [21] = 1,
        [22] = 1, [23] = 1, [24] = 1, [25] = 1, [26] = 1, [27] = 1, [28] = 1, [29] = 1, [30] = 1,
        [31] = 1, ['&'] = 1, ['\\'] = 1, [127] = 1};
    size_t words = 0; /* the end of the last word whose scripts were looked at */
    memset(found, 0, ENCODING_FAULTS * sizeof(*found));
    for (size_t at = 0; at < text.len;) {
        char out[8];
        size_t length, used;
        unsigned char c = (unsigned char)text.ptr[at];
        if (c >= 0x80) {
            at += look_beyond_ascii(text, at, &words, found);
            continue;
        }
        used = 0;
        if (plain[c] && encoding_control(text, at))
            note(&found[CONTROL], at, used = 1);
        else if (c == '&' && (used = encoding_entity(text, at, out, &length)) > 0)
            note(&found[ENTITY], at, used);
        else if (c == '\\' && (used = encoding_escape(text, at, out, &length)) > 0)
            note(&found[ESCAPE], at, used);
        at += used ? used : 1;
    }
}
