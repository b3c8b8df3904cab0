/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation in a record's field: its turns as messages of a prompt, an answer as its next. */
#include <string.h>

#include "call_internal.h"
#include "json.h"

static int refuse(struct call *call, const char *why)
{
    call->outcome.why = why;
    return XY_DROP;
}

static const char *role_fault(struct call *call, const char *field, size_t index,
                              const struct value *role)
{
    const char *found = "missing";
    if (role && role->type == VALUE_TEXT)
        found = arena_printf(&call->arena, "`%.*s`",
                             (int)(role->text.len < 40 ? role->text.len : 40), role->text.ptr);
    else if (role)
        found = value_type_name(role);
    return arena_printf(&call->arena,
                        "`%s` is no conversation: the role of its item %zu is %s, expected system, "
                        "user or assistant", field, index + 1, found);
}

/* What keeps the field from being a list of {role, content}, or NULL. */
static const char *fault(struct call *call, const char *field, const struct value *list)
{
    if (list->type != VALUE_LIST)
        return arena_printf(&call->arena,
                            "`%s` is no conversation: expected a list of {role, content}, found "
                            "%s", field, value_type_name(list));
    for (size_t i = 0; i < list->list.count; i++) {
        const struct value *role = value_member(&list->list.items[i], STR("role"));
        const struct value *content = value_member(&list->list.items[i], STR("content"));
        bool known = role && role->type == VALUE_TEXT &&
                     (str_is(role->text, "system") || str_is(role->text, "user") ||
                      str_is(role->text, "assistant"));
        if (!known)
            return role_fault(call, field, i, role);
        if (!content || content->type != VALUE_TEXT)
            return arena_printf(&call->arena,
                                "`%s` is no conversation: the `content` of its item %zu is %s, "
                                "expected a text", field, i + 1,
                                content ? value_type_name(content) : "missing");
    }
    return NULL;
}

int call_add_history(struct call *call, const struct prompt_message *message)
{
    struct value list;
    if (!record_value(call->record, &call->arena, str_of(message->history), &list))
        return refuse(call, arena_printf(&call->arena, "prompt: the record has no field `%s`, "
                                         "expected a conversation", message->history));
    const char *why = fault(call, message->history, &list);
    if (why)
        return refuse(call, arena_printf(&call->arena, "prompt: %s", why));
    for (size_t i = 0; i < list.list.count; i++) {
        xy_str role = value_member(&list.list.items[i], STR("role"))->text;
        if (message->swap && !str_is(role, "system"))
            role = str_is(role, "user") ? STR("assistant") : STR("user");
        call_add_message(call, role, value_member(&list.list.items[i], STR("content"))->text);
    }
    return XY_OK;
}

int call_check_append(struct call *call)
{
    const char *field = call->plan->step->call.append_to;
    struct value list;
    if (!field || !record_value(call->record, &call->arena, str_of(field), &list))
        return XY_OK;
    const char *why = fault(call, field, &list);
    return why ? refuse(call, arena_printf(&call->arena, "append_to: %s", why)) : XY_OK;
}

int call_append_turn(struct call *call, xy_str text)
{
    const struct call_spec *spec = &call->plan->step->call;
    struct value list;
    if (!record_value(call->record, &call->arena, str_of(spec->append_to), &list))
        list = (struct value){.type = VALUE_LIST};
    const char *why = fault(call, spec->append_to, &list);
    if (why) /* Checked before the call, but `finish` may name this field, too. */
        return refuse(call, arena_printf(&call->arena, "append_to: %s", why));
    struct member *turn = arena_alloc(&call->arena, 2 * sizeof(*turn));
    turn[0] = (struct member){STR("role"), value_text(str_of(spec->append_role))};
    turn[1] = (struct member){STR("content"), value_text(text)};
    size_t count = list.list.count;
    struct value *items = arena_alloc(&call->arena, (count + 1) * sizeof(*items));
    if (count)
        memcpy(items, list.list.items, count * sizeof(*items));
    items[count] = (struct value){.type = VALUE_MAP, .map = {turn, 2}};
    struct value longer = {.type = VALUE_LIST, .list = {items, count + 1}};
    if (record_set_tree(call->record, spec->append_to, &longer) < 0)
        return refuse(call, arena_printf(&call->arena,
                                         "append_to: `%s` cannot take one more turn",
                                         spec->append_to));
    return XY_OK;
}
