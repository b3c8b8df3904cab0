/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_stream.c - conditions, filters, enhancers and evaluators, a record or a data set at a
 * time. */
#include <stdlib.h>
#include <string.h>

#include "conformance_internal.h"
#include "dataset.h"

enum { SOURCE_LIMIT = 200, CANCEL_POINTS = 12 };

/* What came of one trial, as text, to compare two of them. */
struct outcome {
    struct buffer text;
    bool opened;
    int verdict;
};

static void note_record(struct outcome *outcome, const struct record *record)
{
    buffer_printf(&outcome->text, "%016llx ", (unsigned long long)record->id);
    record_write_json(record, NULL, true, &outcome->text);
    buffer_printf(&outcome->text, " %.17g\n", record->weight);
}

static void note_job(struct outcome *outcome, struct job *job)
{
    buffer_printf(&outcome->text, "verdict %d %s\n", job->verdict, job->why ? job->why : "");
    for (size_t i = 0; i < job->count; i++) {
        buffer_printf(&outcome->text, "input %d ", job->verdicts[i]);
        note_record(outcome, job->inputs[i]);
    }
    for (size_t i = 0; i < job->emitted_count; i++)
        note_record(outcome, job->emitted[i]);
}

static size_t input_count(const struct kit *kit)
{
    uint32_t flags = kit->type->stage.flags;
    if (flags & XY_STAGE_SOURCE)
        return 0;
    return flags & XY_STAGE_BATCH ? KIT_RECORDS : 1;
}

static void make_inputs(struct watched *watched, enum kit_record what)
{
    watched->count = input_count(watched->kit);
    for (size_t i = 0; i < watched->count; i++) {
        watched->inputs[i] = record_create(record_hash(7, "input", i, (uint64_t)what, 0));
        kit_fill(watched->kit, &watched->inputs[i]->base, what, i);
    }
}

static void check_untouched(struct watched *watched, enum kit_record what)
{
    struct kit *kit = watched->kit;
    if (kit->type->stage.kind != XY_EVALUATOR)
        return;
    for (size_t i = 0; i < watched->count; i++) {
        struct record *fresh = record_create(watched->inputs[i]->id);
        kit_fill(kit, &fresh->base, what, i);
        struct outcome before = {0}, after = {0};
        buffer_init(&before.text, 64 << 20);
        buffer_init(&after.text, 64 << 20);
        note_record(&before, fresh);
        note_record(&after, watched->inputs[i]);
        if (!str_equal(buffer_str(&before.text), buffer_str(&after.text)))
            kit_fail(kit, "an evaluator changed a record: it reads and reports only");
        buffer_free(&before.text);
        buffer_free(&after.text);
        record_destroy(fresh);
    }
}

/* One process() over one kind of record. */
static bool run_once(struct kit *kit, struct instance *instance, enum kit_record what,
                     uint64_t sequence, struct outcome *outcome)
{
    struct watched *watched = arena_alloc(&kit->arena, sizeof(*watched));
    *watched = (struct watched){.kit = kit, .instance = instance, .sequence = sequence};
    make_inputs(watched, what);
    bool ended = kit_run(watched);
    if (!ended)
        return false; /* it may still end: nothing of it can be freed */
    outcome->verdict = watched->job->verdict;
    note_job(outcome, watched->job);
    check_untouched(watched, what);
    if (watched->count == 0 && watched->job->verdict == XY_OK)
        kit_fail(kit, "a source answered XY_OK, which means its input: answer XY_CONSUMED");
    kit_finish(watched);
    for (size_t i = 0; i < watched->count; i++)
        record_destroy(watched->inputs[i]);
    return true;
}

/* A whole data set: three records of one kind, on a worker. */
static bool run_dataset(struct kit *kit, struct instance *instance, enum kit_record what,
                        struct outcome *outcome)
{
    char path[256];
    struct error error = {0};
    snprintf(path, sizeof(path), "%s/input.records", kit->folder);
    struct dataset *dataset = dataset_create(path, &error);
    for (uint64_t i = 0; dataset && i < KIT_RECORDS; i++) {
        struct record *record = record_create(record_hash(7, "input", i, (uint64_t)what, 0));
        kit_fill(kit, &record->base, what, i);
        dataset_append(dataset, record, &error);
        record_destroy(record);
    }
    if (!dataset || dataset_seal(dataset, &error) < 0) {
        kit_fail(kit, "the kit's own data set: %s", error.text);
        return false;
    }
    struct dataset_view view;
    struct watched *watched = arena_alloc(&kit->arena, sizeof(*watched));
    *watched = (struct watched){.kit = kit, .instance = instance, .dataset = &view};
    dataset_view_init(&view, dataset, &kit->arena, kit->type->stage.kind != XY_EVALUATOR);
    if (!kit_run(watched))
        return false;
    outcome->verdict = watched->job->verdict;
    note_job(outcome, watched->job);
    for (uint64_t i = 0; i < KIT_RECORDS; i++) {
        int verdict = XY_OK;
        const char *why = NULL;
        struct record *record = dataset_view_take(&view, i, &verdict, &why);
        buffer_printf(&outcome->text, "%d %s ", verdict, why ? why : "");
        if (verdict == XY_DROP && (!why || !*why))
            kit_fail(kit, "a record was dropped without a reason");
        if (record)
            note_record(outcome, record);
        record_destroy(record);
    }
    dataset_view_finish(&view);
    kit_finish(watched);
    dataset_destroy(dataset);
    return true;
}

