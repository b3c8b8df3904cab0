/* SPDX-License-Identifier: Apache-2.0 */
/* The condition beside an endpoint of the test's own, which keeps what it was asked; the generator
 * beside an HTTP service of the test's own. Both against servers: tests/recipes/sparql_test.py. */
#include "check.h"
#include "generator_fixture.h"
#include "stage_host.h"

/* ---- the condition --------------------------------------------------------------------------- */

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;
static char asked[8][512];
static size_t ask_count;
static unsigned rows_left; /* of the endpoint's table, from here on */
static const char *answer_text;

#define XSD "http://www.w3.org/2001/XMLSchema#"

/* Answers as many of the rows that are left as the query's LIMIT lets. */
static int answer(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    xy_str query = request->messages[0].content;
    snprintf(asked[ask_count % 8], sizeof(asked[0]), "%.*s", (int)query.len, query.ptr);
    const char *limit = strstr(asked[ask_count++ % 8], "LIMIT ");
    unsigned most = limit ? (unsigned)strtoul(limit + 6, NULL, 10) : 1000;
    char text[4096];
    size_t length = (size_t)snprintf(text, sizeof(text), "{\"results\":{\"bindings\":[");
    for (unsigned i = 0; i < most && rows_left > 0; i++, rows_left--)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%s{\"n\":{\"type\":\"literal\",\"value\":\"%u\"}}",
                                   i ? "," : "", rows_left);
    snprintf(text + length, sizeof(text) - length, "]}}");
    const char *whole = answer_text ? answer_text : text;
    reply->text = arena_str(arena, str_of(whole));
    return XY_OK;
}

static bool open_condition(const char *yaml)
{
    instance_close(instance);
    host.answer = answer;
    host.log[0] = '\0';
    answer_text = NULL;
    instance = stage_host_open(&host, XY_CONDITION, "sparql", yaml);
    return instance != NULL;
}

static void run(const char *yaml, unsigned rows, const char *text, const char *json)
{
    bool good = open_condition(yaml);
    if (!good)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_TRUE_FATAL(good);
    rows_left = rows;
    answer_text = text;
    ask_count = 0;
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
}

static void types_rows(void)
{
    run("{endpoint: kg, query: 'SELECT * WHERE {}'}", 0,
        "{\"head\":{},\"results\":{\"bindings\":["
        "{\"iri\":{\"type\":\"uri\",\"value\":\"http://e/a\"},"
        "\"i\":{\"type\":\"literal\",\"value\":\"-042\",\"datatype\":\"" XSD "integer\"},"
        "\"large\":{\"type\":\"literal\",\"value\":\"9223372036854775808\",\"datatype\":\"" XSD
        "integer\"},"
        "\"d\":{\"type\":\"literal\",\"value\":\"1.50\",\"datatype\":\"" XSD "decimal\"},"
        "\"inf\":{\"type\":\"literal\",\"value\":\"INF\",\"datatype\":\"" XSD "double\"},"
        "\"b\":{\"type\":\"typed-literal\",\"value\":\"1\",\"datatype\":\"" XSD "boolean\"},"
        "\"day\":{\"type\":\"literal\",\"value\":\"2024-02-29\",\"datatype\":\"" XSD "date\"},"
        "\"t\":{\"type\":\"literal\",\"value\":\"say \\\"hi\\\"\",\"xml:lang\":\"en\"}},"
        "{\"t\":{\"type\":\"literal\",\"value\":\"5\"}}]}}", "{\"kept\":7}");
    CU_ASSERT_EQUAL(result.verdict, XY_CONSUMED);
    CU_ASSERT_EQUAL_FATAL(result.count, 2);
    xy_value value;
    const struct record *row = result.records[0];
    CHECK_TEXT(stage_text(row, "iri"), "http://e/a");
    CU_ASSERT_EQUAL(record_get(row, "i", &value), XY_INT);
    CU_ASSERT_EQUAL(value.integer, -42);
    CU_ASSERT_EQUAL(record_get(row, "large", &value), XY_TEXT); /* 2^63 is no integer of 64 bits */
    CU_ASSERT_EQUAL(record_get(row, "d", &value), XY_NUMBER);
    CU_ASSERT_EQUAL(value.number, 1.5);
    CU_ASSERT_EQUAL(record_get(row, "inf", &value), XY_TEXT);
    CU_ASSERT_EQUAL(record_get(row, "b", &value), XY_BOOL);
    CU_ASSERT_EQUAL(value.integer, 1);
    CHECK_TEXT(stage_text(row, "day"), "2024-02-29");
    CHECK_TEXT(stage_text(row, "t"), "say \"hi\"");
    CHECK_TEXT(stage_text(row, "kept"), "7");
    CU_ASSERT_EQUAL(record_get(result.records[1], "i", &value), XY_NULL); /* not bound */
    CHECK_TEXT(stage_text(result.records[1], "t"), "5");
}

