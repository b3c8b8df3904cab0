/* SPDX-License-Identifier: Apache-2.0 */
/* select - keeps the few records that stand best for the many: which ones to annotate, or to show.
 * Selective annotation (Su et al. 2023) and what it is compared with. */
#include <math.h>
#include <stdlib.h>

#include "select_methods.h"
#include "select_rows.h"

struct select {
    struct rows_options rows;
    const char *method, *rank, *action;
    int64_t k, neighbours;
    double share;
    bool marks;
    const xy_host *host;
    const xy_rng *rng;
    const xy_report *report;
};

#define AT(member) offsetof(struct select, member)

static const xy_option options[] = {
    {.name = "method", .type = XY_OPT_TEXT, .offset = AT(method), .def = "vote_k",
     .choices = "vote_k|k_center|k_means|facility_location|random|least_confidence|margin|entropy|"
                "disagreement|bald",
     .help = "How to choose: by votes of neighbours, spread out, one of each cluster, covering "
             "all, at random, or what models are least sure of, in one of five ways."},
    {.name = "k", .type = XY_OPT_INT, .offset = AT(k), .low = 1, .high = 1e9,
     .help = "How many records to keep, those of `known` not counted; this or `share` is needed."},
    {.name = "share", .type = XY_OPT_NUMBER, .offset = AT(share), .low = 0, .high = 1,
     .help = "The same as a share of the records, or of each value of `per`, rounded up."},
    {.name = "per", .type = XY_OPT_FIELD, .offset = AT(rows.per),
     .help = "Keeps so many of each value of this field, each chosen by itself."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(rows.field), .def = "text",
     .help = "The text to compare by, and to know records of `known` again."},
    {.name = "embed", .type = XY_OPT_MODEL, .offset = AT(rows.embed),
     .help = "The model that embeds the texts; this or `vector` is needed, but for `random` and "
             "`least_confidence`."},
    {.name = "vector", .type = XY_OPT_FIELD, .offset = AT(rows.vector),
     .help = "A field with ready vectors, of an `embed` step, in place of a model."},
    {.name = "neighbours", .type = XY_OPT_INT, .offset = AT(neighbours), .def = "150", .low = 1,
     .high = 100000, .help = "For `vote_k`: how many nearest records each one votes for."},
    {.name = "confidence", .type = XY_OPT_FIELD, .offset = AT(rows.confidence),
     .help = "A number field: how sure a model is. `vote_k` then chooses one in each of `k` bands "
             "of rising confidence, the surest tenth left out; `least_confidence` needs it."},
    {.name = "probabilities", .type = XY_OPT_LIST, .offset = AT(rows.probabilities),
     .help = "For `margin`, `entropy` and `bald`: fields with class probabilities or votes, each a "
             "vector, a list, an object of numbers, or a list of such lists; several are draws of "
             "a model, or several models, and their mean counts, for `bald` how far they differ."},
    {.name = "disagreement", .type = XY_OPT_FIELD, .offset = AT(rows.disagreement),
     .def = "vote_entropy",
     .help = "For `disagreement`: a number field that says how far annotators differ."},
    {.name = "known", .type = XY_OPT_DATASET, .offset = AT(rows.known),
     .help = "Records that were chosen before, known by id or text: kept, and those like them are "
             "chosen less."},
    {.name = "rank", .type = XY_OPT_FIELD, .offset = AT(rank),
     .help = "The field set to when a record was chosen within its group, from 0; not for `known` "
             "ones."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = AT(action), .def = "drop",
     .choices = "drop|mark",
     .help = "What becomes of the others: they are dropped, or stay, without `rank`."},
    {0},
};

static const struct method {
    const char *name;
    int (*choose)(struct group *group);
    bool needs_places;
    enum doubt doubt;
} methods[] = {
    {"vote_k", select_vote_k, true, DOUBT_NONE},
    {"k_center", select_k_center, true, DOUBT_NONE},
    {"k_means", select_k_means, true, DOUBT_NONE},
    {"facility_location", select_facility_location, true, DOUBT_NONE},
    {"random", select_random, false, DOUBT_NONE},
    {"least_confidence", select_least_confidence, false, DOUBT_CONFIDENCE},
    {"margin", select_least_confidence, false, DOUBT_MARGIN},
    {"entropy", select_least_confidence, false, DOUBT_ENTROPY},
    {"disagreement", select_least_confidence, false, DOUBT_DISAGREEMENT},
    {"bald", select_least_confidence, false, DOUBT_INFORMATION},
};

static const struct method *find_method(const char *name)
{
    size_t i = 0;
    while (strcmp(methods[i].name, name) != 0)
        i++;
    return &methods[i];
}

static bool takes_probabilities(enum doubt doubt)
{
    return doubt == DOUBT_MARGIN || doubt == DOUBT_ENTROPY || doubt == DOUBT_INFORMATION;
}

