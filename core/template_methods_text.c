/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of Python's str that give text or a place in it. */
#include "template_internal.h"

#include <string.h>

static bool need_text(struct render *render, const struct item *value, const char *what)
{
    if (value->kind == KIND_TEXT)
        return true;
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    return template_fail(render, "found %s for %s, expected a string", item_type(value), what);
}

static bool need_integer(struct render *render, const struct item *value, int64_t otherwise,
                         int64_t *out)
{
    *out = otherwise;
    if (value->kind == KIND_ABSENT || value->kind == KIND_NONE)
        return true;
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    if (!item_is_integer(value))
        return template_fail(render, "found %s, expected an integer", item_type(value));
    *out = item_integer(value);
    return true;
}

static bool give(const struct item *value, xy_str text, struct item *out)
{
    bool markup = value->markup;
    *out = item_text(text);
    out->markup = markup;
    return true;
}

static bool convert(struct render *render, const struct item *value, enum text_case how,
                    struct item *out)
{
    struct text text = {.render = render};
    return need_text(render, value, "a method of strings") &&
           text_convert(&text, value->text, how) && give(value, text_str(&text), out);
}

static bool method_upper(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_UPPER, out);
}

static bool method_lower(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_LOWER, out);
}

static bool method_title(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_TITLE, out);
}

static bool method_capitalize(struct render *render, const struct item *value,
                              const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_CAPITAL, out);
}

static bool method_swapcase(struct render *render, const struct item *value,
                            const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_SWAP, out);
}

static bool strip(struct render *render, const struct item *value, const struct item *chars,
                  int sides, struct item *out)
{
    bool all = chars->kind == KIND_ABSENT || chars->kind == KIND_NONE;
    return need_text(render, value, "strip()") && (all || need_text(render, chars, "strip()")) &&
           template_charge(render, all ? 1 : 1 + value->text.len * chars->text.len / 16) &&
           give(value, text_strip(value->text, all ? NULL : &chars->text, sides), out);
}

static bool method_strip(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    return strip(render, value, arguments, 3, out);
}

static bool method_lstrip(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    return strip(render, value, arguments, 1, out);
}

static bool method_rstrip(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    return strip(render, value, arguments, 2, out);
}

/* Escaped text escapes what is put into it; that much of Markup is left out. */
static bool need_plain(struct render *render, const struct item *value, const char *what)
{
    if (!need_text(render, value, what))
        return false;
    return !value->markup || template_fail(render,
                                           "found escaped text for %s, which is not part of "
                                           "this subset; expected plain text",
                                           what);
}

static bool method_replace(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    int64_t count;
    return need_plain(render, value, "replace()") &&
           need_text(render, &arguments[0], "replace()") &&
           need_text(render, &arguments[1], "replace()") &&
           need_integer(render, &arguments[2], -1, &count) &&
           text_replace(&text, value->text, arguments[0].text, arguments[1].text, count) &&
           give(value, text_str(&text), out);
}

static bool method_join(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct cursor cursor;
    struct item item;
    if (!need_plain(render, value, "join()") || !cursor_open(render, &arguments[0], &cursor))
        return false;
    int state = cursor_next(render, &cursor, &item);
    for (bool first = true; state > 0; state = cursor_next(render, &cursor, &item), first = false)
        if (!need_text(render, &item, "join()") ||
            (!first && !text_append(&text, value->text.ptr, value->text.len)) ||
            !text_append(&text, item.text.ptr, item.text.len))
            return false;
    *out = item_text(text_str(&text));
    return state == 0;
}

static bool pad(struct render *render, const struct item *value, const struct item *arguments,
                char where, struct item *out)
{
    struct text text = {.render = render};
    int64_t width;
    uint32_t fill = ' ';
    if (!need_text(render, value, "a method of strings") ||
        !need_integer(render, &arguments[0], 0, &width))
        return false;
    if (arguments[1].kind != KIND_ABSENT) {
        size_t at = 0;
        if (!need_text(render, &arguments[1], "the fill character"))
            return false;
        if (point_count(arguments[1].text) != 1)
            return template_fail(render, "found several fill characters, expected one");
        fill = point_next(arguments[1].text, &at);
    }
    int64_t length = (int64_t)point_count(value->text), space = width > length ? width - length : 0;
    int64_t left = where == '<' ? 0 : where == '>' ? space : space / 2 + (space & width & 1);
    return text_pad(&text, fill, (size_t)left) &&
           text_append(&text, value->text.ptr, value->text.len) &&
           text_pad(&text, fill, (size_t)(space - left)) && give(value, text_str(&text), out);
}

static bool method_center(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    return pad(render, value, arguments, '^', out);
}

static bool method_ljust(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    return pad(render, value, arguments, '<', out);
}

static bool method_rjust(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    return pad(render, value, arguments, '>', out);
}

static bool method_zfill(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    int64_t width;
    if (!need_text(render, value, "zfill()") || !need_integer(render, &arguments[0], 0, &width))
        return false;
    int64_t length = (int64_t)point_count(value->text), space = width > length ? width - length : 0;
    size_t sign = value->text.len && (value->text.ptr[0] == '-' || value->text.ptr[0] == '+');
    return text_append(&text, value->text.ptr, sign) && text_pad(&text, '0', (size_t)space) &&
           text_append(&text, value->text.ptr + sign, value->text.len - sign) &&
           give(value, text_str(&text), out);
}

