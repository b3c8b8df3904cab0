/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h - what can be told of records' fields before a run: their names, and values such as they
 * will have.
 *
 * Names come from everything in the file but its templates and expressions: options and their
 * defaults, outputs, schemas, the fields of the files that steps read, and what each stage's own
 * line says that it sets (xy_stage.fields). That is more than records will have, so that a name
 * that is not there is set by no step. Values come from those files, from lists and maps in
 * options, and from the outputs' schemas. No stage runs. For `check`; one thread at a time.
 */
#ifndef XYLEM_CORE_FIELDS_H
#define XYLEM_CORE_FIELDS_H

#include "pipeline.h"
#include "record.h"

enum { FIELDS_DRAWS = 8 }; /* so many values are kept of each field */

struct fields {
    struct arena arena;
    const struct pipeline *pipeline;
    struct known_field {
        const char *name;
        size_t step;                       /* which step, in the order of the file, sets it */
        struct value values[FIELDS_DRAWS];
        size_t count;
    } *items;
    size_t count;
    const struct step **order;             /* all steps in the order of the file */
    size_t steps;
    struct record **records;               /* whose memory values point into */
    size_t record_count;
    struct buffer words;                   /* all that may be names, a NUL around each */
    bool open;                             /* a step may set fields that nobody can tell */
};

void fields_collect(struct fields *fields, const struct pipeline *pipeline);
void fields_free(struct fields *fields);

/* May records have a field of that name? Always true when `open`. */
bool fields_may_have(const struct fields *fields, const char *name);
/* The nearest name to one that is no field's, or NULL. In the arena. */
const char *fields_nearest(struct fields *fields, const char *name);

/* The step's place in the order of the file. */
size_t fields_number(const struct fields *fields, const struct step *step);

/* A value such as `name` may have before the step `step` in the order of the file; the next draw
 * gives the next one. Where nothing is known of it, a text of a usual length. */
struct value fields_draw(struct fields *fields, const char *name, size_t step, size_t draw);

/* fields_prompt.c: how many bytes one call's prompt is likely to have, the mean over several
 * made-up records; 0 where the step asks no model by a template. */
double fields_prompt_bytes(struct fields *fields, const struct step *step);

/* How many bytes an answer of that step is expected to have. */
double fields_answer_bytes(const struct step *step);

#endif
