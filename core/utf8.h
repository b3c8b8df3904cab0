/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - one UTF-8 sequence at a time (Unicode 15, section 3.9, table 3-7). */
#ifndef XYLEM_CORE_UTF8_H
#define XYLEM_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes, 1 to 4, of the sequence that `bytes` starts with; `left` (at least 1)
 * bytes may be read. *valid tells whether it is well-formed; where it is not, the length is that
 * of the maximal ill-formed part, for which one U+FFFD stands. [any] */
size_t utf8_sequence(const char *bytes, size_t left, bool *valid);

/* Writes a code point (no surrogate, at most 0x10FFFF) as 1 to 4 bytes; returns how many. [any] */
size_t utf8_encode(uint32_t code_point, char *out);

#endif
