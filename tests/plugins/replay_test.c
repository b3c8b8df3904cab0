/* SPDX-License-Identifier: Apache-2.0 */
#include "generator_fixture.h"

#include "check.h"

/* ---- a loop of posts ------------------------------------------------------------------------- */

static void (*posted)(void *);
static void *posted_data;

static int post(const xy_host *host, void (*fn)(void *), void *data)
{
    (void)host;
    posted = fn;
    posted_data = data;
    return XY_OK;
}

static const void *service(const xy_host *host, const char *id)
{
    static const xy_loop loop = {.size = sizeof(loop), .post = post};
    (void)host;
    return strcmp(id, XY_LOOP) == 0 ? &loop : NULL;
}

static struct generator_fixture fixture;
static struct test_call call;

static int open_text(const char *text)
{
    char path[] = "/tmp/xylem-replay-XXXXXX", yaml[64];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "wb");
    fputs(text, file);
    fclose(file);
    snprintf(yaml, sizeof(yaml), "{file: '%s'}", path);
    int code = generator_open(&fixture, "replay", yaml, service);
    remove(path);
    return code;
}

static void ask(const xy_request *request)
{
    CU_ASSERT_EQUAL_FATAL(test_call(&fixture, &call, request), XY_OK);
    CU_ASSERT_EQUAL(call.completed, 0);
    posted(posted_data);
    CU_ASSERT_EQUAL(call.completed, 1);
}

static const char *text_of(const char *prompt, uint32_t sample)
{
    static char text[256];
    xy_message messages[] = {{STR("system"), STR("s")}, {STR("user"), str_of(prompt)}};
    xy_request request = test_request(messages, 2);
    request.sample = sample;
    ask(&request);
    snprintf(text, sizeof(text), "%s", call.reply.status ? call.reply.error : call.reply.text.ptr);
    test_call_free(&call);
    return text;
}

static void prompts_and_samples(void)
{
    CU_ASSERT_EQUAL_FATAL(open_text(
        "{\"prompt\":\"caf\\u00e9 \\\"x\\\"\",\"sample\":0,\"text\":\"zero\"}\n\n"
        "{\"prompt\":\"caf\xc3\xa9 \\\"x\\\"\",\"text\":\"any\"}\r\n"
        "{\"prompt\":\"\",\"text\":\"empty\"}"), XY_OK);
    CHECK_TEXT(text_of("caf\xc3\xa9 \"x\"", 0), "zero");
    CHECK_TEXT(text_of("caf\xc3\xa9 \"x\"", 1), "any");
    CHECK_TEXT(text_of("", 0), "empty");
    const char *error = text_of("other\nprompt", 3);
    CU_ASSERT(strstr(error, "sample 3") && strstr(error, "key ") && strstr(error, "other prompt"));
    generator_close(&fixture);
}

