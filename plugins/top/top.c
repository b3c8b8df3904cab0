/* SPDX-License-Identifier: Apache-2.0 */
/* top - keeps the best k records, or a share, of each group: SuperGen's selection by generation
 * probability (Meng et al. 2022, section 3.2 "Selecting quality training data"). */
#include <math.h>
#include <stdlib.h>

#include "names.h"
#include "excerpt.h"
#include "text.h"

enum { POLL = 1024, MOST_NAMED = 8 };

enum order { ORDER_HIGHEST = 1, ORDER_LOWEST = 2, ORDER_RANDOM = 3, ORDER_FIRST = 4,
             ORDER_WEIGHTED = 5 };

struct top {
    const char *by, *per, *order_name, *rank_into;
    int64_t k;
    double share;
    const xy_host *host;
    const xy_expression *language;
    const xy_rng *rng;
    const xy_report *report;
    void *compiled;
    enum order order;
};

static const xy_option options[] = {
    {.name = "by", .type = XY_OPT_EXPRESSION, .offset = offsetof(struct top, by),
     .help = "What a record is worth: a field, or an expression such as `score / text | length`."},
    {.name = "per", .type = XY_OPT_FIELD, .offset = offsetof(struct top, per),
     .help = "The field whose values make the groups; all records are one group without it."},
    {.name = "k", .type = XY_OPT_INT, .offset = offsetof(struct top, k), .def = "0", .low = 0,
     .high = 1e15, .help = "How many records of a group stay; 0: as many as `share` says."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = offsetof(struct top, share), .def = "0",
     .low = 0, .high = 1,
     .help = "Which share of a group stays, rounded down but at least one record; 0: as many as "
             "`k` says. With both, the fewer."},
    {.name = "order", .type = XY_OPT_TEXT, .offset = offsetof(struct top, order_name),
     .def = "highest", .choices = "highest|lowest|random|first|weighted",
     .help = "Which records stay: those worth most, or least, a random draw, the first ones, or a "
             "draw in proportion to the records' weights."},
    {.name = "rank_into", .type = XY_OPT_FIELD, .offset = offsetof(struct top, rank_into),
     .help = "A field for the record's place in its group, from 1."},
    {0},
};

/* ---- reading --------------------------------------------------------------------------------- */

struct row {
    uint64_t index, random;
    double worth;
    uint32_t group;
    enum order order;
};

struct group {
    uint64_t records, kept;
};

struct pass {
    struct top *top;
    xy_job *job;
    xy_dataset *input;
    struct row *rows; /* those that have a worth */
    size_t row_count;
    struct names names;   /* of the groups, from 1: group 0 is of records without the field */
    struct group *groups;
    uint64_t worthless, weightless;
};

/* XY_OK with the number; XY_DROP, with a reason, when the record has none. */
static int find_worth(const struct pass *pass, const xy_record *record, double *worth)
{
    const struct top *top = pass->top;
    xy_value value = {.type = XY_NULL};
    *worth = 0;
    if (!top->compiled)
        return XY_OK;
    int code = top->language->evaluate(pass->job, top->compiled, record, &value);
    if (code == XY_ENOMEM || code == XY_ECANCELED)
        return code;
    if (code >= 0 && (value.type == XY_INT || value.type == XY_BOOL))
        *worth = (double)value.integer;
    else if (code >= 0 && value.type == XY_NUMBER)
        *worth = value.number;
    else
        return XY_DROP;
    return isnan(*worth) ? XY_DROP : XY_OK;
}

static int group_of(struct pass *pass, const xy_record *record, uint32_t *group)
{
    char scratch[NAMES_SCRATCH];
    *group = 0;
    if (!pass->top->per)
        return XY_OK;
    xy_str label = names_label(record, pass->top->per, scratch);
    if (!label.ptr)
        return XY_OK;
    *group = names_add(&pass->names, label);
    if (*group == NAMES_NONE)
        return XY_ENOMEM;
    ++*group;
    return XY_OK;
}

static int read_row(struct pass *pass, uint64_t index)
{
    struct top *top = pass->top;
    const xy_record *record = pass->input->api->at(pass->input, index);
    if (!record)
        return xy_fail(pass->job, XY_EIO, "record %llu cannot be read", (unsigned long long)index);
    struct row row = {.index = index, .order = top->order};
    if (top->order == ORDER_WEIGHTED && !(record->api->weight(record) > 0)) {
        pass->input->api->verdict(pass->input, index, XY_DROP, "weight 0: never drawn");
        pass->weightless++;
        return XY_OK;
    }
    int code = find_worth(pass, record, &row.worth);
    if (code == XY_DROP) {
        char why[256];
        snprintf(why, sizeof(why), "no number to be ranked by: %s", top->by);
        pass->input->api->verdict(pass->input, index, XY_DROP, why);
        pass->worthless++;
        return XY_OK;
    }
    if (code == XY_OK)
        code = group_of(pass, record, &row.group);
    if (code == XY_OK && top->order == ORDER_WEIGHTED) {
        uint64_t stream = top->rng->stream(pass->job, record, 0);
        row.worth = -log1p(-xy_random_unit(&stream)) / record->api->weight(record);
    }
    if (code == XY_OK && top->order == ORDER_RANDOM) {
        uint64_t stream = top->rng->stream(pass->job, record, 0);
        row.random = xy_random_next(&stream);
    }
    pass->rows[pass->row_count] = row;
    pass->row_count += code == XY_OK;
    return code;
}

