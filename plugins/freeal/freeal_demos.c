/* SPDX-License-Identifier: Apache-2.0 */
#include "freeal_demos.h"

#include <math.h>
#include <stdlib.h>

#include "kmeans.h"
#include "vectors.h"

/* The rows of one class, as the clustering reads them. */
struct members {
    const float **places;
    double *scales;
    size_t *rows, *medoids;
    size_t count;
};

static void find_members(const struct demos_task *task, uint32_t class_index,
                         struct members *members)
{
    members->count = 0;
    for (size_t i = 0; i < task->count; i++) {
        const float *place = task->places + i * task->dimension;
        if (!task->right[i] || task->labels[i] != class_index || isnan(place[0]))
            continue;
        members->places[members->count] = place;
        members->scales[members->count] = vectors_scale(place, task->dimension);
        members->rows[members->count++] = i;
    }
}

static int choose_of_class(struct demos_task *task, size_t wanted, struct members *members,
                           bool *chosen, size_t *count)
{
    struct kmeans kmeans = {0};
    const struct kmeans_rows rows = {members->places, members->scales, members->count,
                                     task->dimension};
    int code = kmeans_fit(&kmeans, task->job, &rows, wanted, &task->random);
    for (uint32_t cluster = 0; cluster < kmeans.clusters && code == XY_OK; cluster++)
        members->medoids[cluster] = members->count;
    for (size_t i = 0; i < members->count && code == XY_OK; i++) {
        size_t *medoid = &members->medoids[kmeans.cluster_of[i]];
        if (*medoid == members->count || kmeans.distances[i] < kmeans.distances[*medoid])
            *medoid = i;
    }
    for (uint32_t cluster = 0; cluster < kmeans.clusters && code == XY_OK; cluster++)
        chosen[members->rows[members->medoids[cluster]]] = true;
    *count = code == XY_OK ? kmeans.clusters : 0;
    kmeans_free(&kmeans);
    return code;
}

int demos_choose(struct demos_task *task, bool *chosen, size_t *counts)
{
    size_t wanted = task->wanted / task->classes;
    struct members members = {
        .places = calloc(task->count + 1, sizeof(*members.places)),
        .scales = calloc(task->count + 1, sizeof(*members.scales)),
        .rows = calloc(task->count + 1, sizeof(*members.rows)),
        .medoids = calloc(task->count + 1, sizeof(*members.medoids)),
    };
    bool room = members.places && members.scales && members.rows && members.medoids;
    int code = room ? XY_OK : XY_ENOMEM;
    memset(chosen, 0, task->count * sizeof(*chosen));
    for (uint32_t k = 0; k < task->classes && code == XY_OK; k++) {
        find_members(task, k, &members);
        counts[k] = 0;
        if (members.count)
            code = choose_of_class(task, wanted ? wanted : 1, &members, chosen, &counts[k]);
    }
    free(members.places);
    free(members.scales);
    free(members.rows);
    free(members.medoids);
    return code;
}
