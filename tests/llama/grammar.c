/* SPDX-License-Identifier: Apache-2.0 */
/* grammar.c - the grammars of schema_grammar.c, judged by llama.cpp's own matcher: which JSON
 * texts does the grammar of a schema accept, which does it refuse. Built by plugins/llama, because
 * it links llama.cpp; needs the vocabulary of the embedded generator, else it is skipped. */
#include "check.h"

#include "schema_grammar.h"

#include <llama.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include <xylem/plugin.h>

static const struct llama_vocab *vocab;

static bool allows(struct llama_sampler *grammar, llama_token token)
{
    llama_token_data one = {.id = token};
    llama_token_data_array array = {.data = &one, .size = 1, .selected = -1};
    llama_sampler_apply(grammar, &array);
    return one.logit > -INFINITY;
}

/* 1: accepted to the end and complete; 0: refused; -1: there is no grammar. */
static int matches(const char *schema, const char *json)
{
    int status = 0, result = 1;
    char error[512] = "";
    char *rules = schema_grammar(schema, strlen(schema), &status, error, sizeof(error));
    if (!rules)
        return -1;
    struct llama_sampler *grammar = llama_sampler_init_grammar(vocab, rules, "root");
    CU_ASSERT_PTR_NOT_NULL_FATAL(grammar);
    llama_token tokens[512];
    int32_t count = llama_tokenize(vocab, json, (int32_t)strlen(json), tokens, 512, false, false);
    CU_ASSERT_FATAL(count >= 0);
    for (int32_t i = 0; i < count && result == 1; i++) {
        if (allows(grammar, tokens[i]))
            llama_sampler_accept(grammar, tokens[i]);
        else
            result = 0;
    }
    if (result == 1)
        result = allows(grammar, llama_vocab_eos(vocab));
    llama_sampler_free(grammar);
    free(rules);
    return result;
}

static void check_cases(const char *schema, const char *const *good, const char *const *bad)
{
    for (; *good; good++) {
        int result = matches(schema, *good);
        CU_ASSERT_EQUAL(result, 1);
        if (result != 1)
            printf("\n    %s: refuses %s", schema, *good);
    }
    for (; *bad; bad++) {
        int result = matches(schema, *bad);
        CU_ASSERT_EQUAL(result, 0);
        if (result != 0)
            printf("\n    %s: accepts %s", schema, *bad);
    }
}
#define CASES(schema, good, bad) \
    check_cases(schema, (const char *const[])good, (const char *const[])bad)
#define L(...) {__VA_ARGS__, NULL}

static void scalars(void)
{
    CASES("{\"type\":\"boolean\"}", L("true", "false"), L("True", "1", "\"true\"", "truefalse"));
    CASES("{\"type\":\"null\"}", L("null"), L("nil", "0"));
    CASES("{\"type\":\"integer\"}", L("0", "-7", "1234567"), L("01", "1.5", "-", "1e3", ""));
    CASES("{\"type\":\"number\"}", L("0", "-0.5", "3.25e-4", "10E2"), L(".5", "1.", "0x1", "NaN"));
    CASES("{\"type\":\"integer\",\"minimum\":-1,\"maximum\":3}", L("-1", "0", "3"),
          L("-2", "4", "30", "1.0"));
    CASES("{\"type\":[\"string\",\"null\"]}", L("\"a\"", "null"), L("1", "nullnull"));
}

static void strings(void)
{
    CASES("{\"type\":\"string\"}",
          L("\"\"", "\"a b\"", "\"caf\xc3\xa9 \xf0\x9f\x8e\xac\"", "\"q\\\"\\\\\\n\\u00e9\""),
          L("a", "\"a", "\"a\nb\"", "\"\\x\"", "\"\\ud800\"", "\"a\" \"b\""));
    CASES("{\"type\":\"string\",\"minLength\":2,\"maxLength\":3,\"format\":\"name\"}",
          L("\"ab\"", "\"abc\"", "\"\xc3\xa9\xc3\xa9\""), L("\"a\"", "\"abcd\"", "\"\xc3\xa9\""));
    CASES("{\"type\":\"string\",\"minLength\":1}", L("\"a\"", "\"abcdefgh\""), L("\"\""));
    CASES("{\"type\":\"string\",\"maxLength\":0}", L("\"\""), L("\"a\""));
    CASES("{\"enum\":[\"say \\\"hi\\\"\",3,null,{\"a\":[1]}]}",
          L("\"say \\\"hi\\\"\"", "3", "null", "{\"a\":[1]}"), L("\"say\"", "4", "{\"a\":[2]}"));
    CASES("{\"const\":\"na\xc3\xafve\"}", L("\"na\xc3\xafve\""), L("\"naive\"", "\"na\""));
}

