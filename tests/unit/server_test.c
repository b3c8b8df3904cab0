/* SPDX-License-Identifier: Apache-2.0 */
/* The test server itself: other tests believe its counts. */
#include "check.h"
#include "http.h"
#include "server/counts.h"
#include "server/launch.h"

#include <cjson/cJSON.h>
#include <math.h>

struct client {
    struct test_server server;
    struct loop *loop;
    struct http *http;
    int code;
    int32_t retry_after_ms;
    cJSON *answer; /* of the last call, NULL when it was not JSON */
};

static void client_open(struct client *client, const char *const *arguments)
{
    *client = (struct client){0};
    CU_ASSERT_FATAL(test_server_start(&client->server, arguments));
    client->loop = loop_create(1);
    client->http = http_create(client->loop);
}

static void client_close(struct client *client)
{
    cJSON_Delete(client->answer);
    http_destroy(client->http);
    loop_destroy(client->loop);
    test_server_stop(&client->server);
}

static void came(void *user, const xy_http_reply *reply)
{
    struct client *client = user;
    client->code = reply->code;
    client->retry_after_ms = reply->retry_after_ms;
    cJSON_Delete(client->answer);
    client->answer = cJSON_ParseWithLength(reply->body.ptr, reply->body.len);
}

static const cJSON *post(struct client *client, const char *path, const char *body)
{
    char url[128];
    snprintf(url, sizeof(url), "%s%s", client->server.url, path);
    xy_http_request request = {
        .size = sizeof(request), .url = url, .body = {body, strlen(body)}};
    CU_ASSERT_EQUAL(http_submit(client->http, &request, came, client, NULL), XY_OK);
    loop_run(client->loop);
    return client->answer;
}

static const cJSON *path_of(const cJSON *item, const char *const *names)
{
    for (; *names; names++)
        item = **names == '0' ? cJSON_GetArrayItem(item, 0)
                              : cJSON_GetObjectItemCaseSensitive(item, *names);
    return item;
}

#define PATH(item, ...) path_of((item), (const char *const[]){__VA_ARGS__, NULL})
#define TEXT(item, ...) cJSON_GetStringValue(PATH(item, __VA_ARGS__))

static void test_chat(void)
{
    struct client client;
    client_open(&client, NULL);
    const char *body =
        "{\"model\":\"m1\",\"messages\":[{\"role\":\"user\",\"content\":\"alpha beta\"}],"
        "\"logprobs\":true,\"max_tokens\":5}";
    const cJSON *answer = post(&client, "/v1/chat/completions", body);
    char first[256], joined[256] = "";
    snprintf(first, sizeof(first), "%s", TEXT(answer, "choices", "0", "message", "content"));
    CU_ASSERT(strncmp(first, "alpha", 5) == 0 || strncmp(first, "beta", 4) == 0);
    CHECK_TEXT(TEXT(answer, "model"), "m1");
    CHECK_TEXT(TEXT(answer, "choices", "0", "finish_reason"), "length");
    CU_ASSERT_EQUAL(cJSON_GetNumberValue(PATH(answer, "usage", "completion_tokens")), 5);
    CU_ASSERT_EQUAL(cJSON_GetNumberValue(PATH(answer, "usage", "prompt_tokens")), 5);
    const cJSON *token, *tokens = PATH(answer, "choices", "0", "logprobs", "content");
    CU_ASSERT_EQUAL(cJSON_GetArraySize(tokens), 5);
    cJSON_ArrayForEach(token, tokens)
    {
        size_t length = strlen(joined);
        snprintf(joined + length, sizeof(joined) - length, "%s", TEXT(token, "token"));
        double logprob = cJSON_GetNumberValue(PATH(token, "logprob"));
        CU_ASSERT(logprob < 0 && logprob >= -8);
    }
    CHECK_TEXT(joined, first);
    answer = post(&client, "/v1/chat/completions", body); /* the same request, the same answer */
    CHECK_TEXT(TEXT(answer, "choices", "0", "message", "content"), first);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "distinct_bodies"), 1);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "answered_max"), 2);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "answered_again"), 1);
    post(&client, "/v1/chat/completions", "{\"messages\":[]}");
    CU_ASSERT_EQUAL(client.code, 400);
    post(&client, "/v1/chat/completions", "not JSON");
    CU_ASSERT_EQUAL(client.code, 400);
    client_close(&client);
}

