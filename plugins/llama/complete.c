/* SPDX-License-Identifier: Apache-2.0 */
/* complete.c - text for a prompt: parameters, the next token, where to end. */
#include "engine_internal.h"
#include "schema_grammar.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* Two rounds of SplitMix64's mixing, so that neighbouring seeds and samples share nothing. */
static uint64_t mix(uint64_t seed, uint64_t sample)
{
    uint64_t state = seed;
    uint64_t first = xy_random_next(&state);
    state = first ^ (sample + 1) * UINT64_C(0xd1342543de82ef95);
    return xy_random_next(&state);
}

static int take_extra(struct task *task, const cJSON *extra)
{
    struct {
        const char *name;
        double low, high;
        double value;
        bool given;
    } known[] = {{.name = "top_k", .high = 1e9},
                 {.name = "min_p", .high = 1},
                 {.name = "repeat_penalty", .low = 0.1, .high = 10}};
    const cJSON *item;
    cJSON_ArrayForEach(item, extra) {
        size_t i = 0;
        while (i < 3 && strcmp(known[i].name, item->string) != 0)
            i++;
        if (i == 3 || !cJSON_IsNumber(item) || item->valuedouble < known[i].low ||
            item->valuedouble > known[i].high) {
            snprintf(
                task->error, sizeof(task->error),
                "the parameter '%s' is %s; this generator takes top_k (0 or more), min_p (0 to "
                "1) and repeat_penalty (0.1 to 10)",
                item->string, i == 3 ? "unknown" : "out of range");
            return XY_EINVAL;
        }
        known[i].given = true;
        known[i].value = item->valuedouble;
    }
    if (known[0].given)
        task->sampling.top_k = (int64_t)known[0].value;
    if (known[1].given)
        task->sampling.min_p = known[1].value;
    if (known[2].given)
        task->sampling.repeat_penalty = known[2].value;
    return 0;
}

static int set_sampling(struct engine *engine, struct task *task)
{
    const struct engine_config *config = &engine->config;
    const xy_request *request = task->request;
    task->sampling = (struct sampling){
        .temperature = request->temperature < 0 ? config->temperature : request->temperature,
        .top_p = request->top_p < 0 ? config->top_p : request->top_p,
        .min_p = config->min_p,
        .repeat_penalty = config->repeat_penalty,
        .top_k = config->top_k,
        .random = mix(request->seed, request->sample),
    };
    if (request->extra.len == 0)
        return 0;
    cJSON *extra = cJSON_ParseWithLength(request->extra.ptr, request->extra.len);
    int status = cJSON_IsObject(extra) ? take_extra(task, extra) : XY_EINVAL;
    if (!cJSON_IsObject(extra))
        snprintf(task->error, sizeof(task->error), "the extra parameters are no JSON object");
    cJSON_Delete(extra);
    return status;
}

static int set_grammar(struct engine *engine, struct task *task)
{
    int status = 0;
    xy_str schema = task->request->json_schema;
    if (schema.len == 0)
        return 0;
    char *rules = schema_grammar(schema.ptr, schema.len, &status, task->error, sizeof(task->error));
    if (!rules)
        return status;
    task->grammar = llama_sampler_init_grammar(engine->vocab, rules, "root");
    free(rules);
    if (task->grammar)
        return 0;
    snprintf(
        task->error, sizeof(task->error),
        "llama.cpp refuses the schema's grammar: it refers to itself without an end, or repeats "
        "too much");
    return XY_EUNSUPPORTED;
}

int complete_prepare(struct engine *engine, struct task *task)
{
    const xy_request *request = task->request;
    int status = set_sampling(engine, task);
    if (status == 0)
        status = set_grammar(engine, task);
    size_t limit = request->max_tokens ? request->max_tokens : engine->config.max_tokens;
    size_t room = engine->config.context - task->prompt_count;
    task->output_limit = limit < room ? limit : room;
    if (status == 0 && request->logprobs) {
        task->logprobs = calloc(task->output_limit, sizeof(*task->logprobs));
        if (!task->logprobs) {
            snprintf(task->error, sizeof(task->error), "out of memory");
            status = XY_ENOMEM;
        }
    }
    if (status < 0)
        engine_finish(engine, task, status);
    return status;
}

