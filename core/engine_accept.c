/* SPDX-License-Identifier: Apache-2.0 */
/* Passes until `accept` has its count, the cut, and the yield of each group.
 *
 * A pass asks the sources again (as many rounds as the yield so far says are needed), and runs the
 * steps that lead to what is accepted over what is new; whole-dataset steps see everything so far.
 * Records of a group that is full are not even asked for. When enough passed, the first `count` of
 * each group in order are accepted; the surplus goes to the rejects and is named so.
 */
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "json.h"

enum {
    MOST_ROUNDS = 64,    /* rounds of the sources in one pass */
    MOST_BARREN = 3,     /* passes in a row that add nothing before the run gives up */
    MOST_GROUPS = 10000
};

struct accept_group {
    char *name;
    uint64_t candidates, accepted;
};

struct accept_state {
    struct accept_group *groups;
    size_t count;
    bool closed;         /* the file names all groups: others are not asked for */
};

static struct accept_group *group_of(struct engine *engine, xy_str name, bool add)
{
    struct accept_state *state = engine->accept;
    for (size_t i = 0; i < state->count; i++) {
        if (str_is(name, state->groups[i].name))
            return &state->groups[i];
    }
    if (!add || state->count == MOST_GROUPS)
        return NULL;
    state->groups = memory_resize(state->groups, state->count + 1, sizeof(*state->groups));
    struct accept_group *group = &state->groups[state->count++];
    *group = (struct accept_group){.name = memory_copy_text(name.ptr, name.len)};
    return group;
}

/* A group's name: the field's text, or its JSON for any other type; "" without `per`. */
static xy_str group_name(const struct engine *engine, const struct record *record,
                         struct buffer *scratch)
{
    const char *per = engine->pipeline->accept.per;
    struct arena arena = {0};
    struct value value;
    buffer_clear(scratch);
    if (per && record_value(record, &arena, str_of(per), &value)) {
        if (value.type == VALUE_TEXT)
            buffer_append_str(scratch, value.text);
        else
            json_write(scratch, &value);
    }
    arena_free(&arena);
    return buffer_str(scratch);
}

static bool has_group(const struct engine *engine, const struct record *record)
{
    xy_value value;
    const char *per = engine->pipeline->accept.per;
    return !per || record_get(record, per, &value) != XY_NULL;
}

bool accept_wanted(void *data, const struct record *record)
{
    struct engine *engine = data;
    if (!has_group(engine, record))
        return true; /* the field comes later: nobody can tell yet */
    struct buffer scratch;
    buffer_init(&scratch, 1 << 20);
    struct accept_group *group = group_of(engine, group_name(engine, record, &scratch), true);
    bool wanted = !group || group->accepted < engine->pipeline->accept.count;
    if (group && wanted)
        group->candidates++;
    buffer_free(&scratch);
    return wanted;
}

static void count_accepted(struct engine *engine, const struct output *output)
{
    struct buffer scratch;
    buffer_init(&scratch, 1 << 20);
    for (size_t i = 0; i < engine->accept->count; i++)
        engine->accept->groups[i].accepted = 0;
    struct dataset *all = output_all(output);
    for (uint64_t i = 0; i < dataset_count(all); i++) {
        struct record *record = dataset_read(all, i);
        struct accept_group *group = group_of(engine, group_name(engine, record, &scratch), true);
        if (group)
            group->accepted++;
        record_destroy(record);
    }
    dataset_destroy(all);
    buffer_free(&scratch);
}

/* How many more records are needed, and how many of the wanted ones there are. */
static uint64_t missing(const struct engine *engine, uint64_t *have)
{
    uint64_t wanted = engine->pipeline->accept.count, lacking = 0;
    *have = 0;
    for (size_t i = 0; i < engine->accept->count; i++) {
        uint64_t accepted = engine->accept->groups[i].accepted;
        *have += accepted < wanted ? accepted : wanted;
        lacking += accepted < wanted ? wanted - accepted : 0;
    }
    return engine->accept->count ? lacking : wanted;
}

static bool is_needed(struct engine *engine, const struct step *step)
{
    return output_find(engine, step->id)->needed;
}

static bool is_left(struct engine *engine, const struct step *step)
{
    return !output_find(engine, step->id)->needed;
}

static void mark(struct engine *engine, const char *id, bool through_from)
{
    struct output *output = output_find(engine, id);
    bool news = !output->needed || (through_from && !output->refillable);
    output->needed = true;
    output->refillable = output->refillable || through_from;
    if (!news)
        return;
    const struct step *step = output->step;
    for (size_t i = 0; i < step->from_count; i++)
        mark(engine, step->from[i], through_from);
    for (const char **use = step->uses; use && *use; use++)
        mark(engine, *use, false);
    for (size_t i = 0; i < step->step_count; i++)
        mark(engine, step->steps[i]->id, false);
}

/* The rounds that the yield so far says are still needed; growing at most fourfold a pass, since a
 * first small pass may mislead. A function of counts alone, so that every run takes the same
 * passes. */
