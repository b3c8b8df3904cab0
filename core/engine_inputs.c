/* SPDX-License-Identifier: Apache-2.0 */
/* Files that steps will read: looked for before a run, since a step may come hours later. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "file.h"
#include "instance.h"

/* Is `option` of `step` a file to be read? Conditions read what their paths name; elsewhere a path
 * may be a file to be made. */
static bool names_file(const struct pipeline *pipeline, const struct step *step,
                       const xy_option *option, const struct node *node)
{
    if (!node || node->kind != NODE_SCALAR || !node->text.len)
        return false;
    if (option->type == XY_OPT_DATASET)
        return pipeline_lookup(pipeline, step, node->text.ptr) == NULL;
    return option->type == XY_OPT_PATH && step->type->stage.kind == XY_CONDITION;
}

static int check_file(const struct pipeline *pipeline, const struct node *node,
                      struct error *error)
{
    struct arena arena = {0};
    int failed = access(file_path(&arena, pipeline->folder, node->text.ptr), R_OK) ? errno : 0;
    arena_free(&arena);
    if (!failed)
        return XY_OK;
    return node_error(node, error, XY_EINVAL, "`%s` cannot be read: %s", node->text.ptr,
                      strerror(failed));
}

static int check_step(const struct pipeline *pipeline, const struct step *step,
                      struct error *error)
{
    int code = XY_OK;
    for (size_t i = 0; step->kind == STEP_STAGE && i < step->type->option_count; i++) {
        const xy_option *option = &step->type->options[i];
        const struct node *node = node_member(step->with, option->name);
        if (code == XY_OK && names_file(pipeline, step, option, node))
            code = check_file(pipeline, node, error);
    }
    for (size_t i = 0; i < step->step_count && code == XY_OK; i++)
        code = check_step(pipeline, step->steps[i], error);
    return code;
}

int engine_check_inputs(const struct pipeline *pipeline, struct error *error)
{
    int code = XY_OK;
    for (size_t i = 0; i < pipeline->tool_count && code == XY_OK; i++)
        code = check_step(pipeline, &pipeline->tools[i].step, error);
    for (size_t i = 0; i < pipeline->step_count && code == XY_OK; i++)
        code = check_step(pipeline, pipeline->steps[i], error);
    return code;
}
