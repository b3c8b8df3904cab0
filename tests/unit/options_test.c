/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <locale.h>
#include <stdlib.h>

#include "check.h"
#include "json.h"

struct state {
    const char *field, *mode, *path, *json, *rest, *when, *key;
    int64_t count;
    double ratio, wait;
    int32_t flag;
    const char *const *names;
    const xy_model *model;
    const xy_student *student;
    xy_dataset *pool;
};

#define AT(member) offsetof(struct state, member)
static const xy_option table[] = {
    {"field", XY_OPT_FIELD, AT(field), "text", 0, 0, 0, NULL, "The field."},
    {"mode", XY_OPT_TEXT, AT(mode), "terse", 0, 0, 0, "terse|ironic|plain", "The \"mode\"."},
    {"threshold", XY_OPT_NUMBER, AT(ratio), NULL, XY_OPT_REQUIRED, 0, 1, NULL, "From 0 to 1."},
    {"count", XY_OPT_INT, AT(count), "2k", 0, 1, 5000000, NULL, "How many."},
    {"wait", XY_OPT_SECONDS, AT(wait), "500ms", 0, 0, 0, NULL, "How long."},
    {"flag", XY_OPT_BOOL, AT(flag), "true", 0, 0, 0, NULL, "Whether."},
    {"names", XY_OPT_LIST, AT(names), "[a, 'b c']", 0, 0, 0, NULL, "Some names."},
    {"json", XY_OPT_JSON, AT(json), NULL, 0, 0, 0, NULL, "Anything."},
    {"path", XY_OPT_PATH, AT(path), NULL, 0, 0, 0, NULL, "A file."},
    {"when", XY_OPT_EXPRESSION, AT(when), NULL, 0, 0, 0, NULL, "A condition."},
    {"model", XY_OPT_MODEL, AT(model), NULL, 0, 0, 0, NULL, "A model."},
    {"student", XY_OPT_LEARNER, AT(student), NULL, 0, 0, 0, NULL, "A learner."},
    {"pool", XY_OPT_DATASET, AT(pool), NULL, 0, 0, 0, NULL, "A dataset."},
    {"key", XY_OPT_TEXT, AT(key), NULL, XY_OPT_SECRET, 0, 0, "alpha|beta", "A secret."},
    {0},
};

/* Options of one text against one table, with everything that came of it. */
struct outcome {
    struct arena arena;
    struct state state;
    struct error_list errors;
    size_t found;
};

static const char *const ignored[] = {"use", NULL};

static void apply(struct outcome *outcome, const xy_option *options, const char *yaml,
                  const struct option_resolver *resolver)
{
    *outcome = (struct outcome){0};
    struct error error = {0};
    struct node *node = node_read_text(&outcome->arena, "p.yaml", str_of(yaml), &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    outcome->found = options_apply(options, node, "step `near`", node, "/data/run", ignored,
                                   resolver, &outcome->arena, &outcome->state, &outcome->errors);
    CU_ASSERT_EQUAL(outcome->found, outcome->errors.total);
}

static void finish(struct outcome *outcome)
{
    error_list_free(&outcome->errors);
    arena_free(&outcome->arena);
}

/* The only error of `yaml`, whole, with its place and its hint. */
static void check_error(const char *yaml, const char *expected)
{
    struct outcome outcome;
    apply(&outcome, table, yaml, NULL);
    CU_ASSERT_EQUAL(outcome.found, 1);
    if (outcome.errors.count) {
        struct buffer text;
        buffer_init(&text, 4096);
        error_format(&outcome.errors.errors[0], &text);
        CHECK_TEXT(text.bytes, expected);
        buffer_free(&text);
    }
    finish(&outcome);
}

static void test_counts(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0}, {"-7", -7}, {"+7", 7}, {"2M", 2000000}, {"10k", 10000}, {"10K", 10000},
        {"1.5k", 1500}, {"3G", 3000000000}, {"1e3", 1000}, {"12.0", 12},
        {"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}, {"5e-1k", 500},
        {"0e99999", 0}, {"007", 7},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t value = -99;
        CU_ASSERT_EQUAL(parse_count(str_of(good[i].text), &value), 0);
        CU_ASSERT_EQUAL(value, good[i].value);
    }
    static const char *const bad[] = {"", "-", "k", "1m", "1 k", "1kk", "0x10", "1_000", "1,000",
                                      "9223372036854775808", "1e19", "9223372036854775807k", "nan",
                                      "inf", " 1", "1 ", "1.5", ".", "1e", "--1", "1e99999", "1/2",
                                      "2.50"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t value = -99;
        CU_ASSERT_EQUAL(parse_count(str_of(bad[i]), &value), XY_EINVAL);
        CU_ASSERT_EQUAL(value, -99);
    }
}

