/* SPDX-License-Identifier: Apache-2.0 */
/* template.h - the Jinja2 subset that prompts, `when:`, `until:` and filters share.
 *
 * Promise: for every template that compiles here, the text rendered is byte for byte what Python's
 * jinja2 renders with `Environment(undefined=StrictUndefined, keep_trailing_newline=True)` and no
 * other setting. What the subset leaves out is refused at compile time, by name. A template is
 * compiled once and is immutable: any number of threads may render it at once. Rendering is safe on
 * any record value: a value's text is never read as template source; loops, recursion and output
 * are bounded (TEMPLATE_OUTPUT, TEMPLATE_STEPS).
 */
#ifndef XYLEM_CORE_TEMPLATE_H
#define XYLEM_CORE_TEMPLATE_H

#include "value.h"

enum {
    TEMPLATE_OUTPUT = 16 << 20,  /* bytes one rendering may write */
    TEMPLATE_STEPS = 10000000,   /* operations one rendering may take */
    TEMPLATE_DEPTH = 64          /* nesting of blocks and of parentheses */
};

/* Where names come from. lookup() returns false for a name it does not have; `out` may borrow from
 * `arena` or from `data`. */
struct scope {
    bool (*lookup)(const void *data, struct arena *arena, xy_str name, struct value *out);
    const void *data;
};

struct template;   /* text with {{ }}, {% %}, {# #} */
struct expression; /* what stands inside {{ }} */

/* NULL with line and column within `source`, what was found and what was expected. */
struct template *template_compile(xy_str source, struct error *error);
/* Appends to `out`. 0 or XY_EINVAL (undefined name, wrong type, a bound passed), with the place
 * within the source; `out` then holds what came before. `arena` takes temporaries. */
int template_render(const struct template *template, const struct scope *scope,
                    struct arena *arena, struct buffer *out, struct error *error);
void template_free(struct template *template);

struct expression *expression_compile(xy_str source, struct error *error);
/* The value, in `arena` or borrowed from the scope. */
int expression_evaluate(const struct expression *expression, const struct scope *scope,
                        struct arena *arena, struct value *out, struct error *error);
void expression_free(struct expression *expression);

/* Jinja2's truth: empty text, list and map, zero, false and none are false. */
bool value_truth(const struct value *value);

/* The names a template or an expression takes from its scope (not loop or set variables), each
 * once, in order of first use, as a NULL-terminated array that lives as long as the template. For
 * `check`. */
const char *const *template_names(const struct template *template);
const char *const *expression_names(const struct expression *expression);

#endif
