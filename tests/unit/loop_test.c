/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include <xylem/plugin.h>

#include "check.h"

struct trace {
    struct loop *loop;
    char text[64];
    size_t length;
    struct timer *other;
    unsigned turns;
};

static void add(struct trace *trace, char letter)
{
    if (trace->length + 1 < sizeof(trace->text))
        trace->text[trace->length++] = letter;
}

#define LETTER(name, letter)                                                                      \
    static void name(void *data)                                                                  \
    {                                                                                             \
        add(data, letter);                                                                        \
    }
LETTER(letter_a, 'a')
LETTER(letter_b, 'b')
LETTER(letter_c, 'c')

static void test_posts_in_order(void)
{
    struct trace trace = {.loop = loop_create(1)};
    loop_post(trace.loop, letter_a, &trace);
    loop_post(trace.loop, letter_b, &trace);
    loop_post(trace.loop, letter_c, &trace);
    CHECK_TEXT(trace.text, "");
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "abc");
    loop_post(trace.loop, letter_b, &trace);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "abcb");
    loop_destroy(trace.loop);
}

static void test_timers_by_due_time(void)
{
    struct trace trace = {.loop = loop_create(1)};
    uint64_t start = loop_now_us(trace.loop);
    loop_after(trace.loop, 30000, letter_c, &trace);
    loop_after(trace.loop, 1000, letter_a, &trace);
    struct timer *stopped = loop_after(trace.loop, 2000, letter_c, &trace);
    loop_after(trace.loop, 15000, letter_b, &trace);
    timer_stop(stopped);
    timer_stop(NULL);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "abc");
    CU_ASSERT(loop_now_us(trace.loop) - start >= 30000);
    loop_destroy(trace.loop);
}

struct many {
    struct loop *loop;
    uint64_t last_due, ran, early;
};

struct many_timer {
    struct many *many;
    uint64_t due;
    struct timer *timer;
};

static void many_ran(void *data)
{
    struct many_timer *timer = data;
    timer->timer = NULL;
    timer->many->ran++;
    timer->many->early += timer->due < timer->many->last_due;
    timer->many->early += loop_now_us(timer->many->loop) < timer->due;
    timer->many->last_due = timer->due;
}

/* 20,000 timers, a third of them stopped again from anywhere in the heap: the rest run in the order
 * of their due times, none before its time. */
static void test_many_timers(void)
{
    enum { COUNT = 20000 };
    struct many many = {.loop = loop_create(1)};
    struct many_timer *timers = calloc(COUNT, sizeof(*timers));
    uint64_t state = 1;
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t delay = xy_random_below(&state, 50000);
        timers[i].many = &many;
        timers[i].due = loop_now_us(many.loop) + delay;
        timers[i].timer = loop_after(many.loop, delay, many_ran, &timers[i]);
    }
    uint64_t stopped = 0;
    for (size_t i = 0; i < COUNT; i += 3, stopped++)
        timer_stop(timers[i].timer);
    loop_run(many.loop);
    CU_ASSERT_EQUAL(many.ran, COUNT - stopped);
    /* The loop reads the clock itself, a little later than we did, so that neighbours less than
     * that apart may swap; not more than a few do. */
    CU_ASSERT(many.early < COUNT / 20);
    free(timers);
    loop_destroy(many.loop);
}

static void stop_other(void *data)
{
    struct trace *trace = data;
    timer_stop(trace->other);
    trace->other = NULL;
    add(trace, 's');
}

static void test_timer_stopped_by_another(void)
{
    struct trace trace = {.loop = loop_create(1)};
    loop_after(trace.loop, 0, stop_other, &trace);
    trace.other = loop_after(trace.loop, 0, letter_b, &trace);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "s");
    loop_destroy(trace.loop);
}

static void again(void *data)
{
    struct trace *trace = data;
    add(trace, 't');
    if (trace->length < 5)
        loop_after(trace->loop, 0, again, trace);
}

static void count_turn(void *data)
{
    ((struct trace *)data)->turns++;
}

/* A timer of 0 microseconds set by a timer waits for another turn, so that I/O gets its share. */
static void test_zero_timer_waits_a_turn(void)
{
    struct trace trace = {.loop = loop_create(1)};
    loop_each_turn(trace.loop, count_turn, &trace);
    loop_after(trace.loop, 0, again, &trace);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "ttttt");
    CU_ASSERT(trace.turns >= 5);
    loop_destroy(trace.loop);
}

struct job {
    struct loop *loop;
    bool on_loop, worked, done_on_loop;
    unsigned *finished;
};

static void job_work(void *data)
{
    struct job *job = data;
    job->on_loop = loop_is_current(job->loop);
    usleep(1000);
    job->worked = true;
}

