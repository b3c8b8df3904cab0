/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin against a program that crashes, hangs and babbles: this same file, run with a mode. */
#include "generator_host.h"

#include <unistd.h>

#include "check.h"

static const char *self;

/* ---- the program ----------------------------------------------------------------------------- */

static void answer_line(unsigned long long id, const char *text)
{
    printf("{\"id\":%llu,\"text\":\"%s\",\"finish\":\"stop\",\"output_tokens\":2}\n", id, text);
    fflush(stdout);
}

/* Does what the prompt says. */
static int program(void)
{
    char line[65536];
    unsigned long long first = 0;
    while (fgets(line, sizeof(line), stdin)) {
        unsigned long long id = strtoull(line + strlen("{\"id\":"), NULL, 10);
        if (strstr(line, "crash"))
            _exit(3);
        if (strstr(line, "hang"))
            sleep(100);
        if (strstr(line, "babble"))
            puts("loading the model ...");
        if (strstr(line, "stranger"))
            answer_line(999999, "not asked");
        if (strstr(line, "complain"))
            fputs("a warning\nanother\n", stderr);
        if (strstr(line, "later")) { /* answered after the next one */
            first = id;
            continue;
        }
        if (strstr(line, "\"score\""))
            printf("{\"id\":%llu,\"scores\":[-1,-2.5],\"score_tokens\":[1,3],"
                   "\"logprobs\":[-1,-0.5,-0.75,-1.25]}\n", id);
        else if (strstr(line, "\"embed\""))
            printf("{\"id\":%llu,\"vectors\":[[1,0],[0.6,0.8]]}\n", id);
        else if (strstr(line, "refuse"))
            printf("{\"id\":%llu,\"error\":\"too busy\",\"retryable\":true,\"limited\":true,"
                   "\"retry_after\":1.5}\n", id);
        else if (strstr(line, "odd"))
            printf("{\"id\":%llu,\"txt\":\"?\"}\n", id);
        else
            answer_line(id, strstr(line, "\\u0001\\nx \xc3\xa9") ? "escaped" : "fine");
        if (first)
            answer_line(first, "at last");
        first = 0;
        fflush(stdout);
    }
    return 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static struct bench bench;
static const char *command[] = {NULL, "--program", NULL};

static void open_bench(const char *parallel, const char *restarts)
{
    CU_ASSERT_FATAL(bench_load(&bench, TEST_BUILD_DIR "/lib/xylem/exec.so", "exec"));
    command[0] = self;
    bench_set(&bench, "command", (const char *)command);
    bench_set(&bench, "parallel", parallel);
    bench_set(&bench, "restarts", restarts);
    bench_set(&bench, "answer_within", "0.5");
    static const char *const operations[] = {"complete", "score", "embed", NULL};
    bench_set(&bench, "operations", (const char *)operations);
    CU_ASSERT_EQUAL_FATAL(bench_open(&bench), XY_OK);
}

static void close_bench(void)
{
    bench_close(&bench);
    CU_ASSERT_EQUAL(bench.broken, 0);
}

static struct bench_call *ask(const char *prompt)
{
    static xy_message message;
    message = (xy_message){xy_text("user"), xy_text(prompt)};
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = &message;
    request.message_count = 1;
    struct bench_call *call = bench_submit(&bench, &request);
    CU_ASSERT_FATAL(call != NULL);
    return call;
}

/* Waits for the answer and checks it. `says`: in the error, or the whole text. */
static void expect(struct bench_call *call, int32_t status, bool retryable, const char *says)
{
    CU_ASSERT_FATAL(bench_wait(&bench, call, 10));
    const char *got = status == XY_OK ? call->text : call->error;
    bool good = call->reply.status == status && call->reply.retryable == (uint32_t)retryable &&
                got && strstr(got, says);
    CU_ASSERT(good);
    if (!good)
        printf("\n    got %d, retryable %u: %s\n", call->reply.status, call->reply.retryable,
               got ? got : "(null)");
    bench_call_free(call);
}

static void answers_and_shapes(void)
{
    open_bench("1", "5");
    for (int i = 0; i < 20; i++)
        expect(ask("hello"), XY_OK, false, "fine");
    expect(ask("\x01\nx \xc3\xa9"), XY_OK, false, "escaped");
    expect(ask("odd"), XY_EUPSTREAM, true, "no \"text\"");
    struct bench_call *call = ask("refuse");
    CU_ASSERT_FATAL(bench_wait(&bench, call, 10));
    CU_ASSERT_EQUAL(call->reply.limited, 1);
    CU_ASSERT_EQUAL(call->reply.retry_after_ms, 1500);
    expect(call, XY_EUPSTREAM, true, "too busy");
    xy_message message = {xy_text("user"), xy_text("p")};
    xy_str texts[] = {xy_text("a"), xy_text("b")};
    xy_request request = bench_new_request(XY_SCORE);
    request.messages = &message, request.message_count = 1;
    request.texts = texts, request.text_count = 2;
    call = bench_submit(&bench, &request);
    CU_ASSERT_FATAL(call && bench_wait(&bench, call, 10) && call->reply.status == XY_OK);
    CU_ASSERT(call->reply.scores[1] == -2.5 && call->reply.score_tokens[1] == 3);
    CU_ASSERT(call->reply.logprob_count == 4 && call->reply.logprobs[3] == -1.25f);
    bench_call_free(call);
    request = bench_new_request(XY_EMBED);
    request.texts = texts, request.text_count = 2;
    call = bench_submit(&bench, &request);
    CU_ASSERT_FATAL(call && bench_wait(&bench, call, 10) && call->reply.status == XY_OK);
    CU_ASSERT(call->reply.vector_count == 2 && call->reply.vectors[3] == 0.8f);
    bench_call_free(call);
    close_bench();
}

static void crash_fails_its_calls_and_restarts(void)
{
    open_bench("1", "5");
    struct bench_call *crash = ask("crash"), *behind = ask("hello");
    expect(crash, XY_EUPSTREAM, true, "exit status 3");
    expect(behind, XY_OK, false, "fine"); /* it waited: the new process answers */
    expect(ask("hello"), XY_OK, false, "fine");
    close_bench();
    open_bench("2", "5");
    crash = ask("later, please"); /* in flight beside the one that crashes */
    behind = ask("crash");
    expect(crash, XY_EUPSTREAM, true, "exit status 3");
    expect(behind, XY_EUPSTREAM, true, "exit status 3");
    close_bench();
}

static void restarts_are_bounded(void)
{
    open_bench("1", "1");
    expect(ask("crash"), XY_EUPSTREAM, true, "exit status 3");
    expect(ask("hello"), XY_OK, false, "fine"); /* an answer: the count starts again */
    expect(ask("crash"), XY_EUPSTREAM, true, "exit status 3");
    expect(ask("crash"), XY_EUPSTREAM, true, "exit status 3");
    expect(ask("hello"), XY_EUPSTREAM, false, "given up after 2");
    expect(ask("hello"), XY_EUPSTREAM, false, "given up after 2");
    close_bench();
}

static void hang_is_killed(void)
{
    open_bench("1", "5");
    expect(ask("hang"), XY_ETIMEOUT, true, "0.5 s");
    expect(ask("hello"), XY_OK, false, "fine");
    close_bench();
}

static void garbage_is_named(void)
{
    open_bench("1", "5");
    expect(ask("babble"), XY_EUPSTREAM, true, "loading the model");
    expect(ask("stranger"), XY_EUPSTREAM, true, "999999");
    expect(ask("hello"), XY_OK, false, "fine");
    close_bench();
}

static void order_is_free_and_stderr_is_logged(void)
{
    open_bench("2", "5");
    struct bench_call *first = ask("later, please"), *second = ask("complain");
    expect(second, XY_OK, false, "fine");
    expect(first, XY_OK, false, "at last");
    expect(ask("hello"), XY_OK, false, "fine");
    CU_ASSERT(strstr(bench.log, "a warning") && strstr(bench.log, "another"));
    close_bench();
}

static void cancel_waiting_and_active(void)
{
    open_bench("1", "5");
    struct bench_call *active = ask("hang"), *waiting = ask("hello");
    usleep(100000); /* the first is with the program by now */
    bench.stage->generator->cancel(bench.state, &waiting->call);
    bench.stage->generator->cancel(bench.state, &active->call);
    expect(waiting, XY_ECANCELED, false, "cancelled");
    expect(active, XY_ECANCELED, false, "cancelled");
    expect(ask("hello"), XY_OK, false, "fine"); /* once the hanging one was killed */
    close_bench();
}

static void missing_program(void)
{
    static const char *const nowhere[] = {"/nowhere/program", NULL};
    CU_ASSERT_FATAL(bench_load(&bench, TEST_BUILD_DIR "/lib/xylem/exec.so", "exec"));
    bench_set(&bench, "command", (const char *)nowhere);
    CU_ASSERT_EQUAL_FATAL(bench_open(&bench), XY_OK);
    expect(ask("hello"), XY_EUPSTREAM, false, "cannot be started: No such file");
    expect(ask("hello"), XY_EUPSTREAM, false, "cannot be started");
    close_bench();
}

static void large_lines(void)
{
    open_bench("4", "5");
    char *prompt = malloc(60001);
    memset(prompt, 'x', 60000);
    prompt[60000] = '\0';
    struct bench_call *calls[16];
    for (int i = 0; i < 16; i++) /* more than the pipes hold */
        calls[i] = ask(prompt);
    for (int i = 0; i < 16; i++)
        expect(calls[i], XY_OK, false, "fine");
    free(prompt);
    close_bench();
}

int main(int argc, char **argv)
{
    static const struct check checks[] = {
        {"answers and shapes", answers_and_shapes},
        {"crash fails its calls and restarts", crash_fails_its_calls_and_restarts},
        {"restarts are bounded", restarts_are_bounded},
        {"hang is killed", hang_is_killed},
        {"garbage is named", garbage_is_named},
        {"order is free and stderr is logged", order_is_free_and_stderr_is_logged},
        {"cancel waiting and active", cancel_waiting_and_active},
        {"missing program", missing_program},
        {"large lines", large_lines},
        {NULL, NULL},
    };
    if (argc > 1 && strcmp(argv[1], "--program") == 0)
        return program();
    self = argv[0];
    return check_main("exec", checks);
}
