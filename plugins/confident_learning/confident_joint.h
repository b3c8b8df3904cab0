/* SPDX-License-Identifier: Apache-2.0 */
/* confident_joint.h - how many records of each given label have each true label, estimated from
 * probabilities that no record's own label had a part in (Northcutt, Jiang, Chuang 2021, JAIR,
 * "Confident Learning: Estimating Uncertainty in Dataset Labels", section 3.1). [worker] */
#ifndef XYLEM_PLUGINS_CONFIDENT_LEARNING_CONFIDENT_JOINT_H
#define XYLEM_PLUGINS_CONFIDENT_LEARNING_CONFIDENT_JOINT_H

#include <xylem/plugin.h>

struct confident_rows {
    const float *probabilities; /* count x classes */
    const uint32_t *labels;     /* count, each below classes */
    size_t count;
    uint32_t classes;
};

struct confident_joint { /* zeroed: empty */
    double *thresholds; /* of each class: the mean probability of it among records so labelled; 2,
                         * which nothing reaches, for a label that no record has */
    uint64_t *given;    /* of each class: records so labelled */
    int64_t *counts;    /* classes x classes: given label, true label; whole numbers whose rows sum
                         * to `given` (equation 3) */
    uint32_t *guesses;  /* of each record: the class it counts for, or CONFIDENT_NONE */
};

#define CONFIDENT_NONE UINT32_MAX

/* A record counts for the class whose threshold its probability reaches; where it reaches several,
 * for the likeliest class of all. XY_OK or XY_ENOMEM. */
int confident_joint_fill(struct confident_joint *joint, const struct confident_rows *rows);
void confident_joint_free(struct confident_joint *joint);
/* Rounds `count` numbers to whole ones with the same rounded sum: what is missing goes to those
 * that lost most. `order` is scratch, of the same length. */
void confident_joint_round(const double *numbers, int64_t *whole, uint32_t *order, uint32_t count);

#endif
