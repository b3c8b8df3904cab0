/* SPDX-License-Identifier: Apache-2.0 */
/* my_plugin - reports the mean length of a text field, in bytes. */
#include <math.h>
#include <xylem/plugin.h>

struct state {
    const char *field;
    const xy_report *report;
};

static const xy_option options[] = {
    {"field", XY_OPT_FIELD, offsetof(struct state, field), "text", 0, 0, 0, NULL,
     "The field to measure."},
    {0},
};

static const char *const needs[] = {XY_REPORT, NULL};

static int open(void *data, const xy_host *host)
{
    struct state *state = data;
    state->report = host->service(host, XY_REPORT);
    return state->report ? XY_OK : XY_EUNSUPPORTED;
}

static double mean(uint64_t total, uint64_t count)
{
    return count ? (double)total / (double)count : 0;
}

static int run(void *data, xy_job *job, xy_dataset *input)
{
    const struct state *state = data;
    uint64_t total = 0, count = input->api->count(input);
    for (uint64_t i = 0; i < count; i++) {
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        total += xy_record_text(input->api->at(input, i), state->field).len;
    }
    const xy_score score = {
        .size = sizeof(score), .name = "mean_bytes", .value = mean(total, count), .low = NAN,
        .high = NAN, .unit = "bytes", .n = count, .help = "Mean length of the field.",
    };
    state->report->score(job, &score);
    return XY_OK;
}

static const xy_stage stage = {
    XY_STAGE_INIT, .kind = XY_EVALUATOR, .flags = XY_STAGE_DATASET, .id = "my_plugin",
    .state_size = sizeof(struct state), .summary = "Reports the mean length of a text field.",
    .needs = needs, .options = options, .open = open, .run = run,
};

XY_PLUGIN("my_plugin", "0.1.0", "Apache-2.0", &stage)
