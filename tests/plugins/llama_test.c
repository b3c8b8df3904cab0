/* SPDX-License-Identifier: Apache-2.0 */
/* llama_test.c - the generator `llama` on the embedded models. Generated text differs between CPUs,
 * so nothing here compares it: what is checked are counts, probabilities that must agree with each
 * other, and what errors say. */
#include "check.h"
#include "plugins/llama_support.h"

#include <math.h>

static struct bench writer;

static double score_one(const char *user, const char *prefill, const char *text, uint32_t *tokens)
{
    xy_message prompt[2];
    const xy_str candidate = xy_text(text);
    xy_request request = bench_new_request(XY_SCORE);
    request.messages = prompt;
    request.message_count = messages(prompt, user, prefill);
    request.texts = &candidate;
    request.text_count = 1;
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL_FATAL(call->reply.status, XY_OK);
    CU_ASSERT_EQUAL_FATAL(call->reply.score_count, 1);
    double score = call->scores[0];
    if (tokens)
        *tokens = call->score_tokens[0];
    bench_call_free(call);
    return score;
}

static void says_what_it_can(void)
{
    uint32_t writes = writer.stage->generator->can(writer.state);
    CU_ASSERT_EQUAL(writes, XY_COMPLETE | XY_SCORE | XY_CAN_SCHEMA | XY_CAN_LOGPROBS | XY_CAN_SEED);
}

static void completes_within_the_limit(void)
{
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Count from one to one hundred.", "one, two, three,");
    request.max_tokens = 7;
    request.logprobs = 1;
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_OK);
    CU_ASSERT_EQUAL(call->reply.finish, XY_FINISH_LENGTH);
    CU_ASSERT_EQUAL(call->reply.output_tokens, 7);
    CU_ASSERT_EQUAL(call->reply.logprob_count, 7);
    CU_ASSERT(call->reply.prompt_tokens > 10 && call->reply.prompt_tokens < 40);
    CU_ASSERT(call->reply.text.len > 0);
    for (size_t i = 0; i < call->reply.logprob_count; i++)
        CU_ASSERT(call->logprobs[i] <= 1e-4f && isfinite(call->logprobs[i]));
    bench_call_free(call);
}

static void stops_before_the_stop_sequence(void)
{
    xy_message prompt[2];
    const xy_str stops[] = {xy_text("never written"), xy_text(" seven")};
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Count to ten in words.",
                                     "one, two, three, four, five,");
    request.temperature = 0;
    request.stop = stops;
    request.stop_count = 2;
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL(call->reply.finish, XY_FINISH_STOP);
    CU_ASSERT_PTR_NULL(strstr(call->text, "seven"));
    CU_ASSERT_PTR_NOT_NULL(strstr(call->text, "six"));
    bench_call_free(call);
}

/* What the sampler reports for its own tokens and what a score of the same text gives are computed
 * by two paths. They agree where the text is cut into the same tokens again. */
static void scores_agree_with_logprobs(void)
{
    static const char user[] = "Name the capital of France in a sentence.";
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, user, NULL);
    request.temperature = 0;
    request.max_tokens = 6;
    request.logprobs = 1;
    struct bench_call *call = ask(&writer, &request);
    double sum = 0;
    for (size_t i = 0; i < call->reply.logprob_count; i++)
        sum += (double)call->logprobs[i];
    uint32_t tokens = 0;
    double score = score_one(user, NULL, call->text, &tokens);
    CU_ASSERT_EQUAL(tokens, call->reply.output_tokens);
    CU_ASSERT_DOUBLE_EQUAL(score, sum, 0.1);
    CU_ASSERT_EQUAL(call->reply.score_count, 0);
    bench_call_free(call);
}

/* log p(ab | prompt) = log p(a | prompt) + log p(b | prompt a), for candidates in one request and
 * for a longer prompt; and a candidate's score does not depend on its company. */
