/* SPDX-License-Identifier: Apache-2.0 */
/* Values made up: texts of a length, answers of a schema, and how long an answer is. */
#include <string.h>

#include "fields_internal.h"

enum { LISTED = 3, DEEPEST = 8 };

static const char filler[] =
    "the quick brown fox jumps over the lazy dog while a small river runs slowly past the old mill "
    "and nobody in the village looks up from what they are doing on this quiet afternoon ";

struct value fields_text(struct arena *arena, size_t length)
{
    char *text = arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = filler[i % (sizeof(filler) - 1)];
    return value_text((xy_str){text, length});
}

static const struct value *member_at(const struct value *map, const char *name)
{
    return value_member(map, str_of(name));
}

static struct value of_schema(struct arena *arena, const struct value *schema, size_t draw,
                              size_t bytes, unsigned depth);

static struct value of_properties(struct arena *arena, const struct value *properties,
                                  size_t draw, size_t bytes, unsigned depth)
{
    size_t count = properties->map.count;
    struct member *members = arena_alloc(arena, (count + 1) * sizeof(*members));
    for (size_t i = 0; i < count; i++) {
        const struct member *property = &properties->map.members[i];
        members[i] = (struct member){
            property->key, of_schema(arena, &property->value, draw, bytes / count, depth)};
    }
    return (struct value){.type = VALUE_MAP, .map = {members, count}};
}

static struct value of_items(struct arena *arena, const struct value *items, size_t draw,
                             size_t bytes, unsigned depth)
{
    struct value *list = arena_alloc(arena, LISTED * sizeof(*list));
    for (size_t i = 0; i < LISTED; i++)
        list[i] = of_schema(arena, items, draw + i, bytes / LISTED, depth);
    return (struct value){.type = VALUE_LIST, .list = {list, LISTED}};
}

static bool is_type(const struct value *schema, const char *name)
{
    const struct value *type = member_at(schema, "type");
    return type && type->type == VALUE_TEXT && str_is(type->text, name);
}

static struct value of_schema(struct arena *arena, const struct value *schema, size_t draw,
                              size_t bytes, unsigned depth)
{
    const struct value *choices = member_at(schema, "enum");
    const struct value *items = member_at(schema, "items");
    const struct value *properties = member_at(schema, "properties");
    if (choices && choices->type == VALUE_LIST && choices->list.count)
        return choices->list.items[draw % choices->list.count];
    if (properties && properties->type == VALUE_MAP && depth < DEEPEST)
        return of_properties(arena, properties, draw, bytes, depth + 1);
    if (items && depth < DEEPEST)
        return of_items(arena, items, draw, bytes, depth + 1);
    if (is_type(schema, "boolean"))
        return value_bool(draw % 2);
    if (is_type(schema, "integer") || is_type(schema, "number"))
        return value_int((int64_t)draw + 1);
    return fields_text(arena, bytes);
}

struct value fields_of_schema(struct arena *arena, const struct value *schema, size_t draw,
                              size_t bytes)
{
    return of_schema(arena, schema, draw, bytes, 0);
}

/* An answer has a quarter of the tokens that it may have, of four bytes each: about what the
 * recorded answers of the recipes come to. */
double fields_answer_bytes(const struct step *step)
{
    double most = 256;
    const struct value *layers[] = {&step->call.params, &step->call.model->params};
    for (size_t i = 2; i-- > 0;) {
        const struct value *value = value_member(layers[i], STR("max_tokens"));
        if (value && value->type == VALUE_INT)
            most = (double)value->integer;
    }
    return most;
}
