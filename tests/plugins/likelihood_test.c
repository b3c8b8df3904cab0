/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of labels from a table of log-probabilities whose figures are known. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

/* What the model says under each label: up to three tokens, of which there are `tokens`. */
static struct table {
    float good[3], bad[3];
    uint32_t good_tokens, bad_tokens;
    bool tells_tokens;
    int status;
    char prompts[512];
    uint32_t asked, wanted_tokens;
} table;

static bool contains(xy_str text, const char *part)
{
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= text.len; i++)
        if (memcmp(text.ptr + i, part, length) == 0)
            return true;
    return false;
}

static int score(void *data, const xy_request *request, xy_reply *reply, struct arena *arena)
{
    xy_str prompt = request->messages[request->message_count - 1].content;
    bool good = contains(prompt, "good");
    uint32_t tokens = good ? table.good_tokens : table.bad_tokens;
    const float *logprobs = good ? table.good : table.bad;
    double *sum = arena_alloc(arena, sizeof(*sum));
    uint32_t *counts = arena_alloc(arena, sizeof(*counts));
    (void)data;
    CU_ASSERT(request->operation == XY_SCORE && request->text_count == 1);
    size_t length = strlen(table.prompts);
    for (size_t i = 0; i < request->message_count; i++)
        length += (size_t)snprintf(table.prompts + length, sizeof(table.prompts) - length,
                                   "%.*s: %.*s\n", (int)request->messages[i].role.len,
                                   request->messages[i].role.ptr,
                                   (int)request->messages[i].content.len,
                                   request->messages[i].content.ptr);
    table.asked++;
    table.wanted_tokens += request->logprobs;
    for (uint32_t i = 0; i < tokens; i++)
        *sum += (double)logprobs[i];
    *counts = tokens;
    *reply = (xy_reply){.size = sizeof(*reply), .status = table.status, .scores = sum,
                        .score_tokens = counts, .score_count = 1};
    reply->logprobs = logprobs;
    reply->logprob_count = table.tells_tokens ? tokens : 0;
    return table.status;
}

/* P of three tokens: 0.5 0.2 0.9 under "good", 0.5 0.6 0.1 under "bad". */
static void fill_table(void)
{
    table = (struct table){.good_tokens = 3, .bad_tokens = 3, .tells_tokens = true};
    const double good[] = {0.5, 0.2, 0.9}, bad[] = {0.5, 0.6, 0.1};
    for (size_t i = 0; i < 3; i++)
        table.good[i] = (float)log(good[i]), table.bad[i] = (float)log(bad[i]);
}

static void run(const char *more, const char *json)
{
    char options[256];
    snprintf(options, sizeof(options), "{model: m, labels: [good, bad], prompt: 'A {{ label }} "
             "{{ kind }}.'%s}", more);
    struct instance *stage = stage_host_open(&host, XY_ENHANCER, "likelihood", options);
    if (!stage)
        printf("%s", host.log);
    CU_ASSERT_FATAL(stage != NULL);
    stage_host_process(&host, stage, json, &result);
    instance_close(stage);
}

static double at(const char *json, const char *key)
{
    const char *place = strstr(json, key);
    return place ? strtod(place + strlen(key), NULL) : NAN;
}

/* Shares of "good": 0.5, 0.2 / 0.8, 0.9; their mean is 0.55. Of the whole text: 0.09 / 0.12. */
static void tokens_share(void)
{
    fill_table();
    run("", "{\"text\":\"x\",\"label\":\"good\",\"kind\":\"film\"}");
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    const char *map = stage_text(result.input, "likelihood");
    CU_ASSERT_DOUBLE_EQUAL(at(map, "\"good\":"), 0.55, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(at(map, "\"bad\":"), 0.45, 1e-6);
    const char *weights = stage_text(result.input, "token_weights");
    double first = NAN, second = NAN, third = NAN;
    CU_ASSERT_EQUAL(sscanf(weights, "[%lf,%lf,%lf]", &first, &second, &third), 3);
    CU_ASSERT_DOUBLE_EQUAL(first, 0.5, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(second, 0.25, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(third, 0.9, 1e-6);
    CU_ASSERT_STRING_EQUAL(table.prompts, "user: A good film.\nuser: A bad film.\n");
    CU_ASSERT_EQUAL(table.wanted_tokens, 2);
    CU_ASSERT_STRING_EQUAL(stage_text(result.input, "label"), "good"); /* as it was */
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "likeliest").value, 1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "mean_share").value, 0.55, 1e-6);
    stage_result_free(&result);
}

