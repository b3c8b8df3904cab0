/* SPDX-License-Identifier: Apache-2.0 */
/* Log-probabilities of given continuations.
 *
 * Echo (exact). The prompt with each candidate behind it is sent to the legacy completions
 * endpoint, which echoes every token with its log-probability and its offset in characters. The
 * trap is the boundary: tokens of "prompt + candidate" need not break where the prompt ends, and
 * where one straddles the boundary its log-probability cannot be divided. All candidates are
 * therefore summed from one common offset, the last token start at or before the boundary that
 * every candidate has: each sum is log P(text from there on | the same text before), so that they
 * compare exactly.
 *
 * First token (approximation). A chat endpoint cannot be given the answer; it tells the most
 * probable first tokens. A candidate's score is the log of the summed probability of those of them
 * that begin it; one that none of them begins gets at most what they leave over. Candidates that
 * begin alike cannot be told apart.
 */
#include "openai_internal.h"

#include <math.h>

/* ---- echo ------------------------------------------------------------------------------------ */

static size_t characters(xy_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

static size_t prompt_characters(const xy_request *request)
{
    size_t count = 0;
    for (size_t i = 0; i < request->message_count; i++)
        count += characters(request->messages[i].content) + (i ? OPENAI_JOIN_LENGTH : 0);
    return count;
}

struct echoed {
    xy_str offsets, logprobs;
    size_t end; /* where the candidate ends, in characters */
};

/* The last token start at or before `limit`. */
static size_t token_start(const struct echoed *echoed, size_t limit)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    size_t start = 0;
    while (json_next(echoed->offsets, &cursor, &key, &value)) {
        double offset = json_number(value, -1);
        if (offset < 0 || offset > (double)limit)
            break;
        start = (size_t)offset;
    }
    return start;
}

/* Sums the tokens that start in [from, end), and lists each at `logprobs`; false when one of them
 * has no log-probability. */
static bool sum_tokens(const struct echoed *echoed, size_t from, double *sum, uint32_t *tokens,
                       float *logprobs)
{
    struct json_cursor at_offset = {NULL}, at_logprob = {NULL};
    xy_str key, offset, logprob;
    *sum = 0;
    *tokens = 0;
    while (json_next(echoed->offsets, &at_offset, &key, &offset)) {
        if (!json_next(echoed->logprobs, &at_logprob, &key, &logprob))
            return false;
        double place = json_number(offset, -1);
        if (place < (double)from || place >= (double)echoed->end)
            continue;
        if (json_kind(logprob) != '0')
            return false;
        *sum += json_number(logprob, 0);
        logprobs[(*tokens)++] = (float)json_number(logprob, 0);
    }
    return *tokens > 0;
}

/* Sums each candidate from `from` on, and lists the log-probabilities of all tokens. */
static const char *sum_all(xy_call *call, const struct echoed *echoed, size_t from, double *scores,
                           uint32_t *tokens, xy_reply *reply)
{
    size_t count = call->api->request(call)->text_count, room = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        room += json_count(echoed[i].logprobs);
    float *logprobs = call->api->alloc(call, (room + 1) * sizeof(*logprobs));
    if (!logprobs)
        return "out of memory";
    for (size_t i = 0; i < count; i++) {
        if (!sum_tokens(&echoed[i], from, &scores[i], &tokens[i], logprobs + used))
            return "a candidate's tokens have no log-probabilities: is the prompt empty?";
        used += tokens[i];
    }
    if (call->api->request(call)->logprobs) {
        reply->logprobs = logprobs;
        reply->logprob_count = used;
    }
    return NULL;
}

static const char *read_echo(xy_call *call, xy_str answer, double *scores, uint32_t *tokens,
                             xy_reply *reply)
{
    const xy_request *request = call->api->request(call);
    size_t count = request->text_count, boundary = prompt_characters(request);
    struct echoed *echoed = call->api->alloc(call, count * sizeof(*echoed));
    if (!echoed)
        return "out of memory";
    struct json_cursor cursor = {NULL};
    xy_str key, choice, choices = json_member(answer, "choices");
    if (json_count(choices) != count)
        return "the answer does not hold one choice for each candidate";
    for (size_t i = 0; json_next(choices, &cursor, &key, &choice); i++) {
        double index = json_number(json_member(choice, "index"), (double)i);
        if (index < 0 || index >= (double)count)
            return "a choice's index is out of range";
        struct echoed *place = &echoed[(size_t)index];
        xy_str logprobs = json_member(choice, "logprobs");
        place->offsets = json_member(logprobs, "text_offset");
        place->logprobs = json_member(logprobs, "token_logprobs");
        place->end = boundary + characters(request->texts[(size_t)index]);
    }
    size_t from = boundary, before;
    do { /* Down to an offset where a token starts in every candidate; 0 is one. */
        before = from;
        for (size_t i = 0; i < count; i++) {
            if (json_kind(echoed[i].offsets) != '[')
                return "the answer has no log-probabilities of the prompt: this server does not "
                       "echo them, try `score: first_token`";
            from = token_start(&echoed[i], from);
        }
    } while (from != before);
    return sum_all(call, echoed, from, scores, tokens, reply);
}

/* ---- first token ----------------------------------------------------------------------------- */

static xy_str trimmed(xy_str text)
{
    while (text.len && strchr(" \n\t", text.ptr[0]))
        text.ptr++, text.len--;
    return text;
}

/* Does one begin the other? A token may be the candidate's beginning, or reach past its end. */
static bool begins(xy_str token, xy_str candidate)
{
    size_t length = token.len < candidate.len ? token.len : candidate.len;
    return length > 0 && memcmp(token.ptr, candidate.ptr, length) == 0;
}

static const char *read_first_token(xy_call *call, xy_str answer, double *scores, uint32_t *tokens)
{
    const xy_request *request = call->api->request(call);
    xy_str top = json_path(answer, "choices.0.logprobs.content.0.top_logprobs");
    if (json_count(top) == 0)
        return "the answer has no top_logprobs: this server does not report them";
    double told = 0, least = INFINITY;
    struct json_cursor cursor = {NULL};
    xy_str key, alternative;
    while (json_next(top, &cursor, &key, &alternative)) {
        xy_str token = trimmed(openai_text(call, json_member(alternative, "token")));
        double logprob = json_number(json_member(alternative, "logprob"), -INFINITY);
        told += exp(logprob);
        least = fmin(least, logprob);
        for (size_t i = 0; i < request->text_count; i++)
            if (begins(token, trimmed(request->texts[i])))
                scores[i] += exp(logprob);
    }
    double rest = fmin(least, log(fmax(1 - told, 1e-12)));
    for (size_t i = 0; i < request->text_count; i++) {
        scores[i] = scores[i] > 0 ? fmin(0, log(scores[i])) : rest;
        tokens[i] = 1;
    }
    return NULL;
}

void openai_read_scores(const struct openai *openai, xy_call *call, xy_str answer,
                        xy_reply *reply)
{
    size_t count = call->api->request(call)->text_count;
    double *scores = call->api->alloc(call, count * sizeof(*scores));
    uint32_t *tokens = call->api->alloc(call, count * sizeof(*tokens));
    const char *wrong = "out of memory";
    if (scores && tokens)
        wrong = openai->score == SCORE_ECHO ? read_echo(call, answer, scores, tokens, reply)
                                            : read_first_token(call, answer, scores, tokens);
    if (wrong) {
        openai_malformed(call, wrong, answer, reply);
        reply->retryable = 0; /* the server cannot do it: asking again only pays again */
        return;
    }
    reply->scores = scores;
    reply->score_tokens = tokens;
    reply->score_count = count;
}
