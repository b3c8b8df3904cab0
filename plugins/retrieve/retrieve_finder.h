/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve_finder.h - what the stages that search a corpus in memory share: options, the query, and
 * what was found on the record. */
#ifndef XYLEM_PLUGINS_RETRIEVE_RETRIEVE_FINDER_H
#define XYLEM_PLUGINS_RETRIEVE_RETRIEVE_FINDER_H

#include "retrieve_corpus.h"
#include "retrieve_index.h"
#include "retrieve_result.h"

struct finder { /* zeroed before open() */
    struct corpus_options options;
    const xy_host *host;
    const xy_template *templates;
    void *query;
    struct corpus corpus;
    struct tally tally;
};

/* The options of a finder that is the member `finder` of the struct `state`, in their order. */
#define FINDER_SOURCE_OPTIONS(state)                                                              \
    {.name = "corpus", .type = XY_OPT_DATASET,                                                    \
     .offset = offsetof(struct state, finder.options.dataset), .flags = XY_OPT_REQUIRED,          \
     .help = "The data set, or the file, of passages to search."},                                \
    {.name = "query", .type = XY_OPT_TEMPLATE,                                                    \
     .offset = offsetof(struct state, finder.options.query), .flags = XY_OPT_REQUIRED,            \
     .help = "What to look for: a template over the record, as `{{ question }}`."}
#define FINDER_LIST_OPTIONS(state)                                                                \
    {.name = "k", .type = XY_OPT_INT, .offset = offsetof(struct state, finder.options.k),         \
     .def = "5", .low = 1, .high = 1000, .help = "How many passages a record gets at most."},     \
    {.name = "field", .type = XY_OPT_FIELD,                                                       \
     .offset = offsetof(struct state, finder.options.field), .def = "text",                       \
     .help = "The passage's text."}
#define FINDER_RECORD_OPTIONS(state)                                                              \
    {.name = "match", .type = XY_OPT_FIELD,                                                       \
     .offset = offsetof(struct state, finder.options.match),                                      \
     .help = "Takes only passages in which this field has the record's own value."},              \
    {.name = "exclude_self", .type = XY_OPT_BOOL,                                                 \
     .offset = offsetof(struct state, finder.options.exclude_self), .def = "false",               \
     .help = "Leaves out the record itself: a passage with its id, its parent's id, or its "      \
             "text."},                                                                            \
    {.name = "gold", .type = XY_OPT_FIELD, .offset = offsetof(struct state, finder.options.gold), \
     .help = "A field of both, by which a record's own passage is known: sets `rank`."},          \
    {.name = "fields", .type = XY_OPT_LIST,                                                       \
     .offset = offsetof(struct state, finder.options.fields),                                     \
     .help = "The fields that a passage has in the list; all but vectors when not given."},       \
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct state, finder.options.into), \
     .def = "passages",                                                                           \
     .help = "The field set to the list of passages, best first, each with its `score`."},        \
    {.name = "ids", .type = XY_OPT_FIELD, .offset = offsetof(struct state, finder.options.ids),   \
     .def = "passage_ids", .help = "The field set to the list of their ids."},                    \
    {.name = "rank", .type = XY_OPT_FIELD, .offset = offsetof(struct state, finder.options.rank), \
     .def = "rank",                                                                               \
     .help = "gold: the field set to the place of the record's own passage in the list, from 1; " \
             "0 when it is not there."}

/* XY_OK, or an error, logged. [loop] */
int finder_open(struct finder *finder, const xy_host *host);
void finder_close(struct finder *finder);
/* Room for the best `k`, in the job's memory; false when there is none. */
bool finder_best(const struct finder *finder, xy_job *job, struct best *best);
/* The record's query; an error of the template with its text on the job. */
int finder_render(const struct finder *finder, xy_job *job, xy_str *query);
/* Sets `into`, `ids` and, with `gold`, `rank`, and counts. XY_OK or an error with its text.
 * [any] */
int finder_set(struct finder *finder, xy_job *job, const struct best *best);

#endif
