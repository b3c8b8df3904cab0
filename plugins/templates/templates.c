/* SPDX-License-Identifier: Apache-2.0 */
/* template - draws a prompt template for each record from a pool and renders it: the hand-written
 * templates of UltraChat (Ding et al. 2023, section 3.1) and of FLAN (Wei et al. 2022, section
 * 2.1), so that one task is not always worded alike. */
#include <stdlib.h>

#include "json_reader.h"
#include "templates_pool.h"

struct template {
    const char *list;
    xy_dataset *dataset;
    const char *field, *weight, *match, *into, *index;
    const xy_host *host;
    const xy_rng *rng;
    struct templates_pool pool;
};

static const xy_option options[] = {
    {.name = "templates", .type = XY_OPT_JSON, .offset = offsetof(struct template, list),
     .help = "The list of templates: texts, or maps with `text` and, where wanted, `weight` and "
             "`match`."},
    {.name = "pool", .type = XY_OPT_DATASET, .offset = offsetof(struct template, dataset),
     .help = "In place of `templates` a data set, or a file, of which each record is one."},
    {.name = "field", .type = XY_OPT_FIELD, .offset = offsetof(struct template, field),
     .def = "template", .help = "The pool's field with the template."},
    {.name = "weight", .type = XY_OPT_FIELD, .offset = offsetof(struct template, weight),
     .help = "A number field of the pool: templates are drawn in proportion to it. Without it each "
             "is as likely."},
    {.name = "match", .type = XY_OPT_FIELD, .offset = offsetof(struct template, match),
     .help = "Draws only from templates whose field of this name (with `templates`: whose `match`) "
             "has the record's own value: templates of the record's own task."},
    {.name = "into", .type = XY_OPT_FIELD, .offset = offsetof(struct template, into),
     .def = "prompt", .help = "The field set to the rendered text."},
    {.name = "index", .type = XY_OPT_FIELD, .offset = offsetof(struct template, index),
     .def = "template_index",
     .help = "The field set to the template's place in the list or the pool, from 0."},
    {0},
};

/* ---- the pool -------------------------------------------------------------------------------- */

static xy_str decode(xy_str json, char **memory)
{
    free(*memory);
    *memory = malloc(json.len + 1);
    if (!*memory || json_kind(json) != '"')
        return (xy_str){NULL, 0};
    return (xy_str){*memory, json_decode(json, *memory)};
}

/* One item of `templates`. */
static int add_item(struct template *state, xy_str item, uint64_t index, char *error, size_t size)
{
    bool map = json_kind(item) == '{';
    char *text_memory = NULL, *match_memory = NULL;
    xy_str weight = json_member(item, "weight");
    xy_str text = decode(map ? json_member(item, "text") : item, &text_memory);
    xy_str match = decode(json_member(item, "match"), &match_memory);
    double number = weight.ptr ? json_number(weight, -1) : 1;
    int code = XY_EINVAL;
    if (!text.ptr)
        snprintf(error, size, "expected a text, or a map with `text`");
    else if (state->match && !match.ptr)
        snprintf(error, size, "it has no text under `match`, and `match` is asked for");
    else
        code = templates_pool_add(&state->pool, text, state->match ? match : xy_text(""), number,
                                 index, error, size);
    free(text_memory);
    free(match_memory);
    return code;
}

static int read_list(struct template *state)
{
    xy_str list = json_check(xy_text(state->list));
    xy_str key = {NULL, 0}, item = {NULL, 0};
    struct json_cursor at = {0};
    uint64_t index = 0;
    if (json_kind(list) != '[' || json_count(list) == 0) {
        xy_log_line(state->host, XY_LOG_ERROR, "`templates` is a list of at least one template");
        return XY_EINVAL;
    }
    for (; json_next(list, &at, &key, &item); index++) {
        char error[256] = "out of memory";
        int code = add_item(state, item, index, error, sizeof(error));
        if (code < 0) {
            xy_log_line(state->host, XY_LOG_ERROR, "template %llu of `templates`: %s",
                        (unsigned long long)index, error);
            return code;
        }
    }
    return templates_pool_seal(&state->pool);
}

static int open_template(void *data, const xy_host *host)
{
    struct template *state = data;
    state->host = host;
    state->rng = host->service(host, XY_RNG);
    state->pool.language = host->service(host, XY_TEMPLATE);
    if (!state->rng || !state->pool.language)
        return XY_EUNSUPPORTED;
    if (!state->list)
        return XY_OK; /* prepare() looks for the pool: a data set is not there yet */
    int code = read_list(state);
    if (code < 0)
        templates_pool_free(&state->pool); /* close() comes only after a good open() */
    return code;
}

