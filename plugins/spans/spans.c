/* SPDX-License-Identifier: Apache-2.0 */
/* spans - what a model extracted, held against the text: exact offsets, relations between what
 * stands there, tags. A mention that the text does not have is the commonest fault of extraction by
 * a language model. */
#include "scores.h"
#include "spans_write.h"

struct spans {
    const char *text, *mentions, *relations, *tags, *tokens, *unaligned;
    const char *match, *occurrence, *overlap, *missing;
    struct rules rules;
    const xy_report *report;
    uint64_t said, placed, crossed, relations_said, relations_kept; /* one call at a time */
};

static const xy_option options[] = {
    {.name = "text", .type = XY_OPT_FIELD, .offset = offsetof(struct spans, text), .def = "text",
     .help = "The field with the text."},
    {.name = "mentions", .type = XY_OPT_FIELD, .offset = offsetof(struct spans, mentions),
     .def = "mentions",
     .help = "The field with what was extracted: a JSON list of texts or of objects, or an object "
             "from type to texts; it takes the list with offsets."},
    {.name = "relations", .type = XY_OPT_FIELD, .offset = offsetof(struct spans, relations),
     .help = "A field with a JSON list of relations, each with `head` and `tail`, a mention's text "
             "or its number; those whose ends are mentions stay."},
    {.name = "types", .type = XY_OPT_LIST, .offset = offsetof(struct spans, rules.types),
     .help = "The types that a mention may have; a mention of another counts as missing."},
    {.name = "match", .type = XY_OPT_TEXT, .offset = offsetof(struct spans, match),
     .def = "loose", .choices = "exact|loose|case",
     .help = "`exact`: byte for byte; `loose`: whatever white space, form of accents, quotes and "
             "dashes; `case`: loose, and in upper or lower case."},
    {.name = "occurrence", .type = XY_OPT_TEXT, .offset = offsetof(struct spans, occurrence),
     .def = "each", .choices = "each|first|all",
     .help = "Where a text that occurs several times is meant: `each` mention of it the next one; "
             "always the `first`; or `all` of them."},
    {.name = "overlap", .type = XY_OPT_TEXT, .offset = offsetof(struct spans, overlap),
     .def = "keep", .choices = "keep|longest|first",
     .help = "Mentions that overlap: `keep` both, or only the `longest`, or the one said `first`."},
    {.name = "missing", .type = XY_OPT_TEXT, .offset = offsetof(struct spans, missing),
     .def = "drop", .choices = "drop|flag|reject",
     .help = "A mention that the text does not have: `drop` it; `flag` it with \"aligned\": false; "
             "or `reject` the whole record, also for a relation between what is no mention."},
    {.name = "tags", .type = XY_OPT_FIELD, .offset = offsetof(struct spans, tags),
     .help = "A field for the BIO tags of the text's tokens, as a JSON list."},
    {.name = "tokens", .type = XY_OPT_FIELD, .offset = offsetof(struct spans, tokens),
     .def = "tokens", .help = "With `tags`: the field for the tokens."},
    {.name = "unaligned", .type = XY_OPT_FIELD, .offset = offsetof(struct spans, unaligned),
     .def = "unaligned",
     .help = "The field for what was left out, a JSON list, each with `why`."},
    {.name = "text_key", .type = XY_OPT_TEXT, .offset = offsetof(struct spans, rules.text_key),
     .def = "text", .help = "The member of a mention with its text."},
    {.name = "type_key", .type = XY_OPT_TEXT, .offset = offsetof(struct spans, rules.type_key),
     .def = "type", .help = "The member of a mention with its type."},
    {0},
};

/* The place of a choice in its list, from 1. */
static int number_of(const char *choice, const char *first, const char *second)
{
    return strcmp(choice, first) == 0 ? 1 : strcmp(choice, second) == 0 ? 2 : 3;
}

static int open_spans(void *state, const xy_host *host)
{
    struct spans *spans = state;
    spans->report = host->service(host, XY_REPORT); /* may be absent: figures are a courtesy */
    spans->rules.match = (enum match)number_of(spans->match, "exact", "loose");
    spans->rules.occurrence = (enum occurrence)number_of(spans->occurrence, "each", "first");
    spans->rules.overlap = (enum overlap)number_of(spans->overlap, "keep", "longest");
    spans->rules.missing = (enum missing)number_of(spans->missing, "drop", "flag");
    return XY_OK;
}

static void give_figures(const struct spans *spans, xy_job *job)
{
    const struct score_sink sink = {spans->report, job, NULL};
    if (!spans->report)
        return;
    if (spans->said)
        scores_estimate(&sink, "aligned", confusion_wilson(spans->placed, spans->said), "share",
                        spans->said, "share of the mentions that stand in their text");
    scores_value(&sink, "overlapping", (double)spans->crossed, "mentions", spans->said,
                 "mentions left out because they overlap another");
    if (spans->relations_said)
        scores_value(&sink, "relations_kept",
                     (double)spans->relations_kept / (double)spans->relations_said, "share",
                     spans->relations_said, "share of the relations whose ends are mentions");
}

