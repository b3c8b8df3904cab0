/* SPDX-License-Identifier: Apache-2.0 */
/* Walking what can be walked: one cursor for lists, strings, dicts, ranges and generators. */
#include "template_internal.h"

#include <string.h>

bool cursor_open(struct render *render, const struct item *source, struct cursor *cursor)
{
    *cursor = (struct cursor){.source = *source};
    switch (source->kind) {
    case KIND_TEXT:
    case KIND_LIST:
    case KIND_TUPLE:
    case KIND_MAP:
    case KIND_KEYS:
    case KIND_VALUES:
    case KIND_ITEMS:
    case KIND_RANGE:
    case KIND_GENERATOR: return true;
    case KIND_UNDEFINED:
        cursor->source = item_list(NULL, 0, false);
        return source->lenient || template_undefined(render, source);
    default:
        return template_fail(render,
                             "found %s to walk through, expected a list, a dict, a string or "
                             "a range",
                             item_type(source));
    }
}

static bool pair_tuple(struct render *render, const struct pair *pair, struct item *out)
{
    struct item *items = template_alloc(render, 2, sizeof(*items));
    if (!items)
        return false;
    items[0] = pair->key;
    items[1] = pair->value;
    *out = item_list(items, 2, true);
    return true;
}

static int next_pair(struct render *render, struct cursor *cursor, struct item *out)
{
    if (cursor->index >= cursor->source.map.count)
        return 0;
    struct pair pair = map_at(&cursor->source, cursor->index++);
    if (cursor->source.kind == KIND_ITEMS)
        return pair_tuple(render, &pair, out) ? 1 : -1;
    *out = cursor->source.kind == KIND_VALUES ? pair.value : pair.key;
    return 1;
}

static int next_point(struct cursor *cursor, struct item *out)
{
    size_t begin = cursor->index;
    if (begin >= cursor->source.text.len)
        return 0;
    point_next(cursor->source.text, &cursor->index);
    *out = item_text((xy_str){cursor->source.text.ptr + begin, cursor->index - begin});
    return 1;
}

int cursor_next(struct render *render, struct cursor *cursor, struct item *out)
{
    const struct item *source = &cursor->source;
    if (!template_charge(render, 1))
        return -1;
    switch (source->kind) {
    case KIND_TEXT: return next_point(cursor, out);
    case KIND_GENERATOR: {
        struct generator *generator = source->generator;
        if (generator->done)
            return 0;
        int state = generator->next(render, generator, out);
        generator->done = state <= 0;
        return state;
    }
    case KIND_RANGE:
    case KIND_LIST:
    case KIND_TUPLE:
        if (cursor->index >=
            (source->kind == KIND_RANGE ? source->range->count : source->list.count))
            return 0;
        *out = sequence_at(source, cursor->index++);
        return 1;
    default: return next_pair(render, cursor, out);
    }
}

bool item_collect(struct render *render, const struct item *source, struct item **items,
                  size_t *count)
{
    struct cursor cursor;
    size_t capacity = 8;
    if (!cursor_open(render, source, &cursor))
        return false;
    if (source->kind == KIND_LIST || source->kind == KIND_TUPLE)
        capacity = source->list.count;
    else if (source->kind == KIND_RANGE)
        capacity = source->range->count;
    *count = 0;
    *items = template_alloc(render, capacity, sizeof(**items));
    if (!*items)
        return false;
    for (;;) {
        struct item item;
        int state = cursor_next(render, &cursor, &item);
        if (state <= 0)
            return state == 0;
        if (*count == capacity) {
            struct item *grown = template_alloc(render, (capacity + 4) * 2, sizeof(*grown));
            if (!grown)
                return false;
            memcpy(grown, *items, *count * sizeof(*grown));
            *items = grown;
            capacity = (capacity + 4) * 2;
        }
        (*items)[(*count)++] = item;
    }
}
