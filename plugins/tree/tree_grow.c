/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_grow.h"

#include <stdlib.h>

/* One node's asking: its answer waits here until those of the whole level have come. */
struct tree_asking {
    struct tree_growth *growth;
    struct items items;
    uint32_t node;
    bool refused;
};

bool tree_grow_root(struct tree_growth *growth, xy_str name)
{
    growth->names.fold = FOLD_CASE;
    growth->names.similar = 1; /* roots are given, not grown: only the same one is left out */
    int code = distinct_add(&growth->names, name, NULL);
    if (code != XY_OK)
        return code == XY_DROP;
    growth->counts.nodes[0]++;
    return tree_nodes_add(&growth->tree, TREE_NONE, name) != TREE_NONE;
}

static int64_t missing(const struct tree_growth *growth, const struct tree_node *node)
{
    return growth->rules->breadth[node->depth] - (int64_t)node->children;
}

/* ---- which nodes are asked next -------------------------------------------------------------- */

static bool add_to_batch(struct tree_growth *growth, uint32_t node)
{
    if (growth->batch_count == growth->batch_room) {
        size_t room = growth->batch_room ? growth->batch_room * 2 : 32;
        struct tree_asking *batch = realloc(growth->batch, room * sizeof(*batch));
        if (!batch)
            return false;
        growth->batch = batch;
        growth->batch_room = room;
    }
    growth->batch[growth->batch_count++] = (struct tree_asking){.growth = growth, .node = node};
    return true;
}

/* Of the nodes of one depth (negative: of any): those never asked, or those asked and not full. */
static int collect(struct tree_growth *growth, int64_t depth, bool again)
{
    for (uint32_t i = 0; i < growth->tree.count; i++) {
        const struct tree_node *node = &growth->tree.nodes[i];
        if (node->depth >= growth->rules->depth || (depth >= 0 && node->depth != depth) ||
            (node->asked > 0) != again || missing(growth, node) <= 0)
            continue;
        if (!add_to_batch(growth, i))
            return XY_ENOMEM;
    }
    return XY_OK;
}

/* Looking ahead first: every node that was never asked, which are those of one level. Then back,
 * the deepest level first, to nodes that may take more children; what these bring is grown to the
 * bottom before the level above is asked again (Wan et al. 2023, section 3.2). */
static int next_batch(struct tree_growth *growth)
{
    const struct tree_rules *rules = growth->rules;
    growth->batch_count = 0;
    if (growth->counts.full)
        return XY_OK;
    int code = collect(growth, -1, false);
    while (code == XY_OK && growth->batch_count == 0 && growth->pass < rules->backtracks) {
        code = collect(growth, growth->pass_depth, true);
        if (--growth->pass_depth < 0) {
            growth->pass_depth = (int64_t)rules->depth - 1;
            growth->pass++;
        }
    }
    return code;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void answered(xy_job *job, void *user, const xy_reply *reply, const struct items *items);

typedef void add_names(const struct tree_nodes *tree, uint32_t node, struct text *out);

static int set_names(const struct tree_growth *growth, const char *field, uint32_t node,
                     add_names *add)
{
    struct text list = {0};
    add(&growth->tree, node, &list);
    int code = list.failed ? XY_ENOMEM
                           : xy_record_set_json(growth->scratch, field,
                                                (xy_str){list.bytes, list.length});
    text_free(&list);
    return code;
}

/* What a prompt may show of the node: Explore-Instruct shows its siblings and its children. */
static int describe(const struct tree_growth *growth, uint32_t number)
{
    const struct tree_node *node = &growth->tree.nodes[number];
    const struct tree_nodes *tree = &growth->tree;
    int64_t wanted = missing(growth, node), most = growth->rules->per_ask;
    xy_str parent = node->parent == TREE_NONE ? xy_text("") : tree_nodes_name(tree, node->parent);
    int codes[] = {
        xy_record_set_text(growth->scratch, growth->name, tree_nodes_name(tree, number)),
        xy_record_set_text(growth->scratch, "parent", parent),
        xy_record_set_int(growth->scratch, "depth", node->depth),
        xy_record_set_int(growth->scratch, "wanted", most && most < wanted ? most : wanted),
        set_names(growth, "path", number, tree_nodes_add_path),
        set_names(growth, "children", number, tree_nodes_add_children),
        set_names(growth, "siblings", number, tree_nodes_add_siblings)};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i] < 0)
            return xy_fail(growth->job, codes[i], "the prompt's fields cannot be set");
    return XY_OK;
}

static int ask(struct tree_asking *asking)
{
    struct tree_growth *growth = asking->growth;
    struct tree_node *node = &growth->tree.nodes[asking->node];
    int code = describe(growth, asking->node);
    if (code < 0)
        return code;
    uint64_t salt = (uint64_t)asking->node << 16 | (node->asked & 0xffff);
    const xy_record *input = growth->job->api->input(growth->job, 0);
    uint64_t seed = growth->rng->stream(growth->job, input, salt);
    if (node->asked == 0)
        growth->counts.wanted[node->depth] += (uint64_t)growth->rules->breadth[node->depth];
    growth->counts.asked[node->depth]++;
    node->asked++;
    /* Where the last asking brought nothing, the prompt may be the same: another sample of it. */
    return list_call_ask(growth->call, growth->job, growth->scratch, seed, node->barren, answered,
                         asking);
}

/* Asks the next nodes. XY_OK: answers will come. XY_END: nothing is left. Or an error: then none is
 * out. */
