/* SPDX-License-Identifier: Apache-2.0 */
#include "linear_solver.h"

#include <stdlib.h>

#include "linear_dual.h"
#include "linear_loss.h"

enum { NEWTON_STEPS = 100, GRADIENT_STEPS = 200, HALVINGS = 30 };

#define SUFFICIENT_DECREASE 0.01
#define ROUNDING 1e-13 /* of the objective, which many terms are summed up to */
#define FORCE 0.1      /* a step leaves at most so much of the gradient */
#define RAREST 1e-9    /* share of positive targets that is told from none */

/* Vectors of one run, `lanes` numbers for each column or row. The intercept is the last column. */
struct work {
    size_t lanes, columns, rows;
    double *solution, *step, *residual, *direction, *image;  /* columns */
    double *margins, *change, *through, *slopes, *curvature; /* rows */
    double *scores, *trials, *targets;                       /* rows: z, now and in a trial */
    double *memory;
};

struct lane {
    bool done, solved;      /* the problem; the direction that is being looked for */
    double value, first;    /* the objective; the gradient's length at the start */
    double enough, rho, slope, length, norm_ww, norm_ws, norm_ss;
};

static int work_init(struct work *work, const struct task *task)
{
    size_t lanes = task->problems == 1 ? 1 : task->problems <= 4 ? 4 : 8;
    size_t columns = ((size_t)task->rows->columns + 1) * lanes, rows = task->rows->rows * lanes;
    double *memory = calloc(5 * columns + 8 * rows + 1, sizeof(*memory));
    if (!memory)
        return XY_ENOMEM;
    *work = (struct work){.lanes = lanes, .columns = columns, .rows = rows, .memory = memory};
    double **over_columns[] = {&work->solution, &work->step, &work->residual, &work->direction,
                               &work->image};
    double **over_rows[] = {&work->margins, &work->change, &work->through, &work->slopes,
                            &work->curvature, &work->scores, &work->trials, &work->targets};
    for (size_t i = 0; i < 5; i++, memory += columns)
        *over_columns[i] = memory;
    for (size_t i = 0; i < 8; i++, memory += rows)
        *over_rows[i] = memory;
    for (size_t i = 0; i < task->rows->rows; i++)
        for (size_t k = 0; k < task->problems; k++)
            work->targets[i * lanes + k] = task->targets[i * task->problems + k];
    return XY_OK;
}

/* sums_k = a . b in lane k, over the first `count` numbers. */
static void dot(const struct work *work, const double *a, const double *b, size_t count,
                double *sums)
{
    double parts[SOLVER_MOST] = {0};
    size_t lanes = work->lanes, i = 0;
    for (; i + SOLVER_MOST <= count; i += SOLVER_MOST)
        for (size_t part = 0; part < SOLVER_MOST; part++)
            parts[part] += a[i + part] * b[i + part];
    for (size_t part = 0; i < count; i++, part++)
        parts[part] += a[i] * b[i];
    for (size_t k = 0; k < lanes; k++) {
        sums[k] = 0;
        for (size_t part = k; part < SOLVER_MOST; part += lanes)
            sums[k] += parts[part];
    }
}

/* sums += scale_k more in lane k. */
static void add_scaled(double *sums, const double *scale, const double *more, size_t count,
                       size_t lanes)
{
    double factors[SOLVER_MOST];
    size_t i = 0;
    for (size_t part = 0; part < SOLVER_MOST; part++)
        factors[part] = scale[part % lanes];
    for (; i + SOLVER_MOST <= count; i += SOLVER_MOST)
        for (size_t part = 0; part < SOLVER_MOST; part++)
            sums[i + part] += factors[part] * more[i + part];
    for (size_t part = 0; i < count; i++, part++)
        sums[i] += factors[part] * more[i];
}

