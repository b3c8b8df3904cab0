/* SPDX-License-Identifier: Apache-2.0 */
/* str(), repr() and json.dumps() as Python writes them. */
#include "template_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool append_text(struct text *text, const char *plain)
{
    return text_append(text, plain, strlen(plain));
}

static bool enter(struct render *render)
{
    if (++render->nesting <= TEMPLATE_NESTING)
        return true;
    return template_fail(render, "found a value nested deeper than %d, expected less",
                         TEMPLATE_NESTING);
}

static bool write_integer(struct text *text, int64_t integer)
{
    char digits[24], *end = digits + sizeof(digits), *at = end;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (integer < 0)
        *--at = '-';
    return text_append(text, at, (size_t)(end - at));
}

/* The escape of a code point that a repr does not show as it is; "" for one that it does. */
static void escape_point(uint32_t point, char quote, char *escape, size_t size)
{
    escape[0] = '\0';
    switch (point) {
    case '\n': snprintf(escape, size, "\\n"); return;
    case '\r': snprintf(escape, size, "\\r"); return;
    case '\t': snprintf(escape, size, "\\t"); return;
    default: break;
    }
    if (point == (uint32_t)quote || point == '\\')
        snprintf(escape, size, "\\%c", (char)point);
    else if (!point_is_printable(point))
        snprintf(escape, size,
                 point < 0x100     ? "\\x%02" PRIx32
                 : point < 0x10000 ? "\\u%04" PRIx32
                                   : "\\U%08" PRIx32,
                 point);
}

/* Python's repr of a string: single quotes unless it has some and no double ones. */
static bool repr_text(struct text *text, xy_str source)
{
    bool single = memchr(source.ptr, '\'', source.len), twice = memchr(source.ptr, '"', source.len);
    char quote = single && !twice ? '"' : '\'';
    if (!text_append_char(text, quote))
        return false;
    for (size_t at = 0; at < source.len;) {
        size_t begin = at;
        uint32_t point = point_next(source, &at);
        char escape[16];
        escape_point(point, quote, escape, sizeof(escape));
        if (escape[0] ? !append_text(text, escape)
                      : !text_append(text, source.ptr + begin, at - begin))
            return false;
    }
    return text_append_char(text, quote);
}

static bool repr_sequence(struct text *text, const struct item *item)
{
    bool tuple = item->kind == KIND_TUPLE;
    if (!text_append_char(text, tuple ? '(' : '[') || !enter(text->render))
        return false;
    for (size_t i = 0; i < item->list.count; i++) {
        struct item element = sequence_at(item, i);
        if ((i && !append_text(text, ", ")) || !text_repr(text, &element))
            return false;
    }
    text->render->nesting--;
    if (tuple && item->list.count == 1 && !text_append_char(text, ','))
        return false;
    return text_append_char(text, tuple ? ')' : ']');
}

static bool repr_map(struct text *text, const struct item *item)
{
    if (!text_append_char(text, '{') || !enter(text->render))
        return false;
    for (size_t i = 0; i < item->map.count; i++) {
        struct pair pair = map_at(item, i);
        if ((i && !append_text(text, ", ")) || !text_repr(text, &pair.key) ||
            !append_text(text, ": ") || !text_repr(text, &pair.value))
            return false;
    }
    text->render->nesting--;
    return text_append_char(text, '}');
}

static bool repr_view(struct text *text, const struct item *item)
{
    static const char *const names[] = {"dict_keys([", "dict_values([", "dict_items(["};
    if (!append_text(text, names[item->kind - KIND_KEYS]) || !enter(text->render))
        return false;
    for (size_t i = 0; i < item->map.count; i++) {
        struct pair pair = map_at(item, i);
        struct item both[2] = {pair.key, pair.value}, tuple = item_list(both, 2, true);
        if ((i && !append_text(text, ", ")) ||
            !text_repr(text, item->kind == KIND_KEYS     ? &pair.key
                             : item->kind == KIND_VALUES ? &pair.value
                                                         : &tuple))
            return false;
    }
    text->render->nesting--;
    return append_text(text, "])");
}

