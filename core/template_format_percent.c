/* SPDX-License-Identifier: Apache-2.0 */
/* "%s is %.2f" % (a, b), which the filter `format` uses, too. */
#include "template_format.h"

#include <string.h>

struct percent {
    struct render *render;
    const struct item *arguments;
    size_t next;
    bool mapping_used;
};

static bool next_argument(struct percent *percent, struct item *out)
{
    bool tuple = percent->arguments->kind == KIND_TUPLE;
    size_t count = tuple ? percent->arguments->list.count : 1;
    if (percent->next >= count)
        return template_fail(percent->render,
                             "found too few values for the format, expected more "
                             "than %zu",
                             count);
    *out = tuple ? sequence_at(percent->arguments, percent->next) : *percent->arguments;
    percent->next++;
    return true;
}

/* "(name)" behind the %. */
static bool mapping_argument(struct percent *percent, xy_str format, size_t *at, struct item *out)
{
    size_t begin = ++*at, depth = 1;
    while (*at < format.len && depth > 0) {
        depth += format.ptr[*at] == '(';
        depth -= format.ptr[*at] == ')';
        ++*at;
    }
    if (depth)
        return template_fail(percent->render, "found `%%(` without `)`, expected %%(name)s");
    struct item key = item_text((xy_str){format.ptr + begin, *at - 1 - begin});
    if (percent->arguments->kind != KIND_MAP)
        return template_fail(percent->render, "found %%(%.*s) with %s, expected a dict",
                             key.text.len > 60 ? 60 : (int)key.text.len, key.text.ptr,
                             item_type(percent->arguments));
    percent->mapping_used = true;
    int found = map_find(percent->render, percent->arguments, &key, out);
    if (found == 0)
        return template_fail(percent->render, "found no `%.*s` to format, expected that key",
                             key.text.len > 60 ? 60 : (int)key.text.len, key.text.ptr);
    return found > 0;
}

/* Digits, or with `star` allowed a value given as `*`. -1 when the format asks for too much. */
static bool read_size(struct percent *percent, xy_str format, size_t *at, int *out)
{
    if (*at < format.len && format.ptr[*at] == '*') {
        ++*at;
        struct item value;
        if (!next_argument(percent, &value))
            return false;
        if (!item_is_integer(&value) || item_integer(&value) > FIELD_LIMIT ||
            item_integer(&value) < -FIELD_LIMIT)
            return template_fail(percent->render, "found %s for `*`, expected an integer up to %d",
                                 item_type(&value), FIELD_LIMIT);
        *out = (int)item_integer(&value);
        return true;
    }
    int value = 0;
    for (; *at < format.len && format.ptr[*at] >= '0' && format.ptr[*at] <= '9'; ++*at)
        if (value <= FIELD_LIMIT)
            value = value * 10 + (format.ptr[*at] - '0');
    if (value > FIELD_LIMIT)
        return template_fail(percent->render, "found a width above %d, expected less", FIELD_LIMIT);
    *out = value;
    return true;
}

static bool percent_number(struct text *text, struct field *field, const struct item *value)
{
    struct item number = *value;
    if (strchr("diuxXo", field->type)) {
        bool decimal = strchr("diu", field->type);
        if (number.kind == KIND_FLOAT && decimal && number.number > -0x1p63 &&
            number.number < 0x1p63)
            number = item_int((int64_t)number.number);
        if (!item_is_integer(&number))
            return format_wrong_type(text->render, field->type, value);
        return format_put_integer(text, field, item_integer(&number));
    }
    if (number.kind != KIND_FLOAT && !item_is_integer(&number))
        return format_wrong_type(text->render, field->type, value);
    return format_put_float(
        text, field, number.kind == KIND_FLOAT ? number.number : (double)item_integer(&number));
}

