/* SPDX-License-Identifier: Apache-2.0 */
/* softmax - a learner trained by passes over the data, so that each example's way can be told. */
#include <stdlib.h>

#include "learner_input.h"
#include "softmax_train.h"

struct softmax {
    struct learner_input input;
    int64_t passes, batch, patience;
    double rate, decay, hold_out, smoothing, ensemble;
    const char *loss;
};

#define AT(member) offsetof(struct softmax, member)

static const xy_option options[] = {
    LEARNER_INPUT_OPTIONS(struct softmax, input),
    {.name = "passes", .type = XY_OPT_INT, .offset = AT(passes), .def = "20", .low = 1,
     .high = 10000, .help = "How often training goes over the examples, at most."},
    {.name = "batch", .type = XY_OPT_INT, .offset = AT(batch), .def = "32", .low = 1,
     .high = 1000000, .help = "How many examples make one step."},
    {.name = "rate", .type = XY_OPT_NUMBER, .offset = AT(rate), .def = "0.1", .low = 1e-9,
     .high = 100, .help = "The first step's length (AdaGrad shortens the later ones)."},
    {.name = "decay", .type = XY_OPT_NUMBER, .offset = AT(decay), .def = "0.00001", .low = 0,
     .high = 100, .help = "How strongly weights are drawn to 0."},
    {.name = "loss", .type = XY_OPT_TEXT, .offset = AT(loss), .def = "cross_entropy",
     .choices = "cross_entropy|reverse|symmetric",
     .help = "What is minimised; `reverse` and `symmetric` tolerate wrong labels."},
    {.name = "smoothing", .type = XY_OPT_NUMBER, .offset = AT(smoothing), .def = "0", .low = 0,
     .high = 0.99, .help = "The share of each label that is spread over all classes."},
    {.name = "ensemble", .type = XY_OPT_NUMBER, .offset = AT(ensemble), .def = "0", .low = 0,
     .high = 1000,
     .help = "How strongly each example is drawn to what the passes so far made of it, their "
             "temporal ensemble (10 in SuperGen); in full from the tenth pass on."},
    {.name = "hold_out", .type = XY_OPT_NUMBER, .offset = AT(hold_out), .def = "0", .low = 0,
     .high = 0.9,
     .help = "The share of the examples that is not trained on but tells when to stop; 0: all "
             "passes are made."},
    {.name = "patience", .type = XY_OPT_INT, .offset = AT(patience), .def = "3", .low = 0,
     .high = 10000,
     .help = "With `hold_out`: passes without a lower loss before training stops; 0: never."},
    {0},
};

struct fitted {
    struct features features;
    struct softmax_model model;
};

static int open_softmax(void *state, const xy_host *host)
{
    return learner_input_open(&((struct softmax *)state)->input, host);
}

static void release(const void *state, void *data)
{
    (void)state;
    struct fitted *fitted = data;
    if (!fitted)
        return;
    features_free(&fitted->features);
    free(fitted->model.weights);
    free(fitted);
}

/* ---- training -------------------------------------------------------------------------------- */

static struct softmax_settings settings_of(const struct softmax *softmax)
{
    return (struct softmax_settings){
        .passes = (uint32_t)softmax->passes,
        .batch = (uint32_t)softmax->batch,
        .patience = (uint32_t)softmax->patience,
        .rate = softmax->rate,
        .decay = softmax->decay,
        .hold_out = softmax->hold_out,
        .smoothing = softmax->smoothing,
        .ensemble = softmax->ensemble,
        .loss = softmax->loss[0] == 'c'   ? LOSS_CROSS_ENTROPY
                : softmax->loss[0] == 'r' ? LOSS_REVERSE
                                          : LOSS_SYMMETRIC,
    };
}

/* Who is watched while training goes on. */
struct watch {
    struct matrix rows;
    float *probabilities; /* passes x rows x classes */
    double *one;          /* those of one row; both in the job's arena */
};

static void watch_pass(void *data, const struct softmax_model *model, uint32_t pass)
{
    struct watch *watch = data;
    for (size_t i = 0; i < watch->rows.rows; i++) {
        float *out = watch->probabilities + (pass * watch->rows.rows + i) * model->classes;
        softmax_judge(model, watch->rows.entries + watch->rows.starts[i],
                      watch->rows.starts[i + 1] - watch->rows.starts[i], watch->one);
        for (uint32_t k = 0; k < model->classes; k++)
            out[k] = (float)watch->one[k];
    }
}

static void fill_targets(const struct softmax *softmax, const xy_examples *examples,
                         double *targets, double *costs)
{
    for (size_t i = 0; i < examples->count; i++) {
        costs[i] = examples->weights ? (double)examples->weights[i] : 1;
        for (uint32_t k = 0; k < examples->classes; k++)
            targets[i * examples->classes + k] =
                (1 - softmax->smoothing) * learner_target(examples, i, k) +
                softmax->smoothing / examples->classes;
    }
}

