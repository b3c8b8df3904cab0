/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for a model on the thread where nothing may wait. */
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

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    const xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE};
    xy_reply reply = {.size = sizeof(reply)};
    int code = state->service->call(job, state->model, &request, &reply);
    return code < 0 ? xy_fail(job, code, "no answer") : XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "waits_on_the_loop",
    .summary = "Waits for a model on the thread where nothing may wait.",
    .state_size = sizeof(struct state),
    .options = options,
    .open = open,
    .process = process,
};

XY_PLUGIN("waits_on_the_loop", "1.0", "MIT", &stage)
