/* SPDX-License-Identifier: Apache-2.0 */
/* Dense retrieval, and what all three stages share, with the models played by the test. BM25's
 * figures and services that fail are tested from outside, in tests/e2e/retrieve_test.py. */
#include "check.h"
#include "stage_host.h"

#include <stdlib.h>

static struct stage_host host;
static struct stage_result result;
static struct instance *instance;
static size_t dimension = 3;
static int failure;
static const char *service = "[]";
static char asked[256];

/* An embedding: "x y z" is the vector (x, y, z) brought to unit length, so that cosines can be
 * counted out by hand. A completion: the search service's answer. */
static int answer(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    (void)data;
    if (failure) {
        reply->error = "no answer from the model";
        return reply->status = failure;
    }
    if (request->operation == XY_COMPLETE) {
        snprintf(asked, sizeof(asked), "%.*s", (int)request->messages[0].content.len,
                 request->messages[0].content.ptr);
        reply->text = xy_text(service);
        return XY_OK;
    }
    float *vectors = arena_alloc(arena, request->text_count * dimension * sizeof(float));
    for (size_t i = 0; i < request->text_count; i++) {
        char *text = arena_copy(arena, request->texts[i].ptr, request->texts[i].len);
        float length = 0;
        for (size_t d = 0; d < dimension; d++) {
            vectors[i * dimension + d] = strtof(text, &text);
            length += vectors[i * dimension + d] * vectors[i * dimension + d];
        }
        length = length == 25 ? 5 : 1; /* of those below, (3, 4, 0) alone is no unit vector */
        for (size_t d = 0; d < dimension; d++)
            vectors[i * dimension + d] /= length;
    }
    reply->vectors = vectors;
    reply->vector_count = request->text_count;
    reply->dimension = dimension;
    return XY_OK;
}

static void open_stage(const char *id, const char *yaml)
{
    instance_close(instance);
    instance = stage_host_open(&host, XY_CONDITION, id, yaml);
    if (!instance)
        printf("\n    %s ", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
}

static const char *passages_for(const char *json)
{
    stage_result_free(&result);
    stage_host_process(&host, instance, json, &result);
    return result.input ? stage_text(result.input, "passages") : "";
}

/* Cosines with (1, 0, 0): 0.6, 1, 0, -1, and 0.6 again. */
static void adds_the_corpus(void)
{
    stage_host_add_dataset(&host, "places",
                           "{\"text\":\"3 4 0\",\"n\":0,\"label\":\"a\"}\n"
                           "{\"text\":\"1 0 0\",\"n\":1,\"label\":\"b\",\"#v\":[1]}\n"
                           "{\"text\":\"0 0 1\",\"n\":2,\"label\":\"a\"}\n"
                           "{\"text\":\"-1 0 0\",\"n\":3,\"label\":\"b\"}\n"
                           "{\"text\":\"0.6 0 0.8\",\"n\":4,\"label\":\"a\"}\n");
    stage_host_add_dataset(&host, "empty", "");
    stage_host_add_dataset(&host, "blank", "{\"text\":\"x\"}\n{\"text\":\"\"}\n");
}

static void takes_the_nearest(void)
{
    open_stage("retrieve.embedding",
               "{corpus: places, query: '{{ q }} 0', embed: m, k: 3, fields: [n]}");
    /* Of equal cosines the earlier passage comes first; scores are those of floats. */
    CHECK_TEXT(passages_for("{\"q\":\"1 0\"}"),
               "[{\"n\":1,\"score\":1},{\"n\":0,\"score\":0.6000000238418579},"
               "{\"n\":4,\"score\":0.6000000238418579}]");
    CHECK_TEXT(stage_text(result.input, "passage_ids"),
               "[\"00000000000003e9\",\"00000000000003e8\",\"00000000000003ec\"]");
    open_stage("retrieve.embedding", "{corpus: places, query: '{{ q }}', embed: m, k: 1}");
    CHECK_TEXT(passages_for("{\"q\":\"1 0 0\"}"),
               "[{\"text\":\"1 0 0\",\"n\":1,\"label\":\"b\",\"score\":1}]");
}

static void bounds_and_matches(void)
{
    open_stage("retrieve.embedding", "{corpus: places, query: '{{ text }}', embed: m, fields: [n],"
                                     " minimum: 0.7, gold: n}");
    CHECK_TEXT(passages_for("{\"text\":\"1 0 0\",\"n\":1}"), "[{\"n\":1,\"score\":1}]");
    CHECK_TEXT(stage_text(result.input, "rank"), "1");
    passages_for("{\"text\":\"1 0 0\",\"n\":4}");
    CHECK_TEXT(stage_text(result.input, "rank"), "0");
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "recall").value, 0.5, 1e-12);
    passages_for("{\"text\":\"1 0 0\"}"); /* without a value it has no passage of its own */
    CHECK_TEXT(stage_text(result.input, "rank"), "0");
    open_stage("retrieve.embedding", "{corpus: places, query: '{{ text }}', embed: m, fields: [n],"
                                     " match: label, exclude_self: true}");
    CHECK_TEXT(passages_for("{\"text\":\"1 0 0\",\"label\":\"b\"}"), "[{\"n\":3,\"score\":-1}]");
}

