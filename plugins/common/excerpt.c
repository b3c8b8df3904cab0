/* SPDX-License-Identifier: Apache-2.0 */
#include "excerpt.h"

size_t excerpt_floor(xy_str text, size_t at)
{
    if (at >= text.len)
        return text.len;
    while (at > 0 && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
        at--;
    return at;
}

int excerpt_length(xy_str text, size_t most)
{
    return (int)excerpt_floor(text, text.len < most ? text.len : most);
}
