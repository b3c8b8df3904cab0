/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include <stdlib.h>

#include "check.h"
#include "json.h"

struct pair {
    const char *schema, *value;
    const char *violation; /* a part of the message, NULL when the value fits */
};

static const struct pair pairs[] = {
    {"true", "1", NULL},
    {"false", "1", "$: nothing is allowed"},
    {"{}", "null", NULL},
    {"{\"type\":\"null\"}", "null", NULL},
    {"{\"type\":\"null\"}", "0", "expected null, found integer"},
    {"{\"type\":\"boolean\"}", "false", NULL},
    {"{\"type\":\"boolean\"}", "\"false\"", "expected boolean, found string"},
    {"{\"type\":\"integer\"}", "3", NULL},
    {"{\"type\":\"integer\"}", "3.0", NULL},
    {"{\"type\":\"integer\"}", "3.5", "expected integer, found number"},
    {"{\"type\":\"number\"}", "3", NULL},
    {"{\"type\":\"number\"}", "\"3\"", "expected number, found string"},
    {"{\"type\":\"string\"}", "\"\"", NULL},
    {"{\"type\":\"array\"}", "{}", "expected array, found object"},
    {"{\"type\":\"object\"}", "[]", "expected object, found array"},
    {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "1", "expected null or string, found integer"},
    {"{\"enum\":[\"a\",1,null]}", "1.0", NULL},
    {"{\"enum\":[\"a\",1,null]}", "\"b\"", "expected one of [\"a\",1,null], found \"b\""},
    {"{\"enum\":[[1,{\"a\":2}]]}", "[1,{\"a\":2}]", NULL},
    {"{\"enum\":[1]}", "true", "expected one of"},
    {"{\"const\":{\"a\":1,\"b\":2}}", "{\"b\":2,\"a\":1}", NULL},
    {"{\"const\":0}", "false", "expected the value 0, found false"},
    {"{\"minimum\":1}", "1", NULL},
    {"{\"minimum\":1}", "0.999", "expected at least 1, found 0.999"},
    {"{\"minimum\":9007199254740993}", "9007199254740992", "at least"},
    {"{\"maximum\":1.5}", "1.5", NULL},
    {"{\"maximum\":1.5}", "2", "expected at most 1.5, found 2"},
    {"{\"exclusiveMinimum\":0}", "0", "more than 0"},
    {"{\"exclusiveMinimum\":0}", "1e-300", NULL},
    {"{\"exclusiveMaximum\":10}", "10.0", "less than 10"},
    {"{\"exclusiveMaximum\":10}", "9.5", NULL},
    {"{\"multipleOf\":3}", "9", NULL},
    {"{\"multipleOf\":3}", "10", "a multiple of 3"},
    {"{\"multipleOf\":0.1}", "0.3", NULL},
    {"{\"multipleOf\":0.1}", "0.35", "a multiple of 0.1"},
    {"{\"multipleOf\":0.01}", "19.99", NULL},
    {"{\"multipleOf\":1e-300}", "1e300", "multiple"},
    {"{\"minimum\":5}", "\"text\"", NULL},
    {"{\"minLength\":2}", "\"\\u00e9\\ud83d\\ude00\"", NULL},
    {"{\"minLength\":3}", "\"\\u00e9\\ud83d\\ude00\"", "at least 3 characters, found 2"},
    {"{\"maxLength\":1}", "\"\\ud83d\\ude00\"", NULL},
    {"{\"maxLength\":1}", "\"ab\"", "at most 1 characters, found 2"},
    {"{\"pattern\":\"^\\\\d{3}-\\\\w+$\"}", "\"123-ab_c\"", NULL},
    {"{\"pattern\":\"^\\\\d{3}$\"}", "\"123\\n\"", "does not match the pattern"},
    {"{\"pattern\":\"^\\\\d$\"}", "\"\\u0663\"", "does not match"}, /* an Arabic digit */
    {"{\"pattern\":\"b\"}", "\"abc\"", NULL},
    {"{\"pattern\":\"^.$\"}", "\"\\ud83d\\ude00\"", NULL},
    {"{\"pattern\":\"^\\\\u00e9\\\\p{L}$\"}", "\"\\u00e9\\u00fc\"", NULL},
    {"{\"pattern\":\"^(a+)+$\"}",
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", "pattern"},
    {"{\"minItems\":1}", "[]", "at least 1 items, found 0"},
    {"{\"minItems\":1.0}", "[0]", NULL},
    {"{\"maxItems\":1}", "[1,2]", "at most 1 items, found 2"},
    {"{\"items\":{\"type\":\"integer\"}}", "[1,2,\"3\"]", "$[2]: expected integer"},
    {"{\"prefixItems\":[{\"type\":\"string\"},true],\"items\":{\"type\":\"null\"}}",
     "[\"a\",1,null]", NULL},
    {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\",1]", "$[1]: nothing"},
    {"{\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"string\"}]}", "[\"a\"]", NULL},
    {"{\"uniqueItems\":true}", "[1,\"1\",[1],{\"a\":1},true,null]", NULL},
    {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2.0,\"a\":1}]", "twice"},
    {"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]", NULL},
    {"{\"uniqueItems\":true}", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,3.0]", "twice"},
    {"{\"uniqueItems\":false}", "[1,1]", NULL},
    {"{\"required\":[\"a\",\"b\"]}", "{\"a\":null}", "the required member `b` is missing"},
    {"{\"required\":[\"a\"]}", "[]", NULL},
    {"{\"properties\":{\"a\":{\"properties\":{\"b c\":{\"type\":\"string\"}}}}}",
     "{\"a\":{\"b c\":1}}", "$.a[\"b c\"]: expected string"},
    {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", NULL},
    {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"b\":1}", "$.b: nothing"},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"x\":\"y\"}", "$.x: expected integer"},
    {"{\"minProperties\":2}", "{\"a\":1}", "at least 2 members"},
    {"{\"maxProperties\":0}", "{\"a\":1}", "at most 0 members"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "7", NULL},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "3",
     "none of the 2 alternatives of anyOf"},
    {"{\"oneOf\":[{\"multipleOf\":3},{\"multipleOf\":5}]}", "9", NULL},
    {"{\"oneOf\":[{\"multipleOf\":3},{\"multipleOf\":5}]}", "15", "more than one of the 2"},
    {"{\"oneOf\":[{\"multipleOf\":3},{\"multipleOf\":5}]}", "7", "none of the 2"},
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", "at most 2"},
    {"{\"not\":{\"type\":\"string\"}}", "1", NULL},
    {"{\"not\":{\"type\":\"string\"}}", "\"\"", "under `not`"},
    {"{\"$ref\":\"#/$defs/a~1b\",\"$defs\":{\"a/b\":{\"type\":\"null\"}}}", "1", "expected null"},
    {"{\"$ref\":\"#/definitions/x\",\"maximum\":5,\"definitions\":{\"x\":{\"minimum\":1}}}", "9",
     "at most"},
    {"{\"properties\":{\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":false}",
     "{\"next\":{\"next\":{\"nxt\":1}}}", "$.next.next.nxt: nothing"},
    {"{\"$ref\":\"#/$defs/tree\",\"$defs\":{\"tree\":{\"type\":\"object\",\"properties\":"
     "{\"kids\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/tree\"}}}}}}",
     "{\"kids\":[{\"kids\":[1]}]}", "$.kids[0].kids[0]: expected object"},
    {"{\"format\":\"date\",\"title\":\"t\",\"default\":1,\"examples\":[],\"description\":\"d\"}",
     "1", NULL},
    {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$id\":\"x\"}", "1", NULL},
};

