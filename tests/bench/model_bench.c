/* SPDX-License-Identifier: Apache-2.0 */
/* model_bench.c - the model module with the openai plugin: its cost per call on the loop's thread
 * without HTTP, its throughput over HTTP, and what 5 % random 429s take from that.
 *
 *     model_bench [CALLS] [IN_FLIGHT]
 */
#define TEST_BUILD_DIR BENCH_BUILD_DIR
#include "model_stack.h"

#include "bench/measure.h"

static size_t calls, in_flight, asked, answered, good;
static double finished_at, loop_cpu; /* when the last of `calls` answers came */

/* As an engine does: calls that wait for a retry must not leave places of the window empty. */
enum { QUEUED_PER_PLACE = 4 };

static double thread_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* ---- an http service that answers at once, for the cost of everything around it -------------- */

struct pending {
    void (*done)(void *, const xy_http_reply *);
    void *user;
};

static struct pending pending[1 << 16];
static size_t pending_first, pending_last;
static struct loop *instant_loop;

static void answer_instantly(void *data)
{
    static const char body[] =
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":"
        "\"test-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"A slow but moving film with a quiet ending that stays with you for longer than its "
        "length. Worth an evening.\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{"
        "\"prompt_tokens\":24,\"completion_tokens\":21,\"total_tokens\":45}}";
    (void)data;
    size_t last = pending_last;
    while (pending_first != last) {
        struct pending next = pending[pending_first++ & 0xffff];
        xy_http_reply reply = {.size = sizeof(reply), .code = 200, .retry_after_ms = -1,
                               .body = {body, sizeof(body) - 1}};
        next.done(next.user, &reply);
    }
}

static int instant_submit(const xy_host *host, const xy_http_request *request,
                          void (*done)(void *, const xy_http_reply *), void *user, uint64_t *ticket)
{
    (void)host, (void)request;
    *ticket = 1;
    if (pending_first == pending_last)
        loop_post(instant_loop, answer_instantly, NULL);
    pending[pending_last++ & 0xffff] = (struct pending){done, user};
    return XY_OK;
}

static int instant_cancel(const xy_host *host, uint64_t ticket)
{
    (void)host, (void)ticket;
    return XY_OK;
}

static const void *instant_service(const xy_host *host, const char *id)
{
    static const xy_http table = {sizeof(table), instant_submit, instant_cancel};
    (void)host;
    return strcmp(id, XY_HTTP) == 0 ? &table : NULL;
}

/* ---- the closed loop of calls ---------------------------------------------------------------- */

static void done(void *user, const xy_reply *reply)
{
    struct model_stack *stack = user;
    good += reply->status == XY_OK;
    if (++answered == calls) {
        finished_at = clock_seconds();
        loop_cpu = thread_seconds() - loop_cpu;
    }
    if (answered < calls)
        stack_ask(stack, (uint32_t)asked++, done, stack);
}

static double measure(const char *name, struct model_stack *stack)
{
    asked = answered = good = 0;
    instant_loop = stack->loop;
    double start = clock_seconds();
    loop_cpu = thread_seconds();
    while (asked < in_flight * QUEUED_PER_PLACE)
        stack_ask(stack, (uint32_t)asked++, done, stack);
    loop_run(stack->loop);
    double seconds = finished_at - start;
    printf("%-12s %7zu answers, all of %zu good: %s  %8.0f answers/s  %6.1f us of the loop's "
           "thread per answer  RSS %.1f MB\n",
           name, calls, answered, good == answered ? "yes" : "NO", (double)calls / seconds,
           loop_cpu / (double)calls * 1e6, resident_mb());
    return (double)calls / seconds;
}

static double against_server(const char *name, const char *const *arguments)
{
    struct test_server server;
    struct model_stack stack;
    struct model_spec spec = {.concurrency = (uint32_t)in_flight, .attempts = 12};
    if (!test_server_start(&server, arguments) || !stack_open(&stack, &server, spec))
        return 0;
    double rate = measure(name, &stack);
    printf("             early %lld  answered again %lld  window %u\n",
           test_server_stat(&server, "early"), test_server_stat(&server, "answered_again"),
           models_stats(stack.models, 0).window);
    stack_close(&stack);
    test_server_stop(&server);
    return rate;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    calls = argument(argc, argv, 1, 20000);
    in_flight = argument(argc, argv, 2, 256);
    raise_file_limit();
    struct test_server nowhere = {.url = "http://127.0.0.1:9"};
    struct model_stack stack;
    if (in_flight > 1 << 16 ||
        !stack_open(&stack, &nowhere, (struct model_spec){.concurrency = (uint32_t)in_flight}))
        return 1;
    stack_stop(&stack);
    stack.host.service = instant_service;
    if (!stack_reopen(&stack))
        return 1;
    measure("no http", &stack);
    stack_stop(&stack);
    if (!stack_reopen(&stack))
        return 1;
    measure("cached", &stack);
    stack_close(&stack);
    double calm = against_server("calm", (const char *[]){
        "--port", "0", "--latency-ms", "100", NULL});
    double stray = against_server("5 % 429", (const char *[]){
        "--port", "0", "--latency-ms", "100", "--fail", "429:0.05", NULL});
    double polite = against_server("and 1 s", (const char *[]){
        "--port", "0", "--latency-ms", "100", "--fail", "429:0.05", "--retry-after", "1", NULL});
    against_server("no latency", (const char *[]){"--port", "0", NULL});
    printf("5 %% random 429s keep %.2f of the throughput, with Retry-After: 1 %.2f\n", stray / calm,
           polite / calm);
    return 0;
}
