/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_drive.c - runs one thing at a time on the kit's loop and waits for its end. */
#include <stdlib.h>
#include <string.h>

#include "conformance_internal.h"
#include "dataset.h"

/* ---- one call on the loop or on a worker ----------------------------------------------------- */

struct errand {
    struct kit *kit;
    loop_fn fn;
    void *data;
    _Atomic int done;
};

static void run_errand(void *data)
{
    struct errand *errand = data;
    errand->fn(errand->data);
}

static void errand_done(void *data)
{
    struct errand *errand = data;
    atomic_store(&errand->done, 1);
    loop_stop(errand->kit->services.loop);
}

static void run_on_loop(void *data)
{
    run_errand(data);
    errand_done(data);
}

static void time_out(void *data)
{
    struct kit *kit = data;
    loop_stop(kit->services.loop);
}

bool kit_wait(struct kit *kit, const _Atomic int *flag, uint32_t milliseconds)
{
    struct loop *loop = kit->services.loop;
    uint64_t end = loop_now_us(loop) + (uint64_t)milliseconds * 1000;
    while (!atomic_load(flag)) {
        uint64_t now = loop_now_us(loop);
        if (now >= end)
            return false;
        /* Short turns: a flag that another thread sets without a word is seen too. */
        uint64_t turn = end - now < 5000 ? end - now : 5000;
        struct timer *timer = loop_after(loop, turn, time_out, kit);
        loop_run(loop);
        if (loop_now_us(loop) - now < turn)
            timer_stop(timer);
    }
    return true;
}

void kit_do(struct kit *kit, bool on_worker, loop_fn fn, void *data)
{
    struct errand errand = {.kit = kit, .fn = fn, .data = data};
    if (on_worker)
        loop_work(kit->services.loop, run_errand, errand_done, &errand);
    else
        loop_post(kit->services.loop, run_on_loop, &errand);
    /* A call that never returns is a hang: the parent sees the silence and ends this process. */
    while (!kit_wait(kit, &errand.done, KIT_JOB_MS))
        continue;
}

/* ---- instances ------------------------------------------------------------------------------- */

struct opening {
    struct kit *kit;
    struct instance *instance;
    struct error *error;
    int code;
};

static void open_instance(void *data)
{
    struct opening *opening = data;
    struct kit *kit = opening->kit;
    struct option_resolver resolver = kit_resolver_functions;
    resolver.data = kit;
    opening->instance = instance_create(&kit->services, kit->type, "tried", kit->options,
                                        kit->options, kit->folder, NULL, &resolver, opening->error);
    opening->code = opening->instance ? instance_open(opening->instance, opening->error)
                                      : opening->error->code;
}

static void prepare_instance(void *data)
{
    struct opening *opening = data;
    opening->code = instance_prepare(opening->instance, 0, opening->error);
}

static void close_instance(void *data)
{
    instance_close(data);
}

struct instance *kit_open(struct kit *kit, struct error *error)
{
    struct opening opening = {.kit = kit, .error = error};
    kit_do(kit, false, open_instance, &opening);
    if (opening.code >= 0 && opening.instance)
        kit_do(kit, true, prepare_instance, &opening);
    if (opening.code < 0 && opening.instance) {
        kit_do(kit, false, close_instance, opening.instance);
        opening.instance = NULL;
    }
    return opening.instance;
}

void kit_close(struct kit *kit, struct instance *instance)
{
    kit_do(kit, false, close_instance, instance);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static int watched_finish(xy_job *base, int verdict)
{
    struct watched *watched = ((struct job *)base)->data;
    atomic_fetch_add(&watched->finishes, 1);
    return job_api.finish(base, verdict);
}

static int watched_cancelled(const xy_job *base)
{
    const struct job *job = (const struct job *)base;
    const struct watched *watched = job->data;
    return kit_count(watched->kit);
}

/* The host's table with two functions watched, and, for the trial of a later minor, members behind
 * its end that no plugin of today knows. */
static const struct longer_job_api {
    xy_job_api known;
    const void *unknown[4];
} *watched_api(struct kit *kit)
{
    struct longer_job_api *api = arena_alloc(&kit->arena, sizeof(*api));
    api->known = job_api;
    api->known.finish = watched_finish;
    api->known.cancelled = watched_cancelled;
    if (kit->longer) {
        api->known.size = sizeof(*api);
        memset(api->unknown, 0xa5, sizeof(api->unknown));
    }
    return api;
}

static void job_over(struct job *job, void *data)
{
    (void)job;
    struct watched *watched = data;
    atomic_store(&watched->over, 1);
}

static void start_job(void *data)
{
    struct watched *watched = data;
    const xy_stage *stage = &watched->kit->type->stage;
    void *state = instance_state(watched->instance);
    xy_job *base = &watched->job->base;
    watched->answer = watched->dataset ? stage->run(state, base, &watched->dataset->base)
                                       : stage->process(state, base);
    if (job_settle(watched->job, watched->answer))
        atomic_store(&watched->over, 1);
}

static bool is_mute(const struct job *job)
{
    bool needs_reason = job->verdict == XY_DROP || job->verdict == XY_EINVAL;
    return needs_reason && job->count <= 1 && (!job->why || !*job->why);
}

static void judge_ending(struct watched *watched)
{
    struct kit *kit = watched->kit;
    struct job *job = watched->job;
    int finishes = atomic_load(&watched->finishes);
    if (finishes > 1)
        kit_fail(kit, "finish() was called %d times for one job", finishes);
    else if (finishes == 1 && watched->answer != XY_PENDING)
        kit_fail(kit, "it called finish() and also answered %d", watched->answer);
    else if (job->verdict == XY_EBUG)
        kit_fail(kit, "%s", job->why ? job->why : "it says of itself that it broke a rule");
    else if (job->verdict < XY_EPAUSED)
        kit_fail(kit, "it ended with %d, which is no error of the header", job->verdict);
    else if (is_mute(job))
        kit_fail(kit, "it answered %s without a reason: call explain()",
                 job->verdict == XY_DROP ? "XY_DROP" : "XY_EINVAL");
    else if (watched->dataset && (job->verdict > XY_OK))
        kit_fail(kit, "run() answered %d: a whole-dataset stage answers XY_OK or an error",
                 job->verdict);
}

bool kit_run(struct watched *watched)
{
    struct kit *kit = watched->kit;
    bool on_worker = watched->dataset || (kit->type->stage.flags & XY_STAGE_CPU);
    watched->job = job_create(watched->instance, watched->inputs, watched->count);
    watched->job->base.api = &watched_api(kit)->known;
    watched->job->finished = job_over;
    watched->job->data = watched;
    watched->job->sequence = watched->sequence;
    watched->job->cancelled = &kit->cancelled;
    kit_do(kit, on_worker, start_job, watched);
    if (!kit_wait(kit, &watched->over, kit->job_ms)) {
        kit_fail(kit, "the job was never finished: finish() did not come within %u ms",
                 kit->job_ms);
        return false;
    }
    static const _Atomic int never;
    kit_wait(kit, &never, KIT_GRACE_MS); /* a second finish() would come now */
    judge_ending(watched);
    return true;
}

void kit_finish(struct watched *watched)
{
    job_destroy(watched->job);
    watched->job = NULL;
}
