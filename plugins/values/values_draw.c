/* SPDX-License-Identifier: Apache-2.0 */
/* values.draw - a value drawn for each record from a data set of values, where it matters from
 * those of the record's own class: the uniform draw of AttrPrompt (Yu et al. 2023, section 3.2),
 * whose class-dependent attributes have other values in each class. */
#include <stdlib.h>

#include "json_value.h"
#include "names.h"
#include "values.h"

struct draw {
    xy_dataset *pool;
    const char *const *fields;
    const char *match, *weight;
    const xy_host *host;
    const xy_rng *rng;
    struct names groups;    /* the values of `match`; one, empty, without it */
    struct text bytes;      /* the drawn fields as JSON lists, one for each record of the pool */
    struct row {
        size_t start, length;
        uint32_t group;
        double weight;
    } *rows;                /* by group, then as the pool has them */
    size_t count, field_count;
    size_t *firsts;         /* of each group in `rows`; groups + 1 of them */
};

static const xy_option options[] = {
    {.name = "pool", .type = XY_OPT_DATASET, .offset = offsetof(struct draw, pool),
     .flags = XY_OPT_REQUIRED,
     .help = "The data set of values: a step's id, or a file. Each record of it is one value."},
    {.name = "field", .type = XY_OPT_LIST, .offset = offsetof(struct draw, fields),
     .def = "value",
     .help = "The pool's field that is copied to the record; or several, from one draw."},
    {.name = "match", .type = XY_OPT_FIELD, .offset = offsetof(struct draw, match),
     .help = "Draws only from records of the pool in which this field has the record's own value: "
             "`label` for values that depend on the class."},
    {.name = "weight", .type = XY_OPT_FIELD, .offset = offsetof(struct draw, weight),
     .help = "A number field of the pool: values are drawn in proportion to it. Without it each is "
             "as likely."},
    {0},
};

static int open_draw(void *state, const xy_host *host)
{
    struct draw *draw = state;
    draw->host = host;
    draw->rng = host->service(host, XY_RNG);
    while (draw->fields && draw->fields[draw->field_count])
        draw->field_count++;
    if (draw->field_count == 0)
        xy_log_line(host, XY_LOG_ERROR, "`field` is an empty list; name at least one field");
    return !draw->rng ? XY_EUNSUPPORTED : draw->field_count ? XY_OK : XY_EINVAL;
}

static void close_draw(void *state)
{
    struct draw *draw = state;
    names_free(&draw->groups);
    text_free(&draw->bytes);
    free(draw->rows);
    free(draw->firsts);
}

/* ---- the pool -------------------------------------------------------------------------------- */

static int read_row(struct draw *draw, xy_job *job, const xy_record *record, uint64_t index)
{
    struct row *row = &draw->rows[draw->count];
    char scratch[NAMES_SCRATCH];
    *row = (struct row){.start = draw->bytes.length, .weight = 1};
    for (size_t i = 0; i < draw->field_count; i++) {
        xy_value value = {.type = XY_NULL};
        int type = record->api->get(record, draw->fields[i], &value);
        if (type == XY_NULL || type == XY_VECTOR)
            return xy_fail(job, XY_EINVAL, "record %llu of the `pool` has no `%s`; filter the "
                           "pool, or name another `field`", (unsigned long long)index,
                           draw->fields[i]);
        text_add_literal(&draw->bytes, i ? "," : "[");
        json_value_add(&draw->bytes, &value);
    }
    text_add_literal(&draw->bytes, "]");
    row->length = draw->bytes.length - row->start;
    if (draw->weight)
        row->weight = names_number(record, draw->weight, __builtin_nan(""));
    if (!(row->weight >= 0) || row->weight > 1e300)
        return xy_fail(job, XY_EINVAL, "record %llu of the `pool`: `%s` is no number of at least 0",
                       (unsigned long long)index, draw->weight);
    row->group = names_add(&draw->groups, draw->match ? names_label(record, draw->match, scratch)
                                                      : xy_text(""));
    draw->count++;
    return draw->bytes.failed || row->group == NAMES_NONE ? xy_fail(job, XY_ENOMEM, "out of memory")
                                                          : XY_OK;
}

