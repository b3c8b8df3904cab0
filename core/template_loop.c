/* SPDX-License-Identifier: Apache-2.0 */
/* {% for %} and its `loop`, after jinja2.runtime.LoopContext: items are read one by one, and
 * further only when `last`, `nextitem` or `length` is asked for. */
#include "template_internal.h"

#include <string.h>

/* The next item of the iterable that passes `if`: 1, 0 at the end, -1 failed. */
static int read_item(struct render *render, struct loop *loop, struct item *out)
{
    for (;;) {
        int state = cursor_next(render, &loop->cursor, out);
        if (state <= 0 || !loop->test)
            return state;
        struct item result;
        bool truth;
        template_enter(render, loop->statement->scope[2]);
        /* The test has slots of its own for the target; they are reached by a second target
         * tree. */
        if (!template_assign(render, loop->statement->children[5], out) ||
            !template_evaluate(render, loop->test, &result))
            return -1;
        render->node = loop->test;
        if (!item_truth(render, &result, &truth))
            return -1;
        if (truth)
            return 1;
    }
}

static int next_item(struct render *render, struct loop *loop, struct item *out)
{
    if (loop->pending) {
        if (loop->pending_index == loop->pending_count)
            return 0;
        *out = loop->pending[loop->pending_index++];
        return 1;
    }
    return read_item(render, loop, out);
}

static bool peek(struct render *render, struct loop *loop)
{
    if (loop->has_after || loop->at_end)
        return true;
    int state = next_item(render, loop, &loop->after);
    loop->has_after = state > 0;
    loop->at_end = state == 0;
    return state >= 0;
}

static bool read_all(struct render *render, struct loop *loop)
{
    struct item *items = NULL, item;
    size_t count = 0, capacity = 0;
    int state;
    for (;;) {
        state = loop->at_end ? 0 : next_item(render, loop, &item);
        if (state <= 0)
            break;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            struct item *grown = template_alloc(render, capacity, sizeof(item));
            if (!grown)
                return false;
            if (count)
                memcpy(grown, items, count * sizeof(item));
            items = grown;
        }
        items[count++] = item;
    }
    if (state < 0)
        return false;
    loop->pending = items ? items : template_alloc(render, 1, sizeof(item));
    loop->pending_count = count;
    loop->pending_index = 0;
    loop->length = (int64_t)count + loop->index0 + 1 + loop->has_after;
    return loop->pending != NULL;
}

static bool loop_length(struct render *render, struct loop *loop)
{
    if (loop->length >= 0)
        return true;
    if (!loop->test && loop->source.kind != KIND_GENERATOR)
        return item_length(render, &loop->source, &loop->length);
    return read_all(render, loop);
}

static bool loop_count(struct render *render, struct loop *loop, xy_str name, struct item *out)
{
    if (!loop_length(render, loop))
        return false;
    int64_t length = loop->length;
    *out = item_int(str_is(name, "length")     ? length
                    : str_is(name, "revindex") ? length - loop->index0
                                               : length - loop->index0 - 1);
    return true;
}

/* `last` and `nextitem`: what only a look ahead can tell. */
static bool loop_ahead(struct render *render, struct loop *loop, xy_str name, struct item *out)
{
    if (!peek(render, loop))
        return false;
    if (str_is(name, "last"))
        *out = item_bool(loop->at_end);
    else
        *out = loop->has_after ? loop->after : item_missing("loop.nextitem");
    return true;
}

bool item_loop_attribute(struct render *render, struct loop *loop, xy_str name, struct item *out)
{
    if (str_is(name, "index"))
        *out = item_int(loop->index0 + 1);
    else if (str_is(name, "index0"))
        *out = item_int(loop->index0);
    else if (str_is(name, "first"))
        *out = item_bool(loop->index0 == 0);
    else if (str_is(name, "depth"))
        *out = item_int(1);
    else if (str_is(name, "depth0"))
        *out = item_int(0);
    else if (str_is(name, "length") || str_is(name, "revindex") || str_is(name, "revindex0"))
        return loop_count(render, loop, name, out);
    else if (str_is(name, "previtem"))
        *out = loop->index0 == 0 ? item_missing("loop.previtem") : loop->before;
    else if (str_is(name, "last") || str_is(name, "nextitem"))
        return loop_ahead(render, loop, name, out);
    else
        return template_fail(render,
                             "found `loop.%.*s`, expected index, index0, first, last, "
                             "length, revindex, revindex0, previtem, nextitem, depth, cycle() or "
                             "changed()",
                             name.len > 60 ? 60 : (int)name.len, name.ptr);
    return true;
}

static int advance(struct render *render, struct loop *loop)
{
    struct item item;
    int state = 1;
    if (loop->has_after)
        item = loop->after;
    else
        state = loop->at_end ? 0 : next_item(render, loop, &item);
    loop->has_after = false;
    if (state <= 0)
        return state;
    loop->index0++;
    loop->before = loop->current;
    loop->current = item;
    return 1;
}

bool template_for(struct render *render, const struct node *node)
{
    struct item source;
    struct loop *loop = template_alloc(render, 1, sizeof(*loop));
    if (!loop || !template_evaluate(render, node->children[1], &source))
        return false;
    render->node = node->children[1];
    *loop = (struct loop){.source = source,
                          .test = node->children[2],
                          .statement = (struct node *)node,
                          .index0 = -1,
                          .length = -1};
    if (!cursor_open(render, &source, &loop->cursor))
        return false;
    int state = advance(render, loop);
    for (; state > 0; state = advance(render, loop)) {
        template_enter(render, node->scope[0]);
        render->slots[node->slot] = (struct item){.kind = KIND_LOOP, .loop = loop};
        if (!template_charge(render, 1) ||
            !template_assign(render, node->children[0], &loop->current) ||
            !template_execute(render, node->children[3]))
            return false;
    }
    if (state < 0)
        return false;
    if (loop->index0 < 0 && node->children[4]) {
        template_enter(render, node->scope[1]);
        return template_execute(render, node->children[4]);
    }
    return true;
}
