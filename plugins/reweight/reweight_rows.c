/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "reweight.h"

static int list_rows(const struct reweight *reweight, struct rows *rows)
{
    const struct labelled *set = &rows->set;
    bool student = reweight_has_student(reweight);
    rows->index = calloc(set->count + 1, sizeof(*rows->index));
    rows->groups = calloc(set->count + 1, sizeof(*rows->groups));
    rows->prior = calloc(2 * set->count + 1, sizeof(*rows->prior));
    if (!rows->index || !rows->groups || !rows->prior)
        return XY_ENOMEM;
    rows->factors = rows->prior + set->count;
    for (size_t i = 0; i < set->count; i++) {
        if (student && !labelled_is_row(set, i))
            continue;
        rows->index[rows->count] = i;
        rows->groups[rows->count] = set->classes[i] == NAMES_NONE ? rows->classes.count
                                                                  : set->classes[i];
        rows->prior[rows->count++] = (double)set->weights[i];
    }
    return XY_OK;
}

/* A student needs two labels that count; which one is there alone is said by its name. */
static int check_rows(const struct reweight *reweight, xy_job *job, const struct rows *rows)
{
    uint32_t first = NAMES_NONE;
    for (size_t i = 0; i < rows->count; i++) {
        if (!(rows->prior[i] > 0))
            continue;
        if (first == NAMES_NONE)
            first = rows->groups[i];
        if (rows->groups[i] != first)
            return XY_OK;
    }
    if (rows->count == 0)
        return xy_fail(job, XY_EINVAL, "no record has both a `%s` and a `%s` to learn from",
                       reweight->vector ? reweight->vector : reweight->text, reweight->label);
    if (first == NAMES_NONE)
        return xy_fail(job, XY_EINVAL, "all %zu records have the weight 0 already: there is "
                       "nothing to learn from", rows->count);
    xy_str name = names_at(&rows->classes, first);
    return xy_fail(job, XY_EINVAL, "all %zu records have the label `%.*s`: weights are learned "
                   "from records of two labels at least", rows->count,
                   (int)(name.len < 80 ? name.len : 80), name.ptr);
}

/* ---- the dev set ----------------------------------------------------------------------------- */

/* A label that the dev set lacks has no say in the weights: nobody may overlook that. */
static int warn_of_missing(const struct reweight *reweight, const struct rows *rows)
{
    bool *seen = calloc((size_t)rows->classes.count + 1, sizeof(*seen));
    if (!seen)
        return XY_ENOMEM;
    for (size_t i = 0; i < rows->dev_count; i++)
        seen[rows->dev_labels[i]] = true;
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t label = rows->groups[i];
        if (label >= rows->classes.count || seen[label])
            continue;
        seen[label] = true;
        xy_log_line(reweight->host, XY_LOG_WARNING, "`dev` has no record of the label `%.80s`: "
                    "the weights of its records tell only how they disturb the other labels",
                    names_at(&rows->classes, label).ptr);
    }
    free(seen);
    return XY_OK;
}

static int take_dev(const struct reweight *reweight, xy_job *job, struct rows *rows)
{
    size_t *indices = calloc(rows->dev.count + 1, sizeof(*indices));
    rows->dev_labels = calloc(rows->dev.count + 1, sizeof(*rows->dev_labels));
    struct labelled_part part = {.texts = NULL};
    int code = indices && rows->dev_labels ? XY_OK : XY_ENOMEM;
    for (size_t i = 0; i < rows->dev.count && code == XY_OK; i++) {
        if (!labelled_is_row(&rows->dev, i))
            continue;
        rows->dev_labels[rows->dev_count] = rows->dev.classes[i];
        indices[rows->dev_count++] = i;
    }
    if (code == XY_OK && rows->dev_count == 0)
        code = xy_fail(job, XY_EINVAL, "`dev` has no record with both a `%s` and a `%s`: there is "
                       "nothing to measure on", reweight->vector ? reweight->vector
                                                                 : reweight->text,
                       reweight->dev_label ? reweight->dev_label : reweight->label);
    if (code == XY_OK)
        code = labelled_take(&rows->dev, indices, rows->dev_count, rows->classes.count, false,
                             &part);
    if (code == XY_OK)
        code = learner_input_rows(&reweight->input, job, &part.examples, &rows->features,
                                  &rows->dev_matrix);
    rows->dev_matrix.columns = rows->matrix.columns;
    labelled_part_free(&part);
    free(indices);
    return code == XY_OK ? warn_of_missing(reweight, rows) : code;
}

/* ---- features -------------------------------------------------------------------------------- */

static int make_features(const struct reweight *reweight, xy_job *job, struct rows *rows)
{
    struct labelled_part part = {.texts = NULL};
    int code = check_rows(reweight, job, rows);
    if (code == XY_OK)
        code = labelled_take(&rows->set, rows->index, rows->count, rows->classes.count, true,
                             &part);
    if (code == XY_OK)
        code = learner_input_fit(&reweight->input, job, &part.examples, &rows->features,
                                 &rows->matrix);
    labelled_part_free(&part);
    return code == XY_OK && reweight->dev ? take_dev(reweight, job, rows) : code;
}

int rows_read(const struct reweight *reweight, xy_job *job, xy_dataset *input, struct rows *rows)
{
    bool student = reweight_has_student(reweight);
    const struct labelled_fields fields = {reweight->text, reweight->label,
                                           student ? reweight->vector : NULL, NULL};
    const struct labelled_fields dev = {
        reweight->text, reweight->dev_label ? reweight->dev_label : reweight->label,
        reweight->vector, NULL};
    int code = labelled_read(&rows->set, job, input, &fields, &rows->classes);
    if (code == XY_OK && student && reweight->dev)
        code = labelled_read(&rows->dev, job, reweight->dev, &dev, &rows->classes);
    if (code == XY_OK)
        code = list_rows(reweight, rows);
    return code == XY_OK && student ? make_features(reweight, job, rows) : code;
}

void rows_free(struct rows *rows)
{
    labelled_free(&rows->set);
    labelled_free(&rows->dev);
    names_free(&rows->classes);
    free(rows->index);
    free(rows->groups);
    free(rows->prior);
    free(rows->dev_labels);
    features_free(&rows->features);
    matrix_free(&rows->matrix);
    matrix_free(&rows->dev_matrix);
}
