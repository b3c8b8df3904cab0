/* SPDX-License-Identifier: Apache-2.0 */
/* One whole-dataset step. Its `when` is asked of each record first: the stage sees those for which
 * it holds, and the others keep their places among what it leaves. */
#include <stdlib.h>

#include "engine_internal.h"
#include "job.h"
#include "json.h"

static const char no_reason[] = "no reason was given";

enum turn { TURN_STAGE, TURN_PASSES, TURN_FAILED };

struct whole {
    struct engine *engine;
    const struct step *step;
    struct dataset *input;
    uint8_t *turns;           /* of each record of the input; NULL: all are the stage's */
    struct dataset *seen;     /* the stage's records; `input` itself without `when` */
    uint64_t failed;
    struct dataset_view view; /* of `seen` */
    struct job *job;
    struct buffer event;      /* see write_event() */
};

/* ---- when ------------------------------------------------------------------------------------ */

/* TURN_FAILED with the reason in `error`. */
static enum turn turn_of(const struct whole *whole, const struct record *record,
                         struct error *error)
{
    struct record_scope data = {.record = record,
                                .services = &whole->engine->services,
                                .round = whole->engine->iteration};
    bool holds;
    if (record_when(&data, whole->step->when, &holds, error) < 0)
        return TURN_FAILED;
    return holds ? TURN_STAGE : TURN_PASSES;
}

static int choose(struct whole *whole)
{
    uint64_t count = dataset_count(whole->input), seen = 0;
    whole->seen = whole->input;
    if (!whole->step->when)
        return XY_OK;
    if (count > UINT32_MAX)
        return error_set(&whole->engine->error, XY_EUNSUPPORTED, "step `%s`: `when` over more than "
                         "4,294,967,295 records", whole->step->id);
    whole->turns = memory_zeroed(count, sizeof(*whole->turns));
    uint32_t *chosen = memory_resize(NULL, count, sizeof(*chosen));
    for (uint64_t i = 0; i < count; i++) {
        struct error error = {0};
        struct record *record = dataset_read(whole->input, i);
        whole->turns[i] = (uint8_t)turn_of(whole, record, &error);
        if (whole->turns[i] == TURN_STAGE)
            chosen[seen++] = (uint32_t)i;
        whole->failed += whole->turns[i] == TURN_FAILED;
        record_destroy(record);
    }
    whole->seen = dataset_select(whole->input, chosen, seen);
    return XY_OK;
}

static enum turn turn_at(const struct whole *whole, uint64_t index)
{
    return whole->turns ? (enum turn)whole->turns[index] : TURN_STAGE;
}

/* ---- what the stage leaves ------------------------------------------------------------------- */

/* What happened to a record, for its trail: valid until the next one. Counts the reason too. */
static xy_str write_event(struct whole *whole, const char *event, const char *why)
{
    struct buffer *out = &whole->event;
    buffer_clear(out);
    buffer_append_text(out, "{\"step\":");
    json_write_text(out, str_of(whole->step->id));
    buffer_append_text(out, ",\"event\":");
    json_write_text(out, str_of(event));
    buffer_append_text(out, ",\"reason\":");
    json_write_text(out, str_of(why));
    buffer_append_char(out, '}');
    report_add_reason(whole->engine->report, whole->step->id, why);
    return buffer_str(out);
}

/* Where records go, and what is counted on the way. */
struct leaving {
    struct dataset *data, *rejects;
    uint32_t *chosen;      /* numbers of what is kept, in place of copies; or NULL */
    uint64_t chosen_count;
    struct step_counts counts;
    uint64_t consumed;
    struct report_changes changes;
};

/* What a stage that only judged has kept: no copies, but the numbers of its input's records. NULL
 * where there is more to it: edits, new records, input that was consumed, or numbers too large. */
static uint32_t *chosen_of(const struct whole *whole, uint64_t *kept)
{
    const struct dataset_view *view = &whole->view;
    uint64_t count = dataset_count(whole->input), at = 0;
    bool judged = !view->edits && !whole->job->emitted_count && whole->job->verdict != XY_CONSUMED;
    if (!judged || count > UINT32_MAX)
        return NULL;
    uint32_t *chosen = memory_resize(NULL, count, sizeof(*chosen));
    *kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        enum turn turn = turn_at(whole, i);
        bool dropped = turn == TURN_STAGE && view->verdicts && view->verdicts[at] == XY_DROP;
        at += turn == TURN_STAGE;
        if (!dropped && turn != TURN_FAILED)
            chosen[(*kept)++] = (uint32_t)i;
    }
    return chosen;
}

/* A record that was dropped as it came: it goes over as it lies. */
static int take_dropped(struct whole *whole, uint64_t at, struct leaving *leaving)
{
    const char *why = whole->view.reasons[at];
    leaving->counts.dropped++;
    return dataset_append_from(leaving->rejects, whole->seen, at,
                               write_event(whole, "dropped", why && *why ? why : no_reason),
                               &whole->engine->error);
}

