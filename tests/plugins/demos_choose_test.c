/* SPDX-License-Identifier: Apache-2.0 */
/* demos.cluster and demos.dissimilar, and what all stages share: two pools, bounds, ready
 * vectors. */
#include "check.h"
#include "stage_host.h"

#include <math.h>
#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;

static void open_stage(const char *id, const char *yaml)
{
    instance_close(instance);
    instance = stage_host_open(&host, XY_CONDITION, id, yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    host.log[0] = '\0';
}

static void refuse(const char *id, const char *yaml, const char *why)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, id, yaml));
    if (!strstr(host.error.text, why))
        printf("\n    got: %s ", host.error.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, why));
}

/* What the record was given, each demonstration by its field `n`: "ab c". */
static const char *names_for(const char *json, uint64_t seed)
{
    static char names[256];
    stage_result_free(&result);
    host.services.seed = seed;
    stage_host_process(&host, instance, json, &result);
    const char *at = result.input ? stage_text(result.input, "demos") : "";
    size_t length = 0;
    for (; (at = strstr(at, "\"n\":\"")) != NULL;) {
        at += 5;
        length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%.*s",
                                   length ? " " : "", (int)strcspn(at, "\""), at);
    }
    names[length] = '\0';
    return names;
}

/* Three heaps on a circle: a1 a2 a3 at 0, 10, 20 degrees, b1 b2 at 90 and 100, c1 at 180. */
#define HEAPS                                                                                     \
    "{\"n\":\"a1\",\"text\":\"1 0\",\"#v\":[1,0],\"steps\":2}\n"                                  \
    "{\"n\":\"a2\",\"text\":\"0.98481 0.17365\",\"#v\":[0.98481,0.17365],\"steps\":7}\n"          \
    "{\"n\":\"a3\",\"text\":\"0.93969 0.34202\",\"#v\":[0.93969,0.34202],\"steps\":7}\n"          \
    "{\"n\":\"b1\",\"text\":\"0 2\",\"#v\":[0,2],\"steps\":1}\n"                                  \
    "{\"n\":\"b2\",\"text\":\"-0.17365 0.98481\",\"#v\":[-0.17365,0.98481],\"steps\":3}\n"        \
    "{\"n\":\"c1\",\"text\":\"-1 0\",\"#v\":[-1,0]}\n"

static void adds_the_pools(void)
{
    stage_host_add_dataset(&host, "heaps", HEAPS);
    stage_host_add_dataset(&host, "empty", "");
    stage_host_add_dataset(&host, "mine", "{\"n\":\"h1\",\"#v\":[1,0],\"label\":\"x\"}\n"
                                          "{\"n\":\"h2\",\"#v\":[0.8,0.6],\"label\":\"x\"}\n"
                                          "{\"n\":\"h3\",\"#v\":[0,1],\"label\":\"y\"}\n");
    struct record *made[] = {
        stage_host_record("{\"n\":\"m1\",\"#v\":[1,0.1],\"label\":\"x\"}", 501),
        stage_host_record("{\"n\":\"m2\",\"#v\":[1,0.2],\"label\":\"x\"}", 502),
        stage_host_record("{\"n\":\"m3\",\"#v\":[1,0.3],\"label\":\"x\"}", 503)};
    stage_host_add_records(&host, "made", made, 3);
    for (size_t i = 0; i < 3; i++)
        record_destroy(made[i]);
}

/* ---- demos.cluster --------------------------------------------------------------------------- */

/* At 88 degrees: of the heaps the nearest are a3 (68 away), b1 (2) and c1 (92). */
static void nearest_of_each_cluster(void)
{
    open_stage("demos.cluster", "{pool: heaps, k: 3, vector: v}");
    CHECK_TEXT(names_for("{\"@parent\":1,\"#v\":[0.0349,0.99939]}", 7), "c1 a3 b1");
    open_stage("demos.cluster", "{pool: heaps, k: 3, vector: v, order: nearest_first}");
    CHECK_TEXT(names_for("{\"@parent\":1,\"#v\":[0.0349,0.99939]}", 7), "b1 a3 c1");
    open_stage("demos.cluster", "{pool: heaps, k: 2, embed: m, order: nearest_first}");
    for (uint64_t seed = 1; seed < 9; seed++) { /* two of the heaps together: one of them each */
        const char *names = names_for("{\"@parent\":1,\"text\":\"1 0.01\"}", seed);
        CU_ASSERT_TRUE(strncmp(names, "a1 ", 3) == 0);
    }
}

