/* SPDX-License-Identifier: Apache-2.0 */
/* Answers while a call to its model is still out. */
#include <xylem/plugin.h>

struct state {
    const xy_model *model;
    const xy_model_service *service;
};

static const xy_option options[] = {
    {"model", XY_OPT_MODEL, offsetof(struct state, model), NULL, XY_OPT_REQUIRED, 0, 0, NULL,
     "The model."},
    {0},
};

static int open(void *data, const xy_host *host)
{
    struct state *state = data;
    state->service = host->service(host, XY_MODEL);
    return state->service ? XY_OK : XY_EUNSUPPORTED;
}

static void done(xy_job *job, void *user, const xy_reply *reply)
{
    (void)job, (void)user, (void)reply;
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    const xy_message message = {{"user", 4}, {"go", 2}};
    const xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE,
                                .messages = &message, .message_count = 1};
    int code = state->service->submit(job, state->model, &request, done, NULL, NULL);
    return code < 0 ? code : XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "forgets_a_call",
    .summary = "Answers while a call to its model is still out.",
    .state_size = sizeof(struct state),
    .options = options,
    .open = open,
    .process = process,
};

XY_PLUGIN("forgets_a_call", "1.0", "MIT", &stage)
