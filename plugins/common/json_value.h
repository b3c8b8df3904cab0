/* SPDX-License-Identifier: Apache-2.0 */
/* json_value.h - between a record's typed values and JSON, the one way that all formats and sources
 * of this repository share. [any] */
#ifndef XYLEM_PLUGINS_COMMON_JSON_VALUE_H
#define XYLEM_PLUGINS_COMMON_JSON_VALUE_H

#include "json_reader.h"
#include "text.h"

/* Adds the value: a vector as an array, an absent value or a number that JSON cannot say as
 * null. */
void json_value_add(struct text *out, const xy_value *value);

/* What a checked JSON value means as a field: strings become text, integers of at most 64 bits stay
 * exact, null is XY_NULL, objects and arrays stay JSON. Decoded text lies in `scratch`, which needs
 * room for json.len + 1 bytes; the rest borrows from `json`. */
void json_value_read(xy_str json, char *scratch, xy_value *out);

#endif
