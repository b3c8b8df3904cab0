/* SPDX-License-Identifier: Apache-2.0 */
/* replay: recorded answers from a file, so that a pipeline runs without a model: in tests, on a
 * plane, or to see what a change downstream of the model does. */
#include "replay_internal.h"

#include "excerpt.h"

#include <math.h>
#include <stdlib.h>

struct replay {
    const char *file;
    const xy_host *host;
    const xy_loop *loop;
    struct recording recording;
};

static const xy_option options[] = {
    {"file", XY_OPT_PATH, offsetof(struct replay, file), NULL, XY_OPT_REQUIRED, 0, 0, NULL,
     "The recorded answers, JSON lines (the format stands in the plugin's README)."},
    {.name = NULL},
};

/* ---- keys ------------------------------------------------------------------------------------ */

static void request_key(const xy_request *request, char *out)
{
    uint64_t hash = replay_key_start();
    for (size_t i = 0; i < request->message_count; i++) {
        hash = replay_key_add(hash, request->messages[i].role, 0x1f);
        hash = replay_key_add(hash, request->messages[i].content, 0x1e);
    }
    for (size_t i = 0; i < request->text_count; i++)
        hash = replay_key_add(hash, request->texts[i], 0x1e);
    replay_key_end(hash, request->sample, out);
}

static xy_str last_user_text(const xy_request *request)
{
    for (size_t i = request->message_count; i-- > 0;) {
        const xy_message *message = &request->messages[i];
        if (message->role.len == 4 && memcmp(message->role.ptr, "user", 4) == 0)
            return message->content;
    }
    return request->message_count ? request->messages[request->message_count - 1].content
                                  : (xy_str){NULL, 0};
}

/* ---- answers --------------------------------------------------------------------------------- */

static xy_str decode(xy_call *call, xy_str value)
{
    char *text = call->api->alloc(call, value.len + 1);
    return text ? (xy_str){text, json_decode(value, text)} : (xy_str){NULL, 0};
}

static void fail(xy_call *call, xy_reply *reply, const char *what, const char *key, xy_str prompt)
{
    enum { SIZE = 400, SHOWN = 80 };
    char *text = call->api->alloc(call, SIZE);
    int shown = excerpt_length(prompt, SHOWN);
    reply->status = XY_EINVAL;
    if (!text)
        return;
    int length = snprintf(text, SIZE, "%s (key %s); the prompt begins: %.*s", what, key, shown,
                          shown ? prompt.ptr : "");
    for (int i = 0; i < length && i < SIZE; i++)
        if ((unsigned char)text[i] < 0x20)
            text[i] = ' ';
    reply->error = text;
}

static uint32_t count_of(xy_str line, const char *member)
{
    double number = json_number(json_member(line, member), 0);
    return number > 0 && number < 4e9 ? (uint32_t)number : 0;
}

static float *read_logprobs(xy_call *call, xy_str line, size_t *count)
{
    xy_str list = json_member(line, "logprobs"), key, value;
    *count = json_count(list);
    float *logprobs = *count ? call->api->alloc(call, *count * sizeof(*logprobs)) : NULL;
    struct json_cursor cursor = {NULL};
    for (size_t i = 0; logprobs && json_next(list, &cursor, &key, &value); i++)
        logprobs[i] = (float)json_number(value, 0);
    *count = logprobs ? *count : 0;
    return logprobs;
}

static void read_text(xy_call *call, xy_str line, xy_reply *reply)
{
    xy_str finish = json_member(line, "finish");
    reply->text = decode(call, json_member(line, "text"));
    reply->logprobs = read_logprobs(call, line, &reply->logprob_count);
    reply->finish = json_is(finish, "length")   ? XY_FINISH_LENGTH
                    : json_is(finish, "filter") ? XY_FINISH_FILTER
                                                : XY_FINISH_STOP;
}

