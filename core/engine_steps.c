/* SPDX-License-Identifier: Apache-2.0 */
/* One step after the other, in file order, on the conductor's thread. */
#include <stdlib.h>
#include <string.h>

#include "call_step.h"
#include "engine_internal.h"
#include "job.h"

static bool is_streaming(const struct step *step)
{
    return step->kind != STEP_REPEAT && !step_is_dataset(step);
}

static bool stopped(struct engine *engine)
{
    return engine->error.code || atomic_load(&engine->stop);
}

/* ---- phases ---------------------------------------------------------------------------------- */

enum { LEAST_WINDOW = 1024, MOST_WINDOW = 65536, DEFAULT_CONCURRENCY = 256 };

struct chain {
    struct engine *engine;
    struct step *const *steps; /* the first may be a source */
    size_t count;
    bool source;
    struct prepared **prepared; /* one for each step that is a stage, then the sources */
    size_t prepared_count;
    struct phase_step *phase_steps;
    struct instance **sources;
    uint32_t *rounds;
    struct error error;
};

static void plans_on_loop(void *data)
{
    struct chain *chain = data;
    for (size_t i = chain->source; i < chain->count && !chain->error.code; i++) {
        const struct step *step = chain->steps[i];
        if (step->kind != STEP_STAGE)
            chain->phase_steps[i - chain->source].calls =
                call_plan_create(&chain->engine->services, step, &chain->error);
    }
}

static int chain_open(struct chain *chain)
{
    struct engine *engine = chain->engine;
    size_t round_count = chain->source ? engine->rounds : 0;
    chain->phase_steps = memory_zeroed(chain->count, sizeof(*chain->phase_steps));
    chain->prepared = memory_zeroed(chain->count + round_count, sizeof(struct prepared *));
    chain->sources = memory_zeroed(round_count, sizeof(struct instance *));
    chain->rounds = memory_zeroed(round_count, sizeof(uint32_t));
    for (size_t i = 0; i < round_count; i++) {
        chain->rounds[i] = engine->next_round + (uint32_t)i;
        struct prepared *source = prepared_open(engine, chain->steps[0], chain->rounds[i]);
        if (!source)
            return engine->error.code;
        chain->prepared[chain->prepared_count++] = source;
        chain->sources[i] = prepared_instance(source);
    }
    for (size_t i = chain->source; i < chain->count; i++) {
        struct phase_step *place = &chain->phase_steps[i - chain->source];
        place->step = chain->steps[i];
        if (chain->steps[i]->kind != STEP_STAGE)
            continue;
        struct prepared *stage = prepared_open(engine, chain->steps[i], engine->iteration);
        if (!stage)
            return engine->error.code;
        chain->prepared[chain->prepared_count++] = stage;
        place->instance = prepared_instance(stage);
    }
    engine_on_loop(engine, plans_on_loop, chain);
    if (chain->error.code)
        engine->error = chain->error;
    return engine->error.code;
}

static void chain_close(struct chain *chain)
{
    for (size_t i = 0; chain->phase_steps && i < chain->count; i++)
        call_plan_destroy(chain->phase_steps[i].calls);
    for (size_t i = 0; i < chain->prepared_count; i++)
        prepared_close(chain->prepared[i]);
    free(chain->prepared);
    free(chain->phase_steps);
    free(chain->sources);
    free(chain->rounds);
}

/* Twice what can be in flight, so that a slow first record does not empty the connections. */
static size_t window_of(const struct chain *chain)
{
    size_t window = LEAST_WINDOW;
    for (size_t i = 0; i < chain->count; i++) {
        const struct step *step = chain->steps[i];
        if (step->kind == STEP_STAGE || step->kind == STEP_REPEAT)
            continue;
        uint32_t concurrency = step->call.model->concurrency;
        window += (size_t)(concurrency ? concurrency : DEFAULT_CONCURRENCY) * 2;
    }
    return window < MOST_WINDOW ? window : MOST_WINDOW;
}

/* The line that is shown while it runs tells of the steps that run, not of those before them. */
static void restart_progress(struct phase_progress *progress)
{
    atomic_store(&progress->entered, 0);
    atomic_store(&progress->accepted, 0);
    atomic_store(&progress->rejected, 0);
}