static uint32_t next_rounds(const struct engine *engine, uint64_t have, uint64_t lacking)
{
    double per_round = (double)have / engine->next_round;
    double needed = per_round > 0 ? (double)lacking / per_round : MOST_ROUNDS;
    double most = engine->rounds * 4.0 < MOST_ROUNDS ? engine->rounds * 4.0 : MOST_ROUNDS;
    if (needed > most)
        needed = most;
    return needed < 1 ? 1 : (uint32_t)(needed + 0.999);
}

static bool limit_reached(const struct engine *engine)
{
    uint64_t limit = engine->pipeline->accept.candidates;
    return limit && engine->result->candidates >= limit;
}

static int run_passes(struct engine *engine, const struct output *output)
{
    const struct pipeline *pipeline = engine->pipeline;
    uint64_t have = 0, before = 0, lacking = 0, candidates = 0;
    unsigned barren = 0;
    for (;;) {
        int code = steps_run(engine, pipeline->steps, pipeline->step_count, is_needed);
        if (code < 0 || atomic_load(&engine->stop))
            return code;
        engine->pass++;
        engine->next_round += engine->rounds;
        count_accepted(engine, output);
        lacking = missing(engine, &have);
        barren = have > before ? 0 : barren + 1;
        bool dry = engine->result->candidates == candidates;
        if (lacking == 0 || dry || barren == MOST_BARREN || limit_reached(engine) ||
            engine->over_budget)
            break;
        before = have;
        candidates = engine->result->candidates;
        engine->rounds = next_rounds(engine, have, lacking);
        engine->rounds_asked = engine->next_round + engine->rounds;
    }
    if (lacking) {
        const char *why = engine->over_budget        ? "the budget is spent"
                          : limit_reached(engine)    ? "`candidates` is reached"
                          : barren == MOST_BARREN    ? "three passes in a row added nothing"
                                                     : "the sources have no more";
        services_log(&engine->services, XY_LOG_WARNING, "accept",
                     "%llu records short: %s", (unsigned long long)lacking, why);
        engine->result->end = engine->over_budget ? ENGINE_BUDGET : ENGINE_SHORT;
    }
    return XY_OK;
}

/* Keeps the first `count` of each group, in order. */
static int cut(struct engine *engine, struct output *output)
{
    struct dataset *all = output_all(output), *data = NULL, *surplus = NULL;
    struct buffer scratch;
    buffer_init(&scratch, 1 << 20);
    for (size_t i = 0; i < engine->accept->count; i++)
        engine->accept->groups[i].accepted = 0;
    int code = output_begin(engine, output, &data, &surplus);
    for (uint64_t i = 0; code >= 0 && i < dataset_count(all); i++) {
        struct record *record = dataset_read(all, i);
        struct accept_group *group = group_of(engine, group_name(engine, record, &scratch), true);
        if (group && group->accepted < engine->pipeline->accept.count) {
            group->accepted++;
            code = dataset_append(data, record, &engine->error);
        } else {
            record_event(record, "accept", "dropped",
                         STR("\"reason\":\"surplus: its group already has the accepted count\""));
            code = dataset_append(surplus, record, &engine->error);
        }
        record_destroy(record);
    }
    dataset_destroy(all);
    buffer_free(&scratch);
    if (code >= 0)
        return output_replace(engine, output, data, surplus);
    dataset_destroy(data);
    dataset_destroy(surplus);
    return code;
}

static void take_groups(struct engine *engine)
{
    struct engine_result *result = engine->result;
    struct accept_state *state = engine->accept;
    result->groups = memory_zeroed(state->count, sizeof(*result->groups));
    result->group_count = state->count;
    for (size_t i = 0; i < state->count; i++) {
        result->groups[i].name = state->groups[i].name;
        state->groups[i].name = NULL;
        result->groups[i].wanted = engine->pipeline->accept.count;
        result->groups[i].candidates = state->groups[i].candidates;
        result->groups[i].accepted = state->groups[i].accepted;
    }
}

int accept_run(struct engine *engine)
{
    const struct pipeline *pipeline = engine->pipeline;
    engine->accept = memory_zeroed(1, sizeof(*engine->accept));
    for (const char **group = pipeline->accept.groups; group && *group; group++)
        group_of(engine, str_of(*group), true);
    if (!pipeline->accept.per)
        group_of(engine, STR(""), true);
    struct output *output = output_find(engine, pipeline->writes[0].from);
    mark(engine, output->id, true);
    int code = run_passes(engine, output);
    if (code >= 0 && !atomic_load(&engine->stop))
        code = cut(engine, output);
    if (code >= 0 && !atomic_load(&engine->stop)) {
        engine->rounds = 1;
        engine->next_round = 0;
        code = steps_run(engine, pipeline->steps, pipeline->step_count, is_left);
    }
    take_groups(engine);
    return code;
}

void accept_free(struct engine *engine)
{
    for (size_t i = 0; engine->accept && i < engine->accept->count; i++)
        free(engine->accept->groups[i].name);
    if (engine->accept)
        free(engine->accept->groups);
    free(engine->accept);
}
