/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin sends, and what it makes of answers, with xylem.http/1 played by the test.
 * Retries and time limits are the core's; tests/e2e/retrieve_test.py sees them work. */
#include "generator_fixture.h"

#include "check.h"

static struct {
    char url[512], body[1024], headers[512], method[16];
    int cancelled;
    void (*done)(void *, const xy_http_reply *);
    void *user;
} sent;

static int submit_fake(const xy_host *host, const xy_http_request *request,
                       void (*done)(void *, const xy_http_reply *), void *user, uint64_t *ticket)
{
    (void)host;
    snprintf(sent.url, sizeof(sent.url), "%s", request->url);
    snprintf(sent.method, sizeof(sent.method), "%s", request->method ? request->method : "");
    snprintf(sent.body, sizeof(sent.body), "%.*s", (int)request->body.len,
             request->body.ptr ? request->body.ptr : "");
    sent.headers[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++)
        snprintf(sent.headers + strlen(sent.headers), sizeof(sent.headers) - strlen(sent.headers),
                 "%.*s\n", (int)request->headers[i].len, request->headers[i].ptr);
    sent.done = done;
    sent.user = user;
    *ticket = 7;
    return XY_OK;
}

static int cancel_fake(const xy_host *host, uint64_t ticket)
{
    (void)host;
    sent.cancelled = (int)ticket;
    return XY_OK;
}

static const void *service(const xy_host *host, const char *id)
{
    static const xy_http table = {sizeof(table), submit_fake, cancel_fake};
    (void)host;
    return strcmp(id, XY_HTTP) == 0 ? &table : NULL;
}

static struct generator_fixture fixture;
static struct test_call call;

static void ask(const char *yaml, const xy_message *messages, size_t count)
{
    static xy_request request;
    CU_ASSERT_EQUAL_FATAL(generator_open_in(&fixture, "http_endpoint", "http", yaml, service),
                          XY_OK);
    request = test_request(messages, count);
    CU_ASSERT_EQUAL_FATAL(test_call(&fixture, &call, &request), XY_OK);
    CU_ASSERT_EQUAL(call.completed, 0);
}

static void ask_this(const char *yaml, const char *prompt)
{
    const xy_message message = {STR("user"), xy_text(prompt)};
    ask(yaml, &message, 1);
}

static void answer(int code, const char *body)
{
    xy_http_reply reply = {.size = sizeof(reply), .status = XY_OK, .code = code,
                           .retry_after_ms = -1, .body = xy_text(body)};
    sent.done(sent.user, &reply);
    CU_ASSERT_EQUAL(call.completed, 1);
}

static void over(void)
{
    test_call_free(&call);
    generator_close(&fixture);
}

static void puts_the_prompt_into_the_address(void)
{
    ask_this("{url: 'http://host/find?q={prompt}&n=5&again={prompt}'}", "a b&c=d/\xc3\xa9~_-.?#+%");
    CHECK_TEXT(sent.url, "http://host/find?q=a%20b%26c%3Dd%2F%C3%A9~_-.%3F%23%2B%25&n=5&again="
                         "a%20b%26c%3Dd%2F%C3%A9~_-.%3F%23%2B%25");
    CHECK_TEXT(sent.body, "");
    CHECK_TEXT(sent.headers, "");
    answer(200, "as it is \n");
    CHECK_TEXT(call.reply.text.ptr, "as it is \n");
    CU_ASSERT_EQUAL(call.reply.text.len, 10);
    over();
}

static void puts_the_prompt_into_a_body(void)
{
    ask_this("{url: 'http://host/', body: {query: {match: '{prompt}'}, size: 3},"
             " headers: ['Authorization: Bearer key-1234']}", "say \"hi\"\n\\");
    CHECK_TEXT(sent.body, "{\"query\":{\"match\":\"say \\\"hi\\\"\\n\\\\\"},\"size\":3}");
    CHECK_TEXT(sent.headers, "Authorization: Bearer key-1234\nContent-Type: application/json\n");
    over();
    ask_this("{url: 'http://host/', body: 'q={prompt}&n=1'}", "a b");
    CHECK_TEXT(sent.body, "q=a%20b&n=1");
    CHECK_TEXT(sent.headers, "Content-Type: application/x-www-form-urlencoded\n");
    over();
    ask_this("{url: 'http://host/', body: '{prompt}', method: PUT,"
             " headers: ['content-type: text/plain']}", "a b");
    CHECK_TEXT(sent.body, "a b");
    CHECK_TEXT(sent.headers, "content-type: text/plain\n");
    CHECK_TEXT(sent.method, "PUT");
    over();
}

static void joins_messages(void)
{
    const xy_message two[] = {{STR("system"), STR("Be brief.")}, {STR("user"), STR("Hi")}};
    ask("{url: 'http://host/', body: {p: '{prompt}'}}", two, 2);
    CHECK_TEXT(sent.body, "{\"p\":\"Be brief.\\n\\nHi\"}");
    over();
}