/* The record's own cluster gives its next best. */
static void cluster_without_itself(void)
{
    open_stage("demos.cluster", "{pool: heaps, k: 3, embed: m, order: nearest_first}");
    CHECK_TEXT(names_for("{\"@parent\":1,\"text\":\"0 2\"}", 7), "b2 a3 c1");
    CHECK_TEXT(names_for("{\"@parent\":1,\"text\":\"-1 0\"}", 7), "b2 a3");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 of 3 demonstrations"));
}

/* By the pool alone, largest cluster nearest: the middle of the a's is a2; of the two b's, equally
 * far from their mean, the earlier. */
static void middle_of_each_cluster(void)
{
    open_stage("demos.cluster",
               "{pool: heaps, k: 3, vector: v, pick: central, order: nearest_first}");
    const char *names = names_for("{\"@parent\":1}", 7);
    CU_ASSERT_TRUE(!strcmp(names, "a2 b1 c1") || !strcmp(names, "a2 b2 c1"));
}

/* The most steps: b2 in its heap; of a2 and a3, both 7, the one nearer to the mean; c1 has none. */
static void most_complex_of_each_cluster(void)
{
    open_stage("demos.cluster", "{pool: heaps, k: 3, vector: v, pick: highest, by: steps}");
    CU_ASSERT_PTR_NULL(strstr(host.log, "no number"));
    CHECK_TEXT(names_for("{\"@parent\":1}", 7), "c1 b2 a2");
    refuse("demos.cluster", "{pool: heaps, vector: v, pick: highest}", "needs `by`");
    refuse("demos.cluster", "{pool: heaps, vector: v, by: steps}", "`by` is for `pick: highest`");
    refuse("demos.cluster", "{pool: heaps, vector: v, pick: highest, by: depth}",
           "no record of the `pool` has a number in `depth`");
}

static void more_clusters_than_points(void)
{
    stage_host_add_dataset(&host, "same", "{\"n\":\"a\",\"#v\":[1,0]}\n{\"n\":\"b\",\"#v\":[1,0]}\n"
                                          "{\"n\":\"c\",\"#v\":[0,3]}\n");
    open_stage("demos.cluster", "{pool: same, k: 9, vector: v}");
    CHECK_TEXT(names_for("{\"@parent\":1,\"#v\":[1,0]}", 7), "c a");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "2 of 9 demonstrations"));
    CHECK_TEXT(names_for("{\"@parent\":1,\"#v\":[1,0,0]}", 7), "");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "no vector of 2 dimensions"));
}

/* ---- demos.dissimilar ------------------------------------------------------------------------ */

/* Generated: at 90 and at 0 degrees. Largest cosine: c1 0, then a3 0.94 (20 from 0), b2 and a2
 * 0.98. Mean cosine: c1 -0.5, b2 (0.98 - 0.17) / 2 = 0.41, a1 0.5 ... */
static void least_like_what_there_is(void)
{
    stage_host_add_dataset(&host, "written", "{\"idea\":\"0 1\"}\n{\"idea\":\"5 0\"}\n");
    const char *max = "{pool: heaps, k: 2, keep: 2, embed: m, against: written, "
                      "against_field: idea}";
    const char *mean = "{pool: heaps, k: 2, keep: 2, embed: m, against: written, "
                       "against_field: idea, measure: mean}";
    open_stage("demos.dissimilar", max);
    const char *names = names_for("{\"@parent\":1}", 7);
    CU_ASSERT_TRUE(!strcmp(names, "c1 a3") || !strcmp(names, "a3 c1"));
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "kept_similarity").value, 0.93969 / 2, 1e-4);
    open_stage("demos.dissimilar", mean);
    names = names_for("{\"@parent\":1}", 7);
    CU_ASSERT_TRUE(!strcmp(names, "c1 b2") || !strcmp(names, "b2 c1"));
}

