/* SPDX-License-Identifier: Apache-2.0 */
/* sampling.c - draws from rows of logits whose probabilities are known, and the repair of UTF-8. */
#include "check.h"

#include "sampling.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>

enum { WORDS = 5, DRAWS = 40000 };
/* Probabilities 0.5, 0.25, 0.15, 0.07, 0.03 at temperature 1, out of order. */
static const double probability[WORDS] = {0.15, 0.5, 0.03, 0.25, 0.07};

static void draw_shares(struct sampling sampling, double *shares)
{
    struct sampling_room room;
    CU_ASSERT_EQUAL_FATAL(sampling_room_init(&room, WORDS), 0);
    for (int i = 0; i < WORDS; i++)
        shares[i] = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        float logits[WORDS];
        for (int i = 0; i < WORDS; i++)
            logits[i] = (float)log(probability[i]) + 7.0f;
        llama_token token = sampling_draw(&sampling, &room, logits, NULL, 0, NULL);
        CU_ASSERT_FATAL(token >= 0 && token < WORDS);
        shares[token] += 1.0 / DRAWS;
    }
    sampling_room_finish(&room);
}

static const struct sampling neutral = {
    .temperature = 1, .top_p = 1, .min_p = 0, .repeat_penalty = 1, .top_k = 0, .random = 12345};

/* Four standard deviations of a share of 1/2 over the draws. */
static const double tolerance = 0.01;

static void expect(struct sampling sampling, const double *expected)
{
    double shares[WORDS];
    draw_shares(sampling, shares);
    for (int i = 0; i < WORDS; i++)
        CU_ASSERT_DOUBLE_EQUAL(shares[i], expected[i], tolerance);
}

static void follows_the_probabilities(void)
{
    expect(neutral, probability);
}

static void temperature_sharpens(void)
{
    struct sampling sampling = neutral;
    double expected[WORDS], total = 0;
    for (int i = 0; i < WORDS; i++)
        total += pow(probability[i], 2);
    for (int i = 0; i < WORDS; i++)
        expected[i] = pow(probability[i], 2) / total;
    sampling.temperature = 0.5;
    expect(sampling, expected);
    sampling.temperature = 0;
    expect(sampling, (const double[]){0, 1, 0, 0, 0});
}

static void top_k_keeps_the_best(void)
{
    struct sampling sampling = neutral;
    sampling.top_k = 2;
    expect(sampling, (const double[]){0, 0.5 / 0.75, 0, 0.25 / 0.75, 0});
    sampling.top_k = 3;
    expect(sampling, (const double[]){0.15 / 0.9, 0.5 / 0.9, 0, 0.25 / 0.9, 0});
    sampling.top_k = 100;
    expect(sampling, probability);
}

static void top_p_keeps_the_nucleus(void)
{
    struct sampling sampling = neutral;
    sampling.top_p = 0.7; /* 0.5 is not enough, 0.75 is */
    expect(sampling, (const double[]){0, 0.5 / 0.75, 0, 0.25 / 0.75, 0});
    sampling.top_p = 0;
    expect(sampling, (const double[]){0, 1, 0, 0, 0});
}

static void min_p_drops_the_unlikely(void)
{
    struct sampling sampling = neutral;
    sampling.min_p = 0.2; /* of 0.5: what is below 0.1 goes */
    expect(sampling, (const double[]){0.15 / 0.9, 0.5 / 0.9, 0, 0.25 / 0.9, 0});
}

/* A positive logit is divided, a negative one multiplied, each token once however often it came. */
static void penalty_lowers_what_came(void)
{
    struct sampling_room room;
    struct sampling sampling = neutral;
    CU_ASSERT_EQUAL_FATAL(sampling_room_init(&room, 3), 0);
    float logits[] = {3.0f, -1.0f, 2.5f};
    const llama_token recent[] = {0, 1, 0};
    sampling.temperature = 0;
    sampling.repeat_penalty = 2;
    CU_ASSERT_EQUAL(sampling_draw(&sampling, &room, logits, recent, 3, NULL), 2);
    CU_ASSERT_EQUAL(logits[0], 1.5f);
    CU_ASSERT_EQUAL(logits[1], -2.0f);
    CU_ASSERT_EQUAL(logits[2], 2.5f);
    sampling_room_finish(&room);
}

/* Exponentials of these logits do not fit a double. */
static void log_sum_is_stable(void)
{
    const float high[] = {10000.0f, 10000.0f}, low[] = {-10000.0f, -10000.0f, -INFINITY};
    CU_ASSERT_DOUBLE_EQUAL(sampling_log_sum(high, 2), 10000 + log(2), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(sampling_log_sum(low, 3), -10000 + log(2), 1e-9);
}

static void repaired(const char *bytes, const char *expected)
{
    struct text text = {0};
    text_add_string(&text, bytes);
    text_repair_utf8(&text);
    CHECK_TEXT(text.ptr, expected);
    text_free(&text);
}

static void repairs_utf8(void)
{
    repaired("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xac",
             "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\xac");
    repaired("a\xff" "b", "a\xef\xbf\xbd" "b");
    repaired("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");         /* overlong */
    repaired("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    repaired("end\xe2\x82", "end\xef\xbf\xbd\xef\xbf\xbd");
    CU_ASSERT_EQUAL(text_whole_characters("ab\xe2\x82", 4), 2);
    CU_ASSERT_EQUAL(text_whole_characters("ab\xe2\x82\xac", 5), 5);
    CU_ASSERT_EQUAL(text_whole_characters("\xf0\x9f\x8e", 3), 0);
    CU_ASSERT_EQUAL(text_whole_characters("ab", 2), 2);
    CU_ASSERT_EQUAL(text_whole_characters("", 0), 0);
}

int main(void)
{
    static const struct check checks[] = {
        {"follows the probabilities", follows_the_probabilities},
        {"temperature sharpens", temperature_sharpens},
        {"top-k keeps the best", top_k_keeps_the_best},
        {"top-p keeps the nucleus", top_p_keeps_the_nucleus},
        {"min-p drops the unlikely", min_p_drops_the_unlikely},
        {"penalty lowers what came", penalty_lowers_what_came},
        {"log sum is stable", log_sum_is_stable},
        {"repairs UTF-8", repairs_utf8},
        {NULL, NULL},
    };
    return check_main("llama_sampling", checks);
}
