/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin sends, and what it makes of answers, with xylem.http/1 played by the test. */
#include "generator_fixture.h"

#include <math.h>

#include "check.h"

/* ---- the http service ------------------------------------------------------------------------ */

static struct {
    char url[256], body[4096], headers[1024];
    uint32_t timeout_ms;
    const char *answer; /* what comes back */
    int code, status, retry_after_ms, cancelled;
    void (*done)(void *, const xy_http_reply *);
    void *user;
} http;

static int http_submit_fake(const xy_host *host, const xy_http_request *request,
                            void (*done)(void *, const xy_http_reply *), void *user,
                            uint64_t *ticket)
{
    (void)host;
    snprintf(http.url, sizeof(http.url), "%s", request->url);
    snprintf(http.body, sizeof(http.body), "%.*s", (int)request->body.len, request->body.ptr);
    http.headers[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++)
        snprintf(http.headers + strlen(http.headers), sizeof(http.headers) - strlen(http.headers),
                 "%.*s\n", (int)request->headers[i].len, request->headers[i].ptr);
    http.timeout_ms = request->timeout_ms;
    http.done = done;
    http.user = user;
    *ticket = 7;
    return XY_OK;
}

static int http_cancel_fake(const xy_host *host, uint64_t ticket)
{
    (void)host;
    http.cancelled = (int)ticket;
    return XY_OK;
}

static const void *service(const xy_host *host, const char *id)
{
    static const xy_http table = {sizeof(table), http_submit_fake, http_cancel_fake};
    (void)host;
    return strcmp(id, XY_HTTP) == 0 ? &table : NULL;
}

static void answer(int code, const char *body)
{
    xy_http_reply reply = {.size = sizeof(reply), .status = XY_OK, .code = code,
                           .retry_after_ms = -1, .body = str_of(body)};
    http.done(http.user, &reply);
}

/* ---- helpers --------------------------------------------------------------------------------- */

static const xy_message hello[] = {{STR("system"), STR("Be \"brief\".")},
                                   {STR("user"), STR("Hi\n\xc3\xa9")}};

static struct generator_fixture fixture;
static struct test_call call;

static void open_with(const char *yaml)
{
    CU_ASSERT_EQUAL_FATAL(generator_open(&fixture, "openai", yaml, service), XY_OK);
}

static void send_it(const xy_request *request)
{
    CU_ASSERT_EQUAL_FATAL(test_call(&fixture, &call, request), XY_OK);
    CU_ASSERT_EQUAL(call.completed, 0);
}

static void over(void)
{
    CU_ASSERT_EQUAL(call.completed, 1);
    test_call_free(&call);
}

