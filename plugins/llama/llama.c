/* SPDX-License-Identifier: Apache-2.0 */
/* llama.c - the generator `llama`: a GGUF model in this process, through llama.cpp. */
#include "engine.h"
#include "model_files.h"

#include <stdlib.h>

struct state {
    const char *model, *template, *embedding;
    int64_t context, sequences, threads, batch, gpu_layers, top_k, max_tokens;
    double temperature, top_p, min_p, repeat_penalty;
    struct engine *engine;
    uint32_t abilities;
};

#define AT(member) offsetof(struct state, member)

static const xy_option options[] = {
    {.name = "model", .type = XY_OPT_TEXT, .offset = AT(model), .flags = XY_OPT_REQUIRED,
     .help = "A name that fetch_models.sh knows (smollm2-135m-instruct, all-minilm-l6-v2), the "
             "name of a .gguf file in the cache's models folder, or a path to one."},
    {.name = "context", .type = XY_OPT_INT, .offset = AT(context), .def = "0", .high = 1 << 20,
     .help = "Tokens of one sequence, prompt and answer; 0: 1,024, or less where the model was "
             "trained on less."},
    {.name = "sequences", .type = XY_OPT_INT, .offset = AT(sequences), .def = "8", .low = 1,
     .high = 128, .flags = XY_OPT_NEUTRAL,
     .help = "Requests that are decoded together; memory grows with it times `context`."},
    {.name = "threads", .type = XY_OPT_INT, .offset = AT(threads), .def = "0", .high = 1024,
     .flags = XY_OPT_NEUTRAL,
     .help = "Threads of the arithmetic; 0: half of the cores, since the workers need the others."},
    {.name = "batch", .type = XY_OPT_INT, .offset = AT(batch), .def = "512", .low = 32,
     .high = 65536, .flags = XY_OPT_NEUTRAL,
     .help = "Tokens that go through the model in one step."},
    {.name = "template", .type = XY_OPT_TEXT, .offset = AT(template), .def = "auto",
     .help = "The chat template: auto (the model's own), plain (messages a line each), or a name "
             "that llama.cpp knows, such as chatml."},
    {.name = "embedding", .type = XY_OPT_TEXT, .offset = AT(embedding), .def = "auto",
     .choices = "auto|on|off",
     .help = "Whether the model makes embeddings instead of text; auto: what its file says."},
    {.name = "gpu_layers", .type = XY_OPT_INT, .offset = AT(gpu_layers), .def = "0", .low = -1,
     .high = 10000, .flags = XY_OPT_NEUTRAL,
     .help = "Layers kept on a GPU, where llama.cpp was built for one; -1: all."},
    {.name = "temperature", .type = XY_OPT_NUMBER, .offset = AT(temperature), .def = "0.8",
     .high = 10, .help = "Used where a request sets none; 0 takes the most likely token."},
    {.name = "top_p", .type = XY_OPT_NUMBER, .offset = AT(top_p), .def = "0.95", .high = 1,
     .help = "Used where a request sets none: the share of probability to draw from."},
    {.name = "top_k", .type = XY_OPT_INT, .offset = AT(top_k), .def = "40", .high = 1e9,
     .help = "How many of the most likely tokens to draw from; 0: all."},
    {.name = "min_p", .type = XY_OPT_NUMBER, .offset = AT(min_p), .def = "0", .high = 1,
     .help = "Drops tokens that are less likely than this share of the most likely one."},
    {.name = "repeat_penalty", .type = XY_OPT_NUMBER, .offset = AT(repeat_penalty), .def = "1",
     .low = 0.1, .high = 10,
     .help = "Divides the logits of the answer's last 64 tokens; 1: off."},
    {.name = "max_tokens", .type = XY_OPT_INT, .offset = AT(max_tokens), .def = "256", .low = 1,
     .high = 1 << 20, .help = "The longest answer where a request sets no limit."},
    {.name = NULL},
};

static int open_generator(void *data, const xy_host *host)
{
    struct state *state = data;
    char error[1024];
    int status = 0;
    engine_start_library();
    char *path = model_files_find(state->model, &status, error, sizeof(error));
    if (!path) {
        xy_log_line(host, XY_LOG_ERROR, "llama: %s", error);
        return status;
    }
    bool embeds = strcmp(state->embedding, "auto") == 0 ? model_files_pools(path)
                                                        : strcmp(state->embedding, "on") == 0;
    const struct engine_config config = {
        .path = path,
        .template = state->template,
        .embeds = embeds,
        .context = (uint32_t)state->context,
        .sequences = (uint32_t)state->sequences,
        .batch = (uint32_t)state->batch,
        .threads = (uint32_t)state->threads,
        .gpu_layers = (int32_t)state->gpu_layers,
        .temperature = state->temperature,
        .top_p = state->top_p,
        .min_p = state->min_p,
        .repeat_penalty = state->repeat_penalty,
        .top_k = state->top_k,
        .max_tokens = (uint32_t)state->max_tokens,
    };
    state->abilities = embeds ? XY_EMBED
                              : XY_COMPLETE | XY_SCORE | XY_CAN_SCHEMA | XY_CAN_LOGPROBS |
                                    XY_CAN_SEED;
    state->engine = engine_open(&config, host);
    free(path);
    if (state->engine)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "llama: no memory, or no thread could be started");
    return XY_ENOMEM;
}

static void close_generator(void *data)
{
    struct state *state = data;
    engine_close(state->engine);
    state->engine = NULL;
}

static uint32_t can(const void *data)
{
    const struct state *state = data;
    return state->abilities;
}

static int submit(void *data, xy_call *call)
{
    struct state *state = data;
    return engine_submit(state->engine, call);
}

static void cancel(void *data, xy_call *call)
{
    struct state *state = data;
    engine_cancel(state->engine, call);
}

static const xy_generator generator = {
    .size = sizeof(generator), .can = can, .submit = submit, .cancel = cancel};

static const char *const needs[] = {XY_LOOP, NULL};

static const xy_stage llama_stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .state_size = sizeof(struct state),
    .id = "llama",
    .version = "0.1.0",
    .summary = "Runs a GGUF model in this process: text, scores, embeddings.",
    .needs = needs,
    .options = options,
    .open = open_generator,
    .close = close_generator,
    .generator = &generator,
};

XY_PLUGIN("llama", "0.1.0", "Apache-2.0", &llama_stage)
