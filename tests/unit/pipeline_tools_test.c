/* SPDX-License-Identifier: Apache-2.0 */
/* `tools:` in a pipeline file: what is read, and every way to get it wrong. */
#include "json.h"
#include "pipeline_fake.h"
#include "schema.h"

#define HEAD "xylem: 1\nmodels: {m: {use: echo, base_url: x}}\n"
/* A case begins with line 3. */
#define STEP "steps:\n  - {use: grid, with: {label: [a, b]}}\n  - use: generate\n    prompt: hi\n"

static const struct {
    const char *text, *lines;
} cases[] = {
    {HEAD "tools: [a]\n" STEP, "p.yaml:3:8: `tools`: expected a map of at most 128 names, found a "
                               "list"},
    {HEAD "tools: {calc: adder}\n" STEP, "p.yaml:3:15: tool `calc`: expected a map, found `adder`"},
    {HEAD "tools: {calc: {with: {c: 1}}}\n" STEP,
     "p.yaml:3:15: tool `calc`: needs `use:` (use: the name of a condition that is a tool)"},
    {HEAD "tools: {calc: {use: ader}}\n" STEP,
     "p.yaml:3:21: unknown stage `ader` (did you mean `adder`?)"},
    {HEAD "tools: {calc: {use: minhash}}\n" STEP,
     "p.yaml:3:21: tool `calc`: `minhash` is a filter and no tool (a tool is a condition with the "
     "extension xylem.tool/1, such as `calculator`)"},
    {HEAD "tools: {calc: {use: grid}}\n" STEP,
     "p.yaml:3:21: tool `calc`: `grid` is a condition and no tool (a tool is a condition with the "
     "extension xylem.tool/1, such as `calculator`)"},
    {HEAD "tools: {calc: {use: adder, c: 1}}\n" STEP,
     "p.yaml:3:28: tool `calc`: unknown key `c` (it is an option: write it below `with:`)"},
    {HEAD "tools: {calc: {use: adder, with: {d: 1}}}\n" STEP,
     "p.yaml:3:35: tool `calc` has no option `d` (known options: c)"},
    {HEAD "tools: {calc: {use: adder, timeout: never}}\n" STEP,
     "p.yaml:3:37: `timeout`: expected a duration, as 30, 500ms or 5m, found `never`"},
    {HEAD "tools: {calc: {use: adder, timeout: 0}}\n" STEP,
     "p.yaml:3:37: `timeout`: expected more than nothing"},
    {HEAD "tools: {1calc: {use: adder}}\n" STEP,
     "p.yaml:3:9: the name of a tool: expected 1 to 64 letters, digits, `_`, `-` or `.` after a "
     "first letter, found `1calc`"},
    {HEAD "tools: {a.b: {use: adder}}\n" STEP,
     "p.yaml:3:9: the name of a tool has no `.`, found `a.b`"},
    /* ---- of a step --------------------------------------------------------------------------- */
    {HEAD "tools: {calc: {use: adder}}\n" STEP "    tools: [calk]\n",
     "p.yaml:8:13: unknown tool `calk` (did you mean `calc`?)"},
    {HEAD STEP "    tools: [calc]\n",
     "p.yaml:7:13: unknown tool `calc` (describe it under `tools:` at the top of the file)"},
    {HEAD "tools: {calc: {use: adder}}\n" STEP "    tools: []\n",
     "p.yaml:8:12: `tools`: expected a list of names, found an empty one"},
    {HEAD "tools: {calc: {use: adder}}\n" STEP "    tools: {calc: 1}\n",
     "p.yaml:8:12: `tools`: expected a list of names, found a map"},
    {HEAD "tools: {calc: {use: adder}}\n" STEP "    tools: [calc, calc]\n",
     "p.yaml:8:19: `tools`: `calc` twice"},
    {HEAD STEP "    tool_rounds: 3\n",
     "p.yaml:7:18: `tool_rounds` and `conversation` need `tools:` (tools: [NAME])"},
    {HEAD STEP "    conversation: messages\n",
     "p.yaml:7:19: `tool_rounds` and `conversation` need `tools:` (tools: [NAME])"},
    {HEAD "tools: {calc: {use: adder}}\n" STEP "    tools: [calc]\n    tool_rounds: 0\n",
     "p.yaml:9:18: `tool_rounds`: expected a whole number from 1 to 100, found `0`"},
    {HEAD "tools: {calc: {use: adder}}\nsteps:\n  - {use: grid, with: {label: [a, b]}}\n"
     "  - {use: generate, tools: calc, prompt: {user: hi, assistant: So}}\n",
     "p.yaml:6:42: a prompt that ends with the assistant's words cannot stand with `tools:`"},
    {HEAD "tools: {calc: {use: adder}}\n" STEP
     "    tools: calc\n    output: {json_schema: {type: object, properties: {a: {$ref: '#'}}}}\n",
     "p.yaml:9:13: with `tools:` the answer's schema stands inside of another: it cannot have a "
     "`$ref` (write the part out)"},
};

