/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio - tasks with predictions for Label Studio, and the annotations that it exports. */
#include "label_studio.h"

#define AT(member) offsetof(struct label_studio, member)

static const xy_option options[] = {
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(names.label), .def = "label",
     .help = "The field of a person's label, and the `name` of the project's <Choices> tag."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The `name` of the <Text> tag that the choices are about."},
    {.name = "revision", .type = XY_OPT_FIELD, .offset = AT(names.revision), .def = "revision",
     .help = "The field of a person's new wording, and the `name` of a <TextArea> tag."},
    {.name = "suggestion", .type = XY_OPT_FIELD, .offset = AT(names.suggestion),
     .def = "suggestion",
     .help = "The field of the model's label, a prediction there; `label` writes the labels of a "
             "data set as predictions."},
    {.name = "score", .type = XY_OPT_FIELD, .offset = AT(names.score),
     .help = "A number field, the prediction's score, which orders tasks in the data manager."},
    {.name = "model_version", .type = XY_OPT_TEXT, .offset = AT(model_version), .def = "xylem",
     .help = "By what name predictions are shown."},
    {0},
};

static const xy_format format = {
    .size = sizeof(xy_format),
    .endings = "", /* such files end in .json, which says nothing */
    .read_open = label_studio_read_open,
    .read_next = label_studio_read_next,
    .read_close = label_studio_read_close,
    .write_open = label_studio_write_open,
    .write_next = label_studio_write_next,
    .write_close = label_studio_write_close,
};

static const xy_stage label_studio = {
    XY_STAGE_INIT,
    .kind = XY_FORMAT,
    .state_size = sizeof(struct label_studio),
    .id = "label_studio",
    .version = "1.0.0",
    .summary = "Writes tasks with predictions for Label Studio, reads the annotations it exports",
    .options = options,
    .format = &format,
};

XY_PLUGIN("label_studio", "1.0.0", "Apache-2.0", &label_studio)
