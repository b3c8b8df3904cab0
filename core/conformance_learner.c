/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_learner.c - a learner's probabilities are probabilities, and the same each time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_internal.h"

enum { ROWS = 12, CLASSES = 3, WIDTH = 4 };

/* One fit() and predict() on a worker, with what they gave. */
struct lesson {
    struct kit *kit;
    struct instance *instance;
    struct job *job;
    xy_examples examples;
    int fitted_code, predicted_code;
    float probabilities[ROWS * CLASSES];
};

static void learn(void *data)
{
    struct lesson *lesson = data;
    const xy_learner *learner = &lesson->kit->type->learner;
    const void *state = instance_state(lesson->instance);
    void *fitted = NULL;
    lesson->fitted_code =
        learner->fit(state, &lesson->job->base, &lesson->examples, 11, &fitted);
    if (lesson->fitted_code < 0)
        return;
    xy_examples unlabelled = lesson->examples;
    unlabelled.labels = NULL;
    unlabelled.soft = unlabelled.weights = NULL;
    lesson->predicted_code = learner->predict(state, &lesson->job->base, fitted, &unlabelled,
                                              lesson->probabilities);
    learner->release(state, fitted);
}

static void judge(struct lesson *lesson)
{
    struct kit *kit = lesson->kit;
    if (lesson->fitted_code > 0 || lesson->predicted_code > 0) {
        kit_fail(kit, "fit() answered %d, predict() %d: 0, or an error", lesson->fitted_code,
                 lesson->predicted_code);
        return;
    }
    if (lesson->fitted_code < 0 || lesson->predicted_code < 0) {
        int code = lesson->fitted_code < 0 ? lesson->fitted_code : lesson->predicted_code;
        if (code == XY_EINVAL && (!lesson->job->why || !*lesson->job->why))
            kit_fail(kit, "it answered XY_EINVAL without a reason: call explain()");
        return;
    }
    uint32_t classes = lesson->examples.classes;
    for (size_t row = 0; row < lesson->examples.count; row++) {
        double sum = 0;
        for (uint32_t class = 0; class < classes; class++) {
            double p = (double)lesson->probabilities[row * classes + class];
            if (!(p >= 0 && p <= 1.000001)) {
                kit_fail(kit, "row %zu, class %u has the probability %g", row, class, p);
                return;
            }
            sum += p;
        }
        if (!(fabs(sum - 1) < 1e-3)) {
            kit_fail(kit, "the probabilities of row %zu sum to %g, not to 1", row, sum);
            return;
        }
    }
}

static void run_lesson(struct lesson *lesson)
{
    lesson->job = job_create(lesson->instance, NULL, 0);
    lesson->job->cancelled = &lesson->kit->cancelled;
    kit_do(lesson->kit, true, learn, lesson);
    judge(lesson);
    job_destroy(lesson->job);
}

static void fill_examples(struct kit *kit, struct lesson *lesson, enum kit_record what)
{
    xy_str *texts = arena_alloc(&kit->arena, ROWS * sizeof(*texts));
    int32_t *labels = arena_alloc(&kit->arena, ROWS * sizeof(*labels));
    for (size_t i = 0; i < ROWS; i++) {
        struct record *record = record_create(i);
        kit_fill(kit, &record->base, what, i);
        texts[i] = arena_str(&kit->arena, xy_record_text(&record->base, "text"));
        labels[i] = (int32_t)(i % CLASSES);
        record_destroy(record);
    }
    lesson->examples = (xy_examples){.size = sizeof(xy_examples), .classes = CLASSES, .count = ROWS,
                                     .texts = texts, .labels = labels};
}

/* Rows whose labels are probabilities, with weights and ready features. */
static void fill_soft(struct kit *kit, struct lesson *lesson)
{
    float *soft = arena_alloc(&kit->arena, sizeof(float) * ROWS * CLASSES);
    float *weights = arena_alloc(&kit->arena, ROWS * sizeof(float));
    float *vectors = arena_alloc(&kit->arena, sizeof(float) * ROWS * WIDTH);
    for (size_t i = 0; i < ROWS; i++) {
        weights[i] = (float)(i % 3); /* a weight of 0 is a row that does not count */
        soft[i * CLASSES + i % CLASSES] = 0.75f;
        soft[i * CLASSES + (i + 1) % CLASSES] = 0.25f;
        vectors[i * WIDTH + i % WIDTH] = 1;
    }
    lesson->examples.soft = soft;
    lesson->examples.weights = weights;
    lesson->examples.vectors = vectors;
    lesson->examples.dimension = WIDTH;
}

void kit_try_learner(struct kit *kit)
{
    struct error error = {0};
    struct instance *instance = kit_open(kit, &error);
    struct lesson *lesson = arena_alloc(&kit->arena, sizeof(*lesson));
    struct lesson *again = arena_alloc(&kit->arena, sizeof(*again));
    if (!instance) {
        kit_fail(kit, "it could be opened before, and now: %s", error.text);
        return;
    }
    for (enum kit_record what = RECORD_PLAIN; what <= RECORD_ODD_TEXT; what++) {
        kit_begin(kit, kit_record_names[what]);
        *lesson = (struct lesson){.kit = kit, .instance = instance};
        fill_examples(kit, lesson, what);
        run_lesson(lesson);
    }
    kit_begin(kit, "the same again");
    *lesson = *again = (struct lesson){.kit = kit, .instance = instance};
    fill_examples(kit, lesson, RECORD_PLAIN);
    fill_examples(kit, again, RECORD_PLAIN);
    run_lesson(lesson);
    run_lesson(again);
    /* The same bytes are asked for, not the same numbers.
     * NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
    if (memcmp(lesson->probabilities, again->probabilities, sizeof(lesson->probabilities)) != 0)
        kit_fail(kit, "the same rows and the same seed gave two results");
    kit_begin(kit, "soft labels, weights and ready features");
    *lesson = (struct lesson){.kit = kit, .instance = instance};
    fill_examples(kit, lesson, RECORD_PLAIN);
    fill_soft(kit, lesson);
    run_lesson(lesson);
    kit_begin(kit, "one class in the rows");
    *lesson = (struct lesson){.kit = kit, .instance = instance};
    fill_examples(kit, lesson, RECORD_PLAIN);
    lesson->examples.labels = arena_alloc(&kit->arena, ROWS * sizeof(int32_t));
    run_lesson(lesson);
    kit_begin(kit, "cancel");
    atomic_store(&kit->cancelled, 1);
    *lesson = (struct lesson){.kit = kit, .instance = instance};
    fill_examples(kit, lesson, RECORD_PLAIN);
    run_lesson(lesson);
    kit_close(kit, instance);
    kit_begin(kit, "missing services");
    kit->bare = true;
    instance = kit_open(kit, &error);
    if (instance)
        kit_close(kit, instance);
    else if (error.code != XY_EUNSUPPORTED)
        kit_fail(kit, "without a service it opens with \"%s\": answer XY_EUNSUPPORTED or work",
                 error.text);
}