static void test_seconds(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"30", 30},     {"30s", 30},        {"500ms", 0.5}, {"5m", 300},  {"1.5h", 5400},
                {"2d", 172800}, {"250us", 0.00025}, {"0", 0},       {"2 m", 120}, {"1e3ms", 1}};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        double value = -1;
        CU_ASSERT_EQUAL(parse_seconds(str_of(good[i].text), &value), 0);
        CU_ASSERT_DOUBLE_EQUAL(value, good[i].value, 1e-12);
    }
    static const char *const bad[] = {"",   "s",     "-1s",  "5 minutes", "1h30m",
                                      "1S", "1e400", "5  m", "5 "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double value;
        CU_ASSERT_EQUAL(parse_seconds(str_of(bad[i]), &value), XY_EINVAL);
    }
}

static void test_defaults(void)
{
    struct outcome outcome;
    apply(&outcome, table, "threshold: 0.7", NULL);
    CU_ASSERT_EQUAL(outcome.found, 0);
    const struct state *state = &outcome.state;
    CHECK_TEXT(state->field, "text");
    CHECK_TEXT(state->mode, "terse");
    CU_ASSERT_EQUAL(state->count, 2000);
    CU_ASSERT_EQUAL(state->ratio, 0.7);
    CU_ASSERT_EQUAL(state->wait, 0.5);
    CU_ASSERT_EQUAL(state->flag, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state->names);
    CHECK_TEXT(state->names[0], "a");
    CHECK_TEXT(state->names[1], "b c");
    CU_ASSERT_PTR_NULL(state->names[2]);
    CU_ASSERT_PTR_NULL(state->json);
    CU_ASSERT_PTR_NULL(state->path);
    CU_ASSERT_PTR_NULL(state->model);
    finish(&outcome);
}

static void test_values(void)
{
    struct outcome outcome;
    apply(&outcome, table,
          "use: near\n"
          "threshold: \"1\"\n"
          "field: näme\n"
          "mode: ironic\n"
          "count: 2M\n"
          "wait: 5m\n"
          "flag: false\n"
          "names: only\n"
          "json: {a: [1, 2.5, 'x\"y', null, true], b: {}}\n"
          "path: seeds/a.jsonl\n"
          "when: score > 1\n"
          "model: small\n"
          "pool: demos\n"
          "key: beta\n",
          NULL);
    CU_ASSERT_EQUAL(outcome.found, 0);
    const struct state *state = &outcome.state;
    CHECK_TEXT(state->field, "näme");
    CHECK_TEXT(state->mode, "ironic");
    CU_ASSERT_EQUAL(state->count, 2000000);
    CU_ASSERT_EQUAL(state->ratio, 1);
    CU_ASSERT_EQUAL(state->wait, 300);
    CU_ASSERT_EQUAL(state->flag, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(state->names);
    CHECK_TEXT(state->names[0], "only");
    CU_ASSERT_PTR_NULL(state->names[1]);
    CHECK_TEXT(state->json, "{\"a\":[1,2.5,\"x\\\"y\",null,true],\"b\":{}}");
    CHECK_TEXT(state->path, "/data/run/seeds/a.jsonl");
    CHECK_TEXT(state->when, "score > 1");
    CHECK_TEXT(state->key, "beta");
    finish(&outcome);

    apply(&outcome, table, "{threshold: 0, path: /abs/x, field: ~, names: []}", NULL);
    CU_ASSERT_EQUAL(outcome.found, 0);
    CHECK_TEXT(outcome.state.path, "/abs/x");
    CHECK_TEXT(outcome.state.field, "text"); /* null is what was left out */
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome.state.names);
    CU_ASSERT_PTR_NULL(outcome.state.names[0]);
    finish(&outcome);
}