static void job_done(void *data)
{
    struct job *job = data;
    job->done_on_loop = job->worked && loop_is_current(job->loop);
    (*job->finished)++;
}

/* loop_run() must stay for work that is out although nothing else is. */
static void test_work(void)
{
    struct loop *loop = loop_create(3);
    unsigned finished = 0;
    struct job jobs[50];
    for (size_t i = 0; i < 50; i++) {
        jobs[i] = (struct job){.loop = loop, .finished = &finished};
        loop_work(loop, job_work, job_done, &jobs[i]);
    }
    CU_ASSERT_EQUAL(finished, 0);
    loop_run(loop);
    CU_ASSERT_EQUAL(finished, 50);
    for (size_t i = 0; i < 50; i++)
        CU_ASSERT(!jobs[i].on_loop && jobs[i].done_on_loop);
    loop_destroy(loop);
}

struct stranger {
    struct loop *loop;
    unsigned received, out_of_order, next;
};

struct message {
    struct stranger *stranger;
    unsigned number;
};

static void receive(void *data)
{
    struct message *message = data;
    struct stranger *stranger = message->stranger;
    stranger->out_of_order += message->number != stranger->next;
    stranger->next = message->number + 1;
    stranger->received++;
    if (stranger->received == 10000)
        loop_stop(stranger->loop);
    free(message);
}

static void send_many(void *data)
{
    struct stranger *stranger = data;
    for (unsigned i = 0; i < 10000; i++) {
        struct message *message = malloc(sizeof(*message));
        *message = (struct message){stranger, i};
        loop_post(stranger->loop, receive, message);
    }
}

static void nothing(void *data)
{
    (void)data;
}

static void test_posts_from_another_thread(void)
{
    struct stranger stranger = {.loop = loop_create(1)};
    loop_after(stranger.loop, 60000000, nothing, NULL); /* the deadline that keeps it waiting */
    uv_thread_t thread;
    uv_thread_create(&thread, send_many, &stranger);
    loop_run(stranger.loop);
    uv_thread_join(&thread);
    CU_ASSERT_EQUAL(stranger.received, 10000);
    CU_ASSERT_EQUAL(stranger.out_of_order, 0);
    loop_destroy(stranger.loop);
}

static void stop(void *data)
{
    loop_stop(((struct trace *)data)->loop);
}

static void test_stop_and_run_again(void)
{
    struct trace trace = {.loop = loop_create(1)};
    loop_after(trace.loop, 60000000, letter_c, &trace);
    loop_post(trace.loop, stop, &trace);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "");
    loop_after(trace.loop, 1000, letter_a, &trace);
    loop_after(trace.loop, 2000, stop, &trace);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "a");
    loop_stop(trace.loop);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "a");
    loop_destroy(trace.loop); /* with the long timer still set: freed, not run */
    CHECK_TEXT(trace.text, "a");
}

static void raise_next(void *data)
{
    struct trace *trace = data;
    add(trace, 'i');
    if (trace->length < 2)
        kill(getpid(), SIGTERM);
    else
        loop_stop(trace->loop);
}

static void raise_first(void *data)
{
    (void)data;
    kill(getpid(), SIGINT);
}

static void test_interrupts(void)
{
    struct trace trace = {.loop = loop_create(1)};
    loop_on_interrupt(trace.loop, raise_next, &trace);
    loop_run(trace.loop); /* the handler alone does not keep the loop */
    loop_after(trace.loop, 20000000, letter_c, &trace);
    loop_post(trace.loop, raise_first, NULL);
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "ii");
    loop_destroy(trace.loop);
}

static void sleep_long(void *data)
{
    (void)data;
    usleep(15000);
}

static void test_slow_callbacks_are_counted(void)
{
    struct loop *loop = loop_create(1);
    loop_post(loop, nothing, NULL);
    loop_run(loop);
    uint64_t before = loop_slow_callbacks(loop);
    loop_post(loop, sleep_long, NULL);
    loop_after(loop, 0, sleep_long, NULL);
    loop_run(loop);
    CU_ASSERT(loop_slow_callbacks(loop) >= before + 2);
    loop_destroy(loop);
}

int main(void)
{
    static const struct check checks[] = {
        {"posts run in order", test_posts_in_order},
        {"timers run by due time", test_timers_by_due_time},
        {"many timers", test_many_timers},
        {"a timer stops another", test_timer_stopped_by_another},
        {"a zero timer waits a turn", test_zero_timer_waits_a_turn},
        {"work", test_work},
        {"posts from another thread", test_posts_from_another_thread},
        {"stop and run again", test_stop_and_run_again},
        {"interrupts", test_interrupts},
        {"slow callbacks are counted", test_slow_callbacks_are_counted},
        {NULL, NULL},
    };
    return check_main("loop", checks);
}
