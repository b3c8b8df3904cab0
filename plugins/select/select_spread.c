/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that lie apart, or that cover the others: k-center, k-means, facility location. */
#include <math.h>
#include <stdlib.h>

#include "kmeans.h"
#include "select_methods.h"
#include "vectors.h"

float select_cosine(const struct group *group, size_t a, size_t b)
{
    double inner = (double)vectors_inner(group->rows[a], group->rows[b], group->dimension);
    return (float)(group->scales[a] * group->scales[b] * inner);
}

/* ---- k-center -------------------------------------------------------------------------------- */

/* The row nearest to the mean of all; SIZE_MAX when memory is short. */
static size_t most_central(const struct group *group)
{
    double *mean = calloc(group->dimension + 1, sizeof(*mean)), most = -INFINITY;
    size_t best = mean ? 0 : SIZE_MAX;
    for (size_t i = 0; mean && i < group->count; i++)
        vectors_add(mean, group->scales[i], group->rows[i], group->dimension);
    for (size_t i = 0; mean && i < group->count; i++) {
        float near = (float)(group->scales[i] *
                             vectors_mixed_inner(mean, group->rows[i], group->dimension));
        if ((double)near > most) {
            most = (double)near;
            best = i;
        }
    }
    free(mean);
    return best;
}

static void come_nearer(const struct group *group, size_t chosen, float *nearest)
{
    for (size_t i = 0; i < group->count; i++) {
        float near = select_cosine(group, i, chosen);
        nearest[i] = near > nearest[i] ? near : nearest[i];
    }
}

static size_t farthest(const struct group *group, const float *nearest)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < group->count; i++)
        if (!group->taken[i] && (best == SIZE_MAX || nearest[i] < nearest[best]))
            best = i;
    return best;
}

int select_k_center(struct group *group)
{
    float *nearest = calloc(group->count + 1, sizeof(*nearest));
    int code = nearest ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; code == XY_OK && i < group->count; i++)
        nearest[i] = -2; /* below every cosine */
    for (size_t i = 0; code == XY_OK && i < group->count; i++)
        if (group->taken[i])
            come_nearer(group, i, nearest);
    while (code == XY_OK && group->found < group->wanted) {
        bool first = group->known == 0 && group->found == 0;
        size_t next = first ? most_central(group) : farthest(group, nearest);
        if (next == SIZE_MAX) {
            code = XY_ENOMEM;
        } else {
            group_choose(group, next);
            come_nearer(group, next, nearest);
        }
        if (group->job->api->cancelled(group->job))
            code = XY_ECANCELED;
    }
    free(nearest);
    return code;
}

/* ---- k-means --------------------------------------------------------------------------------- */

struct middle {
    double distance;
    size_t size, row;
    bool any;
};

static int by_size(const void *a, const void *b)
{
    const struct middle *left = a, *right = b;
    if (left->size != right->size)
        return left->size > right->size ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

static void choose_middles(struct group *group, const struct kmeans *kmeans,
                           const uint32_t *row_of, size_t count, struct middle *middles)
{
    for (size_t i = 0; i < count; i++) {
        struct middle *middle = &middles[kmeans->cluster_of[i]];
        if (!middle->any || kmeans->distances[i] < middle->distance)
            *middle = (struct middle){kmeans->distances[i], kmeans->sizes[kmeans->cluster_of[i]],
                                      row_of[i], true};
    }
    qsort(middles, kmeans->clusters, sizeof(*middles), by_size);
    for (size_t i = 0; i < kmeans->clusters; i++)
        group_choose(group, middles[i].row);
}

int select_k_means(struct group *group)
{
    const float **rows = calloc(group->count + 1, sizeof(*rows));
    double *scales = calloc(group->count + 1, sizeof(*scales));
    uint32_t *row_of = calloc(group->count + 1, sizeof(*row_of));
    struct middle *middles = calloc(group->wanted + 1, sizeof(*middles));
    struct kmeans kmeans = {0};
    size_t count = 0;
    int code = rows && scales && row_of && middles ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; code == XY_OK && i < group->count; i++) {
        if (group->taken[i])
            continue;
        rows[count] = group->rows[i];
        scales[count] = group->scales[i];
        row_of[count++] = (uint32_t)i;
    }
    if (code == XY_OK && count > 0) {
        const struct kmeans_rows given = {rows, scales, count, group->dimension};
        code = kmeans_fit(&kmeans, group->job, &given, group->wanted, &group->random);
        if (code == XY_OK)
            choose_middles(group, &kmeans, row_of, count, middles);
    }
    kmeans_free(&kmeans);
    free(rows);
    free(scales);
    free(row_of);
    free(middles);
    return code;
}

/* ---- facility location ----------------------------------------------------------------------- */

/* By how much the row would raise the sum; `covered` is each row's cosine with its nearest
 * chosen. */
static double gain(const struct group *group, size_t row, const float *covered)
{
    double sum = 0;
    for (size_t i = 0; i < group->count; i++) {
        float more = select_cosine(group, i, row) - covered[i];
        sum += more > 0 ? (double)more : 0;
    }
    return sum;
}

/* A gain only falls as others are chosen, so an old one bounds the new: sums are made anew until
 * the highest bound is a fresh one. */
static int choose_covering(struct group *group, float *covered, double *bounds, size_t *fresh)
{
    while (group->found < group->wanted) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < group->count; i++)
            if (!group->taken[i] && (best == SIZE_MAX || bounds[i] > bounds[best]))
                best = i;
        if (fresh[best] == group->found + 1) {
            group_choose(group, best);
            come_nearer(group, best, covered);
            continue;
        }
        if (group->job->api->cancelled(group->job))
            return XY_ECANCELED;
        bounds[best] = gain(group, best, covered);
        fresh[best] = group->found + 1;
    }
    return XY_OK;
}

int select_facility_location(struct group *group)
{
    float *covered = calloc(group->count + 1, sizeof(*covered));
    double *bounds = calloc(group->count + 1, sizeof(*bounds));
    size_t *fresh = calloc(group->count + 1, sizeof(*fresh));
    int code = covered && bounds && fresh ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; code == XY_OK && i < group->count; i++) {
        covered[i] = -1; /* the lowest cosine */
        bounds[i] = INFINITY;
    }
    for (size_t i = 0; code == XY_OK && i < group->count; i++)
        if (group->taken[i])
            come_nearer(group, i, covered);
    if (code == XY_OK)
        code = choose_covering(group, covered, bounds, fresh);
    free(covered);
    free(bounds);
    free(fresh);
    return code;
}