static void test_pairs(void)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct error error = {0};
        struct schema *schema = schema_compile(str_of(pairs[i].schema), &error);
        CU_ASSERT_PTR_NOT_NULL(schema);
        if (!schema) {
            printf("\n    %s: %s\n", pairs[i].schema, error.text);
            continue;
        }
        struct arena arena = {0};
        struct value value;
        CU_ASSERT_EQUAL(json_parse(&arena, str_of(pairs[i].value), &value, &error), 0);
        int code = schema_check(schema, &value, &error);
        bool right = pairs[i].violation
                         ? code == XY_EINVAL && strstr(error.text, pairs[i].violation)
                         : code == 0;
        CU_ASSERT_TRUE(right);
        if (!right)
            printf("\n    %s, %s: %d %s\n", pairs[i].schema, pairs[i].value, code, error.text);
        schema_free(schema);
        arena_free(&arena);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *schema, *part;
    } cases[] = {
        {"{\"type\":\"strin\"}", "at $.type: expected null"},
        {"{\"type\":[]}", "must not be empty"},
        {"{\"patternProperties\":{}}", "the keyword `patternProperties` is not supported"},
        {"{\"properties\":{\"a\":{\"if\":true}}}", "at $.properties.a: the keyword `if`"},
        {"{\"properties\":[]}", "at $.properties: expected an object"},
        {"{\"items\":[true]}", "at $.items: expected a schema"},
        {"{\"required\":[1]}", "at $.required"},
        {"{\"required\":\"a\"}", "at $.required"},
        {"{\"enum\":[]}", "at $.enum"},
        {"{\"minLength\":-1}", "not negative"},
        {"{\"minLength\":1.5}", "not negative"},
        {"{\"minimum\":\"1\"}", "expected a number"},
        {"{\"multipleOf\":0}", "above 0"},
        {"{\"uniqueItems\":1}", "true or false"},
        {"{\"pattern\":\"(\"}", "not a regular expression"},
        {"{\"pattern\":1}", "expected a regular expression"},
        {"{\"anyOf\":[]}", "expected a list of schemas"},
        {"{\"allOf\":[true,1]}", "at $.allOf[1]: expected a schema"},
        {"{\"$ref\":\"#/$defs/none\"}", "defined at the top"},
        {"{\"$ref\":\"http://x/y\"}", "defined at the top"},
        {"{\"$ref\":\"#\"}", "leads back to itself"},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"}]}}}",
         "itself"},
        {"{\"items\":{\"$defs\":{}}}", "only at the top"},
        {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", "2020-12"},
        {"1", "expected a schema"},
        {"{\"type\":", "not JSON"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct error error = {0};
        struct schema *schema = schema_compile(str_of(cases[i].schema), &error);
        CU_ASSERT_PTR_NULL(schema);
        CU_ASSERT_EQUAL(error.code, XY_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].part));
        if (!strstr(error.text, cases[i].part))
            printf("\n    %s: %s\n", cases[i].schema, error.text);
        schema_free(schema);
    }
    struct error error = {0};
    CU_ASSERT_PTR_NULL(schema_compile(STR("{\"require\":[]}"), &error));
    CHECK_TEXT(error.hint, "did you mean `required`?");
}

