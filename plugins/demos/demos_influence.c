/* SPDX-License-Identifier: Apache-2.0 */
/* demos.influence - demonstrations drawn from the rows of the pool that help a small classifier
 * most: ProGen (Ye et al. 2022, "ProGen: Progressive Zero-shot Dataset Generation via In-context
 * Feedback", section 3). The pool is what was generated so far; part of it is set aside to
 * measure on. */
#include <math.h>
#include <stdlib.h>

#include "demos.h"
#include "demos_draw.h"
#include "influence.h"

struct influence_demos {
    struct pool_options options;   /* `balance` is the label */
    struct space space;
    struct drawing drawing;
    struct places places;
    xy_dataset *validation;
    const char *loss;
    double holdout, c;
    int64_t keep;
};

static const xy_option options[] = {
    POOL_OPTIONS,
    {.name = "label", .type = XY_OPT_FIELD, .offset = POOL_AT(balance), .def = "label",
     .help = "The pool's field with the class that the classifier learns. Without `match`, classes "
             "are drawn from alike."},
    {.name = "keep", .type = XY_OPT_INT, .offset = offsetof(struct influence_demos, keep),
     .def = "50", .low = 1, .high = 1e9,
     .help = "How many of the most helpful of each label are drawn from."},
    {.name = "loss", .type = XY_OPT_TEXT, .offset = offsetof(struct influence_demos, loss),
     .def = "rce", .choices = "rce|ce",
     .help = "The loss on the rows set aside: reverse cross-entropy, which bears wrong labels "
             "among them, or cross-entropy, for `validation` with labels to be trusted."},
    {.name = "holdout", .type = XY_OPT_NUMBER, .offset = offsetof(struct influence_demos, holdout),
     .def = "0.5", .low = 0.01, .high = 0.99,
     .help = "The share of each label's rows that is set aside to measure on; fixed by their ids, "
             "so that it stays the same while the pool grows."},
    {.name = "validation", .type = XY_OPT_DATASET,
     .offset = offsetof(struct influence_demos, validation),
     .help = "Other rows to measure on, in place of a part of the pool."},
    {.name = "c", .type = XY_OPT_NUMBER, .offset = offsetof(struct influence_demos, c),
     .def = "10", .low = 1e-6, .high = 1e6,
     .help = "The classifier's inverse strength of regularisation, as in `linear`."},
    SHARE_OPTION(struct influence_demos),
    {.name = "field", .type = XY_OPT_FIELD, .offset = POOL_AT(query_field), .def = "text",
     .help = "The text by which `exclude_self` knows a record again."},
    EMBED_OPTIONS(struct influence_demos),
    GIVE_OPTIONS,
    {0},
};

static int open_influence(void *state, const xy_host *host)
{
    struct influence_demos *demos = state;
    if (!demos->options.text_field)
        demos->options.text_field = demos->options.query_field;
    int code = drawing_open(&demos->drawing, host);
    return code < 0 ? code : space_open(&demos->space, host);
}

/* ---- rows to learn from and to measure on ---------------------------------------------------- */

struct rows {
    const float **vectors;
    uint32_t *labels;
    uint32_t *pool_rows;
    size_t count;
};

struct lesson {
    struct rows train, validation;
    struct names classes;      /* labels, without the empty one */
    uint32_t *class_of;        /* of each row of the pool; NAMES_NONE without a label */
    double *scores;            /* of each row of the pool; NaN where there is none */
    struct pool other;         /* of `validation` */
    struct places other_places;
};

static int rows_init(struct rows *rows, size_t room)
{
    rows->vectors = calloc(room + 1, sizeof(*rows->vectors));
    rows->labels = calloc(room + 1, sizeof(*rows->labels));
    rows->pool_rows = calloc(room + 1, sizeof(*rows->pool_rows));
    return rows->vectors && rows->labels && rows->pool_rows ? XY_OK : XY_ENOMEM;
}

static void rows_add(struct rows *rows, const float *vector, uint32_t label, uint32_t pool_row)
{
    rows->vectors[rows->count] = vector;
    rows->labels[rows->count] = label;
    rows->pool_rows[rows->count++] = pool_row;
}

static void rows_free(struct rows *rows)
{
    free(rows->vectors);
    free(rows->labels);
    free(rows->pool_rows);
}

/* A row with the number by which its label's rows are shuffled, the same in every round. */
struct lot {
    uint64_t key;
    uint32_t class_index, row;
};

