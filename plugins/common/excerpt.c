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

void excerpt_line(char *out, size_t size, xy_str text)
{
    int length = excerpt_length(text, size - 1);
    for (int i = 0; i < length; i++)
        out[i] = (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? ' ' : text.ptr[i];
    out[length] = '\0';
}
