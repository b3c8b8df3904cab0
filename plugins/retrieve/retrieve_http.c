/* SPDX-License-Identifier: Apache-2.0 */
/* retrieve.http - passages from a search service. The service is a model (the generator `http`), so
 * that retries, limits, cache, journal and resume are the host's. */
#include <math.h>
#include <stdlib.h>

#include "json_reader.h"
#include "retrieve.h"
#include "retrieve_result.h"
#include "text.h"

struct search {
    const xy_model *endpoint;
    const char *query_source, *results, *into;
    const char *members;        /* a JSON object: name in the list -> path in a result */
    int64_t k;
    const xy_host *host;
    const xy_model_service *models;
    const xy_template *templates;
    void *query;
    struct tally tally;
};

#define AT(member) offsetof(struct search, member)

static const xy_option options[] = {
    {.name = "endpoint", .type = XY_OPT_MODEL, .offset = AT(endpoint), .flags = XY_OPT_REQUIRED,
     .help = "The service, under `models:`: `use: http` with its address."},
    {.name = "query", .type = XY_OPT_TEMPLATE, .offset = AT(query_source),
     .flags = XY_OPT_REQUIRED,
     .help = "What to look for: a template over the record; the endpoint's `{prompt}`."},
    {.name = "results", .type = XY_OPT_TEXT, .offset = AT(results), .def = "",
     .help = "Where the answer has the list of results: a path of names and indices, as "
             "`hits.hits`, or a JSON pointer, as `/hits/hits`; empty: the answer is the list."},
    {.name = "fields", .type = XY_OPT_JSON, .offset = AT(members),
     .help = "What a passage has in the list: a map from name to path in the result, as `{ text: "
             "_source.body }`; the results as they are when not given."},
    {.name = "k", .type = XY_OPT_INT, .offset = AT(k), .def = "5", .low = 1, .high = 1000,
     .help = "How many passages a record gets at most."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = AT(into), .def = "passages",
     .help = "The field set to the list of passages, in the service's order."},
    {0},
};

static int open_search(void *state, const xy_host *host)
{
    struct search *search = state;
    search->host = host;
    tally_open(&search->tally, host);
    search->models = host->service(host, XY_MODEL);
    search->templates = host->service(host, XY_TEMPLATE);
    if (!search->models || !search->templates)
        return XY_EUNSUPPORTED;
    if (search->members && json_kind(json_check(xy_text(search->members))) != '{') {
        xy_log_line(host, XY_LOG_ERROR, "`fields` must be a map from name to path, as "
                    "`{ text: _source.body }`");
        return XY_EINVAL;
    }
    search->query = result_compile(host, search->templates, search->query_source);
    return search->query ? XY_OK : XY_EINVAL;
}

static void close_search(void *state)
{
    struct search *search = state;
    if (search->query)
        search->templates->release(search->query);
    tally_close(&search->tally);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* One step of a JSON pointer (RFC 6901): `~1` is '/', `~0` is '~'. */
static xy_str pointer_step(xy_str value, const char *from, size_t length)
{
    char name[256];
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < sizeof(name); i++) {
        char next = i + 1 < length ? from[i + 1] : '\0';
        bool escape = from[i] == '~' && (next == '0' || next == '1');
        name[used++] = (char)(!escape ? from[i] : next == '1' ? '/' : '~');
        i += escape;
    }
    name[used] = '\0';
    return json_kind(value) == '[' ? json_path(value, name) : json_member(value, name);
}

/* A dotted path, or a pointer when it begins with '/'; the value itself when it is empty. */
static xy_str find(xy_str value, const char *path)
{
    if (*path != '/')
        return *path ? json_path(value, path) : value;
    while (*path == '/') {
        size_t length = strcspn(path + 1, "/");
        value = pointer_step(value, path + 1, length);
        path += 1 + length;
    }
    return value;
}