/* One trial from open to close; what cannot be opened now could be before, so that is a fault,
 * except where the trial takes something away. */
static bool trial(struct kit *kit, enum kit_record what, bool may_refuse, struct outcome *outcome)
{
    struct error error = {0};
    buffer_init(&outcome->text, 256 << 20);
    struct instance *instance = kit_open(kit, &error);
    outcome->opened = instance != NULL;
    if (!instance) {
        if (!may_refuse)
            kit_fail(kit, "it could be opened before, and now: %s", error.text);
        return true;
    }
    bool ended = kit->type->stage.flags & XY_STAGE_DATASET
                     ? run_dataset(kit, instance, what, outcome)
                     : run_once(kit, instance, what, 0, outcome);
    if (ended)
        kit_close(kit, instance);
    return ended;
}

static bool try_once(struct kit *kit, enum kit_record what, bool may_refuse)
{
    struct outcome outcome;
    bool ended = trial(kit, what, may_refuse, &outcome);
    buffer_free(&outcome.text);
    return ended;
}

static bool try_repeating(struct kit *kit)
{
    struct outcome first, second = {0};
    kit_begin(kit, "the same again");
    bool ended =
        trial(kit, RECORD_PLAIN, false, &first) && trial(kit, RECORD_PLAIN, false, &second);
    if (ended && !str_equal(buffer_str(&first.text), buffer_str(&second.text)))
        kit_fail(kit,
                 "the same records gave two results: take random numbers from xylem.rng/1, and "
                 "keep nothing outside the state");
    buffer_free(&first.text);
    buffer_free(&second.text);
    return ended;
}

static bool try_bare(struct kit *kit)
{
    kit_begin(kit, "missing services");
    kit->bare = true;
    struct error error = {0};
    struct instance *instance = kit_open(kit, &error);
    if (!instance) {
        if (error.code != XY_EUNSUPPORTED)
            kit_fail(kit, "without a service it opens with \"%s\": answer XY_EUNSUPPORTED or work",
                     error.text);
        return true;
    }
    kit_close(kit, instance);
    return try_once(kit, RECORD_PLAIN, false);
}

/* The run is cancelled at the first, second, ... call that the stage makes of the host. */
static bool try_cancelling(struct kit *kit)
{
    kit_begin(kit, "cancel");
    if (!try_once(kit, RECORD_PLAIN, true))
        return false;
    int points = atomic_load(&kit->calls) + 1;
    atomic_store(&kit->cancelled, 1); /* before anything began */
    if (!try_once(kit, RECORD_PLAIN, true))
        return false;
    for (int point = 1; point <= points && point <= CANCEL_POINTS; point++) {
        atomic_store(&kit->cancelled, 0);
        atomic_store(&kit->calls, 0);
        kit->cancel_at = point;
        if (!try_once(kit, RECORD_PLAIN, true))
            return false;
    }
    return true;
}

/* A source is asked until it ends; an endless one is fine, a silent one is not. */
static bool try_source(struct kit *kit)
{
    kit_begin(kit, "asked until it ends");
    struct error error = {0};
    struct instance *instance = kit_open(kit, &error);
    struct outcome outcome = {.verdict = XY_OK};
    buffer_init(&outcome.text, 256 << 20);
    for (uint64_t i = 0; instance && i < SOURCE_LIMIT && outcome.verdict >= 0; i++) {
        buffer_clear(&outcome.text);
        if (!run_once(kit, instance, RECORD_PLAIN, i, &outcome))
            return false;
        if (outcome.verdict == XY_END)
            break;
    }
    buffer_free(&outcome.text);
    kit_close(kit, instance);
    return true;
}

void kit_try_stream(struct kit *kit)
{
    /* Once a job has not ended, its memory is still in use and nothing after it can be trusted. */
    bool source = kit->type->stage.flags & XY_STAGE_SOURCE;
    for (enum kit_record what = RECORD_PLAIN; what < (source ? 1 : RECORD_KINDS); what++) {
        kit_begin(kit, kit_record_names[what]);
        if (!try_once(kit, what, false))
            return;
    }
    if (source && !try_source(kit))
        return;
    if (!try_repeating(kit) || !try_bare(kit))
        return;
    kit_begin(kit, "longer structs");
    kit->longer = true;
    if (!try_once(kit, RECORD_PLAIN, false))
        return;
    static const char *const names[] = {"", "failing services", "empty answers", "odd answers"};
    for (enum kit_answers answers = ANSWER_ERROR; answers <= ANSWER_ODD; answers++) {
        kit_begin(kit, names[answers]);
        kit->answers = answers;
        if (!try_once(kit, RECORD_PLAIN, true))
            return;
    }
    try_cancelling(kit);
}