static bool repr_other(struct text *text, const struct item *item)
{
    struct item map;
    switch (item->kind) {
    case KIND_RANGE:
        if (!append_text(text, "range(") || !write_integer(text, item->range->start) ||
            !append_text(text, ", ") || !write_integer(text, item->range->stop))
            return false;
        if (item->range->step != 1 &&
            (!append_text(text, ", ") || !write_integer(text, item->range->step)))
            return false;
        return text_append_char(text, ')');
    case KIND_NAMESPACE:
        map = dictionary_map(item->dictionary);
        return append_text(text, "<Namespace ") && repr_map(text, &map) &&
               text_append_char(text, '>');
    case KIND_UNDEFINED: return append_text(text, "Undefined"); /* within a list; see text_write */
    default:
        return template_fail(text->render,
                             "found %s to print, expected a value with a text of its "
                             "own (`| list` or `| join` makes one of a generator)",
                             item_type(item));
    }
}

bool text_repr(struct text *text, const struct item *item)
{
    char digits[NUMBER_TEXT];
    if (!template_charge(text->render, 1))
        return false;
    switch (item->kind) {
    case KIND_NONE: return append_text(text, "None");
    case KIND_BOOL: return append_text(text, item->boolean ? "True" : "False");
    case KIND_INT: return write_integer(text, item->integer);
    case KIND_FLOAT: return text_append(text, digits, number_repr(item->number, digits));
    case KIND_TEXT:
        if (!item->markup)
            return repr_text(text, item->text);
        return append_text(text, "Markup(") && repr_text(text, item->text) &&
               text_append_char(text, ')');
    case KIND_LIST:
    case KIND_TUPLE: return repr_sequence(text, item);
    case KIND_MAP: return repr_map(text, item);
    case KIND_KEYS:
    case KIND_VALUES:
    case KIND_ITEMS: return repr_view(text, item);
    default: return repr_other(text, item);
    }
}

bool text_write(struct text *text, const struct item *item)
{
    if (item->kind == KIND_UNDEFINED)
        return item->lenient || template_undefined(text->render, item);
    return item->kind == KIND_TEXT ? text_append(text, item->text.ptr, item->text.len)
                                   : text_repr(text, item);
}

bool item_string(struct render *render, const struct item *item, xy_str *out)
{
    struct text text = {.render = render};
    if (item->kind == KIND_TEXT) {
        *out = item->text;
        return true;
    }
    if (!text_write(&text, item))
        return false;
    *out = text_str(&text);
    return true;
}

bool text_escape(struct text *text, xy_str source)
{
    static const char special[] = "&<>'\"";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    size_t from = 0;
    for (size_t at = 0; at < source.len; at++) {
        const char *found = source.ptr[at] ? strchr(special, source.ptr[at]) : NULL;
        if (!found)
            continue;
        if (!text_append(text, source.ptr + from, at - from) ||
            !append_text(text, entities[found - special]))
            return false;
        from = at + 1;
    }
    return text_append(text, source.ptr + from, source.len - from);
}

