/* SPDX-License-Identifier: Apache-2.0 */
#include "confident_issues.h"

#include <math.h>
#include <stdlib.h>

/* A class must be likelier than the label by more than this to count against it. */
static const double SLACK = 1e-6;

double confident_issues_margin(const struct confident_rows *rows, size_t row, uint32_t *other)
{
    const float *p = rows->probabilities + row * rows->classes;
    uint32_t label = rows->labels[row], best = label == 0;
    for (uint32_t k = 0; k < rows->classes; k++)
        best = k != label && p[k] > p[best] ? k : best;
    *other = best;
    return ((double)p[label] - (double)p[best] + 1) / 2;
}

/* ---- the least of many ----------------------------------------------------------------------- */

/* Puts the rank-th least (from 0) in its place, nothing greater before it, by a pivot at random:
 * time in proportion to `count`, whatever the order was. */
static double select_rank(double *numbers, size_t count, size_t rank)
{
    uint64_t random = 1;
    int64_t low = 0, high = (int64_t)count - 1, wanted = (int64_t)rank;
    while (low < high) {
        int64_t span = high - low + 1, i = low, j = high;
        double pivot = numbers[low + (int64_t)xy_random_below(&random, (uint64_t)span)];
        while (i <= j) {
            while (numbers[i] < pivot)
                i++;
            while (numbers[j] > pivot)
                j--;
            if (i > j)
                break;
            double kept = numbers[i];
            numbers[i++] = numbers[j];
            numbers[j--] = kept;
        }
        /* Up to j nothing is above the pivot, from i on nothing below, and between all are it. */
        if (wanted <= j)
            high = j;
        else if (wanted >= i)
            low = i;
        else
            break;
    }
    return numbers[rank];
}

/* The rank-th least (from 0). Few are wanted of many as a rule: only what is below all that were
 * wanted so far is kept, in twice the room, and halved when that is full. `scratch`: count
 * numbers. */
static double find_rank(const double *numbers, size_t count, size_t rank, double *scratch)
{
    size_t room = 2 * (rank + 1), kept = 0;
    double limit = INFINITY;
    if (room >= count) {
        memcpy(scratch, numbers, count * sizeof(*scratch));
        return select_rank(scratch, count, rank);
    }
    for (size_t i = 0; i < count; i++) {
        scratch[kept] = numbers[i];
        kept += numbers[i] < limit;
        if (kept < room)
            continue;
        limit = select_rank(scratch, kept, rank);
        kept = rank + 1;
    }
    return kept > rank ? select_rank(scratch, kept, rank) : limit;
}

/* Marks the `most` rows of least number, the first of equals. */
static void mark_least(const double *numbers, const size_t *rows, size_t count, size_t most,
                       double *scratch, bool *marks)
{
    if (most == 0 || count == 0)
        return;
    if (most > count)
        most = count;
    double limit = find_rank(numbers, count, most - 1, scratch);
    size_t equals = most;
    for (size_t i = 0; i < count; i++)
        equals -= numbers[i] < limit;
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] > limit || (numbers[i] == limit && equals == 0))
            continue;
        equals -= numbers[i] == limit;
        marks[rows[i]] = true;
    }
}

/* ---- how many are to go ---------------------------------------------------------------------- */

/* The column of one given label: how many of its records have each true label. The diagonal is
 * raised to `least` and the others pay for it; they shrink to `share`. */
static void find_targets(const struct confident_task *task, uint32_t given, int64_t *targets)
{
    uint32_t classes = task->rows->classes;
    const int64_t *counts = task->joint->counts + (size_t)given * classes;
    double raised = fmax((double)counts[given], (double)task->least), moved = 0;
    double others = -1;
    for (uint32_t k = 0; k < classes; k++)
        others += counts[k] != 0;
    double each = (raised - (double)counts[given]) / fmax(others, 1);
    for (uint32_t k = 0; k < classes; k++) {
        if (k == given)
            continue;
        double number = fmax((double)counts[k] - each, 0);
        targets[k] = (int64_t)(number * task->share);
        moved += number - number * task->share;
    }
    targets[given] = (int64_t)(raised + moved);
}

struct pruning {
    const struct confident_task *task;
    int64_t *targets;         /* of one label, by true label */
    size_t *rows;             /* its records */
    float *columns;           /* classes x its records: their probabilities, turned round */
    double *numbers, *scratch;
    bool *by_class;           /* with METHOD_BOTH: what the class condemns; else `issues` */
};

static void prune_by_class(struct pruning *pruning, uint32_t given, size_t count, bool *issues)
{
    const struct confident_rows *rows = pruning->task->rows;
    int64_t most = (int64_t)count - pruning->targets[given];
    if (most < 1)
        return;
    for (size_t i = 0; i < count; i++)
        pruning->numbers[i] =
            (double)rows->probabilities[pruning->rows[i] * rows->classes + given];
    mark_least(pruning->numbers, pruning->rows, count, (size_t)most, pruning->scratch, issues);
}

static void prune_by_noise_rate(struct pruning *pruning, uint32_t given, size_t count,
                                bool *issues)
{
    for (uint32_t k = 0; k < pruning->task->rows->classes; k++) {
        if (k == given || pruning->targets[k] < 1)
            continue;
        const float *own = pruning->columns + given * count, *other = pruning->columns + k * count;
        for (size_t i = 0; i < count; i++)
            pruning->numbers[i] = (double)own[i] - (double)other[i];
        mark_least(pruning->numbers, pruning->rows, count, (size_t)pruning->targets[k],
                   pruning->scratch, issues);
    }
}