static bool sent(const char *part)
{
    bool found = strstr(http.body, part) != NULL;
    if (!found)
        printf("\n    not sent: %s\n    in: %s\n", part, http.body);
    return found;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void chat_request_and_answer(void)
{
    open_with("{base_url: 'http://host/v1/', model: m, api_key: sk-secret, organization: org,"
              " headers: ['X-One: 1']}");
    xy_request request = test_request(hello, 2);
    request.temperature = 0.7;
    request.max_tokens = 50;
    request.seed = 40, request.sample = 2;
    request.timeout_ms = 1234;
    xy_str stop = STR("\n\n");
    request.stop = &stop, request.stop_count = 1;
    send_it(&request);
    CHECK_TEXT(http.url, "http://host/v1/chat/completions");
    CHECK_TEXT(http.body, "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
               "\"Be \\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"Hi\\n\xc3\xa9\"}],"
               "\"temperature\":0.7,\"max_tokens\":50,\"stop\":[\"\\n\\n\"],\"seed\":42}");
    CHECK_TEXT(http.headers, "Content-Type: application/json\nAuthorization: Bearer sk-secret\n"
               "OpenAI-Organization: org\nX-One: 1\n");
    CU_ASSERT_EQUAL(http.timeout_ms, 1234);
    answer(200, "{\"model\":\"m-2\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                "\"content\":\"Gr\\u00fc\\u00df \\ud83d\\ude00\"},\"finish_reason\":\"length\"}],"
                "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"cost\":0.5,"
                "\"prompt_tokens_details\":{\"cached_tokens\":8}}}");
    CU_ASSERT_EQUAL(call.reply.status, XY_OK);
    CHECK_TEXT(call.reply.text.ptr, "Gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
    CHECK_TEXT(call.reply.model, "m-2");
    CU_ASSERT_EQUAL(call.reply.finish, XY_FINISH_LENGTH);
    CU_ASSERT_EQUAL(call.reply.prompt_tokens, 12);
    CU_ASSERT_EQUAL(call.reply.output_tokens, 3);
    CU_ASSERT_EQUAL(call.reply.cached_tokens, 8);
    CU_ASSERT_EQUAL(call.reply.cost, 0.5);
    over();
    generator_close(&fixture);
}

static void schema_forms(void)
{
    static const struct {
        const char *options, *expected;
    } forms[] = {
        {"{model: m}", "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                       "\"answer\",\"strict\":true,\"schema\":{\"type\":\"object\"}}}"},
        {"{model: m, strict: false}", "\"strict\":false"},
        {"{model: m, schema: json_object}", "\"response_format\":{\"type\":\"json_object\"}"},
        {"{model: m, schema: guided_json, flavor: vllm}", "\"guided_json\":{\"type\":\"object\"}"},
        {"{model: m, schema: structured_outputs}",
         "\"structured_outputs\":{\"json\":{\"type\":\"object\"}}"},
    };
    xy_request request = test_request(hello, 2);
    request.json_schema = STR("{\"type\":\"object\"}");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        open_with(forms[i].options);
        send_it(&request);
        CU_ASSERT(sent(forms[i].expected));
        answer(500, "");
        over();
        generator_close(&fixture);
    }
    open_with("{model: m, schema: none}");
    CU_ASSERT(!(fixture.type->generator.can(fixture.state) & XY_CAN_SCHEMA));
    send_it(&request);
    CU_ASSERT(strstr(http.body, "schema") == NULL);
    answer(500, "");
    over();
    generator_close(&fixture);
}

/* OpenAI takes only objects at the top: others go inside of one, and come out of the answer. */
static void schema_without_object(void)
{
    static const struct {
        const char *options, *sent, *answer, *text;
    } cases[] = {
        {"{model: m}", "\"schema\":{\"type\":\"object\",\"additionalProperties\":false,"
                       "\"required\":[\"message\"],\"properties\":{\"message\":"
                       "{\"anyOf\":[{}]}}}}}",
         "{\\\"message\\\": {\\\"answer\\\": 5}}", "{\"answer\": 5}"},
        {"{model: m}", "\"message\":{\"anyOf\":[{}]}", "{\\\"answer\\\": 5}", "{\"answer\": 5}"},
        {"{model: m}", "\"message\":{\"anyOf\":[{}]}", "no JSON", "no JSON"},
        {"{model: m, flavor: vllm}", "\"schema\":{\"anyOf\":[{}]}}",
         "{\\\"message\\\": 5}", "{\"message\": 5}"},
    };
    xy_request request = test_request(hello, 2);
    request.json_schema = STR("{\"anyOf\":[{}]}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char body[256];
        open_with(cases[i].options);
        send_it(&request);
        CU_ASSERT(sent(cases[i].sent));
        snprintf(body, sizeof(body), "{\"choices\":[{\"message\":{\"content\":\"%s\"}}]}",
                 cases[i].answer);
        answer(200, body);
        CHECK_TEXT(call.reply.text.ptr, cases[i].text);
        over();
        generator_close(&fixture);
    }
}

static void flavors_differ_where_servers_do(void)
{
    xy_message prefill[] = {hello[1], {STR("assistant"), STR("Once")}};
    xy_request request = test_request(prefill, 2);
    request.max_tokens = 9;
    open_with("{flavor: azure, base_url: 'https://r.openai.azure.com', deployment: d,"
              " api_key: k, api_version: '2024-10-21'}");
    send_it(&request);
    CHECK_TEXT(http.url, "https://r.openai.azure.com/openai/deployments/d/chat/completions"
                         "?api-version=2024-10-21");
    CHECK_TEXT(http.headers, "Content-Type: application/json\napi-key: k\n");
    CU_ASSERT(sent("\"max_completion_tokens\":9"));
    CU_ASSERT(strstr(http.body, "\"model\"") == NULL);
    answer(500, "");
    over();
    generator_close(&fixture);
    open_with("{flavor: vllm, base_url: 'http://host/v1', model: m}");
    send_it(&request);
    CU_ASSERT(sent("\"add_generation_prompt\":false,\"continue_final_message\":true"));
    CU_ASSERT(sent("\"max_tokens\":9"));
    answer(500, "");
    over();
    generator_close(&fixture);
    open_with("{model: m}"); /* api.openai.com */
    send_it(&request);
    CHECK_TEXT(http.url, "https://api.openai.com/v1/chat/completions");
    CU_ASSERT(sent("\"max_completion_tokens\":9"));
    answer(500, "");
    over();
    generator_close(&fixture);
    CU_ASSERT_EQUAL(generator_open(&fixture, "openai", "{flavor: azure}", service), XY_EINVAL);
    CU_ASSERT(strstr(fixture.log, "deployment") != NULL);
    generator_close(&fixture);
}

static void extra_members_win(void)
{
    open_with("{model: m, extra: {top_k: 5, temperature: 1, min_p: 0.1}}");
    xy_request request = test_request(hello + 1, 1);
    request.temperature = 0.2;
    request.extra = STR("{\"top_k\": 7, \"user\": \"u\"}");
    send_it(&request);
    CHECK_TEXT(http.body, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
               "\"Hi\\n\xc3\xa9\"}],\"top_k\":7,\"user\":\"u\",\"temperature\":1,\"min_p\":0.1}");
    answer(500, "");
    over();
    generator_close(&fixture);
}

struct failure {
    int code;
    const char *body;
    int32_t status;
    bool retryable, limited;
    const char *says;
};

static void errors_are_one_clear_sentence(void)
{
    static const struct failure failures[] = {
        {400, "{\"error\":{\"message\":\"maximum context length is 8192\"}}", XY_EINVAL, false,
         false, "maximum context length"},
        {401, "{\"error\":{\"message\":\"Incorrect API key sk-secret-1\"}}", XY_EINVAL, false,
         false, "check `api_key`"},
        {403, "{\"error\":\"not you, sk-secret-1!\"}", XY_EINVAL, false, false, "not you, ****"},
        {404, "<html>not here</html>", XY_EINVAL, false, false, "`base_url`"},
        {408, "", XY_ETIMEOUT, true, false, "HTTP 408"},
        {422, "{\"detail\":[{\"msg\":\"field required\"}]}", XY_EINVAL, false, false,
         "field required"},
        {429, "{\"error\":{\"message\":\"slow down\"}}", XY_EUPSTREAM, true, true, "slow down"},
        {429, "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"pay\"}}", XY_EBUDGET,
         false, false, "quota"},
        {500, "plain\nwords", XY_EUPSTREAM, true, false, "plain words"},
        {200, "{\"error\":{\"code\":429,\"message\":\"provider limit\"}}", XY_EUPSTREAM, true, true,
         "provider limit"},
        {200, "this is not JSON", XY_EUPSTREAM, true, false, "not JSON"},
        {200, "", XY_EUPSTREAM, true, false, "empty"},
        {200, "{\"choices\":[{\"message\":{\"content\":\"cut", XY_EUPSTREAM, true, false,
         "not JSON"},
        {200, "{\"choices\":[]}", XY_EUPSTREAM, true, false, "no choice"},
        {200, "[1]", XY_EUPSTREAM, true, false, "not JSON"},
    };
    open_with("{model: m, api_key: sk-secret-1}");
    xy_request request = test_request(hello, 2);
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        const struct failure *failure = &failures[i];
        send_it(&request);
        answer(failure->code, failure->body);
        const char *error = call.reply.error ? call.reply.error : "";
        bool good = call.reply.status == failure->status &&
                    call.reply.retryable == (uint32_t)failure->retryable &&
                    call.reply.limited == (uint32_t)failure->limited &&
                    strstr(error, failure->says) && !strstr(error, "sk-secret") &&
                    !strchr(error, '\n') && strlen(error) < 500;
        CU_ASSERT(good);
        if (!good)
            printf("\n    case %zu: %d %s\n", i, call.reply.status, error);
        over();
    }
    generator_close(&fixture);
}

