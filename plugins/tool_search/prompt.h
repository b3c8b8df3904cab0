/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - what the model is told of the tools; `tools` is the checked list of describe(). */
#ifndef XYLEM_PLUGINS_TOOL_SEARCH_PROMPT_H
#define XYLEM_PLUGINS_TOOL_SEARCH_PROMPT_H

#include "json_reader.h"
#include "text.h"

/* anyOf: a call of each tool, the answer, giving up. */
void prompt_write_schema(struct text *out, xy_str tools);
/* What stands below the system message. */
void prompt_write_block(struct text *out, xy_str tools);
/* The tools as OpenAI's chat format declares them. */
void prompt_write_list(struct text *out, xy_str tools);
/* A copy in the job's memory, and an empty `text`; NULL when memory is short. */
const char *prompt_keep(xy_job *job, struct text *text);

#endif
