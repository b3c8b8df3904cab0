/* SPDX-License-Identifier: Apache-2.0 */
/* personal_data - finds e-mail addresses, telephone numbers, payment cards, bank accounts and IP
 * addresses, and drops the record or masks them. */
#include <stdlib.h>

#include "json_reader.h"
#include "pattern.h"
#include "personal_data_find.h"
#include "text.h"

enum { PATTERNS = 16 };

struct personal_data {
    const char *field, *action, *mask, *spans_into, *patterns;
    const char *const *kinds;
    const xy_report *report;
    uint32_t wanted;
    struct pattern *compiled[PATTERNS];
    char *names[PERSONAL_KINDS + PATTERNS];
    uint64_t found[PERSONAL_KINDS + PATTERNS], records, with_any;
    uint32_t count; /* of names */
};

#define AT(member) offsetof(struct personal_data, member)

static const xy_option options[] = {
    {.name = "field", .type = XY_OPT_FIELD, .offset = AT(field), .def = "text",
     .help = "The text field to look at."},
    {.name = "kinds", .type = XY_OPT_LIST, .offset = AT(kinds),
     .def = "[email, phone, card, iban, ip]",
     .choices = "email|phone|card|iban|ip", .help = "What is looked for."},
    {.name = "patterns", .type = XY_OPT_JSON, .offset = AT(patterns),
     .help = "Further kinds: a map from a name to a regular expression (PCRE2), at most 16."},
    {.name = "action", .type = XY_OPT_TEXT, .offset = AT(action), .def = "drop",
     .choices = "drop|mask|annotate",
     .help = "What becomes of a record with personal data: it is dropped, the data are replaced by "
             "`mask`, or nothing but `spans_into` is set."},
    {.name = "mask", .type = XY_OPT_TEXT, .offset = AT(mask), .def = "[{kind}]",
     .help = "What stands in place of the data: `{kind}` and `{KIND}` become the kind's name, "
             "`{n}` "
             "the number, from 1, of the value among those of its kind in the text."},
    {.name = "spans_into", .type = XY_OPT_FIELD, .offset = AT(spans_into),
     .help = "The field for a list of what was found: kind, start and end in characters of the "
             "text "
             "as it was."},
    {0},
};

static const char *const kind_names[] = {"email", "phone", "card", "iban", "ip"};

/* ---- life ------------------------------------------------------------------------------------ */

static int add_pattern(struct personal_data *stage, const xy_host *host, xy_str key, xy_str value)
{
    char error[512] = "out of memory";
    uint32_t number = stage->count - PERSONAL_KINDS;
    if (number == PATTERNS || json_kind(value) != '"' || key.len == 0) {
        xy_log_line(host, XY_LOG_ERROR, "`patterns`: a map from at most %d names to regular "
                    "expressions is wanted, found %.*s", PATTERNS, (int)value.len, value.ptr);
        return XY_EINVAL;
    }
    char *source = malloc(value.len + 1);
    stage->names[stage->count] = strndup(key.ptr, key.len);
    if (source && stage->names[stage->count])
        stage->compiled[number] =
            pattern_compile((xy_str){source, json_decode(value, source)}, error, sizeof(error));
    stage->count++;
    free(source);
    if (stage->compiled[number])
        return XY_OK;
    xy_log_line(host, XY_LOG_ERROR, "`patterns`: `%.*s`: %s", (int)key.len, key.ptr, error);
    return XY_EINVAL;
}

/* Also after an open() that failed: what was freed is forgotten. */
static void close_stage(void *state)
{
    struct personal_data *stage = state;
    for (uint32_t i = 0; i < stage->count; i++)
        free(stage->names[i]);
    for (size_t i = 0; i < PATTERNS; i++)
        pattern_free(stage->compiled[i]);
    memset(stage->names, 0, sizeof(stage->names));
    memset(stage->compiled, 0, sizeof(stage->compiled));
}

