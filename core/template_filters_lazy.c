/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that are generators in Jinja2: they read their input only as far as they are read. */
#include "template_internal.h"

#include <string.h>

enum { GENERATOR_DEPTH = 100 };

typedef int next_function(struct render *render, struct generator *self, struct item *out);

static struct generator *generator_new(struct render *render, const struct item *value,
                                       next_function *next, struct item *out)
{
    struct generator *generator = template_alloc(render, 1, sizeof(*generator));
    if (!generator)
        return NULL;
    generator->next = next;
    generator->first = *value;
    generator->depth = (uint16_t)(value->kind == KIND_GENERATOR ? value->generator->depth + 1 : 1);
    *out = (struct item){.kind = KIND_GENERATOR, .generator = generator};
    if (generator->depth <= GENERATOR_DEPTH)
        return generator;
    template_fail(render,
                  "found more than %d filters reading from one another, expected a `| list` "
                  "between",
                  GENERATOR_DEPTH);
    return NULL;
}

/* The source's next item. `truthy`: an empty source is not even walked (`if value:` in Python). */
static int source_next(struct render *render, struct generator *self, bool truthy, struct item *out)
{
    if (!self->started) {
        bool truth = true;
        self->started = true;
        if (truthy && !item_truth(render, &self->first, &truth))
            return -1;
        if (!truth)
            return 0;
        if (!cursor_open(render, &self->first, &self->cursor))
            return -1;
    }
    return cursor_next(render, &self->cursor, out);
}

static int map_next(struct render *render, struct generator *self, struct item *out)
{
    struct item item;
    int state = source_next(render, self, true, &item);
    if (state <= 0)
        return state;
    bool good = self->function
                    ? template_call(render, self->function, &item, &self->arguments, out)
                    : item_path(render, &item, &self->arguments.items[0],
                                self->second.kind == KIND_NONE ? NULL : &self->second, out);
    return good ? 1 : -1;
}

/* `name`, which a filter got as an argument, to the function it means. */
static const struct function *named(struct render *render, const struct item *name, bool filter)
{
    const struct function *found = NULL;
    if (name->kind == KIND_TEXT)
        found = filter ? template_filter(name->text) : template_test(name->text);
    if (found)
        return found;
    bool text = name->kind == KIND_TEXT;
    template_fail(render, "found `%.*s`, expected the name of a %s of this subset",
                  text ? (name->text.len > 60 ? 60 : (int)name->text.len) : 0,
                  text ? name->text.ptr : "", filter ? "filter" : "test");
    return NULL;
}

static bool filter_map(struct render *render, const struct item *value,
                       const struct arguments *arguments, struct item *out)
{
    struct generator *generator = generator_new(render, value, map_next, out);
    if (!generator)
        return false;
    generator->arguments = *arguments;
    generator->second = item_none();
    if (arguments->count > 0) {
        generator->arguments.items++;
        generator->arguments.count--;
        generator->function = named(render, &arguments->items[0], true);
        return generator->function != NULL;
    }
    struct item *attribute = template_alloc(render, 1, sizeof(*attribute));
    if (!attribute)
        return false;
    for (size_t i = 0; i < arguments->keyword_count; i++) {
        if (str_is(arguments->names[i], "attribute"))
            *attribute = arguments->items[i];
        else if (str_is(arguments->names[i], "default"))
            generator->second = arguments->items[i];
        else
            return template_fail(render,
                                 "map: found the argument `%.*s`, expected attribute= and "
                                 "default=",
                                 (int)arguments->names[i].len, arguments->names[i].ptr);
    }
    generator->arguments.items = attribute;
    return attribute->kind != KIND_ABSENT ||
           template_fail(render, "map: found neither a filter nor attribute=, expected one");
}

static int select_next(struct render *render, struct generator *self, struct item *out)
{
    for (;;) {
        struct item tested, result;
        bool truth;
        int state = source_next(render, self, true, out);
        if (state <= 0)
            return state;
        if (!item_path(render, out, &self->second, NULL, &tested))
            return -1;
        result = tested;
        if (self->function &&
            !template_call(render, self->function, &tested, &self->arguments, &result))
            return -1;
        if (!item_truth(render, &result, &truth))
            return -1;
        if (truth != self->inverted)
            return 1;
    }
}

static bool selection(struct render *render, const struct item *value,
                      const struct arguments *arguments, bool attribute, bool inverted,
                      struct item *out)
{
    struct generator *generator = generator_new(render, value, select_next, out);
    size_t at = attribute;
    if (!generator)
        return false;
    if (arguments->count < at)
        return template_fail(render, "found no attribute's name, expected one");
    generator->inverted = inverted;
    generator->second = attribute ? arguments->items[0] : item_none();
    if (arguments->count == at)
        return true;
    generator->arguments = *arguments;
    generator->arguments.items += at + 1;
    generator->arguments.count -= at + 1;
    generator->function = named(render, &arguments->items[at], false);
    return generator->function != NULL;
}

