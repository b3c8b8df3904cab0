/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

int node_error(const struct node *node, struct error *error, int code, const char *format, ...)
{
    char text[sizeof(error->text)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_set(error, code, "%s", text);
    return error_at(error, node->file, node->line, node->column);
}

void node_place_within(const struct node *node, struct error *error)
{
    int line = node->line, column = node->column;
    bool within = node->text_line > 0 && error->line > 0 && !node->secret;
    if (within) {
        line = node->text_line + error->line - 1;
        column = node->text_indent + (error->column > 0 ? error->column : 1);
    }
    error_at(error, node->file, line, column);
}

bool node_is_null(const struct node *node)
{
    if (node->kind != NODE_SCALAR || !node->plain)
        return false;
    return node->text.len == 0 || str_is(node->text, "~") || str_is(node->text, "null") ||
           str_is(node->text, "Null") || str_is(node->text, "NULL");
}

const char *node_shown(const struct node *node, char out[NODE_SHOWN])
{
    enum { MOST = 40 };
    if (node->kind != NODE_SCALAR) {
        snprintf(out, NODE_SHOWN, "%s", node->kind == NODE_MAP ? "a map" : "a list");
    } else if (node->secret) {
        snprintf(out, NODE_SHOWN, "a value from the environment");
    } else if (node_is_null(node)) {
        snprintf(out, NODE_SHOWN, "nothing");
    } else {
        /* Cut between characters and at the end of the first line. */
        size_t length = 0;
        while (length < node->text.len && node->text.ptr[length] != '\n')
            length++;
        bool cut = length < node->text.len;
        if (length > MOST) {
            length = MOST;
            while (length > 0 && ((unsigned char)node->text.ptr[length] & 0xc0) == 0x80)
                length--;
            cut = true;
        }
        snprintf(out, NODE_SHOWN, "`%.*s%s`", (int)length, node->text.ptr, cut ? "..." : "");
    }
    return out;
}

struct node *node_member(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (str_is(map->keys[i]->text, key))
            return map->items[i];
    }
    return NULL;
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
    struct node *copy = arena_alloc(arena, sizeof(*copy));
    *copy = *node;
    if (node->count == 0)
        return copy;
    copy->items = arena_alloc(arena, node->count * sizeof(*copy->items));
    for (size_t i = 0; i < node->count; i++)
        copy->items[i] = node_copy(arena, node->items[i]);
    return copy;
}

size_t node_size(const struct node *node, int *depth)
{
    size_t size = 1;
    int deepest = 0;
    for (size_t i = 0; i < node->count; i++) {
        int below = 0;
        size += node_size(node->items[i], &below) + (node->kind == NODE_MAP);
        if (below > deepest)
            deepest = below;
    }
    *depth = deepest + 1;
    return size;
}

/* ---- typed values ---------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digit_of(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* Digits of one base, all of them; false when there are others or the value is past int64_t. */
static bool parse_digits(xy_str text, int base, bool negative, int64_t *out)
{
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.ptr[i]);
        if (digit >= base || value > (limit - (uint64_t)digit) / (uint64_t)base)
            return false;
        value = value * (uint64_t)base + (uint64_t)digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool parse_integer(xy_str text, int64_t *out)
{
    if (text.len > 2 && text.ptr[0] == '0' && (text.ptr[1] == 'x' || text.ptr[1] == 'o')) {
        xy_str rest = {text.ptr + 2, text.len - 2};
        return parse_digits(rest, text.ptr[1] == 'x' ? 16 : 8, false, out);
    }
    bool sign = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    xy_str rest = {text.ptr + sign, text.len - sign};
    return parse_digits(rest, 10, sign && text.ptr[0] == '-', out);
}

static size_t skip_digits(xy_str text, size_t at)
{
    while (at < text.len && is_digit(text.ptr[at]))
        at++;
    return at;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  (YAML 1.2.2, 10.3.2) */
static bool is_number(xy_str text)
{
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    size_t whole = skip_digits(text, at), digits = whole - at;
    at = whole;
    if (at < text.len && text.ptr[at] == '.') {
        size_t end = skip_digits(text, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (digits == 0)
        return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+');
        size_t end = skip_digits(text, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == text.len;
}

static bool parse_number(xy_str text, double *out)
{
    static const struct {
        const char *name;
        double value;
    } special[] = {
        {".inf", __builtin_inf()},  {".Inf", __builtin_inf()},   {".INF", __builtin_inf()},
        {"+.inf", __builtin_inf()}, {"-.inf", -__builtin_inf()}, {"-.Inf", -__builtin_inf()},
        {"-.INF", -__builtin_inf()}, {".nan", __builtin_nan("")}, {".NaN", __builtin_nan("")},
        {".NAN", __builtin_nan("")},
    };
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (str_is(text, special[i].name)) {
            *out = special[i].value;
            return true;
        }
    }
    if (!is_number(text))
        return false;
    /* The C locale's object is static in the C library: this allocates nothing. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return false;
    *out = strtod_l(text.ptr, NULL, c_locale);
    freelocale(c_locale);
    return true;
}

static struct value scalar_value(const struct node *node)
{
    xy_str text = node->text;
    if (!node->plain)
        return (struct value){.type = VALUE_TEXT, .text = text};
    if (node_is_null(node))
        return (struct value){.type = VALUE_NULL};
    if (str_is(text, "true") || str_is(text, "True") || str_is(text, "TRUE"))
        return (struct value){.type = VALUE_BOOL, .boolean = true};
    if (str_is(text, "false") || str_is(text, "False") || str_is(text, "FALSE"))
        return (struct value){.type = VALUE_BOOL, .boolean = false};
    int64_t integer;
    if (parse_integer(text, &integer))
        return (struct value){.type = VALUE_INT, .integer = integer};
    double number;
    if (parse_number(text, &number))
        return (struct value){.type = VALUE_NUMBER, .number = number};
    return (struct value){.type = VALUE_TEXT, .text = text};
}

int node_value(struct arena *arena, const struct node *node, struct value *out)
{
    if (node->kind == NODE_SCALAR) {
        *out = scalar_value(node);
        return 0;
    }
    if (node->kind == NODE_LIST) {
        struct value *items = arena_alloc(arena, (node->count + 1) * sizeof(*items));
        for (size_t i = 0; i < node->count; i++)
            node_value(arena, node->items[i], &items[i]);
        *out = (struct value){.type = VALUE_LIST, .list = {items, node->count}};
        return 0;
    }
    struct member *members = arena_alloc(arena, (node->count + 1) * sizeof(*members));
    for (size_t i = 0; i < node->count; i++) {
        members[i].key = node->keys[i]->text;
        node_value(arena, node->items[i], &members[i].value);
    }
    *out = (struct value){.type = VALUE_MAP, .map = {members, node->count}};
    return 0;
}
