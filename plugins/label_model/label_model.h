/* SPDX-License-Identifier: Apache-2.0 */
/* label_model.h - the probability of each class for each item of a panel, and how good its
 * annotators are. One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_LABEL_MODEL_LABEL_MODEL_H
#define XYLEM_PLUGINS_LABEL_MODEL_LABEL_MODEL_H

#include "panel.h"

enum label_method { LABEL_MAJORITY, LABEL_WEIGHTED, LABEL_DAWID_SKENE, LABEL_ONE_COIN };

struct label_settings {
    enum label_method method;
    int64_t iterations; /* at most */
    double tolerance;   /* of the largest change of a probability */
    double smoothing;   /* added to each count of the tables and of the classes */
};

struct label_model { /* zeroed: empty */
    const struct panel *panel;
    uint32_t classes, annotators;
    uint32_t *gold;     /* of each item, NAMES_NONE where it is not known */
    double *truth;      /* items x classes: probabilities; a row of zeros without votes */
    double *weights;    /* annotators: what a vote counts (majority, weighted) */
    double *prior;      /* classes (dawid_skene, one_coin) */
    double *tables;     /* annotators x classes x classes (dawid_skene): row truth, column said;
                         * NULL for the other methods */
    double *accuracy;   /* annotators (one_coin) */
    double *right;      /* annotators: how many of its votes are right, as truth[] has it */
    double *votes;      /* annotators: how many votes it gave */
    double likelihood;  /* natural logarithm, of all votes; NaN for votes that are counted */
    int64_t iterations; /* that were made */
    bool converged;
};

/* Memory for the panel, weights 1, no gold. XY_OK, XY_ENOMEM, or XY_EINVAL with the reason: tables
 * too large. */
int label_model_init(struct label_model *model, const struct panel *panel,
                     const struct label_settings *settings, xy_job *job);
/* Weights by the accuracy on items with gold labels: the log-odds that make a vote of independent
 * annotators optimal (Nitzan, Paroush 1982), of (hits + 1) / (n + 2), nothing below 0. XY_EINVAL
 * when there is no vote on an item with gold, or when no annotator is better than chance. */
int label_model_weigh(struct label_model *model, xy_job *job);
/* Fills truth[] and what the method estimates. XY_OK, XY_ENOMEM or XY_ECANCELED. */
int label_model_estimate(struct label_model *model, const struct label_settings *settings,
                         xy_job *job);
/* The class of an item, NAMES_NONE without votes. Of several with one probability (within 1e-9):
 * the one that is voted for first in the item, else the one that comes first in the data. */
uint32_t label_model_class(const struct label_model *model, size_t item);
/* Fills right[] and votes[]. */
void label_model_judge(struct label_model *model);
/* How many annotators say one and the same label wherever they vote, and the first of them. */
uint32_t label_model_one_sided(const struct label_model *model, uint32_t *first);
void label_model_free(struct label_model *model);

/* The stage's answers: fields of the records, and the report. */
struct label_output {
    const char *field, *confidence, *probabilities;
    const char *const *fields;
    bool one;
    const xy_report *report; /* may be NULL */
};
int label_model_write(const struct label_model *model, const struct label_output *output,
                      xy_job *job, xy_dataset *input);
int label_model_report(const struct label_model *model, const struct label_output *output,
                       xy_job *job);

#endif
