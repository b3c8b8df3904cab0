/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 4096 };

struct arena_block {
    struct arena_block *previous;
    size_t used, capacity;
    max_align_t bytes[];
};

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "xylem: out of memory (%zu bytes); run the same command again to go on\n",
            size);
    _Exit(71); /* EX_OSERR; no handler may run, since a handler would allocate */
}

void *memory_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        out_of_memory(count * size);
    return memory;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(SIZE_MAX);
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

char *memory_copy_text(const char *text, size_t length)
{
    char *copy = memory_resize(NULL, length + 1, 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t rounded = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct arena_block *block = arena->block;
    if (!block || block->capacity - block->used < rounded) {
        size_t capacity = block ? block->capacity * 2 : ARENA_BLOCK;
        if (capacity > (size_t)1 << 20)
            capacity = (size_t)1 << 20;
        if (capacity < rounded)
            capacity = rounded;
        struct arena_block *fresh = memory_resize(NULL, sizeof(*fresh) + capacity, 1);
        *fresh = (struct arena_block){.previous = block, .capacity = capacity};
        arena->block = block = fresh;
    }
    void *memory = (char *)block->bytes + block->used;
    block->used += rounded;
    arena->total += rounded;
    memset(memory, 0, rounded);
    return memory;
}

char *arena_copy(struct arena *arena, const void *bytes, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

xy_str arena_str(struct arena *arena, xy_str text)
{
    return (xy_str){arena_copy(arena, text.ptr, text.len), text.len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void arena_free(struct arena *arena)
{
    while (arena->block) {
        struct arena_block *previous = arena->block->previous;
        free(arena->block);
        arena->block = previous;
    }
    arena->total = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *newest = arena->block;
    if (!newest)
        return;
    arena->block = newest->previous;
    arena_free(arena);
    newest->previous = NULL;
    newest->used = 0;
    arena->block = newest;
}

void buffer_init(struct buffer *buffer, size_t ceiling)
{
    *buffer = (struct buffer){.ceiling = ceiling};
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->length = buffer->capacity = 0;
    buffer->overflowed = false;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->overflowed = false;
    if (buffer->bytes)
        buffer->bytes[0] = '\0';
}

char *buffer_reserve(struct buffer *buffer, size_t length)
{
    if (length > buffer->ceiling || buffer->length > buffer->ceiling - length) {
        buffer->overflowed = true;
        return NULL;
    }
    size_t needed = buffer->length + length + 1;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity * 2 : 128;
        if (capacity < needed)
            capacity = needed;
        buffer->bytes = memory_resize(buffer->bytes, capacity, 1);
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->length;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    char *room = buffer_reserve(buffer, length);
    if (!room)
        return false;
    if (length)
        memcpy(room, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
    return true;
}

bool buffer_append_str(struct buffer *buffer, xy_str text)
{
    return buffer_append(buffer, text.ptr, text.len);
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

bool buffer_append_char(struct buffer *buffer, char c)
{
    return buffer_append(buffer, &c, 1);
}

bool buffer_vprintf(struct buffer *buffer, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *room = length < 0 ? NULL : buffer_reserve(buffer, (size_t)length);
    if (room) {
        vsnprintf(room, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return room != NULL;
}

bool buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool fits = buffer_vprintf(buffer, format, args);
    va_end(args);
    return fits;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    if (length > buffer->length)
        length = buffer->length;
    memmove(buffer->bytes, buffer->bytes + length, buffer->length - length);
    buffer->length -= length;
    if (buffer->bytes)
        buffer->bytes[buffer->length] = '\0';
}

xy_str buffer_str(const struct buffer *buffer)
{
    return (xy_str){buffer->bytes ? buffer->bytes : "", buffer->length};
}

xy_str str_of(const char *text)
{
    return (xy_str){text, text ? strlen(text) : 0};
}

bool str_equal(xy_str a, xy_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is(xy_str a, const char *text)
{
    return str_equal(a, str_of(text));
}
