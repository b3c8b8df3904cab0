/* SPDX-License-Identifier: Apache-2.0 */
#include "openai_internal.h"

#include <math.h>

xy_str openai_text(xy_call *call, xy_str value)
{
    if (json_kind(value) != '"')
        return (xy_str){NULL, 0};
    char *text = call->api->alloc(call, value.len);
    if (!text)
        return (xy_str){NULL, 0};
    return (xy_str){text, json_decode(value, text)};
}

static uint32_t count_of(xy_str value)
{
    double number = json_number(value, 0);
    return number > 0 && number < 4e9 ? (uint32_t)number : 0;
}

/* usage.cost is OpenRouter's, in its credits; cached tokens stand where OpenAI put them. */
static void read_usage(xy_str usage, xy_reply *reply)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    while (json_next(usage, &cursor, &key, &value)) {
        if (key.len == 13 && memcmp(key.ptr, "prompt_tokens", 13) == 0)
            reply->prompt_tokens = count_of(value);
        else if (key.len == 17 && memcmp(key.ptr, "completion_tokens", 17) == 0)
            reply->output_tokens = count_of(value);
        else if (key.len == 21 && memcmp(key.ptr, "prompt_tokens_details", 21) == 0)
            reply->cached_tokens = count_of(json_member(value, "cached_tokens"));
        else if (key.len == 4 && memcmp(key.ptr, "cost", 4) == 0)
            reply->cost = fmax(0, json_number(value, 0));
    }
}

static uint32_t finish_of(xy_str reason)
{
    static const struct {
        const char *name;
        uint32_t finish;
    } reasons[] = {{"stop", XY_FINISH_STOP},     {"length", XY_FINISH_LENGTH},
                   {"eos", XY_FINISH_STOP},      {"content_filter", XY_FINISH_FILTER},
                   {"end_turn", XY_FINISH_STOP}, {"max_tokens", XY_FINISH_LENGTH},
                   {NULL, 0}};
    for (size_t i = 0; reasons[i].name; i++)
        if (json_is(reason, reasons[i].name))
            return reasons[i].finish;
    return XY_FINISH_UNKNOWN;
}

/* Chat: logprobs.content[].logprob; completions: logprobs.token_logprobs[] (null for an echoed
 * first token). llama-server answers both in the chat form. */
static void read_logprobs(xy_call *call, xy_str logprobs, xy_reply *reply)
{
    xy_str chat = json_member(logprobs, "content");
    xy_str list = chat.len ? chat : json_member(logprobs, "token_logprobs");
    size_t count = json_count(list);
    float *values = count ? call->api->alloc(call, count * sizeof(*values)) : NULL;
    if (!values)
        return;
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    for (size_t i = 0; i < count && json_next(list, &cursor, &key, &value); i++)
        values[i] = (float)json_number(chat.len ? json_member(value, "logprob") : value, 0);
    reply->logprobs = values;
    reply->logprob_count = count;
}

/* Text that comes in parts: [{"type": "text", "text": "..."}, ...]. */
static xy_str join_parts(xy_call *call, xy_str parts)
{
    char *text = call->api->alloc(call, parts.len);
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    size_t length = 0;
    while (text && json_next(parts, &cursor, &key, &value)) {
        xy_str part = json_member(value, "text");
        if (json_kind(part) == '"')
            length += json_decode(part, text + length);
    }
    return (xy_str){text, text ? length : 0};
}

/* The answer without the object that was put around its schema. */
static xy_str unwrapped(xy_str text)
{
    xy_str object = json_check(text), inner = json_member(object, OPENAI_WRAPPED);
    return json_kind(object) == '{' && json_count(object) == 1 && inner.ptr ? inner : text;
}