/* How many tokens the `at`-th recorded score is over. */
static uint32_t tokens_of(xy_str line, size_t at)
{
    xy_str told = json_member(line, "score_tokens"), key, value;
    struct json_cursor cursor = {NULL};
    if (json_kind(told) != '[')
        return count_of(line, "score_tokens") ? count_of(line, "score_tokens") : 1;
    for (size_t i = 0; json_next(told, &cursor, &key, &value); i++)
        if (i == at)
            return (uint32_t)fmin(fmax(json_number(value, 1), 0), 1e9);
    return 1;
}

/* The recorded log-probabilities in the order of the candidates: `starts` says where those of each
 * begin. None where they are not one for each token, or were not asked for. */
static void read_score_logprobs(xy_call *call, xy_str line, const size_t *starts, xy_reply *reply)
{
    size_t count, at = 0, wanted = 0;
    float *told = call->api->request(call)->logprobs ? read_logprobs(call, line, &count) : NULL;
    for (size_t i = 0; i < reply->score_count; i++)
        wanted += reply->score_tokens[i];
    bool fits = told && count == wanted;
    float *logprobs = fits ? call->api->alloc(call, count * sizeof(*told)) : NULL;
    for (size_t i = 0; logprobs && i < reply->score_count; i++)
        for (size_t token = 0; token < reply->score_tokens[i]; token++)
            logprobs[at++] = told[starts[i] + token];
    reply->logprobs = logprobs;
    reply->logprob_count = logprobs ? wanted : 0;
}

/* `scores` is a map from candidate to score, or a list in the order of the candidates. */
static bool read_scores(xy_call *call, xy_str line, xy_reply *reply)
{
    const xy_request *request = call->api->request(call);
    size_t count = request->text_count;
    xy_str recorded = json_member(line, "scores");
    double *scores = call->api->alloc(call, count * sizeof(*scores));
    uint32_t *tokens = call->api->alloc(call, count * sizeof(*tokens));
    size_t *starts = call->api->alloc(call, count * sizeof(*starts)), found = 0, start = 0;
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    if (!scores || !tokens || !starts)
        return false;
    for (size_t at = 0; json_next(recorded, &cursor, &key, &value); at++) {
        size_t i = at;
        if (json_kind(recorded) == '{') {
            xy_str name = decode(call, (xy_str){key.ptr - 1, key.len + 2});
            for (i = 0; i < count; i++)
                if (name.ptr && name.len == request->texts[i].len &&
                    memcmp(name.ptr, request->texts[i].ptr, name.len) == 0)
                    break;
        }
        if (i < count && json_kind(value) == '0') {
            scores[i] = json_number(value, 0);
            tokens[i] = tokens_of(line, at);
            starts[i] = start;
            start += tokens[i];
            found++;
        }
    }
    reply->scores = scores;
    reply->score_tokens = tokens;
    reply->score_count = count;
    if (found == count)
        read_score_logprobs(call, line, starts, reply);
    return found == count;
}

static const struct entry *find(const struct replay *replay, const char *key, xy_str prompt,
                                enum answer_kind kind, uint32_t sample)
{
    const struct entry *entry =
        recording_find(&replay->recording, true, xy_text(key), kind, SAMPLE_ANY);
    return entry ? entry : recording_find(&replay->recording, false, prompt, kind, sample);
}

static void read_vectors(const struct replay *replay, xy_call *call, const char *key,
                         xy_reply *reply)
{
    const xy_request *request = call->api->request(call);
    float *vectors = NULL;
    for (size_t i = 0; i < request->text_count; i++) {
        const struct entry *entry = find(replay, key, request->texts[i], ANSWER_VECTOR, 0);
        if (!entry) {
            fail(call, reply, "no vector is recorded for this text", key, request->texts[i]);
            return;
        }
        xy_str list = json_member(entry->line, "vector");
        size_t dimension = json_count(list);
        if (!vectors) {
            reply->dimension = dimension;
            vectors = call->api->alloc(call, request->text_count * dimension * sizeof(*vectors));
        }
        if (!vectors || dimension != reply->dimension) {
            fail(call, reply, "its vector has another length than the first", key,
                 request->texts[i]);
            return;
        }
        struct json_cursor cursor = {NULL};
        xy_str unused, value;
        for (size_t j = 0; json_next(list, &cursor, &unused, &value); j++)
            vectors[i * dimension + j] = (float)json_number(value, 0);
    }
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
}

