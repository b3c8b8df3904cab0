/* SPDX-License-Identifier: Apache-2.0 */
/* Second pass over `prompt:` of `generate` and `score`: its messages and conversations. */
#include <string.h>

#include "pipeline_internal.h"

static const char *const roles[] = {"system", "user", "assistant", NULL};

static const char *find_role(const char *name)
{
    size_t i = 0;
    while (roles[i] && strcmp(roles[i], name) != 0)
        i++;
    return roles[i];
}

static void add_message(struct pipeline_reader *reader, struct call_spec *call, const char *role,
                        const struct node *content)
{
    struct prompt_message *message = &call->messages[call->message_count];
    message->role = role;
    message->content =
        pipeline_template(reader, content, arena_printf(reader->arena, "the %s prompt", role));
    call->message_count += message->content != NULL;
}

const char *pipeline_role(struct pipeline_reader *reader, const struct node *map)
{
    char found[NODE_SHOWN];
    const char *name;
    if (!pipeline_text(reader, map, "role", &name))
        return NULL;
    const char *role = find_role(name);
    if (!role) {
        const struct node *node = node_member(map, "role");
        pipeline_fail(reader, node, pipeline_nearest(reader, name, roles, 3),
                      "`role`: expected system, user or assistant, found %s",
                      node_shown(node, found));
    }
    return role;
}

/* `{history: FIELD}`: the conversation in a field of the record. */
static void read_history(struct pipeline_reader *reader, struct call_spec *call,
                         const struct node *item)
{
    static const char *const keys[] = {"history", "swap", NULL};
    struct prompt_message *message = &call->messages[call->message_count];
    if (!pipeline_check_keys(reader, item, keys, "a history", NULL))
        return;
    pipeline_field(reader, node_member(item, "history"), "`history`", &message->history);
    pipeline_bool(reader, item, "swap", &message->swap);
    call->message_count += message->history != NULL;
}

static void read_message(struct pipeline_reader *reader, struct call_spec *call,
                         const struct node *item)
{
    static const char *const keys[] = {"role", "content", NULL};
    if (item->kind == NODE_MAP && node_member(item, "history")) {
        read_history(reader, call, item);
        return;
    }
    if (!pipeline_check_keys(reader, item, keys, "a message", NULL))
        return;
    const struct node *content = node_member(item, "content");
    if (!pipeline_member(item, "role") || !content) {
        pipeline_fail(reader, item, "or is `history: FIELD`",
                      "a message needs `role:` and `content:`");
        return;
    }
    const char *role = pipeline_role(reader, item);
    if (role)
        add_message(reader, call, role, content);
}

static void read_messages(struct pipeline_reader *reader, struct call_spec *call,
                          const struct node *list)
{
    char found[NODE_SHOWN];
    if (list->kind != NODE_LIST || list->count == 0) {
        pipeline_fail(reader, list, NULL, "`messages`: expected a list of messages, found %s",
                      list->kind == NODE_LIST ? "an empty one" : node_shown(list, found));
        return;
    }
    call->messages = arena_alloc(reader->arena, list->count * sizeof(*call->messages));
    for (size_t i = 0; i < list->count; i++)
        read_message(reader, call, list->items[i]);
}

void pipeline_read_prompt(struct pipeline_reader *reader, struct step *step)
{
    static const char *const keys[] = {"system", "user", "assistant", "messages", NULL};
    struct call_spec *call = &step->call;
    const struct node *prompt = pipeline_member(step->node, "prompt");
    if (!prompt) {
        pipeline_fail(reader, step->node, "a text, or `system:`, `user:` and `assistant:`",
                      "step `%s` needs `prompt:`", step->id);
        return;
    }
    call->messages = arena_alloc(reader->arena, 3 * sizeof(*call->messages));
    if (prompt->kind == NODE_SCALAR) {
        add_message(reader, call, "user", prompt);
        return;
    }
    if (!pipeline_check_keys(reader, prompt, keys, "`prompt`", NULL))
        return;
    const struct node *messages = pipeline_member(prompt, "messages");
    if (messages && prompt->count > 1) {
        pipeline_fail(reader, prompt, NULL, "`prompt` has `messages:` or the others, not both");
        return;
    }
    if (messages) {
        read_messages(reader, call, messages);
        return;
    }
    bool any = false;
    for (size_t i = 0; roles[i]; i++) {
        const struct node *content = pipeline_member(prompt, roles[i]);
        any = any || content;
        if (content)
            add_message(reader, call, roles[i], content);
    }
    if (!any)
        pipeline_fail(reader, prompt, NULL, "`prompt` needs `user:`");
}
