/* SPDX-License-Identifier: Apache-2.0 */
/* answers.h - records for people to label and what they answered, as labelling tools exchange them:
 * which of a record's fields are answers, and a file that is one list of objects. [worker] */
#ifndef XYLEM_PLUGINS_COMMON_ANSWERS_H
#define XYLEM_PLUGINS_COMMON_ANSWERS_H

#include <stdbool.h>

#include <xylem/plugin.h>

/* The fields whose names an option gives; `score` may be NULL. */
struct answer_fields {
    const char *label, *revision; /* people's */
    const char *suggestion, *score; /* the model's */
};

/* Is it one of these, or one that goes with every answer (annotator, time, discard, ...)? */
bool answers_has(const struct answer_fields *fields, const char *name);
/* The field's value; false when it is missing, null or an empty text. */
bool answers_get(const xy_record *record, const char *field, xy_value *value);
/* A person's label; none where labels are written as suggestions. */
bool answers_label(const struct answer_fields *fields, const xy_record *record, xy_value *label);
bool answers_discarded(const xy_record *record);

/* ---- a file with a list of objects ----------------------------------------------------------- */

struct answers_list {
    xy_output *output;
    const char *const *fields; /* of the pipeline file; NULL: all */
    bool begun;
};

/* The name of the i-th field to write of a record, NULL behind the last. */
const char *answers_list_field(const struct answers_list *list, const xy_record *record, size_t i);
/* XY_OK or the output's error. */
int answers_list_add(struct answers_list *list, xy_str object);
int answers_list_end(struct answers_list *list);

#endif
