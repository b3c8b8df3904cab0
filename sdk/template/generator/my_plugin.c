/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - a model that answers with the last message, in capital letters. A real one would
 * start a request here, and complete the call when the answer is there. */
#include <xylem/plugin.h>

struct state {
    int64_t longest;
    const xy_host *host;
    const xy_loop *loop;
};

static const xy_option options[] = {
    {"longest", XY_OPT_INT, offsetof(struct state, longest), "1000", 0, 1, 1000000, NULL,
     "Answers are cut after so many bytes."},
    {0},
};

static const char *const needs[] = {XY_LOOP, NULL};

static int open(void *data, const xy_host *host)
{
    struct state *state = data;
    state->host = host;
    state->loop = host->service(host, XY_LOOP);
    return state->loop ? XY_OK : XY_EUNSUPPORTED;
}

static uint32_t can(const void *data)
{
    (void)data;
    return XY_COMPLETE;
}

/* What one call carries from submit() to its answer; lives in the call's own memory. */
struct pending {
    const struct state *state;
    xy_call *call;
};

static void capitals(xy_str text, char *out)
{
    for (size_t i = 0; i < text.len; i++)
        out[i] = text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? (char)(text.ptr[i] - 'a' + 'A')
                                                          : text.ptr[i];
}

/* At most `most` bytes, and whole characters only. */
static size_t cut(xy_str text, size_t most)
{
    size_t length = text.len < most ? text.len : most;
    while (length > 0 && length < text.len && ((unsigned char)text.ptr[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static void answer(void *data)
{
    const struct pending *pending = data;
    xy_call *call = pending->call;
    const xy_request *request = call->api->request(call);
    xy_reply reply = {.size = sizeof(reply), .retry_after_ms = -1};
    xy_str prompt = {NULL, 0};
    if (request->message_count > 0)
        prompt = request->messages[request->message_count - 1].content;
    size_t length = cut(prompt, (size_t)pending->state->longest);
    reply.finish = length < prompt.len ? XY_FINISH_LENGTH : XY_FINISH_STOP;
    prompt.len = length;
    char *text = call->api->alloc(call, prompt.len + 1);
    if (text) {
        capitals(prompt, text);
        reply.text = (xy_str){text, prompt.len};
    } else {
        reply.status = XY_ENOMEM;
        reply.error = "no memory for the answer";
    }
    call->api->complete(call, &reply); /* exactly once; the call is gone now */
}

/* Never completes inside submit(): the answer comes on a later turn of the loop. */
static int submit(void *data, xy_call *call)
{
    const struct state *state = data;
    if (call->api->request(call)->operation != XY_COMPLETE)
        return XY_EUNSUPPORTED;
    struct pending *pending = call->api->alloc(call, sizeof(*pending));
    if (!pending)
        return XY_ENOMEM;
    *pending = (struct pending){state, call};
    return state->loop->post(state->host, answer, pending);
}

/* The answer is on its way already, and cancelling is a wish. */
static void cancel(void *data, xy_call *call)
{
    (void)data, (void)call;
}

static const xy_generator generator = {sizeof(generator), can, submit, cancel};

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_GENERATOR, .id = "my_plugin", .state_size = sizeof(struct state),
    .summary = "Answers with the last message, in capital letters.", .needs = needs,
    .options = options, .open = open, .generator = &generator,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