static int read_record(struct template *state, xy_job *job, const xy_record *record,
                       uint64_t index)
{
    char scratch[NAMES_SCRATCH], error[256] = "out of memory";
    xy_str source = xy_record_text(record, state->field);
    xy_str group = state->match ? names_label(record, state->match, scratch) : xy_text("");
    double weight = state->weight ? names_number(record, state->weight, -1) : 1;
    int code = XY_EINVAL;
    if (!source.ptr)
        snprintf(error, sizeof(error), "it has no text in `%s`", state->field);
    else if (!group.ptr)
        snprintf(error, sizeof(error), "it has no `%s`, and `match` asks for it", state->match);
    else
        code = templates_pool_add(&state->pool, source, group, weight, index, error, sizeof(error));
    return code < 0 ? xy_fail(job, code, "template %llu of the `pool`: %s",
                              (unsigned long long)index, error) : XY_OK;
}

static int prepare(void *data, xy_job *job)
{
    struct template *state = data;
    if (!state->list == !state->dataset)
        return xy_fail(job, XY_EINVAL, "give the templates either as a list, `templates`, or as a "
                       "data set, `pool`");
    if (state->list)
        return XY_OK;
    uint64_t count = state->dataset->api->count(state->dataset);
    for (uint64_t i = 0; i < count; i++) {
        const xy_record *record = state->dataset->api->at(state->dataset, i);
        int code = record ? read_record(state, job, record, i)
                          : xy_fail(job, XY_EIO, "record %llu of the `pool` cannot be read",
                                    (unsigned long long)i);
        if (code < 0)
            return code;
    }
    if (count == 0)
        return xy_fail(job, XY_EINVAL, "the `pool` is empty: there is no template to draw");
    return templates_pool_seal(&state->pool) < 0 ? xy_fail(job, XY_ENOMEM, "out of memory") : XY_OK;
}

static void close_template(void *data)
{
    templates_pool_free(&((struct template *)data)->pool);
}

/* ---- one record ------------------------------------------------------------------------------ */

/* The reason, which names what is undefined, is on the job and goes to the rejects with the record
 * and the template's place; the log says it once for each template. */
static int not_rendered(const struct template *state, const xy_record *record,
                        struct template_entry *entry)
{
    if (!entry->said)
        xy_log_line(state->host, XY_LOG_WARNING,
                    "template %llu cannot be rendered over record %016llx, which goes to the "
                    "rejects with the reason (said once for a template)",
                    (unsigned long long)entry->index,
                    (unsigned long long)record->api->id(record));
    entry->said = true;
    return XY_DROP;
}

static int process(void *data, xy_job *job)
{
    const struct template *state = data;
    xy_record *record = job->api->input(job, 0);
    char scratch[NAMES_SCRATCH];
    xy_str own = state->match ? names_label(record, state->match, scratch) : xy_text("");
    uint64_t random = state->rng->stream(job, record, 0);
    struct template_entry *entry =
        own.ptr ? templates_pool_draw(&state->pool, own, &random) : NULL;
    if (!entry && state->match)
        return xy_drop(job, "there is no template for `%s` %.*s", state->match,
                       own.ptr ? (int)own.len : 9, own.ptr ? own.ptr : "(missing)");
    if (!entry)
        return xy_drop(job, "all templates have weight 0");
    xy_str text = {NULL, 0};
    int code = xy_record_set_int(record, state->index, (int64_t)entry->index);
    if (code >= 0)
        code = state->pool.language->render(job, entry->compiled, record, &text);
    if (code == XY_EINVAL)
        return not_rendered(state, record, entry);
    if (code >= 0)
        code = xy_record_set_text(record, state->into, text);
    return code < 0 ? xy_fail(job, code, "the text cannot be set on `%s`", state->into) : XY_OK;
}

/* Options to try it with, for `xylem test-plugin`. */
static const void *extension(const char *id)
{
    return strcmp(id, "xylem.example/1") == 0
               ? "{templates: [\"One: {{ text | default('') }}\", {text: two, weight: 2}]}" : NULL;
}

static const char *const needs[] = {XY_TEMPLATE, XY_RNG, NULL};

static const xy_stage template_stage = {
    XY_STAGE_INIT,
    .kind = XY_CONDITION,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct template),
    .id = "template",
    .version = "1.0.0",
    .summary = "Draws a template from a pool for each record, and renders it into a field",
    .needs = needs,
    .options = options,
    .open = open_template,
    .prepare = prepare,
    .close = close_template,
    .process = process,
    .extension = extension,
    .fields = "reads `match` and what the templates name, sets `into` and `index`",
};

XY_PLUGIN_SINCE(1, "templates", "1.0.0", "Apache-2.0", &template_stage)