static bool percent_one(struct text *text, struct field *field, const struct item *value)
{
    struct text own = {.render = text->render};
    xy_str plain = {NULL, 0};
    switch (field->type) {
    case 's':
        return item_string(text->render, value, &plain) && format_put_text(text, field, plain, '>');
    case 'r': return text_repr(&own, value) && format_put_text(text, field, text_str(&own), '>');
    case 'c':
        if (value->kind == KIND_TEXT && point_count(value->text) == 1)
            plain = value->text;
        else if (item_is_integer(value) && item_integer(value) > 0 &&
                 item_integer(value) < 0xd800 &&
                 text_append_point(&own, (uint32_t)item_integer(value)))
            plain = text_str(&own);
        else
            return format_wrong_type(text->render, 'c', value);
        field->precision = -1;
        return format_put_text(text, field, plain, '>');
    default: return percent_number(text, field, value);
    }
}

static bool byte_is_one_of(xy_str format, size_t at, const char *bytes)
{
    return at < format.len && format.ptr[at] && strchr(bytes, format.ptr[at]);
}

static void read_flags(xy_str format, size_t *at, struct field *field)
{
    for (; byte_is_one_of(format, *at, "-+ #0"); ++*at)
        switch (format.ptr[*at]) {
        case '-': field->align = '<'; break;
        case '0': field->zero = true; break;
        case '#': field->alternate = true; break;
        case '+': field->sign = '+'; break;
        default: field->sign = field->sign ? field->sign : ' ';
        }
}

/* "[width][.precision]" and the length letters of C, which say nothing here. */
static bool read_sizes(struct percent *percent, xy_str format, size_t *at, struct field *field)
{
    if (!read_size(percent, format, at, &field->width))
        return false;
    if (field->width < 0) {
        field->align = '<';
        field->width = -field->width;
    }
    if (byte_is_one_of(format, *at, ".")) {
        ++*at;
        if (!read_size(percent, format, at, &field->precision))
            return false;
        if (field->precision < 0)
            field->precision = 0;
    }
    while (byte_is_one_of(format, *at, "hlL"))
        ++*at;
    return true;
}

static bool percent_field(struct percent *percent, struct text *text, xy_str format, size_t *at)
{
    struct field field = {.fill = ' ', .precision = -1};
    struct item value = item_none();
    bool mapped = *at < format.len && format.ptr[*at] == '(';
    if (mapped && !mapping_argument(percent, format, at, &value))
        return false;
    read_flags(format, at, &field);
    if (!read_sizes(percent, format, at, &field))
        return false;
    field.type = *at < format.len ? format.ptr[(*at)++] : 0;
    if (field.type == '%')
        return text_append_char(text, '%');
    if (!field.type || !strchr("srcdiuxXoeEfFgG", field.type))
        return template_fail(percent->render,
                             "found a format that ends with `%c`, expected one of "
                             "s r c d i u x X o e E f F g G %%",
                             field.type ? field.type : ' ');
    if (!mapped && !next_argument(percent, &value))
        return false;
    return percent_one(text, &field, &value);
}

bool format_percent(struct render *render, xy_str format, const struct item *arguments,
                    struct item *out)
{
    struct text text = {.render = render};
    struct percent percent = {.render = render, .arguments = arguments};
    for (size_t at = 0; at < format.len;) {
        const char *found = memchr(format.ptr + at, '%', format.len - at);
        size_t end = found ? (size_t)(found - format.ptr) : format.len;
        if (!text_append(&text, format.ptr + at, end - at))
            return false;
        at = end + 1;
        if (found && !percent_field(&percent, &text, format, &at))
            return false;
    }
    bool tuple = arguments->kind == KIND_TUPLE;
    bool spare =
        tuple ? percent.next < arguments->list.count
              : percent.next == 0 && arguments->kind != KIND_MAP && arguments->kind != KIND_LIST;
    if (spare)
        return template_fail(render, "found more values than the format uses, expected %zu",
                             percent.next);
    *out = item_text(text_str(&text));
    return true;
}
