/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - JSON Schema (draft 2020-12), the part that structured output uses.
 *
 * Keywords: type (name or list), enum, const, properties, required, additionalProperties, items,
 * prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength (in code points), pattern
 * (searched; PCRE2 in UTF mode with the meaning of ECMA-262: \d and \w are ASCII, $ is the very
 * end; a match that backtracks too much is a violation), minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, multipleOf (0.3 is a multiple of 0.1), minProperties, maxProperties, anyOf,
 * oneOf, allOf, not, $ref to #, #/$defs/NAME or #/definitions/NAME of the top, $schema (2020-12
 * or draft-07), $id at the top, and without effect format, title, description, default,
 * examples, $comment, deprecated, readOnly, writeOnly. Any other keyword is refused by name at
 * compile time: a rule that is silently not checked is worse than none.
 */
/* schema.h - JSON Schema (draft 2020-12), the part that structured output uses.
 *
 * Keywords: type (name or list), enum, const, properties, required, additionalProperties, items,
 * prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength (in code points), pattern
 * (POSIX extended, searched), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf,
 * minProperties, maxProperties, anyOf, oneOf, allOf, not, $ref to #/$defs/NAME or
 * #/definitions/NAME, format (not asserted), title, description, default, examples. Any other
 * keyword is refused by name at compile time: a rule that is silently not checked is worse than
 * none.
 */
#ifndef XYLEM_CORE_SCHEMA_H
#define XYLEM_CORE_SCHEMA_H

#include "value.h"

struct schema;

/* Compiles; NULL with the reason and its path in `error` (and the line and column where it is no
 * JSON). Borrows nothing from `source`. Free with schema_free(). [any] */
struct schema *schema_compile(xy_str source, struct error *error);
/* 0, or XY_EINVAL with the path ("$.items[2].label") and the first violation. [any], reentrant. */
int schema_check(const struct schema *schema, const struct value *value, struct error *error);
void schema_free(struct schema *schema);

#endif
