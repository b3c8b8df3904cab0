/* SPDX-License-Identifier: Apache-2.0 */
/* Finishes its jobs, but not those whose call was cancelled. */
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
    (void)user;
    if (reply->status != XY_ECANCELED)
        job->api->finish(job, XY_OK);
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    const xy_message message = {{"user", 4}, {"go", 2}};
    const xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE,
                                .messages = &message, .message_count = 1};
    int code = state->service->submit(job, state->model, &request, done, NULL, NULL);
    return code < 0 ? code : XY_PENDING;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "forgets_cancelled_jobs",
    .summary = "Finishes its jobs, but not those whose call was cancelled.",
    .state_size = sizeof(struct state),
    .options = options,
    .open = open,
    .process = process,
};

XY_PLUGIN("forgets_cancelled_jobs", "1.0", "MIT", &stage)
