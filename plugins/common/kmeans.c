/* SPDX-License-Identifier: Apache-2.0 */
#include "kmeans.h"

#include <math.h>
#include <stdlib.h>

#include "vectors.h"

enum { STARTS = 4, MOST_ROUNDS = 100 };

/* Below this squared distance two unit vectors of floats are the same point. */
static const double SAME = 1e-6;

/* One start: means, and which one each row belongs to. */
struct start {
    const struct kmeans_rows *rows;
    double *means;          /* clusters x dimension */
    double *mean_squares;   /* the squared length of each mean */
    double *nearest;        /* squared distance of each row to its mean, or to the nearest yet */
    uint32_t *cluster_of;
    size_t *sizes;
    size_t clusters;
    double inertia;
};

static void set_mean(struct start *start, size_t cluster, size_t row)
{
    size_t width = start->rows->dimension;
    double *mean = start->means + cluster * width, scale = start->rows->scales[row];
    memset(mean, 0, width * sizeof(*mean));
    vectors_add(mean, scale, start->rows->rows[row], width);
    start->mean_squares[cluster] = scale > 0 ? 1 : 0;
}

/* Squared distance of a row, at unit length, to a mean. */
static double distance(const struct start *start, size_t row, size_t cluster)
{
    size_t width = start->rows->dimension;
    double scale = start->rows->scales[row];
    double inner = scale * vectors_mixed_inner(start->means + cluster * width,
                                               start->rows->rows[row], width);
    double square = (scale > 0 ? 1 : 0) - 2 * inner + start->mean_squares[cluster];
    return square > 0 ? square : 0;
}

/* The row at which the running sum of squared distances passes a random share of their whole. */
static size_t draw_far(const struct start *start, double whole, uint64_t *random)
{
    double left = xy_random_unit(random) * whole;
    size_t last = 0;
    for (size_t i = 0; i < start->rows->count; i++) {
        if (start->nearest[i] <= SAME)
            continue;
        last = i;
        left -= start->nearest[i];
        if (left < 0)
            break;
    }
    return last;
}

/* k-means++: each next mean is a row, drawn by its squared distance from the means so far. Ends
 * early when no row lies apart from them. */
static void place_means(struct start *start, size_t wanted, uint64_t *random)
{
    size_t count = start->rows->count;
    for (size_t i = 0; i < count; i++)
        start->nearest[i] = INFINITY;
    size_t next = (size_t)xy_random_below(random, count);
    for (start->clusters = 0; start->clusters < wanted;) {
        set_mean(start, start->clusters, next);
        double whole = 0;
        for (size_t i = 0; i < count; i++) {
            double square = distance(start, i, start->clusters);
            if (square < start->nearest[i])
                start->nearest[i] = square;
            if (start->nearest[i] > SAME)
                whole += start->nearest[i];
        }
        start->clusters++;
        if (whole <= 0)
            return;
        next = draw_far(start, whole, random);
    }
}

/* Gives each row to its nearest mean; tells whether any row moved. */
static bool assign(struct start *start)
{
    bool moved = false;
    start->inertia = 0;
    memset(start->sizes, 0, start->clusters * sizeof(*start->sizes));
    for (size_t i = 0; i < start->rows->count; i++) {
        uint32_t best = 0;
        double least = INFINITY;
        for (size_t cluster = 0; cluster < start->clusters; cluster++) {
            double square = distance(start, i, cluster);
            if (square < least) {
                least = square;
                best = (uint32_t)cluster;
            }
        }
        moved |= best != start->cluster_of[i];
        start->cluster_of[i] = best;
        start->nearest[i] = least;
        start->inertia += least;
        start->sizes[best]++;
    }
    return moved;
}

