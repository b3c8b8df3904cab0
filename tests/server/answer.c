/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <string.h>

#include "generate.h"
#include "table.h"

enum { INPUT_LIMIT = 2048, DEFAULT_MAX_TOKENS = 16 };

int answer_error(struct out *out, int status, const char *message)
{
    out_format(out, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"code\":%d}}\n", message,
               status >= 500 ? "server_error" : "invalid_request_error", status);
    return status;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *item = member(object, name);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

static unsigned number_of(const cJSON *object, const char *name, unsigned otherwise)
{
    const cJSON *item = member(object, name);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e6
               ? (unsigned)item->valuedouble
               : otherwise;
}

static unsigned count_words(const char *text)
{
    unsigned count = 0;
    for (bool inside = false; *text; text++) {
        bool letter = *text > ' ' || (unsigned char)*text >= 0x80;
        count += letter && !inside;
        inside = letter;
    }
    return count;
}

static void write_start(struct out *out, const char *kind, const cJSON *body, uint64_t hash)
{
    out_format(out, "{\"id\":\"test-%016llx\",\"object\":\"%s\",\"created\":1,\"model\":",
               (unsigned long long)hash, kind);
    const char *model = text_of(body, "model", "test-model");
    out_json_string(out, model, strlen(model));
}

static void write_usage(struct out *out, unsigned prompt, unsigned output)
{
    out_format(out,
               "\"usage\":{\"prompt_tokens\":%u,\"completion_tokens\":%u,\"total_tokens\":%u}}\n",
               prompt, output, prompt + output);
}

/* OpenAI's shape: one entry per token of the answer, each with its alternatives. */
static void write_chat_logprobs(struct out *out, const char *text, size_t length)
{
    out_text(out, ",\"logprobs\":{\"content\":[");
    for (size_t at = 0; at < length;) {
        size_t size = generate_token_length(text + at, length - at);
        if (at)
            out_text(out, ",");
        out_text(out, "{\"token\":");
        out_json_string(out, text + at, size);
        out_format(out, ",\"logprob\":%.6f,\"bytes\":null,\"top_logprobs\":[]}",
                   generate_logprob(text, at, text + at, size));
        at += size;
    }
    out_text(out, "]}");
}

static const cJSON *schema_of(const cJSON *body)
{
    const cJSON *format = member(body, "response_format");
    if (strcmp(text_of(format, "type", ""), "json_schema") != 0)
        return NULL;
    return member(member(format, "json_schema"), "schema");
}

static int answer_chat(struct out *out, const cJSON *body, uint64_t hash)
{
    const cJSON *messages = member(body, "messages"), *message = NULL;
    if (!cJSON_IsArray(messages) || cJSON_GetArraySize(messages) == 0)
        return answer_error(out, 400, "'messages' must be a list with at least one message");
    if (number_of(body, "n", 1) != 1)
        return answer_error(out, 400, "'n' must be 1");
    unsigned prompt_tokens = 0, output_tokens;
    const char *prompt = "";
    cJSON_ArrayForEach(message, messages)
    {
        prompt = text_of(message, "content", "");
        prompt_tokens += count_words(prompt) + 3; /* a role and two marks, as chat templates have */
    }
    unsigned limit = number_of(body, "max_tokens", number_of(body, "max_completion_tokens", 0));
    bool cut = false;
    struct out text = {0};
    const cJSON *schema = schema_of(body);
    if (schema) {
        generate_value(&text, hash, schema, 0);
        output_tokens = count_words(text.bytes);
    } else {
        output_tokens = generate_text(&text, hash, prompt, limit, &cut);
    }
    write_start(out, "chat.completion", body, hash);
    out_text(out, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    out_json_string(out, text.bytes, text.length);
    out_text(out, "}");
    if (cJSON_IsTrue(member(body, "logprobs")))
        write_chat_logprobs(out, text.bytes, text.length);
    out_format(out, ",\"finish_reason\":\"%s\"}],", cut ? "length" : "stop");
    write_usage(out, prompt_tokens, output_tokens);
    out_free(&text);
    return 200;
}

/* Positions in characters, not bytes, as servers in Python count them. */
static size_t characters(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void write_token_list(struct out *out, const char *text, size_t length, size_t first,
                             const char *name)
{
    out_format(out, "\"%s\":[", name);
    for (size_t at = first; at < length;) {
        size_t size = generate_token_length(text + at, length - at);
        if (at > first)
            out_text(out, ",");
        if (strcmp(name, "tokens") == 0)
            out_json_string(out, text + at, size);
        else if (strcmp(name, "text_offset") == 0)
            out_format(out, "%zu", characters(text, at));
        else if (at == 0)
            out_text(out, "null"); /* nothing stands before the first token */
        else
            out_format(out, "%.6f", generate_logprob(text, at, text + at, size));
        at += size;
    }
    out_text(out, "]");
}

/* One choice of a legacy completion; returns the number of generated tokens. */
static unsigned write_completion(struct out *out, const cJSON *body, const char *prompt,
                                 uint64_t hash, int index)
{
    bool echo = cJSON_IsTrue(member(body, "echo"));
    unsigned limit = number_of(body, "max_tokens", DEFAULT_MAX_TOKENS), tokens = 0;
    bool cut = limit == 0;
    struct out text = {0};
    out_text(&text, prompt);
    size_t prompt_length = text.length;
    if (limit) {
        out_text(&text, " ");
        tokens = generate_text(&text, hash, prompt, limit, &cut);
    }
    size_t first = echo ? 0 : prompt_length;
    out_format(out, "%s{\"index\":%d,\"text\":", index ? "," : "", index);
    out_json_string(out, text.bytes + first, text.length - first);
    if (cJSON_IsNumber(member(body, "logprobs"))) {
        out_text(out, ",\"logprobs\":{");
        write_token_list(out, text.bytes, text.length, first, "tokens");
        out_text(out, ",");
        write_token_list(out, text.bytes, text.length, first, "token_logprobs");
        out_text(out, ",\"top_logprobs\":null,");
        write_token_list(out, text.bytes, text.length, first, "text_offset");
        out_text(out, "}");
    } else {
        out_text(out, ",\"logprobs\":null");
    }
    out_format(out, ",\"finish_reason\":\"%s\"}", cut ? "length" : "stop");
    out_free(&text);
    return tokens;
}

static int answer_completion(struct out *out, const cJSON *body, uint64_t hash)
{
    const cJSON *prompt = member(body, "prompt");
    int count = cJSON_IsArray(prompt) ? cJSON_GetArraySize(prompt) : 1;
    if (!(cJSON_IsString(prompt) || cJSON_IsArray(prompt)) || count < 1 || count > INPUT_LIMIT)
        return answer_error(out, 400, "'prompt' must be a string or a list of strings");
    unsigned prompt_tokens = 0, output_tokens = 0;
    write_start(out, "text_completion", body, hash);
    out_text(out, ",\"choices\":[");
    for (int i = 0; i < count; i++) {
        const cJSON *item = cJSON_IsArray(prompt) ? cJSON_GetArrayItem(prompt, i) : prompt;
        const char *text = cJSON_IsString(item) ? item->valuestring : "";
        prompt_tokens += count_words(text);
        output_tokens += write_completion(out, body, text, hash_mix(hash + (unsigned)i), i);
    }
    out_text(out, "],");
    write_usage(out, prompt_tokens, output_tokens);
    return 200;
}

static int answer_embeddings(struct out *out, const cJSON *body, uint64_t hash)
{
    const cJSON *input = member(body, "input");
    int count = cJSON_IsArray(input) ? cJSON_GetArraySize(input) : 1;
    if (!(cJSON_IsString(input) || cJSON_IsArray(input)) || count < 1 || count > INPUT_LIMIT)
        return answer_error(out, 400, "'input' must be a string or a list of strings");
    unsigned tokens = 0;
    write_start(out, "list", body, hash);
    out_text(out, ",\"data\":[");
    for (int i = 0; i < count; i++) {
        const cJSON *item = cJSON_IsArray(input) ? cJSON_GetArrayItem(input, i) : input;
        const char *text = cJSON_IsString(item) ? item->valuestring : "";
        float vector[VECTOR_SIZE];
        generate_vector(text, vector);
        tokens += count_words(text);
        out_format(out, "%s{\"object\":\"embedding\",\"index\":%d,\"embedding\":[", i ? "," : "",
                   i);
        for (size_t k = 0; k < VECTOR_SIZE; k++)
            out_format(out, "%s%.7f", k ? "," : "", (double)vector[k]);
        out_text(out, "]}");
    }
    out_format(out, "],\"usage\":{\"prompt_tokens\":%u,\"total_tokens\":%u}}\n", tokens, tokens);
    return 200;
}

int answer_write(struct out *out, const struct request *request, uint64_t hash)
{
    static const struct {
        const char *path;
        int (*answer)(struct out *out, const cJSON *body, uint64_t hash);
    } endpoints[] = {
        {"/v1/chat/completions", answer_chat},
        {"/v1/completions", answer_completion},
        {"/v1/embeddings", answer_embeddings},
    };
    if (request_is(request, "GET", "/v1/models")) {
        out_text(out, "{\"object\":\"list\",\"data\":[{\"id\":\"test-model\",\"object\":\"model\","
                      "\"created\":1,\"owned_by\":\"test\"}]}\n");
        return 200;
    }
    if (request_is(request, "POST", "/sparql"))
        return table_answer(out, request);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
        if (!request_is(request, "POST", endpoints[i].path))
            continue;
        cJSON *body = cJSON_ParseWithLength(request->body, request->body_length);
        int status = cJSON_IsObject(body) ? endpoints[i].answer(out, body, hash)
                                          : answer_error(out, 400, "the body is not a JSON object");
        cJSON_Delete(body);
        return status;
    }
    return answer_error(out, 404, "no such endpoint");
}
