/* SPDX-License-Identifier: Apache-2.0 */
/* label_model_estimate.c - votes counted, or expectation-maximisation (Dawid, Skene 1979, section
 * 2): from a guess of the truth the tables of errors, from these the truth, until nothing moves. */
#include <math.h>
#include <stdlib.h>

#include "label_model.h"

enum { CELLS_MAX = 32 << 20, POLL = 1024 };

int label_model_init(struct label_model *model, const struct panel *panel,
                     const struct label_settings *settings, xy_job *job)
{
    size_t classes = panel->labels.count, annotators = panel->annotators.count;
    size_t items = panel->items.count;
    bool tables = settings->method == LABEL_DAWID_SKENE;
    *model = (struct label_model){.panel = panel, .classes = panel->labels.count,
                                  .annotators = panel->annotators.count, .likelihood = NAN};
    if (tables && annotators * classes * classes > CELLS_MAX)
        return xy_fail(job, XY_EINVAL, "%zu annotators and %zu labels are too many tables of "
                       "errors; `method: one_coin` has one number for each annotator", annotators,
                       classes);
    model->gold = calloc(items + 1, sizeof(*model->gold));
    model->truth = calloc(items * classes + 1, sizeof(*model->truth));
    model->weights = calloc(annotators + 1, sizeof(*model->weights));
    model->prior = calloc(classes + 1, sizeof(*model->prior));
    model->accuracy = calloc(annotators + 1, sizeof(*model->accuracy));
    model->right = calloc(annotators + 1, sizeof(*model->right));
    model->votes = calloc(annotators + 1, sizeof(*model->votes));
    if (tables)
        model->tables = calloc(annotators * classes * classes + 1, sizeof(*model->tables));
    if (!model->gold || !model->truth || !model->weights || !model->prior || !model->accuracy ||
        !model->right || !model->votes || (tables && !model->tables))
        return XY_ENOMEM;
    for (size_t i = 0; i < items; i++)
        model->gold[i] = NAMES_NONE;
    for (size_t k = 0; k < annotators; k++)
        model->weights[k] = 1;
    return XY_OK;
}

void label_model_free(struct label_model *model)
{
    free(model->gold);
    free(model->truth);
    free(model->weights);
    free(model->prior);
    free(model->accuracy);
    free(model->right);
    free(model->votes);
    free(model->tables);
    memset(model, 0, sizeof(*model));
}

int label_model_weigh(struct label_model *model, xy_job *job)
{
    const struct panel *panel = model->panel;
    double *hits = calloc((size_t)model->annotators * 2 + 1, sizeof(*hits));
    if (!hits)
        return XY_ENOMEM;
    double *seen = hits + model->annotators, total = 0, sum = 0;
    for (size_t v = 0; v < panel->count; v++) {
        const struct panel_vote *vote = &panel->votes[v];
        if (model->gold[vote->item] == NAMES_NONE)
            continue;
        seen[vote->annotator]++;
        hits[vote->annotator] += model->gold[vote->item] == vote->label;
        total++;
    }
    for (uint32_t k = 0; k < model->annotators; k++) {
        double right = (hits[k] + 1) / (seen[k] + 2);
        double odds = log(right * (model->classes - 1.0) / (1 - right));
        /* Who has not voted on gold is taken for an annotator at chance, and counts nothing. */
        model->weights[k] = seen[k] > 0 && odds > 0 ? odds : 0;
        sum += model->weights[k];
    }
    free(hits);
    if (total == 0)
        return xy_fail(job, XY_EINVAL, "no item with a gold label has a vote: there is nothing to "
                       "weigh the annotators by");
    if (!(sum > 0))
        return xy_fail(job, XY_EINVAL, "no annotator is better than chance on the items with gold "
                       "labels: all weights are 0");
    return XY_OK;
}

