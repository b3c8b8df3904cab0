/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_rows.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "vectors.h"

/* ---- the form -------------------------------------------------------------------------------- */

static int make_dense(struct linear_rows *rows, const struct matrix *matrix)
{
    rows->dense = calloc(rows->rows * rows->columns + 1, sizeof(*rows->dense));
    if (!rows->dense)
        return XY_ENOMEM;
    for (size_t i = 0; i < rows->rows; i++)
        for (size_t j = matrix->starts[i]; j < matrix->starts[i + 1]; j++)
            rows->dense[i * rows->columns + matrix->entries[j].column] = matrix->entries[j].value;
    for (uint32_t j = 0; j < rows->columns; j++)
        rows->places[j] = j;
    return XY_OK;
}

enum { RANKS = 33 };

/* 0 for the columns of the most entries, by powers of two. */
static unsigned rank_of(uint32_t uses)
{
    return uses ? (unsigned)__builtin_clz(uses) : RANKS - 1;
}

/* Numbers the shared columns, those of many entries first: what is asked for most then lies close
 * together, and stays near the processor. */
static void number_columns(struct linear_rows *rows, const uint32_t *uses)
{
    uint32_t next[RANKS + 1] = {0};
    for (uint32_t j = 0; j < rows->all; j++)
        if (uses[j] != 1)
            next[rank_of(uses[j]) + 1]++;
    for (size_t rank = 0; rank < RANKS; rank++)
        next[rank + 1] += next[rank];
    rows->columns = next[RANKS];
    for (uint32_t j = 0; j < rows->all; j++)
        if (uses[j] != 1)
            rows->places[j] = next[rank_of(uses[j])]++;
}

/* Keeps the entries whose column is shared; the others go into `own`. `uses`: of each column, how
 * many entries it has. */
static void split(struct linear_rows *rows, struct matrix *matrix, const uint32_t *uses)
{
    number_columns(rows, uses);
    size_t kept = 0, start = 0;
    for (size_t i = 0; i < rows->rows; i++) {
        size_t end = matrix->starts[i + 1];
        double square = 0;
        for (size_t j = start; j < end; j++)
            if (uses[matrix->entries[j].column] == 1)
                square += (double)matrix->entries[j].value * (double)matrix->entries[j].value;
        rows->own[i] = sqrt(square);
        for (size_t j = start; j < end; j++) {
            struct entry entry = matrix->entries[j];
            if (uses[entry.column] != 1) {
                matrix->entries[kept++] = (struct entry){rows->places[entry.column], entry.value};
                continue;
            }
            rows->places[entry.column] = rows->columns + (uint32_t)i;
            rows->shares[entry.column] =
                square > 0 ? (float)((double)entry.value / rows->own[i]) : 0;
        }
        start = end;
        matrix->starts[i + 1] = kept;
    }
}

int linear_rows_init(struct linear_rows *rows, struct matrix *matrix)
{
    *rows = (struct linear_rows){.matrix = matrix, .rows = matrix->rows, .all = matrix->columns};
    rows->own = calloc(rows->rows + 1, sizeof(*rows->own));
    rows->places = calloc((size_t)rows->all + 1, sizeof(*rows->places));
    rows->shares = calloc((size_t)rows->all + 1, sizeof(*rows->shares));
    uint32_t *uses = calloc((size_t)rows->all + 1, sizeof(*uses));
    int code = rows->own && rows->places && rows->shares && uses ? XY_OK : XY_ENOMEM;
    if (code == XY_OK && matrix->entry_count * 2 >= rows->rows * rows->all) {
        rows->columns = rows->all;
        code = make_dense(rows, matrix);
    } else if (code == XY_OK) {
        for (size_t j = 0; j < matrix->entry_count; j++)
            uses[matrix->entries[j].column]++;
        split(rows, matrix, uses);
    }
    free(uses);
    if (code < 0)
        linear_rows_free(rows);
    return code;
}

