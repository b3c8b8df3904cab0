/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - allocation that cannot fail quietly, arenas, and growable buffers with a ceiling.
 *
 * Out of memory ends the process with one line (docs/decisions/0002-out-of-memory.md): the journal
 * makes that as safe as any other kill, and no caller has an error path that no test can reach.
 * Sizes that come from outside are bounded by a buffer's ceiling, not by the allocator.
 */
#ifndef XYLEM_CORE_MEMORY_H
#define XYLEM_CORE_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xylem/plugin.h> /* xy_str: the one text type on both sides of the plugin door */

/* Zeroed memory of count * size bytes. Never NULL; ends the process when there is none. [any] */
void *memory_zeroed(size_t count, size_t size);

/* realloc() to count * size bytes under the same promise; new bytes are not zeroed. [any] */
void *memory_resize(void *old, size_t count, size_t size);

/* A NUL-terminated copy, freed by free(). [any] */
char *memory_copy_text(const char *text, size_t length);

/* ---- arena: many small allocations, freed together --------------------------------------- */

/* A zeroed struct is an empty arena. One thread at a time. */
struct arena {
    struct arena_block *block;
    size_t total; /* bytes handed out, for ceilings and tests */
};

/* Zeroed and aligned for any type; valid until arena_free(). */
void *arena_alloc(struct arena *arena, size_t size);
/* Copies bytes and adds a NUL that is not counted. */
char *arena_copy(struct arena *arena, const void *bytes, size_t length);
xy_str arena_str(struct arena *arena, xy_str text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Frees every block; the arena is empty and usable again. */
void arena_free(struct arena *arena);
/* Forgets every allocation but keeps the newest block, for loops that fill an arena again. */
void arena_reset(struct arena *arena);

/* ---- buffer: growing bytes with a ceiling -------------------------------------------------- */

/* Always NUL-terminated past `length` once anything was appended. `ceiling` must be set by
 * buffer_init(): an append that would pass it is refused whole and the buffer says so for good. */
struct buffer {
    char *bytes;
    size_t length, capacity, ceiling;
    bool overflowed;
};

void buffer_init(struct buffer *buffer, size_t ceiling);
void buffer_free(struct buffer *buffer);
/* Empties it and forgets an overflow; keeps the memory. */
void buffer_clear(struct buffer *buffer);
/* Each returns false, and changes nothing, when the ceiling would be passed. */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
bool buffer_append_str(struct buffer *buffer, xy_str text);
bool buffer_append_text(struct buffer *buffer, const char *text);
bool buffer_append_char(struct buffer *buffer, char c);
bool buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool buffer_vprintf(struct buffer *buffer, const char *format, va_list args);
/* Room for `length` more bytes without moving; NULL past the ceiling. The caller adds to length. */
char *buffer_reserve(struct buffer *buffer, size_t length);
/* Drops the first `length` bytes. */
void buffer_consume(struct buffer *buffer, size_t length);
xy_str buffer_str(const struct buffer *buffer);

/* ---- text ----------------------------------------------------------------------------------- */

#define STR(literal) ((xy_str){(literal), sizeof(literal) - 1})

xy_str str_of(const char *text); /* NULL gives {NULL, 0} */
bool str_equal(xy_str a, xy_str b);
bool str_is(xy_str a, const char *text);

#endif
