/* SPDX-License-Identifier: Apache-2.0 */
/* llama_test.c - the generator `llama` on the embedded models. Generated text differs between CPUs, so
 * nothing here compares it: what is checked are counts, probabilities that must agree with each other,
 * vectors against a reference of other origin, and what errors say. */
#include "check.h"
#include "plugins/generator_host.h"
#include "plugins/llama_reference.inc"

#include <elf.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define PLUGIN TEST_BUILD_DIR "/lib/xylem/llama.so"
enum { PATIENCE = 60 }; /* seconds without any answer */

static struct bench writer, embedder;

static void models_folder(char *out, size_t size)
{
    const char *own = getenv("XYLEM_CACHE"), *shared = getenv("XDG_CACHE_HOME");
    if (own && *own)
        snprintf(out, size, "%s/models", own);
    else if (shared && *shared)
        snprintf(out, size, "%s/xylem/models", shared);
    else
        snprintf(out, size, "%s/.cache/xylem/models", getenv("HOME"));
}

static struct bench_call *ask(struct bench *bench, const xy_request *request)
{
    struct bench_call *call = bench_submit(bench, request);
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    CU_ASSERT_FATAL(bench_wait(bench, call, PATIENCE));
    return call;
}

/* A user's message, and what the answer is to begin with unless that is NULL. */
static size_t messages(xy_message *out, const char *user, const char *prefill)
{
    out[0] = (xy_message){xy_text("user"), xy_text(user)};
    out[1] = (xy_message){xy_text("assistant"), xy_text(prefill)};
    return prefill ? 2 : 1;
}

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

static void exports_one_symbol(void)
{
    FILE *file = fopen(PLUGIN, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(size);
    CU_ASSERT_EQUAL_FATAL(fread(bytes, 1, size, file), size);
    fclose(file);
    const Elf64_Ehdr *header = (const void *)bytes;
    const Elf64_Shdr *sections = (const void *)(bytes + header->e_shoff);
    unsigned defined = 0, entries = 0;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_DYNSYM)
            continue;
        const Elf64_Sym *symbols = (const void *)(bytes + sections[i].sh_offset);
        const char *names = bytes + sections[sections[i].sh_link].sh_offset;
        for (size_t s = 0; s < sections[i].sh_size / sizeof(*symbols); s++)
            if (symbols[s].st_shndx != SHN_UNDEF) {
                defined++;
                entries += strcmp(names + symbols[s].st_name, "xy_plugin_v1") == 0;
            }
    }
    CU_ASSERT_EQUAL(defined, 1);
    CU_ASSERT_EQUAL(entries, 1);
    free(bytes);
}

static void says_what_it_can(void)
{
    uint32_t writes = writer.stage->generator->can(writer.state);
    CU_ASSERT_EQUAL(writes, XY_COMPLETE | XY_SCORE | XY_CAN_SCHEMA | XY_CAN_LOGPROBS | XY_CAN_SEED);
    CU_ASSERT_EQUAL(embedder.stage->generator->can(embedder.state), XY_EMBED);
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

/* What the sampler reports for its own tokens and what a score of the same text gives are computed by
 * two paths. They agree where the text is cut into the same tokens again. */
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

/* log p(ab | prompt) = log p(a | prompt) + log p(b | prompt a), for candidates in one request and for
 * a longer prompt; and a candidate's score does not depend on its company. */
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
    struct bench_call *call = ask(&writer, &request);
    CU_ASSERT_EQUAL_FATAL(call->reply.score_count, 4);
    const double *scores = call->scores;
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
    static const char shared[] = "Below are reviews. Terrible film. Lovely film. Boring film. Now one "
                                 "more, written by a critic who saw it on a rainy Tuesday: ";
    char user[256];
    struct bench_call *calls[6];
    uint32_t cached = 0, total = 0;
    for (int i = 0; i < 6; i++) {
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
    for (int i = 0; i < 6; i++)
        bench_call_free(calls[i]);
}

/* More requests than sequences, all at once: each is answered, and samples differ. */
static void runs_many_at_once(void)
{
    enum { COUNT = 20 };
    struct bench_call *calls[COUNT];
    xy_message prompt[2];
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "Write a film title.", NULL);
    request.max_tokens = 12;
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
    for (unsigned i = 0; i < 4; i++) {
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

/* As a control token "<|im_end|>" would be one token more than nothing; written apart it is several. */
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
    call = ask(&embedder, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EUNSUPPORTED);
    bench_call_free(call);
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

static void embeds_as_the_reference(void)
{
    enum { COUNT = sizeof(reference) / sizeof(reference[0]), WIDTH = 384 };
    xy_str texts[COUNT];
    uint32_t tokens = 0;
    for (int i = 0; i < COUNT; i++) {
        texts[i] = xy_text(reference[i].text);
        tokens += reference[i].tokens;
    }
    xy_request request = bench_new_request(XY_EMBED);
    request.texts = texts;
    request.text_count = COUNT;
    struct bench_call *call = ask(&embedder, &request);
    CU_ASSERT_EQUAL_FATAL(call->reply.status, XY_OK);
    CU_ASSERT_EQUAL_FATAL(call->reply.vector_count, COUNT);
    CU_ASSERT_EQUAL_FATAL(call->reply.dimension, WIDTH);
    CU_ASSERT_EQUAL(call->reply.prompt_tokens, tokens);
    for (int i = 0; i < COUNT; i++) {
        double cosine = 0, length = 0;
        for (int d = 0; d < WIDTH; d++) {
            double value = (double)call->vectors[i * WIDTH + d];
            cosine += value * (double)reference[i].vector[d];
            length += value * value;
        }
        CU_ASSERT_DOUBLE_EQUAL(length, 1, 1e-5);
        CU_ASSERT(cosine > 0.9999);
    }
    bench_call_free(call);
}

/* More texts than one batch holds, in two requests that share batches: each vector is its own text's. */
static void embeds_in_batches(void)
{
    enum { COUNT = 150, WIDTH = 384 };
    xy_str texts[COUNT];
    for (int i = 0; i < COUNT; i++)
        texts[i] = xy_text(reference[i % 2].text);
    xy_request request = bench_new_request(XY_EMBED);
    request.texts = texts;
    request.text_count = COUNT;
    struct bench_call *first = bench_submit(&embedder, &request);
    struct bench_call *second = ask(&embedder, &request);
    CU_ASSERT_FATAL(bench_wait(&embedder, first, PATIENCE));
    const struct bench_call *both[] = {first, second};
    for (int b = 0; b < 2; b++)
        for (int i = 0; i < COUNT; i++) {
            double cosine = 0;
            for (int d = 0; d < WIDTH; d++)
                cosine += (double)both[b]->vectors[i * WIDTH + d] *
                          (double)reference[i % 2].vector[d];
            CU_ASSERT(cosine > 0.9999);
        }
    bench_call_free(first);
    bench_call_free(second);
}

static void fails_to_open(const char *model, const char *first, const char *second)
{
    struct bench bench;
    CU_ASSERT_FATAL(bench_load(&bench, PLUGIN, "llama"));
    bench_set(&bench, "model", model);
    CU_ASSERT_EQUAL(bench_open(&bench), XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.log, first));
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.log, second));
    bench_close(&bench);
}

