/* SPDX-License-Identifier: Apache-2.0 */
/* Filling one field of a format with text or a number, as Python does. */
#include "template_format.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static bool put_field(struct text *text, const struct field *field, xy_str sign, xy_str body,
                      char align)
{
    size_t length = point_count(sign) + point_count(body), width = (size_t)field->width;
    size_t space = width > length ? width - length : 0;
    if (field->align)
        align = field->align;
    size_t left = align == '>' ? space : align == '^' ? space / 2 : 0;
    size_t inner = align == '=' ? space : 0;
    return text_pad(text, field->fill, left) && text_append(text, sign.ptr, sign.len) &&
           text_pad(text, field->fill, inner) && text_append(text, body.ptr, body.len) &&
           text_pad(text, field->fill, space - left - inner);
}

bool format_put_text(struct text *text, const struct field *field, xy_str value, char align)
{
    if (field->precision >= 0)
        value.len = point_offset(value, (size_t)field->precision);
    return put_field(text, field, STR(""), value, align);
}

/* Copies digits with separators between thousands. */
static size_t group_digits(const char *digits, char separator, char *out)
{
    size_t whole = 0, length = 0;
    while (digits[whole] >= '0' && digits[whole] <= '9')
        whole++;
    for (size_t i = 0; i < whole; i++) {
        if (i && (whole - i) % 3 == 0)
            out[length++] = separator;
        out[length++] = digits[i];
    }
    size_t rest = strlen(digits + whole);
    memcpy(out + length, digits + whole, rest + 1);
    return length + rest;
}

static bool put_number(struct text *text, const struct field *field, bool negative,
                       const char *prefix, const char *digits)
{
    char sign[8], grouped[1200];
    size_t length = strlen(digits);
    struct field copy = *field;
    const char *body = digits;
    snprintf(sign, sizeof(sign), "%s%s",
             negative             ? "-"
             : field->sign == '+' ? "+"
             : field->sign == ' ' ? " "
                                  : "",
             prefix);
    if ((field->comma || field->underscore) && length < 800) {
        length = group_digits(digits, field->comma ? ',' : '_', grouped);
        body = grouped;
    }
    if (field->zero && !field->align) {
        copy.align = '=';
        copy.fill = '0';
    }
    return put_field(text, &copy, str_of(sign), (xy_str){body, length}, '>');
}

static unsigned base_of(char type)
{
    switch (type) {
    case 'x':
    case 'X': return 16;
    case 'o': return 8;
    case 'b': return 2;
    default: return 10;
    }
}

static const char *prefix_of(char type)
{
    switch (type) {
    case 'x': return "0x";
    case 'X': return "0X";
    case 'o': return "0o";
    case 'b': return "0b";
    default: return "";
    }
}

bool format_put_integer(struct text *text, const struct field *field, int64_t integer)
{
    char digits[80], *at = digits + sizeof(digits);
    unsigned base = base_of(field->type);
    const char *letters = field->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    *--at = '\0';
    do
        *--at = letters[rest % base];
    while (rest /= base);
    const char *prefix = field->alternate ? prefix_of(field->type) : "";
    char padded[FIELD_LIMIT > 400 ? 400 : FIELD_LIMIT];
    size_t length = strlen(at), wanted = field->precision > 0 ? (size_t)field->precision : 0;
    if (wanted <= length)
        return put_number(text, field, integer < 0, prefix, at);
    if (wanted >= sizeof(padded))
        return template_fail(text->render,
                             "found a precision of %zu digits, expected less than %zu", wanted,
                             sizeof(padded));
    memset(padded, '0', wanted - length);
    memcpy(padded + wanted - length, at, length + 1);
    return put_number(text, field, integer < 0, prefix, padded);
}

/* The digits of a number without its sign; `size` leaves room for a percent sign. */
static void print_magnitude(const struct field *field, double magnitude, char *digits, size_t size)
{
    char type = field->type;
    int precision = field->precision < 0 ? 6 : field->precision;
    if (!type && field->precision < 0) {
        number_repr(magnitude, digits);
    } else if (!type) {
        /* Like g, but with at least one digit behind the point (PEP 3101). */
        number_print(magnitude, 'g', precision ? precision : 1, false, digits, size - 1);
        if (isfinite(magnitude) && !strpbrk(digits, ".e"))
            memcpy(digits + strlen(digits), ".0", 3);
    } else {
        char printed = type == '%' ? 'f' : type == 'n' ? 'g' : type;
        bool least_one = (type | 32) == 'g' && precision == 0;
        number_print(magnitude, printed, least_one ? 1 : precision, field->alternate, digits, size);
    }
}

bool format_put_float(struct text *text, const struct field *field, double number)
{
    char digits[800];
    char type = field->type;
    double magnitude = fabs(number);
    bool negative = signbit(number) && !isnan(number);
    if (field->precision > 300)
        return template_fail(text->render, "found a precision of %d digits, expected at most 300",
                             field->precision);
    if (type == '%')
        magnitude *= 100;
    print_magnitude(field, magnitude, digits, sizeof(digits) - 2);
    if (isupper((unsigned char)type))
        for (char *at = digits; *at; at++)
            *at = (char)toupper((unsigned char)*at);
    if (type == '%')
        memcpy(digits + strlen(digits), "%", 2);
    return put_number(text, field, negative, "", digits);
}

bool format_wrong_type(struct render *render, char type, const struct item *value)
{
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    return template_fail(render, "found %s for the format `%c`, expected %s", item_type(value),
                         type ? type : 's', strchr("sr", type) ? "a string" : "a number");
}
