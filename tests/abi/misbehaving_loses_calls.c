/* SPDX-License-Identifier: Apache-2.0 */
/* Accepts calls and forgets them. */
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

static uint32_t can(const void *state)
{
    (void)state;
    return XY_COMPLETE | XY_SCORE;
}

static int submit(void *state, xy_call *call)
{
    (void)state, (void)call;
    return XY_OK;
}

static void cancel(void *state, xy_call *call)
{
    (void)state, (void)call;
}

static const xy_generator generator = {sizeof(generator), can, submit, cancel};
static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .id = "loses_calls",
    .summary = "Accepts calls and forgets them.",
    .state_size = sizeof(struct state),
    .open = open,
    .generator = &generator,
};

XY_PLUGIN("loses_calls", "1.0", "MIT", &stage)
