/* SPDX-License-Identifier: Apache-2.0 */
/* linear_liblinear.h - liblinear, loaded at run time so that one program measures several
 * releases. */
#ifndef XYLEM_TESTS_BENCH_LINEAR_LIBLINEAR_H
#define XYLEM_TESTS_BENCH_LINEAR_LIBLINEAR_H

#include "linear_data.h"

struct peer {
    int version; /* 230 for 2.30 */
    void *library, *nodes, *problem;
};

/* Loads the library and copies the rows into its own form, the intercept a column of ones. Ends
 * the program on an error. Nothing is freed. */
void peer_open(struct peer *peer, const char *path, const struct bench_rows *rows);
/* CPU seconds of its train(). Writes `weights` (problems x (columns + 1)). `flat`: the intercept is
 * not regularised, for releases that can be told so. */
double peer_train(const struct peer *peer, const struct bench_rows *rows, int solver,
                  double tolerance, double c, bool flat, double *weights);

#endif
