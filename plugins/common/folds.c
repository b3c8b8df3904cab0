/* SPDX-License-Identifier: Apache-2.0 */
#include "folds.h"

#include <stdlib.h>

/* ---- the split ------------------------------------------------------------------------------- */

/* A text, or a record where there are only vectors, and what it is sorted by. */
struct unit {
    uint64_t key;
    uint32_t number, class_index;
};

static int by_class_and_key(const void *a, const void *b)
{
    const struct unit *left = a, *right = b;
    if (left->class_index != right->class_index)
        return left->class_index < right->class_index ? -1 : 1;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* The record's unit: its text's number, or, past those, one of its own. */
static size_t unit_of(const struct labelled *set, size_t row)
{
    uint32_t text = set->text_numbers[row];
    return text != NAMES_NONE ? text : set->texts.count + row;
}

int folds_split(const struct school *school, const struct labelled *set, int folds,
                uint32_t *fold_of)
{
    size_t room = set->texts.count + set->count, count = 0;
    struct unit *units = calloc(room + 1, sizeof(*units));
    uint32_t *unit_folds = calloc(room + 1, sizeof(*unit_folds));
    uint64_t state = school->seed;
    if (!units || !unit_folds) {
        free(units);
        free(unit_folds);
        return XY_ENOMEM;
    }
    for (size_t row = 0; row < set->count; row++) {
        size_t unit = unit_of(set, row);
        if (!labelled_has_text(set, row) || unit_folds[unit])
            continue;
        unit_folds[unit] = 1; /* listed: the first record's label places a text */
        units[count++] = (struct unit){xy_random_next(&state), (uint32_t)unit, set->classes[row]};
    }
    qsort(units, count, sizeof(*units), by_class_and_key);
    size_t parts = count < (size_t)folds ? count : (size_t)folds;
    for (size_t i = 0; i < count; i++)
        unit_folds[units[i].number] = (uint32_t)(i % parts);
    for (size_t row = 0; row < set->count; row++)
        fold_of[row] = unit_folds[unit_of(set, row)];
    free(units);
    free(unit_folds);
    return (int)parts;
}

/* ---- one student ----------------------------------------------------------------------------- */

int folds_check_classes(const struct school *school, const struct labelled *train,
                        const size_t *rows, size_t count)
{
    if (count == 0)
        return xy_fail(school->job, XY_EINVAL,
                       "there is no record with text and label to learn from");
    size_t learnt = 0, first = 0; /* a record of weight 0 teaches nothing */
    for (size_t i = 0; i < count; i++) {
        if (!(train->weights[rows[i]] > 0))
            continue;
        if (learnt++ == 0)
            first = rows[i];
        else if (train->classes[rows[i]] != train->classes[first])
            return XY_OK;
    }
    if (learnt == 0)
        return xy_fail(school->job, XY_EINVAL, "all %zu records that the student would learn from "
                       "have the weight 0: there is nothing to learn from", count);
    xy_str name = names_at(school->classes, train->classes[first]);
    return xy_fail(school->job, XY_EINVAL, "all %zu records that the student would learn from have "
                   "the label `%.*s`: it needs two labels at least", learnt, (int)name.len,
                   name.ptr);
}

static void keep_best(const float *probabilities, uint32_t classes, const size_t *rows,
                      size_t count, struct judgements *judgements)
{
    for (size_t i = 0; i < count; i++) {
        const float *row = probabilities + i * classes;
        uint32_t best = 0;
        for (uint32_t k = 1; k < classes; k++)
            best = row[k] > row[best] ? k : best;
        judgements->classes[rows[i]] = best;
        judgements->confidences[rows[i]] = row[best];
        if (judgements->probabilities)
            memcpy(judgements->probabilities + rows[i] * classes, row, classes * sizeof(*row));
    }
}

/* Learns from some rows of one set and judges some rows of the same or of another. */
static int teach(const struct school *school, const struct labelled *train,
                 const size_t *train_rows, size_t train_count, const struct labelled *set,
                 const size_t *rows, size_t count, struct judgements *judgements)
{
    uint32_t classes = school->classes->count;
    int code = folds_check_classes(school, train, train_rows, train_count);
    if (code < 0)
        return code;
    struct labelled_part lesson = {.texts = NULL}, exam = {.texts = NULL};
    void *fitted = NULL;
    float *probabilities = calloc(count * classes + 1, sizeof(*probabilities));
    code = probabilities ? labelled_take(train, train_rows, train_count, classes, true, &lesson)
                         : XY_ENOMEM;
    if (code == XY_OK)
        code = labelled_take(set, rows, count, classes, false, &exam);
    if (code == XY_OK)
        code = school->service->fit(school->job, school->learner, &lesson.examples, school->seed,
                                    &fitted);
    if (code == XY_OK)
        code = school->service->predict(school->job, school->learner, fitted, &exam.examples,
                                        probabilities);
    if (code == XY_OK)
        keep_best(probabilities, classes, rows, count, judgements);
    if (fitted)
        school->service->release(school->learner, fitted);
    labelled_part_free(&lesson);
    labelled_part_free(&exam);
    free(probabilities);
    return code;
}

int folds_judge(const struct school *school, const struct labelled *set, int folds,
                const uint32_t *fold_of, struct judgements *judgements)
{
    size_t *rows = calloc(2 * set->count + 1, sizeof(*rows));
    if (!rows)
        return XY_ENOMEM;
    size_t *asked = rows + set->count;
    int code = XY_OK;
    for (int fold = 0; fold < folds && code == XY_OK; fold++) {
        size_t row_count = 0, asked_count = 0;
        if (school->job->api->cancelled(school->job))
            code = XY_ECANCELED;
        for (size_t i = 0; i < set->count; i++) {
            bool here = fold_of[i] == (uint32_t)fold;
            if (here && labelled_has_text(set, i))
                asked[asked_count++] = i;
            else if (!here && labelled_is_row(set, i))
                rows[row_count++] = i;
        }
        if (code == XY_OK)
            code = teach(school, set, rows, row_count, set, asked, asked_count, judgements);
    }
    free(rows);
    return code;
}

int folds_judge_all(const struct school *school, const struct labelled *train,
                    const struct labelled *set, struct judgements *judgements)
{
    size_t *rows = calloc(train->count + set->count + 1, sizeof(*rows));
    if (!rows)
        return XY_ENOMEM;
    size_t *asked = rows + train->count, row_count = 0, asked_count = 0;
    for (size_t i = 0; i < train->count; i++)
        if (labelled_is_row(train, i))
            rows[row_count++] = i;
    for (size_t i = 0; i < set->count; i++)
        if (labelled_has_text(set, i))
            asked[asked_count++] = i;
    int code = teach(school, train, rows, row_count, set, asked, asked_count, judgements);
    free(rows);
    return code;
}
