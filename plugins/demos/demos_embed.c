/* SPDX-License-Identifier: Apache-2.0 */
#include "demos_embed.h"

#include <math.h>
#include <stdlib.h>

#include "vector_column.h"
#include "vectors.h"

int space_open(struct space *space, const xy_host *host)
{
    space->models = host->service(host, XY_MODEL);
    if (!space->embed == !space->vector) {
        xy_log_line(host, XY_LOG_ERROR, "give `embed`, a model, or `vector`, a field with ready "
                    "vectors%s", space->embed ? ", not both" : "");
        return XY_EINVAL;
    }
    return space->embed && !space->models ? XY_EUNSUPPORTED : XY_OK;
}

static int scale(struct places *places, xy_job *job)
{
    places->scales = calloc(places->count + 1, sizeof(*places->scales));
    if (!places->scales)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < places->count; i++)
        places->scales[i] = vectors_scale(places_at(places, i), places->dimension);
    return XY_OK;
}

static int embed(struct places *places, xy_job *job, const struct space *space,
                 const xy_str *texts, size_t count)
{
    places->count = count;
    if (count == 0)
        return XY_OK;
    if (!(space->models->can(space->embed) & XY_EMBED))
        return xy_fail(job, XY_EUNSUPPORTED, "the model given as `embed` cannot embed texts");
    int code = space->models->embed(job, space->embed, texts, count, &places->vectors,
                                    &places->dimension);
    return code < 0 ? code : scale(places, job);
}

/* The column of vectors of one data set, of the same width as those before; NULL for none. */
static int find_column(struct places *places, xy_job *job, const struct space *space,
                       xy_dataset *dataset, const char *what, const float **column)
{
    uint32_t width = 0;
    *column = NULL;
    if (!dataset || dataset->api->count(dataset) == 0)
        return XY_OK;
    char whose[64];
    snprintf(whose, sizeof(whose), " of the `%s`", what);
    *column = vector_column(dataset, job, space->vector, whose, &width);
    if (!*column)
        return XY_EINVAL;
    if (places->dimension && width != places->dimension)
        return xy_fail(job, XY_EINVAL, "the vectors of the `%s` have %u dimensions, those before "
                       "%zu: embed both by one model", what, width, places->dimension);
    places->dimension = width;
    return XY_OK;
}

static int copy_vector(struct places *places, xy_job *job, const struct space *space,
                       const float *column, size_t position, size_t row, const char *what)
{
    const float *vector = column ? column + position * places->dimension : NULL;
    if (!vector || isnan(vector[0]))
        return xy_fail(job, XY_EINVAL, "record %zu of the `%s` has no vector in `%s`", position,
                       what, space->vector);
    memcpy(places->own + row * places->dimension, vector, places->dimension * sizeof(*vector));
    return XY_OK;
}

static int allocate(struct places *places, xy_job *job, size_t count)
{
    places->own = calloc(count * places->dimension + 1, sizeof(*places->own));
    places->vectors = places->own;
    places->count = count;
    return places->own ? XY_OK : xy_fail(job, XY_ENOMEM, "out of memory");
}

static int copy_pool(struct places *places, xy_job *job, const struct space *space,
                     const struct pool *pool, const struct pool_options *options)
{
    const float *own, *second;
    int code = find_column(places, job, space, options->dataset, "pool", &own);
    if (code == XY_OK)
        code = find_column(places, job, space, options->second, "second_pool", &second);
    if (code == XY_OK)
        code = allocate(places, job, pool->count);
    for (size_t i = 0; i < pool->count && code == XY_OK; i++) {
        const struct demo *demo = &pool->demos[i];
        code = copy_vector(places, job, space, demo->second ? second : own, demo->position,
                           demo->row, demo->second ? "second_pool" : "pool");
    }
    return code < 0 ? code : scale(places, job);
}

int places_of_pool(struct places *places, xy_job *job, const struct space *space,
                   const struct pool *pool, const struct pool_options *options)
{
    if (space->vector)
        return copy_pool(places, job, space, pool, options);
    xy_str *texts = job->api->alloc(job, (pool->count + 1) * sizeof(*texts));
    if (!texts)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    for (size_t i = 0; i < pool->count; i++) {
        const struct demo *demo = &pool->demos[i];
        if (demo->text_length == 0)
            return xy_fail(job, XY_EINVAL, "record %016llx of the `%s` has no text in `%s`; name "
                           "another `pool_field`, or filter the pool", (unsigned long long)demo->id,
                           demo->second ? "second_pool" : "pool", options->text_field);
        texts[demo->row] = (xy_str){pool->texts.bytes + demo->text, demo->text_length};
    }
    return embed(places, job, space, texts, pool->count);
}

/* Copies of the texts, since a record lives only until the next is read. */
static int copy_texts(xy_job *job, xy_dataset *dataset, const char *field, xy_str *texts,
                      size_t *found)
{
    uint64_t count = dataset->api->count(dataset);
    *found = 0;
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = dataset->api->at(dataset, i);
        xy_str text = record ? xy_record_text(record, field) : xy_text(NULL);
        if (text.len == 0)
            continue;
        char *copy = job->api->alloc(job, text.len);
        if (!copy)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        memcpy(copy, text.ptr, text.len);
        texts[(*found)++] = (xy_str){copy, text.len};
    }
    return XY_OK;
}

int places_of_dataset(struct places *places, xy_job *job, const struct space *space,
                      xy_dataset *dataset, const char *field, const char *what)
{
    size_t count = (size_t)dataset->api->count(dataset);
    if (space->vector) {
        const float *column;
        int code = find_column(places, job, space, dataset, what, &column);
        if (code == XY_OK && column)
            code = allocate(places, job, count);
        for (size_t i = 0; i < count && code == XY_OK; i++)
            code = copy_vector(places, job, space, column, i, i, what);
        return code < 0 ? code : scale(places, job);
    }
    xy_str *texts = job->api->alloc(job, (count + 1) * sizeof(*texts));
    if (!texts)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = copy_texts(job, dataset, field, texts, &count);
    return code < 0 ? code : embed(places, job, space, texts, count);
}

void places_free(struct places *places)
{
    free(places->own);
    free(places->scales);
}
