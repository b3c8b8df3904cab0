/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions by hand and against Python's fractions; equations of solutions, right and wrong. */
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "json.h"
#include "stage_host.h"

extern char **environ;

static struct stage_host host;

static struct instance *open_with(const char *options)
{
    stage_host_init(&host);
    stage_host_load(&host, "calculator");
    struct instance *instance = stage_host_open(&host, XY_CONDITION, "calculator", options);
    if (!instance)
        printf("\n    %s\n", host.error.text);
    CU_ASSERT_FATAL(instance != NULL);
    return instance;
}

static void close_it(struct instance *instance)
{
    instance_close(instance);
    stage_host_free(&host);
}

/* What one expression gives: the result field as text, or the reason of the drop. */
static const char *value_of(struct instance *instance, const char *expression)
{
    static char text[512];
    struct buffer json;
    struct stage_result result;
    buffer_init(&json, 1 << 20);
    buffer_append_text(&json, "{\"expression\":");
    json_write_text(&json, str_of(expression));
    buffer_append_char(&json, '}');
    stage_host_process(&host, instance, json.bytes, &result);
    if (result.verdict == XY_OK)
        snprintf(text, sizeof(text), "%.17g", stage_number(result.input, "result"));
    else
        snprintf(text, sizeof(text), "%s", result.why);
    CU_ASSERT(result.verdict == XY_OK || result.verdict == XY_DROP);
    stage_result_free(&result);
    buffer_free(&json);
    return text;
}

static const char *const cases[][2] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"-2 ** 2", "-4"},
    {"(-2) ** 2", "4"},
    {"2 ** 3 ** 2", "512"},
    {"2 ** -1", "0.5"},
    {"2^10", "1024"},
    {"0.1 + 0.2", "0.3"},
    {"1 / 3 * 3", "1"},
    {"7 // 2", "3"},
    {"-7 // 2", "-4"},
    {"-7 % 3", "2"},
    {"7 % (-3)", "-2"},
    {"7 % -3", "-2.93"}, /* before a sign `%` is percent */
    {"10 % 3", "1"},
    {"5%", "0.05"},
    {"20% * 50", "10"},
    {"200 + 10%", "200.1"},
    {"1,250 + 1,000,000", "1001250"},
    {"max(1,250)", "250"},
    {"max((1,250), 2)", "1250"},
    {"$3 \xc3\x97 4", "12"},
    {"12 \xc3\xb7 4 \xe2\x88\x92 1", "2"},
    {"1.5e3", "1500"},
    {"1e-3", "0.001"},
    {"sqrt(49/4)", "3.5"},
    {"sqrt(2)", "1.4142135623730951"},
    {"round(2.5)", "3"},
    {"round(-2.5)", "-3"},
    {"round(3.14159, 2)", "3.14"},
    {"round(1234, -2)", "1200"},
    {"floor(-1.5) + ceil(1.2)", "0"},
    {"factorial(20)", "2432902008176640000"},
    {"gcd(12, 18) + lcm(4, 6)", "18"},
    {"comb(52, 5)", "2598960"},
    {"min(3, 1, 2)", "1"},
    {"log(8, 2)", "3"},
    {"log10(1000)", "3"},
    {"abs(-1/2)", "0.5"},
    {"9223372036854775807", "9.223372036854775807e18"}, /* 19 digits: by double, see below */
    {"---3", "-3"},
    {"5.", "5"},
    /* errors, each by its name */
    {"", "the expression is empty"},
    {"   ", "the expression is empty"},
    {"1 / 0", "division by zero at character 6"},
    {"1 // (2 - 2)", "division by zero at character 13"},
    {"5 % 0", "division by zero at character 6"},
    {"0 ** -1", "division by zero at character 8"},
    {"1 +", "the expression ends at character 4"},
    {"1 + * 2", "expected a number, a name or `(` at character 5"},
    {"(1 + 2", "expected `)` at character 7"},
    {"1 2", "expected an operator at character 3"},
    {"2x", "expected an operator at character 2"},
    {"x + 1", "unknown name `x`"},
    {"sqrt(-1)", "`sqrt`: the root of a negative number is no real number"},
    {"(-8) ** 0.5", "no real result at character 12"},
    {"10 ** 400", "a result that is too large at character 10"},
    {"factorial(171)", "`factorial`: expects a whole number from 0 to 170"},
    {"sqrt(1, 2)", "`sqrt`: expects one argument"},
    {"__import__('os')", "expected a number, a name or `(` at character 12"},
};