static void draws_among_the_kept(void)
{
    size_t c1 = 0, a1 = 0;
    open_stage("demos.dissimilar", "{pool: heaps, k: 1, keep: 2, embed: m, against: written, "
                                   "against_field: idea}");
    for (uint64_t seed = 1; seed <= 100; seed++) {
        const char *names = names_for("{\"@parent\":1}", seed);
        c1 += !strcmp(names, "c1");
        a1 += strcmp(names, "c1") && strcmp(names, "a3");
    }
    CU_ASSERT_TRUE(c1 > 25 && c1 < 75);
    CU_ASSERT_EQUAL(a1, 0);
    open_stage("demos.dissimilar", "{pool: heaps, k: 6, embed: m, against: empty}");
    CU_ASSERT_EQUAL(strlen(names_for("{\"@parent\":1}", 7)), 6 * 3 - 1); /* nothing yet: all */
}

/* ---- two pools ------------------------------------------------------------------------------- */

static size_t count_of(const char *names, char kind)
{
    size_t count = 0;
    for (; *names; names++)
        count += *names == kind;
    return count;
}

static void mixes_two_pools(void)
{
    size_t first = 0;
    open_stage("demos.random", "{pool: mine, k: 3, second_pool: made, second_k: 1}");
    for (uint64_t seed = 1; seed <= 90; seed++) {
        const char *names = names_for("{\"@parent\":99}", seed);
        CU_ASSERT_EQUAL(count_of(names, 'h'), 2);
        CU_ASSERT_EQUAL(count_of(names, 'm'), 1);
        first += names[0] == 'm';
    }
    CU_ASSERT_TRUE(first > 12 && first < 50); /* a third: shuffled together */
    open_stage("demos.random", "{pool: mine, k: 2, second_pool: empty, second_k: 2}");
    CU_ASSERT_EQUAL(count_of(names_for("{\"@parent\":99}", 7), 'h'), 2);
    open_stage("demos.random", "{pool: mine, k: 6, second_pool: made}");
    CU_ASSERT_EQUAL(count_of(names_for("{\"@parent\":99}", 7), 'h'), 3);
    CU_ASSERT_EQUAL(count_of(names_for("{\"@parent\":99}", 7), 'm'), 2); /* never more than 2 */
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "5 of 6 demonstrations"));
    open_stage("demos.random", "{pool: mine, k: 2, second_pool: made, match: label}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"label\":\"y\"}", 7), "h3");
}

/* The nearest of each pool, put in one order. */
static void mixes_the_nearest(void)
{
    open_stage("demos.knn", "{pool: mine, k: 3, second_pool: made, second_k: 1, vector: v, order: "
                            "nearest_first}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"#v\":[1,0.3]}", 7), "m3 h1 h2");
    CHECK_TEXT(names_for("{\"@parent\":99,\"#v\":[1,0]}", 7), "h1 m1 h2");
    refuse("demos.knn", "{pool: heaps, vector: v, embed: m}", "not both");
    refuse("demos.knn", "{pool: heaps}", "give `embed`");
}

/* c1 has no steps. */
/* At 0 degrees the three of x are nearer than the two of y, which are shown all the same: half
 * each, the third of three the nearest that is left, and all where there are not enough. */
static void balances_the_nearest(void)
{
    stage_host_add_dataset(&host, "labelled",
                           "{\"n\":\"a\",\"#v\":[1,0],\"label\":\"x\"}\n"
                           "{\"n\":\"e\",\"#v\":[0,1],\"label\":\"y\"}\n"
                           "{\"n\":\"c\",\"#v\":[0.9,0.3],\"label\":\"x\"}\n"
                           "{\"n\":\"b\",\"#v\":[0.9,0.1],\"label\":\"x\"}\n"
                           "{\"n\":\"d\",\"#v\":[0.8,0.6],\"label\":\"y\"}\n");
    static const char *const shown[][2] = {{"2", "a d"}, {"3", "a b d"}, {"4", "a b d e"},
                                           {"5", "a b c d e"}, {"9", "a b c d e"}, {"1", "a"}};
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
        char options[128];
        snprintf(options, sizeof(options), "{pool: labelled, k: %s, vector: v, balance: label, "
                 "order: nearest_first}", shown[i][0]);
        open_stage("demos.knn", options);
        CHECK_TEXT(names_for("{\"#v\":[1,0]}", 1), shown[i][1]);
    }
}

