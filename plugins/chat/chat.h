/* SPDX-License-Identifier: Apache-2.0 */
/* chat.h - the options of the format, and its two halves; see xy_format for each function. */
#ifndef XYLEM_PLUGINS_CHAT_CHAT_H
#define XYLEM_PLUGINS_CHAT_CHAT_H

#include "json_value.h"

struct chat {
    const char *system, *user, *assistant; /* fields */
    const char *messages;                  /* a field with the whole list, in place of those */
    const char *const *keep;
    int32_t with_weight;
};

/* NULL when it is a list of objects, each with a text `role` and a `content`; else what is
 * wrong. */
const char *chat_find_fault(xy_str messages);

int chat_read_open(const void *state, xy_job *job, const char *path, void **cursor);
int chat_read_next(const void *state, xy_job *job, void *cursor, xy_record *out);
void chat_read_close(const void *state, void *cursor);

int chat_write_open(const void *state, xy_job *job, const char *const *fields, xy_output *output,
                    void **cursor);
int chat_write_next(const void *state, xy_job *job, void *cursor, const xy_record *record);
int chat_write_close(const void *state, xy_job *job, void *cursor);

#endif