static void by_hand(void)
{
    struct instance *instance = open_with(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = value_of(instance, cases[i][0]);
        char *end;
        double number = strtod(cases[i][1], &end);
        bool same = *end == '\0' && cases[i][1][0] ? fabs(strtod(got, NULL) - number) <=
                                                         2e-16 * fabs(number)
                                                   : strcmp(got, cases[i][1]) == 0;
        if (!same)
            printf("\n    `%s` gives %s, expected %s\n", cases[i][0], got, cases[i][1]);
        CU_ASSERT(same);
    }
    struct stage_result result;
    xy_value whole;
    stage_host_process(&host, instance, "{\"expression\":\"12 / 4\"}", &result);
    CU_ASSERT_EQUAL(record_get(result.input, "result", &whole), XY_INT); /* an integer stays one */
    stage_result_free(&result);
    CU_ASSERT_PTR_NOT_NULL(strstr(value_of(instance, "foo(1)"), "`foo`: no such function; there "));
    close_it(instance);
}

static void bounds(void)
{
    struct instance *instance = open_with(NULL);
    char *deep = malloc(200001);
    memset(deep, '(', 100000);
    memset(deep + 100000, '-', 100000);
    deep[200000] = '\0';
    CHECK_TEXT(value_of(instance, deep), "an expression of more than 10000 bytes");
    deep[9000] = '\0';
    CU_ASSERT(strstr(value_of(instance, deep), "nesting that is too deep") != NULL);
    memset(deep, '-', 9000);
    CU_ASSERT(strstr(value_of(instance, deep), "nesting that is too deep") != NULL);
    memset(deep, '9', 9000);
    CU_ASSERT(strstr(value_of(instance, deep), "expected a number of at most 60 digits") != NULL);
    free(deep);
    struct stage_result result;
    stage_host_process(&host, instance, "{\"other\":1}", &result);
    CU_ASSERT_EQUAL(result.verdict, XY_DROP);
    CHECK_TEXT(result.why, "there is no expression in `expression`");
    stage_result_free(&result);
    close_it(instance);
}

/* ---- against Python -------------------------------------------------------------------------- */

/* Random expressions whose value Python's fractions know exactly, as {"e", "v"} lines. */
static const char generator[] =
    "import random,json,sys\n"
    "from fractions import Fraction as F\n"
    "r=random.Random(5)\n"
    "def make(d):\n"
    "    k=r.randrange(8) if d else 0\n"
    "    if k<2:\n"
    "        n=r.randrange(1000)\n"
    "        if r.random()<.5: return str(n),F(n)\n"
    "        t=f'{n/100:.2f}'; return t,F(t)\n"
    "    a,x=make(d-1); b,y=make(d-1)\n"
    "    o=r.choice('+-*/') if k<6 else r.choice(['//','%'])\n"
    "    if o in('/','//','%') and y==0: o='+'\n"
    "    v={'+':lambda:x+y,'-':lambda:x-y,'*':lambda:x*y,'/':lambda:x/y,\n"
    "       '//':lambda:F(x//y),'%':lambda:x%y}[o]()\n"
    "    return f'({a} {o} {b})',v\n"
    "lines=[]\n"
    "for i in range(2000):\n"
    "    e,v=make(r.randrange(1,4))\n"
    "    lines.append(json.dumps({'e':e,'v':float(v)}))\n"
    "open(sys.argv[1],'w').write('\\n'.join(lines))\n";