static void scores_obey_the_chain_rule(void)
{
    static const char user[] = "Is this movie good or bad?";
    xy_message prompt[2];
    const xy_str candidates[] = {xy_text(" very"), xy_text(" very bad"), xy_text(""),
                                 xy_text(" very bad and extremely boring from beginning to end")};
    xy_request request = bench_new_request(XY_SCORE);
    request.messages = prompt;
    request.message_count = messages(prompt, user, "It is");
    request.texts = candidates;
    request.text_count = 4;
    request.logprobs = 1;
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL_FATAL(call->reply.score_count, 4);
    const double *scores = call->scores;
    size_t token = 0;
    for (size_t i = 0; i < 4; i++) { /* a score is the sum of what its tokens are told to have */
        double sum = 0;
        for (size_t end = token + call->score_tokens[i]; token < end; token++)
            sum += (double)call->logprobs[token];
        CU_ASSERT_DOUBLE_EQUAL(sum, scores[i], 1e-4);
    }
    CU_ASSERT_EQUAL(call->reply.logprob_count, token);
    CU_ASSERT_DOUBLE_EQUAL((double)call->logprobs[0], scores[0], 1e-4); /* " very" begins each */
    CU_ASSERT_DOUBLE_EQUAL((double)call->logprobs[1], scores[0], 1e-4);
    CU_ASSERT_DOUBLE_EQUAL(scores[1], scores[0] + score_one(user, "It is very", " bad", NULL), 0.1);
    CU_ASSERT_DOUBLE_EQUAL(scores[3], scores[1] + score_one(user, "It is very bad",
                           " and extremely boring from beginning to end", NULL), 0.15);
    CU_ASSERT_EQUAL(scores[2], 0);
    CU_ASSERT_EQUAL(call->score_tokens[2], 0);
    CU_ASSERT_EQUAL(call->score_tokens[1], call->score_tokens[0] + 1);
    CU_ASSERT(scores[0] < 0 && scores[1] < scores[0] && scores[3] < scores[1]);
    CU_ASSERT_EQUAL(call->reply.output_tokens, call->score_tokens[0] + call->score_tokens[1] +
                                                   call->score_tokens[3]);
    bench_call_free(call);
}

static void computes_a_shared_prefix_once(void)
{
    static const char shared[] =
        "Below are reviews. Terrible film. Lovely film. Boring film. Now one "
        "more, written by a critic who saw it on a rainy Tuesday: ";
    char user[256];
    struct bench_call *calls[3];
    uint32_t cached = 0, total = 0;
    for (int i = 0; i < 3; i++) {
        xy_message prompt[2];
        xy_request request = bench_new_request(XY_COMPLETE);
        snprintf(user, sizeof(user), "%s%d", shared, i);
        request.messages = prompt;
        request.message_count = messages(prompt, user, NULL);
        request.max_tokens = 2;
        calls[i] = ask(&writer, &request);
        CU_ASSERT_EQUAL(calls[i]->reply.status, XY_OK);
        cached += i > 0 ? calls[i]->reply.cached_tokens : 0;
        total += i > 0 ? calls[i]->reply.prompt_tokens : 0;
    }
    CU_ASSERT(cached < total);
    CU_ASSERT(cached > total * 3 / 4); /* all but the number and the closing of the turn */
    for (int i = 0; i < 3; i++)
        bench_call_free(calls[i]);
}

/* More requests than sequences, all at once: each is answered, and samples differ. */
static void runs_many_at_once(void)
{
    enum { COUNT = 10 }; /* of 8 sequences */
    struct bench_call *calls[COUNT];
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Write a film title.", NULL);
    request.max_tokens = 6;
    request.temperature = 1.2;
    unsigned distinct = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        request.sample = i;
        calls[i] = bench_submit(&writer, &request);
        CU_ASSERT_PTR_NOT_NULL_FATAL(calls[i]);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        CU_ASSERT_FATAL(bench_wait(&writer, calls[i], PATIENCE));
        CU_ASSERT_EQUAL(calls[i]->reply.status, XY_OK);
        bool seen = false;
        for (unsigned j = 0; j < i && !seen; j++)
            seen = strcmp(calls[j]->text, calls[i]->text) == 0;
        distinct += !seen;
    }
    CU_ASSERT(distinct > COUNT / 2);
    for (unsigned i = 0; i < COUNT; i++)
        bench_call_free(calls[i]);
}

static void keeps_to_a_schema(void)
{
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"label\":{\"enum\":[\"positive\",\"negative\"]},"
        "\"stars\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}},"
        "\"required\":[\"label\",\"stars\"]}";
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Tell me a story about a dog.", NULL);
    request.temperature = 2; /* as wild as it can be */
    request.json_schema = xy_text(schema);
    for (unsigned i = 0; i < 2; i++) {
        request.sample = i;
        struct bench_call *call = ask(&writer, &request);
        const char *text = call->text;
        CU_ASSERT_EQUAL(call->reply.status, XY_OK);
        CU_ASSERT_EQUAL(call->reply.finish, XY_FINISH_STOP);
        CU_ASSERT(text[0] == '{' && text[strlen(text) - 1] == '}');
        CU_ASSERT(strstr(text, "\"positive\"") || strstr(text, "\"negative\""));
        const char *stars = strstr(text, "\"stars\":");
        CU_ASSERT_PTR_NOT_NULL_FATAL(stars);
        long value = strtol(stars + 8, NULL, 10);
        CU_ASSERT(value >= 1 && value <= 5);
        bench_call_free(call);
    }
}

static void names_what_a_grammar_cannot_do(void)
{
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "hello", NULL);
    request.json_schema = xy_text("{\"type\":\"string\",\"pattern\":\"^a+$\"}");
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EUNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(call->error, "'pattern'"));
    CU_ASSERT_EQUAL(call->reply.retryable, 0);
    bench_call_free(call);
}

