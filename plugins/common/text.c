/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { KEPT = 1 << 20 };

static char *room(struct text *text, size_t length)
{
    if (text->failed)
        return NULL;
    if (length >= text->capacity - text->length || !text->bytes) {
        size_t capacity = (text->length + length + 1) * 2;
        char *bytes = capacity > length ? realloc(text->bytes, capacity) : NULL;
        if (!bytes) {
            text->failed = true;
            return NULL;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    return text->bytes + text->length;
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    char *place = room(text, length);
    if (!place)
        return;
    if (length)
        memcpy(place, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_str(struct text *text, xy_str str)
{
    text_add(text, str.ptr, str.len);
}

void text_add_literal(struct text *text, const char *literal)
{
    text_add(text, literal, strlen(literal));
}

static bool plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* How many of the bytes, at least, need no escape: many are looked at together. */
#ifdef __SSE2__
static size_t plain_run(const char *at, size_t length)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    size_t i = 0;
    for (; i + 16 <= length; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
        __m128i stop = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
                                                 _mm_cmpeq_epi8(bytes, slash)), control);
        unsigned found = (unsigned)_mm_movemask_epi8(stop);
        if (found)
            return i + (size_t)__builtin_ctz(found);
    }
    return i;
}
#else
static size_t plain_run(const char *at, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= length; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at + i, sizeof(word));
        uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        /* Bytes from 0x80 on, which none of the three can be, have their top bits taken out. */
        uint64_t stop = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                        ((word - ones * 0x20) & ~word);
        if (stop & tops)
            break;
    }
    return i;
}
#endif

void text_add_escaped(struct text *text, xy_str str)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < str.len;) {
        size_t start = i;
        i += plain_run(str.ptr + i, str.len - i);
        while (i < str.len && plain((unsigned char)str.ptr[i]))
            i++;
        text_add(text, str.ptr + start, i - start);
        if (i == str.len)
            break;
        unsigned char c = (unsigned char)str.ptr[i++];
        static const char special[] = "\"\\\n\r\t", names[] = "\"\\nrt";
        const char *found = c ? strchr(special, c) : NULL;
        char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        if (found)
            escape[1] = names[found - special];
        text_add(text, escape, found ? 2 : 6);
    }
}

void text_add_json(struct text *text, xy_str str)
{
    text_add(text, "\"", 1);
    text_add_escaped(text, str);
    text_add(text, "\"", 1);
}

void text_add_number(struct text *text, double number)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    /* Both functions above use the locale's decimal point; JSON has one of its own. */
    for (char *c = digits; *c; c++)
        if (!strchr("0123456789+-e", *c))
            *c = '.';
    text_add_literal(text, digits);
}

void text_add_signed(struct text *text, int64_t number)
{
    if (number < 0)
        text_add(text, "-", 1);
    text_add_integer(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void text_add_integer(struct text *text, uint64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    text_add(text, digits + at, sizeof(digits) - at);
}

void text_clear(struct text *text)
{
    if (text->capacity > KEPT)
        text_free(text);
    text->length = 0;
    text->failed = false;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){.failed = false};
}