static int set_json(xy_record *record, const char *field, const struct text *json)
{
    if (json->failed)
        return XY_ENOMEM;
    return xy_record_set_json(record, field, (xy_str){json->bytes, json->length});
}

/* The first mention that is not good, for the reason of a reject. */
static int refuse(struct spans *spans, xy_job *job, const struct mentions *mentions)
{
    for (size_t i = 0; i < mentions->count && spans->rules.missing == MISSING_REJECT; i++) {
        const struct mention *mention = &mentions->items[i];
        if (!mention->why || mention->crossed)
            continue;
        size_t length = mention->surface.len < 100 ? mention->surface.len : 100;
        return xy_drop(job, "mention \"%.*s\": %s", (int)length,
                       mention->surface.ptr ? mention->surface.ptr : "", mention->why);
    }
    return XY_OK;
}

static void count_mentions(struct spans *spans, const struct mentions *mentions)
{
    spans->said += mentions->count;
    for (size_t i = 0; i < mentions->count; i++) {
        spans->placed += !mentions->items[i].why || mentions->items[i].crossed;
        spans->crossed += mentions->items[i].crossed;
    }
}

static int relate(struct spans *spans, xy_job *job, xy_record *record, xy_str text,
                  const struct mentions *mentions, struct text *unaligned)
{
    xy_str list = xy_record_text(record, spans->relations);
    list = list.ptr ? json_check(list) : list;
    if (json_kind(list) != '[')
        return xy_drop(job, "there is no JSON list `%.127s`", spans->relations);
    struct text out = {0};
    struct relation_counts counts =
        write_relations(mentions, list, text, &spans->rules, &out, unaligned);
    spans->relations_said += counts.said;
    spans->relations_kept += counts.kept;
    int code = set_json(record, spans->relations, &out);
    text_free(&out);
    if (code >= 0 && counts.why && spans->rules.missing == MISSING_REJECT)
        return xy_drop(job, "a relation: %s", counts.why);
    return code < 0 ? code : XY_OK;
}

static int tag(const struct spans *spans, xy_record *record, xy_str text,
               const struct mentions *mentions)
{
    struct text tokens = {0}, tags = {0};
    write_tags(mentions, text, &tokens, &tags);
    int code = set_json(record, spans->tokens, &tokens);
    if (code >= 0)
        code = set_json(record, spans->tags, &tags);
    text_free(&tokens);
    text_free(&tags);
    return code;
}

static int write(struct spans *spans, xy_job *job, xy_record *record, xy_str text,
                 const struct mentions *mentions)
{
    struct text out = {0}, unaligned = {0};
    text_add_literal(&unaligned, "[");
    write_mentions(mentions, text, &spans->rules, &out);
    write_unaligned(mentions, &spans->rules, &unaligned);
    int code = XY_OK;
    if (spans->relations)
        code = relate(spans, job, record, text, mentions, &unaligned);
    text_add_literal(&unaligned, "]");
    int set = spans->tags ? tag(spans, record, text, mentions) : XY_OK;
    /* Last: what the mentions borrow from is this field's old value. */
    if (set >= 0)
        set = set_json(record, spans->mentions, &out);
    if (set >= 0)
        set = set_json(record, spans->unaligned, &unaligned);
    text_free(&out);
    text_free(&unaligned);
    return set < 0 ? set : code;
}

static int process(void *state, xy_job *job)
{
    struct spans *spans = state;
    xy_record *record = job->api->input(job, 0);
    xy_str text = xy_record_text(record, spans->text);
    xy_str json = xy_record_text(record, spans->mentions);
    if (!text.ptr)
        return xy_drop(job, "there is no `%.127s`", spans->text);
    if (!json.ptr)
        return xy_drop(job, "there is no `%.127s`", spans->mentions);
    struct mentions mentions;
    int code = mentions_read(&mentions, job, json, text, &spans->rules);
    if (code != XY_OK)
        return code;
    mentions_place(&mentions, text, &spans->rules);
    if (job->api->cancelled(job))
        return XY_ECANCELED;
    count_mentions(spans, &mentions);
    code = refuse(spans, job, &mentions);
    if (code == XY_OK)
        code = write(spans, job, record, text, &mentions);
    give_figures(spans, job);
    return code;
}

static const xy_stage spans_stage = {
    XY_STAGE_INIT,
    .kind = XY_ENHANCER,
    .flags = XY_STAGE_CPU,
    .state_size = sizeof(struct spans),
    .id = "spans",
    .version = "1.0.0",
    .summary = "Finds extracted mentions in their text: offsets, relations, BIO tags",
    .options = options,
    .open = open_spans,
    .process = process,
    .fields = "reads `text`, `mentions` and `relations`; sets `mentions`, `relations`, "
              "`unaligned`, `tokens` and `tags`",
};

XY_PLUGIN("spans", "1.0.0", "Apache-2.0", &spans_stage)
