/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "json_internal.h"

void json_stack_free(struct json_stack *stack)
{
    free(stack->members);
    *stack = (struct json_stack){0};
}

struct member *json_stack_push(struct json_stack *stack)
{
    if (stack->count == stack->capacity) {
        stack->capacity = stack->capacity ? stack->capacity * 2 : 32;
        stack->members = memory_resize(stack->members, stack->capacity, sizeof(*stack->members));
    }
    return &stack->members[stack->count++];
}

struct value json_stack_list(struct json_stack *stack, size_t base, struct arena *arena)
{
    size_t count = stack->count - base;
    struct value *items = count ? arena_alloc(arena, count * sizeof(*items)) : NULL;
    for (size_t i = 0; i < count; i++)
        items[i] = stack->members[base + i].value;
    stack->count = base;
    return (struct value){.type = VALUE_LIST, .list = {.items = items, .count = count}};
}

struct value json_stack_map(struct json_stack *stack, size_t base, struct arena *arena)
{
    size_t count = stack->count - base;
    struct member *members = count ? arena_alloc(arena, count * sizeof(*members)) : NULL;
    if (count)
        memcpy(members, &stack->members[base], count * sizeof(*members));
    stack->count = base;
    return (struct value){.type = VALUE_MAP, .map = {.members = members, .count = count}};
}