static int open_stage(void *state, const xy_host *host)
{
    struct personal_data *stage = state;
    stage->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    for (stage->count = 0; stage->count < PERSONAL_KINDS; stage->count++) {
        stage->names[stage->count] = strdup(kind_names[stage->count]);
        for (size_t i = 0; stage->kinds && stage->kinds[i]; i++)
            if (strcmp(stage->kinds[i], kind_names[stage->count]) == 0)
                stage->wanted |= 1u << stage->count;
    }
    xy_str patterns = json_check(xy_text(stage->patterns ? stage->patterns : "{}")), key, value;
    struct json_cursor at = {0};
    if (json_kind(patterns) != '{') {
        xy_log_line(host, XY_LOG_ERROR, "`patterns` is no map; write `NAME: 'EXPRESSION'`");
        close_stage(stage);
        return XY_EINVAL;
    }
    int code = XY_OK;
    while (code == XY_OK && json_next(patterns, &at, &key, &value))
        code = add_pattern(stage, host, key, value);
    if (code < 0)
        close_stage(stage);
    return code;
}

/* ---- finding --------------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
    const struct personal_span *first = a, *second = b;
    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    return (first->kind > second->kind) - (first->kind < second->kind);
}

/* What the user's patterns find, where nothing else was found. */
static int find_patterns(const struct personal_data *stage, xy_job *job, xy_str text,
                         struct personal_spans *spans)
{
    for (uint32_t i = 0; i < stage->count - PERSONAL_KINDS; i++) {
        struct pattern_match match;
        int code = pattern_match_init(&match, stage->compiled[i]);
        size_t from = 0;
        while (code >= 0 && from <= text.len &&
               (code = pattern_find(stage->compiled[i], &match, text, from,
                                    PATTERN_NOT_EMPTY_HERE)) == 1) {
            size_t start = match.bounds[0], end = match.bounds[1];
            from = end > from ? end : from + 1;
            if (end > start && !personal_add(spans, start, end, PERSONAL_KINDS + i))
                code = XY_ENOMEM;
        }
        pattern_match_free(&match);
        if (code < 0)
            return code == XY_ENOMEM ? code
                                     : xy_fail(job, code, "`%s` takes more than %d steps on this "
                                               "text; write it without nested repetitions",
                                               stage->names[PERSONAL_KINDS + i], PATTERN_STEPS);
    }
    if (spans->count == 0 || stage->count == PERSONAL_KINDS)
        return XY_OK;
    qsort(spans->items, spans->count, sizeof(*spans->items), by_start);
    size_t kept = 1;
    for (size_t i = 1; i < spans->count; i++)
        if (spans->items[i].start >= spans->items[kept - 1].end)
            spans->items[kept++] = spans->items[i];
    spans->count = kept;
    return XY_OK;
}

