/* SPDX-License-Identifier: Apache-2.0 */
/* uncertainty - says how sure probabilities are: confidence, margin, entropy (Settles 2009, "Active
 * Learning Literature Survey", section 3.1), for filters and selections by expression. */
#include <math.h>

#include "json_reader.h"
#include "names.h"

struct uncertainty {
    const char *probabilities, *label, *into;
    int32_t normalised;
};

#define AT(member) offsetof(struct uncertainty, member)

static const xy_option options[] = {
    {.name = "probabilities", .type = XY_OPT_FIELD, .offset = AT(probabilities),
     .def = "scores_probabilities",
     .help = "A field with probabilities: a map from label to probability, a list, or a vector. A "
             "`score` step sets one, with `into: label` it is `label_probabilities`."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label),
     .help = "A field with the record's label: sets also the probability of it, from a map."},
    {.name = "normalised", .type = XY_OPT_BOOL, .offset = AT(normalised), .def = "false",
     .help = "Entropy as a share of the greatest that so many labels can have."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "uncertainty",
     .help = "What the names of the fields that are set begin with."},
    {0},
};

/* What one walk over the numbers leaves. */
struct tally {
    size_t count;
    double sum, first, second, logs; /* the two greatest; the sum of p log p */
    double own;                      /* the label's, NaN when the map has it not */
};

static bool add(struct tally *tally, double p)
{
    if (!(p >= 0) || isinf(p))
        return false;
    tally->count++;
    tally->sum += p;
    tally->logs += p > 0 ? p * log(p) : 0;
    if (p > tally->first) {
        tally->second = tally->first;
        tally->first = p;
    } else if (p > tally->second) {
        tally->second = p;
    }
    return true;
}

static bool is_label(xy_job *job, xy_str key, xy_str label)
{
    char *plain = job->api->alloc(job, key.len + 3);
    if (!plain || !label.ptr)
        return false;
    size_t length = json_decode((xy_str){key.ptr - 1, key.len + 2}, plain); /* with its quotes */
    return length == label.len && memcmp(plain, label.ptr, length) == 0;
}

static bool add_json(xy_job *job, struct tally *tally, xy_str json, xy_str label)
{
    struct json_cursor cursor = {NULL};
    xy_str key, value;
    json = json_check(json);
    bool map = json_kind(json) == '{';
    if (!map && json_kind(json) != '[')
        return false;
    while (json_next(json, &cursor, &key, &value)) {
        double p = json_number(value, NAN);
        if (!add(tally, p))
            return false;
        if (map && is_label(job, key, label))
            tally->own = p;
    }
    return true;
}

static bool add_vector(struct tally *tally, const xy_value *value)
{
    for (uint32_t k = 0; k < value->length; k++)
        if (!add(tally, (double)value->vector[k]))
            return false;
    return true;
}

static int set_number(const struct uncertainty *uncertainty, xy_record *record, const char *name,
                      double number)
{
    char field[160];
    snprintf(field, sizeof(field), "%s_%s", uncertainty->into, name);
    return xy_record_set_number(record, field, number);
}

static int process(void *state, xy_job *job)
{
    const struct uncertainty *uncertainty = state;
    xy_record *record = job->api->input(job, 0);
    struct tally tally = {.own = NAN};
    char scratch[NAMES_SCRATCH];
    xy_value value = {.type = XY_NULL};
    xy_str label = uncertainty->label ? names_label(record, uncertainty->label, scratch)
                                      : (xy_str){NULL, 0};
    int type = record->api->get(record, uncertainty->probabilities, &value);
    bool whole = type == XY_VECTOR ? add_vector(&tally, &value)
                                   : type == XY_JSON && add_json(job, &tally, value.text, label);
    if (type == XY_NULL)
        return xy_drop(job, "there is no field `%s`: `probabilities` names the one to read",
                       uncertainty->probabilities);
    if (!whole || !(tally.sum > 0))
        return xy_drop(job, "`%s` holds no probabilities: a map, a list or a vector of numbers of "
                       "0 or more is expected, not all 0", uncertainty->probabilities);
    /* With p = q / S: -sum p log p = log S - (sum q log q) / S. */
    double entropy = fmax(log(tally.sum) - tally.logs / tally.sum, 0);
    if (uncertainty->normalised)
        entropy = tally.count > 1 ? entropy / log((double)tally.count) : 0;
    int code = set_number(uncertainty, record, "confidence", tally.first / tally.sum);
    if (code >= 0)
        code = set_number(uncertainty, record, "margin", (tally.first - tally.second) / tally.sum);
    if (code >= 0)
        code = set_number(uncertainty, record, "entropy", entropy);
    if (code >= 0 && label.ptr)
        code = set_number(uncertainty, record, "label",
                          isnan(tally.own) ? 0 : tally.own / tally.sum);
    return code < 0 ? code : XY_OK;
}

static const xy_stage uncertainty_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct uncertainty),
    .id = "uncertainty",
    .version = "1.0.0",
    .summary = "Says how sure probabilities are: confidence, margin, entropy",
    .options = options,
    .process = process,
    .fields = "reads `probabilities` and `label`; sets `into`_confidence, _margin, _entropy, and "
              "with `label` _label; rejects records without probabilities",
};

XY_PLUGIN("uncertainty", "1.0.0", "Apache-2.0", &uncertainty_stage)
