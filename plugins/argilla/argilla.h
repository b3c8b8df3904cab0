/* SPDX-License-Identifier: Apache-2.0 */
/* argilla.h - the options of the format, and its two halves; see xy_format for each function. */
#ifndef XYLEM_PLUGINS_ARGILLA_ARGILLA_H
#define XYLEM_PLUGINS_ARGILLA_ARGILLA_H

#include "answers.h"
#include "json_file.h"
#include "json_value.h"

struct argilla {
    const char *const *shown;   /* what Argilla calls fields: texts */
    struct answer_fields names; /* `label` and `revision` are those of questions, too */
    const char *agent;
};

int argilla_read_open(const void *state, xy_job *job, const char *path, void **cursor);
int argilla_read_next(const void *state, xy_job *job, void *cursor, xy_record *out);
void argilla_read_close(const void *state, void *cursor);

int argilla_write_open(const void *state, xy_job *job, const char *const *fields,
                       xy_output *output, void **cursor);
int argilla_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record);
int argilla_write_close(const void *state, xy_job *job, void *cursor);

#endif
