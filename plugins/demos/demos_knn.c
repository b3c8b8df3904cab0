/* SPDX-License-Identifier: Apache-2.0 */
/* demos.knn - the demonstrations nearest to a record, by the cosine of their embeddings: KATE (Liu
 * et al. 2022, "What Makes Good In-Context Examples for GPT-3?", section 3). */
#include "demos.h"
#include "demos_query.h"

struct knn {
    struct pool_options options;
    struct space space;
    struct searching searching;
};

static const xy_option options[] = {
    POOL_OPTIONS,
    SECOND_OPTIONS,
    {.name = "field", .type = XY_OPT_FIELD, .offset = POOL_AT(query_field), .def = "text",
     .help = "The record's text to compare."},
    EMBED_OPTIONS(struct knn),
    {.name = "balance", .type = XY_OPT_FIELD, .offset = POOL_AT(balance),
     .help = "Shows the nearest of each of this field's values, as evenly as possible: `k: 10` of "
             "two labels are 5 of each."},
    ORDER_OPTION(struct knn, "nearest_last"),
    GIVE_OPTIONS,
    {0},
};

/* The nearest so far, in order. */
struct nearest {
    uint32_t *demos;
    double *nearness;
    size_t found;
};

/* Puts the demo where it belongs among at most `k`; of equally near ones the earlier comes
 * first. */
static void insert(struct nearest *nearest, size_t k, uint32_t demo, double near)
{
    size_t at = nearest->found;
    if (k == 0 || (at == k && near <= nearest->nearness[k - 1]))
        return;
    if (at < k)
        nearest->found++;
    else
        at--;
    for (; at > 0 && near > nearest->nearness[at - 1]; at--) {
        nearest->nearness[at] = nearest->nearness[at - 1];
        nearest->demos[at] = nearest->demos[at - 1];
    }
    nearest->nearness[at] = near;
    nearest->demos[at] = demo;
}

static void find(const struct query *query, const uint32_t *items, size_t count, size_t k,
                 struct nearest *nearest)
{
    for (size_t i = 0; i < count; i++)
        insert(nearest, k, items[i], query_nearness(query, items[i]));
}

static bool is_found(const struct nearest *nearest, uint32_t demo)
{
    for (size_t i = 0; i < nearest->found; i++)
        if (nearest->demos[i] == demo)
            return true;
    return false;
}

static uint32_t value_of(const struct query *query, uint32_t demo)
{
    return query->searching->pool.demos[demo].balance;
}

/* The candidates are ordered by the balanced value. Of each the nearest k / values, then, where k
 * is more than that comes to, the nearest of those that are left. `part` has room for k. */
static void find_balanced(const struct query *query, const uint32_t *items, size_t count, size_t k,
                          struct nearest *nearest, struct nearest *part)
{
    size_t values = 0;
    for (size_t i = 0; i < count; i++)
        values += i == 0 || value_of(query, items[i]) != value_of(query, items[i - 1]);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count; to++)
            if (value_of(query, items[to]) != value_of(query, items[from]))
                break;
        part->found = 0;
        find(query, items + from, to - from, k / values, part);
        for (size_t i = 0; i < part->found; i++)
            insert(nearest, k, part->demos[i], part->nearness[i]);
    }
    part->found = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_found(nearest, items[i]))
            insert(part, k - nearest->found, items[i], query_nearness(query, items[i]));
    for (size_t i = 0; i < part->found; i++)
        insert(nearest, k, part->demos[i], part->nearness[i]);
}

/* The candidates come in the pool's order, so that ties go to the earlier. Each pool's share is
 * found by itself, then both are merged. */
static void choose(struct query *query)
{
    const struct candidates *candidates = &query->candidates;
    size_t k = (size_t)query->searching->options->k, others = candidates->count - candidates->own;
    const uint32_t *items = candidates->items, *rest = items + candidates->own;
    struct shares shares = pool_shares(query->searching->options, candidates);
    struct nearest own = {query->chosen, query->nearness, 0};
    struct nearest part = {query->spare, query->spare_nearness, 0};
    bool balanced = query->searching->options->balance != NULL;
    if (balanced)
        find_balanced(query, items, candidates->own, shares.own, &own, &part);
    else
        find(query, items, candidates->own, shares.own, &own);
    struct nearest second = {query->chosen + own.found, query->nearness + own.found, 0};
    if (balanced)
        find_balanced(query, rest, others, shares.second, &second, &part);
    else
        find(query, rest, others, shares.second, &second);
    for (size_t i = 0; i < second.found; i++)
        insert(&own, k, second.demos[i], second.nearness[i]);
    query->found = own.found;
}

static int open_knn(void *state, const xy_host *host)
{
    struct knn *knn = state;
    knn->searching.choose = choose;
    return searching_open(&knn->searching, &knn->options, &knn->space, host);
}

static int prepare(void *state, xy_job *job)
{
    struct knn *knn = state;
    return searching_prepare(&knn->searching, job);
}

static void close_knn(void *state)
{
    struct knn *knn = state;
    searching_free(&knn->searching);
}

static int process(void *state, xy_job *job)
{
    struct knn *knn = state;
    return searching_process(&knn->searching, job);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{pool: records.jsonl, embed: m, k: 2}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage demos_knn = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct knn),
    .id = "demos.knn",
    .version = "1.1.0",
    .summary = "Gives each record the demonstrations nearest to it by their embeddings",
    .needs = needs,
    .options = options,
    .open = open_knn,
    .prepare = prepare,
    .close = close_knn,
    .process = process,
    .extension = extension,
    .fields = "reads `field` or `vector`, and `match`; sets `into` and `ids`; rejects records "
              "below `least`",
};
