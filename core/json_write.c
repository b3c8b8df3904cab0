/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

/* ---- texts ---------------------------------------------------------------------------------- */

static bool write_escape(struct buffer *buffer, unsigned char c)
{
    switch (c) {
    case '"': return buffer_append(buffer, "\\\"", 2);
    case '\\': return buffer_append(buffer, "\\\\", 2);
    case '\b': return buffer_append(buffer, "\\b", 2);
    case '\f': return buffer_append(buffer, "\\f", 2);
    case '\n': return buffer_append(buffer, "\\n", 2);
    case '\r': return buffer_append(buffer, "\\r", 2);
    case '\t': return buffer_append(buffer, "\\t", 2);
    default: {
        const char *digits = "0123456789abcdef";
        char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        return buffer_append(buffer, escape, sizeof(escape));
    }
    }
}

/* How many bytes from `at` on can be copied as they are. */
static size_t plain_length(xy_str text, size_t at)
{
    size_t from = at;
    while (at < text.len) {
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x20 || c == '"' || c == '\\')
            break;
        bool valid = true;
        size_t length = c < 0x80 ? 1 : utf8_sequence(text.ptr + at, text.len - at, &valid);
        if (!valid)
            break;
        at += length;
    }
    return at - from;
}

static bool write_text(struct buffer *buffer, xy_str text)
{
    bool fits = buffer_append_char(buffer, '"');
    size_t at = 0;
    while (fits && at < text.len) {
        size_t length = plain_length(text, at);
        fits = buffer_append(buffer, text.ptr + at, length);
        at += length;
        if (!fits || at == text.len)
            break;
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x80) {
            fits = write_escape(buffer, c);
            at++;
        } else {
            bool valid;
            at += utf8_sequence(text.ptr + at, text.len - at, &valid);
            fits = buffer_append_text(buffer, "\xef\xbf\xbd"); /* U+FFFD */
        }
    }
    return fits && buffer_append_char(buffer, '"');
}

/* ---- numbers -------------------------------------------------------------------------------- */

static bool write_integer(struct buffer *buffer, int64_t integer)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (integer < 0)
        digits[--at] = '-';
    return buffer_append(buffer, digits + at, sizeof(digits) - at);
}

/* The fewest significant digits of the positive `number` that read back as it, without the point,
 * into `digits` (17 bytes); the power of ten of the first one into *exponent. 15 digits always
 * survive the way through a normal double (DBL_DIG), so that no fewer need be tried there: their
 * trailing zeros go. Runs in the C locale. */
