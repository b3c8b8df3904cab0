/* SPDX-License-Identifier: Apache-2.0 */
/* `models:` and request parameters. */
#include <math.h>
#include <string.h>

#include "pipeline_internal.h"

static void copy_member(struct pipeline_reader *reader, struct member *member, const char *key,
                        const struct node *node)
{
    member->key = str_of(key);
    node_value(reader->arena, node, &member->value);
}

/* One text becomes a list of one: whoever sends the request then knows one form. */
static bool read_stop(struct pipeline_reader *reader, const struct node *map, struct value *out)
{
    const char **texts;
    if (!pipeline_texts(reader, map, "stop", &texts))
        return false;
    size_t count = 0;
    while (texts[count])
        count++;
    struct value *items = arena_alloc(reader->arena, (count + 1) * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = (struct value){.type = VALUE_TEXT, .text = str_of(texts[i])};
    *out = (struct value){.type = VALUE_LIST, .list = {items, count}};
    return true;
}

struct value pipeline_read_params(struct pipeline_reader *reader, const struct node *map)
{
    static const char *const known[] = {"temperature", "top_p", "max_tokens", "seed", "stop",
                                        "logprobs", "timeout", "extra", NULL};
    static const struct {
        const char *key;
        double low, high;
    } numbers[] = {{"temperature", 0, 100}, {"top_p", 0, 1}};
    static const struct {
        const char *key;
        int64_t low, high;
    } counts[] = {{"max_tokens", 1, UINT32_MAX}, {"seed", 0, INT64_MAX}};
    struct value params = {.type = VALUE_NULL};
    const struct node *node = pipeline_member(map, "params");
    if (!node || !pipeline_check_keys(reader, node, known, "`params`", NULL))
        return params;
    struct member *members =
        arena_alloc(reader->arena, sizeof(known) / sizeof(known[0]) * sizeof(*members));
    size_t count = 0;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        double number;
        if (pipeline_number(reader, node, numbers[i].key, numbers[i].low, numbers[i].high, &number))
            members[count++] = (struct member){
                str_of(numbers[i].key), {.type = VALUE_NUMBER, .number = number}};
    }
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        int64_t integer;
        if (pipeline_count(reader, node, counts[i].key, counts[i].low, counts[i].high, &integer))
            members[count++] = (struct member){
                str_of(counts[i].key), {.type = VALUE_INT, .integer = integer}};
    }
    struct value stop;
    bool logprobs;
    double timeout;
    if (read_stop(reader, node, &stop))
        members[count++] = (struct member){STR("stop"), stop};
    if (pipeline_bool(reader, node, "logprobs", &logprobs))
        members[count++] = (struct member){STR("logprobs"),
                                           {.type = VALUE_BOOL, .boolean = logprobs}};
    if (pipeline_seconds(reader, node, "timeout", &timeout))
        members[count++] = (struct member){STR("timeout"),
                                           {.type = VALUE_NUMBER, .number = timeout}};
    const struct node *extra = pipeline_member(node, "extra");
    char found[NODE_SHOWN];
    if (extra && extra->kind != NODE_MAP)
        pipeline_fail(reader, extra, NULL, "`extra`: expected a map, found %s",
                      node_shown(extra, found));
    else if (extra)
        copy_member(reader, &members[count++], "extra", extra);
    return (struct value){.type = VALUE_MAP, .map = {members, count}};
}

static void read_price(struct pipeline_reader *reader, const struct node *map,
                       struct model_spec *model)
{
    static const char *const known[] = {"input", "cached_input", "output", NULL};
    const struct node *price = pipeline_member(map, "price");
    if (!price || !pipeline_check_keys(reader, price, known, "`price`", NULL))
        return;
    pipeline_number(reader, price, "input", 0, INFINITY, &model->price_input);
    pipeline_number(reader, price, "output", 0, INFINITY, &model->price_output);
    if (!pipeline_number(reader, price, "cached_input", 0, INFINITY, &model->price_cached))
        model->price_cached = model->price_input;
}