static void asks_for_pages(void)
{
    const char *query = "{endpoint: kg, page: 4, query: 'SELECT ?n {} ORDER BY ?n', into: rows}";
    run(query, 10, NULL, "{}");
    CU_ASSERT_EQUAL(ask_count, 3);
    CHECK_TEXT(asked[0], "SELECT ?n {} ORDER BY ?n\nLIMIT 4\n");
    CHECK_TEXT(asked[1], "SELECT ?n {} ORDER BY ?n\nLIMIT 4 OFFSET 4\n");
    CHECK_TEXT(asked[2], "SELECT ?n {} ORDER BY ?n\nLIMIT 4 OFFSET 8\n");
    CHECK_TEXT(stage_text(result.input, "rows"),
               "[{\"n\":\"10\"},{\"n\":\"9\"},{\"n\":\"8\"},{\"n\":\"7\"},{\"n\":\"6\"},"
               "{\"n\":\"5\"},{\"n\":\"4\"},{\"n\":\"3\"},{\"n\":\"2\"},{\"n\":\"1\"}]");
    run(query, 8, NULL, "{}"); /* two full pages: only a third says that there are no more */
    CU_ASSERT_EQUAL(ask_count, 3);
    run("{endpoint: kg, page: 4, limit: 6, query: 'SELECT ?n {} ORDER BY ?n'}", 10, NULL, "{}");
    CU_ASSERT_EQUAL(ask_count, 2);
    CU_ASSERT_EQUAL(result.count, 6);
    CHECK_TEXT(asked[1], "SELECT ?n {} ORDER BY ?n\nLIMIT 2 OFFSET 4\n");
    run("{endpoint: kg, limit: 3, query: 'SELECT ?n {} # why'}", 10, NULL, "{}");
    CHECK_TEXT(asked[0], "SELECT ?n {} # why\nLIMIT 3\n");
    CU_ASSERT_EQUAL(result.count, 3);
    CHECK_TEXT(host.log, ""); /* one request has one order */
    run("{endpoint: kg, page: 5, query: 'SELECT ?n {}'}", 4, NULL, "{}");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "no ORDER BY"));
}

/* What only looks like a LIMIT, an ORDER or a form is passed over; VALUES stays the last. */
static void reads_queries(void)
{
    static const struct {
        const char *query, *sent;
    } cases[] = {
        {"PREFIX limit: <http://e/limit/> SELECT ?limit { ?s limit:of 'LIMIT 3' } # LIMIT 1",
         "PREFIX limit: <http://e/limit/> SELECT ?limit { ?s limit:of 'LIMIT 3' } # LIMIT 1"
         "\nLIMIT 2\n"},
        {"SELECT * { { SELECT ?a { ?a ?b ?c } LIMIT 5 } FILTER(?a < 5 && ?b > 3) }",
         "SELECT * { { SELECT ?a { ?a ?b ?c } LIMIT 5 } FILTER(?a < 5 && ?b > 3) }\nLIMIT 2\n"},
        {"SELECT * { ?s ?p \"\"\"a \"} LIMIT 1\"\"\" } VALUES ?s { <http://e/a> }",
         "SELECT * { ?s ?p \"\"\"a \"} LIMIT 1\"\"\" } \nLIMIT 2\nVALUES ?s { <http://e/a> }"},
        {"select ?s { ?s ?p ?o } limit 9", "select ?s { ?s ?p ?o } limit 9"},
        {"ASK { ?s ?p ?o }", "ASK { ?s ?p ?o }"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char yaml[512], *at = yaml;
        at += snprintf(yaml, sizeof(yaml), "endpoint: kg\nlimit: 2\ninto: rows\nquery: |-\n  ");
        snprintf(at, sizeof(yaml) - (size_t)(at - yaml), "%s\n", cases[i].query);
        run(yaml, 9, NULL, "{}");
        CHECK_TEXT(asked[0], cases[i].sent);
    }
}

static void asks_about_records(void)
{
    run("{endpoint: kg, query: 'SELECT ?n { ?s ?p {{ name | tojson }} }'}", 2, NULL,
        "{\"name\":\"the \\\"red\\\" one\\\\\"}");
    CHECK_TEXT(asked[0], "SELECT ?n { ?s ?p \"the \\\"red\\\" one\\\\\" }");
    CU_ASSERT_EQUAL(result.count, 2);
    run("{endpoint: kg, query: 'SELECT ?n { ?s ?p {{ name }} }'}", 0, NULL, "{\"name\":\"x\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "the query has no rows for this record");
    run("{endpoint: kg, query: 'SELECT ?n {}', into: rows}", 0, NULL, "{}");
    CHECK_TEXT(stage_text(result.input, "rows"), "[]");
    run("{endpoint: kg, query: 'ASK {}'}", 0, "{\"head\":{},\"boolean\":false}", "{}");
    CU_ASSERT_EQUAL_FATAL(result.count, 1);
    CHECK_TEXT(stage_text(result.records[0], "boolean"), "false");
    run("{endpoint: kg, query: 'SELECT ?n {}'}", 3, NULL, NULL);
    CU_ASSERT_EQUAL(result.verdict, XY_END);
    CU_ASSERT_EQUAL(result.count, 3);
}

static void refuses(void)
{
    run("{endpoint: kg, query: 'CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }'}", 1, NULL, "{}");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "neither SELECT nor ASK"));
    run("{endpoint: kg, page: 2, query: 'SELECT ?n {} LIMIT 4'}", 1, NULL, "{}");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "LIMIT or OFFSET of its own"));
    run("{endpoint: kg, query: 'SELECT ?n {}'}", 1, "Here are the rows!", "{}");
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "no SPARQL results in JSON"));
    run("{endpoint: kg, query: 'SELECT ?n {}'}", 1, "{\"error\":1}", "{}");
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CU_ASSERT_FALSE(open_condition("{endpoint: kg, query: '{{ name'}"));
}

