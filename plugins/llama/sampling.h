/* SPDX-License-Identifier: Apache-2.0 */
/* sampling.h - from one row of logits to a token, and to log-probabilities.
 *
 * Order: repetition penalty (Keskar et al. 2019, CTRL, section 4.1), top-k, temperature, min-p
 * (Nguyen et al. 2024), top-p (Holtzman et al. 2020): the order of vLLM and of Hugging Face. All
 * sums of exponentials are taken relative to the greatest logit. One thread at a time.
 */
#ifndef XYLEM_PLUGINS_LLAMA_SAMPLING_H
#define XYLEM_PLUGINS_LLAMA_SAMPLING_H

#include <llama.h>
#include <stdint.h>

struct sampling {
    double temperature;    /* 0: the most likely token */
    double top_p, min_p;   /* 1 and 0: off */
    double repeat_penalty; /* 1: off */
    int64_t top_k;         /* 0: off */
    uint64_t random;       /* state of the request's own stream */
};

/* Room for candidates, shared by all requests of a thread. */
struct sampling_room {
    llama_token_data *data; /* `vocabulary` of them */
    int32_t vocabulary;
};

int sampling_room_init(struct sampling_room *room, int32_t vocabulary); /* 0 or XY_ENOMEM */
void sampling_room_finish(struct sampling_room *room);

/* The natural logarithm of the sum of the exponentials of a row. */
double sampling_log_sum(const float *logits, int32_t vocabulary);

/* Draws the next token. `recent` are the tokens that the penalty is for; `logits` is changed.
 * `grammar` may be NULL; else only a token it allows is drawn, and the caller tells it the token by
 * llama_sampler_accept(). -1 when the grammar allows no token at all. */
llama_token sampling_draw(struct sampling *sampling, struct sampling_room *room, float *logits,
                          const llama_token *recent, size_t recent_count,
                          struct llama_sampler *grammar);

#endif
