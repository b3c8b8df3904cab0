/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of core/template.h: what jinja2 cannot tell (places, bounds, names, expressions)
 * and a core of renderings whose expected text is plain from Jinja2's documentation. */
#include <stdlib.h>

#include "check.h"
#include "json.h"
#include "template.h"

static const char context[] = "{\"name\":\"Ada\",\"n\":7,\"pi\":3.5,\"words\":[\"b\",\"a\"],"
                              "\"d\":{\"k\":\"v\"},\"none\":null,\"trick\":\"{{ n }}\"}";

struct fixture {
    struct arena arena;
    struct value values;
    struct error error;
    struct buffer out;
};

static bool lookup(const void *data, struct arena *arena, xy_str name, struct value *out)
{
    (void)arena;
    const struct value *found = value_member(data, name);
    if (found)
        *out = *found;
    return found != NULL;
}

static void setup(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    buffer_init(&fixture->out, TEMPLATE_OUTPUT);
    json_parse(&fixture->arena, str_of(context), &fixture->values, &fixture->error);
}

static void teardown(struct fixture *fixture)
{
    buffer_free(&fixture->out);
    arena_free(&fixture->arena);
}

static int render(struct fixture *fixture, const char *source)
{
    struct scope scope = {.lookup = lookup, .data = &fixture->values};
    struct template *template = template_compile(str_of(source), &fixture->error);
    buffer_clear(&fixture->out);
    int rc = template ? template_render(template, &scope, &fixture->arena, &fixture->out,
                                        &fixture->error)
                      : XY_EUNSUPPORTED; /* told apart from a failed rendering */
    template_free(template);
    return rc;
}

static void renders_as_documented(void)
{
    static const char *const table[][2] = {
        {"Hello {{ name }}!", "Hello Ada!"},
        {"{{ pi }} {{ 7 / 2 }} {{ none }} {{ true }} {{ words }}", "3.5 3.5 None True ['b', 'a']"},
        {"{% for w in words %}{{ loop.index }}{{ w }}{% if not loop.last %},{% endif %}{% endfor "
         "%}",
         "1b,2a"},
        {"{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", "k=v"},
        {"{{ words|sort|join('-')|upper }}", "A-B"},
        {"a  {%- if n > 5 -%}  b  {%- endif %} c", "ab c"},
        {"{% raw %}{{ x }}{% endraw %}{# gone #}", "{{ x }}"},
        {"{% set ns = namespace(c=0) %}{% for w in words %}{% set ns.c = ns.c + 1 %}{% endfor %}{{ "
         "ns.c }}",
         "2"},
        {"{{ trick }}", "{{ n }}"},
        {"{{ missing|default('x') }}", "x"},
        {"line\n", "line\n"},
    };
    struct fixture fixture;
    setup(&fixture);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CU_ASSERT_EQUAL(render(&fixture, table[i][0]), 0);
        CHECK_TEXT(buffer_str(&fixture.out).ptr, table[i][1]);
    }
    teardown(&fixture);
}

static void errors_have_a_place(void)
{
    static const struct {
        const char *source;
        int rc, line, column;
        const char *part;
    } table[] = {
        {"a\nb {{ missing }}", XY_EINVAL, 2, 6, "`missing` is undefined"},
        {"{{ 'a' + 1 }}", XY_EINVAL, 1, 8, "a string + an integer"},
        {"\n\n {% macro f() %}", XY_EUNSUPPORTED, 3, 5, "`macro`"},
        {"{{ n|nosuch }}", XY_EUNSUPPORTED, 1, 6, "`nosuch`"},
        {"{{ n|random }}", XY_EUNSUPPORTED, 1, 6, "expected upper, lower"},
        {"{{ n is nosuch }}", XY_EUNSUPPORTED, 1, 9, "test `nosuch`"},
        {"{{ words.append(1) }}", XY_EUNSUPPORTED, 1, 10, "method `append`"},
        {"{{ n|replace('a') }}", XY_EUNSUPPORTED, 1, 6, "argument `new` is missing"},
        {"{% if n %}x", XY_EUNSUPPORTED, 1, 12, "expected {% endif %}"},
        {"{{ n }", XY_EUNSUPPORTED, 1, 6, "closes none"},
        {"{{ nosuch(1) }}", XY_EUNSUPPORTED, 1, 4, "call of `nosuch`"},
        {"\xff", XY_EUNSUPPORTED, 1, 1, "not UTF-8"},
        {"\xc3\xa9{{ m }}", XY_EINVAL, 1, 5, "`m` is undefined"},
        {"{{ 9223372036854775807 + n }}", XY_EINVAL, 1, 24, "64-bit"},
    };
    struct fixture fixture;
    setup(&fixture);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CU_ASSERT_EQUAL(render(&fixture, table[i].source), table[i].rc);
        CU_ASSERT_EQUAL(fixture.error.line, table[i].line);
        CU_ASSERT_EQUAL(fixture.error.column, table[i].column);
        CU_ASSERT_PTR_NOT_NULL(strstr(fixture.error.text, table[i].part));
        if (!strstr(fixture.error.text, table[i].part) || fixture.error.column != table[i].column)
            printf("\n    %s: %d:%d: %s\n", table[i].source, fixture.error.line,
                   fixture.error.column, fixture.error.text);
    }
    teardown(&fixture);
}

