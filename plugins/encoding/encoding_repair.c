/* SPDX-License-Identifier: Apache-2.0 */
/* What a fault was before it became one: only where there is one answer. */
#include <utf8proc.h>

#include "encoding_faults.h"

static utf8proc_ssize_t point_at(xy_str text, size_t at, utf8proc_int32_t *point)
{
    *point = -1;
    return at < text.len ? utf8proc_iterate((const utf8proc_uint8_t *)text.ptr + at,
                                            (utf8proc_ssize_t)(text.len - at), point)
                         : 0;
}

/* ---- UTF-8 read as Windows-1252 -------------------------------------------------------------- */

/* The byte that Windows-1252, or Latin-1 where that has none, shows as this character; -1: none. */
static int byte_of(utf8proc_int32_t point)
{
    static const uint16_t high[32] = {
        0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
        0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178};
    if (point >= 0x80 && point <= 0xff)
        return point;
    for (int i = 0; i < 32; i++)
        if (high[i] == point)
            return 0x80 + i;
    return -1;
}

/* Are two characters, for the bytes `lead` and what is shown as `point`, no text of their own?
 * Real text has "Ã" and "Ä" before a dash, a quotation mark or a space, and before letters; so
 * such pairs count only for the lead of most accented letters, and punctuation only inside a
 * word ("Ã–l"). */
static bool is_certain(xy_str text, size_t next, int lead, utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    bool letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    bool mark = (point >= 0x2013 && point <= 0x2026) || point == 0x2122 || point == 0xa0 ||
                point == 0xab || point == 0xbb || point == 0xae;
    if (lead == 0xc2)
        return !letter;
    if (lead != 0xc3)
        return !letter && !mark;
    bool inside = next < text.len && (unsigned char)((text.ptr[next] | 0x20) - 'a') < 26;
    return point < 0x100 || letter || inside;
}

/* A character of two to four bytes, each of which was taken for one character. */
size_t encoding_mojibake(xy_str text, size_t at, char *out, size_t *length)
{
    utf8proc_int32_t point, value;
    utf8proc_ssize_t used = point_at(text, at, &point);
    int lead = used > 0 ? byte_of(point) : -1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t wanted = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4, next = at + (size_t)used;
    out[0] = (char)lead;
    for (size_t i = 1; i < wanted; i++) {
        used = point_at(text, next, &point);
        int byte = used > 0 ? byte_of(point) : -1;
        if (byte < 0x80 || byte > 0xbf)
            return 0;
        out[i] = (char)byte;
        next += (size_t)used;
    }
    if (utf8proc_iterate((const utf8proc_uint8_t *)out, (utf8proc_ssize_t)wanted, &value) !=
        (utf8proc_ssize_t)wanted)
        return 0;
    if (wanted == 2 && !is_certain(text, next, lead, point))
        return 0;
    *length = wanted;
    return next - at;
}

/* ---- entities and escapes -------------------------------------------------------------------- */

static size_t put(utf8proc_int32_t point, char *out)
{
    if (!utf8proc_codepoint_valid(point) || point == 0)
        return SIZE_MAX;
    return (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out);
}

/* Digits in `base`, at most `most`; `*at` goes behind them. -1: there is none. */
static int32_t read_digits(xy_str text, size_t *at, int base, size_t most)
{
    int32_t value = 0;
    size_t from = *at;
    for (; *at < text.len && *at - from < most; ++*at) {
        char c = text.ptr[*at], low = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
        if (digit >= base)
            break;
        value = value * base + digit;
    }
    return *at > from ? value : -1;
}

size_t encoding_entity(xy_str text, size_t at, char *out, size_t *length)
{
    static const struct {
        const char *name;
        uint16_t point;
    } names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
                 {"nbsp", 0xa0}, {"hellip", 0x2026}, {"mdash", 0x2014}, {"ndash", 0x2013},
                 {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201c}, {"rdquo", 0x201d},
                 {"eacute", 0xe9}, {"egrave", 0xe8}, {"agrave", 0xe0}, {"ccedil", 0xe7},
                 {"auml", 0xe4}, {"ouml", 0xf6}, {"uuml", 0xfc}, {"szlig", 0xdf}, {"ntilde", 0xf1},
                 {"euro", 0x20ac}, {"pound", 0xa3}, {"copy", 0xa9}, {"reg", 0xae},
                 {"deg", 0xb0}, {"times", 0xd7}, {"bull", 0x2022}, {"laquo", 0xab},
                 {"raquo", 0xbb}};
    size_t next = at + 1;
    if (text.ptr[at] != '&' || next >= text.len)
        return 0;
    if (text.ptr[next] == '#') {
        bool sixteen = next + 1 < text.len && (text.ptr[next + 1] | 0x20) == 'x';
        next += sixteen ? 2 : 1;
        int32_t point = read_digits(text, &next, sixteen ? 16 : 10, sixteen ? 6 : 7);
        if (point < 0 || next >= text.len || text.ptr[next] != ';')
            return 0;
        *length = put(point, out);
        return next + 1 - at;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t size = strlen(names[i].name);
        if (next + size < text.len && text.ptr[next + size] == ';' &&
            memcmp(text.ptr + next, names[i].name, size) == 0) {
            *length = put(names[i].point, out);
            return size + 2;
        }
    }
    return 0;
}

/* "\u" and four hexadecimal digits; a pair of surrogates is one character. */
size_t encoding_escape(xy_str text, size_t at, char *out, size_t *length)
{
    size_t next = at + 2, low_at;
    if (text.ptr[at] != '\\' || at + 6 > text.len || text.ptr[at + 1] != 'u')
        return 0;
    int32_t high = read_digits(text, &next, 16, 4), low = -1;
    if (next != at + 6)
        return 0;
    *length = put(high, out); /* no character: half of a pair alone */
    low_at = next + 2;
    if (high >= 0xd800 && high < 0xdc00 && next + 6 <= text.len && text.ptr[next] == '\\' &&
        text.ptr[next + 1] == 'u')
        low = read_digits(text, &low_at, 16, 4);
    if (low < 0xdc00 || low > 0xdfff || low_at != next + 6)
        return 6;
    *length = put(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), out);
    return 12;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* The fault at `at` that is to be repaired: its length; what it was in `out`. */
static size_t repair_at(xy_str text, size_t at, uint32_t kinds, char *out, size_t *length)
{
    size_t used = 0;
    *length = 0;
    if ((kinds >> CONTROL & 1) && (used = encoding_control(text, at)) > 0)
        return used;
    if ((kinds >> INVISIBLE & 1) && (used = encoding_invisible(text, at)) > 0)
        return used;
    if ((kinds >> MOJIBAKE & 1) && (used = encoding_mojibake(text, at, out, length)) > 0)
        return used;
    if ((kinds >> ENTITY & 1) && (used = encoding_entity(text, at, out, length)) > 0)
        return used;
    if (kinds >> ESCAPE & 1)
        used = encoding_escape(text, at, out, length);
    return used;
}

bool encoding_repair(xy_str text, uint32_t kinds, struct text *out)
{
    size_t from = 0;
    for (size_t at = 0; at < text.len;) {
        char was[8];
        size_t length, used = repair_at(text, at, kinds, was, &length);
        if (!used || length == SIZE_MAX) {
            at += used ? used : 1;
            continue;
        }
        text_add(out, text.ptr + from, at - from);
        text_add(out, was, length);
        from = at += used;
    }
    text_add(out, text.ptr + from, text.len - from);
    return !out->failed;
}
