/* SPDX-License-Identifier: Apache-2.0 */
/* call_step.h - the core's three steps that call a model: `generate`, `score` and `embed`.
 *
 * Each edits its record in place. generate: renders the prompt, asks, parses by the schema
 * (repairing what models usually get wrong), asks again with the error. score: log-probabilities of
 * the candidates, made into class probabilities, optionally calibrated against a content-free
 * prompt (Zhao et al. 2021, "Calibrate Before Use", section 4). embed: one unit vector.
 */
#ifndef XYLEM_CORE_CALL_STEP_H
#define XYLEM_CORE_CALL_STEP_H

#include "pipeline.h"
#include "record.h"
#include "services.h"

struct model;
struct call_plan; /* a step's request, prepared once: params merged, candidates' names */

struct call_plan *call_plan_create(struct services *services, const struct step *step,
                                   struct error *error);
void call_plan_destroy(struct call_plan *plan);
struct model *call_plan_model(const struct call_plan *plan);

struct call_outcome {
    int verdict;          /* XY_OK, XY_DROP with a reason, or XY_E* */
    const char *why;      /* borrowed for the callback */
    uint32_t calls, prompt_tokens, output_tokens;
    double cost;
};

/* [loop] `done` comes exactly once, never from inside the call. The record is borrowed until then.
 * `round` is the enclosing repeat's. */
void call_step_start(struct call_plan *plan, struct record *record, uint32_t round,
                     void (*done)(void *data, const struct call_outcome *outcome), void *data);

#endif
