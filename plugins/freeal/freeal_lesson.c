/* SPDX-License-Identifier: Apache-2.0 */
#include "freeal_lesson.h"

#include <stdlib.h>

int lesson_init(struct lesson *lesson, size_t room, uint32_t classes, size_t dimension)
{
    memset(lesson, 0, sizeof(*lesson));
    lesson->texts = calloc(room + 1, sizeof(*lesson->texts));
    lesson->labels = calloc(room + 1, sizeof(*lesson->labels));
    lesson->soft = calloc(room * classes + 1, sizeof(*lesson->soft));
    lesson->weights = calloc(room + 1, sizeof(*lesson->weights));
    lesson->vectors = calloc(room * dimension + 1, sizeof(*lesson->vectors));
    lesson->room = room;
    if (!lesson->texts || !lesson->labels || !lesson->soft || !lesson->weights ||
        !lesson->vectors) {
        lesson_free(lesson);
        return XY_ENOMEM;
    }
    lesson->examples = (xy_examples){
        .size = sizeof(xy_examples), .classes = classes, .texts = lesson->texts,
        .labels = lesson->labels, .soft = lesson->soft, .weights = lesson->weights,
        .vectors = dimension ? lesson->vectors : NULL, .dimension = dimension};
    return XY_OK;
}

static void end_row(struct lesson *lesson, double weight)
{
    uint32_t classes = lesson->examples.classes, best = 0;
    size_t at = lesson->examples.count++;
    const float *soft = lesson->soft + at * classes;
    for (uint32_t k = 1; k < classes; k++)
        best = soft[k] > soft[best] ? k : best;
    lesson->labels[at] = (int32_t)best;
    lesson->weights[at] = (float)weight;
}

void lesson_add(struct lesson *lesson, const struct labelled *set, size_t row, const float *soft,
                double weight)
{
    uint32_t classes = lesson->examples.classes;
    size_t at = lesson->examples.count, width = lesson->examples.dimension;
    lesson->texts[at] = names_at(&set->texts, set->text_numbers[row]);
    if (soft)
        memcpy(lesson->soft + at * classes, soft, classes * sizeof(*soft));
    else if (set->classes[row] != NAMES_NONE)
        lesson->soft[at * classes + set->classes[row]] = 1;
    if (width)
        memcpy(lesson->vectors + at * width, set->vectors + row * width, width * sizeof(float));
    end_row(lesson, weight * (double)set->weights[row]);
}

void lesson_add_mixture(struct lesson *lesson, const struct labelled *set, size_t one,
                        size_t other, double share, double weight)
{
    size_t at = lesson->examples.count, width = lesson->examples.dimension;
    float *soft = lesson->soft + at * lesson->examples.classes;
    const float *a = set->vectors + one * width, *b = set->vectors + other * width;
    for (size_t i = 0; i < width; i++)
        lesson->vectors[at * width + i] =
            (float)(share * (double)a[i] + (1 - share) * (double)b[i]);
    soft[set->classes[one]] += (float)share;
    soft[set->classes[other]] += (float)(1 - share);
    end_row(lesson, weight * (share * (double)set->weights[one] +
                              (1 - share) * (double)set->weights[other]));
}

void lesson_free(struct lesson *lesson)
{
    free(lesson->texts);
    free(lesson->labels);
    free(lesson->soft);
    free(lesson->weights);
    free(lesson->vectors);
    memset(lesson, 0, sizeof(*lesson));
}
