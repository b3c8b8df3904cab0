/* SPDX-License-Identifier: Apache-2.0 */
/* tools.h - calls of the tools of a pipeline file: a call's arguments become a record, the stage's
 * process() works on it, and the field that the tool names is the result.
 *
 * A tool has one instance for a run and a bounded number of calls at work; others wait in order. A
 * call that takes longer than the tool's timeout is answered without waiting for it; its job is
 * told through cancelled() and keeps its place until it ends.
 */
#ifndef XYLEM_CORE_TOOLS_H
#define XYLEM_CORE_TOOLS_H

#include "instance.h"
#include "pipeline.h"

struct tools;

/* `instances` (one for each of the pipeline's tools, opened and prepared) stay the caller's. */
struct tools *tools_create(struct services *services, const struct tool_spec *specs,
                           struct instance *const *instances, size_t count);

struct tool_outcome {
    int status;     /* XY_OK; XY_DROP: the tool refused; XY_E*: it failed */
    bool ran;       /* the arguments fit: the tool saw them */
    bool json;      /* `result` is JSON and no text */
    xy_str result;  /* of XY_OK: the field; else the reason. Borrowed for the callback */
};
typedef void (*tool_done)(void *data, const struct tool_outcome *outcome);

/* [loop] `arguments` is copied and checked by the tool's schema. `done` comes exactly once, never
 * from inside the call; XY_EINVAL for a name that the file does not have. */
void tools_call(struct tools *tools, xy_str name, const struct value *arguments, tool_done done,
                void *data);

const struct tool_spec *tools_find(const struct tools *tools, xy_str name); /* [any] */
size_t tools_count(const struct tools *tools);
const struct tool_spec *tools_at(const struct tools *tools, size_t index);

/* [loop] The run is being stopped: what waits is answered with XY_ECANCELED, what works is told. */
void tools_stop(struct tools *tools);
/* [worker] Waits until no job of a tool is at work any more; a line in the log names one that takes
 * long. Then frees everything. NULL is fine. */
void tools_close(struct tools *tools);

#endif
