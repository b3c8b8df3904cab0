/* SPDX-License-Identifier: Apache-2.0 */
/* kmeans.h - rows parted into clusters around means (Lloyd 1982), by the angle between them:
 * each row counts as the unit vector of its direction. Starting points are drawn by k-means++
 * (Arthur and Vassilvitskii 2007); the best of a few starts is kept. One thread at a time. */
#ifndef XYLEM_PLUGINS_COMMON_KMEANS_H
#define XYLEM_PLUGINS_COMMON_KMEANS_H

#include <stdbool.h>

#include <xylem/plugin.h>

struct kmeans_rows {
    const float *const *rows;  /* count rows of `dimension` floats */
    const double *scales;      /* count: 1 / length of each row, 0 for zeros (vectors_scale()) */
    size_t count, dimension;
};

struct kmeans { /* zeroed: empty */
    uint32_t *cluster_of;  /* of each row */
    double *distances;     /* of each row from its cluster's mean, squared */
    size_t *sizes;         /* of each cluster */
    uint32_t clusters;     /* fewer than asked for when there are fewer different rows */
    double inertia;        /* sum of squared distances from the means */
};

/* `random` is the stream that starting points are drawn from, and moves on. Ties go to the cluster
 * of the lower number; clusters are numbered by their first row. XY_OK, XY_ENOMEM or, when `job` is
 * being stopped, XY_ECANCELED. */
int kmeans_fit(struct kmeans *kmeans, xy_job *job, const struct kmeans_rows *rows, size_t clusters,
               uint64_t *random);
void kmeans_free(struct kmeans *kmeans);

#endif
