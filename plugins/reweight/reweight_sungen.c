/* SPDX-License-Identifier: Apache-2.0 */
/* SunGen's two levels over the rows, in folds: each student learns from all folds but one, and the
 * weights move by what it loses on that one. Over the very rows that it was trained on, a student
 * with many features lowers the loss best by learning wrong labels by heart, and every row vouches
 * for itself. */
#include <stdlib.h>

#include "learner_bilevel.h"
#include "reweight.h"

/* Training need not be exact here: the next step moves the weights anyway. */
static const double ENOUGH = 1e-2;

struct part { /* some of the rows */
    struct matrix matrix;
    size_t *members; /* which rows, ascending */
    uint32_t *labels;
    double *prior;
    size_t count;
};

struct fold {
    struct part inner, outer;
    struct logistic student;
};

static int part_init(struct part *part, const struct rows *rows)
{
    part->members = calloc(rows->count + 1, sizeof(*part->members));
    part->labels = calloc(rows->count + 1, sizeof(*part->labels));
    part->prior = calloc(rows->count + 1, sizeof(*part->prior));
    part->matrix.columns = rows->matrix.columns;
    return part->members && part->labels && part->prior ? XY_OK : XY_ENOMEM;
}

static void part_free(struct part *part)
{
    free(part->members);
    free(part->labels);
    free(part->prior);
    matrix_free(&part->matrix);
}

static int part_add(struct part *part, const struct rows *rows, size_t row)
{
    const struct matrix *from = &rows->matrix;
    for (size_t j = from->starts[row]; j < from->starts[row + 1]; j++)
        if (matrix_add(&part->matrix, from->entries[j].column, from->entries[j].value) < 0)
            return XY_ENOMEM;
    part->members[part->count] = row;
    part->labels[part->count] = rows->groups[row];
    part->prior[part->count++] = rows->prior[row];
    return matrix_end_row(&part->matrix);
}

/* ---- folds ----------------------------------------------------------------------------------- */

static void shuffle(uint32_t *items, uint32_t count, uint64_t *random)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)xy_random_below(random, i), kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

/* Of each label, every `folds` rows that follow each other go into different folds, in an order
 * drawn anew each time. */
static int deal(const struct rows *rows, uint32_t folds, uint64_t random, uint32_t *fold_of)
{
    size_t labels = (size_t)rows->classes.count + 1;
    uint32_t *order = calloc(labels * (folds + 1), sizeof(*order));
    if (!order)
        return XY_ENOMEM;
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t *own = order + rows->groups[i] * (size_t)(folds + 1), *used = own + folds;
        if (*used % folds == 0) {
            for (uint32_t f = 0; f < folds; f++)
                own[f] = f;
            shuffle(own, folds, &random);
        }
        fold_of[i] = own[(*used)++ % folds];
    }
    free(order);
    return XY_OK;
}

/* A student needs rows of two labels that count. */
static int check_part(const struct reweight *reweight, xy_job *job, const struct part *part)
{
    size_t first = part->count;
    for (size_t i = 0; i < part->count; i++) {
        if (!(part->prior[i] > 0))
            continue;
        first = first == part->count ? i : first;
        if (part->labels[i] != part->labels[first])
            return XY_OK;
    }
    return xy_fail(job, XY_EINVAL, "too few records for `folds: %lld`: without one of the folds "
                   "there must be records of two labels left; give more, or `folds: 1`",
                   (long long)reweight->folds);
}

static int fill_fold(const struct reweight *reweight, xy_job *job, const struct rows *rows,
                     const uint32_t *fold_of, uint32_t number, struct fold *fold)
{
    bool all = reweight->folds == 1;
    int code = part_init(&fold->inner, rows);
    if (code == XY_OK)
        code = part_init(&fold->outer, rows);
    for (size_t i = 0; i < rows->count && code == XY_OK; i++) {
        if (all || fold_of[i] != number)
            code = part_add(&fold->inner, rows, i);
        if (code == XY_OK && (all || fold_of[i] == number))
            code = part_add(&fold->outer, rows, i);
    }
    if (code == XY_OK)
        code = check_part(reweight, job, &fold->inner);
    const struct logistic_rows own = {&fold->inner.matrix, fold->inner.labels};
    if (code == XY_OK)
        code = logistic_init(&fold->student, job, &own, rows->classes.count, reweight->c);
    fold->student.tolerance = ENOUGH;
    return code;
}

/* ---- learning -------------------------------------------------------------------------------- */

static int learn(const struct reweight *reweight, xy_job *job, struct rows *rows,
                 struct fold *folds, struct bilevel *parts, uint32_t *fold_of)
{
    uint32_t count = (uint32_t)reweight->folds;
    struct bilevel_task task = {.parts = parts, .part_count = count, .rows = rows->count,
                                .rate = reweight->rate,
                                .iterations = (uint32_t)reweight->iterations};
    int code = deal(rows, count, reweight->rng->stream(job, NULL, 0), fold_of);
    for (uint32_t f = 0; f < count && code == XY_OK; f++) {
        struct fold *fold = &folds[f];
        code = fill_fold(reweight, job, rows, fold_of, f, fold);
        parts[f] = (struct bilevel){&fold->student, fold->inner.prior,
                                    {&fold->outer.matrix, fold->outer.labels}, fold->outer.prior,
                                    fold->inner.members};
    }
    if (code == XY_OK)
        code = bilevel_learn(&task, rows->factors);
    if (code < 0)
        return code;
    reweight_score(reweight, job, "loss_before", task.first, "nats", rows->count,
                   "mean reverse cross-entropy of students of the weights so far");
    reweight_score(reweight, job, "loss_after", task.last, "nats", rows->count,
                   "the same of students of the learned weights");
    return XY_OK;
}

int reweight_find_sungen(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                         struct rows *rows)
{
    (void)input;
    size_t count = (size_t)reweight->folds;
    struct fold *folds = calloc(count, sizeof(*folds));
    struct bilevel *parts = calloc(count, sizeof(*parts));
    uint32_t *fold_of = calloc(rows->count + 1, sizeof(*fold_of));
    int code = folds && parts && fold_of ? learn(reweight, job, rows, folds, parts, fold_of)
                                         : XY_ENOMEM;
    for (size_t f = 0; f < count && folds; f++) {
        part_free(&folds[f].inner);
        part_free(&folds[f].outer);
        logistic_free(&folds[f].student);
    }
    free(folds);
    free(parts);
    free(fold_of);
    return code;
}
