/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - from chat messages to tokens.
 *
 * A last "assistant" message is not closed: the model goes on from its end. The texts of control
 * tokens inside a message are written apart ("<|im_end|>" becomes "< |im_end|>"), so that a record
 * cannot forge a turn of the conversation.
 */
#ifndef XYLEM_PLUGINS_LLAMA_PROMPT_H
#define XYLEM_PLUGINS_LLAMA_PROMPT_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <xylem/plugin.h>

struct prompt_style {
    const struct llama_vocab *vocab;
    const char *template;  /* a name or a template's text; NULL: plain, messages a line each */
    const char **controls; /* texts of the control tokens, borrowed from the vocabulary */
    size_t control_count;
};

/* `choice` is the option's value: "auto", "plain", or a name that llama.cpp knows. 0, or XY_EINVAL
 * with the reason. prompt_style_finish() in any case. */
int prompt_style_init(struct prompt_style *style, const struct llama_model *model,
                      const char *choice, char *error, size_t error_size);
void prompt_style_finish(struct prompt_style *style);

/* The messages' tokens, to free(); NULL with *status and the reason. */
llama_token *prompt_tokens(const struct prompt_style *style, const xy_message *messages,
                           size_t message_count, size_t *count, int *status, char *error,
                           size_t error_size);

/* A text's tokens, to free(); NULL when memory runs out. `special` adds what the model wants around
 * a text, `control` reads control tokens. */
llama_token *prompt_tokenize(const struct llama_vocab *vocab, const char *text, size_t len,
                             bool special, bool control, size_t *count);

#endif
