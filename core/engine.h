/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - runs a pipeline from its file to its outputs.
 *
 * The thread that calls engine_run() becomes the loop; a conductor on a worker takes the steps in
 * file order: chains of streaming steps as phases (phase.h), whole-dataset steps on its own thread,
 * repeats as often as they say, sources again until `accept` has what it asks for. Every step that
 * something else reads leaves a dataset in the run's folder.
 *
 * Resume: the same pipeline finds the same run folder and the same journal, and does everything
 * again; answers come from the journal, everything else is a function of the seed, so the result is
 * the same byte for byte and only what was in flight is paid again.
 */
#ifndef XYLEM_CORE_ENGINE_H
#define XYLEM_CORE_ENGINE_H

#include "model.h"
#include "phase.h"
#include "pipeline.h"
#include "report.h"

enum engine_end {
    ENGINE_DONE = 0,        /* everything written */
    ENGINE_FAILED = 1,      /* see the error */
    ENGINE_SHORT = 3,       /* written, but `accept` did not get its count */
    ENGINE_BUDGET = 4,      /* written with what the budget allowed */
    ENGINE_INTERRUPTED = 5, /* stopped by the user; nothing written, nothing lost */
    ENGINE_PAUSED = 6       /* people have work to do, see the error; nothing is lost */
};

/* A look at a running engine, for the progress line. */
struct engine_progress {
    const char *step;       /* what is running now */
    uint64_t entered, accepted, rejected, live; /* records, of the steps that run now */
    uint32_t pass;
    struct model_totals models;
    double seconds, tokens_per_second;
    double expected_calls;  /* from the estimate; 0: not known */
};

struct engine_options {
    const char *folder;     /* where runs live; NULL: ".xylem" */
    bool fresh;             /* forget the answers of earlier runs of this pipeline: ask again */
    const char *record;     /* file for all answers, as `replay` reads them; NULL: none */
    /* [loop] every 100 ms; NULL: none. */
    void (*progress)(void *data, const struct engine_progress *progress);
    void *progress_data;
    void (*log)(void *data, int level, const char *who, const char *message);
    void *log_data;
    int log_level;
};

struct engine_result {
    enum engine_end end;
    struct error error;
    char run_id[17];
    char folder[512];       /* of this run */
    struct report *report;  /* freed by engine_result_free() */
    struct model_totals totals;
    struct model_stats *models;
    size_t model_count;
    uint64_t accepted, rejected, unfinished, candidates;
    uint32_t passes;
    double seconds;
    struct group_yield {    /* per value of accept.per, or of the label if there is no accept */
        char *name;
        uint64_t wanted, candidates, accepted;
    } *groups;
    size_t group_count;
};

/* Must be called at most once at a time in a process. Returns result->end. */
enum engine_end engine_run(const struct pipeline *pipeline, const struct engine_options *options,
                           struct engine_result *result);
void engine_result_free(struct engine_result *result);

/* Are the files there that steps will read? 0, or the first that is not, with its place in the
 * pipeline file. */
int engine_check_inputs(const struct pipeline *pipeline, struct error *error);

/* Opens and closes every stage, tool and output format, on this thread, so that each error that
 * only open() finds is told before anything is paid. No model is opened: what a model cannot do
 * shows when a run opens it. Adds all errors to `errors`. */
void engine_check_stages(const struct pipeline *pipeline, struct error_list *errors);

/* Names in prompts and conditions that no step sets, for sure: see fields.h. */
void engine_check_names(const struct pipeline *pipeline, struct error_list *errors);

/* What a run would cost, from the file alone. */
struct estimate {
    double records, calls, prompt_tokens, output_tokens, cost;
    double passes; /* of `accept`, by the yields that `expect` tells; all figures cover them */
    bool exact; /* false when a step that calls a model has an unknown number of records */
    struct estimate_step {
        const char *id;
        double in, out, calls; /* NaN: cannot be told before the run */
    } *steps;
    size_t step_count;
    bool refills;       /* a source may be asked again; those of files cannot */
    struct error error; /* the first in a file of records that a source reads; code 0: none */
    struct fields *fields; /* while it is made */
};
void engine_estimate(const struct pipeline *pipeline, struct estimate *estimate);
/* The same without tokens and cost: no file of records is read. */
void engine_estimate_calls(const struct pipeline *pipeline, struct estimate *estimate);
void estimate_free(struct estimate *estimate);

#endif
