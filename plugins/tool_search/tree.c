/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

/* ---- nodes ----------------------------------------------------------------------------------- */

static xy_str copy(xy_job *job, xy_str text)
{
    char *bytes = job->api->alloc(job, text.len + 1);
    if (text.len)
        memcpy(bytes, text.ptr, text.len);
    return (xy_str){bytes, text.len};
}

struct node *tree_root(xy_job *job)
{
    return job->api->alloc(job, sizeof(struct node));
}

struct node *tree_child(xy_job *job, struct node *parent, const struct move *move, xy_str result)
{
    struct node *node = job->api->alloc(job, sizeof(*node));
    *node = (struct node){.parent = parent, .depth = parent->depth + 1, .message = move->message,
                          .tool = move->tool, .arguments = move->arguments,
                          .result = copy(job, result)};
    return node;
}

void tree_forget(struct node *node)
{
    for (; node; node = node->parent)
        text_free(&node->tried);
}

/* ---- messages -------------------------------------------------------------------------------- */

static xy_str decoded(xy_job *job, xy_str string)
{
    char *bytes = job->api->alloc(job, string.len + 1);
    return (xy_str){bytes, json_decode(string, bytes)};
}

/* The object in the message: the whole of it, or what stands between its outermost braces. */
static xy_str object_in(xy_str message)
{
    xy_str whole = json_check(message);
    if (json_kind(whole) == '{')
        return whole;
    const char *open = message.len ? memchr(message.ptr, '{', message.len) : NULL;
    const char *close = message.len ? memrchr(message.ptr, '}', message.len) : NULL;
    if (!open || !close || close < open)
        return (xy_str){NULL, 0};
    whole = json_check((xy_str){open, (size_t)(close - open) + 1});
    return json_kind(whole) == '{' ? whole : (xy_str){NULL, 0};
}

void tree_read(xy_job *job, xy_str message, struct move *move)
{
    static const char *const keys[] = {"tool", "arguments", "answer", "give_up"};
    xy_str parts[4], object = object_in(message);
    *move = (struct move){.said = SAID_NOTHING, .message = copy(job, message)};
    if (!object.ptr)
        return;
    json_members(object, keys, parts, 4);
    move->message = copy(job, object);
    if (json_kind(parts[0]) == '"') {
        move->said = SAID_CALL;
        move->tool = decoded(job, parts[0]);
        move->arguments = copy(job, parts[1].ptr ? parts[1] : (xy_str){"{}", 2});
    } else if (parts[2].ptr && json_kind(parts[2]) != 'n') {
        move->said = SAID_ANSWER;
        move->text = json_kind(parts[2]) == '"' ? decoded(job, parts[2]) : copy(job, parts[2]);
    } else if (json_kind(parts[3]) == '"') {
        move->said = SAID_GIVE_UP;
        move->text = decoded(job, parts[3]);
    }
}

static xy_str joined(xy_job *job, const char *first, xy_str second, const char *third,
                     xy_str fourth)
{
    struct text text = {0};
    text_add_literal(&text, first);
    text_add_str(&text, second);
    text_add_literal(&text, third);
    text_add_str(&text, fourth);
    xy_str result = copy(job, (xy_str){text.bytes, text.length});
    text_free(&text);
    return result;
}

const xy_message *tree_messages(xy_job *job, const struct node *node, xy_str system, xy_str task,
                                size_t *count)
{
    static const xy_str roles[] = {{"system", 6}, {"user", 4}, {"assistant", 9}};
    size_t total = 2 + 2 * (size_t)node->depth;
    xy_message *messages = job->api->alloc(job, (total + 1) * sizeof(*messages));
    messages[0] = (xy_message){roles[0], system};
    messages[1] = (xy_message){roles[1], task};
    for (const struct node *at = node; at->parent; at = at->parent) {
        size_t place = 2 * (size_t)at->depth;
        messages[place] = (xy_message){roles[2], at->message};
        messages[place + 1] = (xy_message){
            roles[1], joined(job, "Result of ", at->tool, ": ", at->result)};
    }
    if (node->tried.length) {
        xy_str none = {"", 0}, tried = {node->tried.bytes, node->tried.length};
        xy_message *last = &messages[total - 1];
        last->content = joined(job, "", last->content,
                               "\n\nThis was tried here and led nowhere, so do something else:\n",
                               joined(job, "[", tried, "]", none));
    }
    *count = total;
    return messages;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_text(struct text *out, const char *name, xy_str value)
{
    text_add_literal(out, name);
    text_add_json(out, value);
}

void tree_note(struct node *node, const struct move *move, xy_str why, struct text *all)
{
    struct text *const places[] = {&node->tried, all};
    char depth[32];
    snprintf(depth, sizeof(depth), "\"depth\":%u,", node->depth + 1);
    for (size_t i = 0; i < 2; i++) {
        struct text *out = places[i];
        text_add_literal(out, out->length ? ",{" : "{");
        text_add_literal(out, i ? depth : "");
        if (move->said == SAID_CALL) {
            add_text(out, "\"tool\":", move->tool);
            text_add_literal(out, ",\"arguments\":");
            text_add_str(out, move->arguments);
            text_add_literal(out, ",");
        }
        add_text(out, "\"error\":", why);
        text_add_literal(out, "}");
    }
}

static void write_path(const struct node *node, struct text *out)
{
    if (!node->parent)
        return;
    write_path(node->parent, out);
    text_add_literal(out, node->depth > 1 ? "," : "");
    add_text(out, "{\"tool\":", node->tool);
    text_add_literal(out, ",\"arguments\":");
    text_add_str(out, node->arguments);
    xy_str json = json_check(node->result);
    text_add_literal(out, ",\"result\":");
    if (json.ptr)
        text_add_str(out, json);
    else
        text_add_json(out, node->result);
    text_add_literal(out, ",\"error\":null}");
}

void tree_write_path(const struct node *node, struct text *out)
{
    text_add_literal(out, "[");
    write_path(node, out);
    text_add_literal(out, "]");
}

static void write_turns(const struct node *node, struct text *out)
{
    char id[32];
    if (!node->parent)
        return;
    write_turns(node->parent, out);
    snprintf(id, sizeof(id), "call_%u", node->depth);
    add_text(out, ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":",
             xy_text(id));
    add_text(out, ",\"type\":\"function\",\"function\":{\"name\":", node->tool);
    add_text(out, ",\"arguments\":", node->arguments);
    add_text(out, "}}]},{\"role\":\"tool\",\"tool_call_id\":", xy_text(id));
    add_text(out, ",\"content\":", node->result);
    text_add_literal(out, "}");
}

void tree_write_chat(const struct node *node, xy_str system, xy_str task, xy_str answer,
                     struct text *out)
{
    add_text(out, "[{\"role\":\"system\",\"content\":", system);
    add_text(out, "},{\"role\":\"user\",\"content\":", task);
    text_add_literal(out, "}");
    write_turns(node, out);
    add_text(out, ",{\"role\":\"assistant\",\"content\":", answer);
    text_add_literal(out, "}]");
}
