/* SPDX-License-Identifier: Apache-2.0 */
/* The condition: the rows of a query as records, or as a list in the record that asked. Calls go to
 * the endpoint as to a model, so that its limits, retries, cache and journal are the host's. */
#include "sparql.h"

struct condition {
    const xy_model *endpoint;
    const char *query, *into;
    int64_t page, limit;
    double timeout;
    const xy_host *host;
    const xy_model_service *models;
    const xy_template *templates;
    void *compiled;
    bool said_order;    /* the line about the order of pages was written; [loop] only */
};

#define AT(member) offsetof(struct condition, member)

static const xy_option options[] = {
    {.name = "endpoint", .type = XY_OPT_MODEL, .offset = AT(endpoint), .flags = XY_OPT_REQUIRED,
     .help = "The entry of `models:` that answers: use: sparql, endpoint: an address."},
    {.name = "query", .type = XY_OPT_TEMPLATE, .offset = AT(query), .flags = XY_OPT_REQUIRED,
     .help = "The SELECT or ASK query, a template over the record; write {{ name | tojson }} for "
             "a text in quotes."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into),
     .help = "Sets this field of each record that comes in to the list of rows; without it each "
             "row becomes a record, with a field for each variable."},
    {.name = "page", .type = XY_OPT_INT, .offset = AT(page), .def = "0", .low = 0, .high = 1e9,
     .help = "Asks for so many rows at a time, by LIMIT and OFFSET, until there are no more; 0 "
             "asks once. Give the query an ORDER BY."},
    {.name = "limit", .type = XY_OPT_INT, .offset = AT(limit), .def = "0", .low = 0, .high = 1e12,
     .help = "Takes at most so many rows; 0 takes all."},
    {.name = "timeout", .type = XY_OPT_SECONDS, .offset = AT(timeout), .def = "60s", .low = 0.001,
     .high = 86400, .help = "How long one request may take."},
    {0},
};

/* One record's query under way, or one page of a source's; the job's. */
struct search {
    struct condition *condition;
    xy_job *job;
    xy_str query;
    struct sparql_query read;
    uint64_t offset, asked; /* rows before this page; rows asked for in it, 0: no bound */
    struct text rows;       /* with `into`: the list so far */
    uint64_t row_count;
};

/* ---- answers --------------------------------------------------------------------------------- */

static int finish(struct search *search, int verdict)
{
    text_free(&search->rows);
    return search->job->api->finish(search->job, verdict);
}

static int take_row(struct search *search, xy_str row)
{
    const struct condition *condition = search->condition;
    xy_job *job = search->job;
    if (condition->into) {
        text_add_literal(&search->rows, search->row_count ? "," : "[");
        return sparql_add_row(job, row, &search->rows) ? XY_OK : XY_ENOMEM;
    }
    xy_record *record = job->api->new_record(job, job->api->input(job, 0));
    int code = record ? sparql_set_row(job, record, row) : XY_ENOMEM;
    return code < 0 ? code : job->api->emit(job, record);
}

/* Takes the rows of one answer; *count: how many it had. ASK answers one row, `boolean`. */
static int take_rows(struct search *search, xy_str answer, uint64_t *count)
{
    uint64_t most = search->condition->limit ? (uint64_t)search->condition->limit : UINT64_MAX;
    xy_str rows = sparql_bindings(answer), key, row;
    struct json_cursor cursor = {0};
    int code = XY_OK;
    *count = 0;
    if (json_kind(rows) != '[') {
        bool yes = json_kind(json_member(answer, "boolean")) == 't';
        code = take_row(search, xy_text(yes ? SPARQL_TRUE_ROW : SPARQL_FALSE_ROW));
        search->row_count++;
        return code;
    }
    while (code == XY_OK && json_next(rows, &cursor, &key, &row)) {
        ++*count;
        if (search->offset + *count > most)
            break;
        code = take_row(search, row);
        search->row_count++;
    }
    return code;
}

static int ask(struct search *search);

/* All rows are there. */
static void conclude(struct search *search)
{
    const struct condition *condition = search->condition;
    xy_job *job = search->job;
    xy_record *input = job->api->input(job, 0);
    if (!input) {
        if (search->offset == 0 && search->row_count == 0)
            job->api->explain(job, "the query has no rows");
        finish(search, XY_END);
    } else if (condition->into) {
        text_add_literal(&search->rows, search->row_count ? "]" : "[]");
        int code = search->rows.failed
                       ? XY_ENOMEM
                       : xy_record_set_json(input, condition->into,
                                            (xy_str){search->rows.bytes, search->rows.length});
        finish(search, code < 0 ? code : XY_OK);
    } else if (search->row_count == 0) {
        job->api->explain(job, "the query has no rows for this record");
        finish(search, XY_DROP);
    } else {
        finish(search, XY_CONSUMED);
    }
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    struct search *search = user;
    uint64_t count = 0, limit = (uint64_t)search->condition->limit;
    if (reply->status < 0) {
        job->api->explain(job, reply->error ? reply->error : "the endpoint did not answer");
        finish(search, reply->status);
        return;
    }
    xy_str answer = json_check(reply->text);
    if (!sparql_is_answer(answer)) {
        finish(search, xy_fail(job, XY_EUPSTREAM, "the answer is no SPARQL results in JSON: does "
                               "`endpoint` name an entry of `models:` with `use: sparql`?"));
        return;
    }
    int code = take_rows(search, answer, &count);
    if (code < 0) {
        finish(search, xy_fail(job, code, "a row cannot be made a record: is each variable's name "
                               "a field's name?"));
        return;
    }
    bool more = search->asked && count >= search->asked && search->condition->page &&
                (!limit || search->offset + count < limit);
    if (!more) {
        conclude(search);
    } else if (!job->api->input(job, 0)) {
        finish(search, XY_CONSUMED); /* the next page is for the next call */
    } else {
        search->offset += count;
        code = ask(search);
        if (code < 0)
            finish(search, code);
    }
}