static void texts_share(void)
{
    fill_table();
    table.tells_tokens = false; /* not needed */
    table.good_tokens = 2;      /* and another cut does not matter */
    run(", level: text, into: p, system: 'You write {{ label }} ones.'",
        "{\"text\":\"x\",\"label\":\"bad\",\"kind\":\"film\"}");
    CU_ASSERT_EQUAL_FATAL(result.verdict, XY_OK);
    const char *map = stage_text(result.input, "p");
    CU_ASSERT_DOUBLE_EQUAL(at(map, "\"good\":"), 0.1 / 0.13, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(at(map, "\"bad\":"), 0.03 / 0.13, 1e-6);
    CU_ASSERT_STRING_EQUAL(stage_text(result.input, "token_weights"), "");
    CU_ASSERT(strstr(table.prompts, "system: You write bad ones.\nuser: A bad film.") != NULL);
    CU_ASSERT_EQUAL(table.wanted_tokens, 0);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "likeliest").value, 0, 1e-12);
    stage_result_free(&result);
}

/* A label that is none of them has no weights, but the shares are known all the same. */
static void other_labels(void)
{
    fill_table();
    run("", "{\"text\":\"x\",\"label\":\"odd\",\"kind\":\"film\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_DOUBLE_EQUAL(at(stage_text(result.input, "likelihood"), "\"good\":"), 0.55, 1e-6);
    CU_ASSERT_STRING_EQUAL(stage_text(result.input, "token_weights"), "");
    stage_result_free(&result);
    table.asked = 0;
    run("", "{\"label\":\"good\",\"kind\":\"film\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CU_ASSERT_EQUAL(table.asked, 0);
    CU_ASSERT_DOUBLE_EQUAL(stage_host_score(&host, "unasked").value, 1, 1e-12);
    stage_result_free(&result);
}

static void drops_with(const char *json, const char *why)
{
    run("", json);
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CU_ASSERT(result.why && strstr(result.why, why));
    stage_result_free(&result);
}

static void bad_answers(void)
{
    static const char good[] = "{\"text\":\"x\",\"label\":\"good\",\"kind\":\"film\"}";
    fill_table();
    table.tells_tokens = false;
    drops_with(good, "use `level: text`");
    fill_table();
    table.bad_tokens = 2;
    drops_with(good, "into 3 tokens under the label `good` and into 2 under `bad`");
    fill_table();
    table.good[1] = -INFINITY;
    drops_with(good, "no finite score under the label `good`");
    fill_table();
    table.status = XY_EUPSTREAM;
    run("", good);
    CU_ASSERT_EQUAL(result.verdict, XY_EUPSTREAM);
    stage_result_free(&result);
    fill_table();
    run("", "{\"text\":\"x\",\"label\":\"good\"}"); /* the prompt names `kind` */
    CU_ASSERT(result.verdict < 0 && result.why && strstr(result.why, "kind"));
    stage_result_free(&result);
}

static void fails_with(const char *options, const char *why)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_ENHANCER, "likelihood", options));
    CU_ASSERT(strstr(host.log, why) || strstr(host.error.text, why));
}

static void bad_options(void)
{
    fails_with("{model: m, labels: [good], prompt: p}", "two labels at least");
    fails_with("{model: m, labels: [good, good], prompt: p}", "a label twice");
    fails_with("{model: m, labels: [good, bad], prompt: '{{ x'}", "prompt");
    fails_with("{model: m, prompt: p}", "labels");
}

int main(void)
{
    static const struct check checks[] = {
        {"tokens share", tokens_share}, {"texts share", texts_share},
        {"other labels", other_labels}, {"bad answers", bad_answers},
        {"bad options", bad_options},   {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "likelihood");
    host.answer = score;
    int failed = check_main("likelihood", checks);
    stage_host_free(&host);
    return failed;
}
