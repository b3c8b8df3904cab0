/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "json_reader.h"
#include "reweight.h"

/* ---- what the students' methods share -------------------------------------------------------- */

static int start_student(const struct reweight *reweight, xy_job *job, const struct rows *rows,
                         struct logistic *student)
{
    const struct logistic_rows own = {&rows->matrix, rows->groups};
    return logistic_init(student, job, &own, rows->classes.count, reweight->c);
}


/* ---- learned --------------------------------------------------------------------------------- */

/* The step that surely does not overshoot: the cross-entropy's curvature along a row (x, 1) is at
 * most (|x|^2 + 1) / 2, and the weights of a step sum to 1. */
static double safe_length(const struct matrix *matrix)
{
    double most = 0;
    for (size_t i = 0; i < matrix->rows; i++) {
        double square = 1;
        for (size_t j = matrix->starts[i]; j < matrix->starts[i + 1]; j++)
            square += (double)matrix->entries[j].value * (double)matrix->entries[j].value;
        most = fmax(most, square);
    }
    return 2 / fmax(most, 1);
}

/* Learning to re-weight (Ren et al. 2018, "Learning to Reweight Examples for Robust Deep Learning",
 * algorithm 1), as LLMaAA uses it. At eps = 0 the virtual step stands still, so the dev loss's
 * derivative by eps_i is -length <dev gradient, row i's gradient>: exactly what one backward pass
 * through it gives. Each step trains on what helps at that moment; what a record is left with is
 * how much it helped over all steps, less how much it harmed, where that is above 0. */
static int learn_online(const struct reweight *reweight, xy_job *job, struct rows *rows,
                        struct logistic *student, double *gradient, double *now)
{
    const struct logistic_rows dev = {&rows->dev_matrix, rows->dev_labels};
    double length = safe_length(&rows->matrix), loss = 0, first = 0;
    int64_t steps = 0;
    logistic_look(student);
    for (; steps < reweight->iterations; steps++) {
        double sum = 0;
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        loss = logistic_measure(student, &dev, NULL, LOGISTIC_CROSS_ENTROPY, gradient);
        first = steps == 0 ? loss : first;
        for (size_t i = 0; i < rows->count; i++) {
            now[i] = rows->prior[i] > 0 ? logistic_along(student, i, gradient) : 0;
            sum += fmax(now[i], 0);
        }
        if (!(sum > 0))
            break; /* no row lowers the dev loss any more */
        for (size_t i = 0; i < rows->count; i++) {
            rows->factors[i] += now[i] / sum;
            now[i] = fmax(now[i] / sum, 0);
        }
        logistic_descend(student, now, length);
    }
    for (size_t i = 0; i < rows->count; i++)
        rows->factors[i] = fmax(rows->factors[i], 0);
    reweight_score(reweight, job, "dev_loss_before", first, "nats", rows->dev_count,
                   "cross-entropy on `dev` before training");
    reweight_score(reweight, job, "dev_loss_after", loss, "nats", rows->dev_count,
                   "cross-entropy on `dev` before the last step on the weighted rows");
    return XY_OK;
}

static int find_learned(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                        struct rows *rows)
{
    (void)input;
    struct logistic student = {.w = NULL};
    int code = start_student(reweight, job, rows, &student);
    double *memory = calloc(student.parameters + rows->count + 1, sizeof(*memory));
    if (code == XY_OK && !memory)
        code = XY_ENOMEM;
    if (code == XY_OK)
        code = learn_online(reweight, job, rows, &student, memory, memory + student.parameters);
    free(memory);
    logistic_free(&student);
    return code;
}

/* ---- influence ------------------------------------------------------------------------------- */

static int find_influence(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                          struct rows *rows)
{
    (void)input;
    struct logistic student = {.w = NULL};
    const struct logistic_rows dev = {&rows->dev_matrix, rows->dev_labels};
    int code = start_student(reweight, job, rows, &student);
    double *memory = calloc(2 * student.parameters + 1, sizeof(*memory)), loss = 0;
    if (code == XY_OK && !memory)
        code = XY_ENOMEM;
    if (code == XY_OK)
        code = logistic_fit(&student, rows->prior);
    if (code == XY_OK) {
        loss = reweight->dev ? logistic_measure(&student, &dev, NULL, LOGISTIC_CROSS_ENTROPY,
                                                memory)
                             : logistic_measure(&student, &student.rows, rows->prior,
                                                LOGISTIC_REVERSE, memory);
        code = logistic_solve(&student, rows->prior, memory, memory + student.parameters);
    }
    if (code == XY_OK) {
        for (size_t i = 0; i < rows->count; i++) /* influence below 0 lowers the loss: it helps */
            rows->factors[i] = fmax(logistic_along(&student, i, memory + student.parameters), 0);
        reweight_score(reweight, job, "validation_loss", loss, "nats",
                       reweight->dev ? rows->dev_count : rows->count,
                       "the mean loss that influence is on");
    }
    free(memory);
    logistic_free(&student);
    return code;
}

