/* SPDX-License-Identifier: Apache-2.0 */
#include "exec_internal.h"

#include <math.h>

/* ---- writing --------------------------------------------------------------------------------- */

static void add_name(struct text *out, const char *name)
{
    text_add_literal(out, ",\"");
    text_add_literal(out, name);
    text_add_literal(out, "\":");
}

static void add_texts(struct text *out, const char *name, const xy_str *texts, size_t count)
{
    add_name(out, name);
    text_add(out, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_add(out, ",", 1);
        text_add_json(out, texts[i]);
    }
    text_add(out, "]", 1);
}

/* JSON of the request (a schema, extra members) may be laid out over lines: the line must stay
 * one. */
static void add_value(struct text *out, const char *name, xy_str json)
{
    if (json_check(json).len == 0)
        return;
    add_name(out, name);
    size_t start = out->length;
    text_add_str(out, json);
    for (size_t i = start; !out->failed && i < out->length; i++)
        if (out->bytes[i] == '\n' || out->bytes[i] == '\r')
            out->bytes[i] = ' ';
}

static void add_integer(struct text *out, const char *name, uint64_t number)
{
    if (number == 0)
        return;
    add_name(out, name);
    text_add_integer(out, number);
}

static void add_number(struct text *out, const char *name, double number)
{
    if (number < 0)
        return;
    add_name(out, name);
    text_add_number(out, number);
}

void protocol_write(struct text *out, uint64_t id, const xy_request *request)
{
    static const char *const names[] = {[XY_COMPLETE] = "complete", [XY_SCORE] = "score",
                                        [XY_EMBED] = "embed"};
    text_add_literal(out, "{\"id\":");
    text_add_integer(out, id);
    add_name(out, "operation");
    text_add_json(out, xy_text(names[request->operation]));
    if (request->operation != XY_EMBED) {
        add_name(out, "messages");
        for (size_t i = 0; i < request->message_count; i++) {
            text_add_literal(out, i ? ",{\"role\":" : "[{\"role\":");
            text_add_json(out, request->messages[i].role);
            text_add_literal(out, ",\"content\":");
            text_add_json(out, request->messages[i].content);
            text_add(out, "}", 1);
        }
        text_add(out, "]", 1);
    }
    if (request->operation == XY_SCORE)
        add_texts(out, "candidates", request->texts, request->text_count);
    if (request->operation == XY_EMBED)
        add_texts(out, "texts", request->texts, request->text_count);
    if (request->stop_count)
        add_texts(out, "stop", request->stop, request->stop_count);
    add_number(out, "temperature", request->temperature);
    add_number(out, "top_p", request->top_p);
    add_integer(out, "max_tokens", request->max_tokens);
    add_integer(out, "seed", request->seed);
    add_integer(out, "sample", request->sample);
    add_integer(out, "logprobs", request->logprobs);
    add_value(out, "json_schema", request->json_schema);
    add_value(out, "extra", request->extra);
    text_add_literal(out, "}\n");
}

/* ---- reading --------------------------------------------------------------------------------- */

uint64_t protocol_id(xy_str line)
{
    double id = json_number(json_member(json_check(line), "id"), 0);
    return id >= 1 && id < 0x1p53 ? (uint64_t)id : 0;
}

static void broken(xy_reply *reply, const char *why)
{
    reply->status = XY_EUPSTREAM;
    reply->retryable = 1;
    reply->error = why;
}

static xy_str decode(xy_call *call, xy_str value)
{
    char *text = call->api->alloc(call, value.len + 1);
    return text ? (xy_str){text, json_decode(value, text)} : (xy_str){NULL, 0};
}

static uint32_t count_of(xy_str line, const char *member)
{
    double number = json_number(json_member(line, member), 0);
    return number > 0 && number < 4e9 ? (uint32_t)number : 0;
}

/* Numbers of a list into floats; false when there are not `count` of them. */
static bool read_floats(xy_str list, float *out, size_t count)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    size_t at = 0;
    while (json_next(list, &cursor, &key, &value)) {
        if (at == count || json_kind(value) != '0')
            return false;
        out[at++] = (float)json_number(value, 0);
    }
    return at == count;
}

