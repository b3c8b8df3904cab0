/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - one model, one llama_context and the one thread that decodes with it.
 *
 * Many sequences are decoded in one batch: each step takes the next token of every running
 * completion, the waiting candidates of scores, and prompts in the order of arrival for what room
 * is left. A request joins at the next step and leaves when it is done (Orca, Yu et al. 2022,
 * OSDI). The longest prefix that a prompt shares with a resident sequence is not computed again:
 * its cells get one more owner (llama_memory_seq_cp over a unified cache).
 *
 * Memory: (sequences * context + batch) cells of keys and values, each layers * 2 * key-value heads
 * * head size * 2 bytes: 23 KB a token for SmolLM2-135M, 190 MB with 8 sequences of 1,024 tokens.
 */
#ifndef XYLEM_PLUGINS_LLAMA_ENGINE_H
#define XYLEM_PLUGINS_LLAMA_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <xylem/plugin.h>

struct engine;

struct engine_config {
    const char *path;        /* a GGUF file; copied, as is `template` */
    const char *template;    /* "auto", "plain" or a name */
    bool embeds;             /* makes vectors instead of text */
    uint32_t context;        /* tokens of one sequence; 0: at most 1,024, as the model allows */
    uint32_t sequences, batch, threads; /* threads 0: half of the cores */
    int32_t gpu_layers;
    double temperature, top_p, min_p, repeat_penalty; /* where a request names none */
    int64_t top_k;
    uint32_t max_tokens;
};

/* [any] Once for the process, before anything else of llama.cpp: its messages are kept off
 * stderr. */
void engine_start_library(void);
/* [loop] Starts the thread; the model is loaded with the first request, so that opening a pipeline
 * to check it costs nothing. NULL: no memory or no thread. */
struct engine *engine_open(const struct engine_config *config, const xy_host *host);
/* [loop] complete() comes for each accepted call, on the loop. 0 or XY_ENOMEM. */
int engine_submit(struct engine *engine, xy_call *call);
/* [loop] The call ends with XY_ECANCELED before its next step. */
void engine_cancel(struct engine *engine, const xy_call *call);
/* [loop] Stops within one step; what is still running ends with XY_ECANCELED. NULL is fine. */
void engine_close(struct engine *engine);

#endif
