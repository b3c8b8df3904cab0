/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio.h - the options of the format, and its two halves; see xy_format for each
 * function. */
#ifndef XYLEM_PLUGINS_LABEL_STUDIO_LABEL_STUDIO_H
#define XYLEM_PLUGINS_LABEL_STUDIO_LABEL_STUDIO_H

#include "answers.h"
#include "json_file.h"
#include "json_value.h"

struct label_studio {
    struct answer_fields names; /* `label` and `revision` are those of the project's tags, too */
    const char *text;           /* the name of a tag */
    const char *model_version;
};

int label_studio_read_open(const void *state, xy_job *job, const char *path, void **cursor);
int label_studio_read_next(const void *state, xy_job *job, void *cursor, xy_record *out);
void label_studio_read_close(const void *state, void *cursor);

int label_studio_write_open(const void *state, xy_job *job, const char *const *fields,
                            xy_output *output, void **cursor);
int label_studio_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record);
int label_studio_write_close(const void *state, xy_job *job, void *cursor);

#endif
