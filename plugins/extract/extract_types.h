/* SPDX-License-Identifier: Apache-2.0 */
/* extract_types.h - the captured text as a value of the type that the file asks for. [any] */
#ifndef XYLEM_PLUGINS_EXTRACT_EXTRACT_TYPES_H
#define XYLEM_PLUGINS_EXTRACT_EXTRACT_TYPES_H

#include <stdbool.h>

#include <xylem/plugin.h>

enum extract_type { EXTRACT_TEXT = 1, EXTRACT_INTEGER = 2, EXTRACT_NUMBER = 3 };

/* "text", "integer" or "number"; 0 for anything else. */
enum extract_type extract_type_of(xy_str name);

/* Text loses the white space at its ends. A number may have a sign, commas between groups of three
 * digits, a fraction and an exponent; an integer is a number without a fraction other than zeros,
 * of at most 64 bits. False when the text is no such number. Text borrows from `captured`. */
bool extract_value(xy_str captured, enum extract_type type, xy_value *out);

#endif
