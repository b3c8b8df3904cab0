/* SPDX-License-Identifier: Apache-2.0 */
/* limiter.h - how many calls an endpoint may have in flight, and how fast they may start.
 *
 * Three limits at once: a window of calls in flight that adapts, requests per minute and tokens per
 * minute. The window grows by one per round trip (in slow start by one per answer) and shrinks by a
 * factor, as in TCP congestion avoidance (Chiu and Jain 1989, "Analysis of the increase and
 * decrease algorithms for congestion avoidance"), but on *sustained* rate limits only: the smoothed
 * share of limited answers over about the last `window + 20` of them must pass LIMITER_SUSTAINED. A
 * stray 429 delays its own request and nothing else. Where a server never says 429, latency far
 * above its minimum holds the window, as the delay-based scheme of TCP Vegas does (Brakmo and
 * Peterson 1995).
 *
 * Pure arithmetic on a clock that the caller passes in (microseconds, monotonic). One thread.
 */
#ifndef XYLEM_CORE_LIMITER_H
#define XYLEM_CORE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#define LIMITER_SUSTAINED 0.20 /* share of limited answers above which the window shrinks */
#define LIMITER_HOLD 0.10      /* share above which it stops growing */
#define LIMITER_NEVER UINT64_MAX

struct limiter_options {
    uint32_t most;              /* calls in flight; 0: 256 */
    double requests_per_minute; /* 0: no limit */
    double tokens_per_minute;   /* 0: no limit */
};

/* A token bucket (in the sense of traffic shaping) that may go into debt. */
struct limiter_bucket {
    double level, capacity, per_us;
    uint64_t filled_at;
};

struct limiter {
    struct limiter_options options;
    double window;              /* calls in flight allowed, at least 1 */
    uint32_t in_flight;         /* places taken */
    uint32_t unanswered;        /* of these, started and not yet finished */
    bool slow_start;
    struct limiter_bucket requests, tokens;
    double limited_share;       /* smoothed share of limited answers */
    uint32_t epoch_left;        /* answers to calls that were sent before the last decrease */
    uint64_t paused_until;      /* the whole endpoint waits */
    uint32_t pause_streak;      /* sustained limits in a row, without an answer that was none */
    double latency, least_latency; /* microseconds, smoothed; 0: not known yet */
};

/* How one call ended. */
struct limiter_outcome {
    uint64_t sent_at, now;      /* microseconds */
    bool limited;               /* the server's rate limit, or an overload that it reported */
    bool answered;              /* a good answer: only these count for latency */
    int64_t retry_after;        /* microseconds the server asked for; negative: none */
    double tokens_reserved, tokens_used; /* what start() was told, and what it was */
};

void limiter_init(struct limiter *limiter, struct limiter_options options, uint64_t now);

/* 0: a call of about `tokens` may start now. Else the microseconds to wait, or LIMITER_NEVER when
 * only the end of another call can help. */
uint64_t limiter_wait(struct limiter *limiter, double tokens, uint64_t now);

/* Takes a place in the window and from both buckets. Only after limiter_wait() said 0. */
void limiter_start(struct limiter *limiter, double tokens, uint64_t now);

/* Learns from the end of a call; the place in the window stays taken until limiter_release(), so
 * that a caller can put the answer on disk before the next call starts. */
void limiter_finish(struct limiter *limiter, const struct limiter_outcome *outcome);
void limiter_release(struct limiter *limiter);

#endif