static void run_python(const char *script, const char *output)
{
    char *const arguments[] = {(char *)"python3", (char *)"-c", (char *)script, (char *)output,
                               NULL};
    pid_t child;
    int status = 0;
    CU_ASSERT_EQUAL_FATAL(posix_spawnp(&child, "python3", NULL, NULL, arguments, environ), 0);
    waitpid(child, &status, 0);
    CU_ASSERT_TRUE_FATAL(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* One line of the generator's: is the value near? */
static bool is_near(struct instance *instance, xy_str line)
{
    struct arena arena = {0};
    struct value value;
    struct error error;
    CU_ASSERT_EQUAL_FATAL(json_parse(&arena, line, &value, &error), 0);
    xy_str text = value_member(&value, STR("e"))->text;
    char *expression = arena_printf(&arena, "%.*s", (int)text.len, text.ptr);
    double expected = value_member(&value, STR("v"))->number;
    double got = strtod(value_of(instance, expression), NULL);
    bool near = fabs(got - expected) <= 1e-9 * fmax(1, fabs(expected));
    if (!near)
        printf("\n    %s gives %.17g, Python has %.17g\n", expression, got, expected);
    arena_free(&arena);
    return near;
}

static void against_python(void)
{
    char path[] = P_tmpdir "/calculator_XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    run_python(generator, path);
    struct instance *instance = open_with(NULL);
    const char *lines = stage_host_file(&host, path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
    size_t count = 0, wrong = 0;
    for (; *lines; count++) {
        size_t length = strcspn(lines, "\n");
        wrong += !is_near(instance, (xy_str){lines, length});
        lines += length + (lines[length] == '\n');
    }
    remove(path);
    close_it(instance);
    CU_ASSERT_EQUAL(count, 2000);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- solutions ------------------------------------------------------------------------------- */

static void check_solution(struct instance *instance, const char *solution, const char *answer,
                           int count, const char *why)
{
    struct buffer json;
    struct stage_result result;
    buffer_init(&json, 1 << 20);
    buffer_append_text(&json, "{\"solution\":");
    json_write_text(&json, str_of(solution));
    buffer_printf(&json, ",\"answer\":%s}", answer);
    stage_host_process(&host, instance, json.bytes, &result);
    CU_ASSERT_EQUAL(result.verdict, why ? XY_DROP : XY_OK);
    if ((why && (!result.why || strcmp(result.why, why) != 0)) || (!why && result.verdict != XY_OK))
        printf("\n    %s\n    %s\n", solution, result.why ? result.why : "accepted");
    CHECK_TEXT(result.why ? result.why : "", why ? why : "");
    if (stage_number(result.input, "equations_checked") != count)
        printf("\n    %s: %g equations\n", solution,
               stage_number(result.input, "equations_checked"));
    CU_ASSERT_EQUAL(stage_number(result.input, "equations_checked"), count);
    stage_result_free(&result);
    buffer_free(&json);
}

static void equations(void)
{
    struct instance *instance = open_with("{equations: solution, verify: answer}");
    check_solution(instance, "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nIn all 48+24 = "
                             "<<48+24=72>>72.\n#### 72", "72", 2, NULL);
    check_solution(instance, "He pays 3 x $4 = $12. Then 12 - 2 = 10.", "\"10 dollars\"", 2, NULL);
    /* Where a sentence ends, a side does. */
    check_solution(instance, "12 * 8 = 96 rolls. 96 - 75 = 21. The answer is 21.", "21", 2, NULL);
    check_solution(instance, "5 * 24 = 130. 130 - 57 = 73. The answer is 73.", "73", 2,
                   "5 * 24 = 130, but 5 * 24 is 120");
    check_solution(instance, "In 2024, 3 + 4 = 7, 5 + .5 = 5.5, 1,000 * 2 = 2,000.", "2000", 3,
                   NULL);
    check_solution(instance, "2 + 3 = 4 + 1 = 5", "5", 2, NULL);
    check_solution(instance, "2 + 3 = 5 - 1 = 4", "4", 2, "2 + 3 = 5 - 1, but 2 + 3 is 5");
    check_solution(instance, "So 6 \xc3\x97 7 = 43.", "43", 1,
                   "6 \xc3\x97 7 = 43, but 6 \xc3\x97 7 is 42");
    check_solution(instance, "10 / 3 = 3.33 and 20% * 50 = 10", "10", 2, NULL);
    check_solution(instance, "10 / 3 = 3.3", "3.3", 1,
                   "10 / 3 = 3.3, but 10 / 3 is 3.33333333333333");
    check_solution(instance, "Let x + 3 = 7, then x = 4. 2x = 8. 3 apples * 4 = 12. y == 3 + 3",
                   "0", 0, NULL);
    check_solution(instance, "(3 + 4 = 7) and **5 * 5 = 25**", "\"#### 25\"", 2, NULL);
    check_solution(instance, "a = 3 * 4 = 12, because 5 dozen - 2 = 58", "12", 1, NULL);
    check_solution(instance, "7 * 6 = 42", "41", 1, "the calculator has 42, `answer` has 41");
    check_solution(instance, "7 * 6 = 42", "\"none\"", 1, "`answer` holds no number");
    check_solution(instance, "7 * 6 = 42", "\"-42\"", 1, "the calculator has 42, `answer` has -42");
    close_it(instance);
    instance = open_with("{equations: solution, least: 2}");
    check_solution(instance, "1 + 1 = 2", "2", 1, "1 equations in `solution`, expected at least 2");
    close_it(instance);
}

static void verified(void)
{
    struct stage_result result;
    struct instance *instance = open_with("{verify: gold, tolerance: 0.01}");
    static const char *const records[][2] = {
        {"{\"expression\":\"22/7\",\"gold\":3.14159}", ""},
        {"{\"expression\":\"4\",\"gold\":\"12/3\"}", ""},
        {"{\"expression\":\"1250\",\"gold\":\"It costs $1,250.\"}", ""},
        {"{\"expression\":\"-5\",\"gold\":\"minus: -5\"}", ""},
        {"{\"expression\":\"4\",\"gold\":5}", "the calculator has 4, `gold` has 5"},
        {"{\"expression\":\"4\"}", "`gold` holds no number"},
        {"{\"expression\":\"4\",\"gold\":true}", "`gold` holds no number"},
    };
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        stage_host_process(&host, instance, records[i][0], &result);
        CHECK_TEXT(result.why ? result.why : "", records[i][1]);
        CU_ASSERT_EQUAL(result.verdict, records[i][1][0] ? XY_DROP : XY_OK);
        stage_result_free(&result);
    }
    close_it(instance);
}

int main(void)
{
    static const struct check checks[] = {
        {"by hand", by_hand},
        {"bounds", bounds},
        {"against Python's fractions", against_python},
        {"equations of solutions", equations},
        {"verified", verified},
        {NULL, NULL},
    };
    return check_main("calculator", checks);
}