/* ---- the generator --------------------------------------------------------------------------- */

/* One HTTP call: what was sent, and the answer to give at once when the test says so. */
static struct {
    char url[512], body[1024], headers[512];
    uint32_t timeout_ms;
    void (*done)(void *user, const xy_http_reply *reply);
    void *user;
} sent;

static int keep(const xy_host *unused, const xy_http_request *request,
                void (*done)(void *user, const xy_http_reply *reply), void *user, uint64_t *ticket)
{
    (void)unused;
    size_t length = 0;
    snprintf(sent.url, sizeof(sent.url), "%s %s", request->method, request->url);
    snprintf(sent.body, sizeof(sent.body), "%.*s", (int)request->body.len,
             request->body.len ? request->body.ptr : "");
    sent.headers[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++)
        length += (size_t)snprintf(sent.headers + length, sizeof(sent.headers) - length, "%.*s|",
                                   (int)request->headers[i].len, request->headers[i].ptr);
    sent.timeout_ms = request->timeout_ms;
    sent.done = done;
    sent.user = user;
    *ticket = 1;
    return XY_OK;
}

static const void *service(const xy_host *unused, const char *id)
{
    static const xy_http table = {.size = sizeof(table), .submit = keep};
    (void)unused;
    return strcmp(id, XY_HTTP) == 0 ? &table : NULL;
}

static struct generator_fixture fixture;
static struct test_call call;

static void ask_endpoint(const char *yaml, const char *query, xy_http_reply reply)
{
    static xy_message message;
    static xy_request request;
    message = (xy_message){xy_text("user"), xy_text(query)};
    request = test_request(&message, 1);
    request.timeout_ms = 2500;
    int code = generator_open(&fixture, "sparql", yaml, service);
    CU_ASSERT_EQUAL_FATAL(code, XY_OK);
    CU_ASSERT_EQUAL_FATAL(test_call(&fixture, &call, &request), XY_OK);
    CU_ASSERT_EQUAL(call.completed, 0);
    reply.size = sizeof(reply);
    reply.retry_after_ms = reply.retry_after_ms ? reply.retry_after_ms : -1;
    sent.done(sent.user, &reply);
    CU_ASSERT_EQUAL(call.completed, 1);
}

static void end_call(void)
{
    test_call_free(&call);
    generator_close(&fixture);
}

static void speaks_the_protocol(void)
{
    const char *body = "{\"head\":{\"vars\":[]},\"results\":{\"bindings\":[]}}";
    ask_endpoint("{endpoint: 'http://kg/sparql', default_graph: ['http://g/1'], "
                 "parameters: {timeout: 300}, headers: ['User-Agent: me']}",
                 "SELECT * { ?s ?p 'a&b=\xc3\xa9' }", (xy_http_reply){.code = 200,
                                                                      .body = xy_text(body)});
    CHECK_TEXT(sent.url, "POST http://kg/sparql");
    CHECK_TEXT(sent.body, "query=SELECT%20%2A%20%7B%20%3Fs%20%3Fp%20%27a%26b%3D%C3%A9%27%20%7D"
                          "&default-graph-uri=http%3A%2F%2Fg%2F1&timeout=300");
    CHECK_TEXT(sent.headers, "Accept: application/sparql-results+json|"
                             "Content-Type: application/x-www-form-urlencoded|User-Agent: me|");
    CU_ASSERT_EQUAL(sent.timeout_ms, 2500);
    CU_ASSERT_EQUAL(call.reply.status, XY_OK);
    CHECK_TEXT(call.reply.text.ptr, body);
    end_call();
    ask_endpoint("{endpoint: 'http://kg/sparql?a=1', method: get}", "ASK {}",
                 (xy_http_reply){.code = 200, .body = xy_text("{\"boolean\":true}")});
    CHECK_TEXT(sent.url, "GET http://kg/sparql?a=1&query=ASK%20%7B%7D");
    CHECK_TEXT(sent.body, "");
    end_call();
}

