/* SPDX-License-Identifier: Apache-2.0 */
/* Queue, retries, budget, coalescing, cancel and stop, with a generator that does as it is told. */
#include "model_fixture.h"

#include "check.h"

static struct plan echo(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)request;
    return say(fixture->seen[attempt].text);
}

static void answers_come_once_and_in_order(void)
{
    struct fixture f;
    fixture_init(&f, echo);
    CU_ASSERT_FATAL(fixture_open(&f));
    for (int i = 0; i < 100; i++) {
        char prompt[32];
        snprintf(prompt, sizeof(prompt), "prompt %d", i);
        CU_ASSERT(ask(&f, prompt, 0) != 0);
    }
    CU_ASSERT_EQUAL(f.done_count, 0); /* never from inside submit */
    run(&f);
    CU_ASSERT_EQUAL(f.done_count, 100);
    CU_ASSERT_EQUAL(f.seen_count, 100);
    CU_ASSERT_EQUAL(f.most_in_flight, 8);
    CU_ASSERT_EQUAL(f.unwritten_starts, 0);
    for (int i = 0; i < 100; i++) {
        char prompt[32];
        snprintf(prompt, sizeof(prompt), "prompt %d", i);
        CHECK_TEXT(f.got[i].text, prompt);
        CHECK_TEXT(f.seen[i].text, prompt); /* first in, first out */
        CU_ASSERT_EQUAL(f.got[i].times, 1);
        CU_ASSERT_EQUAL(f.got[i].output_tokens, 5);
    }
    CHECK_TEXT(f.got[0].model, "scripted-1");
    struct model_totals totals = models_totals(f.models);
    CU_ASSERT_EQUAL(totals.calls, 100);
    CU_ASSERT_EQUAL(totals.answers, 100);
    CU_ASSERT_EQUAL(totals.in_flight + totals.queued, 0);
    CU_ASSERT_EQUAL(totals.prompt_tokens, 1000);
    fixture_close(&f);
    journal_memory_clear();
}

static void same_request_is_paid_once(void)
{
    struct fixture f;
    fixture_init(&f, echo);
    CU_ASSERT_FATAL(fixture_open(&f));
    for (int i = 0; i < 10; i++)
        ask(&f, "same", 0); /* coalesced in flight */
    ask(&f, "same", 1);     /* another sample is another request */
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 2);
    CU_ASSERT_EQUAL(f.done_count, 11);
    ask(&f, "same", 0); /* from the journal */
    CU_ASSERT_EQUAL(f.done_count, 11);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 2);
    CHECK_TEXT(f.got[11].text, "same");
    CU_ASSERT_EQUAL(f.got[11].output_tokens, 5);
    CU_ASSERT_EQUAL(models_totals(f.models).cached, 1);
    fixture_close(&f);
    journal_memory_clear();
}

/* Fails twice, then answers. */
static struct plan third_time(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)request, (void)fixture;
    return attempt < 2 ? fail(XY_EUPSTREAM, true, false, -1) : say("well");
}

static void retries_until_it_works(void)
{
    struct fixture f;
    fixture_init(&f, third_time);
    CU_ASSERT_FATAL(fixture_open(&f));
    ask(&f, "p", 0);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 3);
    CU_ASSERT_EQUAL(f.got[0].status, XY_OK);
    CHECK_TEXT(f.got[0].text, "well");
    CU_ASSERT_EQUAL(models_totals(f.models).retries, 2);
    /* Full jitter: the first wait is below 0.5 s, the second below 1 s. */
    CU_ASSERT(f.seen[1].at_us - f.seen[0].at_us < 520000);
    CU_ASSERT(f.seen[2].at_us - f.seen[1].at_us < 1020000);
    fixture_close(&f);
    journal_memory_clear();
}

static struct plan always_down(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)request, (void)fixture, (void)attempt;
    return fail(XY_EUPSTREAM, true, false, -1);
}

static void attempts_are_bounded_and_failures_not_kept(void)
{
    struct fixture f;
    fixture_init(&f, always_down);
    f.spec.attempts = 3;
    CU_ASSERT_FATAL(fixture_open(&f));
    ask(&f, "p", 0);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 3);
    CU_ASSERT_EQUAL(f.got[0].status, XY_EUPSTREAM);
    CU_ASSERT(strstr(f.got[0].error, "teacher") && strstr(f.got[0].error, "it went wrong"));
    CU_ASSERT_EQUAL(journal_memory.count, 0);
    ask(&f, "p", 0); /* a failure is not remembered */
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 6);
    fixture_close(&f);
    journal_memory_clear();
}

static struct plan bad_request(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)fixture, (void)attempt;
    struct plan plan = fail(XY_EINVAL, false, false, -1);
    plan.refuse = request->sample == 7;
    return plan;
}

static void final_errors_are_not_retried(void)
{
    struct fixture f;
    fixture_init(&f, bad_request);
    CU_ASSERT_FATAL(fixture_open(&f));
    ask(&f, "p", 0);
    ask(&f, "q", 7); /* submit() itself refuses */
    CU_ASSERT_EQUAL(f.done_count, 0);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 2);
    CU_ASSERT_EQUAL(f.got[0].status, XY_EINVAL);
    CU_ASSERT_EQUAL(f.got[1].status, XY_EINVAL);
    CU_ASSERT_EQUAL(models_totals(f.models).failed, 2);
    fixture_close(&f);
    journal_memory_clear();
}

