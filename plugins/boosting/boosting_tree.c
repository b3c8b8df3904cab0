/* SPDX-License-Identifier: Apache-2.0 */
#include "boosting_tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Gains this small are rounding. */
static const double SMALL = 1e-9;

/* ---- bins ------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

/* A number between two, or the greater where floats have none between. */
static float between(float low, float high)
{
    float middle = low + (high - low) / 2;
    return middle > low && middle < high ? middle : high;
}

/* Cuts of one feature from its sorted values. */
static uint32_t find_cuts(const float *sorted, size_t count, float *cuts)
{
    size_t different = count > 0;
    uint32_t found = 0;
    for (size_t i = 1; i < count; i++)
        different += sorted[i] > sorted[i - 1];
    for (size_t i = 1; i < count && found < TREE_BINS - 1; i++) {
        /* With more values than bins, the next cut waits until its share of the rows is reached. */
        bool due = different <= TREE_BINS ||
                   (double)i >= (double)(found + 1) * (double)count / TREE_BINS;
        if (due && sorted[i] > sorted[i - 1])
            cuts[found++] = between(sorted[i - 1], sorted[i]);
    }
    return found;
}

static uint8_t code_of(const float *cuts, uint32_t count, float value)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (value >= cuts[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return (uint8_t)low;
}

int tree_bins_fill(struct tree_bins *bins, xy_job *job, const float *vectors, size_t rows,
                   size_t dimension)
{
    *bins = (struct tree_bins){.rows = rows, .dimension = dimension};
    bins->cuts = calloc(dimension * (TREE_BINS - 1) + 1, sizeof(*bins->cuts));
    bins->counts = calloc(dimension + 1, sizeof(*bins->counts));
    bins->codes = calloc(rows * dimension + 1, 1);
    float *sorted = calloc(rows + 1, sizeof(*sorted));
    int code = bins->cuts && bins->counts && bins->codes && sorted ? XY_OK : XY_ENOMEM;
    for (size_t j = 0; j < dimension && code == XY_OK; j++) {
        size_t count = 0;
        float *cuts = bins->cuts + j * (TREE_BINS - 1);
        for (size_t i = 0; i < rows; i++) {
            sorted[count] = vectors[i * dimension + j];
            count += !isnan(sorted[count]);
        }
        qsort(sorted, count, sizeof(*sorted), by_value);
        bins->counts[j] = find_cuts(sorted, count, cuts);
        for (size_t i = 0; i < rows; i++)
            bins->codes[i * dimension + j] =
                code_of(cuts, bins->counts[j], vectors[i * dimension + j]);
        if (job->api->cancelled(job))
            code = XY_ECANCELED;
    }
    free(sorted);
    return code;
}

void tree_bins_free(struct tree_bins *bins)
{
    free(bins->cuts);
    free(bins->counts);
    free(bins->codes);
    *bins = (struct tree_bins){.rows = 0};
}

/* ---- growing --------------------------------------------------------------------------------- */

int tree_grower_init(struct tree_grower *grower)
{
    size_t rows = grower->bins->rows;
    grower->order = calloc(2 * rows + 1, sizeof(*grower->order));
    grower->sums = calloc(grower->bins->dimension * TREE_BINS * 2 + 1, sizeof(*grower->sums));
    if (!grower->order || !grower->sums)
        return XY_ENOMEM;
    grower->spare = grower->order + rows;
    return XY_OK;
}

void tree_grower_free(struct tree_grower *grower)
{
    free(grower->order);
    free(grower->sums);
}

/* Rows `from` to `to` of the order, which make one node. */
struct range {
    size_t from, to;
    double slope, curve; /* the sums of their first and second derivatives */
};

struct split {
    uint32_t feature, bin; /* codes up to `bin` go left */
    double gain, left_slope, left_curve;
};

static void add_sums(struct tree_grower *grower, struct range range)
{
    const struct tree_bins *bins = grower->bins;
    for (size_t j = 0; j < bins->dimension; j++)
        memset(grower->sums + j * TREE_BINS * 2, 0,
               ((size_t)bins->counts[j] + 1) * 2 * sizeof(double));
    for (size_t i = range.from; i < range.to; i++) {
        size_t row = grower->order[i];
        const uint8_t *codes = bins->codes + row * bins->dimension;
        double slope = grower->slopes[2 * row], curve = grower->slopes[2 * row + 1];
        for (size_t j = 0; j < bins->dimension; j++) {
            double *sums = grower->sums + (j * TREE_BINS + codes[j]) * 2;
            sums[0] += slope;
            sums[1] += curve;
        }
    }
}

/* The best split (equation 7), the first feature's and the lowest cut's among equals. */
static struct split find_split(struct tree_grower *grower, struct range range)
{
    const struct tree_settings *settings = grower->settings;
    struct split best = {.gain = settings->least_gain + SMALL};
    double lambda = settings->lambda, whole = range.slope * range.slope / (range.curve + lambda);
    bool found = false;
    add_sums(grower, range);
    for (uint32_t j = 0; j < grower->bins->dimension; j++) {
        double slope = 0, curve = 0;
        for (uint32_t bin = 0; bin < grower->bins->counts[j]; bin++) {
            const double *sums = grower->sums + ((size_t)j * TREE_BINS + bin) * 2;
            slope += sums[0];
            curve += sums[1];
            double other_slope = range.slope - slope, other_curve = range.curve - curve;
            if (curve < settings->least_weight || other_curve < settings->least_weight ||
                curve <= 0 || other_curve <= 0)
                continue;
            double gain = (slope * slope / (curve + lambda) +
                           other_slope * other_slope / (other_curve + lambda) - whole) / 2;
            if (gain <= best.gain)
                continue;
            best = (struct split){j, bin, gain, slope, curve};
            found = true;
        }
    }
    if (!found)
        best.gain = 0;
    return best;
}

/* Puts the rows that go left first, both parts in the order that they had. Where the right
 * begins. */
static size_t part(struct tree_grower *grower, struct range range, const struct split *split)
{
    const struct tree_bins *bins = grower->bins;
    size_t left = range.from, right = 0;
    for (size_t i = range.from; i < range.to; i++) {
        uint32_t row = grower->order[i];
        if (bins->codes[row * bins->dimension + split->feature] <= split->bin)
            grower->order[left++] = row;
        else
            grower->spare[right++] = row;
    }
    memcpy(grower->order + left, grower->spare, right * sizeof(*grower->order));
    return left;
}

static int add_nodes(struct tree *tree, uint32_t count)
{
    if (tree->count + count > tree->room) {
        uint32_t room = tree->room ? tree->room * 2 : 16;
        struct tree_node *nodes = realloc(tree->nodes, room * sizeof(*nodes));
        if (!nodes)
            return XY_ENOMEM;
        tree->nodes = nodes;
        tree->room = room;
    }
    memset(tree->nodes + tree->count, 0, count * sizeof(*tree->nodes));
    tree->count += count;
    return XY_OK;
}

/* As deep as `depth` says at most, so that the recursion is bounded. */
static int grow_node(struct tree_grower *grower, struct tree *tree, uint32_t node,
                     struct range range, uint32_t depth)
{
    const struct tree_settings *settings = grower->settings;
    struct split split = {.gain = 0};
    tree->nodes[node].value = range.curve + settings->lambda > 0
                                  ? -settings->rate * range.slope / (range.curve + settings->lambda)
                                  : 0;
    if (depth > 0 && range.to - range.from > 1)
        split = find_split(grower, range);
    if (split.gain <= 0)
        return XY_OK;
    uint32_t left = tree->count;
    int code = add_nodes(tree, 2);
    if (code < 0)
        return code;
    tree->nodes[node].feature = split.feature;
    tree->nodes[node].left = left;
    tree->nodes[node].cut =
        grower->bins->cuts[(size_t)split.feature * (TREE_BINS - 1) + split.bin];
    size_t middle = part(grower, range, &split);
    struct range lower = {range.from, middle, split.left_slope, split.left_curve};
    struct range upper = {middle, range.to, range.slope - split.left_slope,
                          range.curve - split.left_curve};
    code = grow_node(grower, tree, left, lower, depth - 1);
    return code < 0 ? code : grow_node(grower, tree, left + 1, upper, depth - 1);
}

int tree_grow(struct tree_grower *grower, struct tree *tree)
{
    struct range all = {.from = 0};
    for (size_t i = 0; i < grower->bins->rows; i++) {
        if (grower->slopes[2 * i + 1] <= 0)
            continue;
        grower->order[all.to++] = (uint32_t)i;
        all.slope += grower->slopes[2 * i];
        all.curve += grower->slopes[2 * i + 1];
    }
    int code = add_nodes(tree, 1);
    return code < 0 ? code : grow_node(grower, tree, 0, all, grower->settings->depth);
}

double tree_value(const struct tree *tree, const float *row)
{
    const struct tree_node *node = tree->nodes;
    while (node->left)
        node = tree->nodes + node->left + (row[node->feature] >= node->cut);
    return node->value;
}

void tree_free(struct tree *tree)
{
    free(tree->nodes);
    *tree = (struct tree){.count = 0};
}