static void explains_what_it_cannot_open(void)
{
    fails_to_open("/nowhere/model.gguf", "/nowhere/model.gguf", "No such file");
    fails_to_open(TEST_SOURCE_DIR "/CMakeLists.txt", "is not a GGUF file", "CMakeLists.txt");
    fails_to_open("smolm2-135m-instruct", "unknown model 'smolm2-135m-instruct'",
                  "nearest name is 'smollm2-135m-instruct'");
}

static void explains_a_broken_file(void)
{
    char path[] = "/tmp/xylem-llama-test-XXXXXX.gguf";
    int file = mkstemps(path, 5);
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT_EQUAL(write(file, "GGUF\3\0\0\0garbage", 15), 15);
    close(file);
    struct bench bench;
    xy_message prompt[2];
    CU_ASSERT_FATAL(bench_load(&bench, PLUGIN, "llama"));
    bench_set(&bench, "model", path);
    CU_ASSERT_EQUAL(bench_open(&bench), XY_OK);
    xy_request request = bench_new_request(XY_COMPLETE);
    request.messages = prompt;
    request.message_count = messages(prompt, "hello", NULL);
    struct bench_call *call = ask(&bench, &request);
    CU_ASSERT_EQUAL(call->reply.status, XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(call->error, path));
    bench_call_free(call);
    bench_close(&bench);
    CU_ASSERT_EQUAL(bench.broken, 0);
    unlink(path);
}

/* Closing answers what still runs, each exactly once. */
static void closes_while_running(void)
{
    struct bench bench;
    struct bench_call *calls[12];
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
    for (int i = 0; i < 12; i++)
        calls[i] = bench_submit(&bench, &request);
    request.max_tokens = 1;
    bench_turn(&bench, 0.5);
    bench_close(&bench);
    CU_ASSERT_EQUAL(bench.broken, 0);
    for (int i = 0; i < 12; i++) {
        CU_ASSERT_EQUAL(calls[i]->completed, 1);
        CU_ASSERT(calls[i]->reply.status == XY_ECANCELED || calls[i]->reply.status == XY_OK);
        bench_call_free(calls[i]);
    }
}

static void breaks_no_rule(void)
{
    bench_close(&writer);
    bench_close(&embedder);
    CU_ASSERT_EQUAL(writer.broken, 0);
    CU_ASSERT_EQUAL(embedder.broken, 0);
}

int main(void)
{
    static const struct check checks[] = {
        {"exports one symbol", exports_one_symbol},
        {"says what it can", says_what_it_can},
        {"explains what it cannot open", explains_what_it_cannot_open},
        {"explains a broken file", explains_a_broken_file},
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
        {"embeds as the reference", embeds_as_the_reference},
        {"embeds in batches", embeds_in_batches},
        {"closes while running", closes_while_running},
        {"breaks no rule", breaks_no_rule},
        {NULL, NULL},
    };
    char folder[512], path[600];
    models_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/all-MiniLM-L6-v2.F16.gguf", folder);
    if (access(PLUGIN, R_OK) != 0 || access(path, R_OK) != 0) {
        printf("skipped: %s is missing; sh plugins/llama/%s\n",
               access(PLUGIN, R_OK) != 0 ? "the plugin" : path,
               access(PLUGIN, R_OK) != 0 ? "build_runtime.sh" : "fetch_models.sh");
        return 77;
    }
    if (!bench_load(&writer, PLUGIN, "llama") || !bench_load(&embedder, PLUGIN, "llama"))
        return 2;
    bench_set(&writer, "model", "smollm2-135m-instruct");
    bench_set(&writer, "context", "512");
    bench_set(&writer, "threads", "1");
    bench_set(&embedder, "model", "all-minilm-l6-v2");
    bench_set(&embedder, "threads", "1");
    if (bench_open(&writer) < 0 || bench_open(&embedder) < 0) {
        fprintf(stderr, "%s%s", writer.log, embedder.log);
        return 2;
    }
    return check_main("llama", checks);
}
