/* SPDX-License-Identifier: Apache-2.0 */
/* agreement_filter.c - keeps the records on which two fields say the same. */
#include <math.h>
#include <stdlib.h>

#include <utf8proc.h>

#include "agreement_internal.h"

#include "excerpt.h"

enum { SHOWN = 80 }; /* bytes of a value in a reason */

struct filter {
    const char *left, *right, *confidence;
    double least;
    int32_t ignore_case;
};

static const xy_option options[] = {
    {.name = "left", .type = XY_OPT_FIELD, .offset = offsetof(struct filter, left),
     .flags = XY_OPT_REQUIRED, .help = "The first field, such as the label that was asked for."},
    {.name = "right", .type = XY_OPT_FIELD, .offset = offsetof(struct filter, right),
     .flags = XY_OPT_REQUIRED, .help = "The second field, such as the label that was predicted."},
    {.name = "ignore_case", .type = XY_OPT_BOOL, .offset = offsetof(struct filter, ignore_case),
     .def = "false", .help = "Compares without regard to case (Unicode case folding)."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = offsetof(struct filter, confidence),
     .help = "A number field that must be at least `least`."},
    {.name = "least", .type = XY_OPT_NUMBER, .offset = offsetof(struct filter, least), .def = "0",
     .help = "The least value of `confidence` that is kept."},
    {0},
};

/* The folded text in the job's arena. */
static xy_str fold(xy_job *job, xy_str text)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t length =
        utf8proc_map((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
    if (length < 0)
        return text; /* no memory, or no UTF-8, which a record cannot hold: compared as it is */
    char *copy = job->api->alloc(job, (size_t)length + 1);
    memcpy(copy, folded, (size_t)length);
    free(folded);
    return (xy_str){copy, (size_t)length};
}

static bool same(const struct filter *filter, xy_job *job, xy_str left, xy_str right)
{
    if (filter->ignore_case) {
        left = fold(job, left);
        right = fold(job, right);
    }
    return left.len == right.len && memcmp(left.ptr, right.ptr, left.len) == 0;
}

static int process(void *state, xy_job *job)
{
    const struct filter *filter = state;
    const xy_record *record = job->api->input(job, 0);
    char left_scratch[NAMES_SCRATCH], right_scratch[NAMES_SCRATCH];
    xy_str left = names_label(record, filter->left, left_scratch);
    xy_str right = names_label(record, filter->right, right_scratch);
    if (!left.ptr || !right.ptr)
        return xy_drop(job, "there is no `%s`", left.ptr ? filter->right : filter->left);
    if (!same(filter, job, left, right))
        return xy_drop(job, "`%s` is \"%.*s\", `%s` is \"%.*s\"", filter->left,
                       excerpt_length(left, SHOWN), left.ptr, filter->right,
                       excerpt_length(right, SHOWN), right.ptr);
    if (!filter->confidence)
        return XY_OK;
    double confidence = names_number(record, filter->confidence, NAN);
    if (isnan(confidence))
        return xy_drop(job, "there is no number `%s`", filter->confidence);
    if (confidence < filter->least)
        return xy_drop(job, "`%s` is %g, less than %g", filter->confidence, confidence,
                       filter->least);
    return XY_OK;
}

const xy_stage agreement_filter = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct filter),
    .id = "agreement",
    .version = "1.0.0",
    .summary = "Keeps the records on which two fields agree",
    .options = options,
    .process = process,
    .fields = "reads `left`, `right` and `confidence`",
};
