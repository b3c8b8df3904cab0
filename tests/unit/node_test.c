/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"

static struct node *read_text(struct arena *arena, const char *text, struct error *error)
{
    *error = (struct error){0};
    return node_read_text(arena, "p.yaml", str_of(text), error);
}

static char *shown(const struct error *error)
{
    static char line[2048];
    struct buffer buffer;
    buffer_init(&buffer, sizeof(line));
    error_format(error, &buffer);
    snprintf(line, sizeof(line), "%s", buffer.bytes ? buffer.bytes : "");
    buffer_free(&buffer);
    return line;
}

static const struct {
    const char *text, *message;
} refused[] = {
    {"a: 1\nb: 2\na: 3\n", "p.yaml:3:1: duplicate key `a`, given first on line 1"},
    {"x: {k: 1, j: 2, k: 3}\n", "p.yaml:1:17: duplicate key `k`, given first on line 1"},
    {"\"a\": 1\na: 2\n", "p.yaml:2:1: duplicate key `a`, given first on line 1"},
    {"? [a, b]\n: 1\n",
     "p.yaml:1:3: a key that is not plain text (quote text that starts with `{{`)"},
    {"user: {{ label }}\n",
     "p.yaml:1:8: a key that is not plain text (quote text that starts with `{{`)"},
    {"user: {% if x %}\n",
     "p.yaml:1:8: invalid YAML: found character that cannot start any token "
     "(quote text that starts with `{%`, or write it after `|`)"},
    {"a: !ruby/object x\n",
     "p.yaml:1:4: unknown tag `!ruby/object`; a pipeline file has none but !!str"},
    {"a: !!int 3\n",
     "p.yaml:1:4: unknown tag `tag:yaml.org,2002:int`; a pipeline file has none but !!str"},
    {"a: !mine {b: 1}\n", "p.yaml:1:4: unknown tag `!mine`; a pipeline file has none but !!str"},
    {"a: 1\n---\nb: 2\n", "p.yaml:2:1: a second document; a pipeline file has one"},
    {"a: *nobody\n", "p.yaml:1:4: unknown alias `*nobody`; an anchor comes before its aliases"},
    {"a: &x [1, *x]\n", "p.yaml:1:11: the alias `*x` stands inside what it names"},
    {"base: &b {k: 1}\nmore:\n  <<: *b\n",
     "p.yaml:3:3: the merge key `<<` is not YAML 1.2 (repeat the keys, or alias the whole map)"},
    {"a:\n\tb: 1\n", "p.yaml:2:1: invalid YAML: found character that cannot start any token "
                     "(a tab cannot indent; use spaces)"},
    {"a: b: c\n", "p.yaml:1:5: invalid YAML: mapping values are not allowed in this context "
                  "(quote text that contains `: `)"},
    {"a: 1\n  b: 2\n", "p.yaml:2:4: invalid YAML: mapping values are not allowed in this context "
                       "(quote text that contains `: `)"},
    {"a: \"open\n", "p.yaml:2:1: invalid YAML: found unexpected end of stream"},
    {"a: [1, 2\n", "p.yaml:2:1: invalid YAML: did not find expected ',' or ']'"},
    {"\xc3\xa9: \"\xc3\xa9\" x\n",
     "p.yaml:1:8: invalid YAML: did not find expected key (check the indentation)"},
    {"a: 1\nb: \xff\xfe\n",
     "p.yaml:2:4: text that is not UTF-8 (invalid leading UTF-8 octet)"},
    {"ab: \xc0\xaf\n", "p.yaml:1:5: text that is not UTF-8 (invalid length of a UTF-8 sequence)"},
    {"a: 1\nb: x\x01y\n", "p.yaml:2:5: control character 0x01 in the file"},
};

static void test_refused(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct arena arena = {0};
        struct error error;
        CU_ASSERT_PTR_NULL(read_text(&arena, refused[i].text, &error));
        CU_ASSERT_EQUAL(error.code, XY_EINVAL);
        CHECK_TEXT(shown(&error), refused[i].message);
        arena_free(&arena);
    }
}

static void test_nul_byte(void)
{
    struct arena arena = {0};
    struct error error = {0};
    CU_ASSERT_PTR_NULL(node_read_text(&arena, "p.yaml", (xy_str){"a: x\0y\n", 7}, &error));
    CHECK_TEXT(shown(&error), "p.yaml:1:5: control character 0x00 in the file");
    arena_free(&arena);
}