static int ask_batch(struct tree_growth *growth)
{
    int code = growth->job->api->cancelled(growth->job) ? XY_ECANCELED : next_batch(growth);
    if (code < 0 || growth->batch_count == 0)
        return code < 0 ? code : XY_END;
    growth->open = 0;
    for (size_t i = 0; i < growth->batch_count; i++) {
        code = ask(&growth->batch[i]);
        growth->open += code >= 0;
        if (code >= 0)
            continue;
        growth->failed = code; /* those that are out come back first */
        break;
    }
    return growth->open ? XY_OK : growth->failed;
}

/* ---- taking up ------------------------------------------------------------------------------- */

/* What a child of this node must be unlike, where only those beside and above it count. */
static int names_around(const struct tree_growth *growth, uint32_t number, struct distinct *names)
{
    const struct tree_nodes *tree = &growth->tree;
    uint32_t node = number;
    for (; node != TREE_NONE; node = tree->nodes[node].parent)
        if (distinct_add(names, tree_nodes_name(tree, node), NULL) < 0)
            return XY_ENOMEM;
    for (node = tree->nodes[number].first_child; node != TREE_NONE;
         node = tree->nodes[node].next_sibling)
        if (distinct_add(names, tree_nodes_name(tree, node), NULL) < 0)
            return XY_ENOMEM;
    return XY_OK;
}

static bool too_long(const struct tree_growth *growth, xy_str name)
{
    int64_t words = 0;
    for (size_t i = 0; i < name.len; i++)
        words += name.ptr[i] != ' ' && (i == 0 || name.ptr[i - 1] == ' ');
    return growth->rules->most_words && words > growth->rules->most_words;
}

static int take_items(struct tree_growth *growth, const struct tree_asking *asking,
                      struct distinct *names)
{
    uint32_t number = asking->node, depth = growth->tree.nodes[number].depth;
    uint32_t before = growth->tree.nodes[number].children;
    for (size_t i = 0; i < asking->items.count; i++) {
        if (missing(growth, &growth->tree.nodes[number]) <= 0)
            break; /* it gave more than it was asked for */
        xy_str name = items_at(&asking->items, i);
        int code = too_long(growth, name) ? XY_DROP : distinct_add(names, name, NULL);
        if (code < 0)
            return code;
        growth->counts.pruned[depth] += code == XY_DROP;
        if (code == XY_DROP)
            continue;
        growth->counts.full = growth->tree.count >= (size_t)growth->rules->most_nodes;
        if (growth->counts.full)
            break;
        if (tree_nodes_add(&growth->tree, number, name) == TREE_NONE)
            return XY_ENOMEM;
        growth->counts.filled[depth]++;
        growth->counts.nodes[depth + 1]++;
    }
    struct tree_node *node = &growth->tree.nodes[number];
    node->barren = node->children > before ? 0 : node->barren + 1;
    growth->counts.refused += asking->refused;
    return XY_OK;
}

static int take(struct tree_growth *growth, const struct tree_asking *asking)
{
    growth->names.similar = growth->rules->similar;
    if (!growth->rules->siblings_only)
        return take_items(growth, asking, &growth->names);
    struct distinct around = {.fold = FOLD_CASE, .similar = growth->rules->similar};
    int code = names_around(growth, asking->node, &around);
    if (code >= 0)
        code = take_items(growth, asking, &around);
    distinct_free(&around);
    return code;
}

static void count_ends(struct tree_growth *growth)
{
    for (size_t i = 0; i < growth->tree.count; i++) {
        const struct tree_node *node = &growth->tree.nodes[i];
        growth->counts.leaves += node->children == 0;
        if (node->asked > 0)
            growth->counts.barren[node->depth] += node->children == 0;
    }
}

static void level_over(struct tree_growth *growth)
{
    int code = growth->failed;
    for (size_t i = 0; i < growth->batch_count; i++) {
        if (code >= 0)
            code = take(growth, &growth->batch[i]);
        items_free(&growth->batch[i].items);
    }
    if (code == XY_ENOMEM)
        growth->job->api->explain(growth->job, "out of memory");
    if (code >= 0)
        code = ask_batch(growth);
    if (code == XY_OK)
        return;
    count_ends(growth);
    growth->done(growth, code == XY_END ? XY_OK : code);
}

static void answered(xy_job *job, void *user, const xy_reply *reply, const struct items *items)
{
    struct tree_asking *asking = user;
    struct tree_growth *growth = asking->growth;
    bool over = reply->status == XY_ECANCELED || reply->status == XY_EBUDGET ||
                reply->status == XY_ENOMEM;
    if (reply->status < 0 && growth->failed >= 0)
        job->api->explain(job, reply->error ? reply->error : "the model did not answer");
    if (over && growth->failed >= 0)
        growth->failed = reply->status;
    growth->counts.lost += reply->status < 0; /* one answer that is lost is not the whole tree */
    asking->refused = items->refused;
    for (size_t i = 0; reply->status >= 0 && i < items->count; i++)
        items_add(&asking->items, items_at(items, i));
    if (asking->items.failed && growth->failed >= 0)
        growth->failed = XY_ENOMEM;
    if (--growth->open == 0)
        level_over(growth);
}

int tree_grow(struct tree_growth *growth)
{
    growth->pass_depth = (int64_t)growth->rules->depth - 1;
    return ask_batch(growth);
}

void tree_grow_free(struct tree_growth *growth)
{
    for (size_t i = 0; i < growth->batch_count; i++)
        items_free(&growth->batch[i].items);
    free(growth->batch);
    distinct_free(&growth->names);
    tree_nodes_free(&growth->tree);
}