static void test_schema(void)
{
    struct client client;
    client_open(&client, NULL);
    for (int i = 0; i < 20; i++) {
        char body[1024];
        snprintf(
            body, sizeof(body),
            "{\"messages\":[{\"role\":\"user\",\"content\":\"%d\"}],\"response_format\":{\"type\":"
            "\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":{\"type\":\"object\","
            "\"properties\":{\"text\":{\"type\":\"string\"},\"label\":{\"enum\":[\"a\",\"b\"]},"
            "\"stars\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},\"share\":{\"type\":"
            "\"number\",\"minimum\":0,\"maximum\":1},\"good\":{\"type\":\"boolean\"},\"tags\":{"
            "\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":2,\"maxItems\":4}}}}}"
            "}",
            i);
        const cJSON *answer = post(&client, "/v1/chat/completions", body);
        cJSON *value = cJSON_Parse(TEXT(answer, "choices", "0", "message", "content"));
        CU_ASSERT_FATAL(value != NULL);
        CU_ASSERT_EQUAL(cJSON_GetArraySize(value), 6);
        CU_ASSERT(strlen(TEXT(value, "text")) > 0);
        CU_ASSERT(strcmp(TEXT(value, "label"), "a") == 0 || strcmp(TEXT(value, "label"), "b") == 0);
        double stars = cJSON_GetNumberValue(PATH(value, "stars"));
        CU_ASSERT(stars >= 1 && stars <= 5 && stars == floor(stars));
        double share = cJSON_GetNumberValue(PATH(value, "share"));
        CU_ASSERT(share >= 0 && share <= 1);
        CU_ASSERT(cJSON_IsBool(PATH(value, "good")));
        int tags = cJSON_GetArraySize(PATH(value, "tags"));
        CU_ASSERT(tags >= 2 && tags <= 4);
        cJSON_Delete(value);
    }
    client_close(&client);
}

static void test_completions(void)
{
    struct client client;
    client_open(&client, NULL);
    const cJSON *answer = post(&client, "/v1/completions",
                               "{\"prompt\":\"h\\u00e9 two, 3\",\"echo\":true,\"logprobs\":1,"
                               "\"max_tokens\":0}");
    const cJSON *logprobs = PATH(answer, "choices", "0", "logprobs");
    CHECK_TEXT(TEXT(answer, "choices", "0", "text"), "hé two, 3");
    char *tokens = cJSON_PrintUnformatted(PATH(logprobs, "tokens"));
    char *offsets = cJSON_PrintUnformatted(PATH(logprobs, "text_offset"));
    CHECK_TEXT(tokens, "[\"hé\",\" two\",\",\",\" 3\"]");
    CHECK_TEXT(offsets, "[0,2,6,7]");
    CU_ASSERT(cJSON_IsNull(PATH(logprobs, "token_logprobs", "0")));
    CU_ASSERT_EQUAL(cJSON_GetArraySize(PATH(logprobs, "token_logprobs")), 4);
    cJSON_free(tokens);
    cJSON_free(offsets);
    answer = post(&client, "/v1/completions",
                  "{\"prompt\":[\"a\",\"b c\"],\"echo\":true,\"logprobs\":1,\"max_tokens\":1}");
    CU_ASSERT_EQUAL(cJSON_GetArraySize(PATH(answer, "choices")), 2);
    CU_ASSERT_EQUAL(cJSON_GetArraySize(PATH(answer, "choices", "0", "logprobs", "tokens")), 2);
    client_close(&client);
}

static void test_embeddings(void)
{
    struct client client;
    client_open(&client, NULL);
    const cJSON *answer =
        post(&client, "/v1/embeddings",
             "{\"input\":[\"a good warm film\",\"a good cold film\",\"tax law of 1921\"]}");
    const cJSON *data = PATH(answer, "data");
    CU_ASSERT_EQUAL(cJSON_GetArraySize(data), 3);
    double vectors[3][16], near = 0, far = 0;
    for (int i = 0; i < 3; i++) {
        double square = 0;
        const cJSON *vector = PATH(cJSON_GetArrayItem(data, i), "embedding");
        CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(vector), 16);
        for (int k = 0; k < 16; k++) {
            vectors[i][k] = cJSON_GetNumberValue(cJSON_GetArrayItem(vector, k));
            square += vectors[i][k] * vectors[i][k];
        }
        CU_ASSERT(fabs(square - 1) < 1e-5);
    }
    for (int k = 0; k < 16; k++) {
        near += vectors[0][k] * vectors[1][k];
        far += vectors[0][k] * vectors[2][k];
    }
    CU_ASSERT(near > 0.4 && near > far);
    client_close(&client);
}


