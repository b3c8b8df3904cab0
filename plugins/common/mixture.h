/* SPDX-License-Identifier: Apache-2.0 */
/* mixture.h - two normal distributions fitted to one list of numbers by expectation maximisation
 * (Dempster, Laird, Rubin 1977): which losses are small, and which are not (Arazo et al. 2019;
 * Li et al. 2020, "DivideMix", section 3.1; Xiao et al. 2023, "FreeAL", section 3.2). [any] */
#ifndef XYLEM_PLUGINS_COMMON_MIXTURE_H
#define XYLEM_PLUGINS_COMMON_MIXTURE_H

#include <stdbool.h>
#include <stddef.h>

struct mixture_settings {
    int most_passes;   /* expectation and maximisation, at most so often */
    double tolerance;  /* ends when the mean log-likelihood moves by less */
    double least_variance; /* added to each variance, so that none collapses */
};

struct mixture { /* [0]: the part of the lower mean */
    double weights[2], means[2], variances[2];
    bool single; /* fewer than two different numbers: there is one part only */
    int passes;
};

/* Starts from the best split of the sorted numbers in two (least squares): nothing is drawn.
 * XY_OK, XY_ENOMEM, or XY_EINVAL when a number is not finite or there is none. */
int mixture_fit(struct mixture *mixture, const double *values, size_t count,
                const struct mixture_settings *settings);
/* The probability that a number is of the part of the lower mean; 1 where there is one part. */
double mixture_low(const struct mixture *mixture, double value);

#endif
