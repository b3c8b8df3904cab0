/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json.h"

size_t utf8_sequence(const char *bytes, size_t left, bool *valid)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    unsigned char lead = byte[0];
    *valid = true;
    if (lead < 0x80)
        return 1;
    *valid = false;
    if (lead < 0xc2 || lead > 0xf4)
        return 1;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    /* The second byte's range excludes overlong forms, surrogates and what is past U+10FFFF. */
    unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < length; i++) {
        if (i == left || byte[i] < least || byte[i] > most)
            return i;
        least = 0x80;
        most = 0xbf;
    }
    *valid = true;
    return length;
}

size_t utf8_encode(uint32_t code_point, char *out)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}

/* How many bytes, at least, are ASCII: most text is, and many are looked at together. */
#ifdef __SSE2__
static size_t ascii_run(const char *at, size_t length)
{
    size_t i = 0;
    for (; i + 16 <= length; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        unsigned beyond = (unsigned)_mm_movemask_epi8(bytes);
        if (beyond)
            return i + (size_t)__builtin_ctz(beyond);
    }
    return i;
}
#else
static size_t ascii_run(const char *at, size_t length)
{
    (void)at;
    (void)length;
    return 0;
}
#endif

bool utf8_valid(xy_str text)
{
    size_t at = ascii_run(text.ptr, text.len);
    while (at < text.len) {
        uint64_t word;
        if (text.len - at >= sizeof(word)) { /* eight ASCII bytes at once: most text is ASCII */
            memcpy(&word, text.ptr + at, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        bool valid;
        at += utf8_sequence(text.ptr + at, text.len - at, &valid);
        if (!valid)
            return false;
    }
    return true;
}

size_t utf8_count(xy_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}
