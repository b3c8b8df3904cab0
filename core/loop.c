/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

#include "memory.h"

enum { EACH_TURN_LIMIT = 8, SLOW_CALLBACK_US = 10000, WORKERS_LIMIT = 256 };

struct callback {
    loop_fn fn;
    void *data;
};

struct callbacks {
    struct callback *items;
    size_t count, capacity;
};

/* A timer knows its place in the heap, so that stopping one is logarithmic too. */
struct timer {
    struct loop *loop;
    uint64_t due_us, sequence;
    size_t index;
    struct callback callback;
};

struct work {
    struct work *next;
    struct loop *loop;
    loop_fn work, done;
    void *data;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare; /* the one place where timers, posts and each-turn callbacks run */
    uv_idle_t idle;       /* active while posts wait: the next poll must not block */
    uv_timer_t alarm;     /* stands for the first timer of the heap, and keeps the loop alive */
    uv_async_t wake;      /* other threads; counts as alive only while work is out */
    uv_signal_t signals[2];
    struct callback on_interrupt;
    struct callback each_turn[EACH_TURN_LIMIT];
    size_t each_turn_count;
    _Atomic pthread_t thread;
    atomic_bool stopping;
    uint64_t slow_callbacks;

    struct timer **heap;
    size_t heap_count, heap_capacity;
    uint64_t timer_sequence, alarm_us;

    uv_mutex_t post_lock;
    struct callbacks posted, running; /* `posted` under the lock; the two swap places */

    uv_mutex_t work_lock;
    uv_cond_t work_ready;
    struct work *work_first, **work_last; /* with `closing`, under work_lock */
    bool closing;
    size_t working; /* [loop] handed out and not yet done */
    uv_thread_t *workers;
    unsigned worker_count;
};

static void call(struct loop *loop, struct callback callback)
{
    uint64_t start = loop_now_us(loop);
    callback.fn(callback.data);
    if (loop_now_us(loop) - start > SLOW_CALLBACK_US)
        loop->slow_callbacks++;
}

/* ---- timers: a binary heap by (due, order of asking) --------------------------------------- */

static bool timer_before(const struct timer *a, const struct timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->sequence < b->sequence;
}

static void heap_place(struct loop *loop, size_t index, struct timer *timer)
{
    loop->heap[index] = timer;
    timer->index = index;
}

static void heap_up(struct loop *loop, size_t index, struct timer *timer)
{
    while (index > 0 && timer_before(timer, loop->heap[(index - 1) / 2])) {
        heap_place(loop, index, loop->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    heap_place(loop, index, timer);
}

static void heap_down(struct loop *loop, size_t index, struct timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= loop->heap_count)
            break;
        if (child + 1 < loop->heap_count && timer_before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!timer_before(loop->heap[child], timer))
            break;
        heap_place(loop, index, loop->heap[child]);
        index = child;
    }
    heap_place(loop, index, timer);
}

static void heap_remove(struct timer *timer)
{
    struct loop *loop = timer->loop;
    struct timer *last = loop->heap[--loop->heap_count];
    if (last == timer)
        return;
    size_t index = timer->index;
    if (index > 0 && timer_before(last, loop->heap[(index - 1) / 2]))
        heap_up(loop, index, last);
    else
        heap_down(loop, index, last);
}

struct timer *loop_after(struct loop *loop, uint64_t microseconds, loop_fn fn, void *data)
{
    if (loop->heap_count == loop->heap_capacity) {
        loop->heap_capacity = loop->heap_capacity ? loop->heap_capacity * 2 : 64;
        loop->heap = memory_resize(loop->heap, loop->heap_capacity, sizeof(*loop->heap));
    }
    struct timer *timer = memory_zeroed(1, sizeof(*timer));
    timer->loop = loop;
    timer->sequence = loop->timer_sequence++;
    timer->callback = (struct callback){fn, data};
    if (__builtin_add_overflow(loop_now_us(loop), microseconds, &timer->due_us))
        timer->due_us = UINT64_MAX;
    heap_up(loop, loop->heap_count++, timer);
    return timer;
}

void timer_stop(struct timer *timer)
{
    if (!timer)
        return;
    heap_remove(timer);
    free(timer);
}

static void run_timers(struct loop *loop)
{
    uint64_t now = loop_now_us(loop);
    /* Timers that the callbacks set wait for the next turn: 0 microseconds must not starve I/O. */
    uint64_t fresh = loop->timer_sequence;
    /* A timer knows its place in the heap, so the one that is freed is not in it any more.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    while (loop->heap_count && loop->heap[0]->due_us <= now && loop->heap[0]->sequence < fresh) {
        struct timer *timer = loop->heap[0];
        struct callback callback = timer->callback;
        timer_stop(timer);
        call(loop, callback);
    }
}

static void alarm_fired(uv_timer_t *alarm)
{
    (void)alarm; /* it only ended the poll: run_timers() looks at the clock itself */
}

