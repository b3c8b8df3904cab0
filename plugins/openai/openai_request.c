/* SPDX-License-Identifier: Apache-2.0 */
#include "openai_internal.h"

/* Further members of the body, from the request and from the options. The request's win over the
 * options', and both over what the plugin itself would send. */
struct body {
    struct text *out;
    xy_str own, common; /* request.extra and the option `extra`, checked objects or absent */
    bool first;
};

static bool start(struct body *body, const char *name)
{
    if (json_member(body->own, name).len || json_member(body->common, name).len)
        return false;
    if (!body->first)
        text_add(body->out, ",", 1);
    body->first = false;
    text_add(body->out, "\"", 1);
    text_add_literal(body->out, name);
    text_add(body->out, "\":", 2);
    return true;
}

static void add_raw(struct body *body, const char *name, const char *value)
{
    if (start(body, name))
        text_add_literal(body->out, value);
}

static void add_text(struct body *body, const char *name, xy_str value)
{
    if (start(body, name))
        text_add_json(body->out, value);
}

static void add_integer(struct body *body, const char *name, uint64_t value)
{
    if (start(body, name))
        text_add_integer(body->out, value);
}

static void add_texts(struct body *body, const char *name, const xy_str *texts, size_t count)
{
    if (!start(body, name))
        return;
    for (size_t i = 0; i < count; i++) {
        text_add(body->out, i ? "," : "[", 1);
        text_add_json(body->out, texts[i]);
    }
    text_add(body->out, count ? "]" : "[]", count ? 1 : 2);
}

static void add_members(struct body *body, xy_str object, xy_str shadow)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    while (json_next(object, &cursor, &key, &value)) {
        char name[128];
        snprintf(name, sizeof(name), "%.*s", (int)key.len, key.ptr);
        if (json_member(shadow, name).len)
            continue;
        text_add(body->out, body->first ? "\"" : ",\"", body->first ? 1 : 2);
        body->first = false;
        text_add_str(body->out, key);
        text_add(body->out, "\":", 2);
        text_add_str(body->out, value);
    }
}

static void add_messages(const struct openai *openai, struct body *body,
                         const xy_request *request)
{
    if (!start(body, "messages"))
        return;
    struct text *out = body->out;
    for (size_t i = 0; i < request->message_count; i++) {
        text_add_literal(out, i ? ",{\"role\":" : "[{\"role\":");
        text_add_json(out, request->messages[i].role);
        text_add_literal(out, ",\"content\":");
        text_add_json(out, request->messages[i].content);
        text_add(out, "}", 1);
    }
    text_add(out, "]", 1);
    const xy_message *last = &request->messages[request->message_count - 1];
    bool prefill = last->role.len == strlen("assistant") &&
                   memcmp(last->role.ptr, "assistant", last->role.len) == 0;
    if (prefill && openai->flavor == FLAVOR_VLLM) {
        add_raw(body, "add_generation_prompt", "false");
        add_raw(body, "continue_final_message", "true");
    }
}

/* The prompt of the legacy completions endpoint, and of echo: contents joined by blank lines. */
static void add_prompt(struct text *out, const xy_request *request, xy_str candidate)
{
    text_add(out, "\"", 1);
    for (size_t i = 0; i < request->message_count; i++) {
        if (i)
            text_add_literal(out, OPENAI_JOIN_ESCAPED);
        text_add_escaped(out, request->messages[i].content);
    }
    text_add_escaped(out, candidate);
    text_add(out, "\"", 1);
}

bool openai_wraps(const struct openai *openai, xy_str schema)
{
    bool strict_server = openai->flavor == FLAVOR_OPENAI || openai->flavor == FLAVOR_AZURE ||
                         openai->flavor == FLAVOR_OPENROUTER;
    return schema.len && strict_server && openai->schema == SCHEMA_JSON_SCHEMA &&
           !json_is(json_member(json_check(schema), "type"), "object");
}

