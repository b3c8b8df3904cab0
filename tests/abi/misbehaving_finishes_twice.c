/* SPDX-License-Identifier: Apache-2.0 */
/* Finishes each job twice. */
#include <xylem/plugin.h>

struct state {
    const xy_host *host;
    const xy_loop *loop;
};

static int open(void *data, const xy_host *host)
{
    struct state *state = data;
    state->host = host;
    state->loop = host->service(host, XY_LOOP);
    return state->loop ? XY_OK : XY_EUNSUPPORTED;
}

static void finish(void *data)
{
    xy_job *job = data;
    const xy_job_api *api = job->api;
    api->finish(job, XY_OK);
    api->finish(job, XY_OK);
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    return state->loop->post(state->host, finish, job) < 0 ? XY_EBUG : XY_PENDING;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_FILTER, .id = "finishes_twice", .summary = "Finishes each job twice.",
    .state_size = sizeof(struct state), .open = open, .process = process,
};

XY_PLUGIN("finishes_twice", "1.0", "MIT", &stage)
