/* SPDX-License-Identifier: Apache-2.0 */
/* argilla - records of Argilla: with suggestions on the way there, with responses on the way
 * back. */
#include "argilla.h"

#define AT(member) offsetof(struct argilla, member)

static const xy_option options[] = {
    {.name = "show", .type = XY_OPT_LIST, .offset = AT(shown), .def = "text",
     .help = "The fields that Argilla shows, as its `fields`; all others are metadata."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(names.label), .def = "label",
     .help = "The field of a person's label, and the name of the label question."},
    {.name = "revision", .type = XY_OPT_FIELD, .offset = AT(names.revision), .def = "revision",
     .help = "The field of a person's new wording, and the name of a text question."},
    {.name = "suggestion", .type = XY_OPT_FIELD, .offset = AT(names.suggestion),
     .def = "suggestion",
     .help = "The field of the model's label; `label` writes the labels of a data set as "
             "suggestions."},
    {.name = "score", .type = XY_OPT_FIELD, .offset = AT(names.score),
     .help = "A number field, the suggestion's score."},
    {.name = "agent", .type = XY_OPT_TEXT, .offset = AT(agent), .def = "xylem",
     .help = "By what name suggestions are shown."},
    {0},
};

static const xy_format format = {
    .size = sizeof(xy_format),
    .endings = "", /* such files end in .json, which says nothing */
    .read_open = argilla_read_open,
    .read_next = argilla_read_next,
    .read_close = argilla_read_close,
    .write_open = argilla_write_open,
    .write_next = argilla_write_next,
    .write_close = argilla_write_close,
};

static const xy_stage argilla = {
    XY_STAGE_INIT,
    .kind = XY_FORMAT,
    .state_size = sizeof(struct argilla),
    .id = "argilla",
    .version = "1.0.0",
    .summary = "Writes records with suggestions for Argilla, reads those with responses",
    .options = options,
    .format = &format,
};

XY_PLUGIN("argilla", "1.0.0", "Apache-2.0", &argilla)