static void test_errors(void)
{
    check_error("threshold: 0.5\ntreshold: 1\n",
                "p.yaml:2:1: step `near` has no option `treshold` (did you mean `threshold`?)");
    check_error("count: 3\n", "p.yaml:1:1: step `near` needs the option `threshold` "
                              "(number: From 0 to 1.)");
    check_error("threshold:\n", "p.yaml:1:1: step `near` needs the option `threshold` "
                                "(number: From 0 to 1.)");
    check_error("threshold: 1.5\n", "p.yaml:1:12: step `near`: option `threshold` expects a number "
                                    "between 0 and 1, found `1.5`");
    check_error("threshold: high\n", "p.yaml:1:12: step `near`: option `threshold` expects a "
                                     "number, found `high`");
    check_error("threshold: [1]\n",
                "p.yaml:1:12: step `near`: option `threshold` expects a number, "
                "found a list");
    check_error("threshold: 1,5\n",
                "p.yaml:1:12: step `near`: option `threshold` expects a number, "
                "found `1,5`");
    check_error("threshold: 1\ncount: 0\n", "p.yaml:2:8: step `near`: option `count` expects a "
                                            "number between 1 and 5000000, found `0`");
    check_error("threshold: 1\ncount: 1.5\n",
                "p.yaml:2:8: step `near`: option `count` expects a whole number, as 12, 10k or 2M, "
                "found `1.5`");
    check_error("threshold: 1\nflag: yes\n", "p.yaml:2:7: step `near`: option `flag` expects true "
                                             "or false, found `yes`");
    check_error("threshold: 1\nwait: soon\n", "p.yaml:2:7: step `near`: option `wait` expects a "
                                              "duration, as 30, 500ms, 5m or 1h, "
                                              "found `soon`");
    check_error("threshold: 1\nmode: ironik\n",
                "p.yaml:2:7: step `near`: option `mode` expects one of its choices, found `ironik` "
                "(did you mean `ironic`? choices: terse|ironic|plain)");
    check_error("threshold: 1\nfield: ''\n", "p.yaml:2:8: step `near`: option `field` expects a "
                                             "field's name of 1 to 127 bytes, found ``");
    check_error("threshold: 1\nfield: {a: b}\n", "p.yaml:2:8: step `near`: option `field` expects "
                                                 "the name of a field, found a map");
    check_error("threshold: 1\nnames: [a, {b: c}]\n", "p.yaml:2:12: step `near`: option `names` "
                                                      "expects a list of texts, found a map");
    check_error("threshold: 1\npath: \"a\\0b\"\n", "p.yaml:2:7: step `near`: option `path` holds a "
                                                   "NUL byte");
    check_error("- a\n", "p.yaml:1:1: step `near`: the options are a list, expected a map "
                         "(write `key: value` lines)");
    /* A secret is never shown, nor compared with the choices in the open. */
    check_error("threshold: 1\nkey: sk-betaa\n",
                "p.yaml:2:6: step `near`: option `key` expects one of its choices, found a value "
                "that is kept secret (choices: alpha|beta)");
}

static void test_all_errors(void)
{
    struct outcome outcome;
    apply(&outcome, table, "count: no\nmood: x\nflag: 2\n", NULL);
    CU_ASSERT_EQUAL(outcome.found, 4); /* an unknown key, a required one, two types */
    finish(&outcome);

    const xy_option none[] = {{0}};
    apply(&outcome, none, "a: 1\n", NULL);
    CU_ASSERT_EQUAL_FATAL(outcome.errors.count, 1);
    CHECK_TEXT(outcome.errors.errors[0].hint, "it has no options");
    finish(&outcome);

    struct error_list errors = {0};
    struct arena arena = {0};
    struct node place = {.kind = NODE_MAP, .file = "p.yaml", .line = 9, .column = 3};
    CU_ASSERT_EQUAL(options_apply(table, NULL, "step `x`", &place, NULL, NULL, NULL, &arena, NULL,
                                  &errors), 1);
    CU_ASSERT_EQUAL(errors.errors[0].line, 9);
    error_list_free(&errors);
    arena_free(&arena);
}

static void test_rest(void)
{
    static const xy_option rest[] = {
        {"count", XY_OPT_INT, AT(count), NULL, 0, 0, 0, NULL, "Many."},
        {"more", XY_OPT_JSON, AT(rest), NULL, XY_OPT_REST, 0, 0, NULL, "All other keys."},
        {0},
    };
    struct outcome outcome;
    apply(&outcome, rest, "label: [a, b]\ncount: 3\nuse: grid\nmore: 1\n", NULL);
    CU_ASSERT_EQUAL(outcome.found, 0);
    CU_ASSERT_EQUAL(outcome.state.count, 3);
    CHECK_TEXT(outcome.state.rest, "{\"label\":[\"a\",\"b\"],\"more\":1}");
    finish(&outcome);
    apply(&outcome, rest, "count: 3\n", NULL);
    CHECK_TEXT(outcome.state.rest, "{}");
    finish(&outcome);
}

