/* SPDX-License-Identifier: Apache-2.0 */
/* confident_issues.h - which labels are wrong, and how sure that is (Northcutt et al. 2021, section
 * 3.2, "Rank and Prune"). [worker] */
#ifndef XYLEM_PLUGINS_CONFIDENT_LEARNING_CONFIDENT_ISSUES_H
#define XYLEM_PLUGINS_CONFIDENT_LEARNING_CONFIDENT_ISSUES_H

#include <stdbool.h>

#include "confident_joint.h"

enum confident_method {
    METHOD_NOISE_RATE,        /* of each pair of labels, as many as the joint says, by margin */
    METHOD_CLASS,             /* of each label, as many as the joint says, by self-confidence */
    METHOD_BOTH,              /* what both condemn */
    METHOD_JOINT,             /* what was counted off the joint's diagonal */
    METHOD_PREDICTED,         /* another class is likelier */
    METHOD_SELF_CONFIDENCE,   /* as many as METHOD_JOINT finds, the least probable labels */
    METHOD_NORMALIZED_MARGIN  /* as many, those furthest below another class */
};

struct confident_task {
    const struct confident_rows *rows;
    const struct confident_joint *joint;
    enum confident_method method;
    double share;  /* of the noise that is estimated, how much is to be found; for the first
                    * three */
    int64_t least; /* records that each label keeps; for the first three */
};

/* issues: one for each record, zeroed. XY_OK or XY_ENOMEM. */
int confident_issues_find(const struct confident_task *task, bool *issues);
/* p(label), and (p(label) - p(likeliest other) + 1) / 2; *other is that class. */
double confident_issues_margin(const struct confident_rows *rows, size_t row, uint32_t *other);

#endif
