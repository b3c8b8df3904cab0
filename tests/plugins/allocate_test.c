/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

/* One letter for each record: h for people, m for the model; or why not. */
static const char *who(const char *yaml, const char *lines)
{
    static char text[1024];
    instance_close(instance);
    stage_result_free(&result);
    instance = stage_host_open(&host, XY_ENHANCER, "allocate", yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    host.log[0] = '\0';
    stage_host_run(&host, instance, lines, &result);
    if (result.verdict < 0)
        return result.why;
    size_t i = 0;
    for (; i < result.count && i < sizeof(text) - 1; i++)
        text[i] = stage_text(result.records[i], "annotator")[0];
    text[i] = '\0';
    return text;
}

static double score(const char *name)
{
    return stage_host_score(&host, name).value;
}

#define FOUR "{\"vote_entropy\":0.5}\n{\"vote_entropy\":1}\n{\"vote_entropy\":0}\n{\"n\":1}\n"

/* What is unknown is doubted most, then 1, 0.5, 0. */
static void the_doubtful_go_to_people(void)
{
    CHECK_TEXT(who("share: 0", FOUR), "mmmm");
    CHECK_TEXT(who("share: 0.25", FOUR), "mmmh");
    CHECK_TEXT(who("share: 0.5", FOUR), "mhmh");
    CHECK_TEXT(who("share: 0.6", FOUR), "hhmh");
    CHECK_TEXT(who("share: 1", FOUR), "hhhh");
    CHECK_TEXT(who("{share: 0.5, uncertainty: u}", "{\"u\":1}\n{\"u\":1}\n{\"u\":1}\n"), "hhm");
    CHECK_TEXT(who("share: 0.5", ""), "");
    who("share: 0.25", FOUR);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "1 of 4 records have no number in `vote_entropy` and "
                                            "go to people first"));
    who("{share: 0.25, method: random}", FOUR);
    CHECK_TEXT(host.log, "");
}

/* Four model answers at 0.01 and people at 0.1: 0.04, 0.14, 0.24, 0.34, 0.44. Expected quality
 * with the model at 0.6: (0.6 (4 - k) + k 0.9) / 4 = 0.6, 0.675, 0.75, 0.825, 0.9. */