/* values = scale_k values + more in lane k. */
static void scale_and_add(double *values, const double *scale, const double *more, size_t count,
                          size_t lanes)
{
    double factors[SOLVER_MOST];
    size_t i = 0;
    for (size_t part = 0; part < SOLVER_MOST; part++)
        factors[part] = scale[part % lanes];
    for (; i + SOLVER_MOST <= count; i += SOLVER_MOST)
        for (size_t part = 0; part < SOLVER_MOST; part++)
            values[i + part] = factors[part] * values[i + part] + more[i + part];
    for (size_t part = 0; i < count; i++, part++)
        values[i] = factors[part] * values[i] + more[i];
}

/* ---- the objective --------------------------------------------------------------------------- */

/* Where the step is gone `length` of, in each lane that is not done: each row's z, slope and
 * curvature there, and the sum of the losses. */
static void evaluate(const struct task *task, struct work *work, const struct lane *lanes,
                     double *values)
{
    for (size_t k = 0; k < task->problems; k++)
        values[k] = lanes[k].norm_ww / 2 + lanes[k].length * lanes[k].norm_ws +
                    lanes[k].length * lanes[k].length * lanes[k].norm_ss / 2;
    for (size_t i = 0; i < task->rows->rows; i++) {
        double cost = task->costs[i], own = task->rows->own[i];
        for (size_t k = 0; k < task->problems && cost > 0; k++) {
            if (lanes[k].done)
                continue;
            size_t at = i * work->lanes + k;
            double move = lanes[k].length * work->change[at], target = work->targets[at];
            double margin = work->margins[at] + move, z = margin, kept = own * own, p;
            if (own > 0) {
                z = settle(margin, cost * kept, target,
                           work->scores[at] + move * (1 - kept * work->curvature[at]), &p);
                values[k] += (z - margin) * (z - margin) / (2 * kept);
            }
            double e = exp(-fabs(z)), less = e / (1 + e);
            p = z > 0 ? 1 - less : less;
            double bend = cost * less * (1 - less);
            values[k] += cost * (log1p(e) + (z > 0 ? (1 - target) * z : -target * z));
            work->trials[at] = z;
            work->slopes[at] = cost * (p - target);
            work->curvature[at] = bend / (1 + kept * bend);
        }
    }
}