/* A cluster that lost all its rows keeps its mean: it may win some back. */
static void move_means(struct start *start)
{
    size_t width = start->rows->dimension;
    for (size_t cluster = 0; cluster < start->clusters; cluster++)
        if (start->sizes[cluster])
            memset(start->means + cluster * width, 0, width * sizeof(*start->means));
    for (size_t i = 0; i < start->rows->count; i++) {
        size_t cluster = start->cluster_of[i];
        vectors_add(start->means + cluster * width,
                    start->rows->scales[i] / (double)start->sizes[cluster], start->rows->rows[i],
                    width);
    }
    for (size_t cluster = 0; cluster < start->clusters; cluster++) {
        double square = 0;
        for (size_t i = 0; i < width; i++)
            square += start->means[cluster * width + i] * start->means[cluster * width + i];
        start->mean_squares[cluster] = square;
    }
}

static int run_start(struct start *start, xy_job *job, size_t wanted, uint64_t *random)
{
    place_means(start, wanted, random);
    memset(start->cluster_of, 0xff, start->rows->count * sizeof(*start->cluster_of));
    for (int round = 0; round < MOST_ROUNDS && assign(start); round++) {
        if (job->api->cancelled(job))
            return XY_ECANCELED;
        move_means(start);
    }
    return XY_OK;
}

/* Keeps what the start came to; clusters are numbered anew, by their first row, without the empty
 * ones. */
static int keep(struct kmeans *kmeans, const struct start *start)
{
    uint32_t *numbers = malloc((start->clusters + 1) * sizeof(*numbers));
    if (!numbers)
        return XY_ENOMEM;
    memset(numbers, 0xff, (start->clusters + 1) * sizeof(*numbers));
    kmeans->clusters = 0;
    kmeans->inertia = start->inertia;
    for (size_t i = 0; i < start->rows->count; i++) {
        uint32_t *number = &numbers[start->cluster_of[i]];
        if (*number == UINT32_MAX) {
            *number = kmeans->clusters++;
            kmeans->sizes[*number] = 0;
        }
        kmeans->cluster_of[i] = *number;
        kmeans->sizes[*number]++;
        kmeans->distances[i] = start->nearest[i];
    }
    free(numbers);
    return XY_OK;
}

static bool start_init(struct start *start, size_t wanted)
{
    size_t count = start->rows->count, width = start->rows->dimension;
    start->means = calloc(wanted * width + 1, sizeof(*start->means));
    start->mean_squares = calloc(wanted + 1, sizeof(*start->mean_squares));
    start->nearest = calloc(count + 1, sizeof(*start->nearest));
    start->cluster_of = calloc(count + 1, sizeof(*start->cluster_of));
    start->sizes = calloc(wanted + 1, sizeof(*start->sizes));
    return start->means && start->mean_squares && start->nearest && start->cluster_of &&
           start->sizes;
}

static void start_free(struct start *start)
{
    free(start->means);
    free(start->mean_squares);
    free(start->nearest);
    free(start->cluster_of);
    free(start->sizes);
}

int kmeans_fit(struct kmeans *kmeans, xy_job *job, const struct kmeans_rows *rows, size_t clusters,
               uint64_t *random)
{
    size_t count = rows->count, wanted = clusters < count ? clusters : count;
    struct start start = {.rows = rows};
    kmeans->cluster_of = calloc(count + 1, sizeof(*kmeans->cluster_of));
    kmeans->distances = calloc(count + 1, sizeof(*kmeans->distances));
    kmeans->sizes = calloc(wanted + 1, sizeof(*kmeans->sizes));
    bool room = start_init(&start, wanted) && kmeans->cluster_of && kmeans->distances &&
                kmeans->sizes;
    int code = room ? XY_OK : XY_ENOMEM;
    for (int i = 0; i < STARTS && wanted && code == XY_OK; i++) {
        code = run_start(&start, job, wanted, random);
        if (code == XY_OK && (i == 0 || start.inertia < kmeans->inertia))
            code = keep(kmeans, &start);
    }
    start_free(&start);
    return code;
}

void kmeans_free(struct kmeans *kmeans)
{
    free(kmeans->cluster_of);
    free(kmeans->distances);
    free(kmeans->sizes);
    *kmeans = (struct kmeans){0};
}
