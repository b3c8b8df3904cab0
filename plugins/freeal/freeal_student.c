/* SPDX-License-Identifier: Apache-2.0 */
#include "freeal_student.h"

#include <math.h>
#include <stdlib.h>

#include "freeal_lesson.h"

/* FreeAL's code: 10 passes, tolerance 1e-2, 5e-4 added to each variance. */
static const struct mixture_settings loss_mixture = {10, 1e-2, 5e-4};
static const double least_probability = 1e-12; /* a loss is finite */

/* What all rounds of a course share. */
struct study {
    struct course *course;
    struct course_result *result;
    struct lesson exam;     /* each record with a text, then each view */
    size_t *exam_rows;      /* 2 x count: where a record, and its view, stands in it, + 1; or 0 */
    float *probabilities;   /* students x exam x classes */
    float *target;          /* classes: of one row */
    size_t *rows;           /* room for the rows of one part */
    uint32_t classes;
    int students;
};

static float *judged_by(const struct study *study, int student)
{
    return study->probabilities + (size_t)student * study->exam.examples.count * study->classes;
}

/* What a student says of a record, or of its view; NULL when there is none. */
static const float *said_of(const struct study *study, int student, size_t row, bool view)
{
    size_t at = study->exam_rows[row + (view ? study->course->set->count : 0)];
    return at ? judged_by(study, student) + (at - 1) * study->classes : NULL;
}

static bool is_taught(const struct course *course, int student, size_t row)
{
    return course->folds < 2 || course->fold_of[row] != (uint32_t)student;
}

static bool has_view(const struct course *course, size_t row)
{
    return course->views && labelled_has_text(course->views, row);
}

static int prepare(struct study *study)
{
    const struct course *course = study->course;
    const struct labelled *set = course->set;
    size_t count = set->count;
    study->classes = course->school->classes->count;
    study->students = course->folds < 2 ? 1 : course->folds;
    int code = lesson_init(&study->exam, 2 * count, study->classes,
                           set->vectors ? set->dimension : 0);
    study->exam_rows = calloc(2 * count + 1, sizeof(*study->exam_rows));
    study->rows = calloc(count + 1, sizeof(*study->rows));
    study->target = calloc(study->classes + 1, sizeof(*study->target));
    if (code < 0 || !study->exam_rows || !study->rows || !study->target)
        return XY_ENOMEM;
    for (int view = 0; view < 2; view++) {
        const struct labelled *from = view ? course->views : set;
        for (size_t i = 0; from && i < count; i++) {
            if (!labelled_has_text(from, i))
                continue;
            lesson_add(&study->exam, from, i, NULL, 1);
            study->exam_rows[i + (view ? count : 0)] = study->exam.examples.count;
        }
    }
    study->exam.examples.labels = NULL; /* asked about, not taught */
    study->exam.examples.soft = NULL;
    study->exam.examples.weights = NULL;
    size_t cells = (size_t)study->students * study->exam.examples.count * study->classes;
    study->probabilities = calloc(cells + 1, sizeof(*study->probabilities));
    return study->probabilities ? XY_OK : XY_ENOMEM;
}

static int check_numbers(const struct study *study, int student)
{
    const float *judged = judged_by(study, student);
    for (size_t i = 0; i < study->exam.examples.count * study->classes; i++)
        if (!isfinite(judged[i]))
            return xy_fail(study->course->school->job, XY_EINVAL, "the learner gave a probability "
                           "that is no number (row %zu of its training)", i / study->classes + 1);
    return XY_OK;
}

/* ---- warm-up --------------------------------------------------------------------------------- */

/* A whole training, and what comes of it for the exam. */
static int teach(const struct study *study, int student, const xy_examples *examples)
{
    const struct school *school = study->course->school;
    void *fitted = NULL;
    int code = school->service->fit(school->job, school->learner, examples, school->seed, &fitted);
    if (code == XY_OK)
        code = school->service->predict(school->job, school->learner, fitted,
                                        &study->exam.examples, judged_by(study, student));
    if (fitted)
        school->service->release(school->learner, fitted);
    return code < 0 ? code : check_numbers(study, student);
}

