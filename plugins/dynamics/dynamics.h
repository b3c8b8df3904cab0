/* SPDX-License-Identifier: Apache-2.0 */
/* dynamics.h - how a learner came to what it says of each record, and which records that condemns.
 * One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_DYNAMICS_DYNAMICS_H
#define XYLEM_PLUGINS_DYNAMICS_DYNAMICS_H

#include "folds.h"

enum dynamics_group { GROUP_NONE, GROUP_EASY, GROUP_AMBIGUOUS, GROUP_HARD };

/* Of one record, over the passes of training: p is the probability of its label after a pass. */
struct dynamics_measure {
    bool judged;            /* false: no features or no label, or the learner gave no number */
    bool taken;             /* the ensemble's likeliest class is the label */
    enum dynamics_group group;
    uint32_t class_index;
    double confidence;      /* the mean of p (Swayamdipta et al. 2020, section 2) */
    double variability;     /* its standard deviation (ibid.) */
    double correctness;     /* the share of passes in which the label is the likeliest class
                             * (ibid.) */
    double max_variability; /* the greatest such deviation of any class, for which the label need
                             * not be right (Liu et al. 2022, "WANLI", section 2.3) */
    double aleatoric;       /* the mean of p (1 - p) (Seedat et al. 2023, "CLLM", section 2.2) */
    double loss;            /* the mean of -log p, in nats */
    double ensemble;        /* p of the temporal ensemble (Meng et al. 2022, "SuperGen", section
                             * 3.3) */
};

struct dynamics_task {
    const struct school *school;
    const struct labelled *train; /* NULL: the records themselves */
    const struct labelled *set;
    int folds;                    /* without `train`: 0: each is watched while it is learnt */
    double decay;                 /* of the ensemble */
};

/* measures: one for each record, zeroed. XY_OK, XY_ENOMEM, XY_ECANCELED or what the learner failed
 * with, explained. `*passes` is how many there were. */
int dynamics_measure(const struct dynamics_task *task, struct dynamics_measure *measures,
                     uint32_t *passes);

/* The thresholds of CLLM as they were used. */
struct dynamics_limits {
    double low, high, aleatoric;
};

struct dynamics_rule {
    double tau, kappa;                 /* kappa 0: 0.75 of the range of aleatoric uncertainty */
    double tau_quantile, kappa_quantile; /* above 0: limits are these quantiles of the records */
};

/* Sets each judged record's group (Seedat et al. 2023, section 2.2). XY_OK or XY_ENOMEM. */
int dynamics_group(const struct dynamics_rule *rule, struct dynamics_measure *measures,
                   size_t count, struct dynamics_limits *limits);
/* limits: for each class, `threshold`, or where fewer than half of a class's records pass, as many
 * as half (SuperGen, section 3.3): their median, when that is lower. XY_OK or XY_ENOMEM. */
int dynamics_ensemble_limits(double threshold, const struct dynamics_measure *measures,
                             size_t count, uint32_t classes, double *limits);
bool dynamics_passes(const struct dynamics_measure *measure, const double *limits);

#endif
