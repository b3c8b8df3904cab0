/* SPDX-License-Identifier: Apache-2.0 */
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
}

/* The ids that the record was given, as "03ea 03e8": the last four digits of each. */
static const char *ids_for(const char *json, uint64_t seed)
{
    static char ids[256];
    stage_result_free(&result);
    host.services.seed = seed;
    stage_host_process(&host, instance, json, &result);
    const char *at = result.input ? stage_text(result.input, "demo_ids") : "";
    size_t length = 0;
    for (; (at = strstr(at, "000000000000")) != NULL; at += 16)
        length += (size_t)snprintf(ids + length, sizeof(ids) - length, "%s%.4s",
                                   length ? " " : "", at + 12);
    ids[length] = '\0';
    return ids;
}

/* ---- demos.random ---------------------------------------------------------------------------- */

#define POOL                                                                                      \
    "{\"text\":\"p one\",\"label\":\"p\"}\n{\"text\":\"n one\",\"label\":\"n\"}\n"                \
    "{\"text\":\"p two\",\"label\":\"p\"}\n{\"text\":\"n two\",\"label\":\"n\"}\n"                \
    "{\"text\":\"p three\",\"label\":\"p\",\"#vector\":[1,2]}\n"

/* Cosines with (1, 0, 0): 1, 0.8, 0.6, 0.8 (a longer vector), 0, -1. */
#define PLACES                                                                                    \
    "{\"text\":\"1 0 0\",\"label\":\"a\"}\n{\"text\":\"0.8 0.6 0\",\"label\":\"b\"}\n"            \
    "{\"text\":\"0.6 0.8 0\",\"label\":\"a\"}\n{\"text\":\"80 0 60\",\"label\":\"a\"}\n"          \
    "{\"text\":\"0 0 1\",\"label\":\"b\"}\n{\"text\":\"-1 0 0\",\"label\":\"b\"}\n"

/* First in the list: adding a data set asserts, and assertions need a running suite. */
static void adds_the_pools(void)
{
    stage_host_add_dataset(&host, "pool", POOL);
    stage_host_add_dataset(&host, "places", PLACES);
}

/* Weights 1, 3 and 0: the second comes first three times in four, the third never. 400 draws: four
 * standard deviations are 0.087. */
static void draws_by_weight(void)
{
    stage_host_add_dataset(&host, "weighed", "{\"text\":\"one\",\"l\":\"a\"}\n"
                           "{\"text\":\"two\",\"l\":\"a\",\"@weight\":3}\n"
                           "{\"text\":\"three\",\"l\":\"b\",\"@weight\":0}\n");
    static const char *const options[] = {
        "{pool: weighed, k: 1, weighted: true}",
        "{pool: weighed, k: 1, weighted: true, balance: l}",
    };
    for (size_t i = 0; i < 2; i++) {
        size_t second = 0;
        open_stage("demos.random", options[i]);
        for (uint64_t seed = 1; seed <= 400; seed++) {
            const char *ids = ids_for("{\"text\":\"other\"}", seed);
            second += strcmp(ids, "03e9") == 0;
            CU_ASSERT_TRUE(strcmp(ids, "03e9") == 0 || strcmp(ids, "03e8") == 0);
        }
        CU_ASSERT_DOUBLE_EQUAL((double)second / 400, 0.75, 0.09);
    }
    open_stage("demos.random", "{pool: weighed, k: 3, least: 2, weighted: true}");
    ids_for("{\"text\":\"other\"}", 1);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(strlen(stage_text(result.input, "demo_ids")), 39); /* two, in a list */
}

static void gives_objects_and_ids(void)
{
    stage_host_add_dataset(&host, "single", "{\"text\":\"say \\\"hi\\\"\",\"label\":\"x\",\"n\":3,"
                                            "\"list\":[1,null],\"#v\":[1,2]}\n");
    open_stage("demos.random", "{pool: single, k: 1}");
    CHECK_TEXT(ids_for("{\"text\":\"other\"}", 7), "03e8");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(stage_text(result.input, "demos"),
               "[{\"text\":\"say \\\"hi\\\"\",\"label\":\"x\",\"n\":3,\"list\":[1,null]}]");
    CHECK_TEXT(stage_text(result.input, "text"), "other");
    open_stage("demos.random", "{pool: single, k: 1, fields: [n], into: shown, ids: shown_ids}");
    ids_for("{\"text\":\"other\"}", 7);
    CHECK_TEXT(stage_text(result.input, "shown"), "[{\"n\":3}]");
    CHECK_TEXT(stage_text(result.input, "shown_ids"), "[\"00000000000003e8\"]");
}

/* Each of the five is drawn about as often at each place: 1,000 draws of 2, 400 expected for each,
 * a standard deviation of sqrt(1000 * 0.4 * 0.6) = 15.5. */
