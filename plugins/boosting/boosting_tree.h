/* SPDX-License-Identifier: Apache-2.0 */
/* boosting_tree.h - regression trees over binned features, grown on first and second derivatives of
 * a loss (Chen and Guestrin 2016, "XGBoost: A Scalable Tree Boosting System", sections 2.2, 3.2 and
 * 3.3). One thread at a time; [worker]. */
#ifndef XYLEM_PLUGINS_BOOSTING_BOOSTING_TREE_H
#define XYLEM_PLUGINS_BOOSTING_BOOSTING_TREE_H

#include <xylem/plugin.h>

enum { TREE_BINS = 256 };

/* Features as numbers of bins. A feature with at most 256 different values has a cut between any
 * two of them, so that no split is missed; one with more has cuts at even ranks. */
struct tree_bins { /* zeroed: empty */
    size_t rows, dimension;
    float *cuts;      /* dimension x (TREE_BINS - 1), ascending */
    uint32_t *counts; /* of cuts, for each feature */
    uint8_t *codes;   /* rows x dimension: how many cuts a value is not below; 0 for NaN */
};

/* XY_OK, XY_ENOMEM or XY_ECANCELED. */
int tree_bins_fill(struct tree_bins *bins, xy_job *job, const float *vectors, size_t rows,
                   size_t dimension);
void tree_bins_free(struct tree_bins *bins);

struct tree_node {
    uint32_t feature; /* where `left` is not 0 */
    uint32_t left;    /* the node of values below `cut` (and of NaN), the other is next; 0: leaf */
    float cut;
    double value;     /* of a leaf: what it adds to the margin */
};

struct tree { /* zeroed: empty */
    struct tree_node *nodes; /* the root is the first */
    uint32_t count, room;
};

struct tree_settings {
    uint32_t depth;
    double rate, lambda, least_weight, least_gain;
};

/* What growing needs; made once for many trees. */
struct tree_grower { /* zeroed but for the first three */
    const struct tree_bins *bins;
    const struct tree_settings *settings;
    const double *slopes; /* rows x 2: the loss's first and second derivative by the margin */
    uint32_t *order;      /* rows: those of a node stand together */
    uint32_t *spare;
    double *sums;         /* dimension x TREE_BINS x 2 */
};

int tree_grower_init(struct tree_grower *grower);
void tree_grower_free(struct tree_grower *grower);
/* Grows a tree on the rows whose second derivative is above 0. XY_OK or XY_ENOMEM. */
int tree_grow(struct tree_grower *grower, struct tree *tree);
double tree_value(const struct tree *tree, const float *row);
void tree_free(struct tree *tree);

#endif
