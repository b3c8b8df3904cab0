/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that give text (jinja2/filters.py). */
#include "template_internal.h"

#include <string.h>

/* str(value); keeps Markup, as soft_str() does. False when it failed. */
static bool soft(struct render *render, const struct item *value, struct item *out)
{
    xy_str text;
    bool good = item_string(render, value, &text);
    *out = item_text(text);
    out->markup = value->kind == KIND_TEXT && value->markup;
    return good;
}

static bool convert(struct render *render, const struct item *value, enum text_case how,
                    struct item *out)
{
    struct text text = {.render = render};
    struct item source;
    if (!soft(render, value, &source) || !text_convert(&text, source.text, how))
        return false;
    *out = item_text(text_str(&text));
    out->markup = source.markup;
    return true;
}

static bool filter_upper(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_UPPER, out);
}

static bool filter_lower(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_LOWER, out);
}

static bool filter_capitalize(struct render *render, const struct item *value,
                              const struct item *arguments, struct item *out)
{
    (void)arguments;
    return convert(render, value, CASE_CAPITAL, out);
}

static bool begins_word(uint32_t point)
{
    return point == '-' || point == '(' || point == '{' || point == '[' || point == '<' ||
           point_is_space(point);
}

/* Jinja2's own: a word begins behind white space and -({[<, and its first letter is made upper. */
static bool filter_title(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct item source;
    (void)arguments;
    if (!soft(render, value, &source))
        return false;
    for (size_t at = 0; at < source.text.len;) {
        size_t begin = at, end, first;
        bool between = begins_word(point_next(source.text, &at));
        first = end = at;
        while (at < source.text.len && begins_word(point_next(source.text, &at)) == between)
            end = at;
        at = end;
        xy_str head = {source.text.ptr + begin, first - begin};
        xy_str rest = {source.text.ptr + first, end - first};
        if (!text_convert(&text, head, CASE_UPPER) || !text_convert(&text, rest, CASE_LOWER))
            return false;
    }
    *out = item_text(text_str(&text));
    return true;
}

static bool filter_trim(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    bool all = arguments[0].kind == KIND_ABSENT || arguments[0].kind == KIND_NONE;
    if (!soft(render, value, out))
        return false;
    if (arguments[0].kind == KIND_UNDEFINED)
        return template_undefined(render, &arguments[0]);
    if (!all && arguments[0].kind != KIND_TEXT)
        return template_fail(render, "trim: found %s as characters, expected a string",
                             item_type(&arguments[0]));
    out->text = text_strip(out->text, all ? NULL : &arguments[0].text, 3);
    return true;
}

static bool filter_replace(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    xy_str source, old, new;
    int64_t count = -1;
    if (!item_string(render, value, &source) || !item_string(render, &arguments[0], &old) ||
        !item_string(render, &arguments[1], &new))
        return false;
    if (arguments[2].kind != KIND_ABSENT && arguments[2].kind != KIND_NONE) {
        if (!item_is_integer(&arguments[2]))
            return template_fail(render, "replace: found %s as count, expected an integer",
                                 item_type(&arguments[2]));
        count = item_integer(&arguments[2]);
    }
    if (!text_replace(&text, source, old, new, count))
        return false;
    *out = item_text(text_str(&text));
    return true;
}

static bool filter_escape(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct item source;
    (void)arguments;
    if (!soft(render, value, &source))
        return false;
    if (!source.markup) {
        if (!text_escape(&text, source.text))
            return false;
        source = item_text(text_str(&text));
        source.markup = true;
    }
    *out = source;
    return true;
}

static bool filter_forceescape(struct render *render, const struct item *value,
                               const struct item *arguments, struct item *out)
{
    struct item source;
    if (!soft(render, value, &source))
        return false;
    source.markup = false;
    return filter_escape(render, &source, arguments, out);
}

static bool filter_safe(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    (void)arguments;
    if (!soft(render, value, out))
        return false;
    out->markup = true;
    return true;
}

static bool filter_string(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    (void)arguments;
    return soft(render, value, out);
}

static bool filter_tojson(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    int64_t indent = -1;
    if (arguments[0].kind != KIND_ABSENT && arguments[0].kind != KIND_NONE) {
        if (!item_is_integer(&arguments[0]) || item_integer(&arguments[0]) > 100)
            return template_fail(render,
                                 "tojson: found %s as indent, expected an integer up to 100",
                                 item_type(&arguments[0]));
        indent = item_integer(&arguments[0]) < 0 ? 0 : item_integer(&arguments[0]);
    }
    if (!text_json(&text, value, (int)indent, 0))
        return false;
    *out = item_text(text_str(&text));
    out->markup = true;
    return true;
}

/* The value as text, or an error that names the filter. */
static bool need_text(struct render *render, const char *filter, const struct item *value)
{
    if (value->kind == KIND_TEXT)
        return true;
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    return template_fail(render, "%s: found %s, expected a string (`| string` makes one)", filter,
                         item_type(value));
}

