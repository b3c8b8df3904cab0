/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - the one event-loop thread, its timers, its worker pool, and the way back onto it.
 *
 * libuv behind it. Timers live in the loop's heap: no timerfd per call. Callbacks never run inside
 * the call that asked for them.
 */
#ifndef XYLEM_CORE_LOOP_H
#define XYLEM_CORE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct timer;

typedef void (*loop_fn)(void *data);

/* `workers` 0: as many as there are cores, and two more for those that wait. */
struct loop *loop_create(unsigned workers);
/* Runs until loop_stop() or until nothing is left that could ever call back: no timer, post, work,
 * or HTTP call. A post that another thread has yet to make is not seen: who waits for one keeps a
 * timer (a deadline) running. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);            /* [any]; before loop_run(): that returns at once */
/* Waits for work that is out, then frees timers and posts without running them. NULL is fine. */
void loop_destroy(struct loop *loop);

bool loop_is_current(const struct loop *loop); /* [any] true on the loop's thread */
uint64_t loop_now_us(const struct loop *loop); /* monotonic, read afresh */

void loop_post(struct loop *loop, loop_fn fn, void *data);  /* [any], in order of posting */
void loop_work(struct loop *loop, loop_fn work, loop_fn done, void *data); /* [loop] */
/* Runs `fn` once after the delay unless stopped; the handle is freed by either. [loop] */
struct timer *loop_after(struct loop *loop, uint64_t microseconds, loop_fn fn, void *data);
void timer_stop(struct timer *timer);         /* [loop]; NULL is fine */
/* Runs `fn` at the end of each turn of the loop, after all callbacks of that turn. At most 8. */
void loop_each_turn(struct loop *loop, loop_fn fn, void *data); /* [loop] */
/* A first and each further SIGINT/SIGTERM calls `fn` on the loop. */
void loop_on_interrupt(struct loop *loop, loop_fn fn, void *data);
/* The uv_loop_t, for http.c. */
void *loop_handle(struct loop *loop);
/* Runs fn(data) now and counts it when it is slow: for callbacks that come from http.c's sockets.
 * [loop] */
void loop_call(struct loop *loop, loop_fn fn, void *data);

/* Callbacks that ran longer than 10 ms, for the run's summary. */
uint64_t loop_slow_callbacks(const struct loop *loop);

#endif
