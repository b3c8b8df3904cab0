/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs are asked and which never; what an answer becomes. The HTTP service is the test's. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

static struct {
    char url[512], headers[512], body[512], method[16];
    uint32_t timeout_ms;
    uint64_t max_body;
    int count;
    xy_http_reply reply;  /* what is answered */
} server;

static struct waiting {
    void (*done)(void *user, const xy_http_reply *reply);
    void *user;
} waiting;

static int submit(const xy_host *host, const xy_http_request *request,
                  void (*done)(void *user, const xy_http_reply *reply), void *user,
                  uint64_t *ticket)
{
    (void)host, (void)ticket;
    server.count++;
    snprintf(server.url, sizeof(server.url), "%s", request->url);
    snprintf(server.method, sizeof(server.method), "%s", request->method ? request->method : "");
    snprintf(server.body, sizeof(server.body), "%.*s", (int)request->body.len,
             request->body.ptr ? request->body.ptr : "");
    server.headers[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++) {
        size_t used = strlen(server.headers);
        snprintf(server.headers + used, sizeof(server.headers) - used, "%.*s\n",
                 (int)request->headers[i].len, request->headers[i].ptr);
    }
    server.timeout_ms = request->timeout_ms;
    server.max_body = request->max_body;
    waiting = (struct waiting){done, user};
    return XY_OK;
}

static int cancel(const xy_host *host, uint64_t ticket)
{
    (void)host, (void)ticket;
    return XY_OK;
}

static struct stage_host host;

static const void *service(const xy_host *base, const char *id)
{
    static const xy_http table = {sizeof(table), submit, cancel};
    return strcmp(id, XY_HTTP) == 0 ? &table : services_find(base, id);
}

static struct instance *open_with(const char *options)
{
    stage_host_init(&host);
    host.services.service = service;
    stage_host_load(&host, "http_request");
    return stage_host_open(&host, XY_CONDITION, "http_request", options);
}

static void close_it(struct instance *instance)
{
    instance_close(instance);
    stage_host_free(&host);
}

static void finished(struct job *job, void *data)
{
    (void)job;
    *(bool *)data = true;
}

/* The result, or the reason; the pending request is answered with server.reply. */
static const char *outcome(struct instance *instance, const char *json)
{
    static char text[1024];
    bool done = false;
    struct record *record = stage_host_record(json, 1);
    struct job *job = job_create(instance, &record, 1);
    job->finished = finished;
    job->data = &done;
    int answer = instance_type(instance)->stage.process(instance_state(instance), &job->base);
    if (!job_settle(job, answer)) {
        waiting.done(waiting.user, &server.reply);
        CU_ASSERT_TRUE(done);
    }
    snprintf(text, sizeof(text), "%s", job->verdict == XY_OK ? stage_text(record, "result")
                                       : job->why ? job->why : error_name(job->verdict));
    job_destroy(job);
    record_destroy(record);
    return text;
}

static void answer_with(int status, int code, const char *body, const char *error)
{
    server.reply = (xy_http_reply){.size = sizeof(xy_http_reply), .status = status, .code = code,
                                   .retry_after_ms = -1, .error = error, .body = xy_text(body)};
}