static bool flag(struct render *render, const struct item *argument, bool otherwise, bool *out)
{
    *out = otherwise;
    return argument->kind == KIND_ABSENT || item_truth(render, argument, out);
}

/* What stands before each line: a text as it is, or so many spaces. */
static bool indent_of(struct render *render, const struct item *width, struct text *indent)
{
    if (width->kind == KIND_TEXT)
        return text_append(indent, width->text.ptr, width->text.len);
    if (width->kind != KIND_ABSENT && !item_is_integer(width))
        return template_fail(render, "indent: found %s as width, expected an integer or a string",
                             item_type(width));
    int64_t count = width->kind == KIND_ABSENT ? 4 : item_integer(width);
    return text_pad(indent, ' ', count > 0 ? (size_t)count : 0);
}

/* Each line of `source` but the first with `indent` in front; empty ones only with `blank`. */
static bool put_indented(struct text *text, xy_str source, xy_str indent, bool blank)
{
    xy_str line;
    for (size_t at = 0, count = 0; text_line(source, &at, &line); count++) {
        if (count > 0 && !text_append_char(text, '\n'))
            return false;
        if (count > 0 && (line.len > 0 || blank) && !text_append(text, indent.ptr, indent.len))
            return false;
        if (!text_append(text, line.ptr, line.len))
            return false;
    }
    return true;
}

static bool filter_indent(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    struct text text = {.render = render}, indent = {.render = render};
    bool first, blank;
    if (!need_text(render, "indent", value) || !flag(render, &arguments[1], false, &first) ||
        !flag(render, &arguments[2], false, &blank) ||
        !indent_of(render, &arguments[0], &indent) ||
        (first && !text_append(&text, indent.bytes, indent.length)))
        return false;
    /* A newline is added before splitting, so that a last empty line counts. */
    char *ended = template_alloc(render, value->text.len + 1, 1);
    if (!ended)
        return false;
    memcpy(ended, value->text.ptr, value->text.len);
    ended[value->text.len] = '\n';
    if (!put_indented(&text, (xy_str){ended, value->text.len + 1}, text_str(&indent), blank))
        return false;
    *out = item_text(text_str(&text));
    out->markup = value->markup;
    return true;
}

static bool need_count(struct render *render, const char *what, const struct item *argument,
                       int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    if (argument->kind == KIND_ABSENT)
        return true;
    if (argument->kind == KIND_UNDEFINED)
        return template_undefined(render, argument);
    if (!item_is_integer(argument))
        return template_fail(render, "%s: found %s, expected an integer", what,
                             item_type(argument));
    *out = item_integer(argument);
    return true;
}

struct cut {
    int64_t length, leeway;
    bool kill; /* also within a word */
    xy_str end;
};

/* The arguments of `truncate`, checked. */
static bool cut_of(struct render *render, const struct item *arguments, struct cut *cut)
{
    *cut = (struct cut){.leeway = 5, .end = STR("...")};
    if (!need_count(render, "truncate: length", &arguments[0], 255, &cut->length) ||
        !flag(render, &arguments[1], false, &cut->kill))
        return false;
    if (arguments[2].kind != KIND_ABSENT) {
        if (!need_text(render, "truncate: end", &arguments[2]))
            return false;
        cut->end = arguments[2].text;
    }
    if (arguments[3].kind != KIND_NONE &&
        !need_count(render, "truncate: leeway", &arguments[3], 5, &cut->leeway))
        return false;
    int64_t end_size = (int64_t)point_count(cut->end);
    if (cut->length < end_size || cut->leeway < 0)
        return template_fail(render,
                             "truncate: found a length of %lld and a leeway of %lld, expected "
                             "a length of at least %lld and no negative leeway",
                             (long long)cut->length, (long long)cut->leeway, (long long)end_size);
    return true;
}

static bool filter_truncate(struct render *render, const struct item *value,
                            const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct cut cut;
    int64_t size;
    if (!cut_of(render, arguments, &cut) || !item_length(render, value, &size))
        return false;
    *out = *value;
    if (cut.leeway >= INT64_MAX - cut.length || size <= cut.length + cut.leeway)
        return true;
    if (!need_text(render, "truncate", value))
        return false;
    if (value->markup)
        return template_fail(render, "truncate: found escaped text, which is not part of this "
                                     "subset; expected plain text");
    size_t points = (size_t)cut.length - point_count(cut.end);
    xy_str kept = {value->text.ptr, point_offset(value->text, points)};
    const char *space = cut.kill ? NULL : memrchr(kept.ptr, ' ', kept.len);
    if (space)
        kept.len = (size_t)(space - kept.ptr);
    if (!text_append(&text, kept.ptr, kept.len) || !text_append(&text, cut.end.ptr, cut.end.len))
        return false;
    *out = item_text(text_str(&text));
    return true;
}