/* Each item's row: its share of the weight of its votes. */
static void count_votes(struct label_model *model)
{
    const struct panel *panel = model->panel;
    for (size_t i = 0; i < panel->items.count; i++) {
        double *row = model->truth + i * model->classes, sum = 0;
        for (size_t v = panel->starts[i]; v < panel->starts[i + 1]; v++) {
            double weight = model->weights[panel->votes[v].annotator];
            row[panel->votes[v].label] += weight;
            sum += weight;
        }
        for (uint32_t j = 0; j < model->classes && sum > 0; j++)
            row[j] /= sum;
    }
}

/* Items whose class is known: they teach, and say nothing of how likely their votes are. */
static void fix_gold(struct label_model *model)
{
    for (size_t i = 0; i < model->panel->items.count; i++) {
        if (model->gold[i] == NAMES_NONE)
            continue;
        double *row = model->truth + i * model->classes;
        memset(row, 0, model->classes * sizeof(*row));
        row[model->gold[i]] = 1;
    }
}

static bool counts(const struct label_model *model, size_t item)
{
    return model->panel->starts[item] < model->panel->starts[item + 1];
}

/* The shares of the classes, over the items that have votes. */
static void estimate_prior(struct label_model *model, double smoothing)
{
    double sum = 0;
    for (uint32_t j = 0; j < model->classes; j++)
        model->prior[j] = smoothing;
    for (size_t i = 0; i < model->panel->items.count; i++)
        for (uint32_t j = 0; j < model->classes && counts(model, i); j++)
            model->prior[j] += model->truth[i * model->classes + j];
    for (uint32_t j = 0; j < model->classes; j++)
        sum += model->prior[j];
    for (uint32_t j = 0; j < model->classes && sum > 0; j++)
        model->prior[j] /= sum;
}

/* What each annotator says of each class: equation 2.3 with `smoothing` added to each count. A
 * class that no item of the annotator has is said to be anything, with one probability. */
static void estimate_tables(struct label_model *model, double smoothing)
{
    const struct panel *panel = model->panel;
    size_t classes = model->classes, rows = model->annotators * classes;
    for (size_t c = 0; c < rows * classes; c++)
        model->tables[c] = smoothing;
    for (size_t v = 0; v < panel->count; v++) {
        const struct panel_vote *vote = &panel->votes[v];
        double *table = model->tables + vote->annotator * classes * classes;
        for (size_t j = 0; j < classes; j++)
            table[j * classes + vote->label] += model->truth[vote->item * classes + j];
    }
    for (size_t r = 0; r < rows; r++) {
        double *row = model->tables + r * classes, sum = 0;
        for (size_t l = 0; l < classes; l++)
            sum += row[l];
        for (size_t l = 0; l < classes; l++)
            row[l] = sum > 0 ? row[l] / sum : 1.0 / (double)classes;
    }
}

static void estimate_accuracy(struct label_model *model, double smoothing)
{
    label_model_judge(model);
    for (uint32_t k = 0; k < model->annotators; k++) {
        double all = model->votes[k] + 2 * smoothing;
        model->accuracy[k] = all > 0 ? (model->right[k] + smoothing) / all : 0.5;
    }
}

/* The natural logarithm of how likely the annotator is to say `said` of an item of class `is`. */
static double log_vote(const struct label_model *model, const struct label_settings *settings,
                       uint32_t annotator, uint32_t is, uint32_t said)
{
    size_t classes = model->classes;
    if (settings->method == LABEL_DAWID_SKENE)
        return log(model->tables[(annotator * classes + is) * classes + said]);
    double right = model->accuracy[annotator];
    return is == said ? log(right) : log((1 - right) / ((double)classes - 1));
}

/* One item's row by Bayes' rule, in logarithms; returns that of the likelihood of its votes. */
static double infer_item(const struct label_model *model, const struct label_settings *settings,
                         size_t item, double *row)
{
    const struct panel *panel = model->panel;
    double most = -INFINITY, sum = 0;
    for (uint32_t j = 0; j < model->classes; j++) {
        row[j] = log(model->prior[j]);
        for (size_t v = panel->starts[item]; v < panel->starts[item + 1]; v++)
            row[j] += log_vote(model, settings, panel->votes[v].annotator, j,
                               panel->votes[v].label);
        most = fmax(most, row[j]);
    }
    for (uint32_t j = 0; j < model->classes; j++) {
        /* Without smoothing gold labels may say that no class can be: then all are as likely. */
        row[j] = isinf(most) ? 1 : exp(row[j] - most);
        sum += row[j];
    }
    for (uint32_t j = 0; j < model->classes; j++)
        row[j] /= sum;
    return most + log(sum);
}