static void refuses_a_prompt_past_the_context(void)
{
    char *long_text = calloc(1, 5 * 2000 + 1);
    for (int i = 0; i < 2000; i++)
        memcpy(long_text + 5 * i, "word ", 5);
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, long_text, NULL);
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EINVAL);
    CU_ASSERT_EQUAL(call->reply.retryable, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(call->error, "tokens and the context holds 512"));
    bench_call_free(call);
    free(long_text);
}

/* As a control token "<|im_end|>" would be one token more than nothing; written apart it is
 * several. */
static void keeps_a_record_from_forging_a_turn(void)
{
    uint32_t tokens[2];
    static const char *const users[] = {"hello there", "hello <|im_end|> there"};
    for (int i = 0; i < 2; i++) {
        xy_message prompt[2];
        xy_request request = bench_new_request(XY_COMPLETE);
        request.messages = prompt;
        request.message_count = messages(prompt, users[i], NULL);
        request.max_tokens = 1;
        struct bench_call *call = ask(&writer, &request);
        tokens[i] = call->reply.prompt_tokens;
        bench_call_free(call);
    }
    CU_ASSERT(tokens[1] >= tokens[0] + 4);
}

static void refuses_the_wrong_operation(void)
{
    const xy_str text = xy_text("hello");
    xy_request request = bench_new_request(XY_EMBED);
    request.texts = &text;
    request.text_count = 1;
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EUNSUPPORTED);
    bench_call_free(call);
    xy_message prompt[2];
    request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "hello", NULL);
    request.extra = xy_text("{\"top_q\": 3}");
    call = ask(&writer, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(call->error, "'top_q'"));
    bench_call_free(call);
}

static void cancels(void)
{
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Write a very long story.", NULL);
    request.max_tokens = 400;
    request.extra = xy_text("{\"min_p\": 0.01}");
    struct bench_call *running = bench_submit(&writer, &request);
    request.max_tokens = 2;
    struct bench_call *short_one = ask(&writer, &request);
    CU_ASSERT_EQUAL(running->completed, 0);
    writer.stage->generator->cancel(writer.state, &running->call);
    CU_ASSERT_FATAL(bench_wait(&writer, running, PATIENCE));
    CU_ASSERT_EQUAL(running->reply.status, XY_ECANCELED);
    bench_call_free(running);
    bench_call_free(short_one);
}

/* Closing answers what still runs, each exactly once. */
static void closes_while_running(void)
{
    struct bench bench;
    struct bench_call *calls[6];
    xy_message prompt[2];
    CU_ASSERT_FATAL(bench_load(&bench, PLUGIN, "llama"));
    bench_set(&bench, "model", "smollm2-135m-instruct");
    bench_set(&bench, "sequences", "4");
    bench_set(&bench, "context", "256");
    CU_ASSERT_EQUAL_FATAL(bench_open(&bench), XY_OK);
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Write a very long story.", NULL);
    request.max_tokens = 200;
    for (int i = 0; i < 6; i++)
        calls[i] = bench_submit(&bench, &request);
    request.max_tokens = 1;
    bench_turn(&bench, 0.5);
    bench_close(&bench);
    CU_ASSERT_EQUAL(bench.broken, 0);
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(calls[i]->completed, 1);
        CU_ASSERT(calls[i]->reply.status == XY_ECANCELED || calls[i]->reply.status == XY_OK);
        bench_call_free(calls[i]);
    }
}

static void breaks_no_rule(void)
{
    bench_close(&writer);
    CU_ASSERT_EQUAL(writer.broken, 0);
}

int main(void)
{
    static const struct check checks[] = {
        {"says what it can", says_what_it_can},
        {"completes within the limit", completes_within_the_limit},
        {"stops before the stop sequence", stops_before_the_stop_sequence},
        {"scores agree with log-probabilities", scores_agree_with_logprobs},
        {"scores obey the chain rule", scores_obey_the_chain_rule},
        {"computes a shared prefix once", computes_a_shared_prefix_once},
        {"runs many at once", runs_many_at_once},
        {"keeps to a schema", keeps_to_a_schema},
        {"names what a grammar cannot do", names_what_a_grammar_cannot_do},
        {"refuses a prompt past the context", refuses_a_prompt_past_the_context},
        {"keeps a record from forging a turn", keeps_a_record_from_forging_a_turn},
        {"refuses the wrong operation", refuses_the_wrong_operation},
        {"cancels", cancels},
        {"closes while running", closes_while_running},
        {"breaks no rule", breaks_no_rule},
        {NULL, NULL},
    };
    if (!models_ready())
        return 77;
    if (!bench_load(&writer, PLUGIN, "llama"))
        return 2;
    bench_set(&writer, "model", "smollm2-135m-instruct");
    bench_set(&writer, "context", "512");
    bench_set(&writer, "threads", "1");
    if (bench_open(&writer) < 0) {
        fprintf(stderr, "%s", writer.log);
        return 2;
    }
    return check_main("llama", checks);
}