static int chain_run(struct chain *chain, const struct dataset *input, struct output *output)
{
    struct engine *engine = chain->engine;
    struct dataset *data, *rejects;
    if (chain_open(chain) < 0 || output_begin(engine, output, &data, &rejects) < 0)
        return engine->error.code;
    bool per_group = chain->source && engine->accept && output->refillable;
    struct phase phase = {
        .services = &engine->services,
        .steps = chain->phase_steps,
        .step_count = chain->count - chain->source,
        .sources = chain->sources,
        .source_rounds = chain->rounds,
        .source_count = chain->source ? engine->rounds : 0,
        .source_name = chain->steps[0]->id,
        .wanted = per_group ? accept_wanted : NULL,
        .wanted_data = engine,
        .most = per_group && engine->pipeline->accept.candidates
                    ? engine->pipeline->accept.candidates - engine->result->candidates : 0,
        .input = input,
        .output = data,
        .rejects = rejects,
        .round = engine->iteration,
        .window = window_of(chain),
        .stop = &engine->stop,
        .progress = &engine->progress,
    };
    restart_progress(&engine->progress);
    uint64_t started = loop_now_us(engine->services.loop);
    int code = phase_run(&phase, &engine->error);
    double seconds = (double)(loop_now_us(engine->services.loop) - started) / 1e6;
    report_add_counts(engine->report, chain->steps[chain->count - 1]->id,
                      &(struct step_counts){.seconds = seconds});
    if (per_group)
        engine->result->candidates += phase.entered;
    engine->result->unfinished += phase.unfinished;
    engine->over_budget = engine->over_budget || phase.over_budget;
    if (code < 0) {
        dataset_destroy(data);
        dataset_destroy(rejects);
        return code;
    }
    return output_commit(engine, output, data, rejects);
}

/* How often a step's records are read by anything: steps, options, outputs. */
static size_t readers(const struct engine *engine, const char *id)
{
    size_t count = 0;
    for (size_t i = 0; i < engine->output_count; i++) {
        const struct step *step = engine->outputs[i].step;
        for (size_t k = 0; k < step->from_count; k++)
            count += strcmp(step->from[k], id) == 0;
        for (const char **use = step->uses; use && *use; use++)
            count += strcmp(*use, id) == 0;
    }
    for (size_t i = 0; i < engine->pipeline->write_count; i++)
        count += strcmp(engine->pipeline->writes[i].from, id) == 0;
    return count;
}

static bool continues(const struct engine *engine, const struct step *previous,
                      const struct step *step)
{
    return is_streaming(step) && step->from_count == 1 &&
           strcmp(step->from[0], previous->id) == 0 && readers(engine, previous->id) == 1;
}

/* A chain reads what its first step reads, and the pools of all of its steps; what was read is
 * remembered at its last step, whose output it makes. */
static struct dataset *chain_input(struct engine *engine, struct step *const *steps, size_t count,
                                   struct output *output)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char **use = steps[i]->uses; use && *use; use++)
            used++;
    }
    const char **uses = memory_zeroed(used + 1, sizeof(*uses));
    used = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char **use = steps[i]->uses; use && *use; use++)
            uses[used++] = *use;
    }
    struct step reading = *steps[0];
    reading.uses = uses;
    uint32_t generation = output->generation;
    struct dataset *input = inputs_take(engine, &reading, output, false);
    free(uses);
    for (size_t i = 0; output->generation != generation && i < count; i++)
        report_reset_counts(engine->report, steps[i]->id);
    return input;
}

static int run_chain(struct engine *engine, struct step *const *steps, size_t count)
{
    struct output *output = output_find(engine, steps[count - 1]->id);
    struct chain chain = {.engine = engine, .steps = steps, .count = count,
                          .source = steps[0]->from_nothing};
    struct dataset *input = NULL;
    if (chain.source) {
        if (output->ran && !output->refillable)
            return XY_OK;
    } else {
        input = chain_input(engine, steps, count, output);
        if (!input)
            return XY_OK;
    }
    atomic_store(&engine->running, steps[count - 1]->id);
    chain_run(&chain, input, output);
    chain_close(&chain);
    dataset_destroy(input);
    return engine->error.code;
}

/* ---- repeat ---------------------------------------------------------------------------------- */

static void reset_all(struct engine *engine, struct step *const *steps, size_t count, bool first)
{
    for (size_t i = 0; i < count; i++) {
        struct output *output = output_find(engine, steps[i]->id);
        if (first) {
            output_reset(output);
            report_reset_counts(engine->report, output->id);
        } else {
            output_next_round(output);
        }
        reset_all(engine, steps[i]->steps, steps[i]->step_count, first);
    }
}

