/* SPDX-License-Identifier: Apache-2.0 */
#include "select_rows.h"

#include <math.h>
#include <stdlib.h>

#include "text.h"
#include "vector_column.h"
#include "vectors.h"

/* ---- which records are known ----------------------------------------------------------------- */

struct known {
    uint64_t *ids;       /* sorted */
    size_t count;
    struct names texts;
};

static int by_number(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static int known_read(struct known *known, const struct rows_options *options)
{
    xy_dataset *dataset = options->known;
    size_t count = dataset ? (size_t)dataset->api->count(dataset) : 0;
    known->ids = calloc(count + 1, sizeof(*known->ids));
    if (!known->ids)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const xy_record *record = dataset->api->at(dataset, i);
        if (!record)
            return XY_EIO;
        known->ids[known->count++] = record->api->id(record);
        xy_str text = xy_record_text(record, options->field);
        if (text.len && names_add(&known->texts, text) == NAMES_NONE)
            return XY_ENOMEM;
    }
    qsort(known->ids, known->count, sizeof(*known->ids), by_number);
    return XY_OK;
}

static bool known_has(const struct known *known, const xy_record *record, xy_str text)
{
    uint64_t id = record->api->id(record);
    return bsearch(&id, known->ids, known->count, sizeof(id), by_number) ||
           (text.len && names_find(&known->texts, text) != NAMES_NONE);
}

static void known_free(struct known *known)
{
    free(known->ids);
    names_free(&known->texts);
}

/* ---- where they lie -------------------------------------------------------------------------- */

static int place(struct rows *rows, xy_job *job, const float *vectors, const uint32_t *numbers)
{
    for (size_t i = 0; i < rows->count; i++) {
        const float *vector =
            numbers[i] == NAMES_NONE ? NULL : vectors + numbers[i] * rows->dimension;
        rows->usable[i] = vector && !isnan(vector[0]);
        if (!rows->usable[i])
            continue;
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        rows->places[i] = vector;
        rows->scales[i] = vectors_scale(vector, rows->dimension);
    }
    return XY_OK;
}

static int place_by_field(struct rows *rows, xy_job *job, xy_dataset *input,
                          const struct rows_options *options, uint32_t *numbers)
{
    uint32_t width;
    const float *column = vector_column(input, job, options->vector, "", &width);
    if (!column)
        return XY_EINVAL;
    rows->dimension = width;
    for (size_t i = 0; i < rows->count; i++)
        numbers[i] = (uint32_t)i;
    return place(rows, job, column, numbers);
}

/* Each distinct text is embedded once. */
static int place_by_model(struct rows *rows, xy_job *job, const struct rows_options *options,
                          const struct names *texts, const uint32_t *numbers)
{
    xy_str *list = job->api->alloc(job, (texts->count + 1) * sizeof(*list));
    const float *vectors = NULL;
    if (!list)
        return XY_ENOMEM;
    if (!(options->models->can(options->embed) & XY_EMBED))
        return xy_fail(job, XY_EUNSUPPORTED, "the model given as `embed` cannot embed texts");
    if (texts->count == 0)
        return xy_fail(job, XY_EINVAL, "no record has a text in `%s`", options->field);
    for (uint32_t i = 0; i < texts->count; i++)
        list[i] = names_at(texts, i);
    int code = options->models->embed(job, options->embed, list, texts->count, &vectors,
                                      &rows->dimension);
    return code < 0 ? code : place(rows, job, vectors, numbers);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_record(struct rows *rows, xy_job *job, const xy_record *record,
                       const struct rows_options *options, const struct known *known,
                       struct names *texts, uint32_t *numbers, size_t i)
{
    char scratch[NAMES_SCRATCH];
    xy_str text = xy_record_text(record, options->field);
    numbers[i] = NAMES_NONE;
    rows->usable[i] = true;
    rows->known[i] = known_has(known, record, text);
    if (options->doubt)
        rows->confidences[i] = rows_confidence(job, record, options);
    if (options->per) {
        rows->groups[i] = names_add(&rows->group_names, names_label(record, options->per, scratch));
        if (rows->groups[i] == NAMES_NONE)
            return XY_ENOMEM;
    }
    if (options->needs_places && options->embed && text.len) {
        numbers[i] = names_add(texts, text);
        return numbers[i] == NAMES_NONE ? XY_ENOMEM : XY_OK;
    }
    return XY_OK;
}

static int read_all(struct rows *rows, xy_job *job, xy_dataset *input,
                    const struct rows_options *options, struct known *known, struct names *texts)
{
    uint32_t *numbers = job->api->alloc(job, (rows->count + 1) * sizeof(*numbers));
    int code = numbers ? known_read(known, options) : XY_ENOMEM;
    for (size_t i = 0; code == XY_OK && i < rows->count; i++) {
        const xy_record *record = input->api->at(input, i);
        code = record ? read_record(rows, job, record, options, known, texts, numbers, i) : XY_EIO;
        if (i % 1024 == 0 && job->api->cancelled(job))
            code = XY_ECANCELED;
    }
    if (code < 0 || !options->needs_places)
        return code;
    return options->vector ? place_by_field(rows, job, input, options, numbers)
                           : place_by_model(rows, job, options, texts, numbers);
}

int rows_read(struct rows *rows, xy_job *job, xy_dataset *input,
              const struct rows_options *options)
{
    struct known known = {0};
    struct names texts = {0};
    rows->count = (size_t)input->api->count(input);
    rows->places = calloc(rows->count + 1, sizeof(*rows->places));
    rows->scales = calloc(rows->count + 1, sizeof(*rows->scales));
    rows->confidences = calloc(rows->count + 1, sizeof(*rows->confidences));
    rows->known = calloc(rows->count + 1, sizeof(*rows->known));
    rows->usable = calloc(rows->count + 1, sizeof(*rows->usable));
    rows->groups = calloc(rows->count + 1, sizeof(*rows->groups));
    bool room = rows->places && rows->scales && rows->confidences && rows->known && rows->usable &&
                rows->groups;
    int code = room ? read_all(rows, job, input, options, &known, &texts) : XY_ENOMEM;
    known_free(&known);
    names_free(&texts);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    else if (code == XY_EIO)
        xy_fail(job, code, "a record cannot be read");
    return code;
}

void rows_free(struct rows *rows)
{
    free(rows->places);
    free(rows->scales);
    free(rows->confidences);
    free(rows->known);
    free(rows->usable);
    free(rows->groups);
    names_free(&rows->group_names);
}