static void test_places(void)
{
    static const char *const texts[] = {
        "a: 1\nb:\n  - x\n  - {c: deep}\n",
        "a: 1\r\nb:\r\n  - x\r\n  - {c: deep}\r\n",       /* CRLF */
        "\xef\xbb\xbf" "a: 1\nb:\n  - x\n  - {c: deep}\n", /* byte order mark */
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arena arena = {0};
        struct error error;
        struct node *root = read_text(&arena, texts[i], &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(root);
        CU_ASSERT_EQUAL(root->count, 2);
        CU_ASSERT_EQUAL(root->line, 1);
        CU_ASSERT_EQUAL(root->column, 1);
        struct node *list = node_member(root, "b");
        CU_ASSERT_EQUAL_FATAL(list->count, 2);
        struct node *deep = node_member(list->items[1], "c");
        CU_ASSERT_EQUAL(deep->line, 4);
        CU_ASSERT_EQUAL(deep->column, 9);
        CU_ASSERT_TRUE(str_is(deep->text, "deep"));
        CU_ASSERT_PTR_NULL(node_member(root, "c"));
        CU_ASSERT_PTR_NULL(node_member(deep, "c"));
        arena_free(&arena);
    }
}

/* An error at line 2, column 3 of a text is shown where that stands in the file. */
static void test_place_within(void)
{
    static const struct {
        const char *text;
        int line, column, file_line, file_column;
    } cases[] = {
        {"a: |\n    one\n    two\n", 2, 3, 3, 7},
        {"a: |\n\n    one\n    two\n", 3, 1, 4, 5},
        {"a: plain\n", 1, 2, 1, 5},
        {"a: \"quoted\"\n", 1, 2, 1, 6},
        {"a: >\n    one\n    two\n", 1, 3, 1, 4},      /* folded: the value's own place */
        {"a: one\n   two\n", 1, 3, 1, 4},
        {"a: |\r\n  one\r\n  two\r\n", 2, 1, 3, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct error error;
        struct node *root = read_text(&arena, cases[i].text, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(root);
        error_set(&error, XY_EINVAL, "wrong");
        error_at(&error, "", cases[i].line, cases[i].column);
        node_place_within(root->items[0], &error);
        CU_ASSERT_EQUAL(error.line, cases[i].file_line);
        CU_ASSERT_EQUAL(error.column, cases[i].file_column);
        CHECK_TEXT(error.file, "p.yaml");
        arena_free(&arena);
    }
}

static struct value value_of(struct arena *arena, const char *scalar)
{
    struct error error;
    struct buffer text;
    buffer_init(&text, 1024);
    buffer_printf(&text, "a: %s\n", scalar);
    struct node *root = read_text(arena, text.bytes, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    struct value value;
    CU_ASSERT_EQUAL(node_value(arena, root->items[0], &value), 0);
    buffer_free(&text);
    return value;
}

static void test_types(void)
{
    /* YAML 1.2.2 section 10.3.2: the core schema's own table and examples. */
    static const struct {
        const char *scalar;
        enum value_type type;
        double number;
    } cases[] = {
        {"null", VALUE_NULL, 0},   {"~", VALUE_NULL, 0},        {"", VALUE_NULL, 0},
        {"Null", VALUE_NULL, 0},   {"nULL", VALUE_TEXT, 0},     {"true", VALUE_BOOL, 1},
        {"False", VALUE_BOOL, 0},  {"yes", VALUE_TEXT, 0},      {"on", VALUE_TEXT, 0},
        {"0", VALUE_INT, 0},       {"0o7", VALUE_INT, 7},       {"0x3A", VALUE_INT, 58},
        {"-19", VALUE_INT, -19},   {"+12", VALUE_INT, 12},      {"007", VALUE_INT, 7},
        {"0.", VALUE_NUMBER, 0},   {"-0.0", VALUE_NUMBER, 0},   {".5", VALUE_NUMBER, .5},
        {"12e03", VALUE_NUMBER, 12000}, {"-2E+05", VALUE_NUMBER, -200000},
        {"1.5e", VALUE_TEXT, 0},   {".", VALUE_TEXT, 0},        {"-a", VALUE_TEXT, 0},
        {"1_000", VALUE_TEXT, 0},  {"0b11", VALUE_TEXT, 0},     {"1,5", VALUE_TEXT, 0},
        {"\"3\"", VALUE_TEXT, 0},  {"'true'", VALUE_TEXT, 0},   {"!!str 3", VALUE_TEXT, 0},
        {"9223372036854775807", VALUE_INT, 9223372036854775807.0},
        {"-9223372036854775808", VALUE_INT, -9223372036854775808.0},
        {"9223372036854775808", VALUE_NUMBER, 9223372036854775808.0},
        {".inf", VALUE_NUMBER, INFINITY}, {"-.INF", VALUE_NUMBER, -INFINITY},
        {"2026-11-23", VALUE_TEXT, 0},
    };
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it exists, 1.5 would read as 1 through strtod() */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct value value = value_of(&arena, cases[i].scalar);
        if (value.type != cases[i].type)
            printf("\n    `%s` has type %d\n", cases[i].scalar, (int)value.type);
        CU_ASSERT_EQUAL(value.type, cases[i].type);
        if (value.type == VALUE_INT)
            CU_ASSERT_EQUAL((double)value.integer, cases[i].number);
        if (value.type == VALUE_NUMBER)
            CU_ASSERT_EQUAL(value.number, cases[i].number);
        if (value.type == VALUE_BOOL)
            CU_ASSERT_EQUAL(value.boolean, cases[i].number != 0);
        arena_free(&arena);
    }
    setlocale(LC_ALL, "C");
    struct arena arena = {0};
    CU_ASSERT_TRUE(isnan(value_of(&arena, ".nan").number));
    CU_ASSERT_EQUAL(value_of(&arena, "9223372036854775807").integer, INT64_MAX);
    CU_ASSERT_EQUAL(value_of(&arena, "-9223372036854775808").integer, INT64_MIN);
    struct value map = value_of(&arena, "{x: [1, {y: two}], z: }");
    CU_ASSERT_EQUAL_FATAL(map.type, VALUE_MAP);
    CU_ASSERT_EQUAL(map.map.count, 2);
    const struct value *list = &map.map.members[0].value;
    CU_ASSERT_EQUAL_FATAL(list->type, VALUE_LIST);
    CU_ASSERT_EQUAL(list->list.items[0].integer, 1);
    CU_ASSERT_TRUE(str_is(list->list.items[1].map.members[0].value.text, "two"));
    CU_ASSERT_EQUAL(map.map.members[1].value.type, VALUE_NULL);
    arena_free(&arena);
}

static void test_empty(void)
{
    static const char *const texts[] = {"", "\n\n", "# only a comment\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arena arena = {0};
        struct error error;
        struct node *root = read_text(&arena, texts[i], &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(root);
        CU_ASSERT_TRUE(node_is_null(root));
        arena_free(&arena);
    }
}

static void test_aliases(void)
{
    struct arena arena = {0};
    struct error error;
    struct node *root = read_text(&arena, "a: &x {k: [1, 2]}\nb: *x\nc: &s word\nd: *s\n", &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    struct node *a = node_member(root, "a"), *b = node_member(root, "b");
    CU_ASSERT_PTR_NOT_EQUAL(a, b); /* a copy: changing one leaves the other */
    CU_ASSERT_EQUAL(node_member(b, "k")->count, 2);
    CU_ASSERT_PTR_NOT_EQUAL(node_member(a, "k")->items[0], node_member(b, "k")->items[0]);
    CU_ASSERT_TRUE(str_is(node_member(root, "d")->text, "word"));
    int depth = 0;
    CU_ASSERT_EQUAL(node_size(b, &depth), 5); /* map, key, list, two items */
    CU_ASSERT_EQUAL(depth, 3);
    arena_free(&arena);
}

/* Nine levels of nine: 9^9 values when followed. It must be refused before it is built. */
static void test_alias_bomb(void)
{
    struct arena arena = {0};
    struct error error;
    struct buffer text;
    buffer_init(&text, 1 << 16);
    buffer_append_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int level = 1; level < 9; level++) {
        buffer_printf(&text, "a%d: &a%d [", level, level);
        for (int i = 0; i < 9; i++)
            buffer_printf(&text, "%s*a%d", i ? ", " : "", level - 1);
        buffer_append_text(&text, "]\n");
    }
    CU_ASSERT_PTR_NULL(read_text(&arena, text.bytes, &error));
    /* 10, 91, 820, 7381, 66430 nodes for a0 to a4, 74732 in all: a5 cannot hold one more a4. */
    CHECK_TEXT(shown(&error), "p.yaml:6:10: more than 100000 values after aliases are followed");
    CU_ASSERT_TRUE(arena.total < (size_t)64 << 20);
    buffer_free(&text);
    arena_free(&arena);
}

static void test_depth(void)
{
    for (int depth = NODE_DEPTH - 1; depth <= 10000; depth += depth < NODE_DEPTH + 1 ? 1 : 9935) {
        struct arena arena = {0};
        struct error error;
        struct buffer text;
        buffer_init(&text, 1 << 20);
        for (int i = 0; i < depth; i++)
            buffer_append_char(&text, '[');
        for (int i = 0; i < depth; i++)
            buffer_append_char(&text, ']');
        struct node *root = read_text(&arena, text.bytes, &error);
        CU_ASSERT_EQUAL(root != NULL, depth <= NODE_DEPTH);
        if (!root)
            CHECK_TEXT(shown(&error), "p.yaml:1:65: nested more than 64 levels deep");
        buffer_free(&text);
        arena_free(&arena);
    }
    /* The same through an alias: 40 levels below 40 levels. */
    struct arena arena = {0};
    struct error error;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (int turn = 0; turn < 2; turn++) {
        buffer_append_text(&text, turn ? "b: " : "a: &deep ");
        for (int i = 0; i < 40; i++)
            buffer_append_char(&text, '[');
        buffer_append_text(&text, turn ? "*deep" : "x");
        for (int i = 0; i < 40; i++)
            buffer_append_char(&text, ']');
        buffer_append_char(&text, '\n');
    }
    CU_ASSERT_PTR_NULL(read_text(&arena, text.bytes, &error));
    CHECK_TEXT(shown(&error), "p.yaml:2:44: nested more than 64 levels deep after aliases are "
                              "followed");
    buffer_free(&text);
    arena_free(&arena);
}

static void test_many_keys(void)
{
    struct arena arena = {0};
    struct error error;
    struct buffer text;
    buffer_init(&text, NODE_BYTES);
    for (int i = 0; i < 40000; i++)
        buffer_printf(&text, "k%d: %d\n", i, i);
    struct node *root = read_text(&arena, text.bytes, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(root->count, 40000);
    CU_ASSERT_TRUE(str_is(root->items[39999]->text, "39999"));
    buffer_append_text(&text, "k777: again\n");
    CU_ASSERT_PTR_NULL(read_text(&arena, text.bytes, &error));
    CHECK_TEXT(shown(&error), "p.yaml:40001:1: duplicate key `k777`, given first on line 778");
    for (int i = 40000; i < 110000; i++)
        buffer_printf(&text, "k%d: %d\n", i, i);
    CU_ASSERT_PTR_NULL(read_text(&arena, text.bytes, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "more than 100000 values"));
    buffer_free(&text);
    arena_free(&arena);
}

static void test_file(void)
{
    struct arena arena = {0};
    struct error error;
    CU_ASSERT_PTR_NULL(node_read_file(&arena, "no/such/file.yaml", &error));
    CU_ASSERT_EQUAL(error.code, XY_EIO);
    CHECK_TEXT(shown(&error), "no/such/file.yaml: cannot be opened: No such file or directory");
    CU_ASSERT_PTR_NULL(node_read_file(&arena, "/", &error));
    CHECK_TEXT(shown(&error), "/: cannot be read: Is a directory");
    char path[] = "/tmp/node_test_XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("a: 1\n", file);
    fflush(file);
    struct node *root = node_read_file(&arena, path, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_TRUE(str_is(root->items[0]->text, "1"));
    for (int i = 0; i <= NODE_BYTES / 4096; i++)
        fprintf(file, "#%4094s\n", "");
    fclose(file);
    CU_ASSERT_PTR_NULL(node_read_file(&arena, path, &error));
    CHECK_TEXT(error.text, "more than 16 MiB; a pipeline file has at most that");
    remove(path);
    arena_free(&arena);
}

/* ---- ${} ------------------------------------------------------------------------------------- */

static void test_substitute(void)
{
    static const struct {
        const char *given, *expected;
        bool secret;
        enum value_type type;
    } cases[] = {
        {"${XT_NAME}", "value", true, VALUE_TEXT},
        {"${XT_NUMBER}", "42", true, VALUE_INT},
        {"\"${XT_NUMBER}\"", "42", true, VALUE_TEXT},
        {"x${XT_NAME}y${XT_NAME}z", "xvalueyvaluez", true, VALUE_TEXT},
        {"${XT_MISSING:-7}", "7", false, VALUE_INT},
        {"${XT_MISSING:-}", "", false, VALUE_NULL},
        {"${XT_EMPTY:-full}", "full", false, VALUE_TEXT}, /* as in sh: empty counts as unset */
        {"${XT_EMPTY}", "", true, VALUE_NULL},
        {"${XT_NAME:-other}", "value", true, VALUE_TEXT},
        {"a $${XT_NAME} $x $ b$", "a ${XT_NAME} $x $ b$", false, VALUE_TEXT},
        {"${XT_TRICK}", "${XT_NAME}", true, VALUE_TEXT},  /* what was put in is not read again */
        {"${params.n}", "5", false, VALUE_INT},
        {"'${params.n}'", "5", false, VALUE_TEXT},
        {"${params.quoted}", "5", false, VALUE_TEXT},
        {"at ${params.n}!", "at 5!", false, VALUE_TEXT},
        {"1${params.quoted}", "15", false, VALUE_TEXT},
        {"1${params.n}", "15", false, VALUE_INT},
        {"x${params.none}y", "xy", false, VALUE_TEXT},
    };
    setenv("XT_NAME", "value", 1);
    setenv("XT_NUMBER", "42", 1);
    setenv("XT_EMPTY", "", 1);
    setenv("XT_TRICK", "${XT_NAME}", 1);
    unsetenv("XT_MISSING");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct error error;
        struct error_list errors = {0};
        struct node *params = read_text(&arena, "n: 5\nquoted: '5'\nnone: null\n", &error);
        struct buffer text;
        buffer_init(&text, 1024);
        buffer_printf(&text, "k: [%s]\n", cases[i].given);
        if (strncmp(cases[i].given, "${", 2) == 0 || cases[i].given[0] != '\'') {
            buffer_clear(&text);
            buffer_printf(&text, "k:\n  - %s\n", cases[i].given);
        }
        struct node *root = read_text(&arena, text.bytes, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(root);
        CU_ASSERT_EQUAL(node_substitute(&arena, root, params, &errors), 0);
        struct node *item = root->items[0]->items[0];
        struct value value;
        node_value(&arena, item, &value);
        CHECK_TEXT(item->text.ptr, cases[i].expected);
        CU_ASSERT_EQUAL(item->secret, cases[i].secret);
        CU_ASSERT_EQUAL(value.type, cases[i].type);
        buffer_free(&text);
        error_list_free(&errors);
        arena_free(&arena);
    }
}

static void test_substitute_tree(void)
{
    struct arena arena = {0};
    struct error error;
    struct error_list errors = {0};
    struct node *params = read_text(&arena, "labels: [good, bad]\n", &error);
    struct node *root = read_text(&arena, "a: ${params.labels}\nb: '${params.labels}'\n", &error);
    CU_ASSERT_EQUAL(node_substitute(&arena, root, params, &errors), 0);
    CU_ASSERT_EQUAL(root->items[0]->kind, NODE_LIST);
    CU_ASSERT_EQUAL_FATAL(root->items[0]->count, 2);
    CU_ASSERT_TRUE(str_is(root->items[0]->items[1]->text, "bad"));
    CU_ASSERT_PTR_NOT_EQUAL(root->items[0]->items[1], root->items[1]->items[1]);
    error_list_free(&errors);
    arena_free(&arena);
}

/* All of them in one pass, and never the value of a variable. */
static void test_substitute_errors(void)
{
    static const char *const expected[] = {
        "p.yaml:1:4: the environment variable XT_MISSING is not set (export it, or write "
        "${XT_MISSING:-default})",
        "p.yaml:2:4: `${` without its `}` (write $${ for a literal ${)",
        "p.yaml:3:4: `${not a name}`: expected ${NAME}, ${NAME:-default} or ${params.NAME} "
        "(write $${ for a literal ${)",
        "p.yaml:4:4: `${}`: expected ${NAME}, ${NAME:-default} or ${params.NAME} "
        "(write $${ for a literal ${)",
        "p.yaml:5:4: unknown parameter `lable` (did you mean `label`?)",
        "p.yaml:6:4: the parameter `label` is a list and cannot stand within a text "
        "(let ${params.label} be the whole value)",
    };
    struct arena arena = {0};
    struct error error;
    struct error_list errors = {0};
    unsetenv("XT_MISSING");
    struct node *params = read_text(&arena, "label: [x]\n", &error);
    struct node *root = read_text(&arena,
                                  "a: ${XT_MISSING}\nb: x${y\nc: ${not a name}\nd: ${}\n"
                                  "e: ${params.lable}\nf: the ${params.label}\n", &error);
    CU_ASSERT_EQUAL(node_substitute(&arena, root, params, &errors), XY_EINVAL);
    CU_ASSERT_EQUAL_FATAL(errors.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < errors.count; i++)
        CHECK_TEXT(shown(&errors.errors[i]), expected[i]);
    error_list_free(&errors);
    root = read_text(&arena, "a: ${params.x}\n", &error);
    CU_ASSERT_EQUAL(node_substitute(&arena, root, NULL, &errors), XY_EINVAL);
    CHECK_TEXT(errors.errors[0].text, "unknown parameter `x`; this file declares no `params:`");
    error_list_free(&errors);
    arena_free(&arena);
}

/* A parameter that is a large tree, put in many times, is an alias bomb by another name. */
static void test_substitute_bomb(void)
{
    struct arena arena = {0};
    struct error error;
    struct error_list errors = {0};
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_text(&text, "big: [");
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&text, "x, ");
    buffer_append_text(&text, "]\n");
    struct node *params = read_text(&arena, text.bytes, &error);
    buffer_clear(&text);
    for (int i = 0; i < 200; i++)
        buffer_append_text(&text, "- ${params.big}\n");
    struct node *root = read_text(&arena, text.bytes, &error);
    CU_ASSERT_EQUAL(node_substitute(&arena, root, params, &errors), XY_EINVAL);
    /* 1,001 nodes each: the 100th passes 100,000. */
    CHECK_TEXT(shown(&errors.errors[0]),
               "p.yaml:100:3: more than 100000 values after parameters are put in");
    buffer_free(&text);
    error_list_free(&errors);
    arena_free(&arena);
}

static void test_shown(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a: word\n", "`word`"},
        {"a: [1]\n", "a list"},
        {"a: {b: 1}\n", "a map"},
        {"a:\n", "nothing"},
        {"a: ''\n", "``"},
        {"a: |\n  one\n  two\n", "`one...`"},
        {"a: 0123456789012345678901234567890123456789x\n",
         "`0123456789012345678901234567890123456789...`"},
        {"a: 012345678901234567890123456789012345678\xc3\xa9\n",
         "`012345678901234567890123456789012345678...`"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct error error;
        char out[NODE_SHOWN];
        struct node *root = read_text(&arena, cases[i].text, &error);
        CHECK_TEXT(node_shown(root->items[0], out), cases[i].expected);
        root->items[0]->secret = true;
        if (root->items[0]->kind == NODE_SCALAR)
            CHECK_TEXT(node_shown(root->items[0], out), "a value from the environment");
        arena_free(&arena);
    }
}

/* ---- --set ----------------------------------------------------------------------------------- */

static const char base[] = "seed: 1\nsteps:\n  - id: plan\n    use: grid\n  - use: generate\n"
                           "  - use: minhash\n    with: {threshold: 0.7}\nempty:\n";

static void test_set(void)
{
    struct arena arena = {0};
    struct error error;
    struct node *root = read_text(&arena, base, &error);
    CU_ASSERT_EQUAL(node_set(&arena, root, "seed", STR("9"), &error), 0);
    CU_ASSERT_TRUE(str_is(node_member(root, "seed")->text, "9"));
    CU_ASSERT_EQUAL(node_set(&arena, root, "steps.plan.use", STR("sample"), &error), 0);
    CU_ASSERT_EQUAL(node_set(&arena, root, "steps.1.samples", STR("4"), &error), 0);
    CU_ASSERT_EQUAL(node_set(&arena, root, "steps.minhash.with.threshold", STR("0.9"), &error), 0);
    CU_ASSERT_EQUAL(node_set(&arena, root, "models.small.use", STR("llama"), &error), 0);
    CU_ASSERT_EQUAL(node_set(&arena, root, "empty.now", STR("{a: [1, 2]}"), &error), 0);
    struct node *steps = node_member(root, "steps");
    CU_ASSERT_TRUE(str_is(node_member(steps->items[0], "use")->text, "sample"));
    CU_ASSERT_TRUE(str_is(node_member(steps->items[1], "samples")->text, "4"));
    struct node *with = node_member(steps->items[2], "with");
    CU_ASSERT_EQUAL(with->count, 1);
    CU_ASSERT_TRUE(str_is(node_member(with, "threshold")->text, "0.9"));
    struct node *small = node_member(node_member(root, "models"), "small");
    CU_ASSERT_PTR_NOT_NULL_FATAL(small);
    CU_ASSERT_TRUE(str_is(node_member(small, "use")->text, "llama"));
    struct node *now = node_member(node_member(root, "empty"), "now");
    CU_ASSERT_EQUAL(node_member(now, "a")->count, 2);
    CHECK_TEXT(now->file, "--set empty.now");
    CU_ASSERT_EQUAL(node_set(&arena, root, "seed", STR(""), &error), 0);
    CU_ASSERT_TRUE(node_is_null(node_member(root, "seed")));
    arena_free(&arena);
}

static void test_set_errors(void)
{
    static const struct {
        const char *path, *text, *message;
    } cases[] = {
        {"", "1", "--set: expected a path such as models.teacher.use before `=`"},
        {"a..b", "1", "--set a..b: an empty name in the path"},
        {"seed.", "1", "--set seed.: an empty name in the path"},
        {"seed.x", "1", "--set seed.x: `x` cannot be set: what is above it is no map and no list"},
        {"steps.nobody.use", "1",
         "--set steps.nobody.use: no item `nobody` in the list: expected an `id:` or an index "
         "below 3"},
        {"steps.3", "1", "--set steps.3: no item `3` in the list: expected an `id:` or an index "
                         "below 3"},
        {"seed", "[1", "--set seed:2:1: invalid YAML: did not find expected ',' or ']'"},
        {"seed", "*x", "--set seed:1:1: unknown alias `*x`; an anchor comes before its aliases"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena = {0};
        struct error error;
        struct node *root = read_text(&arena, base, &error);
        CU_ASSERT_EQUAL(node_set(&arena, root, cases[i].path, str_of(cases[i].text), &error),
                        XY_EINVAL);
        CHECK_TEXT(shown(&error), cases[i].message);
        arena_free(&arena);
    }
    /* A path deeper than any file may be. */
    struct arena arena = {0};
    struct error error;
    struct node *root = read_text(&arena, base, &error);
    char path[256] = "a";
    for (int i = 0; i < 70; i++)
        strncat(path, ".a", sizeof(path) - strlen(path) - 1);
    CU_ASSERT_EQUAL(node_set(&arena, root, path, STR("1"), &error), XY_EINVAL);
    CHECK_TEXT(error.text, "nested more than 64 levels deep");
    arena_free(&arena);
}

int main(void)
{
    static const struct check checks[] = {
        {"refused, with place", test_refused},
        {"NUL byte", test_nul_byte},
        {"places", test_places},
        {"places within a text", test_place_within},
        {"types", test_types},
        {"empty", test_empty},
        {"aliases are copies", test_aliases},
        {"alias bomb", test_alias_bomb},
        {"depth", test_depth},
        {"many keys", test_many_keys},
        {"file", test_file},
        {"substitution", test_substitute},
        {"substitution of trees", test_substitute_tree},
        {"substitution errors", test_substitute_errors},
        {"substitution bomb", test_substitute_bomb},
        {"what messages show", test_shown},
        {"--set", test_set},
        {"--set errors", test_set_errors},
        {NULL, NULL},
    };
    return check_main("node", checks);
}
