/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h - deterministic "model output": text, objects for a schema, log-probabilities,
 * vectors. */
#ifndef XYLEM_TESTS_SERVER_GENERATE_H
#define XYLEM_TESTS_SERVER_GENERATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "out.h"

enum { VECTOR_SIZE = 16 };

/* 8 to 31 words fixed by `hash`, the first few of them words of `prompt`, at most `max_words` (0:
 * any). Plain ASCII without quotes. Returns the number of words; *cut when max_words cut it. */
unsigned generate_text(struct out *out, uint64_t hash, const char *prompt, unsigned max_words,
                       bool *cut);
/* A value that fits a simple JSON schema: enum, const, string, number, integer, boolean, null,
 * array, object; minimum, maximum, minItems, maxItems; the first branch of anyOf and oneOf. Eight
 * levels. */
void generate_value(struct out *out, uint64_t hash, const cJSON *schema, unsigned depth);

/* Cuts text into tokens (a word with the space before it, or one other character) whose
 * concatenation is the text. Returns the length in bytes of the token at the start. */
size_t generate_token_length(const char *text, size_t length);
/* The natural log-probability of a token after the text before it, in [-8, -0.01]. */
double generate_logprob(const char *before, size_t before_length, const char *token,
                        size_t token_length);
/* The unit-length sum of one vector per word: texts that share words lie near each other. */
void generate_vector(const char *text, float vector[VECTOR_SIZE]);

#endif
