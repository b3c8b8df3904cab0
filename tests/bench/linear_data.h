/* SPDX-License-Identifier: Apache-2.0 */
/* linear_data.h - labelled rows to measure with, as the learner `linear` makes them. */
#ifndef XYLEM_TESTS_BENCH_LINEAR_DATA_H
#define XYLEM_TESTS_BENCH_LINEAR_DATA_H

#include "learner_features.h"

enum { BENCH_LINES = 1 << 20 }; /* the most that are read of a file */

struct bench_rows {
    struct matrix matrix;
    uint32_t *labels;            /* of each row */
    uint32_t classes, problems;  /* one problem for two classes, else one for each */
};

/* `kind`: "texts" or "vectors", made; else a file of lines "class TAB text", and `count` is the
 * most to read (0: all). Ends the program on an error. */
void bench_rows_make(struct bench_rows *rows, const char *kind, size_t count, uint32_t classes);
/* At most `most` lines of such a file: their number. `labels` and `texts` have room for so many. */
size_t bench_lines_read(uint32_t *labels, xy_str *texts, size_t most, const char *path);
void bench_rows_free(struct bench_rows *rows);

#endif
