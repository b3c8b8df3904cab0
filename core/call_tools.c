/* SPDX-License-Identifier: Apache-2.0 */
/* Tools on the way to an answer. The protocol is text, so that any model can follow it: each of the
 * model's messages is one JSON object, a call {"tool", "arguments"} or the answer {"answer"}; a
 * call's result goes back as the user's next message. docs/core/tools.md has the exact words. */
#include <string.h>

#include "call_internal.h"
#include "json.h"
#include "tools.h"

enum {
    TRACE_CEILING = 1 << 26,
    NAME_SHOWN = 100,
    RESULT_SHOWN = 16384 /* bytes of a result that the model, and the trace, get to see */
};

/* What a call with tools has behind it; in the call's arena, but for the buffers. */
struct tool_turns {
    uint32_t rounds, bad;        /* calls so far; messages so far that were of no use */
    struct buffer trace;         /* objects of `tool_calls`, with commas */
    struct buffer conversation;  /* messages in OpenAI's chat format, with commas */
    xy_str name, arguments;      /* of the call that is out */
};

/* ---- the conversation as OpenAI's chat format has it ----------------------------------------- */

static void export_text(struct buffer *out, xy_str role, xy_str content)
{
    buffer_append_text(out, out->length ? ",{\"role\":" : "{\"role\":");
    json_write_text(out, role);
    buffer_append_text(out, ",\"content\":");
    json_write_text(out, content);
    buffer_append_char(out, '}');
}

static void export_call(struct tool_turns *turns, xy_str result)
{
    struct buffer *out = &turns->conversation;
    buffer_printf(out, ",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
                  "\"call_%u\",\"type\":\"function\",\"function\":{\"name\":", turns->rounds);
    json_write_text(out, turns->name);
    buffer_append_text(out, ",\"arguments\":");
    json_write_text(out, turns->arguments);
    buffer_printf(out, "}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_%u\",\"content\":",
                  turns->rounds);
    json_write_text(out, result);
    buffer_append_char(out, '}');
}

/* ---- begin and end --------------------------------------------------------------------------- */

void call_tools_begin(struct call *call)
{
    const struct call_spec *spec = &call->plan->step->call;
    struct tool_turns *turns = call->turns = arena_alloc(&call->arena, sizeof(*turns));
    buffer_init(&turns->trace, TRACE_CEILING);
    buffer_init(&turns->conversation, TRACE_CEILING);
    for (size_t i = 0; spec->conversation && i < call->message_count; i++)
        export_text(&turns->conversation, call->messages[i].role, call->messages[i].content);
    xy_message *first = &call->messages[0];
    if (call->message_count && str_is(first->role, "system")) {
        struct buffer text;
        buffer_init(&text, TRACE_CEILING);
        buffer_append_str(&text, first->content);
        buffer_append_text(&text, "\n\n");
        buffer_append_str(&text, spec->tool_block);
        first->content = arena_str(&call->arena, buffer_str(&text));
        buffer_free(&text);
        return;
    }
    call_add_message(call, STR("system"), spec->tool_block);
    xy_message system = call->messages[call->message_count - 1];
    memmove(call->messages + 1, call->messages, (call->message_count - 1) * sizeof(system));
    call->messages[0] = system;
}

static void set_list(struct call *call, const char *field, const struct buffer *items)
{
    struct buffer list;
    buffer_init(&list, TRACE_CEILING + 2);
    buffer_append_char(&list, '[');
    buffer_append_str(&list, buffer_str(items));
    buffer_append_char(&list, ']');
    xy_value value = {.type = XY_JSON, .text = buffer_str(&list)};
    record_set(call->record, field, &value);
    buffer_free(&list);
}

void call_tools_end(struct call *call, int verdict)
{
    const struct call_spec *spec = &call->plan->step->call;
    struct tool_turns *turns = call->turns;
    set_list(call, "tool_calls", &turns->trace);
    if (verdict == XY_OK && spec->conversation) {
        xy_value tools = {.type = XY_JSON, .text = spec->tool_list};
        set_list(call, spec->conversation, &turns->conversation);
        record_set(call->record, "tools", &tools);
    }
    buffer_free(&turns->trace);
    buffer_free(&turns->conversation);
}