/* Where the earliest stop sequence starts, at or after `from`; the text's end when there is
 * none. */
static size_t find_stop(const struct task *task, size_t from)
{
    const struct text *text = &task->text;
    for (size_t at = from; at < text->len; at++)
        for (size_t i = 0; i < task->request->stop_count; i++) {
            xy_str stop = task->request->stop[i];
            if (stop.len > 0 && stop.len <= text->len - at &&
                memcmp(text->ptr + at, stop.ptr, stop.len) == 0)
                return at;
        }
    return text->len;
}

static size_t longest_stop(const xy_request *request)
{
    size_t longest = 0;
    for (size_t i = 0; i < request->stop_count; i++)
        longest = request->stop[i].len > longest ? request->stop[i].len : longest;
    return longest;
}

static void add_piece(struct engine *engine, struct task *task, llama_token token)
{
    char piece[256];
    int32_t len = llama_token_to_piece(engine->vocab, token, piece, sizeof(piece), 0, false);
    if (len > 0)
        text_add(&task->text, piece, (size_t)len);
}

static void finish_text(struct engine *engine, struct slot *slot, uint32_t finish, size_t len)
{
    struct task *task = slot->task;
    task->text.len = len;
    if (finish == XY_FINISH_LENGTH && len > 0)
        task->text.len = text_whole_characters(task->text.ptr, len);
    text_repair_utf8(&task->text);
    task->reply.text = (xy_str){task->text.ptr ? task->text.ptr : "", task->text.len};
    task->reply.logprobs = task->logprobs;
    task->reply.logprob_count = task->logprobs ? task->output_count : 0;
    task->reply.finish = finish;
    if (task->text.failed)
        engine_fail(engine, task, XY_ENOMEM, "out of memory");
    else
        engine_finish(engine, task, XY_OK);
    slots_release(engine, slot);
}

/* Draws the next token and records its log-probability: the model's own, so the logits that a
 * penalty will change are kept. */
static llama_token next_token(struct engine *engine, struct slot *slot, float *logits)
{
    struct task *task = slot->task;
    float raw[ENGINE_PENALTY_WINDOW];
    double log_sum = task->logprobs ? sampling_log_sum(logits, engine->room.vocabulary) : 0;
    size_t window = task->output_count < ENGINE_PENALTY_WINDOW ? task->output_count
                                                               : ENGINE_PENALTY_WINDOW;
    const llama_token *recent = slot->tokens + slot->count - window;
    for (size_t i = 0; i < window; i++)
        raw[i] = logits[recent[i]];
    llama_token token = sampling_draw(&task->sampling, &engine->room, logits, recent, window,
                                      task->grammar);
    if (token >= 0 && task->logprobs) {
        float logit = logits[token];
        for (size_t i = 0; i < window; i++)
            logit = recent[i] == token ? raw[i] : logit;
        task->logprobs[task->output_count] = (float)((double)logit - log_sum);
    }
    return token;
}

void complete_row(struct engine *engine, struct slot *slot, float *logits)
{
    struct task *task = slot->task;
    llama_token token = next_token(engine, slot, logits);
    if (token < 0) {
        engine_fail(engine, task, XY_EUNSUPPORTED,
                    "no token of this model fits the schema's grammar here");
        slots_release(engine, slot);
        return;
    }
    if (llama_vocab_is_eog(engine->vocab, token)) {
        finish_text(engine, slot, XY_FINISH_STOP, task->text.len);
        return;
    }
    if (task->grammar)
        llama_sampler_accept(task->grammar, token);
    task->output_count++;
    size_t before = task->text.len, reach = longest_stop(task->request);
    add_piece(engine, task, token);
    size_t stop = find_stop(task, before > reach ? before - reach : 0);
    if (stop < task->text.len)
        finish_text(engine, slot, XY_FINISH_STOP, stop);
    else if (task->output_count == task->output_limit)
        finish_text(engine, slot, XY_FINISH_LENGTH, task->text.len);
    else
        slot->tokens[slot->count++] = token;
}
