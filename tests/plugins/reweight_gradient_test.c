/* SPDX-License-Identifier: Apache-2.0 */
/* The derivative that reweight's two levels move by, against differences of the outer loss after
 * training anew. The plugin's own sources are compiled in: its door shows weights only. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../../plugins/common/learner_bilevel.c"
#include "../../plugins/common/learner_logistic.c"
#include "../../plugins/common/learner_matrix.c"

#include "check.h"

enum { ROWS = 24, WIDTH = 5, CLASSES = 3 };

static int never(const xy_job *job)
{
    (void)job;
    return 0;
}

static const xy_job_api job_api = {.size = sizeof(job_api), .cancelled = never};
static xy_job job = {&job_api};

struct lesson {
    struct matrix matrix, other; /* of the inner level, and of the outer one */
    uint32_t labels[ROWS];
    double prior[ROWS], z[ROWS];
    size_t members[ROWS];
    struct logistic student;
    struct bilevel bilevel;
};

static void add_row(struct matrix *matrix, uint32_t label, uint64_t *state)
{
    for (uint32_t j = 0; j < WIDTH; j++) {
        double value = xy_random_unit(state) * 2 - 1 + (j == label ? 0.8 : 0);
        if (xy_random_unit(state) < 0.7)
            CU_ASSERT_EQUAL_FATAL(matrix_add(matrix, j, (float)value), 0);
    }
    CU_ASSERT_EQUAL_FATAL(matrix_end_row(matrix), 0);
}

/* The outer level has the same rows, or others. */
static void start(struct lesson *lesson, uint64_t state, bool same)
{
    *lesson = (struct lesson){.matrix.columns = WIDTH, .other.columns = WIDTH};
    for (size_t i = 0; i < ROWS; i++) {
        lesson->labels[i] = (uint32_t)(i % CLASSES);
        lesson->members[i] = i;
        add_row(&lesson->matrix, lesson->labels[i], &state);
        add_row(&lesson->other, lesson->labels[i], &state);
        lesson->prior[i] = i % 7 == 3 ? 0 : 0.5 + xy_random_unit(&state);
        lesson->z[i] = xy_random_unit(&state) * 4 - 2;
    }
    const struct logistic_rows rows = {&lesson->matrix, lesson->labels};
    CU_ASSERT_EQUAL_FATAL(logistic_init(&lesson->student, &job, &rows, CLASSES, 2), XY_OK);
    lesson->bilevel = (struct bilevel){.student = &lesson->student, .prior = lesson->prior,
                                       .outer = {same ? &lesson->matrix : &lesson->other,
                                                 lesson->labels},
                                       .outer_prior = lesson->prior,
                                       .members = lesson->members};
}

static void end(struct lesson *lesson)
{
    logistic_free(&lesson->student);
    matrix_free(&lesson->matrix);
    matrix_free(&lesson->other);
}

static double outer_loss(struct lesson *lesson, const double *z, double *weights, double *work)
{
    double sums[2 * CLASSES];
    memset(lesson->student.w, 0, lesson->student.parameters * sizeof(double)); /* anew */
    bilevel_weights(&lesson->bilevel, z, weights, sums);
    CU_ASSERT_EQUAL(logistic_fit(&lesson->student, weights), XY_OK);
    return logistic_measure(&lesson->student, &lesson->bilevel.outer, lesson->prior,
                            LOGISTIC_REVERSE, work);
}

static void slopes_are_differences(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct lesson lesson;
        double weights[ROWS], slopes[ROWS], sums[2 * CLASSES], loss, most = 0;
        double work[2 * CLASSES * (WIDTH + 1)];
        start(&lesson, seed, seed % 2);
        bilevel_weights(&lesson.bilevel, lesson.z, weights, sums);
        CU_ASSERT_EQUAL(bilevel_slopes(&lesson.bilevel, lesson.z, weights, &loss, slopes, work,
                                       sums), XY_OK);
        for (size_t i = 0; i < ROWS; i++)
            most = fmax(most, fabs(slopes[i]));
        for (size_t i = 0; i < ROWS; i++) {
            double kept = lesson.z[i], high, low;
            lesson.z[i] = kept + 1e-3;
            high = outer_loss(&lesson, lesson.z, weights, work);
            lesson.z[i] = kept - 1e-3;
            low = outer_loss(&lesson, lesson.z, weights, work);
            lesson.z[i] = kept;
            CU_ASSERT_DOUBLE_EQUAL(slopes[i], (high - low) / 2e-3, 1e-4 * most);
            if (lesson.prior[i] == 0)
                CU_ASSERT_EQUAL(slopes[i], 0);
        }
        CU_ASSERT_TRUE(most > 1e-4);
        end(&lesson);
    }
}