static int by_class_and_key(const void *a, const void *b)
{
    const struct lot *left = a, *right = b;
    if (left->class_index != right->class_index)
        return left->class_index < right->class_index ? -1 : 1;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

/* Splits the rows of each label: the first share is set aside, at least one where there are two. */
static void split(const struct influence_demos *demos, struct lesson *lesson, struct lot *lots,
                  size_t count)
{
    qsort(lots, count, sizeof(*lots), by_class_and_key);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && lots[to].class_index == lots[from].class_index;)
            to++;
        size_t size = to - from, aside = (size_t)(demos->holdout * (double)size + 0.5);
        aside = aside == 0 && size > 1 ? 1 : aside == size ? size - 1 : aside;
        for (size_t i = 0; i < size; i++) {
            const struct lot *lot = &lots[from + i];
            bool other = demos->validation == NULL && i < aside;
            rows_add(other ? &lesson->validation : &lesson->train,
                     places_at(&demos->places, lot->row), lot->class_index, lot->row);
        }
    }
}

static int take_pool(struct influence_demos *demos, struct lesson *lesson, xy_job *job)
{
    const struct pool *pool = &demos->drawing.pool;
    struct lot *lots = job->api->alloc(job, (pool->read + 1) * sizeof(*lots));
    lesson->class_of = job->api->alloc(job, (pool->read + 1) * sizeof(*lesson->class_of));
    lesson->scores = job->api->alloc(job, (pool->read + 1) * sizeof(*lesson->scores));
    size_t count = 0;
    if (!lots || !lesson->class_of || !lesson->scores ||
        rows_init(&lesson->train, pool->read) < 0 || rows_init(&lesson->validation, pool->read) < 0)
        return XY_ENOMEM;
    for (size_t i = 0; i < pool->count; i++) {
        const struct demo *demo = &pool->demos[i];
        xy_str label = names_at(&pool->balance_values, demo->balance - 1);
        lesson->class_of[demo->row] = label.len ? names_add(&lesson->classes, label) : NAMES_NONE;
        lesson->scores[demo->row] = NAN;
        uint64_t key = demo->id;
        if (label.len && lesson->class_of[demo->row] == NAMES_NONE)
            return XY_ENOMEM;
        if (label.len)
            lots[count++] = (struct lot){xy_random_next(&key), lesson->class_of[demo->row],
                                         demo->row};
    }
    split(demos, lesson, lots, count);
    return XY_OK;
}

static int take_validation(struct influence_demos *demos, struct lesson *lesson, xy_job *job)
{
    struct pool_options given = demos->options;
    given.dataset = demos->validation;
    given.match = NULL;
    if (given.dataset->api->count(given.dataset) == 0)
        return xy_fail(job, XY_EINVAL, "`validation` is empty: there is no row to measure on");
    int code = pool_read(&lesson->other, job, &given);
    if (code == XY_OK)
        code = places_of_pool(&lesson->other_places, job, &demos->space, &lesson->other, &given);
    if (code < 0)
        return code;
    if (lesson->other_places.dimension != demos->places.dimension)
        return xy_fail(job, XY_EINVAL, "the vectors of the `pool` have %zu dimensions, those of "
                       "`validation` %zu", demos->places.dimension, lesson->other_places.dimension);
    rows_free(&lesson->validation);
    lesson->validation = (struct rows){0};
    if (rows_init(&lesson->validation, lesson->other.count) < 0)
        return XY_ENOMEM;
    for (size_t i = 0; i < lesson->other.count; i++) {
        const struct demo *demo = &lesson->other.demos[i];
        xy_str label = names_at(&lesson->other.balance_values, demo->balance - 1);
        uint32_t class_index = names_find(&lesson->classes, label);
        if (label.len && class_index != NAMES_NONE)
            rows_add(&lesson->validation, places_at(&lesson->other_places, demo->row), class_index,
                     demo->row);
    }
    return XY_OK;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static void report_score(const xy_report *report, xy_job *job, const char *name, double value,
                         const char *unit, size_t n, const char *help)
{
    const xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                            .high = NAN, .unit = unit, .n = n, .help = help};
    report->score(job, &score);
}

