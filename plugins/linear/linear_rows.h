/* SPDX-License-Identifier: Apache-2.0 */
/* linear_rows.h - the rows that a linear model is trained on, in the form that is quickest to go
 * over, for several problems at once.
 *
 * A column that only one row has can be solved away. All such columns of a row are one, as long as
 * the norm of their entries, since the regulariser does not see how the space of weights is turned;
 * what is left is one number for each row (`own`). Of n-grams that is most columns. Rows of which
 * at least half is not zero are held as plain arrays.
 *
 * Vectors over columns have `lanes` numbers for each column, one of each problem, side by side:
 * what is fetched for one is there for all. The intercept is the last column. Vectors over rows
 * likewise. Sums run in one order, each lane for itself: what one problem comes to does not depend
 * on the others. */
#ifndef XYLEM_PLUGINS_LINEAR_LINEAR_ROWS_H
#define XYLEM_PLUGINS_LINEAR_LINEAR_ROWS_H

#include "learner_matrix.h"

struct linear_rows { /* zeroed: empty */
    const struct matrix *matrix; /* the shared columns, renumbered; borrowed */
    float *dense;                /* or rows x columns */
    size_t rows;
    uint32_t columns;            /* that rows share, without the intercept */
    double *own;                 /* rows: the length of what is each row's own */
    uint32_t all;                /* columns before */
    uint32_t *places;            /* all: the shared column, or `columns` + the row it is of */
    float *shares;               /* all: of a row's own, the entry over `own` of that row */
};

/* Takes the entries of `matrix` apart in place: it is of no other use afterwards, and must stay.
 * XY_OK or XY_ENOMEM. */
int linear_rows_init(struct linear_rows *rows, struct matrix *matrix);
void linear_rows_free(struct linear_rows *rows);

/* out += sum_i factors_i x_i. `lanes` is 1, 4 or 8. */
void linear_rows_add(const struct linear_rows *rows, size_t lanes, const double *factors,
                     double *out);
/* through_i = vector . x_i, and out += sum_i curvature_i through_i x_i. */
void linear_rows_bend(const struct linear_rows *rows, size_t lanes, const double *curvature,
                      const double *vector, double *through, double *out);

/* through_i = vector . x_i. Of sparse rows only, as are those below. */
void linear_rows_margins(const struct linear_rows *rows, size_t lanes, const double *vector,
                         double *through);

/* Of one row, without the intercept: sums += vector . x, and out += factors x. */
void linear_row_inner(const struct linear_rows *rows, size_t lanes, size_t row,
                      const double *vector, double *sums);
void linear_row_add(const struct linear_rows *rows, size_t lanes, size_t row,
                    const double *factors, double *out);
/* Ask for a row's entries, and for what `vector` has in their columns, ahead of their use. */
void linear_row_fetch(const struct linear_rows *rows, size_t row);
void linear_row_fetch_columns(const struct linear_rows *rows, size_t lanes, size_t row,
                              const double *vector);

#endif
