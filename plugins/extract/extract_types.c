/* SPDX-License-Identifier: Apache-2.0 */
#include "extract_types.h"

#include <math.h>

#include "json_value.h"

enum { LONGEST_NUMBER = 400 }; /* longer than any double written out in full */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static xy_str trimmed(xy_str text)
{
    while (text.len && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

enum extract_type extract_type_of(xy_str name)
{
    static const char *const names[] = {"text", "integer", "number"};
    for (int i = 0; i < 3; i++) {
        if (name.len == strlen(names[i]) && memcmp(name.ptr, names[i], name.len) == 0)
            return (enum extract_type)(i + 1);
    }
    return 0;
}

/* Digits of the integer part without their commas: 1,234,567. A comma anywhere else ends them, and
 * so is no number. Returns how many bytes were written; moves `*at`. */
static size_t copy_whole(xy_str text, size_t *at, char *out)
{
    size_t digits = 0, length = 0;
    for (; *at < text.len; (*at)++) {
        char c = text.ptr[*at];
        if (c == ',') {
            bool group = digits >= 1 && digits <= 3 && *at + 3 < text.len &&
                         is_digit(text.ptr[*at + 1]) && is_digit(text.ptr[*at + 2]) &&
                         is_digit(text.ptr[*at + 3]);
            if (!group)
                break;
            digits = 0;
            continue;
        }
        if (!is_digit(c))
            break;
        digits++;
        if (length == 1 && out[0] == '0')
            length = 0; /* JSON has no leading zeros */
        out[length++] = c;
    }
    return length;
}

/* The number in JSON's spelling, or {NULL, 0}. */
static xy_str spell(xy_str text, char *out)
{
    size_t at = 0, length = 0;
    xy_str none = {NULL, 0};
    if (text.len == 0 || text.len > LONGEST_NUMBER)
        return none;
    if (text.ptr[0] == '-' || text.ptr[0] == '+')
        at = 1;
    if (text.ptr[0] == '-')
        out[length++] = '-';
    size_t whole = copy_whole(text, &at, out + length);
    length += whole;
    bool fraction = at + 1 < text.len && text.ptr[at] == '.' && is_digit(text.ptr[at + 1]);
    if (!whole && !fraction)
        return none;
    if (!whole)
        out[length++] = '0';
    if (at + 1 == text.len && text.ptr[at] == '.')
        at++; /* "42.": a full stop behind it */
    memcpy(out + length, text.ptr + at, text.len - at);
    length += text.len - at;
    xy_str json = json_check((xy_str){out, length});
    return json_kind(json) == '0' ? json : none;
}

bool extract_value(xy_str captured, enum extract_type type, xy_value *out)
{
    xy_str text = trimmed(captured);
    if (type == EXTRACT_TEXT) {
        *out = (xy_value){.type = XY_TEXT, .text = text};
        return true;
    }
    char json[LONGEST_NUMBER + 4], scratch[LONGEST_NUMBER + 4];
    xy_str number = spell(text, json);
    if (!number.ptr)
        return false;
    json_value_read(number, scratch, out);
    double value = out->type == XY_INT ? (double)out->integer : out->number;
    if (type == EXTRACT_NUMBER) {
        *out = (xy_value){.type = XY_NUMBER, .number = value};
        return isfinite(value);
    }
    /* 2^53: up to there a double that is whole is the very integer that was written. */
    if (out->type != XY_INT && value == floor(value) && fabs(value) <= 9007199254740992.0)
        *out = (xy_value){.type = XY_INT, .integer = (int64_t)value};
    return out->type == XY_INT;
}
