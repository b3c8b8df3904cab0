/* SPDX-License-Identifier: Apache-2.0 */
/* Uses a service without asking whether there is one. */
#include <xylem/plugin.h>

struct state {
    const xy_host *host;
};

static int open(void *data, const xy_host *host)
{
    struct state *state = data;
    state->host = host;
    return XY_OK;
}

static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    const xy_log *log = state->host->service(state->host, XY_LOG);
    (void)job;
    log->write(state->host, XY_LOG_INFO, "one more");
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .id = "assumes_a_service",
    .summary = "Uses a service without asking whether there is one.",
    .state_size = sizeof(struct state),
    .open = open,
    .process = process,
};

XY_PLUGIN("assumes_a_service", "1.0", "MIT", &stage)
