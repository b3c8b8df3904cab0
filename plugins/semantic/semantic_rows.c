/* SPDX-License-Identifier: Apache-2.0 */
#include "semantic_rows.h"

#include <math.h>
#include <stdlib.h>

#include "names.h"
#include "vector_column.h"
#include "vectors.h"

enum { POLL = 4096 };

/* What belongs to one of the two data sets: rows from `first` on. */
struct part {
    xy_dataset *data;
    const char *name;         /* as errors call it */
    size_t first, count;
};

/* A vector of zeros, or with a number that is none, has no direction: its row is compared with
 * nothing. */
static void place(struct rows *rows, size_t row, const float *vector)
{
    double scale = vector ? vectors_scale(vector, rows->dimension) : 0;
    if (!isfinite(scale) || scale <= 0)
        return;
    rows->vectors[row] = vector;
    rows->scales[row] = scale;
}

static int take_width(struct rows *rows, xy_job *job, const struct part *part, size_t width)
{
    if (rows->dimension && rows->dimension != width)
        return xy_fail(job, XY_EINVAL, "the vectors of %s have %zu numbers, those of `against` "
                       "%zu: both must come from the same model", part->name, width,
                       rows->dimension);
    rows->dimension = width;
    return XY_OK;
}

static int place_by_field(struct rows *rows, xy_job *job, const struct part *part,
                          const struct rows_options *options)
{
    char whose[64];
    uint32_t width;
    snprintf(whose, sizeof(whose), " of %s", part->name);
    const float *column = vector_column(part->data, job, options->vector, whose, &width);
    if (!column)
        return XY_EINVAL;
    int code = take_width(rows, job, part, width);
    for (size_t i = 0; code == XY_OK && i < part->count; i++)
        place(rows, part->first + i, column + i * width);
    return code;
}

/* Each distinct text is embedded once. */
static int embed(struct rows *rows, xy_job *job, const struct part *part,
                 const struct rows_options *options, const struct names *texts,
                 const uint32_t *numbers)
{
    if (texts->count == 0)
        return xy_fail(job, XY_EINVAL, "no record of %s has a text in `%s`", part->name,
                       options->field);
    xy_str *list = job->api->alloc(job, texts->count * sizeof(*list));
    const float *vectors = NULL;
    size_t width = 0;
    if (!list)
        return XY_ENOMEM;
    for (uint32_t i = 0; i < texts->count; i++)
        list[i] = names_at(texts, i);
    int code = options->models->embed(job, options->embed, list, texts->count, &vectors, &width);
    if (code == XY_OK)
        code = take_width(rows, job, part, width);
    for (size_t i = 0; code == XY_OK && i < part->count; i++)
        place(rows, part->first + i,
              numbers[i] == NAMES_NONE ? NULL : vectors + numbers[i] * width);
    return code;
}

static int place_by_model(struct rows *rows, xy_job *job, const struct part *part,
                          const struct rows_options *options)
{
    struct names texts = {0};
    uint32_t *numbers = malloc((part->count + 1) * sizeof(*numbers));
    int code = numbers ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; code == XY_OK && i < part->count; i++) {
        const xy_record *record = part->data->api->at(part->data, i);
        xy_str text = record ? xy_record_text(record, options->field) : xy_text(NULL);
        numbers[i] = text.len ? names_add(&texts, text) : NAMES_NONE;
        if (text.len && numbers[i] == NAMES_NONE)
            code = XY_ENOMEM;
    }
    if (code == XY_OK)
        code = embed(rows, job, part, options, &texts, numbers);
    names_free(&texts);
    free(numbers);
    return code;
}

static int read_part(struct rows *rows, xy_job *job, const struct part *part,
                     const struct rows_options *options)
{
    for (size_t i = 0; i < part->count; i++) {
        const xy_record *record = part->data->api->at(part->data, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %zu of %s cannot be read", i, part->name);
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        rows->ids[part->first + i] = record->api->id(record);
        double prefer = options->prefer ? names_number(record, options->prefer, NAN) : 0;
        rows->prefers[part->first + i] = isnan(prefer) ? -INFINITY : prefer;
    }
    if (part->count == 0)
        return XY_OK;
    return options->vector ? place_by_field(rows, job, part, options)
                           : place_by_model(rows, job, part, options);
}

int rows_read(struct rows *rows, xy_job *job, xy_dataset *input,
              const struct rows_options *options)
{
    xy_dataset *against = options->against;
    size_t known = against ? (size_t)against->api->count(against) : 0;
    size_t own = (size_t)input->api->count(input), count = known + own;
    *rows = (struct rows){.count = count, .known = known};
    rows->vectors = calloc(count + 1, sizeof(*rows->vectors));
    rows->scales = calloc(count + 1, sizeof(*rows->scales));
    rows->prefers = calloc(count + 1, sizeof(*rows->prefers));
    rows->ids = calloc(count + 1, sizeof(*rows->ids));
    struct part parts[] = {{against, "`against`", 0, known}, {input, "the input", known, own}};
    int code = rows->vectors && rows->scales && rows->prefers && rows->ids ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < 2 && code == XY_OK; i++)
        code = read_part(rows, job, &parts[i], options);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    for (size_t row = known; code == XY_OK && row < count; row++)
        rows->empty += rows->vectors[row] == NULL;
    return code;
}

void rows_free(struct rows *rows)
{
    free(rows->vectors);
    free(rows->scales);
    free(rows->prefers);
    free(rows->ids);
    *rows = (struct rows){0};
}

double rows_cosine(const struct rows *rows, size_t a, size_t b)
{
    return (double)vectors_inner(rows->vectors[a], rows->vectors[b], rows->dimension) *
           rows->scales[a] * rows->scales[b];
}
