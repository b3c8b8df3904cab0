/* SPDX-License-Identifier: Apache-2.0 */
/* SunGen's two levels over the rows. With `outer: others` the rows are split in two halves, and a
 * half's weights are learned by what its student loses on the other half: over the same rows a
 * student with many features lowers the loss best by learning wrong labels by heart, and a row
 * would vouch for itself. */
#include <stdlib.h>

#include "learner_bilevel.h"
#include "reweight.h"

struct half {
    size_t *members; /* rows, ascending */
    struct matrix matrix;
    uint32_t *labels;
    double *prior, *shares;
    size_t count;
};

static int half_init(struct half *half, const struct rows *rows)
{
    half->members = calloc(rows->count + 1, sizeof(*half->members));
    half->labels = calloc(rows->count + 1, sizeof(*half->labels));
    half->prior = calloc(2 * rows->count + 1, sizeof(*half->prior));
    if (!half->members || !half->labels || !half->prior)
        return XY_ENOMEM;
    half->shares = half->prior + rows->count;
    half->matrix.columns = rows->matrix.columns;
    return XY_OK;
}

static void half_free(struct half *half)
{
    free(half->members);
    free(half->labels);
    free(half->prior);
    matrix_free(&half->matrix);
}

static int half_add(struct half *half, const struct rows *rows, size_t row)
{
    const struct matrix *from = &rows->matrix;
    for (size_t j = from->starts[row]; j < from->starts[row + 1]; j++)
        if (matrix_add(&half->matrix, from->entries[j].column, from->entries[j].value) < 0)
            return XY_ENOMEM;
    half->members[half->count] = row;
    half->labels[half->count] = rows->groups[row];
    half->prior[half->count++] = rows->prior[row];
    return matrix_end_row(&half->matrix);
}

/* Of each label, two rows that follow each other go into different halves, by a coin. */
static int split(struct half halves[2], const struct rows *rows, uint64_t random)
{
    uint8_t *next = calloc((size_t)rows->classes.count + 1, sizeof(*next));
    int code = next ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < rows->count && code == XY_OK; i++) {
        uint8_t *state = &next[rows->groups[i]]; /* 0: toss; 1, 2: the half that is due, + 1 */
        int side = *state ? *state - 1 : (int)xy_random_below(&random, 2);
        *state = *state ? 0 : (uint8_t)(2 - side);
        code = half_add(&halves[side], rows, i);
    }
    free(next);
    return code;
}

static int teach(const struct reweight *reweight, xy_job *job, const struct rows *rows,
                 struct half *inner, const struct half *outer, struct bilevel *bilevel)
{
    struct logistic student = {.w = NULL};
    const struct logistic_rows own = {&inner->matrix, inner->labels};
    *bilevel = (struct bilevel){.student = &student, .prior = inner->prior,
                                .outer = {&outer->matrix, outer->labels},
                                .outer_prior = outer->prior, .rate = reweight->rate,
                                .iterations = (uint32_t)reweight->iterations};
    int code = logistic_init(&student, job, &own, rows->classes.count, reweight->c);
    if (code == XY_OK)
        code = bilevel_learn(bilevel, inner->shares);
    for (size_t i = 0; i < inner->count && code == XY_OK; i++)
        rows->factors[inner->members[i]] = inner->shares[i];
    logistic_free(&student);
    return code;
}

/* A half needs what the whole does: rows of two labels that count. */
static int check_half(xy_job *job, const struct half *half)
{
    size_t first = half->count;
    for (size_t i = 0; i < half->count; i++) {
        if (!(half->prior[i] > 0))
            continue;
        first = first == half->count ? i : first;
        if (half->labels[i] != half->labels[first])
            return XY_OK;
    }
    return xy_fail(job, XY_EINVAL, "too few records for `outer: others`: each half of them needs "
                   "records of two labels; give more, or `outer: same`");
}

static int learn(const struct reweight *reweight, xy_job *job, struct rows *rows,
                 struct half halves[2])
{
    bool others = reweight->outer[0] == 'o';
    double before = 0, after = 0;
    int code = half_init(&halves[0], rows);
    if (code == XY_OK && others)
        code = half_init(&halves[1], rows);
    if (code == XY_OK && others)
        code = split(halves, rows, reweight->rng->stream(job, NULL, 0));
    for (size_t i = 0; i < rows->count && !others && code == XY_OK; i++)
        code = half_add(&halves[0], rows, i);
    for (size_t side = 0; side < 1 + (size_t)others && code == XY_OK; side++)
        code = check_half(job, &halves[side]);
    for (size_t side = 0; side < 1 + (size_t)others && code == XY_OK; side++) {
        struct bilevel bilevel;
        code = teach(reweight, job, rows, &halves[side], &halves[others ? 1 - side : side],
                     &bilevel);
        before += bilevel.first / (1 + others);
        after += bilevel.last / (1 + others);
    }
    if (code < 0)
        return code;
    reweight_score(reweight, job, "loss_before", before, "nats", rows->count,
                   "mean reverse cross-entropy of students of the weights so far");
    reweight_score(reweight, job, "loss_after", after, "nats", rows->count,
                   "the same of students of the learned weights");
    return XY_OK;
}

int reweight_find_sungen(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                         struct rows *rows)
{
    (void)input;
    struct half halves[2] = {{.count = 0}, {.count = 0}};
    int code = learn(reweight, job, rows, halves);
    half_free(&halves[0]);
    half_free(&halves[1]);
    return code;
}