static void read_logprobs(xy_call *call, xy_str line, xy_reply *reply)
{
    xy_str list = json_member(line, "logprobs");
    size_t count = json_count(list);
    float *logprobs = count ? call->api->alloc(call, count * sizeof(*logprobs)) : NULL;
    if (logprobs && read_floats(list, logprobs, count)) {
        reply->logprobs = logprobs;
        reply->logprob_count = count;
    }
}

static void read_complete(xy_call *call, xy_str line, xy_reply *reply)
{
    xy_str text = json_member(line, "text"), finish = json_member(line, "finish");
    if (json_kind(text) != '"') {
        broken(reply, "the program's answer has no \"text\"");
        return;
    }
    reply->text = decode(call, text);
    reply->finish = json_is(finish, "length")   ? XY_FINISH_LENGTH
                    : json_is(finish, "filter") ? XY_FINISH_FILTER
                    : json_is(finish, "stop")   ? XY_FINISH_STOP
                                                : XY_FINISH_UNKNOWN;
    read_logprobs(call, line, reply);
}

static void read_scores(xy_call *call, xy_str line, xy_reply *reply)
{
    size_t count = call->api->request(call)->text_count;
    xy_str list = json_member(line, "scores"), lengths = json_member(line, "score_tokens");
    double *scores = call->api->alloc(call, count * sizeof(*scores));
    uint32_t *tokens = call->api->alloc(call, count * sizeof(*tokens));
    struct json_cursor at_score = {NULL}, at_length = {NULL};
    xy_str key, score, length;
    if (!scores || !tokens || json_count(list) != count) {
        broken(reply, "the program's answer has not one of \"scores\" for each candidate");
        return;
    }
    for (size_t i = 0; json_next(list, &at_score, &key, &score); i++) {
        scores[i] = json_number(score, NAN);
        tokens[i] = 1;
        if (json_next(lengths, &at_length, &key, &length))
            tokens[i] = (uint32_t)fmin(fmax(json_number(length, 1), 1), 1e9);
    }
    reply->scores = scores;
    reply->score_tokens = tokens;
    reply->score_count = count;
    read_logprobs(call, line, reply); /* the host checks that there is one for each token */
}

static void read_vectors(xy_call *call, xy_str line, xy_reply *reply)
{
    size_t count = call->api->request(call)->text_count;
    xy_str list = json_member(line, "vectors");
    size_t dimension = json_count(json_path(list, "0"));
    float *vectors = json_count(list) == count && dimension
                         ? call->api->alloc(call, count * dimension * sizeof(*vectors))
                         : NULL;
    bool good = vectors != NULL;
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    for (size_t i = 0; good && json_next(list, &cursor, &key, &value); i++)
        good = read_floats(value, vectors + i * dimension, dimension);
    if (!good) {
        broken(reply, "the program's answer has not one of \"vectors\" for each text, all of one "
                      "length");
        return;
    }
    reply->vectors = vectors;
    reply->vector_count = count;
    reply->dimension = dimension;
}

void protocol_read(xy_call *call, xy_str text, xy_reply *reply)
{
    xy_str line = json_check(text), error = json_member(line, "error");
    uint32_t operation = call->api->request(call)->operation;
    double retry_after = json_number(json_member(line, "retry_after"), -1);
    reply->prompt_tokens = count_of(line, "prompt_tokens");
    reply->output_tokens = count_of(line, "output_tokens");
    reply->cost = fmax(0, json_number(json_member(line, "cost"), 0));
    reply->model = decode(call, json_member(line, "model")).ptr;
    if (json_kind(error) == '"') {
        reply->status = XY_EUPSTREAM;
        reply->error = decode(call, error).ptr;
        reply->retryable = json_kind(json_member(line, "retryable")) == 't';
        reply->limited = json_kind(json_member(line, "limited")) == 't';
        reply->retry_after_ms =
            retry_after >= 0 && retry_after < 1e6 ? (int32_t)(retry_after * 1e3) : -1;
    } else if (operation == XY_COMPLETE) {
        read_complete(call, line, reply);
    } else if (operation == XY_SCORE) {
        read_scores(call, line, reply);
    } else {
        read_vectors(call, line, reply);
    }
}