static void report_lesson(const struct influence_demos *demos, xy_job *job,
                          const struct lesson *lesson, double accuracy)
{
    const xy_report *report = demos->drawing.host->service(demos->drawing.host, XY_REPORT);
    const struct pool *pool = &demos->drawing.pool;
    size_t helpful = 0;
    if (!report)
        return;
    for (size_t i = 0; i < lesson->train.count; i++)
        helpful += lesson->scores[lesson->train.pool_rows[i]] < 0;
    report_score(report, job, "helpful", (double)helpful / (double)lesson->train.count, "share",
                 lesson->train.count, "rows that lower the loss on those set aside");
    report_score(report, job, "student_accuracy", accuracy, "share", lesson->validation.count,
                 "how often the classifier gives the label of a row set aside");
    struct text list = {0};
    for (size_t i = 0; i < pool->count; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%s[\"%016llx\",", i ? "," : "[",
                 (unsigned long long)pool->demos[i].id);
        text_add_literal(&list, id);
        text_add_number(&list, lesson->scores[pool->demos[i].row]);
        text_add_literal(&list, "]");
    }
    text_add_literal(&list, "]");
    if (!list.failed && pool->count)
        report->detail(job, "kept", (xy_str){list.bytes, list.length});
    text_free(&list);
}

static int measure(struct influence_demos *demos, struct lesson *lesson, xy_job *job)
{
    const struct influence_task task = {
        .dimension = demos->places.dimension, .classes = lesson->classes.count, .c = demos->c,
        .reverse = demos->loss[0] == 'r',
        .train = {.rows = lesson->train.vectors, .labels = lesson->train.labels,
                  .count = lesson->train.count},
        .validation = {.rows = lesson->validation.vectors, .labels = lesson->validation.labels,
                       .count = lesson->validation.count}};
    struct influence influence = {0};
    int code = influence_measure(&influence, job, &task);
    for (size_t i = 0; i < lesson->train.count && code == XY_OK; i++)
        lesson->scores[lesson->train.pool_rows[i]] = influence.scores[i];
    if (code == XY_OK)
        code = drawing_keep_lowest(&demos->drawing, lesson->scores, lesson->class_of,
                                   (size_t)demos->keep);
    if (code == XY_OK)
        report_lesson(demos, job, lesson, influence.accuracy);
    influence_free(&influence);
    return code;
}

static int learn(struct influence_demos *demos, struct lesson *lesson, xy_job *job)
{
    int code = take_pool(demos, lesson, job);
    if (code == XY_OK && lesson->classes.count < 2)
        return xy_fail(job, XY_EINVAL, "the `pool` has %s in `%s`: influence needs rows of two "
                       "labels at least", lesson->classes.count ? "one label only" : "no label",
                       demos->options.balance);
    if (code == XY_OK && demos->validation)
        code = take_validation(demos, lesson, job);
    if (code == XY_OK && lesson->validation.count == 0)
        return xy_fail(job, XY_EINVAL, "there is no row to measure on: %s",
                       demos->validation ? "no label of `validation` is one of the pool's"
                                         : "the pool needs two rows of some label at least");
    return code < 0 ? code : measure(demos, lesson, job);
}

static int prepare(void *state, xy_job *job)
{
    struct influence_demos *demos = state;
    struct lesson lesson = {0};
    int code = pool_read(&demos->drawing.pool, job, &demos->options);
    if (code == XY_OK)
        code = places_of_pool(&demos->places, job, &demos->space, &demos->drawing.pool,
                              &demos->options);
    if (code == XY_OK)
        code = learn(demos, &lesson, job);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    rows_free(&lesson.train);
    rows_free(&lesson.validation);
    names_free(&lesson.classes);
    pool_free(&lesson.other);
    places_free(&lesson.other_places);
    return code;
}

static void close_influence(void *state)
{
    struct influence_demos *demos = state;
    places_free(&demos->places);
    pool_free(&demos->drawing.pool);
}

static int process(void *state, xy_job *job)
{
    struct influence_demos *demos = state;
    return drawing_process(&demos->drawing, job, &demos->options);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{pool: records.jsonl, validation: records.jsonl, embed: m, k: 2}"
               : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage demos_influence = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct influence_demos),
    .id = "demos.influence",
    .version = "1.0.0",
    .summary = "Gives each record demonstrations that help a small classifier most",
    .needs = needs,
    .options = options,
    .open = open_influence,
    .prepare = prepare,
    .close = close_influence,
    .process = process,
    .extension = extension,
    .fields = "reads `match` and `field`, `label` and `pool_field` of the pool; sets `into` and "
              "`ids`; rejects records below `least`",
};