/* 4^13 checks if each alternative were followed: the limit on work must end it, also under
 * `not`. */
static void test_explosion(void)
{
    struct buffer source;
    buffer_init(&source, 100000);
    buffer_append_text(&source, "{\"not\":{\"$ref\":\"#/$defs/d0\"},\"$defs\":{");
    for (int i = 0; i < 13; i++)
        buffer_printf(&source,
                      "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"},"
                      "{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},",
                      i, i + 1, i + 1, i + 1, i + 1);
    buffer_append_text(&source, "\"d13\":false}}");
    struct error error = {0};
    struct schema *schema = schema_compile(buffer_str(&source), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    struct value value = value_int(1);
    CU_ASSERT_EQUAL(schema_check(schema, &value, &error), XY_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "too much work"));
    schema_free(schema);
    buffer_free(&source);
}

/* For schema_reference.py: lines of "schema TAB value" in, "fits", "violated" or "refused" out. */
static int answer_lines(void)
{
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) {
        char *tab = memchr(line, '\t', (size_t)length);
        struct error error = {0};
        struct schema *schema =
            tab ? schema_compile((xy_str){line, (size_t)(tab - line)}, &error) : NULL;
        struct arena arena = {0};
        struct value value;
        if (!schema || json_parse(&arena, str_of(tab + 1), &value, &error) != 0)
            printf("refused %s\n", error.text);
        else
            puts(schema_check(schema, &value, &error) == 0 ? "fits" : "violated");
        schema_free(schema);
        arena_free(&arena);
    }
    free(line);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--lines") == 0)
        return answer_lines();
    static const struct check checks[] = {
        {"pairs", test_pairs},
        {"refused", test_refused},
        {"explosion", test_explosion},
        {NULL, NULL},
    };
    return check_main("schema", checks);
}
