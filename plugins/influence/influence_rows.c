/* SPDX-License-Identifier: Apache-2.0 */
#include "influence_rows.h"

#include <math.h>
#include <stdlib.h>

/* ---- where rows lie -------------------------------------------------------------------------- */

static int embed_texts(struct influence_set *set, xy_job *job,
                       const struct influence_source *source)
{
    size_t count = 0;
    set->places = calloc(set->rows.count + 1, sizeof(*set->places));
    xy_str *texts = calloc(set->rows.count + 1, sizeof(*texts));
    int code = set->places && texts ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < set->rows.count && code == XY_OK; i++) {
        set->places[i] = count;
        if (labelled_has_text(&set->rows, i))
            texts[count++] = names_at(&set->rows.texts, set->rows.text_numbers[i]);
    }
    if (code == XY_OK && count)
        code = source->models->embed(job, source->embed, texts, count, &set->embedded,
                                     &set->dimension);
    free(texts);
    return code;
}

int influence_set_read(struct influence_set *set, xy_job *job, xy_dataset *dataset,
                       const struct influence_source *source, struct names *classes)
{
    int code = labelled_read(&set->rows, job, dataset, source->fields, classes);
    if (code < 0)
        return code;
    if (source->embed)
        return embed_texts(set, job, source);
    set->dimension = set->rows.dimension;
    return XY_OK;
}

const float *influence_set_row(const struct influence_set *set, size_t row)
{
    return set->places ? set->embedded + set->places[row] * set->dimension
                       : set->rows.vectors + row * set->dimension;
}

void influence_set_free(struct influence_set *set)
{
    labelled_free(&set->rows);
    free(set->places);
    set->places = NULL;
}

/* ---- scores ---------------------------------------------------------------------------------- */

struct part { /* some rows of a set; zeroed: empty */
    const float **vectors;
    uint32_t *labels;
    float *weights;
    size_t *which;
    size_t count;
};

static int part_init(struct part *part, size_t room)
{
    part->vectors = calloc(room + 1, sizeof(*part->vectors));
    part->labels = calloc(room + 1, sizeof(*part->labels));
    part->weights = calloc(room + 1, sizeof(*part->weights));
    part->which = calloc(room + 1, sizeof(*part->which));
    return part->vectors && part->labels && part->weights && part->which ? XY_OK : XY_ENOMEM;
}

static void part_free(struct part *part)
{
    free(part->vectors);
    free(part->labels);
    free(part->weights);
    free(part->which);
}

static void part_add(struct part *part, const struct influence_set *set, size_t row)
{
    if (!labelled_is_row(&set->rows, row))
        return;
    part->vectors[part->count] = influence_set_row(set, row);
    part->labels[part->count] = set->rows.classes[row];
    part->weights[part->count] = set->rows.weights[row];
    part->which[part->count++] = row;
}

static struct influence_rows rows_of(const struct part *part)
{
    return (struct influence_rows){part->vectors, part->labels, part->weights, part->count};
}

/* One classifier: adds what each training row does to the loss on the validation rows. */
static int measure(const struct influence_work *work, const struct part *train,
                   const struct part *validation, double *scores, double *right)
{
    const struct school school = {.job = work->job, .classes = work->classes};
    struct influence influence = {.scores = NULL};
    const struct influence_task task = {
        .dimension = work->set->dimension, .classes = work->classes->count, .c = work->c,
        .reverse = work->reverse, .train = rows_of(train), .validation = rows_of(validation)};
    int code = folds_check_classes(&school, &work->set->rows, train->which, train->count);
    if (code == XY_OK)
        code = influence_measure(&influence, work->job, &task);
    for (size_t i = 0; i < train->count && code == XY_OK; i++) {
        double *score = &scores[train->which[i]];
        *score = (isnan(*score) ? 0 : *score) + influence.scores[i];
    }
    if (code == XY_OK)
        *right += influence.accuracy * (double)validation->count;
    influence_free(&influence);
    return code;
}

static int score_by_others(const struct influence_work *work, struct part *train,
                           struct part *validation, double *scores, double *accuracy)
{
    for (size_t i = 0; i < work->set->rows.count; i++)
        part_add(train, work->set, i);
    for (size_t i = 0; i < work->validation->rows.count; i++)
        part_add(validation, work->validation, i);
    if (validation->count == 0)
        return xy_fail(work->job, XY_EINVAL, "`validation` has no row with a label and features: "
                       "there is nothing to measure on");
    if (work->validation->dimension != work->set->dimension)
        return xy_fail(work->job, XY_EINVAL, "the vectors of the records have %zu dimensions, "
                       "those of `validation` %zu", work->set->dimension,
                       work->validation->dimension);
    int code = measure(work, train, validation, scores, accuracy);
    *accuracy /= (double)validation->count;
    return code;
}

static int score_in_folds(const struct influence_work *work, struct part *train,
                          struct part *validation, double *scores, double *accuracy)
{
    const struct school school = {.job = work->job, .seed = work->seed};
    size_t count = work->set->rows.count, measured = 0;
    uint32_t *fold_of = calloc(count + 1, sizeof(*fold_of));
    int folds = fold_of ? folds_split(&school, &work->set->rows, work->folds, fold_of) : XY_ENOMEM;
    int code = folds < 0 ? folds : XY_OK;
    for (int fold = 0; fold < folds && code == XY_OK; fold++) {
        train->count = validation->count = 0;
        for (size_t i = 0; i < count; i++)
            part_add(fold_of[i] == (uint32_t)fold ? validation : train, work->set, i);
        measured += validation->count;
        if (validation->count)
            code = measure(work, train, validation, scores, accuracy);
    }
    *accuracy /= measured ? (double)measured : 1;
    free(fold_of);
    return code;
}

int influence_score(const struct influence_work *work, double *scores, double *accuracy)
{
    struct part train = {.count = 0}, validation = {.count = 0};
    size_t count = work->set->rows.count;
    size_t others = work->validation ? work->validation->rows.count : count;
    int code = part_init(&train, count);
    if (code == XY_OK)
        code = part_init(&validation, others);
    for (size_t i = 0; i < count; i++)
        scores[i] = NAN;
    *accuracy = 0;
    if (code == XY_OK)
        code = work->validation ? score_by_others(work, &train, &validation, scores, accuracy)
                                : score_in_folds(work, &train, &validation, scores, accuracy);
    part_free(&train);
    part_free(&validation);
    return code;
}
