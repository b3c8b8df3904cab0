/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - a source: makes one record for each of its values, several times over. */
#include <xylem/plugin.h>

struct state {
    const char *field;
    const char *const *values;
    int64_t times;
};

static const xy_option options[] = {
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "topic", 0, 0, 0, NULL,
     "The field that takes the value."},
    {"values", XY_OPT_LIST, offsetof(struct state, values), "[weather, food]", 0, 0, 0, NULL,
     "The values, in order."},
    {"times", XY_OPT_INT, offsetof(struct state, times), "1", 0, 1, 1000000000, NULL,
     "How often the whole list is gone through."},
    {0},
};

static size_t count_values(const struct state *state)
{
    size_t count = 0;
    while (state->values && state->values[count])
        count++;
    return count;
}

/* The value of the record with this sequence number, NULL past the last one. */
static const char *value_at(const struct state *state, uint64_t sequence)
{
    size_t count = count_values(state);
    return count > 0 && sequence < count * (uint64_t)state->times ? state->values[sequence % count]
                                                                  : NULL;
}

/* Asked again and again: one record each time, until there is no more. */
static int process(void *data, xy_job *job)
{
    const struct state *state = data;
    const char *value = value_at(state, job->api->sequence(job));
    if (!value)
        return XY_END;
    xy_record *record = job->api->new_record(job, NULL);
    int code = xy_record_set_text(record, state->field, xy_text(value));
    if (code < 0)
        return xy_fail(job, code, "cannot set the field `%s`", state->field);
    code = job->api->emit(job, record);
    return code < 0 ? code : XY_CONSUMED;
}

/* How many records there will be, for `xylem check`. */
static int64_t estimate(const void *data)
{
    const struct state *state = data;
    return (int64_t)count_values(state) * state->times;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_CONDITION, .flags = XY_STAGE_SOURCE, .id = "my_plugin",
    .state_size = sizeof(struct state), .summary = "Makes one record for each value.",
    .options = options, .process = process, .estimate = estimate,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
