/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - calls to a model: everything between a step's request and a generator's single attempt.
 *
 * For each alias of `models:`: a queue; the cache (the journal) asked before anything is paid; a
 * window of calls in flight that adapts; requests and tokens per minute; the budget; retries with
 * full-jitter backoff that never come before Retry-After is over; a deadline; accounting; and the
 * journal written before the answer is used. The same request in flight twice is sent once.
 * [loop] for everything unless tagged otherwise.
 */
#ifndef XYLEM_CORE_MODEL_H
#define XYLEM_CORE_MODEL_H

#include "journal.h"
#include "loop.h"
#include "pipeline.h"

struct model;   /* an xy_model * is a struct model * */
struct recorder;
struct models;  /* all of a pipeline's, with the budget they share */

struct model_stats {
    const char *alias;
    uint64_t calls;          /* attempts sent */
    uint64_t answers;        /* final answers, of which: */
    uint64_t cached, failed, cancelled;
    uint64_t retries, limited;  /* limited: answers that were rate limits */
    uint64_t prompt_tokens, output_tokens, cached_tokens; /* paid in this process */
    double cost;             /* paid in this process */
    uint32_t in_flight, window, queued;
};

/* Sums over all models, for the progress line, the budget and the closing table. */
struct model_totals {
    uint64_t calls, answers, cached, failed, retries, limited;
    uint64_t prompt_tokens, output_tokens;
    double cost;             /* of this run, earlier processes included: the budget's sum */
    uint32_t in_flight, queued;
};

/* Opens one generator instance per alias that `pipeline` uses. `host_for` makes the xy_host of an
 * instance (services.c). NULL with the error. `run_id` tags what is paid, so that a resumed run's
 * budget counts what an earlier process of the same run paid. */
struct models *models_open(struct loop *loop, struct journal *journal,
                           const struct pipeline *pipeline, uint64_t run_id,
                           const xy_host *(*host_for)(void *data, const char *name), void *data,
                           struct error *error);
/* Every good answer from now on also goes to `recorder`, which outlives the models; NULL: none. */
void models_record(struct models *models, struct recorder *recorder);
struct model *models_find(struct models *models, const char *alias);

typedef void (*model_done)(void *user, const xy_reply *reply);

/* Copies the request. On 0 `done` comes exactly once, on a later turn of the loop, also for a
 * cached answer. Params of the alias are merged under those of the request by the caller
 * (call_spec, or model_fill()). */
int model_submit(struct model *model, const xy_request *request, model_done done, void *user,
                 uint64_t *ticket);
/* Reads checked request parameters of the file (temperature, stop ...) into a request; texts lie in
 * `arena` or are borrowed from `params`. */
void model_read_params(struct arena *arena, const struct value *params, xy_request *request,
                       uint64_t *seed);
/* Gives members that are not set the params of the alias: a stage's requests take the file's word
 * as those of `generate` do. What is set then borrows from the model. */
void model_fill(const struct model *model, xy_request *request);
/* A wish: done() comes with XY_ECANCELED, or with the answer that won the race. */
void model_cancel(struct model *model, uint64_t ticket);
uint32_t model_can(const struct model *model);
const char *model_alias(const struct model *model);

/* Why it makes no sense to go on with this model, or NULL: no attempt of this process had a good
 * answer, and so many calls were refused in a way that no retry mends (a wrong key, an unknown
 * model) that the next will be too; with `over`, when no more calls come: all that were sent
 * failed. */
const char *model_hopeless(const struct model *model, bool over);

/* The request's content address: model, generator options that are not neutral, and every
 * member. */
struct journal_key model_key(const struct model *model, const xy_request *request);

/* First Ctrl-C: what is queued fails with XY_ECANCELED, what is in flight finishes. Second (`now`):
 * that is cancelled too. */
void models_stop(struct models *models, bool now);

size_t models_count(const struct models *models);
struct model_stats models_stats(const struct models *models, size_t index);
struct model_totals models_totals(const struct models *models);

/* All calls must be done, and models_totals().in_flight 0: a cancelled call still occupies its
 * generator for a while. */
void models_close(struct models *models);

#endif
