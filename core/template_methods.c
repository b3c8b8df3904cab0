/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that test or split text, and those of dicts, lists, cyclers and the loop. */
#include "template_internal.h"

#include <utf8proc.h>

static bool wrong(struct render *render, const struct item *value, const char *method,
                  const char *expected)
{
    if (value->kind == KIND_UNDEFINED)
        return template_undefined(render, value);
    return template_fail(render, "found %s for %s(), expected %s", item_type(value), method,
                         expected);
}

/* ---- tests of text: true when there are characters and all of them pass ---------------------- */

static bool is_digit(uint32_t point)
{
    if (point < 0x80)
        return point >= '0' && point <= '9';
    return utf8proc_category((utf8proc_int32_t)point) == UTF8PROC_CATEGORY_ND || point == 0xb2 ||
           point == 0xb3 || point == 0xb9 || point == 0x2070 ||
           (point >= 0x2074 && point <= 0x2079) || (point >= 0x2080 && point <= 0x2089);
}

static bool is_numeric(uint32_t point)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

static bool is_alpha(uint32_t point)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static bool is_alphanumeric(uint32_t point)
{
    return is_alpha(point) || is_numeric(point);
}

static bool all(struct render *render, const struct item *value, bool (*test)(uint32_t),
                struct item *out)
{
    if (value->kind != KIND_TEXT)
        return wrong(render, value, "a test of text", "a string");
    bool good = value->text.len > 0;
    for (size_t at = 0; at < value->text.len && good;)
        good = test(point_next(value->text, &at));
    *out = item_bool(good);
    return template_charge(render, value->text.len / 16);
}

static bool method_isdigit(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)arguments;
    return all(render, value, is_digit, out);
}

static bool method_isnumeric(struct render *render, const struct item *value,
                             const struct item *arguments, struct item *out)
{
    (void)arguments;
    return all(render, value, is_numeric, out);
}

static bool method_isalpha(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)arguments;
    return all(render, value, is_alpha, out);
}

static bool method_isalnum(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)arguments;
    return all(render, value, is_alphanumeric, out);
}

static bool method_isspace(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)arguments;
    return all(render, value, point_is_space, out);
}

static bool case_test(struct render *render, const struct item *value, const char *name,
                      struct item *out)
{
    struct arguments none = {0};
    if (value->kind != KIND_TEXT)
        return wrong(render, value, "a test of text", "a string");
    return template_call(render, template_test(str_of(name)), value, &none, out);
}

static bool method_isupper(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)arguments;
    return case_test(render, value, "upper", out);
}

static bool method_islower(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    (void)arguments;
    return case_test(render, value, "lower", out);
}

const struct function template_text_test_methods[] = {
    {.name = "isdigit", .run = method_isdigit}, {.name = "isnumeric", .run = method_isnumeric},
    {.name = "isalpha", .run = method_isalpha}, {.name = "isalnum", .run = method_isalnum},
    {.name = "isspace", .run = method_isspace}, {.name = "isupper", .run = method_isupper},
    {.name = "islower", .run = method_islower}, {0}};

/* ---- splitting ------------------------------------------------------------------------------- */

static bool split(struct render *render, const struct item *value, const struct item *arguments,
                  bool from_right, struct item *out)
{
    bool space = arguments[0].kind == KIND_ABSENT || arguments[0].kind == KIND_NONE;
    if (value->kind != KIND_TEXT)
        return wrong(render, value, "split", "a string");
    if (!space && arguments[0].kind != KIND_TEXT)
        return wrong(render, &arguments[0], "split", "a string to split at");
    if (arguments[1].kind != KIND_ABSENT && !item_is_integer(&arguments[1]))
        return wrong(render, &arguments[1], "split", "an integer as the limit");
    int64_t limit = arguments[1].kind == KIND_ABSENT ? -1 : item_integer(&arguments[1]);
    return text_split(render, value->text, space ? NULL : &arguments[0].text,
                      limit < 0 ? -1 : limit, from_right, out);
}

