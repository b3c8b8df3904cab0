/* SPDX-License-Identifier: Apache-2.0 */
/* The whole path of a call against a server that fails on purpose: nothing is lost, nothing is paid
 * twice, nothing comes early. */
#include "model_stack.h"

#include "check.h"

enum { CALLS = 400 };

static int32_t statuses[CALLS];
static int times[CALLS];
static size_t lengths[CALLS];

static void done(void *user, const xy_reply *reply)
{
    int *slot = user;
    size_t i = (size_t)(slot - times);
    times[i]++;
    statuses[i] = reply->status;
    lengths[i] = reply->text.len;
    if (reply->status != XY_OK)
        printf("\n    call %zu: %s\n", i, reply->error);
}

static void ask_all(struct model_stack *stack)
{
    memset(times, 0, sizeof(times));
    for (uint32_t i = 0; i < CALLS; i++)
        CU_ASSERT_EQUAL(stack_ask(stack, i, done, &times[i]), XY_OK);
    loop_run(stack->loop);
    for (size_t i = 0; i < CALLS; i++) {
        CU_ASSERT_EQUAL(times[i], 1);
        CU_ASSERT_EQUAL(statuses[i], XY_OK);
        CU_ASSERT(lengths[i] > 0);
    }
}

static void failures_lose_nothing(void)
{
    struct test_server server;
    struct model_stack stack;
    CU_ASSERT_FATAL(test_server_start(&server, (const char *[]){
        "--port", "0", "--latency-ms", "2", "--fail",
        "429:0.05,500:0.03,503:0.02,reset:0.03,truncate:0.03,malformed:0.03", "--retry-after", "1",
        NULL}));
    CU_ASSERT_FATAL(stack_open(&stack, &server, (struct model_spec){.concurrency = 64,
                                                                    .attempts = 12}));
    ask_all(&stack);
    CU_ASSERT_EQUAL(test_server_stat(&server, "early"), 0);
    struct model_totals totals = models_totals(stack.models);
    CU_ASSERT(totals.retries > 0);
    CU_ASSERT(totals.limited > 0);
    CU_ASSERT_EQUAL(totals.failed, 0);
    /* libcurl itself repeats what was reset on a connection used before, unseen by its caller. */
    long long requests = test_server_stat(&server, "requests");
    CU_ASSERT(requests >= (long long)totals.calls);
    CU_ASSERT(requests <= (long long)totals.calls + test_server_stat(&server, "resets"));
    /* The same again, from the journal of another process: the server sees nothing of it. */
    stack_stop(&stack);
    CU_ASSERT_FATAL(stack_reopen(&stack));
    ask_all(&stack);
    CU_ASSERT_EQUAL(models_totals(stack.models).cached, CALLS);
    CU_ASSERT_EQUAL(test_server_stat(&server, "requests"), requests);
    CU_ASSERT_EQUAL(test_server_stat(&server, "answered_again"), 0);
    stack_close(&stack);
    test_server_stop(&server);
}

static void server_limit_is_found(void)
{
    struct test_server server;
    struct model_stack stack;
    CU_ASSERT_FATAL(test_server_start(&server, (const char *[]){
        "--port", "0", "--latency-ms", "5", "--limit", "200", "--retry-after", "1", NULL}));
    CU_ASSERT_FATAL(stack_open(&stack, &server, (struct model_spec){.concurrency = 64,
                                                                    .attempts = 12}));
    ask_all(&stack); /* two seconds' worth: limits are met, and every call gets through */
    CU_ASSERT(models_totals(stack.models).limited > 0);
    CU_ASSERT_EQUAL(test_server_stat(&server, "early"), 0);
    stack_close(&stack);
    test_server_stop(&server);
}

static float first_vector[16];

static void vectors_done(void *user, const xy_reply *reply)
{
    ++*(int *)user;
    CU_ASSERT_EQUAL(reply->status, XY_OK);
    CU_ASSERT_EQUAL(reply->vector_count, 2);
    if (reply->dimension == 16)
        memcpy(first_vector, reply->vectors, sizeof(first_vector));
}

static void scores_done(void *user, const xy_reply *reply)
{
    ++*(int *)user;
    CU_ASSERT_EQUAL(reply->status, XY_OK);
    CU_ASSERT_EQUAL(reply->score_count, 2);
    for (size_t i = 0; i < reply->score_count; i++)
        CU_ASSERT(reply->scores[i] < 0);
}

static void embeddings_and_scores(void)
{
    struct test_server server;
    struct model_stack stack;
    int answers = 0;
    CU_ASSERT_FATAL(test_server_start(&server, (const char *[]){"--port", "0", NULL}));
    CU_ASSERT_FATAL(stack_open(&stack, &server, (struct model_spec){.concurrency = 4}));
    xy_str texts[] = {STR("a good film"), STR("a bad film")};
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = texts,
                          .text_count = 2};
    CU_ASSERT_EQUAL(model_submit(stack.model, &request, vectors_done, &answers, NULL), XY_OK);
    loop_run(stack.loop);
    CU_ASSERT_EQUAL(answers, 1);
    double sum = 0;
    for (size_t i = 0; i < 16; i++)
        sum += (double)first_vector[i] * (double)first_vector[i];
    CU_ASSERT_DOUBLE_EQUAL(sum, 1, 1e-4);
    stack_stop(&stack);
    char *yaml = arena_printf(&stack.arena, "{base_url: '%s/v1', model: m, score: echo}",
                              server.url);
    struct error error;
    stack.spec.node = node_read_text(&stack.arena, "test", str_of(yaml), &error);
    CU_ASSERT_FATAL(stack_reopen(&stack));
    xy_message message = {STR("user"), STR("The label is ")};
    xy_str labels[] = {STR("positive"), STR("negative")};
    request = (xy_request){.size = sizeof(request), .operation = XY_SCORE, .messages = &message,
                           .message_count = 1, .texts = labels, .text_count = 2};
    CU_ASSERT_EQUAL(model_submit(stack.model, &request, scores_done, &answers, NULL), XY_OK);
    loop_run(stack.loop);
    CU_ASSERT_EQUAL(answers, 2);
    stack_close(&stack);
    test_server_stop(&server);
}

int main(void)
{
    static const struct check checks[] = {
        {"failures lose nothing", failures_lose_nothing},
        {"a server's limit is found", server_limit_is_found},
        {"embeddings and scores", embeddings_and_scores},
        {NULL, NULL},
    };
    return check_main("openai against a server", checks);
}