static void odd_good_answers(void)
{
    open_with("{model: m}");
    xy_request request = test_request(hello, 2);
    request.logprobs = 1;
    send_it(&request);
    CU_ASSERT(sent("\"logprobs\":true"));
    answer(200, "{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":\"length\"}]}");
    CU_ASSERT_EQUAL(call.reply.status, XY_OK); /* every token went into thinking */
    CU_ASSERT_EQUAL(call.reply.text.len, 0);
    over();
    send_it(&request);
    answer(200, "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
                "{\"type\":\"text\",\"text\":\"b\"}]},\"logprobs\":{\"content\":[{\"token\":\"a\","
                "\"logprob\":-0.5},{\"token\":\"b\",\"logprob\":-1.25e0}]}}]}");
    CHECK_TEXT(call.reply.text.ptr, "ab");
    CU_ASSERT_EQUAL(call.reply.logprob_count, 2);
    CU_ASSERT_EQUAL(call.reply.logprobs[1], -1.25f);
    over();
    send_it(&request);
    answer(200, "{\"choices\":[{\"message\":{\"content\":\"\",\"refusal\":\"I cannot\"}}]}");
    CU_ASSERT_EQUAL(call.reply.finish, XY_FINISH_FILTER);
    over();
    send_it(&request);
    fixture.type->generator.cancel(fixture.state, &call.call);
    CU_ASSERT_EQUAL(http.cancelled, 7);
    xy_http_reply cancelled = {.size = sizeof(cancelled), .status = XY_ECANCELED,
                               .retry_after_ms = -1, .error = "cancelled"};
    http.done(http.user, &cancelled);
    CU_ASSERT_EQUAL(call.reply.status, XY_ECANCELED);
    over();
    generator_close(&fixture);
}