void linear_rows_free(struct linear_rows *rows)
{
    free(rows->dense);
    free(rows->own);
    free(rows->places);
    free(rows->shares);
    *rows = (struct linear_rows){.matrix = NULL};
}

/* ---- sums over rows -------------------------------------------------------------------------- */

/* The compiler makes one of these for each number of lanes. */
#define FOR_LANES static inline __attribute__((always_inline))

/* Two lanes at once, spelled out: left to itself the vectoriser goes along rows here. */
typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));

FOR_LANES void add_cell(double *sums, const double *cell, double factor, size_t lanes)
{
    const pair *from = (const pair *)cell;
    pair *to = (pair *)sums;
    for (size_t k = 0; k < lanes / 2; k++)
        to[k] += from[k] * factor;
}

FOR_LANES void inner(const struct entry *row, size_t length, size_t lanes, const double *vector,
                     double *sums)
{
    if (lanes == 1) { /* four sums, since each addition waits for the one before */
        double parts[4] = {0};
        size_t j = 0;
        for (; j + 4 <= length; j += 4)
            for (size_t part = 0; part < 4; part++)
                parts[part] += vector[row[j + part].column] * (double)row[j + part].value;
        for (; j < length; j++)
            parts[0] += vector[row[j].column] * (double)row[j].value;
        *sums += (parts[0] + parts[1]) + (parts[2] + parts[3]);
        return;
    }
    for (size_t j = 0; j < length; j++) {
        add_cell(sums, vector + row[j].column * lanes, (double)row[j].value, lanes);
    }
}

FOR_LANES void spread(const struct entry *row, size_t length, size_t lanes, const double *factors,
                      double *out)
{
    for (size_t j = 0; j < length; j++) {
        if (lanes == 1)
            out[row[j].column] += *factors * (double)row[j].value;
        else
            add_cell(out + row[j].column * lanes, factors, (double)row[j].value, lanes);
    }
}

FOR_LANES void dense_inner(const float *row, size_t length, size_t lanes, const double *vector,
                           double *sums)
{
    if (lanes == 1) {
        *sums += vectors_mixed_inner(vector, row, length);
        return;
    }
    for (size_t j = 0; j < length; j++)
        add_cell(sums, vector + j * lanes, (double)row[j], lanes);
}

FOR_LANES void dense_spread(const float *row, size_t length, size_t lanes, const double *factors,
                            double *out)
{
    if (lanes == 1) {
        vectors_add(out, *factors, row, length);
        return;
    }
    for (size_t j = 0; j < length; j++)
        add_cell(out + j * lanes, factors, (double)row[j], lanes);
}

enum { MOST_LANES = 8, AHEAD = 1 };

/* Asks for what row `index` will need: its columns are all over memory. */
FOR_LANES void fetch(const struct linear_rows *rows, size_t index, size_t lanes,
                     const double *vector, double *out)
{
    const struct matrix *matrix = rows->matrix;
    if (rows->dense || index >= rows->rows)
        return;
    for (size_t j = matrix->starts[index]; j < matrix->starts[index + 1]; j++) {
        size_t at = matrix->entries[j].column * lanes;
        if (vector)
            __builtin_prefetch(vector + at);
        __builtin_prefetch(out + at, 1);
    }
}