static void work_is_bounded(void)
{
    static const char *const table[] = {
        "{% for i in range(1000000000000) %}{% endfor %}",
        "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 999999999 }}",
        "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% "
        "endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor "
        "%}{{ ns.l }}",
        "{% set ns = namespace(g=words) %}{% for i in range(9999) %}{% set ns.g = "
        "ns.g|map('upper') %}{% endfor %}{{ ns.g|list }}",
        "{{ range(9999999999)|list }}",
        "{{ 'x'.center(999999999) }}",
        "{{ '%999999999d' % 5 }}",
    };
    struct fixture fixture;
    setup(&fixture);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CU_ASSERT_EQUAL(render(&fixture, table[i]), XY_EINVAL);
        CU_ASSERT(fixture.arena.total < (size_t)400 << 20);
        arena_reset(&fixture.arena);
        json_parse(&fixture.arena, str_of(context), &fixture.values, &fixture.error);
    }
    teardown(&fixture);
}

static void deep_source_is_refused(void)
{
    static const char *const parts[][2] = {
        {"{{ ", "("},           {"{{ ", "["},
        {"{{ ", "-"},           {"{{ ", "not "},
        {"", "{% if n %}"},     {"{{ n", "+n"},
        {"{{ n", "|upper"},     {"{{ n", ".a"},
        {"{{ n", "[0"},         {"{{ n", " if n else n"},
        {"{{ n", "|default(n"}, {"{{ n", "<n"},
        {"{{ {1:", "{1:"},      {"{% set ", "("},
    };
    struct fixture fixture;
    setup(&fixture);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct buffer source;
        buffer_init(&source, 1 << 24);
        buffer_append_text(&source, parts[i][0]);
        for (int repeat = 0; repeat < 100000; repeat++)
            buffer_append_text(&source, parts[i][1]);
        buffer_append_text(&source, " }}");
        CU_ASSERT_EQUAL(render(&fixture, source.bytes), XY_EUNSUPPORTED);
        buffer_free(&source);
    }
    teardown(&fixture);
}

static void names_are_those_of_the_scope(void)
{
    struct error error;
    struct template *template =
        template_compile(STR("{% set own = b %}{% for x in a if x > c %}{{ x }}{{ loop.index }}{{ "
                             "own }}{{ a }}{% endfor %}"
                             "{{ range(d)|list }}{% if e %}{% set f = 1 %}{% endif %}{{ f }}"),
                         &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(template);
    static const char *const expected[] = {"b", "a", "c", "d", "e", "f", NULL};
    const char *const *names = template_names(template);
    for (size_t i = 0; expected[i] || names[i]; i++) {
        CHECK_TEXT(names[i] ? names[i] : "(end)", expected[i] ? expected[i] : "(end)");
        if (!names[i] || !expected[i])
            break;
    }
    template_free(template);
}

static void expressions_give_values(void)
{
    struct fixture fixture;
    struct value value;
    setup(&fixture);
    struct scope scope = {.lookup = lookup, .data = &fixture.values};
    struct expression *expression = expression_compile(
        STR("n > 5 and {'a': [n, (1, 2)], 'b': words|map('upper')}"), &fixture.error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(expression);
    CU_ASSERT_EQUAL(expression_evaluate(expression, &scope, &fixture.arena, &value, &fixture.error),
                    0);
    CU_ASSERT(value_truth(&value));
    json_write(&fixture.out, &value);
    CHECK_TEXT(buffer_str(&fixture.out).ptr, "{\"a\":[7,[1,2]],\"b\":[\"B\",\"A\"]}");
    CHECK_TEXT(expression_names(expression)[0], "n");
    expression_free(expression);
    expression = expression_compile(STR("missing"), &fixture.error);
    CU_ASSERT_EQUAL(expression_evaluate(expression, &scope, &fixture.arena, &value, &fixture.error),
                    XY_EINVAL);
    expression_free(expression);
    CU_ASSERT_PTR_NULL(expression_compile(STR("n }} x"), &fixture.error));
    CU_ASSERT_PTR_NULL(expression_compile(STR(""), &fixture.error));
    teardown(&fixture);
}

static void truth_is_jinjas(void)
{
    struct value values[] = {value_int(0),        value_number(0),      value_bool(false),
                             value_text(STR("")), {.type = VALUE_NULL}, {.type = VALUE_LIST},
                             {.type = VALUE_MAP}, value_int(-1),        value_number(0.5),
                             value_bool(true),    value_text(STR("0"))};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        CU_ASSERT_EQUAL(value_truth(&values[i]), i >= 7);
}

int main(void)
{
    static const struct check checks[] = {
        {"renders as documented", renders_as_documented},
        {"errors have a place", errors_have_a_place},
        {"work is bounded", work_is_bounded},
        {"deep source is refused", deep_source_is_refused},
        {"names are those of the scope", names_are_those_of_the_scope},
        {"expressions give values", expressions_give_values},
        {"truth is Jinja's", truth_is_jinjas},
        {NULL, NULL}};
    return check_main("template", checks);
}