static void turn_round(const struct confident_rows *rows, const size_t *which, size_t count,
                       float *columns)
{
    for (size_t i = 0; i < count; i++) {
        const float *p = rows->probabilities + which[i] * rows->classes;
        for (uint32_t k = 0; k < rows->classes; k++)
            columns[k * count + i] = p[k];
    }
}

static void prune_label(struct pruning *pruning, uint32_t given, size_t count, bool *issues)
{
    const struct confident_task *task = pruning->task;
    if ((int64_t)count <= task->least)
        return;
    find_targets(task, given, pruning->targets);
    if (task->method != METHOD_NOISE_RATE)
        prune_by_class(pruning, given, count, pruning->by_class);
    if (task->method != METHOD_CLASS) {
        turn_round(task->rows, pruning->rows, count, pruning->columns);
        prune_by_noise_rate(pruning, given, count, issues);
    }
    for (size_t i = 0; i < count && task->method == METHOD_BOTH; i++)
        issues[pruning->rows[i]] &= pruning->by_class[pruning->rows[i]];
}

static int prune(const struct confident_task *task, bool *issues)
{
    const struct confident_rows *rows = task->rows;
    size_t widest = 0, at = 0;
    for (uint32_t k = 0; k < rows->classes; k++)
        widest = task->joint->given[k] > widest ? task->joint->given[k] : widest;
    bool both = task->method == METHOD_BOTH;
    struct pruning pruning = {.task = task};
    pruning.targets = calloc(rows->classes + 1, sizeof(*pruning.targets));
    size_t *all = calloc(rows->count + 1, sizeof(*all));
    size_t *ends = calloc((size_t)rows->classes + 1, sizeof(*ends));
    pruning.columns = calloc(widest * rows->classes + 1, sizeof(*pruning.columns));
    pruning.numbers = calloc(2 * widest + 1, sizeof(*pruning.numbers));
    bool *marks = calloc(both ? rows->count + 1 : 1, sizeof(*marks));
    int code = pruning.targets && all && ends && pruning.columns && pruning.numbers && marks
                   ? XY_OK : XY_ENOMEM;
    if (code == XY_OK) {
        pruning.scratch = pruning.numbers + widest;
        pruning.by_class = both ? marks : issues;
        for (uint32_t k = 0; k < rows->classes; k++) {
            ends[k] = at;
            at += task->joint->given[k];
        }
        for (size_t i = 0; i < rows->count; i++)
            all[ends[rows->labels[i]]++] = i;
        for (uint32_t k = 0; k < rows->classes; k++) {
            pruning.rows = all + ends[k] - task->joint->given[k];
            prune_label(&pruning, k, task->joint->given[k], issues);
        }
    }
    free(pruning.targets);
    free(all);
    free(ends);
    free(pruning.columns);
    free(pruning.numbers);
    free(marks);
    return code;
}

/* ---- the other methods ----------------------------------------------------------------------- */

static bool is_likeliest(const struct confident_rows *rows, size_t row)
{
    const float *p = rows->probabilities + row * rows->classes;
    uint32_t label = rows->labels[row];
    double own = (double)p[label] + SLACK;
    /* Of equals the first is the likeliest, as everywhere. */
    for (uint32_t k = 0; k < rows->classes; k++)
        if (k != label && ((double)p[k] > own || ((double)p[k] == own && k < label)))
            return false;
    return true;
}

static void find_directly(const struct confident_task *task, bool *issues)
{
    const struct confident_rows *rows = task->rows;
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t found = task->joint->guesses[i], other;
        issues[i] = task->method == METHOD_PREDICTED
                        ? confident_issues_margin(rows, i, &other) < 0.5
                        : found != CONFIDENT_NONE && found != rows->labels[i];
    }
}

static void unmark_likeliest(const struct confident_rows *rows, bool *issues)
{
    for (size_t i = 0; i < rows->count; i++)
        issues[i] = issues[i] && !is_likeliest(rows, i);
}

/* Of a score's lowest, as many as METHOD_JOINT finds. */
static int find_lowest(const struct confident_task *task, bool *issues)
{
    const struct confident_rows *rows = task->rows;
    double *scores = calloc(2 * rows->count + 1, sizeof(*scores));
    size_t *all = calloc(rows->count + 1, sizeof(*all)), most = 0;
    if (!scores || !all) {
        free(scores);
        free(all);
        return XY_ENOMEM;
    }
    find_directly(task, issues);
    unmark_likeliest(rows, issues);
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t other;
        most += issues[i];
        issues[i] = false;
        all[i] = i;
        scores[i] = task->method == METHOD_SELF_CONFIDENCE
                        ? (double)rows->probabilities[i * rows->classes + rows->labels[i]]
                        : confident_issues_margin(rows, i, &other);
    }
    mark_least(scores, all, rows->count, most, scores + rows->count, issues);
    free(scores);
    free(all);
    return XY_OK;
}

int confident_issues_find(const struct confident_task *task, bool *issues)
{
    if (task->rows->count == 0)
        return XY_OK;
    if (task->method == METHOD_SELF_CONFIDENCE || task->method == METHOD_NORMALIZED_MARGIN)
        return find_lowest(task, issues);
    int code = XY_OK;
    if (task->method == METHOD_JOINT || task->method == METHOD_PREDICTED)
        find_directly(task, issues);
    else
        code = prune(task, issues);
    unmark_likeliest(task->rows, issues);
    return code;
}
