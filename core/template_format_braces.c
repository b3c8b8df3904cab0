/* SPDX-License-Identifier: Apache-2.0 */
/* "{} is {:.2f}".format(a, b) (PEP 3101). */
#include "template_format.h"

#include <ctype.h>
#include <string.h>

static bool bad_spec(struct render *render, xy_str spec)
{
    return template_fail(render,
                         "found the format `%.*s`, expected [[fill]align][sign][#][0][width]"
                         "[,][.precision][type]",
                         spec.len > 60 ? 60 : (int)spec.len, spec.ptr);
}

static bool is_align(int c)
{
    return c == '<' || c == '>' || c == '^' || c == '=';
}

static size_t spec_digits(xy_str spec, size_t at, int *out)
{
    *out = 0;
    for (; at < spec.len && spec.ptr[at] >= '0' && spec.ptr[at] <= '9'; at++)
        if (*out <= FIELD_LIMIT)
            *out = *out * 10 + (spec.ptr[at] - '0');
    return at;
}

static bool take(xy_str spec, size_t *at, char c)
{
    bool found = *at < spec.len && spec.ptr[*at] == c;
    *at += found;
    return found;
}

/* "[[fill]align]"; returns where it ends. `*filled`: a fill was given. */
static size_t parse_align(xy_str spec, struct field *field, bool *filled)
{
    size_t second = 0;
    *filled = false;
    if (spec.len == 0)
        return 0;
    uint32_t point = point_next(spec, &second);
    if (second < spec.len && is_align(spec.ptr[second])) {
        *filled = true;
        field->fill = point;
        field->align = spec.ptr[second];
        return second + 1;
    }
    if (!is_align(spec.ptr[0]))
        return 0;
    field->align = spec.ptr[0];
    return 1;
}

static bool parse_spec(xy_str spec, struct field *field)
{
    bool filled;
    *field = (struct field){.fill = ' ', .precision = -1};
    size_t at = parse_align(spec, field, &filled);
    if (at < spec.len && (spec.ptr[at] == '+' || spec.ptr[at] == '-' || spec.ptr[at] == ' '))
        field->sign = spec.ptr[at++];
    field->alternate = take(spec, &at, '#');
    field->zero = take(spec, &at, '0');
    if (field->zero && field->align && !filled)
        field->fill = '0';
    at = spec_digits(spec, at, &field->width);
    field->comma = take(spec, &at, ',');
    field->underscore = !field->comma && take(spec, &at, '_');
    if (take(spec, &at, '.')) {
        size_t begin = at;
        at = spec_digits(spec, at, &field->precision);
        if (at == begin)
            return false;
    }
    if (at < spec.len)
        field->type = spec.ptr[at++];
    return at == spec.len && field->width <= FIELD_LIMIT && field->precision <= FIELD_LIMIT;
}

static bool brace_text(struct text *text, struct field *field, xy_str value, xy_str spec)
{
    bool numeric = field->sign || field->comma || field->underscore || field->alternate ||
                   field->align == '=';
    if (numeric || (field->type && field->type != 's'))
        return bad_spec(text->render, spec);
    if (field->zero && !field->align)
        field->fill = '0';
    return format_put_text(text, field, value, '<');
}

static bool brace_integer(struct text *text, struct field *field, int64_t integer, xy_str spec)
{
    bool grouped = field->comma || field->underscore;
    if ((field->type && !strchr("dxXob", field->type)) || field->precision >= 0 ||
        (grouped && field->type && field->type != 'd'))
        return bad_spec(text->render, spec);
    return format_put_integer(text, field, integer);
}

static bool brace_number(struct text *text, struct field *field, const struct item *value,
                         xy_str spec)
{
    bool integer = item_is_integer(value), as_float = field->type && strchr("eEfFgG%", field->type);
    if (value->kind == KIND_BOOL && !field->type)
        return template_fail(text->render,
                             "found a boolean with the format `%.*s`, expected a type "
                             "such as d or a string",
                             spec.len > 60 ? 60 : (int)spec.len, spec.ptr);
    if (integer && !as_float)
        return brace_integer(text, field, item_integer(value), spec);
    if (!integer && value->kind != KIND_FLOAT)
        return format_wrong_type(text->render, field->type, value);
    if (!as_float && field->type)
        return bad_spec(text->render, spec);
    return format_put_float(text, field, integer ? (double)item_integer(value) : value->number);
}

