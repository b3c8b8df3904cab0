/* SPDX-License-Identifier: Apache-2.0 */
#include "demos_draw.h"

#include <math.h>
#include <stdlib.h>

int drawing_open(struct drawing *drawing, const xy_host *host)
{
    drawing->host = host;
    drawing->rng = host->service(host, XY_RNG);
    return drawing->rng ? XY_OK : XY_EUNSUPPORTED;
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

static void draw_some(const struct pool *pool, const struct pool_options *options, uint32_t *items,
                      size_t count, size_t k, uint64_t *random)
{
    if (options->weighted)
        pool_draw_weighted(pool, items, count, k, random);
    else
        pool_draw(items, count, k, random);
}

/* Goes around the values, in random order, one for each, until there are k; a value that has no
 * more is passed over. */
static int draw_balanced(const struct pool *pool, xy_job *job, const struct pool_options *options,
                         uint32_t *items, size_t count, size_t k, uint64_t *random)
{
    struct share *shares = job->api->alloc(job, count * sizeof(*shares));
    uint32_t *order = job->api->alloc(job, count * sizeof(*order));
    uint32_t *chosen = job->api->alloc(job, k * sizeof(*chosen));
    if (!shares || !order || !chosen)
        return XY_ENOMEM;
    size_t values = find_shares(pool, items, count, shares), left = k, at = 0;
    for (size_t i = 0; i < values; i++)
        order[i] = (uint32_t)i;
    pool_draw(order, values, values, random);
    /* `k` is at most `count`, so there is a value while anything is left to draw.
     * NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
    for (size_t i = 0; left > 0; i = (i + 1) % values) {
        struct share *share = &shares[order[i]];
        bool more = share->taken < share->count;
        share->taken += more;
        left -= more;
    }
    for (size_t i = 0; i < values; i++) {
        draw_some(pool, options, items + shares[i].from, shares[i].count, shares[i].taken, random);
        memcpy(chosen + at, items + shares[i].from, shares[i].taken * sizeof(*chosen));
        at += shares[i].taken;
    }
    pool_draw(chosen, k, k, random); /* no value always first */
    memcpy(items, chosen, k * sizeof(*chosen));
    return XY_OK;
}

/* The first `k` of the items become those drawn. */
static int draw(const struct drawing *drawing, xy_job *job, const struct pool_options *options,
                uint32_t *items, size_t count, size_t k, uint64_t *random)
{
    if (options->balance && k > 0)
        return draw_balanced(&drawing->pool, job, options, items, count, k, random);
    draw_some(&drawing->pool, options, items, count, k, random);
    return XY_OK;
}

int drawing_process(struct drawing *drawing, xy_job *job, const struct pool_options *options)
{
    xy_record *record = job->api->input(job, 0);
    struct candidates candidates;
    int code = pool_candidates(&drawing->pool, job, options, record,
                               xy_record_text(record, options->query_field), &candidates);
    if (code < 0)
        return xy_fail(job, code, "out of memory");
    uint64_t random = drawing->rng->stream(job, record, 0);
    struct choice choice = {.demos = candidates.items};
    if (drawing->share < 1) {
        uint64_t coin = drawing->rng->stream(job, record, 1);
        choice.none = xy_random_unit(&coin) >= drawing->share;
    }
    struct shares shares = pool_shares(options, &candidates);
    if (!choice.none) {
        uint32_t *second = candidates.items + candidates.own;
        code = draw(drawing, job, options, candidates.items, candidates.own, shares.own, &random);
        if (code == XY_OK && shares.second)
            code = draw(drawing, job, options, second, candidates.count - candidates.own,
                        shares.second, &random);
        if (code < 0)
            return xy_fail(job, code, "out of memory");
        memmove(candidates.items + shares.own, second, shares.second * sizeof(*second));
        choice.count = shares.own + shares.second;
        choice.order = shares.second ? ORDER_RANDOM : ORDER_AS_CHOSEN; /* drawn in random order */
        choice.random = random;
    }
    return pool_give(&drawing->pool, job, drawing->host, options, record, &choice);
}

/* ---- keeping the best of a pool -------------------------------------------------------------- */

struct ranked {
    double score;
    uint32_t group, row;
};

static int by_group_and_score(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->group != right->group)
        return left->group < right->group ? -1 : 1;
    if (left->score < right->score || left->score > right->score)
        return left->score < right->score ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

int drawing_keep_lowest(struct drawing *drawing, const double *scores, const uint32_t *groups,
                        size_t most)
{
    struct pool *pool = &drawing->pool;
    struct ranked *ranked = calloc(pool->read + 1, sizeof(*ranked));
    bool *kept = calloc(pool->read + 1, sizeof(*kept));
    size_t count = 0, in_group = 0;
    if (!ranked || !kept) {
        free(ranked);
        free(kept);
        return XY_ENOMEM;
    }
    for (size_t row = 0; row < pool->read; row++)
        if (!isnan(scores[row]))
            ranked[count++] = (struct ranked){scores[row], groups[row], (uint32_t)row};
    qsort(ranked, count, sizeof(*ranked), by_group_and_score);
    for (size_t i = 0; i < count; i++) {
        in_group = i > 0 && ranked[i].group == ranked[i - 1].group ? in_group + 1 : 0;
        kept[ranked[i].row] = in_group < most;
    }
    pool_keep(pool, kept);
    free(ranked);
    free(kept);
    return XY_OK;
}