/* residual = -gradient; decides which lanes are done. */
static bool find_gradient(const struct task *task, struct work *work, struct lane *lanes)
{
    size_t free_from = work->columns - work->lanes;
    double squares[SOLVER_MOST];
    bool more = false;
    memcpy(work->residual, work->solution, free_from * sizeof(double));
    memset(work->residual + free_from, 0, work->lanes * sizeof(double));
    linear_rows_add(task->rows, work->lanes, work->slopes, work->residual);
    for (size_t i = 0; i < work->columns; i++)
        work->residual[i] = -work->residual[i];
    dot(work, work->residual, work->residual, work->columns, squares);
    for (size_t k = 0; k < task->problems; k++) {
        struct lane *lane = &lanes[k];
        double length = sqrt(squares[k]);
        lane->first = lane->first > 0 ? lane->first : length;
        lane->rho = squares[k];
        double aim = task->tolerance * lane->first;
        lane->done = lane->done || length <= aim;
        lane->enough = fmax(fmin(FORCE, sqrt(length / lane->first)) * length, aim / 2);
        lane->enough *= lane->enough;
        more = more || !lane->done;
    }
    return more;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Goes along the direction, and finds the next one: true while some lane wants it. */
static bool move_on(const struct task *task, struct work *work, struct lane *lanes)
{
    double bends[SOLVER_MOST], squares[SOLVER_MOST], along[SOLVER_MOST] = {0},
        back[SOLVER_MOST] = {0};
    bool more = false;
    dot(work, work->direction, work->image, work->columns, bends);
    for (size_t k = 0; k < task->problems; k++) {
        lanes[k].solved = lanes[k].solved || !(bends[k] > 0);
        along[k] = lanes[k].solved ? 0 : lanes[k].rho / bends[k];
        lanes[k].slope -= along[k] * lanes[k].rho;
    }
    add_scaled(work->step, along, work->direction, work->columns, work->lanes);
    add_scaled(work->change, along, work->through, work->rows, work->lanes);
    for (size_t k = 0; k < task->problems; k++)
        along[k] = -along[k];
    add_scaled(work->residual, along, work->image, work->columns, work->lanes);
    dot(work, work->residual, work->residual, work->columns, squares);
    for (size_t k = 0; k < task->problems; k++) {
        if (lanes[k].solved)
            continue;
        back[k] = squares[k] / lanes[k].rho;
        lanes[k].rho = squares[k];
        lanes[k].solved = squares[k] <= lanes[k].enough;
        more = more || !lanes[k].solved;
    }
    if (more)
        scale_and_add(work->direction, back, work->residual, work->columns, work->lanes);
    return more;
}

/* Solves Hessian * step = -gradient roughly: the more exactly, the nearer the end is. */
static void find_step(const struct task *task, struct work *work, struct lane *lanes)
{
    size_t free_from = work->columns - work->lanes;
    memset(work->step, 0, work->columns * sizeof(double));
    memset(work->change, 0, work->rows * sizeof(double));
    memcpy(work->direction, work->residual, work->columns * sizeof(double));
    for (size_t k = 0; k < task->problems; k++) {
        lanes[k].solved = lanes[k].done;
        lanes[k].slope = 0;
    }
    for (int i = 0; i < GRADIENT_STEPS && !task->job->api->cancelled(task->job); i++) {
        memcpy(work->image, work->direction, free_from * sizeof(double));
        memset(work->image + free_from, 0, work->lanes * sizeof(double));
        linear_rows_bend(task->rows, work->lanes, work->curvature, work->direction, work->through,
                         work->image);
        if (!move_on(task, work, lanes))
            break;
    }
}

/* Halves each lane's step until it decreases the objective enough. A lane where no step does is
 * done: at the end, as far as this arithmetic goes. */
static void take_step(const struct task *task, struct work *work, struct lane *lanes)
{
    size_t penalised = work->columns - work->lanes;
    double ww[SOLVER_MOST], ws[SOLVER_MOST], ss[SOLVER_MOST], values[SOLVER_MOST],
        lengths[SOLVER_MOST] = {0};
    dot(work, work->solution, work->solution, penalised, ww);
    dot(work, work->solution, work->step, penalised, ws);
    dot(work, work->step, work->step, penalised, ss);
    for (size_t k = 0; k < task->problems; k++) {
        lanes[k].norm_ww = ww[k];
        lanes[k].norm_ws = ws[k];
        lanes[k].norm_ss = ss[k];
        lanes[k].length = 1;
    }
    for (int i = 0; i <= HALVINGS; i++) {
        bool enough = true;
        evaluate(task, work, lanes, values);
        for (size_t k = 0; k < task->problems; k++) {
            struct lane *lane = &lanes[k];
            double most = lane->value + SUFFICIENT_DECREASE * lane->length * lane->slope +
                          ROUNDING * fabs(lane->value);
            if (lane->done || values[k] <= most)
                continue;
            enough = false;
            lane->length = i + 1 < HALVINGS ? lane->length / 2 : 0;
        }
        if (enough)
            break;
    }
    for (size_t k = 0; k < task->problems; k++) {
        lengths[k] = lanes[k].done ? 0 : lanes[k].length;
        lanes[k].done = lanes[k].done || lanes[k].length <= 0;
        lanes[k].value = lanes[k].done ? lanes[k].value : values[k];
    }
    add_scaled(work->solution, lengths, work->step, work->columns, work->lanes);
    add_scaled(work->margins, lengths, work->change, work->rows, work->lanes);
    memcpy(work->scores, work->trials, work->rows * sizeof(double));
}

/* What is shared, and what is each row's own: u_i = -own_i slope_i. */
static void write_out(const struct task *task, const struct work *work, double *solution,
                      size_t stride)
{
    const struct linear_rows *rows = task->rows;
    for (size_t j = 0; j < rows->all; j++) {
        const double *from = work->solution + rows->places[j] * work->lanes;
        double scale = 1;
        if (rows->places[j] >= rows->columns) {
            size_t row = rows->places[j] - rows->columns;
            from = work->slopes + row * work->lanes;
            scale = -(double)rows->shares[j] * rows->own[row];
        }
        for (size_t k = 0; k < task->problems; k++)
            solution[j * stride + k] = scale * from[k];
    }
    for (size_t k = 0; k < task->problems; k++)
        solution[rows->all * stride + k] = work->solution[rows->columns * work->lanes + k];
}

/* Each intercept starts where it is best without any weights: at the log odds of its targets. */
static void start(const struct task *task, struct work *work)
{
    double *intercepts = work->solution + work->columns - work->lanes;
    for (size_t k = 0; k < task->problems; k++) {
        double sum = 0, positive = 0;
        for (size_t i = 0; i < task->rows->rows; i++) {
            sum += task->costs[i];
            positive += task->costs[i] * work->targets[i * work->lanes + k];
        }
        double share = sum > 0 ? fmin(fmax(positive / sum, RAREST), 1 - RAREST) : 0.5;
        intercepts[k] = log(share / (1 - share));
        for (size_t i = 0; i < task->rows->rows; i++)
            work->margins[i * work->lanes + k] = work->scores[i * work->lanes + k] = intercepts[k];
    }
}

/* Solves what the dual can; the lanes that it did not finish have their values afterwards, and the
 * length of the gradient at the start, to be measured against. */
static int run_dual(const struct task *task, struct work *work, struct lane *lanes, bool *solved)
{
    struct dual dual = {.lanes = work->lanes, .targets = work->targets,
                        .solution = work->solution, .scores = work->scores,
                        .slopes = work->slopes};
    double squares[SOLVER_MOST] = {0};
    int code = dual_run(task, &dual);
    *solved = true;
    for (size_t k = 0; k < task->problems; k++) {
        lanes[k].done = dual.done[k];
        *solved = *solved && dual.done[k];
    }
    if (code < 0 || *solved)
        return code;
    for (size_t i = 0; i < work->rows; i++)
        work->through[i] = task->costs[i / work->lanes] *
                           (sigmoid(work->margins[i]) - work->targets[i]);
    memset(work->residual, 0, work->columns * sizeof(double));
    linear_rows_add(task->rows, work->lanes, work->through, work->residual);
    dot(work, work->residual, work->residual, work->columns, squares);
    for (size_t k = 0; k < task->problems; k++)
        lanes[k].first = sqrt(squares[k]);
    linear_rows_margins(task->rows, work->lanes, work->solution, work->margins);
    dot(work, work->solution, work->solution, work->columns - work->lanes, squares);
    for (size_t k = 0; k < task->problems; k++)
        lanes[k].norm_ww = squares[k];
    return code;
}

static int run_newton(const struct task *task, struct work *work, struct lane *lanes)
{
    double values[SOLVER_MOST];
    evaluate(task, work, lanes, values);
    memcpy(work->scores, work->trials, work->rows * sizeof(double));
    for (size_t k = 0; k < task->problems; k++)
        lanes[k].value = values[k];
    for (int i = 0; i < NEWTON_STEPS && find_gradient(task, work, lanes); i++) {
        find_step(task, work, lanes);
        if (task->job->api->cancelled(task->job))
            break;
        take_step(task, work, lanes);
    }
    return task->job->api->cancelled(task->job) ? XY_ECANCELED : XY_OK;
}

int solver_run(const struct task *task, double *solution, size_t stride)
{
    struct work work;
    struct lane lanes[SOLVER_MOST] = {{.done = false}};
    if (work_init(&work, task) < 0)
        return XY_ENOMEM;
    start(task, &work);
    bool solved = false;
    int code = task->rows->dense ? XY_OK : run_dual(task, &work, lanes, &solved);
    if (code == XY_OK && !solved)
        code = run_newton(task, &work, lanes);
    if (code == XY_OK)
        write_out(task, &work, solution, stride);
    free(work.memory);
    return code;
}