/* ---- loss ------------------------------------------------------------------------------------ */

static int find_losses(const struct reweight *reweight, xy_job *job, struct rows *rows)
{
    struct logistic student = {.w = NULL};
    int code = start_student(reweight, job, rows, &student);
    if (code == XY_OK)
        code = logistic_fit(&student, rows->prior);
    for (size_t i = 0; i < rows->count && code == XY_OK; i++)
        rows->factors[i] = -log(fmax(student.p[i * student.classes + rows->groups[i]], 1e-300));
    logistic_free(&student);
    return code;
}

static int compare_losses(const void *a, const void *b)
{
    const double *first = *(const double *const *)a, *second = *(const double *const *)b;
    if (*first < *second || *first > *second)
        return *first < *second ? -1 : 1;
    return (first > second) - (first < second);
}

/* 1 less the middle of the row's place among all, as a share: equal losses share one place. */
static int by_quantile(struct rows *rows)
{
    double **order = calloc(rows->count + 1, sizeof(*order));
    size_t count = 0;
    if (!order)
        return XY_ENOMEM;
    for (size_t i = 0; i < rows->count; i++)
        if (!isnan(rows->factors[i]))
            order[count++] = &rows->factors[i];
    qsort(order, count, sizeof(*order), compare_losses);
    for (size_t from = 0, to; from < count; from = to) {
        double loss = *order[from];
        for (to = from; to < count && !(*order[to] > loss);)
            to++;
        for (size_t i = from; i < to; i++)
            *order[i] = 1 - ((double)from + (double)to) / 2 / (double)count;
    }
    free(order);
    return XY_OK;
}

static int find_by_loss(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                        struct rows *rows)
{
    int code = reweight->scores ? XY_OK : find_losses(reweight, job, rows);
    for (size_t i = 0; i < rows->count && reweight->scores; i++) {
        double loss = names_number(input->api->at(input, rows->index[i]), reweight->scores, NAN);
        rows->factors[i] = isfinite(loss) ? loss : NAN;
    }
    if (code != XY_OK || reweight->map[0] == 'q')
        return code == XY_OK ? by_quantile(rows) : code;
    double least = INFINITY; /* taken off, so that large losses do not all become 0 */
    for (size_t i = 0; i < rows->count; i++)
        least = fmin(least, rows->factors[i]);
    for (size_t i = 0; i < rows->count; i++)
        rows->factors[i] = exp((least - rows->factors[i]) / reweight->temperature);
    return XY_OK;
}

/* ---- discriminative -------------------------------------------------------------------------- */

/* P(x|y) / sum_y' P(x|y') from a JSON map of classes to probabilities; NaN where it is not told. */
static double share_of_label(const xy_record *record, const struct reweight *reweight)
{
    char scratch[NAMES_SCRATCH], key[256];
    xy_str label = names_label(record, reweight->label, scratch);
    xy_str map = json_check(xy_record_text(record, reweight->scores));
    xy_str name = {NULL, 0}, value = {NULL, 0};
    struct json_cursor at = {0};
    double sum = 0, own = NAN;
    if (!label.ptr || json_kind(map) != '{')
        return NAN;
    while (json_next(map, &at, &name, &value)) {
        double p = json_number(value, NAN);
        if (!(p >= 0) || isinf(p))
            return NAN;
        sum += p;
        if (name.len >= sizeof(key))
            continue;
        size_t length = json_decode((xy_str){name.ptr - 1, name.len + 2}, key);
        if (length == label.len && memcmp(key, label.ptr, length) == 0)
            own = p;
    }
    return sum > 0 && isfinite(sum) ? own / sum : NAN;
}

static int find_discriminative(const struct reweight *reweight, xy_job *job, xy_dataset *input,
                               struct rows *rows)
{
    (void)job;
    for (size_t i = 0; i < rows->count; i++)
        rows->factors[i] = share_of_label(input->api->at(input, rows->index[i]), reweight);
    return XY_OK;
}

/* ---- which is which -------------------------------------------------------------------------- */

static const struct method methods[] = {
    {"sungen", reweight_find_sungen, false, false},
    {"learned", find_learned, true, false},
    {"influence", find_influence, false, false},
    {"loss", find_by_loss, false, false},
    {"discriminative", find_discriminative, false, true},
};

const struct method *reweight_method(const char *name)
{
    size_t i = 0;
    while (strcmp(methods[i].name, name) != 0)
        i++;
    return &methods[i];
}

bool reweight_has_student(const struct reweight *reweight)
{
    const struct method *method = reweight_method(reweight->method);
    return !method->needs_scores && !(method->find == find_by_loss && reweight->scores);
}
