/* SPDX-License-Identifier: Apache-2.0 */
/* reweight - sets how much each record counts in training: by SunGen's two levels, by a small
 * trusted set, by influence, by loss, or by a model's probabilities. */
#include <stdlib.h>

#include "reweight.h"

#define AT(member) offsetof(struct reweight, member)

static const xy_option options[] = {
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "sungen",
     .choices = "sungen|learned|influence|loss|discriminative",
     .help = "Where weights come from: two levels without human labels, the gradient on `dev`, "
             "influence, each record's loss, or the probabilities in `scores`."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The field with the text."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The field with the label."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(vector),
     .help = "A field with vectors to learn from in place of the text."},
    LEARNER_INPUT_OPTIONS(struct reweight, input),
    {.name = "c", .type = XY_OPT_NUMBER, .offset = AT(c), .def = "10", .low = 1e-6, .high = 1e6,
     .help = "The student's inverse strength of regularisation, as in `linear`; less for few "
             "features: 0.1 to 1 for embeddings."},
    {.name = "iterations", .type = XY_OPT_INT, .offset = AT(iterations), .def = "10", .low = 1,
     .high = 10000, .help = "For `sungen` and `learned`: how many steps are made."},
    {.name = "rate", .type = XY_OPT_NUMBER, .offset = AT(rate), .def = "0.25", .low = 1e-6,
     .high = 10, .help = "For `sungen`: how far a step moves weights, in log-odds."},
    {.name = "folds", .type = XY_OPT_INT, .offset = AT(folds), .def = "5", .low = 1, .high = 100,
     .help = "For `sungen`: weights must lower the loss on a part of the records that the student "
             "was not trained on, for each of so many parts; 1: on the very same ones, as the "
             "paper has it."},
    {.name = "dev", .type = XY_OPT_DATASET, .offset = AT(dev),
     .help = "A small data set with labels to be trusted: `learned` needs one, `influence` may "
             "have one."},
    {.name = "dev_label", .type = XY_OPT_FIELD, .offset = AT(dev_label),
     .help = "The field with the label in `dev`, where it has another name."},
    {.name = "scores", .type = XY_OPT_FIELD, .offset = AT(scores),
     .help = "For `discriminative`: a map of labels to probabilities, of a `score` step. For "
             "`loss`: a number, each record's loss, in place of a student's."},
    {.name = "map", .type = XY_OPT_TEXT, .offset = AT(map), .def = "exp",
     .choices = "exp|quantile",
     .help = "For `loss`: a weight is exp(-loss / temperature), or one less the loss's place "
             "among all, as a share."},
    {.name = "temperature", .type = XY_OPT_NUMBER, .offset = AT(temperature), .def = "1",
     .low = 1e-6, .high = 1e6, .help = "For `map: exp`."},
    {.name = "normalise", .type = XY_OPT_TEXT, .offset = AT(normalise), .def = "class",
     .choices = "class|mean|none",
     .help = "Brings the mean to 1, for each label by itself, so that none gains at another's "
             "cost, or over all records."},
    {.name = "clip", .type = XY_OPT_NUMBER, .offset = AT(clip), .def = "0", .low = 0, .high = 1e9,
     .help = "The highest weight, after normalising; 0: none."},
    {.name = "floor", .type = XY_OPT_NUMBER, .offset = AT(floor), .def = "0", .low = 0,
     .high = 1e9, .help = "The lowest weight, after normalising."},
    {.name = "drop_below", .type = XY_OPT_NUMBER, .offset = AT(drop_below), .def = "0", .low = 0,
     .high = 1e9, .help = "Drops records whose weight is below this."},
    {0},
};

static int open_reweight(void *state, const xy_host *host)
{
    struct reweight *reweight = state;
    const struct method *method = reweight_method(reweight->method);
    reweight->host = host;
    reweight->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    reweight->rng = host->service(host, XY_RNG);
    const char *wrong = NULL;
    if (method->needs_dev && !reweight->dev)
        wrong = "`method: learned` needs `dev`, a small data set with labels to be trusted";
    else if (method->needs_scores && !reweight->scores)
        wrong = "`method: discriminative` needs `scores`, the field that a `score` step made";
    else if (reweight->clip > 0 && reweight->floor > reweight->clip)
        wrong = "`floor` is above `clip`: no weight can be both";
    if (!reweight->rng)
        return XY_EUNSUPPORTED;
    if (wrong) {
        xy_log_line(host, XY_LOG_ERROR, "%s", wrong);
        return XY_EINVAL;
    }
    return reweight_has_student(reweight) && !reweight->vector
               ? learner_input_open(&reweight->input, host) : XY_OK;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct reweight *reweight = state;
    struct rows rows = {.count = 0};
    if (input->api->count(input) == 0)
        return XY_OK;
    int code = rows_read(reweight, job, input, &rows);
    if (code == XY_OK)
        code = reweight_method(reweight->method)->find(reweight, job, input, &rows);
    if (code == XY_OK)
        code = reweight_apply(reweight, job, input, &rows);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    rows_free(&rows);
    return code;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage reweight_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct reweight),
    .id = "reweight",
    .version = "1.0.0",
    .summary = "Sets how much each record counts in training",
    .needs = needs,
    .options = options,
    .open = open_reweight,
    .run = run,
    .fields = "reads `text` or `vector`, `label`, `scores` and each record's weight; sets the "
              "weight",
};

XY_PLUGIN("reweight", "1.0.0", "Apache-2.0", &reweight_stage)
