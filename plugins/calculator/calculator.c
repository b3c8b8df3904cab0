/* SPDX-License-Identifier: Apache-2.0 */
/* calculator - the value of arithmetic; and a check of what a text claims its arithmetic gives. */
#include <math.h>

#include "equations.h"

struct calculator {
    const char *expression, *result, *equations, *verify;
    double tolerance;
    int64_t least;
};

static const xy_option options[] = {
    {.name = "expression", .type = XY_OPT_FIELD, .offset = offsetof(struct calculator, expression),
     .help = "The field with the expression; `expression` when neither this nor `equations` is "
             "given."},
    {.name = "result", .type = XY_OPT_FIELD, .offset = offsetof(struct calculator, result),
     .def = "result", .help = "The field that takes the expression's value."},
    {.name = "equations", .type = XY_OPT_FIELD, .offset = offsetof(struct calculator, equations),
     .help = "A text field whose equations (`48 / 2 = 24`, `<<48/2=24>>`) must hold; the record is "
             "dropped when one does not."},
    {.name = "least", .type = XY_OPT_INT, .offset = offsetof(struct calculator, least), .def = "0",
     .low = 0, .high = 1000, .help = "Drops texts with fewer equations."},
    {.name = "verify", .type = XY_OPT_FIELD, .offset = offsetof(struct calculator, verify),
     .help = "A field with the expected value; the record is dropped when the expression, or the "
             "last equation, gives another."},
    {.name = "tolerance", .type = XY_OPT_NUMBER, .offset = offsetof(struct calculator, tolerance),
     .def = "1e-6", .low = 0, .high = 1,
     .help = "How far two values may be apart, relative to the larger one (absolute below 1)."},
    {0},
};

/* Integers stay integers; all else is the nearest double. */
static int set_number(xy_record *record, const char *field, struct number number)
{
    if (number_is_whole(number))
        return xy_record_set_int(record, field, number.above);
    return xy_record_set_number(record, field, number.value);
}

/* The last number of a text such as "#### 42" or "about 12.5 km". */
static int last_number(xy_str text, struct number *out)
{
    char why[EVALUATE_WHY];
    size_t end = text.len;
    while (end > 0 && (text.ptr[end - 1] < '0' || text.ptr[end - 1] > '9'))
        end--;
    size_t start = end;
    while (start > 0 && strchr("0123456789.,", text.ptr[start - 1]) && text.ptr[start - 1])
        start--;
    while (start < end && strchr(".,", text.ptr[start]))
        start++;
    if (start == end)
        return XY_EINVAL;
    int code = evaluate((xy_str){text.ptr + start, end - start}, out, why);
    if (code == XY_OK && start > 0 && text.ptr[start - 1] == '-')
        *out = number_negate(*out);
    return code;
}

/* The expected value: a number, an expression, or a text with a number at its end. */
static int read_expected(const struct calculator *calculator, xy_job *job,
                         const xy_record *record, struct number *out)
{
    xy_value value;
    char why[EVALUATE_WHY];
    memset(&value, 0, sizeof(value));
    int type = record->api->get(record, calculator->verify, &value);
    if (type == XY_INT)
        *out = number_of(value.integer);
    else if (type == XY_NUMBER && isfinite(value.number))
        *out = number_of_double(value.number);
    else if (type != XY_TEXT || (evaluate(value.text, out, why) < 0 &&
                                 last_number(value.text, out) < 0))
        return xy_drop(job, "`%.100s` holds no number", calculator->verify);
    return XY_OK;
}

static int compare(const struct calculator *calculator, xy_job *job, const xy_record *record,
                   struct number value)
{
    struct number expected = {0};
    if (!calculator->verify)
        return XY_OK;
    int code = read_expected(calculator, job, record, &expected);
    if (code != XY_OK)
        return code;
    if (equations_equal(value, expected, calculator->tolerance))
        return XY_OK;
    return xy_drop(job, "the calculator has %.15g, `%.100s` has %.15g", value.value,
                   calculator->verify, expected.value);
}

static int check_equations(const struct calculator *calculator, xy_job *job, xy_record *record)
{
    struct equations equations;
    xy_str text = xy_record_text(record, calculator->equations);
    if (!text.ptr)
        return xy_drop(job, "there is no text in `%.100s`", calculator->equations);
    equations_check(text, calculator->tolerance, &equations);
    int code = xy_record_set_int(record, "equations_checked", equations.count);
    if (code < 0)
        return code;
    if (equations.wrong)
        return xy_drop(job, "%s", equations.first_wrong);
    if ((int64_t)equations.count < calculator->least)
        return xy_drop(job, "%u equations in `%.100s`, expected at least %lld", equations.count,
                       calculator->equations, (long long)calculator->least);
    return equations.count ? compare(calculator, job, record, equations.last) : XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct calculator *calculator = state;
    xy_record *record = job->api->input(job, 0);
    const char *field = calculator->expression;
    char why[EVALUATE_WHY];
    struct number value;
    if (calculator->equations) {
        int code = check_equations(calculator, job, record);
        if (code != XY_OK || !field)
            return code;
    }
    field = field ? field : "expression";
    xy_str text = xy_record_text(record, field);
    if (!text.ptr)
        return xy_drop(job, "there is no expression in `%.100s`", field);
    if (evaluate(text, &value, why) < 0)
        return xy_drop(job, "%s", why);
    int code = set_number(record, calculator->result, value);
    if (code < 0)
        return code;
    return calculator->equations ? XY_OK : compare(calculator, job, record, value);
}

static const void *extension(const char *id)
{
    static const xy_tool tool = {
        .size = sizeof(tool),
        .description = "Gives the exact value of an arithmetic expression: + - * / // % ** ( ), "
                       "5%, sqrt, round, min, max, abs, floor, ceil, log, exp, sin and others.",
        .parameters = "{\"type\":\"object\",\"properties\":{\"expression\":{\"type\":\"string\"}},"
                      "\"required\":[\"expression\"],\"additionalProperties\":false}",
        .result = "result",
    };
    return strcmp(id, XY_TOOL) == 0 ? &tool : NULL;
}

static const xy_stage calculator_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct calculator),
    .id = "calculator",
    .version = "1.0.0",
    .summary = "The value of an arithmetic expression, or a check of a text's equations; a tool",
    .options = options,
    .process = process,
    .extension = extension,
    .fields = "reads `expression`, `equations` and `verify`; sets `result` and `equations_checked`",
};

XY_PLUGIN_SINCE(1, "calculator", "1.0.0", "Apache-2.0", &calculator_stage)
