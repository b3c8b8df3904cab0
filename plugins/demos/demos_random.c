/* SPDX-License-Identifier: Apache-2.0 */
/* demos.random - demonstrations drawn at random, of the record's own label, or of all labels
 * alike. */
#include "demos.h"

struct random_demos {
    struct pool_options options;
    const xy_host *host;
    const xy_rng *rng;
    struct pool pool;
};

#define AT(member) offsetof(struct random_demos, options.member)

static const xy_option options[] = {
    {.name = "pool", .type = XY_OPT_DATASET, .offset = AT(dataset), .flags = XY_OPT_REQUIRED,
     .help = "The data set, or the file, to draw demonstrations from."},
    {.name = "k", .type = XY_OPT_INT, .offset = AT(k), .def = "4", .low = 1, .high = 1000,
     .help = "How many demonstrations a record gets."},
    {.name = "match", .type = XY_OPT_FIELD, .offset = AT(match),
     .help = "Draws only demonstrations in which this field has the record's own value."},
    {.name = "balance", .type = XY_OPT_FIELD, .offset = AT(balance),
     .help = "Draws from each of this field's values as evenly as possible."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(text_field), .def = "text",
     .help = "The text by which `exclude_self` knows a record again."},
    {.name = "exclude_self", .type = XY_OPT_BOOL, .offset = AT(exclude_self), .def = "true",
     .help = "Never shows a record to itself: no demonstration with its id, its parent's id, or "
             "its text."},
    {.name = "fields", .type = XY_OPT_LIST, .offset = AT(fields),
     .help = "The pool's fields that a demonstration has; all but vectors when not given."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "demos",
     .help = "The field set to the list of demonstrations."},
    {.name = "ids", .type = XY_OPT_FIELD, .offset = AT(ids), .def = "demo_ids",
     .help = "The field set to the list of their ids."},
    {0},
};

static int open_random(void *state, const xy_host *host)
{
    struct random_demos *demos = state;
    demos->host = host;
    demos->rng = host->service(host, XY_RNG);
    return demos->rng ? XY_OK : XY_EUNSUPPORTED;
}

static int prepare(void *state, xy_job *job)
{
    struct random_demos *demos = state;
    return pool_read(&demos->pool, job, &demos->options);
}

static void close_random(void *state)
{
    struct random_demos *demos = state;
    pool_free(&demos->pool);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

/* The first `k` become a random draw without replacement, in random order (Fisher and Yates). */
static void draw(uint32_t *items, size_t count, size_t k, uint64_t *random)
{
    for (size_t i = 0; i < k; i++)
        swap(&items[i], &items[i + xy_random_below(random, count - i)]);
}

/* A run of candidates with one value of the balance field. */
struct share {
    size_t from, count, taken;
};

/* Splits the candidates, which are ordered by that value, into its runs. */
static size_t find_shares(const struct pool *pool, const uint32_t *items, size_t count,
                          struct share *shares)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 ||
                     pool->demos[items[i]].balance != pool->demos[items[i - 1]].balance;
        if (first)
            shares[found++] = (struct share){.from = i};
        shares[found - 1].count++;
    }
    return found;
}

/* Goes around the values, in random order, one for each, until there are k; a value that has no
 * more is passed over. */
static int draw_balanced(const struct pool *pool, xy_job *job, uint32_t *items, size_t count,
                         size_t k, uint64_t *random)
{
    struct share *shares = job->api->alloc(job, count * sizeof(*shares));
    uint32_t *order = job->api->alloc(job, count * sizeof(*order));
    uint32_t *chosen = job->api->alloc(job, k * sizeof(*chosen));
    if (!shares || !order || !chosen)
        return XY_ENOMEM;
    size_t values = find_shares(pool, items, count, shares), left = k, at = 0;
    for (size_t i = 0; i < values; i++)
        order[i] = (uint32_t)i;
    draw(order, values, values, random);
    /* `k` is at most `count`, so there is a value while anything is left to draw.
     * NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
    for (size_t i = 0; left > 0; i = (i + 1) % values) {
        struct share *share = &shares[order[i]];
        bool more = share->taken < share->count;
        share->taken += more;
        left -= more;
    }
    for (size_t i = 0; i < values; i++) {
        draw(items + shares[i].from, shares[i].count, shares[i].taken, random);
        memcpy(chosen + at, items + shares[i].from, shares[i].taken * sizeof(*chosen));
        at += shares[i].taken;
    }
    draw(chosen, k, k, random); /* no value always first */
    memcpy(items, chosen, k * sizeof(*chosen));
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    struct random_demos *demos = state;
    const struct pool_options *given = &demos->options;
    xy_record *record = job->api->input(job, 0);
    size_t count;
    const uint32_t *candidates =
        pool_candidates(&demos->pool, job, given, record,
                        xy_record_text(record, given->text_field), &count);
    size_t k = count < (size_t)given->k ? count : (size_t)given->k;
    uint32_t *items = job->api->alloc(job, (count + 1) * sizeof(*items));
    if (!candidates || !items)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    memcpy(items, candidates, count * sizeof(*items));
    uint64_t random = demos->rng->stream(job, record, 0);
    int code = XY_OK;
    if (given->balance && k > 0)
        code = draw_balanced(&demos->pool, job, items, count, k, &random);
    else
        draw(items, count, k, &random);
    if (code < 0)
        return xy_fail(job, code, "out of memory");
    return pool_set(&demos->pool, job, demos->host, given, record, items, k);
}

static const char *const needs[] = {XY_RNG, NULL};

const xy_stage demos_random = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct random_demos),
    .id = "demos.random",
    .version = "1.0.0",
    .summary = "Gives each record demonstrations drawn at random from a pool",
    .needs = needs,
    .options = options,
    .open = open_random,
    .prepare = prepare,
    .close = close_random,
    .process = process,
    .fields = "reads `match` and `field`, sets `into` and `ids`",
};