static size_t shortest_digits(double number, char *digits, int *exponent)
{
    int precision = number < DBL_MIN ? 1 : DBL_DIG;
    char text[32];
    for (;; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, number);
        if (precision == DBL_DECIMAL_DIG || strtod(text, NULL) == number)
            break;
    }
    const char *letter = strchr(text, 'e');
    *exponent = (int)strtol(letter + 1, NULL, 10);
    size_t count = 0;
    for (const char *at = text; at < letter; at++) {
        if (*at != '.')
            digits[count++] = *at;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

static bool write_scientific(struct buffer *buffer, const char *digits, size_t count, int exponent)
{
    bool fits = buffer_append(buffer, digits, 1);
    if (count > 1)
        fits = fits && buffer_append_char(buffer, '.') &&
               buffer_append(buffer, digits + 1, count - 1);
    return fits && buffer_printf(buffer, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

/* Python's repr: positional from 1e-4 to below 1e16, else with an exponent of two digits or
 * more. */
static bool write_digits(struct buffer *buffer, const char *digits, size_t count, int exponent)
{
    if (exponent < -4 || exponent >= 16)
        return write_scientific(buffer, digits, count, exponent);
    const char *zeros = "0000000000000000";
    if (exponent < 0)
        return buffer_append_text(buffer, "0.") &&
               buffer_append(buffer, zeros, (size_t)(-exponent - 1)) &&
               buffer_append(buffer, digits, count);
    size_t whole = (size_t)exponent + 1;
    if (count <= whole)
        return buffer_append(buffer, digits, count) &&
               buffer_append(buffer, zeros, whole - count) && buffer_append_text(buffer, ".0");
    return buffer_append(buffer, digits, whole) && buffer_append_char(buffer, '.') &&
           buffer_append(buffer, digits + whole, count - whole);
}

static bool write_number(struct buffer *buffer, double number)
{
    if (!isfinite(number))
        return buffer_append_text(buffer, "null");
    if (signbit(number) && !buffer_append_char(buffer, '-'))
        return false;
    number = fabs(number);
    if (number == 0)
        return buffer_append_text(buffer, "0.0");
    char digits[DBL_DECIMAL_DIG];
    int exponent;
    /* printf() and strtod() follow the thread's locale, whose decimal point may be a comma. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c_locale);
    size_t count = shortest_digits(number, digits, &exponent);
    uselocale(before);
    freelocale(c_locale);
    return write_digits(buffer, digits, count, exponent);
}

/* ---- values --------------------------------------------------------------------------------- */

enum { COMPACT = -1 };

struct writer {
    struct buffer *buffer;
    int indent; /* spaces for each level, or COMPACT */
    int depth;
};

static bool write_break(struct writer *writer)
{
    if (writer->indent == COMPACT)
        return true;
    size_t spaces = (size_t)writer->indent * (size_t)writer->depth;
    char *room = buffer_reserve(writer->buffer, spaces + 1);
    if (!room)
        return false;
    room[0] = '\n';
    memset(room + 1, ' ', spaces);
    room[1 + spaces] = '\0';
    writer->buffer->length += spaces + 1;
    return true;
}

static bool write_value(struct writer *writer, const struct value *value);

static bool write_list(struct writer *writer, const struct value *list)
{
    size_t count = list->list.count;
    if (count == 0)
        return buffer_append_text(writer->buffer, "[]");
    bool fits = buffer_append_char(writer->buffer, '[');
    writer->depth++;
    for (size_t i = 0; fits && i < count; i++)
        fits = (i == 0 || buffer_append_char(writer->buffer, ',')) && write_break(writer) &&
               write_value(writer, &list->list.items[i]);
    writer->depth--;
    return fits && write_break(writer) && buffer_append_char(writer->buffer, ']');
}

static bool write_map(struct writer *writer, const struct value *map)
{
    size_t count = map->map.count;
    if (count == 0)
        return buffer_append_text(writer->buffer, "{}");
    const char *colon = writer->indent == COMPACT ? ":" : ": ";
    bool fits = buffer_append_char(writer->buffer, '{');
    writer->depth++;
    for (size_t i = 0; fits && i < count; i++) {
        const struct member *member = &map->map.members[i];
        fits = (i == 0 || buffer_append_char(writer->buffer, ',')) && write_break(writer) &&
               write_text(writer->buffer, member->key) &&
               buffer_append_text(writer->buffer, colon) && write_value(writer, &member->value);
    }
    writer->depth--;
    return fits && write_break(writer) && buffer_append_char(writer->buffer, '}');
}

static bool write_value(struct writer *writer, const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL: return buffer_append_text(writer->buffer, value->boolean ? "true" : "false");
    case VALUE_INT: return write_integer(writer->buffer, value->integer);
    case VALUE_NUMBER: return write_number(writer->buffer, value->number);
    case VALUE_TEXT: return write_text(writer->buffer, value->text);
    case VALUE_LIST: return write_list(writer, value);
    case VALUE_MAP: return write_map(writer, value);
    default: return buffer_append_text(writer->buffer, "null");
    }
}

/* Takes back what a write that did not fit has left. */
static bool finish(struct buffer *buffer, size_t before, bool fits)
{
    if (!fits && buffer->bytes) {
        buffer->length = before;
        buffer->bytes[before] = '\0';
    }
    return fits;
}

bool json_write(struct buffer *buffer, const struct value *value)
{
    struct writer writer = {.buffer = buffer, .indent = COMPACT};
    size_t before = buffer->length;
    return finish(buffer, before, write_value(&writer, value));
}

bool json_write_pretty(struct buffer *buffer, const struct value *value, int indent)
{
    struct writer writer = {.buffer = buffer, .indent = indent < 0 ? 0 : indent};
    size_t before = buffer->length;
    return finish(buffer, before, write_value(&writer, value));
}

bool json_write_text(struct buffer *buffer, xy_str text)
{
    size_t before = buffer->length;
    return finish(buffer, before, write_text(buffer, text));
}

bool json_write_number(struct buffer *buffer, double number)
{
    size_t before = buffer->length;
    return finish(buffer, before, write_number(buffer, number));
}

bool json_write_figure(struct buffer *buffer, const char *name, double figure)
{
    bool first = buffer->length > 0 && buffer->bytes[buffer->length - 1] == '{';
    bool whole = figure >= -9e15 && figure <= 9e15 && figure == (double)(int64_t)figure;
    bool fits = (first || buffer_append_char(buffer, ',')) &&
                json_write_text(buffer, str_of(name)) && buffer_append_char(buffer, ':');
    if (whole)
        return fits && buffer_printf(buffer, "%lld", (long long)figure);
    return fits && json_write_number(buffer, figure);
}