static void alarm_set(struct loop *loop)
{
    if (!loop->heap_count) {
        uv_timer_stop(&loop->alarm);
        return;
    }
    if (loop->alarm_us == loop->heap[0]->due_us && uv_is_active((uv_handle_t *)&loop->alarm))
        return;
    loop->alarm_us = loop->heap[0]->due_us;
    uint64_t now = loop_now_us(loop);
    uint64_t wait_us = loop->alarm_us > now ? loop->alarm_us - now : 0;
    /* Rounded up: a poll that ends early would spin until the timer is due. */
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->alarm, alarm_fired, wait_us / 1000 + (wait_us % 1000 != 0), 0);
}

/* ---- posts ---------------------------------------------------------------------------------- */

void loop_post(struct loop *loop, loop_fn fn, void *data)
{
    uv_mutex_lock(&loop->post_lock);
    struct callbacks *posted = &loop->posted;
    if (posted->count == posted->capacity) {
        posted->capacity = posted->capacity ? posted->capacity * 2 : 64;
        posted->items = memory_resize(posted->items, posted->capacity, sizeof(*posted->items));
    }
    bool first = posted->count == 0;
    posted->items[posted->count++] = (struct callback){fn, data};
    uv_mutex_unlock(&loop->post_lock);
    /* On the loop's own thread the end of this turn finds it without a system call. */
    if (first && !loop_is_current(loop))
        uv_async_send(&loop->wake);
}

static bool posts_waiting(struct loop *loop)
{
    uv_mutex_lock(&loop->post_lock);
    bool waiting = loop->posted.count > 0;
    uv_mutex_unlock(&loop->post_lock);
    return waiting;
}

static void run_posts(struct loop *loop)
{
    uv_mutex_lock(&loop->post_lock);
    struct callbacks batch = loop->posted;
    loop->posted = loop->running;
    uv_mutex_unlock(&loop->post_lock);
    for (size_t i = 0; i < batch.count; i++)
        call(loop, batch.items[i]);
    batch.count = 0;
    loop->running = batch;
}

/* ---- workers -------------------------------------------------------------------------------- */

static void work_finish(void *data)
{
    struct work work = *(struct work *)data;
    free(data);
    if (--work.loop->working == 0)
        uv_unref((uv_handle_t *)&work.loop->wake);
    work.done(work.data);
}

static void worker_run(void *data)
{
    struct loop *loop = data;
    uv_mutex_lock(&loop->work_lock);
    for (;;) {
        while (!loop->work_first && !loop->closing)
            uv_cond_wait(&loop->work_ready, &loop->work_lock);
        struct work *work = loop->work_first;
        if (!work)
            break;
        loop->work_first = work->next;
        if (!work->next)
            loop->work_last = &loop->work_first;
        uv_mutex_unlock(&loop->work_lock);
        work->work(work->data);
        loop_post(loop, work_finish, work);
        uv_mutex_lock(&loop->work_lock);
    }
    uv_mutex_unlock(&loop->work_lock);
}

/* Started with the first piece of work: `xylem check` and `help` never need them. */
static void workers_start(struct loop *loop)
{
    loop->workers = memory_zeroed(loop->worker_count, sizeof(*loop->workers));
    unsigned started = 0;
    while (started < loop->worker_count &&
           uv_thread_create(&loop->workers[started], worker_run, loop) == 0)
        started++;
    loop->worker_count = started;
    if (started == 0) {
        fprintf(stderr, "xylem: the system allows no further thread; raise `ulimit -u`\n");
        _Exit(71); /* EX_OSERR, as for memory: no work could ever finish */
    }
}

void loop_work(struct loop *loop, loop_fn work, loop_fn done, void *data)
{
    if (!loop->workers)
        workers_start(loop);
    struct work *item = memory_zeroed(1, sizeof(*item));
    *item = (struct work){.loop = loop, .work = work, .done = done, .data = data};
    if (loop->working++ == 0)
        uv_ref((uv_handle_t *)&loop->wake);
    uv_mutex_lock(&loop->work_lock);
    *loop->work_last = item;
    loop->work_last = &item->next;
    uv_cond_signal(&loop->work_ready);
    uv_mutex_unlock(&loop->work_lock);
}

/* ---- the loop itself ------------------------------------------------------------------------ */

static void idle_turn(uv_idle_t *idle)
{
    (void)idle; /* being active is its whole effect: the poll returns at once */
}

static void woken(uv_async_t *wake)
{
    struct loop *loop = wake->data;
    if (atomic_load(&loop->stopping))
        uv_stop(&loop->uv);
}