static void read_answer(const struct replay *replay, xy_call *call, xy_reply *reply)
{
    const xy_request *request = call->api->request(call);
    char key[REPLAY_KEY];
    request_key(request, key);
    if (request->operation == XY_EMBED) {
        read_vectors(replay, call, key, reply);
        return;
    }
    bool score = request->operation == XY_SCORE;
    xy_str prompt = last_user_text(request);
    const struct entry *entry =
        find(replay, key, prompt, score ? ANSWER_SCORES : ANSWER_TEXT, request->sample);
    if (!entry) {
        char what[64];
        snprintf(what, sizeof(what), "no answer is recorded for sample %u", request->sample);
        fail(call, reply, what, key, prompt);
        return;
    }
    reply->prompt_tokens = count_of(entry->line, "prompt_tokens");
    reply->output_tokens = count_of(entry->line, "output_tokens");
    reply->model = decode(call, json_member(entry->line, "model")).ptr;
    if (!score)
        read_text(call, entry->line, reply);
    else if (!read_scores(call, entry->line, reply))
        fail(call, reply, "the recorded scores do not name every candidate", key, prompt);
}

/* ---- the stage ------------------------------------------------------------------------------- */

struct waiting {
    const struct replay *replay;
    xy_call *call;
};

static void answer(void *data)
{
    struct waiting *waiting = data;
    xy_call *call = waiting->call;
    xy_reply reply = {.size = sizeof(reply), .retry_after_ms = -1};
    read_answer(waiting->replay, call, &reply);
    call->api->complete(call, &reply);
}

static int replay_submit(void *state, xy_call *call)
{
    struct replay *replay = state;
    struct waiting *waiting = call->api->alloc(call, sizeof(*waiting));
    if (!waiting)
        return XY_ENOMEM;
    *waiting = (struct waiting){replay, call};
    return replay->loop->post(replay->host, answer, waiting);
}

static void replay_cancel(void *state, xy_call *call)
{
    (void)state, (void)call; /* the answer comes within this turn */
}

/* It claims every ability: what was recorded was asked for in the same words. */
static uint32_t replay_can(const void *state)
{
    (void)state;
    return XY_COMPLETE | XY_SCORE | XY_EMBED | XY_CAN_SCHEMA | XY_CAN_LOGPROBS | XY_CAN_SEED;
}

static int replay_open(void *state, const xy_host *host)
{
    struct replay *replay = state;
    char error[400] = "";
    replay->host = host;
    replay->loop = host->service(host, XY_LOOP);
    int code = recording_read(&replay->recording, replay->file, error, sizeof(error));
    if (code != XY_OK) {
        xy_log_line(host, XY_LOG_ERROR, "replay: %s: %s", replay->file, error);
        recording_free(&replay->recording);
    }
    return code;
}

static void replay_close(void *state)
{
    recording_free(&((struct replay *)state)->recording);
}

static const xy_generator generator = {
    .size = sizeof(generator),
    .can = replay_can,
    .submit = replay_submit,
    .cancel = replay_cancel,
};

static const char *const needs[] = {XY_LOOP, NULL};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ file: answers.jsonl }" : NULL;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .state_size = sizeof(struct replay),
    .id = "replay",
    .version = "1.0.0",
    .summary = "Answers from a file of recorded answers, without any model.",
    .needs = needs,
    .options = options,
    .open = replay_open,
    .close = replay_close,
    .generator = &generator,
    .extension = extension,
};

XY_PLUGIN("replay", "1.0.0", "Apache-2.0", &stage)
