/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.h - a pipeline file, checked: what the engine runs.
 *
 * pipeline_read() finds every error of the file in one pass (YAML, keys, types, references, cycles,
 * templates, plugin options) and adds each with its place; it pays nothing and runs no plugin code.
 * The tree is immutable and lives in one arena.
 */
#ifndef XYLEM_CORE_PIPELINE_H
#define XYLEM_CORE_PIPELINE_H

#include "node.h"
#include "registry.h"
#include "template.h"

/* What belongs to the host in an entry of `models:`; all other keys are the generator's options. */
static const char *const model_host_keys[] = {
    "use",     "concurrency", "requests_per_minute", "tokens_per_minute", "attempts",
    "timeout", "deadline",    "price",               "params",            NULL,
};

/* One entry of `models:`. */
struct model_spec {
    const char *alias;
    const struct node *node;        /* the whole map, for the generator's options */
    const struct stage_type *type;
    uint32_t concurrency;           /* most calls in flight; 0: the generator's own maximum */
    double requests_per_minute, tokens_per_minute; /* 0: no limit */
    uint32_t attempts;              /* tries in all, default 6 */
    double timeout;                 /* seconds per attempt, default 600 */
    double deadline;                /* seconds over all attempts, default 0: none */
    double price_input, price_cached, price_output; /* money per 1,000,000 tokens */
    struct value params;            /* VALUE_MAP of request parameters or null: see call_spec */
};

enum step_kind {
    STEP_STAGE = 1,  /* a condition, filter, enhancer or evaluator plugin */
    STEP_GENERATE,   /* complete: a prompt in, text or parsed fields out */
    STEP_SCORE,      /* probabilities of given continuations */
    STEP_EMBED,      /* one vector for a rendered text */
    STEP_REPEAT      /* steps, several times */
};

enum { STEP_LIMIT = 10000, INCLUDE_DEPTH = 16, INCLUDE_LIMIT = 1000 };

/* One entry of `tools:`: a condition stage that a model may call while it answers. */
struct tool_spec;

struct prompt_message {
    const char *role;                /* NULL: a conversation stands here, see `history` */
    struct template *content;
    const char *history;             /* the field that holds it: a list of {role, content} */
    bool swap;                       /* its user's turns become the assistant's, and these its */
};

/* What `generate`, `score` and `embed` share; unused members are NULL or 0. */
struct call_spec {
    const struct model_spec *model;
    struct prompt_message *messages; /* from prompt: {system, user ...} or {messages: [...]} */
    size_t message_count;
    struct value params;             /* of the step over the model's, merged: VALUE_MAP or null.
                                        Keys: temperature, top_p, max_tokens, seed, stop (list),
                                        logprobs, timeout, and extra, a map for the provider */
    uint32_t samples;                /* generate: answers per record, default 1 */
    /* generate: output: {json_schema, into, retry, fields}; `fields` writes the schema by itself */
    const char *into;                /* field for the text, or for the parsed object as JSON */
    xy_str schema_text;              /* empty: free text */
    struct schema *schema;
    bool spread;                     /* the object's members become fields (no `into` given) */
    uint32_t retry;                  /* asks again with the error; 2 with a schema, else 0 */
    const char *finish;              /* field for how the answer ended: stop, length, unknown */
    const char *append_to;           /* field of a conversation that the answer becomes a turn of */
    const char *append_role;         /* whose turn: "assistant" unless `role` says otherwise */
    /* generate with `tools:`: see call_tools.c; `schema` is then that of the answer's member */
    const struct tool_spec **tools;
    size_t tool_count;
    uint32_t tool_rounds;            /* most calls of tools in one answer */
    const char *conversation;        /* field for the exchange in OpenAI's chat format, or NULL */
    xy_str turn_schema;              /* of each of the model's messages */
    xy_str tool_block;               /* what is added to the system message */
    xy_str tool_list;                /* the tools as OpenAI's chat format declares them */
    /* score: the candidates and where results go */
    struct template **candidates;    /* `candidates: [..]`, templates */
    const char *const *names;        /* the class each candidate stands for (same count) */
    size_t candidate_count;
    bool normalize_length;           /* divide each sum by its tokens */
    bool calibrate;                  /* contextual calibration: divide by those of `content_free` */
    struct template *content_free;   /* the same prompt's user text with nothing in it */
    /* embed */
    struct template *text;
};