static int train(const struct softmax *softmax, xy_job *job, const xy_examples *examples,
                 const struct matrix *rows, struct softmax_task *task, struct fitted *fitted,
                 uint32_t *passes)
{
    size_t count = examples->count, classes = examples->classes;
    struct softmax_settings settings = settings_of(softmax);
    double *targets = calloc(count * (classes + 1), sizeof(*targets));
    fitted->model = (struct softmax_model){.classes = examples->classes, .columns = rows->columns};
    fitted->model.weights = calloc(((size_t)rows->columns + 1) * classes, sizeof(double));
    int code = targets && fitted->model.weights ? XY_OK : XY_ENOMEM;
    if (code == XY_OK) {
        fill_targets(softmax, examples, targets, targets + count * classes);
        task->settings = &settings;
        task->rows = rows;
        task->targets = targets;
        task->costs = targets + count * classes;
        task->job = job;
        code = softmax_train(task, &fitted->model, passes);
    }
    free(targets);
    return code;
}

static int check_classes(xy_job *job, const xy_examples *examples)
{
    uint32_t *present = job->api->alloc(job, examples->classes * sizeof(*present));
    int code = present ? learner_present(job, examples, present) : XY_ENOMEM;
    return code < 0 ? code : XY_OK;
}

/* fit(), and trace() where `watch` is given. */
static int learn(const struct softmax *softmax, xy_job *job, const xy_examples *examples,
                 const xy_examples *watched, struct softmax_task *task, uint32_t *passes,
                 void **out)
{
    struct matrix rows = {.entries = NULL};
    struct watch *watch = task->data;
    struct fitted *fitted = calloc(1, sizeof(*fitted));
    int code = fitted ? check_classes(job, examples) : XY_ENOMEM;
    if (code == XY_OK)
        code = learner_input_fit(&softmax->input, job, examples, &fitted->features, &rows);
    if (code == XY_OK && watch) {
        code = learner_input_rows(&softmax->input, job, watched, &fitted->features, &watch->rows);
        size_t cells = (size_t)softmax->passes * watched->count * examples->classes;
        watch->probabilities = job->api->alloc(job, (cells + 1) * sizeof(float));
        watch->one = job->api->alloc(job, examples->classes * sizeof(double));
        if (!watch->probabilities || !watch->one)
            code = XY_ENOMEM;
    }
    if (code == XY_OK)
        code = train(softmax, job, examples, &rows, task, fitted, passes);
    matrix_free(&rows);
    if (watch)
        matrix_free(&watch->rows);
    if (code < 0) {
        release(softmax, fitted);
        return code;
    }
    *out = fitted;
    return XY_OK;
}

static int fit(const void *state, xy_job *job, const xy_examples *examples, uint64_t seed,
               void **out)
{
    struct softmax_task task = {.seed = seed};
    uint32_t passes;
    return learn(state, job, examples, NULL, &task, &passes, out);
}

static int trace(const void *state, xy_job *job, const xy_examples *examples,
                 const xy_examples *watched, uint64_t seed, const float **probabilities,
                 uint32_t *passes, void **out)
{
    struct watch watch = {.probabilities = NULL};
    struct softmax_task task = {.seed = seed, .passed = watch_pass, .data = &watch};
    int code = learn(state, job, examples, watched, &task, passes, out);
    *probabilities = watch.probabilities;
    return code;
}

/* ---- prediction ------------------------------------------------------------------------------ */

static int predict(const void *state, xy_job *job, const void *data, const xy_examples *examples,
                   float *probabilities)
{
    const struct softmax *softmax = state;
    const struct fitted *fitted = data;
    double *one = job->api->alloc(job, fitted->model.classes * sizeof(*one));
    int code = one ? XY_OK : XY_ENOMEM;
    for (size_t first = 0; first < examples->count && code == XY_OK; first += LEARNER_SLICE) {
        xy_examples slice = learner_slice(examples, first, LEARNER_SLICE);
        struct watch part = {
            .probabilities = probabilities + first * fitted->model.classes, .one = one};
        code = learner_input_rows(&softmax->input, job, &slice, &fitted->features, &part.rows);
        if (code == XY_OK)
            watch_pass(&part, &fitted->model, 0);
        matrix_free(&part.rows);
    }
    return code;
}

static const xy_learner learner = {
    .size = sizeof(learner), .fit = fit, .predict = predict, .release = release, .trace = trace};

static const xy_stage softmax_stage = {
    XY_STAGE_INIT,
    .kind = XY_LEARNER,
    .state_size = sizeof(struct softmax),
    .id = "softmax",
    .version = "1.0.0",
    .summary = "Multinomial logistic regression in passes, with noise-tolerant losses",
    .options = options,
    .open = open_softmax,
    .learner = &learner,
};

XY_PLUGIN("softmax", "1.0.0", "Apache-2.0", &softmax_stage)