static void end_of_turn(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    run_timers(loop);
    run_posts(loop);
    for (size_t i = 0; i < loop->each_turn_count; i++)
        call(loop, loop->each_turn[i]);
    alarm_set(loop);
    if (posts_waiting(loop))
        uv_idle_start(&loop->idle, idle_turn);
    else
        uv_idle_stop(&loop->idle);
    if (atomic_load(&loop->stopping))
        uv_stop(&loop->uv);
}

struct loop *loop_create(unsigned workers)
{
    struct loop *loop = memory_zeroed(1, sizeof(*loop));
    if (uv_loop_init(&loop->uv) != 0) {
        fprintf(stderr, "xylem: the system gives no event loop; raise `ulimit -n`\n");
        _Exit(71);
    }
    loop->worker_count = workers ? workers : uv_available_parallelism() + 2;
    if (loop->worker_count > WORKERS_LIMIT)
        loop->worker_count = WORKERS_LIMIT;
    loop->work_last = &loop->work_first;
    uv_mutex_init(&loop->post_lock);
    uv_mutex_init(&loop->work_lock);
    uv_cond_init(&loop->work_ready);
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    uv_timer_init(&loop->uv, &loop->alarm);
    uv_async_init(&loop->uv, &loop->wake, woken);
    loop->prepare.data = loop->wake.data = loop;
    uv_prepare_start(&loop->prepare, end_of_turn);
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->wake);
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&loop->uv, &loop->signals[i]);
        loop->signals[i].data = loop;
        uv_unref((uv_handle_t *)&loop->signals[i]);
    }
    atomic_store(&loop->thread, pthread_self());
    return loop;
}

void loop_run(struct loop *loop)
{
    atomic_store(&loop->thread, pthread_self());
    do {
        /* The heap and the posts become visible to libuv in end_of_turn(), and an empty-looking
         * loop would skip that: the idle handle makes it take the first turn. */
        if (loop->heap_count || posts_waiting(loop))
            uv_idle_start(&loop->idle, idle_turn);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    } while (!atomic_load(&loop->stopping) && (loop->heap_count || posts_waiting(loop)));
    atomic_store(&loop->stopping, false);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    uv_async_send(&loop->wake);
}

static void close_handle(uv_handle_t *handle, void *data)
{
    (void)data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    uv_mutex_lock(&loop->work_lock);
    loop->closing = true;
    uv_cond_broadcast(&loop->work_ready);
    uv_mutex_unlock(&loop->work_lock);
    for (unsigned i = 0; loop->workers && i < loop->worker_count; i++)
        uv_thread_join(&loop->workers[i]);
    while (loop->heap_count)
        /* heap_remove() puts another timer in its place, or counts down.
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        timer_stop(loop->heap[0]);
    for (size_t i = 0; i < loop->posted.count; i++)
        if (loop->posted.items[i].fn == work_finish)
            free(loop->posted.items[i].data);
    uv_walk(&loop->uv, close_handle, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
    uv_cond_destroy(&loop->work_ready);
    uv_mutex_destroy(&loop->work_lock);
    uv_mutex_destroy(&loop->post_lock);
    free(loop->workers);
    free(loop->heap);
    free(loop->posted.items);
    free(loop->running.items);
    free(loop);
}

bool loop_is_current(const struct loop *loop)
{
    return pthread_equal(atomic_load(&loop->thread), pthread_self());
}

uint64_t loop_now_us(const struct loop *loop)
{
    (void)loop;
    return uv_hrtime() / 1000;
}

void loop_each_turn(struct loop *loop, loop_fn fn, void *data)
{
    if (loop->each_turn_count == EACH_TURN_LIMIT) {
        fprintf(stderr, "xylem: loop_each_turn: more than %d callbacks\n", EACH_TURN_LIMIT);
        abort();
    }
    loop->each_turn[loop->each_turn_count++] = (struct callback){fn, data};
}

static void interrupted(uv_signal_t *handle, int number)
{
    (void)number;
    struct loop *loop = handle->data;
    call(loop, loop->on_interrupt);
}

void loop_on_interrupt(struct loop *loop, loop_fn fn, void *data)
{
    loop->on_interrupt = (struct callback){fn, data};
    uv_signal_start(&loop->signals[0], interrupted, SIGINT);
    uv_signal_start(&loop->signals[1], interrupted, SIGTERM);
}

void *loop_handle(struct loop *loop)
{
    return &loop->uv;
}

void loop_call(struct loop *loop, loop_fn fn, void *data)
{
    call(loop, (struct callback){fn, data});
}

uint64_t loop_slow_callbacks(const struct loop *loop)
{
    return loop->slow_callbacks;
}