/* The repeat's own output is a copy of what its last step that is no evaluator left. */
static int hand_over(struct engine *engine, struct output *repeat, const struct dataset *from)
{
    struct dataset *data, *rejects;
    if (output_begin(engine, repeat, &data, &rejects) < 0)
        return engine->error.code;
    int code = XY_OK;
    for (uint64_t i = 0; i < dataset_count(from) && code >= 0; i++) {
        struct record *record = dataset_read(from, i);
        code = dataset_append(data, record, &engine->error);
        record_destroy(record);
    }
    if (code >= 0)
        return output_commit(engine, repeat, data, rejects);
    dataset_destroy(data);
    dataset_destroy(rejects);
    return code;
}

static const struct step *last_of(const struct step *repeat)
{
    for (size_t i = repeat->step_count; i-- > 0;) {
        if (!step_is_evaluator(repeat->steps[i]))
            return repeat->steps[i];
    }
    return NULL;
}

/* The scores of the stages, and `round`, which counts from 0. */
struct until_names {
    struct scope scores;
    uint32_t round;
};

static bool until_lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    const struct until_names *names = data;
    if (str_is(name, "round")) {
        *out = (struct value){.type = VALUE_INT, .integer = names->round};
        return true;
    }
    return names->scores.lookup(names->scores.data, arena, name, out);
}

static bool until_holds(struct engine *engine, const struct step *repeat, uint32_t round)
{
    if (!repeat->until)
        return false;
    struct until_names names = {.scores = report_scope(engine->report), .round = round};
    struct scope scope = {.lookup = until_lookup, .data = &names};
    struct arena arena = {0};
    struct value value;
    struct error error = {0};
    bool holds = false;
    if (expression_evaluate(repeat->until, &scope, &arena, &value, &error) < 0) {
        error_set(&engine->error, XY_EINVAL, "until: %s (scores are known by the names that the "
                  "evaluators inside the repeat report)", error.text);
        error_at(&engine->error, repeat->node->file, repeat->node->line, repeat->node->column);
    } else {
        holds = value_truth(&value);
    }
    arena_free(&arena);
    return holds;
}

static int run_repeat(struct engine *engine, const struct step *repeat)
{
    struct output *output = output_find(engine, repeat->id);
    struct dataset *input = NULL;
    if (!repeat->from_nothing) {
        input = inputs_take(engine, repeat, output, true);
        if (!input)
            return XY_OK;
    } else if (output->ran) {
        return XY_OK;
    }
    uint32_t outer = engine->iteration, rounds = engine->rounds, next_round = engine->next_round;
    const struct step *last = last_of(repeat);
    output_reset(output);
    engine->iteration = outer * repeat->times;
    int code = input ? hand_over(engine, output, input) : XY_OK;
    dataset_destroy(input);
    for (uint32_t i = 0; i < repeat->times && code >= 0 && !stopped(engine); i++) {
        engine->iteration = engine->next_round = outer * repeat->times + i;
        engine->rounds = 1; /* sources inside a repeat are asked once for each time */
        reset_all(engine, repeat->steps, repeat->step_count, outer == 0 && i == 0);
        code = steps_run(engine, repeat->steps, repeat->step_count, NULL);
        if (code < 0 || stopped(engine) || !last)
            break;
        struct dataset *left = output_all(output_find(engine, last->id));
        output_reset(output);
        code = hand_over(engine, output, left);
        dataset_destroy(left);
        if (code >= 0 && until_holds(engine, repeat, i))
            break;
    }
    engine->iteration = outer;
    engine->rounds = rounds;
    engine->next_round = next_round;
    return engine->error.code;
}

/* ---- all ------------------------------------------------------------------------------------- */

int steps_run(struct engine *engine, struct step *const *steps, size_t count,
              bool (*chosen)(struct engine *engine, const struct step *step))
{
    size_t i = 0;
    while (i < count && !stopped(engine)) {
        const struct step *step = steps[i];
        size_t next = i + 1;
        if (chosen && !chosen(engine, step)) {
            i = next;
            continue;
        }
        if (step->kind == STEP_REPEAT) {
            run_repeat(engine, step);
        } else if (step_is_dataset(step)) {
            engine_run_whole(engine, step);
        } else {
            while (next < count && continues(engine, steps[next - 1], steps[next]) &&
                   (!chosen || chosen(engine, steps[next])))
                next++;
            run_chain(engine, steps + i, next - i);
        }
        i = next;
    }
    return engine->error.code;
}