static void costs_and_qualities(void)
{
    static const char prices[] = "model_cost: 0.01, human_cost: 0.1, model_quality: 0.6, "
                                 "human_quality: 0.9";
    char yaml[256];
    snprintf(yaml, sizeof(yaml), "{%s, budget: 0.24}", prices);
    CHECK_TEXT(who(yaml, FOUR), "mhmh");
    CU_ASSERT_DOUBLE_EQUAL(score("cost"), 0.24, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(score("quality"), 0.75, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(score("human_share"), 0.5, 1e-9);
    snprintf(yaml, sizeof(yaml), "{%s, budget: 0.239}", prices);
    CHECK_TEXT(who(yaml, FOUR), "mmmh");
    snprintf(yaml, sizeof(yaml), "{%s, budget: 9}", prices);
    CHECK_TEXT(who(yaml, FOUR), "hhhh");
    snprintf(yaml, sizeof(yaml), "{%s, quality: 0.8}", prices);
    CHECK_TEXT(who(yaml, FOUR), "hhmh");
    snprintf(yaml, sizeof(yaml), "{%s, quality: 0.91}", prices);
    CU_ASSERT_PTR_NOT_NULL(strstr(who(yaml, FOUR), "`quality: 0.91` cannot be reached: with people "
                                  "for all records 0.9 is expected"));
    snprintf(yaml, sizeof(yaml), "{%s, budget: 0.03}", prices);
    CU_ASSERT_PTR_NOT_NULL(strstr(who(yaml, FOUR), "the model's labels alone cost 0.04"));
    snprintf(yaml, sizeof(yaml), "{%s, share: 0.5}", prices);
    who(yaml, FOUR);
    const char *front = stage_host_detail(&host, "allocate", "front");
    CHECK_TEXT(front ? front : "", "[{\"people\":0,\"share\":0,\"cost\":0.04,\"quality\":0.6},"
               "{\"people\":1,\"share\":0.25,\"cost\":0.14,\"quality\":0.675},"
               "{\"people\":2,\"share\":0.5,\"cost\":0.24,\"quality\":0.75},"
               "{\"people\":3,\"share\":0.75,\"cost\":0.34,\"quality\":0.825},"
               "{\"people\":4,\"share\":1,\"cost\":0.44,\"quality\":0.9}]");
    /* People who know less than the model: no plan but the cheapest is on the front. */
    who("{share: 0.5, model_cost: 0, model_quality: 0.9, human_quality: 0.8}", FOUR);
    front = stage_host_detail(&host, "allocate", "front");
    CHECK_TEXT(front ? front : "", "[{\"people\":0,\"share\":0,\"cost\":0,\"quality\":0.9}]");
}

/* 12 bytes are 3 tokens: one unit of 2 begun twice; 4 bytes one unit. 0.1 each: people for the
 * first cost 0.2. */
static void prices_by_length(void)
{
    static const char lines[] = "{\"vote_entropy\":1,\"text\":\"abcdefghijkl\",\"t\":9}\n"
                                "{\"vote_entropy\":0,\"text\":\"abcd\",\"t\":1}\n";
    who("{share: 0.5, unit: tokens, unit_tokens: 2, model_cost: 0.01, human_cost: 0.1}", lines);
    CU_ASSERT_DOUBLE_EQUAL(score("cost"), 0.01 * 3 + 0.2, 1e-9);
    who("{share: 0.5, unit: tokens, unit_tokens: 2, model_cost: 0.01, human_cost: 0.1, tokens: t}",
        lines);
    CU_ASSERT_DOUBLE_EQUAL(score("cost"), 0.01 * 6 + 0.5, 1e-9);
}

/* Two levels: at 0, right 2 of 2 known; at 1, 0 of 1. Overall 2/3. (2 + 2/3) / 3 = 8/9; (0 + 2/3) /
 * 2 = 1/3; the level 2, without gold, 2/3. Quality of nobody at people: (3 * 8/9 + 2/3 + 2/3) / 6
 * = 4 / 6. One (level 2): 13/18. */
static void quality_by_level(void)
{
    static const char lines[] =
        "{\"vote_entropy\":0,\"label\":\"a\",\"gold\":\"a\"}\n"
        "{\"vote_entropy\":0,\"label\":1,\"gold\":\"1\"}\n{\"vote_entropy\":0,\"label\":\"a\"}\n"
        "{\"vote_entropy\":1,\"label\":\"a\",\"gold\":\"b\"}\n"
        "{\"vote_entropy\":1,\"label\":\"a\"}\n{\"vote_entropy\":2,\"label\":\"a\"}\n";
    CHECK_TEXT(who("{share: 0, gold: gold}", lines), "mmmmmm");
    CU_ASSERT_DOUBLE_EQUAL(score("quality"), 4.0 / 6, 1e-9);
    CHECK_TEXT(who("{share: 0.1, gold: gold}", lines), "mmmmmh");
    CU_ASSERT_DOUBLE_EQUAL(score("quality"), 13.0 / 18, 1e-9);
    const char *levels = stage_host_detail(&host, "allocate", "levels");
    CU_ASSERT_PTR_NOT_NULL(levels);
    CU_ASSERT_PTR_NOT_NULL(levels && strstr(levels, "{\"records\":2,\"low\":1,\"high\":1,"
                                            "\"known\":1,\"hits\":0,\"quality\":0.333"));
    who("{share: 0, gold: nowhere}", lines);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "no record has a label in `nowhere`"));
}

/* More values than levels: ten at most, and equal values stay together. */
static void many_levels(void)
{
    char lines[8192] = "";
    size_t length = 0;
    for (int i = 0; i < 100; i++)
        length += (size_t)snprintf(lines + length, sizeof(lines) - length,
                                   "{\"vote_entropy\":%.2f,\"label\":\"a\",\"gold\":\"%s\"}\n",
                                   0.01 * (i - i % 3), i < 60 ? "a" : "b");
    length += (size_t)snprintf(lines + length, sizeof(lines) - length, "{\"label\":\"a\"}\n");
    who("{share: 0, gold: gold}", lines);
    const char *levels = stage_host_detail(&host, "allocate", "levels");
    int count = 0;
    for (const char *at = levels; at && (at = strstr(at, "records")); at++)
        count++;
    CU_ASSERT_TRUE(count > 5 && count <= 10);
    CU_ASSERT_PTR_NOT_NULL(levels && strstr(levels, "{\"records\":1,\"low\":null,\"high\":null"));
}

static void refuses(void)
{
    static const char *const cases[][2] = {
        {"{}", "found none"}, {"{share: 0.1, budget: 3}", "found several"},
        {"{share: 2}", "share"}, {"{share: 0.1, method: best}", "method"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_ENHANCER, "allocate", cases[i][0]));
        CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, cases[i][1]));
    }
}