static void finds_the_answer(void)
{
    static const char yaml[] = "{url: 'http://h/{prompt}', answer: out.0.text}";
    ask_this(yaml, "x");
    answer(200, "{\"out\":[{\"text\":\"Gr\\u00fc\\u00df\"}]}");
    CHECK_TEXT(call.reply.text.ptr, "Gr\xc3\xbc\xc3\x9f");
    over();
    ask_this(yaml, "x");
    answer(200, "{\"out\":[{\"text\":[1, 2]}]}");
    CHECK_TEXT(call.reply.text.ptr, "[1, 2]");
    over();
    ask_this(yaml, "x");
    answer(200, "{\"out\":[]}");
    CU_ASSERT_EQUAL(call.reply.status, XY_EUPSTREAM);
    CU_ASSERT_FALSE(call.reply.retryable);
    CU_ASSERT_PTR_NOT_NULL(strstr(call.reply.error, "nothing at the path of `answer`"));
    over();
}

static void takes_broken_json_for_a_failure(void)
{
    ask_this("{url: 'http://h/{prompt}', json: true}", "x");
    answer(200, "{\"cut\": [1,");
    CU_ASSERT_EQUAL(call.reply.status, XY_EUPSTREAM);
    CU_ASSERT_TRUE(call.reply.retryable);
    CHECK_TEXT(call.reply.error, "the answer is no JSON: {\"cut\": [1,");
    over();
    ask_this("{url: 'http://h/{prompt}', json: true}", "x");
    answer(200, " {\"a\": 1} ");
    CHECK_TEXT(call.reply.text.ptr, "{\"a\": 1}");
    over();
    ask_this("{url: 'http://h/{prompt}'}", "x");
    answer(200, "caf\xe9");
    CU_ASSERT_EQUAL(call.reply.status, XY_EUPSTREAM);
    CU_ASSERT_PTR_NOT_NULL(strstr(call.reply.error, "not UTF-8"));
    over();
}

static void explains_errors(void)
{
    static const struct {
        int code, status;
        bool retryable, limited;
        const char *part;
    } cases[] = {
        {400, XY_EINVAL, false, false, "check `url`"},
        {401, XY_EINVAL, false, false, "check `headers`"},
        {404, XY_EINVAL, false, false, "nothing at this address"},
        {418, XY_EINVAL, false, false, "HTTP 418"},
        {302, XY_EINVAL, false, false, "correct `url`"},
        {408, XY_ETIMEOUT, true, false, "HTTP 408"},
        {429, XY_EUPSTREAM, true, true, "HTTP 429: no key-****"},
        {500, XY_EUPSTREAM, true, false, "HTTP 500"},
        {503, XY_EUPSTREAM, true, false, "HTTP 503"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask_this("{url: 'http://h/{prompt}', headers: ['X-Key: 5678']}", "x");
        answer(cases[i].code, "no key-5678\nhere");
        CU_ASSERT_EQUAL(call.reply.status, cases[i].status);
        CU_ASSERT_EQUAL(call.reply.retryable, cases[i].retryable);
        CU_ASSERT_EQUAL(call.reply.limited, cases[i].limited);
        CU_ASSERT_PTR_NOT_NULL(strstr(call.reply.error, cases[i].part));
        CU_ASSERT_PTR_NULL(strstr(call.reply.error, "5678"));
        over();
    }
}

static void passes_failures_and_wishes_on(void)
{
    ask_this("{url: 'http://h/{prompt}'}", "x");
    xy_http_reply reply = {.size = sizeof(reply), .status = XY_ETIMEOUT, .retryable = 1,
                           .retry_after_ms = 250, .error = "no answer within 5 s"};
    fixture.type->stage.generator->cancel(fixture.state, &call.call);
    CU_ASSERT_EQUAL(sent.cancelled, 7);
    sent.done(sent.user, &reply);
    CU_ASSERT_EQUAL(call.reply.status, XY_ETIMEOUT);
    CU_ASSERT_TRUE(call.reply.retryable);
    CU_ASSERT_EQUAL(call.reply.retry_after_ms, 250);
    CHECK_TEXT(call.reply.error, "no answer within 5 s");
    over();
}

static void refuses_options(void)
{
    static const struct {
        const char *yaml, *part;
    } cases[] = {
        {"{url: 'ftp://h/{prompt}'}", "must start with http://"},
        {"{url: 'http://h/'}", "neither `url` nor `body` has {prompt}"},
        {"{url: 'http://h/{prompt}', body: {a: 1}, method: GET}", "a GET has no `body`"},
        {"{url: 'http://h/{prompt}', body: 5}", "`body` must be a map or a text"},
        {"{url: 'http://h/{prompt}', headers: [nothing]}", "one line \"Name: value\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_EQUAL(generator_open_in(&fixture, "http_endpoint", "http", cases[i].yaml,
                                          service), XY_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(fixture.log, cases[i].part));
        generator_close(&fixture);
    }
}

static const struct check checks[] = {
    {"the address", puts_the_prompt_into_the_address},
    {"bodies", puts_the_prompt_into_a_body},
    {"several messages", joins_messages},
    {"the path of the answer", finds_the_answer},
    {"broken answers", takes_broken_json_for_a_failure},
    {"HTTP errors", explains_errors},
    {"failures and cancels", passes_failures_and_wishes_on},
    {"bad options", refuses_options},
    {0},
};

int main(void)
{
    return check_main("http_endpoint", checks);
}
