/* SPDX-License-Identifier: Apache-2.0 */
/* grid_axes.h - the axes of a grid as they stand in the options, and the combinations they
 * allow. */
#ifndef XYLEM_PLUGINS_GRID_GRID_AXES_H
#define XYLEM_PLUGINS_GRID_GRID_AXES_H

#include <xylem/plugin.h>

struct axis_value {
    xy_str json;     /* as written, borrowed from the option's text */
    double weight;   /* at least 0; 1 unless `weights` says otherwise */
};

struct axis {
    char *name;
    struct axis_value *values;
    size_t count;
    double weight_sum;
};

struct axes {
    struct axis *items;
    size_t count;
    uint64_t combinations;  /* product of the counts, before exclusions */
    xy_str exclude;         /* the list of partial combinations, or {NULL, 0} */
    int weighted;
};

/* Reads the three options; texts are borrowed and must stay. 0, or XY_EINVAL with what is wrong in
 * `error`. axes_free() in either case. [any] */
int axes_read(struct axes *axes, const char *values, const char *weights, const char *exclude,
              char *error, size_t error_size);
void axes_free(struct axes *axes);

/* Index of each axis' value in combination `number`; the first axis varies slowest. */
void axes_at(const struct axes *axes, uint64_t number, size_t *chosen);
/* A combination drawn with probability proportional to the product of its weights. */
void axes_draw(const struct axes *axes, uint64_t *random, size_t *chosen);
/* Does an exclusion match? */
int axes_excluded(const struct axes *axes, const size_t *chosen);

#endif