static void embeddings_by_index(void)
{
    xy_str texts[] = {STR("a"), STR("b")};
    xy_request request = {.size = sizeof(request), .operation = XY_EMBED, .texts = texts,
                          .text_count = 2};
    open_with("{base_url: 'http://host/v1', model: e, dimensions: 2}");
    send_it(&request);
    CHECK_TEXT(http.url, "http://host/v1/embeddings");
    CHECK_TEXT(http.body, "{\"model\":\"e\",\"input\":[\"a\",\"b\"],\"encoding_format\":\"float\","
                          "\"dimensions\":2}");
    answer(200, "{\"data\":[{\"index\":1,\"embedding\":[0,1]},{\"index\":0,\"embedding\":"
                "[0.6,-8e-1]}],\"usage\":{\"prompt_tokens\":2}}");
    CU_ASSERT_EQUAL_FATAL(call.reply.status, XY_OK);
    CU_ASSERT_EQUAL(call.reply.vector_count, 2);
    CU_ASSERT_EQUAL(call.reply.dimension, 2);
    CU_ASSERT_EQUAL(call.reply.vectors[1], -0.8f);
    CU_ASSERT_EQUAL(call.reply.vectors[3], 1.0f);
    over();
    static const char *const wrong[] = {
        "{\"data\":[{\"index\":0,\"embedding\":[0,1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[0,1]},{\"index\":0,\"embedding\":[0,1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[0,1]},{\"index\":1,\"embedding\":[0]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[0,1]},{\"index\":9,\"embedding\":[0,1]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[0,1]},{\"index\":1,\"embedding\":[0,\"x\"]}]}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        send_it(&request);
        answer(200, wrong[i]);
        CU_ASSERT_EQUAL(call.reply.status, XY_EUPSTREAM);
        over();
    }
    generator_close(&fixture);
}

/* Prompt "label: " is 7 characters; the candidates are "good" and "bad". */
static const char *const score_prompt = "label: ";

static void send_scores(void)
{
    static xy_message message;
    static xy_str candidates[] = {STR("good"), STR("bad")};
    static xy_request request;
    message = (xy_message){STR("user"), str_of(score_prompt)};
    request = test_request(&message, 1);
    request.operation = XY_SCORE;
    request.texts = candidates;
    request.text_count = 2;
    request.logprobs = 1;
    send_it(&request);
}

