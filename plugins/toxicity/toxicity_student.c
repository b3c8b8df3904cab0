/* SPDX-License-Identifier: Apache-2.0 */
#include "toxicity_student.h"

#include <stdlib.h>

#include "labelled.h"

static int find_toxic(struct toxicity_student *student, xy_job *job, const struct names *classes)
{
    student->toxic_count = 0;
    for (size_t i = 0; student->toxic && student->toxic[i] && i < 16; i++) {
        uint32_t number = names_find(classes, xy_text(student->toxic[i]));
        if (number == NAMES_NONE)
            return xy_fail(job, XY_EINVAL, "`toxic`: no record of `train` has the label `%s` in "
                           "`%s`", student->toxic[i], student->label);
        student->toxic_classes[student->toxic_count++] = number;
    }
    if (student->toxic_count > 0 && student->toxic_count < classes->count)
        return XY_OK;
    return xy_fail(job, XY_EINVAL, "`train` has %lu labels, of which %lu are toxic: both sorts are "
                   "needed", (unsigned long)classes->count, (unsigned long)student->toxic_count);
}

int toxicity_student_train(struct toxicity_student *student, xy_job *job, xy_dataset *train,
                           uint64_t seed)
{
    const struct labelled_fields fields = {.text = student->text, .label = student->label};
    struct labelled set = {0};
    struct labelled_part part = {0};
    struct names classes = {0};
    size_t count = 0, *rows = NULL;
    int code = labelled_read(&set, job, train, &fields, &classes);
    if (code == XY_OK)
        code = find_toxic(student, job, &classes);
    if (code == XY_OK && !(rows = calloc(set.count + 1, sizeof(*rows))))
        code = XY_ENOMEM;
    for (size_t i = 0; code == XY_OK && i < set.count; i++)
        if (labelled_is_row(&set, i))
            rows[count++] = i;
    student->classes = classes.count;
    if (code == XY_OK)
        code = labelled_take(&set, rows, count, classes.count, true, &part);
    if (code == XY_OK)
        code = student->service->fit(job, student->learner, &part.examples, seed,
                                     &student->fitted);
    else if (code == XY_ENOMEM)
        xy_say(job, code, "out of memory");
    labelled_part_free(&part);
    labelled_free(&set);
    names_free(&classes);
    free(rows);
    return code;
}

int toxicity_student_ask(const struct toxicity_student *student, xy_job *job, xy_str text,
                         double *probability)
{
    const xy_examples examples = {.size = sizeof(examples), .classes = student->classes,
                                  .count = 1, .texts = &text};
    float *probabilities = job->api->alloc(job, student->classes * sizeof(*probabilities));
    if (!probabilities)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = student->service->predict(job, student->learner, student->fitted, &examples,
                                         probabilities);
    *probability = 0;
    for (uint32_t i = 0; code == XY_OK && i < student->toxic_count; i++)
        *probability += (double)probabilities[student->toxic_classes[i]];
    return code;
}
