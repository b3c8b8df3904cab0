/* SPDX-License-Identifier: Apache-2.0 */
/* freeal_lesson.h - rows for a learner that come from several places: a record's text, its view, a
 * mixture of two records; each with a target and a weight of its own. One thread at a time;
 * [worker]. */
#ifndef XYLEM_PLUGINS_FREEAL_FREEAL_LESSON_H
#define XYLEM_PLUGINS_FREEAL_FREEAL_LESSON_H

#include "labelled.h"

struct lesson { /* zeroed: empty */
    xy_examples examples;
    xy_str *texts;
    int32_t *labels; /* the likeliest class of each target, for a learner that takes no soft ones */
    float *soft, *weights, *vectors;
    size_t room;
};

/* Room for `room` rows of `classes` targets and `dimension` features (0: texts). XY_OK or
 * XY_ENOMEM. */
int lesson_init(struct lesson *lesson, size_t room, uint32_t classes, size_t dimension);
/* Adds a record of a set with the target `soft` (classes of them), or, where that is NULL, with its
 * label. There is room. */
void lesson_add(struct lesson *lesson, const struct labelled *set, size_t row, const float *soft,
                double weight);
/* Adds share x one + (1 - share) x other of two labelled records, features and labels (Zhang et al.
 * 2018, "mixup"). Only with features. */
void lesson_add_mixture(struct lesson *lesson, const struct labelled *set, size_t one,
                        size_t other, double share, double weight);
void lesson_free(struct lesson *lesson);

#endif