static void objects(void)
{
    CASES("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},"
          "\"b\":{\"type\":\"boolean\"},\"c\":{\"type\":\"null\"}},\"required\":[\"b\"]}",
          L("{\"a\": 1, \"b\": true, \"c\": null}", "{\"b\":true}", "{\"a\":1,\"b\":false}",
            "{\"b\":true,\"c\":null}", "{ \"b\": true }"),
          L("{}", "{\"a\":1}", "{\"b\":true,\"a\":1}", "{\"b\":true,}", "{,\"b\":true}",
            "{\"b\":true,\"d\":1}", "{\"a\":1 \"b\":true}", "{\"b\":true}}"));
    CASES("{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"integer\"}}}",
          L("{}", "{\"a\":1}", "{\"b\":1}", "{\"a\":1,\"b\":2}"),
          L("{\"a\":1,}", "{\"b\":1,\"a\":1}"));
    CASES("{\"type\":\"object\",\"properties\":{\"k\\\"y\":{\"type\":\"integer\"}},"
          "\"required\":[\"k\\\"y\"],\"additionalProperties\":false}",
          L("{\"k\\\"y\": 1}"), L("{}", "{\"key\":1}"));
    CASES("{\"type\":\"object\"}", L("{}", "{\"a\":{\"b\":[1,\"x\",null]}}"), L("[]", "{\"a\"}"));
    CASES("{\"type\":\"object\",\"properties\":{}}", L("{}"), L("{\"a\":1}"));
}

static void arrays(void)
{
    CASES("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", L("[]", "[1]", "[1, 2,3]"),
          L("[1,]", "[a]", "[1 2]", "1"));
    CASES("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3}",
          L("[1,2]", "[1,2,3]"), L("[]", "[1]", "[1,2,3,4]"));
    CASES("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"maxItems\":1}", L("[]", "[1]"),
          L("[1,2]"));
    CASES("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1}",
          L("[1]", "[1,2,3]"), L("[]"));
    CASES("{\"type\":\"array\",\"maxItems\":0}", L("[]"), L("[1]"));
    CASES("{\"type\":\"array\",\"minItems\":1}", L("[{\"a\":[]}]", "[null,1]"), L("[]"));
}

static void choices_and_references(void)
{
    CASES("{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"array\",\"items\":{\"type\":\"null\"}}]}",
          L("5", "[null,null]"), L("\"5\"", "[5]"));
    CASES("{\"type\":\"object\",\"properties\":{\"p\":{\"$ref\":\"#/$defs/point\"},"
          "\"q\":{\"allOf\":[{\"$ref\":\"#/$defs/point\"}]}},\"required\":[\"p\",\"q\"],"
          "\"$defs\":{\"point\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
          "\"minItems\":2,\"maxItems\":2}}}",
          L("{\"p\":[1,2],\"q\":[3,4]}"), L("{\"p\":[1],\"q\":[3,4]}"));
    CASES(
        "{\"$ref\":\"#/definitions/tree\",\"definitions\":{\"tree\":{\"type\":\"object\","
        "\"properties\":{\"left\":{\"$ref\":\"#/definitions/tree\"},\"v\":{\"type\":\"integer\"}},"
        "\"required\":[\"v\"]}}}",
        L("{\"v\":1}", "{\"left\":{\"left\":{\"v\":3},\"v\":2},\"v\":1}"),
        L("{\"left\":{\"v\":1}}"));
    CASES("{}", L("1", "\"a\"", "[{}]", "null"), L("a", ""));
}