static void test_errors(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_list errors = {0};
        struct pipeline *pipeline = fake_read_text(cases[i].text, NULL, &errors);
        CU_ASSERT_PTR_NULL(pipeline);
        CHECK_TEXT(fake_lines(&errors), cases[i].lines);
        pipeline_free(pipeline);
        error_list_free(&errors);
    }
}

/* Does the schema of the model's messages take `json`? */
static bool takes(const struct call_spec *call, const char *json)
{
    struct arena arena = {0};
    struct error error = {0};
    struct value value;
    struct schema *schema = schema_compile(call->turn_schema, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
    bool valid = json_parse(&arena, str_of(json), &value, &error) == 0 &&
                 schema_check(schema, &value, &error) == 0;
    schema_free(schema);
    arena_free(&arena);
    return valid;
}

static void test_read(void)
{
    struct error_list errors = {0};
    struct pipeline *pipeline = fake_read_text(
        HEAD "tools:\n  calc: {use: adder, with: {c: 2}}\n"
             "  plus: {use: adder, description: Adds twice., timeout: 500ms}\n" STEP
             "    tools: [plus, calc]\n    tool_rounds: 3\n    conversation: chat\n"
             "    output: {fields: {n: integer}}\n", NULL, &errors);
    CHECK_TEXT(fake_lines(&errors), "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline);
    const struct call_spec *call = &pipeline->steps[1]->call;
    CU_ASSERT_EQUAL(pipeline->tool_count, 2);
    CU_ASSERT_EQUAL_FATAL(call->tool_count, 2);
    CHECK_TEXT(call->tools[0]->name, "plus");
    CHECK_TEXT(call->tools[0]->description, "Adds twice.");
    CHECK_TEXT(call->tools[1]->description, "Adds.");
    CHECK_TEXT(call->tools[1]->result, "sum");
    CU_ASSERT_EQUAL(call->tools[0]->timeout, 0.5);
    CU_ASSERT_EQUAL(call->tools[1]->timeout, 60);
    CU_ASSERT_EQUAL(call->tool_rounds, 3);
    CHECK_TEXT(call->conversation, "chat");
    CU_ASSERT_EQUAL(call->retry, 2);
    CU_ASSERT_TRUE(takes(call, "{\"tool\":\"calc\",\"arguments\":{\"a\":1}}"));
    CU_ASSERT_TRUE(takes(call, "{\"answer\":{\"n\":1}}"));
    CU_ASSERT_FALSE(takes(call, "{\"tool\":\"calc\",\"arguments\":{\"a\":\"1\"}}"));
    CU_ASSERT_FALSE(takes(call, "{\"tool\":\"calk\",\"arguments\":{\"a\":1}}"));
    CU_ASSERT_FALSE(takes(call, "{\"answer\":{\"n\":1},\"tool\":\"calc\"}"));
    CU_ASSERT_FALSE(takes(call, "{\"answer\":\"1\"}"));
    const char *block = call->tool_block.ptr;
    CU_ASSERT_PTR_NOT_NULL(strstr(block, "{\"answer\": ...}\nThe answer fits this JSON schema: {"));
    CU_ASSERT_PTR_NOT_NULL(strstr(block, "\n- plus: Adds twice. {\"type\":\"object\","));
    struct arena arena = {0};
    struct value value;
    struct error error;
    CU_ASSERT_EQUAL(json_parse(&arena, call->tool_list, &value, &error), 0);
    arena_free(&arena);
    pipeline_free(pipeline);
    error_list_free(&errors);
}

/* A prompt that ends with a conversation, which has no role of its own. */
static void test_history(void)
{
    struct error_list errors = {0};
    struct pipeline *pipeline = fake_read_text(
        HEAD "tools: {calc: {use: adder}}\nsteps:\n  - {use: grid, with: {label: [a, b]}}\n"
             "  - {use: generate, tools: calc, prompt: {messages: [{history: turns}]}}\n", NULL,
        &errors);
    CHECK_TEXT(fake_lines(&errors), "");
    CU_ASSERT_PTR_NOT_NULL(pipeline);
    pipeline_free(pipeline);
    error_list_free(&errors);
}

static void test_plain_answer(void)
{
    struct error_list errors = {0};
    struct pipeline *pipeline = fake_read_text(
        HEAD "tools: {calc: {use: adder}}\n" STEP
             "    tools: calc\n    output: {into: a, retry: 5}\n", NULL, &errors);
    CHECK_TEXT(fake_lines(&errors), "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipeline);
    const struct call_spec *call = &pipeline->steps[1]->call;
    CU_ASSERT_EQUAL(call->retry, 5);
    CU_ASSERT_EQUAL(call->tool_rounds, 8);
    CU_ASSERT_TRUE(takes(call, "{\"answer\":\"1\"}"));
    CU_ASSERT_FALSE(takes(call, "{\"answer\":1}"));
    pipeline_free(pipeline);
    error_list_free(&errors);
}

int main(void)
{
    static const struct check checks[] = {
        {"every error", test_errors},
        {"what is read", test_read},
        {"a conversation", test_history},
        {"a plain answer", test_plain_answer},
        {NULL, NULL},
    };
    fake_enter();
    unsigned failures = check_main("pipeline_tools", checks);
    fake_leave((const char *const[]){"p.yaml", NULL});
    return failures;
}
