/* SPDX-License-Identifier: Apache-2.0 */
/* toxicity_student.h - a learner that tells toxic texts, from labelled ones. */
#ifndef XYLEM_PLUGINS_TOXICITY_TOXICITY_STUDENT_H
#define XYLEM_PLUGINS_TOXICITY_TOXICITY_STUDENT_H

#include <stdbool.h>

#include <xylem/plugin.h>

struct toxicity_student {
    const xy_learner_service *service;
    const xy_student *learner;
    const char *text, *label;        /* fields of the labelled texts */
    const char *const *toxic;        /* labels that are toxic */
    void *fitted;
    uint32_t classes, toxic_count;
    uint32_t toxic_classes[16];
};

/* [worker] Trains on the labelled texts. XY_OK, or an error that is explained. */
int toxicity_student_train(struct toxicity_student *student, xy_job *job, xy_dataset *train,
                           uint64_t seed);
/* [worker] The probability that the text is toxic. XY_OK, or an error that is explained. */
int toxicity_student_ask(const struct toxicity_student *student, xy_job *job, xy_str text,
                         double *probability);

#endif
