/* SPDX-License-Identifier: Apache-2.0 */
#include "learner_input.h"

enum { POLL = 1024 };

static bool has_vectors(const struct learner_input *input)
{
    return strstr(input->features, "embedding") != NULL;
}

/* Beside the text, vectors are a part of the row and not in place of it. */
static bool has_both(const struct learner_input *input)
{
    return strstr(input->features, "_and_") != NULL;
}

int learner_input_open(struct learner_input *input, const xy_host *host)
{
    if (!has_vectors(input))
        return XY_OK;
    input->model = host->service(host, XY_MODEL);
    if (!input->model)
        return XY_EUNSUPPORTED;
    if (input->embed || has_both(input)) /* a stage may hand vectors over */
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`features: embedding` needs `embed`: the alias of a model");
    return XY_EINVAL;
}

/* Ready vectors, or the embeddings of the texts; NULL, and XY_OK, where texts are split. */
static int find_vectors(const struct learner_input *input, xy_job *job,
                        const xy_examples *examples, const float **vectors, size_t *dimension)
{
    *vectors = examples->vectors;
    *dimension = examples->vectors ? examples->dimension : 0;
    if (has_both(input) && !examples->texts)
        return xy_fail(job, XY_EINVAL, "`features: %s` needs texts, and there are none",
                       input->features);
    if (*vectors)
        return XY_OK;
    if (!examples->texts)
        return xy_fail(job, XY_EINVAL, "there are neither texts nor vectors");
    if (!input->model)
        return XY_OK;
    if (!input->embed)
        return xy_fail(job, XY_EINVAL, "`features: %s` needs `embed`, the alias of a model, where "
                       "no vectors are handed over", input->features);
    return input->model->embed(job, input->embed, examples->texts, examples->count, vectors,
                               dimension);
}

int learner_input_fit(const struct learner_input *input, xy_job *job, const xy_examples *examples,
                      struct features *features, struct matrix *rows)
{
    const float *vectors = NULL;
    int code = find_vectors(input, job, examples, &vectors, &features->dimension);
    if (code < 0)
        return code;
    features->kind = vectors && !has_both(input)            ? FEATURE_VECTORS
                     : strncmp(input->features, "char", 4) == 0 ? FEATURE_CHARACTERS
                                                                : FEATURE_WORDS;
    features->ngrams = (int)input->ngrams;
    features->buckets = (uint32_t)input->buckets;
    return features_fit(features, job, examples, vectors, rows);
}

int learner_input_rows(const struct learner_input *input, xy_job *job,
                       const xy_examples *examples, const struct features *features,
                       struct matrix *rows)
{
    const float *vectors;
    size_t dimension;
    int code = find_vectors(input, job, examples, &vectors, &dimension);
    if (code < 0)
        return code;
    if (dimension != features->dimension)
        return xy_fail(job, XY_EINVAL, "trained on rows of %zu numbers, asked about rows of %zu "
                       "(0: texts)", features->dimension, dimension);
    struct features_pass pass = {.places = NULL};
    for (size_t i = 0; i < examples->count && code == XY_OK; i++) {
        if (i % POLL == 0 && job->api->cancelled(job)) {
            code = XY_ECANCELED;
            break;
        }
        xy_str text = examples->texts ? examples->texts[i] : (xy_str){NULL, 0};
        code = features_row(features, &pass, text, vectors ? vectors + i * dimension : NULL, rows);
    }
    features_pass_free(&pass);
    return code;
}

xy_examples learner_slice(const xy_examples *examples, size_t first, size_t most)
{
    xy_examples slice = *examples;
    slice.count = examples->count - first < most ? examples->count - first : most;
    slice.texts = examples->texts ? examples->texts + first : NULL;
    slice.vectors = examples->vectors ? examples->vectors + first * examples->dimension : NULL;
    slice.labels = examples->labels ? examples->labels + first : NULL;
    slice.soft = examples->soft ? examples->soft + first * examples->classes : NULL;
    slice.weights = examples->weights ? examples->weights + first : NULL;
    return slice;
}

double learner_target(const xy_examples *examples, size_t row, uint32_t class_index)
{
    if (examples->soft)
        return (double)examples->soft[row * examples->classes + class_index];
    return (uint32_t)examples->labels[row] == class_index;
}

int learner_present(xy_job *job, const xy_examples *examples, uint32_t *present)
{
    int count = 0;
    for (uint32_t k = 0; k < examples->classes; k++) {
        for (size_t i = 0; i < examples->count; i++) {
            bool counts = !examples->weights || examples->weights[i] > 0;
            if (!counts || learner_target(examples, i, k) <= 0)
                continue;
            present[count++] = k;
            break;
        }
    }
    if (count == 0)
        return xy_fail(job, XY_EINVAL, "no example has a weight above 0");
    if (count == 1)
        return xy_fail(job, XY_EINVAL, "all %zu examples are of class %u (counted from 0): there "
                       "must be examples of two classes at least", examples->count, present[0]);
    return count;
}
