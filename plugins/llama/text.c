/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(struct text *text, const char *bytes, size_t len)
{
    if (text->failed)
        return;
    if (text->len + len + 1 > text->capacity) {
        size_t capacity = (text->len + len + 64) * 2;
        char *grown = realloc(text->ptr, capacity);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->ptr = grown;
        text->capacity = capacity;
    }
    if (len > 0)
        memcpy(text->ptr + text->len, bytes, len);
    text->len += len;
    text->ptr[text->len] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_print(struct text *text, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(line))
        text->failed = true;
    else
        text_add(text, line, (size_t)len);
}

void text_free(struct text *text)
{
    free(text->ptr);
    *text = (struct text){0};
}

/* The length that a character's first byte announces, 0 for a byte that starts none. */
static size_t announced(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* The length of the valid character that starts at `s`, 0 when there is none (RFC 3629). */
static size_t character(const unsigned char *s, size_t len)
{
    size_t need = announced(s[0]);
    if (need == 0 || need > len)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return need;
}

size_t text_whole_characters(const char *bytes, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char byte = (unsigned char)bytes[len - back];
        if ((byte & 0xc0) == 0x80)
            continue;
        return announced(byte) > back ? len - back : len;
    }
    return len;
}

void text_repair_utf8(struct text *text)
{
    struct text repaired = {0};
    const unsigned char *s = (const unsigned char *)text->ptr;
    size_t kept = 0, i = 0;
    while (i < text->len) {
        size_t step = character(s + i, text->len - i);
        if (step == 0) {
            text_add(&repaired, text->ptr + kept, i - kept);
            text_add_string(&repaired, "\xef\xbf\xbd");
            kept = i + 1;
        }
        i += step ? step : 1;
    }
    if (kept == 0)
        return;
    text_add(&repaired, text->ptr + kept, text->len - kept);
    text_free(text);
    *text = repaired;
}