static void keys_are_exact(void)
{
    /* FNV-1a 64 of "user\x1fhi\x1e0\x1e", computed by hand with the published constants. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = "user\x1f" "hi\x1e" "0\x1e"; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    char line[160];
    snprintf(line, sizeof(line), "{\"key\":\"%016llx\",\"text\":\"by key\",\"output_tokens\":3}\n"
             "{\"prompt\":\"hi\",\"text\":\"by prompt\"}", (unsigned long long)hash);
    CU_ASSERT_EQUAL_FATAL(open_text(line), XY_OK);
    xy_message message = {STR("user"), STR("hi")};
    xy_request request = test_request(&message, 1);
    ask(&request);
    CHECK_TEXT(call.reply.text.ptr, "by key");
    CU_ASSERT_EQUAL(call.reply.output_tokens, 3);
    test_call_free(&call);
    request.sample = 1;
    ask(&request);
    CHECK_TEXT(call.reply.text.ptr, "by prompt");
    test_call_free(&call);
    generator_close(&fixture);
}

static void messages_are_the_exact_request(void)
{
    CU_ASSERT_EQUAL_FATAL(open_text(
        "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\","
        "\"content\":\"h\\u0069\"}],\"sample\":1,\"text\":\"both\"}\n"
        "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"scores\":{\"a\":-1,\"b\":-2}}\n"
        "{\"prompt\":\"hi\",\"text\":\"by prompt\"}"), XY_OK);
    xy_message messages[] = {{STR("system"), STR("s")}, {STR("user"), STR("hi")}};
    xy_request request = test_request(messages, 2);
    static const char *const said[] = {"by prompt", "both"};
    for (uint32_t sample = 0; sample < 2; sample++) {
        request.sample = sample;
        ask(&request);
        CHECK_TEXT(call.reply.text.ptr, said[sample]);
        test_call_free(&call);
    }
    xy_str candidates[] = {STR("a"), STR("b")};
    request = test_request(&messages[1], 1);
    request.operation = XY_SCORE;
    request.texts = candidates, request.text_count = 2;
    ask(&request);
    CU_ASSERT_EQUAL_FATAL(call.reply.status, XY_OK);
    CU_ASSERT_EQUAL(call.reply.scores[1], -2);
    test_call_free(&call);
    generator_close(&fixture);
}

/* Each candidate's tokens are told, in the order of the candidates, whatever the file's order; but
 * none where they are not one for each token, or nobody asked. */
static void scores_of_tokens(void)
{
    CU_ASSERT_EQUAL_FATAL(open_text(
        "{\"prompt\":\"p\",\"scores\":{\"no\":-1.5,\"yes\":-0.5},\"score_tokens\":[2,1],"
        "\"logprobs\":[-1,-0.5,-0.25]}\n"
        "{\"prompt\":\"q\",\"scores\":[-1,-2],\"score_tokens\":[2,2],\"logprobs\":[-1,-2,-3]}\n"),
        XY_OK);
    xy_str candidates[] = {STR("yes"), STR("no")};
    static const char *const prompts[] = {"p", "q", "p"};
    for (uint32_t i = 0; i < 3; i++) {
        xy_message message = {STR("user"), str_of(prompts[i])};
        xy_request request = test_request(&message, 1);
        request.operation = XY_SCORE;
        request.logprobs = i < 2;
        request.texts = candidates, request.text_count = 2;
        ask(&request);
        CU_ASSERT_EQUAL_FATAL(call.reply.status, XY_OK);
        CU_ASSERT_EQUAL(call.reply.score_tokens[1], 2);
        CU_ASSERT_EQUAL(call.reply.logprob_count, i == 0 ? 3 : 0);
        if (i == 0) {
            CU_ASSERT_EQUAL(call.reply.score_tokens[0], 1);
            CU_ASSERT(call.reply.logprobs[0] == -0.25f && call.reply.logprobs[1] == -1 &&
                      call.reply.logprobs[2] == -0.5f);
        }
        test_call_free(&call);
    }
    generator_close(&fixture);
}

static void scores_and_vectors(void)
{
    CU_ASSERT_EQUAL_FATAL(open_text(
        "{\"prompt\":\"p\",\"scores\":{\"no\":-1.5,\"yes\":-0.5}}\n"
        "{\"prompt\":\"q\",\"scores\":[-1,-2]}\n"
        "{\"prompt\":\"r\",\"scores\":{\"no\":-1.5}}\n"
        "{\"prompt\":\"a\",\"vector\":[1,0]}\n{\"prompt\":\"b\",\"vector\":[0,1]}\n"
        "{\"prompt\":\"c\",\"vector\":[0,1,0]}\n"), XY_OK);
    xy_str candidates[] = {STR("yes"), STR("no")};
    static const char *const prompts[] = {"p", "q", "r"};
    static const double expected[][2] = {{-0.5, -1.5}, {-1, -2}};
    for (size_t i = 0; i < 3; i++) {
        xy_message message = {STR("user"), str_of(prompts[i])};
        xy_request request = test_request(&message, 1);
        request.operation = XY_SCORE;
        request.texts = candidates, request.text_count = 2;
        ask(&request);
        CU_ASSERT_EQUAL(call.reply.status, i < 2 ? XY_OK : XY_EINVAL);
        for (size_t j = 0; i < 2 && j < 2; j++)
            CU_ASSERT_EQUAL(call.reply.scores[j], expected[i][j]);
        test_call_free(&call);
    }
    xy_str texts[] = {STR("b"), STR("a"), STR("c"), STR("d")};
    for (size_t count = 2; count <= 4; count++) {
        xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = texts,
                              .text_count = count};
        if (count == 4)
            request.texts = texts + 3, request.text_count = 1;
        ask(&request);
        CU_ASSERT_EQUAL(call.reply.status, count == 2 ? XY_OK : XY_EINVAL);
        if (count == 2)
            CU_ASSERT(call.reply.vectors[0] == 0 && call.reply.vectors[2] == 1);
        test_call_free(&call);
    }
    generator_close(&fixture);
}

