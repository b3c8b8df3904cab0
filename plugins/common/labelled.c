/* SPDX-License-Identifier: Apache-2.0 */
#include "labelled.h"
#include "vector_column.h"

#include <math.h>
#include <stdlib.h>

enum { CLASSES_MAX = 4096, POLL = 4096 };

static int read_record(struct labelled *set, xy_job *job, const xy_record *record,
                       const struct labelled_fields *fields, struct names *class_names)
{
    size_t row = set->count++;
    set->text_numbers[row] = set->classes[row] = NAMES_NONE;
    set->weights[row] = (float)record->api->weight(record);
    xy_str text = xy_record_text(record, fields->text);
    if (text.ptr && text.len) {
        set->text_numbers[row] = names_add(&set->texts, text);
        if (set->text_numbers[row] == NAMES_NONE)
            return XY_ENOMEM;
    }
    char scratch[NAMES_SCRATCH];
    xy_str label = names_label(record, fields->label, scratch);
    if (!label.ptr)
        return XY_OK;
    set->classes[row] = names_add(class_names, label);
    if (set->classes[row] == NAMES_NONE)
        return XY_ENOMEM;
    if (class_names->count > CLASSES_MAX)
        return xy_fail(job, XY_EINVAL, "`%s` has more than %d different values: it holds no labels",
                       fields->label, CLASSES_MAX);
    return XY_OK;
}

static int read_vectors(struct labelled *set, xy_job *job, xy_dataset *dataset, const char *field)
{
    uint32_t width;
    set->vectors = vector_column(dataset, job, field, "", &width);
    set->dimension = width;
    return set->vectors ? XY_OK : XY_EINVAL;
}

static int read_columns(struct labelled *set, xy_job *job, xy_dataset *dataset,
                        struct columns *columns)
{
    int code = columns->fields ? XY_OK : columns_learn(columns, job, dataset);
    set->dimension = columns->dimension;
    return code < 0 ? code : columns_read(columns, job, dataset, &set->vectors);
}

int labelled_check_source(const xy_host *host, const char *vector, const char *const *features)
{
    if (!vector || !features)
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR,
                "`vector` and `features` both say what to learn from: give one");
    return XY_EINVAL;
}

int labelled_read(struct labelled *set, xy_job *job, xy_dataset *dataset,
                  const struct labelled_fields *fields, struct names *class_names)
{
    uint64_t count = dataset->api->count(dataset);
    set->text_numbers = calloc(count + 1, sizeof(*set->text_numbers));
    set->classes = calloc(count + 1, sizeof(*set->classes));
    set->weights = calloc(count + 1, sizeof(*set->weights));
    if (!set->text_numbers || !set->classes || !set->weights)
        return XY_ENOMEM;
    for (uint64_t i = 0; i < count; i++) {
        if (i % POLL == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        int code = read_record(set, job, dataset->api->at(dataset, i), fields, class_names);
        if (code < 0)
            return code;
    }
    if (fields->columns && count)
        return read_columns(set, job, dataset, fields->columns);
    return fields->vector && count ? read_vectors(set, job, dataset, fields->vector) : XY_OK;
}

int labelled_rows(const struct labelled *set, size_t **rows, size_t *count)
{
    *rows = calloc(set->count + 1, sizeof(**rows));
    if (!*rows)
        return XY_ENOMEM;
    *count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (labelled_is_row(set, i))
            (*rows)[(*count)++] = i;
    return XY_OK;
}

bool labelled_has_text(const struct labelled *set, size_t index)
{
    if (!set->vectors)
        return set->text_numbers[index] != NAMES_NONE;
    /* A record without the vector field has NaN in the column; a vector that has it, or an infinite
     * number, anywhere would spoil what is learnt from all. */
    const float *row = set->vectors + index * set->dimension;
    bool finite = true;
    for (size_t j = 0; j < set->dimension; j++)
        finite = finite && isfinite(row[j]);
    return finite;
}

bool labelled_is_row(const struct labelled *set, size_t index)
{
    return labelled_has_text(set, index) && set->classes[index] != NAMES_NONE;
}

void labelled_free(struct labelled *set)
{
    names_free(&set->texts);
    free(set->text_numbers);
    free(set->classes);
    free(set->weights);
    memset(set, 0, sizeof(*set));
}

/* Copies one row's features and, where there are `shares` of classes, its soft label. */
static void copy_row(const struct labelled *set, size_t row, size_t width, size_t shares,
                     struct labelled_part *part, size_t to)
{
    if (width)
        memcpy(part->vectors + to * width, set->vectors + row * width, width * sizeof(float));
    if (shares)
        memcpy(part->soft + to * shares, set->soft + row * shares, shares * sizeof(float));
}

int labelled_take(const struct labelled *set, const size_t *indices, size_t count,
                  uint32_t classes, bool train, struct labelled_part *part)
{
    size_t width = set->vectors ? set->dimension : 0, shares = train && set->soft ? classes : 0;
    memset(part, 0, sizeof(*part));
    part->texts = calloc(count + 1, sizeof(*part->texts));
    part->labels = calloc(count + 1, sizeof(*part->labels));
    part->weights = calloc(count + 1, sizeof(*part->weights));
    part->vectors = calloc(count * width + 1, sizeof(*part->vectors));
    part->soft = calloc(count * shares + 1, sizeof(*part->soft));
    if (!part->texts || !part->labels || !part->weights || !part->vectors || !part->soft) {
        labelled_part_free(part);
        return XY_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = indices[i];
        part->texts[i] = names_at(&set->texts, set->text_numbers[row]);
        part->labels[i] = train ? (int32_t)set->classes[row] : 0;
        part->weights[i] = set->weights[row];
        copy_row(set, row, width, shares, part, i);
    }
    part->examples = (xy_examples){
        .size = sizeof(xy_examples), .classes = classes, .count = count, .texts = part->texts,
        .labels = train ? part->labels : NULL, .weights = train ? part->weights : NULL,
        .vectors = width ? part->vectors : NULL, .dimension = width,
        .soft = shares ? part->soft : NULL};
    return XY_OK;
}

void labelled_part_free(struct labelled_part *part)
{
    free(part->texts);
    free(part->labels);
    free(part->weights);
    free(part->vectors);
    free(part->soft);
    memset(part, 0, sizeof(*part));
}