/* All rows anew; those of gold items only when `all`. Returns the largest change. */
static double infer(struct label_model *model, const struct label_settings *settings, bool all,
                    double *row)
{
    double change = 0;
    model->likelihood = 0;
    for (size_t i = 0; i < model->panel->items.count; i++) {
        if (!counts(model, i))
            continue;
        model->likelihood += infer_item(model, settings, i, row);
        if (model->gold[i] != NAMES_NONE && !all)
            continue;
        double *old = model->truth + i * model->classes;
        for (uint32_t j = 0; j < model->classes; j++) {
            change = fmax(change, fabs(row[j] - old[j]));
            old[j] = row[j];
        }
    }
    return change;
}

int label_model_estimate(struct label_model *model, const struct label_settings *settings,
                         xy_job *job)
{
    count_votes(model);
    if (settings->method == LABEL_MAJORITY || settings->method == LABEL_WEIGHTED)
        return XY_OK;
    double *row = calloc((size_t)model->classes + 1, sizeof(*row));
    if (!row)
        return XY_ENOMEM;
    fix_gold(model);
    bool cancelled = false;
    while (!model->converged && model->iterations < settings->iterations && !cancelled) {
        estimate_prior(model, settings->smoothing);
        if (settings->method == LABEL_DAWID_SKENE)
            estimate_tables(model, settings->smoothing);
        else
            estimate_accuracy(model, settings->smoothing);
        model->converged = infer(model, settings, false, row) < settings->tolerance;
        model->iterations++;
        cancelled = job->api->cancelled(job);
    }
    infer(model, settings, true, row); /* gold labels teach; what comes out is by the votes alone */
    free(row);
    return cancelled ? XY_ECANCELED : XY_OK;
}

uint32_t label_model_class(const struct label_model *model, size_t item)
{
    const struct panel *panel = model->panel;
    const double *row = model->truth + item * model->classes;
    uint32_t best = 0;
    if (!counts(model, item))
        return NAMES_NONE;
    for (uint32_t j = 1; j < model->classes; j++)
        best = row[j] > row[best] ? j : best;
    double most = row[best] - 1e-9;
    for (size_t v = panel->starts[item]; v < panel->starts[item + 1]; v++)
        if (row[panel->votes[v].label] >= most)
            return panel->votes[v].label;
    for (best = 0; row[best] < most; best++)
        continue;
    return best;
}

uint32_t label_model_one_sided(const struct label_model *model, uint32_t *first)
{
    const struct panel *panel = model->panel;
    uint32_t *said = calloc((size_t)model->annotators + 1, sizeof(*said)), count = 0;
    const uint32_t several = NAMES_NONE; /* 0: nothing yet; else a label's number plus 1 */
    *first = NAMES_NONE;
    if (!said)
        return 0;
    for (size_t v = 0; v < panel->count; v++) {
        uint32_t *mine = &said[panel->votes[v].annotator], label = panel->votes[v].label + 1;
        *mine = *mine == 0 || *mine == label ? label : several;
    }
    for (uint32_t k = model->annotators; k-- > 0;) {
        if (said[k] == 0 || said[k] == several)
            continue;
        count++;
        *first = k;
    }
    free(said);
    return count;
}

void label_model_judge(struct label_model *model)
{
    const struct panel *panel = model->panel;
    memset(model->right, 0, model->annotators * sizeof(*model->right));
    memset(model->votes, 0, model->annotators * sizeof(*model->votes));
    for (size_t v = 0; v < panel->count; v++) {
        const struct panel_vote *vote = &panel->votes[v];
        model->right[vote->annotator] += model->truth[vote->item * model->classes + vote->label];
        model->votes[vote->annotator]++;
    }
}
