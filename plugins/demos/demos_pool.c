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
                          .text_hash = text.ptr ? XXH3_64bits(text.ptr, text.len) : 0};
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

static int compare(const void *a, const void *b)
{
    const struct demo *first = a, *second = b;
    if (first->match != second->match)
        return first->match < second->match ? -1 : 1;
    if (first->balance != second->balance)
        return first->balance < second->balance ? -1 : 1;
    return (first->json > second->json) - (first->json < second->json); /* as they were read */
}

int pool_read(struct pool *pool, xy_job *job, const struct pool_options *options)
{
    uint64_t count = options->dataset->api->count(options->dataset);
    if (count == 0)
        return xy_fail(job, XY_EINVAL, "the `pool` is empty: there is nothing to demonstrate with");
    if (count >= NAMES_NONE)
        return xy_fail(job, XY_EUNSUPPORTED, "the `pool` has more than 2^32 - 2 records");
    pool->demos = calloc(count, sizeof(*pool->demos));
    for (uint64_t i = 0; pool->demos && i < count; i++) {
        const xy_record *record = options->dataset->api->at(options->dataset, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %llu of the `pool` cannot be read",
                           (unsigned long long)i);
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        if (read_demo(pool, options, record, &pool->demos[i]) < 0)
            return xy_fail(job, XY_ENOMEM, "out of memory");
        pool->count++;
    }
    if (!pool->demos)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    qsort(pool->demos, pool->count, sizeof(*pool->demos), compare);
    return XY_OK;
}

void pool_free(struct pool *pool)
{
    free(pool->demos);
    text_free(&pool->json);
    text_free(&pool->texts);
    names_free(&pool->match_values);
    names_free(&pool->balance_values);
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

const uint32_t *pool_candidates(const struct pool *pool, xy_job *job,
                                const struct pool_options *options, const xy_record *record,
                                xy_str text, size_t *count)
{
    size_t from = 0, to = pool->count;
    *count = 0;
    if (options->match) {
        char scratch[NAMES_SCRATCH];
        uint32_t number =
            names_find(&pool->match_values, names_label(record, options->match, scratch));
        from = number == NAMES_NONE ? 0 : first_at_least(pool, number + 1);
        to = number == NAMES_NONE ? 0 : first_at_least(pool, number + 2);
    }
    uint32_t *candidates = job->api->alloc(job, (to - from + 1) * sizeof(*candidates));
    uint64_t id = record->api->id(record), parent = record->api->parent(record);
    uint64_t hash = text.ptr ? XXH3_64bits(text.ptr, text.len) : 0;
    for (size_t i = from; candidates && i < to; i++) {
        const struct demo *demo = &pool->demos[i];
        bool self = demo->id == id || (parent && demo->id == parent) ||
                    (hash && demo->text_hash == hash);
        if (!self || !options->exclude_self)
            candidates[(*count)++] = (uint32_t)i;
    }
    return candidates;
}

int pool_set(struct pool *pool, xy_job *job, const xy_host *host,
             const struct pool_options *options, xy_record *record, const uint32_t *chosen,
             size_t count)
{
    struct text list = {0}, ids = {0};
    for (size_t i = 0; i < count; i++) {
        const struct demo *demo = &pool->demos[chosen[i]];
        char id[24];
        snprintf(id, sizeof(id), "%s\"%016llx\"", i ? "," : "", (unsigned long long)demo->id);
        text_add_literal(&ids, i ? "" : "[");
        text_add_literal(&ids, id);
        text_add_literal(&list, i ? "," : "[");
        text_add(&list, pool->json.bytes + demo->json, demo->json_length);
    }
    text_add_literal(&ids, count ? "]" : "[]");
    text_add_literal(&list, count ? "]" : "[]");
    int code = list.failed || ids.failed ? XY_ENOMEM : XY_OK;
    if (code == XY_OK)
        code = xy_record_set_json(record, options->into, (xy_str){list.bytes, list.length});
    if (code >= 0)
        code = xy_record_set_json(record, options->ids, (xy_str){ids.bytes, ids.length});
    text_free(&list);
    text_free(&ids);
    if (code < 0)
        return xy_fail(job, code, "the demonstrations cannot be set on `%s`", options->into);
    if (count < (size_t)options->k && !pool->said_short++)
        xy_log_line(host, XY_LOG_WARNING,
                    "record %016llx: %zu of %lld demonstrations, since no more of the pool may be "
                    "shown to it (said once)", (unsigned long long)record->api->id(record), count,
                    (long long)options->k);
    return XY_OK;
}