/* A retry before Retry-After is over counts as early; one after it does not. */
static void test_early(void)
{
    struct client client;
    client_open(&client, (const char *[]){"--fail", "429:1", "--retry-after", "0.2", NULL});
    post(&client, "/v1/embeddings", "{\"input\":\"x\"}");
    CU_ASSERT_EQUAL(client.code, 429);
    CU_ASSERT_EQUAL(client.retry_after_ms, 200);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "early"), 0);
    post(&client, "/v1/embeddings", "{\"input\":\"y\"}"); /* another body may come at any time */
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "early"), 0);
    post(&client, "/v1/embeddings", "{\"input\":\"x\"}");
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "early"), 1);
    usleep(250000);
    post(&client, "/v1/embeddings", "{\"input\":\"x\"}");
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "early"), 1);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "attempts_max"), 3);
    char body[64];
    CU_ASSERT(test_server_ask(&client.server, "POST", "/reset", body, sizeof(body)));
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "early"), 0);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "requests"), 0);
    client_close(&client);
}

/* Failures depend on the body and the attempt only, and come about as often as they were asked
 * for. */
static void test_failure_rate(void)
{
    long long limited[2] = {0, 0};
    for (int run = 0; run < 2; run++) {
        struct client client;
        client_open(&client, (const char *[]){"--fail", "429:0.2,500:0.1", "--seed", "3", NULL});
        for (int i = 0; i < 500; i++) {
            char body[64];
            snprintf(body, sizeof(body), "{\"input\":\"%d\"}", run ? 499 - i : i);
            post(&client, "/v1/embeddings", body);
        }
        limited[run] = test_server_stat(&client.server, "429");
        client_close(&client);
    }
    CU_ASSERT_EQUAL(limited[0], limited[1]);
    CU_ASSERT(limited[0] >= 65 && limited[0] <= 135); /* 100 expected, 9 standard deviation */
}

static void test_limits(void)
{
    struct client client;
    client_open(&client, (const char *[]){"--limit", "5", NULL});
    for (int i = 0; i < 8; i++)
        post(&client, "/v1/embeddings", "{\"input\":\"x\"}");
    CU_ASSERT(test_server_stat(&client.server, "limited") >= 1);
    CU_ASSERT(test_server_stat(&client.server, "200") >= 5);
    client_close(&client);

    client_open(&client, (const char *[]){"--max-in-flight", "3", "--latency-ms", "100", NULL});
    char url[128];
    snprintf(url, sizeof(url), "%s/v1/models", client.server.url);
    xy_http_request request = {.size = sizeof(request), .url = url};
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(http_submit(client.http, &request, came, &client, NULL), XY_OK);
    loop_run(client.loop);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "200"), 3);
    CU_ASSERT_EQUAL(test_server_stat(&client.server, "429"), 7);
    client_close(&client);
}

static void test_count_file(void)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/counts-XXXXXX", TEST_BUILD_DIR);
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    struct client client;
    client_open(&client, (const char *[]){"--count-file", path, NULL});
    post(&client, "/v1/embeddings", "{\"input\":\"x\"}");
    kill(client.server.pid, SIGKILL);
    waitpid(client.server.pid, NULL, 0);
    client.server.pid = -1;
    struct counts counts;
    CU_ASSERT_EQUAL(read(fd, &counts, sizeof(counts)), sizeof(counts));
    CU_ASSERT(counts.magic == COUNTS_MAGIC);
    CU_ASSERT_EQUAL(counts.requests, 1);
    CU_ASSERT_EQUAL(counts.by_status[200], 1);
    close(fd);
    unlink(path);
    client_close(&client);
}

int main(void)
{
    static const struct check checks[] = {
        {"chat", test_chat},
        {"schema", test_schema},
        {"completions", test_completions},
        {"embeddings", test_embeddings},
        {"early", test_early},
        {"failure rate", test_failure_rate},
        {"limits", test_limits},
        {"count file", test_count_file},
        {NULL, NULL},
    };
    return check_main("server", checks);
}
