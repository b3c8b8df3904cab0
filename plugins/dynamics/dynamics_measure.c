/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "dynamics.h"

/* No probability counts as less in a loss, which would else be infinite. */
static const double LEAST = 1e-12;

/* What the passes say of one record; `trace` is its row in the first pass. */
struct watched {
    const float *trace;
    size_t stride; /* to its row in the next pass */
    uint32_t passes, classes, label;
};

static double deviation(const struct watched *watched, uint32_t class_index, double *mean)
{
    double sum = 0, squares = 0;
    for (uint32_t e = 0; e < watched->passes; e++)
        sum += (double)watched->trace[e * watched->stride + class_index];
    *mean = sum / watched->passes;
    for (uint32_t e = 0; e < watched->passes; e++) {
        double off = (double)watched->trace[e * watched->stride + class_index] - *mean;
        squares += off * off;
    }
    return sqrt(squares / watched->passes);
}

static uint32_t likeliest(const double *p, uint32_t classes)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < classes; k++)
        best = p[k] > p[best] ? k : best;
    return best;
}

/* z <- d z + (1 - d) p after each pass, over 1 - d^passes at the end: a mean that forgets. */
static void ensemble(const struct watched *watched, double decay, double *z,
                     struct dynamics_measure *measure)
{
    memset(z, 0, watched->classes * sizeof(*z));
    for (uint32_t e = 0; e < watched->passes; e++)
        for (uint32_t k = 0; k < watched->classes; k++)
            z[k] = decay * z[k] + (1 - decay) * (double)watched->trace[e * watched->stride + k];
    measure->taken = likeliest(z, watched->classes) == watched->label;
    measure->ensemble = z[watched->label] / (1 - pow(decay, watched->passes));
}

static void measure_one(const struct watched *watched, double decay, double *z,
                        struct dynamics_measure *measure)
{
    double mean;
    for (uint32_t k = 0; k < watched->classes; k++) {
        double spread = deviation(watched, k, &mean);
        measure->max_variability = fmax(measure->max_variability, spread);
        if (k != watched->label)
            continue;
        measure->confidence = mean;
        measure->variability = spread;
    }
    for (uint32_t e = 0; e < watched->passes; e++) {
        const float *row = watched->trace + e * watched->stride;
        double p = (double)row[watched->label];
        for (uint32_t k = 0; k < watched->classes; k++)
            z[k] = (double)row[k];
        measure->correctness += likeliest(z, watched->classes) == watched->label;
        measure->aleatoric += p * (1 - p);
        measure->loss -= log(fmax(p, LEAST));
    }
    measure->correctness /= watched->passes;
    measure->aleatoric /= watched->passes;
    measure->loss /= watched->passes;
    ensemble(watched, decay, z, measure);
    measure->judged = isfinite(measure->confidence) && isfinite(measure->max_variability);
    measure->class_index = watched->label;
}

/* ---- teaching -------------------------------------------------------------------------------- */

static int watch(const struct dynamics_task *task, const struct labelled *train,
                 const size_t *train_rows, size_t train_count, const size_t *rows, size_t count,
                 struct dynamics_measure *measures, uint32_t *passes)
{
    const struct school *school = task->school;
    uint32_t classes = school->classes->count;
    struct labelled_part lesson = {.texts = NULL}, exam = {.texts = NULL};
    void *fitted = NULL;
    const float *trace = NULL;
    double *z = calloc(classes + 1, sizeof(*z));
    int code = folds_check_classes(school, train, train_rows, train_count);
    if (code == XY_OK && !z)
        code = XY_ENOMEM;
    if (code == XY_OK)
        code = labelled_take(train, train_rows, train_count, classes, true, &lesson);
    if (code == XY_OK)
        code = labelled_take(task->set, rows, count, classes, false, &exam);
    if (code == XY_OK)
        code = school->service->trace(school->job, school->learner, &lesson.examples,
                                      &exam.examples, school->seed, &trace, passes, &fitted);
    for (size_t i = 0; i < count && code == XY_OK; i++) {
        const struct watched watched = {trace + i * classes, count * classes, *passes, classes,
                                        task->set->classes[rows[i]]};
        measure_one(&watched, task->decay, z, &measures[rows[i]]);
    }
    if (fitted)
        school->service->release(school->learner, fitted);
    labelled_part_free(&lesson);
    labelled_part_free(&exam);
    free(z);
    return code;
}

static size_t list_rows(const struct labelled *set, size_t *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (labelled_is_row(set, i))
            rows[count++] = i;
    return count;
}

static int watch_folds(const struct dynamics_task *task, uint32_t *fold_of, size_t *rows,
                       struct dynamics_measure *measures, uint32_t *passes)
{
    const struct labelled *set = task->set;
    size_t *asked = rows + set->count;
    int folds = folds_split(task->school, set, task->folds, fold_of);
    int code = folds < 0 ? folds : XY_OK;
    for (int fold = 0; fold < folds && code == XY_OK; fold++) {
        size_t row_count = 0, asked_count = 0;
        for (size_t i = 0; i < set->count; i++) {
            if (!labelled_is_row(set, i))
                continue;
            if (fold_of[i] == (uint32_t)fold)
                asked[asked_count++] = i;
            else
                rows[row_count++] = i;
        }
        if (asked_count)
            code = watch(task, set, rows, row_count, asked, asked_count, measures, passes);
    }
    return code;
}

int dynamics_measure(const struct dynamics_task *task, struct dynamics_measure *measures,
                     uint32_t *passes)
{
    const struct labelled *train = task->train ? task->train : task->set;
    size_t *rows = calloc(2 * task->set->count + train->count + 1, sizeof(*rows));
    uint32_t *fold_of = calloc(task->set->count + 1, sizeof(*fold_of));
    int code = rows && fold_of ? XY_OK : XY_ENOMEM;
    if (code == XY_OK && !task->train && task->folds) {
        code = watch_folds(task, fold_of, rows, measures, passes);
    } else if (code == XY_OK) {
        size_t *asked = rows + train->count;
        size_t row_count = list_rows(train, rows), asked_count = list_rows(task->set, asked);
        code = watch(task, train, rows, row_count, asked, asked_count, measures, passes);
    }
    free(rows);
    free(fold_of);
    return code;
}