static void read_complete(const struct openai *openai, xy_call *call, xy_str answer,
                          xy_str choices, xy_reply *reply)
{
    enum { MESSAGE, TEXT, FINISH, LOGPROBS, CHOICE_MEMBERS };
    static const char *const choice_keys[] = {"message", "text", "finish_reason", "logprobs"};
    enum { CONTENT, REFUSAL, MESSAGE_MEMBERS };
    static const char *const message_keys[] = {"content", "refusal"};
    xy_str chosen = json_path(choices, "0"), parts[CHOICE_MEMBERS], words[MESSAGE_MEMBERS];
    json_members(chosen, choice_keys, parts, CHOICE_MEMBERS);
    json_members(parts[MESSAGE], message_keys, words, MESSAGE_MEMBERS);
    xy_str message = parts[MESSAGE], refusal = words[REFUSAL];
    xy_str content = openai->chat ? words[CONTENT] : parts[TEXT];
    char kind = json_kind(content);
    /* A message without content is an answer too: all tokens went into thinking, or a refusal. */
    if (json_kind(chosen) != '{' || (!openai->chat && kind != '"') ||
        (openai->chat && json_kind(message) != '{') || (kind && !strchr("\"[n", kind))) {
        openai_malformed(call, "the answer is JSON but holds no choice with a text", answer, reply);
        return;
    }
    reply->finish = finish_of(parts[FINISH]);
    if (json_kind(refusal) == '"' && refusal.len > 2)
        reply->finish = XY_FINISH_FILTER;
    reply->text = kind == '[' ? join_parts(call, content) : openai_text(call, content);
    if (openai_wraps(openai, call->api->request(call)->json_schema))
        reply->text = unwrapped(reply->text);
    if (call->api->request(call)->logprobs && json_kind(parts[LOGPROBS]) == '{')
        read_logprobs(call, parts[LOGPROBS], reply);
}

static bool read_vector(xy_str list, float *out, size_t dimension)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    size_t count = 0;
    while (count < dimension && json_next(list, &cursor, &key, &value)) {
        if (json_kind(value) != '0')
            return false;
        out[count++] = (float)json_number(value, 0);
    }
    return count == dimension && !json_next(list, &cursor, &key, &value);
}

static void read_embed(xy_call *call, xy_str answer, xy_reply *reply)
{
    size_t count = call->api->request(call)->text_count;
    xy_str data = json_member(answer, "data");
    size_t dimension = json_count(json_path(data, "0.embedding"));
    const char *wrong = NULL;
    if (json_count(data) != count || dimension == 0 || dimension > 1 << 20)
        wrong = "the answer is JSON but does not hold one embedding for each text";
    float *vectors = wrong ? NULL : call->api->alloc(call, count * dimension * sizeof(float));
    unsigned char *seen = wrong ? NULL : call->api->alloc(call, count);
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    for (size_t i = 0; vectors && seen && !wrong && json_next(data, &cursor, &key, &value); i++) {
        double index = json_number(json_member(value, "index"), (double)i);
        if (index < 0 || index >= (double)count || seen[(size_t)index]++)
            wrong = "an embedding's index is out of range or comes twice";
        else if (!read_vector(json_member(value, "embedding"),
                              vectors + (size_t)index * dimension, dimension))
            wrong = "an embedding is not a list of as many numbers as the first";
    }
    if (wrong) {
        openai_malformed(call, wrong, answer, reply);
        return;
    }
    reply->vectors = vectors;
    reply->vector_count = count;
    reply->dimension = dimension;
}

/* An error inside of a 200, as OpenRouter has them when the provider behind it fails. */
static bool read_error(const struct openai *openai, xy_call *call, xy_str answer, xy_str error,
                       xy_reply *reply)
{
    if (json_kind(error) != '{' && json_kind(error) != '"')
        return false;
    double code = json_number(json_member(error, "code"), 502);
    openai_fail(openai, call, code >= 300 && code < 600 ? (int)code : 502, answer, reply);
    return true;
}

void openai_read(const struct openai *openai, xy_call *call, xy_str body, xy_reply *reply)
{
    const xy_request *request = call->api->request(call);
    xy_str answer = json_check(body);
    if (json_kind(answer) != '{') {
        openai_malformed(call, "the answer is not JSON", body, reply);
        return;
    }
    enum { ERROR, CHOICES, MODEL, USAGE, MEMBERS };
    static const char *const keys[] = {"error", "choices", "model", "usage"};
    xy_str parts[MEMBERS];
    json_members(answer, keys, parts, MEMBERS);
    if (read_error(openai, call, answer, parts[ERROR], reply))
        return;
    reply->model = openai_text(call, parts[MODEL]).ptr;
    read_usage(parts[USAGE], reply);
    if (request->operation == XY_COMPLETE)
        read_complete(openai, call, answer, parts[CHOICES], reply);
    else if (request->operation == XY_EMBED)
        read_embed(call, answer, reply);
    else
        openai_read_scores(openai, call, answer, reply);
}