static bool filter_wordcount(struct render *render, const struct item *value,
                             const struct item *arguments, struct item *out)
{
    struct item source;
    int64_t count = 0;
    bool inside = false;
    (void)arguments;
    if (!soft(render, value, &source))
        return false;
    for (size_t at = 0; at < source.text.len;) {
        bool word = point_is_word(point_next(source.text, &at));
        count += word && !inside;
        inside = word;
    }
    *out = item_int(count);
    return true;
}

static bool filter_center(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct item source;
    int64_t width;
    if (!soft(render, value, &source) ||
        !need_count(render, "center: width", &arguments[0], 80, &width))
        return false;
    int64_t length = (int64_t)point_count(source.text), space = width > length ? width - length : 0;
    /* CPython puts the odd space on the left only when the width is odd, too. */
    int64_t left = space / 2 + (space & width & 1);
    if (!text_pad(&text, ' ', (size_t)left) ||
        !text_append(&text, source.text.ptr, source.text.len) ||
        !text_pad(&text, ' ', (size_t)(space - left)))
        return false;
    *out = item_text(text_str(&text));
    out->markup = source.markup;
    return true;
}

static bool quote_url(struct text *text, const struct item *value, bool query)
{
    static const char hex[] = "0123456789ABCDEF";
    xy_str source;
    if (!item_string(text->render, value, &source))
        return false;
    for (size_t i = 0; i < source.len; i++) {
        unsigned char c = (unsigned char)source.ptr[i];
        bool plain =
            c < 0x80 && (point_is_word(c) || (c && strchr("-.~", c)) || (c == '/' && !query));
        char code[3] = {'%', hex[c >> 4], hex[c & 15]};
        if (query && c == ' ' ? !text_append_char(text, '+')
            : plain           ? !text_append_char(text, (char)c)
                              : !text_append(text, code, 3))
            return false;
    }
    return true;
}

static bool filter_urlencode(struct render *render, const struct item *value,
                             const struct item *arguments, struct item *out)
{
    struct text text = {.render = render};
    struct item *items, map = *value;
    size_t count;
    (void)arguments;
    bool iterable =
        item_is_sequence(value) || (value->kind >= KIND_MAP && value->kind <= KIND_GENERATOR);
    if (!iterable) {
        bool good = quote_url(&text, value, false);
        *out = item_text(text_str(&text));
        return good;
    }
    if (map.kind == KIND_MAP)
        map.kind = KIND_ITEMS;
    if (!item_collect(render, &map, &items, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct item *pair;
        size_t size;
        if (!item_collect(render, &items[i], &pair, &size))
            return false;
        if (size != 2)
            return template_fail(render, "urlencode: found %zu values, expected pairs", size);
        if ((i && !text_append_char(&text, '&')) || !quote_url(&text, &pair[0], true) ||
            !text_append_char(&text, '=') || !quote_url(&text, &pair[1], true))
            return false;
    }
    *out = item_text(text_str(&text));
    return true;
}

static bool filter_format(struct render *render, const struct item *value,
                          const struct arguments *arguments, struct item *out)
{
    struct item source, values;
    struct dictionary dictionary = {0};
    if (!soft(render, value, &source))
        return false;
    if (arguments->count && arguments->keyword_count)
        return template_fail(render, "format: found arguments by position and by keyword, expected "
                                     "one kind");
    if (source.markup)
        return template_fail(render,
                             "format: found escaped text, which is not part of this subset; "
                             "expected plain text");
    for (size_t i = 0; i < arguments->keyword_count; i++) {
        struct item key = item_text(arguments->names[i]);
        if (!dictionary_set(render, &dictionary, &key, &arguments->items[i]))
            return false;
    }
    values = arguments->keyword_count ? dictionary_map(&dictionary)
                                      : item_list(arguments->items, arguments->count, true);
    return format_percent(render, source.text, &values, out);
}

const struct function template_text_filters[] = {
    {.name = "upper", .run = filter_upper},
    {.name = "lower", .run = filter_lower},
    {.name = "capitalize", .run = filter_capitalize},
    {.name = "title", .run = filter_title},
    {.name = "trim", .parameters = {"chars"}, .run = filter_trim},
    {.name = "replace",
     .parameters = {"old", "new", "count"},
     .required = 2,
     .run = filter_replace},
    {.name = "escape", .run = filter_escape},
    {.name = "e", .run = filter_escape},
    {.name = "forceescape", .run = filter_forceescape},
    {.name = "safe", .run = filter_safe},
    {.name = "string", .run = filter_string},
    {.name = "tojson", .parameters = {"indent"}, .run = filter_tojson},
    {.name = "indent", .parameters = {"width", "first", "blank"}, .run = filter_indent},
    {.name = "truncate",
     .parameters = {"length", "killwords", "end", "leeway"},
     .run = filter_truncate},
    {.name = "wordcount", .run = filter_wordcount},
    {.name = "center", .parameters = {"width"}, .run = filter_center},
    {.name = "urlencode", .run = filter_urlencode},
    {.name = "format", .call = filter_format},
    {0}};
