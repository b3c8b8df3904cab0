/* SPDX-License-Identifier: Apache-2.0 */
#include "json_value.h"

#include <math.h>

static void add_number(struct text *out, double number)
{
    if (isfinite(number))
        text_add_number(out, number);
    else
        text_add_literal(out, "null");
}

void json_value_add(struct text *out, const xy_value *value)
{
    switch (value->type) {
    case XY_TEXT: text_add_json(out, value->text); break;
    case XY_JSON: text_add_str(out, value->text); break;
    case XY_NUMBER: add_number(out, value->number); break;
    case XY_BOOL: text_add_literal(out, value->integer ? "true" : "false"); break;
    case XY_INT: text_add_signed(out, value->integer); break;
    case XY_VECTOR:
        text_add_literal(out, "[");
        for (uint32_t i = 0; i < value->length; i++) {
            text_add_literal(out, i ? "," : "");
            add_number(out, (double)value->vector[i]);
        }
        text_add_literal(out, "]");
        break;
    default: text_add_literal(out, "null");
    }
}

/* False when it has a fraction, an exponent, or more than 64 bits. */
static bool read_integer(xy_str text, int64_t *out)
{
    size_t at = text.ptr[0] == '-';
    int64_t number = 0;
    for (size_t i = at; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, digit, &number)) /* INT64_MIN has no opposite */
            return false;
    }
    if (!at && number == INT64_MIN)
        return false;
    *out = at ? number : -number;
    return true;
}

void json_value_read(xy_str json, char *scratch, xy_value *out)
{
    *out = (xy_value){.type = XY_NULL};
    switch (json_kind(json)) {
    case '"':
        *out = (xy_value){.type = XY_TEXT, .text = {scratch, json_decode(json, scratch)}};
        break;
    case 't':
    case 'f': *out = (xy_value){.type = XY_BOOL, .integer = json.ptr[0] == 't'}; break;
    case '0':
        if (read_integer(json, &out->integer))
            out->type = XY_INT;
        else
            *out = (xy_value){.type = XY_NUMBER, .number = json_number(json, 0)};
        break;
    case '{':
    case '[': *out = (xy_value){.type = XY_JSON, .text = json}; break;
    default: break;
    }
}
