/* SPDX-License-Identifier: Apache-2.0 */
#include "demos_pool.h"

#include <stdlib.h>

#include <xxhash.h>

#include "json_value.h"

/* ---- reading --------------------------------------------------------------------------------- */

static void add_field(struct pool *pool, const xy_record *record, const char *name, size_t start)
{
    xy_value value = {.type = XY_NULL};
    int type = record->api->get(record, name, &value);
    if (type == XY_NULL || type == XY_VECTOR) /* no prompt shows a vector */
        return;
    text_add_literal(&pool->json, pool->json.length > start + 1 ? "," : "");
    text_add_json(&pool->json, xy_text(name));
    text_add_literal(&pool->json, ":");
    json_value_add(&pool->json, &value);
}

/* The number of the field's value, from 1; 0 when no field is asked for. */
static int number_of(struct names *names, const xy_record *record, const char *field,
                     uint32_t *number)
{
    char scratch[NAMES_SCRATCH];
    *number = 0;
    if (!field)
        return XY_OK;
    uint32_t found = names_add(names, names_label(record, field, scratch));
    if (found == NAMES_NONE)
        return XY_ENOMEM;
    *number = found + 1;
    return XY_OK;
}

static int read_demo(struct pool *pool, const struct pool_options *options,
                     const xy_record *record, struct demo *demo)
{
    xy_str text = xy_record_text(record, options->text_field);
    size_t start = pool->json.length;
    *demo = (struct demo){.json = start, .id = record->api->id(record), .text = pool->texts.length,
                          .text_length = text.len,
                          .text_hash = text.ptr ? XXH3_64bits(text.ptr, text.len) : 0,
                          .row = (uint32_t)pool->count};
    text_add_str(&pool->texts, text);
    text_add_literal(&pool->json, "{");
    for (size_t i = 0; options->fields && options->fields[i]; i++)
        add_field(pool, record, options->fields[i], start);
    for (size_t i = 0; !options->fields && record->api->field(record, i); i++)
        add_field(pool, record, record->api->field(record, i), start);
    text_add_literal(&pool->json, "}");
    demo->json_length = pool->json.length - start;
    if (pool->json.failed || pool->texts.failed ||
        number_of(&pool->match_values, record, options->match, &demo->match) < 0 ||
        number_of(&pool->balance_values, record, options->balance, &demo->balance) < 0)
        return XY_ENOMEM;
    return XY_OK;
}

static bool has_all(const xy_record *record, const char *const *fields)
{
    for (; fields && *fields; fields++)
        if (record->api->get(record, *fields, NULL) == XY_NULL)
            return false;
    return true;
}

static int read_dataset(struct pool *pool, xy_job *job, const struct pool_options *options,
                        xy_dataset *dataset, bool second)
{
    uint64_t count = dataset->api->count(dataset);
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = dataset->api->at(dataset, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu of the `%s` cannot be read",
                           (unsigned long long)i, second ? "second_pool" : "pool");
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        if (!has_all(record, options->require))
            continue;
        struct demo *demo = &pool->demos[pool->count];
        if (read_demo(pool, options, record, demo) < 0)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        demo->second = second;
        demo->weight = record->api->weight(record);
        demo->position = i;
        pool->count++;
    }
    return XY_OK;
}

static int compare(const void *a, const void *b)
{
    const struct demo *first = a, *second = b;
    if (first->match != second->match)
        return first->match < second->match ? -1 : 1;
    if (first->second != second->second)
        return first->second ? 1 : -1;
    if (first->balance != second->balance)
        return first->balance < second->balance ? -1 : 1;
    return (first->row > second->row) - (first->row < second->row); /* as they were read */
}