static bool ends_at(xy_str text, xy_str part, bool end)
{
    if (part.len > text.len)
        return false;
    return part.len == 0 ||
           memcmp(text.ptr + (end ? text.len - part.len : 0), part.ptr, part.len) == 0;
}

static bool remove_part(struct render *render, const struct item *value, const struct item *part,
                        bool end, struct item *out)
{
    if (!need_plain(render, value, "a method of strings") || !need_text(render, part, "removal"))
        return false;
    xy_str text = value->text;
    if (ends_at(text, part->text, end))
        text = (xy_str){text.ptr + (end ? 0 : part->text.len), text.len - part->text.len};
    return give(value, text, out);
}

static bool method_removeprefix(struct render *render, const struct item *value,
                                const struct item *arguments, struct item *out)
{
    return remove_part(render, value, arguments, false, out);
}

static bool method_removesuffix(struct render *render, const struct item *value,
                                const struct item *arguments, struct item *out)
{
    return remove_part(render, value, arguments, true, out);
}

static bool method_format(struct render *render, const struct item *value,
                          const struct arguments *arguments, struct item *out)
{
    return need_plain(render, value, "format()") &&
           format_braces(render, value->text, arguments, out);
}

/* startswith and endswith: one text or a tuple of them, within [start, end). */
static bool affix(struct render *render, const struct item *value, const struct item *arguments,
                  bool end, struct item *out)
{
    struct item parts[3] = {item_none(), item_none(), item_none()}, within, part;
    if (!need_text(render, value, "a method of strings"))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (arguments[i + 1].kind != KIND_ABSENT)
            parts[i] = arguments[i + 1];
    within = *value;
    bool limited = parts[0].kind != KIND_NONE || parts[1].kind != KIND_NONE;
    if (limited && !item_slice(render, value, parts, &within))
        return false;
    /* An empty part is not found at a start past the end. */
    if (parts[0].kind != KIND_NONE && item_integer(&parts[0]) > (int64_t)point_count(value->text)) {
        *out = item_bool(false);
        return true;
    }
    bool tuple = arguments[0].kind == KIND_TUPLE, found = false;
    size_t count = tuple ? arguments[0].list.count : 1;
    for (size_t i = 0; i < count && !found; i++) {
        part = tuple ? sequence_at(&arguments[0], i) : arguments[0];
        if (!need_text(render, &part, end ? "endswith()" : "startswith()"))
            return false;
        found = ends_at(within.text, part.text, end);
    }
    *out = item_bool(found);
    return true;
}

static bool method_startswith(struct render *render, const struct item *value,
                              const struct item *arguments, struct item *out)
{
    return affix(render, value, arguments, false, out);
}

static bool method_endswith(struct render *render, const struct item *value,
                            const struct item *arguments, struct item *out)
{
    return affix(render, value, arguments, true, out);
}

/* The place of `part` in characters, or -1. */
static bool find_part(struct render *render, const struct item *value, const struct item *part,
                      bool last, struct item *out)
{
    size_t found = 0, at;
    bool any = false;
    if (!need_text(render, value, "a method of strings") ||
        !need_text(render, part, "the search") || !template_charge(render, value->text.len / 16))
        return false;
    any = text_find(value->text, part->text, 0, &found);
    if (last && any && part->text.len == 0)
        found = value->text.len;
    for (at = found;
         last && any && part->text.len && text_find(value->text, part->text, at + 1, &at);)
        found = at;
    *out = item_int(any ? (int64_t)point_count((xy_str){value->text.ptr, found}) : -1);
    return true;
}

static bool method_find(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    return find_part(render, value, arguments, false, out);
}

static bool method_rfind(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    return find_part(render, value, arguments, true, out);
}

#define FILLED(name_, run_)                                                                        \
    {.name = name_, .parameters = {"width", "fill"}, .required = 1, .positional = true, .run = run_}
#define ONE(name_, parameter_, required_, run_)                                                    \
    {.name = name_,                                                                                \
     .parameters = {parameter_},                                                                   \
     .required = required_,                                                                        \
     .positional = true,                                                                           \
     .run = run_}

const struct function template_text_methods[] = {
    {.name = "upper", .run = method_upper},
    {.name = "lower", .run = method_lower},
    {.name = "title", .run = method_title},
    {.name = "capitalize", .run = method_capitalize},
    {.name = "swapcase", .run = method_swapcase},
    ONE("strip", "chars", 0, method_strip),
    ONE("lstrip", "chars", 0, method_lstrip),
    ONE("rstrip", "chars", 0, method_rstrip),
    {.name = "replace",
     .parameters = {"old", "new", "count"},
     .required = 2,
     .positional = true,
     .run = method_replace},
    ONE("join", "iterable", 1, method_join),
    FILLED("center", method_center),
    FILLED("ljust", method_ljust),
    FILLED("rjust", method_rjust),
    ONE("zfill", "width", 1, method_zfill),
    ONE("removeprefix", "prefix", 1, method_removeprefix),
    ONE("removesuffix", "suffix", 1, method_removesuffix),
    {.name = "startswith",
     .parameters = {"prefix", "start", "end"},
     .required = 1,
     .positional = true,
     .run = method_startswith},
    {.name = "endswith",
     .parameters = {"suffix", "start", "end"},
     .required = 1,
     .positional = true,
     .run = method_endswith},
    ONE("find", "part", 1, method_find),
    ONE("rfind", "part", 1, method_rfind),
    {.name = "format", .call = method_format},
    {0}};