static void asked(void)
{
    struct instance *instance =
        open_with("{base_url: 'http://127.0.0.1:8080/api/', headers: ['X-Key: k'], timeout: 2s,"
                  " most_bytes: 99}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    answer_with(XY_OK, 200, "{\"warm\": true}", NULL);
    CHECK_TEXT(outcome(instance, "{\"url\":\"/today?city=Graz\",\"body\":\"\"}"),
               "{\"warm\": true}");
    CHECK_TEXT(server.url, "http://127.0.0.1:8080/api/today?city=Graz");
    CHECK_TEXT(server.headers, "X-Key: k\n");
    CHECK_TEXT(server.body, "");
    CU_ASSERT_EQUAL(server.timeout_ms, 2000);
    CU_ASSERT_EQUAL(server.max_body, 99);
    answer_with(XY_OK, 201, "plain words", NULL);
    CHECK_TEXT(outcome(instance, "{\"url\":\"/add\",\"body\":\"{\\\"a\\\":1}\"}"), "plain words");
    CHECK_TEXT(server.headers, "X-Key: k\nContent-Type: application/json\n");
    CHECK_TEXT(server.body, "{\"a\":1}");
    CHECK_TEXT(outcome(instance, "{\"url\":\"/add\",\"body\":{\"a\":2}}"), "plain words");
    CHECK_TEXT(server.body, "{\"a\":2}");
    close_it(instance);
}

static void failures(void)
{
    struct instance *instance = open_with("{base_url: 'http://h'}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    answer_with(XY_OK, 404, "no such city", NULL);
    CHECK_TEXT(outcome(instance, "{\"url\":\"/x\"}"), "HTTP 404: no such city");
    answer_with(XY_OK, 302, "", NULL);
    CHECK_TEXT(outcome(instance, "{\"url\":\"/x\"}"), "HTTP 302: ");
    answer_with(XY_ETIMEOUT, 0, "", "no answer within 10 s");
    CHECK_TEXT(outcome(instance, "{\"url\":\"/x\"}"), "no answer within 10 s");
    answer_with(XY_ECANCELED, 0, "", "cancelled");
    CHECK_TEXT(outcome(instance, "{\"url\":\"/x\"}"), "cancelled");
    answer_with(XY_OK, 200, "\xff\xfe", NULL);
    CHECK_TEXT(outcome(instance, "{\"url\":\"/x\"}"), "the answer is neither JSON nor UTF-8 text");
    answer_with(XY_OK, 204, "", NULL);
    CHECK_TEXT(outcome(instance, "{\"url\":\"/x\"}"), "");
    close_it(instance);
}

static void allowed_hosts(void)
{
    static const char *const good[] = {"http://api.example.org/x", "https://API.example.org:444/x",
                                       "http://127.0.0.1:8080/x?y=http://z", "http://[::1]:5/"};
    static const char *const bad[] = {
        "http://example.org/x", "http://api.example.org.evil.net/x", "http://evil.net/example.org",
        "http://api.example.org@evil.net/", "http://127.0.0.1:8081/", "http://127.0.0.1:80801/",
        "http://127.0.0.1/", "ftp://api.example.org/", "file:///etc/passwd", "//api.example.org/",
        "api.example.org", "http://", "http://api.example.org%2eevil.net/"};
    struct instance *instance =
        open_with("{hosts: [api.example.org, '127.0.0.1:8080', '[::1]']}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(instance);
    char json[256];
    answer_with(XY_OK, 200, "1", NULL);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(json, sizeof(json), "{\"url\":\"%s\"}", good[i]);
        CHECK_TEXT(outcome(instance, json), "1");
        CHECK_TEXT(server.url, good[i]);
    }
    server.count = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(json, sizeof(json), "{\"url\":\"%s\"}", bad[i]);
        const char *why = outcome(instance, json);
        CU_ASSERT(strstr(why, "may not be asked") || strstr(why, "needs `base_url`"));
    }
    CHECK_TEXT(outcome(instance, "{\"url\":\"http://api.example.org/a b\"}"),
               "the URL is empty, too long, or has spaces in it");
    CHECK_TEXT(outcome(instance, "{\"url\":\"http://api.example.org\\\\@evil.net/\"}"),
               "the URL is empty, too long, or has spaces in it");
    CHECK_TEXT(outcome(instance, "{}"), "the URL is empty, too long, or has spaces in it");
    CU_ASSERT_EQUAL(server.count, 0);
    close_it(instance);
    instance = open_with("{base_url: 'http://h'}");
    CHECK_TEXT(outcome(instance, "{\"url\":\"http://h/x\"}"),
               "`http://h/x` may not be asked: give a path that begins with `/`");
    close_it(instance);
}

static void options(void)
{
    CU_ASSERT_PTR_NULL(open_with(NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "give `base_url` or `hosts`"));
    stage_host_free(&host);
    CU_ASSERT_PTR_NULL(open_with("{base_url: 'ftp://h'}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "found `ftp://h`"));
    stage_host_free(&host);
    CU_ASSERT_PTR_NULL(open_with("{base_url: 'http://user@h'}"));
    stage_host_free(&host);
}

int main(void)
{
    static const struct check checks[] = {
        {"what is asked", asked},
        {"failures", failures},
        {"allowed hosts", allowed_hosts},
        {"options", options},
        {NULL, NULL},
    };
    return check_main("http_request", checks);
}