static bool filter_select(struct render *render, const struct item *value,
                          const struct arguments *arguments, struct item *out)
{
    return selection(render, value, arguments, false, false, out);
}

static bool filter_reject(struct render *render, const struct item *value,
                          const struct arguments *arguments, struct item *out)
{
    return selection(render, value, arguments, false, true, out);
}

static bool filter_selectattr(struct render *render, const struct item *value,
                              const struct arguments *arguments, struct item *out)
{
    return selection(render, value, arguments, true, false, out);
}

static bool filter_rejectattr(struct render *render, const struct item *value,
                              const struct arguments *arguments, struct item *out)
{
    return selection(render, value, arguments, true, true, out);
}

/* Keys seen so far, open addressing, a power of two. */
struct seen {
    struct item *keys;
    size_t count, capacity;
};

/* 1 new, 0 seen before, -1 failed. */
static int seen_add(struct render *render, struct seen *seen, const struct item *key)
{
    if (!item_hashable(render, key) ||
        !template_charge(render, key->kind == KIND_TEXT ? 1 + key->text.len / 16 : 1))
        return -1;
    if (seen->count * 2 >= seen->capacity) {
        struct seen grown = {.capacity = seen->capacity ? seen->capacity * 2 : 16};
        grown.keys = template_alloc(render, grown.capacity, sizeof(*grown.keys));
        if (!grown.keys)
            return -1;
        for (size_t i = 0; i < seen->capacity; i++)
            if (seen->keys[i].kind != KIND_ABSENT && seen_add(render, &grown, &seen->keys[i]) < 0)
                return -1;
        *seen = grown;
    }
    size_t at = item_hash(key) & (seen->capacity - 1);
    for (; seen->keys[at].kind != KIND_ABSENT; at = (at + 1) & (seen->capacity - 1)) {
        bool equal;
        if (!item_equal(render, &seen->keys[at], key, &equal))
            return -1;
        if (equal)
            return 0;
    }
    seen->keys[at] = *key;
    seen->count++;
    return 1;
}

static int unique_next(struct render *render, struct generator *self, struct item *out)
{
    for (;;) {
        struct text lowered = {.render = render};
        struct item key;
        int state = source_next(render, self, false, out);
        if (state <= 0)
            return state;
        if (!item_path(render, out, &self->second, NULL, &key))
            return -1;
        if (!self->inverted && key.kind == KIND_TEXT) {
            if (!text_convert(&lowered, key.text, CASE_LOWER))
                return -1;
            key = item_text(text_str(&lowered));
        }
        int fresh = seen_add(render, self->state, &key);
        if (fresh != 0)
            return fresh;
    }
}

static bool filter_unique(struct render *render, const struct item *value,
                          const struct item *arguments, struct item *out)
{
    struct generator *generator = generator_new(render, value, unique_next, out);
    struct seen *seen = template_alloc(render, 1, sizeof(*seen));
    if (!generator || !seen)
        return false;
    generator->state = seen;
    generator->second = arguments[1];
    return arguments[0].kind == KIND_ABSENT ||
           item_truth(render, &arguments[0], &generator->inverted);
}

/* The items with `fill` behind them up to `size`; NULL when a bound is passed. */
static struct item *fill_up(struct render *render, const struct item *items, int64_t count,
                            int64_t size, const struct item *fill)
{
    struct item *filled = template_alloc(render, (size_t)size, sizeof(*filled));
    for (int64_t i = 0; filled && i < size; i++)
        filled[i] = i < count ? items[i] : *fill;
    return filled;
}

static int batch_next(struct render *render, struct generator *self, struct item *out)
{
    int64_t size = (int64_t)self->index;
    struct item *items = NULL, item;
    int64_t count = 0, capacity = 0;
    while (count < size || (count == 0 && size <= 0)) {
        int state = source_next(render, self, false, &item);
        if (state < 0)
            return -1;
        if (state == 0)
            break;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 4;
            struct item *grown = template_alloc(render, (size_t)capacity, sizeof(*grown));
            if (!grown)
                return -1;
            if (count)
                memcpy(grown, items, (size_t)count * sizeof(*grown));
            items = grown;
        }
        items[count++] = item;
    }
    if (count == 0)
        return 0;
    if (self->second.kind != KIND_NONE && count < size) {
        items = fill_up(render, items, count, size, &self->second);
        if (!items)
            return -1;
        count = size;
    }
    *out = item_list(items, (size_t)count, false);
    return 1;
}

