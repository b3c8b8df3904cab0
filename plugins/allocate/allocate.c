/* SPDX-License-Identifier: Apache-2.0 */
/* allocate - divides the labelling between a model and people (CoAnnotating, Li et al. 2023). */
#include <math.h>
#include <stdlib.h>

#include "allocate.h"
#include "scores.h"
#include "text.h"

enum { FRONT_POINTS = 21 };

struct allocate {
    const char *uncertainty, *method, *label, *gold, *into, *unit, *tokens, *text;
    double model_cost, human_cost, model_quality, human_quality, budget, share, quality;
    int64_t unit_tokens;
    bool at_random, by_tokens;
    const xy_host *host;
    const xy_rng *rng;
    const xy_report *report;
};

#define AT(member) offsetof(struct allocate, member)

static const xy_option options[] = {
    {.name = "uncertainty", .type = XY_OPT_FIELD, .offset = AT(uncertainty),
     .def = "vote_entropy",
     .help = "A number field that is high where the model's label is doubtful; a record without it "
             "goes to people first."},
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "uncertainty",
     .choices = "uncertainty|random",
     .help = "Who goes to people: the most uncertain, or any, to compare with."},
    {.name = "budget", .type = XY_OPT_NUMBER, .offset = AT(budget), .def = "-1",
     .help = "Money for all labels, the model's and people's; this, `share` or `quality` is "
             "needed."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = AT(share), .def = "-1", .low = -1,
     .high = 1, .help = "The share of the records that people label, rounded up."},
    {.name = "quality", .type = XY_OPT_NUMBER, .offset = AT(quality), .def = "-1", .low = -1,
     .high = 1, .help = "The expected share of right labels to be reached as cheaply as can be."},
    {.name = "model_cost", .type = XY_OPT_NUMBER, .offset = AT(model_cost), .def = "0.001",
     .low = 0, .high = 1e9,
     .help = "The price of the model's answers to one record, all prompts and samples together; "
             "paid for every record, since doubt is known only from answers."},
    {.name = "human_cost", .type = XY_OPT_NUMBER, .offset = AT(human_cost), .def = "0.11",
     .low = 0, .high = 1e9,
     .help = "The price of a person's label; 0.11 is that of 50 tokens in Wang et al. 2021."},
    {.name = "unit", .type = XY_OPT_TEXT, .offset = AT(unit), .def = "item",
     .choices = "item|tokens", .help = "What the two prices are for: a record, or `unit_tokens`."},
    {.name = "unit_tokens", .type = XY_OPT_INT, .offset = AT(unit_tokens), .def = "50", .low = 1,
     .high = 1e9, .help = "For `unit: tokens`: a begun so many count whole."},
    {.name = "tokens", .type = XY_OPT_FIELD, .offset = AT(tokens),
     .help = "For `unit: tokens`: a number field; without it, four bytes of `text` are a token."},
    {.name = "text", .type = XY_OPT_FIELD, .offset = AT(text), .def = "text",
     .help = "The text whose length is the price."},
    {.name = "model_quality", .type = XY_OPT_NUMBER, .offset = AT(model_quality), .def = "0.8",
     .low = 0, .high = 1,
     .help = "The share of the model's labels that are right, where `gold` does not tell."},
    {.name = "human_quality", .type = XY_OPT_NUMBER, .offset = AT(human_quality), .def = "1",
     .low = 0, .high = 1, .help = "The share of people's labels that are right."},
    {.name = "gold", .type = XY_OPT_FIELD, .offset = AT(gold),
     .help = "A field that some records have, with the right label: the model's quality is then "
             "estimated at each level of uncertainty."},
    {.name = "label", .type = XY_OPT_FIELD, .offset = AT(label), .def = "label",
     .help = "The model's label, compared with `gold`."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "annotator",
     .help = "The field set to `human` or `model`."},
    {0},
};