static int by_group(const void *a, const void *b)
{
    const struct row *first = a, *second = b;
    if (first->group != second->group)
        return first->group < second->group ? -1 : 1;
    return (first->start > second->start) - (first->start < second->start);
}

static int prepare(void *state, xy_job *job)
{
    struct draw *draw = state;
    uint64_t count = draw->pool->api->count(draw->pool);
    if (count == 0) /* what a model was asked for may all have been dropped: no end of the run */
        xy_log_line(draw->host, XY_LOG_WARNING,
                    "the `pool` is empty: all records go to the rejects");
    draw->rows = calloc(count + 1, sizeof(*draw->rows));
    if (!draw->rows)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = draw->pool->api->at(draw->pool, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu of the `pool` cannot be read",
                           (unsigned long long)i);
        int code = read_row(draw, job, record, i);
        if (code < 0)
            return code;
    }
    if (count > 0)
        qsort(draw->rows, draw->count, sizeof(*draw->rows), by_group);
    draw->firsts = calloc((size_t)draw->groups.count + 1, sizeof(*draw->firsts));
    if (!draw->firsts)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < draw->count; i++)
        draw->firsts[draw->rows[i].group + 1] = i + 1;
    return XY_OK;
}

/* ---- one record ------------------------------------------------------------------------------ */

/* NULL where all weights are 0. */
static const struct row *choose(const struct draw *draw, size_t from, size_t to, uint64_t *random)
{
    double sum = 0;
    if (!draw->weight)
        return &draw->rows[from + xy_random_below(random, to - from)];
    for (size_t i = from; i < to; i++)
        sum += draw->rows[i].weight;
    double at = xy_random_unit(random) * sum;
    const struct row *last = NULL;
    for (size_t i = from; i < to; i++) {
        if (draw->rows[i].weight > 0)
            last = &draw->rows[i];
        at -= draw->rows[i].weight;
        if (at < 0 && last)
            return last;
    }
    return last; /* rounding left nothing to take off */
}

static int set_fields(const struct draw *draw, xy_job *job, xy_record *record,
                      const struct row *row)
{
    xy_str list = {draw->bytes.bytes + row->start, row->length};
    xy_str key = {NULL, 0}, json = {NULL, 0};
    struct json_cursor at = {0};
    for (size_t i = 0; i < draw->field_count && json_next(list, &at, &key, &json); i++) {
        char *scratch = job->api->alloc(job, json.len + 1);
        if (!scratch)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        xy_value value;
        json_value_read(json, scratch, &value);
        int code = record->api->set(record, draw->fields[i], &value);
        if (code < 0)
            return xy_fail(job, code, "the value cannot be set on `%s`", draw->fields[i]);
    }
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct draw *draw = state;
    xy_record *record = job->api->input(job, 0);
    char scratch[NAMES_SCRATCH];
    xy_str own = draw->match ? names_label(record, draw->match, scratch) : xy_text("");
    uint32_t group = draw->match && !own.ptr ? NAMES_NONE : names_find(&draw->groups, own);
    if (draw->count == 0)
        return xy_drop(job, "the `pool` is empty: there is no value to draw");
    if (group == NAMES_NONE)
        return xy_drop(job, "the `pool` has no value for `%s` %.*s", draw->match,
                       own.ptr ? (int)own.len : 9, own.ptr ? own.ptr : "(missing)");
    uint64_t random = draw->rng->stream(job, record, 0);
    const struct row *row = choose(draw, draw->firsts[group], draw->firsts[group + 1], &random);
    if (!row)
        return xy_drop(job, "all values that it could draw have weight 0");
    return set_fields(draw, job, record, row);
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{pool: some, field: text}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage values_draw = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct draw),
    .id = "values.draw",
    .version = "1.0.0",
    .summary = "Draws a value for each record from a data set, where asked of its own class",
    .needs = needs,
    .options = options,
    .open = open_draw,
    .prepare = prepare,
    .close = close_draw,
    .process = process,
    .extension = extension,
    .fields = "reads `match`, sets `field`",
};