static void read_limits(struct pipeline_reader *reader, const struct node *map,
                        struct model_spec *model)
{
    int64_t count;
    if (pipeline_count(reader, map, "concurrency", 1, 100000, &count))
        model->concurrency = (uint32_t)count;
    model->attempts = 6;
    if (pipeline_count(reader, map, "attempts", 1, 1000, &count))
        model->attempts = (uint32_t)count;
    model->timeout = 600;
    pipeline_seconds(reader, map, "timeout", &model->timeout);
    pipeline_seconds(reader, map, "deadline", &model->deadline);
    pipeline_number(reader, map, "requests_per_minute", 0, INFINITY, &model->requests_per_minute);
    pipeline_number(reader, map, "tokens_per_minute", 0, INFINITY, &model->tokens_per_minute);
}

static const struct stage_type *find_generator(struct pipeline_reader *reader,
                                               const struct node *map, const char *where)
{
    const char *use = NULL;
    const struct node *node = pipeline_member(map, "use");
    if (!node) {
        pipeline_fail(reader, map, "use: the name of a generator", "%s: needs `use:`", where);
        return NULL;
    }
    if (!pipeline_text(reader, map, "use", &use))
        return NULL;
    const struct registry *registry = reader->pipeline->registry;
    const struct stage_type *type = registry_find(registry, XY_GENERATOR, use);
    char found[NODE_SHOWN];
    node_shown(node, found);
    if (type)
        return type;
    const struct stage_type *other = registry_find(registry, 0, use);
    if (other) {
        pipeline_fail(reader, node, NULL, "%s: %s is a %s, expected a generator", where, found,
                      kind_name(other->stage.kind));
        return NULL;
    }
    const char *nearest = registry_nearest(registry, XY_GENERATOR, use);
    pipeline_fail(reader, node,
                  nearest ? arena_printf(reader->arena, "did you mean `%s`?", nearest)
                          : "`xylem plugins` lists what there is",
                  "%s: unknown generator %s", where, found);
    return NULL;
}

static void read_model(struct pipeline_reader *reader, const struct node *key,
                       const struct node *map, struct model_spec *model)
{
    const char *where = arena_printf(reader->arena, "model `%s`", key->text.ptr);
    char found[NODE_SHOWN];
    model->alias = key->text.ptr;
    model->node = map;
    pipeline_check_name(reader, key, key->text.ptr, "the name of a model");
    if (map->kind != NODE_MAP) {
        pipeline_fail(reader, map, NULL, "%s: expected a map, found %s", where,
                      node_shown(map, found));
        return;
    }
    model->type = find_generator(reader, map, where);
    read_limits(reader, map, model);
    read_price(reader, map, model);
    model->params = pipeline_read_params(reader, map);
    if (model->type)
        pipeline_check_options(reader, NULL, model->type, map, where, map, model_host_keys);
}

void pipeline_read_models(struct pipeline_reader *reader, const struct node *node)
{
    struct pipeline *pipeline = reader->pipeline;
    char found[NODE_SHOWN];
    if (!node)
        return;
    if (node->kind != NODE_MAP) {
        pipeline_fail(reader, node, NULL, "`models`: expected a map of names, found %s",
                      node_shown(node, found));
        return;
    }
    pipeline->models = arena_alloc(reader->arena, (node->count + 1) * sizeof(*pipeline->models));
    pipeline->model_count = node->count;
    for (size_t i = 0; i < node->count; i++)
        read_model(reader, node->keys[i], node->items[i], &pipeline->models[i]);
}

const struct model_spec *pipeline_find_model(struct pipeline_reader *reader, xy_str alias)
{
    for (size_t i = 0; i < reader->pipeline->model_count; i++) {
        if (str_is(alias, reader->pipeline->models[i].alias))
            return &reader->pipeline->models[i];
    }
    return NULL;
}

const char *pipeline_nearest_model(struct pipeline_reader *reader, const char *word)
{
    enum { MOST = 64 };
    const char *names[MOST];
    size_t count = 0;
    for (; count < reader->pipeline->model_count && count < MOST; count++)
        names[count] = reader->pipeline->models[count].alias;
    if (count == 0)
        return "name it under `models:`";
    const char *nearest = pipeline_nearest(reader, word, names, count);
    return nearest ? nearest : "name it under `models:`";
}