/* json.dumps with ensure_ascii, then what htmlsafe_json_dumps replaces. */
static bool json_text(struct text *text, xy_str source)
{
    static const char plain[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
    if (!text_append_char(text, '"'))
        return false;
    for (size_t at = 0; at < source.len;) {
        uint32_t point = point_next(source, &at);
        const char *found = point && point < 0x80 ? strchr(plain, (int)point) : NULL;
        char escape[16];
        if (found)
            snprintf(escape, sizeof(escape), "\\%c", letters[found - plain]);
        else if (point >= 0x10000)
            snprintf(escape, sizeof(escape), "\\u%04" PRIx32 "\\u%04" PRIx32,
                     0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
        else if (point < 32 || point > 126 || point == '<' || point == '>' || point == '&' ||
                 point == '\'')
            snprintf(escape, sizeof(escape), "\\u%04" PRIx32, point);
        else
            snprintf(escape, sizeof(escape), "%c", (char)point);
        if (!append_text(text, escape))
            return false;
    }
    return text_append_char(text, '"');
}

static bool json_number(struct text *text, double number)
{
    char digits[NUMBER_TEXT];
    if (isnan(number))
        return append_text(text, "NaN");
    if (isinf(number))
        return append_text(text, number < 0 ? "-Infinity" : "Infinity");
    return text_append(text, digits, number_repr(number, digits));
}

static bool json_break(struct text *text, int indent, int level, bool first)
{
    if (!first && !text_append_char(text, ','))
        return false;
    if (indent < 0)
        return first || text_append_char(text, ' ');
    return text_append_char(text, '\n') && text_pad(text, ' ', (size_t)indent * (size_t)level);
}

static bool json_sequence(struct text *text, const struct item *item, int indent, int level)
{
    if (item->list.count == 0)
        return append_text(text, "[]");
    if (!text_append_char(text, '['))
        return false;
    for (size_t i = 0; i < item->list.count; i++) {
        struct item element = sequence_at(item, i);
        if (!json_break(text, indent, level + 1, i == 0) ||
            !text_json(text, &element, indent, level + 1))
            return false;
    }
    return (indent < 0 || json_break(text, indent, level, true)) && text_append_char(text, ']');
}

/* A key that is no string, as json.dumps spells it. */
static bool json_key(struct text *text, const struct item *key)
{
    if (key->kind == KIND_TEXT)
        return json_text(text, key->text);
    if (key->kind > KIND_FLOAT || key->kind < KIND_NONE)
        return template_fail(text->render, "found %s as a key for JSON, expected a string",
                             item_type(key));
    return text_append_char(text, '"') && text_json(text, key, -1, 0) &&
           text_append_char(text, '"');
}

static bool json_map(struct text *text, const struct item *item, int indent, int level)
{
    size_t count = item->map.count;
    struct item *keys = template_alloc(text->render, count * 2 + 1, sizeof(*keys));
    if (!keys)
        return false;
    struct item *values = keys + count;
    for (size_t i = 0; i < count; i++) {
        struct pair pair = map_at(item, i);
        keys[i] = pair.key;
        values[i] = pair.value;
    }
    if (count == 0)
        return append_text(text, "{}");
    if (!items_sort(text->render, keys, values, count, false) || !text_append_char(text, '{'))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!json_break(text, indent, level + 1, i == 0) || !json_key(text, &keys[i]) ||
            !append_text(text, ": ") || !text_json(text, &values[i], indent, level + 1))
            return false;
    return (indent < 0 || json_break(text, indent, level, true)) && text_append_char(text, '}');
}

bool text_json(struct text *text, const struct item *item, int indent, int level)
{
    bool good;
    if (!template_charge(text->render, 1))
        return false;
    switch (item->kind) {
    case KIND_NONE: return append_text(text, "null");
    case KIND_BOOL: return append_text(text, item->boolean ? "true" : "false");
    case KIND_INT: return write_integer(text, item->integer);
    case KIND_FLOAT: return json_number(text, item->number);
    case KIND_TEXT: return json_text(text, item->text);
    case KIND_LIST:
    case KIND_TUPLE:
    case KIND_MAP:
        if (!enter(text->render))
            return false;
        good = item->kind == KIND_MAP ? json_map(text, item, indent, level)
                                      : json_sequence(text, item, indent, level);
        text->render->nesting--;
        return good;
    case KIND_UNDEFINED: return template_undefined(text->render, item);
    default:
        return template_fail(text->render,
                             "found %s for JSON, expected a plain value (`| list` "
                             "makes one)",
                             item_type(item));
    }
}