static int read_rows(struct pass *pass)
{
    uint64_t count = pass->input->api->count(pass->input);
    pass->rows = calloc(count + 1, sizeof(*pass->rows));
    int code = pass->rows ? XY_OK : XY_ENOMEM;
    for (uint64_t i = 0; i < count && code == XY_OK; i++) {
        if (i % POLL == 0 && pass->job->api->cancelled(pass->job))
            return XY_ECANCELED;
        code = read_row(pass, i);
    }
    if (code == XY_OK)
        pass->groups = calloc((size_t)pass->names.count + 1, sizeof(*pass->groups));
    return code == XY_OK && !pass->groups ? XY_ENOMEM : code;
}

/* ---- ranking --------------------------------------------------------------------------------- */

/* Group by group, best first; ties as the records come. */
static int compare(const void *a, const void *b)
{
    const struct row *first = a, *second = b;
    if (first->group != second->group)
        return first->group < second->group ? -1 : 1;
    int worth = (first->worth > second->worth) - (first->worth < second->worth);
    int random = (first->random > second->random) - (first->random < second->random);
    if (first->order == ORDER_HIGHEST && worth)
        return -worth;
    if ((first->order == ORDER_LOWEST || first->order == ORDER_WEIGHTED) && worth)
        return worth; /* Efraimidis and Spirakis 2006: the first k of exponential times */
    if (first->order == ORDER_RANDOM && random)
        return random;
    return (first->index > second->index) - (first->index < second->index);
}

/* 0.2 * 4,050 is 810 although 0.2 is a little less in binary. */
static uint64_t wanted_of(const struct top *top, uint64_t records)
{
    uint64_t wanted = top->k ? (uint64_t)top->k : UINT64_MAX;
    if (top->share > 0) {
        double exact = top->share * (double)records;
        uint64_t part = (uint64_t)(exact + 1e-9 * (exact + 1));
        wanted = part < wanted ? part : wanted;
        wanted = wanted ? wanted : 1;
    }
    return wanted;
}

/* At most 60 bytes of the group's name, ended between two characters. */
static xy_str group_name(const struct pass *pass, uint32_t group)
{
    xy_str name = group ? names_at(&pass->names, group - 1) : xy_text("");
    return (xy_str){name.ptr, (size_t)excerpt_length(name, 60)};
}

static void drop(const struct pass *pass, const struct row *row, uint64_t rank, uint64_t wanted)
{
    const struct top *top = pass->top;
    xy_str name = group_name(pass, row->group);
    char why[256], worth[64] = "";
    if (top->compiled && (top->order == ORDER_HIGHEST || top->order == ORDER_LOWEST))
        snprintf(worth, sizeof(worth), " by %.6g", row->worth);
    snprintf(why, sizeof(why), "place %llu of %llu%s%s%.*s%s; the first %llu stay",
             (unsigned long long)rank,
             (unsigned long long)pass->groups[row->group].records, worth,
             top->per ? " in `" : "", (int)name.len, name.ptr,
             top->per ? "`" : "", (unsigned long long)wanted);
    pass->input->api->verdict(pass->input, row->index, XY_DROP, why);
}

static int rank(struct pass *pass)
{
    const struct top *top = pass->top;
    int code = XY_OK;
    qsort(pass->rows, pass->row_count, sizeof(*pass->rows), compare);
    for (size_t i = 0; i < pass->row_count; i++)
        pass->groups[pass->rows[i].group].records++;
    uint64_t place = 0;
    for (size_t i = 0; i < pass->row_count && code == XY_OK; i++) {
        const struct row *row = &pass->rows[i];
        struct group *group = &pass->groups[row->group];
        uint64_t wanted = wanted_of(top, group->records);
        place = i && pass->rows[i - 1].group == row->group ? place + 1 : 1;
        group->kept += place <= wanted;
        if (place > wanted)
            drop(pass, row, place, wanted);
        if (!top->rank_into)
            continue;
        xy_record *record = pass->input->api->edit(pass->input, row->index);
        code = record ? xy_record_set_int(record, top->rank_into, (int64_t)place) : XY_EIO;
    }
    return code;
}

/* ---- the run --------------------------------------------------------------------------------- */