/* `vector` NULL: only the second half, `scale` then being the factors. */
FOR_LANES void run(const struct linear_rows *rows, size_t lanes, const double *scale,
                   const double *vector, double *through, double *out)
{
    double total[MOST_LANES] = {0};
    const double *intercept = vector ? vector + rows->columns * lanes : NULL;
    for (size_t i = 0; i < rows->rows; i++) {
        size_t start = rows->dense ? 0 : rows->matrix->starts[i];
        size_t length = rows->dense ? rows->columns : rows->matrix->starts[i + 1] - start;
        const struct entry *row = rows->dense ? NULL : rows->matrix->entries + start;
        fetch(rows, i + AHEAD, lanes, vector, out);
        const float *plain = rows->dense ? rows->dense + i * rows->columns : NULL;
        double factors[MOST_LANES];
        for (size_t k = 0; k < lanes; k++)
            factors[k] = scale[i * lanes + k];
        if (vector) {
            double sums[MOST_LANES];
            for (size_t k = 0; k < lanes; k++)
                sums[k] = intercept[k];
            if (plain)
                dense_inner(plain, length, lanes, vector, sums);
            else
                inner(row, length, lanes, vector, sums);
            for (size_t k = 0; k < lanes; k++) {
                through[i * lanes + k] = sums[k];
                factors[k] *= sums[k];
            }
        }
        if (plain)
            dense_spread(plain, length, lanes, factors, out);
        else
            spread(row, length, lanes, factors, out);
        for (size_t k = 0; k < lanes; k++)
            total[k] += factors[k];
    }
    for (size_t k = 0; k < lanes; k++)
        out[rows->columns * lanes + k] += total[k];
}

void linear_rows_add(const struct linear_rows *rows, size_t lanes, const double *factors,
                     double *out)
{
    if (lanes == 1)
        run(rows, 1, factors, NULL, NULL, out);
    else if (lanes == 4)
        run(rows, 4, factors, NULL, NULL, out);
    else
        run(rows, 8, factors, NULL, NULL, out);
}

void linear_rows_bend(const struct linear_rows *rows, size_t lanes, const double *curvature,
                      const double *vector, double *through, double *out)
{
    if (lanes == 1)
        run(rows, 1, curvature, vector, through, out);
    else if (lanes == 4)
        run(rows, 4, curvature, vector, through, out);
    else
        run(rows, 8, curvature, vector, through, out);
}

/* ---- one row --------------------------------------------------------------------------------- */

void linear_row_inner(const struct linear_rows *rows, size_t lanes, size_t row,
                      const double *vector, double *sums)
{
    const struct entry *entries = rows->matrix->entries + rows->matrix->starts[row];
    size_t length = rows->matrix->starts[row + 1] - rows->matrix->starts[row];
    if (lanes == 1)
        inner(entries, length, 1, vector, sums);
    else if (lanes == 4)
        inner(entries, length, 4, vector, sums);
    else
        inner(entries, length, 8, vector, sums);
}

void linear_row_add(const struct linear_rows *rows, size_t lanes, size_t row,
                    const double *factors, double *out)
{
    const struct entry *entries = rows->matrix->entries + rows->matrix->starts[row];
    size_t length = rows->matrix->starts[row + 1] - rows->matrix->starts[row];
    if (lanes == 1)
        spread(entries, length, 1, factors, out);
    else if (lanes == 4)
        spread(entries, length, 4, factors, out);
    else
        spread(entries, length, 8, factors, out);
}

void linear_row_fetch(const struct linear_rows *rows, size_t row)
{
    enum { LINE = 64 / sizeof(struct entry) };
    for (size_t j = rows->matrix->starts[row]; j < rows->matrix->starts[row + 1]; j += LINE)
        __builtin_prefetch(rows->matrix->entries + j);
}

void linear_row_fetch_columns(const struct linear_rows *rows, size_t lanes, size_t row,
                              const double *vector)
{
    for (size_t j = rows->matrix->starts[row]; j < rows->matrix->starts[row + 1]; j++)
        __builtin_prefetch(vector + rows->matrix->entries[j].column * lanes, 1);
}

void linear_rows_margins(const struct linear_rows *rows, size_t lanes, const double *vector,
                         double *through)
{
    for (size_t i = 0; i < rows->rows; i++) {
        memcpy(through + i * lanes, vector + rows->columns * lanes, lanes * sizeof(double));
        if (i + 1 < rows->rows)
            linear_row_fetch_columns(rows, lanes, i + 1, vector);
        linear_row_inner(rows, lanes, i, vector, through + i * lanes);
    }
}
