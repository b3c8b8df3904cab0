/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_dual.h"

#include <stdlib.h>

#include "linear_loss.h"

enum { SWEEPS = 200, FIRST_SWEEPS = 4 };

#define SLOW 0.7  /* of a gap, left by a sweep: Newton steps are cheaper then */
#define WORTH 0.1 /* of the mean gap of a row: one that has less is not moved */

struct lane {
    bool ended;              /* done, or given up */
    double intercept, sum;   /* where the multiplier is; the sum of the forces, added to it */
    double gap, last;        /* as met on the way; that of the sweep before */
    double aim;              /* the gap that is small enough */
    double least;            /* what a row must add to the gap to be moved */
};

struct sweep {
    const struct task *task;
    struct dual *dual;
    struct lane lanes[SOLVER_MOST];
    uint32_t *order; /* of the rows that cost something */
    size_t count;
    bool first;      /* no row has a z yet */
    double *squares; /* rows: of the length of what is shared */
};

/* Ready for the first sweep, from no weights. */
static int sweep_init(struct sweep *sweep, const struct task *task, struct dual *dual)
{
    const struct matrix *matrix = task->rows->matrix;
    *sweep = (struct sweep){.task = task, .dual = dual};
    sweep->order = calloc(matrix->rows + 1, sizeof(*sweep->order));
    sweep->squares = calloc(matrix->rows + 1, sizeof(*sweep->squares));
    if (!sweep->order || !sweep->squares)
        return XY_ENOMEM;
    for (size_t i = 0; i < matrix->rows; i++) {
        for (size_t j = matrix->starts[i]; j < matrix->starts[i + 1]; j++)
            sweep->squares[i] +=
                (double)matrix->entries[j].value * (double)matrix->entries[j].value;
        if (task->costs[i] > 0)
            sweep->order[sweep->count++] = (uint32_t)i;
    }
    for (size_t k = 0; k < task->problems; k++) {
        double at = dual->solution[task->rows->columns * dual->lanes + k], value = 0;
        double rest = log1p(exp(-fabs(at))) + (at > 0 ? at : 0);
        for (size_t i = 0; i < matrix->rows; i++)
            value += task->costs[i] * (rest - dual->targets[i * dual->lanes + k] * at);
        sweep->lanes[k].intercept = at;
        sweep->lanes[k].aim = task->tolerance * task->tolerance * value;
    }
    return XY_OK;
}

/* Another order for each sweep converges faster than one and the same. */
static void shuffle(struct sweep *sweep, uint64_t *random)
{
    for (size_t i = sweep->count; i > 1; i--) {
        size_t other = (size_t)xy_random_below(random, i);
        uint32_t row = sweep->order[i - 1];
        sweep->order[i - 1] = sweep->order[other];
        sweep->order[other] = row;
    }
}

/* Sets the row's force to its best value; returns what it moved by. `shared`: of the row's margin,
 * what its shared columns come to. */
static double settle_row(const struct sweep *sweep, struct lane *lane, size_t row, size_t at,
                         double shared)
{
    const struct dual *dual = sweep->dual;
    double cost = sweep->task->costs[row], own = sweep->task->rows->own[row];
    double length = sweep->squares[row] + own * own + 1, target = dual->targets[at];
    double force = -dual->slopes[at], z = dual->scores[at], p = target - force / cost;
    double margin = shared + own * own * force + lane->intercept + lane->sum;
    double here = cost * (p - sigmoid(margin)) * (z - margin);
    lane->gap += here;
    if (!sweep->first && here <= lane->least)
        return 0;
    dual->scores[at] = settle(margin - length * force, cost * length, target,
                              sweep->first ? margin : z, &p);
    dual->slopes[at] = cost * (p - target);
    double move = -dual->slopes[at] - force;
    lane->sum += move;
    return move;
}

static void visit(struct sweep *sweep, size_t row)
{
    struct dual *dual = sweep->dual;
    double shared[SOLVER_MOST] = {0}, moves[SOLVER_MOST] = {0};
    linear_row_inner(sweep->task->rows, dual->lanes, row, dual->solution, shared);
    for (size_t k = 0; k < sweep->task->problems; k++)
        if (!sweep->lanes[k].ended)
            moves[k] = settle_row(sweep, &sweep->lanes[k], row, row * dual->lanes + k, shared[k]);
    bool any = false;
    for (size_t k = 0; k < sweep->task->problems; k++)
        any = any || fabs(moves[k]) > 0;
    if (any)
        linear_row_add(sweep->task->rows, dual->lanes, row, moves, dual->solution);
}

/* Decides which lanes go on, and moves what their forces sum to into the intercept. */
static bool go_on(struct sweep *sweep, int swept)
{
    bool more = false;
    for (size_t k = 0; k < sweep->task->problems; k++) {
        struct lane *lane = &sweep->lanes[k];
        if (lane->ended)
            continue;
        double gap = lane->gap + lane->sum * lane->sum;
        if (swept > 1) { /* the first sweep meets no gap */
            sweep->dual->done[k] = gap <= lane->aim;
            lane->ended = sweep->dual->done[k] ||
                          (swept >= FIRST_SWEEPS && !(gap < SLOW * lane->last));
            lane->least = WORTH * gap / (double)sweep->count;
        }
        lane->intercept += lane->ended ? 0 : lane->sum;
        lane->last = gap;
        lane->gap = 0;
        more = more || !lane->ended;
    }
    return more;
}

int dual_run(const struct task *task, struct dual *dual)
{
    struct sweep sweep;
    uint64_t random = 1;
    int code = sweep_init(&sweep, task, dual);
    bool more = code == XY_OK;
    for (int swept = 1; more && swept <= SWEEPS; swept++) {
        shuffle(&sweep, &random);
        sweep.first = swept == 1;
        for (size_t i = 0; i < sweep.count; i++) {
            /* What the rows to come need is all over memory. */
            if (i + 2 < sweep.count)
                linear_row_fetch(task->rows, sweep.order[i + 2]);
            if (i + 1 < sweep.count)
                linear_row_fetch_columns(task->rows, dual->lanes, sweep.order[i + 1],
                                         dual->solution);
            visit(&sweep, sweep.order[i]);
        }
        more = go_on(&sweep, swept);
        if (task->job->api->cancelled(task->job)) {
            code = XY_ECANCELED;
            break;
        }
    }
    for (size_t k = 0; k < task->problems && code == XY_OK; k++)
        dual->solution[task->rows->columns * dual->lanes + k] =
            sweep.lanes[k].intercept + sweep.lanes[k].sum;
    free(sweep.order);
    free(sweep.squares);
    return code;
}