static bool method_split(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    return split(render, value, arguments, false, out);
}

static bool method_rsplit(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    return split(render, value, arguments, true, out);
}

static bool method_splitlines(struct render *render, const struct item *value,
                              const struct item *arguments, struct item *out)
{
    struct item *items;
    size_t count = 0;
    xy_str line;
    (void)arguments;
    if (value->kind != KIND_TEXT)
        return wrong(render, value, "splitlines", "a string");
    for (size_t at = 0; text_line(value->text, &at, &line);)
        count++;
    items = template_alloc(render, count, sizeof(*items));
    if (!items)
        return false;
    size_t index = 0;
    for (size_t at = 0; text_line(value->text, &at, &line);)
        items[index++] = item_text(line);
    *out = item_list(items, count, false);
    return true;
}

static bool partition(struct render *render, const struct item *value, const struct item *separator,
                      bool last, struct item *out)
{
    size_t at = 0, next;
    struct item *items = template_alloc(render, 3, sizeof(*items));
    if (!items)
        return false;
    if (value->kind != KIND_TEXT || separator->kind != KIND_TEXT || separator->text.len == 0)
        return template_fail(render,
                             "found %s and %s for partition(), expected two strings, the "
                             "second not empty",
                             item_type(value), item_type(separator));
    xy_str text = value->text, part = separator->text;
    bool found = text_find(text, part, 0, &at);
    for (next = at; found && last && text_find(text, part, next + 1, &next);)
        at = next;
    if (!found)
        at = last ? 0 : text.len;
    size_t behind = found ? at + part.len : at;
    items[0] = item_text((xy_str){text.ptr, at});
    items[1] = found ? *separator : item_static("");
    items[2] = item_text((xy_str){text.ptr + behind, text.len - behind});
    *out = item_list(items, 3, true);
    return template_charge(render, text.len / 16);
}

static bool method_partition(struct render *render, const struct item *value,
                             const struct item *arguments, struct item *out)
{
    return partition(render, value, arguments, false, out);
}

static bool method_rpartition(struct render *render, const struct item *value,
                              const struct item *arguments, struct item *out)
{
    return partition(render, value, arguments, true, out);
}

const struct function template_split_methods[] = {
    {.name = "split", .parameters = {"sep", "maxsplit"}, .run = method_split},
    {.name = "rsplit", .parameters = {"sep", "maxsplit"}, .run = method_rsplit},
    {.name = "splitlines", .run = method_splitlines},
    {.name = "partition",
     .parameters = {"sep"},
     .required = 1,
     .positional = true,
     .run = method_partition},
    {.name = "rpartition",
     .parameters = {"sep"},
     .required = 1,
     .positional = true,
     .run = method_rpartition},
    {0}};

/* ---- dicts, lists, cycler, loop -------------------------------------------------------------- */

static bool view(struct render *render, const struct item *value, enum kind kind,
                 const char *method, struct item *out)
{
    if (value->kind != KIND_MAP)
        return wrong(render, value, method, "a dict");
    *out = *value;
    out->kind = (uint8_t)kind;
    return true;
}

static bool method_items(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return view(render, value, KIND_ITEMS, "items", out);
}

static bool method_keys(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    (void)arguments;
    return view(render, value, KIND_KEYS, "keys", out);
}

static bool method_values(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    (void)arguments;
    return view(render, value, KIND_VALUES, "values", out);
}

static bool method_get(struct render *render, const struct item *value,
                       const struct item *arguments, struct item *out)
{
    if (value->kind != KIND_MAP)
        return wrong(render, value, "get", "a dict");
    int found = map_find(render, value, &arguments[0], out);
    if (found == 0)
        *out = arguments[1].kind == KIND_ABSENT ? item_none() : arguments[1];
    return found >= 0;
}