static struct plan asks_to_wait(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)request, (void)fixture;
    return attempt == 0 ? fail(XY_EUPSTREAM, true, true, 700) : say("ok");
}

static void retry_after_is_respected(void)
{
    struct fixture f;
    fixture_init(&f, asks_to_wait);
    f.spec.concurrency = 1;
    CU_ASSERT_FATAL(fixture_open(&f));
    ask(&f, "first", 0);
    ask(&f, "second", 0);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 3);
    /* The stray limit delays its own request; the other one goes at once. */
    CHECK_TEXT(f.seen[1].text, "second");
    CU_ASSERT(f.seen[1].at_us < 100000);
    CHECK_TEXT(f.seen[2].text, "first");
    CU_ASSERT(f.seen[2].at_us - f.seen[0].at_us >= 701000); /* 1 ms until the answer, then 700 */
    CU_ASSERT(f.seen[2].at_us < 1300000);
    CU_ASSERT_EQUAL(models_totals(f.models).limited, 1);
    fixture_close(&f);
    journal_memory_clear();
}

static void deadline_ends_retries(void)
{
    struct fixture f;
    fixture_init(&f, asks_to_wait);
    f.spec.deadline = 0.5; /* shorter than the server's wish */
    CU_ASSERT_FATAL(fixture_open(&f));
    ask(&f, "first", 0);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 1);
    CU_ASSERT_EQUAL(f.got[0].status, XY_ETIMEOUT);
    CU_ASSERT(strstr(f.got[0].error, "deadline") != NULL);
    CU_ASSERT(f.got[0].at_us < 300000); /* at once, not when the deadline has passed */
    CU_ASSERT(f.seen[0].timeout_ms <= 500 && f.seen[0].timeout_ms > 400);
    fixture_close(&f);
    journal_memory_clear();
}

static struct plan priced(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)fixture, (void)request, (void)attempt;
    struct plan plan = say("paid");
    plan.reply.prompt_tokens = 100;
    plan.reply.output_tokens = 50;
    return plan;
}

static size_t count_status(const struct fixture *f, int32_t status)
{
    size_t count = 0;
    for (size_t i = 0; i < f->got_count; i++)
        count += f->got[i].status == status;
    return count;
}

static void ask_many(struct fixture *f, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ask(f, "prompt", (uint32_t)i);
}

static void budget_is_hard_and_survives_a_restart(void)
{
    struct fixture f;
    fixture_init(&f, priced);
    /* 100 tokens at 10 and 50 at 20 per million: 0.002 a call. Ten calls cost 0.02. */
    f.spec.price_input = 10, f.spec.price_output = 20;
    f.pipeline.budget_money = 0.02;
    CU_ASSERT_FATAL(fixture_open(&f));
    ask_many(&f, 30);
    run(&f);
    CU_ASSERT(models_totals(f.models).cost <= 0.02 + 1e-9);
    size_t good = count_status(&f, XY_OK), over = count_status(&f, XY_EBUDGET);
    CU_ASSERT_EQUAL(good + over, 30);
    CU_ASSERT(good >= 5 && good <= 10);
    CU_ASSERT_DOUBLE_EQUAL(models_totals(f.models).cost, 0.002 * (double)good, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(f.got[0].cost, 0.002, 1e-12);
    CU_ASSERT(strstr(f.got[29].error, "budget") != NULL);
    fixture_close(&f);
    journal_memory_kill();
    fixture_init(&f, priced);
    f.spec.price_input = 10, f.spec.price_output = 20;
    f.pipeline.budget_money = 0.02;
    CU_ASSERT_FATAL(fixture_open(&f));
    /* The same run again: what an earlier process paid counts, its answers are there. */
    CU_ASSERT_DOUBLE_EQUAL(models_totals(f.models).cost, 0.002 * (double)good, 1e-9);
    ask_many(&f, 30);
    run(&f);
    CU_ASSERT(models_totals(f.models).cost <= 0.02 + 1e-9);
    CU_ASSERT_EQUAL(models_totals(f.models).cached, good);
    fixture_close(&f);
    journal_memory_clear();
}

static void token_budget_counts_both_directions(void)
{
    struct fixture f;
    fixture_init(&f, priced);
    f.pipeline.budget_tokens = 1000; /* 150 a call: six calls are 900 */
    f.spec.concurrency = 1;
    CU_ASSERT_FATAL(fixture_open(&f));
    ask_many(&f, 20);
    run(&f);
    /* The estimate (6 bytes of prompt, 256 or 50 of output) lets a seventh start at 900. */
    size_t good = count_status(&f, XY_OK);
    CU_ASSERT(good == 6 || good == 7);
    CU_ASSERT_EQUAL(good + count_status(&f, XY_EBUDGET), 20);
    fixture_close(&f);
    journal_memory_clear();
}

static void disk_full_stops_everything(void)
{
    struct fixture f;
    fixture_init(&f, echo);
    CU_ASSERT_FATAL(fixture_open(&f));
    ask_many(&f, 20);
    journal_memory.fail = true;
    run(&f);
    CU_ASSERT_EQUAL(f.done_count, 20);
    CU_ASSERT_EQUAL(count_status(&f, XY_EIO), 20);
    CU_ASSERT(f.seen_count <= 8); /* nothing more was paid */
    CU_ASSERT(strstr(f.got[0].error, "no room left") != NULL);
    ask(&f, "later", 0);
    run(&f);
    CU_ASSERT_EQUAL(f.got[20].status, XY_EIO);
    fixture_close(&f);
    journal_memory_clear();
}

static struct plan hangs(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)fixture, (void)request, (void)attempt;
    struct plan plan = say("late");
    plan.never = true;
    return plan;
}

