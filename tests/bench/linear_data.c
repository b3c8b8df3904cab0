/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 50000, LENGTH = 40, WIDTH = 384, TELLING = 5, LINE = 1 << 20 };

static int never(const xy_job *job)
{
    (void)job;
    return 0;
}

static const xy_job_api job_api = {.size = sizeof(job_api), .cancelled = never};

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* A text of 20 to 60 words, the frequent ones more often; a word in five leans to the class. */
static char *make_text(uint64_t *state, uint32_t label, uint32_t classes)
{
    size_t length = LENGTH / 2 + xy_random_below(state, LENGTH), used = 0;
    char *text = calloc(length, 8);
    for (size_t i = 0; text && i < length; i++) {
        double u = xy_random_unit(state);
        unsigned word = (unsigned)(WORDS * u * u * u);
        if (xy_random_below(state, TELLING) == 0)
            word = word / classes * classes + label;
        used += (size_t)snprintf(text + used, length * 8 - used, "w%u ", word);
    }
    return text;
}

static void make(struct bench_rows *rows, xy_examples *examples, bool texts)
{
    uint64_t state = 5;
    xy_str *all = calloc(examples->count, sizeof(*all));
    float *vectors = texts ? NULL : calloc(examples->count * WIDTH, sizeof(*vectors));
    if (!all || (!texts && !vectors))
        fail("no memory");
    for (size_t i = 0; i < examples->count; i++) {
        uint32_t truth = (uint32_t)xy_random_below(&state, rows->classes);
        rows->labels[i] = xy_random_below(&state, 10) ? truth
                          : (uint32_t)xy_random_below(&state, rows->classes);
        if (texts) {
            all[i].ptr = make_text(&state, truth, rows->classes);
            all[i].len = all[i].ptr ? strlen(all[i].ptr) : 0;
            continue;
        }
        double square = 0;
        for (size_t j = 0; j < WIDTH; j++) {
            double value = xy_random_unit(&state) - 0.5 + (j % rows->classes == truth) * 0.05;
            vectors[i * WIDTH + j] = (float)value;
            square += value * value;
        }
        for (size_t j = 0; j < WIDTH; j++)
            vectors[i * WIDTH + j] /= (float)sqrt(square);
    }
    examples->texts = texts ? all : NULL;
    examples->vectors = vectors;
    examples->dimension = texts ? 0 : WIDTH;
}

size_t bench_lines_read(uint32_t *labels, xy_str *texts, size_t most, const char *path)
{
    FILE *file = fopen(path, "r");
    static char line[LINE];
    size_t count = 0;
    if (!file)
        fail("the file cannot be read");
    while (count < most && fgets(line, sizeof(line), file)) {
        char *text = NULL;
        labels[count] = (uint32_t)strtoul(line, &text, 10);
        texts[count].ptr = strdup(text);
        texts[count++].len = strlen(text);
    }
    fclose(file);
    return count;
}

void bench_rows_make(struct bench_rows *rows, const char *kind, size_t count, uint32_t classes)
{
    bool texts = strcmp(kind, "texts") == 0, vectors = strcmp(kind, "vectors") == 0;
    xy_examples examples = {.size = sizeof(examples), .count = count ? count : BENCH_LINES,
                            .classes = classes};
    *rows = (struct bench_rows){.classes = classes, .problems = classes == 2 ? 1 : classes};
    rows->labels = calloc(examples.count, sizeof(*rows->labels));
    if (!rows->labels)
        fail("no memory");
    if (texts || vectors) {
        make(rows, &examples, texts);
    } else {
        xy_str *lines = calloc(examples.count, sizeof(*lines));
        examples.count = lines ? bench_lines_read(rows->labels, lines, examples.count, kind) : 0;
        examples.texts = lines;
    }
    xy_job job = {.api = &job_api};
    struct features features = {.kind = vectors ? FEATURE_VECTORS : FEATURE_WORDS, .ngrams = 2,
                                .buckets = 1 << 20, .dimension = examples.dimension};
    if (features_fit(&features, &job, &examples, examples.vectors, &rows->matrix) < 0)
        fail("the rows cannot be made");
    features_free(&features);
    for (size_t i = 0; examples.texts && i < examples.count; i++)
        free((char *)examples.texts[i].ptr);
    free((xy_str *)examples.texts);
    free((float *)examples.vectors);
}

void bench_rows_free(struct bench_rows *rows)
{
    matrix_free(&rows->matrix);
    free(rows->labels);
}
