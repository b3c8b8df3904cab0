/* SPDX-License-Identifier: Apache-2.0 */
/* In place of semantic_index.cpp where hnswlib is missing. */
#include "semantic_search.h"

int search_by_index(struct search *search, xy_job *job)
{
    return xy_fail(job, XY_EUNSUPPORTED, "%zu rows are more than `exact_rows`, and this build has "
                   "no approximate index: install libhnswlib-dev and build again, or raise "
                   "`exact_rows` (the time grows with the square of the rows)", search->count);
}