static void shows_only_what_has_the_fields(void)
{
    open_stage("demos.knn", "{pool: heaps, k: 6, vector: v, require: [steps]}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"#v\":[-1,0.01]}", 7), "a1 a2 a3 b1 b2");
    open_stage("demos.cluster",
               "{pool: heaps, k: 2, embed: m, require: [steps], pick: highest, by: steps}");
    CU_ASSERT_EQUAL(count_of(names_for("{\"@parent\":99}", 7), 'c'), 0);
    refuse("demos.random", "{pool: heaps, require: [steps, depth]}",
           "none of the 6 records of the `pool` has the fields");
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void stays_within_bytes(void)
{
    open_stage("demos.knn", "{pool: mine, k: 3, vector: v, fields: [n], max_bytes: 25}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"#v\":[1,0]}", 7), "h2 h1"); /* 2 + 10 + 1 + 10 bytes */
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "`max_bytes` (25) allows no more"));
    open_stage("demos.knn", "{pool: mine, k: 3, vector: v, fields: [n], max_bytes: 22}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"#v\":[1,0]}", 7), "h1");
    open_stage("demos.knn", "{pool: mine, k: 3, vector: v, fields: [n], max_bytes: 34}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"#v\":[1,0]}", 7), "h3 h2 h1");
}

static void rejects_below_least(void)
{
    open_stage("demos.random", "{pool: mine, k: 2, match: label, least: 1}");
    CHECK_TEXT(names_for("{\"@parent\":99,\"label\":\"y\"}", 7), "h3");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    names_for("{\"@parent\":99,\"label\":\"z\"}", 7);
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "0 of 2 demonstrations: the pool has no more with `label` = \"z\" that "
                           "may be shown to it");
}

static void gives_to_a_share(void)
{
    size_t given = 0;
    open_stage("demos.random", "{pool: mine, k: 2, share: 0.5, least: 2}");
    for (uint64_t seed = 1; seed <= 200; seed++) {
        const char *names = names_for("{\"@parent\":99}", seed);
        CU_ASSERT_EQUAL(result.verdict, XY_OK);
        CU_ASSERT_TRUE(strlen(names) == 0 || strlen(names) == 5);
        given += strlen(names) == 5;
    }
    CU_ASSERT_TRUE(fabs((double)given - 100) < 5 * sqrt(50));
    CU_ASSERT_PTR_NULL(strstr(host.log, "demonstrations:")); /* that is no shortfall */
}

static void orders_at_random(void)
{
    size_t nearest_last = 0;
    open_stage("demos.knn", "{pool: mine, k: 3, vector: v, order: random}");
    for (uint64_t seed = 1; seed <= 100; seed++) {
        const char *names = names_for("{\"@parent\":99,\"#v\":[1,0]}", seed);
        CU_ASSERT_EQUAL(strlen(names), 8);
        nearest_last += !strcmp(names + 6, "h1");
    }
    CU_ASSERT_TRUE(nearest_last > 10 && nearest_last < 60);
}

/* "x y" is the vector (x, y). */
static int embed(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    float *vectors = arena_alloc(arena, request->text_count * 2 * sizeof(float));
    for (size_t i = 0; i < request->text_count; i++) {
        char *text = arena_copy(arena, request->texts[i].ptr, request->texts[i].len);
        vectors[2 * i] = strtof(text, &text);
        vectors[2 * i + 1] = strtof(text, &text);
    }
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = 2;
    return XY_OK;
}

static const struct check checks[] = {
    {"the pools", adds_the_pools},
    {"cluster: the nearest of each", nearest_of_each_cluster},
    {"cluster: not itself", cluster_without_itself},
    {"cluster: the middle of each", middle_of_each_cluster},
    {"cluster: the most complex of each", most_complex_of_each_cluster},
    {"cluster: fewer points than clusters", more_clusters_than_points},
    {"dissimilar: the least alike", least_like_what_there_is},
    {"dissimilar: drawn among the kept", draws_among_the_kept},
    {"two pools, at random", mixes_two_pools},
    {"two pools, the nearest", mixes_the_nearest},
    {"the nearest of each label", balances_the_nearest},
    {"require", shows_only_what_has_the_fields},
    {"max_bytes", stays_within_bytes},
    {"least", rejects_below_least},
    {"share", gives_to_a_share},
    {"order: random", orders_at_random},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = embed;
    stage_host_load(&host, "demos");
    int failed = check_main("demos.choose", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
