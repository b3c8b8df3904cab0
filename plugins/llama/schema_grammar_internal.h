/* SPDX-License-Identifier: Apache-2.0 */
/* schema_grammar_internal.h - between schema_grammar.c (values) and schema_object.c
 * (containers). */
#ifndef XYLEM_PLUGINS_LLAMA_SCHEMA_GRAMMAR_INTERNAL_H
#define XYLEM_PLUGINS_LLAMA_SCHEMA_GRAMMAR_INTERNAL_H

#include "text.h"

#include <cjson/cJSON.h>

enum { SCHEMA_REFERENCES = 64, SCHEMA_DEPTH = 32, SCHEMA_REPEAT = 2000 };

struct grammar {
    struct text rules;      /* finished rules, one a line */
    const cJSON *root;
    const cJSON *references[SCHEMA_REFERENCES]; /* schema of rule "d<index>" */
    size_t reference_count;
    unsigned next_rule;
    unsigned depth;
    bool any_value;         /* the rules for JSON of any shape are needed */
    int status;             /* 0, or the first error */
    char *error;
    size_t error_size;
};

/* Appends the expression for `schema`; returns 0 or the error, which is also in the grammar. */
int grammar_value(struct grammar *grammar, const cJSON *schema, struct text *out);
int grammar_object(struct grammar *grammar, const cJSON *schema, struct text *out);
int grammar_array(struct grammar *grammar, const cJSON *schema, struct text *out);
/* Refuses, by name, a keyword that is neither an annotation nor in the NULL-terminated
 * `handled`. */
int grammar_only(struct grammar *grammar, const cJSON *schema, const char *const *handled);
/* Appends a quoted literal that matches exactly `bytes`. */
void grammar_literal(struct text *out, const char *bytes);
/* Reads a whole number that is not negative; 0, or the error. `absent` where there is none. */
int grammar_limit(struct grammar *grammar, const cJSON *schema, const char *keyword, long absent,
                  long *value);
__attribute__((format(printf, 3, 4))) int grammar_fail(struct grammar *grammar, int status,
                                                       const char *format, ...);

#endif