/* ---- questions ------------------------------------------------------------------------------- */

static int ask(struct search *search)
{
    const struct condition *condition = search->condition;
    xy_job *job = search->job;
    uint64_t limit = (uint64_t)condition->limit, page = (uint64_t)condition->page;
    uint64_t left = limit ? limit - search->offset : 0;
    search->asked = search->read.limited ? 0 : page;
    if (left && !search->read.limited && (!page || left < page))
        search->asked = left;
    struct text query = {0};
    sparql_page(search->query, &search->read, search->asked, search->offset, &query);
    xy_message message = {xy_text("user"), {query.bytes, query.length}};
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE, .messages = &message,
                          .message_count = 1, .temperature = -1, .top_p = -1,
                          .timeout_ms = (uint32_t)(condition->timeout * 1e3)};
    int code = query.failed ? XY_ENOMEM
                            : condition->models->submit(job, condition->endpoint, &request,
                                                        answered, search, NULL);
    text_free(&query);
    return code < 0 ? xy_fail(job, code, "the query could not be sent") : XY_PENDING;
}

static int check_query(struct condition *condition, xy_job *job, const struct search *search)
{
    if (search->read.form == SPARQL_OTHER)
        return xy_fail(job, XY_EINVAL, "the query is neither SELECT nor ASK: it begins \"%.*s\"",
                       (int)(search->query.len < 60 ? search->query.len : 60),
                       search->query.len ? search->query.ptr : "");
    if (condition->page && search->read.limited)
        return xy_fail(job, XY_EINVAL, "the query has a LIMIT or OFFSET of its own, which `page` "
                       "would set: use the option `limit`");
    if (condition->page && !search->read.ordered && !condition->said_order) {
        condition->said_order = true;
        xy_log_line(condition->host, XY_LOG_WARNING, "the query has no ORDER BY: nothing promises "
                    "that its pages have each row once");
    }
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    struct condition *condition = state;
    const xy_record *record = job->api->input(job, 0);
    if (!record && job->api->round(job) > 0)
        return XY_END; /* the rows were there once */
    struct search *search = job->api->alloc(job, sizeof(*search));
    if (!search)
        return xy_fail(job, XY_ENOMEM, "out of memory");
    *search = (struct search){.condition = condition, .job = job};
    int code = condition->templates->render(job, condition->compiled, record, &search->query);
    if (code < 0)
        return code;
    search->read = sparql_read(search->query);
    code = check_query(condition, job, search);
    if (!record)
        search->offset = job->api->sequence(job) * (uint64_t)condition->page;
    return code < 0 ? code : ask(search);
}

/* ---- the stage ------------------------------------------------------------------------------- */

static int condition_open(void *state, const xy_host *host)
{
    struct condition *condition = state;
    char error[256];
    condition->host = host;
    condition->models = host->service(host, XY_MODEL);
    condition->templates = host->service(host, XY_TEMPLATE);
    if (!condition->models || !condition->templates)
        return XY_EUNSUPPORTED;
    if (!(condition->models->can(condition->endpoint) & XY_COMPLETE)) {
        xy_log_line(host, XY_LOG_ERROR, "the model given as `endpoint` answers no prompts");
        return XY_EINVAL;
    }
    condition->compiled = condition->templates->compile(xy_text(condition->query), error,
                                                        sizeof(error));
    if (!condition->compiled)
        xy_log_line(host, XY_LOG_ERROR, "`query`: %s", error);
    return condition->compiled ? XY_OK : XY_EINVAL;
}

static void condition_close(void *state)
{
    struct condition *condition = state;
    if (condition->compiled)
        condition->templates->release(condition->compiled);
}

static int64_t estimate(const void *state)
{
    const struct condition *condition = state;
    return condition->into ? 1 : condition->limit ? condition->limit : -1;
}

static double estimate_calls(const void *state)
{
    const struct condition *condition = state;
    int64_t pages = 1;
    if (condition->page && condition->limit)
        pages = (condition->limit + condition->page - 1) / condition->page;
    return (double)pages;
}

static const char *const needs[] = {XY_MODEL, XY_TEMPLATE, NULL};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{ endpoint: some, query: \"SELECT ?s WHERE { ?s ?p ?o } LIMIT 3\" }" : NULL;
}

const xy_stage sparql_condition = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_SOURCE,
    .state_size = sizeof(struct condition),
    .id = "sparql",
    .version = "1.0.0",
    .summary = "Makes records of the rows that a SPARQL endpoint answers to a query",
    .needs = needs,
    .options = options,
    .open = condition_open,
    .close = condition_close,
    .process = process,
    .estimate = estimate,
    .estimate_calls = estimate_calls,
    .extension = extension,
    .fields = "reads what `query` names, sets a field for each variable, or `into`",
};