static int open_allocate(void *state, const xy_host *host)
{
    struct allocate *allocate = state;
    int goals = (allocate->budget >= 0) + (allocate->share >= 0) + (allocate->quality >= 0);
    allocate->host = host;
    allocate->rng = host->service(host, XY_RNG);
    allocate->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    allocate->at_random = allocate->method[0] == 'r';
    allocate->by_tokens = allocate->unit[0] == 't';
    if (goals != 1) {
        xy_log_line(host, XY_LOG_ERROR, "expected one of `budget`, `share` and `quality`, 0 or "
                    "more; found %s", goals ? "several" : "none");
        return XY_EINVAL;
    }
    return allocate->rng ? XY_OK : XY_EUNSUPPORTED;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* How often the price is paid for the record. */
static double units(const struct allocate *allocate, const xy_record *record)
{
    if (!allocate->by_tokens)
        return 1;
    double tokens = ceil((double)xy_record_text(record, allocate->text).len / 4);
    if (allocate->tokens)
        tokens = names_number(record, allocate->tokens, tokens);
    return tokens > 0 && isfinite(tokens) ? ceil(tokens / (double)allocate->unit_tokens) : 1;
}

static int judge(const struct allocate *allocate, const xy_record *record)
{
    char gold_scratch[NAMES_SCRATCH], label_scratch[NAMES_SCRATCH];
    if (!allocate->gold)
        return -1;
    xy_str gold = names_label(record, allocate->gold, gold_scratch);
    xy_str label = names_label(record, allocate->label, label_scratch);
    if (!gold.ptr)
        return -1;
    return label.len == gold.len && memcmp(label.ptr, gold.ptr, gold.len) == 0;
}

static int read_items(const struct allocate *allocate, xy_job *job, xy_dataset *input,
                      struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const xy_record *record = input->api->at(input, i);
        if (!record)
            return xy_fail(job, XY_EIO, "record %zu cannot be read", i);
        if (i % 1024 == 0 && job->api->cancelled(job))
            return XY_ECANCELED;
        double price = units(allocate, record);
        uint64_t random = allocate->rng->stream(job, record, 0);
        items[i] = (struct item){
            .index = (uint32_t)i,
            .uncertainty = names_number(record, allocate->uncertainty, NAN),
            .draw = xy_random_next(&random),
            .model_cost = allocate->model_cost * price,
            .human_cost = allocate->human_cost * price,
            .quality = allocate->model_quality,
            .hit = judge(allocate, record),
        };
    }
    return XY_OK;
}

/* They go to people first: a misspelt field would send them all, and cost what that costs. */
static void warn_unknown(const struct allocate *allocate, const struct item *items, size_t count)
{
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++)
        unknown += isnan(items[i].uncertainty);
    if (unknown && !allocate->at_random)
        xy_log_line(allocate->host, XY_LOG_WARNING, "%zu of %zu records have no number in `%s` and "
                    "go to people first", unknown, count, allocate->uncertainty);
}

/* ---- deciding -------------------------------------------------------------------------------- */

static int decide(const struct allocate *allocate, xy_job *job, const struct plan *plan,
                  size_t *people)
{
    if (allocate->share >= 0)
        *people = (size_t)ceil(allocate->share * (double)plan->count - 1e-9);
    else if (allocate->budget >= 0)
        *people = plan_for_budget(plan, allocate->budget);
    else
        *people = plan_for_quality(plan, allocate->quality);
    if (*people != SIZE_MAX)
        return XY_OK;
    if (allocate->budget >= 0)
        return xy_fail(job, XY_EINVAL, "the model's labels alone cost %g, more than `budget: %g`",
                       plan->costs[0], allocate->budget);
    return xy_fail(job, XY_EINVAL, "`quality: %g` cannot be reached: with people for all records "
                   "%g is expected; `human_quality` is %g", allocate->quality,
                   plan->qualities[plan->count], allocate->human_quality);
}