/* The exam after `warm_up` passes; a learner that has no passes is trained as it always is. */
static int warm_up_one(const struct study *study, int student, const xy_examples *examples)
{
    const struct school *school = study->course->school;
    const float *traced = NULL;
    uint32_t passes = 0, wanted = study->course->hours->warm_up;
    void *fitted = NULL;
    int code = XY_EUNSUPPORTED;
    if (XY_HAS(school->service, xy_learner_service, trace))
        code = school->service->trace(school->job, school->learner, examples,
                                      &study->exam.examples, school->seed, &traced, &passes,
                                      &fitted);
    if (fitted)
        school->service->release(school->learner, fitted);
    if (code == XY_EUNSUPPORTED) {
        if (student == 0)
            xy_log_line(study->course->host, XY_LOG_INFO, "this learner does not tell its passes: "
                        "the warm-up is a whole training%s", study->course->folds < 2
                        ? ", and `folds` would keep it from judging what it learnt" : "");
        return teach(study, student, examples);
    }
    if (code < 0)
        return code;
    size_t cells = study->exam.examples.count * study->classes;
    uint32_t pass = (wanted < passes ? wanted : passes) - 1;
    memcpy(judged_by(study, student), traced + pass * cells, cells * sizeof(*traced));
    return check_numbers(study, student);
}

static int warm_up(const struct study *study)
{
    const struct course *course = study->course;
    int code = XY_OK;
    for (int student = 0; student < study->students && code == XY_OK; student++) {
        struct labelled_part part = {.texts = NULL};
        size_t count = 0;
        for (size_t i = 0; i < course->set->count; i++)
            if (is_taught(course, student, i) && labelled_is_row(course->set, i))
                study->rows[count++] = i;
        code = folds_check_classes(course->school, course->set, study->rows, count);
        if (code == XY_OK)
            code = labelled_take(course->set, study->rows, count, study->classes, true, &part);
        if (code == XY_OK)
            code = warm_up_one(study, student, &part.examples);
        labelled_part_free(&part);
    }
    return code;
}

/* ---- which rows are clean -------------------------------------------------------------------- */

/* By its own student: the one that did not learn it, where there are folds. */
static const float *own_judgement(const struct study *study, size_t row)
{
    int student = study->course->folds < 2 ? 0 : (int)study->course->fold_of[row];
    return said_of(study, student, row, false);
}

/* A class of which no row is clean would be forgotten: all its rows stay. */
static int keep_classes(const struct study *study)
{
    const struct labelled *set = study->course->set;
    struct course_result *result = study->result;
    bool *seen = calloc(study->classes + 1, sizeof(*seen));
    if (!seen)
        return XY_ENOMEM;
    for (size_t i = 0; i < set->count; i++)
        if (result->clean[i])
            seen[set->classes[i]] = true;
    for (uint32_t k = 0; k < study->classes; k++) {
        size_t rows = 0;
        for (size_t i = 0; i < set->count && !seen[k]; i++) {
            bool here = labelled_is_row(set, i) && set->classes[i] == k;
            result->clean[i] |= here;
            rows += here;
        }
        if (rows == 0)
            continue;
        xy_str name = names_at(study->course->school->classes, k);
        result->kept_whole++;
        result->clean_count += rows;
        xy_log_line(study->course->host, XY_LOG_WARNING, "no row of the label `%.*s` has a small "
                    "loss: all %zu count as clean", (int)name.len, name.ptr, rows);
    }
    free(seen);
    return XY_OK;
}

static int choose_clean(const struct study *study)
{
    const struct labelled *set = study->course->set;
    struct course_result *result = study->result;
    double *losses = malloc((set->count + 1) * sizeof(*losses)), least = INFINITY, most = 0;
    size_t count = 0;
    if (!losses)
        return XY_ENOMEM;
    for (size_t i = 0; i < set->count; i++) {
        if (!labelled_is_row(set, i))
            continue;
        double p = (double)own_judgement(study, i)[set->classes[i]];
        losses[count] = -log(fmax(p, least_probability));
        least = fmin(least, losses[count]);
        most = fmax(most, losses[count]);
        study->rows[count++] = i;
    }
    for (size_t i = 0; i < count; i++)
        losses[i] = most > least ? (losses[i] - least) / (most - least) : 0;
    int code = mixture_fit(&result->mixture, losses, count, &loss_mixture);
    result->labelled_count = count;
    for (size_t i = 0; i < count && code == XY_OK; i++) {
        bool small = mixture_low(&result->mixture, losses[i]) > study->course->hours->clean;
        result->clean[study->rows[i]] = small;
        result->clean_count += small;
    }
    free(losses);
    return code == XY_OK ? keep_classes(study) : code;
}

/* ---- training on clean and other rows -------------------------------------------------------- */

/* The mean of what is said of the row and its view, sharpened (Xiao et al. 2023: temperature
 * 0.85). */
