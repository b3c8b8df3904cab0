/* SPDX-License-Identifier: Apache-2.0 */
/* Embeddings put together from parts, answers of every kind through the journal, and the order of
 * writing and telling. */
#include "model_fixture.h"

#include "check.h"

static float vectors[64 * 2];
static double scores[2];
static uint32_t score_tokens[2];

/* A text "3" gets the vector (0.6, 0.8) scaled by 4 for an even number, (1, 0) for an odd one. */
static struct plan embed(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    (void)fixture, (void)attempt;
    struct plan plan = {.delay_us = 500, .reply = {
        .size = sizeof(xy_reply), .vectors = vectors, .vector_count = request->text_count,
        .dimension = 2, .prompt_tokens = (uint32_t)request->text_count * 3,
        .retry_after_ms = -1}};
    for (size_t i = 0; i < request->text_count; i++) {
        if (str_is(request->texts[i], "bad"))
            return fail(XY_EINVAL, false, false, -1);
        bool odd = (request->texts[i].ptr[request->texts[i].len - 1] - '0') % 2;
        vectors[2 * i] = odd ? 1.0f : 2.4f;
        vectors[2 * i + 1] = odd ? 0.0f : 3.2f;
    }
    return plan;
}

static void ask_vectors(struct fixture *f, size_t first, size_t count)
{
    char texts[200][16];
    xy_str list[200];
    for (size_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "text %zu", first + i);
        list[i] = str_of(texts[i]);
    }
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = list,
                          .text_count = count};
    submit(f, &request);
}

static void texts_are_batched_cached_and_reassembled(void)
{
    struct fixture f;
    fixture_init(&f, embed);
    CU_ASSERT_FATAL(fixture_open(&f));
    ask_vectors(&f, 0, 100);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 2); /* 64 and 36 */
    CU_ASSERT_EQUAL(f.seen[0].text_count, 64);
    CU_ASSERT_EQUAL(f.seen[1].text_count, 36);
    CU_ASSERT_EQUAL(f.got[0].status, XY_OK);
    CU_ASSERT_EQUAL(f.got[0].vectors, 100);
    CU_ASSERT_EQUAL(f.got[0].dimension, 2);
    for (size_t i = 0; i < 64; i++) /* unit length: (2.4, 3.2) / 4 */
        CU_ASSERT_DOUBLE_EQUAL(f.got[0].first[i], i % 2 ? 1.0 : 0.6, 1e-6);
    /* Half of these are known: only the others are sent. */
    ask_vectors(&f, 50, 100);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 3);
    CU_ASSERT_EQUAL(f.seen[2].text_count, 50);
    CU_ASSERT_EQUAL(f.got[1].vectors, 100);
    CU_ASSERT_DOUBLE_EQUAL(f.got[1].first[1], 1.0, 1e-6);
    ask_vectors(&f, 0, 0); /* nothing to embed is an answer too */
    run(&f);
    CU_ASSERT_EQUAL(f.got[2].status, XY_OK);
    CU_ASSERT_EQUAL(f.got[2].vectors, 0);
    fixture_close(&f);
    journal_memory_clear();
}

static void one_bad_text_costs_only_itself(void)
{
    struct fixture f;
    fixture_init(&f, embed);
    CU_ASSERT_FATAL(fixture_open(&f));
    ask_vectors(&f, 0, 5);
    xy_str bad = STR("bad");
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = &bad,
                          .text_count = 1};
    submit(&f, &request);
    run(&f);
    CU_ASSERT_EQUAL(f.done_count, 2);
    CU_ASSERT_EQUAL(f.got[0].status, XY_OK);
    CU_ASSERT_EQUAL(f.got[0].vectors, 5);
    CU_ASSERT_EQUAL(f.got[1].status, XY_EINVAL);
    fixture_close(&f);
    journal_memory_clear();
}

static struct plan everything(struct fixture *fixture, const xy_request *request, size_t attempt)
{
    static const float logprobs[] = {-0.5f, -0.25f, -1, -1, -0.125f};
    (void)fixture;
    struct plan plan = say("with \xc3\xa9 and \"quotes\"");
    plan.reply.logprobs = logprobs;
    plan.reply.logprob_count = 2;
    plan.reply.cost = 0.125;
    if (request->operation == XY_SCORE) {
        scores[0] = -1.5, scores[1] = -2.5;
        score_tokens[0] = 2, score_tokens[1] = 3;
        plan.reply.scores = scores;
        plan.reply.score_tokens = score_tokens;
        plan.reply.score_count = attempt == 1 ? 1 : 2; /* a wrong count: asked again */
        plan.reply.logprob_count = attempt == 2 ? 4 : 5; /* of 2 + 3 tokens: so here, too */
    }
    return plan;
}

static void ask_scores(struct fixture *f)
{
    xy_message message = {STR("user"), STR("good?")};
    xy_str candidates[] = {STR("yes"), STR("no")};
    xy_request request = {.size = sizeof(request), .operation = XY_SCORE, .messages = &message,
                          .message_count = 1, .texts = candidates, .text_count = 2};
    submit(f, &request);
}

