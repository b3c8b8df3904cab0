/* SPDX-License-Identifier: Apache-2.0 */
#include "demos_query.h"

#include <math.h>

#include "json_reader.h"
#include "vectors.h"

/* Multiplications above which a search goes to a worker: about a millisecond. */
enum { LONG_SEARCH = 2000000 };

int searching_open(struct searching *searching, struct pool_options *options, struct space *space,
                   const xy_host *host)
{
    searching->host = host;
    searching->options = options;
    searching->space = space;
    searching->loop = host->service(host, XY_LOOP);
    searching->rng = host->service(host, XY_RNG);
    if (!options->text_field)
        options->text_field = options->query_field;
    return searching->rng ? space_open(space, host) : XY_EUNSUPPORTED;
}

int searching_prepare(struct searching *searching, xy_job *job)
{
    int code = pool_read(&searching->pool, job, searching->options);
    return code < 0 ? code
                    : places_of_pool(&searching->places, job, searching->space, &searching->pool,
                                     searching->options);
}

void searching_free(struct searching *searching)
{
    places_free(&searching->places);
    pool_free(&searching->pool);
}

double query_nearness(const struct query *query, uint32_t demo)
{
    const struct places *places = &query->searching->places;
    uint32_t row = query->searching->pool.demos[demo].row;
    double inner = (double)vectors_inner(query->vector, places_at(places, row), places->dimension);
    return (double)(float)(places->scales[row] * inner);
}

int searching_give(struct searching *searching, xy_job *job, uint32_t *chosen, size_t count)
{
    xy_record *record = job->api->input(job, 0);
    struct choice choice = {.demos = chosen, .count = count};
    if (searching->order[0] == 'r') {
        choice.order = ORDER_RANDOM;
        choice.random = searching->rng->stream(job, record, 0);
    } else {
        choice.order = searching->order[8] == 'l' ? ORDER_REVERSED : ORDER_AS_CHOSEN;
    }
    return pool_give(&searching->pool, job, searching->host, searching->options, record, &choice);
}

/* ---- one record ------------------------------------------------------------------------------ */

static void choose(void *data)
{
    struct query *query = data;
    query->searching->choose(query);
}

static void finish(void *data)
{
    struct query *query = data;
    int code = searching_give(query->searching, query->job, query->chosen, query->found);
    query->job->api->finish(query->job, code);
}

/* Is this search long enough for a worker, and is one to be had? Then finish() comes later. */
static bool sent_away(struct query *query)
{
    struct searching *searching = query->searching;
    return searching->loop &&
           query->candidates.count * searching->places.dimension > LONG_SEARCH &&
           searching->loop->work(searching->host, choose, finish, query) == XY_OK;
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct query *query = user;
    size_t dimension = query->searching->places.dimension;
    int code = reply->status;
    if (code < 0)
        job->api->explain(job, reply->error ? reply->error : "the text could not be embedded");
    else if (reply->vector_count != 1 || reply->dimension != dimension)
        code = xy_fail(job, XY_EUPSTREAM, "the model embedded the pool in %zu dimensions and this "
                       "text in %zu", dimension, reply->dimension);
    float *copy = code < 0 ? NULL : job->api->alloc(job, dimension * sizeof(*copy));
    if (code >= 0 && !copy)
        code = xy_fail(job, XY_ENOMEM, "out of memory");
    if (!copy) {
        job->api->finish(job, code);
        return;
    }
    memcpy(copy, reply->vectors, dimension * sizeof(*copy));
    query->vector = copy;
    if (sent_away(query))
        return;
    choose(query);
    finish(query);
}

static int ask_model(struct query *query, xy_str text)
{
    const struct space *space = query->searching->space;
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = &text,
                          .text_count = 1, .temperature = -1, .top_p = -1};
    int code = space->models->submit(query->job, space->embed, &request, answered, query, NULL);
    return code < 0 ? xy_fail(query->job, code, "the text could not be sent to the model")
                    : XY_PENDING;
}

/* A list of numbers, as JSON lines hold a vector, in the job's memory; else it stays as it is. */
static void list_as_vector(xy_job *job, xy_value *value)
{
    struct json_cursor at = {0};
    xy_str key, item = {NULL, 0};
    xy_str list = value->text;
    size_t count = json_kind(list) == '[' ? json_count(list) : 0;
    float *numbers = count ? job->api->alloc(job, count * sizeof(*numbers)) : NULL;
    for (size_t i = 0; numbers && json_next(list, &at, &key, &item); i++) {
        numbers[i] = (float)json_number(item, NAN);
        if (!isfinite(numbers[i]))
            return;
    }
    if (numbers)
        *value = (xy_value){.type = XY_VECTOR, .length = (uint32_t)count, .vector = numbers};
}

static int use_vector(struct query *query, const xy_record *record)
{
    const struct searching *searching = query->searching;
    xy_value value = {.type = XY_NULL};
    if (record->api->get(record, searching->space->vector, &value) == XY_JSON)
        list_as_vector(query->job, &value);
    if (value.type != XY_VECTOR || value.length != searching->places.dimension)
        return xy_drop(query->job, "the field `%s` has no vector of %zu dimensions, as the pool's "
                       "have", searching->space->vector, searching->places.dimension);
    query->vector = value.vector;
    if (sent_away(query))
        return XY_PENDING;
    choose(query);
    return searching_give(query->searching, query->job, query->chosen, query->found);
}

int searching_process(struct searching *searching, xy_job *job)
{
    const struct pool_options *options = searching->options;
    const xy_record *record = job->api->input(job, 0);
    size_t k = (size_t)options->k;
    xy_str text = xy_record_text(record, options->query_field);
    if (text.len == 0 && searching->space->embed)
        return xy_drop(job, "the field `%s` is missing, empty or no text: there is nothing to find "
                       "neighbours of", options->query_field);
    struct query *query = job->api->alloc(job, sizeof(*query));
    if (!query)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *query = (struct query){.searching = searching, .job = job};
    query->chosen = job->api->alloc(job, 2 * k * sizeof(*query->chosen));
    query->nearness = job->api->alloc(job, 2 * k * sizeof(*query->nearness));
    if (!query->chosen || !query->nearness ||
        pool_candidates(&searching->pool, job, options, record, text, &query->candidates) < 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    query->spare = query->chosen + k;
    query->spare_nearness = query->nearness + k;
    return searching->space->embed ? ask_model(query, text) : use_vector(query, record);
}
