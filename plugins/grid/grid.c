/* SPDX-License-Identifier: Apache-2.0 */
/* grid - every combination of attribute values, or a weighted draw of them (AttrPrompt, Yu et al.
 * 2023, "Large Language Model as Attributed Training Data Generator", section 3). */
#include <stdlib.h>

#include "grid_axes.h"
#include "json_value.h"

enum { AT_ONCE = 64, MOST_DRAWS = 10000 };

struct grid {
    const char *values, *weights, *exclude;
    int64_t count;
    const xy_rng *rng;
    struct axes axes;
    char error[256];
};

static const xy_option options[] = {
    {.name = "axes", .type = XY_OPT_JSON, .offset = offsetof(struct grid, values),
     .flags = XY_OPT_REST,
     .help = "Each other key is an axis: a field's name and the list of its values."},
    {.name = "count", .type = XY_OPT_INT, .offset = offsetof(struct grid, count), .def = "0",
     .low = 0, .high = 1e15,
     .help = "How many records to make; 0 makes every combination once."},
    {.name = "weights", .type = XY_OPT_JSON, .offset = offsetof(struct grid, weights),
     .help = "For some axes a map from value to weight: with `count`, combinations are drawn with "
             "probability proportional to the product of their weights."},
    {.name = "exclude", .type = XY_OPT_JSON, .offset = offsetof(struct grid, exclude),
     .help = "A list of maps from axes to values: combinations that match one are left out."},
    {0},
};

static int read_axes(struct grid *grid)
{
    return axes_read(&grid->axes, grid->values, grid->weights, grid->exclude, grid->error,
                     sizeof(grid->error));
}

static int open_grid(void *state, const xy_host *host)
{
    struct grid *grid = state;
    grid->rng = host->service(host, XY_RNG);
    if (!grid->rng)
        return XY_EUNSUPPORTED;
    int code = read_axes(grid);
    if (code == XY_OK && grid->axes.weighted && grid->count == 0) {
        snprintf(grid->error, sizeof(grid->error), "`weights` need a `count` of records to draw");
        code = XY_EINVAL;
    }
    if (code < 0) {
        xy_log_line(host, XY_LOG_ERROR, "%s", grid->error);
        axes_free(&grid->axes); /* close() comes only after a good open() */
    }
    return code;
}

static void close_grid(void *state)
{
    struct grid *grid = state;
    axes_free(&grid->axes);
}

static int64_t estimate(const void *state)
{
    const struct grid *grid = state;
    struct grid copy = *grid;
    int64_t records = -1;
    if (copy.count > 0)
        return copy.count;
    if (read_axes(&copy) == XY_OK && copy.axes.combinations < 1000000) {
        size_t *chosen = calloc(copy.axes.count, sizeof(*chosen));
        records = 0;
        for (uint64_t i = 0; chosen && i < copy.axes.combinations; i++) {
            axes_at(&copy.axes, i, chosen);
            records += !axes_excluded(&copy.axes, chosen);
        }
        free(chosen);
    }
    axes_free(&copy.axes);
    return records;
}

static int set_value(xy_job *job, xy_record *record, const char *name, xy_str json)
{
    char *scratch = job->api->alloc(job, json.len + 1);
    if (!scratch)
        return XY_ENOMEM;
    xy_value value;
    json_value_read(json, scratch, &value);
    return value.type == XY_NULL ? XY_OK : record->api->set(record, name, &value);
}

static int emit(struct grid *grid, xy_job *job, const xy_record *parent, const size_t *chosen)
{
    xy_record *record = job->api->new_record(job, parent);
    for (size_t i = 0; i < grid->axes.count; i++) {
        const struct axis *axis = &grid->axes.items[i];
        int code = set_value(job, record, axis->name, axis->values[chosen[i]].json);
        if (code < 0)
            return xy_fail(job, code, "the axis name `%s` cannot be a field's name", axis->name);
    }
    return job->api->emit(job, record);
}

/* Combination `number` of the records to make; *skip is set when it is excluded. */
static int choose(struct grid *grid, xy_job *job, const xy_record *parent, uint64_t number,
                  size_t *chosen, int *skip)
{
    const struct axes *axes = &grid->axes;
    *skip = 0;
    if (grid->count == 0) {
        axes_at(axes, number, chosen);
        *skip = axes_excluded(axes, chosen);
        return XY_OK;
    }
    if (!axes->weighted && !axes->exclude.ptr) {
        /* A later round goes on where the one before it stopped. */
        uint64_t total = job->api->round(job) * (uint64_t)grid->count + number;
        axes_at(axes, total % axes->combinations, chosen);
        return XY_OK;
    }
    uint64_t random = grid->rng->stream(job, parent, number);
    for (int draw = 0; draw < MOST_DRAWS; draw++) {
        axes_draw(axes, &random, chosen);
        if (!axes_excluded(axes, chosen))
            return XY_OK;
    }
    return xy_fail(job, XY_EINVAL, "`exclude` leaves almost no combination: %d draws in a row were "
                   "excluded", MOST_DRAWS);
}

static int process(void *state, xy_job *job)
{
    struct grid *grid = state;
    const xy_record *parent = job->api->input(job, 0);
    uint64_t total = grid->count ? (uint64_t)grid->count : grid->axes.combinations;
    uint64_t from = parent ? 0 : job->api->sequence(job) * AT_ONCE;
    uint64_t to = parent || from + AT_ONCE > total ? total : from + AT_ONCE;
    size_t *chosen = job->api->alloc(job, grid->axes.count * sizeof(*chosen));
    for (uint64_t number = from; number < to; number++) {
        int skip, code = choose(grid, job, parent, number, chosen, &skip);
        if (code == XY_OK && !skip)
            code = emit(grid, job, parent, chosen);
        if (code < 0)
            return code;
    }
    return !parent && to == total ? XY_END : XY_CONSUMED;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{label: [a, b], style: [c, d]}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage grid_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_SOURCE,
    .state_size = sizeof(struct grid),
    .id = "grid",
    .version = "1.0.0",
    .summary =
        "Makes a record for each combination of attribute values, or a weighted draw of them",
    .needs = needs,
    .options = options,
    .open = open_grid,
    .close = close_grid,
    .process = process,
    .estimate = estimate,
    .extension = extension,
    .fields = "sets one field for each axis",
};

XY_PLUGIN("grid", "1.0.0", "Apache-2.0", &grid_stage)