static void draws_evenly(void)
{
    size_t counts[5] = {0}, firsts[5] = {0};
    open_stage("demos.random", "{pool: pool, k: 2}");
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        unsigned first = 0, second = 0;
        CU_ASSERT_EQUAL_FATAL(sscanf(ids_for("{\"label\":\"p\"}", seed), "%x %x", &first, &second),
                              2);
        CU_ASSERT_FATAL(first >= 1000 && first < 1005 && second >= 1000 && second < 1005);
        CU_ASSERT_NOT_EQUAL(first, second);
        counts[first - 1000]++;
        counts[second - 1000]++;
        firsts[first - 1000]++;
    }
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_TRUE(fabs((double)counts[i] - 400) < 5 * 15.5);
        CU_ASSERT_TRUE(fabs((double)firsts[i] - 200) < 5 * sqrt(1000 * 0.2 * 0.8));
    }
}

static void is_the_same_every_time(void)
{
    char first[256];
    open_stage("demos.random", "{pool: pool, k: 3}");
    snprintf(first, sizeof(first), "%s", ids_for("{\"label\":\"p\"}", 7));
    CHECK_TEXT(ids_for("{\"label\":\"p\"}", 7), first);
    size_t other = 0;
    for (uint64_t seed = 8; seed < 28; seed++)
        other += strcmp(ids_for("{\"label\":\"p\"}", seed), first) != 0;
    CU_ASSERT_TRUE(other > 10); /* 60 ordered draws: the same one 20 times would be a constant */
}

static void matches_a_field(void)
{
    open_stage("demos.random", "{pool: pool, k: 2, match: label}");
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const char *ids = ids_for("{\"label\":\"n\"}", seed);
        CU_ASSERT_TRUE(!strcmp(ids, "03e9 03eb") || !strcmp(ids, "03eb 03e9"));
    }
    host.log[0] = '\0';
    CHECK_TEXT(ids_for("{\"label\":\"unknown\"}", 7), "");
    CHECK_TEXT(stage_text(result.input, "demos"), "[]");
    CHECK_TEXT(ids_for("{\"label\":\"unknown\",\"text\":\"again\"}", 7), "");
    const char *said = strstr(host.log, "0 of 2 demonstrations: the pool has no more with `label` "
                                        "= \"unknown\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_PTR_NULL(strstr(said + 1, "0 of 2")); /* once for each value */
    CHECK_TEXT(ids_for("{\"other\":1}", 7), "");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "the record has no `label`"));
    CU_ASSERT_EQUAL(stage_host_score(&host, "short").value, 3);
}

static void balances_a_field(void)
{
    open_stage("demos.random", "{pool: pool, k: 4, balance: label}");
    size_t n_first = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const char *ids = ids_for("{}", seed);
        size_t n = (strstr(ids, "03e9") != NULL) + (strstr(ids, "03eb") != NULL);
        CU_ASSERT_EQUAL(n, 2);
        n_first += strncmp(ids, "03e9", 4) == 0 || strncmp(ids, "03eb", 4) == 0;
    }
    CU_ASSERT_TRUE(n_first > 10 && n_first < 50); /* half of them, if order is random */
    open_stage("demos.random", "{pool: pool, k: 5, balance: label}");
    CU_ASSERT_EQUAL(strlen(ids_for("{}", 7)), 24); /* n has two only: p gives three */
    size_t more_n = 0;
    open_stage("demos.random", "{pool: pool, k: 3, balance: label}");
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const char *ids = ids_for("{}", seed);
        size_t n = (strstr(ids, "03e9") != NULL) + (strstr(ids, "03eb") != NULL);
        CU_ASSERT_TRUE(n == 1 || n == 2);
        more_n += n == 2;
    }
    CU_ASSERT_TRUE(more_n > 10 && more_n < 50);
}

static void leaves_the_record_itself_out(void)
{
    open_stage("demos.random", "{pool: pool, k: 5}");
    CU_ASSERT_PTR_NULL(strstr(ids_for("{\"text\":\"p two\"}", 7), "03ea"));
    CU_ASSERT_EQUAL(strlen(ids_for("{\"text\":\"p two\"}", 7)), 4 * 5 - 1);
    CU_ASSERT_PTR_NULL(strstr(ids_for("{\"@parent\":1001}", 7), "03e9"));
    open_stage("demos.random", "{pool: pool, k: 5, exclude_self: false}");
    CU_ASSERT_PTR_NOT_NULL(strstr(ids_for("{\"text\":\"p two\"}", 7), "03ea"));
}

static void refuses_an_empty_pool(void)
{
    stage_host_add_dataset(&host, "empty", "");
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "demos.random", "{pool: empty}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "`pool` is empty"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "demos.random", "{k: 3}"));
}

/* ---- demos.knn ------------------------------------------------------------------------------- */