static void set_target(const struct study *study, int student, size_t row)
{
    const float *own = said_of(study, student, row, false);
    const float *view = said_of(study, student, row, true);
    double power = 1 / study->course->hours->temperature, sum = 0;
    for (uint32_t k = 0; k < study->classes; k++) {
        double mean = view ? ((double)own[k] + (double)view[k]) / 2 : (double)own[k];
        double sharp = pow(mean, power);
        study->target[k] = (float)sharp;
        sum += sharp;
    }
    for (uint32_t k = 0; k < study->classes; k++)
        study->target[k] = (float)((double)study->target[k] / sum);
}

/* A draw from Beta(alpha, alpha) for a whole alpha: the middle one of 2 alpha - 1 uniform draws.
 * At least 1/2, so that the first row leads. */
static double draw_share(uint32_t alpha, uint64_t *random)
{
    double draws[2 * 32];
    for (uint32_t i = 0; i < 2 * alpha - 1; i++) {
        double draw = xy_random_unit(random);
        uint32_t at = i;
        for (; at > 0 && draws[at - 1] > draw; at--)
            draws[at] = draws[at - 1];
        draws[at] = draw;
    }
    return fmax(draws[alpha - 1], 1 - draws[alpha - 1]);
}

static void add_clean(const struct study *study, struct lesson *lesson, size_t row,
                      size_t clean_count, double ramp)
{
    struct course *course = study->course;
    lesson_add(lesson, course->set, row, NULL, 1);
    if (has_view(course, row))
        lesson_add(lesson, course->views, row, NULL, ramp);
    if (!course->hours->mixup || !course->set->vectors)
        return;
    size_t other = study->rows[xy_random_below(&course->random, clean_count)];
    double share = draw_share(course->hours->mixup, &course->random);
    lesson_add_mixture(lesson, course->set, row, other, share, ramp);
}

static int fill_lesson(const struct study *study, int student, double ramp, struct lesson *lesson)
{
    const struct course *course = study->course;
    const struct labelled *set = course->set;
    size_t clean_count = 0;
    int code = lesson_init(lesson, 3 * set->count, study->classes,
                           set->vectors ? set->dimension : 0);
    for (size_t i = 0; i < set->count; i++)
        if (is_taught(course, student, i) && study->result->clean[i])
            study->rows[clean_count++] = i;
    if (code == XY_OK)
        code = folds_check_classes(course->school, set, study->rows, clean_count);
    for (size_t i = 0; i < set->count && code == XY_OK; i++) {
        if (!is_taught(course, student, i) || !labelled_has_text(set, i))
            continue;
        if (study->result->clean[i]) {
            add_clean(study, lesson, i, clean_count, ramp);
            continue;
        }
        set_target(study, student, i);
        lesson_add(lesson, set, i, study->target, ramp);
        if (has_view(course, i))
            lesson_add(lesson, course->views, i, study->target, ramp);
    }
    return code;
}

static int train(const struct study *study)
{
    uint32_t rounds = study->course->hours->rounds;
    int code = XY_OK;
    for (int student = 0; student < study->students; student++) {
        for (uint32_t round = 1; round <= rounds && code == XY_OK; round++) {
            struct lesson lesson = {.texts = NULL};
            if (study->course->school->job->api->cancelled(study->course->school->job))
                return XY_ECANCELED;
            code = fill_lesson(study, student, (double)round / rounds, &lesson);
            if (code == XY_OK)
                code = teach(study, student, &lesson.examples);
            lesson_free(&lesson);
        }
    }
    return code;
}

static void keep_judgements(const struct study *study)
{
    struct judgements *judgements = &study->result->judgements;
    for (size_t i = 0; i < study->course->set->count; i++) {
        const float *own = own_judgement(study, i);
        uint32_t best = 0;
        judgements->classes[i] = NAMES_NONE;
        if (!own)
            continue;
        for (uint32_t k = 1; k < study->classes; k++)
            best = own[k] > own[best] ? k : best;
        judgements->classes[i] = best;
        judgements->confidences[i] = own[best];
    }
}

int course_run(struct course *course, struct course_result *result)
{
    struct study study = {.course = course, .result = result};
    int code = prepare(&study);
    if (code == XY_OK)
        code = warm_up(&study);
    if (code == XY_OK)
        code = choose_clean(&study);
    if (code == XY_OK)
        code = train(&study);
    if (code == XY_OK)
        keep_judgements(&study);
    if (code == XY_ENOMEM)
        xy_fail(course->school->job, code, "out of memory");
    lesson_free(&study.exam);
    free(study.exam_rows);
    free(study.rows);
    free(study.probabilities);
    free(study.target);
    return code;
}
