/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "check.h"
#include "server/launch.h"

static const char chat[] = "/v1/chat/completions";
static const char question[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"%s %zu\"}]}";

/* What came for one call, and how often. */
struct answer {
    unsigned times;
    int32_t status, code, retry_after_ms;
    uint32_t retryable;
    char error[512], type[64], body[2048];
};

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static void keep(void *user, const xy_http_reply *reply)
{
    struct answer *answer = user;
    answer->times++;
    answer->status = reply->status;
    answer->code = reply->code;
    answer->retry_after_ms = reply->retry_after_ms;
    answer->retryable = reply->retryable;
    copy_text(answer->error, sizeof(answer->error), reply->error);
    copy_text(answer->type, sizeof(answer->type), reply->content_type);
    copy_text(answer->body, sizeof(answer->body), reply->body.ptr);
}

/* One request to one server of its own, run to the end. `change` may alter the request. */
static struct answer ask(const char *const *arguments, const char *path,
                         void (*change)(xy_http_request *request))
{
    struct answer answer = {0};
    struct test_server server;
    char url[256], body[256];
    CU_ASSERT_FATAL(test_server_start(&server, arguments));
    struct loop *loop = loop_create(1);
    struct http *http = http_create(loop);
    snprintf(url, sizeof(url), "%s%s", server.url, path);
    int length = snprintf(body, sizeof(body), question, "number", (size_t)1);
    xy_http_request request = {
        .size = sizeof(request), .url = url, .body = {body, (size_t)length}};
    if (change)
        change(&request);
    uint64_t ticket = 0;
    CU_ASSERT_EQUAL(http_submit(http, &request, keep, &answer, &ticket), XY_OK);
    CU_ASSERT(ticket != 0);
    CU_ASSERT_EQUAL(answer.times, 0); /* never from inside submit() */
    CU_ASSERT_EQUAL(http_active(http), 1);
    loop_run(loop); /* returns although the connection is kept alive */
    CU_ASSERT_EQUAL(answer.times, 1);
    CU_ASSERT_EQUAL(http_active(http), 0);
    CU_ASSERT_EQUAL(http_cancel(http, ticket), XY_EINVAL);
    http_destroy(http);
    loop_destroy(loop);
    test_server_stop(&server);
    return answer;
}

static void test_post(void)
{
    struct answer answer = ask(NULL, chat, NULL);
    CU_ASSERT_EQUAL(answer.status, XY_OK);
    CU_ASSERT_EQUAL(answer.code, 200);
    CU_ASSERT_EQUAL(answer.retryable, 0);
    CU_ASSERT_EQUAL(answer.retry_after_ms, -1);
    CHECK_TEXT(answer.type, "application/json");
    CHECK_TEXT(answer.error, "");
    CU_ASSERT(strstr(answer.body, "\"finish_reason\":\"stop\"") != NULL);
}

static void without_body(xy_http_request *request)
{
    request->body.len = 0;
}

static void test_get(void)
{
    struct answer answer = ask(NULL, "/v1/models", without_body);
    CU_ASSERT_EQUAL(answer.code, 200);
    CU_ASSERT(strstr(answer.body, "test-model") != NULL);
    answer = ask(NULL, "/v1/nothing?x=1", without_body);
    CU_ASSERT_EQUAL(answer.status, XY_OK); /* an answer came, whatever it says */
    CU_ASSERT_EQUAL(answer.code, 404);
    CU_ASSERT_EQUAL(answer.retryable, 0);
}

static void with_key(xy_http_request *request)
{
    static const xy_str headers[] = {{"Authorization: Bearer s3cret", 28}, {"X-Empty:", 8}};
    request->headers = headers;
    request->header_count = 2;
}

static void test_headers_are_sent(void)
{
    const char *const arguments[] = {"--require-key", "s3cret", NULL};
    CU_ASSERT_EQUAL(ask(arguments, chat, with_key).code, 200);
    CU_ASSERT_EQUAL(ask(arguments, chat, NULL).code, 401);
}

static void test_status_codes(void)
{
    static const struct {
        const char *fail;
        int code;
        uint32_t retryable;
    } cases[] = {{"429:1", 429, 1}, {"500:1", 500, 1}, {"503:1", 503, 1}, {"408:1", 408, 1},
                 {"409:1", 409, 1}, {"400:1", 400, 0}, {"403:1", 403, 0}, {"422:1", 422, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct answer answer = ask((const char *[]){"--fail", cases[i].fail, NULL}, chat, NULL);
        CU_ASSERT_EQUAL(answer.status, XY_OK);
        CU_ASSERT_EQUAL(answer.code, cases[i].code);
        CU_ASSERT_EQUAL(answer.retryable, cases[i].retryable);
        CU_ASSERT_EQUAL(answer.retry_after_ms, -1);
        CU_ASSERT(strstr(answer.body, "\"error\"") != NULL);
    }
}

static void test_retry_after(void)
{
    struct answer answer =
        ask((const char *[]){"--fail", "429:1", "--retry-after", "7", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(answer.retry_after_ms, 7000);
    answer = ask((const char *[]){"--fail", "429:1", "--retry-after", "0", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(answer.retry_after_ms, 0);
    answer = ask((const char *[]){"--fail", "503:1", "--retry-after", "0.25", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(answer.retry_after_ms, 250);
    answer = ask((const char *[]){"--fail", "429:1", "--retry-after", "30", "--retry-after-date",
                                  NULL}, chat, NULL);
    /* The server rounds up to the next whole second but one; a slow machine may lose some. */
    CU_ASSERT(answer.retry_after_ms >= 25000 && answer.retry_after_ms <= 32000);
}

static void test_broken_connections(void)
{
    struct answer answer = ask((const char *[]){"--fail", "reset:1", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(answer.status, XY_EUPSTREAM);
    CU_ASSERT_EQUAL(answer.code, 0);
    CU_ASSERT_EQUAL(answer.retryable, 1);
    CU_ASSERT(strstr(answer.error, "http://127.0.0.1:") == answer.error);
    answer = ask((const char *[]){"--fail", "truncate:1", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(answer.status, XY_EUPSTREAM);
    CU_ASSERT_EQUAL(answer.retryable, 1);
    CU_ASSERT(strstr(answer.error, "cut short") != NULL);
    CHECK_TEXT(answer.body, ""); /* half an answer is no answer */
    answer = ask((const char *[]){"--fail", "malformed:1", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(answer.status, XY_OK); /* that it is not JSON is the caller's to see */
    CU_ASSERT_EQUAL(answer.code, 200);
}

static void short_timeout(xy_http_request *request)
{
    request->timeout_ms = 100;
}

static void test_timeout(void)
{
    struct answer answer = ask((const char *[]){"--latency-ms", "5000", NULL}, chat, short_timeout);
    CU_ASSERT_EQUAL(answer.status, XY_ETIMEOUT);
    CU_ASSERT_EQUAL(answer.retryable, 1);
    CU_ASSERT(strstr(answer.error, "in time") != NULL);
    CU_ASSERT_EQUAL(
        ask((const char *[]){"--fail", "slow:1", "--slow-ms", "50", NULL}, chat, NULL).code, 200);
}

static void small_body(xy_http_request *request)
{
    request->max_body = 100; /* an answer has some 300 bytes */
}

static void test_body_ceiling(void)
{
    struct answer answer = ask(NULL, chat, small_body);
    CU_ASSERT_EQUAL(answer.status, XY_EUPSTREAM);
    CU_ASSERT_EQUAL(answer.retryable, 0);
    CU_ASSERT(strstr(answer.error, "longer than the 100 bytes") != NULL);
    /* The ceiling is on what unpacks, not on what comes. */
    answer = ask((const char *[]){"--gzip", NULL}, chat, small_body);
    CU_ASSERT(strstr(answer.error, "longer than the 100 bytes") != NULL);
}

static void test_gzip(void)
{
    struct answer plain = ask(NULL, chat, NULL);
    struct answer packed = ask((const char *[]){"--gzip", NULL}, chat, NULL);
    CU_ASSERT_EQUAL(packed.code, 200);
    CHECK_TEXT(packed.body, plain.body); /* the same request gets the same answer */
}

/* ---- several calls -------------------------------------------------------------------------- */

struct crowd {
    struct loop *loop;
    struct http *http;
    struct test_server server;
    char url[128];
    const char *word;
    size_t begun, total, done, good, cancelled, failed;
    size_t most_active;
    uint64_t *tickets;
};

static void crowd_open(struct crowd *crowd, const char *const *arguments)
{
    *crowd = (struct crowd){.word = "number"};
    CU_ASSERT_FATAL(test_server_start(&crowd->server, arguments));
    crowd->loop = loop_create(1);
    crowd->http = http_create(crowd->loop);
    snprintf(crowd->url, sizeof(crowd->url), "%s%s", crowd->server.url, chat);
}

static void crowd_close(struct crowd *crowd)
{
    http_destroy(crowd->http);
    loop_destroy(crowd->loop);
    test_server_stop(&crowd->server);
    free(crowd->tickets);
}

static void crowd_next(struct crowd *crowd);

static void crowd_done(void *user, const xy_http_reply *reply)
{
    struct crowd *crowd = user;
    crowd->done++;
    crowd->good += reply->status == XY_OK && reply->code == 200;
    crowd->cancelled += reply->status == XY_ECANCELED;
    crowd->failed += reply->status != XY_OK && reply->status != XY_ECANCELED;
    if (crowd->begun < crowd->total)
        crowd_next(crowd);
}

static void crowd_next(struct crowd *crowd)
{
    char body[128];
    int length = snprintf(body, sizeof(body), question, crowd->word, crowd->begun);
    xy_http_request request = {
        .size = sizeof(request), .url = crowd->url, .body = {body, (size_t)length}};
    uint64_t ticket;
    CU_ASSERT_EQUAL(http_submit(crowd->http, &request, crowd_done, crowd, &ticket), XY_OK);
    if (crowd->tickets)
        crowd->tickets[crowd->begun] = ticket;
    crowd->begun++;
    if (http_active(crowd->http) > crowd->most_active)
        crowd->most_active = http_active(crowd->http);
}

static void crowd_run(struct crowd *crowd, size_t total, size_t in_flight)
{
    crowd->begun = crowd->done = crowd->good = 0;
    crowd->total = total;
    while (crowd->begun < in_flight && crowd->begun < total)
        crowd_next(crowd);
    loop_run(crowd->loop);
}

static void test_connections_are_reused(void)
{
    struct crowd crowd;
    crowd_open(&crowd, NULL);
    crowd_run(&crowd, 1000, 20);
    CU_ASSERT_EQUAL(crowd.good, 1000);
    CU_ASSERT_EQUAL(crowd.most_active, 20);
    CU_ASSERT_EQUAL(test_server_stat(&crowd.server, "distinct_bodies"), 1000);
    /* 20 for the calls and one for the question. */
    CU_ASSERT(test_server_stat(&crowd.server, "connections") <= 21 + 1);
    crowd_close(&crowd);
}

/* 700 calls at once take three multi handles; a second wave opens no further connection. */
static void test_several_lanes(void)
{
    struct crowd crowd;
    crowd_open(&crowd, (const char *[]){"--latency-ms", "1000", NULL});
    crowd_run(&crowd, 700, 700);
    CU_ASSERT_EQUAL(crowd.good, 700);
    CU_ASSERT_EQUAL(crowd.most_active, 700);
    /* More than two lanes hold; all of them, unless the machine stalls for a second. */
    CU_ASSERT(test_server_stat(&crowd.server, "in_flight_max") > 2 * HTTP_PER_MULTI);
    long long first = test_server_stat(&crowd.server, "connections");
    CU_ASSERT(first <= 703);
    crowd.word = "other";
    crowd_run(&crowd, 700, 700);
    CU_ASSERT_EQUAL(crowd.good, 700);
    CU_ASSERT(test_server_stat(&crowd.server, "connections") <= first + 1);
    CU_ASSERT_EQUAL(test_server_stat(&crowd.server, "answered_max"), 1);
    crowd_close(&crowd);
}

static void cancel_some(void *data)
{
    struct crowd *crowd = data;
    for (size_t i = 0; i < crowd->total; i += 2)
        CU_ASSERT_EQUAL(http_cancel(crowd->http, crowd->tickets[i]), XY_OK);
    CU_ASSERT_EQUAL(crowd->cancelled, 0); /* never from inside */
    CU_ASSERT_EQUAL(http_cancel(crowd->http, crowd->tickets[0]), XY_OK); /* twice is once */
}

static void test_cancel(void)
{
    struct crowd crowd;
    crowd_open(&crowd, (const char *[]){"--latency-ms", "200", NULL});
    crowd.tickets = calloc(100, sizeof(*crowd.tickets));
    loop_after(crowd.loop, 50000, cancel_some, &crowd);
    crowd_run(&crowd, 100, 100);
    CU_ASSERT_EQUAL(crowd.done, 100);
    CU_ASSERT_EQUAL(crowd.cancelled, 50);
    CU_ASSERT_EQUAL(crowd.good, 50);
    for (size_t i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(http_cancel(crowd.http, crowd.tickets[i]), XY_EINVAL);
    CU_ASSERT_EQUAL(http_cancel(crowd.http, 0), XY_EINVAL);
    crowd_close(&crowd);
}

/* Cancelled before libcurl saw them: nothing reaches the server. */
static void test_cancel_at_once(void)
{
    struct crowd crowd;
    crowd_open(&crowd, NULL);
    crowd.tickets = calloc(10, sizeof(*crowd.tickets));
    crowd.total = 10;
    while (crowd.begun < 10)
        crowd_next(&crowd);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(http_cancel(crowd.http, crowd.tickets[i]), XY_OK);
    CU_ASSERT_EQUAL(crowd.done, 0);
    loop_run(crowd.loop);
    CU_ASSERT_EQUAL(crowd.cancelled, 10);
    CU_ASSERT_EQUAL(test_server_stat(&crowd.server, "requests"), 0);
    crowd_close(&crowd);
}

/* Exactly one `done` for each call, whatever the server does to it. */
static void test_mixed_failures(void)
{
    struct crowd crowd;
    crowd_open(&crowd, (const char *[]){"--fail",
                                        "429:0.1,500:0.1,reset:0.1,truncate:0.1,malformed:0.1",
                                        "--seed", "5", "--jitter-ms", "5", NULL});
    crowd_run(&crowd, 2000, 100);
    CU_ASSERT_EQUAL(crowd.done, 2000);
    long long resets = test_server_stat(&crowd.server, "resets");
    long long truncated = test_server_stat(&crowd.server, "truncated");
    CU_ASSERT(resets > 100 && truncated > 100);
    /* libcurl tries once more on a fresh connection when a kept one broke before any answer, so
     * that a reset may be followed by a good answer; nothing else may differ. */
    CU_ASSERT((long long)crowd.failed <= resets + truncated);
    CU_ASSERT((long long)crowd.failed >= truncated);
    crowd_close(&crowd);
}

static void count_turn(void *data)
{
    (*(unsigned *)data)++;
}

static void nothing(void *data)
{
    (void)data;
}

/* Idle connections that the server closes must neither spin the loop nor break the next call. */
static void test_server_restarts(void)
{
    struct crowd crowd;
    unsigned turns = 0;
    crowd_open(&crowd, NULL);
    crowd_run(&crowd, 50, 50);
    CU_ASSERT_EQUAL(crowd.good, 50);
    char port[16];
    snprintf(port, sizeof(port), "%d", crowd.server.port);
    test_server_stop(&crowd.server);
    loop_each_turn(crowd.loop, count_turn, &turns);
    loop_after(crowd.loop, 100000, nothing, NULL);
    loop_run(crowd.loop);
    CU_ASSERT(turns < 60); /* at most one for each connection, and a few */
    CU_ASSERT_FATAL(test_server_start(&crowd.server, (const char *[]){"--port", port, NULL}));
    crowd_run(&crowd, 50, 50);
    CU_ASSERT_EQUAL(crowd.good, 50);
    crowd_close(&crowd);
}

static void test_distinct_header_sets(void)
{
    struct crowd crowd;
    crowd_open(&crowd, (const char *[]){"--require-key", "key-7", NULL});
    struct answer answers[100] = {0};
    for (size_t i = 0; i < 100; i++) {
        char header[64];
        int length = snprintf(header, sizeof(header), "authorization: Bearer key-%zu", i % 10);
        xy_str headers[] = {{header, (size_t)length}};
        xy_http_request request = {.size = sizeof(request), .url = crowd.url, .headers = headers,
                                   .header_count = 1, .body = {"{}", 2}};
        CU_ASSERT_EQUAL(http_submit(crowd.http, &request, keep, &answers[i], NULL), XY_OK);
        if (i % 5 == 4)
            loop_run(crowd.loop);
    }
    loop_run(crowd.loop);
    for (size_t i = 0; i < 100; i++) /* 400: `{}` has no messages; 401: the wrong key */
        CU_ASSERT_EQUAL(answers[i].code, i % 10 == 7 ? 400 : 401);
    crowd_close(&crowd);
}

/* ---- bad input, proxies, secrets ------------------------------------------------------------- */

static void test_bad_requests(void)
{
    struct loop *loop = loop_create(1);
    struct http *http = http_create(loop);
    struct answer answer = {0};
    static const char *const urls[] = {NULL,
                                       "",
                                       "127.0.0.1/x",
                                       "ftp://127.0.0.1/",
                                       "file:///etc/passwd",
                                       "http://",
                                       "http://127.0.0.1/a b",
                                       "http://127.0.0.1/\r\nX: y"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        xy_http_request request = {.size = sizeof(request), .url = urls[i]};
        CU_ASSERT_EQUAL(http_submit(http, &request, keep, &answer, NULL), XY_EINVAL);
    }
    static const xy_str headers[] = {{"no colon", 8}, {": no name", 9}, {"A: b\r\nC: d", 10},
                                     {"A: \0", 4}, {NULL, 0}};
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        xy_http_request request = {.size = sizeof(request), .url = "http://127.0.0.1/",
                                   .headers = &headers[i], .header_count = 1};
        CU_ASSERT_EQUAL(http_submit(http, &request, keep, &answer, NULL), XY_EINVAL);
    }
    xy_http_request request = {.size = sizeof(request), .url = "http://127.0.0.1/",
                               .method = "GET /x HTTP/1.1"};
    CU_ASSERT_EQUAL(http_submit(http, &request, keep, &answer, NULL), XY_EINVAL);
    request = (xy_http_request){.size = 0, .url = "http://127.0.0.1/"};
    CU_ASSERT_EQUAL(http_submit(http, &request, keep, &answer, NULL), XY_EINVAL);
    loop_run(loop);
    CU_ASSERT_EQUAL(answer.times, 0);
    CU_ASSERT_EQUAL(http_active(http), 0);
    http_destroy(http);
    loop_destroy(loop);
}

static struct answer ask_url(const char *url)
{
    struct answer answer = {0};
    struct loop *loop = loop_create(1);
    struct http *http = http_create(loop);
    static const xy_str headers[] = {{"Authorization: Bearer s3cret", 28}};
    xy_http_request request = {.size = sizeof(request), .url = url, .headers = headers,
                               .header_count = 1, .body = {"{\"k\":\"s3cret\"}", 14}};
    CU_ASSERT_EQUAL(http_submit(http, &request, keep, &answer, NULL), XY_OK);
    loop_run(loop);
    CU_ASSERT_EQUAL(answer.times, 1);
    http_destroy(http);
    loop_destroy(loop);
    return answer;
}

/* Port 1 of loopback: nobody listens there. */
static void test_no_secret_in_errors(void)
{
    struct answer answer = ask_url("http://s3cret:s3cret@127.0.0.1:1/s3cret?key=s3cret#s3cret");
    CU_ASSERT_EQUAL(answer.status, XY_EUPSTREAM);
    CU_ASSERT_EQUAL(answer.retryable, 1);
    CU_ASSERT(strstr(answer.error, "http://127.0.0.1:1: cannot connect") == answer.error);
    CU_ASSERT(strstr(answer.error, "s3cret") == NULL);
}

static void test_proxy(void)
{
    struct test_server proxy;
    CU_ASSERT_FATAL(test_server_start(&proxy, NULL));
    setenv("http_proxy", proxy.url, 1);
    struct answer answer = ask_url("http://api.invalid/v1/chat/completions");
    CU_ASSERT_EQUAL(answer.status, XY_OK);
    CU_ASSERT_EQUAL(answer.code, 400); /* ask_url() sends no messages */
    CU_ASSERT_EQUAL(test_server_stat(&proxy, "proxied"), 1);
    char direct[128];
    snprintf(direct, sizeof(direct), "%s%s", proxy.url, chat);
    setenv("no_proxy", "127.0.0.1", 1);
    CU_ASSERT_EQUAL(ask_url(direct).code, 400);
    CU_ASSERT_EQUAL(test_server_stat(&proxy, "proxied"), 1);
    CU_ASSERT_EQUAL(test_server_stat(&proxy, "requests"), 2);
    unsetenv("no_proxy");
    unsetenv("http_proxy");
    test_server_stop(&proxy);
}

int main(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    static const struct check checks[] = {
        {"post", test_post},
        {"get", test_get},
        {"headers are sent", test_headers_are_sent},
        {"status codes", test_status_codes},
        {"Retry-After", test_retry_after},
        {"broken connections", test_broken_connections},
        {"timeout", test_timeout},
        {"body ceiling", test_body_ceiling},
        {"gzip", test_gzip},
        {"connections are reused", test_connections_are_reused},
        {"several lanes", test_several_lanes},
        {"cancel", test_cancel},
        {"cancel at once", test_cancel_at_once},
        {"mixed failures", test_mixed_failures},
        {"the server restarts", test_server_restarts},
        {"distinct header sets", test_distinct_header_sets},
        {"bad requests", test_bad_requests},
        {"no secret in errors", test_no_secret_in_errors},
        {"proxy", test_proxy},
        {NULL, NULL},
    };
    return check_main("http", checks);
}