static void echo_sums_from_a_common_offset(void)
{
    open_with("{base_url: 'http://host/v1', model: m, api: completions}");
    send_scores();
    CHECK_TEXT(http.url, "http://host/v1/completions");
    CHECK_TEXT(http.body, "{\"model\":\"m\",\"prompt\":[\"label: good\",\"label: bad\"],"
               "\"max_tokens\":1,\"temperature\":0,\"echo\":true,\"logprobs\":1}");
    /* Tokens break at the boundary: only the candidates' own count; the generated one does not. */
    answer(200, "{\"choices\":[{\"index\":0,\"logprobs\":{\"text_offset\":[0,5,7,9,11],"
                "\"token_logprobs\":[null,-3,-1,-0.5,-9]}},{\"index\":1,\"logprobs\":{"
                "\"text_offset\":[0,5,7,10],\"token_logprobs\":[null,-3,-2,-9]}}]}");
    CU_ASSERT_EQUAL_FATAL(call.reply.status, XY_OK);
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[0], -1.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[1], -2, 1e-12);
    CU_ASSERT_EQUAL(call.reply.score_tokens[0], 2);
    CU_ASSERT_EQUAL(call.reply.score_tokens[1], 1);
    CU_ASSERT_EQUAL_FATAL(call.reply.logprob_count, 3); /* "go", "od", then "bad" */
    CU_ASSERT(call.reply.logprobs[0] == -1 && call.reply.logprobs[1] == -0.5f);
    CU_ASSERT_EQUAL(call.reply.logprobs[2], -2);
    over();
    /* " good" is one token that starts at 6, before the boundary; "bad" has ' ' and "bad". Both are
     * summed from 6, so that P(" good") stands against P(" ") * P("bad"). */
    send_scores();
    answer(200, "{\"choices\":[{\"index\":1,\"logprobs\":{\"text_offset\":[0,6,7],"
                "\"token_logprobs\":[null,-0.25,-2]}},{\"index\":0,\"logprobs\":{"
                "\"text_offset\":[0,6],\"token_logprobs\":[null,-1]}}]}");
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[0], -1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[1], -2.25, 1e-12);
    over();
    /* One candidate breaks at 6, the other only at 5: from 5 on, both. */
    send_scores();
    answer(200, "{\"choices\":[{\"index\":0,\"logprobs\":{\"text_offset\":[0,5,6],"
                "\"token_logprobs\":[null,-4,-1]}},{\"index\":1,\"logprobs\":{"
                "\"text_offset\":[0,5],\"token_logprobs\":[null,-2]}}]}");
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[0], -5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[1], -2, 1e-12);
    over();
    send_scores();
    answer(200, "{\"choices\":[{\"index\":0,\"text\":\"x\"},{\"index\":1,\"text\":\"y\"}]}");
    CU_ASSERT_EQUAL(call.reply.status, XY_EUPSTREAM);
    CU_ASSERT(strstr(call.reply.error, "first_token") != NULL);
    CU_ASSERT_EQUAL(call.reply.retryable, 0);
    over();
    generator_close(&fixture);
}

static void first_token_approximates(void)
{
    open_with("{base_url: 'http://host/v1', model: m}");
    send_scores();
    CU_ASSERT(sent("\"max_tokens\":1,\"temperature\":0,\"logprobs\":true,\"top_logprobs\":20"));
    /* "go" and " good" begin "good": 0.5 + 0.25; "bad" is not told: at most what is left, 0.125. */
    answer(200, "{\"choices\":[{\"message\":{\"content\":\"go\"},\"logprobs\":{\"content\":[{"
                "\"token\":\"go\",\"logprob\":-0.6931471805599453,\"top_logprobs\":["
                "{\"token\":\"go\",\"logprob\":-0.6931471805599453},"
                "{\"token\":\" good\",\"logprob\":-1.3862943611198906},"
                "{\"token\":\"x\",\"logprob\":-2.0794415416798357}]}]}}]}");
    CU_ASSERT_EQUAL_FATAL(call.reply.status, XY_OK);
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[0], log(0.75), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(call.reply.scores[1], log(0.125), 1e-9);
    over();
    generator_close(&fixture);
}

static void bad_options_are_refused(void)
{
    static const char *const bad[] = {
        "{model: m, base_url: 'ftp://host'}", "{}", "{model: m, headers: ['no colon']}",
        "{model: m, headers: [\"A: b\\r\\nC: d\"]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(generator_open(&fixture, "openai", bad[i], service), XY_EINVAL);
        CU_ASSERT(strlen(fixture.log) > 0);
        generator_close(&fixture);
    }
    CU_ASSERT_EQUAL(generator_open(&fixture, "openai", "{model: m, flavor: clippy}", service), 1);
    generator_close(&fixture);
}

int main(void)
{
    static const struct check checks[] = {
        {"chat request and answer", chat_request_and_answer},
        {"schema forms", schema_forms},
        {"schemas that are no object", schema_without_object},
        {"flavors differ where servers do", flavors_differ_where_servers_do},
        {"extra members win", extra_members_win},
        {"errors are one clear sentence", errors_are_one_clear_sentence},
        {"odd good answers", odd_good_answers},
        {"embeddings by index", embeddings_by_index},
        {"echo sums from a common offset", echo_sums_from_a_common_offset},
        {"first token approximates", first_token_approximates},
        {"bad options are refused", bad_options_are_refused},
        {NULL, NULL},
    };
    return check_main("openai", checks);
}