/* An answer that cannot be used at all: asked for again, as one that breaks a schema is. */
static void reject(struct call *call, const xy_reply *reply, const char *why)
{
    call_refuse(call, why);
    if (call->turns->bad >= call->plan->step->call.retry) {
        call_end(call, XY_DROP);
        return;
    }
    call->turns->bad++;
    call_ask_again(call, reply);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int take_answer(struct call *call, const struct value *answer)
{
    struct tool_turns *turns = call->turns;
    const struct call_spec *spec = &call->plan->step->call;
    struct buffer text;
    int code;
    buffer_init(&text, TRACE_CEILING);
    if (answer->type == VALUE_TEXT)
        buffer_append_str(&text, answer->text);
    else
        json_write(&text, answer);
    if (spec->schema) {
        code = call_take_value(call, answer);
    } else if (text.length == 0) {
        code = call_refuse(call, "the answer is empty");
    } else {
        xy_value value = {.type = XY_TEXT, .text = buffer_str(&text)};
        code = record_set(call->record, call->plan->into, &value) < 0
                   ? call_refuse(call, "the answer is not valid UTF-8") : XY_OK;
        if (code == XY_OK && spec->append_to)
            code = call_append_turn(call, buffer_str(&text));
    }
    if (code == XY_OK)
        export_text(&turns->conversation, STR("assistant"), buffer_str(&text));
    buffer_free(&text);
    return code;
}

/* ---- a call ---------------------------------------------------------------------------------- */

/* The result as the model sees it: not more than fits a prompt, whole characters. */
static xy_str shown(struct call *call, xy_str result)
{
    size_t length = RESULT_SHOWN;
    if (result.len <= RESULT_SHOWN)
        return arena_str(&call->arena, result);
    while (length > 0 && ((unsigned char)result.ptr[length] & 0xc0) == 0x80)
        length--;
    const char *note = arena_printf(&call->arena, " [cut: %zu of %zu bytes]", length, result.len);
    char *text = arena_alloc(&call->arena, length + strlen(note) + 1);
    memcpy(text, result.ptr, length);
    memcpy(text + length, note, strlen(note));
    return (xy_str){text, length + strlen(note)};
}

/* One object of `tool_calls`. */
static void add_trace(struct call *call, const struct tool_outcome *outcome, xy_str result)
{
    struct tool_turns *turns = call->turns;
    struct buffer *out = &turns->trace;
    bool whole = outcome->json && json_valid(result); /* a JSON result that was cut is a text */
    buffer_append_text(out, out->length ? ",{\"tool\":" : "{\"tool\":");
    json_write_text(out, turns->name);
    buffer_append_text(out, ",\"arguments\":");
    buffer_append_str(out, turns->arguments);
    buffer_append_text(out, ",\"result\":");
    if (outcome->status != XY_OK)
        buffer_append_text(out, "null");
    else if (whole)
        buffer_append_str(out, result);
    else
        json_write_text(out, result);
    buffer_append_text(out, ",\"error\":");
    if (outcome->status == XY_OK)
        buffer_append_text(out, "null");
    else
        json_write_text(out, result);
    buffer_append_char(out, '}');
}

static xy_str names_of(struct call *call)
{
    const struct call_spec *spec = &call->plan->step->call;
    const char *names = "";
    for (size_t i = 0; i < spec->tool_count; i++)
        names = arena_printf(&call->arena, "%s%s%s", names, i ? ", " : "", spec->tools[i]->name);
    return str_of(names);
}

/* Tells the model what came of its call, and asks for its next message. */
static void tell(struct call *call, const struct tool_outcome *outcome)
{
    struct tool_turns *turns = call->turns;
    xy_str result = shown(call, outcome->result), name = turns->name;
    bool good = outcome->status == XY_OK;
    struct buffer text;
    add_trace(call, outcome, result);
    if (outcome->ran)
        export_call(turns, result);
    buffer_init(&text, TRACE_CEILING);
    buffer_append_text(&text, good ? "Result of " : "");
    buffer_append(&text, name.ptr, name.len < NAME_SHOWN ? name.len : NAME_SHOWN);
    buffer_append_text(&text, good ? ": " : " failed: ");
    buffer_append_str(&text, result);
    if (!good) {
        buffer_append_text(&text, ". The tools are: ");
        buffer_append_str(&text, names_of(call));
        buffer_append_char(&text, '.');
    }
    if (turns->rounds == call->plan->step->call.tool_rounds)
        buffer_append_text(&text, "\nNo more calls are possible: give the answer.");
    call_add_message(call, STR("user"), arena_str(&call->arena, buffer_str(&text)));
    buffer_free(&text);
    call->attempt++;
    call_submit(call);
}

static void called(void *data, const struct tool_outcome *outcome)
{
    struct call *call = data;
    bool ends = outcome->status == XY_ECANCELED || outcome->status == XY_EBUG;
    if (!ends) {
        tell(call, outcome);
        return;
    }
    call->outcome.why = arena_copy(&call->arena, outcome->result.ptr, outcome->result.len);
    call_end(call, outcome->status);
}

static bool is_offered(const struct call_spec *spec, xy_str name)
{
    for (size_t i = 0; i < spec->tool_count; i++) {
        if (str_is(name, spec->tools[i]->name))
            return true;
    }
    return false;
}

static void make_call(struct call *call, xy_str name, const struct value *arguments,
                      const xy_reply *reply)
{
    const struct call_spec *spec = &call->plan->step->call;
    struct tool_turns *turns = call->turns;
    static const struct value none = {.type = VALUE_MAP};
    struct buffer text;
    if (turns->rounds >= spec->tool_rounds) {
        call_refuse(call, arena_printf(&call->arena, "no answer after %u calls of tools "
                                       "(`tool_rounds`)", turns->rounds));
        call_end(call, XY_DROP);
        return;
    }
    arguments = arguments ? arguments : &none;
    buffer_init(&text, TRACE_CEILING);
    json_write(&text, arguments);
    turns->rounds++;
    turns->name = name;
    turns->arguments = arena_str(&call->arena, buffer_str(&text));
    buffer_free(&text);
    call_add_message(call, STR("assistant"), arena_str(&call->arena, reply->text));
    if (is_offered(spec, name)) {
        tools_call(call->plan->services->tools, name, arguments, called, call);
        return;
    }
    const char *why = arena_printf(&call->arena, "there is no tool `%.*s`",
                                   (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN), name.ptr);
    tell(call, &(struct tool_outcome){.status = XY_EINVAL, .result = str_of(why)});
}

/* ---- one message of the model ---------------------------------------------------------------- */

static const struct value *given(const struct value *value, const char *name)
{
    const struct value *member = value_member(value, str_of(name));
    return member && member->type != VALUE_NULL ? member : NULL;
}

/* Why the message can be neither a call nor an answer, or NULL with its JSON in *value. */
static const char *read_message(struct call *call, const xy_reply *reply, struct value *value)
{
    struct error error = {0};
    bool repaired;
    if (reply->finish == XY_FINISH_FILTER)
        return "the provider withheld the answer";
    if (json_parse(&call->arena, reply->text, value, &error) < 0 &&
        json_repair(&call->arena, reply->text, value, &repaired, &error) < 0)
        return reply->finish == XY_FINISH_LENGTH
                   ? "the answer was cut off at max_tokens before its JSON was complete"
                   : "the answer holds no JSON";
    const struct value *tool = given(value, "tool"), *answer = given(value, "answer");
    if (!tool == !answer)
        return tool ? "it has `tool` and `answer`: give one of them"
                    : "it has neither `tool` nor `answer`";
    return tool && tool->type != VALUE_TEXT ? "`tool` is no text" : NULL;
}

void call_tools_take(struct call *call, const xy_reply *reply)
{
    struct value value;
    const char *fault = read_message(call, reply, &value);
    if (fault) {
        reject(call, reply, fault);
        return;
    }
    const struct value *tool = given(&value, "tool");
    if (tool) {
        make_call(call, tool->text, given(&value, "arguments"), reply);
        return;
    }
    call_set_logprob(call, reply);
    call_set_finish(call, reply);
    if (take_answer(call, given(&value, "answer")) == XY_OK)
        call_end(call, XY_OK);
    else
        reject(call, reply, call->outcome.why);
}