static void answers_survive_the_journal(void)
{
    struct fixture f;
    fixture_init(&f, everything);
    f.spec.concurrency = 1;
    CU_ASSERT_FATAL(fixture_open(&f));
    ask(&f, "p", 0);
    ask_scores(&f);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 4);
    ask(&f, "p", 0);
    ask_scores(&f);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 4);
    for (size_t i = 0; i < 4; i += 2) {
        CHECK_TEXT(f.got[i].text, "with \xc3\xa9 and \"quotes\"");
        CU_ASSERT_EQUAL(f.got[i].logprob, -0.25f);
        CU_ASSERT_EQUAL(f.got[i].cost, 0.125);
        CHECK_TEXT(f.got[i].model, "scripted-1");
        CU_ASSERT_EQUAL(f.got[i + 1].score, -2.5);
        CU_ASSERT_EQUAL(f.got[i + 1].logprob, -0.125f);
        CU_ASSERT_EQUAL(f.got[i + 1].status, XY_OK);
    }
    CU_ASSERT_EQUAL(models_totals(f.models).cost, 0.5); /* the wrong answer was paid as well */
    fixture_close(&f);
    journal_memory_clear();
}

/* What a kill can lose is in flight: each answer that a caller saw is there afterwards. */
static void answers_are_written_before_they_are_told(void)
{
    struct fixture f;
    fixture_init(&f, everything);
    CU_ASSERT_FATAL(fixture_open(&f));
    for (uint32_t i = 0; i < 50; i++)
        ask(&f, "p", i);
    run(&f);
    CU_ASSERT_EQUAL(f.unwritten_starts, 0);
    journal_memory_kill();
    fixture_close(&f);
    fixture_init(&f, everything);
    CU_ASSERT_FATAL(fixture_open(&f));
    CU_ASSERT_EQUAL(models_totals(f.models).cost, 50 * 0.125);
    for (uint32_t i = 0; i < 50; i++)
        ask(&f, "p", i);
    run(&f);
    CU_ASSERT_EQUAL(f.seen_count, 0);
    CU_ASSERT_EQUAL(f.done_count, 50);
    fixture_close(&f);
    journal_memory_clear();
}

static struct model *opened_with(struct fixture *f, const char *yaml)
{
    static struct arena arena;
    fixture_init(f, everything);
    f->spec.node = node_read_text(&arena, "test", str_of(yaml), &f->error);
    CU_ASSERT_FATAL(f->spec.node != NULL);
    CU_ASSERT_FATAL(fixture_open(f));
    return f->model;
}

static bool same_key(struct journal_key a, struct journal_key b)
{
    return a.high == b.high && a.low == b.low;
}

static void keys_know_what_matters(void)
{
    struct fixture f;
    xy_message message = {STR("user"), STR("hello")};
    xy_request request = {.size = sizeof(request), .operation = XY_COMPLETE, .messages = &message,
                          .message_count = 1, .temperature = -1, .top_p = -1};
    struct journal_key plain = model_key(opened_with(&f, "{use: scripted}"), &request), other;
    request.timeout_ms = 99;
    CU_ASSERT(same_key(plain, model_key(f.model, &request))); /* changes no answer */
    request.temperature = -7;
    CU_ASSERT(same_key(plain, model_key(f.model, &request))); /* "not set" as well */
    request.temperature = 0;
    CU_ASSERT(!same_key(plain, model_key(f.model, &request)));
    request.temperature = -1;
    request.sample = 1;
    CU_ASSERT(!same_key(plain, model_key(f.model, &request)));
    request.sample = 0;
    xy_str stop[] = {STR("ab"), STR("c")}, stop_other[] = {STR("a"), STR("bc")};
    request.stop = stop, request.stop_count = 2;
    other = model_key(f.model, &request);
    request.stop = stop_other;
    CU_ASSERT(!same_key(other, model_key(f.model, &request))); /* boundaries count */
    request.stop_count = 0;
    xy_message shifted = {STR("userh"), STR("ello")};
    request.messages = &shifted;
    CU_ASSERT(!same_key(plain, model_key(f.model, &request)));
    request.messages = &message;
    fixture_close(&f);
    CU_ASSERT(same_key(plain, model_key(opened_with(&f, "{secret: abc}"), &request)));
    fixture_close(&f);
    CU_ASSERT(!same_key(plain, model_key(opened_with(&f, "{size: 4}"), &request)));
    fixture_close(&f);
}

static void bad_options_are_errors(void)
{
    static struct arena arena;
    struct fixture f;
    fixture_init(&f, everything);
    f.spec.node = node_read_text(&arena, "test", STR("{sise: 4}"), &f.error);
    CU_ASSERT(!fixture_open(&f));
    CU_ASSERT(strstr(f.error.text, "sise") != NULL);
    fixture_close(&f);
    arena_free(&arena);
}

int main(void)
{
    static const struct check checks[] = {
        {"texts are batched, cached and reassembled", texts_are_batched_cached_and_reassembled},
        {"one bad text costs only itself", one_bad_text_costs_only_itself},
        {"answers survive the journal", answers_survive_the_journal},
        {"answers are written before they are told", answers_are_written_before_they_are_told},
        {"keys know what matters", keys_know_what_matters},
        {"bad options are errors", bad_options_are_errors},
        {NULL, NULL},
    };
    return check_main("model turn", checks);
}
