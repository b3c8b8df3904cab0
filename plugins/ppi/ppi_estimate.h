/* SPDX-License-Identifier: Apache-2.0 */
/* ppi_estimate.h - the mean of what people would say, from what a judge says of many records and
 * people of few: prediction-powered inference (Angelopoulos et al. 2023, Science). [any] */
#ifndef XYLEM_PLUGINS_PPI_PPI_ESTIMATE_H
#define XYLEM_PLUGINS_PPI_PPI_ESTIMATE_H

#include "confusion.h"

/* Running sums over records; zeroed: none. */
struct ppi_sums {
    uint64_t unlabelled, labelled, agreeing;
    double judge, judge_squared;     /* over the unlabelled */
    double gold, gold_squared;       /* over the labelled, as all below */
    double said, said_squared, both; /* the judge there, and its product with gold */
    double error, error_squared;     /* judge less gold */
};

struct ppi_result {
    struct estimate powered;  /* NaN with fewer than 2 labelled or without unlabelled records */
    struct estimate labelled; /* from the labelled records alone */
    double judge;             /* mean of what the judge says, of the unlabelled */
    double rectifier;         /* mean of judge less gold: what the judge is wrong by */
    double accuracy;          /* share of the labelled on which both are equal */
    double tuning;            /* how far the judge is relied upon: 1 unless it was tuned */
};

/* The two-sided standard normal quantile of a confidence level in (0, 1). */
double ppi_quantile(double level);
void ppi_add_unlabelled(struct ppi_sums *sums, double judge);
void ppi_add_labelled(struct ppi_sums *sums, double judge, double gold);
/* With population variances, as ARES has it. `tune`: the judge is relied upon as far as makes the
 * interval narrowest (PPI++, Angelopoulos, Duchi, Zrnic 2023, section 6, cut to [0, 1]). */
struct ppi_result ppi_estimate(const struct ppi_sums *sums, double level, bool tune);

#endif