/* How often, or at which index first, `wanted` is in a list. */
static bool search(struct render *render, const struct item *value, const struct item *wanted,
                   bool first, struct item *out)
{
    int64_t count = 0;
    for (size_t i = 0; i < value->list.count; i++) {
        struct item item = sequence_at(value, i);
        bool equal;
        if (!item_equal(render, &item, wanted, &equal))
            return false;
        if (equal && first) {
            *out = item_int((int64_t)i);
            return true;
        }
        count += equal;
    }
    *out = item_int(count);
    return !first ||
           template_fail(render, "found no such item for index(), expected one of the list");
}

static bool method_count(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    if (value->kind == KIND_LIST || value->kind == KIND_TUPLE)
        return search(render, value, &arguments[0], false, out);
    if (value->kind != KIND_TEXT || arguments[0].kind != KIND_TEXT)
        return wrong(render, value->kind == KIND_TEXT ? &arguments[0] : value, "count",
                     "a list, or two strings");
    xy_str part = arguments[0].text;
    int64_t count = 0;
    size_t found;
    if (part.len == 0)
        count = (int64_t)point_count(value->text) + 1;
    for (size_t at = 0; part.len && text_find(value->text, part, at, &found); at = found + part.len)
        count++;
    *out = item_int(count);
    return template_charge(render, value->text.len / 16);
}

static bool method_index(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    struct arguments same = {.items = arguments, .count = 1};
    if (value->kind == KIND_LIST || value->kind == KIND_TUPLE)
        return search(render, value, &arguments[0], true, out);
    if (!template_call(render, template_method(STR("find")), value, &same, out))
        return false;
    return out->integer >= 0 ||
           template_fail(render, "found no such part for index(), expected one of the string");
}

static bool method_next(struct render *render, const struct item *value,
                        const struct item *arguments, struct item *out)
{
    (void)arguments;
    if (value->kind != KIND_CYCLER)
        return wrong(render, value, "next", "a cycler()");
    struct cycler *cycler = value->cycler;
    *out = cycler->items[cycler->position];
    cycler->position = (cycler->position + 1) % cycler->count;
    return true;
}

static bool method_reset(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    if (value->kind != KIND_CYCLER)
        return wrong(render, value, "reset", "a cycler()");
    value->cycler->position = 0;
    *out = item_none();
    return true;
}

static bool method_cycle(struct render *render, const struct item *value,
                         const struct arguments *arguments, struct item *out)
{
    if (value->kind != KIND_LOOP)
        return wrong(render, value, "cycle", "the loop");
    if (arguments->count == 0 || arguments->keyword_count)
        return template_fail(render, "found no items for loop.cycle(), expected some by position");
    *out = arguments->items[(size_t)value->loop->index0 % arguments->count];
    return true;
}

static bool method_changed(struct render *render, const struct item *value,
                           const struct arguments *arguments, struct item *out)
{
    struct item now = item_list(arguments->items, arguments->count, true);
    bool same = false;
    if (value->kind != KIND_LOOP || arguments->keyword_count)
        return wrong(render, value, "changed", "the loop, and values by position");
    struct loop *loop = value->loop;
    if (loop->has_changed && !item_equal(render, &loop->changed, &now, &same))
        return false;
    loop->has_changed = true;
    loop->changed = now;
    *out = item_bool(!same);
    return true;
}

const struct function template_other_methods[] = {{.name = "items", .run = method_items},
                                                  {.name = "keys", .run = method_keys},
                                                  {.name = "values", .run = method_values},
                                                  {.name = "get",
                                                   .parameters = {"key", "default"},
                                                   .required = 1,
                                                   .positional = true,
                                                   .run = method_get},
                                                  {.name = "count",
                                                   .parameters = {"value"},
                                                   .required = 1,
                                                   .positional = true,
                                                   .run = method_count},
                                                  {.name = "index",
                                                   .parameters = {"value"},
                                                   .required = 1,
                                                   .positional = true,
                                                   .run = method_index},
                                                  {.name = "next", .run = method_next},
                                                  {.name = "reset", .run = method_reset},
                                                  {.name = "cycle", .call = method_cycle},
                                                  {.name = "changed", .call = method_changed},
                                                  {0}};