/* A result as it goes into the list: with `fields` an object of these, those that it has. */
static void add_result(const struct search *search, xy_str result, struct text *list)
{
    struct json_cursor cursor = {0};
    xy_str name, path;
    bool any = false;
    if (!search->members) {
        text_add_str(list, result);
        return;
    }
    text_add_literal(list, "{");
    while (json_next(json_check(xy_text(search->members)), &cursor, &name, &path)) {
        char *decoded = malloc(path.len + 1);
        if (!decoded) {
            list->failed = true;
            return;
        }
        json_decode(path, decoded);
        xy_str value = find(result, decoded);
        free(decoded);
        if (!value.ptr)
            continue;
        text_add_literal(list, any ? ",\"" : "\"");
        text_add_str(list, name);
        text_add_literal(list, "\":");
        text_add_str(list, value);
        any = true;
    }
    text_add_literal(list, "}");
}

static int read_answer(struct search *search, xy_job *job, xy_str body)
{
    xy_str answer = json_check(body), results = find(answer, search->results);
    struct json_cursor cursor = {0};
    xy_str key, result;
    size_t count = 0;
    if (!answer.ptr)
        return xy_fail(job, XY_EUPSTREAM, "the endpoint's answer is no JSON: %.*s",
                       (int)(body.len < 80 ? body.len : 80), body.ptr ? body.ptr : "");
    if (json_kind(results) != '[')
        return xy_fail(job, XY_EUPSTREAM, "the endpoint's answer has no list at `results: %s`; it "
                       "begins: %.*s", search->results, (int)(body.len < 160 ? body.len : 160),
                       body.ptr);
    struct text list = {0};
    text_add_literal(&list, "[");
    while (count < (size_t)search->k && json_next(results, &cursor, &key, &result)) {
        text_add_literal(&list, count++ ? "," : "");
        add_result(search, result, &list);
    }
    text_add_literal(&list, "]");
    int code = list.failed ? XY_ENOMEM
                           : xy_record_set_json(job->api->input(job, 0), search->into,
                                                (xy_str){list.bytes, list.length});
    text_free(&list);
    if (code < 0)
        return xy_fail(job, code, "the results cannot be set on `%s`: has one of them a key twice?",
                       search->into);
    tally_add(&search->tally, job, count, -1);
    return XY_OK;
}

static void answered(xy_job *job, void *user, const xy_reply *reply)
{
    if (reply->status < 0) {
        job->api->explain(job, reply->error ? reply->error : "the endpoint did not answer");
        job->api->finish(job, reply->status);
        return;
    }
    job->api->finish(job, read_answer(user, job, reply->text));
}

static int process(void *state, xy_job *job)
{
    struct search *search = state;
    xy_message message = {.role = {"user", 4}};
    int code = search->templates->render(job, search->query, job->api->input(job, 0),
                                         &message.content);
    if (code < 0)
        return code;
    if (message.content.len == 0)
        return xy_drop(job, "the query is empty: there is nothing to look for");
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE, .messages = &message,
                          .message_count = 1, .temperature = -1, .top_p = -1};
    code = search->models->submit(job, search->endpoint, &request, answered, search, NULL);
    return code < 0 ? xy_fail(job, code, "the query could not be sent") : XY_PENDING;
}

static double estimate_calls(const void *state)
{
    (void)state;
    return 1;
}

static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{endpoint: some, query: '{{ text }}', fields: {text: body}}" : NULL;
}

static const char *const needs[] = {XY_MODEL, XY_TEMPLATE, NULL};

const xy_stage retrieve_http = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .state_size = sizeof(struct search),
    .id = "retrieve.http",
    .version = "1.0.0",
    .summary = "Gives each record the results that a search service has for a query",
    .needs = needs,
    .options = options,
    .open = open_search,
    .close = close_search,
    .process = process,
    .extension = extension,
    .fields = "reads what `query` names, sets `into`",
    .estimate_calls = estimate_calls,
};