/* ---- the recorded stance data ---------------------------------------------------------------- */

/* The votes of six models, as `vote` takes them: a field each, and gold. */
static const char *panel_lines(const char *file)
{
    static const char *const panel[] = {"chatgpt", "text-davinci-003", "text-davinci-002",
                                        "flan-t5-xl", "flan-t5-xxl", "flan-ul2"};
    struct buffer out;
    buffer_init(&out, 1 << 24);
    for (const char *line = file; line && *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n'), *gold = strstr(line, "\"gold\": \"");
        const char *votes = strstr(line, "\"pred\": {");
        CU_ASSERT_FATAL(end && gold && votes && votes < end);
        buffer_printf(&out, "{\"gold\":\"%c\"", gold[9]);
        for (size_t i = 0; i < 6; i++) {
            char key[64];
            snprintf(key, sizeof(key), "\"%s\": \"", panel[i]);
            const char *at = strstr(votes, key);
            if (at && at < end && at[strlen(key)] != '"')
                buffer_printf(&out, ",\"v%zu\":\"%c\"", i, at[strlen(key)]);
        }
        buffer_append_text(&out, "}\n");
    }
    const char *text = arena_copy(&host.arena, out.bytes, out.length);
    buffer_free(&out);
    return text;
}

static bool is_right(const struct record *record)
{
    char gold[8];
    snprintf(gold, sizeof(gold), "%s", stage_text(record, "gold"));
    return stage_text(record, "annotator")[0] == 'h' ||
           strcmp(gold, stage_text(record, "label")) == 0;
}

/* Right labels when people, who are never wrong, have `share` of the records. */
static int right_with(double share, const char *method, uint64_t seed)
{
    char yaml[128];
    snprintf(yaml, sizeof(yaml), "{share: %g, method: %s}", share, method);
    host.services.seed = seed;
    instance_close(instance);
    stage_result_free(&result);
    instance = stage_host_open(&host, XY_ENHANCER, "allocate", yaml);
    stage_host_run_dataset(&host, instance, "voted", &result);
    int right = 0;
    for (size_t i = 0; i < result.count; i++)
        right += is_right(result.records[i]);
    return right;
}

/* Li et al. 2023: entropy above random at every share. */
static void entropy_beats_random(void)
{
    const char *file = stage_host_reference(&host, "llm-annotations-css/semeval_stance.jsonl.gz");
    if (!file)
        return;
    struct instance *vote = stage_host_open(
        &host, XY_ENHANCER, "vote", "{fields: [v0, v1, v2, v3, v4, v5]}");
    struct stage_result voted = {0};
    CU_ASSERT_FATAL(vote != NULL);
    stage_host_run(&host, vote, panel_lines(file), &voted);
    CU_ASSERT_EQUAL_FATAL(voted.count, 435);
    stage_host_add_records(&host, "voted", voted.records, voted.count);
    CU_ASSERT_EQUAL(right_with(0, "uncertainty", 1), 246); /* the recorded majority's hits */
    printf("\n    share to people: by entropy, at random (of 435 right)");
    for (int step = 1; step <= 4; step++) {
        double share = 0.2 * step, random = 0;
        int entropy = right_with(share, "uncertainty", 1);
        for (uint64_t seed = 1; seed <= 20; seed++)
            random += right_with(share, "random", seed) / 20.0;
        printf("\n    %.1f: %d (%.4f), %.1f (%.4f)", share, entropy, entropy / 435.0, random,
               random / 435);
        CU_ASSERT_TRUE(entropy > random);
        /* At random one of 435 is as likely as another: 246 + share * 189. */
        CU_ASSERT_DOUBLE_EQUAL(random, 246 + share * 189, 5);
    }
    printf("\n");
    CU_ASSERT_EQUAL(right_with(1, "uncertainty", 1), 435);
    stage_result_free(&voted);
    instance_close(vote);
}

static const struct check checks[] = {
    {"the doubtful go to people", the_doubtful_go_to_people},
    {"costs, qualities, the front", costs_and_qualities},
    {"prices by length", prices_by_length},
    {"quality by level", quality_by_level},
    {"many levels", many_levels},
    {"bad input", refuses},
    {"stance: entropy beats random", entropy_beats_random},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    stage_host_load(&host, "allocate");
    stage_host_load(&host, "vote");
    int failed = check_main("allocate", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
