/* SPDX-License-Identifier: Apache-2.0 */
#include "model_internal.h"

/* An answer in the journal: this head, then scores, vectors, log-probabilities, tokens per score,
 * the text, and the model's name with its NUL, in that order, so that each array is aligned where
 * it lies and decoding copies nothing. In the machine's byte order, like the rest of the log. */
struct reply_head {
    uint32_t magic;
    uint16_t version, operation;
    uint64_t run_id;    /* the run that paid */
    double cost;
    uint32_t finish, prompt_tokens, output_tokens, cached_tokens;
    uint32_t score_count, dimension, logprob_count, score_token_count;
    uint32_t text_length, model_length; /* model_length with its NUL; 0: no name */
};

enum { REPLY_MAGIC = 0x59504552, REPLY_VERSION = 1 }; /* "REPY" */

static bool put(struct buffer *out, const void *bytes, size_t length)
{
    return length == 0 || buffer_append(out, bytes, length);
}

static bool fits_the_ceiling(const xy_reply *reply, size_t model_length)
{
    return reply->text.len <= REPLY_CEILING && model_length <= REPLY_CEILING &&
           reply->logprob_count <= REPLY_CEILING && reply->dimension <= REPLY_CEILING;
}

bool reply_encode(struct buffer *out, const xy_reply *reply, uint32_t operation, size_t index,
                  double cost, uint64_t run_id)
{
    bool embed = operation == XY_EMBED;
    size_t model_length = reply->model ? strlen(reply->model) + 1 : 0;
    if (!fits_the_ceiling(reply, model_length))
        return false;
    struct reply_head head = {
        .magic = REPLY_MAGIC,
        .version = REPLY_VERSION,
        .operation = (uint16_t)operation,
        .run_id = run_id,
        .cost = cost,
        .finish = reply->finish,
        .prompt_tokens = reply->prompt_tokens,
        .output_tokens = reply->output_tokens,
        .cached_tokens = reply->cached_tokens,
        .score_count = operation == XY_SCORE ? (uint32_t)reply->score_count : 0,
        .dimension = embed ? (uint32_t)reply->dimension : 0,
        .logprob_count = embed ? 0 : (uint32_t)reply->logprob_count,
        .text_length = operation == XY_COMPLETE ? (uint32_t)reply->text.len : 0,
        .model_length = (uint32_t)model_length,
    };
    if (reply->score_tokens)
        head.score_token_count = head.score_count;
    const float *vector = embed ? reply->vectors + index * reply->dimension : NULL;
    return put(out, &head, sizeof(head)) &&
           put(out, reply->scores, head.score_count * sizeof(double)) &&
           put(out, vector, head.dimension * sizeof(float)) &&
           put(out, reply->logprobs, head.logprob_count * sizeof(float)) &&
           put(out, reply->score_tokens, head.score_token_count * sizeof(uint32_t)) &&
           put(out, reply->text.ptr, head.text_length) && put(out, reply->model, model_length);
}

static const void *take(const char **place, size_t length)
{
    const void *start = length ? *place : NULL;
    *place += length;
    return start;
}

bool reply_decode(xy_str payload, uint32_t operation, xy_reply *reply)
{
    struct reply_head head;
    if (payload.len < sizeof(head))
        return false;
    memcpy(&head, payload.ptr, sizeof(head));
    uint64_t length = sizeof(head) + (uint64_t)head.score_count * sizeof(double) +
                      (uint64_t)head.dimension * sizeof(float) +
                      (uint64_t)head.logprob_count * sizeof(float) +
                      (uint64_t)head.score_token_count * sizeof(uint32_t) + head.text_length +
                      head.model_length;
    if (head.magic != REPLY_MAGIC || head.version != REPLY_VERSION ||
        head.operation != operation || length != payload.len ||
        (head.model_length && payload.ptr[payload.len - 1] != '\0'))
        return false;
    const char *place = payload.ptr + sizeof(head);
    *reply = (xy_reply){
        .size = sizeof(*reply),
        .status = XY_OK,
        .score_count = head.score_count,
        .vector_count = head.dimension ? 1 : 0,
        .dimension = head.dimension,
        .logprob_count = head.logprob_count,
        .finish = head.finish,
        .prompt_tokens = head.prompt_tokens,
        .output_tokens = head.output_tokens,
        .cached_tokens = head.cached_tokens,
        .retry_after_ms = -1,
        .cost = head.cost,
    };
    reply->scores = take(&place, head.score_count * sizeof(double));
    reply->vectors = take(&place, head.dimension * sizeof(float));
    reply->logprobs = take(&place, head.logprob_count * sizeof(float));
    reply->score_tokens = take(&place, head.score_token_count * sizeof(uint32_t));
    reply->text = (xy_str){place, head.text_length};
    place += head.text_length;
    reply->model = take(&place, head.model_length);
    return true;
}