static int slice_next(struct render *render, struct generator *self, struct item *out)
{
    struct item *items = self->state;
    size_t slices = (size_t)self->arguments.count, count, number = self->index;
    if (!self->started) {
        self->started = true;
        if (!item_collect(render, &self->first, &items, &count))
            return -1;
        self->state = items;
        self->cursor.index = count;
    }
    if (number >= slices)
        return 0;
    count = self->cursor.index;
    size_t each = count / slices, extra = count % slices;
    size_t from = number * each + (number < extra ? number : extra);
    size_t size = each + (number < extra),
           filled = self->second.kind != KIND_NONE && number >= extra;
    struct item *part = template_alloc(render, size + filled, sizeof(*part));
    if (!part)
        return -1;
    if (size)
        memcpy(part, items + from, size * sizeof(*part));
    if (filled)
        part[size] = self->second;
    self->index++;
    *out = item_list(part, size + filled, false);
    return 1;
}

static bool grouping(struct render *render, const struct item *value, const struct item *arguments,
                     next_function *next, int64_t *size, struct generator **generator,
                     struct item *out)
{
    *generator = generator_new(render, value, next, out);
    if (!*generator)
        return false;
    (*generator)->second = arguments[1].kind == KIND_ABSENT ? item_none() : arguments[1];
    if (arguments[0].kind == KIND_UNDEFINED)
        return template_undefined(render, &arguments[0]);
    if (!item_is_integer(&arguments[0]) || item_integer(&arguments[0]) < 1)
        return template_fail(render, "found %s as a count, expected an integer of at least 1",
                             item_type(&arguments[0]));
    *size = item_integer(&arguments[0]);
    return true;
}

static bool filter_batch(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    struct generator *generator;
    int64_t size;
    if (!grouping(render, value, arguments, batch_next, &size, &generator, out))
        return false;
    /* grouping() is false where it has not set both: template_fail() always is.
     * NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
    generator->index = (size_t)size;
    return true;
}

static bool filter_slice(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    struct generator *generator;
    int64_t size;
    if (!grouping(render, value, arguments, slice_next, &size, &generator, out))
        return false;
    /* grouping() is false where it has not set both: template_fail() always is.
     * NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
    generator->arguments.count = (size_t)size;
    return true;
}

static int items_next(struct render *render, struct generator *self, struct item *out)
{
    if (!self->started) {
        if (self->first.kind == KIND_UNDEFINED)
            return 0;
        if (self->first.kind != KIND_MAP) {
            template_fail(render, "items: found %s, expected a dict", item_type(&self->first));
            return -1;
        }
        self->first.kind = KIND_ITEMS;
    }
    return source_next(render, self, false, out);
}

static bool filter_items(struct render *render, const struct item *value,
                         const struct item *arguments, struct item *out)
{
    (void)arguments;
    return generator_new(render, value, items_next, out) != NULL;
}

static bool reverse_text(struct render *render, const struct item *value, struct item *out)
{
    struct item parts[3] = {item_none(), item_none(), item_int(-1)};
    return item_slice(render, value, parts, out);
}

static bool filter_reverse(struct render *render, const struct item *value,
                           const struct item *arguments, struct item *out)
{
    struct item *items;
    size_t count;
    (void)arguments;
    if (value->kind == KIND_TEXT)
        return reverse_text(render, value, out);
    if (!item_collect(render, value, &items, &count))
        return false;
    for (size_t i = 0; i < count / 2; i++) {
        struct item swap = items[i];
        items[i] = items[count - 1 - i];
        items[count - 1 - i] = swap;
    }
    *out = item_list(items, count, false);
    /* Of what Python can walk backwards it gives an iterator; of a generator, a list. */
    if (value->kind == KIND_GENERATOR)
        return true;
    struct item list = *out;
    struct generator *generator = generator_new(render, &list, map_next, out);
    if (!generator)
        return false;
    struct item *whole = template_alloc(render, 1, sizeof(*whole));
    if (!whole)
        return false;
    *whole = item_none();
    generator->second = item_none();
    generator->arguments.items = whole;
    return true;
}

const struct function template_lazy_filters[] = {
    {.name = "map", .call = filter_map},
    {.name = "select", .call = filter_select},
    {.name = "reject", .call = filter_reject},
    {.name = "selectattr", .call = filter_selectattr},
    {.name = "rejectattr", .call = filter_rejectattr},
    {.name = "unique", .parameters = {"case_sensitive", "attribute"}, .run = filter_unique},
    {.name = "batch", .parameters = {"linecount", "fill_with"}, .required = 1, .run = filter_batch},
    {.name = "slice", .parameters = {"slices", "fill_with"}, .required = 1, .run = filter_slice},
    {.name = "items", .run = filter_items},
    {.name = "reverse", .run = filter_reverse},
    {0}};