static void refuses(const char *schema, int expected, const char *named)
{
    int status = 0;
    char error[512] = "";
    char *rules = schema_grammar(schema, strlen(schema), &status, error, sizeof(error));
    CU_ASSERT_PTR_NULL(rules);
    CU_ASSERT_EQUAL(status, expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(error, named));
    if (!strstr(error, named))
        printf("\n    %s: \"%s\" does not name %s", schema, error, named);
    free(rules);
}

static void refusals(void)
{
    refuses("{\"type\":\"string\",\"pattern\":\"a\"}", XY_EUNSUPPORTED, "'pattern'");
    refuses("{\"type\":\"number\",\"minimum\":0}", XY_EUNSUPPORTED, "'minimum'");
    refuses("{\"type\":\"integer\",\"minimum\":0}", XY_EUNSUPPORTED, "maximum");
    refuses("{\"type\":\"array\",\"uniqueItems\":true}", XY_EUNSUPPORTED, "'uniqueItems'");
    refuses("{\"type\":\"object\",\"minProperties\":1}", XY_EUNSUPPORTED, "'minProperties'");
    refuses("{\"oneOf\":[{\"type\":\"null\"}]}", XY_EUNSUPPORTED, "'oneOf'");
    refuses("{\"anyOf\":[{\"type\":\"null\"}],\"type\":\"object\"}", XY_EUNSUPPORTED, "'type'");
    refuses("{\"$ref\":\"http://example.org/x\"}", XY_EUNSUPPORTED, "http://example.org/x");
    refuses("{\"type\":\"string\",\"maxLength\":99999}", XY_EUNSUPPORTED, "maxLength");
    refuses("{\"type\":\"object\",\"required\":[\"ghost\"]}", XY_EUNSUPPORTED, "'ghost'");
    refuses("{\"properties\":{\"a\":{\"not\":{}}}}", XY_EUNSUPPORTED, "'not'");
    refuses("{\"type\":\"text\"}", XY_EINVAL, "'text'");
    refuses("{\"type\":\"string\",\"minLength\":3,\"maxLength\":2}", XY_EINVAL, "minLength");
    refuses("{\"enum\":[]}", XY_EINVAL, "enum");
    refuses("[1]", XY_EINVAL, "object");
    refuses("{\"type\":", XY_EINVAL, "JSON");
}

static void deep_nesting(void)
{
    char schema[2048] = "";
    for (int i = 0; i < 100; i++)
        strncat(schema, "{\"items\":", sizeof(schema) - strlen(schema) - 1);
    strncat(schema, "{}", sizeof(schema) - strlen(schema) - 1);
    for (int i = 0; i < 100; i++)
        strncat(schema, "}", sizeof(schema) - strlen(schema) - 1);
    refuses(schema, XY_EUNSUPPORTED, "deep");
}

static void quiet(enum ggml_log_level level, const char *text, void *data)
{
    (void)level;
    (void)text;
    (void)data;
}

int main(void)
{
    static const struct check checks[] = {
        {"scalars", scalars},
        {"strings", strings},
        {"objects", objects},
        {"arrays", arrays},
        {"choices and references", choices_and_references},
        {"refusals", refusals},
        {"deep nesting", deep_nesting},
        {NULL, NULL},
    };
    char path[600];
    const char *own = getenv("XYLEM_CACHE"), *shared = getenv("XDG_CACHE_HOME");
    snprintf(path, sizeof(path), "%s%s/models/SmolLM2-135M-Instruct.Q8_0.gguf",
             own && *own ? own : shared && *shared ? shared : getenv("HOME"),
             own && *own ? "" : shared && *shared ? "/xylem" : "/.cache/xylem");
    if (access(path, R_OK) != 0) {
        printf("skipped: %s is missing; sh plugins/llama/fetch_models.sh\n", path);
        return 77;
    }
    llama_log_set(quiet, NULL);
    struct llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    struct llama_model *model = llama_model_load_from_file(path, params);
    if (!model)
        return 2;
    vocab = llama_model_get_vocab(model);
    int status = check_main("llama_grammar", checks);
    llama_model_free(model);
    return status;
}