static void cancel_queued_sent_and_shared(void)
{
    struct fixture f;
    fixture_init(&f, hangs);
    f.spec.concurrency = 1;
    CU_ASSERT_FATAL(fixture_open(&f));
    uint64_t sent = ask(&f, "sent", 0);
    uint64_t shared = ask(&f, "sent", 0);
    uint64_t queued = ask(&f, "queued", 0);
    models_stop(f.models, false); /* nothing is sent yet: all of them end */
    run(&f);
    CU_ASSERT_EQUAL(count_status(&f, XY_ECANCELED), 3);
    CU_ASSERT_EQUAL(f.seen_count, 0);
    model_cancel(f.model, sent); /* too late: ignored */
    model_cancel(f.model, shared);
    model_cancel(f.model, queued);
    model_cancel(f.model, 0);
    model_cancel(f.model, UINT64_MAX);
    fixture_close(&f);
    journal_memory_clear();
}

static uint64_t tickets[4];

static void cancel_one(void *data)
{
    struct fixture *f = data;
    CU_ASSERT_EQUAL(f->seen_count, 1);
    model_cancel(f->model, tickets[2]); /* queued: ends without a call */
    model_cancel(f->model, tickets[0]); /* shared: the call goes on for the other */
    CU_ASSERT_EQUAL(f->cancels, 0);
}

static void cancel_other(void *data)
{
    struct fixture *f = data;
    CU_ASSERT_EQUAL(count_status(f, XY_ECANCELED), 2);
    model_cancel(f->model, tickets[1]); /* nobody waits any more: the generator is told */
    model_cancel(f->model, tickets[1]);
    CU_ASSERT_EQUAL(f->cancels, 1);
    tickets[3] = ask(f, "sent", 0); /* must not join the call that is being cancelled */
}

static void stop_now(void *data)
{
    struct fixture *f = data;
    CU_ASSERT_EQUAL(f->seen_count, 2);
    models_stop(f->models, true);
}

static void cancel_in_flight(void)
{
    struct fixture f;
    fixture_init(&f, hangs);
    f.spec.concurrency = 1;
    CU_ASSERT_FATAL(fixture_open(&f));
    tickets[0] = ask(&f, "sent", 0);
    tickets[1] = ask(&f, "sent", 0);
    tickets[2] = ask(&f, "queued", 0);
    loop_after(f.loop, 20000, cancel_one, &f);
    loop_after(f.loop, 40000, cancel_other, &f);
    loop_after(f.loop, 60000, stop_now, &f);
    run(&f);
    CU_ASSERT_EQUAL(f.done_count, 4);
    CU_ASSERT_EQUAL(count_status(&f, XY_ECANCELED), 4);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(f.got[i].times, 1);
    CU_ASSERT_EQUAL(models_totals(f.models).in_flight, 0);
    fixture_close(&f);
    journal_memory_clear();
}

static void wrong_requests_are_refused(void)
{
    struct fixture f;
    fixture_init(&f, echo);
    CU_ASSERT_FATAL(fixture_open(&f));
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE};
    CU_ASSERT_EQUAL(submit(&f, &request), 0); /* no prompt */
    request.operation = 99;
    CU_ASSERT_EQUAL(submit(&f, &request), 0);
    CU_ASSERT_EQUAL(f.done_count, 0);
    fixture_close(&f);
}

int main(void)
{
    static const struct check checks[] = {
        {"answers come once and in order", answers_come_once_and_in_order},
        {"same request is paid once", same_request_is_paid_once},
        {"retries until it works", retries_until_it_works},
        {"attempts are bounded, failures not kept", attempts_are_bounded_and_failures_not_kept},
        {"final errors are not retried", final_errors_are_not_retried},
        {"retry-after is respected", retry_after_is_respected},
        {"deadline ends retries", deadline_ends_retries},
        {"budget is hard and survives a restart", budget_is_hard_and_survives_a_restart},
        {"token budget counts both directions", token_budget_counts_both_directions},
        {"disk full stops everything", disk_full_stops_everything},
        {"cancel by stop", cancel_queued_sent_and_shared},
        {"cancel in flight", cancel_in_flight},
        {"wrong requests are refused", wrong_requests_are_refused},
        {NULL, NULL},
    };
    return check_main("model", checks);
}