static int check_doubt(struct select *select, const struct method *method, const xy_host *host)
{
    struct rows_options *rows = &select->rows;
    rows->doubt = method->doubt || !rows->confidence ? method->doubt : DOUBT_CONFIDENCE;
    if (rows->doubt == DOUBT_CONFIDENCE && !rows->confidence)
        xy_log_line(host, XY_LOG_ERROR, "`method: %s` needs `confidence`, a number field",
                    method->name);
    else if (takes_probabilities(rows->doubt) && !(rows->probabilities && rows->probabilities[0]))
        xy_log_line(host, XY_LOG_ERROR, "`method: %s` needs `probabilities`, fields with the "
                    "probability of each class", method->name);
    else if (!select->k == !(select->share > 0))
        xy_log_line(host, XY_LOG_ERROR, "expected either `k` or `share`, how many records to "
                    "keep%s", select->k ? "; found both" : "");
    else
        return XY_OK;
    return XY_EINVAL;
}

static int open_select(void *state, const xy_host *host)
{
    struct select *select = state;
    const struct method *method = find_method(select->method);
    struct rows_options *rows = &select->rows;
    select->host = host;
    select->rng = host->service(host, XY_RNG);
    select->marks = select->action[0] == 'm';
    select->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    rows->models = host->service(host, XY_MODEL);
    rows->needs_places = method->needs_places;
    if (method->needs_places && !rows->embed == !rows->vector) {
        xy_log_line(host, XY_LOG_ERROR, "`method: %s` needs `embed`, a model, or `vector`, a field "
                    "with ready vectors%s", method->name, rows->embed ? ", not both" : "");
        return XY_EINVAL;
    }
    if (select->marks && !select->rank) {
        xy_log_line(host, XY_LOG_ERROR, "`action: mark` needs `rank`, the field to mark with");
        return XY_EINVAL;
    }
    if (check_doubt(select, method, host) < 0)
        return XY_EINVAL;
    return select->rng && (rows->models || !rows->embed) ? XY_OK : XY_EUNSUPPORTED;
}

/* ---- one group ------------------------------------------------------------------------------- */

/* What was decided for each record. */
struct decision {
    bool kept;
    uint32_t rank;     /* NAMES_NONE for known ones */
};

struct selection {
    const struct select *select;
    xy_job *job;
    const struct rows *rows;
    struct decision *decisions;
    uint32_t *members; /* records of the group at hand */
    size_t short_by, chosen;
};

/* How many to choose of `count`, were there enough. */
static size_t asked_for(const struct select *select, size_t count)
{
    return select->k ? (size_t)select->k : (size_t)ceil(select->share * (double)count - 1e-9);
}

static int fill_group(struct selection *selection, struct group *group)
{
    const struct rows *rows = selection->rows;
    const struct select *select = selection->select;
    xy_job *job = selection->job;
    size_t count = group->count;
    const float **places = job->api->alloc(job, (count + 1) * sizeof(*places));
    double *scales = job->api->alloc(job, (count + 1) * sizeof(*scales));
    double *confidences = job->api->alloc(job, (count + 1) * sizeof(*confidences));
    group->taken = job->api->alloc(job, (count + 1) * sizeof(*group->taken));
    if (!places || !scales || !confidences || !group->taken)
        return XY_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = selection->members[i];
        places[i] = rows->places[row];
        scales[i] = rows->scales[row];
        confidences[i] = rows->confidences[row];
        group->taken[i] = rows->known[row];
        group->known += rows->known[row];
    }
    group->rows = places;
    group->scales = scales;
    group->confidences = select->rows.doubt ? confidences : NULL;
    group->dimension = rows->dimension;
    group->neighbours = (size_t)select->neighbours;
    size_t wanted = asked_for(select, count);
    group->wanted = wanted < count - group->known ? wanted : count - group->known;
    group->chosen = job->api->alloc(job, (group->wanted + 1) * sizeof(*group->chosen));
    return group->chosen ? XY_OK : XY_ENOMEM;
}

static void tell_short(struct selection *selection, const struct group *group, uint32_t number)
{
    const struct select *select = selection->select;
    size_t wanted = asked_for(select, group->count);
    selection->short_by += wanted - group->found;
    if (select->rows.per)
        xy_log_line(select->host, XY_LOG_WARNING, "`%s` = \"%s\": %zu of %zu records chosen, "
                    "since there are no more to choose from", select->rows.per,
                    names_at(&selection->rows->group_names, number).ptr, group->found, wanted);
    else
        xy_log_line(select->host, XY_LOG_WARNING, "%zu of %zu records chosen, since there are no "
                    "more to choose from", group->found, wanted);
}

