/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter.h"

#include <math.h>

enum { DEFAULT_MOST = 256, FIRST_WINDOW = 64, WINDOW_MARGIN = 20 };

#define SECOND 1e6
#define MINUTE 60e6
#define DECREASE 0.7
#define LONGEST_PAUSE (30 * SECOND)
#define LATENCY_FLOOR (2 * SECOND) /* below it a queue in the server costs nobody anything */
#define LATENCY_HOLD 3.0           /* times the least latency: stop growing */
#define LATENCY_SHRINK 6.0         /* times the least latency: shrink a little */
#define LATENCY_DECREASE 0.9
#define LATENCY_SMOOTHING 0.05
#define LEAST_LATENCY_DRIFT 1.0005 /* forgets an old minimum within a few thousand answers */

/* Of what a minute allows, `share` may go at once and the rest arrives evenly, so that no window of
 * 60 seconds ever holds more than the minute's amount. Below one a second, one at a time. */
static void bucket_init(struct limiter_bucket *bucket, double per_minute, double share,
                        uint64_t now)
{
    *bucket = (struct limiter_bucket){.filled_at = now};
    if (per_minute <= 0)
        return;
    bucket->capacity = per_minute * share;
    bucket->per_us = per_minute * (1 - share) / MINUTE;
    if (bucket->capacity < 1) {
        bucket->capacity = 1;
        bucket->per_us = per_minute / MINUTE;
    }
    bucket->level = bucket->capacity;
}

static void bucket_fill(struct limiter_bucket *bucket, uint64_t now)
{
    if (now > bucket->filled_at)
        bucket->level = fmin(bucket->capacity, bucket->level + (double)(now - bucket->filled_at) *
                                                                   bucket->per_us);
    bucket->filled_at = now;
}

/* Microseconds until `amount` may be taken; an amount above the capacity waits for a full bucket
 * and leaves a debt. */
static uint64_t bucket_wait(struct limiter_bucket *bucket, double amount, uint64_t now)
{
    if (bucket->capacity <= 0)
        return 0;
    bucket_fill(bucket, now);
    double missing = fmin(amount, bucket->capacity) - bucket->level;
    /* Rounding in bucket_fill() may leave a hair missing: without the tolerance a caller that
     * waited exactly as long as told would be told to wait for 1 us again. */
    return missing <= 1e-6 * bucket->capacity ? 0 : (uint64_t)ceil(missing / bucket->per_us);
}

void limiter_init(struct limiter *limiter, struct limiter_options options, uint64_t now)
{
    if (options.most == 0)
        options.most = DEFAULT_MOST;
    *limiter = (struct limiter){
        .options = options,
        .window = options.most < FIRST_WINDOW ? options.most : FIRST_WINDOW,
        .slow_start = true,
    };
    bucket_init(&limiter->requests, options.requests_per_minute, 1.0 / 60, now);
    bucket_init(&limiter->tokens, options.tokens_per_minute, 1.0 / 6, now);
}

uint64_t limiter_wait(struct limiter *limiter, double tokens, uint64_t now)
{
    if (limiter->in_flight >= (uint32_t)limiter->window)
        return LIMITER_NEVER;
    uint64_t wait = limiter->paused_until > now ? limiter->paused_until - now : 0;
    uint64_t requests = bucket_wait(&limiter->requests, 1, now);
    uint64_t share = bucket_wait(&limiter->tokens, tokens, now);
    wait = requests > wait ? requests : wait;
    return share > wait ? share : wait;
}

void limiter_start(struct limiter *limiter, double tokens, uint64_t now)
{
    limiter->in_flight++;
    limiter->unanswered++;
    if (limiter->requests.capacity > 0) {
        bucket_fill(&limiter->requests, now);
        limiter->requests.level -= 1;
    }
    if (limiter->tokens.capacity > 0) {
        bucket_fill(&limiter->tokens, now);
        limiter->tokens.level -= tokens;
    }
}

/* Starts a new epoch: what is in flight now was sent under the old window and says nothing about
 * the new one. */
static void shrink(struct limiter *limiter, double factor)
{
    limiter->slow_start = false;
    limiter->window = fmax(1, floor(limiter->window * factor));
    limiter->epoch_left = limiter->unanswered;
}

static void on_sustained_limit(struct limiter *limiter, const struct limiter_outcome *outcome)
{
    shrink(limiter, DECREASE);
    limiter->limited_share = LIMITER_HOLD; /* another decrease needs new evidence */
    double pause = (double)outcome->retry_after;
    if (outcome->retry_after < 0) {
        /* No wish from the server. While good answers come between, the smaller window is enough;
         * when none does, the endpoint pauses, longer each time. */
        pause = limiter->pause_streak == 0
                    ? 0
                    : fmin(LONGEST_PAUSE, SECOND * ldexp(0.25, (int)limiter->pause_streak));
        if (limiter->pause_streak < 10)
            limiter->pause_streak++;
    }
    uint64_t until = outcome->now + (uint64_t)pause;
    if (until > limiter->paused_until)
        limiter->paused_until = until;
}

/* The latency half: smoothed latency against its slowly forgotten minimum. */
static double latency_ratio(struct limiter *limiter, const struct limiter_outcome *outcome)
{
    double sample = (double)(outcome->now - outcome->sent_at);
    if (limiter->latency <= 0) {
        limiter->latency = limiter->least_latency = sample;
        return 1;
    }
    limiter->latency += LATENCY_SMOOTHING * (sample - limiter->latency);
    limiter->least_latency = fmin(limiter->least_latency * LEAST_LATENCY_DRIFT, sample);
    if (limiter->latency < LATENCY_FLOOR)
        return 1;
    return limiter->latency / fmax(limiter->least_latency, 1);
}

static void grow(struct limiter *limiter)
{
    /* A window that is not used proves nothing, so it must not grow. */
    if ((double)limiter->in_flight * 2 < limiter->window)
        return;
    limiter->window += limiter->slow_start ? 1 : 1 / limiter->window;
    if (limiter->window > limiter->options.most)
        limiter->window = limiter->options.most;
}

void limiter_finish(struct limiter *limiter, const struct limiter_outcome *outcome)
{
    limiter->unanswered--;
    if (limiter->tokens.capacity > 0) {
        bucket_fill(&limiter->tokens, outcome->now);
        double corrected =
            limiter->tokens.level + outcome->tokens_reserved - outcome->tokens_used;
        limiter->tokens.level = fmin(limiter->tokens.capacity, corrected);
    }
    if (limiter->epoch_left > 0) {
        limiter->epoch_left--;
        return;
    }
    double weight = 2 / (limiter->window + WINDOW_MARGIN + 1);
    limiter->limited_share += weight * ((outcome->limited ? 1 : 0) - limiter->limited_share);
    if (outcome->limited) {
        if (limiter->limited_share > LIMITER_SUSTAINED)
            on_sustained_limit(limiter, outcome);
        return;
    }
    if (!outcome->answered)
        return;
    limiter->pause_streak = 0;
    double ratio = latency_ratio(limiter, outcome);
    if (ratio > LATENCY_SHRINK && limiter->window > 2)
        shrink(limiter, LATENCY_DECREASE);
    else if (ratio <= LATENCY_HOLD && limiter->limited_share <= LIMITER_HOLD)
        grow(limiter);
}

void limiter_release(struct limiter *limiter)
{
    limiter->in_flight--;
}