static void bad_files_are_refused_with_their_line(void)
{
    static const struct {
        const char *text, *says;
    } files[] = {
        {"{\"prompt\":\"p\",\"text\":\"t\"}\nnot json\n", "line 2"},
        {"{\"prompt\":\"p\"}", "no answer"},
        {"{\"text\":\"t\"}", "\"key\" or \"prompt\""},
        {"{\"messages\":[{\"role\":\"user\"}],\"text\":\"t\"}", "\"role\" and \"content\""},
        {"{\"messages\":[],\"prompt\":\"p\",\"text\":\"t\"}", "\"messages\", a list"},
        {"{\"prompt\":\"p\",\"txt\":\"t\",\"text\":\"u\"}", "\"txt\""},
        {"{\"prompt\":\"p\",\"text\":\"t\"}\n{\"text\":\"u\",\"prompt\":\"p\"}", "line 2 answers"},
        {"{\"prompt\":\"p\",\"sample\":1.5,\"text\":\"t\"}", "whole number"},
        {"{\"prompt\":\"p\",\"text\":\"\xff\"}", "UTF-8"},
        {"{\"prompt\":\"p\",\"vector\":[]}", "list of numbers"},
        {"", "no answer"},
        {"[1]", "object"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        CU_ASSERT(open_text(files[i].text) < 0);
        CU_ASSERT(strstr(fixture.log, files[i].says) != NULL);
        if (!strstr(fixture.log, files[i].says))
            printf("\n    case %zu: %s", i, fixture.log);
        generator_close(&fixture);
    }
    CU_ASSERT_EQUAL(generator_open(&fixture, "replay", "{file: /nowhere/x}", service), XY_EIO);
    CU_ASSERT(strstr(fixture.log, "No such file") != NULL);
    generator_close(&fixture);
}

static void many_lines(void)
{
    char *text = malloc(3000 * 64), *end = text;
    for (int i = 0; i < 3000; i++)
        end += snprintf(end, 64, "{\"prompt\":\"prompt %d\",\"text\":\"answer %d\"}\n", i, i);
    CU_ASSERT_EQUAL_FATAL(open_text(text), XY_OK);
    free(text);
    for (int i = 0; i < 3000; i += 7) {
        char prompt[32], expected[32];
        snprintf(prompt, sizeof(prompt), "prompt %d", i);
        snprintf(expected, sizeof(expected), "answer %d", i);
        CHECK_TEXT(text_of(prompt, 0), expected);
    }
    generator_close(&fixture);
}

int main(void)
{
    static const struct check checks[] = {
        {"prompts and samples", prompts_and_samples},
        {"keys are exact", keys_are_exact},
        {"messages are the exact request", messages_are_the_exact_request},
        {"scores of tokens", scores_of_tokens},
        {"scores and vectors", scores_and_vectors},
        {"bad files are refused with their line", bad_files_are_refused_with_their_line},
        {"many lines", many_lines},
        {NULL, NULL},
    };
    return check_main("replay", checks);
}