struct step {
    enum step_kind kind;
    const char *id;                  /* unique; "block/inner" inside an include */
    const struct node *node;
    struct expression *when;         /* NULL: always */
    const struct stage_type *type;   /* STEP_STAGE */
    const struct node *with;         /* STEP_STAGE: options, may be NULL */
    struct call_spec call;
    /* Where records come from: ids of steps; count 0 and from_nothing: a source. Filled in when the
     * file says nothing: the step before, or for a repeat's first step the repeat itself. */
    const char **from;
    size_t from_count;
    bool from_nothing;
    /* For the estimate alone, negative when the file does not say: records that leave for each that
     * enters (of a source: records that it makes; of a repeat: how often its steps run), and calls
     * for each record that enters. */
    double expect, expect_calls;
    const char **uses;               /* steps read through options: ids, NULL-terminated, or NULL */
    /* STEP_REPEAT */
    uint32_t times;
    struct expression *until;
    struct step **steps;
    size_t step_count;
};

struct tool_spec {
    struct step step;                /* STEP_STAGE, id "tools.NAME": what an instance is made of */
    const char *name, *description;
    xy_str parameters;               /* JSON schema of the arguments, as text */
    struct schema *schema;
    const char *result;              /* the field that the stage sets */
    double timeout;                  /* seconds for one call, default 60 */
};

enum { TOOL_ROUNDS = 8, MOST_TOOL_ROUNDS = 100, MOST_TOOLS = 128 };

struct accept_spec {
    uint64_t count;                  /* 0: no accept block */
    const char *per;                 /* field; NULL: over all */
    uint64_t candidates;             /* most that sources may make; default 20 x count x groups */
    const char **groups;             /* values of `per` in the file, NULL-terminated, or NULL */
};

struct write_spec {
    const char *path;                /* as given, absolute */
    const struct stage_type *format;
    const struct node *format_node;  /* options of the format, may be NULL */
    const char *from;                /* a step's id; default: the last one that is no evaluator */
    const char *const *fields;       /* NULL-terminated, or NULL for all */
    const char *rejects;             /* path for rejects as JSON lines, may be NULL */
};

struct pipeline {
    struct arena arena;
    const char *file, *folder, *name;
    uint64_t seed;
    uint64_t fingerprint;            /* XXH3 of the tree after includes and --set, no secrets */
    struct value codebook;           /* VALUE_NULL when there is none */
    struct model_spec *models;
    size_t model_count;
    struct tool_spec *tools;
    size_t tool_count;
    double budget_money;             /* 0: none */
    int64_t budget_tokens;
    const char *cache;               /* folder of a shared cache, or NULL for the run's own */
    struct step **steps;             /* top level, in file order */
    size_t step_count;
    struct accept_spec accept;
    struct write_spec *writes;
    size_t write_count;
    const char **plugin_folders;     /* NULL-terminated */
    struct registry *registry;
    struct node *root;
    struct compiled *compiled;       /* templates, expressions, schemas: freed with it */
};

/* `models`: a file whose `models:` take the place of those of the same name, or NULL. `sets`:
 * "path=value" strings, NULL-terminated, or NULL. NULL when there were errors. The registry must
 * already hold the built-in search path; entries of `plugins:` are added to it here, and it must
 * outlive the pipeline. Free with pipeline_free(). */
struct pipeline *pipeline_read(const char *path, const char *models, const char *const *sets,
                               struct registry *registry, struct error_list *errors);
void pipeline_free(struct pipeline *pipeline);

/* Any step by id, also inside repeats; NULL when there is none. */
const struct step *pipeline_step(const struct pipeline *pipeline, const char *id);

/* The step that `name` means where `asking` stands: inside an include its own steps come first, and
 * the name of an include is its last step that changes the stream. `asking` NULL: at the top of the
 * file. NULL when there is none. For options of type XY_OPT_DATASET. */
const struct step *pipeline_lookup(const struct pipeline *pipeline, const struct step *asking,
                                   const char *name);

bool step_is_source(const struct step *step);    /* takes no records: makes them */
bool step_is_evaluator(const struct step *step); /* reads its stream and leaves it as it was */
bool step_is_dataset(const struct step *step);   /* needs its whole input before it starts */

/* The JSON Schema of pipeline files, with every loaded plugin's options, for editors. */
void pipeline_schema(const struct registry *registry, struct buffer *buffer);

#endif
