/* SPDX-License-Identifier: Apache-2.0 */
/* Completes each call twice. */
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

static void answer(void *data)
{
    xy_call *call = data;
    const xy_call_api *api = call->api;
    const xy_reply reply = {.size = sizeof(reply), .status = XY_EUNSUPPORTED, .error = "no",
                            .retry_after_ms = -1};
    api->complete(call, &reply);
    api->complete(call, &reply);
}

static int submit(void *data, xy_call *call)
{
    const struct state *state = data;
    return state->loop->post(state->host, answer, call);
}

static void cancel(void *state, xy_call *call)
{
    (void)state, (void)call;
}

static const xy_generator generator = {sizeof(generator), can, submit, cancel};
static const xy_stage stage = {
    XY_STAGE_INIT,
    .kind = XY_GENERATOR,
    .id = "completes_twice",
    .summary = "Completes each call twice.",
    .state_size = sizeof(struct state),
    .open = open,
    .generator = &generator,
};

XY_PLUGIN("completes_twice", "1.0", "MIT", &stage)
