/* SPDX-License-Identifier: Apache-2.0 */
/* chat - records as conversations, the JSON lines that services and trainers take for fine-tuning:
 * {"messages":[{"role":"user","content":"..."},{"role":"assistant","content":"..."}]}. */
#include "chat.h"

static const xy_option options[] = {
    {.name = "system", .type = XY_OPT_FIELD, .offset = offsetof(struct chat, system),
     .def = "system", .help = "The field of the system message; a record without it has none."},
    {.name = "user", .type = XY_OPT_FIELD, .offset = offsetof(struct chat, user), .def = "user",
     .help = "The field of the user's message."},
    {.name = "assistant", .type = XY_OPT_FIELD, .offset = offsetof(struct chat, assistant),
     .def = "assistant", .help = "The field of the assistant's answer."},
    {.name = "messages", .type = XY_OPT_FIELD, .offset = offsetof(struct chat, messages),
     .help = "A JSON field with the whole list of messages, in place of the three above: for "
             "conversations of several turns."},
    {.name = "keep", .type = XY_OPT_LIST, .offset = offsetof(struct chat, keep),
     .help = "Further fields to write beside `messages`."},
    {.name = "weight", .type = XY_OPT_BOOL, .offset = offsetof(struct chat, with_weight),
     .def = "false",
     .help = "Writes each record's weight as `_weight` beside `messages`, and reads it back."},
    {0},
};

const char *chat_find_fault(xy_str messages)
{
    struct json_cursor at = {0};
    xy_str key = {NULL, 0}, item = {NULL, 0};
    if (json_kind(messages) != '[' || json_count(messages) == 0)
        return "the messages are no list with at least one message";
    while (json_next(messages, &at, &key, &item)) {
        if (json_kind(json_member(item, "role")) != '"')
            return "a message has no `role`";
        /* A message that only calls a tool has null for its content; parts of content are a
         * list. */
        if (!json_member(item, "content").ptr)
            return "a message has no `content`";
    }
    return NULL;
}

static const xy_format format = {
    .size = sizeof(xy_format),
    .endings = "", /* such files end in .jsonl, which belongs to the format jsonl */
    .read_open = chat_read_open,
    .read_next = chat_read_next,
    .read_close = chat_read_close,
    .write_open = chat_write_open,
    .write_next = chat_write_next,
    .write_close = chat_write_close,
};

static const xy_stage chat = {
    XY_STAGE_INIT,
    .kind = XY_FORMAT,
    .state_size = sizeof(struct chat),
    .id = "chat",
    .version = "1.0.0",
    .summary = "Reads and writes conversations, one {\"messages\": [...]} a line, for fine-tuning",
    .options = options,
    .format = &format,
};

XY_PLUGIN("chat", "1.0.0", "Apache-2.0", &chat)