static size_t dimension = 3;
static int failure;

/* "x y z" is the vector (x, y, z): neighbours can be counted out by hand. */
static int embed(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    if (failure) {
        reply->error = "no answer from the model";
        return reply->status = failure;
    }
    CU_ASSERT_EQUAL(request->operation, XY_EMBED);
    float *vectors = arena_alloc(arena, request->text_count * dimension * sizeof(float));
    for (size_t i = 0; i < request->text_count; i++) {
        char *text = arena_copy(arena, request->texts[i].ptr, request->texts[i].len);
        for (size_t d = 0; d < dimension; d++)
            vectors[i * dimension + d] = strtof(text, &text);
    }
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = dimension;
    return XY_OK;
}

static void takes_the_nearest(void)
{
    open_stage("demos.knn", "{pool: places, k: 3, embed: m, exclude_self: false}");
    CHECK_TEXT(ids_for("{\"text\":\"1 0 0\"}", 7), "03eb 03e9 03e8"); /* ties: pool order */
    open_stage("demos.knn",
               "{pool: places, k: 3, embed: m, exclude_self: false, order: nearest_first}");
    CHECK_TEXT(ids_for("{\"text\":\"1 0 0\"}", 7), "03e8 03e9 03eb");
    CHECK_TEXT(ids_for("{\"text\":\"7 0 0\"}", 7), "03e8 03e9 03eb");
    CHECK_TEXT(ids_for("{\"text\":\"-1 0 0.1\"}", 7), "03ed 03ec 03ea");
    CHECK_TEXT(stage_text(result.input, "demos"),
               "[{\"text\":\"-1 0 0\",\"label\":\"b\"},{\"text\":\"0 0 1\",\"label\":\"b\"},"
               "{\"text\":\"0.6 0.8 0\",\"label\":\"a\"}]");
}

static void matches_and_leaves_out(void)
{
    open_stage("demos.knn", "{pool: places, k: 2, embed: m, match: label, order: nearest_first}");
    CHECK_TEXT(ids_for("{\"text\":\"1 0 0\",\"label\":\"a\"}", 7), "03eb 03ea");
    CHECK_TEXT(ids_for("{\"text\":\"1 0 0\",\"label\":\"b\"}", 7), "03e9 03ec");
    open_stage("demos.knn", "{pool: places, k: 9, embed: m, order: nearest_first}");
    CHECK_TEXT(ids_for("{\"text\":\"2 0 0\"}", 7), "03e8 03e9 03eb 03ea 03ec 03ed");
    CU_ASSERT_PTR_NOT_NULL(strstr(host.log, "6 of 9 demonstrations"));
}

static void compares_other_fields(void)
{
    stage_host_add_dataset(&host, "asked", "{\"question\":\"0 1 0\",\"text\":\"y\"}\n"
                                           "{\"question\":\"1 0 0\",\"text\":\"x\"}\n");
    open_stage("demos.knn", "{pool: asked, k: 1, embed: m, field: idea, pool_field: question}");
    CHECK_TEXT(ids_for("{\"idea\":\"0.9 0.1 0\"}", 7), "03e9");
    CHECK_TEXT(ids_for("{\"text\":\"0.9 0.1 0\"}", 7), "");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "`idea` is missing"));
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "demos.knn", "{pool: asked, embed: m, "
                                       "field: idea}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(host.error.text, "no text in `idea`"));
}

static void passes_failures_on(void)
{
    open_stage("demos.knn", "{pool: places, k: 3, embed: m}");
    failure = XY_EUPSTREAM;
    ids_for("{\"text\":\"1 0 0\"}", 7);
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CHECK_TEXT(result.why, "no answer from the model");
    CU_ASSERT_PTR_NULL(
        stage_host_open(&host, XY_CONDITION, "demos.knn", "{pool: places, embed: m}"));
    failure = 0;
    dimension = 2;
    ids_for("{\"text\":\"1 0 0\"}", 7);
    dimension = 3;
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "3 dimensions"));
}

static const struct check checks[] = {
    {"the pools", adds_the_pools},
    {"random: objects and ids", gives_objects_and_ids},
    {"draws by weight", draws_by_weight},
    {"random: each as likely", draws_evenly},
    {"random: the same every time", is_the_same_every_time},
    {"random: match", matches_a_field},
    {"random: balance", balances_a_field},
    {"random: not itself", leaves_the_record_itself_out},
    {"random: an empty pool", refuses_an_empty_pool},
    {"knn: the nearest, in order", takes_the_nearest},
    {"knn: match, and fewer than k", matches_and_leaves_out},
    {"knn: other fields", compares_other_fields},
    {"knn: a model that fails", passes_failures_on},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = embed;
    stage_host_load(&host, "demos");
    int failed = check_main("demos", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
