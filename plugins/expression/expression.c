/* SPDX-License-Identifier: Apache-2.0 */
/* expression - keeps the records for which an expression over their fields is true. */
#include <xylem/plugin.h>

struct expression {
    const char *keep;
    const char *weight;
    const xy_expression *language;
    void *keep_compiled, *weight_compiled;
};

static const xy_option options[] = {
    {.name = "keep", .type = XY_OPT_EXPRESSION, .offset = offsetof(struct expression, keep),
     .help = "A record stays when this is true, as in `score >= 4 and text | length > 20`."},
    {.name = "weight", .type = XY_OPT_EXPRESSION, .offset = offsetof(struct expression, weight),
     .help = "Sets the record's weight to the value of this."},
    {0},
};

static void *compile(struct expression *filter, const xy_host *host, const char *source)
{
    char error[256];
    void *compiled = filter->language->compile(xy_text(source), error, sizeof(error));
    if (!compiled)
        xy_log_line(host, XY_LOG_ERROR, "`%s`: %s", source, error);
    return compiled;
}

static void close_expression(void *state)
{
    struct expression *filter = state;
    if (filter->keep_compiled)
        filter->language->release(filter->keep_compiled);
    if (filter->weight_compiled)
        filter->language->release(filter->weight_compiled);
}

static int open_expression(void *state, const xy_host *host)
{
    struct expression *filter = state;
    filter->language = host->service(host, XY_EXPRESSION);
    if (!filter->language)
        return XY_EUNSUPPORTED;
    if (!filter->keep && !filter->weight) {
        xy_log_line(host, XY_LOG_ERROR, "give `keep`, `weight` or both");
        return XY_EINVAL;
    }
    if (filter->keep)
        filter->keep_compiled = compile(filter, host, filter->keep);
    if (filter->weight)
        filter->weight_compiled = compile(filter, host, filter->weight);
    int good = (!filter->keep || filter->keep_compiled) &&
               (!filter->weight || filter->weight_compiled);
    if (!good)
        close_expression(filter); /* the host closes only what it has opened */
    return good ? XY_OK : XY_EINVAL;
}

static int set_weight(const struct expression *filter, xy_job *job, xy_record *record)
{
    xy_value value;
    memset(&value, 0, sizeof(value));
    int code = filter->language->evaluate(job, filter->weight_compiled, record, &value);
    if (code < 0)
        return code;
    double weight = value.type == XY_INT || value.type == XY_BOOL ? (double)value.integer
                                                                  : value.number;
    if (value.type != XY_INT && value.type != XY_BOOL && value.type != XY_NUMBER)
        return xy_fail(job, XY_EINVAL, "`weight` gave a value that is no number");
    if (record->api->set_weight(record, weight) < 0)
        return xy_fail(job, XY_EINVAL, "`weight` gave %g; a weight is finite and at least 0",
                       weight);
    return XY_OK;
}

static int process(void *state, xy_job *job)
{
    const struct expression *filter = state;
    xy_record *record = job->api->input(job, 0);
    if (filter->keep_compiled) {
        xy_value value;
        memset(&value, 0, sizeof(value));
        int code = filter->language->evaluate(job, filter->keep_compiled, record, &value);
        if (code < 0)
            return code;
        if (!filter->language->truth(&value))
            return xy_drop(job, "not true: %s", filter->keep);
    }
    return filter->weight_compiled ? set_weight(filter, job, record) : XY_OK;
}

static const char *const needs[] = {XY_EXPRESSION, NULL};

/* Options under which the conformance kit can try it. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0 ? "{ keep: \"true\", weight: \"1 + 1\" }" : NULL;
}

static const xy_stage expression = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU | XY_STAGE_REENTRANT,
    .state_size = sizeof(struct expression),
    .id = "expression",
    .version = "1.0.0",
    .summary = "Keeps the records for which an expression is true, or weighs them by one",
    .needs = needs,
    .options = options,
    .open = open_expression,
    .close = close_expression,
    .process = process,
    .fields = "reads what the expression names",
    .extension = extension,
};

XY_PLUGIN("expression", "1.0.0", "Apache-2.0", &expression)
