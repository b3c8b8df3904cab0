/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *out_reserve(struct out *out, size_t length)
{
    size_t needed = out->length + length + 1;
    if (needed > out->capacity) {
        size_t capacity = out->capacity ? out->capacity : 512;
        while (capacity < needed)
            capacity *= 2;
        char *bytes = realloc(out->bytes, capacity);
        if (!bytes) {
            fprintf(stderr, "test_server: out of memory\n");
            exit(71);
        }
        out->bytes = bytes;
        out->capacity = capacity;
    }
    return out->bytes + out->length;
}

void out_add(struct out *out, const void *bytes, size_t length)
{
    char *place = out_reserve(out, length);
    if (length)
        memcpy(place, bytes, length);
    place[length] = '\0';
    out->length += length;
}

void out_text(struct out *out, const char *text)
{
    out_add(out, text, strlen(text));
}

void out_format(struct out *out, const char *format, ...)
{
    enum { GUESS = 256 };
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(out_reserve(out, GUESS), GUESS, format, args);
    if (length >= GUESS)
        vsnprintf(out_reserve(out, (size_t)length), (size_t)length + 1, format, again);
    if (length > 0)
        out->length += (size_t)length;
    va_end(again);
    va_end(args);
}

void out_json_string(struct out *out, const char *text, size_t length)
{
    out_add(out, "\"", 1);
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        out_add(out, text + start, i - start);
        start = i + 1;
        if (c == '"' || c == '\\')
            out_format(out, "\\%c", c);
        else if (c == '\n')
            out_text(out, "\\n");
        else
            out_format(out, "\\u%04x", c);
    }
    out_add(out, text + start, length - start);
    out_add(out, "\"", 1);
}

void out_consume(struct out *out, size_t length)
{
    out->length -= length;
    if (out->length)
        memmove(out->bytes, out->bytes + length, out->length);
}

void out_free(struct out *out)
{
    free(out->bytes);
    *out = (struct out){0};
}

uint64_t hash_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325) ^ length;
    for (; length >= 8; length -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
    }
    for (; length; length--)
        hash = (hash ^ *at++) * UINT64_C(0x100000001b3);
    return hash_mix(hash);
}

double hash_unit(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1.0p-53;
}