static void tells_of_empty_results(void)
{
    host.log[0] = '\0';
    open_stage("retrieve.bm25", "{corpus: places, query: '{{ q }}'}");
    CHECK_TEXT(passages_for("{\"q\":\"nowhere\"}"), "[]");
    CHECK_TEXT(passages_for("{\"q\":\"\"}"), "[]");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    const char *said = strstr(host.log, "nothing was found");
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_PTR_NULL(strstr(said + 1, "nothing was found"));
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "empty").value, 1, 1e-12);
    open_stage("retrieve.embedding", "{corpus: places, query: '{{ q }}', embed: m}");
    passages_for("{\"q\":\"\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    passages_for("{\"other\":1}"); /* the template's own error */
    CU_ASSERT_TRUE(result.verdict < 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "`q`"));
}

static void reads_a_service(void)
{
    open_stage("retrieve.http", "{endpoint: m, query: 'find {{ q }}', results: a.0, k: 2,"
                                " fields: {t: x.0, u: '/x/1'}}");
    service = "{\"a\":[[{\"x\":[\"p\",{\"q\":1}]},{\"y\":0},{\"x\":[1]}]]}";
    CHECK_TEXT(passages_for("{\"q\":\"me\"}"), "[{\"t\":\"p\",\"u\":{\"q\":1}},{}]");
    CHECK_TEXT(asked, "find me");
    service = "{\"a\":[";
    passages_for("{\"q\":\"me\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CHECK_TEXT(result.why, "the endpoint's answer is no JSON: {\"a\":[");
    service = "{\"a\":{\"0\":\"no list\"}}";
    passages_for("{\"q\":\"me\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "no list at `results: a.0`"));
    open_stage("retrieve.http", "{endpoint: m, query: '{{ q }}'}");
    service = "[{\"twice\":1,\"twice\":2}]";
    passages_for("{\"q\":\"me\"}");
    CU_ASSERT_TRUE(result.verdict < 0);
    service = "[1, \"two\", {\"three\": [3]}]";
    CHECK_TEXT(passages_for("{\"q\":\"me\"}"), "[1,\"two\",{\"three\": [3]}]");
}

static void passes_failures_on(void)
{
    open_stage("retrieve.embedding", "{corpus: places, query: '{{ q }}', embed: m}");
    failure = XY_EUPSTREAM;
    passages_for("{\"q\":\"1 0 0\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    CHECK_TEXT(result.why, "no answer from the model");
    failure = 0;
    dimension = 2;
    passages_for("{\"q\":\"1 0 0\"}");
    CU_ASSERT_PTR_NOT_NULL(strstr(result.why, "3 dimensions and this query in 2"));
    dimension = 3;
}

static void refuses_options(void)
{
    static const struct {
        const char *id, *yaml, *part;
    } cases[] = {
        {"retrieve.bm25", "{corpus: empty, query: x}", "the `corpus` is empty"},
        {"retrieve.bm25", "{corpus: blank, query: x}", "record 2 of the `corpus` has no text"},
        {"retrieve.bm25", "{corpus: places}", "query"},
        {"retrieve.bm25", "{corpus: places, query: '{{ a'}", "query"},
        {"retrieve.bm25", "{corpus: places, query: x, b: 2}", "b"},
        {"retrieve.http", "{endpoint: m, query: x, fields: [a]}", "`fields` must be a map"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, cases[i].id, cases[i].yaml));
        bool told = strstr(host.error.text, cases[i].part) || strstr(host.log, cases[i].part);
        if (!told)
            printf("\n    %s ", host.error.text);
        CU_ASSERT_TRUE(told);
    }
}

static const struct check checks[] = {
    {"the corpus", adds_the_corpus},
    {"embedding: the nearest, in order", takes_the_nearest},
    {"embedding: minimum, match, gold", bounds_and_matches},
    {"empty queries and results", tells_of_empty_results},
    {"http: answers of a service", reads_a_service},
    {"models that fail", passes_failures_on},
    {"bad options", refuses_options},
    {0},
};

int main(void)
{
    stage_host_init(&host);
    host.answer = answer;
    stage_host_load(&host, "retrieve");
    int failed = check_main("retrieve", checks);
    stage_result_free(&result);
    instance_close(instance);
    stage_host_free(&host);
    return failed;
}
