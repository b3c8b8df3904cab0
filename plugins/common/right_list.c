/* SPDX-License-Identifier: Apache-2.0 */
#include "right_list.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
    double confidence;
    size_t row;
    uint32_t class_index;
};

static int by_class_and_confidence(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->class_index != right->class_index)
        return left->class_index < right->class_index ? -1 : 1;
    if (left->confidence > right->confidence || left->confidence < right->confidence)
        return left->confidence > right->confidence ? -1 : 1;
    return left->row < right->row ? -1 : left->row > right->row;
}

int right_list_choose(const struct right_rows *rows, double share, bool *right,
                      struct right_counts *counts)
{
    struct candidate *candidates = malloc((rows->count + 1) * sizeof(*candidates));
    size_t found = 0;
    if (!candidates)
        return XY_ENOMEM;
    memset(counts, 0, rows->classes * sizeof(*counts));
    for (size_t i = 0; i < rows->count; i++) {
        right[i] = false;
        if (rows->labels[i] == NAMES_NONE || rows->labels[i] != rows->predicted[i] ||
            !isfinite(rows->confidences[i]))
            continue;
        candidates[found++] = (struct candidate){rows->confidences[i], i, rows->labels[i]};
        counts[rows->labels[i]].agreeing++;
    }
    qsort(candidates, found, sizeof(*candidates), by_class_and_confidence);
    for (size_t at = 0; at < found;) {
        struct right_counts *own = &counts[candidates[at].class_index];
        /* 0.29 x 100 is a little less than 29 in binary: rounded down, it stays 29. */
        own->right = (size_t)floor(share * (double)own->agreeing + 1e-9);
        for (size_t i = 0; i < own->right; i++)
            right[candidates[at + i].row] = true;
        at += own->agreeing;
    }
    free(candidates);
    return XY_OK;
}
