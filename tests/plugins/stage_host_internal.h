/* SPDX-License-Identifier: Apache-2.0 */
/* stage_host_internal.h - between the files of stage_host. */
#ifndef XYLEM_TESTS_PLUGINS_STAGE_HOST_INTERNAL_H
#define XYLEM_TESTS_PLUGINS_STAGE_HOST_INTERNAL_H

#include "stage_host.h"

/* xy_host.service(): the program's own tables, but for the model's, which is answer(). */
const void *stage_host_service(const xy_host *host, const char *id);
extern const xy_tools stage_host_tools;
/* Answers the oldest call of a tool; false when none is out. */
bool stage_host_tool_next(struct stage_host *host);
/* Answers the oldest submitted call; false when none is out. */
bool stage_host_answer_next(struct stage_host *host);

#endif
