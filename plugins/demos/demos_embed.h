/* SPDX-License-Identifier: Apache-2.0 */
/* demos_embed.h - where texts lie: their embeddings, by a model or ready in a field. */
#ifndef XYLEM_PLUGINS_DEMOS_DEMOS_EMBED_H
#define XYLEM_PLUGINS_DEMOS_DEMOS_EMBED_H

#include "demos_pool.h"

/* How to find out; in a stage's state as `space`, for the options in demos_options.h. */
struct space {
    const xy_model *embed;
    const char *vector;
    const xy_model_service *models;
};

struct places {            /* zeroed: empty */
    const float *vectors;  /* count x dimension, of the job or `own` */
    float *own;
    double *scales;        /* count: 1 / length of each vector, 0 for one of zeros */
    size_t count, dimension;
};

/* [loop] Of open(): finds the service and says what is missing. */
int space_open(struct space *space, const xy_host *host);

/* [worker] Of prepare(), after pool_read(): where each demonstration lies, by its row. What
 * comes from the model lives as long as the job. 0, or an error with its text on the job. */
int places_of_pool(struct places *places, xy_job *job, const struct space *space,
                   const struct pool *pool, const struct pool_options *options);
/* The same for the records of a data set; `what` names the option in errors. Records without a text
 * are left out. An empty data set has no places. */
int places_of_dataset(struct places *places, xy_job *job, const struct space *space,
                      xy_dataset *dataset, const char *field, const char *what);
void places_free(struct places *places);

static inline const float *places_at(const struct places *places, size_t row)
{
    return places->vectors + row * places->dimension;
}

#endif