static const xy_model *find_model(void *data, const struct node *node, struct error *error)
{
    if (str_is(node->text, "small"))
        return data;
    node_error(node, error, XY_EINVAL, "no model `%.*s`", (int)node->text.len, node->text.ptr);
    return NULL;
}

static void test_references(void)
{
    int object;
    const struct option_resolver resolver = {.model = find_model, .data = &object};
    struct outcome outcome;
    apply(&outcome, table, "{threshold: 1, model: small, student: {use: linear}}", &resolver);
    CU_ASSERT_EQUAL(outcome.found, 0);
    CU_ASSERT_PTR_EQUAL(outcome.state.model, &object);
    CU_ASSERT_PTR_NULL(outcome.state.student); /* no function for it: checked only */
    finish(&outcome);
    apply(&outcome, table, "threshold: 1\nmodel: big\n", &resolver);
    CU_ASSERT_EQUAL_FATAL(outcome.errors.count, 1);
    CHECK_TEXT(outcome.errors.errors[0].text, "no model `big`");
    CU_ASSERT_EQUAL(outcome.errors.errors[0].line, 2);
    finish(&outcome);
    apply(&outcome, table, "threshold: 1\nmodel: {use: llama}\npool: ''\n", &resolver);
    CU_ASSERT_EQUAL(outcome.found, 2);
    finish(&outcome);
}

/* A decimal comma in the environment changes nothing. */
static void test_locale(void)
{
    const char *old = setlocale(LC_NUMERIC, "de_DE.UTF-8");
    double value = 0;
    CU_ASSERT_EQUAL(parse_seconds(str_of("1.5s"), &value), 0);
    CU_ASSERT_EQUAL(value, 1.5);
    CU_ASSERT_EQUAL(parse_seconds(str_of("1,5s"), &value), XY_EINVAL);
    if (old)
        setlocale(LC_NUMERIC, "C");
}

static const struct value *path(const struct value *value, const char *const *keys)
{
    for (; value && *keys; keys++)
        value = value_member(value, str_of(*keys));
    return value;
}

static void test_schema(void)
{
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    options_schema(table, &buffer);
    struct arena arena = {0};
    struct value schema;
    struct error error = {0};
    CU_ASSERT_EQUAL_FATAL(json_parse(&arena, buffer_str(&buffer), &schema, &error), 0);
    const struct value *required = value_member(&schema, STR("required"));
    CU_ASSERT_FATAL(required && required->type == VALUE_LIST && required->list.count == 1);
    CU_ASSERT(str_is(required->list.items[0].text, "threshold"));
    const struct value *found = value_member(&schema, STR("additionalProperties"));
    CU_ASSERT(found && found->type == VALUE_BOOL && !found->boolean);
    found = path(&schema, (const char *const[]){"properties", "mode", "description", NULL});
    CU_ASSERT(found && str_is(found->text, "The \"mode\"."));
    found = path(&schema, (const char *const[]){"properties", "flag", "default", NULL});
    CU_ASSERT(found && found->type == VALUE_BOOL && found->boolean);
    found = path(&schema, (const char *const[]){"properties", "names", "default", NULL});
    CU_ASSERT(found && found->type == VALUE_LIST && found->list.count == 2);
    found = path(&schema, (const char *const[]){"properties", "key", "default", NULL});
    CU_ASSERT_PTR_NULL(found);
    arena_free(&arena);
    buffer_clear(&buffer);
    static const xy_option none[] = {{0}};
    options_schema(none, &buffer);
    CHECK_TEXT(buffer.bytes, "{\"type\":\"object\",\"properties\":{},\"required\":[],"
                             "\"additionalProperties\":false}");
    buffer_free(&buffer);
}

int main(void)
{
    return check_main("options", (const struct check[]){
        {"counts", test_counts},
        {"seconds", test_seconds},
        {"defaults", test_defaults},
        {"values", test_values},
        {"one error each", test_errors},
        {"all errors of one pass", test_all_errors},
        {"the rest of the keys", test_rest},
        {"references", test_references},
        {"locale", test_locale},
        {"JSON Schema", test_schema},
        {NULL, NULL},
    });
}
