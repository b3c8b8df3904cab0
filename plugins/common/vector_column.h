/* SPDX-License-Identifier: Apache-2.0 */
/* vector_column.h - a field of ready vectors, as an `embed` step makes it, of all records.
 * [worker] */
#ifndef XYLEM_PLUGINS_COMMON_VECTOR_COLUMN_H
#define XYLEM_PLUGINS_COMMON_VECTOR_COLUMN_H

#include <xylem/plugin.h>

/* xy_dataset_api.column(), or NULL with the reason told: there are no vectors, or their lengths
 * differ, with the first two records that do. `whose`: of which records, as in " of the `pool`", or
 * empty. */
const float *vector_column(xy_dataset *dataset, xy_job *job, const char *field, const char *whose,
                           uint32_t *width);

#endif