static int choose_in_group(struct selection *selection, size_t count, uint32_t number)
{
    struct group group = {.job = selection->job, .count = count,
                          .random = selection->select->rng->stream(selection->job, NULL, number)};
    int code = fill_group(selection, &group);
    if (code == XY_OK)
        code = find_method(selection->select->method)->choose(&group);
    if (code < 0)
        return code;
    for (size_t i = 0; i < group.found; i++)
        selection->decisions[selection->members[group.chosen[i]]] =
            (struct decision){true, (uint32_t)i};
    selection->chosen += group.found;
    if (group.found < asked_for(selection->select, count))
        tell_short(selection, &group, number);
    return XY_OK;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void give_score(const struct selection *selection, const char *name, double value,
                       const char *unit, const char *help)
{
    const xy_score score = {.size = sizeof(score), .name = name, .value = value, .low = NAN,
                            .high = NAN, .unit = unit, .n = selection->rows->count, .help = help};
    if (selection->select->report)
        selection->select->report->score(selection->job, &score);
}

/* The mean cosine of each record with the nearest that is kept. */
static int report_coverage(const struct selection *selection)
{
    const struct rows *rows = selection->rows;
    const struct group whole = {.rows = rows->places, .scales = rows->scales,
                                .dimension = rows->dimension};
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        float nearest = -1;
        if (!rows->usable[i])
            continue;
        if (selection->job->api->cancelled(selection->job))
            return XY_ECANCELED;
        for (size_t j = 0; j < rows->count; j++) {
            float near = selection->decisions[j].kept ? select_cosine(&whole, i, j) : -1;
            nearest = near > nearest ? near : nearest;
        }
        sum += (double)nearest;
        count++;
    }
    if (count)
        give_score(selection, "coverage", sum / (double)count, "cosine",
                   "mean cosine of a record with the nearest one kept");
    return XY_OK;
}

static int apply(const struct selection *selection, xy_dataset *input)
{
    const struct select *select = selection->select;
    const struct rows *rows = selection->rows;
    for (size_t i = 0; i < rows->count; i++) {
        const struct decision *decision = &selection->decisions[i];
        char why[96];
        int code = XY_OK;
        if (select->k)
            snprintf(why, sizeof(why), "not among the %lld chosen by %s", (long long)select->k,
                     select->method);
        else
            snprintf(why, sizeof(why), "not in the share of %g chosen by %s", select->share,
                     select->method);
        if (select->rows.doubt && isnan(rows->confidences[i]))
            snprintf(why, sizeof(why), "it has nothing that `method: %s` can measure",
                     select->method);
        if (!rows->usable[i] && !decision->kept)
            snprintf(why, sizeof(why), "nothing to compare by in `%.60s`",
                     select->rows.vector ? select->rows.vector : select->rows.field);
        if (!decision->kept && !select->marks)
            code = input->api->verdict(input, i, XY_DROP, why);
        else if (decision->kept && select->rank && decision->rank != NAMES_NONE)
            code = xy_record_set_int(input->api->edit(input, i), select->rank, decision->rank);
        if (code < 0)
            return xy_fail(selection->job, code, "record %zu cannot be marked", i);
    }
    return XY_OK;
}

static int choose_all(struct selection *selection)
{
    const struct rows *rows = selection->rows;
    uint32_t groups = selection->select->rows.per ? rows->group_names.count : 1;
    int code = XY_OK;
    for (size_t i = 0; i < rows->count; i++)
        selection->decisions[i] = (struct decision){rows->known[i], NAMES_NONE};
    for (uint32_t number = 0; number < groups && code == XY_OK; number++) {
        size_t count = 0;
        for (size_t i = 0; i < rows->count; i++)
            if (rows->groups[i] == number && rows->usable[i])
                selection->members[count++] = (uint32_t)i;
        code = choose_in_group(selection, count, number);
    }
    if (code == XY_OK && rows->dimension)
        code = report_coverage(selection);
    return code;
}

static int run(void *state, xy_job *job, xy_dataset *input)
{
    const struct select *select = state;
    struct rows rows = {0};
    struct selection selection = {.select = select, .job = job, .rows = &rows};
    if (input->api->count(input) == 0)
        return XY_OK;
    int code = rows_read(&rows, job, input, &select->rows);
    selection.decisions = calloc(rows.count + 1, sizeof(*selection.decisions));
    selection.members = calloc(rows.count + 1, sizeof(*selection.members));
    if (code == XY_OK && (!selection.decisions || !selection.members))
        code = XY_ENOMEM;
    if (code == XY_OK)
        code = choose_all(&selection);
    if (code == XY_OK)
        code = apply(&selection, input);
    if (code == XY_OK) {
        give_score(&selection, "chosen", (double)selection.chosen, "records", "records chosen");
        give_score(&selection, "short", (double)selection.short_by, "records",
                   "records fewer than asked for");
    }
    if (code == XY_ENOMEM)
        xy_fail(job, code, "out of memory");
    free(selection.decisions);
    free(selection.members);
    rows_free(&rows);
    return code;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{k: 2, embed: m}" : NULL;
}

static const char *const needs[] = {XY_RNG, NULL};

static const xy_stage select_stage = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_DATASET,
    .state_size = sizeof(struct select),
    .id = "select",
    .version = "1.0.0",
    .summary = "Keeps the few records that stand best for the many",
    .needs = needs,
    .options = options,
    .open = open_select,
    .run = run,
    .extension = extension,
    .fields = "reads `field` or `vector`, `per`, `confidence` or `probabilities`; sets `rank`",
};

XY_PLUGIN("select", "1.0.0", "Apache-2.0", &select_stage)
