/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_features.h"

#include <math.h>
#include <stdlib.h>

enum { POLL = 1024 };

static uint32_t bucket_of(const struct features *features, uint64_t hash)
{
    return (uint32_t)(((hash >> 32) * features->buckets) >> 32);
}

static size_t columns_most(const struct features *features)
{
    return features->dimension + features->buckets;
}

/* Adds 1 to the column's entry of the row that is being written. `places` may be stale: an entry
 * counts only when it lies in this row and is of this column. */
static int count_gram(struct matrix *row, size_t *places, size_t row_start, uint32_t column)
{
    size_t place = places[column];
    if (place > row_start && place <= row->entry_count &&
        row->entries[place - 1].column == column) {
        row->entries[place - 1].value += 1;
        return XY_OK;
    }
    int code = matrix_add(row, column, 1);
    places[column] = row->entry_count;
    return code;
}

static int split(const struct features *features, struct words *words, xy_str text)
{
    return words_split(words, text, features->kind == FEATURE_CHARACTERS, 1, features->ngrams);
}

/* Scales the counts among a row's entries to unit length, after idf; those of a vector, which are
 * of the first columns and come first, stay. */
static void weigh(const struct features *features, struct entry *entries, size_t count)
{
    double sum = 0;
    for (; count && entries->column < features->dimension; entries++)
        count--;
    for (size_t i = 0; i < count; i++) {
        entries[i].value *= features->idf[entries[i].column];
        sum += (double)entries[i].value * (double)entries[i].value;
    }
    double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    for (size_t i = 0; i < count; i++)
        entries[i].value = (float)((double)entries[i].value * scale);
}

/* The counts of one training text; buckets not seen before become columns. */
static int count_text(struct features *features, struct features_pass *pass, xy_str text,
                      struct matrix *rows)
{
    int code = split(features, &pass->words, text);
    size_t start = rows->entry_count;
    for (size_t i = 0; i < pass->words.count && code == XY_OK; i++) {
        uint32_t bucket = bucket_of(features, pass->words.grams[i]);
        if (!features->columns[bucket])
            features->columns[bucket] = ++rows->columns;
        code = count_gram(rows, pass->places, start, features->columns[bucket] - 1);
    }
    return code;
}

static bool counts(const xy_examples *examples, size_t index)
{
    return !examples->weights || examples->weights[index] > 0;
}

/* idf of every column, and each row weighed by it. */
static int weigh_rows(struct features *features, const xy_examples *examples, struct matrix *rows)
{
    features->idf = calloc((size_t)rows->columns + 1, sizeof(*features->idf));
    if (!features->idf)
        return XY_ENOMEM;
    size_t documents = 0;
    for (size_t i = 0; i < rows->entry_count; i++)
        features->idf[rows->entries[i].column] += 1;
    for (size_t i = 0; i < examples->count; i++)
        documents += counts(examples, i);
    for (uint32_t j = 0; j < rows->columns; j++)
        features->idf[j] =
            (float)(log((1 + (double)documents) / (1 + (double)features->idf[j])) + 1);
    for (size_t i = 0; i < rows->rows; i++)
        weigh(features, rows->entries + rows->starts[i], rows->starts[i + 1] - rows->starts[i]);
    return XY_OK;
}

static int add_vector(const struct features *features, const float *vector, struct matrix *row)
{
    int code = XY_OK;
    for (size_t j = 0; j < features->dimension && code == XY_OK; j++)
        if (vector[j] != 0)
            code = matrix_add(row, (uint32_t)j, vector[j]);
    return code;
}

static int fit_texts(struct features *features, xy_job *job, const xy_examples *examples,
                     const float *vectors, struct matrix *rows)
{
    struct features_pass pass = {.places = calloc(columns_most(features), sizeof(*pass.places))};
    features->columns = calloc(features->buckets, sizeof(*features->columns));
    int code = pass.places && features->columns ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < examples->count && code == XY_OK; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            code = XY_ECANCELED;
        else if (counts(examples, i) && vectors)
            code = add_vector(features, vectors + i * features->dimension, rows);
        if (code == XY_OK && counts(examples, i))
            code = count_text(features, &pass, examples->texts[i], rows);
        if (code == XY_OK)
            code = matrix_end_row(rows);
    }
    if (code == XY_OK)
        code = weigh_rows(features, examples, rows);
    features_pass_free(&pass);
    return code;
}

int features_fit(struct features *features, xy_job *job, const xy_examples *examples,
                 const float *vectors, struct matrix *rows)
{
    rows->columns = (uint32_t)features->dimension;
    if (features->kind != FEATURE_VECTORS)
        return fit_texts(features, job, examples, vectors, rows);
    int code = XY_OK;
    for (size_t i = 0; i < examples->count && code == XY_OK; i++) {
        if (counts(examples, i))
            code = add_vector(features, vectors + i * features->dimension, rows);
        if (code == XY_OK)
            code = matrix_end_row(rows);
    }
    return code;
}

int features_row(const struct features *features, struct features_pass *pass, xy_str text,
                 const float *vector, struct matrix *row)
{
    size_t start = row->entry_count;
    int code = vector ? add_vector(features, vector, row) : XY_OK;
    if (code == XY_OK && features->kind == FEATURE_VECTORS)
        return matrix_end_row(row);
    if (!pass->places)
        pass->places = calloc(columns_most(features), sizeof(*pass->places));
    if (!pass->places)
        return XY_ENOMEM;
    if (code == XY_OK)
        code = split(features, &pass->words, text);
    for (size_t i = 0; i < pass->words.count && code == XY_OK; i++) {
        uint32_t column = features->columns[bucket_of(features, pass->words.grams[i])];
        if (column)
            code = count_gram(row, pass->places, start, column - 1);
    }
    weigh(features, row->entries + start, row->entry_count - start);
    return code == XY_OK ? matrix_end_row(row) : code;
}

void features_pass_free(struct features_pass *pass)
{
    words_free(&pass->words);
    free(pass->places);
    pass->places = NULL;
}

void features_free(struct features *features)
{
    free(features->columns);
    free(features->idf);
    features->columns = NULL;
    features->idf = NULL;
}
