/* SPDX-License-Identifier: Apache-2.0 */
/* template_format.h - one field of "%5.2f" or "{:>5}" and how numbers and text fill it. */
#ifndef XYLEM_CORE_TEMPLATE_FORMAT_H
#define XYLEM_CORE_TEMPLATE_FORMAT_H

#include "template_internal.h"

enum { FIELD_LIMIT = 10000 }; /* of a width or a precision */

/* What both syntaxes say about one field. */
struct field {
    uint32_t fill;
    char align;  /* '<', '>', '^', '=' or 0 for the type's own */
    char sign;   /* '+', ' ' or 0 */
    bool alternate, zero, comma, underscore;
    int width, precision; /* precision -1: not given */
    char type;   /* 0: not given */
};

bool format_put_text(struct text *text, const struct field *field, xy_str value, char align);
bool format_put_integer(struct text *text, const struct field *field, int64_t integer);
bool format_put_float(struct text *text, const struct field *field, double number);
/* Always false. */
bool format_wrong_type(struct render *render, char type, const struct item *value);

#endif