int pool_read(struct pool *pool, xy_job *job, const struct pool_options *options)
{
    uint64_t own = options->dataset->api->count(options->dataset);
    uint64_t second = options->second ? options->second->api->count(options->second) : 0;
    if (pthread_mutex_init(&pool->lock, NULL) != 0)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    pool->has_lock = true;
    if (own == 0)
        return xy_fail(job, XY_EINVAL, "the `pool` is empty: there is nothing to demonstrate with");
    if (own >= NAMES_NONE || second >= NAMES_NONE - own)
        return xy_fail(job, XY_EUNSUPPORTED, "the `pool` has more than 2^32 - 2 records");
    pool->demos = calloc(own + second, sizeof(*pool->demos));
    if (!pool->demos)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    int code = read_dataset(pool, job, options, options->dataset, false);
    if (code == XY_OK && pool->count == 0)
        return xy_fail(job, XY_EINVAL, "none of the %llu records of the `pool` has the fields that "
                       "`require` asks for", (unsigned long long)own);
    if (code == XY_OK && second)
        code = read_dataset(pool, job, options, options->second, true);
    if (code < 0)
        return code;
    pool->read = pool->count;
    qsort(pool->demos, pool->count, sizeof(*pool->demos), compare);
    return XY_OK;
}

void pool_keep(struct pool *pool, const bool *kept)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->count; i++)
        if (kept[pool->demos[i].row])
            pool->demos[count++] = pool->demos[i];
    pool->count = count;
}

void pool_free(struct pool *pool)
{
    free(pool->demos);
    text_free(&pool->json);
    text_free(&pool->texts);
    names_free(&pool->match_values);
    names_free(&pool->balance_values);
    names_free(&pool->said);
    if (pool->has_lock)
        pthread_mutex_destroy(&pool->lock);
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* The first demo whose `match` is at least so much. */
static size_t first_at_least(const struct pool *pool, uint32_t match)
{
    size_t low = 0, high = pool->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pool->demos[middle].match < match)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int pool_candidates(const struct pool *pool, xy_job *job, const struct pool_options *options,
                    const xy_record *record, xy_str text, struct candidates *candidates)
{
    size_t from = 0, to = pool->count;
    if (options->match) {
        char scratch[NAMES_SCRATCH];
        uint32_t number =
            names_find(&pool->match_values, names_label(record, options->match, scratch));
        from = number == NAMES_NONE ? 0 : first_at_least(pool, number + 1);
        to = number == NAMES_NONE ? 0 : first_at_least(pool, number + 2);
    }
    *candidates = (struct candidates){
        .items = job->api->alloc(job, (to - from + 1) * sizeof(*candidates->items))};
    if (!candidates->items)
        return XY_ENOMEM;
    uint64_t id = record->api->id(record), parent = record->api->parent(record);
    uint64_t hash = text.ptr ? XXH3_64bits(text.ptr, text.len) : 0;
    for (size_t i = from; i < to; i++) {
        const struct demo *demo = &pool->demos[i];
        bool self = demo->id == id || (parent && demo->id == parent) ||
                    (hash && demo->text_hash == hash);
        if ((self && options->exclude_self) || (options->weighted && !(demo->weight > 0)))
            continue;
        candidates->items[candidates->count++] = (uint32_t)i;
        candidates->own += !demo->second;
    }
    return XY_OK;
}

struct shares pool_shares(const struct pool_options *options, const struct candidates *candidates)
{
    size_t k = (size_t)options->k, second = candidates->count - candidates->own;
    size_t most = (size_t)options->second_k < k ? (size_t)options->second_k : k;
    struct shares shares = {.second = second < most ? second : most};
    shares.own = k - shares.second < candidates->own ? k - shares.second : candidates->own;
    return shares;
}

void pool_draw(uint32_t *items, size_t count, size_t k, uint64_t *random)
{
    for (size_t i = 0; i < k; i++) {
        size_t other = i + (size_t)xy_random_below(random, count - i);
        uint32_t kept = items[i];
        items[i] = items[other];
        items[other] = kept;
    }
}

void pool_draw_weighted(const struct pool *pool, uint32_t *items, size_t count, size_t k,
                        uint64_t *random)
{
    for (size_t i = 0; i < k; i++) {
        double sum = 0;
        for (size_t j = i; j < count; j++)
            sum += pool->demos[items[j]].weight;
        double at = xy_random_unit(random) * sum;
        size_t other = i;
        while (other + 1 < count && at >= pool->demos[items[other]].weight)
            at -= pool->demos[items[other++]].weight;
        uint32_t drawn = items[other];
        memmove(items + i + 1, items + i, (other - i) * sizeof(*items)); /* the others keep order */
        items[i] = drawn;
    }
}
