/* SPDX-License-Identifier: Apache-2.0 */
/* learner_input.h - what learners share: the options that say what a text is made into, and the
 * rows of features that come of it. */
#ifndef XYLEM_PLUGINS_COMMON_LEARNER_INPUT_H
#define XYLEM_PLUGINS_COMMON_LEARNER_INPUT_H

#include "learner_features.h"

enum { LEARNER_SLICE = 16384 }; /* rows that are made at a time for a prediction */

struct learner_input { /* part of a learner's state */
    const char *features;
    int64_t ngrams, buckets;
    const xy_model *embed;
    const xy_model_service *model;
};

/* The four rows of the option table of a state with such a member. */
#define LEARNER_INPUT_OPTIONS(state_, member_)                                                    \
    {.name = "features", .type = XY_OPT_TEXT, .offset = offsetof(state_, member_.features),       \
     .def = "words",                                                                              \
     .choices = "words|characters|embedding|words_and_embedding|characters_and_embedding",        \
     .help = "What a text is made into: its words, its characters, a model's embedding or a "     \
             "field of vectors, or two of these side by side."},                                  \
    {.name = "ngrams", .type = XY_OPT_INT, .offset = offsetof(state_, member_.ngrams),            \
     .def = "2", .low = 1, .high = 5,                                                             \
     .help = "Runs of up to so many words or characters are features."},                          \
    {.name = "buckets", .type = XY_OPT_INT, .offset = offsetof(state_, member_.buckets),          \
     .def = "1048576", .low = 256, .high = 67108864,                                              \
     .help = "Into how many features the n-grams are hashed."},                                   \
    {.name = "embed", .type = XY_OPT_MODEL, .offset = offsetof(state_, member_.embed),            \
     .help = "The model that embeds, where `features` name an embedding; not asked where a "      \
             "stage hands vectors over."}

/* For open(): finds the service that embeds, where it is needed. [loop] */
int learner_input_open(struct learner_input *input, const xy_host *host);
/* Reads training examples: sets `features` and makes a row for each example (empty for one of
 * weight 0). XY_OK, XY_ENOMEM, XY_ECANCELED, or what the embedder failed with. [worker] */
int learner_input_fit(const struct learner_input *input, xy_job *job, const xy_examples *examples,
                      struct features *features, struct matrix *rows);
/* A row for each of other examples, by the features of training. XY_EINVAL, explained, where they
 * are of another kind. [worker] */
int learner_input_rows(const struct learner_input *input, xy_job *job,
                       const xy_examples *examples, const struct features *features,
                       struct matrix *rows);
/* At most `most` examples from `first` on, borrowed: so that rows are made a part at a time. */
xy_examples learner_slice(const xy_examples *examples, size_t first, size_t most);
/* The class probability that example `row` is to have: its soft label, or 1 for its label. */
double learner_target(const xy_examples *examples, size_t row, uint32_t class_index);
/* Lists, ascending, the classes that an example of weight above 0 has, in `present` (room for all
 * classes). Their number; XY_EINVAL, explained, for fewer than two. */
int learner_present(xy_job *job, const xy_examples *examples, uint32_t *present);

#endif
