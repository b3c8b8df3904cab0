/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "stage_host.h"

static struct stage_host host;
static struct stage_result result;

static void extract(const char *yaml, const char *json)
{
    stage_result_free(&result);
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "extract", yaml);
    CU_ASSERT_FATAL(instance != NULL);
    stage_host_process(&host, instance, json, &result);
    instance_close(instance);
}

static const char *field(const char *name)
{
    return stage_text(result.input, name);
}

static void sets_named_groups(void)
{
    extract("pattern: 'Question: (?<question>.+)\\nAnswer: (?<answer>.+)'",
            "{\"text\":\"Well.\\nQuestion: Why?\\nAnswer:  Because. \\n\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(field("question"), "Why?");
    CHECK_TEXT(field("answer"), "Because.");
    CHECK_TEXT(field("text"), "Well.\nQuestion: Why?\nAnswer:  Because. \n");
    /* A group that took no part leaves no field, not even an old one. */
    extract("pattern: '(?<a>x)|(?<b>y)'", "{\"text\":\"y\",\"a\":\"old\"}");
    CHECK_TEXT(field("a"), "");
    CHECK_TEXT(field("b"), "y");
    /* The searched field itself may be set. */
    extract("pattern: '(?s)```(?:\\w*\\n)?(?<text>.*?)```(?<rest>.*)'",
            "{\"text\":\"Here:\\n```python\\nprint(1)\\n```\\nDone.\"}");
    CHECK_TEXT(field("text"), "print(1)");
    CHECK_TEXT(field("rest"), "Done.");
}

static void works_without_names(void)
{
    extract("{pattern: 'Answer: (\\w+)', into: answer}", "{\"text\":\"Answer: B\"}");
    CHECK_TEXT(field("answer"), "B");
    extract("{pattern: '\\d+ \\w+', into: all}", "{\"text\":\"has 3 cats\"}");
    CHECK_TEXT(field("all"), "3 cats");
    extract("{pattern: '\\d+', into: n, types: integer, which: last}",
            "{\"text\":\"3 and 4 make 7.\"}");
    CHECK_TEXT(field("n"), "7");
}

/* The number that `captured` becomes by the pattern (.*), "" when it is none. */
static const char *typed(const char *type, const char *captured)
{
    char yaml[128], json[512];
    snprintf(yaml, sizeof(yaml),
             "{pattern: '(?<n>.*)', types: {n: %s}, on_missing: clear}", type);
    snprintf(json, sizeof(json), "{\"text\":\"%s\"}", captured);
    extract(yaml, json);
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    return field("n");
}

static void converts_types(void)
{
    static const char *const integers[][2] = {
        {"42", "42"}, {" -7 ", "-7"}, {"+3", "3"}, {"007", "7"}, {"1,234,567", "1234567"},
        {"12,34", ""}, {",123", ""}, {"1234,567", ""}, {"42.00", "42"}, {"42.5", ""}, {"42.", "42"},
        {"", ""}, {"-", ""}, {"4 2", ""}, {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", ""}, {"1e3", "1000"}, {"0x10", ""}, {"five", ""},
    };
    static const char *const numbers[][2] = {
        {"42", "42"}, {".5", "0.5"}, {"-.5", "-0.5"}, {"1,000.25", "1000.25"}, {"2e-3", "0.002"},
        {"1.2.3", ""}, {"1e", ""}, {"NaN", ""}, {"inf", ""}, {"1e999", ""}, {"00.5", "0.5"},
    };
    for (size_t i = 0; i < sizeof(integers) / sizeof(*integers); i++)
        CHECK_TEXT(typed("integer", integers[i][0]), integers[i][1]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        CHECK_TEXT(typed("number", numbers[i][0]), numbers[i][1]);
    xy_value value;
    typed("integer", "5.0");
    CU_ASSERT_EQUAL(record_get(result.input, "n", &value), XY_INT);
    typed("number", "5");
    CU_ASSERT_EQUAL(record_get(result.input, "n", &value), XY_NUMBER);
    char digits[512];
    memset(digits, '9', sizeof(digits) - 1);
    digits[450] = '\0';
    CHECK_TEXT(typed("number", digits), "");
}

/* A match whose number is none does not count; the next one does. */
static void passes_over_what_does_not_fit(void)
{
    extract("{pattern: 'is (?<n>\\S+)', types: {n: integer}}",
            "{\"text\":\"it is so: the answer is 12\"}");
    CHECK_TEXT(field("n"), "12");
    extract("{pattern: 'is (?<n>\\S+)', types: {n: integer}, which: last}",
            "{\"text\":\"it is 11, is 12 or is not\"}");
    CHECK_TEXT(field("n"), "12");
}

static void collects_all(void)
{
    extract("{field: reply, into: tasks, all: true, pattern: '(?m)^\\s*\\d+[.)]\\s*(.+)$'}",
            "{\"reply\":\"Sure:\\n1. Sort a list.\\n2) Say \\\"hi\\\".\\n10. Draw.\"}");
    CHECK_TEXT(field("tasks"), "[\"Sort a list.\",\"Say \\\"hi\\\".\",\"Draw.\"]");
    extract("{into: pairs, all: true, types: {n: integer}, pattern: '(?<name>\\w+)=(?<n>\\w+)?'}",
            "{\"text\":\"a=1, b=x, c=, d=-4, e=1e1\"}");
    CHECK_TEXT(field("pairs"), "[{\"name\":\"a\",\"n\":1},{\"name\":\"c\"},{\"name\":\"d\"},"
                               "{\"name\":\"e\",\"n\":10}]");
    /* Empty matches: one in front of each letter that is no x, one at the end. */
    extract("{into: l, all: true, pattern: 'x*'}", "{\"text\":\"axb\"}");
    CHECK_TEXT(field("l"), "[\"\",\"x\",\"\",\"\"]");
}

/* One reply with several tasks, as Alpaca's prompt asks for them. */
static void reads_a_list_of_tasks(void)
{
    extract("{field: reply, into: tasks, all: true, pattern: '(?sx) (?:^|\\n) \\s* \\d+ \\. \\s* "
            "Instruction: \\s* (?<instruction>.*?) \\s* \\d+ \\. \\s* Input: \\s* (?<input>.*?) "
            "\\s* \\d+ \\. \\s* Output: \\s* (?<output>.*?) \\s* (?= \\#\\#\\# | \\z)'}",
            "{\"reply\":\"3. Instruction: Name a colour.\\n3. Input:\\n<noinput>\\n3. Output:\\n"
            "Red.\\n###\\n4. Instruction: Add.\\n4. Input:\\n1.5 and 2\\n4. Output:\\n"
            "3.5\\n###\"}");
    CHECK_TEXT(field("tasks"),
               "[{\"instruction\":\"Name a colour.\",\"input\":\"<noinput>\",\"output\":\"Red.\"},"
               "{\"instruction\":\"Add.\",\"input\":\"1.5 and 2\",\"output\":\"3.5\"}]");
}

static void says_what_is_missing(void)
{
    extract("pattern: 'Answer: (?<a>.*)'", "{\"text\":\"I cannot help with that.\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "nothing in `text` matches Answer: (?<a>.*)");
    extract("{pattern: 'Answer: (?<a>.*)', on_missing: clear}",
            "{\"text\":\"no\",\"a\":\"old\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(field("a"), "");
    extract("{pattern: '(?<a>x)', on_missing: clear}", "{\"a\":\"old\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_OK);
    CHECK_TEXT(field("a"), "");
    extract("{pattern: x, all: true, into: l, on_missing: clear}", "{\"text\":\"y\"}");
    CHECK_TEXT(field("l"), "[]");
    extract("{pattern: x, all: true, into: l, on_missing: clear}", "{\"other\":\"y\"}");
    CHECK_TEXT(field("l"), "[]");
    extract("{pattern: x, all: true, into: l}", "{\"text\":\"y\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    extract("pattern: '(?<a>x)'", "{\"text\":3}");
    CHECK_TEXT(result.why, "`text` is missing or no text");
}

static void reads_unicode(void)
{
    extract("pattern: '(?i)\xc3\xa9t\xc3\xa9 (?<word>\\w+)'",
            "{\"text\":\"\xc3\x89T\xc3\x89 na\xc3\xafve \xe2\x80\x94\"}");
    CHECK_TEXT(field("word"), "na\xc3\xafve");
    extract("{pattern: '', all: true, into: l}", "{\"text\":\"\xc3\xa9\"}");
    CHECK_TEXT(field("l"), "[\"\",\"\"]");
}

static void bounds_the_search(void)
{
    extract("{pattern: '(?<a>(a|aa)+)$'}", "{\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}");
    CU_ASSERT_EQUAL(result.verdict, XY_EINVAL);
    CHECK_TEXT(result.why, "`pattern` takes more than 2000000 steps on this text; write it without "
                           "nested repetitions");
}

static void refused(const char *yaml, const char *why)
{
    CU_ASSERT_PTR_NULL(stage_host_open(&host, XY_CONDITION, "extract", yaml));
    bool said = strstr(host.error.text, why) != NULL;
    CU_ASSERT(said);
    if (!said)
        printf("\n    got \"%s\", expected \"%s\"\n", host.error.text, why);
}

static void refuses_bad_options(void)
{
    refused("{pattern: '(?<a>[x)', into: a}",
            "`pattern`: `(?<a>[x)` at character 9: missing terminating ] for character class");
    refused("pattern: x", "no named group");
    refused("{pattern: '(?<a>x)', into: b}", "`into` goes with `all`");
    refused("{pattern: '(?<a>x)', all: true}", "`all` needs `into`");
    refused("{pattern: '(?<a>x)', types: {b: integer}}", "has no group named `b`");
    refused("{pattern: '(?<a>x)', types: {a: float}}",
            "found \"float\"; a type is `text`, `integer` or `number`");
    refused("{pattern: '(?<a>x)', types: [integer]}", "`types` is no map");
    refused("{pattern: 'x', into: a, types: float}", "found \"float\"");
}

int main(void)
{
    static const struct check checks[] = {
        {"named groups", sets_named_groups},
        {"no names", works_without_names},
        {"types", converts_types},
        {"matches that do not fit", passes_over_what_does_not_fit},
        {"all matches", collects_all},
        {"a list of tasks", reads_a_list_of_tasks},
        {"nothing found", says_what_is_missing},
        {"Unicode", reads_unicode},
        {"a search without end", bounds_the_search},
        {"bad options", refuses_bad_options},
        {0},
    };
    stage_host_init(&host);
    stage_host_load(&host, "extract");
    int failed = check_main("extract", checks);
    stage_result_free(&result);
    stage_host_free(&host);
    return failed;
}
