/* SPDX-License-Identifier: Apache-2.0 */
/* list_call.h - asking a model for a list: the options, the prompt, the request, and the items of
 * its answer. The stage that embeds it decides what it asks for and when it has enough. [loop] for
 * everything but the option table. */
#ifndef XYLEM_PLUGINS_COMMON_LIST_CALL_H
#define XYLEM_PLUGINS_COMMON_LIST_CALL_H

#include "items.h"

struct list_call { /* in the stage's state: the first members are written by the host */
    const xy_model *model;
    const char *prompt, *system;
    const char *const *stop;
    double temperature, top_p;
    int64_t max_tokens;
    int32_t json;
    const char *description;
    const xy_model_service *models;
    const xy_template *templates;
    void *prompt_compiled, *system_compiled;
    bool unconstrained;     /* the model said that it cannot keep to a schema */
};

/* Its part of a stage's option table; `member` is the list_call in the struct
 * `state`, `keep_or_cut` the default of `description`. */
#define LIST_CALL_OPTIONS(state, member, keep_or_cut)                                              \
    {.name = "model", .type = XY_OPT_MODEL, .offset = offsetof(state, member.model),               \
     .flags = XY_OPT_REQUIRED, .help = "The model that is asked."},                                \
    {.name = "system", .type = XY_OPT_TEMPLATE, .offset = offsetof(state, member.system),          \
     .help = "A template of the system message; none when not given."},                            \
    {.name = "json", .type = XY_OPT_BOOL, .offset = offsetof(state, member.json), .def = "false",  \
     .help = "Holds the answer to a JSON list of texts, where the model can be held to a schema; " \
             "the prompt should ask for one. Without it any usual form of a list is understood."}, \
    {.name = "description", .type = XY_OPT_TEXT, .offset = offsetof(state, member.description),    \
     .def = keep_or_cut, .choices = "keep|cut",                                                    \
     .help = "Whether an item keeps what follows its first colon or dash (`Drama: plays that "     \
             "...`), or is cut before it."},                                                       \
    {.name = "temperature", .type = XY_OPT_NUMBER, .offset = offsetof(state, member.temperature),  \
     .def = "-1", .low = -1, .high = 10, .help = "The sampling temperature; -1: the model's."},    \
    {.name = "top_p", .type = XY_OPT_NUMBER, .offset = offsetof(state, member.top_p),              \
     .def = "-1", .low = -1, .high = 1,                                                            \
     .help = "The share of probability that is sampled from; -1: the model's own."},               \
    {.name = "max_tokens", .type = XY_OPT_INT, .offset = offsetof(state, member.max_tokens),       \
     .def = "0", .low = 0, .high = 1000000,                                                        \
     .help = "The most tokens of one answer; 0: the model's own."},                                \
    {.name = "stop", .type = XY_OPT_LIST, .offset = offsetof(state, member.stop),                  \
     .help = "Texts at which an answer ends."}

/* Looks the services up and compiles the templates. 0, or an error that was logged. */
int list_call_open(struct list_call *call, const xy_host *host);
void list_call_close(struct list_call *call);

/* `items`, which are the callee's to read but not to keep, are those of a good answer; the last one
 * is left out where the answer was cut off behind it. With an error in `reply` there are none. */
typedef void (*list_call_done)(xy_job *job, void *user, const xy_reply *reply,
                               const struct items *items);

/* Renders the prompt over `record` and asks. `sample` tells apart askings of the same prompt. On 0
 * `done` comes exactly once; a negative answer is explained on the job. */
int list_call_ask(struct list_call *call, xy_job *job, const xy_record *record, uint64_t seed,
                  uint32_t sample, list_call_done done, void *user);

#endif