static void add_schema(const struct openai *openai, struct body *body, xy_str schema)
{
    switch (openai->schema) {
    case SCHEMA_JSON_SCHEMA:
        if (!start(body, "response_format"))
            return;
        text_add_literal(body->out, "{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                                    "\"answer\",\"strict\":");
        text_add_literal(body->out, openai->strict ? "true,\"schema\":" : "false,\"schema\":");
        if (openai_wraps(openai, schema))
            text_add_literal(body->out, "{\"type\":\"object\",\"additionalProperties\":false,"
                                        "\"required\":[\"" OPENAI_WRAPPED "\"],\"properties\":{\""
                                        OPENAI_WRAPPED "\":");
        text_add_str(body->out, schema);
        text_add_literal(body->out, openai_wraps(openai, schema) ? "}}}}" : "}}");
        break;
    case SCHEMA_JSON_OBJECT:
        add_raw(body, "response_format", "{\"type\":\"json_object\"}");
        break;
    case SCHEMA_GUIDED_JSON:
        if (start(body, "guided_json"))
            text_add_str(body->out, schema);
        break;
    case SCHEMA_STRUCTURED_OUTPUTS:
        if (!start(body, "structured_outputs"))
            return;
        text_add_literal(body->out, "{\"json\":");
        text_add_str(body->out, schema);
        text_add(body->out, "}", 1);
        break;
    case SCHEMA_NONE:
        break;
    }
}

static void add_sampling(const struct openai *openai, struct body *body, const xy_request *request)
{
    if (request->temperature >= 0 && start(body, "temperature"))
        text_add_number(body->out, request->temperature);
    if (request->top_p >= 0 && start(body, "top_p"))
        text_add_number(body->out, request->top_p);
    if (request->max_tokens)
        add_integer(body, openai->token_limit, request->max_tokens);
    if (request->stop_count)
        add_texts(body, "stop", request->stop, request->stop_count);
    /* The samples of one prompt must differ, and each be the same in every run. 31 bits, since some
     * servers keep a seed in a 32-bit integer. */
    if (request->seed)
        add_integer(body, "seed", (request->seed + request->sample) & INT32_MAX);
}

static void write_complete(const struct openai *openai, struct body *body,
                           const xy_request *request)
{
    if (openai->chat) {
        add_messages(openai, body, request);
    } else if (start(body, "prompt")) {
        add_prompt(body->out, request, (xy_str){NULL, 0});
    }
    add_sampling(openai, body, request);
    if (request->logprobs)
        add_raw(body, "logprobs", openai->chat ? "true" : "1");
    if (request->json_schema.len)
        add_schema(openai, body, request->json_schema);
}

static void write_echo(struct body *body, const xy_request *request)
{
    if (start(body, "prompt")) {
        for (size_t i = 0; i < request->text_count; i++) {
            text_add(body->out, i ? "," : "[", 1);
            add_prompt(body->out, request, request->texts[i]);
        }
        text_add(body->out, "]", 1);
    }
    /* One token is generated and ignored: some servers refuse 0. */
    add_raw(body, "max_tokens", "1");
    add_raw(body, "temperature", "0");
    add_raw(body, "echo", "true");
    add_raw(body, "logprobs", "1");
}

static void write_first_token(const struct openai *openai, struct body *body,
                              const xy_request *request)
{
    add_messages(openai, body, request);
    add_integer(body, openai->token_limit, 1);
    add_raw(body, "temperature", "0");
    add_raw(body, "logprobs", "true");
    add_integer(body, "top_logprobs", (uint64_t)openai->top_logprobs);
}

static void write_embed(const struct openai *openai, struct body *body, const xy_request *request)
{
    add_texts(body, "input", request->texts, request->text_count);
    add_raw(body, "encoding_format", "\"float\"");
    if (openai->dimensions)
        add_integer(body, "dimensions", (uint64_t)openai->dimensions);
}

const char *openai_write(struct openai *openai, const xy_request *request)
{
    struct body body = {
        .out = &openai->body,
        .own = json_check(request->extra),
        .common = openai->extra ? json_check(xy_text(openai->extra)) : (xy_str){NULL, 0},
        .first = true,
    };
    const char *url = openai->url_complete;
    text_add(body.out, "{", 1);
    if (openai->model)
        add_text(&body, "model", xy_text(openai->model));
    if (request->operation == XY_EMBED) {
        write_embed(openai, &body, request);
        url = openai->url_embed;
    } else if (request->operation == XY_COMPLETE) {
        write_complete(openai, &body, request);
    } else if (openai->score == SCORE_ECHO) {
        write_echo(&body, request);
        url = openai->url_legacy;
    } else {
        write_first_token(openai, &body, request);
    }
    add_members(&body, body.own, (xy_str){NULL, 0});
    add_members(&body, body.common, body.own);
    text_add(body.out, "}", 1);
    return url;
}
