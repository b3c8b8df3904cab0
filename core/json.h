/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - the one place that reads and writes JSON (docs/decisions/0003-json.md says why not
 * cJSON).
 *
 * Reading is strict RFC 8259: valid UTF-8 only, no byte order mark, no trailing text, no
 * duplicate keys in one object, nesting of at most JSON_DEPTH, integers exact in int64 range
 * (beyond it a number; -0 is the integer 0), numbers past the range of a double refused, \u0000
 * kept, lone surrogates refused. Writing gives compact JSON, numbers with the fewest digits that
 * read back the same and in the notation of Python's repr (a VALUE_NUMBER keeps its ".0" or its
 * exponent, so that it reads back as one), non-finite numbers as null, invalid UTF-8 as U+FFFD.
 */
#ifndef XYLEM_CORE_JSON_H
#define XYLEM_CORE_JSON_H

#include "value.h"

enum { JSON_DEPTH = 128 };

/* Parses `text` into `out`, in `arena`; nothing borrows from `text`, which may be freed at once.
 * On an error what the arena was given stays in it until it is freed. Texts of the tree are not
 * NUL-terminated. Columns count code points, from 1. 0, or XY_EINVAL with the line and column
 * within `text`. [any] */
int json_parse(struct arena *arena, xy_str text, struct value *out, struct error *error);

/* Is this one valid JSON value under the same rules? Allocates nothing that outlives the call.
 * [any] */
bool json_valid(xy_str text);

/* Appends `value`; false, and the buffer's length as before, when its ceiling would be passed.
 * [any] */
bool json_write(struct buffer *buffer, const struct value *value);
/* The same over several lines, `indent` spaces for each level, as Python's json.dumps(indent=N). */
bool json_write_pretty(struct buffer *buffer, const struct value *value, int indent);
/* Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
bool json_write_text(struct buffer *buffer, xy_str text);
/* A finite number as said above; null for the others. */
bool json_write_number(struct buffer *buffer, double number);
/* The next member of an object: a comma unless the object was just opened, the name, the number; a
 * whole number without a fraction. */
bool json_write_figure(struct buffer *buffer, const char *name, double figure);

/* The first JSON object or array that can be found in a model's answer: the whole answer, or
 * within a code fence, or from the first bracket on that makes sense, with the usual slips
 * mended: single and curly quotes, quotes inside of a text, raw line breaks, unknown escapes,
 * bare keys, missing, double and trailing commas, comments, `...`, Python's True/False/None, NaN
 * and Infinity (null), +1, .5, 007, wrong or missing brackets, repeated keys (the last value
 * wins), invalid UTF-8 (U+FFFD), and an answer cut off at the end (brackets are closed, a member
 * without a value is left out). Returns 0 with `out` parsed, or XY_EINVAL. *repaired tells
 * whether the JSON itself was mended: prose and fences around it do not count. [any] */
int json_repair(struct arena *arena, xy_str text, struct value *out, bool *repaired,
                struct error *error);

/* True when `text` is well-formed UTF-8 (no surrogates, no overlong forms). [any] */
bool utf8_valid(xy_str text);
/* Number of code points in valid UTF-8. [any] */
size_t utf8_count(xy_str text);

#endif
