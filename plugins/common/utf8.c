/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

size_t utf8_sequence(const unsigned char *at, const unsigned char *end)
{
    size_t left = (size_t)(end - at);
    unsigned char lead = at[0], low = 0x80, high = 0xbf;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < length)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

size_t utf8_check(xy_str text)
{
    const unsigned char *start = (const unsigned char *)text.ptr, *at = start;
    const unsigned char *end = start + text.len;
    while (at < end) {
        size_t length = *at < 0x80 ? 1 : utf8_sequence(at, end);
        if (length == 0)
            break;
        at += length;
    }
    return (size_t)(at - start);
}