static void tells_what_went_wrong(void)
{
    static const struct {
        int code, status;
        uint32_t retryable, limited;
        const char *body, *said;
    } cases[] = {
        {400, XY_EINVAL, 0, 0, "error at 1:9: expected one of\nDESCRIBE",
         "http://kg/q: HTTP 400, \"error at 1:9: expected one of DESCRIBE\"; check the query"},
        {401, XY_EINVAL, 0, 0, "no such user: me:secret", "http://kg/q: HTTP 401; check `headers`"},
        {429, XY_EUPSTREAM, 1, 1, "slow down", "http://kg/q: HTTP 429, \"slow down\""},
        {500, XY_EUPSTREAM, 1, 0, "oops", "http://kg/q: HTTP 500, \"oops\""},
        {500, XY_ETIMEOUT, 0, 0, "java.util.concurrent.TimeoutException",
         "http://kg/q: HTTP 500, \"java.util.concurrent.TimeoutException\"; the endpoint gave the "
         "query up: ask for less, as with `page`"},
        {504, XY_EUPSTREAM, 1, 0, "<html><h1>504 Gateway Timeout</h1>", "http://kg/q: HTTP 504"},
        {302, XY_EINVAL, 0, 0, "", "http://kg/q: HTTP 302; the endpoint has moved: correct it"},
        {200, XY_EUPSTREAM, 1, 0, "{\"head\":{},\"resul",
         "http://kg/q: the answer is no SPARQL results in JSON; it begins: {\"head\":{},\"resul"},
        {200, XY_EUPSTREAM, 0, 0, "{\"error\":\"none\"}",
         "http://kg/q: the answer is no SPARQL results in JSON; it begins: {\"error\":\"none\"}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask_endpoint("{endpoint: 'http://kg/q'}", "SELECT * {}",
                     (xy_http_reply){.code = cases[i].code, .body = xy_text(cases[i].body)});
        CU_ASSERT_EQUAL(call.reply.status, cases[i].status);
        CU_ASSERT_EQUAL(call.reply.retryable, cases[i].retryable);
        CU_ASSERT_EQUAL(call.reply.limited, cases[i].limited);
        CHECK_TEXT(call.reply.error, cases[i].said);
        end_call();
    }
    ask_endpoint("{endpoint: 'http://kg/q'}", "SELECT * {}",
                 (xy_http_reply){.status = XY_ETIMEOUT, .retryable = 1, .error = "too late"});
    CHECK_TEXT(call.reply.error, "http://kg/q: no answer within 2.5 s, the `timeout`: ask for "
                                 "less, as with `page` or LIMIT, or allow more");
    CU_ASSERT_EQUAL(call.reply.status, XY_ETIMEOUT);
    end_call();
}

static void refuses_options(void)
{
    static const char *const cases[][2] = {
        {"{endpoint: 'kg/sparql'}", "must start with http:// or https://"},
        {"{endpoint: 'https://me:secret@kg/sparql'}", "holds a password"},
        {"{endpoint: 'http://kg', headers: ['no colon']}", "must be one line"},
        {"{endpoint: 'http://kg', parameters: [a]}", "must be a map"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_EQUAL(generator_open(&fixture, "sparql", cases[i][0], service), XY_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(fixture.log, cases[i][1]));
        CU_ASSERT_PTR_NULL(strstr(fixture.log, "secret"));
        free(fixture.state);
        error_list_free(&fixture.errors);
        registry_free(&fixture.registry);
        arena_free(&fixture.arena);
    }
}

static const struct check checks[] = {
    {"typed rows", types_rows},
    {"pages", asks_for_pages},
    {"queries", reads_queries},
    {"records", asks_about_records},
    {"refused", refuses},
    {"the protocol", speaks_the_protocol},
    {"what went wrong", tells_what_went_wrong},
    {"options", refuses_options},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "sparql");
    int failed = check_main("sparql", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