static bool brace_value(struct text *text, const struct item *value, xy_str spec)
{
    struct field field;
    if (spec.len == 0)
        return text_write(text, value);
    if (!parse_spec(spec, &field))
        return bad_spec(text->render, spec);
    if (field.zero && field.width && (field.comma || field.underscore))
        return bad_spec(text->render, spec);
    if (value->kind == KIND_TEXT)
        return brace_text(text, &field, value->text, spec);
    return brace_number(text, &field, value, spec);
}

/* The value that "name", "0" or "" (the next one) means, with .member and [key] behind. */
static bool brace_argument(struct render *render, const struct arguments *arguments, xy_str name,
                           size_t *automatic, struct item *out)
{
    int64_t index;
    bool too_large;
    size_t end = 0;
    while (end < name.len && name.ptr[end] != '.' && name.ptr[end] != '[')
        end++;
    if (end < name.len)
        return template_fail(render,
                             "found `{%.*s}`, which reaches into a value and is not part of "
                             "this subset; expected a plain name",
                             name.len > 60 ? 60 : (int)name.len, name.ptr);
    if (name.len == 0)
        index = (int64_t)(*automatic)++;
    else if (!number_parse_int(name, 10, &index, &too_large) ||
             !isdigit((unsigned char)name.ptr[0])) {
        for (size_t i = 0; i < arguments->keyword_count; i++)
            if (str_equal(arguments->names[i], name)) {
                *out = arguments->items[arguments->count + i];
                return true;
            }
        return template_fail(render, "found `{%.*s}`, expected an argument of that name",
                             name.len > 60 ? 60 : (int)name.len, name.ptr);
    }
    if (index < 0 || (size_t)index >= arguments->count)
        return template_fail(render, "found too few values for the format, expected more than %zu",
                             arguments->count);
    *out = arguments->items[index];
    return true;
}

static bool brace_field(struct text *text, const struct arguments *arguments, xy_str field,
                        size_t *automatic)
{
    size_t colon = 0;
    struct item value;
    while (colon < field.len && field.ptr[colon] != ':' && field.ptr[colon] != '!')
        colon++;
    xy_str name = {field.ptr, colon}, spec = {field.ptr + colon, field.len - colon};
    if (!brace_argument(text->render, arguments, name, automatic, &value))
        return false;
    if (spec.len >= 2 && spec.ptr[0] == '!') {
        struct text converted = {.render = text->render};
        if (spec.ptr[1] != 's' && spec.ptr[1] != 'r')
            return bad_spec(text->render, spec);
        if (!(spec.ptr[1] == 's' ? text_write(&converted, &value) : text_repr(&converted, &value)))
            return false;
        value = item_text(text_str(&converted));
        spec = (xy_str){spec.ptr + 2, spec.len - 2};
    }
    if (spec.len && spec.ptr[0] != ':')
        return bad_spec(text->render, spec);
    if (spec.len)
        spec = (xy_str){spec.ptr + 1, spec.len - 1};
    return brace_value(text, &value, spec);
}

bool format_braces(struct render *render, xy_str format, const struct arguments *arguments,
                   struct item *out)
{
    struct text text = {.render = render};
    size_t automatic = 0;
    for (size_t at = 0; at < format.len; at++) {
        char c = format.ptr[at];
        if (c != '{' && c != '}') {
            if (!text_append_char(&text, c))
                return false;
            continue;
        }
        if (at + 1 < format.len && format.ptr[at + 1] == c) {
            at++;
            if (!text_append_char(&text, c))
                return false;
            continue;
        }
        size_t begin = at + 1, end = begin;
        while (end < format.len && format.ptr[end] != '}' && format.ptr[end] != '{')
            end++;
        if (c == '}' || end == format.len || format.ptr[end] == '{')
            return template_fail(render,
                                 "found a single `%c` in the format, expected {name} or a "
                                 "doubled one",
                                 c);
        if (!brace_field(&text, arguments, (xy_str){format.ptr + begin, end - begin}, &automatic))
            return false;
        at = end;
    }
    *out = item_text(text_str(&text));
    return true;
}