static int mark(const struct allocate *allocate, xy_job *job, xy_dataset *input,
                const struct plan *plan, size_t people)
{
    bool *human = job->api->alloc(job, plan->count + 1);
    if (!human)
        return XY_ENOMEM;
    for (size_t i = 0; i < people; i++)
        human[plan->items[i].index] = true;
    for (size_t i = 0; i < plan->count; i++) {
        xy_str who = xy_text(human[i] ? "human" : "model");
        int code = xy_record_set_text(input->api->edit(input, i), allocate->into, who);
        if (code < 0)
            return xy_fail(job, code, "record %zu cannot be marked", i);
    }
    return XY_OK;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void add_member(struct text *json, const char *name, double value)
{
    text_add_literal(json, ",\"");
    text_add_literal(json, name);
    text_add_literal(json, "\":");
    if (isfinite(value)) /* without what adding up prices has left in the last digits */
        text_add_number(json, round(value * 1e9) / 1e9);
    else
        text_add_literal(json, "null");
}

static void tell_detail(const struct score_sink *sink, const char *name, struct text *json)
{
    text_add_literal(json, "]");
    if (!json->failed)
        sink->report->detail(sink->job, name, (xy_str){json->bytes, json->length});
    text_free(json);
}

static void tell_front(const struct score_sink *sink, const struct plan *plan)
{
    struct point front[FRONT_POINTS];
    struct text json = {0};
    size_t count = plan_front(plan, front, FRONT_POINTS);
    text_add_literal(&json, "[");
    for (size_t i = 0; i < count; i++) {
        text_add_literal(&json, i ? ",{\"people\":" : "{\"people\":");
        text_add_integer(&json, front[i].people);
        add_member(&json, "share", (double)front[i].people / (double)plan->count);
        add_member(&json, "cost", front[i].cost);
        add_member(&json, "quality", front[i].quality);
        text_add_literal(&json, "}");
    }
    tell_detail(sink, "front", &json);
}

static void tell_levels(const struct score_sink *sink, const struct level *levels, size_t count)
{
    struct text json = {0};
    text_add_literal(&json, "[");
    for (size_t i = count; i-- > 0;) {
        text_add_literal(&json, i + 1 < count ? ",{\"records\":" : "{\"records\":");
        text_add_integer(&json, levels[i].count);
        add_member(&json, "low", levels[i].low);
        add_member(&json, "high", levels[i].high);
        add_member(&json, "known", (double)levels[i].known);
        add_member(&json, "hits", (double)levels[i].hits);
        add_member(&json, "quality", levels[i].quality);
        text_add_literal(&json, "}");
    }
    tell_detail(sink, "levels", &json);
}

static void tell(const struct allocate *allocate, xy_job *job, const struct plan *plan,
                 size_t people, const struct level *levels, size_t level_count)
{
    const struct score_sink sink = {.report = allocate->report, .job = job};
    if (!allocate->report)
        return;
    scores_value(&sink, "human_share", (double)people / (double)plan->count, "share", plan->count,
                 "share of the records that people label");
    scores_value(&sink, "cost", plan->costs[people], "money", plan->count,
                 "price of all labels, the model's and people's");
    scores_value(&sink, "quality", plan->qualities[people], "share", plan->count,
                 "expected share of right labels");
    tell_front(&sink, plan);
    if (level_count)
        tell_levels(&sink, levels, level_count);
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct allocate *allocate = state;
    size_t count = (size_t)input->api->count(input), people = 0;
    if (count == 0)
        return XY_OK;
    struct level levels[PLAN_LEVELS + 1];
    struct item *items = calloc(count, sizeof(*items));
    struct plan plan = {.items = items, .count = count,
                        .human_quality = allocate->human_quality,
                        .costs = calloc(count + 1, sizeof(double)),
                        .qualities = calloc(count + 1, sizeof(double))};
    int code = items && plan.costs && plan.qualities ? XY_OK : XY_ENOMEM;
    size_t level_count = 0;
    if (code == XY_OK)
        code = read_items(allocate, job, input, items, count);
    if (code == XY_OK) {
        warn_unknown(allocate, items, count);
        plan_sort(items, count, false);
        level_count = plan_levels(items, count, levels);
        if (allocate->gold && !level_count)
            xy_log_line(allocate->host, XY_LOG_WARNING, "no record has a label in `%s`: the "
                        "model's quality is taken to be %g", allocate->gold,
                        allocate->model_quality);
        if (allocate->at_random)
            plan_sort(items, count, true);
        plan_sum(&plan);
        code = decide(allocate, job, &plan, &people);
    }
    if (code == XY_OK)
        code = mark(allocate, job, input, &plan, people);
    if (code == XY_OK)
        tell(allocate, job, &plan, people, levels, level_count);
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    free(items);
    free(plan.costs);
    free(plan.qualities);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{share: 0.3}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage allocate_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct allocate),
    .id = "allocate",
    .version = "1.0.0",
    .summary = "Divides the labelling between a model and people: by doubt, price and quality",
    .needs = needs,
    .options = options,
    .open = open_allocate,
    .run = run,
    .extension = extension,
    .fields = "reads `uncertainty`, `gold`, `label`, `tokens` or `text`; sets `into`",
};

XY_PLUGIN("allocate", "1.0.0", "Apache-2.0", &allocate_stage)
