/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate_fit.h - maps from stated to calibrated probabilities, fitted to rows whose class is
 * known, and how far probabilities are from what comes true. One thread at a time. */
#ifndef XYLEM_PLUGINS_CALIBRATE_CALIBRATE_FIT_H
#define XYLEM_PLUGINS_CALIBRATE_CALIBRATE_FIT_H

#include "text.h"

/* Rows of probabilities, each with its own number of classes. */
struct rows { /* zeroed: empty */
    double *stated;   /* probabilities as stated, all rows one after another */
    double *logs;     /* their logarithms, of what is at least the floor */
    size_t *starts;   /* count + 1 */
    uint32_t *truths; /* the class of each row, in [0, its classes) */
    size_t count, room, length, capacity;
};

/* XY_OK or XY_ENOMEM. Probabilities below `floor` are taken for it. */
int rows_add(struct rows *rows, const double *probabilities, size_t classes, uint32_t truth,
             double floor);
void rows_free(struct rows *rows);

enum calibrate_method { CALIBRATE_TEMPERATURE, CALIBRATE_PLATT };

/* Temperature: probabilities to the power `slope`, normalised. Platt: the first of two classes has
 * the probability 1 / (1 + exp(-(slope x + offset))), x the logarithm of its stated odds. */
struct calibration {
    enum calibrate_method method;
    double slope, offset; /* slope 1, offset 0: as stated */
    bool bounded;         /* the slope ran against its bound: the rows do not settle it */
};

/* Fits to the rows but for those of one fold: row i is in fold i % folds; folds 0 takes all. By the
 * likelihood of the truths; Platt's targets are pulled from 0 and 1 as in his section 2.2 (1999),
 * in the form of Lin, Lin, Weng (2007). */
struct calibration calibrate_fit(const struct rows *rows, enum calibrate_method method,
                                 size_t folds, size_t fold);
/* Calibrates `classes` logarithms into probabilities that sum to 1; may be done in place. */
void calibrate_apply(const struct calibration *calibration, const double *logs, size_t classes,
                     double *probabilities);

/* Bins of confidence (Guo et al. 2017, equation 3): bin m holds ((m - 1) / bins, m / bins]. */
struct bin {
    double confidence, right, count; /* sums */
};
enum { BINS_MAX = 1000 };

struct measures {
    double likelihood; /* mean negative log-likelihood, in nats */
    double brier;      /* mean squared distance from the truth, summed over classes */
    double accuracy;
    double floor;      /* to be set: the likelihood takes nothing for less likely */
    size_t bin_count;  /* to be set */
    size_t count;
    struct bin bins[BINS_MAX];
};

/* Adds a row. `first`: its confidence is the first class's, in place of the likeliest one's. */
void measures_add(struct measures *measures, const double *probabilities, size_t classes,
                  uint32_t truth, bool first);
/* Expected calibration error: the mean distance between confidence and accuracy, by bins. */
double measures_error(const struct measures *measures);
/* [{"low", "high", "n", "confidence", "accuracy"}] of the bins that hold rows. */
void measures_write(const struct measures *measures, struct text *json);

#endif