/* Records that were in no group, since nothing ranks them. */
static void tell_left_out(const struct pass *pass)
{
    const struct top *top = pass->top;
    if (pass->worthless)
        xy_log_line(top->host, XY_LOG_WARNING, "%llu records were dropped: no number for `%s`",
                    (unsigned long long)pass->worthless, top->by);
    if (pass->weightless)
        xy_log_line(top->host, XY_LOG_WARNING, "%llu records were dropped: their weight is 0",
                    (unsigned long long)pass->weightless);
}

/* Which groups had fewer records than wanted: a shortfall that nobody would see in the output. */
static void tell_short(const struct pass *pass, xy_job *job)
{
    const struct top *top = pass->top;
    struct text names = {0};
    uint64_t least = UINT64_MAX, short_groups = 0, groups = 0, kept = 0;
    for (uint32_t i = 0; i <= pass->names.count; i++) {
        const struct group *group = &pass->groups[i];
        if (!group->records)
            continue;
        groups++;
        kept += group->kept;
        least = group->kept < least ? group->kept : least;
        if (!top->k || group->records >= (uint64_t)top->k)
            continue;
        char part[128];
        xy_str name = group_name(pass, i);
        snprintf(part, sizeof(part), "%s`%.*s` %llu", short_groups ? ", " : "",
                 (int)name.len, name.ptr, (unsigned long long)group->records);
        text_add_literal(&names, short_groups < MOST_NAMED ? part : "");
        short_groups++;
    }
    if (short_groups && !top->per)
        xy_log_line(top->host, XY_LOG_WARNING, "there are %llu records, fewer than the %lld to "
                    "keep", (unsigned long long)least, (long long)top->k);
    else if (short_groups)
        xy_log_line(top->host, XY_LOG_WARNING, "%llu of %llu groups have fewer than %lld: %s%s",
                    (unsigned long long)short_groups, (unsigned long long)groups,
                    (long long)top->k, names.bytes ? names.bytes : "",
                    short_groups > MOST_NAMED ? ", ..." : "");
    text_free(&names);
    if (!top->report || !groups)
        return;
    const double none = __builtin_nan("");
    top->report->score(job, &(xy_score){sizeof(xy_score), "short_groups", (double)short_groups,
                                        none, none, "", groups,
                                        "groups that have fewer records than `k`"});
    top->report->score(job, &(xy_score){sizeof(xy_score), "least_kept", (double)least, none, none,
                                        "records", kept, "records kept of the smallest group"});
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    struct pass pass = {.top = state, .job = job, .input = input};
    int code = read_rows(&pass);
    if (code == XY_OK)
        code = rank(&pass);
    if (code == XY_OK) {
        tell_short(&pass, job);
        tell_left_out(&pass);
    }
    if (code == XY_ENOMEM)
        job->api->explain(job, "out of memory");
    names_free(&pass.names);
    free(pass.rows);
    free(pass.groups);
    return code;
}

/* ---- life ------------------------------------------------------------------------------------ */

static const char *complaint(const struct top *top)
{
    if (!top->k && top->share <= 0)
        return "give `k`, `share` or both: how many records of a group stay";
    if (!top->by && (top->order == ORDER_HIGHEST || top->order == ORDER_LOWEST))
        return "give `by`, what a record is worth; or `order: random`, `weighted` or `first`";
    if (top->by && top->order > ORDER_LOWEST)
        return "`by` has no meaning with this `order`; leave one of them out";
    return NULL;
}

static int open_top(void *state, const xy_host *host)
{
    struct top *top = state;
    static const char first_letters[] = "hlrfw"; /* in the order of enum order */
    char error[256];
    top->host = host;
    top->language = host->service(host, XY_EXPRESSION);
    top->rng = host->service(host, XY_RNG);
    top->report = host->service(host, XY_REPORT);
    top->order = (enum order)(strchr(first_letters, top->order_name[0]) - first_letters + 1);
    if (!top->language || !top->rng)
        return XY_EUNSUPPORTED;
    const char *wrong = complaint(top);
    if (wrong) {
        xy_log_line(host, XY_LOG_ERROR, "%s", wrong);
        return XY_EINVAL;
    }
    if (!top->by)
        return XY_OK;
    top->compiled = top->language->compile(xy_text(top->by), error, sizeof(error));
    if (!top->compiled)
        xy_log_line(host, XY_LOG_ERROR, "`%s`: %s", top->by, error);
    return top->compiled ? XY_OK : XY_EINVAL;
}

static void close_top(void *state)
{
    struct top *top = state;
    if (top->compiled)
        top->language->release(top->compiled);
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ k: 2, order: random }" : NULL;
}

static const char *const needs[] = {XY_EXPRESSION, XY_RNG, NULL};

static const xy_stage top_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct top),
    .id = "top",
    .version = "1.0.0",
    .summary = "Keeps the best k records, a share, or a random draw of each group",
    .needs = needs,
    .options = options,
    .open = open_top,
    .close = close_top,
    .run = run,
    .extension = extension,
    .fields = "reads what `by` names and `per`, sets `rank_into`",
};

XY_PLUGIN("top", "1.0.0", "Apache-2.0", &top_stage)