/* The gradients of both losses by the student's own parameters. */
static void losses_fall_along_their_gradients(void)
{
    struct lesson lesson;
    double gradient[CLASSES * (WIDTH + 1)], other[CLASSES * (WIDTH + 1)];
    start(&lesson, 9, true);
    for (size_t i = 0; i < lesson.student.parameters; i++)
        lesson.student.w[i] = sin((double)i);
    for (int loss = LOGISTIC_CROSS_ENTROPY; loss <= LOGISTIC_REVERSE; loss++) {
        logistic_measure(&lesson.student, &lesson.student.rows, lesson.prior,
                         (enum logistic_loss)loss, gradient);
        for (size_t i = 0; i < lesson.student.parameters; i++) {
            double kept = lesson.student.w[i], value[2];
            for (int side = 0; side < 2; side++) {
                lesson.student.w[i] = kept + (side ? 1e-5 : -1e-5);
                value[side] = logistic_measure(&lesson.student, &lesson.student.rows,
                                               lesson.prior, (enum logistic_loss)loss, other);
            }
            lesson.student.w[i] = kept;
            CU_ASSERT_DOUBLE_EQUAL(gradient[i], (value[1] - value[0]) / 2e-5, 1e-7);
        }
    }
    end(&lesson);
}

/* The reverse loss as its definition says it: sum_k p_k (-log q_k), q = softmax(10 x one-hot). */
static void the_reverse_loss_is_as_defined(void)
{
    struct lesson lesson;
    double gradient[CLASSES * (WIDTH + 1)], expected = 0;
    start(&lesson, 3, true);
    for (size_t i = 0; i < lesson.student.parameters; i++)
        lesson.student.w[i] = cos((double)i);
    logistic_look(&lesson.student);
    for (size_t i = 0; i < ROWS; i++)
        for (uint32_t k = 0; k < CLASSES; k++) {
            double q = exp(k == lesson.labels[i] ? 10 : 0) / (exp(10) + CLASSES - 1);
            expected -= lesson.student.p[i * CLASSES + k] * log(q) / ROWS;
        }
    CU_ASSERT_DOUBLE_EQUAL(logistic_measure(&lesson.student, &lesson.student.rows, NULL,
                                            LOGISTIC_REVERSE, gradient), expected, 1e-9);
    end(&lesson);
}

static void the_outer_loss_falls_and_labels_keep_their_share(void)
{
    struct lesson lesson;
    double shares[ROWS], z[ROWS], weights[ROWS], sums[2 * CLASSES], wanted[CLASSES] = {0};
    double given[CLASSES] = {0};
    start(&lesson, 4, true);
    struct bilevel_task task = {.parts = &lesson.bilevel, .part_count = 1, .rows = ROWS,
                                .rate = 0.25, .iterations = 10};
    CU_ASSERT_EQUAL(bilevel_learn(&task, shares), XY_OK);
    CU_ASSERT_TRUE(task.last < task.first);
    for (size_t i = 0; i < ROWS; i++)
        z[i] = log(shares[i] / (1 - shares[i]));
    bilevel_weights(&lesson.bilevel, z, weights, sums);
    for (size_t i = 0; i < ROWS; i++) {
        wanted[lesson.labels[i]] += lesson.prior[i];
        given[lesson.labels[i]] += weights[i];
    }
    for (size_t k = 0; k < CLASSES; k++)
        CU_ASSERT_DOUBLE_EQUAL(wanted[k], given[k], 1e-9);
    end(&lesson);
}

int main(void)
{
    static const struct check checks[] = {
        {"slopes are differences of the retrained loss", slopes_are_differences},
        {"losses fall along their gradients", losses_fall_along_their_gradients},
        {"the reverse loss", the_reverse_loss_is_as_defined},
        {"two levels", the_outer_loss_falls_and_labels_keep_their_share},
        {0},
    };
    return check_main("reweight_gradient", checks);
}