static size_t characters(xy_str text, size_t from, size_t to)
{
    size_t count = 0;
    for (size_t i = from; i < to; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* ---- what is done ---------------------------------------------------------------------------- */

/* The number of the value among those of its kind. */
static uint64_t number_of(xy_str text, const struct personal_spans *spans, size_t index)
{
    const struct personal_span *own = &spans->items[index];
    uint64_t number = 1;
    for (size_t i = 0; i < index; i++) {
        const struct personal_span *other = &spans->items[i];
        if (other->kind != own->kind)
            continue;
        bool first = true; /* is it the first of its value? */
        for (size_t j = 0; j < i && first; j++)
            first = spans->items[j].kind != own->kind ||
                    spans->items[j].end - spans->items[j].start != other->end - other->start ||
                    memcmp(text.ptr + spans->items[j].start, text.ptr + other->start,
                           other->end - other->start) != 0;
        if (other->end - other->start == own->end - own->start &&
            memcmp(text.ptr + other->start, text.ptr + own->start, own->end - own->start) == 0)
            return number;
        number += first;
    }
    return number;
}

static void add_mask(const struct personal_data *stage, xy_str text,
                     const struct personal_spans *spans, size_t index, struct text *out)
{
    const char *name = stage->names[spans->items[index].kind];
    for (const char *at = stage->mask; *at;) {
        if (strncmp(at, "{kind}", 6) == 0) {
            text_add_literal(out, name);
            at += 6;
        } else if (strncmp(at, "{KIND}", 6) == 0) {
            for (const char *c = name; *c; c++)
                text_add(out, (char[]){(char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c)}, 1);
            at += 6;
        } else if (strncmp(at, "{n}", 3) == 0) {
            text_add_integer(out, number_of(text, spans, index));
            at += 3;
        } else {
            text_add(out, at++, 1);
        }
    }
}

static int mask(const struct personal_data *stage, xy_job *job, xy_str text,
                const struct personal_spans *spans)
{
    struct text out = {0};
    size_t from = 0;
    for (size_t i = 0; i < spans->count; i++) {
        text_add(&out, text.ptr + from, spans->items[i].start - from);
        add_mask(stage, text, spans, i, &out);
        from = spans->items[i].end;
    }
    text_add(&out, text.ptr + from, text.len - from);
    int code = out.failed ? XY_ENOMEM
                          : xy_record_set_text(job->api->input(job, 0), stage->field,
                                               (xy_str){out.bytes, out.length});
    text_free(&out);
    return code;
}

static int write_spans(const struct personal_data *stage, xy_job *job, xy_str text,
                       const struct personal_spans *spans)
{
    struct text out = {0};
    size_t at = 0, passed = 0;
    text_add_literal(&out, "[");
    for (size_t i = 0; i < spans->count; i++) {
        const struct personal_span *span = &spans->items[i];
        size_t start = passed + characters(text, at, span->start);
        size_t end = start + characters(text, span->start, span->end);
        text_add_literal(&out, i ? ",{\"kind\":" : "{\"kind\":");
        text_add_json(&out, xy_text(stage->names[span->kind]));
        text_add_literal(&out, ",\"start\":");
        text_add_integer(&out, start);
        text_add_literal(&out, ",\"end\":");
        text_add_integer(&out, end);
        text_add_literal(&out, "}");
        at = span->end;
        passed = end;
    }
    text_add_literal(&out, "]");
    int code = out.failed ? XY_ENOMEM
                          : xy_record_set_json(job->api->input(job, 0), stage->spans_into,
                                               (xy_str){out.bytes, out.length});
    text_free(&out);
    return code;
}

/* The reason counts and says where, but does not repeat what must not be passed on. */
static int drop(const struct personal_data *stage, xy_job *job, xy_str text,
                const struct personal_spans *spans)
{
    const struct personal_span *first = &spans->items[0];
    char others[64] = "";
    if (spans->count > 1)
        snprintf(others, sizeof(others), ", and %zu more", spans->count - 1);
    return xy_drop(job, "personal data: %s at character %zu%s", stage->names[first->kind],
                   characters(text, 0, first->start) + 1, others);
}

static void give_figures(struct personal_data *stage, xy_job *job,
                         const struct personal_spans *spans)
{
    stage->records++;
    stage->with_any += spans->count > 0;
    for (size_t i = 0; i < spans->count; i++)
        stage->found[spans->items[i].kind]++;
    if (!stage->report || (spans->count == 0 && stage->records > 1))
        return;
    xy_score score = {.size = sizeof(score), .low = __builtin_nan(""), .high = __builtin_nan(""),
                      .name = "records_with_personal_data", .value = (double)stage->with_any,
                      .unit = "records", .help = "records in which personal data were found"};
    stage->report->score(job, &score);
    for (uint32_t i = 0; i < stage->count; i++) {
        score.name = stage->names[i];
        score.value = (double)stage->found[i];
        score.unit = "";
        score.help = "how many were found";
        if (i >= PERSONAL_KINDS || (stage->wanted >> i & 1))
            stage->report->score(job, &score);
    }
}

static int process(void *state, xy_job *job)
{
    struct personal_data *stage = state;
    struct personal_spans spans = {0};
    xy_str text = xy_get(job, stage->field);
    if (!text.ptr)
        return xy_drop(job, "the field `%s` is missing or no text", stage->field);
    int code = personal_find(text, stage->wanted, &spans);
    if (code == XY_OK)
        code = find_patterns(stage, job, text, &spans);
    if (code == XY_OK)
        give_figures(stage, job, &spans);
    if (code == XY_OK && stage->spans_into)
        code = write_spans(stage, job, text, &spans);
    if (code == XY_OK && spans.count && stage->action[0] == 'm')
        code = mask(stage, job, text, &spans);
    if (code == XY_OK && spans.count && stage->action[0] == 'd')
        code = drop(stage, job, text, &spans);
    free(spans.items);
    return code == XY_ENOMEM ? xy_fail(job, XY_ENOMEM, "out of memory") : code;
}

static const xy_stage personal_data = {
    XY_STAGE_INIT,
    .kind = XY_FILTER,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct personal_data),
    .id = "personal_data",
    .version = "1.0.0",
    .summary = "Drops records with e-mail, telephone, card, account or IP numbers, or masks them",
    .options = options,
    .open = open_stage,
    .close = close_stage,
    .process = process,
    .fields = "reads and, with `action: mask`, sets `field`; sets `spans_into`",
};

XY_PLUGIN("personal_data", "1.0.0", "Apache-2.0", &personal_data)
