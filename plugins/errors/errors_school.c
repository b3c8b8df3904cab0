/* SPDX-License-Identifier: Apache-2.0 */
#include "errors_school.h"

#include <stdlib.h>

/* A learner knows classes by number only: the name is said here. */
static int check_classes(xy_job *job, const struct exam *exam,
                         const struct labelled_fields *fields)
{
    if (exam->train_count == 0)
        return xy_fail(job, XY_EINVAL, "no record of `train` has both a `%s` and a `%s`: there is "
                       "nothing to learn from", fields->text, fields->label);
    uint32_t first = exam->train.classes[exam->train_rows[0]];
    for (size_t i = 1; i < exam->train_count; i++)
        if (exam->train.classes[exam->train_rows[i]] != first)
            return XY_OK;
    xy_str name = names_at(&exam->classes, first);
    return xy_fail(job, XY_EINVAL, "all %zu records of `train` have the label `%.*s`: a student "
                   "needs two labels at least", exam->train_count, (int)name.len, name.ptr);
}

static int read_both(struct exam *exam, xy_job *job, xy_dataset *train,
                     const struct labelled_fields *train_fields, xy_dataset *asked,
                     const struct labelled_fields *asked_fields)
{
    int code = labelled_read(&exam->train, job, train, train_fields, &exam->classes);
    if (code == XY_OK)
        code = labelled_read(&exam->asked, job, asked, asked_fields, &exam->classes);
    if (code == XY_OK)
        code = labelled_rows(&exam->train, &exam->train_rows, &exam->train_count);
    if (code == XY_OK)
        code = labelled_rows(&exam->asked, &exam->rows, &exam->count);
    if (code == XY_OK && exam->count == 0)
        return xy_fail(job, XY_EINVAL, "no record has both a `%s` and a `%s`: the student cannot "
                       "be asked about any", asked_fields->text, asked_fields->label);
    return code == XY_OK ? check_classes(job, exam, train_fields) : code;
}

static int ask(struct exam *exam, const struct school *school, xy_job *job, float *probabilities)
{
    uint32_t classes = exam->classes.count;
    struct labelled_part lesson = {.texts = NULL}, questions = {.texts = NULL};
    void *fitted = NULL;
    int code = labelled_take(&exam->train, exam->train_rows, exam->train_count, classes, true,
                             &lesson);
    if (code == XY_OK)
        code = labelled_take(&exam->asked, exam->rows, exam->count, classes, false, &questions);
    if (code == XY_OK)
        code = school->service->fit(job, school->learner, &lesson.examples, school->seed, &fitted);
    if (code == XY_OK)
        code = school->service->predict(job, school->learner, fitted, &questions.examples,
                                        probabilities);
    if (fitted)
        school->service->release(school->learner, fitted);
    labelled_part_free(&lesson);
    labelled_part_free(&questions);
    return code;
}

static int mark(struct exam *exam, const float *probabilities)
{
    uint32_t classes = exam->classes.count;
    exam->answers = calloc(exam->count + 1, sizeof(*exam->answers));
    exam->confidences = calloc(exam->count + 1, sizeof(*exam->confidences));
    if (!exam->answers || !exam->confidences || confusion_init(&exam->confusion, classes) < 0)
        return XY_ENOMEM;
    for (size_t i = 0; i < exam->count; i++) {
        const float *row = probabilities + i * classes;
        uint32_t best = 0;
        for (uint32_t k = 1; k < classes; k++)
            best = row[k] > row[best] ? k : best;
        exam->answers[i] = best;
        exam->confidences[i] = row[best];
        confusion_add(&exam->confusion, exam->asked.classes[exam->rows[i]], best);
    }
    return XY_OK;
}

int exam_hold(struct exam *exam, const struct school *school, xy_job *job, xy_dataset *train,
              const struct labelled_fields *train_fields, xy_dataset *asked,
              const struct labelled_fields *asked_fields)
{
    int code = read_both(exam, job, train, train_fields, asked, asked_fields);
    if (code < 0)
        return code;
    float *probabilities = calloc(exam->count * exam->classes.count + 1, sizeof(*probabilities));
    code = probabilities ? ask(exam, school, job, probabilities) : XY_ENOMEM;
    if (code == XY_OK)
        code = mark(exam, probabilities);
    free(probabilities);
    return code;
}

void exam_free(struct exam *exam)
{
    confusion_free(&exam->confusion);
    labelled_free(&exam->train);
    labelled_free(&exam->asked);
    names_free(&exam->classes);
    free(exam->train_rows);
    free(exam->rows);
    free(exam->answers);
    free(exam->confidences);
    memset(exam, 0, sizeof(*exam));
}
