/* SPDX-License-Identifier: Apache-2.0 */
/* engine_internal.h - shared by the conductor's files:
 *   engine.c          life of a run: loop, journal, models, summary
 *   engine_steps.c    one step after the other: phases, repeats
 *   engine_whole.c    a whole-dataset step: what it sees, what becomes of it
 *   engine_prepare.c  an instance of a step's stage, ready to run
 *   engine_trial.c    every stage opened once before anything is paid
 *   engine_data.c     which dataset each step left, what is new since it was last read
 *   engine_accept.c   passes until enough was accepted, the cut, yields
 *   engine_write.c    outputs, rejects
 *   engine_records.c  the records of one output
 */
#ifndef XYLEM_CORE_ENGINE_INTERNAL_H
#define XYLEM_CORE_ENGINE_INTERNAL_H

#include "engine.h"
#include "instance.h"

/* What a step left: parts in order, the oldest first. A source adds a part with each pass; a step
 * that had to start over counts up its generation and begins with no parts. */
struct output {
    const char *id;
    const struct step *step;
    struct dataset **parts, **rejects;
    size_t part_count, reject_count;
    uint32_t generation;
    /* What had been read of the inputs when the parts were made. */
    uint32_t read_generation;
    size_t read_parts;
    bool ran;
    bool needed;      /* for what is accepted */
    bool refillable;  /* reached through `from` alone: its sources are asked again */
};

struct engine {
    const struct pipeline *pipeline;
    const struct engine_options *options;
    struct engine_result *result;
    struct services services;
    struct journal *journal;
    struct recorder *recorder;
    struct report *report;
    char folder[512];
    struct output *outputs;
    size_t output_count;
    struct output *files;       /* datasets read from paths named in options */
    size_t file_count;
    _Atomic int stop;           /* 1: finish what is in flight; 2: stop now */
    _Atomic int cancelled;      /* jobs see this */
    struct phase_progress progress;
    const char *_Atomic running;
    _Atomic uint32_t pass;            /* which refill */
    uint32_t rounds;            /* how many rounds sources are asked for in this pass */
    uint32_t next_round;        /* the first of them */
    _Atomic uint32_t rounds_asked;  /* of all passes so far, for the progress line */
    uint32_t iteration;         /* of the repeat that is running */
    bool over_budget;
    struct error error;
    uint64_t started_us;
    struct arena arena;         /* hosts of the models */
    double expected_calls;
    struct timer *timer;
    uint64_t last_tokens, last_us;
    double tokens_per_second;
    struct accept_state *accept;
    struct prepared **tools;    /* one for each of the file's tools */
};

/* engine_data.c */
void outputs_create(struct engine *engine);
void outputs_destroy(struct engine *engine);
struct output *output_find(struct engine *engine, const char *id);
void output_reset(struct output *output);
/* The same for the next round of a repeat: what earlier rounds rejected stays rejected. */
void output_next_round(struct output *output);
/* Opens PATH.records and PATH.rejects for a new part of `output`. */
int output_begin(struct engine *engine, struct output *output, struct dataset **data,
                 struct dataset **rejects);
int output_commit(struct engine *engine, struct output *output, struct dataset *data,
                  struct dataset *rejects);
/* The same, but `data` takes the place of all parts; rejects are added to. */
int output_replace(struct engine *engine, struct output *output, struct dataset *data,
                   struct dataset *rejects);
/* Everything a step left, as one dataset. The caller destroys it (not its parts). */
struct dataset *output_all(const struct output *output);
/* What `step` has to read now: the parts that are new since its output was made or, when anything
 * else changed, when `whole` is set or there are several inputs, everything, its output being
 * reset. NULL when there is nothing new. */
struct dataset *inputs_take(struct engine *engine, const struct step *step, struct output *output,
                            bool whole);
/* The dataset that an option names: a step's, or a file's (read once). [worker] */
struct dataset *option_dataset(struct engine *engine, const struct step *asking,
                               const struct node *node, struct error *error);

/* engine_prepare.c: an opened and prepared instance of a step's stage, with the datasets and
 * learners that its options name. NULL with engine->error set. [worker] */
struct prepared;
struct prepared *prepared_open(struct engine *engine, const struct step *step, uint32_t round);
struct instance *prepared_instance(const struct prepared *prepared);
/* NULL is fine. [worker] */
void prepared_close(struct prepared *prepared);

/* engine_prepare.c: the file's `tools:`, opened and prepared once for the run: services.tools. 0,
 * or an error in engine->error. [worker] */
int engine_open_tools(struct engine *engine);
void engine_close_tools(struct engine *engine);

/* engine_trial.c: opens and closes the stages that name a model, now that models are open, for what
 * engine_check_stages() could not tell. 0, or the first error in engine->error, the others logged.
 * [worker] */
int engine_try_stages(struct engine *engine);
/* How many records a stage with estimate_files() makes of its files, which it reads now; -1 when it
 * cannot tell, and, when they are wrong, with `error`. */
double engine_ask_files(const struct pipeline *pipeline, const struct step *step,
                        struct error *error);

/* engine_steps.c */
int steps_run(struct engine *engine, struct step *const *steps, size_t count,
              bool (*chosen)(struct engine *engine, const struct step *step));

/* engine_whole.c: runs the step over what its input has now; nothing where nothing is new. */
int engine_run_whole(struct engine *engine, const struct step *step);

/* engine_accept.c */
int accept_run(struct engine *engine);
bool accept_wanted(void *data, const struct record *record);
void accept_free(struct engine *engine);

/* engine_write.c */
/* Can every file that will be written be written? Asked before anything is paid. */
int outputs_check(struct engine *engine);
int outputs_write(struct engine *engine);

/* engine_records.c: all records through the output's format into `sink`. */
int engine_write_records(struct engine *engine, struct instance *instance,
                         const struct write_spec *spec, const struct dataset *data,
                         xy_output *sink);
/* The output's format, opened; the caller closes it, also where `error` was set. NULL when its
 * options are wrong. [loop] */
struct instance *output_format_open(struct services *services, const struct pipeline *pipeline,
                                   const struct write_spec *spec, struct error *error);

/* summary.c: summary.json and the result's figures in the run's folder. */
int summary_write(const struct engine_result *result);

/* Runs fn(data) on the loop and waits. [worker] */
void engine_on_loop(struct engine *engine, void (*fn)(void *data), void *data);

#endif