/* A record that the stage saw, its number `at` there. */
static int take_seen(struct whole *whole, uint64_t at, struct leaving *leaving)
{
    struct engine *engine = whole->engine;
    const struct dataset_view *view = &whole->view;
    int verdict, code;
    const char *why;
    bool drop = view->verdicts && view->verdicts[at] == XY_DROP;
    if (leaving->chosen && !drop)
        return XY_OK;
    if (drop && !(view->edits && view->edits[at]))
        return take_dropped(whole, at, leaving);
    struct record *record = dataset_view_take(&whole->view, at, &verdict, &why);
    if (verdict == XY_OK && whole->job->verdict == XY_CONSUMED)
        verdict = XY_CONSUMED; /* what the stage emitted stands for it */
    leaving->counts.dropped += verdict == XY_DROP;
    leaving->consumed += verdict == XY_CONSUMED;
    if (verdict == XY_OK)
        report_take_changes(&leaving->changes, record);
    if (verdict == XY_DROP) {
        record_event_again(record, write_event(whole, "dropped", why && *why ? why : no_reason));
        code = dataset_append(leaving->rejects, record, &engine->error);
    } else {
        code = verdict == XY_CONSUMED ? XY_OK
                                      : dataset_append(leaving->data, record, &engine->error);
    }
    record_destroy(record);
    return code;
}

/* A record that the stage did not see. */
static int take_unseen(struct whole *whole, uint64_t index, struct leaving *leaving)
{
    struct engine *engine = whole->engine;
    bool failed = turn_at(whole, index) == TURN_FAILED;
    if (!failed && leaving->chosen)
        return XY_OK;
    struct record *record = dataset_read(whole->input, index);
    if (failed) {
        struct error error = {0};
        char why[sizeof(error.text) + 8];
        turn_of(whole, record, &error);
        snprintf(why, sizeof(why), "when: %s", error.text);
        record_event_again(record, write_event(whole, "failed", why));
    }
    int code = dataset_append(failed ? leaving->rejects : leaving->data, record, &engine->error);
    record_destroy(record);
    return code;
}

static int take_all(struct whole *whole, struct leaving *leaving)
{
    struct engine *engine = whole->engine;
    struct job *job = whole->job;
    int code = XY_OK;
    uint64_t at = 0, count = dataset_count(whole->input);
    for (uint64_t i = 0; i < count && code >= 0; i++)
        code = turn_at(whole, i) == TURN_STAGE ? take_seen(whole, at++, leaving)
                                               : take_unseen(whole, i, leaving);
    for (size_t i = 0; i < job->emitted_count && code >= 0; i++) {
        report_take_changes(&leaving->changes, job->emitted[i]);
        code = dataset_append(leaving->data, job->emitted[i], &engine->error);
    }
    return code;
}

static int collect(struct whole *whole, struct output *output)
{
    struct engine *engine = whole->engine;
    const char *id = whole->step->id;
    struct leaving leaving = {.counts = {.in = dataset_count(whole->seen) + whole->failed,
                                         .failed = whole->failed}};
    if (output_begin(engine, output, &leaving.data, &leaving.rejects) < 0)
        return engine->error.code;
    leaving.chosen = chosen_of(whole, &leaving.chosen_count);
    int code = take_all(whole, &leaving);
    struct step_counts *counts = &leaving.counts;
    counts->out = counts->in - counts->failed - counts->dropped - leaving.consumed +
                  whole->job->emitted_count;
    report_add_counts(engine->report, id, counts);
    report_add_changes(engine->report, id, &leaving.changes);
    free(leaving.changes.fields);
    if (code < 0) {
        free(leaving.chosen);
        dataset_destroy(leaving.data);
        dataset_destroy(leaving.rejects);
        return code;
    }
    if (leaving.chosen) {
        dataset_discard(leaving.data);
        leaving.data = dataset_select(whole->input, leaving.chosen, leaving.chosen_count);
    }
    return output_commit(engine, output, leaving.data, leaving.rejects);
}

/* ---- the step -------------------------------------------------------------------------------- */

static void run_stage(struct whole *whole, struct prepared *prepared, struct output *output)
{
    struct engine *engine = whole->engine;
    const struct step *step = whole->step;
    struct instance *instance = prepared_instance(prepared);
    struct job *job = whole->job = job_create(instance, NULL, 0);
    bool evaluator = step_is_evaluator(step);
    job->round = engine->iteration;
    job->cancelled = &engine->cancelled;
    dataset_view_init(&whole->view, whole->seen, &job->arena, !evaluator);
    uint64_t started = loop_now_us(engine->services.loop);
    int answer = step->type->stage.run(instance_state(instance), &job->base, &whole->view.base);
    double seconds = (double)(loop_now_us(engine->services.loop) - started) / 1e6;
    job_settle(job, answer);
    report_add_counts(engine->report, step->id, &(struct step_counts){.seconds = seconds});
    if (job->verdict < 0) {
        error_set(&engine->error, job->verdict, "step `%s`: %s", step->id,
                  job->why ? job->why : error_name(job->verdict));
        error_at(&engine->error, step->node->file, step->node->line, step->node->column);
    } else if (evaluator) {
        report_add_counts(engine->report, step->id,
                          &(struct step_counts){.in = dataset_count(whole->seen) + whole->failed,
                                                .failed = whole->failed});
        output->ran = true;
    } else {
        collect(whole, output);
    }
    dataset_view_finish(&whole->view);
    job_destroy(job);
}

int engine_run_whole(struct engine *engine, const struct step *step)
{
    struct output *output = output_find(engine, step->id);
    struct whole whole = {.engine = engine, .step = step,
                          .input = inputs_take(engine, step, output, true)};
    if (!whole.input)
        return XY_OK;
    atomic_store(&engine->running, step->id);
    struct prepared *prepared = prepared_open(engine, step, engine->iteration);
    buffer_init(&whole.event, 1 << 20);
    if (prepared && choose(&whole) >= 0)
        run_stage(&whole, prepared, output);
    buffer_free(&whole.event);
    prepared_close(prepared);
    if (whole.seen != whole.input)
        dataset_destroy(whole.seen);
    free(whole.turns);
    dataset_destroy(whole.input);
    return engine->error.code;
}
