/* SPDX-License-Identifier: Apache-2.0 */
/* semantic_search.h - which rows have a near-duplicate among those kept before them: exactly, or by
 * an approximate index. [worker] */
#ifndef XYLEM_PLUGINS_SEMANTIC_SEMANTIC_SEARCH_H
#define XYLEM_PLUGINS_SEMANTIC_SEMANTIC_SEARCH_H

#include "semantic_rows.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SEMANTIC_NONE UINT32_MAX

struct search {
    const struct rows *rows;
    const uint32_t *order;    /* rows with vectors, as they are taken: those of `against` first */
    size_t count;
    double threshold;
    bool within;              /* else rows are compared with those of `against` alone */
    uint32_t *twins;          /* by row, set by the search: the kept row it resembles, or NONE */
    double *similarities;     /* by row, set with `twins` */
    uint64_t tested, missed;  /* by index: rows with a twin that were looked at in full, and those
                                 of them where the index found none */
};

/* XY_OK, XY_ENOMEM or XY_ECANCELED. A row's twin is its most similar kept row; the first in order
 * of equally similar ones. Rows of `against` are always kept. */
int search_exactly(struct search *search, xy_job *job);
/* The same through a graph of neighbours (HNSW); XY_EUNSUPPORTED where there is none. */
int search_by_index(struct search *search, xy_job *job);

/* The inner product, the same bits with AVX2 and without. [any] */
float search_inner(const float *a, const float *b, size_t dimension);
/* The row's most similar one among `count` kept rows, SEMANTIC_NONE below `least`. */
uint32_t search_all(const struct rows *rows, const uint32_t *kept, size_t count, uint32_t row,
                    double least, double *similarity);

#ifdef __cplusplus
}
#endif
#endif
